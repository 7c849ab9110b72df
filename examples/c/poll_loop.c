/*
 * Three sessions at once in a program that has an event loop of its own: poll on the wakeup descriptor, then pump.
 *
 *     poll_loop [ENGINE [DIRECTORY [TOKEN]]]
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tandem.h>

static const char *questions[] = {
    "What is this project, in one sentence?",
    "Which commands does the README name?",
    "Which three things would you do first?",
};

struct session {
    const char *question;
    int pieces, over;
};

/* Each session has this function, and its own struct to tell it by. */
static void on_event(void *ud, uint64_t op, const char *event)
{
    struct session *session = ud;
    char *type = tandem_get(event, "/type"), *text = NULL;

    (void)op;
    if (strcmp(type, "session.response") == 0) {
        session->pieces++;
    } else if (strcmp(type, "session.message") == 0) {
        text = tandem_get(event, "/properties/text");
        printf("%s (%d pieces)\n    %s\n", session->question, session->pieces, text);
    } else if (strcmp(type, "run.failed") == 0) {
        text = tandem_get(event, "/properties/error/message");
        printf("%s\n    failed: %s\n", session->question, text);
    } else if (strcmp(type, "done") == 0) {
        session->over = 1;
    }
    tandem_free(text);
    tandem_free(type);
}

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

/* Makes a session, prompts it and follows its run. */
static void ask(tandem_client *c, struct session *session)
{
    char text[4096];
    char *question = tandem_quote(session->question), *error = NULL;

    char *id = value(tandem_sessions_create(c, "{\"directory\":\".\"}"), "/ok/id");
    snprintf(text, sizeof text, "{\"session_id\":\"%s\",\"max_tokens\":100,\"parts\":["
             "{\"type\":\"file\",\"mime\":\"text/markdown\",\"filename\":\"README.md\",\"url\":\"README.md\"},"
             "{\"type\":\"text\",\"text\":%s}]}", id, question);
    char *run = value(tandem_sessions_prompt_async_parts(c, text), "/ok/run_id");
    snprintf(text, sizeof text, "{\"session_id\":\"%s\",\"run_id\":\"%s\"}", id, run);
    if (tandem_stream(c, "engine.stream", text, on_event, session, NULL, &error) == 0)
        value(error, "");
    tandem_free(question), tandem_free(id), tandem_free(run);
}

int main(int count, char **words)
{
    char text[4096], *error = NULL;
    struct session sessions[3] = {{questions[0], 0, 0}, {questions[1], 0, 0}, {questions[2], 0, 0}};
    char *engine = tandem_quote(count > 1 ? words[1] : "embedded:");
    char *directory = tandem_quote(count > 2 ? words[2] : "."), *token = tandem_quote(count > 3 ? words[3] : NULL);

    snprintf(text, sizeof text, "{\"url\":%s,\"workspace\":%s,\"environment\":true,\"token\":%s}", engine, directory,
             token ? token : "null");
    tandem_client *c = tandem_open(text, &error);
    if (c == NULL)
        value(error, "");
    for (int i = 0; i < 3; i++)
        ask(c, &sessions[i]);

    /* a real loop would have its own descriptors beside this one */
    struct pollfd descriptors[1] = {{tandem_wakeup_fd(c), POLLIN, 0}};
    while (!(sessions[0].over && sessions[1].over && sessions[2].over)) {
        if (poll(descriptors, 1, -1) < 0)
            break;
        if (descriptors[0].revents != 0 && tandem_pump(c, 0, 0) < 0)
            break;
    }
    tandem_free(engine), tandem_free(directory), tandem_free(token);
    return tandem_close(c, -1) != TANDEM_OK;
}
