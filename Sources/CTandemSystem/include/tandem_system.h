/* The pieces of Linux and glibc that Swift's Glibc module does not show, and the guards of a library in a host. */
#ifndef TANDEM_SYSTEM_H
#define TANDEM_SYSTEM_H

#include <stdint.h>

/* True in a child of a process in which libtandem_fork_watch() had been called. */
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

/* An epoll instance and an eventfd, both close-on-exec and remembered for the fork handler; -1 when there is none. */
enum libtandem_interest { LIBTANDEM_READABLE = 1, LIBTANDEM_WRITABLE = 2, LIBTANDEM_BROKEN = 4 };
struct libtandem_ready {
  uint64_t tag;
  int state; /* of libtandem_interest */
};
int libtandem_epoll_create(void);
/* Adds or changes a descriptor, whichever is needed; is_new says what to try first. 0 or an errno. */
int libtandem_epoll_set(int epoll, int fd, int interest, uint64_t tag, int is_new);
void libtandem_epoll_remove(int epoll, int fd);
/* The number of entries written to `ready`; 0 also for an interrupted wait, -1 for an epoll that does not work. */
int libtandem_epoll_wait(int epoll, struct libtandem_ready *ready, int capacity, int timeout_ms);
int libtandem_eventfd_create(void);
void libtandem_eventfd_signal(int fd);
void libtandem_eventfd_clear(int fd);
/* Forgets the descriptor for the fork handler and closes it; nothing for a negative one. */
void libtandem_close(int fd);
int libtandem_set_cloexec(int fd);

/* Keeps OpenSSL, if it is there and not yet initialised, from registering an exit handler. */
void libtandem_openssl_no_atexit(void);
/* The process's open descriptors, to find the two that a call into curl adds and to make them close-on-exec. */
enum { LIBTANDEM_LISTED_FDS = 8192 };
struct libtandem_open_fds {
  int known;
  uint8_t open[LIBTANDEM_LISTED_FDS / 8];
};
void libtandem_list_fds(struct libtandem_open_fds *fds);
void libtandem_cloexec_new_pair(const struct libtandem_open_fds *before);

#endif
