/* Cancelling, and running out of time. */
#include "client.h"

static tandem_client *c;

static const char *active(const char *session)
{
    return at(keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session))), "/ok/active");
}

static int idle_within(const char *session, int ms)
{
    for (long long end = now_ms() + (long long)ms * slowness(); now_ms() < end; nap(20))
        if (strcmp(active(session), "null") == 0)
            return 1;
    return 0;
}

static void a_stream(void)
{
    const char *session = new_session(c), *run = start_run(c, session, "[[slow]]");
    struct collected own = COLLECTED;
    uint64_t op = tandem_stream(c, "engine.stream", stream_args(session, run), collect, &own, collect_drop, NULL);

    pump_until(c, &own.events, 5, 5000);
    nap(100);
    CHECK_INT("cancel asks", TANDEM_OK, tandem_cancel(c, op));
    CHECK("then done comes", pump_until(c, &own.dones, 1, 5000));
    CHECK_TEXT("with cancelled", "cancelled", at(own.result, "/error/name"));
    CHECK_INT("with code E_CANCELLED", TANDEM_E_CANCELLED, tandem_status(own.result));
    CHECK("detail.sent is a boolean", strcmp(at(own.result, "/error/detail/sent"), "true") == 0 ||
          strcmp(at(own.result, "/error/detail/sent"), "false") == 0);
    CHECK_INT("after what was queued", 0, own.disordered);
    CHECK_INT("it drops", 1, own.drops);
    CHECK_INT("what is over is ALREADY", TANDEM_ALREADY, tandem_cancel(c, op));
    nap(100);
    tandem_pump(c, 0, 0);
    CHECK_INT("R6 one done", 1, own.dones);
    CHECK("a stream's end leaves its run alone", strcmp(active(session), "null") != 0);
    CHECK_OK("abort ends it", keep(tandem_call(c, "sessions.abort", text("{\"session_id\":\"%s\"}", session))));
    CHECK("abort frees the session", idle_within(session, 5000));
    const char *tail = keep(tandem_call(c, "engine.run_events", text("{\"run_id\":\"%s\",\"tail\":1}", run)));
    CHECK_TEXT("the run's log ends with its end", "session.run.finished", at(tail, "/ok/events/0/type"));
    CHECK_TEXT("which is cancelled", "cancelled", at(tail, "/ok/events/0/properties/status"));
}

static void unknown(void)
{
    uint64_t op = tandem_submit(c, "engine.health", NULL, NULL);

    CHECK_INT("an unknown id", TANDEM_E_ARGS, tandem_cancel(c, UINT64_C(1) << 52));
    CHECK_INT("a too large id", TANDEM_E_ARGS, tandem_cancel(c, UINT64_MAX - 1));
    settled(c);
    CHECK_INT("over, not taken", TANDEM_ALREADY, tandem_cancel(c, op));
    CHECK_OK("and its result stays", keep(tandem_wait(c, op, -1)));
}

static void prompt_sync(void)
{
    const char *session = new_session(c);
    struct collected own = COLLECTED;
    uint64_t op = tandem_stream(c, "sessions.prompt_sync", prompt_args(session, "[[slow]]"), collect, &own, collect_drop, NULL);

    CHECK("prompt_sync shows its run", pump_until(c, &own.events, 5, 10000));
    CHECK_INT("cancel of prompt_sync", TANDEM_OK, tandem_cancel(c, op));
    CHECK("is done within 5 s", pump_until(c, &own.dones, 1, 6000));
    CHECK_TEXT("as cancelled", "cancelled", at(own.result, "/error/name"));
    CHECK_TEXT("the run was cancelled too", "true", at(own.result, "/error/detail/run_cancelled"));
    CHECK("and has ended", idle_within(session, 5000));
}

static void deadline(void)
{
    const char *session = new_session(c);
    long long began = now_ms();
    const char *result = keep(tandem_call(c, "sessions.prompt_sync",
        text("{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"[[stall]]\"}],\"$timeout_ms\":700}", session)));

    CHECK_ERROR("$timeout_ms runs out", "timeout", result);
    CHECK_INT("with code E_TIMEOUT", TANDEM_E_TIMEOUT, tandem_status(result));
    CHECK("in time", now_ms() - began >= 690 && now_ms() - began < 6000 * slowness());
    CHECK("and the run is cancelled", idle_within(session, 5000));
}

static void all_at_once(void)
{
    static struct collected many[20];
    int dones = 0, cancelled = 0, drops = 0;

    for (int i = 0; i < 20; i++) {
        many[i] = (struct collected)COLLECTED;
        const char *session = new_session(c);
        tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\"}", session), collect, &many[i], collect_drop, NULL);
    }
    CHECK_INT("ALL_OPS", TANDEM_OK, tandem_cancel(c, TANDEM_ALL_OPS));
    for (int i = 0; i < 20; i++) {
        pump_until(c, &many[i].dones, 1, 5000);
        dones += many[i].dones;
        drops += many[i].drops;
        cancelled += strcmp(at(many[i].result, "/error/name"), "cancelled") == 0;
    }
    CHECK_INT("one done each", 20, dones);
    CHECK_INT("all cancelled", 20, cancelled);
    CHECK_INT("all dropped", 20, drops);
}

enum { races = 2000 };
static uint64_t raced[races];
static atomic_int submitted;

static void *cancel_them(void *ud)
{
    unsigned seed = 7;

    (void)ud;
    for (int i = 0; i < races; i++) {
        while (atomic_load(&submitted) <= i)
            sched_yield();
        for (int spin = rand_r(&seed) % 3000; spin > 0; spin--)
            __asm__ volatile("");
        tandem_cancel(c, raced[i]);
    }
    return NULL;
}

static void against_completion(void)
{
    pthread_t thread;
    struct collected all = COLLECTED;

    tandem_set_handler(c, collect, &all, collect_drop);
    pthread_create(&thread, NULL, cancel_them, NULL);
    int pumped = 0;
    for (int i = 0; i < races; i++) {
        raced[i] = tandem_submit(c, "engine.health", NULL, NULL);
        atomic_store(&submitted, i + 1);
        if (i % 64 == 63)
            pumped += tandem_pump(c, 0, 0);
    }
    pthread_join(thread, NULL);
    for (long long end = now_ms() + 10000 * slowness(); pumped < races && now_ms() < end;)
        pumped += tandem_pump(c, 0, 50);
    nap(100);
    pumped += tandem_pump(c, 0, 0);
    CHECK_INT("2,000 cancelled at any moment: one done each", races, pumped);
    int taken = 0;
    for (int i = 0; i < races; i++)
        taken += strcmp(at(keep(tandem_wait(c, raced[i], 0)), "/error/name"), "gone") == 0;
    CHECK_INT("and each is taken", races, taken);
    tandem_set_handler(c, NULL, NULL, NULL);
}

int main(void)
{
    begin(120);
    c = scripted_client("");
    a_stream();
    unknown();
    prompt_sync();
    deadline();
    all_at_once();
    against_completion();
    tandem_close(c, -1);
    return finish();
}
