/* On one CPU, 64 threads in wait whose tools all block at once. */
#define _GNU_SOURCE
#include "host.h"

enum { thread_count = 64 };

static tandem_client *c;
static pthread_barrier_t all_inside;
static atomic_int served, finished;

struct waiter {
    pthread_t thread;
    const char *session;
};

/* Blocks until the tools of all threads are called, then calls the library itself. */
static void block(void *ud, uint64_t call, const char *json)
{
    (void)ud;
    if (strstr(json, "\"host.cancel\"") != NULL)
        return;
    pthread_barrier_wait(&all_inside);
    char *health = tandem_call(c, "engine.health", NULL);
    char *reply = tandem_status(health) == TANDEM_OK ? "{\"ok\":\"5\"}" : "{\"error\":{\"message\":\"no health\"}}";
    tandem_free(health);
    if (tandem_reply(c, call, reply) == TANDEM_OK)
        atomic_fetch_add(&served, 1);
}

static void *wait_for_one(void *ud)
{
    struct waiter *w = ud;
    char *error = NULL;
    uint64_t op = tandem_submit(c, "sessions.prompt_sync", prompt_args(w->session, "[[host-crowd]]"), &error);
    char *result = op == 0 ? error : tandem_wait(c, op, -1);
    char *said = tandem_get(result, "/ok/text");

    if (said != NULL && strcmp(said, "Done.") == 0)
        atomic_fetch_add(&finished, 1);
    else
        printf("%s\n", result);
    tandem_free(said);
    tandem_free(result);
    return NULL;
}

int main(void)
{
    static struct waiter waiters[thread_count];
    cpu_set_t one;
    char *answers = room(65536);
    size_t used = 0;

    begin(60);
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    CHECK_INT("the process has one CPU", 0, sched_setaffinity(0, sizeof one, &one));
    c = scripted_client("");
    pthread_barrier_init(&all_inside, NULL, thread_count);
    CHECK("the tool is provided", tandem_provide(c, "{\"kind\":\"tool\",\"name\":\"add\"}", block, NULL, NULL, NULL) != 0);
    /* Every run has its first answer before any has its second: none goes on before all tools are called. */
    used += (size_t)snprintf(answers, 65536, "[");
    for (int i = 0; i < thread_count; i++)
        used += (size_t)snprintf(answers + used, 65536 - used, "{\"tool_calls\":[{\"name\":\"add\",\"arguments\":{}}]},");
    snprintf(answers + used, 65536 - used, "{\"text\":\"Done.\"}]");
    script("host-crowd", answers);
    for (int i = 0; i < thread_count; i++)
        waiters[i].session = new_session(c);
    for (int i = 0; i < thread_count; i++)
        pthread_create(&waiters[i].thread, NULL, wait_for_one, &waiters[i]);
    for (int i = 0; i < thread_count; i++)
        pthread_join(waiters[i].thread, NULL);
    CHECK_INT("all tools have answered", thread_count, atomic_load(&served));
    CHECK_INT("all threads have their result", thread_count, atomic_load(&finished));
    tandem_close(c, -1);
    return finish();
}
