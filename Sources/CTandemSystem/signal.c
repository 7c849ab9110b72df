#define _GNU_SOURCE
#include "tandem_system.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint32_t libtandem_signal_epoch(libtandem_signal *signal) { return __atomic_load_n(&signal->epoch, __ATOMIC_SEQ_CST); }

void libtandem_signal_raise(libtandem_signal *signal) {
  int before = errno; /* a signal handler must not change it */
  __atomic_add_fetch(&signal->epoch, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&signal->waiters, __ATOMIC_SEQ_CST) != 0)
    syscall(SYS_futex, &signal->epoch, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
  errno = before;
}

void libtandem_signal_wait(libtandem_signal *signal, uint32_t epoch, uint64_t deadline_ns) {
  struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / 1000000000u), .tv_nsec = (long)(deadline_ns % 1000000000u)};
  __atomic_add_fetch(&signal->waiters, 1, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &signal->epoch, FUTEX_WAIT_BITSET_PRIVATE, epoch, deadline_ns == UINT64_MAX ? NULL : &deadline, NULL,
          FUTEX_BITSET_MATCH_ANY);
  __atomic_sub_fetch(&signal->waiters, 1, __ATOMIC_SEQ_CST);
}
