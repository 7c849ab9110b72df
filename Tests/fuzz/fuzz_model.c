/* A model's server that answers the engine inside with the parts of the input (server.h). Whatever comes, the run ends. */
#include "server.h"

static void on_tool(void *ud, uint64_t call, const char *json)
{
    (void)json;
    tandem_reply(*(tandem_client **)ud, call, "{\"ok\":\"5\"}");
}

int LLVMFuzzerInitialize(int *count, char ***words)
{
    (void)count, (void)words;
    server.usual_stream = "data: {\"choices\":[{\"delta\":{\"content\":\"The end.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    server_started();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1 << 20, 1, 7, 4096};
    char text[512];
    struct parts p = parts_of(data + (size > 0), size - (size > 0));
    struct told told = {0};

    serve_parts(&p, pieces[size > 0 ? data[0] % 4 : 0], 0);
    snprintf(text, sizeof text,
             "{\"discover\":false,\"default_provider\":\"llama_cpp\",\"idle_timeout_ms\":500,\"connect_timeout_ms\":500,"
             "\"providers\":{\"llama_cpp\":{\"url\":\"http://127.0.0.1:%d\",\"default_model\":\"m\"}}}", server.port);
    tandem_client *c = require_client(text);
    REQUIRE(tandem_provide(c, "{\"kind\":\"tool\",\"name\":\"add\"}", on_tool, &c, NULL, NULL) != 0, "no tool");
    char *made = tandem_call(c, "sessions.create", NULL), *id = tandem_get(made, "/ok/id");
    snprintf(text, sizeof text, "{\"session_id\":\"%s\",\"prompt\":\"go\",\"fold\":true,\"$timeout_ms\":3000}", id);
    long long began = now_ms();
    REQUIRE(tandem_stream(c, "sessions.run", text, on_event, &told, on_drop, NULL) != 0, "%s", text);
    while (told.drops == 0)
        REQUIRE(tandem_pump(c, 0, 10000) >= 0 && now_ms() - began < 12000, "the run does not end");
    REQUIRE(told.dones == 1 && told.drops == 1, "%d dones, %d drops", told.dones, told.drops);
    REQUIRE(tandem_close(c, 10000) == TANDEM_OK, "the client does not close");
    served();
    tandem_free(made);
    tandem_free(id);
    free(p.all);
    return 0;
}
