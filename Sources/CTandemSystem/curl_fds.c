#define _GNU_SOURCE
#include "tandem_system.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void libtandem_openssl_no_atexit(void) {
  /* OPENSSL_init_crypto(3): OPENSSL_INIT_NO_ATEXIT counts only if it comes first. By name, because the library is
     linked to curl and not to OpenSSL, and curl may be built without it. */
  enum { NO_ATEXIT = 0x00080000 };
  int (*init)(uint64_t, const void *) = (int (*)(uint64_t, const void *))dlsym(RTLD_DEFAULT, "OPENSSL_init_crypto");
  if (init != NULL) init(NO_ATEXIT, NULL);
}

void libtandem_list_fds(struct libtandem_open_fds *fds) {
  memset(fds, 0, sizeof *fds);
  DIR *directory = opendir("/proc/self/fd");
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    char *end;
    long fd = strtol(entry->d_name, &end, 10);
    if (end == entry->d_name || *end != 0 || fd == dirfd(directory)) continue;
    if (fd >= 0 && fd < LIBTANDEM_LISTED_FDS) fds->open[fd / 8] |= (uint8_t)(1u << (fd % 8));
  }
  closedir(directory);
  fds->known = 1;
}

/* A connected, nonblocking socket of a nameless pair that children would inherit. */
static int is_pair_end(int fd) {
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  int flags = fcntl(fd, F_GETFD);
  if (flags < 0 || (flags & FD_CLOEXEC) || !(fcntl(fd, F_GETFL) & O_NONBLOCK)) return 0;
  if (getpeername(fd, (struct sockaddr *)&name, &size) != 0) return 0;
  return name.ss_family == AF_UNIX && size == sizeof name.ss_family;
}

void libtandem_cloexec_new_pair(const struct libtandem_open_fds *before) {
  struct libtandem_open_fds now;
  int found[2], count = 0;
  libtandem_list_fds(&now);
  if (!before->known || !now.known) return;
  for (int fd = 0; fd < LIBTANDEM_LISTED_FDS; fd++) {
    if (!((now.open[fd / 8] & ~before->open[fd / 8]) >> (fd % 8) & 1) || !is_pair_end(fd)) continue;
    if (count == 2) return; /* another thread made one too: better inherited than taken from the host */
    found[count++] = fd;
  }
  if (count != 2) return;
  for (int i = 0; i < 2; i++) libtandem_set_cloexec(found[i]);
}
