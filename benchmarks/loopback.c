#define _GNU_SOURCE
#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The engine sends a comment after so long a silence. */
enum { keep_alive_s = 10 };

static const char session[] =
    "{\"id\":\"0b7f5c1e-6f0a-4a57-9c1d-2f1f8f7f0a11\",\"version\":\"v1\",\"projectID\":\"workspace-1a2b3c4d5e6f\","
    "\"directory\":\"/srv/project\",\"workspaceRoot\":\"/srv/project\",\"title\":\"A session to measure with\","
    "\"time\":{\"created\":1760000000,\"updated\":1760000042},"
    "\"model\":{\"providerID\":\"llama_cpp\",\"modelID\":\"a-model\"},\"provider\":\"llama_cpp\","
    "\"sourceKind\":\"chat\","
    "\"environment\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"shell_family\":\"posix\",\"path_style\":\"posix\"},"
    "\"messages\":["
    "{\"info\":{\"id\":\"5a0e1c52-98f7-4d4c-8a35-0a4c1a3b7d01\",\"role\":\"user\",\"time\":{\"created\":1760000001}},"
    "\"parts\":[{\"type\":\"text\",\"text\":\"How many files are in this folder, and which is the largest?\"}]},"
    "{\"info\":{\"id\":\"5a0e1c52-98f7-4d4c-8a35-0a4c1a3b7d02\",\"role\":\"assistant\","
    "\"time\":{\"created\":1760000042}},"
    "\"parts\":[{\"type\":\"text\",\"text\":\"There are twelve files. The largest is \\\"data.bin\\\" with 4.2 MB "
    "\\u2014 three times the size of the next.\\nThe others are sources and notes of a few KB each.\"}]}]}";

static const char *const opening[] = {
    "data: {\"type\":\"server.connected\",\"properties\":{}}\n\n",
    "data: {\"type\":\"engine.lifecycle.ready\",\"properties\":{\"status\":\"ready\",\"transport\":\"sse\"}}\n\n",
};

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

static int send_chunk(int s, const char *text)
{
    char chunk[512];
    int n = snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", strlen(text), text);

    return send_all(s, chunk, (size_t)n);
}

static int begin_stream(int s)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";

    return send_all(s, head, sizeof head - 1) && send_chunk(s, opening[0]) && send_chunk(s, opening[1]);
}

static int send_session(int s)
{
    static char reply[4096];
    static int n;

    if (n == 0)
        n = snprintf(reply, sizeof reply,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     sizeof session - 1, session);
    return send_all(s, reply, (size_t)n);
}

/* -- one thread for all connections, so that none has the better place among the processors -- */

enum { most = 256 };

struct connection {
    char request[4096];
    size_t used;
    int is_stream;
};

static struct pollfd sockets[most];
static struct connection connections[most];
static int count;

static void take_in(int listener)
{
    int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC), one = 1;

    if (s < 0)
        return;
    if (count == most) {
        close(s);
        return;
    }
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockets[count] = (struct pollfd){.fd = s, .events = POLLIN};
    connections[count] = (struct connection){0};
    count++;
}

static void drop(int i)
{
    close(sockets[i].fd);
    count--;
    sockets[i] = sockets[count];
    connections[i] = connections[count];
}

/* Reads what is there and answers a request, which has no body, when it is whole; 0 at the end of the connection. */
static int answer(int i)
{
    static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    struct connection *c = &connections[i];
    int s = sockets[i].fd;
    ssize_t n = recv(s, c->request + c->used, sizeof c->request - c->used, 0);

    if (n <= 0 || c->is_stream)
        return 0;
    c->used += (size_t)n;
    if (c->used < 4 || memcmp(c->request + c->used - 4, "\r\n\r\n", 4) != 0)
        return c->used < sizeof c->request;
    c->used = 0;
    if (strncmp(c->request, "GET /session/", 13) == 0)
        return send_session(s);
    c->is_stream = strncmp(c->request, "GET /event", 10) == 0;
    return c->is_stream ? begin_stream(s) : send_all(s, missing, sizeof missing - 1);
}

static void *serve(void *ud)
{
    time_t comment_at = time(NULL) + keep_alive_s;

    sockets[0] = (struct pollfd){.fd = (int)(intptr_t)ud, .events = POLLIN};
    count = 1;
    for (;;) {
        poll(sockets, (nfds_t)count, 1000);
        for (int i = count - 1; i > 0; i--)
            if (sockets[i].revents != 0 && !answer(i))
                drop(i);
        if (sockets[0].revents != 0)
            take_in(sockets[0].fd);
        if (time(NULL) < comment_at)
            continue;
        comment_at = time(NULL) + keep_alive_s;
        for (int i = count - 1; i > 0; i--)
            if (connections[i].is_stream && !send_chunk(sockets[i].fd, ":\n\n"))
                drop(i);
    }
    return NULL;
}

int loopback_open(int *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(*listener, (struct sockaddr *)&address, size) != 0 || listen(*listener, 64) != 0)
        exit(1);
    getsockname(*listener, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

void loopback_serve(int listener)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)listener) != 0)
        exit(1);
    pthread_detach(thread);
}
