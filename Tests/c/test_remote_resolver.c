/* A resolver that never answers: this program's getaddrinfo stands before the system's. */
#include "client.h"
#include <netdb.h>

static atomic_int asked, answers;

/* Blocks until the end of the program, when the threads of curl that wait in it may go. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                                                       struct addrinfo **found)
{
    (void)name, (void)service, (void)hints;
    *found = NULL;
    atomic_fetch_add(&asked, 1);
    while (!atomic_load(&answers))
        nap(1);
    return EAI_NONAME;
}

static tandem_client *c;
static char *result;
static long long ended;

static void *call(void *unused)
{
    (void)unused;
    result = tandem_call(c, "engine.health", NULL);
    ended = now_ms();
    return NULL;
}

static void wait_until_asked(int count)
{
    for (long long end = now_ms() + 10000LL * slowness(); atomic_load(&asked) < count && now_ms() < end;)
        nap(1);
}

static tandem_client *client_of_nobody(void)
{
    return opened("{\"url\":\"http://engine.invalid:1\",\"retries\":0,\"connect_timeout_ms\":60000}");
}

static void closing(void)
{
    pthread_t thread;
    uint64_t op;

    c = client_of_nobody();
    pthread_create(&thread, NULL, call, NULL);
    op = tandem_submit(c, "engine.health", NULL, NULL);
    CHECK("a submitted call goes out too", op != 0);
    wait_until_asked(2);
    CHECK_INT("both calls ask for the name", 2, atomic_load(&asked));
    long long began = now_ms();
    CHECK_INT("close while a name does not resolve", TANDEM_OK, tandem_close(c, 5000 * slowness()));
    pthread_join(thread, NULL);
    CHECK("it closes without it", now_ms() - began < 5000LL * slowness());
    CHECK_ERROR("the blocked call ends", "closed", result);
    CHECK("as soon as the client is closed", ended - began < 5000LL * slowness());
    tandem_free(result);
}

static void deadline(void)
{
    c = client_of_nobody();
    long long began = now_ms();
    CHECK_ERROR("a name that does not resolve ends at the deadline", "timeout",
                keep(tandem_call(c, "engine.health", "{\"$timeout_ms\":100}")));
    CHECK("in its time", now_ms() - began < 10000LL * slowness());
    CHECK_INT("close", TANDEM_OK, tandem_close(c, -1));
}

int main(void)
{
    begin(60);
    closing();
    deadline();
    CHECK_INT("the names were asked for here", 3, atomic_load(&asked));
    atomic_store(&answers, 1);
    /* curl's threads are its own; they end before the program does. */
    threads_settled(1);
    return finish();
}
