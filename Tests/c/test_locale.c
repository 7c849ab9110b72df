/* Numbers under a German locale that another thread switches on and off. */
#include <locale.h>

#include "client.h"

static atomic_int stop;

static void *flip(void *ud)
{
    (void)ud;
    for (unsigned i = 0; !atomic_load(&stop); i++)
        setlocale(LC_ALL, i % 2 ? "C" : "de_DE.UTF-8");
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int good = 0, whole = 0, opens = 0, rounds = slowness() > 1 ? 20 : 400;

    begin(90);
    CHECK("there is a German locale", setlocale(LC_ALL, "de_DE.UTF-8") != NULL);
    CHECK_TEXT("with a decimal comma", ",", localeconv()->decimal_point);
    tandem_client *c = scripted_client("");
    const char *session = at(keep(tandem_call(c, "sessions.create", "{\"temperature\":0.5,\"source_metadata\":{\"n\":1.5}}")), "/ok/id");
    const char *raw = keep(tandem_call(c, "sessions.update", text("{\"session_id\":\"%s\",\"title\":\"x\"}", session)));
    CHECK_TEXT("a number of the engine has its point", "0.5", at(raw, "/ok/temperature"));
    CHECK_TEXT("a number of ours too", "1.5", at(raw, "/ok/source_metadata/n"));
    CHECK_TEXT("the locale is as it was", "de_DE.UTF-8", setlocale(LC_NUMERIC, NULL));

    pthread_create(&thread, NULL, flip, NULL);
    for (int i = 0; i < rounds; i++) {
        char *made = tandem_call(c, "sessions.create", "{\"top_p\":0.25,\"temperature\":1.5,\"source_metadata\":{\"n\":[-1.5e-3,2.25]}}");
        char *n = tandem_get(made, "/ok/sourceMetadata/n");
        good += n != NULL && strcmp(n, "[-1.5e-3,2.25]") == 0;
        tandem_free(n);
        tandem_free(made);
    }
    for (int i = 0; i < rounds / 4; i++) {
        tandem_client *other = tandem_open("{\"discover\":false,\"headers\":{\"x\":\"y\"},\"providers\":{\"p\":{\"url\":\"http://127.0.0.1:1\","
                                           "\"default_model\":\"m\"}},\"deterministic\":12}", NULL);
        opens += other != NULL && tandem_close(other, -1) == TANDEM_OK;
    }
    for (int i = 0; i < 10; i++) {
        char *answer = tandem_call(c, "sessions.prompt_sync",
            text("{\"session_id\":\"%s\",\"prompt\":[{\"type\":\"text\",\"text\":\"[[hello]]\"}],\"temperature\":0.5}", session));
        char *words = tandem_get(answer, "/ok/text");
        whole += words != NULL && strcmp(words, "Hello there friend") == 0;
        tandem_free(words);
        tandem_free(answer);
    }
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
    CHECK_INT("numbers survive another thread's setlocale", rounds, good);
    CHECK_INT("so do configurations", rounds / 4, opens);
    CHECK_INT("so do runs", 10, whole);
    tandem_close(c, -1);
    return finish();
}
