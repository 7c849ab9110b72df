/* R4: any function, any thread; and close against all of them. */
#include "client.h"

enum { thread_count = 8, calls = 150 };

static tandem_client *c;
static const char *session;
static atomic_int wrong, closed, good, dones, submitted;

static void note(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op;
    if (strstr(event, "\"type\":\"done\"") != NULL)
        atomic_fetch_add(&dones, 1);
}

static int32_t judged(char *result)
{
    int32_t status = tandem_status(result);

    if (strncmp(result, "{\"ok\"", 5) != 0 && strncmp(result, "{\"error\"", 8) != 0)
        atomic_fetch_add(&wrong, 1);
    tandem_free(result);
    return status;
}

static int32_t one_call(int i, unsigned *seed)
{
    const char *args = text("{\"session_id\":\"%s\"}", session);
    uint64_t op;

    switch (rand_r(seed) % 8) {
    case 0:
        return judged(tandem_call(c, "sessions.get", args));
    case 1:
        return judged(tandem_call(c, "sessions.create", "{\"title\":\"thread\"}"));
    case 2:
        op = tandem_submit(c, "engine.health", NULL, NULL);
        if (op == 0)
            return TANDEM_E_HANDLE;
        return judged(tandem_wait(c, op, -1));
    case 3:
        op = tandem_stream(c, "sessions.get", args, note, NULL, NULL, NULL);
        if (op != 0)
            atomic_fetch_add(&submitted, 1);
        if (op != 0 && i % 2)
            tandem_cancel(c, op);
        return TANDEM_OK;
    case 4:
        return judged(tandem_call(c, "sessions.update", text("{\"session_id\":\"%s\",\"title\":\"t%d\"}", session, i)));
    case 5:
        return judged(tandem_stats(c));
    case 6:
        return tandem_wake(c);
    default:
        return judged(tandem_call(c, "sessions.list", "{\"page_size\":3}"));
    }
}

static void *call_a_lot(void *ud)
{
    unsigned seed = (unsigned)(uintptr_t)ud;

    for (int i = 0; i < calls; i++) {
        int32_t status = one_call(i, &seed);
        atomic_fetch_add(status == TANDEM_OK ? &good : status == TANDEM_E_HANDLE ? &closed : &wrong, 1);
    }
    return NULL;
}

static void start(pthread_t *threads)
{
    atomic_store(&wrong, 0), atomic_store(&closed, 0), atomic_store(&good, 0);
    atomic_store(&dones, 0), atomic_store(&submitted, 0);
    for (int i = 0; i < thread_count; i++)
        pthread_create(&threads[i], NULL, call_a_lot, (void *)(uintptr_t)(i + 1));
}

static void eight_threads(void)
{
    pthread_t threads[thread_count];

    c = echo_client();
    session = new_session(c);
    start(threads);
    while (atomic_load(&good) + atomic_load(&wrong) < thread_count * calls)
        tandem_pump(c, 0, 20);
    for (int i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    for (long long end = now_ms() + 5000 * slowness(); atomic_load(&dones) < atomic_load(&submitted) && now_ms() < end;)
        tandem_pump(c, 0, 20);
    CHECK_INT("R4 eight threads: all is answered", 0, atomic_load(&wrong));
    CHECK_INT("R4 and well", thread_count * calls, atomic_load(&good));
    CHECK_INT("R6 one done each", atomic_load(&submitted), atomic_load(&dones));
    CHECK_INT("close", TANDEM_OK, tandem_close(c, -1));
}

static void against_close(void)
{
    for (int round = 0; round < 10; round++) {
        pthread_t threads[thread_count];

        c = echo_client();
        session = new_session(c);
        start(threads);
        nap(1 + round * 3);
        long long began = now_ms();
        int32_t status = tandem_close(c, 10000 * slowness());
        long long took = now_ms() - began;
        for (int i = 0; i < thread_count; i++)
            pthread_join(threads[i], NULL);
        CHECK(text("R7 close against eight threads, round %d", round),
              status == TANDEM_OK && took < 5000 * slowness() && atomic_load(&wrong) == 0);
        CHECK_INT(text("R6 each submit had its done, round %d", round), atomic_load(&submitted), atomic_load(&dones));
    }
}

int main(void)
{
    begin(90);
    tandem_close(echo_client(), -1);
    long threads = threads_now(), fds = fds_now();
    eight_threads();
    against_close();
    CHECK_INT("no thread is left", threads, threads_settled(threads));
    CHECK_INT("no descriptor is left", fds, fds_now());
    return finish();
}
