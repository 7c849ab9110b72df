/* The library's own pumping thread, the wakeup descriptor and function, and wake. */
#include <fcntl.h>

#include "client.h"

static int unblocked, strange;
static pthread_t pumper;

static void on_thread(void *ud, uint64_t op, const char *event)
{
    sigset_t set;

    collect(ud, op, event);
    if (((struct collected *)ud)->events == 1)
        pumper = pthread_self();
    strange += !pthread_equal(pumper, pthread_self());
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGPROF, SIGWINCH};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        unblocked += !sigismember(&set, signals[i]);
}

static void own_thread(void)
{
    tandem_client *c = opened("{\"discover\":false,\"delivery\":\"thread\"}");
    struct collected own = COLLECTED;
    const char *session = new_session(c), *run = start_run(c, session, "hi");

    tandem_stream(c, "engine.stream", stream_args(session, run), on_thread, &own, collect_drop, NULL);
    for (long long end = now_ms() + 10000 * slowness(); counted(&own, &own.drops) == 0 && now_ms() < end; nap(5))
        ;
    CHECK_INT("callbacks come by themselves", 1, own.dones);
    CHECK("on another thread", !pthread_equal(pumper, pthread_self()));
    CHECK_INT("always the same", 0, strange);
    CHECK_INT("with all signals blocked", 0, unblocked);
    CHECK_INT("in order", 0, own.disordered);
    nap(100);
    CHECK_INT("the host cannot pump beside it", TANDEM_E_BUSY, tandem_pump(c, 0, 0));
    CHECK_OK("wait works", keep(tandem_wait(c, tandem_submit(c, "engine.health", NULL, NULL), -1)));
    CHECK_INT("close", TANDEM_OK, tandem_close(c, -1));
}

static int readable(int fd, int ms)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, ms) == 1 && (p.revents & POLLIN) != 0;
}

static void nothing(void *ud, uint64_t op, const char *event)
{
    (void)op, (void)event;
    if (ud != NULL)
        *(int *)ud += 1;
}

static void descriptor(void)
{
    tandem_client *c = echo_client();
    int fd = tandem_wakeup_fd(c), events = 0;

    CHECK("the descriptor", fd > 2);
    CHECK_INT("is always the same", fd, tandem_wakeup_fd(c));
    CHECK("R8 is close-on-exec", (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK("nothing to pump: not readable", !readable(fd, 50));
    tandem_stream(c, "engine.health", NULL, nothing, &events, NULL, NULL);
    CHECK("something to pump: readable", readable(fd, 5000));
    CHECK("still", readable(fd, 0));
    CHECK_INT("it is done", 1, tandem_pump(c, 0, 0));
    CHECK("drained: not readable", !readable(fd, 50));
    tandem_submit(c, "engine.health", NULL, NULL);
    CHECK("what nobody has claimed yet is readable", readable(fd, 5000));
    CHECK_INT("a pump leaves it", 0, tandem_pump(c, 0, 0));
    CHECK("and then it does not count", !readable(fd, 50));
    CHECK_TEXT("but next has it", "done", at(keep(tandem_next(c, 0, 0)), "/ok/0/type"));
    for (int i = 0; i < 200; i++)
        tandem_stream(c, "engine.health", NULL, nothing, &events, NULL, NULL);
    for (long long end = now_ms() + 10000 * slowness(); events < 201 && now_ms() < end;)
        if (readable(fd, 1000))
            tandem_pump(c, 1, 0);
    CHECK_INT("a host that only polls gets all", 201, events);
    tandem_close(c, -1);
}

static void count(void *ud)
{
    atomic_fetch_add((atomic_int *)ud, 1);
}

/* Waits until the counter is there. */
static void reaches(atomic_int *counter, int count)
{
    for (long long end = now_ms() + 10000 * slowness(); atomic_load(counter) < count && now_ms() < end; nap(1))
        ;
}

static void function(void)
{
    tandem_client *a = echo_client(), *b = echo_client();
    atomic_int first = 0, second = 0, dropped = 0;
    int events = 0;

    CHECK_INT("set_wakeup", TANDEM_OK, tandem_set_wakeup(a, count, &first, NULL));
    CHECK_INT("many clients, one function", TANDEM_OK, tandem_set_wakeup(b, count, &second, NULL));
    for (int i = 0; i < 50; i++)
        tandem_stream(a, "engine.health", NULL, nothing, &events, NULL, NULL);
    settled(a);
    reaches(&first, 1);
    CHECK_INT("one wakeup until the pump", 1, atomic_load(&first));
    CHECK_INT("none for another client", 0, atomic_load(&second));
    CHECK_INT("one pump has all", 50, tandem_pump(a, 0, 0));
    tandem_stream(a, "engine.health", NULL, nothing, &events, NULL, NULL);
    reaches(&first, 2);
    settled(a);
    CHECK_INT("then the next wakeup", 2, atomic_load(&first));
    CHECK_INT("its pump", 1, tandem_pump(a, 0, 0));
    tandem_submit(b, "engine.health", NULL, NULL);
    reaches(&second, 1);
    CHECK_INT("ud tells whose", 1, atomic_load(&second));
    tandem_set_wakeup(b, count, &second, NULL);
    tandem_set_wakeup(a, count, &first, count);
    atomic_store(&dropped, atomic_load(&first));
    tandem_close(a, -1);
    CHECK("close drops the function", atomic_load(&first) > atomic_load(&dropped));
    tandem_close(b, -1);
}

static tandem_client *signalled;

static void on_signal(int number)
{
    (void)number;
    tandem_wake(signalled);
}

static void by_signal(void)
{
    struct sigaction action = {.sa_handler = on_signal}, before;

    signalled = echo_client();
    sigaction(SIGUSR1, &action, &before);
    union sigval none = {0};
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value = none};
    struct itimerspec soon = {{0, 0}, {0, 100000000}};
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
    long long began = now_ms();
    CHECK_INT("wake in a signal handler", 0, tandem_pump(signalled, 0, 20000));
    CHECK("ends a pump", now_ms() - began < 5000);
    timer_delete(timer);
    sigaction(SIGUSR1, &before, NULL);
    tandem_close(signalled, -1);
    CHECK_INT("wake of a closed client", TANDEM_E_HANDLE, tandem_wake(signalled));
}

int main(void)
{
    begin(60);
    own_thread();
    descriptor();
    function();
    by_signal();
    return finish();
}
