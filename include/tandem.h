#ifndef TANDEM_H
#define TANDEM_H

#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#if defined(_WIN32)
#define TANDEM_API
#define TANDEM_CALL __cdecl
#else
#define TANDEM_API __attribute__((visibility("default")))
#define TANDEM_CALL
#endif

#if defined(__cplusplus) && __cplusplus >= 201703L
#define TANDEM_NOEXCEPT noexcept
#else
#define TANDEM_NOEXCEPT
#endif

#define TANDEM_OK 0
#define TANDEM_PENDING 1
#define TANDEM_ALREADY 2
#define TANDEM_E_HANDLE (-1)
#define TANDEM_E_ARGS (-2)
#define TANDEM_E_BUSY (-3)
#define TANDEM_E_REENTRANT (-4)
#define TANDEM_E_FORKED (-5)
#define TANDEM_E_TIMEOUT (-6)
#define TANDEM_E_CANCELLED (-7)
#define TANDEM_E_GONE (-8)
#define TANDEM_E_FAILED (-9)
#define TANDEM_E_UNSUPPORTED (-10)
#define TANDEM_E_NETWORK (-11)
#define TANDEM_E_LIMIT (-12)
#define TANDEM_E_STATE (-13)
#define TANDEM_ALL_OPS UINT64_MAX

typedef struct tandem_client tandem_client;
typedef void(TANDEM_CALL *tandem_notify_fn)(void *ud) TANDEM_NOEXCEPT;
typedef void(TANDEM_CALL *tandem_event_fn)(void *ud, uint64_t op, const char *event_json) TANDEM_NOEXCEPT;
typedef void(TANDEM_CALL *tandem_host_fn)(void *ud, uint64_t call, const char *call_json) TANDEM_NOEXCEPT;
typedef void(TANDEM_CALL *tandem_log_fn)(void *ud, int32_t level, const char *record_json) TANDEM_NOEXCEPT;

TANDEM_API uint32_t TANDEM_CALL tandem_version(void);
TANDEM_API const char *TANDEM_CALL tandem_build_info(void);
TANDEM_API const char *TANDEM_CALL tandem_status_name(int32_t status);
TANDEM_API int32_t TANDEM_CALL tandem_status(const char *result_json);
TANDEM_API char *TANDEM_CALL tandem_describe(const char *what);
TANDEM_API void TANDEM_CALL tandem_free(void *p);
TANDEM_API int32_t TANDEM_CALL tandem_set_log(tandem_log_fn fn, void *ud, tandem_notify_fn drop, int32_t level);

TANDEM_API tandem_client *TANDEM_CALL tandem_open(const char *config_json, char **error_json);
TANDEM_API int32_t TANDEM_CALL tandem_close(tandem_client *c, int32_t timeout_ms);
TANDEM_API char *TANDEM_CALL tandem_stats(tandem_client *c);

TANDEM_API char *TANDEM_CALL tandem_call(tandem_client *c, const char *op, const char *args_json);
TANDEM_API uint64_t TANDEM_CALL tandem_submit(tandem_client *c, const char *op, const char *args_json, char **error_json);
TANDEM_API uint64_t TANDEM_CALL tandem_stream(tandem_client *c, const char *op, const char *args_json,
                                              tandem_event_fn fn, void *ud, tandem_notify_fn drop, char **error_json);
TANDEM_API char *TANDEM_CALL tandem_wait(tandem_client *c, uint64_t op, int32_t timeout_ms);
TANDEM_API int32_t TANDEM_CALL tandem_cancel(tandem_client *c, uint64_t op);
TANDEM_API int32_t TANDEM_CALL tandem_pause(tandem_client *c, uint64_t op, int32_t on);

TANDEM_API int32_t TANDEM_CALL tandem_pump(tandem_client *c, int32_t max_events, int32_t timeout_ms);
TANDEM_API char *TANDEM_CALL tandem_next(tandem_client *c, int32_t max_events, int32_t timeout_ms);
TANDEM_API int32_t TANDEM_CALL tandem_set_handler(tandem_client *c, tandem_event_fn fn, void *ud, tandem_notify_fn drop);
TANDEM_API int32_t TANDEM_CALL tandem_wakeup_fd(tandem_client *c);
TANDEM_API int32_t TANDEM_CALL tandem_set_wakeup(tandem_client *c, tandem_notify_fn fn, void *ud, tandem_notify_fn drop);
TANDEM_API int32_t TANDEM_CALL tandem_wake(tandem_client *c);

TANDEM_API uint64_t TANDEM_CALL tandem_provide(tandem_client *c, const char *spec_json, tandem_host_fn fn, void *ud,
                                               tandem_notify_fn drop, char **error_json);
TANDEM_API int32_t TANDEM_CALL tandem_withdraw(tandem_client *c, uint64_t provider);
TANDEM_API int32_t TANDEM_CALL tandem_reply(tandem_client *c, uint64_t call, const char *result_json);
TANDEM_API int32_t TANDEM_CALL tandem_reply_chunk(tandem_client *c, uint64_t call, const char *chunk_json);
TANDEM_API int32_t TANDEM_CALL tandem_reply_wanted(tandem_client *c, uint64_t call);

TANDEM_API char *TANDEM_CALL tandem_get(const char *json, const char *pointer);
TANDEM_API char *TANDEM_CALL tandem_quote(const char *text);

#if defined(__cplusplus)
}
#endif

#include "tandem_ops.h"

#endif
