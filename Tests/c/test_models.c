/* Model servers that fail: each failure ends the run with one clear error, and the text so far is not lost. */
#include "client.h"

static tandem_client *c;

/* One prompt whose run must fail; said: the text that came before the failure. */
static void failure(const char *what, const char *words, const char *said)
{
    const char *session = new_session(c), *run = start_run(c, session, words);
    struct collected own = COLLECTED;

    tandem_stream(c, "engine.stream", stream_args(session, run), collect, &own, collect_drop, NULL);
    CHECK(text("%s: the stream ends", what), pump_until(c, &own.dones, 1, 20000));
    CHECK_INT(text("%s: one terminal event", what), 1, own.terminal);
    CHECK_TEXT(text("%s: the text so far", what), said, own.words);
    const char *past = follow(c, session, run);
    int last = -1, failed = count_type(past, "/ok/events", "run.failed", &last);
    CHECK_INT(text("%s: run.failed", what), 1, failed);
    CHECK(text("%s: its error has a message", what), *at(past, text("/ok/events/%d/properties/error/message", last)) != 0);
    printf("   %s: %s\n", what, at(past, text("/ok/events/%d/properties/error", last)));
    const char *log = keep(tandem_call(c, "engine.run_events", text("{\"run_id\":\"%s\"}", run)));
    CHECK_TEXT(text("%s: the log ends with its end", what), "session.run.finished",
               at(log, text("/ok/events/%lld/event_type", number_at(log, "/ok/count") - 1)));
    CHECK_TEXT(text("%s: as an error", what), "error",
               at(log, text("/ok/events/%lld/payload/status", number_at(log, "/ok/count") - 1)));
    CHECK(text("%s: the text is in the log", what), strstr(log, text("%.*s", (int)strcspn(said, " "), said)) != NULL);
    const char *active = keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session)));
    CHECK_TEXT(text("%s: the session is free", what), "null", at(active, "/ok/active"));
    const char *again = keep(tandem_call(c, "sessions.prompt_sync", prompt_args(session, "[[hello]]")));
    if (strcmp(what, "absent") != 0)
        CHECK_TEXT(text("%s: the next prompt works", what), "Hello there friend", at(again, "/ok/text"));
    else
        CHECK_INT("absent: prompt_sync fails too", TANDEM_E_FAILED, tandem_status(again));
}

static void silent(const char *what, const char *words, const char *said)
{
    const char *session = new_session(c);
    struct collected own = COLLECTED;
    long long began = now_ms();

    tandem_stream(c, "sessions.prompt_sync",
                  text("{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"%s\"}],\"$timeout_ms\":1500}", session, words),
                  collect, &own, collect_drop, NULL);
    CHECK(text("%s: ends at its deadline", what), pump_until(c, &own.dones, 1, 10000));
    CHECK(text("%s: in time", what), now_ms() - began >= 1450 && now_ms() - began < 8000 * slowness());
    CHECK_TEXT(text("%s: with timeout", what), "timeout", at(own.result, "/error/name"));
    CHECK_TEXT(text("%s: the text so far", what), said, own.words);
    const char *again = keep(tandem_call(c, "sessions.prompt_sync",
        text("{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"[[hello]]\"}]}", session)));
    CHECK_TEXT(text("%s: the next prompt works", what), "Hello there friend", at(again, "/ok/text"));
}

int main(void)
{
    begin(150);
    c = scripted_client("");
    failure("HTML", "[[html]]", "");
    failure("half an event", "[[half]]", "first part ");
    failure("cut", "[[cut]]", "partial answer");
    failure("status 500", "[[fail500]]", "");
    failure("status 401", "[[fail401]]", "");
    failure("refused", "[[refuses]]", "");
    silent("stalls", "[[stall]]", "");
    silent("hangs", "[[hang]]", "early words ");
    tandem_close(c, -1);

    /* port 1 of loopback: nobody listens there */
    c = opened("{\"discover\":false,\"default_provider\":\"llama_cpp\",\"retries\":0,"
               "\"providers\":{\"llama_cpp\":{\"url\":\"http://127.0.0.1:1\",\"default_model\":\"m\"}}}");
    failure("absent", "anything", "");
    tandem_close(c, -1);
    c = opened(ECHO);
    const char *session = at(keep(tandem_call(c, "sessions.create", "{\"model\":{\"providerID\":\"nowhere\",\"modelID\":\"m\"}}")), "/ok/id");
    const char *events = follow(c, session, start_run(c, session, "hi"));
    CHECK_INT("a provider that is not configured: run.failed", 1, count_type(events, "/ok/events", "run.failed", NULL));
    const char *echo = keep(tandem_call(c, "sessions.create", "{\"model\":{\"providerID\":\"local\",\"modelID\":\"echo-1\"}}"));
    const char *answer = keep(tandem_call(c, "sessions.prompt_sync", prompt_args(at(echo, "/ok/id"), "parrot")));
    CHECK("echo says it back", strstr(at(answer, "/ok/text"), "parrot") != NULL);
    tandem_close(c, -1);
    return finish();
}
