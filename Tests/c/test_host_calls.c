/* On the embedded engine: tools, models and decisions of the host. */
#include "host.h"

static tandem_client *c;

static void on_the_thread_that_pumps(void)
{
    struct provider *add = tool(c, "add", ",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}",
                                "{\"ok\":\"5\"}");
    struct collected all = COLLECTED;
    const char *session = new_session(c);

    script("host-pumps", CALLS("add", "{\"a\":2,\"b\":3}"));
    const char *run = start_run(c, session, "[[host-pumps]]");
    uint64_t op = tandem_stream(c, "engine.stream", stream_args(session, run), collect, &all, collect_drop, NULL);
    CHECK("the run ends", pump_until(c, &all.dones, 1, 10000));
    CHECK_INT("the tool was called once", 1, add->calls);
    CHECK("R5 on the thread that pumps", pthread_equal(add->thread, pthread_self()));
    CHECK_TEXT("as a host call", "host.call", at(add->json, "/type"));
    CHECK_INT("of the session's stream", (long long)op, (long long)add->op);
    CHECK_TEXT("of a tool", "tool", at(add->json, "/kind"));
    CHECK_TEXT("by its name", "add", at(add->json, "/name"));
    CHECK_TEXT("in its session", session, at(add->json, "/session_id"));
    CHECK_TEXT("and run", run, at(add->json, "/run_id"));
    CHECK_INT("with its time", 120000, number_at(add->json, "/timeout_ms"));
    CHECK_INT("with the model's arguments", 5, number_at(add->json, "/input/a") + number_at(add->json, "/input/b"));
    CHECK_INT("numbered like events", 1, number_at(add->json, "/seq") > 0);
    CHECK_TEXT("the model goes on with the result", "Done.", all.words);
    CHECK_TEXT("which is stored", "5", tool_part(c, session, "result"));
    CHECK_INT("events come in order", 0, all.disordered);
    CHECK_INT("a reply after the end", TANDEM_E_GONE, tandem_reply(c, add->call, "{\"ok\":\"5\"}"));
    CHECK_INT("withdraw", TANDEM_OK, tandem_withdraw(c, add->id));
    CHECK_INT("drops", 1, add->drops);
}

static void a_host_of_one_thread(void)
{
    struct provider *add = tool(c, "add", "", "{\"ok\":{\"output\":\"5\",\"metadata\":{\"unit\":\"m\"}}}");
    const char *session = new_session(c);

    script("host-blocks", CALLS("add", "{}"));
    const char *result = prompt_sync(c, session, "[[host-blocks]]");
    CHECK_TEXT("tandem_call serves the calls of its own run", "Done.", at(result, "/ok/text"));
    CHECK("on this thread", add->calls == 1 && pthread_equal(add->thread, pthread_self()));
    CHECK("they belong to it", add->op != 0);

    script("host-waits", CALLS("add", "{}"));
    uint64_t op = tandem_submit(c, "sessions.prompt_sync", prompt_args(session, "[[host-waits]]"), NULL);
    result = keep(tandem_wait(c, op, -1));
    CHECK_TEXT("tandem_wait serves them, too", "Done.", at(result, "/ok/text"));
    CHECK_INT("by the operation", (long long)op, (long long)add->op);

    script("host-streams", CALLS("add", "{}"));
    const char *run = start_run(c, session, "[[host-streams]]");
    /* Asked before the stream is there, and before anybody looks. */
    for (long long end = now_ms() + 10000 * slowness(); now_ms() < end; nap(5))
        if (number_at(keep(tandem_stats(c)), "/ok/host_calls_pending") == 1)
            break;
    result = follow(c, session, run);
    CHECK_INT("and a blocking stream", 1, count_type(result, "/ok/events", "run.completed", NULL));
    CHECK_INT("three calls in all", 3, add->calls);
    tandem_withdraw(c, add->id);
}

static void as_events(void)
{
    char *error = NULL;
    uint64_t id = tandem_provide(c, "{\"kind\":\"tool\",\"name\":\"add\"}", NULL, NULL, NULL, &error);
    const char *session = new_session(c);

    CHECK("a tool without a function is provided", id != 0 && error == NULL);
    script("host-events", CALLS("add", "{\"a\":1}"));
    uint64_t op = tandem_submit(c, "sessions.prompt_sync", prompt_args(session, "[[host-events]]"), NULL);
    const char *result = "";
    int calls = 0;
    for (long long end = now_ms() + 10000 * slowness(); result[0] == 0 && now_ms() < end;) {
        const char *batch = keep(tandem_next(c, 1, 1000));
        const char *type = at(batch, "/ok/0/type");
        if (strcmp(type, "host.call") == 0) {
            calls++;
            CHECK_INT("the event names its operation", (long long)op, number_at(batch, "/ok/0/op"));
            uint64_t call = strtoull(at(batch, "/ok/0/call"), NULL, 10);
            CHECK_INT("and is answered", TANDEM_OK, tandem_reply(c, call, "{\"ok\":\"1\"}"));
        } else if (strcmp(type, "done") == 0) {
            result = at(batch, "/ok/0/result");
        }
    }
    CHECK_INT("one event for the call", 1, calls);
    CHECK_TEXT("and the run goes on", "Done.", at(result, "/ok/text"));
    tandem_withdraw(c, id);
}

static void say(struct provider *p, uint64_t call, const char *json)
{
    (void)json;
    CHECK_INT("a piece", TANDEM_OK, tandem_reply_chunk(p->c, call, "{\"content\":\"Hel\"}"));
    CHECK_INT("a piece that is a text", TANDEM_OK, tandem_reply_chunk(p->c, call, "\"lo\""));
}

static void say_nonsense(struct provider *p, uint64_t call, const char *json)
{
    (void)json;
    CHECK_INT("a piece that is none", TANDEM_E_ARGS, tandem_reply_chunk(p->c, call, "{\"content\":5}"));
    CHECK_INT("fails the call", 0, tandem_reply_wanted(p->c, call));
}

static void a_model_that_stays_silent_after_tools(void)
{
    struct provider *add = tool(c, "add", "", "{\"ok\":\"5\"}");
    const char *session = new_session(c);

    script("host-silent", "[{\"tool_calls\":[{\"name\":\"add\",\"arguments\":{}}]},{\"text\":\"\"},{\"text\":\"It is five.\"}]");
    CHECK_TEXT("a model that is silent after its tools is asked again", "It is five.", at(prompt_sync(c, session, "[[host-silent]]"), "/ok/text"));
    script("host-mute", "[{\"tool_calls\":[{\"name\":\"add\",\"arguments\":{}}]},{\"text\":\"\"}]");
    CHECK("one that stays so leaves what they gave", strstr(at(prompt_sync(c, session, "[[host-mute]]"), "/ok/text"), "add: 5") != NULL);
    tandem_withdraw(c, add->id);
}

static void a_model_of_the_host(void)
{
    struct provider *model = provided(c, "{\"kind\":\"model\",\"name\":\"mine\",\"context_tokens\":4096,\"tools\":true}",
                                      "{\"ok\":{\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}}");
    const char *made = keep(tandem_call(c, "sessions.create", "{\"model\":{\"provider_id\":\"host\",\"model_id\":\"mine\"}}"));
    const char *session = at(made, "/ok/id");

    model->inside = say;
    const char *result = prompt_sync(c, session, "Hi");
    CHECK_TEXT("the pieces are the answer", "Hello", at(result, "/ok/text"));
    CHECK_TEXT("a model gets a chat request", "mine", at(model->json, "/input/model"));
    CHECK_TEXT("with the prompt", "Hi", at(model->json, "/input/messages/1/content"));

    model->inside = NULL;
    model->answer = "{\"ok\":{\"message\":\"Whole.\"}}";
    CHECK_TEXT("or the message is", "Whole.", at(prompt_sync(c, session, "again"), "/ok/text"));
    model->answer = "{\"error\":{\"message\":\"no power\"}}";
    CHECK_ERROR("a model that fails fails its run", "host_failed", prompt_sync(c, session, "again"));
    model->answer = NULL;
    model->inside = say_nonsense;
    CHECK_ERROR("a model that sends no piece fails its run", "host_failed", prompt_sync(c, session, "again"));
    pump_until(c, &model->cancels, 1, 5000);
    CHECK_INT("and the host is told that the call is over", 1, model->cancels);
    CHECK_TEXT("with the reason", "host_failed", model->reason);
    tandem_withdraw(c, model->id);
    const char *gone = prompt_sync(c, session, "again");
    CHECK("a model that was withdrawn fails its run at once", tandem_status(gone) == TANDEM_E_FAILED && strstr(gone, "mine") != NULL);
    uint64_t op = tandem_submit(c, "sessions.prompt_sync", prompt_args(session, "again"), NULL);
    CHECK_TEXT("as one that was submitted", at(gone, "/error/name"), at(keep(tandem_wait(c, op, -1)), "/error/name"));
}

static void permissions(void)
{
    struct provider *add = tool(c, "add", ",\"permission\":\"ask\"", "{\"ok\":\"5\"}");
    struct provider *user = provided(c, "{\"kind\":\"permission\"}", "{\"ok\":\"once\"}");
    const char *session = new_session(c);

    script("host-allowed", CALLS("add", "{\"a\":7}"));
    CHECK_TEXT("a tool that asks runs when it may", "Done.", at(prompt_sync(c, session, "[[host-allowed]]"), "/ok/text"));
    CHECK_INT("the permission was asked for", 1, user->calls);
    CHECK_TEXT("for the tool", "add", at(user->json, "/name"));
    CHECK_INT("with its arguments", 7, number_at(user->json, "/input/args/a"));
    CHECK_INT("the tool has run", 1, add->calls);
    CHECK_INT("both on this thread", 1, pthread_equal(user->thread, pthread_self()) && pthread_equal(add->thread, pthread_self()));

    user->answer = "{\"ok\":\"reject\"}";
    session = new_session(c);
    script("host-refused", CALLS("add", "{}"));
    CHECK_OK("a run goes on after a refusal", prompt_sync(c, session, "[[host-refused]]"));
    CHECK_INT("the permission was asked for again", 2, user->calls);
    CHECK_INT("the tool has not run", 1, add->calls);
    CHECK("the tool's error says why", tool_part(c, session, "error")[0] != 0);
    tandem_withdraw(c, add->id);
    tandem_withdraw(c, user->id);
}

static void questions(void)
{
    struct provider *user = provided(c, "{\"kind\":\"question\"}", "{\"ok\":[\"blue\"]}");
    const char *session = new_session(c);

    script("host-asks", CALLS("question", "{\"questions\":[{\"question\":\"Which colour?\",\"options\":[\"blue\",\"red\"]}]}"));
    CHECK_TEXT("a run waits for the answer of its question", "Done.", at(prompt_sync(c, session, "[[host-asks]]"), "/ok/text"));
    CHECK_TEXT("the host is asked it", "Which colour?", at(user->json, "/input/questions/0/question"));
    CHECK("and its answer is the tool's result", strstr(tool_part(c, session, "result"), "blue") != NULL);
    tandem_withdraw(c, user->id);
}

/* The types of events, the pieces of texts left out: what a host of any language has to see. */
static char seen[8192];

static void note_type(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op;
    const char *type = at(event, "/type"), *tool = at(event, "/properties/tool"), *state = at(event, "/properties/state");
    if (strncmp(type, "engine.", 7) == 0 || strcmp(type, "session.response") == 0)
        return;
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "%s%s%s%s%s\n", type, tool[0] ? " " : "", tool, state[0] ? " " : "", state);
}

static void note_call(struct provider *p, uint64_t call, const char *json)
{
    (void)p, (void)call;
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof seen - used, "host.call %s\n", at(json, "/name"));
}

static const char *expected_events(void)
{
    const char *root = getenv("TANDEM_TEST_ROOT");
    char *all = room(8192);
    FILE *file = fopen(text("%s/Tests/Fixtures/expected/host_tools.txt", root == NULL ? "." : root), "r");

    if (file == NULL || fread(all, 1, 8191, file) == 0)
        printf("FAILED host_tools.txt cannot be read\n");
    if (file != NULL)
        fclose(file);
    return all;
}

static void a_task_of_three_tools(void)
{
    struct provider *tools[] = {tool(c, "find_user", "", "{\"ok\":{\"output\":\"{\\\"id\\\": 7}\"}}"),
                                tool(c, "read_balance", "", "{\"ok\":\"120\"}"),
                                tool(c, "send_letter", "", "{\"ok\":\"sent\"}")};
    const char *session = new_session(c);
    int over = 0;

    for (int i = 0; i < 3; i++)
        tools[i]->inside = note_call;
    script("host-task", "[{\"text\":\"I look.\",\"tool_calls\":[{\"name\":\"find_user\",\"arguments\":{\"name\":\"Ada\"}}]},"
                   "{\"tool_calls\":[{\"name\":\"read_balance\",\"arguments\":{\"id\":7}}]},"
                   "{\"tool_calls\":[{\"name\":\"send_letter\",\"arguments\":{\"id\":7,\"amount\":120}}]},"
                   "{\"text\":\"Ada has 120 and knows it.\"}]");
    seen[0] = 0;
    /* Before the run, which else may be at its first call already when the stream begins. */
    uint64_t op = tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\"}", session), note_type, NULL, NULL, NULL);
    start_run(c, session, "[[host-task]] Tell Ada what she has.");
    while (strstr(seen, "\nrun.completed") == NULL && tandem_pump(c, 1, 10000 * slowness()) > 0)
        ;
    tandem_cancel(c, op);
    while (!over && tandem_pump(c, 1, 10000 * slowness()) > 0)
        over = strstr(seen, "\ndone") != NULL;
    CHECK("the task ends", over && op != 0);
    CHECK_TEXT("its events are the same in each language", expected_events(), seen);
    CHECK_TEXT("the arguments reach the tools", "120", at(tools[2]->json, "/input/amount"));
    const char *all = keep(tandem_call(c, "sessions.messages", text("{\"session_id\":\"%s\"}", session)));
    CHECK("its end is right", strstr(all, "Ada has 120 and knows it.") != NULL);
    for (int i = 0; i < 3; i++)
        tandem_withdraw(c, tools[i]->id);
}

int main(void)
{
    begin(60);
    c = scripted_client("");
    on_the_thread_that_pumps();
    a_host_of_one_thread();
    as_events();
    a_model_of_the_host();
    a_model_that_stays_silent_after_tools();
    permissions();
    questions();
    a_task_of_three_tools();
    CHECK_INT("nothing is left", 0, number_at(keep(tandem_stats(c)), "/ok/host_calls_pending"));
    tandem_close(c, -1);
    return finish();
}
