/*
 * What a day of use must not cost: memory, descriptors and threads are the same after many runs, waits and clients as
 * after few. Part of scripts/check-deep. Arguments: runs, waited operations and clients (20000 300000 2000).
 */
#include "sample.h"

static void on_event(void *ud, uint64_t op, const char *event)
{
    (void)op;
    *(int *)ud += strstr(event, "\"type\":\"done\"") != NULL;
}

static void on_drop(void *ud)
{
    ((int *)ud)[1]++;
}

static void run_once(tandem_client *c, const char *session)
{
    int ended[2] = {0, 0};
    char args[256];

    snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"hi\"}]}", session);
    char *started = tandem_call(c, "sessions.prompt_async", args), *run = tandem_get(started, "/ok/run_id");
    if (run == NULL) {
        printf("FAILED sessions.prompt_async: %s\n", started);
        exit(1);
    }
    snprintf(args, sizeof args, "{\"session_id\":\"%s\",\"run_id\":\"%s\"}", session, run);
    tandem_stream(c, "engine.stream", args, on_event, ended, on_drop, NULL);
    while (ended[1] == 0)
        tandem_pump(c, 0, 1000);
    tandem_free(started);
    tandem_free(run);
}

/* The state is a file: what runs leave behind is on disk. A stream of everything is open all the time. */
static void runs(int count)
{
    const char *folder = temporary_folder();
    tandem_client *c = opened(text("{\"discover\":false,\"state\":\"%s\"}", folder));
    int all[2] = {0, 0};
    struct sample before = {0, 0, 0};
    const char *session = NULL;

    tandem_stream(c, "engine.global_stream", NULL, on_event, all, on_drop, NULL);
    for (int i = 0; i < count; i++) {
        if (i % 200 == 0)
            session = new_session(c);
        if (i == count / 4)
            before = sample("a quarter of the runs");
        run_once(c, session);
    }
    flat("runs", before, sample("all runs"), 2048);
    CHECK_INT("runs: close", TANDEM_OK, tandem_close(c, -1));
    remove_folder(folder);
}

/* Results that are there before anybody waits, of a host that never pumps; and one that pauses and goes on. */
static void waits(int count)
{
    enum { AT_ONCE = 64 };
    tandem_client *c = echo_client();
    struct sample before = {0, 0, 0};
    uint64_t ops[AT_ONCE];

    for (int i = 0; i < count / AT_ONCE; i++) {
        if (i == count / AT_ONCE / 4)
            before = sample("a quarter of the waits");
        for (int j = 0; j < AT_ONCE; j++)
            ops[j] = tandem_submit(c, "engine.health", NULL, NULL);
        for (int j = 0; j < AT_ONCE; j++) {
            tandem_pause(c, ops[j], 1);
            tandem_pause(c, ops[j], 0);
            tandem_free(tandem_wait(c, ops[j], -1));
        }
    }
    flat("waits", before, sample("all waits"), 1024);
    CHECK_INT("waits: close", TANDEM_OK, tandem_close(c, -1));
}

static void clients(int count)
{
    struct sample before = {0, 0, 0};

    for (int i = 0; i < count; i++) {
        if (i == count / 4)
            before = sample("a quarter of the clients");
        tandem_client *c = echo_client();
        tandem_wakeup_fd(c);
        char *made = tandem_call(c, "sessions.create", NULL), *id = tandem_get(made, "/ok/id");
        run_once(c, id);
        tandem_free(made);
        tandem_free(id);
        tandem_close(c, -1);
    }
    threads_settled(1);
    flat("clients", before, sample("all clients"), 1024);
}

int main(int count, char **words)
{
    clients(count > 3 ? atoi(words[3]) : 2000);
    waits(count > 2 ? atoi(words[2]) : 300000);
    runs(count > 1 ? atoi(words[1]) : 20000);
    return finish();
}
