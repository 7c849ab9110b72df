/* "deterministic": two clients that are used in the same way give the same texts, byte for byte. */
#include "client.h"

enum { ROOM = 1 << 18 };

static int connected;

static void append(char *all, const char *more)
{
    strncat(all, more, ROOM - strlen(all) - 1);
}

static void on_event(void *ud, uint64_t op, const char *event)
{
    char *frame = tandem_get(event, "/frame");

    (void)op;
    connected = 1;
    append(ud, frame ? frame : "");
    tandem_free(frame);
}

static void use(const char *config, char *all)
{
    tandem_client *c = opened(config);
    const char *session = keep(tandem_call(c, "sessions.create", "{\"directory\":\"/tmp\"}"));
    const char *id = at(session, "/ok/id");

    append(all, session);
    connected = 0;
    tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\",\"vocabulary\":\"engine\"}", id), on_event, all, NULL, NULL);
    pump_until(c, &connected, 1, 10000);
    for (int i = 0; i < 3; i++)
        keep(tandem_call(c, "sessions.prompt_sync", prompt_args(id, "the same words")));
    while (tandem_pump(c, 0, 100) > 0)
        ;
    append(all, keep(tandem_call(c, "sessions.get", text("{\"session_id\":\"%s\"}", id))));
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
