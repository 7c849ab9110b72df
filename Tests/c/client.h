/* What the C tests share on top of check.h: kept strings, clients, sessions, runs, collected events. */
#ifndef CLIENT_H
#define CLIENT_H

#include "check.h"
#include "tandem.h"

#define ECHO "{\"engine\":\"embedded\",\"discover\":false}"

/* The result is an error of this name. */
#define CHECK_ERROR(name, error_name, result) check_error(name, error_name, result, __FILE__, __LINE__)
#define CHECK_OK(name, result) check_ok(name, result, __FILE__, __LINE__)

static void **check_kept;
static size_t check_kept_count;

UNUSED static void release_kept(void)
{
    for (size_t i = 0; i < check_kept_count; i++)
        tandem_free(check_kept[i]);
    free(check_kept);
    check_kept = NULL;
    check_kept_count = 0;
}

/* Keeps a string of the library until the end of the program, so that cases need not free. */
UNUSED static const char *keep(char *text)
{
    pthread_mutex_lock(&check_lock);
    check_release = release_kept;
    check_kept = realloc(check_kept, (check_kept_count + 1) * sizeof *check_kept);
    check_kept[check_kept_count++] = text;
    pthread_mutex_unlock(&check_lock);
    return text;
}

/* The value at a pointer as text, "" where there is none. */
UNUSED static const char *at(const char *json, const char *pointer)
{
    const char *value = keep(tandem_get(json, pointer));

    return value == NULL ? "" : value;
}

UNUSED static long long number_at(const char *json, const char *pointer)
{
    return strtoll(at(json, pointer), NULL, 10);
}

/* Waits until no operation is under way any more, their results taken or not. */
UNUSED static int settled(tandem_client *c)
{
    for (long long end = now_ms() + 10000 * slowness(); now_ms() < end; nap(1))
        if (number_at(keep(tandem_stats(c)), "/ok/operations_running") == 0)
            return 1;
    return 0;
}

UNUSED static int check_error(const char *name, const char *error_name, const char *result, const char *file, int line)
{
    int shaped = result != NULL && strncmp(result, "{\"error\"", 8) == 0;

    return check_case(shaped && strcmp(at(result, "/error/name"), error_name) == 0, name, file, line, error_name,
                      result == NULL ? "NULL" : result);
}

UNUSED static int check_ok(const char *name, const char *result, const char *file, int line)
{
    return check_case(result != NULL && strncmp(result, "{\"ok\"", 5) == 0, name, file, line, "a result",
                      result == NULL ? "NULL" : result);
}

/* A client, or the end of the program: nothing can be tested without. */
UNUSED static tandem_client *opened(const char *config)
{
    char *error = NULL;
    tandem_client *c = tandem_open(config, &error);

    if (c == NULL) {
        printf("FAILED open %s: %s\n", config, error == NULL ? "no error" : error);
        exit(1);
    }
    return c;
}

UNUSED static tandem_client *echo_client(void)
{
    return opened(ECHO);
}

/* A client whose runs go to the scripted model server; extra: further options, each with a comma before it, or "". */
UNUSED static tandem_client *scripted_client(const char *extra)
{
    const char *url = getenv("TANDEM_TEST_MODEL_URL");

    if (url == NULL) {
        printf("FAILED TANDEM_TEST_MODEL_URL is not set\n");
        exit(1);
    }
    return opened(text("{\"discover\":false,\"default_provider\":\"llama_cpp\","
                       "\"providers\":{\"llama_cpp\":{\"url\":\"%s\",\"default_model\":\"scripted\"}}%s}", url, extra));
}

UNUSED static const char *new_session(tandem_client *c)
{
    const char *made = keep(tandem_call(c, "sessions.create", "{\"title\":\"test\"}"));

    if (tandem_status(made) != TANDEM_OK)
        printf("FAILED sessions.create: %s\n", made);
    return at(made, "/ok/id");
}

UNUSED static const char *prompt_args(const char *session, const char *words)
{
    return text("{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"%s\"}]}", session, words);
}

/* Starts a run and returns its id. */
UNUSED static const char *start_run(tandem_client *c, const char *session, const char *words)
{
    const char *started = keep(tandem_call(c, "sessions.prompt_async", prompt_args(session, words)));

    if (tandem_status(started) != TANDEM_OK)
        printf("FAILED sessions.prompt_async: %s\n", started);
    return at(started, "/ok/run_id");
}

UNUSED static const char *stream_args(const char *session, const char *run)
{
    return text("{\"session_id\":\"%s\",\"run_id\":\"%s\"}", session, run);
}

/* A whole run as one blocking stream: {"ok":{"events":[...],"ended":true}}. */
UNUSED static const char *follow(tandem_client *c, const char *session, const char *run)
{
    return keep(tandem_call(c, "engine.stream",
                            text("{\"session_id\":\"%s\",\"run_id\":\"%s\",\"$timeout_ms\":%d}", session, run,
                                 30000 * slowness())));
}

/* How many events of a type the array at pointer has; the last one's index goes to *last. */
UNUSED static int count_type(const char *json, const char *pointer, const char *type, int *last)
{
    int count = 0;

    for (int i = 0;; i++) {
        char where[128];
        snprintf(where, sizeof where, "%s/%d/type", pointer, i);
        char *found = tandem_get(json, where);
        if (found == NULL)
            return count;
        if (strcmp(found, type) == 0) {
            count++;
            if (last != NULL)
                *last = i;
        }
        tandem_free(found);
    }
}

/* Events that a callback collects, with what to check of all of them. */
struct collected {
    pthread_mutex_t lock;
    int events, dones, drops, disordered, terminal;
    long long last_seq;
    uint64_t op;
    char words[1 << 16], result[8192], last_type[64], tag[64];
    pthread_t thread;
};

#define COLLECTED {.lock = PTHREAD_MUTEX_INITIALIZER}

UNUSED static void collect(void *ud, uint64_t op, const char *event)
{
    struct collected *all = ud;
    char *type = tandem_get(event, "/type"), *seq = tandem_get(event, "/seq"), *tag = tandem_get(event, "/tag");

    pthread_mutex_lock(&all->lock);
    all->events++;
    all->op = op;
    all->thread = pthread_self();
    long long number = seq == NULL ? -1 : strtoll(seq, NULL, 10);
    if (number <= all->last_seq || all->dones > 0)
        all->disordered++;
    all->last_seq = number;
    snprintf(all->last_type, sizeof all->last_type, "%s", type == NULL ? "" : type);
    snprintf(all->tag, sizeof all->tag, "%s", tag == NULL ? "" : tag);
    if (type != NULL && strcmp(type, "done") == 0) {
        all->dones++;
        char *result = tandem_get(event, "/result");
        snprintf(all->result, sizeof all->result, "%s", result == NULL ? "" : result);
        tandem_free(result);
    } else if (type != NULL && strcmp(type, "session.response") == 0) {
        char *delta = tandem_get(event, "/properties/delta");
        size_t used = strlen(all->words);
        snprintf(all->words + used, sizeof all->words - used, "%s", delta == NULL ? "" : delta);
        tandem_free(delta);
    } else if (type != NULL && (strcmp(type, "run.completed") == 0 || strcmp(type, "run.failed") == 0 ||
                                strcmp(type, "run.cancelled") == 0 || strcmp(type, "run.timeout") == 0)) {
        all->terminal++;
    }
    pthread_mutex_unlock(&all->lock);
    tandem_free(type);
    tandem_free(seq);
    tandem_free(tag);
}

UNUSED static void collect_drop(void *ud)
{
    struct collected *all = ud;

    pthread_mutex_lock(&all->lock);
    all->drops++;
    pthread_mutex_unlock(&all->lock);
}

/* What another thread's callbacks have counted so far. */
UNUSED static int counted(struct collected *all, const int *count)
{
    pthread_mutex_lock(&all->lock);
    int n = *count;
    pthread_mutex_unlock(&all->lock);
    return n;
}

/* Pumps until *count has reached n or the time is up. */
UNUSED static int pump_until(tandem_client *c, const int *count, int n, int ms)
{
    long long end = now_ms() + (long long)ms * slowness();

    while (*(const volatile int *)count < n && now_ms() < end)
        if (tandem_pump(c, 0, 50) < 0)
            break;
    return *(const volatile int *)count >= n;
}

#endif
