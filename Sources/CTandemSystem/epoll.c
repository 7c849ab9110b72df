#define _GNU_SOURCE
#include "tandem_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 128 };

int libtandem_epoll_create(void) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll >= 0) libtandem_fork_remember_fd(epoll);
  return epoll;
}

int libtandem_epoll_set(int epoll, int fd, int interest, uint64_t tag, int is_new) {
  struct epoll_event event = {0};
  if (interest & LIBTANDEM_READABLE) event.events |= EPOLLIN;
  if (interest & LIBTANDEM_WRITABLE) event.events |= EPOLLOUT;
  event.data.u64 = tag;
  if (epoll_ctl(epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0) return 0;
  if (errno != (is_new ? EEXIST : ENOENT)) return errno;
  return epoll_ctl(epoll, is_new ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void libtandem_epoll_remove(int epoll, int fd) { epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }

int libtandem_epoll_wait(int epoll, struct libtandem_ready *ready, int capacity, int timeout_ms) {
  struct epoll_event events[BATCH];
  int count = epoll_wait(epoll, events, capacity < BATCH ? capacity : BATCH, timeout_ms);
  if (count < 0) return errno == EINTR ? 0 : -1;
  for (int i = 0; i < count; i++) {
    uint32_t seen = events[i].events;
    ready[i].tag = events[i].data.u64;
    ready[i].state = 0;
    if (seen & (EPOLLIN | EPOLLRDHUP)) ready[i].state |= LIBTANDEM_READABLE;
    if (seen & EPOLLOUT) ready[i].state |= LIBTANDEM_WRITABLE;
    if (seen & (EPOLLERR | EPOLLHUP)) ready[i].state |= LIBTANDEM_BROKEN;
  }
  return count;
}

int libtandem_eventfd_create(void) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd >= 0) libtandem_fork_remember_fd(fd);
  return fd;
}

void libtandem_eventfd_signal(int fd) {
  uint64_t one = 1;
  ssize_t written = write(fd, &one, sizeof one);
  (void)written; /* a full counter is a signal too */
}

void libtandem_eventfd_clear(int fd) {
  uint64_t count;
  ssize_t got = read(fd, &count, sizeof count);
  (void)got; /* an empty counter is clear already */
}

void libtandem_close(int fd) {
  if (fd < 0) return;
  libtandem_fork_forget_fd(fd);
  close(fd);
}

int libtandem_set_cloexec(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC); }
