/* valgrind: no (it starts a Python program)
   Eight threads on one client of a remote engine, which logs all it does; and close against all of them. */
#include "engine.h"

enum { thread_count = 8, calls = 60 };

static tandem_client *c;
static const char *session;
static atomic_int wrong, closed, good, dones, submitted, records, runs;

static void note(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op;
    if (strstr(event, "\"type\":\"done\"") != NULL)
        atomic_fetch_add(&dones, 1);
}

static void on_record(void *ud, int32_t level, const char *record)
{
    (void)ud, (void)level;
    if (strstr(record, ENGINE_TOKEN) == NULL)
        atomic_fetch_add(&records, 1);
}

static int32_t judged(char *result)
{
    int32_t status = tandem_status(result);

    tandem_free(result);
    return status;
}

/* A prompt in a session of its own, and its run to the end. */
static int32_t a_run(void)
{
    char *made = tandem_call(c, "sessions.create", "{\"title\":\"thread\"}"), *id = tandem_get(made, "/ok/id");
    char *begun = tandem_call(c, "sessions.prompt_async", prompt_args(id == NULL ? "none" : id, "hi"));
    char *run = tandem_get(begun, "/ok/run_id");
    int32_t status = tandem_status(made) != TANDEM_OK ? tandem_status(made) : tandem_status(begun);

    if (status == TANDEM_OK) {
        char *events = tandem_call(c, "engine.stream", stream_args(id, run));
        status = tandem_status(events);
        if (strstr(events, "\"run.completed\"") != NULL)
            atomic_fetch_add(&runs, 1);
        tandem_free(events);
    }
    tandem_free(made), tandem_free(id), tandem_free(begun), tandem_free(run);
    return status;
}

static int32_t one_call(int i)
{
    const char *args = text("{\"session_id\":\"%s\"}", session);
    uint64_t op;

    switch (i % 8) {
    case 0:
        return a_run();
    case 1:
        op = tandem_submit(c, "sessions.get", args, NULL);
        return op == 0 ? TANDEM_E_HANDLE : judged(tandem_wait(c, op, -1));
    case 2:
        op = tandem_stream(c, "sessions.get", args, note, NULL, NULL, NULL);
        atomic_fetch_add(&submitted, op != 0);
        if (op != 0 && i % 3 == 0)
            tandem_cancel(c, op);
        return op == 0 ? TANDEM_E_HANDLE : TANDEM_OK;
    case 3:
        op = tandem_stream(c, "engine.stream", args, note, NULL, NULL, NULL);
        atomic_fetch_add(&submitted, op != 0);
        if (op != 0)
            tandem_cancel(c, op);
        return op == 0 ? TANDEM_E_HANDLE : TANDEM_OK;
    case 4:
        return judged(tandem_stats(c));
    case 5:
        return judged(tandem_call(c, "sessions.list", "{\"page_size\":3}"));
    default:
        return judged(tandem_call(c, "sessions.get", args));
    }
}

static void *call_a_lot(void *ud)
{
    int first = (int)(intptr_t)ud;

    for (int i = 0; i < calls; i++) {
        int32_t status = one_call(first + i);
        atomic_fetch_add(status == TANDEM_OK ? &good : status == TANDEM_E_HANDLE ? &closed : &wrong, 1);
    }
    return NULL;
}

static void start(pthread_t *threads)
{
    atomic_store(&wrong, 0), atomic_store(&closed, 0), atomic_store(&good, 0);
    atomic_store(&dones, 0), atomic_store(&submitted, 0), atomic_store(&runs, 0);
    for (int i = 0; i < thread_count; i++)
        pthread_create(&threads[i], NULL, call_a_lot, (void *)(intptr_t)i);
}

static void eight_threads(const struct engine *engine, const char *options)
{
    pthread_t threads[thread_count];

    c = engine_client(engine, options);
    session = new_session(c);
    start(threads);
    while (atomic_load(&good) + atomic_load(&wrong) + atomic_load(&closed) < thread_count * calls)
        tandem_pump(c, 0, 20);
    for (int i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    for (long long end = now_ms() + 10000 * slowness(); atomic_load(&dones) < atomic_load(&submitted) && now_ms() < end;)
        tandem_pump(c, 0, 20);
    CHECK_INT("eight threads on one client of a remote engine: every call succeeds", thread_count * calls, atomic_load(&good));
    CHECK_INT("each submitted operation is done once", atomic_load(&submitted), atomic_load(&dones));
    CHECK_INT("every run was followed to its end", thread_count * calls / 8, atomic_load(&runs));
    CHECK_INT("close", TANDEM_OK, tandem_close(c, -1));
}

static void close_against_calls(const struct engine *engine, const char *options)
{
    pthread_t threads[thread_count];

    c = engine_client(engine, options);
    session = new_session(c);
    start(threads);
    while (atomic_load(&good) < thread_count * calls / 4)
        nap(1);
    CHECK_INT("close while eight threads call", TANDEM_OK, tandem_close(c, -1));
    for (int i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT("their calls succeed or find the client closed", 0, atomic_load(&wrong));
    CHECK("some found it closed", atomic_load(&closed) > 0);
}

int main(void)
{
    begin(120);
    struct engine engine = engine_started();

    tandem_set_log(on_record, NULL, NULL, 4);
    /* Few turns, so that submitted calls wait for them. */
    eight_threads(&engine, ",\"transfers_limit\":2");
    CHECK("the log had records, and the token in none", atomic_load(&records) > thread_count * calls / 2);
    close_against_calls(&engine, "");
    tandem_set_log(NULL, NULL, NULL, 0);
    /* Threads that wait read each other's replies. */
    eight_threads(&engine, ",\"delivery\":\"attend\"");
    close_against_calls(&engine, ",\"delivery\":\"attend\"");
    engine_ended(&engine);
    /* Numbers that begin anew with each run, and no logs. */
    engine = engine_started_with("--as-recorded");
    eight_threads(&engine, "");
    engine_ended(&engine);
    return finish();
}
