/* The C half of the kernel: the loops that run host callbacks. No Swift frame with state lies under a host's function,
   so that one that leaves by longjmp or a C++ exception cannot break the library. */
#ifndef TANDEM_KERNEL_H
#define TANDEM_KERNEL_H

#include <stdint.h>

#include "../../../include/tandem.h"
#include "tandem_system.h"

/* What every exported operation calls: tandem_call by number. */
char *libtandem_invoke(uint32_t operation, tandem_client *client, const char *args_json);

/* -- clients as slots: a handle is a slot and a generation, never a pointer, so a stale one is found out -- */

enum { LIBTANDEM_SLOTS = 4096 };

typedef struct libtandem_slot {
  uintptr_t handle;        /* 0: free */
  uint32_t busy;           /* 0: a pump that does not wait has nothing to do */
  uint32_t woken;          /* sticky until a pump or next takes it */
  libtandem_signal signal; /* raised when something is there to be delivered */
} libtandem_slot;

/* A free slot with a handle never used before; NULL when all are taken. */
libtandem_slot *libtandem_slot_take(void);
void libtandem_slot_free(libtandem_slot *slot);
/* The slot of a live handle, or NULL. */
libtandem_slot *libtandem_slot_of(const tandem_client *client);
int32_t libtandem_slot_index(const libtandem_slot *slot);
libtandem_signal *libtandem_slot_signal(libtandem_slot *slot);
void libtandem_slot_set_busy(libtandem_slot *slot, int32_t busy);
/* Whether somebody woke it since this was last asked. */
int32_t libtandem_slot_take_woken(libtandem_slot *slot);

/* -- which callback the calling thread is in -- */

typedef enum libtandem_export {
  LIBTANDEM_EXPORT_PLAIN, /* not inside wakeup and log */
  LIBTANDEM_EXPORT_PUMP,  /* also not inside a drop nor a callback of the same client */
  LIBTANDEM_EXPORT_WAIT,  /* also not inside a drop; 16 deep */
  LIBTANDEM_EXPORT_CLOSE  /* also not inside a drop */
} libtandem_export;

/* 0 when the calling thread may call it now, else TANDEM_E_FORKED or TANDEM_E_REENTRANT. */
int32_t libtandem_refusal(const tandem_client *client, libtandem_export what);
/* Runs a wakeup function; a log function; a drop. NULL functions are passed over. */
void libtandem_run_wakeup(tandem_notify_fn fn, void *ud);
void libtandem_run_log(tandem_log_fn fn, void *ud, int32_t level, const char *record_json);
void libtandem_run_drop(tandem_notify_fn drop, void *ud);

/* -- turns: calls that may run host callbacks -- */

typedef enum libtandem_turn_kind {
  LIBTANDEM_TURN_PUMP,
  LIBTANDEM_TURN_NEXT,
  LIBTANDEM_TURN_CALL,
  LIBTANDEM_TURN_WAIT,
  LIBTANDEM_TURN_CLOSE,
  LIBTANDEM_TURN_CLOSE_LATER /* only the beginning of a close: its end comes when the thread's calls unwind */
} libtandem_turn_kind;

typedef enum libtandem_action {
  LIBTANDEM_ACTION_EVENT,
  LIBTANDEM_ACTION_HOST_CALL,
  LIBTANDEM_ACTION_DROP
} libtandem_action;

typedef struct libtandem_turn {
  /* the call */
  libtandem_turn_kind kind;
  tandem_client *client;
  uint64_t op;
  int32_t max_events;
  int32_t timeout_ms;
  const char *name; /* of the operation, unless it is given by its number */
  int64_t operation; /* -1: by its name */
  const char *args_json;
  /* what to run next */
  libtandem_action action;
  tandem_event_fn event_fn;
  tandem_host_fn host_fn;
  tandem_notify_fn drop_fn;
  void *ud;
  uint64_t event_op;
  uint64_t host_call;
  uint64_t host_op; /* the operation whose host call this is, also where it comes as an event; 0: none */
  char *json; /* freed after the callback */
  /* how it ended */
  int32_t status;
  char *result;
  void *state; /* Swift's; NULL: there is nothing more to step */
} libtandem_turn;

/* A function of the host's, of whichever type, with its context. */
typedef struct libtandem_host {
  uintptr_t function;
  uintptr_t ud;
  uintptr_t drop;
} libtandem_host;

/* The Swift half, installed by the first tandem_open; functions of its own would not link in test bundles. */
typedef struct libtandem_upcalls {
  void (*begin)(libtandem_turn *turn);
  /* 1: run the action and step again; 0: over. */
  int32_t (*step)(libtandem_turn *turn);
  /* Both put a function in force and leave in `host` what nobody holds any more: the old one, or the refused new one. */
  int32_t (*set_handler)(tandem_client *client, libtandem_host *host);
  int32_t (*set_wakeup)(tandem_client *client, libtandem_host *host);
  uint64_t (*stream)(tandem_client *client, const char *op, const char *args_json, const libtandem_host *host,
                     char **error_json);
  uint64_t (*provide)(tandem_client *client, const char *spec_json, const libtandem_host *host, char **error_json);
  /* Leaves in `dropped` what nobody holds any more. */
  int32_t (*withdraw)(tandem_client *client, uint64_t provider, libtandem_host *dropped);
} libtandem_upcalls;

/* Puts them in force; later ones are the same and change nothing, since other threads may be calling by now. */
void libtandem_install(const libtandem_upcalls *upcalls);
/* NULL before the first tandem_open. */
const libtandem_upcalls *libtandem_installed(void);

/* -- the process's log -- */

int32_t libtandem_log_level(void);
void libtandem_log(int32_t level, const char *record_json);

/* An R3 error made without locks or Swift, to be freed: for calls on no client and in forked children. */
char *libtandem_error_text(int32_t code, const char *name, const char *message);
/* The error text of TANDEM_E_FORKED, TANDEM_E_REENTRANT or TANDEM_E_HANDLE. */
char *libtandem_refusal_text(int32_t status);

#endif
