#include "frames.h"

#include <stddef.h>

enum { DEEPEST_WAIT = 16 };

static _Thread_local frame *innermost;

void frame_push(frame *f, frame_kind kind, const tandem_client *client) {
  f->outer = innermost;
  f->client = client;
  f->kind = kind;
  f->close_when_unwound = 0;
  f->host_op = 0;
  innermost = f;
}

void frame_pop(frame *f) { innermost = f->outer; }

frame *frame_outermost(const tandem_client *client) {
  frame *found = NULL;
  for (frame *f = innermost; f; f = f->outer)
    if (f->client == client && f->kind == FRAME_TURN) found = f;
  return found;
}

int frame_in_callback(const tandem_client *client) {
  for (frame *f = innermost; f; f = f->outer)
    if (f->client == client && f->kind == FRAME_EVENT) return 1;
  return 0;
}

int frame_in_host_call(const tandem_client *client, uint64_t op) {
  for (frame *f = innermost; f; f = f->outer)
    if (f->client == client && f->kind == FRAME_EVENT && f->host_op == op && op != 0) return 1;
  return 0;
}

int32_t libtandem_refusal(const tandem_client *client, libtandem_export what) {
  if (libtandem_forked()) return TANDEM_E_FORKED;
  int turns = 0;
  for (const frame *f = innermost; f; f = f->outer) {
    switch (f->kind) {
    case FRAME_WAKEUP:
    case FRAME_LOG: return TANDEM_E_REENTRANT;
    case FRAME_DROP:
      if (what != LIBTANDEM_EXPORT_PLAIN) return TANDEM_E_REENTRANT;
      break;
    case FRAME_EVENT:
      if (what == LIBTANDEM_EXPORT_PUMP && f->client == client) return TANDEM_E_REENTRANT;
      break;
    case FRAME_TURN: turns++; break;
    }
  }
  /* The outermost turn is the pump or wait that runs the callbacks; what nests inside is counted. */
  if (what == LIBTANDEM_EXPORT_WAIT && turns > DEEPEST_WAIT) return TANDEM_E_REENTRANT;
  return TANDEM_OK;
}

void libtandem_run_wakeup(tandem_notify_fn fn, void *ud) {
  if (fn == NULL) return;
  frame f;
  frame_push(&f, FRAME_WAKEUP, NULL);
  fn(ud);
  frame_pop(&f);
}

void libtandem_run_log(tandem_log_fn fn, void *ud, int32_t level, const char *record_json) {
  if (fn == NULL) return;
  frame f;
  frame_push(&f, FRAME_LOG, NULL);
  fn(ud, level, record_json);
  frame_pop(&f);
}

void libtandem_run_drop(tandem_notify_fn drop, void *ud) {
  if (drop == NULL) return;
  frame f;
  frame_push(&f, FRAME_DROP, NULL);
  drop(ud);
  frame_pop(&f);
}
