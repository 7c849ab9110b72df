/* Loading and unloading: no thread, no descriptor; dlclose with a run in flight, and again. */
#include "loaded.h"

static void round_trip(int i, int close_first)
{
    struct loaded l = load();
    tandem_client *c = loaded_client(&l, "");
    int good = 0;

    loaded_prompt(&l, c, "sessions.prompt_async", "[[slow]]", &good);
    if (!good || c == NULL)
        CHECK(text("round %d runs", i), good);
    if (close_first) {
        l.close(c, -1);
        dlclose(l.library);
        return;
    }
    dlclose(l.library);
    nap(10);
    l = load();
    if (l.pump(c, 0, 0) < 0 || l.close(c, -1) != TANDEM_OK)
        CHECK(text("round %d: the client outlives dlclose", i), 0);
    dlclose(l.library);
}

int main(void)
{
    begin(120);
    long threads = threads_now(), fds = fds_now();
    struct loaded l = load();

    CHECK_INT("loading starts no thread", threads, threads_now());
    CHECK_INT("loading opens no descriptor", fds, fds_now());
    dlclose(l.library);
    CHECK_INT("unloading leaves none", fds, fds_now());

    round_trip(0, 1);
    threads = threads_settled(threads), fds = fds_now();
    int rounds = slowness() > 1 ? 4 : 50;
    for (int i = 1; i <= rounds; i++)
        round_trip(i, i % 2);
    CHECK("50 times open, run, close, dlclose, with a run in flight", 1);
    CHECK_INT("no thread is left", threads, threads_settled(threads));
    CHECK_INT("no descriptor is left", fds, fds_now());
    CHECK_INT("there is one thread", 1, threads_now());
    return finish();
}
