/* What is constant is answered in C: it works in forked children, in wakeup functions and before any client is open. */
#include "tandem_kernel.h"

#include <stdlib.h>

#if defined(__x86_64__)
#define ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#define ARCHITECTURE "other"
#endif

enum { VERSION_MAJOR = 0, VERSION_MINOR = 1, VERSION_PATCH = 0 };

uint32_t tandem_version(void) { return VERSION_MAJOR << 16 | VERSION_MINOR << 8 | VERSION_PATCH; }

const char *tandem_build_info(void) {
  return "{\"version\":\"0.1.0\",\"api\":\"0.7.2\",\"engines\":[\"embedded\",\"remote\"],\"host\":[\"tool\",\"model\",\"permission\",\"question\"],\"platform\":\"linux-" ARCHITECTURE "\"}";
}

void tandem_free(void *p) { free(p); }

const char *tandem_status_name(int32_t status) {
  switch (status) {
#define NAME(constant) \
  case constant: return #constant
    NAME(TANDEM_OK);
    NAME(TANDEM_PENDING);
    NAME(TANDEM_ALREADY);
    NAME(TANDEM_E_HANDLE);
    NAME(TANDEM_E_ARGS);
    NAME(TANDEM_E_BUSY);
    NAME(TANDEM_E_REENTRANT);
    NAME(TANDEM_E_FORKED);
    NAME(TANDEM_E_TIMEOUT);
    NAME(TANDEM_E_CANCELLED);
    NAME(TANDEM_E_GONE);
    NAME(TANDEM_E_FAILED);
    NAME(TANDEM_E_UNSUPPORTED);
    NAME(TANDEM_E_NETWORK);
    NAME(TANDEM_E_LIMIT);
    NAME(TANDEM_E_STATE);
#undef NAME
  default: return "unknown";
  }
}
