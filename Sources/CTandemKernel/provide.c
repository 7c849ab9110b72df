/* Host calls come with a later version: what a host hands in is given back, and it is told so. */
#include "tandem_kernel.h"

#include <stddef.h>

uint64_t tandem_provide(tandem_client *c, const char *spec_json, tandem_host_fn fn, void *ud, tandem_notify_fn drop,
                        char **error_json) {
  (void)spec_json;
  (void)fn;
  int32_t status = libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN);
  if (status == TANDEM_OK && libtandem_slot_of(c) == NULL) status = TANDEM_E_HANDLE;
  libtandem_run_drop(drop, ud);
  if (error_json != NULL)
    *error_json = status != TANDEM_OK ? libtandem_refusal_text(status)
                                      : libtandem_error_text(TANDEM_E_UNSUPPORTED, "not_supported",
                                                             "this version has no tools or models of the host's yet");
  return 0;
}

static int32_t unsupported(tandem_client *c, libtandem_export what) {
  int32_t status = libtandem_refusal(c, what);
  if (status != TANDEM_OK) return status;
  return libtandem_slot_of(c) == NULL ? TANDEM_E_HANDLE : TANDEM_E_UNSUPPORTED;
}

int32_t tandem_withdraw(tandem_client *c, uint64_t provider) {
  (void)provider;
  return unsupported(c, LIBTANDEM_EXPORT_PLAIN);
}

int32_t tandem_reply(tandem_client *c, uint64_t call, const char *result_json) {
  (void)call;
  (void)result_json;
  return unsupported(c, LIBTANDEM_EXPORT_PLAIN);
}

int32_t tandem_reply_chunk(tandem_client *c, uint64_t call, const char *chunk_json) {
  (void)call;
  (void)chunk_json;
  return unsupported(c, LIBTANDEM_EXPORT_PLAIN);
}

int32_t tandem_reply_wanted(tandem_client *c, uint64_t call) {
  (void)call;
  return unsupported(c, LIBTANDEM_EXPORT_PLAIN);
}
