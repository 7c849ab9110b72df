/* R6: one order of events; a slow or paused observer loses nothing and holds nobody up. */
#include "client.h"

/* w0 w1 ... as the script [[many]] says it */
static const char *many_words(void)
{
    char *all = room(64000), *p = all;

    for (int i = 0; i < 6000; i++)
        p += sprintf(p, "w%d ", i);
    return all;
}

static int idle(tandem_client *c, const char *session, int ms)
{
    for (long long end = now_ms() + (long long)ms * slowness(); now_ms() < end; nap(20))
        if (strcmp(at(keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session))), "/ok/active"), "null") == 0)
            return 1;
    return 0;
}

static void sequence(void)
{
    tandem_client *c = echo_client();
    long long expected = 1, wrong = 0;
    int dones = 0;

    for (int i = 0; i < 5; i++) {
        const char *session = new_session(c);
        tandem_submit(c, "engine.stream", stream_args(session, start_run(c, session, "hi")), NULL);
        tandem_submit(c, "engine.health", NULL, NULL);
    }
    for (long long end = now_ms() + 10000 * slowness(); dones < 10 && now_ms() < end;) {
        const char *batch = keep(tandem_next(c, 3, 100));
        for (int i = 0; *at(batch, text("/ok/%d/type", i)) != 0; i++, expected++) {
            wrong += number_at(batch, text("/ok/%d/seq", i)) != expected;
            dones += strcmp(at(batch, text("/ok/%d/type", i)), "done") == 0;
        }
    }
    CHECK_INT("R6 each operation has one done", 10, dones);
    CHECK_INT("seq is 1, 2, 3 ...", 0, wrong);
    CHECK("over all operations", expected > 30);
    tandem_close(c, -1);
}

static void slow_observer(void)
{
    tandem_client *c = scripted_client("");
    const char *session = new_session(c), *want = many_words();
    struct collected own = COLLECTED, prompt = COLLECTED;

    tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\"}", session), collect, &own, collect_drop, NULL);
    tandem_stream(c, "sessions.prompt_async", prompt_args(session, "[[many]]"), collect, &prompt, NULL, NULL);
    nap(200);
    CHECK("a run does not wait for who does not pump", idle(c, session, 30000));
    CHECK("who pumps late gets the end", pump_until(c, &own.terminal, 1, 20000));
    CHECK_TEXT("and the whole text", want, own.words);
    CHECK_INT("in order", 0, own.disordered);
    tandem_cancel(c, own.op);
    pump_until(c, &own.dones, 1, 5000);
    CHECK_INT("R6 done comes once", 1, own.dones);
    tandem_close(c, -1);
}

static void pausing(void)
{
    tandem_client *c = scripted_client("");
    const char *session = new_session(c), *want = many_words();
    const char *run = start_run(c, session, "[[many]]");
    struct collected paused = COLLECTED, other = COLLECTED;
    uint64_t op = tandem_stream(c, "engine.stream", stream_args(session, run), collect, &paused, collect_drop, NULL);

    CHECK_INT("pause", TANDEM_OK, tandem_pause(c, op, 1));
    tandem_stream(c, "engine.stream", stream_args(session, run), collect, &other, collect_drop, NULL);
    CHECK("another observer goes on", pump_until(c, &other.dones, 1, 30000));
    CHECK_TEXT("with its whole text", want, other.words);
    int before = paused.events;
    tandem_pump(c, 0, 100);
    CHECK("a paused operation gives no events", paused.events == before && paused.dones == 0);
    CHECK_INT("pause off", TANDEM_OK, tandem_pause(c, op, 0));
    CHECK("it goes on later", pump_until(c, &paused.dones, 1, 20000));
    CHECK_TEXT("and nothing was lost", want, paused.words);
    CHECK_INT("one terminal event", 1, paused.terminal);
    CHECK_INT("in order", 0, paused.disordered);
    CHECK_INT("one drop", 1, paused.drops);
    tandem_close(c, -1);
}

static void pausing_all(void)
{
    tandem_client *c = scripted_client("");
    const char *session = new_session(c), *want = many_words();
    struct collected both[2] = {COLLECTED, COLLECTED}, later = COLLECTED;
    const char *run = start_run(c, session, "[[many]]");

    for (int i = 0; i < 2; i++)
        tandem_stream(c, "engine.stream", stream_args(session, run), collect, &both[i], collect_drop, NULL);
    CHECK_INT("pause of all", TANDEM_OK, tandem_pause(c, TANDEM_ALL_OPS, 1));
    int before[2] = {both[0].events, both[1].events};
    tandem_stream(c, "engine.stream", stream_args(session, run), collect, &later, collect_drop, NULL);
    CHECK("one that comes later is not paused", pump_until(c, &later.dones, 1, 30000));
    CHECK("the paused ones give no events", both[0].events == before[0] && both[1].events == before[1]);
    CHECK_INT("pause of all off", TANDEM_OK, tandem_pause(c, TANDEM_ALL_OPS, 0));
    for (int i = 0; i < 2; i++) {
        CHECK("each goes on", pump_until(c, &both[i].dones, 1, 20000));
        CHECK_TEXT("with its whole text", want, both[i].words);
    }
    tandem_close(c, -1);
}

static void small_queue(void)
{
    tandem_client *c = scripted_client(",\"op_queue_bytes\":20000");
    const char *session = new_session(c);
    const char *run = start_run(c, session, "[[many]]");
    struct collected own = COLLECTED;

    tandem_stream(c, "engine.stream", stream_args(session, run), collect, &own, collect_drop, NULL);
    idle(c, session, 30000);
    nap(100);
    CHECK("a small queue", pump_until(c, &own.dones, 1, 20000));
    CHECK_TEXT("loses nothing either", many_words(), own.words);
    CHECK_INT("one terminal event of it", 1, own.terminal);
    tandem_close(c, -1);
}

int main(void)
{
    begin(120);
    sequence();
    slow_observer();
    pausing();
    pausing_all();
    small_queue();
    return finish();
}
