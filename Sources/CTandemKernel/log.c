#include "tandem_kernel.h"

#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static tandem_log_fn log_fn;
static void *log_ud;
static tandem_notify_fn log_drop;
static int32_t log_level;
static int running;

int32_t libtandem_log_level(void) { return __atomic_load_n(&log_level, __ATOMIC_RELAXED); }

void libtandem_log(int32_t level, const char *record_json) {
  if (level > libtandem_log_level()) return;
  pthread_mutex_lock(&lock);
  tandem_log_fn fn = level <= log_level ? log_fn : NULL;
  void *ud = log_ud;
  if (fn != NULL) running++;
  pthread_mutex_unlock(&lock);
  if (fn == NULL) return;
  libtandem_run_log(fn, ud, level, record_json);
  pthread_mutex_lock(&lock);
  if (--running == 0) pthread_cond_broadcast(&idle);
  pthread_mutex_unlock(&lock);
}

int32_t tandem_set_log(tandem_log_fn fn, void *ud, tandem_notify_fn drop, int32_t level) {
  int32_t status = libtandem_refusal(NULL, LIBTANDEM_EXPORT_PLAIN);
  if (status == TANDEM_OK && (level < 0 || level > 4)) status = TANDEM_E_ARGS;
  if (status != TANDEM_OK) {
    libtandem_run_drop(drop, ud);
    return status;
  }
  pthread_mutex_lock(&lock);
  while (running > 0) pthread_cond_wait(&idle, &lock);
  tandem_notify_fn old_drop = log_drop;
  void *old_ud = log_ud;
  log_fn = fn;
  log_ud = ud;
  log_drop = fn == NULL ? NULL : drop;
  __atomic_store_n(&log_level, fn == NULL ? 0 : level, __ATOMIC_RELAXED);
  pthread_mutex_unlock(&lock);
  libtandem_run_drop(old_drop, old_ud);
  if (fn == NULL) libtandem_run_drop(drop, ud);
  return TANDEM_OK;
}
