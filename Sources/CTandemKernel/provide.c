/* What the host offers: tools, models, and who decides for users. */
#include "tandem_kernel.h"

#include <stddef.h>
#include <stdlib.h>

uint64_t tandem_provide(tandem_client *c, const char *spec_json, tandem_host_fn fn, void *ud, tandem_notify_fn drop,
                        char **error_json) {
  libtandem_host host = {.function = (uintptr_t)fn, .ud = (uintptr_t)ud, .drop = (uintptr_t)drop};
  const libtandem_upcalls *upcalls = libtandem_installed();
  char *error = NULL;
  uint64_t id = 0;
  if (error_json != NULL) *error_json = NULL;
  int32_t status = libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN);
  if (status == TANDEM_OK && upcalls == NULL) status = TANDEM_E_HANDLE;
  if (status == TANDEM_OK)
    id = upcalls->provide(c, spec_json, &host, &error);
  else
    error = libtandem_refusal_text(status);
  /* Without a function nobody holds the context. */
  if (id == 0 || fn == NULL) libtandem_run_drop(drop, ud);
  if (error_json != NULL)
    *error_json = error;
  else
    free(error);
  return id;
}

int32_t tandem_withdraw(tandem_client *c, uint64_t provider) {
  const libtandem_upcalls *upcalls = libtandem_installed();
  libtandem_host dropped = {0};
  int32_t status = libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN);
  if (status != TANDEM_OK) return status;
  if (upcalls == NULL) return TANDEM_E_HANDLE;
  status = upcalls->withdraw(c, provider, &dropped);
  libtandem_run_drop((tandem_notify_fn)dropped.drop, (void *)dropped.ud);
  return status;
}
