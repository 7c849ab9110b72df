#ifndef TANDEM_FRAMES_H
#define TANDEM_FRAMES_H

#include "tandem_kernel.h"

typedef enum frame_kind { FRAME_TURN, FRAME_EVENT, FRAME_DROP, FRAME_WAKEUP, FRAME_LOG } frame_kind;

/* A call of ours, or a callback that it runs, on the calling thread; the innermost first. */
typedef struct frame {
  struct frame *outer;
  const tandem_client *client;
  frame_kind kind;
  int close_when_unwound;
  uint64_t host_op; /* of a callback that is a host call: the operation that it belongs to */
} frame;

void frame_push(frame *f, frame_kind kind, const tandem_client *client);
void frame_pop(frame *f);
/* The outermost call on this client; NULL when there is none. */
frame *frame_outermost(const tandem_client *client);
/* Whether the thread is inside a host call of that operation. */
int frame_in_host_call(const tandem_client *client, uint64_t op);
/* Whether the thread is inside an event or host callback of this client. */
int frame_in_callback(const tandem_client *client);

#endif
