#ifndef TANDEM_H
#define TANDEM_H

/*
 * libtandem: AI-agent sessions as a C library.
 *
 * This header is the manual. tandem_ops.h, which it includes at its end, declares one function for each operation of
 * the API (sessions, engine, providers, ...); docs/operations.md leads to a page for each namespace.
 *
 * A program opens a client, calls operations by name with one JSON object of arguments, and gets JSON back:
 *
 *     tandem_client *c = tandem_open(NULL, NULL);
 *     char *session = tandem_call(c, "sessions.create", "{\"title\":\"First\"}");
 *     char *id = tandem_get(session, "/ok/id");
 *     ...
 *     tandem_free(id);
 *     tandem_free(session);
 *     tandem_close(c, -1);
 *
 * THE RULES (each function below relies on them and does not repeat them)
 *
 *  R1  Strings are UTF-8 and end with NUL. Inputs are copied before a function returns. Text that is not UTF-8 or not
 *      JSON is an error, `invalid_json`, with the byte offset in `detail.offset`; it is never repaired.
 *  R2  A `char *` that a function returns is yours: give it to tandem_free. A `const char *` that a function returns is
 *      static: keep it, do not free it. A pointer that a callback receives lives until the callback returns.
 *      Every callback takes a `void *ud` of yours, and where it can outlive the call that hands it in, a `drop`
 *      function: it is called once, when ud may be released.
 *  R3  A result is {"ok": ...} or {"error": {...}}, an object whose first key says which, and never NULL. There is no
 *      errno, no last error kept per thread, and no input aborts the process.
 *  R4  Any function may be called on any thread at any time, also at once on one client, but one thread at a time pumps
 *      a client (tandem_pump, tandem_next); a second gets TANDEM_E_BUSY. For what callbacks may call see CALLBACKS.
 *  R5  Callbacks run only inside tandem_pump, tandem_next, tandem_call, tandem_wait, tandem_close and tandem_withdraw,
 *      on the thread that called them; a drop also inside the call that refuses or replaces its function. The wakeup
 *      and the log callback are the only exceptions: they may come on any thread. With the option "delivery":"thread"
 *      one thread of the library pumps for you, and callbacks run on that.
 *  R6  The events of a client have one total order. Each operation that was submitted ends with exactly one `done`.
 *  R7  After tandem_close has returned TANDEM_OK no callback of that client runs again. A closed, stale or invented
 *      handle gives TANDEM_E_HANDLE (an error named `closed` where JSON is returned), never a crash.
 *  R8  The library writes nothing to descriptors 0-2, keeps no signal handler, and does not change locale, umask,
 *      working directory or environment. Its descriptors are close-on-exec. SIGPIPE never reaches the host. Loading it
 *      starts no thread and opens no descriptor. After fork the child gets TANDEM_E_FORKED. dlclose is safe.
 *  R9  No struct, enum, bool or variable argument list crosses the border, and functions are only ever added.
 *
 * RESULTS AND ERRORS
 *
 *     {"ok": VALUE}
 *     {"error": {"code": -9, "name": "not_found", "message": "...", "status": 404, "retryable": false,
 *                "op": "sessions.get", "detail": {...}}}
 *
 *  code       one of the TANDEM_ constants below; tandem_status reads it from a result.
 *  name       what happened, in one word to compare with. Names and codes are listed by tandem_describe("errors"):
 *             E_ARGS      invalid_argument unknown_argument (the message and detail list the known ones) invalid_json
 *                         unknown_operation
 *             E_FAILED    not_found unauthorized forbidden conflict run_conflict (detail: the active run)
 *                         idempotency_conflict validation_failed approval_required rate_limited engine_error refused
 *                         permission_denied permission_expired model_not_selected provider_missing provider_error
 *                         provider_auth provider_rate_limited context_length_exceeded tool_failed host_failed
 *                         interrupted internal
 *             E_NETWORK   engine_unavailable engine_starting protocol tls
 *             E_LIMIT     limit payload_too_large
 *             E_TIMEOUT   timeout host_timeout
 *             E_STATE     state_locked (detail.pid: whose) state_corrupt state_full
 *             others      cancelled, closed, pending, gone, busy, reentrant, forked, not_supported
 *  message    for a person. Do not compare with it.
 *  status     the HTTP status of the engine's reply, or its like from the embedded engine; null where there is none.
 *  retryable  whether the same call may succeed later.
 *  op         the operation's name; null where no operation is concerned.
 *  detail     more, as an object; null where there is nothing more to say.
 *
 * OPERATIONS AND THEIR ARGUMENTS
 *
 *  An operation is named `namespace.name`. Its arguments are one flat JSON object: path parameters, query and header
 *  names and the body's fields together. NULL stands for {}. A name that the operation does not know is an error that
 *  lists the known ones; whether a value is acceptable is for the engine to judge. Names that begin with $ are
 *  reserved:
 *
 *     "$body"        the whole body, where a field's name collides with another argument or the body is no object; fields
 *                    of the body beside it are `invalid_argument`
 *     "$timeout_ms"  the deadline of this call; see tandem_wait for how that differs from a wait's timeout
 *     "$tag"         any JSON value; it comes back in each event of the operation, so that events which come before
 *                    tandem_submit has returned can be told apart
 *     "$take"        a blocking call of a stream returns after so many events
 *     "$all"         true: all pages of a list (sessions.list, memory.list, engine.run_events,
 *                    stateful_runtime.list_goal_events), at most 100000 items, else the error `limit`
 *     "$reconnect"   false: a stream that breaks, or whose end is reached, ends; it is not opened again
 *     "$NAME"        the configuration option NAME for this call only, where the list at tandem_open marks it with *
 *
 *  Every operation works in every form: tandem_call (blocks), tandem_submit (returns an id) and tandem_stream (submit
 *  with a callback of its own).
 *
 *  Streams (engine.stream, engine.global_stream, ...) follow events. With "run_id" a stream gives that run from its
 *  first event to its terminal one, even if it is over already. Without, it goes on from now until it is cancelled. As
 *  a blocking call a stream returns
 *
 *     {"ok": {"events": [EVENT, ...], "ended": true}}
 *
 *  after "$take" events, when "$timeout_ms" has passed (no error here), or at the stream's end; where a stream
 *  never ends by itself one of "$take", "$timeout_ms" and "$reconnect":false is required (else invalid_argument).
 *  `ended` is false when "$take" or "$timeout_ms" cut it short. A submitted stream hands its events out one by one, and
 *  its `done` has {"ok": {"ended": true}}. An operation with a result of its own (sessions.run, sessions.prompt_sync)
 *  returns that, and its events are events of that operation. With "$take" it ends after so many events, and so does its
 *  run.
 *
 *  sessions.run, on every engine, sends a prompt, follows its run to the end and returns what came of it:
 *
 *     {"ok": {"text": "...", "run_id": "...", "status": "completed", "usage": {"prompt_tokens", "completion_tokens",
 *      "total_tokens", "estimated"}, "tools": [{"id", "tool", "arguments", "status", "result", "error"}]}}
 *
 *  A run that failed, was cancelled by others or took too long is a result too (status "failed" with "error", "cancelled",
 *  "timeout"). "usage" is {} where no call of the model came to its end. What could not be read whole is named in
 *  "missing": ["text", "tools", "usage"]. What the run waits for is decided by "permissions": {"default": D, "by_tool":
 *  {"bash": D, "mcp.*": D}}, D being
 *
 *     "ask"      the default: the host's provider of permissions (tandem_provide) is asked; without one the tool is denied
 *     "allow"    this once, so that no rule stays behind
 *     "deny"     a remote engine keeps that for the rest of the session
 *     "manual"   you answer the event permission.request by permissions.reply yourself
 *
 *  and by "questions": {"default": "ask", "answer" (with "answer": TEXT), "reject" or "manual"}. A remote engine waits 15 s
 *  for a permission (then the tool's status is "permission_expired") and not at all for an answer: that goes on as the
 *  next prompt, and the result is that of the last run. The answers come in time however slow the taker of the events
 *  is. When the operation is cancelled or its time is up, so is the run; one that it was attached to (on_conflict) is not.
 *
 * EVENTS
 *
 *     {"op": 7, "seq": 12, "type": "session.response", "tag": null, "session_id": "...", "run_id": "...",
 *      "at_ms": 1790000000000, "properties": {"delta": "Hel"}}
 *
 *  op          the operation it belongs to; 0: none (records of the log).
 *  seq         1, 2, 3 ... per client, given at delivery.
 *  type        see below.
 *  tag         the operation's "$tag"; null without one.
 *  session_id, run_id   null where the event has none.
 *  at_ms       milliseconds since 1970, UTC.
 *
 *  With "vocabulary":"normalized" (the default) these types exist; properties in brackets:
 *
 *     run.started          [started_at_ms agent_id client_id]       a run began
 *     session.response     [delta]                                  a piece of the model's text
 *     session.message      [text message_id]                        the final text, whole: it replaces the pieces
 *     session.tool_call    [call_id tool args state]                the model calls a tool
 *     session.tool_result  [call_id tool state result error]        a tool call ended: completed, failed or denied
 *     permission.request   [request_id tool args requested_at_ms expires_at_ms]   a tool call waits for permission
 *     permission.resolved  [request_id reply decided_by decided_at_ms]            a permission request is settled
 *     question.request     [request_id questions]                   the model asks the user something
 *     question.resolved    [request_id ok answer]                   a question is settled
 *     todo.updated         [todos]                                  the session's to-do list, whole
 *     run.usage            [provider_id model_id prompt_tokens completion_tokens total_tokens source]
 *     run.completed        [finished_at_ms]                         terminal: a run has exactly one of these four
 *     run.failed           [finished_at_ms error category]          terminal; error: {"code"|"name", "message"}
 *     run.cancelled        [finished_at_ms]                         terminal
 *     run.timeout          [finished_at_ms]                         terminal
 *     stream.connected     [attempt]                                the stream is open: attempt 1, or again
 *     stream.interrupted   [reason retry_in_ms]                     it broke and is opened again after so long
 *     stream.resynced      [gaps duplicates truncated healed]       what was lost was read from the run's log
 *     engine.*             any other engine event, under its own name behind `engine.`, properties as they are
 *     host.call, host.cancel                                        see tandem_provide; no "properties": flat
 *     log                  [level message fields]                   a record of the log, of operation 0
 *
 *  A remote engine drops events that its reader is slow to take, and cuts long ones. A stream reads them again from the
 *  run's log, in their place: later events of that run wait meanwhile (the engine writes the log some 600 events a
 *  second), those of other runs and permissions do not. `stream.resynced` counts since the one before: `gaps` events
 *  that did not come, `truncated` that came cut, `healed` of both that were read again, `duplicates` dropped; gaps +
 *  truncated - healed are lost. Where a number cannot be known (streams without a log, after a lost connection) one gap
 *  is counted. A run that its engine forgot, because it restarted, ends with `run.failed`, error `interrupted`. While a
 *  stream is being opened again, "$timeout_ms" and tandem_cancel hold; a refusal (401, 403, 404) ends it. With
 *  "subscription":"session" pieces of text that the engine dropped are found only when the run is over, too late to come in
 *  their place: they are counted as gaps that are not healed, and `session.message` is whole.
 *
 *  With "vocabulary":"engine" `type` is the engine's own name, and the engine's frame stands untouched under "frame" in
 *  place of "properties" (a `seq` in it is not ours; for text see "coalesce_ms"). With "both" the engine's events come
 *  like that, and right behind the one that it is made of comes `session.response` with its piece of text, or the run's
 *  terminal event (run.completed, run.failed, run.cancelled, run.timeout), with "properties". Nothing else is added: a
 *  program that reads one of the two kinds sees each text and each end once. tandem_describe("events") lists both
 *  vocabularies.
 *
 *  With "fold":true each event of a run also has the member "state", the run as it is after the event:
 *
 *     {"run_id": "...", "status": "running", "text": "Hello", "tools": [{"id", "tool", "arguments", "status", "result",
 *      "error"}], "todos": [...], "permissions": [...], "questions": [...], "usage": {...}}
 *
 *  `status` is running, or what the terminal event says: completed, failed (with "error"), cancelled, timeout. `text` is
 *  the pieces joined, then the final text. `permissions` and `questions` are those that wait for an answer, as the
 *  properties of their events; `usage` is null until a model call is over. An event of no run has no state. Each event
 *  repeats the whole text: n pieces give about n * n / 2 times their length, so long answers want "coalesce_ms" too.
 *
 *  With "coalesce_ms":N the pieces of text that arrive within N milliseconds of the first come as one, with the `at_ms` of
 *  the first and the state after the last. Anything else, and the end, comes at once, after the text before it. In the
 *  vocabularies "engine" and "both" such an event has the member "joined", how many frames it stands for: its "frame" is
 *  the last of them, envelope and all, with the text of all in it ("delta" and the part's "text"). No other frame is
 *  ever joined.
 *
 *  The last event of each operation is `done`. It is flat:
 *
 *     {"op": 7, "seq": 13, "type": "done", "tag": null, "result": {"ok": ...}}
 *
 *  `done` is taken once: by the operation's callback, the handler, tandem_next or tandem_wait, and kept until then.
 *  Past `ops_limit` operations open or not taken, or `results_limit_bytes` of results not taken, tandem_submit answers
 *  `limit`; nothing is thrown away.
 *
 *  Who gets an operation's events: its own function if tandem_stream gave one; else the handler (tandem_set_handler) if
 *  there is one; else they stay for tandem_next or tandem_wait. A client that is slow loses nothing: past
 *  `op_queue_bytes` or 4,096 events waiting, neighbouring text pieces and superseded tool states are folded; past it
 *  still, the operation goes on later from the run's log and says so with `stream.resynced`. A run never waits for its
 *  observers.
 *
 * CALLBACKS
 *
 *  Inside            allowed                                              everything else answers TANDEM_E_REENTRANT
 *  event, host call  all but tandem_pump and tandem_next of that client; tandem_call and tandem_wait nest 16 deep
 *  drop              all but tandem_pump, tandem_next, tandem_call, tandem_wait and tandem_close
 *  wakeup, log       only tandem_free, tandem_wake, tandem_status_name and tandem_version
 *
 *  A drop runs once for each function handed in, also when the call that hands it in fails. A C++ callback must not
 *  throw (the types are noexcept from C++17 on) and no callback may leave by longjmp.
 *
 * LIMITS
 *
 *  A JSON text may be 64 MiB long and 128 levels deep, in and out; 64 levels where the library has to build a tree of
 *  it (the configuration). Past that: `limit`, with `detail.offset`. Every function runs on a stack of 64 KiB.
 *
 * FORK
 *
 *  In a child made by fork every function answers `forked` (TANDEM_E_FORKED, 0 or NULL where there is no JSON) at once;
 *  tandem_close answers TANDEM_OK; tandem_free, tandem_version, tandem_status, tandem_status_name, tandem_build_info,
 *  tandem_get and tandem_quote work. The child may open clients of its own only if the parent never opened one.
 *
 * THIS FIRST VERSION
 *
 *  The embedded engine has the operations that docs/operations.md marks; the others answer `not_supported`. A remote engine
 *  ("url", "engine":"remote", "engine":"discover") answers all. "engine":"replay" is not there yet, nor is the kind
 *  `embedding` of tandem_provide, and tools and models of the host serve the embedded engine only.
 */

#include <stddef.h>
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

/*
 * Status values: what functions of type int32_t return (some return a count or a descriptor instead, which is >= 0),
 * and `code` of an error. TANDEM_OK, _PENDING and _ALREADY are no failures; all failures are negative.
 *
 *   OK             done
 *   PENDING        not over yet: the wait's or the close's time is up, and it goes on
 *   ALREADY        it was over before (tandem_cancel, tandem_pause)
 *   E_HANDLE       NULL, closed, stale or invented client
 *   E_ARGS         an argument cannot be: NULL, unknown id, bad JSON, unknown operation or argument
 *   E_BUSY         another thread pumps this client, or waits for this operation
 *   E_REENTRANT    not allowed inside this callback
 *   E_FORKED       this is the child of a fork
 *   E_TIMEOUT      time ran out; the engine may have done it all the same
 *   E_CANCELLED    the operation was cancelled
 *   E_GONE         over: its result was taken already, or the reply came too late
 *   E_FAILED       the engine said no; the error's name says why
 *   E_UNSUPPORTED  this engine, this build or this system cannot do that
 *   E_NETWORK      no connection, or an answer that makes no sense
 *   E_LIMIT        a limit of the library is reached
 *   E_STATE        the state directory is locked, corrupt or full
 */
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

/*
 * In place of an operation's id for tandem_cancel and tandem_pause: all operations of the client.
 */
#define TANDEM_ALL_OPS UINT64_MAX

/*
 * A client: one engine, its operations and their events. The pointer is a number in disguise (a slot and a generation)
 * and is never followed: using it after tandem_close is an error, not a crash. NULL is no client.
 */
typedef struct tandem_client tandem_client;

/*
 * Two uses, both without data. As wakeup (tandem_set_wakeup): there is something to pump; it may come on any thread,
 * and may only call what CALLBACKS lists. As drop: the function handed in together with it will not be called again,
 * and ud may be released; it comes on one of your own threads (R5).
 */
typedef void(TANDEM_CALL *tandem_notify_fn)(void *ud) TANDEM_NOEXCEPT;

/*
 * Receives one event (see EVENTS) of operation `op` as a JSON text that lives until the callback returns.
 */
typedef void(TANDEM_CALL *tandem_event_fn)(void *ud, uint64_t op, const char *event_json) TANDEM_NOEXCEPT;

/*
 * Receives one host call (see tandem_provide); `call` is its id for tandem_reply.
 */
typedef void(TANDEM_CALL *tandem_host_fn)(void *ud, uint64_t call, const char *call_json) TANDEM_NOEXCEPT;

/*
 * Receives one record of the log: level 1 error, 2 warning, 3 info, 4 debug, and {"level", "message", "fields"} as
 * JSON. It may come on any thread, and may only call what CALLBACKS lists.
 */
typedef void(TANDEM_CALL *tandem_log_fn)(void *ud, int32_t level, const char *record_json) TANDEM_NOEXCEPT;

/*
 * LIBRARY
 *
 * The library's version: major * 65536 + minor * 256 + patch, so 0.1.0 is 256. Works everywhere, also after fork and in
 * every callback.
 */
TANDEM_API uint32_t TANDEM_CALL tandem_version(void);

/*
 * What this library is, as a static JSON object, for bug reports: {"version": "0.1.0", "api": the version of
 * tandem-engine that its operations are those of, "engines": [...], "host": the kinds that tandem_provide takes,
 * "platform": "linux-x86_64"}. More may be added.
 */
TANDEM_API const char *TANDEM_CALL tandem_build_info(void);

/*
 * The name of a status as this header spells it, "TANDEM_E_BUSY"; "unknown" for a number that is no status. Static.
 */
TANDEM_API const char *TANDEM_CALL tandem_status_name(int32_t status);

/*
 * Reads the status of a result: TANDEM_OK for {"ok": ...}, else the error's `code`. A text that is no result, or NULL,
 * is TANDEM_E_ARGS. What stands behind {"ok": is not checked.
 *
 *     char *result = tandem_call(c, "sessions.get", args);
 *     if (tandem_status(result) != TANDEM_OK) ...
 */
TANDEM_API int32_t TANDEM_CALL tandem_status(const char *result_json);

/*
 * Describes the API, without any client: `what` is
 *
 *   "ops"               the names of all operations: {"ok": ["agent_teams.approve_spawn", ...]}
 *   "op:sessions.create" one operation: summary, arguments with types, result, whether the embedded engine has it
 *   "events"            the events of both vocabularies, with their properties
 *   "errors"            the names of errors, with code, meaning and whether a retry makes sense
 *   "types"             the named types of arguments and results, with their fields
 *
 * Returns a result to free. Anything else, also NULL: `invalid_argument`; an operation that is not there:
 * `unknown_operation`.
 */
TANDEM_API char *TANDEM_CALL tandem_describe(const char *what);

/*
 * Releases what a function of this library returned as `char *`. NULL is allowed. Works everywhere, also after fork and
 * in every callback. Do not use free(): the allocator may be another.
 */
TANDEM_API void TANDEM_CALL tandem_free(void *p);

/*
 * Gives the process a log function, in place of the one before; fn NULL: none, which is the start. Records above
 * `level` (0 none, 1 error, 2 warning, 3 info, 4 debug) are not made. fn may run on any thread (R5). When the call
 * returns, the old function is not running and its drop has run, on this thread. Two plug-ins in one process that must
 * not share one function, and hosts that no foreign thread may call, use the option "log_level" of tandem_open instead.
 *
 * Returns TANDEM_OK; TANDEM_E_ARGS for a level that is none; TANDEM_E_REENTRANT inside a wakeup or log callback. When
 * it fails, the function that was there stays and the new one's drop runs.
 */
TANDEM_API int32_t TANDEM_CALL tandem_set_log(tandem_log_fn fn, void *ud, tandem_notify_fn drop, int32_t level);

/*
 * CLIENT
 *
 * Opens a client. `config_json` is an object with the options below; NULL is {} and means the embedded engine, in
 * memory. An option that is unknown is an error that names it and lists the known ones (`unknown_argument`); one that is
 * null counts as absent. No network is used here; the embedded engine opens its state, migrations included. Ids of
 * operations are unique in the process, 1 ... 2^53-1.
 *
 * A client has one thread for sockets and timers, with the embedded engine one more, and up to four while files or the
 * run's log are read; they block all signals and are gone when tandem_close has returned TANDEM_OK.
 *
 * On failure NULL is returned and, where error_json is not NULL, *error_json is an error to free; on success it is
 * NULL. Errors of its own: `state_locked` (detail.pid: the process that has the state open; this one counts),
 * `state_corrupt` (the files are left as they are), `state_full`, `invalid_argument` for a workspace that is missing or
 * cannot be read, `limit` when 4096 clients are open or the system has no thread or descriptor left, `not_supported` for
 * an engine that is not built yet.
 *
 * Options with * may also stand in the arguments of one call as "$name".
 *
 *   "engine"        "embedded" (default), "remote" (default when "url" is given), "discover": a remote engine that is
 *                   healthy when the first call comes, else the embedded one, "replay". It is looked for at TANDEM_BASE_URL
 *                   with TANDEM_API_TOKEN (both where "environment" is true), and at http://127.0.0.1:39731 with the token
 *                   that the user's engine keeps in ~/.local/share/tandem/security/engine_api_token
 *   "url"           "http://host:port", "https://...", "unix:/path"; "embedded:" and "embedded:/dir" mean the embedded
 *                   engine (with /dir as state), so that one string switches; an "engine" that says another is refused
 *   "token"         the remote engine's token
 *   "state"         directory of the embedded engine's state, made when missing; absent: ":memory:"
 *   "workspace"     directory that sessions without one of their own work in; absent: none
 *   "cassette"      file of recorded replies, for "replay"
 *   "connect_timeout_ms"   5000
 *   "timeout_ms" *         20000: total time of a call, -1: none; sessions.prompt_sync and sessions.run have 615000 and
 *                          streams none, unless their call says "$timeout_ms"
 *   "idle_timeout_ms"      25000: silence after which a remote engine's stream counts as broken; 90000: that after which
 *                          a model server's answer does
 *   "retries" *            2: of requests to a remote engine that may be repeated
 *   "on_conflict" *        "fail", "wait", "attach" or "cancel_active": what a prompt does while another run is active
 *   "reply_limit_bytes" *  67108864: largest reply
 *   "event_limit_bytes"    8388608: largest event
 *   "transfers_limit"      64: submitted requests under way at a remote engine at once; further ones wait in order, and
 *                          sessions.prompt_sync counts by itself. Streams and blocking calls do not count
 *   "op_queue_bytes"       1048576: events waiting in one operation before they are folded
 *   "ops_limit"            65536: operations open, or done and not taken
 *   "results_limit_bytes"  268435456: of results not taken
 *   "proxy"                on the way to a remote engine; absent: none; "environment": as the environment
 *                          says; else its address
 *   "ca_file", "client_certificate", "client_key"    for https to a remote engine, paths of PEM files
 *   "headers" *            further headers of requests to a remote engine, an object of texts
 *   "act_as" *             "control_panel": the source that changes are made in the name of; null: none
 *   "environment"          false; true: keys and addresses of providers may be read from the environment, once, in open
 *                          (OPENAI_API_KEY, OPENAI_BASE_URL)
 *   "discover"             true: look for a model server on loopback (ports 8080, 11434) at the first prompt
 *   "providers"            {"llama_cpp": {"url": "http://127.0.0.1:8080", "default_model": "m", "api_key": "..."}}
 *   "default_provider", "default_model"    for prompts and sessions that name no model
 *   "durability"           "process": what is stored survives kill -9; "power": also the loss of power
 *   "deterministic"        a number: clock, ids and randomness from this seed
 *   "vocabulary" *         "normalized", "engine" or "both": the form of events
 *   "subscription"         "client" or "session": how a remote engine's events are subscribed to
 *   "coalesce_ms" *        0: text pieces that arrive within so many milliseconds are joined
 *   "fold" *               false; true: each event also carries the state of its run so far
 *   "delivery"             "pump"; "thread": one thread of the library loops over tandem_pump(c, 0, -1);
 *                          "attend": as "pump", and a thread that waits in tandem_wait, tandem_next or tandem_pump, or polls
 *                          tandem_wakeup_fd and then calls one of these, also reads the replies of short calls to a remote
 *                          engine, which spares two changes of threads a call. The descriptor may then be readable for
 *                          nothing, tandem_wake and the like take up to 10 ms, and a reply that nobody has attended to
 *                          after 10 ms is read by the library's own thread
 *   "log_level"            "none", "error", "warning", "info", "debug": records come as events of operation 0, type `log`
 *   "strict" *             false; true: documented forms that the engine refuses are not translated
 *
 * A model is looked for in this order: the prompt's, the session's, the configured default, the environment's, a server
 * on loopback, and last `local`/`echo-1`, which says the conversation back.
 *
 *     char *error;
 *     tandem_client *c = tandem_open("{\"state\":\"/var/lib/me\",\"workspace\":\"/srv/project\"}", &error);
 *     if (!c) { fprintf(stderr, "%s\n", error); tandem_free(error); return 1; }
 */
TANDEM_API tandem_client *TANDEM_CALL tandem_open(const char *config_json, char **error_json);

/*
 * Closes a client: from its start other calls get TANDEM_E_HANDLE and those that block return. It cancels all
 * operations, hands each `done` to its function or the handler and runs the drops on this thread, discards other
 * events, ends the threads and closes the state. `timeout_ms`: 0 does not wait, -1 waits for ever.
 *
 * Returns TANDEM_OK when all is done: no callback runs again and no thread is left. TANDEM_PENDING when time is up:
 * only tandem_close may follow, and goes on; no callback runs in between. Inside a callback of this client it returns
 * TANDEM_PENDING and is finished as the outermost call of that thread unwinds, which returns TANDEM_E_HANDLE. A
 * callback that never returns leaks its client. TANDEM_E_HANDLE: not open, or closed already. TANDEM_E_REENTRANT:
 * inside a drop, a wakeup or a log callback. In the child of a fork: TANDEM_OK, and nothing is touched.
 */
TANDEM_API int32_t TANDEM_CALL tandem_close(tandem_client *c, int32_t timeout_ms);

/*
 * Numbers for dashboards and tests: {"ok": {"operations": open or not taken, "operations_running", "calls": begun so
 * far, "events_queued", "events_delivered", "events_discarded": of waits without a function, "events_folded",
 * "log_records_dropped", "results_bytes": not taken, "host_calls_pending": not answered}}. Of a remote engine also:
 *
 *   requests, retries, transfers_failed    requests sent, those among them that were sent again, and those that no answer
 *                                          came to
 *   connections_opened, connections_open   sockets so far, those of attempts that failed too, and now
 *   bytes_sent, bytes_received             of bodies, streams among them
 *   frames_skipped                         frames of streams that were no events
 *   latency_p50_us, _p90_us, _p99_us, _max_us   from sending to the last byte of the answer, without streams, in
 *                                          microseconds; quantiles are right within 2 %; null before the first answer
 *
 * More may be added.
 */
TANDEM_API char *TANDEM_CALL tandem_stats(tandem_client *c);

/*
 * OPERATIONS
 *
 * Makes an operation and waits for its result: tandem_submit and tandem_wait without showing the id. It blocks until
 * the result is there or the operation's own deadline ("$timeout_ms", "timeout_ms") has passed, which is the error
 * `timeout`. It serves the operation's host calls on this thread meanwhile, and nothing of other operations. Its events
 * are shown to nobody; who wants them uses tandem_stream and tandem_wait.
 *
 * A function of tandem_ops.h, tandem_sessions_create(c, args), is tandem_call(c, "sessions.create", args).
 *
 *     char *result = tandem_call(c, "sessions.prompt_sync",
 *                                "{\"session_id\":\"...\",\"prompt\":[{\"type\":\"text\",\"text\":\"Hi\"}]}");
 */
TANDEM_API char *TANDEM_CALL tandem_call(tandem_client *c, const char *op, const char *args_json);

/*
 * Starts an operation and returns its id at once, without disk or network. Its events and its `done` go to the handler,
 * or, without one, wait for tandem_next and tandem_wait. An error of the engine comes with `done`.
 *
 * Returns 0 when it could not start (handle, operation, arguments, limits); *error_json is then an error to free, else
 * NULL.
 */
TANDEM_API uint64_t TANDEM_CALL tandem_submit(tandem_client *c, const char *op, const char *args_json, char **error_json);

/*
 * As tandem_submit, with a function of the operation's own: fn gets its events and its `done`, inside pump, next, wait
 * or close. After `done`, drop runs with ud. When it fails (0), drop has run. fn NULL: as tandem_submit, and drop runs
 * before it returns.
 *
 *     static void on_event(void *ud, uint64_t op, const char *event) { ... }
 *     tandem_stream(c, "engine.stream", "{\"session_id\":\"...\",\"run_id\":\"...\"}", on_event, ud, NULL, NULL);
 *     while (!over) tandem_pump(c, 0, -1);
 */
TANDEM_API uint64_t TANDEM_CALL tandem_stream(tandem_client *c, const char *op, const char *args_json,
                                              tandem_event_fn fn, void *ud, tandem_notify_fn drop, char **error_json);

/*
 * Waits for the result of an operation and takes it. The operation is this thread's meanwhile: pump and next leave it
 * alone, a second waiter gets `busy`; its host calls and its own function run here. Without a function of its own its
 * events are discarded and counted. A function gets `done` as well. A pause is lifted.
 *
 * `timeout_ms`: 0 looks only, -1 waits for ever. When it runs out: the error `pending` with code TANDEM_PENDING, and
 * the operation goes on. Other errors of the wait: `gone` (the result was taken before), `invalid_argument` (no such
 * id), `busy`, `reentrant` (inside the operation's own host call, or nested too deep), `closed`.
 */
TANDEM_API char *TANDEM_CALL tandem_wait(tandem_client *c, uint64_t op, int32_t timeout_ms);

/*
 * Asks that an operation end, or all with TANDEM_ALL_OPS. Does not block. What is queued comes first, then `done` with
 * the error `cancelled` (detail.sent: whether the request had left). sessions.run and sessions.prompt_sync also cancel
 * their run in the engine (within 5 s; detail.run_cancelled); other operations do not, so ending an engine.stream
 * leaves its run alone. A pause is lifted. "$timeout_ms" running out acts alike, with the error `timeout`.
 *
 * Returns TANDEM_OK asked; TANDEM_ALREADY it is over; TANDEM_E_ARGS no such id; TANDEM_E_HANDLE.
 */
TANDEM_API int32_t TANDEM_CALL tandem_cancel(tandem_client *c, uint64_t op);

/*
 * on not 0: the operation's events stop coming until on is 0; nothing is lost meanwhile (see EVENTS) and the run goes
 * on. Host calls still come. tandem_wait and tandem_cancel lift a pause. TANDEM_ALL_OPS: all operations there are now.
 *
 * Returns TANDEM_OK; TANDEM_ALREADY when its `done` has been taken; TANDEM_E_ARGS no such id; TANDEM_E_HANDLE.
 */
TANDEM_API int32_t TANDEM_CALL tandem_pause(tandem_client *c, uint64_t op, int32_t on);

/*
 * EVENTS
 *
 * Runs callbacks for what is queued, oldest first, on this thread, at most max_events of them; max_events <= 0: as many
 * as are queued when the first is there. Events that no callback claims stay for tandem_next. With nothing queued it
 * waits up to timeout_ms (0 not at all, -1 for ever). It never discards anything, and touches memory only: no disk, no
 * socket, so that a game may call tandem_pump(c, 16, 0) once a frame.
 *
 * Returns how many callbacks ran; 0: time is up, or tandem_wake was called (a wake that finds nobody waiting ends the
 * next wait); TANDEM_E_BUSY: another thread pumps; TANDEM_E_REENTRANT inside a callback of this client;
 * TANDEM_E_HANDLE.
 */
TANDEM_API int32_t TANDEM_CALL tandem_pump(tandem_client *c, int32_t max_events, int32_t timeout_ms);

/*
 * A pump that also returns the events that no callback claims: {"ok": [EVENT, ...]}, {"ok": []} for nothing in time. A
 * batch ends before an event that has a callback, so the order stays. For hosts that want no callbacks at all.
 *
 *     char *batch = tandem_next(c, 0, -1);
 *
 * Errors: `busy`, `reentrant`, `closed`, `forked`.
 */
TANDEM_API char *TANDEM_CALL tandem_next(tandem_client *c, int32_t max_events, int32_t timeout_ms);

/*
 * Gives the client one function for the events of all operations that have none of their own, in place of the one
 * before; fn NULL: none, events wait for tandem_next. Does not wait for the old function: its drop runs when its last
 * call is over, at once if none is running. Events that are queued go to the new one.
 *
 * Returns TANDEM_OK or TANDEM_E_HANDLE (drop has run then).
 */
TANDEM_API int32_t TANDEM_CALL tandem_set_handler(tandem_client *c, tandem_event_fn fn, void *ud, tandem_notify_fn drop);

/*
 * A descriptor for poll, select, epoll or an event loop: readable while tandem_pump or tandem_next would deliver
 * something (what a pump left because no callback claims it does not count), and with "delivery":"attend" also while
 * they have a reply to read. Made when first asked for, valid until tandem_close; only poll it, never read, write or
 * close it.
 *
 * Returns the descriptor, >= 0; TANDEM_E_HANDLE; TANDEM_E_LIMIT when the process may open no more descriptors;
 * TANDEM_E_UNSUPPORTED on Windows.
 *
 *     struct pollfd p = {tandem_wakeup_fd(c), POLLIN, 0};
 *     while (poll(&p, 1, -1) >= 0) tandem_pump(c, 0, 0);
 */
TANDEM_API int32_t TANDEM_CALL tandem_wakeup_fd(tandem_client *c);

/*
 * Gives the client a function that says "there is something to pump", in place of the one before; fn NULL: none. It
 * comes on any thread, at most once between two pumps, and should only pass the word on (post a message to your loop).
 * Waits for a running old function, whose drop has run when this returns. Many clients may share one function and tell
 * by ud.
 *
 * Returns TANDEM_OK; TANDEM_E_HANDLE; TANDEM_E_REENTRANT inside a wakeup or log callback (drop has run for both).
 */
TANDEM_API int32_t TANDEM_CALL tandem_set_wakeup(tandem_client *c, tandem_notify_fn fn, void *ud, tandem_notify_fn drop);

/*
 * Makes a waiting tandem_pump or tandem_next of this client return 0 or {"ok": []}, or the next one that would wait.
 * Async-signal-safe; may be called in every callback.
 *
 * Returns TANDEM_OK or TANDEM_E_HANDLE.
 */
TANDEM_API int32_t TANDEM_CALL tandem_wake(tandem_client *c);

/*
 * HOST
 *
 * Offers something of the host's and returns its provider's id. `spec_json` is one of
 *
 *   {"kind": "tool", "name", "description", "parameters", "permission": "allow", "timeout_ms"}
 *       A function that models may call, on the embedded engine. `name`: 1 to 64 of a-z A-Z 0-9 _ -. `parameters`: a
 *       JSON schema of an object, {"type": "object", "properties": {...}, "required": [...]}; absent: none.
 *       "permission": "ask": each call waits for a permission first.
 *   {"kind": "model", "name", "context_tokens", "tools": false, "timeout_ms"}
 *       A model of provider `host`, on the embedded engine: sessions.create with "model": {"provider_id": "host",
 *       "model_id": NAME}. "tools": true: it is offered tools.
 *   {"kind": "permission", "timeout_ms"}, {"kind": "question", "timeout_ms"}
 *       Decides for the user, on every engine, except in sessions that an operation answers by a policy of its own. What
 *       waits already when the provider comes is asked, too.
 *
 * A member that a kind does not have is an error, `unknown_argument`; a name that is taken, or a second provider of
 * permissions or of questions, `invalid_argument`. On a remote engine tools and models are `not_supported` (with
 * "engine": "discover" until the first call has found the embedded one), and so is {"kind": "embedding"} everywhere.
 * With an error it returns 0, and drop has run.
 *
 * A HOST CALL goes to fn, or, when fn is NULL, comes as an event like others (drop runs before tandem_provide returns):
 *
 *     {"op": 7, "seq": 12, "type": "host.call", "tag": null, "call": 49154, "kind": "tool", "name": "add",
 *      "session_id": "...", "run_id": "...", "timeout_ms": 120000, "input": {"a": 2, "b": 3}}
 *
 *  op         the operation that it belongs to: that which runs the run (sessions.run, sessions.prompt_sync), else the
 *             oldest open stream of its session, or the first that comes before anybody was shown the call; else 0. A
 *             thread in tandem_wait or tandem_call for that operation serves the call; else it is for tandem_pump and
 *             tandem_next, in the order of events. So a program of one thread may block in tandem_call. A pause does not
 *             hold it back. Who waits without a function of the operation's own is shown no events: a call whose fn is
 *             NULL is then for pump and next of another thread.
 *  name       the tool or model; the tool that asks for a permission; empty for questions.
 *  input      of a tool: the model's arguments. Of a model: an OpenAI chat request ({"model", "messages", "tools", ...}).
 *             Of a permission: {"request_id", "tool", "args", "requested_at_ms", "expires_at_ms"}. Of a question:
 *             {"request_id", "questions": [{"question", "header", "options", "multiple", "custom"}]}.
 *
 * A call that is over before its reply is told by {"type": "host.cancel", "call", "reason"}, to the same taker; it is no
 * call and wants no reply. Reasons: `host_timeout`, `cancelled` (its run or operation), `resolved` or `expired` (a
 * decision made elsewhere, or too late), and others. A call that nobody was shown just goes away.
 *
 * `timeout_ms`, 120000 unless the spec says another, counts from the moment the call is queued, of a model from its last
 * piece; a permission has no longer than its `expires_at_ms`. When it has passed, or the reply is {"error": ...}: a tool's
 * failure is told to the model and the run goes on; a model's ends the run (`run.failed`, `host_timeout` or
 * `host_failed`); a permission is rejected, a question dismissed.
 *
 * An answered question reaches the model of an embedded run, which waits for it. A remote engine does not wait: it
 * publishes the answer as an event, and only sessions.run sends it on as the next prompt.
 *
 * A tool:
 *
 *     static void add(void *ud, uint64_t call, const char *json) {
 *       char *a = tandem_get(json, "/input/a"), *b = tandem_get(json, "/input/b"), reply[64];
 *       if (a && b) {
 *         snprintf(reply, sizeof reply, "{\"ok\":\"%ld\"}", strtol(a, NULL, 10) + strtol(b, NULL, 10));
 *         tandem_reply(ud, call, reply);
 *       }
 *       tandem_free(a);
 *       tandem_free(b);
 *     }
 *     tandem_provide(c, "{\"kind\":\"tool\",\"name\":\"add\",\"description\":\"Adds two integers.\",\"parameters\":"
 *                       "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},"
 *                       "\"b\":{\"type\":\"integer\"}}}}", add, c, NULL, NULL);
 *
 * A model (examples/c/host_model.c is the whole program):
 *
 *     static void answer(void *ud, uint64_t call, const char *json) {
 *       if (tandem_reply_wanted(ud, call) != 1) return;            // the word that a call is over
 *       tandem_reply_chunk(ud, call, "\"Hello \"");
 *       tandem_reply_chunk(ud, call, "\"world.\"");
 *       tandem_reply(ud, call, "{\"ok\":{\"finish_reason\":\"stop\"}}");
 *     }
 *     tandem_provide(c, "{\"kind\":\"model\",\"name\":\"mine\"}", answer, c, NULL, NULL);
 */
TANDEM_API uint64_t TANDEM_CALL tandem_provide(tandem_client *c, const char *spec_json, tandem_host_fn fn, void *ud,
                                               tandem_notify_fn drop, char **error_json);

/*
 * Takes back what tandem_provide offered. Calls that the host was shown may still be answered, but fn is not told of
 * their end any more; others fail. Does not wait for a running callback: the last one drops, else drop runs here.
 *
 * Returns TANDEM_OK; TANDEM_E_GONE when it was withdrawn before; TANDEM_E_ARGS no such provider; TANDEM_E_HANDLE.
 */
TANDEM_API int32_t TANDEM_CALL tandem_withdraw(tandem_client *c, uint64_t provider);

/*
 * Answers a host call, on any thread, inside its callback or later, with {"ok": X} or {"error": {"message",
 * "retryable"}}. Touches memory only. X is
 *
 *   for a tool        a text, or {"output": text, "metadata": object}
 *   for a model       {"message", "finish_reason", "usage": {"prompt_tokens", "completion_tokens"}}; message: a text or an
 *                     OpenAI message, which may have "tool_calls"; without one the pieces are the answer
 *   for a permission  "once", "always" (makes a rule of the session) or "reject"
 *   for questions     [answer, ...], one for each: a text, or an array of the labels chosen
 *
 * Returns TANDEM_OK; TANDEM_E_GONE when the call is over or was answered before; TANDEM_E_ARGS when there is no such
 * call, or the reply cannot be read or is none for this kind: the call has then failed; TANDEM_E_HANDLE.
 */
TANDEM_API int32_t TANDEM_CALL tandem_reply(tandem_client *c, uint64_t call, const char *result_json);

/*
 * Sends a piece of a model's answer, a text or an OpenAI `delta`, or a tool's progress, any JSON; more of them, and
 * tandem_reply at the end. Never blocks.
 *
 * Returns TANDEM_OK; TANDEM_E_LIMIT when more than 8 MiB wait to be taken: the piece is not sent, and the call goes on;
 * else as tandem_reply. TANDEM_E_ARGS also for a decision, which has no pieces.
 */
TANDEM_API int32_t TANDEM_CALL tandem_reply_chunk(tandem_client *c, uint64_t call, const char *chunk_json);

/*
 * Says whether a reply is wanted, for work that takes long: 1; 0 when the call is over or answered; TANDEM_E_ARGS no such
 * call; TANDEM_E_HANDLE.
 */
TANDEM_API int32_t TANDEM_CALL tandem_reply_wanted(tandem_client *c, uint64_t call);

/*
 * JSON
 *
 * Takes a value out of a JSON text by RFC 6901 pointer: "/ok/id", "/ok/events/0/type", "" for the whole. A string comes
 * as its text, without quotes and with escapes undone; anything else as JSON ("12", "true", "null", "{...}"). NULL
 * where there is no such value, the text is no JSON, or an argument is NULL; also for a string with a NUL character in
 * it, which C could not hold. Yours to free. Needs no client; works after fork.
 */
TANDEM_API char *TANDEM_CALL tandem_get(const char *json, const char *pointer);

/*
 * Writes a text as a JSON string, quotes included: Say "hi" becomes "Say \"hi\"". For building arguments with snprintf.
 * NULL when the text is NULL or not UTF-8. Yours to free. Needs no client; works after fork.
 *
 *     char *text = tandem_quote(user_input);
 *     snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":%s}]}", id, text);
 */
TANDEM_API char *TANDEM_CALL tandem_quote(const char *text);

#if defined(__cplusplus)
}
#endif

#include "tandem_ops.h"

#endif
