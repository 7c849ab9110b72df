#include "tandem_system.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Fixed, because a child after fork may only use what is async-signal-safe: no allocation, no lock. */
enum { WATCHED_FDS = 1024 };

static atomic_int forked;
static atomic_int watched[WATCHED_FDS]; /* fd + 1; 0 is a free place */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void) {
  atomic_store(&forked, 1);
  for (int i = 0; i < WATCHED_FDS; i++) {
    int fd = atomic_exchange(&watched[i], 0);
    if (fd > 0) close(fd - 1);
  }
}

static void register_handlers(void) { pthread_atfork(NULL, NULL, in_child); }

int libtandem_forked(void) { return atomic_load_explicit(&forked, memory_order_relaxed); }

void libtandem_fork_watch(void) { pthread_once(&once, register_handlers); }

void libtandem_fork_remember_fd(int fd) {
  for (int i = 0; i < WATCHED_FDS; i++) {
    int none = 0;
    if (atomic_compare_exchange_strong(&watched[i], &none, fd + 1)) return;
  }
}

void libtandem_fork_forget_fd(int fd) {
  for (int i = 0; i < WATCHED_FDS; i++) {
    int mine = fd + 1;
    if (atomic_compare_exchange_strong(&watched[i], &mine, 0)) return;
  }
}
