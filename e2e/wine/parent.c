// Runs a program and waits for it. A test names this program after a shell or a shim.
#include <process.h>

int main(int argc, char **argv) {
  (void)argc;
  return (int)_spawnvp(_P_WAIT, argv[1], (const char *const *)(argv + 1));
}
