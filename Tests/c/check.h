/*
 * What the C tests share without needing the library: cases, clock, counts of the process.
 * A test program is one file: main calls begin(), then its cases, then returns finish().
 */
#ifndef CHECK_H
#define CHECK_H

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static pthread_mutex_t check_lock = PTHREAD_MUTEX_INITIALIZER;
static int check_passed, check_failed;
static void (*check_release)(void);

#define CHECK(name, condition) check_case((condition) != 0, name, __FILE__, __LINE__, NULL, NULL)
#define CHECK_TEXT(name, want, got) check_text(name, want, got, __FILE__, __LINE__)
#define CHECK_INT(name, want, got) check_int(name, (long long)(want), (long long)(got), __FILE__, __LINE__)

UNUSED static int check_case(int good, const char *name, const char *file, int line, const char *want, const char *got)
{
    pthread_mutex_lock(&check_lock);
    if (good) {
        check_passed++;
        printf("ok %s\n", name);
    } else {
        check_failed++;
        printf("FAILED %s %s:%d", name, file, line);
        if (want != NULL)
            printf(": wanted %s, got %.600s", want, got);
        printf("\n");
    }
    fflush(stdout);
    pthread_mutex_unlock(&check_lock);
    return good;
}

UNUSED static int check_text(const char *name, const char *want, const char *got, const char *file, int line)
{
    return check_case(got != NULL && strcmp(want, got) == 0, name, file, line, want, got == NULL ? "NULL" : got);
}

UNUSED static int check_int(const char *name, long long want, long long got, const char *file, int line)
{
    char wanted[32], gotten[32];

    snprintf(wanted, sizeof wanted, "%lld", want);
    snprintf(gotten, sizeof gotten, "%lld", got);
    return check_case(want == got, name, file, line, wanted, gotten);
}

static char **check_texts;
static size_t check_text_count;

/* Zeroed memory that is kept until the end of the program. */
UNUSED static char *room(size_t size)
{
    char *made = calloc(1, size);

    pthread_mutex_lock(&check_lock);
    check_texts = realloc(check_texts, (check_text_count + 1) * sizeof *check_texts);
    check_texts[check_text_count++] = made;
    pthread_mutex_unlock(&check_lock);
    return made;
}

/* printf into a string that is kept until the end of the program. */
UNUSED __attribute__((format(printf, 1, 2))) static const char *text(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *made = room((size_t)length + 1);
    va_start(list, format);
    vsnprintf(made, (size_t)length + 1, format, list);
    va_end(list);
    return made;
}

/* The only clock of the tests. */
UNUSED static long long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

UNUSED static void nap(int ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* How much longer things may take here (valgrind). */
UNUSED static int slowness(void)
{
    const char *factor = getenv("TANDEM_TEST_SLOW");

    return factor == NULL ? 1 : atoi(factor);
}

UNUSED static void begin(unsigned seconds)
{
    alarm(seconds * (unsigned)slowness());
}

UNUSED static int finish(void)
{
    if (check_release != NULL)
        check_release();
    for (size_t i = 0; i < check_text_count; i++)
        free(check_texts[i]);
    free(check_texts);
    check_texts = NULL;
    check_text_count = 0;
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed != 0;
}

UNUSED static long count_entries(const char *path)
{
    DIR *d = opendir(path);
    long n = 0;

    if (d == NULL)
        return -1;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

UNUSED static long threads_now(void)
{
    return count_entries("/proc/self/task");
}

UNUSED static long fds_now(void)
{
    return count_entries("/proc/self/fd");
}

/* Waits until so few threads are there again: an ended thread leaves /proc a moment after it was joined. */
UNUSED static long threads_settled(long expected)
{
    for (int i = 0; i < 200 && threads_now() > expected; i++)
        nap(5);
    return threads_now();
}

UNUSED static const char *temporary_folder(void)
{
    char *path = room(64);

    strcpy(path, "/tmp/tandem-test-XXXXXX");
    return mkdtemp(path);
}

UNUSED static void remove_folder(const char *path)
{
    if (strncmp(path, "/tmp/tandem-test-", 17) == 0 && system(text("rm -rf %s", path)) != 0)
        printf("FAILED to remove %s\n", path);
}

#endif
