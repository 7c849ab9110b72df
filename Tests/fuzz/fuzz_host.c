/*
 * What a host replies: a run whose model, tools, permissions and questions are the host's, each answered by the next
 * part of the input; a part that begins with C is a piece, and more follows. Whatever comes, the run ends.
 */
#include "fuzz.h"

static tandem_client *c;
static struct parts input;

/* What is answered when the input is used up. */
static const char *usual(const char *kind)
{
    if (strcmp(kind, "tool") == 0)
        return "{\"ok\":\"done\"}";
    if (strcmp(kind, "permission") == 0)
        return "{\"ok\":\"once\"}";
    return strcmp(kind, "question") == 0 ? "{\"ok\":[\"yes\"]}" : "{\"ok\":{\"message\":\"The end.\",\"finish_reason\":\"stop\"}}";
}

static void on_host_call(void *ud, uint64_t call, const char *json)
{
    char *kind = tandem_get(json, "/kind");

    (void)ud;
    if (tandem_reply_wanted(c, call) == 1) {
        const char *part = has_part(&input) ? next_part(&input) : usual(kind);
        while (part[0] == 'C') {
            tandem_reply_chunk(c, call, part + 1);
            part = has_part(&input) ? next_part(&input) : usual(kind);
        }
        int32_t status = tandem_reply(c, call, part);
        REQUIRE(status == TANDEM_OK || status == TANDEM_E_ARGS || status == TANDEM_E_GONE, "%d for %.1000s", status, part);
        REQUIRE(tandem_reply(c, call, usual(kind)) == TANDEM_E_GONE, "a second reply after %.1000s", part);
    }
    tandem_free(kind);
}

static void provide(const char *spec)
{
    char *error = NULL;

    REQUIRE(tandem_provide(c, spec, on_host_call, NULL, NULL, &error) != 0, "%s: %s", spec, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char arguments[512];
    struct told told = {0};

    input = parts_of(data, size);
    c = require_client("{\"discover\":false}");
    provide("{\"kind\":\"model\",\"name\":\"mine\",\"tools\":true,\"timeout_ms\":1000}");
    provide("{\"kind\":\"tool\",\"name\":\"free\",\"timeout_ms\":1000}");
    provide("{\"kind\":\"tool\",\"name\":\"asked\",\"permission\":\"ask\",\"timeout_ms\":1000}");
    provide("{\"kind\":\"permission\"}");
    provide("{\"kind\":\"question\"}");
    char *made = tandem_call(c, "sessions.create", "{\"model\":{\"provider_id\":\"host\",\"model_id\":\"mine\"}}");
    char *id = tandem_get(made, "/ok/id");
    snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\",\"prompt\":\"go\",\"fold\":%s,\"$timeout_ms\":20000}", id,
             size % 2 ? "true" : "false");
    long long began = now_ms();
    uint64_t op = tandem_stream(c, "sessions.run", arguments, on_event, &told, on_drop, NULL);
    REQUIRE(op != 0, "%s", arguments);
    while (told.drops == 0)
        REQUIRE(tandem_pump(c, 0, 15000) >= 0 && now_ms() - began < 15000, "the run does not end");
    REQUIRE(told.dones == 1 && told.drops == 1, "%d dones, %d drops", told.dones, told.drops);
    snprintf(arguments, sizeof arguments, "{\"session_id\":\"%s\"}", id);
    require_result(tandem_call(c, "sessions.messages", arguments), "the messages");
    REQUIRE(tandem_close(c, 10000) == TANDEM_OK, "the client does not close");
    tandem_free(made);
    tandem_free(id);
    free(input.all);
    return 0;
}
