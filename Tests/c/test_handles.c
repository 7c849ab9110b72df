/* R7: NULL, closed and invented handles, for every function that takes one. */
#include <dlfcn.h>

#include "client.h"

static int drops;

static void count_drop(void *ud)
{
    (void)ud;
    drops++;
}

static void on_event(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op, (void)event;
}

static void on_host(void *ud, uint64_t call, const char *request)
{
    (void)ud, (void)call, (void)request;
}

/* Every function of the kernel with a handle that is none. */
static void kernel(const char *kind, tandem_client *c)
{
    char *error = NULL;

    CHECK_ERROR(text("stats of a %s handle", kind), "closed", keep(tandem_stats(c)));
    CHECK_ERROR(text("call of a %s handle", kind), "closed", keep(tandem_call(c, "engine.health", NULL)));
    CHECK_INT(text("submit of a %s handle", kind), 0, tandem_submit(c, "engine.health", NULL, &error));
    CHECK_ERROR(text("submit's error of a %s handle", kind), "closed", keep(error));
    drops = 0;
    CHECK_INT(text("stream of a %s handle", kind), 0, tandem_stream(c, "engine.stream", NULL, on_event, NULL, count_drop, &error));
    CHECK_ERROR(text("stream's error of a %s handle", kind), "closed", keep(error));
    CHECK_INT(text("stream's drop of a %s handle", kind), 1, drops);
    CHECK_ERROR(text("wait of a %s handle", kind), "closed", keep(tandem_wait(c, 1, 0)));
    CHECK_INT(text("cancel of a %s handle", kind), TANDEM_E_HANDLE, tandem_cancel(c, TANDEM_ALL_OPS));
    CHECK_INT(text("pause of a %s handle", kind), TANDEM_E_HANDLE, tandem_pause(c, TANDEM_ALL_OPS, 1));
    CHECK_INT(text("pump of a %s handle", kind), TANDEM_E_HANDLE, tandem_pump(c, 0, 0));
    CHECK_ERROR(text("next of a %s handle", kind), "closed", keep(tandem_next(c, 0, 0)));
    drops = 0;
    CHECK_INT(text("set_handler of a %s handle", kind), TANDEM_E_HANDLE, tandem_set_handler(c, on_event, NULL, count_drop));
    CHECK_INT(text("set_handler's drop of a %s handle", kind), 1, drops);
    CHECK_INT(text("wakeup_fd of a %s handle", kind), TANDEM_E_HANDLE, tandem_wakeup_fd(c));
    drops = 0;
    CHECK_INT(text("set_wakeup of a %s handle", kind), TANDEM_E_HANDLE, tandem_set_wakeup(c, count_drop, NULL, count_drop));
    CHECK_INT(text("set_wakeup's drop of a %s handle", kind), 1, drops);
    CHECK_INT(text("wake of a %s handle", kind), TANDEM_E_HANDLE, tandem_wake(c));
    drops = 0;
    CHECK_INT(text("provide of a %s handle", kind), 0, tandem_provide(c, "{\"kind\":\"question\"}", on_host, NULL, count_drop, &error));
    CHECK_ERROR(text("provide's error of a %s handle", kind), "closed", keep(error));
    CHECK_INT(text("provide's drop of a %s handle", kind), 1, drops);
    CHECK_INT(text("withdraw of a %s handle", kind), TANDEM_E_HANDLE, tandem_withdraw(c, 1));
    CHECK_INT(text("reply of a %s handle", kind), TANDEM_E_HANDLE, tandem_reply(c, 1, "{\"ok\":1}"));
    CHECK_INT(text("reply_chunk of a %s handle", kind), TANDEM_E_HANDLE, tandem_reply_chunk(c, 1, "{}"));
    CHECK_INT(text("reply_wanted of a %s handle", kind), TANDEM_E_HANDLE, tandem_reply_wanted(c, 1));
    CHECK_INT(text("close of a %s handle", kind), TANDEM_E_HANDLE, tandem_close(c, 0));
}

/* Every generated function, found by the names that tandem_describe gives. */
static void operations(const char *kind, tandem_client *c)
{
    const char *names = keep(tandem_describe("ops"));
    int total = 0, closed = 0;

    for (int i = 0;; i++) {
        char *name = tandem_get(names, text("/ok/%d", i));
        if (name == NULL)
            break;
        char symbol[256];
        snprintf(symbol, sizeof symbol, "tandem_%s", name);
        *strchr(symbol, '.') = '_';
        tandem_free(name);
        char *(*function)(tandem_client *, const char *) = (char *(*)(tandem_client *, const char *))dlsym(RTLD_DEFAULT, symbol);
        total++;
        if (function == NULL) {
            printf("no %s\n", symbol);
            continue;
        }
        char *result = function(c, NULL);
        closed += tandem_status(result) == TANDEM_E_HANDLE;
        tandem_free(result);
    }
    CHECK_INT(text("there are 611 operations (%s)", kind), 611, total);
    CHECK_INT(text("each answers a %s handle", kind), total, closed);
}

/* Numbers of one client's operations, providers and calls are nothing to another, nor to each other. */
static void numbers(void)
{
    tandem_client *c = echo_client(), *other = echo_client();
    uint64_t provider = tandem_provide(other, "{\"kind\":\"question\"}", on_host, NULL, NULL, NULL);
    uint64_t op = tandem_submit(other, "engine.health", NULL, NULL);
    uint64_t none[] = {0, 1, UINT64_MAX, provider, op};

    CHECK("a provider and an operation", provider != 0 && op != 0);
    for (int i = 0; i < 5; i++) {
        const char *which = i == 3 ? "another client's provider" : i == 4 ? "another client's operation" : "an invented number";
        CHECK_INT(text("withdraw of %s", which), TANDEM_E_ARGS, tandem_withdraw(c, none[i]));
        CHECK_INT(text("reply to %s", which), TANDEM_E_ARGS, tandem_reply(c, none[i], "{\"ok\":1}"));
        CHECK_INT(text("reply_chunk to %s", which), TANDEM_E_ARGS, tandem_reply_chunk(c, none[i], "{}"));
        CHECK_INT(text("reply_wanted of %s", which), TANDEM_E_ARGS, tandem_reply_wanted(c, none[i]));
    }
    CHECK_INT("cancel of a provider", TANDEM_E_ARGS, tandem_cancel(other, provider));
    CHECK_INT("pause of a provider", TANDEM_E_ARGS, tandem_pause(other, provider, 1));
    CHECK_ERROR("wait for a provider", "invalid_argument", keep(tandem_wait(other, provider, 0)));
    CHECK_INT("withdraw of an operation", TANDEM_E_ARGS, tandem_withdraw(other, op));
    CHECK_INT("reply to a provider", TANDEM_E_ARGS, tandem_reply(other, provider, "{\"ok\":1}"));
    tandem_close(c, -1);
    tandem_close(other, -1);
}

static void not_yet(void)
{
    tandem_client *c = echo_client();
    char *error = NULL;

    drops = 0;
    CHECK_INT("an embedding is not supported yet", 0,
              tandem_provide(c, "{\"kind\":\"embedding\",\"name\":\"e\",\"dimensions\":3}", on_host, NULL, count_drop, &error));
    CHECK_ERROR("and says so", "not_supported", keep(error));
    CHECK_INT("and drops", 1, drops);
    const char *unbuilt = keep(tandem_call(c, "coder.list_runs", NULL));
    CHECK_ERROR("an operation without a handler", "not_supported", unbuilt);
    CHECK_TEXT("is named", "coder.list_runs", at(unbuilt, "/error/op"));
    CHECK_ERROR("and by its own function", "not_supported", keep(tandem_coder_list_runs(c, NULL)));
    tandem_close(c, -1);
}

int main(void)
{
    begin(60);
    tandem_client *closed = echo_client();
    tandem_close(closed, -1);
    tandem_client *reused = echo_client();
    CHECK("a slot that is used again is another handle", closed != reused);

    static const char memory[64];
    kernel("NULL", NULL);
    kernel("closed", closed);
    kernel("(void *)1", (tandem_client *)1);
    kernel("(void *)-1", (tandem_client *)UINTPTR_MAX);
    kernel("foreign", (tandem_client *)(uintptr_t)memory);
    operations("NULL", NULL);
    operations("closed", closed);
    CHECK_OK("the open client is unharmed", keep(tandem_call(reused, "engine.health", NULL)));
    tandem_close(reused, -1);
    numbers();
    not_yet();
    return finish();
}
