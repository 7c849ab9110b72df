/*
 * An agent session in a C program: asks a model about a file and prints its answer as it comes.
 *
 *     quickstart [ENGINE [DIRECTORY [TOKEN]]]
 *
 * ENGINE: embedded: (the default), embedded:/state/dir, or http://host:port of a running engine, which may want a TOKEN.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tandem.h>

struct run {
    int over, failed;
};

static void on_event(void *ud, uint64_t op, const char *event)
{
    struct run *run = ud;
    char *type = tandem_get(event, "/type"), *text = NULL;

    (void)op;
    if (strcmp(type, "session.response") == 0) {
        text = tandem_get(event, "/properties/delta");
        fputs(text, stdout);
        fflush(stdout);
    } else if (strcmp(type, "run.completed") == 0) {
        run->over = 1;
    } else if (strncmp(type, "run.", 4) == 0 && strcmp(type, "run.started") != 0 && strcmp(type, "run.usage") != 0) {
        text = tandem_get(event, "/properties/error/message");
        fprintf(stderr, "\n%s: %s\n", type, text ? text : "");
        run->over = run->failed = 1;
    } else if (strcmp(type, "done") == 0) {
        run->over = 1;
    }
    tandem_free(text);
    tandem_free(type);
}

/* Returns a value of the result, or ends the program with its error. */
static char *value(char *result, const char *pointer)
{
    if (tandem_status(result) != TANDEM_OK) {
        fprintf(stderr, "%s\n", result);
        exit(1);
    }
    char *found = tandem_get(result, pointer);
    tandem_free(result);
    return found;
}

int main(int count, char **words)
{
    char text[8192], *error = NULL;
    struct run run = {0, 0};
    char *engine = tandem_quote(count > 1 ? words[1] : "embedded:");
    char *directory = tandem_quote(count > 2 ? words[2] : "."), *token = tandem_quote(count > 3 ? words[3] : NULL);

    snprintf(text, sizeof text, "{\"url\":%s,\"workspace\":%s,\"environment\":true,\"token\":%s}", engine, directory,
             token ? token : "null");
    tandem_client *c = tandem_open(text, &error);
    if (c == NULL)
        value(error, "");
    char *session = value(tandem_sessions_create(c, "{\"directory\":\".\"}"), "/ok/id");
    snprintf(text, sizeof text, "{\"session_id\":\"%s\",\"max_tokens\":300,\"temperature\":0.1,\"parts\":["
             "{\"type\":\"file\",\"mime\":\"text/markdown\",\"filename\":\"README.md\",\"url\":\"README.md\"},"
             "{\"type\":\"text\",\"text\":\"Summarize the README and list the top 3 TODOs\"}]}", session);
    char *id = value(tandem_sessions_prompt_async_parts(c, text), "/ok/run_id");
    snprintf(text, sizeof text, "{\"session_id\":\"%s\",\"run_id\":\"%s\"}", session, id);
    if (tandem_stream(c, "engine.stream", text, on_event, &run, NULL, &error) == 0)
        value(error, "");
    while (!run.over && tandem_pump(c, 0, -1) >= 0)
        ;
    putchar('\n');
    tandem_free(engine), tandem_free(directory), tandem_free(token), tandem_free(session), tandem_free(id);
    return tandem_close(c, -1) != TANDEM_OK || run.failed;
}
