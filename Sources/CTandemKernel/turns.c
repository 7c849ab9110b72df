#include "frames.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a close that was asked for inside a callback waits for the callbacks of other threads. */
enum { CLOSE_INSIDE_MS = 5000 };

static libtandem_upcalls upcalls;
static int installed;

static int is_installed(void) { return __atomic_load_n(&installed, __ATOMIC_ACQUIRE); }

void libtandem_install(const libtandem_upcalls *given) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  if (!is_installed()) {
    upcalls = *given;
    __atomic_store_n(&installed, 1, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&lock);
}

const libtandem_upcalls *libtandem_installed(void) { return is_installed() ? &upcalls : NULL; }

char *libtandem_error_text(int32_t code, const char *name, const char *message) {
  enum { ROOM = 320 };
  char *text = malloc(ROOM);
  if (text != NULL)
    snprintf(text, ROOM,
             "{\"error\":{\"code\":%d,\"name\":\"%s\",\"message\":\"%s\",\"status\":null,\"retryable\":false,"
             "\"op\":null,\"detail\":null}}",
             code, name, message);
  return text;
}

char *libtandem_refusal_text(int32_t status) {
  switch (status) {
  case TANDEM_E_FORKED:
    return libtandem_error_text(status, "forked", "the client belongs to the parent process");
  case TANDEM_E_REENTRANT:
    return libtandem_error_text(status, "reentrant", "this may not be called inside this callback");
  default: return libtandem_error_text(TANDEM_E_HANDLE, "closed", "the client is closed or was never open");
  }
}

static void run_callback(libtandem_turn *turn) {
  frame f;
  if (turn->action == LIBTANDEM_ACTION_DROP) {
    libtandem_run_drop(turn->drop_fn, turn->ud);
    return;
  }
  frame_push(&f, FRAME_EVENT, turn->client);
  f.host_op = turn->host_op;
  if (turn->action == LIBTANDEM_ACTION_HOST_CALL)
    turn->host_fn(turn->ud, turn->host_call, turn->json);
  else
    turn->event_fn(turn->ud, turn->event_op, turn->json);
  frame_pop(&f);
  free(turn->json);
  turn->json = NULL;
}

static void run_turn(libtandem_turn *turn) {
  if (!is_installed()) {
    turn->status = TANDEM_E_HANDLE;
    return;
  }
  frame f;
  frame_push(&f, FRAME_TURN, turn->client);
  upcalls.begin(turn);
  while (turn->state != NULL && upcalls.step(turn)) run_callback(turn);
  frame_pop(&f);
  if (f.close_when_unwound) {
    libtandem_turn closing = {.kind = LIBTANDEM_TURN_CLOSE, .client = turn->client, .timeout_ms = CLOSE_INSIDE_MS};
    run_turn(&closing);
    free(closing.result);
    turn->status = TANDEM_E_HANDLE;
    free(turn->result);
    turn->result = NULL;
  }
}

static int32_t status_of(libtandem_turn *turn) {
  free(turn->result);
  return turn->status;
}

static char *result_of(libtandem_turn *turn) {
  return turn->result != NULL ? turn->result : libtandem_refusal_text(turn->status);
}

int32_t tandem_pump(tandem_client *c, int32_t max_events, int32_t timeout_ms) {
  int32_t refusal = libtandem_refusal(c, LIBTANDEM_EXPORT_PUMP);
  if (refusal != TANDEM_OK) return refusal;
  libtandem_slot *slot = libtandem_slot_of(c);
  if (slot == NULL) return TANDEM_E_HANDLE;
  /* A host that pumps once a frame pays one look when there is nothing. */
  if (timeout_ms == 0 && __atomic_load_n(&slot->busy, __ATOMIC_SEQ_CST) == 0) return 0;
  libtandem_turn turn = {.kind = LIBTANDEM_TURN_PUMP, .client = c, .max_events = max_events, .timeout_ms = timeout_ms};
  run_turn(&turn);
  return status_of(&turn);
}

char *tandem_next(tandem_client *c, int32_t max_events, int32_t timeout_ms) {
  int32_t refusal = libtandem_refusal(c, LIBTANDEM_EXPORT_PUMP);
  if (refusal != TANDEM_OK) return libtandem_refusal_text(refusal);
  libtandem_turn turn = {.kind = LIBTANDEM_TURN_NEXT, .client = c, .max_events = max_events, .timeout_ms = timeout_ms};
  run_turn(&turn);
  return result_of(&turn);
}

static char *call(tandem_client *c, const char *name, int64_t number, const char *args_json) {
  int32_t refusal = libtandem_refusal(c, LIBTANDEM_EXPORT_WAIT);
  if (refusal != TANDEM_OK) return libtandem_refusal_text(refusal);
  libtandem_turn turn = {.kind = LIBTANDEM_TURN_CALL, .client = c, .name = name, .operation = number, .args_json = args_json};
  run_turn(&turn);
  return result_of(&turn);
}

char *tandem_call(tandem_client *c, const char *op, const char *args_json) {
  return call(c, op, -1, args_json);
}

char *libtandem_invoke(uint32_t operation, tandem_client *client, const char *args_json) {
  return call(client, NULL, operation, args_json);
}

char *tandem_wait(tandem_client *c, uint64_t op, int32_t timeout_ms) {
  int32_t refusal = libtandem_refusal(c, LIBTANDEM_EXPORT_WAIT);
  /* It would wait for what only its own reply lets go on. */
  if (refusal == TANDEM_OK && frame_in_host_call(c, op)) refusal = TANDEM_E_REENTRANT;
  if (refusal != TANDEM_OK) return libtandem_refusal_text(refusal);
  libtandem_turn turn = {.kind = LIBTANDEM_TURN_WAIT, .client = c, .op = op, .timeout_ms = timeout_ms};
  run_turn(&turn);
  return result_of(&turn);
}

int32_t tandem_close(tandem_client *c, int32_t timeout_ms) {
  if (libtandem_forked()) return TANDEM_OK;
  int32_t refusal = libtandem_refusal(c, LIBTANDEM_EXPORT_CLOSE);
  if (refusal != TANDEM_OK) return refusal;
  frame *outermost = frame_in_callback(c) ? frame_outermost(c) : NULL;
  libtandem_turn turn = {.kind = outermost ? LIBTANDEM_TURN_CLOSE_LATER : LIBTANDEM_TURN_CLOSE, .client = c,
                         .timeout_ms = timeout_ms};
  run_turn(&turn);
  if (outermost != NULL && turn.status == TANDEM_PENDING) outermost->close_when_unwound = 1;
  return status_of(&turn);
}

static libtandem_host host_of(uintptr_t function, void *ud, tandem_notify_fn drop) {
  return (libtandem_host){.function = function, .ud = (uintptr_t)ud, .drop = (uintptr_t)drop};
}

static int32_t replace(tandem_client *c, libtandem_host host, int wakeup) {
  if (host.function == 0) { /* nobody will hold a context that comes without a function */
    libtandem_run_drop((tandem_notify_fn)host.drop, (void *)host.ud);
    host = (libtandem_host){0};
  }
  int32_t status = libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN);
  if (status == TANDEM_OK && !is_installed()) status = TANDEM_E_HANDLE;
  if (status == TANDEM_OK) status = wakeup ? upcalls.set_wakeup(c, &host) : upcalls.set_handler(c, &host);
  libtandem_run_drop((tandem_notify_fn)host.drop, (void *)host.ud);
  return status;
}

int32_t tandem_set_handler(tandem_client *c, tandem_event_fn fn, void *ud, tandem_notify_fn drop) {
  return replace(c, host_of((uintptr_t)fn, ud, drop), 0);
}

int32_t tandem_set_wakeup(tandem_client *c, tandem_notify_fn fn, void *ud, tandem_notify_fn drop) {
  return replace(c, host_of((uintptr_t)fn, ud, drop), 1);
}

uint64_t tandem_stream(tandem_client *c, const char *op, const char *args_json, tandem_event_fn fn, void *ud,
                       tandem_notify_fn drop, char **error_json) {
  if (error_json != NULL) *error_json = NULL;
  libtandem_host host = host_of((uintptr_t)fn, ud, drop);
  char *error = NULL;
  uint64_t id = 0;
  int32_t status = libtandem_refusal(c, LIBTANDEM_EXPORT_PLAIN);
  if (status == TANDEM_OK && !is_installed()) status = TANDEM_E_HANDLE;
  if (status == TANDEM_OK)
    id = upcalls.stream(c, op, args_json, &host, &error);
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
