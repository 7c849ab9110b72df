/* In a child every call answers at once, and the parent is unharmed.
   valgrind: no (its children end with the parent's memory) */
#include <fcntl.h>
#include <sys/wait.h>

#include "client.h"

static void nothing(void *ud, uint64_t op, const char *event)
{
    (void)ud, (void)op, (void)event;
}

static void count(void *ud)
{
    ++*(int *)ud;
}

static void notify(void *ud)
{
    (void)ud;
}

/* Everything a child may ask; runs in the child. */
static void in_child(tandem_client *c, int wakeup)
{
    char *error = NULL;
    long long began = now_ms();

    CHECK_INT("pump", TANDEM_E_FORKED, tandem_pump(c, 0, -1));
    CHECK_ERROR("next", "forked", tandem_next(c, 0, -1));
    CHECK_ERROR("call", "forked", tandem_call(c, "engine.health", NULL));
    CHECK_ERROR("a call that would block", "forked", tandem_call(c, "sessions.prompt_sync", "{}"));
    CHECK_INT("submit", 0, tandem_submit(c, "engine.health", NULL, &error));
    CHECK_ERROR("submit's error", "forked", error);
    tandem_free(error);
    CHECK_INT("stream", 0, tandem_stream(c, "engine.health", NULL, nothing, NULL, NULL, &error));
    CHECK_ERROR("stream's error", "forked", error);
    CHECK_ERROR("wait", "forked", tandem_wait(c, 1, -1));
    CHECK_ERROR("stats", "forked", tandem_stats(c));
    CHECK_INT("cancel", TANDEM_E_FORKED, tandem_cancel(c, TANDEM_ALL_OPS));
    CHECK_INT("pause", TANDEM_E_FORKED, tandem_pause(c, TANDEM_ALL_OPS, 1));
    CHECK_INT("wake", TANDEM_E_FORKED, tandem_wake(c));
    CHECK_INT("set_handler", TANDEM_E_FORKED, tandem_set_handler(c, nothing, NULL, NULL));
    CHECK_INT("set_wakeup", TANDEM_E_FORKED, tandem_set_wakeup(c, notify, NULL, NULL));
    CHECK_INT("set_log", TANDEM_E_FORKED, tandem_set_log(NULL, NULL, NULL, 0));
    CHECK_INT("wakeup_fd", TANDEM_E_FORKED, tandem_wakeup_fd(c));
    int drops = 0;
    CHECK_INT("provide", 0, tandem_provide(c, "{\"kind\":\"question\"}", NULL, &drops, count, &error));
    CHECK_ERROR("provide's error", "forked", error);
    CHECK_INT("provide drops", 1, drops);
    CHECK_INT("withdraw", TANDEM_E_FORKED, tandem_withdraw(c, 1));
    CHECK_INT("reply", TANDEM_E_FORKED, tandem_reply(c, 1, "{}"));
    CHECK_INT("reply_chunk", TANDEM_E_FORKED, tandem_reply_chunk(c, 1, "{}"));
    CHECK_INT("reply_wanted", TANDEM_E_FORKED, tandem_reply_wanted(c, 1));
    CHECK("open after the parent opened", tandem_open(NULL, &error) == NULL);
    CHECK_ERROR("open's error", "forked", error);
    CHECK_INT("the code", TANDEM_E_FORKED, tandem_status(error));
    CHECK("none of it waits", now_ms() - began < 5000 * slowness());
    CHECK_TEXT("get works", "1", at("{\"a\":1}", "/a"));
    CHECK_TEXT("quote works", "\"a\"", tandem_quote("a"));
    CHECK_INT("version works", 256, tandem_version());
    CHECK_TEXT("status_name works", "TANDEM_E_FORKED", tandem_status_name(TANDEM_E_FORKED));
    CHECK("the wakeup descriptor is closed", fcntl(wakeup, F_GETFD) == -1);
    CHECK_INT("close", TANDEM_OK, tandem_close(c, -1));
    CHECK_INT("close again", TANDEM_OK, tandem_close(c, -1));
}

/* Runs body in a child and takes its cases over. */
static int in_a_fork(tandem_client *c, int wakeup)
{
    int status = 0, counts[2] = {0, 0}, pipes[2];

    if (pipe(pipes) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        check_passed = check_failed = 0;
        alarm(10 * (unsigned)slowness());
        in_child(c, wakeup);
        counts[0] = check_passed, counts[1] = check_failed;
        _exit(write(pipes[1], counts, sizeof counts) != sizeof counts);
    }
    close(pipes[1]);
    if (read(pipes[0], counts, sizeof counts) != sizeof counts)
        counts[1] = 1;
    close(pipes[0]);
    check_passed += counts[0], check_failed += counts[1];
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void before_the_parent(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        tandem_client *c = tandem_open(ECHO, NULL);
        int good = c != NULL && tandem_status(tandem_call(c, "engine.health", NULL)) == TANDEM_OK && tandem_close(c, -1) == TANDEM_OK;
        _exit(!good);
    }
    waitpid(child, &status, 0);
    CHECK("a child may open when the parent never did", WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    begin(60);
    before_the_parent();
    tandem_client *c = scripted_client("");
    struct collected own = COLLECTED;
    const char *session = new_session(c), *run = start_run(c, session, "[[brief]]");
    int wakeup = tandem_wakeup_fd(c);

    tandem_stream(c, "engine.stream", stream_args(session, run), collect, &own, collect_drop, NULL);
    CHECK("the child ends well", in_a_fork(c, wakeup));
    CHECK("the parent's run goes on", pump_until(c, &own.dones, 1, 10000));
    CHECK_INT("to its end", 1, own.terminal);
    CHECK_OK("the parent is unharmed", keep(tandem_call(c, "engine.health", NULL)));
    CHECK("its descriptor too", fcntl(wakeup, F_GETFD) != -1);
    CHECK_INT("the parent closes", TANDEM_OK, tandem_close(c, -1));
    return finish();
}
