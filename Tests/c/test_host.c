/*
 * R8: the process is the same before and after. The program runs itself again with other environments, its descriptors
 * 0-2 being pipes that must stay empty; that child reports its cases on descriptor 3.
 * valgrind: no (it runs itself again)
 */
#include <fcntl.h>
#include <locale.h>
#include <sys/wait.h>

#include "loaded.h"

extern char **environ;

struct snapshot {
    struct sigaction actions[65];
    stack_t stack;
    sigset_t mask;
    mode_t umask;
    char folder[4096], locale[256], environment[1 << 16];
    struct stat fds[3];
};

static void take(struct snapshot *s)
{
    memset(s, 0, sizeof *s);
    for (int i = 1; i <= 64; i++)
        sigaction(i, NULL, &s->actions[i]);
    sigaltstack(NULL, &s->stack);
    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    umask(s->umask = umask(0));
    if (getcwd(s->folder, sizeof s->folder) == NULL)
        s->folder[0] = 0;
    snprintf(s->locale, sizeof s->locale, "%s", setlocale(LC_ALL, NULL));
    for (char **e = environ; *e != NULL; e++)
        strncat(s->environment, *e, sizeof s->environment - strlen(s->environment) - 1);
    for (int i = 0; i < 3; i++)
        fstat(i, &s->fds[i]);
}

/* The number of the first signal whose action differs, 0 when all are the same. */
/* SA_RESTORER, which glibc adds to whatever passes through it: libcurl 7.88 puts SIGPIPE back as it was when it closes its
   connections, and this flag stays behind. */
enum { RESTORER = 0x04000000 };

static int other_signal(const struct snapshot *a, const struct snapshot *b)
{
    for (int i = 1; i <= 64; i++)
        if (a->actions[i].sa_handler != b->actions[i].sa_handler ||
            (a->actions[i].sa_flags & ~RESTORER) != (b->actions[i].sa_flags & ~RESTORER))
            return i;
    return 0;
}

static void compare(const char *when, const struct snapshot *a, const struct snapshot *b)
{
    int same_fds = 1;

    for (int i = 0; i < 3; i++)
        same_fds &= a->fds[i].st_ino == b->fds[i].st_ino && a->fds[i].st_dev == b->fds[i].st_dev;
    CHECK_INT(text("signal handlers 1-64 after %s", when), 0, other_signal(a, b));
    CHECK(text("the alternate signal stack after %s", when), a->stack.ss_sp == b->stack.ss_sp && a->stack.ss_flags == b->stack.ss_flags);
    CHECK(text("the signal mask after %s", when), memcmp(&a->mask, &b->mask, sizeof a->mask) == 0);
    CHECK_INT(text("umask after %s", when), a->umask, b->umask);
    CHECK_TEXT(text("the working directory after %s", when), a->folder, b->folder);
    CHECK_TEXT(text("the locale after %s", when), a->locale, b->locale);
    CHECK_TEXT(text("the environment after %s", when), a->environment, b->environment);
    CHECK(text("descriptors 0-2 after %s", when), same_fds);
}

/* Whether all descriptors but those of the host are close-on-exec. */
static int inheritable(const int *known, int n)
{
    int found = 0;

    for (int fd = 3; fd < 256; fd++) {
        int mine = 0, flags = fcntl(fd, F_GETFD);
        for (int i = 0; i < n; i++)
            mine |= known[i] == fd;
        if (flags != -1 && !mine && !(flags & FD_CLOEXEC))
            found = fd;
    }
    return found;
}

static int child(void)
{
    static struct snapshot before, loaded, running, closed;
    const char *folder = temporary_folder();
    int known[256], n = 0;

    dup2(3, 200);
    setvbuf(stdout, NULL, _IONBF, 0);
    stdout = fdopen(200, "w");
    setlocale(LC_ALL, "de_DE.UTF-8");
    umask(027);
    for (int fd = 3; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            known[n++] = fd;
    take(&before);
    struct loaded l = load();
    take(&loaded);
    compare("dlopen", &before, &loaded);
    tandem_client *c = loaded_client(&l, text(",\"state\":\"%s/state\",\"workspace\":\"%s\",\"log_level\":\"debug\"", folder, folder));
    int good = 0;
    loaded_prompt(&l, c, "sessions.prompt_sync", "[[hello]]", &good);
    CHECK("a run", good);
    loaded_prompt(&l, c, "sessions.prompt_sync", "[[cut]]", &good);
    loaded_prompt(&l, c, "sessions.prompt_async", "[[slow]]", &good);
    take(&running);
    compare("open and run", &before, &running);
    CHECK_INT("every descriptor is close-on-exec", 0, inheritable(known, n));
    char *bad = l.call(c, "no.such", "{");
    l.free(bad);
    CHECK_INT("close", TANDEM_OK, l.close(c, -1));
    take(&closed);
    compare("close", &before, &closed);
    dlclose(l.library);
    remove_folder(folder);
    return finish();
}

static void drain(int fd, const char *what, const char *how)
{
    char bytes[4096];
    ssize_t n = read(fd, bytes, sizeof bytes - 1);

    bytes[n > 0 ? n : 0] = 0;
    CHECK_TEXT(text("nothing is written to %s (%s)", what, how), "", bytes);
    close(fd);
}

static void run_child(const char *how, char **environment)
{
    int in[2], out[2], err[2], report[2], status = 0;
    char line[4096];
    char *words[] = {"test_host", "child", NULL};

    if (pipe(in) != 0 || pipe(out) != 0 || pipe(err) != 0 || pipe(report) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        int high = fcntl(report[1], F_DUPFD, 100);
        int ends[3] = {fcntl(in[0], F_DUPFD, 100), fcntl(out[1], F_DUPFD, 100), fcntl(err[1], F_DUPFD, 100)};
        for (int i = 0; i < 3; i++)
            dup2(ends[i], i);
        dup2(high, 3);
        for (int fd = 4; fd < 256; fd++)
            close(fd);
        execve("/proc/self/exe", words, environment);
        _exit(127);
    }
    close(report[1]), close(out[1]), close(err[1]), close(in[0]);
    FILE *cases = fdopen(report[0], "r");
    while (fgets(line, sizeof line, cases) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "ok ", 3) == 0)
            CHECK(text("%s (%s)", line + 3, how), 1);
        else if (strncmp(line, "FAILED ", 7) == 0)
            CHECK(text("%s (%s)", line + 7, how), 0);
    }
    fclose(cases);
    waitpid(pid, &status, 0);
    CHECK(text("the program ends well (%s)", how), WIFEXITED(status) && WEXITSTATUS(status) == 0);
    drain(out[0], "stdout", how);
    drain(err[0], "stderr", how);
    close(in[1]);
}

/* The environment with more before it. */
static char **with(const char *one, const char *two)
{
    int n = 0;

    while (environ[n] != NULL)
        n++;
    char **made = (char **)room(((size_t)n + 3) * sizeof *made);
    for (int i = 0; i < n; i++)
        made[i] = environ[i];
    if (one != NULL)
        made[n++] = (char *)text("%s", one);
    if (two != NULL)
        made[n++] = (char *)text("%s", two);
    return made;
}

int main(int count, char **words)
{
    begin(60);
    if (count > 1 && strcmp(words[1], "child") == 0)
        return child();
    run_child("plain", with(NULL, NULL));
    run_child("SWIFT_BACKTRACE", with("SWIFT_BACKTRACE=enable=yes", "SWIFT_ROOT=/opt/swift/usr"));
    run_child("proxies", with("http_proxy=http://127.0.0.1:9", "all_proxy=http://127.0.0.1:9"));
    return finish();
}
