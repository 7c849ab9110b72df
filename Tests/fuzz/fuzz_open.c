/* Configurations: one that is taken opens a client that answers and closes, another has an error that says why not. */
#include "fuzz.h"

/* The state must stay below the folder that the fuzzer runs in. */
static int stays_here(const char *config)
{
    char *state = tandem_get(config, "/state"), *url = tandem_get(config, "/url");
    int leaves = (state != NULL && strcmp(state, "fuzz-state") != 0 && strcmp(state, ":memory:") != 0) ||
                 (url != NULL && strncmp(url, "embedded:", 9) == 0 && url[9] != 0);

    tandem_free(state);
    tandem_free(url);
    return !leaves;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parts p = parts_of(data, size);
    const char *config = next_part(&p);
    char *error = NULL;

    if (stays_here(config)) {
        tandem_client *c = tandem_open(config, &error);
        REQUIRE((c == NULL) == (error != NULL), "%.1000s", config);
        if (c == NULL) {
            require_result(error, config);
        } else {
            require_result(tandem_call(c, "engine.health", "{\"$timeout_ms\":50,\"$retries\":0}"), config);
            require_result(tandem_stats(c), config);
            REQUIRE(tandem_close(c, 10000) == TANDEM_OK, "no close: %.1000s", config);
        }
    }
    free(p.all);
    return 0;
}
