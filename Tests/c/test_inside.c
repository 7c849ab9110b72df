/* What each kind of callback may call, and drops. */
#include "client.h"

static tandem_client *c, *other;
static const char *session;
static int ran, drops, dropped_alone;

static void count_drop(void *ud)
{
    (void)ud;
    drops++;
}

static void nothing(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op, (void)event;
}

static void host_nothing(void *ud, uint64_t call, const char *request)
{
    (void)ud, (void)call, (void)request;
}

static void in_event(void *ud, uint64_t op, const char *event)
{
    char *error = NULL;

    (void)ud, (void)event;
    if (ran++ > 0)
        return;
    CHECK_INT("event: pump of this client", TANDEM_E_REENTRANT, tandem_pump(c, 0, 0));
    CHECK_ERROR("event: next of this client", "reentrant", keep(tandem_next(c, 0, 0)));
    CHECK_INT("event: pump of another", 0, tandem_pump(other, 0, 0));
    CHECK_TEXT("event: next of another", "{\"ok\":[]}", keep(tandem_next(other, 0, 0)));
    CHECK_OK("event: call", keep(tandem_call(c, "engine.health", NULL)));
    CHECK_OK("event: a generated call", keep(tandem_sessions_get(c, text("{\"session_id\":\"%s\"}", session))));
    uint64_t made = tandem_submit(c, "engine.health", NULL, &error);
    CHECK("event: submit", made != 0 && error == NULL);
    CHECK_OK("event: wait", keep(tandem_wait(c, made, -1)));
    made = tandem_stream(c, "engine.health", NULL, nothing, NULL, count_drop, NULL);
    CHECK("event: stream", made != 0);
    CHECK_OK("event: wait for it", keep(tandem_wait(c, made, -1)));
    CHECK("event: cancel", tandem_cancel(c, op) >= 0);
    CHECK("event: pause", tandem_pause(c, op, 0) >= 0);
    CHECK_OK("event: stats", keep(tandem_stats(c)));
    CHECK_OK("event: describe", keep(tandem_describe("errors")));
    CHECK_INT("event: set_handler", TANDEM_OK, tandem_set_handler(c, NULL, NULL, NULL));
    CHECK_INT("event: set_wakeup", TANDEM_OK, tandem_set_wakeup(c, NULL, NULL, NULL));
    CHECK_INT("event: set_log", TANDEM_OK, tandem_set_log(NULL, NULL, NULL, 0));
    CHECK("event: wakeup_fd", tandem_wakeup_fd(c) >= 0);
    CHECK_INT("event: wake", TANDEM_OK, tandem_wake(c));
    made = tandem_provide(c, "{\"kind\":\"question\"}", host_nothing, NULL, NULL, &error);
    CHECK("event: provide", made != 0 && error == NULL);
    CHECK_INT("event: withdraw", TANDEM_OK, tandem_withdraw(c, made));
    CHECK_INT("event: reply", TANDEM_E_ARGS, tandem_reply(c, 1, "{}"));
    CHECK_INT("event: reply_chunk", TANDEM_E_ARGS, tandem_reply_chunk(c, 1, "{}"));
    CHECK_INT("event: reply_wanted", TANDEM_E_ARGS, tandem_reply_wanted(c, 1));
    CHECK_TEXT("event: get", "1", at("{\"a\":1}", "/a"));
    CHECK_TEXT("event: quote", "\"a\"", keep(tandem_quote("a")));
    tandem_client *inner = tandem_open(ECHO, &error);
    CHECK("event: open", inner != NULL);
    CHECK_INT("event: close of another", TANDEM_OK, tandem_close(inner, -1));
}

static int depth, deepest;

static void recurse(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op, (void)event;
    if (depth >= 40)
        return;
    uint64_t inner = tandem_stream(c, "engine.health", NULL, recurse, NULL, NULL, NULL);
    depth++;
    if (depth > deepest)
        deepest = depth;
    char *result = tandem_wait(c, inner, 5000);
    if (tandem_status(result) != TANDEM_OK) {
        deepest = depth - 1 < deepest ? depth - 1 : deepest;
        CHECK_ERROR("nesting ends with reentrant", "reentrant", keep(result));
        depth = 40;
        return;
    }
    tandem_free(result);
}

static void in_drop(void *ud)
{
    char *error = NULL;

    (void)ud;
    dropped_alone++;
    CHECK_INT("drop: pump", TANDEM_E_REENTRANT, tandem_pump(c, 0, 0));
    CHECK_ERROR("drop: next", "reentrant", keep(tandem_next(c, 0, 0)));
    CHECK_ERROR("drop: call", "reentrant", keep(tandem_call(c, "engine.health", NULL)));
    uint64_t made = tandem_submit(c, "engine.health", NULL, &error);
    CHECK("drop: submit", made != 0 && error == NULL);
    CHECK_ERROR("drop: wait", "reentrant", keep(tandem_wait(c, made, -1)));
    CHECK("drop: cancel", tandem_cancel(c, made) >= 0);
    CHECK_INT("drop: close", TANDEM_E_REENTRANT, tandem_close(c, -1));
    CHECK_OK("drop: stats", keep(tandem_stats(c)));
    CHECK_INT("drop: wake", TANDEM_OK, tandem_wake(c));
}

static atomic_int woken, wakeup_wrong;

/* Runs on any thread, so it only counts what is not as it should be. */
static void in_wakeup(void *ud)
{
    char *error = NULL, *text_error;
    int wrong = 0;

    (void)ud;
    if (atomic_fetch_add(&woken, 1) > 0)
        return;
    wrong += tandem_pump(c, 0, 0) != TANDEM_E_REENTRANT;
    wrong += tandem_cancel(c, 1) != TANDEM_E_REENTRANT;
    wrong += tandem_pause(c, 1, 1) != TANDEM_E_REENTRANT;
    wrong += tandem_set_handler(c, NULL, NULL, NULL) != TANDEM_E_REENTRANT;
    wrong += tandem_set_wakeup(c, NULL, NULL, NULL) != TANDEM_E_REENTRANT;
    wrong += tandem_set_log(NULL, NULL, NULL, 0) != TANDEM_E_REENTRANT;
    wrong += tandem_wakeup_fd(c) != TANDEM_E_REENTRANT;
    wrong += tandem_withdraw(c, 1) != TANDEM_E_REENTRANT;
    wrong += tandem_reply(c, 1, "{}") != TANDEM_E_REENTRANT;
    wrong += tandem_reply_chunk(c, 1, "{}") != TANDEM_E_REENTRANT;
    wrong += tandem_reply_wanted(c, 1) != TANDEM_E_REENTRANT;
    wrong += tandem_provide(c, "{\"kind\":\"question\"}", host_nothing, NULL, NULL, &error) != 0 || tandem_status(error) != TANDEM_E_REENTRANT;
    tandem_free(error);
    wrong += tandem_close(c, 0) != TANDEM_E_REENTRANT;
    wrong += tandem_submit(c, "engine.health", NULL, &error) != 0 || tandem_status(error) != TANDEM_E_REENTRANT;
    tandem_free(error);
    wrong += tandem_open(NULL, &error) != NULL || tandem_status(error) != TANDEM_E_REENTRANT;
    tandem_free(error);
    text_error = tandem_call(c, "engine.health", NULL);
    wrong += tandem_status(text_error) != TANDEM_E_REENTRANT;
    tandem_free(text_error);
    text_error = tandem_wait(c, 1, 0);
    wrong += tandem_status(text_error) != TANDEM_E_REENTRANT;
    tandem_free(text_error);
    text_error = tandem_next(c, 0, 0);
    wrong += tandem_status(text_error) != TANDEM_E_REENTRANT;
    tandem_free(text_error);
    text_error = tandem_stats(c);
    wrong += tandem_status(text_error) != TANDEM_E_REENTRANT;
    tandem_free(text_error);
    wrong += tandem_wake(c) != TANDEM_OK;
    wrong += tandem_version() != 256;
    wrong += strcmp(tandem_status_name(TANDEM_E_BUSY), "TANDEM_E_BUSY") != 0;
    atomic_store(&wakeup_wrong, wrong);
    atomic_fetch_add(&woken, 1);
}

static atomic_int logged, log_wrong;

static void in_log(void *ud, int32_t level, const char *record)
{
    (void)ud, (void)level, (void)record;
    if (atomic_fetch_add(&logged, 1) > 0)
        return;
    int wrong = tandem_set_log(NULL, NULL, NULL, 0) != TANDEM_E_REENTRANT;
    char *error = NULL;
    wrong += tandem_open(NULL, &error) != NULL || tandem_status(error) != TANDEM_E_REENTRANT;
    tandem_free(error);
    wrong += tandem_close(other, 0) != TANDEM_E_REENTRANT;
    wrong += tandem_pump(other, 0, 0) != TANDEM_E_REENTRANT;
    char *result = tandem_call(other, "engine.health", NULL);
    wrong += tandem_status(result) != TANDEM_E_REENTRANT;
    tandem_free(result);
    wrong += tandem_wake(other) != TANDEM_OK;
    wrong += tandem_version() != 256;
    atomic_store(&log_wrong, wrong);
}

static void failing_calls_drop(void)
{
    char *error = NULL;

    drops = 0;
    CHECK_INT("an unknown operation", 0, tandem_stream(c, "no.such", NULL, nothing, NULL, count_drop, NULL));
    CHECK_INT("drops", 1, drops);
    CHECK_INT("bad arguments", 0, tandem_stream(c, "engine.health", "{", nothing, NULL, count_drop, &error));
    keep(error);
    CHECK_INT("drop", 2, drops);
    CHECK_INT("a bad log level", TANDEM_E_ARGS, tandem_set_log(in_log, NULL, count_drop, 9));
    CHECK_INT("drops", 3, drops);
    tandem_set_handler(c, nothing, NULL, count_drop);
    tandem_set_handler(c, nothing, NULL, count_drop);
    CHECK_INT("a replaced handler drops", 4, drops);
    tandem_set_handler(c, NULL, NULL, NULL);
    CHECK_INT("and its successor", 5, drops);
    tandem_set_wakeup(c, count_drop, NULL, count_drop);
    int before = drops;
    tandem_set_wakeup(c, NULL, NULL, NULL);
    CHECK_INT("a replaced wakeup drops", before + 1, drops);
    CHECK_INT("a stream that ends at once", 1, tandem_stream(c, "engine.health", NULL, nothing, NULL, count_drop, NULL) != 0);
    before = drops;
    pump_until(c, &drops, before + 1, 5000);
    CHECK_INT("drops after done", before + 1, drops);
}

/* Takes what earlier cases left in the queue. */
static void drain(void)
{
    while (tandem_pump(c, 0, 100) > 0)
        ;
    keep(tandem_next(c, 0, 0));
}

static atomic_int inside_wakeup;

static void slow_wakeup(void *ud)
{
    (void)ud;
    atomic_store(&inside_wakeup, 1);
    nap(300);
    atomic_store(&inside_wakeup, 2);
}

static void replacing_waits(void)
{
    drain();
    tandem_set_wakeup(c, slow_wakeup, NULL, NULL);
    tandem_submit(c, "engine.health", NULL, NULL);
    for (long long end = now_ms() + 3000; !atomic_load(&inside_wakeup) && now_ms() < end; nap(1))
        ;
    tandem_set_wakeup(c, NULL, NULL, NULL);
    CHECK_INT("set_wakeup waits for a running function", 2, atomic_load(&inside_wakeup));
    keep(tandem_next(c, 0, 1000));
}

static atomic_int handling, may_end;

static void slow_handler(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op, (void)event;
    atomic_store(&handling, 1);
    for (long long end = now_ms() + 10000; !atomic_load(&may_end) && now_ms() < end; nap(1))
        ;
    atomic_store(&handling, 2);
}

static void note_drop(void *ud)
{
    atomic_store((atomic_int *)ud, atomic_load(&handling));
}

static void *pump_once(void *ud)
{
    (void)ud;
    tandem_pump(c, 1, 5000);
    return NULL;
}

static void handler_does_not_wait(void)
{
    pthread_t thread;
    atomic_int dropped_at = 0;

    drain();
    tandem_set_handler(c, slow_handler, &dropped_at, note_drop);
    tandem_submit(c, "engine.health", NULL, NULL);
    pthread_create(&thread, NULL, pump_once, NULL);
    for (long long end = now_ms() + 3000; !atomic_load(&handling) && now_ms() < end; nap(1))
        ;
    tandem_set_handler(c, NULL, NULL, NULL);
    CHECK("set_handler does not wait", atomic_load(&handling) == 1);
    CHECK_INT("nor drop before the last callback", 0, dropped_at);
    atomic_store(&may_end, 1);
    pthread_join(thread, NULL);
    CHECK_INT("the last callback drops", 2, dropped_at);
}

int main(void)
{
    begin(60);
    c = echo_client();
    other = echo_client();
    session = new_session(c);

    tandem_stream(c, "engine.stream", stream_args(session, start_run(c, session, "hi")), in_event, NULL, count_drop, NULL);
    pump_until(c, &ran, 1, 5000);
    CHECK("an event callback ran", ran > 0);

    uint64_t op = tandem_stream(c, "engine.health", NULL, recurse, NULL, NULL, NULL);
    tandem_free(tandem_wait(c, op, 20000));
    CHECK("call and wait nest 16 deep", deepest == 16 || deepest == 15);

    op = tandem_stream(c, "engine.health", NULL, nothing, NULL, in_drop, NULL);
    pump_until(c, &dropped_alone, 1, 5000);
    CHECK_INT("a drop ran once", 1, dropped_alone);
    tandem_pump(c, 0, 100);

    tandem_set_wakeup(c, in_wakeup, NULL, NULL);
    op = tandem_submit(c, "engine.health", NULL, NULL);
    for (long long end = now_ms() + 5000; atomic_load(&woken) < 2 && now_ms() < end; nap(5))
        ;
    CHECK("a wakeup ran", atomic_load(&woken) >= 2);
    CHECK_INT("wakeup: everything else answers reentrant", 0, atomic_load(&wakeup_wrong));
    tandem_set_wakeup(c, NULL, NULL, NULL);

    CHECK_INT("set_log", TANDEM_OK, tandem_set_log(in_log, NULL, count_drop, 4));
    tandem_client *third = echo_client();
    const char *mine = new_session(third);
    follow(third, mine, start_run(third, mine, "hi"));
    tandem_close(third, -1);
    CHECK("a log callback ran", atomic_load(&logged) > 0);
    CHECK_INT("log: everything else answers reentrant", 0, atomic_load(&log_wrong));
    drops = 0;
    tandem_set_log(NULL, NULL, NULL, 0);
    CHECK_INT("a replaced log drops", 1, drops);

    failing_calls_drop();
    replacing_waits();
    handler_does_not_wait();
    tandem_close(c, -1);
    tandem_close(other, -1);
    return finish();
}
