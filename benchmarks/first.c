/*
 * The first three figures, with their goals (DESIGN section 10):
 *   - the median of embedded sessions.get with 10,000 sessions stored
 *   - the median of a whole run of one delta, from a scripted model on loopback that this program serves itself
 *   - the time that loading the library takes beyond loading what it depends on
 *
 *     first LIBRARY [DEPENDENCY ...]      the dependencies are loaded before, and not counted
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tandem.h"

enum { stored = 10000, gets = 20000, runs = 2000 };

static __typeof__(&tandem_open) client_open;
static __typeof__(&tandem_close) client_close;
static __typeof__(&tandem_call) client_call;
static __typeof__(&tandem_submit) client_submit;
static __typeof__(&tandem_wait) client_wait;
static __typeof__(&tandem_get) json_get;
static __typeof__(&tandem_status) json_status;
static __typeof__(&tandem_free) json_free;

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

static void report(const char *what, double value, double goal, const char *unit)
{
    printf("%-55s %9.1f %s   goal %.0f   %s\n", what, value, unit, goal, value <= goal ? "met" : "NOT MET");
}

/* -- the model: answers each request on a kept connection with one delta -- */

static const char answer[] =
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}\n\n"
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\n"
    "data: [DONE]\n\n";

static int send_all(int s, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(s, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return 0;
        bytes += sent, n -= (size_t)sent;
    }
    return 1;
}

/* Reads one request; 0 at the end of the connection. */
static int read_request(int s)
{
    static __thread char bytes[1 << 16];
    size_t used = 0, wanted = 0;

    while (used < sizeof bytes - 1) {
        ssize_t n = recv(s, bytes + used, sizeof bytes - 1 - used, 0);
        if (n <= 0)
            return 0;
        used += (size_t)n;
        bytes[used] = 0;
        char *end = strstr(bytes, "\r\n\r\n");
        if (end == NULL)
            continue;
        if (wanted == 0) {
            char *length = strcasestr(bytes, "\r\nContent-Length:");
            wanted = (size_t)(end + 4 - bytes) + (length == NULL || length > end ? 0 : strtoul(length + 17, NULL, 10));
        }
        if (used >= wanted)
            return 1;
    }
    return 0;
}

static void *serve_connection(void *ud)
{
    int s = (int)(intptr_t)ud, one = 1;
    char reply[2048];
    int n = snprintf(reply, sizeof reply,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %zu\r\n\r\n%s", sizeof answer - 1, answer);

    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while (read_request(s) && send_all(s, reply, (size_t)n))
        ;
    close(s);
    return NULL;
}

static void *serve(void *ud)
{
    int listener = *(int *)ud;

    for (int s; (s = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)s);
        pthread_detach(thread);
    }
    return NULL;
}

/* Starts the model and returns its port. */
static int start_model(void)
{
    static int listener;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_t thread;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 64) != 0)
        exit(1);
    getsockname(listener, (struct sockaddr *)&address, &size);
    pthread_create(&thread, NULL, serve, &listener);
    return ntohs(address.sin_port);
}

/* -- the measurements -- */

static void load_library(int count, char **words)
{
    for (int i = 2; i < count; i++)
        if (dlopen(words[i], RTLD_NOW | RTLD_GLOBAL) == NULL)
            fprintf(stderr, "%s\n", dlerror());
    double began = now();
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    double took = now() - began;
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    *(void **)&client_open = dlsym(library, "tandem_open");
    *(void **)&client_close = dlsym(library, "tandem_close");
    *(void **)&client_call = dlsym(library, "tandem_call");
    *(void **)&client_submit = dlsym(library, "tandem_submit");
    *(void **)&client_wait = dlsym(library, "tandem_wait");
    *(void **)&json_get = dlsym(library, "tandem_get");
    *(void **)&json_status = dlsym(library, "tandem_status");
    *(void **)&json_free = dlsym(library, "tandem_free");
    report("load, beyond its own dependencies", took / 1000, 2, "ms");
}

static char *checked(char *result)
{
    if (json_status(result) != TANDEM_OK) {
        fprintf(stderr, "%s\n", result);
        exit(1);
    }
    return result;
}

static char *new_session(tandem_client *c)
{
    char *made = checked(client_call(c, "sessions.create", "{\"title\":\"bench\"}")), *id = json_get(made, "/ok/id");

    json_free(made);
    return id;
}

static void measure_get(tandem_client *c)
{
    static double times[gets];
    static char *ids[stored], arguments[256];

    for (int i = 0; i < stored; i++)
        ids[i] = new_session(c);
    for (int i = 0; i < gets; i++) {
        snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\"}", ids[i * 7919L % stored]);
        double began = now();
        char *result = client_call(c, "sessions.get", arguments);
        times[i] = now() - began;
        json_free(checked(result));
    }
    report("sessions.get, 10,000 sessions stored, median", median(times, gets), 10, "us");
    for (int i = 0; i < stored; i++)
        json_free(ids[i]);
}

/* From the prompt to the run's end, as the stream of the run sees it. */
static void measure_run(tandem_client *c)
{
    static double times[runs];
    char arguments[512];

    for (int i = 0; i < runs; i++) {
        char *session = new_session(c);
        snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"hi\"}]}", session);
        double began = now();
        char *started = checked(client_call(c, "sessions.prompt_async", arguments)), *run = json_get(started, "/ok/run_id");
        snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\",\"run_id\":\"%s\"}", session, run);
        char *ended = client_wait(c, client_submit(c, "engine.stream", arguments, NULL), -1);
        times[i] = now() - began;
        json_free(checked(ended));
        json_free(started), json_free(run), json_free(session);
    }
    report("a whole run of one delta, median", median(times, runs), 300, "us");
}

int main(int count, char **words)
{
    char config[512], folder[] = "/tmp/tandem-bench-XXXXXX", remove[64];

    if (count < 2)
        return 2;
    load_library(count, words);
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(config, sizeof config,
             "{\"discover\":false,\"state\":\"%s\",\"default_provider\":\"llama_cpp\",\"providers\":{\"llama_cpp\":"
             "{\"url\":\"http://127.0.0.1:%d\",\"default_model\":\"m\"}}}", folder, start_model());
    tandem_client *c = client_open(config, NULL);
    if (c == NULL)
        return 1;
    measure_get(c);
    measure_run(c);
    client_close(c, -1);
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    return system(remove) != 0;
}
