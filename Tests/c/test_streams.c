/* Streams, as blocking calls and submitted, in both vocabularies. */
#include "client.h"

static tandem_client *c;

static const char *stream(const char *session, const char *run, const char *more)
{
    return keep(tandem_call(c, "engine.stream", text("{\"session_id\":\"%s\",\"run_id\":\"%s\"%s}", session, run, more)));
}

static int index_of(const char *events, const char *type)
{
    int last = -1;

    return count_type(events, "/ok/events", type, &last) == 0 ? -1 : last;
}

/* All deltas of a blocking stream's result. */
static const char *said(const char *events)
{
    char *all = room(1 << 18);

    /* One look at the whole for each event: a long text's events are many. */
    for (int i = 0;; i++) {
        const char *event = at(events, text("/ok/events/%d", i));
        if (*event == 0)
            break;
        if (strcmp(at(event, "/type"), "session.response") == 0)
            strcat(all, at(event, "/properties/delta"));
    }
    return all;
}

static void of_a_run(void)
{
    const char *session = new_session(c), *run = start_run(c, session, "say [[hello]]");
    const char *live = follow(c, session, run), *past = follow(c, session, run);
    const char *all[] = {live, past};

    for (int i = 0; i < 2; i++) {
        const char *when = i == 0 ? "live" : "past", *events = all[i];
        int started = index_of(events, "run.started"), response = index_of(events, "session.response");
        int message = index_of(events, "session.message"), completed = index_of(events, "run.completed");
        CHECK_TEXT(text("a %s run's stream ends", when), "true", at(events, "/ok/ended"));
        CHECK(text("%s: started, pieces, message, completed", when),
              started >= 0 && started < response && response < message && message < completed);
        CHECK_INT(text("%s: one start", when), 1, count_type(events, "/ok/events", "run.started", NULL));
        CHECK_INT(text("%s: one terminal event", when), 1, count_type(events, "/ok/events", "run.completed", NULL));
        CHECK_TEXT(text("%s: the terminal one is the last", when), "", at(events, text("/ok/events/%d", completed + 1)));
        CHECK_TEXT(text("%s: the pieces, without the prompt's echo", when), "Hello there friend", said(events));
        CHECK_TEXT(text("%s: the whole text", when), "Hello there friend",
                   at(events, text("/ok/events/%d/properties/text", message)));
        CHECK_TEXT(text("%s: session_id", when), session, at(events, text("/ok/events/%d/session_id", response)));
        CHECK_TEXT(text("%s: run_id", when), run, at(events, text("/ok/events/%d/run_id", response)));
        CHECK(text("%s: at_ms", when), number_at(events, text("/ok/events/%d/at_ms", response)) > 1500000000000LL);
        int usage = index_of(events, "run.usage");
        CHECK_INT(text("%s: usage", when), 18, number_at(events, text("/ok/events/%d/properties/total_tokens", usage)));
    }
}

static void blocking(void)
{
    const char *session = new_session(c), *run = start_run(c, session, "[[hello]]");
    const char *open_end = text("{\"session_id\":\"%s\"}", session);

    CHECK_TEXT("$take", "", at(stream(session, run, ",\"$take\":2"), "/ok/events/2"));
    const char *two = stream(session, run, ",\"$take\":2");
    CHECK("so many events", *at(two, "/ok/events/1/type") != 0);
    CHECK_TEXT("have not ended it", "false", at(two, "/ok/ended"));
    CHECK_ERROR("a stream without an end needs one", "invalid_argument", keep(tandem_call(c, "engine.stream", open_end)));
    CHECK_ERROR("so does the global one", "invalid_argument", keep(tandem_call(c, "engine.global_stream", NULL)));
    long long began = now_ms();
    const char *timed = keep(tandem_call(c, "engine.stream", text("{\"session_id\":\"%s\",\"$timeout_ms\":300}", session)));
    CHECK_OK("$timeout_ms is no error here", timed);
    CHECK("it is kept", now_ms() - began >= 295 && now_ms() - began < 3000 * slowness());
    CHECK_TEXT("and has not ended it", "false", at(timed, "/ok/ended"));
    CHECK_ERROR("$take of nothing", "invalid_argument", stream(session, run, ",\"$take\":0"));
    CHECK_OK("$reconnect false", stream(session, run, ",\"$reconnect\":false"));
}

static void from_now(void)
{
    struct collected own = COLLECTED, global = COLLECTED;
    const char *session = new_session(c), *other = new_session(c);

    follow(c, session, start_run(c, session, "before [[hello]]"));
    uint64_t op = tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\"}", session), collect, &own, collect_drop, NULL);
    uint64_t all = tandem_stream(c, "engine.global_stream", NULL, collect, &global, collect_drop, NULL);
    tandem_pump(c, 0, 100);
    CHECK_TEXT("without run_id: nothing from before", "", own.words);
    start_run(c, session, "one [[hello]]");
    CHECK("a first run", pump_until(c, &own.terminal, 1, 10000));
    follow(c, other, start_run(c, other, "other [[hello]]"));
    start_run(c, session, "two [[hello]]");
    CHECK("a second run", pump_until(c, &own.terminal, 2, 10000));
    CHECK_TEXT("of this session", "Hello there friendHello there friend", own.words);
    CHECK_INT("it does not end by itself", 0, own.dones);
    CHECK("the global stream has all three", pump_until(c, &global.terminal, 3, 10000));
    tandem_cancel(c, op);
    tandem_cancel(c, all);
    pump_until(c, &own.dones, 1, 5000);
    pump_until(c, &global.dones, 1, 5000);
    CHECK_TEXT("but by cancel", "cancelled", at(own.result, "/error/name"));
}

static void submitted(void)
{
    struct collected own = COLLECTED, sync = COLLECTED;
    const char *session = new_session(c), *run = start_run(c, session, "[[hello]]");

    tandem_stream(c, "engine.stream", stream_args(session, run), collect, &own, collect_drop, NULL);
    CHECK("a submitted stream ends with its run", pump_until(c, &own.dones, 1, 10000));
    CHECK_TEXT("its done", "true", at(own.result, "/ok/ended"));
    CHECK_TEXT("after the terminal event", "Hello there friend", own.words);
    CHECK_INT("one terminal event", 1, own.terminal);
    tandem_stream(c, "sessions.prompt_sync", prompt_args(session, "[[unicode]]"), collect, &sync, collect_drop, NULL);
    CHECK("an operation with a result of its own", pump_until(c, &sync.dones, 1, 10000));
    CHECK_TEXT("returns that", "Gr\xc3\xbc\xc3\x9f" "e \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x9a\x80 \"quoted\" \\ tab\there",
               at(sync.result, "/ok/text"));
    CHECK_TEXT("and its events are events", at(sync.result, "/ok/text"), sync.words);
}

static void vocabularies(void)
{
    const char *session = new_session(c), *run = start_run(c, session, "[[hello]]");
    const char *events = stream(session, run, ",\"vocabulary\":\"engine\"");
    int updated = index_of(events, "message.part.updated");

    CHECK("engine vocabulary has the engine's names", updated >= 0 && index_of(events, "session.run.finished") > updated);
    CHECK_TEXT("its frame is untouched", "message.part.updated", at(events, text("/ok/events/%d/frame/type", updated)));
    CHECK_TEXT("and stands for the properties", "", at(events, text("/ok/events/%d/properties", updated)));
    CHECK("engine.* is not there", index_of(events, "session.response") < 0);
    CHECK("$vocabulary does the same", index_of(stream(session, run, ",\"$vocabulary\":\"engine\""), "message.part.updated") >= 0);
    const char *log = keep(tandem_call(c, "engine.run_events", text("{\"run_id\":\"%s\"}", run)));
    CHECK_OK("the run's log", log);
    int last = number_at(log, "/ok/count") - 1;
    CHECK_TEXT("begins with its start", "session.run.started", at(log, "/ok/events/0/type"));
    CHECK_TEXT("and ends with its end", "session.run.finished", at(log, text("/ok/events/%d/event_type", last)));
    run = start_run(c, session, "[[long]]");
    events = follow(c, session, run);
    const char *whole = said(events);
    CHECK_INT("a long text is whole in its pieces", 600 * 71, strlen(whole));
    CHECK_TEXT("and in its message", whole, at(events, text("/ok/events/%d/properties/text", index_of(events, "session.message"))));
}

int main(void)
{
    begin(90);
    c = scripted_client("");
    of_a_run();
    blocking();
    from_now();
    submitted();
    vocabularies();
    tandem_close(c, -1);
    return finish();
}
