// Runs a program and waits for it, under whatever name this one has.
#include <process.h>

int main(int argc, char **argv) {
  (void)argc;
  return (int)_spawnvp(_P_WAIT, argv[1], (const char *const *)(argv + 1));
}
