/* valgrind: no (it starts Python programs)
   The contract walked from C on the stand-in engine: every operation is called, and none is refused. */
#include "engine.h"

static tandem_client *c;

static const char *called(const char *name, int is_stream, char *arguments)
{
    if (!is_stream)
        return keep(tandem_call(c, name, arguments));
    arguments[strlen(arguments) - 1] = 0;
    const char *comma = strlen(arguments) > 1 ? "," : "";
    return keep(tandem_call(c, name, text("%s%s\"$strict\":true,\"$take\":1,\"$timeout_ms\":300}", arguments, comma)));
}

static void every_operation(void)
{
    const char *root = getenv("TANDEM_TEST_ROOT");
    FILE *list = tool("arguments.py", root == NULL ? "." : root);
    static char line[65536];
    int count = 0, refused = 0;

    if (list != NULL && fgets(line, sizeof line, list) == NULL)
        printf("FAILED the tool has no output\n");
    while (list != NULL && fgets(line, sizeof line, list) != NULL) {
        char *name = strtok(line, "\t"), *kind = strtok(NULL, "\t"), *arguments = strtok(NULL, "\n");
        if (name == NULL || kind == NULL || arguments == NULL)
            break;
        const char *result = called(name, strcmp(kind, "stream") == 0, arguments);
        count++;
        if (tandem_status(result) == TANDEM_OK)
            continue;
        refused++;
        printf("%s: %.300s\n", name, result);
    }
    if (list != NULL)
        pclose(list);
    CHECK_INT("the contract has 610 operations", 610, count);
    CHECK_INT("none is refused", 0, refused);
}

/* The same program as on the embedded engine: a session, a prompt, its stream. */
static void a_run(void)
{
    const char *session = new_session(c), *run = start_run(c, session, "hi");
    const char *events = keep(tandem_call(c, "engine.stream", stream_args(session, run)));

    CHECK_TEXT("a run's stream ends by itself", "true", at(events, "/ok/ended"));
    CHECK_TEXT("it begins with the connection", "stream.connected", at(events, "/ok/events/0/type"));
    CHECK_TEXT("then the run", "run.started", at(events, "/ok/events/1/type"));
    CHECK("its end is among them", strstr(events, "\"run.completed\"") != NULL);
    CHECK("the prompt's echo is not", strstr(events, "\"delta\":\"hi\"") == NULL);
}

int main(void)
{
    struct engine engine = engine_started();

    c = engine_client(&engine, ",\"retries\":0");
    every_operation();
    a_run();
    CHECK_INT("close", TANDEM_OK, tandem_close(c, -1));
    engine_ended(&engine);
    return finish();
}
