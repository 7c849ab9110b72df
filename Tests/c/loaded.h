/* The library through dlopen, for tests of what loading it does: a program that includes this links no libtandem. */
#ifndef LOADED_H
#define LOADED_H

#include <dlfcn.h>

#include "check.h"
#include "tandem.h"

struct loaded {
    void *library;
    __typeof__(&tandem_open) open;
    __typeof__(&tandem_close) close;
    __typeof__(&tandem_call) call;
    __typeof__(&tandem_submit) submit;
    __typeof__(&tandem_pump) pump;
    __typeof__(&tandem_status) status;
    __typeof__(&tandem_get) get;
    __typeof__(&tandem_free) free;
};

static struct loaded load(void)
{
    struct loaded l = {.library = dlopen(getenv("TANDEM_TEST_LIBRARY"), RTLD_NOW | RTLD_LOCAL)};

    if (l.library == NULL) {
        printf("FAILED dlopen: %s\n", dlerror());
        exit(1);
    }
    *(void **)&l.open = dlsym(l.library, "tandem_open");
    *(void **)&l.close = dlsym(l.library, "tandem_close");
    *(void **)&l.call = dlsym(l.library, "tandem_call");
    *(void **)&l.submit = dlsym(l.library, "tandem_submit");
    *(void **)&l.pump = dlsym(l.library, "tandem_pump");
    *(void **)&l.status = dlsym(l.library, "tandem_status");
    *(void **)&l.get = dlsym(l.library, "tandem_get");
    *(void **)&l.free = dlsym(l.library, "tandem_free");
    return l;
}

/* A client of the scripted model server. */
UNUSED static tandem_client *loaded_client(const struct loaded *l, const char *extra)
{
    return l->open(text("{\"discover\":false,\"default_provider\":\"llama_cpp\",\"providers\":{\"llama_cpp\":"
                        "{\"url\":\"%s\",\"default_model\":\"scripted\"}}%s}", getenv("TANDEM_TEST_MODEL_URL"), extra), NULL);
}

/* Starts a run and returns the session. */
UNUSED static const char *loaded_prompt(const struct loaded *l, tandem_client *c, const char *op, const char *words, int *good)
{
    char *made = l->call(c, "sessions.create", "{}"), *id = l->get(made, "/ok/id");
    const char *session = text("%s", id == NULL ? "" : id);
    char *answer = l->call(c, op, text("{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"%s\"}]}", session, words));

    *good = l->status(answer) == TANDEM_OK;
    if (!*good)
        printf("%s\n", answer);
    l->free(made);
    l->free(id);
    l->free(answer);
    return session;
}

#endif
