/* Requests of the C tests to the servers that they start. */
#ifndef HTTP_H
#define HTTP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "client.h"

/* One request to a server on loopback; its answer's body. */
UNUSED static const char *http(int port, const char *method, const char *path, const char *body)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char *answer = room(65536);
    size_t used = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return "";
    const char *request = text("%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method, path, strlen(body), body);
    if (write(fd, request, strlen(request)) < 0)
        return "";
    for (ssize_t n; used < 65535 && (n = read(fd, answer + used, 65535 - used)) > 0;)
        used += (size_t)n;
    close(fd);
    char *end = strstr(answer, "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}

/* Gives the scripted model server the answers that a prompt with [[name]] gets, as a JSON array. */
UNUSED static void script(const char *name, const char *answers)
{
    const char *url = getenv("TANDEM_TEST_MODEL_URL");
    const char *colon = url == NULL ? NULL : strrchr(url, ':');

    if (colon == NULL || strstr(http(atoi(colon + 1), "PUT", text("/_script/%s", name), answers), "true") == NULL)
        printf("FAILED the script %s is not taken\n", name);
}

#endif
