/* Inside a host call: what may be called there, as a function and as an event. */
#include "host.h"

static tandem_client *c, *other;

static void nothing(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op, (void)event;
}

static void no_log(void *ud, int32_t level, const char *record)
{
    (void)ud, (void)level, (void)record;
}

static void count_drop(void *ud)
{
    ++*(int *)ud;
}

static void everything(struct provider *p, uint64_t call, const char *json)
{
    char *error = NULL;
    int drops = 0;

    (void)json;
    CHECK("the call has an operation", p->op != 0);
    CHECK_INT("host call: pump of this client", TANDEM_E_REENTRANT, tandem_pump(c, 0, 0));
    CHECK_ERROR("host call: next of this client", "reentrant", keep(tandem_next(c, 0, 0)));
    CHECK_INT("host call: pump of another", 0, tandem_pump(other, 0, 0));
    CHECK_TEXT("host call: next of another", "{\"ok\":[]}", keep(tandem_next(other, 0, 0)));
    CHECK_ERROR("host call: wait for its own operation", "reentrant", keep(tandem_wait(c, p->op, -1)));
    CHECK_OK("host call: call", keep(tandem_call(c, "engine.health", NULL)));
    CHECK_OK("host call: a call that writes", keep(tandem_call(c, "sessions.create", "{}")));
    uint64_t made = tandem_submit(c, "engine.health", NULL, &error);
    CHECK("host call: submit", made != 0 && error == NULL);
    CHECK_OK("host call: wait for another", keep(tandem_wait(c, made, -1)));
    made = tandem_stream(c, "engine.health", NULL, nothing, &drops, count_drop, NULL);
    CHECK_OK("host call: wait for a stream", keep(tandem_wait(c, made, -1)));
    CHECK_INT("host call: which drops", 1, drops);
    CHECK_INT("host call: cancel what is over", TANDEM_ALREADY, tandem_cancel(c, made));
    CHECK_INT("host call: pause of its operation", TANDEM_OK, tandem_pause(c, p->op, 0));
    CHECK_OK("host call: stats", keep(tandem_stats(c)));
    CHECK_OK("host call: describe", keep(tandem_describe("events")));
    CHECK_INT("host call: set_wakeup", TANDEM_OK, tandem_set_wakeup(c, NULL, NULL, NULL));
    CHECK_INT("host call: set_log", TANDEM_OK, tandem_set_log(no_log, NULL, NULL, 0));
    CHECK("host call: wakeup_fd", tandem_wakeup_fd(c) >= 0);
    CHECK_INT("host call: wake", TANDEM_OK, tandem_wake(c));
    made = tandem_provide(c, "{\"kind\":\"tool\",\"name\":\"inner\"}", provider_called, &drops, count_drop, &error);
    CHECK("host call: provide", made != 0 && error == NULL);
    CHECK_INT("host call: withdraw", TANDEM_OK, tandem_withdraw(c, made));
    CHECK_INT("host call: which drops", 2, drops);
    CHECK_INT("host call: reply_wanted", 1, tandem_reply_wanted(c, call));
    CHECK_INT("host call: reply_chunk", TANDEM_OK, tandem_reply_chunk(c, call, "1"));
    CHECK_TEXT("host call: get", "1", at("{\"a\":1}", "/a"));
    CHECK_TEXT("host call: quote", "\"a\"", keep(tandem_quote("a")));
    CHECK_INT("host call: status", TANDEM_E_BUSY, tandem_status("{\"error\":{\"code\":-3}}"));
    CHECK_INT("host call: version", 256, tandem_version());
    CHECK("host call: build_info", strstr(tandem_build_info(), "\"host\":[\"tool\"") != NULL);
    tandem_client *inner = tandem_open(ECHO, &error);
    CHECK("host call: open", inner != NULL);
    CHECK_INT("host call: close of another", TANDEM_OK, tandem_close(inner, -1));
}

static void by_each_way(const char *mark, const char *how)
{
    struct provider *add = tool(c, "add", "", "{\"ok\":\"5\"}");
    struct collected all = COLLECTED;
    const char *session = new_session(c);

    add->inside = everything;
    script(mark, CALLS("add", "{}"));
    if (strcmp(how, "pump") == 0) {
        tandem_stream(c, "engine.stream", stream_args(session, start_run(c, session, text("[[%s]]", mark))), collect, &all, collect_drop, NULL);
        CHECK("a run that is pumped ends", pump_until(c, &all.dones, 1, 10000));
    } else {
        CHECK_OK("a run that is called ends", prompt_sync(c, session, text("[[%s]]", mark)));
    }
    CHECK_INT(text("the tool was called by %s", how), 1, add->calls);
    CHECK_TEXT(text("with its result by %s", how), "5", tool_part(c, session, "result"));
    tandem_withdraw(c, add->id);
}

static int handled;

/* A handler that gets the call as an event. */
static void handle(void *ud, uint64_t op, const char *event)
{
    (void)ud;
    if (strcmp(at(event, "/type"), "host.call") != 0)
        return;
    handled++;
    uint64_t call = strtoull(at(event, "/call"), NULL, 10);
    CHECK_INT("the handler is told its operation", (long long)op, number_at(event, "/op"));
    CHECK_ERROR("an event that is a host call is one, too", "reentrant", keep(tandem_wait(c, op, -1)));
    CHECK_INT("pump of this client", TANDEM_E_REENTRANT, tandem_pump(c, 0, 0));
    CHECK_INT("and it is answered there", TANDEM_OK, tandem_reply(c, call, "{\"ok\":\"5\"}"));
}

static void as_an_event_of_the_handler(void)
{
    uint64_t id = tandem_provide(c, "{\"kind\":\"tool\",\"name\":\"add\"}", NULL, NULL, NULL, NULL);
    const char *session = new_session(c);

    tandem_set_handler(c, handle, NULL, NULL);
    script("host-handled", CALLS("add", "{}"));
    tandem_submit(c, "sessions.prompt_sync", prompt_args(session, "[[host-handled]]"), NULL);
    CHECK("the handler gets the call", pump_until(c, &handled, 1, 10000));
    /* A thread that blocks is shown no events: the call is for the handler of whoever pumps. */
    tandem_set_handler(c, NULL, NULL, NULL);
    tandem_withdraw(c, id);
}

/* What a drop may do, with a provider's. */
static void in_drop(void *ud)
{
    ++*(int *)ud;
    CHECK_INT("drop: pump", TANDEM_E_REENTRANT, tandem_pump(c, 0, 0));
    CHECK_ERROR("drop: call", "reentrant", keep(tandem_call(c, "engine.health", NULL)));
    CHECK_INT("drop: close", TANDEM_E_REENTRANT, tandem_close(c, -1));
    CHECK_INT("drop: reply", TANDEM_E_ARGS, tandem_reply(c, 1, "{}"));
    CHECK_INT("drop: withdraw", TANDEM_E_ARGS, tandem_withdraw(c, 1));
}

static int depth, deepest;

/* Each level's tool prompts once more. */
static void nest(struct provider *p, uint64_t call, const char *json)
{
    (void)call, (void)json;
    if (++depth > deepest)
        deepest = depth;
    if (depth < 40) {
        const char *result = prompt_sync(p->c, new_session(p->c), "[[host-nested]]");
        if (tandem_status(result) != TANDEM_OK) {
            CHECK_ERROR("nesting ends with reentrant", "reentrant", result);
            depth = 40;
        }
    }
}

int main(void)
{
    int drops = 0;

    begin(60);
    c = scripted_client("");
    other = echo_client();
    by_each_way("host-inside-pump", "pump");
    by_each_way("host-inside-call", "call");
    as_an_event_of_the_handler();
    uint64_t id = tandem_provide(c, "{\"kind\":\"question\"}", provider_called, &drops, in_drop, NULL);
    tandem_withdraw(c, id);
    CHECK_INT("a drop ran", 1, drops);

    struct provider *add = tool(c, "add", "", "{\"ok\":\"5\"}");
    add->inside = nest;
    char *answers = room(4096);
    strcpy(answers, "[");
    for (int i = 0; i < 16; i++)
        strcat(answers, "{\"tool_calls\":[{\"name\":\"add\",\"arguments\":{}}]},");
    strcat(answers, "{\"text\":\"Done.\"}]");
    script("host-nested", answers);
    CHECK_OK("prompts nest inside tools", prompt_sync(c, new_session(c), "[[host-nested]]"));
    CHECK("16 deep", deepest >= 15 && deepest <= 17);
    tandem_close(c, -1);
    tandem_close(other, -1);
    return finish();
}
