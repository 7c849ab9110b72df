/* R3: values, and the functions that need no client. */
#include "client.h"

static void version_and_names(void)
{
    static const struct {
        int32_t status;
        const char *name;
    } names[] = {
        {TANDEM_OK, "TANDEM_OK"}, {TANDEM_PENDING, "TANDEM_PENDING"}, {TANDEM_ALREADY, "TANDEM_ALREADY"},
        {TANDEM_E_HANDLE, "TANDEM_E_HANDLE"}, {TANDEM_E_ARGS, "TANDEM_E_ARGS"}, {TANDEM_E_BUSY, "TANDEM_E_BUSY"},
        {TANDEM_E_REENTRANT, "TANDEM_E_REENTRANT"}, {TANDEM_E_FORKED, "TANDEM_E_FORKED"},
        {TANDEM_E_TIMEOUT, "TANDEM_E_TIMEOUT"}, {TANDEM_E_CANCELLED, "TANDEM_E_CANCELLED"},
        {TANDEM_E_GONE, "TANDEM_E_GONE"}, {TANDEM_E_FAILED, "TANDEM_E_FAILED"},
        {TANDEM_E_UNSUPPORTED, "TANDEM_E_UNSUPPORTED"}, {TANDEM_E_NETWORK, "TANDEM_E_NETWORK"},
        {TANDEM_E_LIMIT, "TANDEM_E_LIMIT"}, {TANDEM_E_STATE, "TANDEM_E_STATE"},
        {3, "unknown"}, {-99, "unknown"}, {INT32_MIN, "unknown"}, {INT32_MAX, "unknown"},
    };

    CHECK_INT("the version is 0.1.0", 256, tandem_version());
    CHECK_TEXT("build info has the version", "0.1.0", at(tandem_build_info(), "/version"));
    CHECK("build info is static", tandem_build_info() == tandem_build_info());
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_TEXT(text("the name of status %d", names[i].status), names[i].name, tandem_status_name(names[i].status));
}

static void statuses(void)
{
    CHECK_INT("status of ok", TANDEM_OK, tandem_status("{\"ok\":null}"));
    CHECK_INT("status of an error", TANDEM_E_FAILED, tandem_status("{\"error\":{\"code\":-9,\"name\":\"not_found\"}}"));
    CHECK_INT("status of pending", TANDEM_PENDING, tandem_status("{\"error\":{\"code\":1,\"name\":\"pending\"}}"));
    CHECK_INT("status of NULL", TANDEM_E_ARGS, tandem_status(NULL));
    CHECK_INT("status of an empty text", TANDEM_E_ARGS, tandem_status(""));
    CHECK_INT("status of no result", TANDEM_E_ARGS, tandem_status("[1]"));
    tandem_free(NULL);
    CHECK("free takes NULL", 1);
}

static void descriptions(void)
{
    const char *operations = keep(tandem_describe("ops")), *one = keep(tandem_describe("op:sessions.create"));
    const char *events = keep(tandem_describe("events")), *errors = keep(tandem_describe("errors"));

    CHECK_OK("describe ops", operations);
    CHECK("ops names sessions.create", strstr(operations, "\"sessions.create\"") != NULL);
    CHECK("ops names sessions.run", strstr(operations, "\"sessions.run\"") != NULL);
    CHECK_OK("describe one operation", one);
    CHECK("an operation has its arguments", strstr(one, "\"workspace_root\"") != NULL);
    CHECK_OK("describe events", events);
    CHECK("events has both vocabularies",
          strstr(events, "session.response") != NULL && strstr(events, "message.part.updated") != NULL);
    CHECK_OK("describe errors", errors);
    CHECK("errors has names", strstr(errors, "state_locked") != NULL);
    CHECK_ERROR("describe nothing that is there", "invalid_argument", keep(tandem_describe("weather")));
    CHECK_ERROR("describe NULL", "invalid_argument", keep(tandem_describe(NULL)));
    CHECK_ERROR("describe an unknown operation", "unknown_operation", keep(tandem_describe("op:no.such")));
}

static void pointers(void)
{
    static const char document[] = "{\"ok\":{\"id\":\"x1\",\"n\":-12.50e3,\"t\":true,\"none\":null,\"a\":[10,{\"b\":\"c\"},\"\"],"
                                   "\"\":1,\"a/b\":2,\"m~n\":3,\"esc\":\"q\\\"\\u00e9\\ud83d\\ude80\\n\",\"nul\":\"a\\u0000b\"}}";
    static const struct {
        const char *pointer, *value;
    } table[] = {
        {"/ok/id", "x1"}, {"/ok/n", "-12.50e3"}, {"/ok/t", "true"}, {"/ok/none", "null"}, {"/ok/a/0", "10"},
        {"/ok/a/1/b", "c"}, {"/ok/a/1", "{\"b\":\"c\"}"}, {"/ok/a/2", ""}, {"/ok/", "1"}, {"/ok/a~1b", "2"},
        {"/ok/m~0n", "3"}, {"/ok/esc", "q\"\xc3\xa9\xf0\x9f\x9a\x80\n"}, {"", document},
        {"/ok/no", NULL}, {"/ok/a/3", NULL}, {"/ok/a/-", NULL}, {"/ok/a/01", NULL}, {"/ok/a/-1", NULL}, {"/ok/id/0", NULL},
        {"ok", NULL}, {"/ok/a/99999999999999999999", NULL}, {"/ok/nul", NULL},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *got = keep(tandem_get(document, table[i].pointer));
        if (table[i].value == NULL)
            CHECK(text("get %s is nothing", table[i].pointer), got == NULL);
        else
            CHECK_TEXT(text("get \"%s\"", table[i].pointer), table[i].value, got);
    }
    CHECK("get of no JSON", keep(tandem_get("{\"ok\":", "/ok")) == NULL);
    CHECK("get of NULL", keep(tandem_get(NULL, "/ok")) == NULL);
    CHECK("get at NULL", keep(tandem_get("{}", NULL)) == NULL);
}

static void quoting(void)
{
    static const char *texts[] = {"", "plain", "Say \"hi\"", "back\\slash", "a\nb\tc\r\b\f", "\x01\x1f\x7f", "/", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80"};

    CHECK_TEXT("quote escapes quotes", "\"Say \\\"hi\\\"\"", keep(tandem_quote("Say \"hi\"")));
    CHECK_TEXT("quote keeps UTF-8", "\"\xc3\xa9\"", keep(tandem_quote("\xc3\xa9")));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK_TEXT(text("quote and get give text %zu back", i), texts[i], at(keep(tandem_quote(texts[i])), ""));
    CHECK("quote of NULL", keep(tandem_quote(NULL)) == NULL);
    CHECK("quote of no UTF-8", keep(tandem_quote("a\xff" "b")) == NULL);
}

static void ids(void)
{
    tandem_client *a = echo_client(), *b = echo_client();
    char *error = (char *)1;
    uint64_t first = tandem_submit(a, "engine.health", NULL, &error);
    CHECK("success sets the error to NULL", error == NULL);
    uint64_t second = tandem_submit(b, "engine.health", NULL, NULL), third = tandem_submit(a, "engine.health", "{}", NULL);
    uint64_t most = (UINT64_C(1) << 53) - 1;

    CHECK("ids are 1 to 2^53-1", first >= 1 && second >= 1 && third >= 1 && first <= most && second <= most && third <= most);
    CHECK("ids are unique in the process", first != second && second != third && first != third);
    CHECK_INT("a failure is 0", 0, tandem_submit(a, "no.such", NULL, &error));
    CHECK_ERROR("and gives an error", "unknown_operation", keep(error));
    CHECK_INT("a failure without a place for the error", 0, tandem_submit(a, "no.such", NULL, NULL));
    CHECK_ERROR("0 is no id to wait for", "invalid_argument", keep(tandem_wait(a, 0, 0)));
    CHECK_INT("0 is no id to cancel", TANDEM_E_ARGS, tandem_cancel(a, 0));
    CHECK_INT("0 is no id to pause", TANDEM_E_ARGS, tandem_pause(a, 0, 1));
    CHECK_ERROR("another client's id to wait for", "invalid_argument", keep(tandem_wait(a, second, 0)));
    CHECK_INT("another client's id to cancel", TANDEM_E_ARGS, tandem_cancel(a, second));
    CHECK_INT("another client's id to pause", TANDEM_E_ARGS, tandem_pause(a, second, 1));
    CHECK_ERROR("an id that was never given", "invalid_argument", keep(tandem_wait(a, most, 0)));
    CHECK_OK("arguments may be NULL", keep(tandem_wait(a, first, -1)));
    tandem_close(a, -1);
    tandem_close(b, -1);
}

static void error_shape(void)
{
    tandem_client *c = echo_client();
    const char *result = keep(tandem_call(c, "sessions.get", "{\"session_id\":\"00000000-0000-4000-8000-000000000000\"}"));
    static const char *keys[] = {"code", "name", "message", "status", "retryable", "op", "detail"};

    CHECK_ERROR("R3 an engine's refusal", "not_found", result);
    CHECK_INT("R3 its status", TANDEM_E_FAILED, tandem_status(result));
    CHECK_TEXT("R3 the engine's status", "404", at(result, "/error/status"));
    CHECK_TEXT("R3 its operation", "sessions.get", at(result, "/error/op"));
    CHECK_TEXT("R3 whether to retry", "false", at(result, "/error/retryable"));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CHECK(text("R3 an error has %s", keys[i]), keep(tandem_get(result, text("/error/%s", keys[i]))) != NULL);
    tandem_close(c, -1);
}

int main(void)
{
    begin(60);
    version_and_names();
    statuses();
    descriptions();
    pointers();
    quoting();
    ids();
    error_shape();
    return finish();
}
