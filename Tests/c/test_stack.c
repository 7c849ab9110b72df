/* Every function on a thread with a 64 KiB stack, with JSON 128 levels deep. */
#include <dlfcn.h>

#include "client.h"

static char deep[512], deep_config[1024];
static int operations, answered;

static void nothing(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op;
    tandem_free(tandem_get(event, "/tag/0/0/0"));
}

static void all_operations(tandem_client *c)
{
    const char *names = keep(tandem_describe("ops"));

    for (int i = 0;; i++) {
        char *name = tandem_get(names, text("/ok/%d", i)), symbol[256];
        if (name == NULL)
            return;
        snprintf(symbol, sizeof symbol, "tandem_%s", name);
        *strchr(symbol, '.') = '_';
        tandem_free(name);
        char *(*function)(tandem_client *, const char *) = (char *(*)(tandem_client *, const char *))dlsym(RTLD_DEFAULT, symbol);
        char *result = function == NULL ? NULL : function(c, deep);
        operations++;
        answered += result != NULL && (strncmp(result, "{\"ok\"", 5) == 0 || strncmp(result, "{\"error\"", 8) == 0);
        tandem_free(result);
    }
}

static void *on_a_small_stack(void *ud)
{
    char *error = NULL;

    (void)ud;
    CHECK("a deep configuration is an error", tandem_open(deep_config, &error) == NULL && tandem_status(error) != TANDEM_OK);
    keep(error);
    tandem_client *c = scripted_client("");
    const char *made = keep(tandem_call(c, "sessions.create", text("{\"source_metadata\":%.*s}", 200, strchr(deep, '[') + 10)));
    CHECK("deep metadata is answered", made != NULL);
    const char *session = new_session(c), *run = start_run(c, session, "[[hello]]");
    uint64_t op = tandem_stream(c, "engine.stream", text("{\"session_id\":\"%s\",\"run_id\":\"%s\",%s", session, run, deep + 1),
                                nothing, NULL, NULL, &error);
    CHECK("a stream with a deep tag", op != 0);
    CHECK_OK("wait", keep(tandem_wait(c, op, -1)));
    tandem_submit(c, "engine.health", deep, NULL);
    CHECK("pump", tandem_pump(c, 0, 100) >= 0);
    const char *batch = keep(tandem_next(c, 0, 5000));
    CHECK_OK("next", batch);
    CHECK("describe", tandem_status(keep(tandem_describe("op:sessions.create"))) == TANDEM_OK);
    CHECK("stats", tandem_status(keep(tandem_stats(c))) == TANDEM_OK);
    CHECK("status of a deep text", tandem_status(deep) == TANDEM_E_ARGS);
    CHECK("quote of a deep text", keep(tandem_quote(deep)) != NULL);
    all_operations(c);
    CHECK("all operations are called", operations == 611);
    CHECK_INT("and answered", operations, answered);
    CHECK_INT("close", TANDEM_OK, tandem_close(c, -1));
    return NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    begin(90);
    strcpy(deep, "{\"$tag\":");
    memset(deep + 8, '[', 127);
    memset(deep + 8 + 127, ']', 127);
    strcpy(deep + 8 + 254, "}");
    snprintf(deep_config, sizeof deep_config, "{\"headers\":%s", deep + 8);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    pthread_create(&thread, &attributes, on_a_small_stack, NULL);
    pthread_join(thread, NULL);
    return finish();
}
