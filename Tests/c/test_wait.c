/* Wait and call own their operation; done is kept until it is taken, and limits hold. */
#include "client.h"

static void waiting(void)
{
    tandem_client *c = scripted_client("");
    const char *session = new_session(c), *run = start_run(c, session, "[[slow]]");
    uint64_t op = tandem_submit(c, "engine.stream", stream_args(session, run), NULL);
    long long began = now_ms();
    const char *pending = keep(tandem_wait(c, op, 200));

    CHECK_ERROR("a wait's time runs out", "pending", pending);
    CHECK_INT("with code 1", TANDEM_PENDING, tandem_status(pending));
    CHECK("not before", now_ms() - began >= 195 && now_ms() - began < 3000 * slowness());
    CHECK_ERROR("0 looks only", "pending", keep(tandem_wait(c, op, 0)));
    CHECK("events of a wait without a function are counted",
          number_at(keep(tandem_stats(c)), "/ok/events_discarded") > 0);
    tandem_pause(c, op, 1);
    CHECK_ERROR("the operation goes on", "pending", keep(tandem_wait(c, op, 100)));
    tandem_cancel(c, op);
    CHECK_ERROR("its result comes all the same", "cancelled", keep(tandem_wait(c, op, -1)));
    CHECK_ERROR("and is taken once", "gone", keep(tandem_wait(c, op, -1)));
    tandem_close(c, -1);
}

struct waiter {
    tandem_client *client;
    uint64_t op;
    _Atomic(char *) result;
};

static void *wait_for(void *ud)
{
    struct waiter *w = ud;

    w->result = tandem_wait(w->client, w->op, -1);
    return NULL;
}

static pthread_t strangers[4096];
static int stranger_count;

static void note_thread(void *ud, uint64_t op, const char *event)
{
    (void)op, (void)event;
    atomic_fetch_add((atomic_int *)ud, 1);
    if (stranger_count < 4096)
        strangers[stranger_count++] = pthread_self();
}

static void ownership(void)
{
    tandem_client *c = scripted_client("");
    const char *session = new_session(c), *run = start_run(c, session, "[[slow]]");
    atomic_int events = 0;
    int foreign = 0;
    struct waiter w = {c, tandem_stream(c, "engine.stream", stream_args(session, run), note_thread, &events, NULL, NULL), NULL};
    pthread_t thread;

    pthread_create(&thread, NULL, wait_for, &w);
    for (long long end = now_ms() + 10000 * slowness(); atomic_load(&events) <= 20 && now_ms() < end; nap(1))
        ; /* nobody pumps: they come on the waiter's thread, so it has begun */
    CHECK_ERROR("a second waiter is busy", "busy", keep(tandem_wait(c, w.op, 0)));
    CHECK_OK("abort ends the run", keep(tandem_call(c, "sessions.abort", text("{\"session_id\":\"%s\"}", session))));
    int32_t pumped = 0;
    while (w.result == NULL && pumped >= 0)
        pumped = tandem_pump(c, 0, 10);
    pthread_join(thread, NULL);
    for (int i = 0; i < stranger_count; i++)
        foreign += !pthread_equal(strangers[i], thread);
    CHECK_OK("the waiter gets the result", keep(w.result));
    CHECK("its function gets the events", atomic_load(&events) > 20);
    /* what was queued before the wait began is the waiter's too: this thread did not pump until then */
    CHECK_INT("on the waiter's thread only", 0, foreign);
    tandem_close(c, -1);
}

/* A source that was held back has to be told to go on when a waiter takes its operation over. */
static void held_back(void)
{
    tandem_client *c = scripted_client(",\"op_queue_bytes\":65536");
    const char *session = new_session(c), *run = start_run(c, session, "[[long]]");
    const char *args = text("{\"session_id\":\"%s\",\"run_id\":\"%s\",\"vocabulary\":\"engine\"}", session, run);
    uint64_t full = tandem_submit(c, "engine.stream", args, NULL), paused = tandem_submit(c, "engine.stream", args, NULL);

    CHECK_INT("R6 pause", TANDEM_OK, tandem_pause(c, paused, 1));
    follow(c, session, run);
    nap(100);
    CHECK_OK("R6 a full operation ends for who waits", keep(tandem_wait(c, full, 5000 * slowness())));
    CHECK_OK("R6 so does a paused one", keep(tandem_wait(c, paused, 5000 * slowness())));
    tandem_close(c, -1);
}

/* An operation whose time is up before it has well begun ends all the same. */
static void no_time(void)
{
    tandem_client *c = echo_client();
    int ended = 0;

    for (int i = 0; i < 500; i++) {
        uint64_t op = tandem_submit(c, "engine.global_stream", text("{\"$timeout_ms\":%d}", i % 2), NULL);
        char *result = tandem_wait(c, op, 1000 * slowness());
        ended += tandem_status(result) == TANDEM_E_TIMEOUT;
        if (tandem_status(result) == TANDEM_PENDING)
            i += 100;
        tandem_free(result);
    }
    CHECK_INT("R8 no time left is a timeout", 500, ended);
    tandem_close(c, -1);
}

static void with_a_function(void)
{
    tandem_client *c = echo_client();
    struct collected own = COLLECTED;
    uint64_t op = tandem_stream(c, "engine.health", NULL, collect, &own, collect_drop, NULL);
    const char *result = keep(tandem_wait(c, op, -1));

    CHECK_OK("wait returns the result", result);
    CHECK_INT("a function gets done as well", 1, own.dones);
    CHECK_TEXT("the same", result, own.result);
    CHECK_INT("and drops", 1, own.drops);
    CHECK_INT("nothing is left to pump", 0, tandem_pump(c, 0, 0));
    tandem_close(c, -1);
}

static void kept(void)
{
    tandem_client *c = opened("{\"discover\":false,\"ops_limit\":4}");
    uint64_t ops[4];
    char *error = NULL;

    for (int i = 0; i < 4; i++)
        ops[i] = tandem_submit(c, "engine.health", NULL, &error);
    settled(c);
    CHECK_INT("one more than ops_limit", 0, tandem_submit(c, "engine.health", NULL, &error));
    keep(error);
    CHECK_ERROR("is a limit", "limit", error);
    CHECK_INT("with code E_LIMIT", TANDEM_E_LIMIT, tandem_status(error));
    for (int i = 0; i < 4; i++)
        CHECK_OK(text("result %d was kept", i), keep(tandem_wait(c, ops[i], -1)));
    CHECK("then there is room again", tandem_submit(c, "engine.health", NULL, NULL) != 0);
    tandem_close(c, -1);

    c = opened("{\"discover\":false,\"results_limit_bytes\":100000}");
    char *pad = malloc(20001);
    memset(pad, 'p', 20000);
    pad[20000] = 0;
    const char *session = at(keep(tandem_call(c, "sessions.create", text("{\"source_metadata\":{\"pad\":\"%s\"}}", pad))), "/ok/id");
    const char *args = text("{\"session_id\":\"%s\"}", session);
    uint64_t taken[64];
    int submitted = 0;
    for (error = NULL; submitted < 64; submitted++) {
        if ((taken[submitted] = tandem_submit(c, "sessions.get", args, &error)) == 0)
            break;
        settled(c);
    }
    CHECK("results not taken have a limit", submitted >= 4 && submitted < 64);
    CHECK_ERROR("which is a limit", "limit", error == NULL ? "{}" : keep(error));
    int whole = 0;
    for (int i = 0; i < submitted; i++)
        whole += strlen(at(keep(tandem_wait(c, taken[i], -1)), "/ok/sourceMetadata/pad")) == 20000;
    CHECK_INT("nothing was thrown away", submitted, whole);
    CHECK("and there is room again", tandem_submit(c, "sessions.get", args, NULL) != 0);
    free(pad);
    tandem_close(c, -1);
}

static void a_call_alone(void)
{
    tandem_client *c = scripted_client("");
    const char *session = new_session(c);
    struct collected all = COLLECTED;

    tandem_set_handler(c, collect, &all, NULL);
    const char *answer = keep(tandem_call(c, "sessions.prompt_sync", prompt_args(session, "[[hello]]")));
    CHECK_TEXT("a call returns the result", "Hello there friend", at(answer, "/ok/text"));
    CHECK_INT("and shows its events to nobody", 0, tandem_pump(c, 0, 0));
    tandem_close(c, -1);
}

int main(void)
{
    begin(90);
    waiting();
    ownership();
    with_a_function();
    held_back();
    no_time();
    kept();
    a_call_alone();
    return finish();
}
