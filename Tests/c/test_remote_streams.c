/* A thousand streams of one client on a remote engine, and eight threads that call beside them. valgrind: no */
#include "client.h"
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { stream_count = 1000, pieces = 3, thread_count = 8, calls = 200, most_connections = 1200 };

/* The engine: one thread of a process of its own, so that the threads counted here are the library's. */
static struct connection {
    int fd, session, used, is_stream;
    char data[4096];
} connections[most_connections];
static int connection_count, streams_open;
static struct pollfd watched[most_connections + 1];

static void put(int fd, const char *what)
{
    for (size_t sent = 0, length = strlen(what); sent < length;) {
        ssize_t n = send(fd, what + sent, length - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

static void put_frame(int fd, int run, int seq, const char *type, const char *properties)
{
    char frame[1024];

    snprintf(frame, sizeof frame,
             "data: {\"type\":\"%s\",\"properties\":{\"sessionID\":\"s%d\",\"runID\":\"r%d\"%s},\"envelope\":{\"event_id\":\"e%d-%d\","
             "\"seq\":%d,\"schema_version\":1,\"occurred_at_ms\":1,\"session_id\":\"s%d\",\"run_id\":\"r%d\"}}\n\n",
             type, run, run, properties, run, seq, run * (pieces + 2) + seq, run, run);
    put(fd, frame);
}

static void put_run(int fd, int run)
{
    char part[256];

    put_frame(fd, run, 1, "session.run.started", ",\"startedAtMs\":1");
    for (int i = 0; i < pieces; i++) {
        snprintf(part, sizeof part, ",\"delta\":\"%d.%d \",\"part\":{\"id\":\"p%d\",\"type\":\"text\",\"text\":\"x\"}", run, i, i);
        put_frame(fd, run, 2 + i, "message.part.updated", part);
    }
    put_frame(fd, run, 2 + pieces, "session.run.finished", ",\"status\":\"completed\",\"finishedAtMs\":2");
}

/* Plays every run: on the stream of its session, or on those of all sessions. */
static void play(void)
{
    for (int run = 0; run < stream_count; run++)
        for (int i = 0; i < connection_count; i++)
            if (connections[i].is_stream && (connections[i].session < 0 || connections[i].session == run))
                put_run(connections[i].fd, run);
}

static void begin_stream(struct connection *c, const char *target)
{
    const char *session = strstr(target, "sessionID=s");

    c->is_stream = 1;
    c->session = session == NULL ? -1 : atoi(session + strlen("sessionID=s"));
    streams_open++;
    put(c->fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
               "data: {\"type\":\"server.connected\",\"properties\":{}}\n\n"
               "data: {\"type\":\"engine.lifecycle.ready\",\"properties\":{\"status\":\"ready\"}}\n\n");
}

static void reply(struct connection *c, const char *id)
{
    char body[256], whole[512];

    snprintf(body, sizeof body, "{\"id\":\"%s\",\"title\":\"%d\"}", id, streams_open);
    snprintf(whole, sizeof whole, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    put(c->fd, whole);
}

/* GET /event opens a stream, GET /session/play plays the runs, GET /session/ID answers that id. */
static void serve(struct connection *c)
{
    char target[512] = "", id[128] = "";
    char *end;

    while ((end = strstr(c->data, "\r\n\r\n")) != NULL) {
        sscanf(c->data, "GET %511s", target);
        memmove(c->data, end + 4, strlen(end + 4) + 1);
        c->used = (int)strlen(c->data);
        if (strncmp(target, "/event", 6) == 0) {
            begin_stream(c, target);
            continue;
        }
        sscanf(target, "/session/%127[^?]", id);
        if (strcmp(id, "play") == 0)
            play();
        reply(c, id);
    }
}

static void drop(int i)
{
    streams_open -= connections[i].is_stream;
    close(connections[i].fd);
    connections[i] = connections[--connection_count];
}

static void engine(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int polled = connection_count;
        watched[0] = (struct pollfd){listener, connection_count < most_connections ? POLLIN : 0, 0};
        for (int i = 0; i < polled; i++)
            watched[i + 1] = (struct pollfd){connections[i].fd, POLLIN, 0};
        poll(watched, (nfds_t)polled + 1, -1);
        for (int i = polled - 1; i >= 0; i--) {
            struct connection *c = &connections[i];
            if (watched[i + 1].revents == 0)
                continue;
            ssize_t n = read(c->fd, c->data + c->used, sizeof c->data - 1 - (size_t)c->used);
            if (n <= 0) {
                drop(i);
                continue;
            }
            c->used += (int)n;
            c->data[c->used] = 0;
            serve(c);
        }
        if (watched[0].revents)
            connections[connection_count++] = (struct connection){.fd = accept(listener, NULL, NULL)};
    }
}

static pid_t engine_started(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0)
        exit(1);
    getsockname(listener, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    pid_t pid = fork();
    if (pid == 0)
        engine(listener);
    close(listener);
    return pid;
}

/* What came on one stream. */
static struct seen {
    int number, started, pieces, completed, others, dones, after_done, wrong, ended, drops;
} all[stream_count];
static int done_count, drop_count;

static void on_event(void *ud, uint64_t op, const char *event)
{
    struct seen *seen = ud;
    char *type = tandem_get(event, "/type"), *delta = NULL, *run = NULL, wanted[32];

    (void)op;
    seen->after_done += seen->dones > 0;
    if (strcmp(type, "session.response") == 0) {
        delta = tandem_get(event, "/properties/delta");
        run = tandem_get(event, "/run_id");
        snprintf(wanted, sizeof wanted, "%d.%d ", seen->number, seen->pieces++);
        seen->wrong += delta == NULL || strcmp(delta, wanted) != 0;
        snprintf(wanted, sizeof wanted, "r%d", seen->number);
        seen->wrong += run == NULL || strcmp(run, wanted) != 0;
    } else if (strcmp(type, "run.started") == 0) {
        seen->started++;
    } else if (strcmp(type, "run.completed") == 0) {
        seen->completed++;
    } else if (strcmp(type, "done") == 0) {
        run = tandem_get(event, "/result/ok/ended");
        seen->ended += run != NULL && strcmp(run, "true") == 0;
        seen->dones++;
        done_count++;
    } else if (strcmp(type, "stream.connected") != 0) {
        seen->others++;
    }
    tandem_free(type), tandem_free(delta), tandem_free(run);
}

static void on_drop(void *ud)
{
    ((struct seen *)ud)->drops++;
    drop_count++;
}

struct caller {
    tandem_client *client;
    int number, wrong;
};

static void *call_a_lot(void *ud)
{
    struct caller *caller = ud;
    char args[64], id[32];

    for (int i = 0; i < calls; i++) {
        snprintf(id, sizeof id, "t%d-%d", caller->number, i);
        snprintf(args, sizeof args, "{\"session_id\":\"%s\"}", id);
        char *result = tandem_call(caller->client, "sessions.get", args), *got = tandem_get(result, "/ok/id");
        caller->wrong += got == NULL || strcmp(got, id) != 0;
        tandem_free(got), tandem_free(result);
    }
    return NULL;
}

static int calls_gone_wrong(tandem_client *c)
{
    struct caller callers[thread_count];
    pthread_t threads[thread_count];
    int wrong = 0;

    for (int i = 0; i < thread_count; i++) {
        callers[i] = (struct caller){c, i, 0};
        pthread_create(&threads[i], NULL, call_a_lot, &callers[i]);
    }
    for (int i = 0; i < thread_count; i++) {
        pthread_join(threads[i], NULL);
        wrong += callers[i].wrong;
    }
    return wrong;
}

static int streams_at_engine(tandem_client *c)
{
    char *result = tandem_call(c, "sessions.get", "{\"session_id\":\"count\"}"), *count = tandem_get(result, "/ok/title");
    int n = count == NULL ? -1 : atoi(count);

    tandem_free(count), tandem_free(result);
    return n;
}

static int wait_for_streams(tandem_client *c, int n)
{
    long long end = now_ms() + 20000LL * slowness();

    while (streams_at_engine(c) < n && now_ms() < end)
        nap(5);
    return streams_at_engine(c);
}

/* Every stream had what it should have, counted over all. */
static void check_streams(const char *how)
{
    struct seen sum = {0};

    for (int i = 0; i < stream_count; i++) {
        sum.started += all[i].started == 1;
        sum.pieces += all[i].pieces == pieces;
        sum.completed += all[i].completed == 1;
        sum.dones += all[i].dones == 1;
        sum.ended += all[i].ended == 1;
        sum.drops += all[i].drops == 1;
        sum.wrong += all[i].wrong;
        sum.others += all[i].others;
        sum.after_done += all[i].after_done;
    }
    CHECK_INT(text("%s: each had its start", how), stream_count, sum.started);
    CHECK_INT(text("%s: each had all its pieces", how), stream_count, sum.pieces);
    CHECK_INT(text("%s: in their order, its own only", how), 0, sum.wrong);
    CHECK_INT(text("%s: each had one terminal event", how), stream_count, sum.completed);
    CHECK_INT(text("%s: each was done once", how), stream_count, sum.dones);
    CHECK_INT(text("%s: each ended with its run", how), stream_count, sum.ended);
    CHECK_INT(text("%s: each was dropped once", how), stream_count, sum.drops);
    CHECK_INT(text("%s: nothing else came", how), 0, sum.others);
    CHECK_INT(text("%s: nothing came after the end", how), 0, sum.after_done);
}

static void thousand(const char *how, const char *subscription, int port, int connections_wanted)
{
    long before = threads_now(), fds = fds_now();
    tandem_client *c = opened(text("{\"url\":\"http://127.0.0.1:%d\",\"subscription\":\"%s\",\"discover\":false}", port, subscription));
    int opened_streams = 0;

    done_count = drop_count = 0;
    for (int i = 0; i < stream_count; i++) {
        char args[64];
        all[i] = (struct seen){.number = i};
        snprintf(args, sizeof args, "{\"session_id\":\"s%d\",\"run_id\":\"r%d\"}", i, i);
        opened_streams += tandem_stream(c, "engine.stream", args, on_event, &all[i], on_drop, NULL) != 0;
    }
    CHECK_INT(text("%s: a thousand streams are open", how), stream_count, opened_streams);
    CHECK_INT(text("%s: on so many connections", how), connections_wanted, wait_for_streams(c, connections_wanted));
    CHECK_INT(text("%s: on one thread", how), before + 1, threads_now());
    CHECK_INT(text("%s: eight threads' calls beside them have their answers", how), 0, calls_gone_wrong(c));
    CHECK_INT(text("%s: with no thread more", how), before + 1, threads_settled(before + 1));
    CHECK_INT(text("%s: nothing has ended", how), 0, done_count);
    long long began = now_ms();
    CHECK_OK(text("%s: the runs are played", how), keep(tandem_call(c, "sessions.get", "{\"session_id\":\"play\"}")));
    pump_until(c, &drop_count, stream_count, 30000);
    CHECK(text("%s: within ten seconds", how), now_ms() - began < 10000LL * slowness());
    check_streams(how);
    CHECK_INT(text("%s: the client closes", how), TANDEM_OK, tandem_close(c, -1));
    CHECK_INT(text("%s: no thread is left", how), before, threads_settled(before));
    CHECK_INT(text("%s: no descriptor is left", how), fds, fds_now());
}

int main(void)
{
    struct rlimit files;
    int port = 0;

    begin(120);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    pid_t pid = engine_started(&port);
    thousand("one subscription", "client", port, 1);
    thousand("a connection each", "session", port, stream_count);
    kill(pid, SIGKILL);
    return finish();
}
