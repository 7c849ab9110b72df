/* What can go wrong with host calls. */
#include "host.h"

static tandem_client *c;

/* Waits until the call is over for the engine. */
static int is_unwanted(uint64_t call)
{
    for (long long end = now_ms() + 5000 * slowness(); now_ms() < end; nap(1))
        if (tandem_reply_wanted(c, call) == 0)
            return 1;
    return 0;
}

static void refused_specs(void)
{
    static const struct {
        const char *spec, *error;
    } cases[] = {
        {"{\"kind\":\"tool\",\"name\":\"a b\"}", "invalid_argument"},
        {"{\"kind\":\"tool\",\"name\":\"t\",\"parameters\":{\"type\":\"string\"}}", "invalid_argument"},
        {"{\"kind\":\"tool\",\"name\":\"t\",\"colour\":1}", "unknown_argument"},
        {"{\"kind\":\"embedding\",\"name\":\"e\",\"dimensions\":3}", "not_supported"},
        {"{\"kind\":\"tool\",\"name\":\"taken\"}", "invalid_argument"},
        {"\"tool\"", "invalid_argument"},
        {"{\"kind\":", "invalid_json"},
    };
    struct provider *taken = tool(c, "taken", "", NULL);
    int drops = 0, count = (int)(sizeof cases / sizeof *cases);

    for (int i = 0; i < count; i++) {
        struct provider ud = {.c = c};
        char *error = NULL;
        CHECK_INT(text("%s is refused", cases[i].spec), 0, tandem_provide(c, cases[i].spec, provider_called, &ud, provider_dropped, &error));
        CHECK_ERROR("and the error says why", cases[i].error, keep(error));
        drops += ud.drops;
    }
    CHECK_INT("each refusal drops", count, drops);
    tandem_withdraw(c, taken->id);
    taken = tool(c, "taken", "", NULL);
    CHECK("a name is free again", taken->id != 0);
    tandem_withdraw(c, taken->id);
}

static void too_slow(void)
{
    struct provider *slow = tool(c, "slow", ",\"timeout_ms\":50", NULL);
    const char *session = new_session(c);

    script("host-slow", CALLS("slow", "{}"));
    CHECK_TEXT("a tool that takes too long does not end the run", "Done.", at(prompt_sync(c, session, "[[host-slow]]"), "/ok/text"));
    CHECK("the model is told", strstr(tool_part(c, session, "error"), "50 ms") != NULL);
    CHECK_INT("and the host", 1, slow->cancels);
    CHECK_TEXT("with the reason", "host_timeout", slow->reason);
    CHECK_INT("its late reply", TANDEM_E_GONE, tandem_reply(c, slow->call, "{\"ok\":\"5\"}"));
    CHECK_INT("or piece", TANDEM_E_GONE, tandem_reply_chunk(c, slow->call, "1"));
    tandem_withdraw(c, slow->id);
}

static void reply_twice(struct provider *p, uint64_t call, const char *json)
{
    (void)json;
    CHECK_INT("a reply is wanted", 1, tandem_reply_wanted(p->c, call));
    CHECK_INT("progress", TANDEM_OK, tandem_reply_chunk(p->c, call, "{\"percent\":50}"));
    CHECK_INT("the first reply", TANDEM_OK, tandem_reply(p->c, call, "{\"ok\":\"first\"}"));
    CHECK_INT("the second", TANDEM_E_GONE, tandem_reply(p->c, call, "{\"ok\":\"second\"}"));
    CHECK_INT("none is wanted any more", 0, tandem_reply_wanted(p->c, call));
}

static void reply_badly(struct provider *p, uint64_t call, const char *json)
{
    (void)json;
    CHECK_INT("a reply that is no JSON", TANDEM_E_ARGS, tandem_reply(p->c, call, "{\"ok\":"));
    CHECK_INT("fails the call", TANDEM_E_GONE, tandem_reply(p->c, call, "{\"ok\":\"5\"}"));
}

static void large_piece(struct provider *p, uint64_t call, const char *json)
{
    enum { size = 9 << 20 };
    char *piece = malloc(size + 1);

    (void)json;
    memset(piece, 'x', size);
    piece[0] = piece[size - 1] = '"';
    piece[size] = 0;
    CHECK_INT("more than 8 MiB do not wait", TANDEM_E_LIMIT, tandem_reply_chunk(p->c, call, piece));
    CHECK_INT("but the call goes on", 1, tandem_reply_wanted(p->c, call));
    free(piece);
}

static void replies(void)
{
    struct provider *add = tool(c, "add", "", NULL);
    const char *session = new_session(c);

    script("host-twice", CALLS("add", "{}"));
    add->inside = reply_twice;
    CHECK_OK("a tool that replies twice", prompt_sync(c, session, "[[host-twice]]"));
    CHECK_TEXT("has its first result", "first", tool_part(c, session, "result"));

    session = new_session(c);
    script("host-badly", CALLS("add", "{}"));
    add->inside = reply_badly;
    CHECK_OK("a tool that replies badly", prompt_sync(c, session, "[[host-badly]]"));
    CHECK("has an error", strstr(tool_part(c, session, "error"), "cannot be read") != NULL);

    session = new_session(c);
    script("host-failing", CALLS("add", "{}"));
    add->inside = NULL;
    add->answer = "{\"error\":{\"message\":\"out of paper\"}}";
    CHECK_OK("a tool that fails", prompt_sync(c, session, "[[host-failing]]"));
    CHECK("has its own word", strstr(tool_part(c, session, "error"), "out of paper") != NULL);

    session = new_session(c);
    script("host-large", CALLS("add", "{}"));
    add->inside = large_piece;
    add->answer = "{\"ok\":\"5\"}";
    CHECK_OK("a tool with a large piece", prompt_sync(c, session, "[[host-large]]"));
    tandem_withdraw(c, add->id);
    CHECK_INT("nothing was cancelled", 0, add->cancels);
}

static void withdraw_inside(struct provider *p, uint64_t call, const char *json)
{
    (void)call, (void)json;
    CHECK_INT("withdraw does not wait for the running call", TANDEM_OK, tandem_withdraw(p->c, p->id));
    CHECK_INT("nor drop before it is over", 0, p->drops);
}

static void withdrawn_while_it_runs(void)
{
    struct provider *add = tool(c, "add", "", "{\"ok\":\"5\"}");
    const char *session = new_session(c);

    add->inside = withdraw_inside;
    script("host-withdrawn", "[{\"tool_calls\":[{\"name\":\"add\",\"arguments\":{}}]},{\"tool_calls\":[{\"name\":\"add\",\"arguments\":{}}]},"
                        "{\"text\":\"Done.\"}]");
    CHECK_OK("a tool that is withdrawn while it runs", prompt_sync(c, session, "[[host-withdrawn]]"));
    CHECK_TEXT("may still answer", "5", tool_part(c, session, "result"));
    CHECK_INT("the last callback drops", 1, add->drops);
    CHECK_INT("and is the last", 1, add->calls);
}

static void cancel_inside(struct provider *p, uint64_t call, const char *json)
{
    (void)json;
    CHECK_INT("an operation is cancelled inside its tool", TANDEM_OK, tandem_cancel(p->c, p->op));
    CHECK("the call is over then", is_unwanted(call));
    CHECK_INT("its reply comes too late", TANDEM_E_GONE, tandem_reply(p->c, call, "{\"ok\":\"5\"}"));
}

static void cancelled_during_a_tool(void)
{
    struct provider *add = tool(c, "add", "", NULL);
    const char *session = new_session(c);

    add->inside = cancel_inside;
    script("host-cancelled", CALLS("add", "{}"));
    const char *result = prompt_sync(c, session, "[[host-cancelled]]");
    CHECK_ERROR("the operation says so", "cancelled", result);
    CHECK_TEXT("and that its run was stopped", "true", at(result, "/error/detail/run_cancelled"));
    while (tandem_pump(c, 0, 100) > 0)
        ;
    CHECK_INT("the host is told", 1, add->cancels);
    CHECK_TEXT("no run is left", "null", at(keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session))), "/ok/active"));
    tandem_withdraw(c, add->id);
}

static void a_paused_operation(void)
{
    struct provider *add = tool(c, "add", "", "{\"ok\":\"5\"}");
    struct collected all = COLLECTED;
    const char *session = new_session(c);

    script("host-paused", CALLS("add", "{}"));
    uint64_t op = tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\"}", session), collect, &all, collect_drop, NULL);
    CHECK_INT("paused", TANDEM_OK, tandem_pause(c, op, 1));
    start_run(c, session, "[[host-paused]]");
    CHECK("a paused operation still delivers host calls", pump_until(c, &add->calls, 1, 10000));
    CHECK_INT("of that operation", (long long)op, (long long)add->op);
    CHECK_INT("but no events", 0, all.events);
    tandem_pause(c, op, 0);
    CHECK("they come when it goes on", pump_until(c, &all.terminal, 1, 10000));
    tandem_cancel(c, op);
    pump_until(c, &all.dones, 1, 5000);
    tandem_withdraw(c, add->id);
}

static void *answer_later(void *ud)
{
    struct provider *p = ud;

    nap(50);
    CHECK_INT("a reply of another thread", TANDEM_OK, tandem_reply(p->c, p->call, "{\"ok\":\"later\"}"));
    return NULL;
}

static pthread_t later;

static void leave_it_to_another(struct provider *p, uint64_t call, const char *json)
{
    (void)call, (void)json;
    pthread_create(&later, NULL, answer_later, p);
}

static void answered_by_another_thread(void)
{
    struct provider *add = tool(c, "add", "", NULL);
    const char *session = new_session(c);

    add->inside = leave_it_to_another;
    script("host-later", CALLS("add", "{}"));
    CHECK_OK("a tool that is answered later", prompt_sync(c, session, "[[host-later]]"));
    pthread_join(later, NULL);
    CHECK_TEXT("has its result", "later", tool_part(c, session, "result"));
    tandem_withdraw(c, add->id);
}

static void by_a_thread_of_the_library(void)
{
    tandem_client *own = scripted_client(",\"delivery\":\"thread\"");
    struct provider *add = tool(own, "add", "", "{\"ok\":\"5\"}");
    const char *session = new_session(own);

    script("host-delivered", CALLS("add", "{}"));
    CHECK_OK("a run ends", prompt_sync(own, session, "[[host-delivered]]"));
    CHECK("a call that blocks serves its own calls all the same", add->calls == 1 && pthread_equal(add->thread, pthread_self()));
    script("host-delivered-2", CALLS("add", "{}"));
    start_run(own, session, "[[host-delivered-2]]");
    /* A stream would serve the call on this thread. */
    for (const char *active = "", *args = text("{\"session_id\":\"%s\"}", session); strcmp(active, "null") != 0; nap(5))
        active = at(keep(tandem_call(own, "sessions.active_run", args)), "/ok/active");
    tandem_close(own, -1);
    CHECK_INT("the library's thread serves what nobody waits for", 2, add->calls);
    CHECK("on itself", !pthread_equal(add->thread, pthread_self()));
}

static void close_inside(struct provider *p, uint64_t call, const char *json)
{
    (void)json;
    CHECK_INT("close inside a host call", TANDEM_PENDING, tandem_close(p->c, -1));
    CHECK_INT("its reply is for nobody", TANDEM_E_HANDLE, tandem_reply(p->c, call, "{\"ok\":\"5\"}"));
    CHECK_INT("nor is it wanted", TANDEM_E_HANDLE, tandem_reply_wanted(p->c, call));
}

static void closed_during_a_tool(void)
{
    tandem_client *own = scripted_client("");
    struct provider *add = tool(own, "add", "", NULL);

    add->inside = close_inside;
    script("host-closed", CALLS("add", "{}"));
    CHECK_ERROR("a call whose tool closes the client", "closed", prompt_sync(own, new_session(own), "[[host-closed]]"));
    CHECK_INT("the tool is dropped", 1, add->drops);

    own = scripted_client("");
    struct provider *slow = tool(own, "add", "", NULL);
    const char *session = new_session(own);
    script("host-open", CALLS("add", "{}"));
    start_run(own, session, "[[host-open]]");
    CHECK("a tool is called", pump_until(own, &slow->calls, 1, 10000));
    CHECK_INT("close with a call pending", TANDEM_OK, tandem_close(own, 10000 * slowness()));
    CHECK_INT("drops", 1, slow->drops);
    CHECK_INT("and tells nobody", 0, slow->cancels);
}

int main(void)
{
    begin(60);
    c = scripted_client("");
    refused_specs();
    too_slow();
    replies();
    withdrawn_while_it_runs();
    cancelled_during_a_tool();
    a_paused_operation();
    answered_by_another_thread();
    CHECK_INT("nothing is left", 0, number_at(keep(tandem_stats(c)), "/ok/host_calls_pending"));
    tandem_close(c, -1);
    by_a_thread_of_the_library();
    closed_during_a_tool();
    return finish();
}
