/* Opening, its configuration, its state. Children that open clients are forked before the parent opens any.
   valgrind: no (its children end with the parent's memory) */
#include <fcntl.h>
#include <sys/wait.h>

#include "client.h"

/* A failed open as an error text to compare. */
static const char *refusal(const char *config)
{
    char *error = NULL;
    tandem_client *c = tandem_open(config, &error);

    if (c != NULL)
        tandem_close(c, -1);
    return c != NULL ? "opened" : keep(error);
}

/* A child that holds the state open until it is killed, or NULL's pid 0 when it could not. */
static pid_t holder(const char *state)
{
    int pipes[2];
    char ready = 0;

    if (pipe(pipes) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        tandem_client *c = tandem_open(text("{\"discover\":false,\"state\":\"%s\"}", state), NULL);
        const char *made = c == NULL ? NULL : tandem_call(c, "sessions.create", "{\"title\":\"held\"}");
        ready = made != NULL && tandem_status(made) == TANDEM_OK ? 'y' : 'n';
        if (write(pipes[1], &ready, 1) == 1)
            pause();
        _exit(0);
    }
    close(pipes[1]);
    if (read(pipes[0], &ready, 1) != 1)
        ready = 'n';
    close(pipes[0]);
    CHECK("a child opens the state", ready == 'y');
    return child;
}

/* Runs a check as an ordinary user in a child; nobody may do what root may. */
static int as_nobody(const char *config, const char *error_name)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        char *error = NULL;
        tandem_client *c = tandem_open(config, &error);
        char *name = tandem_get(error, "/error/name");
        if (c != NULL || name == NULL || strcmp(name, error_name) != 0) {
            fprintf(stderr, "%s: %s\n", config, error == NULL ? "opened" : error);
            _exit(1);
        }
        tandem_free(name);
        tandem_free(error);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void in_other_processes(void)
{
    const char *folder = temporary_folder(), *state = text("%s/state", folder);
    const char *config = text("{\"discover\":false,\"state\":\"%s\"}", state);
    const char *secret = text("%s/secret", folder);

    mkdir(secret, 0700);
    chmod(folder, 0755);
    CHECK("an unreadable workspace is refused",
          as_nobody(text("{\"discover\":false,\"workspace\":\"%s\"}", secret), "invalid_argument"));
    CHECK("a state that cannot be made is refused",
          as_nobody(text("{\"discover\":false,\"state\":\"%s/inner\"}", secret), "state_full"));

    pid_t child = holder(state);
    const char *locked = refusal(config);
    CHECK_ERROR("the state of another process is locked", "state_locked", locked);
    CHECK_INT("with that process's pid", child, number_at(locked, "/error/detail/pid"));
    CHECK_INT("state_locked is E_STATE", TANDEM_E_STATE, tandem_status(locked));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    tandem_client *c = tandem_open(config, NULL);
    CHECK("a killed process holds no lock", c != NULL);
    CHECK("what it had stored is there", strstr(keep(tandem_call(c, "sessions.list", "{\"scope\":\"global\"}")), "held") != NULL);

    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    CHECK_INT("close beside a forked child", TANDEM_OK, tandem_close(c, -1));
    c = tandem_open(config, NULL);
    CHECK("a child does not inherit the lock", c != NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    tandem_close(c, -1);
    remove_folder(folder);
}

static void configurations(void)
{
    static const struct {
        const char *config, *name, *part;
    } bad[] = {
        {"{\"colour\":\"red\"}", "unknown_argument", "colour"}, {"{\"$tag\":1}", "unknown_argument", "$tag"},
        {"{\"state\":5}", "invalid_argument", "state"}, {"{\"engine\":\"steam\"}", "invalid_argument", "engine"},
        {"{\"delivery\":\"pigeon\"}", "invalid_argument", "delivery"}, {"{\"log_level\":\"loud\"}", "invalid_argument", "log_level"},
        {"{\"ops_limit\":\"many\"}", "invalid_argument", "ops_limit"}, {"[]", "invalid_argument", ""},
        {"\"text\"", "invalid_argument", ""}, {"{\"state\":", "invalid_json", ""}, {"", "invalid_json", ""},
        {"{\"state\":\"\xff\"}", "invalid_json", ""},
        {"{\"url\":\"ftp://127.0.0.1\"}", "invalid_argument", "url"}, {"{\"engine\":\"remote\"}", "invalid_argument", "url"},
        {"{\"engine\":\"replay\",\"cassette\":\"x\"}", "not_supported", ""}, {"{\"url\":\"http://a:b@c\"}", "invalid_argument", "url"},
        {"{\"url\":\"unix:nowhere\"}", "invalid_argument", "socket"},
        {"{\"workspace\":\"/no/such/folder\"}", "invalid_argument", "/no/such/folder"},
        {"{\"coalesce_ms\":-1}", "invalid_argument", "coalesce_ms"}, {"{\"fold\":1}", "invalid_argument", "fold"},
        {"{\"vocabulary\":\"other\"}", "invalid_argument", "vocabulary"},
        {"{\"statte\":null}", "unknown_argument", "statte"}, {"{\"token\":\"a\\u0000b\"}", "invalid_argument", "NUL"},
        {"{\"engine\":\"steam\",\"url\":\"embedded:\"}", "invalid_argument", "engine"},
        {"{\"engine\":\"embedded\",\"url\":\"http://127.0.0.1:1\"}", "invalid_argument", "url"},
        {"{\"engine\":\"remote\",\"url\":\"embedded:\"}", "invalid_argument", "url"},
        {"{\"engine\":\"discover\",\"url\":\"http://127.0.0.1:1\"}", "invalid_argument", "url"},
    };
    static const char *good[] = {"{}", ECHO, "{\"url\":\"embedded:\"}", "{\"durability\":\"power\"}", "{\"deterministic\":7}",
        "{\"url\":\"http://127.0.0.1:1\"}", "{\"engine\":\"remote\",\"url\":\"https://127.0.0.1:1/below\",\"token\":\"t\",\"act_as\":null}",
        "{\"engine\":\"discover\"}", "{\"url\":\"unix:/nowhere\"}", "{\"engine\":\"embedded\",\"url\":\"embedded:\"}",
        "{\"workspace\":\"/tmp\",\"environment\":false,\"discover\":false,\"proxy\":null,\"headers\":{},\"vocabulary\":\"engine\","
        "\"subscription\":\"client\",\"coalesce_ms\":0,\"fold\":false,\"delivery\":\"pump\",\"log_level\":\"none\",\"strict\":true,"
        "\"connect_timeout_ms\":5000,\"timeout_ms\":20000,\"idle_timeout_ms\":25000,\"retries\":2,\"on_conflict\":\"fail\","
        "\"reply_limit_bytes\":67108864,\"event_limit_bytes\":8388608,\"transfers_limit\":64,\"op_queue_bytes\":1048576,\"ops_limit\":65536,"
        "\"results_limit_bytes\":268435456,\"act_as\":\"control_panel\",\"state\":\":memory:\",\"providers\":{}}"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *error = refusal(bad[i].config);
        CHECK_ERROR(text("configuration %zu is refused", i), bad[i].name, error);
        CHECK(text("its error %zu names \"%s\"", i, bad[i].part), strstr(at(error, "/error/message"), bad[i].part) != NULL);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_TEXT(text("configuration %zu opens", i), "opened", refusal(good[i]));
    CHECK_TEXT("NULL opens the embedded engine", "opened", refusal(NULL));
    CHECK("a failure without a place for the error", tandem_open("{\"x\":1}", NULL) == NULL);
    char *error = (char *)1;
    tandem_client *c = tandem_open(NULL, &error);
    CHECK("a success sets the error to NULL", c != NULL && error == NULL);
    CHECK_OK("the engine is healthy", keep(tandem_call(c, "engine.health", NULL)));
    tandem_close(c, -1);
}

/* What an unknown option is told are the options there are: each of them is one, and refuses what it cannot be. */
static void known_options(void)
{
    const char *error = refusal("{\"colour\":\"red\"}"), *name;
    int count = 0;

    for (; *(name = at(error, text("/error/detail/known/%d", count))) != 0; count++) {
        const char *wrong = refusal(text("{\"%s\":[]}", name));
        CHECK_ERROR(text("the option %s is known", name), "invalid_argument", wrong);
        CHECK(text("and its error names %s", name), strstr(at(wrong, "/error/message"), name) != NULL);
        CHECK(text("the message lists %s", name), strstr(at(error, "/error/message"), name) != NULL);
    }
    CHECK("all options are listed", count > 30);
}

static void one_process(void)
{
    const char *folder = temporary_folder(), *state = text("%s/a/b", folder);
    const char *config = text("{\"discover\":false,\"state\":\"%s\"}", state);
    tandem_client *c = opened(config);
    const char *session = new_session(c);

    CHECK("the state directory is made", access(state, R_OK) == 0);
    const char *locked = refusal(config);
    CHECK_ERROR("the lock holds within a process", "state_locked", locked);
    CHECK_INT("with the own pid", getpid(), number_at(locked, "/error/detail/pid"));
    const char *detour = text("{\"discover\":false,\"state\":\"%s/../b\"}", state);
    CHECK_ERROR("by another path too", "state_locked", refusal(detour));
    CHECK_ERROR("by url too", "state_locked", refusal(text("{\"discover\":false,\"url\":\"embedded:%s\"}", state)));
    tandem_client *other = tandem_open(ECHO, NULL);
    CHECK("a state in memory is another's business", other != NULL);
    CHECK_ERROR("states in memory share nothing", "not_found",
                keep(tandem_call(other, "sessions.get", text("{\"session_id\":\"%s\"}", session))));
    tandem_close(other, -1);
    tandem_close(c, -1);
    c = opened(config);
    CHECK_OK("a session outlives its client", keep(tandem_call(c, "sessions.get", text("{\"session_id\":\"%s\"}", session))));
    tandem_close(c, -1);
    CHECK_INT("a state that is a file", TANDEM_E_ARGS, tandem_status(refusal("{\"state\":\"/etc/passwd\"}")));
    remove_folder(folder);
}

/* The largest file of a folder: the database. */
static const char *database(const char *folder)
{
    DIR *d = opendir(folder);
    const char *found = NULL;
    off_t size = -1;
    struct stat s;

    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        const char *path = text("%s/%s", folder, e->d_name);
        if (stat(path, &s) == 0 && S_ISREG(s.st_mode) && s.st_size > size)
            size = s.st_size, found = path;
    }
    closedir(d);
    return found;
}

static size_t slurp(const char *path, char *bytes, size_t most)
{
    FILE *f = fopen(path, "rb");
    size_t n = f == NULL ? 0 : fread(bytes, 1, most, f);

    if (f != NULL)
        fclose(f);
    return n;
}

static void corrupt(const char *what, long offset, long length)
{
    static char before[1 << 22], after[1 << 22];
    const char *folder = temporary_folder();
    const char *config = text("{\"discover\":false,\"state\":\"%s\"}", folder);
    tandem_client *c = opened(config);

    new_session(c);
    tandem_close(c, -1);
    const char *file = database(folder);
    FILE *f = fopen(file, "r+b");
    fseek(f, offset, SEEK_SET);
    for (long i = 0; i < length; i++)
        fputc('x', f);
    fclose(f);
    size_t n = slurp(file, before, sizeof before);
    const char *error = refusal(config);
    CHECK_ERROR(text("a database with %s is state_corrupt", what), "state_corrupt", error);
    size_t m = slurp(file, after, sizeof after);
    CHECK(text("a database with %s is left as it is", what), n > 0 && n == m && memcmp(before, after, n) == 0);
    CHECK_ERROR(text("a database with %s stays so", what), "state_corrupt", refusal(config));
    remove_folder(folder);
}

int main(void)
{
    begin(60);
    in_other_processes();
    configurations();
    known_options();
    one_process();
    corrupt("another beginning", 0, 4096);
    corrupt("a spoilt first page", 100, 3996);
    return finish();
}
