/*
 * A server on loopback whose answers are parts of a fuzzer's input, told apart by their first byte:
 *
 *     S...     an event stream, status 200            R...     a JSON reply, status 200
 *     E404...  a reply with that status               H...     these bytes in place of a whole answer
 *
 * Streams take the next S or H of their queue, other requests the next R, E or H.
 */
#ifndef SERVER_H
#define SERVER_H

#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { MOST_PARTS = 64, MOST_SERVED = 64 };

static struct {
    pthread_mutex_t lock;
    int listener, port;
    /* The present input: its answers, and which are taken. */
    const char *answers[MOST_PARTS];
    int taken[MOST_PARTS], count;
    /* Bytes that are sent at once; whether a stream stays open behind its last byte. */
    size_t piece;
    int holds;
    /* What is answered when nothing is left. */
    const char *usual_stream, *usual_reply;
    /* Connections that are being served, so that none outlives its input. */
    int served[MOST_SERVED], serving;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .usual_stream = NULL, .usual_reply = "{}"};

static const char *answer_for(int is_stream)
{
    const char *found = NULL;

    pthread_mutex_lock(&server.lock);
    for (int i = 0; i < server.count && found == NULL; i++) {
        char kind = server.answers[i][0];
        int fits = kind == 'H' || (is_stream ? kind == 'S' : kind == 'R' || kind == 'E');
        if (fits && !server.taken[i]) {
            server.taken[i] = 1;
            found = strdup(server.answers[i]);
        }
    }
    pthread_mutex_unlock(&server.lock);
    return found;
}

static int put(int fd, const char *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        size_t piece = length - sent < server.piece ? length - sent : server.piece;
        ssize_t n = send(fd, bytes + sent, piece, MSG_NOSIGNAL);
        if (n <= 0)
            return 0;
        sent += (size_t)n;
    }
    return 1;
}

static int put_reply(int fd, int status, const char *body)
{
    char head[256];

    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status, strlen(body));
    return put(fd, head, strlen(head)) && put(fd, body, strlen(body));
}

/* Whether the connection serves another request. */
static int answer(int fd, int is_stream)
{
    char *owned = (char *)answer_for(is_stream), kind = owned == NULL ? 0 : owned[0];
    int goes_on = 0;

    if (kind == 'H') {
        put(fd, owned + 1, strlen(owned + 1));
    } else if (kind == 'E') {
        char digits[4] = {0};
        size_t length = strlen(owned + 1);
        strncpy(digits, owned + 1, 3);
        int status = atoi(digits);
        goes_on = put_reply(fd, status < 100 ? 500 : status, owned + 1 + (length < 3 ? length : 3));
    } else if (kind == 'R' || (kind == 0 && !is_stream)) {
        goes_on = put_reply(fd, 200, kind == 0 ? server.usual_reply : owned + 1);
    } else if (kind == 'S' || server.usual_stream != NULL) {
        const char *head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        const char *body = kind == 0 ? server.usual_stream : owned + 1;
        char last;
        if (put(fd, head, strlen(head)) && put(fd, body, strlen(body)) && server.holds)
            while (read(fd, &last, 1) > 0)
                ;
    } else {
        put_reply(fd, 503, "{\"error\":\"no more\",\"code\":\"BUSY\"}");
    }
    free(owned);
    return goes_on;
}

/* Reads one request with its body; whether there was one, and whether it asks for a stream. */
static int request(int fd, int *is_stream)
{
    static _Thread_local char head[1 << 18];
    size_t used = 0;
    char *end = NULL, *length;

    while (end == NULL) {
        ssize_t n = used < sizeof head - 1 ? read(fd, head + used, sizeof head - 1 - used) : 0;
        if (n <= 0)
            return 0;
        used += (size_t)n;
        head[used] = 0;
        end = strstr(head, "\r\n\r\n");
    }
    *is_stream = strstr(head, "text/event-stream") != NULL || strstr(head, "\"stream\":true") != NULL;
    length = strcasestr(head, "\r\nContent-Length: ");
    size_t body = length == NULL || length > end ? 0 : strtoull(length + 18, NULL, 10), have = used - (size_t)(end + 4 - head);
    while (have < body) {
        char more[4096];
        ssize_t n = read(fd, more, sizeof more);
        if (n <= 0)
            return 0;
        if (memmem(more, (size_t)n, "\"stream\":true", 13) != NULL)
            *is_stream = 1;
        have += (size_t)n;
    }
    return 1;
}

static void *serve(void *ud)
{
    int fd = (int)(intptr_t)ud, is_stream = 0, on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (request(fd, &is_stream) && answer(fd, is_stream))
        ;
    pthread_mutex_lock(&server.lock);
    for (int i = 0; i < MOST_SERVED; i++)
        if (server.served[i] == fd + 1)
            server.served[i] = 0;
    close(fd);
    server.serving--;
    pthread_mutex_unlock(&server.lock);
    return NULL;
}

static void *listen_on(void *ud)
{
    (void)ud;
    for (;;) {
        int fd = accept(server.listener, NULL, NULL), place = -1;
        pthread_t thread;

        if (fd < 0)
            continue;
        pthread_mutex_lock(&server.lock);
        for (int i = 0; i < MOST_SERVED && place < 0; i++)
            if (server.served[i] == 0)
                place = i;
        if (place >= 0) {
            server.served[place] = fd + 1;
            server.serving++;
        }
        pthread_mutex_unlock(&server.lock);
        if (place < 0)
            close(fd);
        else if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

UNUSED static void server_started(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_t thread;

    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(server.listener, (struct sockaddr *)&address, size) == 0, "no port");
    REQUIRE(listen(server.listener, 256) == 0, "no listener");
    getsockname(server.listener, (struct sockaddr *)&address, &size);
    server.port = ntohs(address.sin_port);
    pthread_create(&thread, NULL, listen_on, NULL);
    pthread_detach(thread);
}

/* The rest of an input are its answers. */
UNUSED static void serve_parts(struct parts *p, size_t piece, int holds)
{
    pthread_mutex_lock(&server.lock);
    memset(server.taken, 0, sizeof server.taken);
    server.piece = piece;
    server.holds = holds;
    for (server.count = 0; server.count < MOST_PARTS && has_part(p);)
        server.answers[server.count++] = next_part(p);
    pthread_mutex_unlock(&server.lock);
}

/* Ends what is served of this input, and waits until it has. */
UNUSED static void served(void)
{
    for (int serving = 1; serving > 0; usleep(200)) {
        pthread_mutex_lock(&server.lock);
        server.count = 0;
        for (int i = 0; i < MOST_SERVED; i++)
            if (server.served[i] != 0)
                shutdown(server.served[i] - 1, SHUT_RDWR);
        serving = server.serving;
        pthread_mutex_unlock(&server.lock);
    }
}

#endif
