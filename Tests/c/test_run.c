/* sessions.run in its three forms on the embedded engine: the result, the events, what cancelling leaves. */
#include "client.h"

static const char *run_args(const char *session, const char *words, const char *more)
{
    return text("{\"session_id\":\"%s\",\"prompt\":\"%s\"%s}", session, words, more);
}

static int is_idle(tandem_client *c, const char *session)
{
    const char *active = keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session)));

    return strcmp(at(active, "/ok/active"), "null") == 0;
}

static void blocking(tandem_client *c)
{
    const char *session = new_session(c);
    const char *run = keep(tandem_call(c, "sessions.run", run_args(session, "[[hello]]", "")));

    CHECK_OK("run: a result", run);
    CHECK_TEXT("run: the text, whole", "Hello there friend", at(run, "/ok/text"));
    CHECK_TEXT("run: its status", "completed", at(run, "/ok/status"));
    CHECK("run: its identifier", strlen(at(run, "/ok/run_id")) == 36);
    CHECK("run: its usage", number_at(run, "/ok/usage/total_tokens") > 0);
    CHECK_TEXT("run: nothing is missing", "", at(run, "/ok/missing"));
    run = keep(tandem_sessions_run(c, run_args(session, "[[fail500]]", "")));
    CHECK_TEXT("run: one that fails is a result", "failed", at(run, "/ok/status"));
    CHECK_TEXT("run: which says why", "provider_error", at(run, "/ok/error/name"));
    CHECK_ERROR("run: of no session", "not_found", keep(tandem_call(c, "sessions.run", run_args("none", "x", ""))));
    CHECK_ERROR("run: without a prompt", "invalid_argument",
                keep(tandem_call(c, "sessions.run", text("{\"session_id\":\"%s\"}", session))));
    CHECK_ERROR("run: with terms that cannot be", "invalid_argument",
                keep(tandem_call(c, "sessions.run", run_args(session, "x", ",\"permissions\":{\"default\":\"maybe\"}"))));
    CHECK_ERROR("run: with an argument that it has not", "unknown_argument",
                keep(tandem_call(c, "sessions.run", run_args(session, "x", ",\"colour\":1"))));
    run = keep(tandem_call(c, "sessions.run", run_args(session, "[[slow]]", ",\"$timeout_ms\":200")));
    CHECK_ERROR("run: whose time is up", "timeout", run);
    CHECK_TEXT("run: is cancelled", "true", at(run, "/error/detail/run_cancelled"));
    CHECK("run: and not left behind", is_idle(c, session));
}

static void streamed(tandem_client *c)
{
    struct collected all = COLLECTED;
    const char *session = new_session(c);
    uint64_t op = tandem_stream(c, "sessions.run", run_args(session, "[[many]]", ",\"$tag\":\"t\""), collect, &all,
                                collect_drop, NULL);

    CHECK("stream: begins", op != 0);
    pump_until(c, &all.drops, 1, 60000);
    CHECK_INT("stream: one done", 1, all.dones);
    CHECK_INT("stream: one end of the run", 1, all.terminal);
    CHECK_INT("stream: in order", 0, all.disordered);
    CHECK_TEXT("stream: done is last", "done", all.last_type);
    CHECK_TEXT("stream: with its tag", "t", all.tag);
    CHECK("stream: a result", strncmp(all.result, "{\"ok\":{\"text\":\"w0 w1 ", 21) == 0);
    CHECK("stream: the words", strncmp(all.words, "w0 w1 w2 ", 9) == 0);
}

static int over, folded, states_wrong;
static char last_state[256];

static void watch_state(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op;
    char *type = tandem_get(event, "/type"), *state = tandem_get(event, "/state/text");

    if (type != NULL && strcmp(type, "done") == 0) {
        over = 1;
    } else if (type != NULL && strcmp(type, "session.response") == 0) {
        folded++;
        if (state == NULL || strlen(state) < strlen(last_state) || strncmp(state, last_state, strlen(last_state)) != 0)
            states_wrong++;
        snprintf(last_state, sizeof last_state, "%s", state == NULL ? "" : state);
    }
    tandem_free(type);
    tandem_free(state);
}

static void folding(tandem_client *c)
{
    const char *session = new_session(c);

    tandem_stream(c, "sessions.run", run_args(session, "[[brief]]", ",\"fold\":true"), watch_state, NULL, NULL, NULL);
    pump_until(c, &over, 1, 30000);
    CHECK_INT("fold: a state with each piece", 20, folded);
    CHECK_INT("fold: which only grows", 0, states_wrong);
    CHECK("fold: to the whole text", strstr(last_state, "piece0 ") != NULL && strstr(last_state, "piece19 ") != NULL);
    over = folded = states_wrong = 0;
    last_state[0] = 0;
    tandem_stream(c, "sessions.run", run_args(session, "[[brief]]", ",\"fold\":true,\"coalesce_ms\":30"), watch_state, NULL,
                  NULL, NULL);
    pump_until(c, &over, 1, 30000);
    CHECK("coalesce: fewer pieces", folded > 0 && folded < 20);
    CHECK("coalesce: the same text", states_wrong == 0 && strstr(last_state, "piece19 ") != NULL);
}

/* A run as its engine's frames, or as both: their text comes joined and says so. */
static void joined_frames(tandem_client *c, const char *vocabulary, int responses)
{
    const char *session = new_session(c), *run = start_run(c, session, "[[brief]]");
    const char *all = keep(tandem_call(c, "engine.stream", text("{\"session_id\":\"%s\",\"run_id\":\"%s\",\"vocabulary\":\"%s\","
                                                              "\"coalesce_ms\":60000}", session, run, vocabulary)));
    const char *words = "";
    int pieces = 0, added = 0;

    for (int i = 0; at(all, text("/ok/events/%d/type", i))[0] != 0; i++) {
        if (strcmp(at(all, text("/ok/events/%d/type", i)), "session.response") == 0)
            added++;
        if (at(all, text("/ok/events/%d/joined", i))[0] != 0) {
            pieces += atoi(at(all, text("/ok/events/%d/joined", i)));
            words = at(all, text("/ok/events/%d/frame/properties/delta", i));
        }
    }
    CHECK_INT(text("%s: frames of text come as one", vocabulary), 20, pieces);
    CHECK(text("%s: with all of the text", vocabulary), strstr(words, "piece0 piece1 ") == words && strstr(words, "piece19 ") != NULL);
    CHECK_INT(text("%s: and once more for readers of the other kind", vocabulary), responses, added);
}

static void taking_some(tandem_client *c)
{
    const char *session = new_session(c);
    const char *result = keep(tandem_call(c, "sessions.run", run_args(session, "[[brief]]", ",\"$take\":3")));

    CHECK_TEXT("$take ends a call that blocks, too", "false", at(result, "/ok/ended"));
    for (long long end = now_ms() + 5000 * slowness(); now_ms() < end; nap(5))
        if (strcmp(at(keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session))), "/ok/active"), "null") == 0)
            break;
    const char *active = keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session)));
    CHECK_TEXT("and its run", "null", at(active, "/ok/active"));
}

static void cancelling(tandem_client *c)
{
    for (int ms = 0; ms <= 200; ms += 20) {
        const char *session = new_session(c);
        uint64_t op = tandem_submit(c, "sessions.run", run_args(session, "[[slow]]", ""), NULL);

        nap(ms);
        CHECK_INT(text("cancel after %d ms", ms), TANDEM_OK, tandem_cancel(c, op));
        CHECK_ERROR("cancel: is the error", "cancelled", keep(tandem_wait(c, op, 6000)));
        CHECK("cancel: no run is left", is_idle(c, session));
    }
    const char *session = new_session(c);
    uint64_t op = tandem_submit(c, "sessions.run", run_args(session, "[[hello]]", ""), NULL);
    tandem_pause(c, op, 1);
    for (long long end = now_ms() + 5000 * slowness(); now_ms() < end && (nap(50), !is_idle(c, session));)
        ;
    nap(100);
    const char *run = keep((tandem_cancel(c, op), tandem_wait(c, op, 6000)));
    CHECK_TEXT("cancel: a result that is there is given", "Hello there friend", at(run, "/ok/text"));
}

static void closing(void)
{
    tandem_client *c = scripted_client("");
    const char *session = new_session(c);
    struct collected all = COLLECTED;

    tandem_stream(c, "sessions.run", run_args(session, "[[slow]]", ""), collect, &all, collect_drop, NULL);
    nap(100);
    CHECK_INT("close: with a run under way", TANDEM_OK, tandem_close(c, -1));
    CHECK("close: gives its done", all.dones == 1 && all.drops == 1);
    CHECK_ERROR("close: cancelled", "cancelled", all.result);
}

int main(void)
{
    begin(120);
    tandem_client *c = scripted_client("");

    blocking(c);
    streamed(c);
    folding(c);
    joined_frames(c, "engine", 0);
    joined_frames(c, "both", 1);
    taking_some(c);
    cancelling(c);
    tandem_close(c, -1);
    closing();
    return finish();
}
