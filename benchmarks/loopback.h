#ifndef LOOPBACK_H
#define LOOPBACK_H

/*
 * The least that looks like an engine: GET /session/{id} is a session of about 1 KB, always the same; GET /event is a
 * stream that says it is connected and then only keeps the connection alive. Anything else is 404.
 */

/* Opens a port of loopback and returns its number; the listening socket is left in *listener. */
int loopback_open(int *listener);

/* Serves it on one thread of its own, and returns at once. */
void loopback_serve(int listener);

#endif
