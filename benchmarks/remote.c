/*
 * Figures of a remote engine, which loopback.c stands in for, in a process of its own:
 *   - a blocking sessions.get against the same request written by hand with libcurl and jansson (DESIGN section 10)
 *   - the memory of an idle stream, with 1,000 of one client, and the threads that they take
 *
 *     remote serve                            the stand-in: prints its port, ends with its standard input
 *     remote calls PORT [OURS BY_HAND]        the words are instructions of one call, which scripts/bench counts
 *     remote streams PORT
 *     remote ours PORT COUNT                  only so many calls, for a counter of instructions
 *     remote by-hand PORT COUNT
 */
#include <curl/curl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loopback.h"
#include "tandem.h"

enum { warmups = 1000, calls = 40000, rounds = 20, streams = 1000, patience_s = 30 };

/* 10,000 streaming sessions are to fit in 200 MB (DESIGN section 10); an idle stream has no excuse for more. */
static const double stream_goal_kb = 20;

static const char session_id[] = "0b7f5c1e-6f0a-4a57-9c1d-2f1f8f7f0a11";
static const char token[] = "tk_0123456789abcdef0123456789abcdef";
static const char title[] = "A session to measure with";

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *times, size_t n)
{
    qsort(times, n, sizeof *times, ascending);
    return times[n / 2];
}

static void report(const char *what, double value, double goal, const char *unit, const char *beside)
{
    printf("%-55s %9.2f %-2s   goal %.4g   %s%s\n", what, value, unit, goal, value <= goal ? "met" : "NOT MET", beside);
}

static void fail(const char *why)
{
    fprintf(stderr, "remote: %s\n", why);
    exit(1);
}

/* -- the call by the library -- */

static tandem_client *open_client(const char *port)
{
    char config[256], *error;

    snprintf(config, sizeof config, "{\"url\":\"http://127.0.0.1:%s\",\"token\":\"%s\"}", port, token);
    tandem_client *c = tandem_open(config, &error);
    if (c == NULL)
        fail(error);
    return c;
}

static void call_ours(tandem_client *c, const char *id)
{
    char arguments[256];

    snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\"}", id);
    char *result = tandem_call(c, "sessions.get", arguments);
    if (tandem_status(result) != TANDEM_OK)
        fail(result);
    char *text = tandem_get(result, "/ok/title");
    if (text == NULL || strcmp(text, title) != 0)
        fail("the library gave another title");
    tandem_free(text);
    tandem_free(result);
}

/* -- the call by hand -- */

struct by_hand {
    CURL *curl;
    struct curl_slist *headers;
    const char *port;
    char *body;
    size_t used, size;
};

static size_t take_body(char *bytes, size_t size, size_t count, void *ud)
{
    struct by_hand *h = ud;
    size_t n = size * count;

    if (h->used + n > h->size) {
        size_t larger = (h->used + n) * 2;
        char *body = realloc(h->body, larger);
        if (body == NULL)
            return 0;
        h->body = body, h->size = larger;
    }
    memcpy(h->body + h->used, bytes, n);
    h->used += n;
    return n;
}

static void open_by_hand(struct by_hand *h, const char *port)
{
    char line[128];

    *h = (struct by_hand){.curl = curl_easy_init(), .port = port};
    snprintf(line, sizeof line, "Authorization: Bearer %s", token);
    h->headers = curl_slist_append(NULL, line);
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers);
    curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, 20000L);
}

static void call_by_hand(struct by_hand *h, const char *id)
{
    char url[256];
    long status = 0;
    json_error_t error;

    snprintf(url, sizeof url, "http://127.0.0.1:%s/session/%s", h->port, id);
    curl_easy_setopt(h->curl, CURLOPT_URL, url);
    h->used = 0;
    if (curl_easy_perform(h->curl) != CURLE_OK)
        fail("the request by hand failed");
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    json_t *session = status == 200 ? json_loadb(h->body, h->used, 0, &error) : NULL;
    const char *text = json_string_value(json_object_get(session, "title"));
    if (text == NULL || strcmp(text, title) != 0)
        fail("the call by hand gave another title");
    json_decref(session);
}

static void close_by_hand(struct by_hand *h)
{
    curl_easy_cleanup(h->curl);
    curl_slist_free_all(h->headers);
    free(h->body);
}

/* -- the measurements -- */

/* One of each in turn, the first of them changing, so that whatever slows the machine slows both. */
static void measure_calls(const char *port, char **instructions)
{
    static double ours[calls], theirs[calls];
    char beside[200];
    struct by_hand hand;
    tandem_client *c = open_client(port);

    open_by_hand(&hand, port);
    for (int i = -warmups; i < calls; i++) {
        double began = now(), middle, ended;
        if (i & 1)
            call_ours(c, session_id), middle = now(), call_by_hand(&hand, session_id);
        else
            call_by_hand(&hand, session_id), middle = now(), call_ours(c, session_id);
        ended = now();
        if (i < 0)
            continue;
        ours[i] = i & 1 ? middle - began : ended - middle;
        theirs[i] = i & 1 ? ended - middle : middle - began;
    }
    close_by_hand(&hand);
    tandem_close(c, -1);
    /* On a machine that does other things too the ratio moves: how much, all rounds but the outer tenths say. */
    double ratios[rounds];
    for (int i = 0, n = calls / rounds; i < rounds; i++)
        ratios[i] = median(ours + i * n, n) / median(theirs + i * n, n);
    qsort(ratios, rounds, sizeof *ratios, ascending);
    double mine = median(ours, calls), other = median(theirs, calls);
    int n = snprintf(beside, sizeof beside, "   (%.1f : %.1f us; rounds %.2f to %.2f", mine, other, ratios[rounds / 10],
                     ratios[rounds - 1 - rounds / 10]);
    if (instructions[0] != NULL && instructions[1] != NULL)
        n += snprintf(beside + n, sizeof beside - (size_t)n, "; %s : %s instructions", instructions[0],
                      instructions[1]);
    snprintf(beside + n, sizeof beside - (size_t)n, ")");
    report("remote sessions.get : libcurl + jansson, medians", mine / other, 1.05, "x", beside);
}

/* The number behind a name; the memory in /proc/self/status is only about right, that in smaps_rollup is exact. */
static long of_process(const char *path, const char *name)
{
    char line[256];
    long value = -1;
    FILE *f = fopen(path, "r");

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    if (f != NULL)
        fclose(f);
    if (value < 0)
        fail(path);
    return value;
}

static long resident_kib(void)
{
    return of_process("/proc/self/smaps_rollup", "Rss:");
}

static long threads_now(void)
{
    return of_process("/proc/self/status", "Threads:");
}

static void count_connected(void *ud, uint64_t op, const char *event)
{
    (void)op;
    if (strstr(event, "\"type\":\"stream.connected\"") != NULL)
        ++*(int *)ud;
    else if (strstr(event, "\"type\":\"done\"") != NULL)
        fail(event);
}

/* What the first stream brings, its connection and its thread's stack, is counted in. */
static void measure_streams(const char *port)
{
    char arguments[256], *error;
    int connected = 0;
    long threads = threads_now();
    tandem_client *c = open_client(port);

    call_ours(c, session_id);
    tandem_set_handler(c, count_connected, &connected, NULL);
    long memory = resident_kib();
    for (int i = 0; i < streams; i++) {
        snprintf(arguments, sizeof arguments, "{\"session_id\":\"%.24s%012d\"}", session_id, i);
        if (tandem_submit(c, "engine.stream", arguments, &error) == 0)
            fail(error);
    }
    for (double began = now(); connected < streams;) {
        tandem_pump(c, 0, 1000);
        if (now() - began > patience_s * 1e6)
            fail("not all streams are connected");
    }
    double each = (double)(resident_kib() - memory) * 1.024 / streams;
    report("an idle stream, of 1,000 on one client, memory", each, stream_goal_kb, "kB", "");
    report("threads of that client", (double)(threads_now() - threads), 1, "", "");
    tandem_set_handler(c, NULL, NULL, NULL);
    tandem_close(c, -1);
}

static void only_ours(const char *port, long count)
{
    tandem_client *c = open_client(port);

    while (count-- > 0)
        call_ours(c, session_id);
    tandem_close(c, -1);
}

static void only_by_hand(const char *port, long count)
{
    struct by_hand hand;

    open_by_hand(&hand, port);
    while (count-- > 0)
        call_by_hand(&hand, session_id);
    close_by_hand(&hand);
}

static void serve(void)
{
    int listener;
    char byte;

    printf("%d\n", loopback_open(&listener));
    fflush(stdout);
    loopback_serve(listener);
    while (read(0, &byte, 1) > 0)
        ;
}

int main(int count, char **words)
{
    const char *what = count > 1 ? words[1] : "";

    if (strcmp(what, "serve") == 0)
        return serve(), 0;
    if (count < 3)
        return 2;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (strcmp(what, "calls") == 0)
        measure_calls(words[2], count > 4 ? words + 3 : (char *[]){NULL, NULL});
    else if (strcmp(what, "streams") == 0)
        measure_streams(words[2]);
    else if (strcmp(what, "ours") == 0 && count > 3)
        only_ours(words[2], strtol(words[3], NULL, 10));
    else if (strcmp(what, "by-hand") == 0 && count > 3)
        only_by_hand(words[2], strtol(words[3], NULL, 10));
    else
        return 2;
    return 0;
}
