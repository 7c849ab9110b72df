/*
 * A remote engine that answers a client with the parts of the input (server.h): WAYS OPERATION NUL PART NUL PART ...
 * WAYS is two bytes: how the answers are sent, and how the operation is called. Whatever comes, everything ends in time.
 */
#include "server.h"

enum { CALL_MS = 300, FOLLOW_MS = 60 };

int LLVMFuzzerInitialize(int *count, char ***words)
{
    (void)count, (void)words;
    server_started();
    return 0;
}

/* The arguments that the operation's path needs; streams end by themselves or after a while. */
static void arguments_of(const char *name, char *arguments, size_t room)
{
    char text[256];
    size_t used = (size_t)snprintf(arguments, room, "{\"$retries\":1");

    snprintf(text, sizeof text, "op:%.200s", name);
    char *described = tandem_describe(text), *request = tandem_get(described, "/ok/request");
    char *stream = tandem_get(described, "/ok/stream");
    for (char *open = request; open != NULL && (open = strchr(open, '{')) != NULL && used < room - 100; open++) {
        size_t length = strcspn(open + 1, ".}");
        used += (size_t)snprintf(arguments + used, room - used, ",\"%.*s\":\"%c\"", (int)(length > 40 ? 40 : length), open + 1,
                                 strncmp(open, "{run_id", 7) == 0 ? 'r' : 's');
    }
    snprintf(arguments + used, room - used, ",\"$timeout_ms\":%d}", stream == NULL ? CALL_MS : FOLLOW_MS);
    tandem_free(described), tandem_free(request), tandem_free(stream);
}

static void blocking(tandem_client *c, const char *name, const char *arguments, int limit)
{
    long long began = now_ms();

    require_result(tandem_call(c, name, arguments), name);
    REQUIRE(now_ms() - began < limit, "%s took %lld ms", name, now_ms() - began);
}

static void submitted(tandem_client *c, const char *name, const char *arguments, int limit)
{
    struct told told = {0};
    char *error = NULL;
    long long began = now_ms();

    if (tandem_stream(c, name, arguments, on_event, &told, on_drop, &error) == 0) {
        require_result(error, name);
        return;
    }
    while (told.drops == 0)
        REQUIRE(tandem_pump(c, 0, 5000) >= 0 && now_ms() - began < limit, "%s took %lld ms", name, now_ms() - began);
    REQUIRE(told.dones == 1 && told.drops == 1, "%s: %d dones, %d drops", name, told.dones, told.drops);
}

static void operate(tandem_client *c, unsigned way, const char *name)
{
    char arguments[1024];
    const char *fold = way & 8 ? "true" : "false", *again = way & 16 ? "true" : "false";

    switch (way & 7) {
    case 0: case 1:
        arguments_of(name, arguments, sizeof arguments);
        (way & 1 ? submitted : blocking)(c, name, arguments, CALL_MS + 5000);
        break;
    case 2: case 3:
        snprintf(arguments, sizeof arguments,
                 "{\"session_id\":\"s\",\"run_id\":\"r\",\"fold\":%s,\"$reconnect\":%s,\"vocabulary\":\"%s\",\"$timeout_ms\":%d}",
                 fold, again, way & 32 ? "both" : "normalized", FOLLOW_MS);
        (way & 1 ? submitted : blocking)(c, "engine.stream", arguments, FOLLOW_MS + 5000);
        break;
    case 4:
        snprintf(arguments, sizeof arguments, "{\"session_id\":\"s\",\"fold\":%s,\"$reconnect\":%s,\"coalesce_ms\":%d,\"$timeout_ms\":%d}",
                 fold, again, way & 32 ? 5 : 0, FOLLOW_MS);
        submitted(c, "engine.stream", arguments, FOLLOW_MS + 5000);
        break;
    case 5:
        snprintf(arguments, sizeof arguments, "{\"fold\":%s,\"$reconnect\":%s,\"$timeout_ms\":%d}", fold, again, FOLLOW_MS);
        submitted(c, "engine.global_stream", arguments, FOLLOW_MS + 5000);
        break;
    default:
        snprintf(arguments, sizeof arguments,
                 "{\"session_id\":\"s\",\"prompt\":\"go\",\"fold\":%s,\"permissions\":{\"default\":\"%s\"},\"questions\":"
                 "{\"default\":\"answer\",\"answer\":\"yes\"},\"$timeout_ms\":%d}", fold, way & 32 ? "allow" : "ask", CALL_MS);
        (way & 1 ? submitted : blocking)(c, "sessions.run", arguments, CALL_MS + 10000);
    }
}

static void on_host_call(void *ud, uint64_t call, const char *json)
{
    char *kind = tandem_get(json, "/kind");

    if (kind != NULL)
        tandem_reply(*(tandem_client **)ud, call, strcmp(kind, "question") == 0 ? "{\"ok\":[\"yes\"]}" : "{\"ok\":\"once\"}");
    tandem_free(kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1 << 20, 1, 7, 4096};
    char config[256];

    if (size < 3)
        return 0;
    struct parts p = parts_of(data + 2, size - 2);
    const char *name = next_part(&p);
    serve_parts(&p, pieces[data[0] % 4], data[0] & 4);
    snprintf(config, sizeof config,
             "{\"url\":\"http://127.0.0.1:%d\",\"subscription\":\"%s\",\"connect_timeout_ms\":1000,\"event_limit_bytes\":65536,"
             "\"op_queue_bytes\":4096}", server.port, data[0] & 8 ? "session" : "client");
    tandem_client *c = require_client(config);
    if (data[0] & 16) {
        tandem_provide(c, "{\"kind\":\"permission\"}", on_host_call, &c, NULL, NULL);
        tandem_provide(c, "{\"kind\":\"question\"}", on_host_call, &c, NULL, NULL);
    }
    operate(c, data[1], name);
    long long began = now_ms();
    REQUIRE(tandem_close(c, 10000) == TANDEM_OK, "the client does not close");
    REQUIRE(now_ms() - began < 7000, "the close took %lld ms", now_ms() - began);
    served();
    free(p.all);
    return 0;
}
