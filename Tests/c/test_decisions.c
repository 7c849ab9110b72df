/* valgrind: no (it starts a Python program)
   On a remote engine: permissions and questions that the host decides. */
#include "http.h"

static int port;
static FILE *engine;
static int engine_pid;

static void start_engine(void)
{
    const char *root = getenv("TANDEM_TEST_ROOT");

    engine = popen(text("echo $$; exec python3 %s/Tests/tools/asking_engine.py", root == NULL ? "." : root), "r");
    if (engine == NULL || fscanf(engine, "%d %d", &engine_pid, &port) != 2) {
        printf("FAILED the engine does not start\n");
        exit(1);
    }
}

static void ask_permission(const char *id, const char *session)
{
    http(port, "POST", "/_ask", text("{\"kind\":\"permission\",\"id\":\"%s\",\"sessionID\":\"%s\",\"tool\":\"bash\",\"args\":{\"command\":\"ls\"}}", id, session));
}

/* The answers that the engine has, once there are so many. */
static const char *replies(int count)
{
    const char *all = "";

    for (long long end = now_ms() + 5000 * slowness(); now_ms() < end; nap(10)) {
        all = http(port, "GET", "/_replies", "");
        if (at(all, text("/%d/0", count - 1))[0] != 0)
            break;
    }
    return all;
}

struct asked {
    tandem_client *c;
    int calls, cancels, drops;
    uint64_t call;
    pthread_t thread;
    const char *answer, *json;
};

static void decide(void *ud, uint64_t call, const char *json)
{
    struct asked *a = ud;

    if (strcmp(at(json, "/type"), "host.cancel") == 0) {
        a->cancels++;
        a->json = text("%s", json);
        return;
    }
    a->thread = pthread_self();
    a->call = call;
    a->json = text("%s", json);
    if (a->answer != NULL)
        CHECK_INT("a reply inside the callback", TANDEM_OK, tandem_reply(a->c, call, a->answer));
    a->calls++;
}

static void count_drop(void *ud)
{
    ((struct asked *)ud)->drops++;
}

static tandem_client *remote(const char *more)
{
    return opened(text("{\"url\":\"http://127.0.0.1:%d\"%s}", port, more));
}

static uint64_t provided(tandem_client *c, const char *spec, struct asked *a)
{
    char *error = NULL;
    uint64_t id = tandem_provide(c, spec, a == NULL ? NULL : decide, a, a == NULL ? NULL : count_drop, &error);

    CHECK(text("%s is provided", spec), id != 0 && error == NULL);
    if (error != NULL)
        printf("FAILED %s\n", keep(error));
    return id;
}

static void refused_specs(void)
{
    tandem_client *c = remote("");
    struct asked a = {.c = c};
    char *error = NULL;

    CHECK_INT("a tool on a remote engine", 0, tandem_provide(c, "{\"kind\":\"tool\",\"name\":\"t\"}", decide, &a, count_drop, &error));
    CHECK_ERROR("is not supported", "not_supported", keep(error));
    CHECK_INT("and its drop runs", 1, a.drops);
    CHECK_INT("a model neither", 0, tandem_provide(c, "{\"kind\":\"model\",\"name\":\"m\"}", decide, &a, count_drop, NULL));
    CHECK_INT("nor an unknown kind", 0, tandem_provide(c, "{\"kind\":\"cat\"}", decide, &a, count_drop, &error));
    CHECK_ERROR("which is named", "invalid_argument", keep(error));
    CHECK_INT("a spec is an object", 0, tandem_provide(c, "[]", decide, &a, count_drop, &error));
    CHECK_ERROR("not an array", "invalid_argument", keep(error));
    CHECK_INT("and JSON", 0, tandem_provide(c, "{", decide, &a, count_drop, &error));
    CHECK_ERROR("that can be read", "invalid_json", keep(error));
    CHECK_INT("without a spec", 0, tandem_provide(c, NULL, decide, &a, count_drop, &error));
    CHECK_ERROR("nothing is provided", "invalid_argument", keep(error));
    uint64_t first = provided(c, "{\"kind\":\"permission\"}", &a);
    CHECK_INT("permissions are decided by one", 0, tandem_provide(c, "{\"kind\":\"permission\"}", decide, &a, count_drop, &error));
    CHECK_ERROR("the second is refused", "invalid_argument", keep(error));
    CHECK_INT("every refusal drops", 7, a.drops);
    CHECK_INT("withdraw", TANDEM_OK, tandem_withdraw(c, first));
    CHECK_INT("drops", 8, a.drops);
    CHECK_INT("withdraw twice", TANDEM_E_GONE, tandem_withdraw(c, first));
    CHECK_INT("withdraw what is none", TANDEM_E_ARGS, tandem_withdraw(c, 1));
    CHECK_INT("withdraw of no client", TANDEM_E_HANDLE, tandem_withdraw(NULL, first));
    CHECK_INT("reply of no client", TANDEM_E_HANDLE, tandem_reply(NULL, 1, "{}"));
    tandem_close(c, -1);
    CHECK_INT("a closed client provides nothing", 0, tandem_provide(c, "{\"kind\":\"permission\"}", decide, &a, count_drop, &error));
    CHECK_ERROR("and says so", "closed", keep(error));
    CHECK_INT("and drops", 9, a.drops);
}

static void decided_by_the_thread_that_pumps(void)
{
    tandem_client *c = remote("");
    struct asked a = {.c = c, .answer = "{\"ok\":\"once\"}"};

    ask_permission("before", "s1");
    provided(c, "{\"kind\":\"permission\"}", &a);
    CHECK("a request that waits already is asked", pump_until(c, &a.calls, 1, 5000));
    CHECK_TEXT("as a permission", "permission", at(a.json, "/kind"));
    CHECK_TEXT("of its tool", "bash", at(a.json, "/name"));
    CHECK_TEXT("of its session", "s1", at(a.json, "/session_id"));
    CHECK_TEXT("with its arguments", "ls", at(a.json, "/input/args/command"));
    CHECK_INT("with its time", 120000, number_at(a.json, "/timeout_ms"));
    CHECK("R5 on the thread that pumps", pthread_equal(a.thread, pthread_self()));
    CHECK_TEXT("the engine has the answer", "{\"reply\": \"once\"}", at(replies(1), "/0/1"));
    ask_permission("later", "s1");
    CHECK("a request that comes later is asked", pump_until(c, &a.calls, 2, 5000));
    CHECK_TEXT("and answered", "/permission/later/reply", at(replies(2), "/1/0"));
    CHECK_INT("a call that was answered is over", 0, tandem_reply_wanted(c, a.call));
    CHECK_INT("a second reply", TANDEM_E_GONE, tandem_reply(c, a.call, "{\"ok\":\"once\"}"));
    CHECK_INT("a reply to what is no call", TANDEM_E_ARGS, tandem_reply(c, 12345, "{\"ok\":\"once\"}"));
    tandem_close(c, -1);
    CHECK_INT("nothing was cancelled", 0, a.cancels);
    CHECK_INT("close drops", 1, a.drops);
}

static void resolved_elsewhere(void)
{
    tandem_client *c = remote("");
    struct asked a = {.c = c};

    provided(c, "{\"kind\":\"permission\"}", &a);
    ask_permission("elsewhere", "s2");
    CHECK("it is asked", pump_until(c, &a.calls, 1, 5000));
    CHECK_INT("a reply is wanted", 1, tandem_reply_wanted(c, a.call));
    http(port, "POST", "/permission/elsewhere/reply", "{\"reply\":\"reject\"}");
    CHECK("what is decided elsewhere is cancelled", pump_until(c, &a.cancels, 1, 5000));
    CHECK_TEXT("with the reason", "resolved", at(a.json, "/reason"));
    CHECK_INT("of the call", (long long)a.call, number_at(a.json, "/call"));
    CHECK_INT("a late reply", TANDEM_E_GONE, tandem_reply(c, a.call, "{\"ok\":\"once\"}"));
    ask_permission("bad", "s2");
    pump_until(c, &a.calls, 2, 5000);
    CHECK_INT("a reply that is no JSON", TANDEM_E_ARGS, tandem_reply(c, a.call, "{"));
    CHECK_TEXT("refuses", "{\"reply\": \"reject\"}", at(replies(4), "/3/1"));
    tandem_close(c, -1);
}

static void questions(void)
{
    tandem_client *c = remote("");
    struct asked a = {.c = c, .answer = "{\"ok\":[\"blue\"]}"};

    provided(c, "{\"kind\":\"question\",\"timeout_ms\":5000}", &a);
    http(port, "POST", "/_ask", "{\"kind\":\"question\",\"id\":\"q1\",\"sessionID\":\"s3\",\"questions\":[{\"question\":\"Which?\"}]}");
    CHECK("a question is asked", pump_until(c, &a.calls, 1, 5000));
    CHECK_TEXT("with its words", "Which?", at(a.json, "/input/questions/0/question"));
    const char *all = replies(5);
    CHECK_TEXT("its answer goes by the session's route", "/sessions/s3/questions/q1/answer", at(all, "/4/0"));
    CHECK_TEXT("as a text", "{\"answer\": \"blue\"}", at(all, "/4/1"));
    tandem_close(c, -1);
}

static void no_answer_in_time(void)
{
    tandem_client *c = remote("");
    struct asked a = {.c = c};

    provided(c, "{\"kind\":\"permission\",\"timeout_ms\":50}", &a);
    ask_permission("slow", "s4");
    CHECK("it is asked", pump_until(c, &a.calls, 1, 5000));
    CHECK_TEXT("no answer in time refuses", "{\"reply\": \"reject\"}", at(replies(6), "/5/1"));
    CHECK("and cancels", pump_until(c, &a.cancels, 1, 5000));
    CHECK_TEXT("with the reason", "host_timeout", at(a.json, "/reason"));
    tandem_close(c, -1);
}

static void stream_that_breaks(void)
{
    tandem_client *c = remote("");
    struct asked a = {.c = c, .answer = "{\"ok\":\"once\"}"};

    provided(c, "{\"kind\":\"permission\"}", &a);
    ask_permission("unbroken", "s5");
    pump_until(c, &a.calls, 1, 5000);
    http(port, "POST", "/_break", "{}");
    ask_permission("broken", "s5");
    CHECK("a request made while the stream was broken is asked", pump_until(c, &a.calls, 2, 10000));
    CHECK_TEXT("and answered", "/permission/broken/reply", at(replies(8), "/7/0"));
    tandem_close(c, -1);
}

static void as_events(void)
{
    tandem_client *c = remote("");

    provided(c, "{\"kind\":\"permission\"}", NULL);
    ask_permission("event", "s6");
    const char *batch = keep(tandem_next(c, 0, 5000 * slowness()));
    CHECK_TEXT("without a function a call is an event", "host.call", at(batch, "/ok/0/type"));
    uint64_t call = strtoull(at(batch, "/ok/0/call"), NULL, 10);
    CHECK_INT("that is answered like others", TANDEM_OK, tandem_reply(c, call, "{\"ok\":\"always\"}"));
    CHECK_TEXT("and reaches the engine", "{\"reply\": \"always\"}", at(replies(9), "/8/1"));
    tandem_close(c, -1);
}

static void *close_it(void *client)
{
    CHECK_INT("close with a call that waits", TANDEM_OK, tandem_close(client, -1));
    return NULL;
}

static void close_while_it_waits(void)
{
    tandem_client *c = remote("");
    struct asked a = {.c = c};
    pthread_t thread;

    provided(c, "{\"kind\":\"permission\"}", &a);
    ask_permission("open", "s7");
    pump_until(c, &a.calls, 1, 5000);
    pthread_create(&thread, NULL, close_it, c);
    pthread_join(thread, NULL);
    CHECK_INT("the function is dropped", 1, a.drops);
    CHECK_INT("a reply after it", TANDEM_E_HANDLE, tandem_reply(c, a.call, "{\"ok\":\"once\"}"));
    CHECK_INT("nobody was told", 0, a.cancels);
    http(port, "POST", "/permission/open/reply", "{\"reply\":\"once\"}");
}

int main(void)
{
    begin(60);
    start_engine();
    refused_specs();
    decided_by_the_thread_that_pumps();
    resolved_elsewhere();
    questions();
    no_answer_in_time();
    stream_that_breaks();
    as_events();
    close_while_it_waits();
    kill(engine_pid, SIGTERM);
    pclose(engine);
    return finish();
}
