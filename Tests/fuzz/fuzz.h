/*
 * What the fuzzers share. Each is a program for libFuzzer (clang -fsanitize=fuzzer,address) that takes any bytes: an input
 * is parts with a NUL between, so that they may be texts for C. What must hold is REQUIREd; a failure ends the program,
 * and libFuzzer keeps the input. scripts/check_deep.py builds and runs them.
 */
#ifndef FUZZ_H
#define FUZZ_H

#define _GNU_SOURCE

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tandem.h"

#define UNUSED __attribute__((unused))

#define REQUIRE(condition, ...)                                                       \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "REQUIRED %s at %s:%d: ", #condition, __FILE__, __LINE__); \
            fprintf(stderr, __VA_ARGS__);                                             \
            fprintf(stderr, "\n");                                                    \
            abort();                                                                  \
        }                                                                             \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input, cut into its parts. */
struct parts {
    char *all;
    size_t size, at;
};

UNUSED static struct parts parts_of(const uint8_t *data, size_t size)
{
    struct parts p = {malloc(size + 1), size, 0};

    memcpy(p.all, data, size);
    p.all[size] = 0;
    return p;
}

UNUSED static int has_part(const struct parts *p)
{
    return p->at < p->size;
}

/* The next part, "" when there are no more. */
UNUSED static const char *next_part(struct parts *p)
{
    const char *part = p->all + p->at;

    if (p->at < p->size)
        p->at += strlen(part) + 1;
    if (p->at > p->size)
        p->at = p->size;
    return part;
}

UNUSED static long long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A result is {"ok": ...} or {"error": ...}, whole, and tandem_status reads it. */
UNUSED static void require_result(char *result, const char *of)
{
    REQUIRE(result != NULL, "%s gave no result", of);
    int is_error = strncmp(result, "{\"error\"", 8) == 0;
    char *whole = tandem_get(result, ""), *name = tandem_get(result, "/error/name");
    REQUIRE(whole != NULL, "%s: %.2000s", of, result);
    REQUIRE(is_error || strncmp(result, "{\"ok\"", 5) == 0, "%s: %.2000s", of, result);
    REQUIRE(!is_error || (name != NULL && name[0] != 0), "%s: %.2000s", of, result);
    REQUIRE(is_error == (tandem_status(result) != TANDEM_OK), "%s: %.2000s", of, result);
    tandem_free(whole);
    tandem_free(name);
    tandem_free(result);
}

UNUSED static tandem_client *require_client(const char *config)
{
    char *error = NULL;
    tandem_client *c = tandem_open(config, &error);

    REQUIRE(c != NULL, "%s: %s", config, error == NULL ? "no error" : error);
    return c;
}

/* Events of one operation: what a consumer may rely on whatever an engine sends. */
struct told {
    int events, dones, drops, terminal;
    long long last_seq;
};

UNUSED static void on_event(void *ud, uint64_t op, const char *event)
{
    struct told *told = ud;
    char *whole = tandem_get(event, ""), *type = tandem_get(event, "/type"), *seq = tandem_get(event, "/seq");

    REQUIRE(whole != NULL && type != NULL && seq != NULL, "operation %llu: %.2000s", (unsigned long long)op, event);
    REQUIRE(told->dones == 0, "after done: %.2000s", event);
    REQUIRE(strtoll(seq, NULL, 10) > told->last_seq, "disorder: %.2000s", event);
    told->last_seq = strtoll(seq, NULL, 10);
    told->events++;
    told->dones += strcmp(type, "done") == 0;
    tandem_free(whole);
    tandem_free(type);
    tandem_free(seq);
}

UNUSED static void on_drop(void *ud)
{
    ((struct told *)ud)->drops++;
}

#endif
