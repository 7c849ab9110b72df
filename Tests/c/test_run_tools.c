/* sessions.run with tools of the host: permissions and questions by every policy, whoever decides. */
#include "host.h"

static tandem_client *c;

static const char *run_of(const char *session, const char *words, const char *more)
{
    return text("{\"session_id\":\"%s\",\"prompt\":\"%s\"%s}", session, words, more);
}

/* A run whose model calls the tool once. */
static const char *run(const char *called, const char *more)
{
    script("run-tool", called);
    return keep(tandem_call(c, "sessions.run", run_of(new_session(c), "[[run-tool]]", more)));
}

#define ADD CALLS("add", "{\"a\":2}")
#define QUESTION CALLS("question", "{\"questions\":[{\"question\":\"Which?\"}]}")

static void tools(void)
{
    struct provider *add = tool(c, "add", "", "{\"ok\":\"5\"}");

    const char *result = run(ADD, "");
    CHECK_TEXT("a tool of the host: the run goes on with its result", "Done.", at(result, "/ok/text"));
    CHECK_TEXT("a tool of the host: its name", "add", at(result, "/ok/tools/0/tool"));
    CHECK_TEXT("a tool of the host: its arguments", "2", at(result, "/ok/tools/0/arguments/a"));
    CHECK_TEXT("a tool of the host: its status", "completed", at(result, "/ok/tools/0/status"));
    CHECK_TEXT("a tool of the host: its result", "5", at(result, "/ok/tools/0/result"));
    CHECK("a tool of the host: on this thread", add->calls == 1 && pthread_equal(add->thread, pthread_self()));
    tandem_withdraw(c, add->id);
    CHECK_TEXT("nothing is missing", "", at(result, "/ok/missing"));
}

static void by_policy(void)
{
    struct provider *add = tool(c, "add", ",\"permission\":\"ask\"", "{\"ok\":\"5\"}");
    static const struct {
        const char *terms, *status;
    } cases[] = {
        {",\"permissions\":{\"default\":\"allow\"}", "completed"},
        {",\"permissions\":{\"default\":\"deny\"}", "denied"},
        {",\"permissions\":{\"default\":\"deny\",\"by_tool\":{\"ad*\":\"allow\"}}", "completed"},
        {",\"permissions\":{\"by_tool\":{\"add\":\"deny\",\"*\":\"allow\"}}", "denied"},
        {"", "denied"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int before = add->calls;
        const char *result = run(ADD, cases[i].terms);
        CHECK_TEXT(text("terms %s", cases[i].terms), cases[i].status, at(result, "/ok/tools/0/status"));
        CHECK_INT("one call has one entry", 0, (int)strlen(at(result, "/ok/tools/1")));
        CHECK_INT("it ran or not", strcmp(cases[i].status, "completed") == 0, add->calls - before);
    }

    struct provider *decider = provided(c, "{\"kind\":\"permission\"}", "{\"ok\":\"once\"}");
    const char *result = run(ADD, "");
    CHECK_TEXT("ask: the provider's word", "completed", at(result, "/ok/tools/0/status"));
    CHECK("ask: on this thread", decider->calls == 1 && pthread_equal(decider->thread, pthread_self()));
    CHECK_TEXT("ask: about the tool", "add", at(decider->json, "/name"));
    CHECK_TEXT("ask: with its arguments", "2", at(decider->json, "/input/args/a"));
    CHECK("ask: of this operation", decider->op != 0);
    decider->answer = "{\"ok\":\"reject\"}";
    result = run(ADD, "");
    CHECK_TEXT("ask: a refusal", "denied", at(result, "/ok/tools/0/status"));
    CHECK_TEXT("allow: nobody is asked", "completed", at(run(ADD, ",\"permissions\":{\"default\":\"allow\"}"), "/ok/tools/0/status"));
    CHECK_INT("allow: and nobody was", 2, decider->calls);
    tandem_withdraw(c, decider->id);
    tandem_withdraw(c, add->id);
}

static int over;
static const char *words_seen;

static void by_hand_event(void *ud, uint64_t op, const char *event)
{
    const char *type = at(event, "/type");

    (void)op;
    if (strcmp(type, "permission.request") == 0) {
        const char *reply = keep(tandem_call(c, "permissions.reply", text("{\"request_id\":\"%s\",\"reply\":\"once\"}",
                                                                         at(event, "/properties/request_id"))));
        CHECK_OK("manual: the reply is taken", reply);
        CHECK_TEXT("manual: the state has it", at(event, "/properties/request_id"), at(event, "/state/permissions/0/request_id"));
    } else if (strcmp(type, "done") == 0) {
        *(const char **)ud = text("%s", at(event, "/result"));
        over = 1;
    } else if (strcmp(type, "run.completed") == 0) {
        words_seen = text("%s", at(event, "/state/tools/0/status"));
    }
}

static void by_hand(void)
{
    struct provider *add = tool(c, "add", ",\"permission\":\"ask\"", "{\"ok\":\"5\"}");
    const char *result = "";

    over = 0;
    script("run-tool", ADD);
    tandem_stream(c, "sessions.run", run_of(new_session(c), "[[run-tool]]", ",\"permissions\":{\"default\":\"manual\"},\"fold\":true"),
                  by_hand_event, &result, NULL, NULL);
    pump_until(c, &over, 1, 10000);
    CHECK_TEXT("manual: the tool ran", "completed", at(result, "/ok/tools/0/status"));
    CHECK_TEXT("manual: so says the state", "completed", words_seen == NULL ? "" : words_seen);
    tandem_withdraw(c, add->id);
}

static void questions(void)
{
    static const char *allowed = ",\"tool_allowlist\":[\"question\"]";

    const char *result = run(QUESTION, text("%s,\"permissions\":{\"default\":\"allow\"},\"questions\":{\"default\":\"answer\",\"answer\":\"the red one\"}", allowed));
    CHECK_TEXT("answer: the run goes on", "Done.", at(result, "/ok/text"));
    CHECK("answer: with the answer", strstr(at(result, "/ok/tools/0/result"), "the red one") != NULL);
    result = run(QUESTION, ",\"questions\":{\"default\":\"answer\",\"answer\":\"the red one\"}");
    CHECK("answer: the tool is offered without an allowlist", strstr(at(result, "/ok/tools/0/result"), "the red one") != NULL);
    result = run(QUESTION, ",\"questions\":{\"default\":\"reject\"}");
    CHECK("reject: nobody answers, so it is not", strstr(at(result, "/ok/tools/0/error"), "there is no tool") != NULL);
    result = run(QUESTION, text("%s,\"permissions\":{\"default\":\"allow\"},\"questions\":{\"default\":\"reject\"}", allowed));
    CHECK_TEXT("reject: the run goes on", "Done.", at(result, "/ok/text"));
    CHECK_TEXT("reject: without one", "failed", at(result, "/ok/tools/0/status"));

    struct provider *decider = provided(c, "{\"kind\":\"question\"}", "{\"ok\":[\"the blue one\"]}");
    result = run(QUESTION, ",\"permissions\":{\"default\":\"allow\"}");
    CHECK("ask: the provider's answer", strstr(at(result, "/ok/tools/0/result"), "the blue one") != NULL);
    CHECK_TEXT("ask: about the question", "Which?", at(decider->json, "/input/questions/0/question"));
    CHECK_INT("ask: once", 1, decider->calls);
    tandem_withdraw(c, decider->id);
}

static void cancelled(void)
{
    struct provider *add = tool(c, "add", "", NULL);
    const char *session = new_session(c);

    script("run-tool", ADD);
    uint64_t op = tandem_submit(c, "sessions.run", run_of(session, "[[run-tool]]", ""), NULL);

    CHECK("a tool that takes its time is called", pump_until(c, &add->calls, 1, 10000));
    tandem_cancel(c, op);
    CHECK_ERROR("cancelled while a tool runs", "cancelled", keep(tandem_wait(c, op, 6000)));
    pump_until(c, &add->cancels, 1, 5000);
    CHECK_INT("the host is told", 1, add->cancels);
    const char *active = keep(tandem_call(c, "sessions.active_run", text("{\"session_id\":\"%s\"}", session)));
    CHECK_TEXT("no run is left", "null", at(active, "/ok/active"));
    tandem_withdraw(c, add->id);

    struct provider *asks = tool(c, "add", ",\"permission\":\"ask\"", "{\"ok\":\"5\"}");
    struct provider *decider = provided(c, "{\"kind\":\"permission\"}", NULL);
    session = new_session(c);
    script("run-tool", ADD);
    op = tandem_submit(c, "sessions.run", run_of(session, "[[run-tool]]", ""), NULL);
    CHECK("a permission is asked for", pump_until(c, &decider->calls, 1, 10000));
    tandem_cancel(c, op);
    CHECK_ERROR("cancelled while a permission waits", "cancelled", keep(tandem_wait(c, op, 6000)));
    pump_until(c, &decider->cancels, 1, 5000);
    CHECK_INT("who decides is told", 1, decider->cancels);
    CHECK_INT("the tool did not run", 0, asks->calls);
    tandem_withdraw(c, asks->id);
    tandem_withdraw(c, decider->id);
}

int main(void)
{
    begin(120);
    c = scripted_client("");
    tools();
    by_policy();
    by_hand();
    questions();
    cancelled();
    tandem_close(c, -1);
    return finish();
}
