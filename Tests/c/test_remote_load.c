/* Loading and unloading, a hundred times, with a remote stream open; and a fork in the middle of one.
   valgrind: no (it starts a Python program, and its child ends with the parent's memory) */
#include <sys/wait.h>

#include "loaded.h"

#define TOKEN "secret"

static tandem_client *remote_client(const struct loaded *l, int port, const char *extra)
{
    return l->open(text("{\"url\":\"http://127.0.0.1:%d\",\"token\":\"" TOKEN "\"%s}", port, extra), NULL);
}

static int is_ok(const struct loaded *l, char *result)
{
    int good = l->status(result) == TANDEM_OK;

    l->free(result);
    return good;
}

static int round_trip(int port, int i)
{
    struct loaded l = load();
    tandem_client *c = remote_client(&l, port, i % 3 ? "" : ",\"subscription\":\"session\",\"delivery\":\"thread\"");
    int good = c != NULL && l.submit(c, "engine.global_stream", NULL, NULL) != 0 && l.submit(c, "sessions.list", NULL, NULL) != 0;

    good &= is_ok(&l, l.call(c, "engine.health", NULL));
    if (i % 2 == 0) {
        dlclose(l.library);
        l = load();
        good &= is_ok(&l, l.call(c, "engine.health", NULL));
    }
    good &= l.close(c, -1) == TANDEM_OK;
    dlclose(l.library);
    return good;
}

/* The child of a fork in the middle of a stream has nothing of it; the parent has all. */
static void fork_in_a_stream(int port)
{
    struct loaded l = load();
    tandem_client *c = remote_client(&l, port, "");
    uint64_t stream = l.submit(c, "engine.global_stream", NULL, NULL);
    int status = 0;

    CHECK("a stream is open beside a fork", stream != 0 && is_ok(&l, l.call(c, "engine.health", NULL)));
    pid_t child = fork();
    if (child == 0) {
        alarm(10 * (unsigned)slowness());
        long long began = now_ms();
        char *answer = l.call(c, "engine.health", NULL);
        int good = l.status(answer) == TANDEM_E_FORKED && l.pump(c, 0, -1) == TANDEM_E_FORKED && l.close(c, -1) == TANDEM_OK;
        _exit(!good || now_ms() - began > 100 * slowness() || fds_now() > 32);
    }
    waitpid(child, &status, 0);
    CHECK("the child is told at once, and closes", WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK("the parent's client works on", is_ok(&l, l.call(c, "engine.health", NULL)));
    CHECK_INT("and closes", TANDEM_OK, l.close(c, -1));
    dlclose(l.library);
}

int main(void)
{
    const char *root = getenv("TANDEM_TEST_ROOT");
    FILE *engine = popen(text("echo $$; exec python3 %s/Tests/tools/standin_engine.py --port 0 --token " TOKEN, root == NULL ? "." : root), "r");
    int pid = 0, port = 0, good = 0, rounds = slowness() > 1 ? 10 : 100;

    begin(120);
    CHECK("the stand-in engine starts", engine != NULL && fscanf(engine, "%d %d", &pid, &port) == 2);
    CHECK("the first round works", round_trip(port, 0));
    long threads = threads_settled(1), fds = fds_now();
    for (int i = 1; i <= rounds; i++)
        good += round_trip(port, i);
    CHECK_INT("so does each that follows", rounds, good);
    CHECK_INT("no thread is left", threads, threads_settled(threads));
    CHECK_INT("no descriptor is left", fds, fds_now());
    fork_in_a_stream(port);
    CHECK_INT("no descriptor is left after the fork", fds, fds_now());
    kill(pid, SIGTERM);
    pclose(engine);
    return finish();
}
