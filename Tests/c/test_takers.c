/* Who gets an operation's events, and tags. */
#include "client.h"

static void every_form(void)
{
    tandem_client *c = echo_client();
    const char *session = text("{\"session_id\":\"%s\"}", new_session(c));
    const char *called = keep(tandem_call(c, "sessions.get", session));
    const char *waited = keep(tandem_wait(c, tandem_submit(c, "sessions.get", session, NULL), -1));
    struct collected own = COLLECTED;
    uint64_t op = tandem_stream(c, "sessions.get", session, collect, &own, collect_drop, NULL);

    CHECK_OK("a call", called);
    CHECK_TEXT("submit and wait give the same", called, waited);
    CHECK("a stream's function gets done", pump_until(c, &own.dones, 1, 5000));
    CHECK_TEXT("with the same result", called, own.result);
    CHECK("and the operation's id", own.op == op);
    CHECK_INT("and drops once", 1, own.drops);
    CHECK_TEXT("a generated function", called, keep(tandem_sessions_get(c, session)));
    op = tandem_submit(c, "sessions.get", session, NULL);
    const char *batch = keep(tandem_next(c, 0, 5000));
    CHECK_TEXT("without a handler done stays for next", "done", at(batch, "/ok/0/type"));
    CHECK_INT("with its operation", op, number_at(batch, "/ok/0/op"));
    CHECK_TEXT("and its result", called, at(batch, "/ok/0/result"));
    tandem_close(c, -1);
}

static void handler(void)
{
    tandem_client *c = echo_client();
    struct collected all = COLLECTED, own = COLLECTED, later = COLLECTED;

    tandem_submit(c, "engine.health", NULL, NULL);
    settled(c);
    CHECK_INT("what nobody claims runs no callback", 0, tandem_pump(c, 0, 0));
    CHECK_INT("set_handler", TANDEM_OK, tandem_set_handler(c, collect, &all, collect_drop));
    CHECK("a handler that comes later gets what stayed", pump_until(c, &all.dones, 1, 5000));
    tandem_stream(c, "engine.health", NULL, collect, &own, collect_drop, NULL);
    CHECK("an own function goes before the handler", pump_until(c, &own.dones, 1, 5000));
    CHECK_INT("which does not see it", 1, all.dones);
    uint64_t op = tandem_submit(c, "engine.health", NULL, NULL);
    CHECK("the handler gets a submit's done", pump_until(c, &all.dones, 2, 5000));
    CHECK_ERROR("done is taken once", "gone", keep(tandem_wait(c, op, 0)));
    tandem_set_handler(c, collect, &later, collect_drop);
    CHECK_INT("a replaced handler drops once", 1, all.drops);
    tandem_submit(c, "engine.health", NULL, NULL);
    CHECK("the new handler takes over", pump_until(c, &later.dones, 1, 5000));
    CHECK_INT("the old one is not called", 2, all.dones);
    tandem_set_handler(c, NULL, NULL, NULL);
    CHECK_INT("no handler: the last one drops", 1, later.drops);
    CHECK_OK("a stream without a function is a submit",
             keep(tandem_wait(c, tandem_stream(c, "engine.health", NULL, NULL, &own, collect_drop, NULL), -1)));
    CHECK_INT("whose drop runs too", 2, own.drops);
    tandem_close(c, -1);
}

static void tags(void)
{
    tandem_client *c = echo_client();
    const char *session = new_session(c), *run = start_run(c, session, "hi");
    tandem_submit(c, "engine.stream", text("{\"session_id\":\"%s\",\"run_id\":\"%s\",\"$tag\":{\"mine\":[1]}}", session, run), NULL);
    int events = 0, tagged = 0, over = 0;

    for (long long end = now_ms() + 5000 * slowness(); !over && now_ms() < end;) {
        const char *batch = keep(tandem_next(c, 0, 100));
        for (int i = 0; *at(batch, text("/ok/%d/type", i)) != 0; i++, events++) {
            tagged += strcmp(at(batch, text("/ok/%d/tag", i)), "{\"mine\":[1]}") == 0;
            over |= strcmp(at(batch, text("/ok/%d/type", i)), "done") == 0;
        }
    }
    CHECK("a stream has events and done", over && events > 3);
    CHECK_INT("each with the tag", events, tagged);
    struct collected own = COLLECTED;
    tandem_stream(c, "engine.health", "{\"$tag\":\"seven\"}", collect, &own, NULL, NULL);
    pump_until(c, &own.dones, 1, 5000);
    CHECK_TEXT("done has the tag", "seven", own.tag);
    tandem_submit(c, "engine.health", NULL, NULL);
    CHECK_TEXT("no tag is null", "null", at(keep(tandem_next(c, 0, 5000)), "/ok/0/tag"));
    tandem_close(c, -1);
}

int main(void)
{
    begin(60);
    every_form();
    handler();
    tags();
    return finish();
}
