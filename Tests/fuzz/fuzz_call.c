/* Arguments of every operation, on the engine inside: OPERATION NUL ARGUMENTS, again and again. */
#include "fuzz.h"

/* What may be waited for is cancelled after a while, so no input is slow. */
static void call(tandem_client *c, const char *name, const char *arguments)
{
    struct told told = {0};
    char *error = NULL;
    uint64_t op = tandem_stream(c, name, arguments, on_event, &told, on_drop, &error);

    REQUIRE((op == 0) == (error != NULL), "%s", name);
    REQUIRE(op != 0 || told.drops == 1, "%s: %d drops", name, told.drops);
    if (op == 0) {
        require_result(error, name);
        return;
    }
    char *result = tandem_wait(c, op, 100);
    if (tandem_status(result) == TANDEM_PENDING) {
        tandem_free(result);
        tandem_cancel(c, op);
        result = tandem_wait(c, op, 10000);
        REQUIRE(tandem_status(result) != TANDEM_PENDING, "%s does not end: %.1000s", name, arguments);
    }
    require_result(result, name);
    while (told.drops == 0)
        REQUIRE(tandem_pump(c, 0, 5000) > 0, "%s is not done", name);
    REQUIRE(told.dones == 1 && told.drops == 1, "%s: %d dones, %d drops", name, told.dones, told.drops);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parts p = parts_of(data, size);
    tandem_client *c = require_client("{\"engine\":\"embedded\",\"discover\":false,\"deterministic\":1}");

    tandem_free(tandem_call(c, "sessions.create", NULL));
    for (int i = 0; i < 8 && has_part(&p); i++) {
        const char *name = next_part(&p);
        call(c, name, next_part(&p));
    }
    REQUIRE(tandem_close(c, 10000) == TANDEM_OK, "the client does not close");
    free(p.all);
    return 0;
}
