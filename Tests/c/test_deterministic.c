/* "deterministic": two clients that are used in the same way give the same texts, byte for byte. */
#include "client.h"

enum { ROOM = 1 << 18 };

static void append(char *all, const char *result)
{
    strncat(all, result, ROOM - strlen(all) - 1);
}

static void use(const char *config, char *all)
{
    tandem_client *c = opened(config);
    const char *session = keep(tandem_call(c, "sessions.create", "{\"directory\":\"/tmp\"}"));
    const char *id = at(session, "/ok/id");

    append(all, session);
    for (int i = 0; i < 3; i++) {
        append(all, keep(tandem_call(c, "sessions.prompt_sync", prompt_args(id, "the same words"))));
        const char *run = keep(tandem_call(c, "sessions.prompt_async", prompt_args(id, "and more")));
        const char *args = text("{\"session_id\":\"%s\",\"run_id\":\"%s\"}", id, at(run, "/ok/run_id"));
        keep(tandem_call(c, "engine.stream", args));
        append(all, keep(tandem_call(c, "engine.run_events", text("{\"run_id\":\"%s\"}", at(run, "/ok/run_id")))));
    }
    tandem_close(c, -1);
}

int main(void)
{
    static char first[ROOM], second[ROOM], other[ROOM];

    begin(60);
    use("{\"discover\":false,\"deterministic\":7}", first);
    use("{\"discover\":false,\"deterministic\":7}", second);
    use("{\"discover\":false,\"deterministic\":8}", other);
    CHECK("something was said", strlen(first) > 1000);
    CHECK_TEXT("the same seed gives the same texts", first, second);
    CHECK("another seed gives others", strcmp(first, other) != 0);
    return finish();
}
