/* What the C tests of host calls share: a provider that writes down what it is asked, and answers as told. */
#ifndef HOST_H
#define HOST_H

#include "http.h"

/* The model calls that tool once, then says so. */
#define CALLS(tool, arguments) \
    "[{\"tool_calls\":[{\"name\":\"" tool "\",\"arguments\":" arguments "}]},{\"text\":\"Done.\"}]"

struct provider {
    tandem_client *c;
    /* What it replies inside its callback; NULL: nothing. */
    const char *answer;
    /* Runs inside the callback, before the answer. */
    void (*inside)(struct provider *p, uint64_t call, const char *json);
    int calls, cancels, drops;
    uint64_t call, op;
    pthread_t thread;
    const char *json, *reason;
    uint64_t id;
};

UNUSED static void provider_called(void *ud, uint64_t call, const char *json)
{
    struct provider *p = ud;

    if (strcmp(at(json, "/type"), "host.cancel") == 0) {
        p->reason = at(json, "/reason");
        p->cancels++;
        return;
    }
    p->thread = pthread_self();
    p->call = call;
    p->op = strtoull(at(json, "/op"), NULL, 10);
    p->json = text("%s", json);
    if (p->inside != NULL)
        p->inside(p, call, json);
    if (p->answer != NULL)
        CHECK_INT("a reply inside the callback is taken", TANDEM_OK, tandem_reply(p->c, call, p->answer));
    p->calls++;
}

UNUSED static void provider_dropped(void *ud)
{
    ((struct provider *)ud)->drops++;
}

UNUSED static struct provider *provided(tandem_client *c, const char *spec, const char *answer)
{
    struct provider *p = (struct provider *)room(sizeof *p);
    char *error = NULL;

    p->c = c;
    p->answer = answer;
    p->json = p->reason = "";
    p->id = tandem_provide(c, spec, provider_called, p, provider_dropped, &error);
    if (!CHECK(text("%.60s is provided", spec), p->id != 0 && error == NULL))
        printf("FAILED %s\n", error == NULL ? "without an error" : keep(error));
    return p;
}

UNUSED static struct provider *tool(tandem_client *c, const char *name, const char *more, const char *answer)
{
    return provided(c, text("{\"kind\":\"tool\",\"name\":\"%s\",\"description\":\"A test.\"%s}", name, more), answer);
}

/* A prompt that blocks; the result is the caller's to check. */
UNUSED static const char *prompt_sync(tandem_client *c, const char *session, const char *words)
{
    return keep(tandem_call(c, "sessions.prompt_sync", prompt_args(session, words)));
}

/* The tool's part of the session's messages, "" where there is none: member is "result", "error" or "args". */
UNUSED static const char *tool_part(tandem_client *c, const char *session, const char *member)
{
    const char *all = keep(tandem_call(c, "sessions.messages", text("{\"session_id\":\"%s\"}", session)));

    for (int message = 0; at(all, text("/ok/%d", message))[0] != 0; message++)
        for (int part = 0; at(all, text("/ok/%d/parts/%d", message, part))[0] != 0; part++)
            if (strcmp(at(all, text("/ok/%d/parts/%d/type", message, part)), "tool") == 0)
                return at(all, text("/ok/%d/parts/%d/%s", message, part, member));
    return "";
}

#endif
