/* A system that gives no more descriptors or threads, and a state that goes away: every call answers, nothing is left.
   valgrind: no (it needs descriptors and threads of its own, and starts a Python program) */
#include <sys/resource.h>
#include <sys/wait.h>

#include "engine.h"

enum { MOST_FDS = 24, MOST_THREADS = 6, OTHER_USER = 61234, PATIENCE_MS = 20000, IMPATIENCE_MS = 500 };

static int wrong, patience_ms = PATIENCE_MS;
static const char *example;

/* What was answered wrongly since the last time, with the first of it; "" for nothing. */
static const char *faults(void)
{
    const char *found = wrong == 0 ? "" : text("%d, %s", wrong, example);

    wrong = 0;
    return found;
}

/* A result in its shape, and no failure of the library's own. */
static void judge(const char *what, char *result)
{
    char *name = tandem_get(result, "/error/name"), *whole = tandem_get(result, "");
    int is_ok = result != NULL && strncmp(result, "{\"ok\"", 5) == 0;
    int good = whole != NULL && (is_ok || (name != NULL && strstr("internal closed pending", name) == NULL));

    if (!good && wrong++ == 0)
        example = text("%s: %.400s", what, result == NULL ? "NULL" : result);
    tandem_free(name);
    tandem_free(whole);
    tandem_free(result);
}

/* Uses all that a client may need descriptors and threads for; whether a prompt was answered. */
static int use(tandem_client *c, int is_remote)
{
    const char *extra = text(",\"$timeout_ms\":%d,\"$retries\":0", patience_ms * slowness());
    char *made = tandem_call(c, "sessions.create", text("{\"title\":\"few\"%s}", extra)), *id = tandem_get(made, "/ok/id");
    const char *session = text("%s", id == NULL ? "none" : id);
    uint64_t stream = tandem_submit(c, "engine.stream", text("{\"session_id\":\"%s\"%s}", session, extra), NULL);
    uint64_t submitted = tandem_submit(c, "sessions.get", text("{\"session_id\":\"%s\"%s}", session, extra), NULL);
    /* The stand-in engine has no events by which a run ends. */
    char *answer = tandem_call(c, is_remote ? "sessions.prompt_async" : "sessions.prompt_sync",
                               text("{\"session_id\":\"%s\",\"prompt\":\"[[hello]]\"%s}", session, extra));
    int is_answered = tandem_status(answer) == TANDEM_OK;

    judge("create", made);
    judge("prompt", answer);
    judge("list", tandem_call(c, "sessions.list", text("{%s}", extra + 1)));
    judge("stats", tandem_stats(c));
    if (submitted != 0)
        judge("submitted", tandem_wait(c, submitted, 10000 * slowness()));
    tandem_wakeup_fd(c);
    if (stream != 0) {
        tandem_cancel(c, stream);
        judge("stream", tandem_wait(c, stream, 10000 * slowness()));
    }
    tandem_free(id);
    return is_answered;
}

static int open_and_use(const char *config, int is_remote)
{
    char *error = NULL;
    tandem_client *c = tandem_open(config, &error);

    if (c == NULL) {
        judge("open", error);
        return 0;
    }
    int is_answered = use(c, is_remote);
    if (tandem_close(c, 10000 * slowness()) != TANDEM_OK && wrong++ == 0)
        example = "it does not close";
    return is_answered;
}

static void allow_fds(rlim_t count)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = count < files.rlim_max ? count : files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void few_descriptors(const char *kind, const char *config, int is_remote)
{
    int is_answered = open_and_use(config, is_remote), last = 0;

    CHECK(text("%s: with descriptors a prompt is answered", kind), is_answered);
    long threads = threads_settled(1), fds = fds_now();
    for (int room = 0; room <= MOST_FDS; room++) {
        patience_ms = room < MOST_FDS ? IMPATIENCE_MS : PATIENCE_MS;
        allow_fds((rlim_t)fds + (rlim_t)room);
        last = open_and_use(config, is_remote);
        allow_fds(1024);
    }
    CHECK_TEXT(text("%s: without descriptors everything is answered", kind), "", faults());
    CHECK(text("%s: with the last of them a prompt is answered", kind), last);
    tandem_client *c = opened(config);
    patience_ms = IMPATIENCE_MS;
    allow_fds((rlim_t)fds_now());
    use(c, is_remote);
    allow_fds(1024);
    patience_ms = PATIENCE_MS;
    CHECK_TEXT(text("%s: nor does an open client fail when they run out", kind), "", faults());
    CHECK(text("%s: it works on when there are some again", kind), use(c, is_remote));
    CHECK_INT(text("%s: and closes", kind), TANDEM_OK, tandem_close(c, -1));
    CHECK_INT(text("%s: no descriptor is left", kind), fds, fds_now());
    CHECK_INT(text("%s: no thread is left", kind), threads, threads_settled(threads));
}

/* In a child, as a user of whom nobody else has a process. */
static int with_threads(int count, const char *config)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit few = {(rlim_t)count + 1, (rlim_t)count + 1};
        alarm(60 * (unsigned)slowness());
        if (geteuid() == 0 && setuid(OTHER_USER) != 0)
            _exit(2);
        setrlimit(RLIMIT_NPROC, &few);
        int is_answered = open_and_use(config, 0), is_wrong = wrong > 0;
        if (is_wrong)
            printf("with %d threads: %s\n", count, faults());
        fflush(stdout);
        _exit(is_wrong ? 1 : is_answered ? 10 : 0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void few_threads(const char *kind, const char *config)
{
    /* Whoever is not root has other processes, which count. */
    int most = geteuid() == 0 ? MOST_THREADS : 0, last = 0, bad = 0;

    for (int count = 0; count <= most; count++) {
        last = with_threads(count, config);
        bad += last != 0 && last != 10;
    }
    CHECK_INT(text("%s: without threads everything is answered", kind), 0, bad);
    if (most > 0)
        CHECK_INT(text("%s: with the last of them a prompt is answered", kind), 10, last);
}

static void state_that_goes_away(void)
{
    const char *folder = temporary_folder(), *config = text("{\"discover\":false,\"state\":\"%s/state\"}", folder);
    tandem_client *c = opened(config);

    CHECK("a state is used", use(c, 0));
    CHECK("its folder is removed", system(text("rm -rf %s/state", folder)) == 0);
    use(c, 0);
    CHECK_TEXT("without its folder everything is answered", "", faults());
    CHECK_INT("the client closes", TANDEM_OK, tandem_close(c, -1));
    CHECK("and the state is made anew", open_and_use(config, 0));
    CHECK_TEXT("where everything is answered", "", faults());
    remove_folder(folder);
}

/* As a user who may read the state, and not write it. */
static void state_of_another(void)
{
    const char *folder = temporary_folder(), *config = text("{\"discover\":false,\"state\":\"%s/state\"}", folder);
    int status = 0;

    pid_t child = fork();
    if (child == 0) {
        tandem_client *c = tandem_open(config, NULL);
        use(c, 0);
        tandem_close(c, -1);
        _exit(system(text("chmod -R a+rX,a-w %s && chown -R 0 %s 2>/dev/null", folder, folder)) != 0);
    }
    waitpid(child, &status, 0);
    if (geteuid() == 0) {
        CHECK("a state is made that may only be read", WIFEXITED(status) && WEXITSTATUS(status) == 0);
        child = fork();
        if (child == 0) {
            char *error = NULL;
            if (setuid(OTHER_USER) != 0)
                _exit(2);
            tandem_client *c = tandem_open(config, &error);
            char *name = tandem_get(error, "/error/name");
            int is_wrong = c != NULL || name == NULL || strcmp(name, "state_full") != 0;
            if (is_wrong)
                printf("%s\n", error == NULL ? "opened" : error);
            fflush(stdout);
            _exit(is_wrong);
        }
        waitpid(child, &status, 0);
        CHECK("a state that may only be read is state_full", WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK("it may be removed", system(text("chmod -R u+w %s", folder)) == 0);
    remove_folder(folder);
}

int main(void)
{
    begin(120);
    const char *folder = temporary_folder(), *url = getenv("TANDEM_TEST_MODEL_URL");
    const char *model = text("\"discover\":false,\"default_provider\":\"llama_cpp\",\"providers\":{\"llama_cpp\":{\"url\":\"%s\","
                             "\"default_model\":\"scripted\"}}", url == NULL ? "" : url);
    const char *stored = text("{%s,\"state\":\"%s/state\"}", model, folder);

    /* Children open clients only before the parent does. */
    few_threads("in memory", text("{%s}", model));
    few_threads("delivered", text("{%s,\"delivery\":\"thread\"}", model));
    state_of_another();
    few_descriptors("in memory", text("{%s}", model), 0);
    few_descriptors("stored", stored, 0);
    few_descriptors("delivered", text("{%s,\"delivery\":\"thread\"}", model), 0);
    struct engine engine = engine_started();
    few_descriptors("remote", text("{\"url\":\"http://127.0.0.1:%d\",\"token\":\"" ENGINE_TOKEN "\"}", engine.port), 1);
    engine_ended(&engine);
    state_that_goes_away();
    remove_folder(folder);
    return finish();
}
