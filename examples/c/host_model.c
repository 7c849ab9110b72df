/*
 * A model that this program is: it says each prompt back, louder.
 *
 *     host_model [ENGINE]     ENGINE: embedded: (the default) or embedded:/state/dir
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <tandem.h>

/* One call of the model, with an OpenAI chat request as its input. */
static void answer(void *client, uint64_t call, const char *json)
{
    char pointer[64], *word = NULL;

    if (tandem_reply_wanted(client, call) != 1)
        return; /* it only says that an earlier call is over */
    for (int last = 0;; last++) {
        snprintf(pointer, sizeof pointer, "/input/messages/%d/content", last);
        char *next = tandem_get(json, pointer);
        if (next == NULL)
            break;
        tandem_free(word);
        word = next;
    }
    for (char *c = word; c != NULL && *c != 0; c++)
        *c = (char)toupper((unsigned char)*c);
    char *piece = tandem_quote(word == NULL ? "?" : word);
    tandem_reply_chunk(client, call, piece);
    tandem_reply(client, call, "{\"ok\":{\"finish_reason\":\"stop\"}}");
    tandem_free(piece);
    tandem_free(word);
}

int main(int count, char **words)
{
    char text[512], *error = NULL;

    snprintf(text, sizeof text, "{\"url\":\"%s\"}", count > 1 ? words[1] : "embedded:");
    tandem_client *c = tandem_open(text, &error);
    if (c == NULL || tandem_provide(c, "{\"kind\":\"model\",\"name\":\"louder\"}", answer, c, NULL, &error) == 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    char *made = tandem_call(c, "sessions.create", "{\"model\":{\"provider_id\":\"host\",\"model_id\":\"louder\"}}");
    char *session = tandem_get(made, "/ok/id");
    snprintf(text, sizeof text, "{\"session_id\":\"%s\",\"prompt\":\"Is anybody there?\"}", session ? session : "");
    char *result = tandem_call(c, "sessions.prompt_sync", text); /* this thread answers the model's call meanwhile */
    char *said = tandem_get(result, "/ok/text");
    puts(said ? said : result);
    int failed = said == NULL;
    tandem_free(made), tandem_free(session), tandem_free(result), tandem_free(said);
    return tandem_close(c, -1) != TANDEM_OK || failed;
}
