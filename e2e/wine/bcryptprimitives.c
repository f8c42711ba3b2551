// Go's runtime needs this library of Windows 10, which Debian's Wine lacks.
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID data, ULONG length); // RtlGenRandom

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  return SystemFunction036(data, (ULONG)length);
}
