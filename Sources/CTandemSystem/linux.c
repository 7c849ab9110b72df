#define _GNU_SOURCE
#include "tandem_system.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

void libtandem_name_thread(const char *name) {
  char kept[16] = {0};
  strncpy(kept, name, sizeof kept - 1);
  pthread_setname_np(pthread_self(), kept);
}

uint64_t libtandem_random_seed(void) {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) seed = 0;
  return seed;
}
