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
#include <unistd.h>

/* The engine sends a comment after so long a silence. */
enum { keep_alive_ms = 10000 };

static const char session[] =
    "{\"id\":\"0b7f5c1e-6f0a-4a57-9c1d-2f1f8f7f0a11\",\"version\":\"v1\",\"projectID\":\"workspace-1a2b3c4d5e6f\","
    "\"directory\":\"/srv/project\",\"workspaceRoot\":\"/srv/project\",\"title\":\"A session to measure with\","
    "\"time\":{\"created\":1760000000,\"updated\":1760000042},"
    "\"model\":{\"providerID\":\"llama_cpp\",\"modelID\":\"a-model\"},\"provider\":\"llama_cpp\",\"sourceKind\":\"chat\","
    "\"environment\":{\"os\":\"linux\",\"arch\":\"x86_64\",\"shell_family\":\"posix\",\"path_style\":\"posix\"},"
    "\"messages\":["
    "{\"info\":{\"id\":\"5a0e1c52-98f7-4d4c-8a35-0a4c1a3b7d01\",\"role\":\"user\",\"time\":{\"created\":1760000001}},"
    "\"parts\":[{\"type\":\"text\",\"text\":\"How many files are in this folder, and which is the largest?\"}]},"
    "{\"info\":{\"id\":\"5a0e1c52-98f7-4d4c-8a35-0a4c1a3b7d02\",\"role\":\"assistant\",\"time\":{\"created\":1760000042}},"
    "\"parts\":[{\"type\":\"text\",\"text\":\"There are twelve files. The largest is \\\"data.bin\\\" with 4.2 MB \\u2014 "
    "three times the size of the next.\\nThe others are sources and notes of a few KB each.\"}]}]}";

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

/* Reads one request, which has no body; 0 at the end of the connection. */
static int read_request(int s, char *bytes, size_t size)
{
    size_t used = 0;

    while (used < size - 1) {
        ssize_t n = recv(s, bytes + used, size - 1 - used, 0);
        if (n <= 0)
            return 0;
        used += (size_t)n;
        bytes[used] = 0;
        if (used >= 4 && memcmp(bytes + used - 4, "\r\n\r\n", 4) == 0)
            return 1;
    }
    return 0;
}

static int send_chunk(int s, const char *text)
{
    char chunk[512];
    int n = snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", strlen(text), text);

    return send_all(s, chunk, (size_t)n);
}

/* Goes on until the client leaves. */
static void stream(int s)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    struct pollfd peer = {.fd = s, .events = POLLIN};
    int open = send_all(s, head, sizeof head - 1) && send_chunk(s, opening[0]) && send_chunk(s, opening[1]);

    while (open)
        open = poll(&peer, 1, keep_alive_ms) == 0 && send_chunk(s, ":\n\n");
}

static void *serve_connection(void *ud)
{
    static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    int s = (int)(intptr_t)ud, one = 1, open = 1;
    char request[8192], reply[4096];
    int n = snprintf(reply, sizeof reply,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     sizeof session - 1, session);

    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while (open && read_request(s, request, sizeof request)) {
        if (strncmp(request, "GET /session/", 13) == 0)
            open = send_all(s, reply, (size_t)n);
        else if (strncmp(request, "GET /event", 10) == 0)
            open = (stream(s), 0);
        else
            open = send_all(s, missing, sizeof missing - 1);
    }
    close(s);
    return NULL;
}

static void *serve(void *ud)
{
    for (int s; (s = accept4((int)(intptr_t)ud, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)s) != 0)
            exit(1);
        pthread_detach(thread);
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
