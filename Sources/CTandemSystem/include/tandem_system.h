/* The pieces of Linux and glibc that Swift's Glibc module does not show, and the guards of a library in a host. */
#ifndef TANDEM_SYSTEM_H
#define TANDEM_SYSTEM_H

#include <stdint.h>

/* Fork (kernel.md K19): true in a child of a process in which libtandem_fork_watch() had been called. */
int libtandem_forked(void);
/* Registers the fork handlers, once. */
void libtandem_fork_watch(void);
/* File descriptors that a forked child must not keep: closed in it before anything else runs. */
void libtandem_fork_forget_fd(int fd);
void libtandem_fork_remember_fd(int fd);

/* Names the calling thread, for debuggers; at most 15 characters are kept. */
void libtandem_name_thread(const char *name);
/* 64 bits of the system's randomness. */
uint64_t libtandem_random_seed(void);

/* A word to wait on that may be raised from a signal handler (futex(2)); a condition variable may not. */
typedef struct libtandem_signal {
  uint32_t epoch;
  uint32_t waiters;
} libtandem_signal;
uint32_t libtandem_signal_epoch(libtandem_signal *signal);
void libtandem_signal_raise(libtandem_signal *signal);
/* Returns when the epoch is no longer the given one, when the monotonic clock reaches the deadline (UINT64_MAX: never),
   or for no reason. */
void libtandem_signal_wait(libtandem_signal *signal, uint32_t epoch, uint64_t deadline_ns);

#endif
