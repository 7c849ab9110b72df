/* R7: close, from outside, from callbacks, and against calls that block. */
#include "client.h"

static int later_calls;

static void busy_work(tandem_client *c, struct collected *own, int n)
{
    for (int i = 0; i < n; i++) {
        own[i] = (struct collected)COLLECTED;
        const char *session = new_session(c), *run = start_run(c, session, "[[slow]]");
        tandem_stream(c, "engine.stream", stream_args(session, run), collect, &own[i], collect_drop, NULL);
    }
}

static void in_flight(void)
{
    static struct collected own[3], all;
    long threads = threads_now(), fds = fds_now();
    tandem_client *c = scripted_client("");

    all = (struct collected)COLLECTED;
    tandem_set_handler(c, collect, &all, collect_drop);
    busy_work(c, own, 3);
    tandem_submit(c, "engine.stream", text("{\"session_id\":\"%s\"}", new_session(c)), NULL);
    tandem_wakeup_fd(c);
    long long began = now_ms();
    CHECK_INT("close with runs in flight", TANDEM_OK, tandem_close(c, -1));
    CHECK("is prompt", now_ms() - began < 3000 * slowness());
    for (int i = 0; i < 3; i++) {
        CHECK_INT(text("stream %d has one done", i), 1, own[i].dones);
        CHECK_TEXT(text("stream %d was cancelled", i), "cancelled", at(own[i].result, "/error/name"));
        CHECK_INT(text("stream %d dropped", i), 1, own[i].drops);
        CHECK(text("stream %d on this thread", i), pthread_equal(own[i].thread, pthread_self()));
    }
    CHECK_INT("the handler gets the submit's done", 1, all.dones);
    CHECK_INT("the handler drops", 1, all.drops);
    CHECK_INT("R7 closed is closed", TANDEM_E_HANDLE, tandem_close(c, -1));
    int events = own[0].events + own[1].events + own[2].events + all.events;
    nap(200);
    CHECK_INT("R7 no callback after close", events, own[0].events + own[1].events + own[2].events + all.events);
    CHECK_INT("its threads are gone", threads, threads_settled(threads));
    CHECK_INT("its descriptors are closed", fds, fds_now());
}

struct blocked {
    tandem_client *c;
    uint64_t op;
    const char *session;
    int32_t pumped;
    char *result;
    int kind;
};

static void *block(void *ud)
{
    struct blocked *b = ud;

    if (b->kind == 0)
        b->pumped = tandem_pump(b->c, 0, -1);
    else if (b->kind == 1)
        b->result = tandem_wait(b->c, b->op, -1);
    else
        b->result = tandem_call(b->c, "sessions.prompt_sync", prompt_args(b->session, "[[stall]]"));
    return NULL;
}

static void blocked_calls(void)
{
    tandem_client *c = scripted_client("");
    struct blocked b[3] = {{.c = c, .kind = 0}, {.c = c, .kind = 1}, {.c = c, .kind = 2}};
    pthread_t threads[3];

    b[1].op = tandem_submit(c, "engine.stream", text("{\"session_id\":\"%s\"}", new_session(c)), NULL);
    b[2].session = new_session(c);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, block, &b[i]);
    nap(200 * slowness());
    int32_t closed = tandem_close(c, -1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT("close beside calls that block", TANDEM_OK, closed);
    CHECK_INT("a pump returns", TANDEM_E_HANDLE, b[0].pumped);
    CHECK_ERROR("a wait returns", "closed", keep(b[1].result));
    CHECK_ERROR("a call returns", "closed", keep(b[2].result));
}

static void *close_too(void *ud)
{
    return (void *)(intptr_t)tandem_close(ud, -1);
}

static void by_many_threads(void)
{
    enum { CLOSERS = 6, ROUNDS = 50 };
    int good = 0, refused = 0;

    for (int i = 0; i < ROUNDS; i++) {
        tandem_client *c = echo_client();
        pthread_t threads[CLOSERS];
        tandem_free(tandem_call(c, "sessions.create", NULL));
        for (int j = 0; j < CLOSERS; j++)
            pthread_create(&threads[j], NULL, close_too, c);
        for (int j = 0; j < CLOSERS; j++) {
            void *status;
            pthread_join(threads[j], &status);
            good += (intptr_t)status == TANDEM_OK;
            refused += (intptr_t)status == TANDEM_E_HANDLE;
        }
    }
    CHECK_INT("of threads that close at once one does it", ROUNDS, good);
    CHECK_INT("the others find it closed", ROUNDS * (CLOSERS - 1), refused);
}

static atomic_int waking, let_go;

static void hang(void *ud)
{
    (void)ud;
    atomic_store(&waking, 1);
    while (!atomic_load(&let_go))
        nap(1);
}

static void beside_a_wakeup(void)
{
    tandem_client *c = echo_client();

    tandem_set_wakeup(c, hang, NULL, NULL);
    tandem_submit(c, "engine.health", NULL, NULL);
    for (long long end = now_ms() + 3000 * slowness(); !atomic_load(&waking) && now_ms() < end; nap(1))
        ;
    CHECK_INT("close does not wait longer for a wakeup", TANDEM_PENDING, tandem_close(c, 50));
    atomic_store(&let_go, 1);
    CHECK_INT("and goes on after it", TANDEM_OK, tandem_close(c, -1));
}

struct inside {
    tandem_client *c;
    int32_t first, second, called;
    int events, drops, done;
};

static void close_inside(void *ud, uint64_t op, const char *event)
{
    struct inside *i = ud;

    (void)op;
    if (++i->events == 1) {
        i->first = tandem_close(i->c, -1);
        i->second = tandem_close(i->c, 0);
        char *result = tandem_call(i->c, "engine.health", NULL);
        i->called = tandem_status(result);
        tandem_free(result);
    }
    i->done += strstr(event, "\"done\"") != NULL;
}

static void drop_inside(void *ud)
{
    ((struct inside *)ud)->drops++;
}

static void inside_a_callback(int by_wait)
{
    const char *how = by_wait ? "wait" : "pump";
    tandem_client *c = scripted_client("");
    struct inside i = {.c = c, .first = 99, .called = 99};
    const char *session = new_session(c), *run = start_run(c, session, "[[slow]]");
    uint64_t op = tandem_stream(c, "engine.stream", stream_args(session, run), close_inside, &i, drop_inside, NULL);

    if (by_wait) {
        CHECK_ERROR("a wait whose callback closes", "closed", keep(tandem_wait(c, op, -1)));
    } else {
        int32_t pumped = 0;
        for (long long end = now_ms() + 5000 * slowness(); pumped >= 0 && i.events == 0 && now_ms() < end;)
            pumped = tandem_pump(c, 0, 100);
        CHECK_INT("a pump whose callback closes", TANDEM_E_HANDLE, pumped);
    }
    CHECK_INT(text("close inside a callback of %s", how), TANDEM_PENDING, i.first);
    CHECK(text("again inside (%s)", how), i.second == TANDEM_PENDING || i.second == TANDEM_E_HANDLE);
    CHECK_INT(text("other calls are over (%s)", how), TANDEM_E_HANDLE, i.called);
    CHECK_INT(text("done came (%s)", how), 1, i.done);
    CHECK_INT(text("the drop ran (%s)", how), 1, i.drops);
    CHECK_INT(text("it is finished (%s)", how), TANDEM_E_HANDLE, tandem_close(c, -1));
}

static atomic_int sleeping, may_wake;

static void sleep_inside(void *ud, uint64_t op, const char *event)
{
    (void)op, (void)event;
    if (atomic_load(&sleeping) == 2)
        later_calls++;
    if (*(int *)ud == 0) {
        *(int *)ud = 1;
        atomic_store(&sleeping, 1);
        for (long long end = now_ms() + 10000 * slowness(); !atomic_load(&may_wake) && now_ms() < end; nap(5))
            ;
    }
}

static void *pump_once(void *ud)
{
    tandem_pump(ud, 0, -1);
    return NULL;
}

static void time_is_up(void)
{
    tandem_client *c = echo_client();
    int slept = 0;
    pthread_t thread;

    tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\",\"$timeout_ms\":60000}", new_session(c)), sleep_inside, &slept, NULL, NULL);
    tandem_stream(c, "engine.health", NULL, sleep_inside, &slept, NULL, NULL);
    pthread_create(&thread, NULL, pump_once, c);
    for (long long end = now_ms() + 5000; !atomic_load(&sleeping) && now_ms() < end; nap(5))
        ;
    CHECK_INT("close while a callback runs elsewhere: time is up", TANDEM_PENDING, tandem_close(c, 50));
    CHECK_INT("only close may follow", TANDEM_E_HANDLE, tandem_pump(c, 0, 0));
    CHECK_ERROR("and nothing else", "closed", keep(tandem_call(c, "engine.health", NULL)));
    atomic_store(&may_wake, 1);
    CHECK_INT("it goes on", TANDEM_OK, tandem_close(c, -1));
    atomic_store(&sleeping, 2);
    pthread_join(thread, NULL);
    nap(100);
    CHECK_INT("R7 then no callback runs", 0, later_calls);
    CHECK_INT("and it is closed", TANDEM_E_HANDLE, tandem_close(c, 0));
}

static void at_once(void)
{
    tandem_client *c = scripted_client("");
    struct collected own[1];

    busy_work(c, own, 1);
    int32_t closed = tandem_close(c, 0);
    CHECK("close does not wait with 0", closed == TANDEM_PENDING || closed == TANDEM_OK);
    while (closed == TANDEM_PENDING)
        closed = tandem_close(c, 1000);
    CHECK_INT("and ends", TANDEM_OK, closed);
    CHECK_INT("with one done", 1, own[0].dones);
}

int main(void)
{
    begin(90);
    tandem_close(echo_client(), -1);
    in_flight();
    blocked_calls();
    by_many_threads();
    beside_a_wakeup();
    inside_a_callback(0);
    inside_a_callback(1);
    time_is_up();
    at_once();
    return finish();
}
