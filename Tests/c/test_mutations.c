/* Damaged JSON, always the same: every function answers, in the shape it promises, and the client works on. */
#include "client.h"

enum { TEXTS = 50000, CALLS = 30000, OPENS = 200, ROOM = 4096 };

static const struct seed {
    const char *operation, *json;
} seeds[] = {
    {"sessions.create",
     "{\"title\":\"a title\",\"directory\":\"/tmp\",\"permission\":[{\"permission\":\"read\",\"pattern\":\"*\",\"action\":\"allow\"}]}"},
    {"sessions.prompt_sync",
     "{\"session_id\":\"SESSION\",\"prompt\":[{\"type\":\"text\",\"text\":\"hi \\u00e9\\ud83d\\ude80\"}],\"$timeout_ms\":50,\"$tag\":[1,2.5e-3]}"},
    {"sessions.prompt_async",
     "{\"session_id\":\"SESSION\",\"prompt\":[{\"type\":\"file\",\"mime\":\"text/plain\",\"url\":\"data:text/plain;base64,aGk=\"}]}"},
    {"sessions.get", "{\"session_id\":\"SESSION\",\"$retries\":3,\"$timeout_ms\":5}"},
    {"engine.stream", "{\"session_id\":\"SESSION\",\"vocabulary\":\"engine\",\"$take\":1,\"$timeout_ms\":5}"},
    {"engine.run_events",
     "{\"run_id\":\"r\",\"since_seq\":0,\"tail\":10,\"limit\":9223372036854775807}"},
    {"providers.set_defaults",
     "{\"$body\":{\"default_provider\":\"local\",\"providers\":{\"local\":{\"default_model\":\"echo-1\"}}},\"$retries\":0}"},
    {"engine.health",
     "{\"ok\":{\"events\":[{\"type\":\"done\",\"n\":-0.0,\"t\":true,\"z\":null,\"~\":{\"a/b\":\"\\\\ \\\" \\n\"}}],\"ended\":false}}"},
    {"sessions.list",
     "{\"error\":{\"code\":-9,\"name\":\"failed\",\"message\":\"\\u0000\",\"detail\":{\"offset\":12345678901234567890}}}"},
};
static const char *pieces[] = {
    "{", "}", "[", "]", "\"", ":", ",", "\\", "\\u", "\\ud800", "\\udc00", "\\u0000", "null", "true", "-", "-0", "1e999", "1e-999",
    "0.", "00", "9223372036854775808", "18446744073709551616", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
    "\x01", "\n", " ", "/", "~1", "~0", "~2", "\"$timeout_ms\":-1", "\"$tag\":", "\"session_id\":null", "[[[[[[[[[[[[[[[[",
};
static const char *values[] = {
    "null", "true", "0", "-1", "1e308", "2.5", "9223372036854775807", "\"\"", "\"\\u0000\"", "\"\\ud83d\"", "[]", "{}", "[null]",
    "{\"a\":[]}", "\"../../etc\"", "\"SESSION\"", "[{\"type\":\"text\",\"text\":\"x\"}]",
};
static const char *pointers[] = {"", "/ok", "/ok/events/0/type", "/error/code", "/ok/events/0/~0/a~1b", "/prompt/0/text", "/$tag/1"};
static const char *operations[] = {
    "sessions.create", "sessions.list", "sessions.get", "sessions.update", "sessions.delete", "sessions.messages",
    "sessions.prompt_async", "sessions.prompt_sync", "sessions.active_run", "sessions.cancel", "engine.health",
    "engine.run_events", "providers.catalog", "providers.auth_status", "providers.set_defaults", "config.get",
};

/* xorshift64: the same on every machine. */
static const char *session;
static uint64_t drawn = 0x9e3779b97f4a7c15;

static size_t draw(size_t below)
{
    drawn ^= drawn << 13;
    drawn ^= drawn >> 7;
    drawn ^= drawn << 17;
    return (size_t)(drawn % below);
}

#define ONE_OF(list) list[draw(sizeof list / sizeof *list)]

static void insert(char *into, size_t at, const char *what, size_t count)
{
    size_t length = strlen(into);

    if (length + count >= ROOM)
        return;
    memmove(into + at + count, into + at, length - at + 1);
    memcpy(into + at, what, count);
}

/* Puts another value in the place of one, so that what comes out is mostly JSON still. */
static void revalue(char *json)
{
    size_t colons = 0, wanted;

    for (const char *p = json; *p != 0; p++)
        colons += *p == ':';
    if (colons == 0)
        return;
    wanted = draw(colons);
    for (char *p = json; *p != 0; p++) {
        if (*p != ':' || wanted-- > 0)
            continue;
        size_t length = strcspn(p + 1, ",}]");
        memmove(p + 1, p + 1 + length, strlen(p + 1 + length) + 1);
        const char *value = ONE_OF(values);
        insert(json, (size_t)(p + 1 - json), value, strlen(value));
        return;
    }
}

static const char *mutated(const char *seed)
{
    static char made[ROOM];
    const char *place = strstr(seed, "SESSION");
    char copy[64];

    strcpy(made, seed);
    if (place != NULL)
        sprintf(made + (place - seed), "%s%s", session, place + strlen("SESSION"));
    if (draw(3) > 0) {
        for (size_t n = 1 + draw(3); n > 0; n--)
            revalue(made);
        return made;
    }
    for (size_t n = 1 + draw(4); n > 0; n--) {
        size_t length = strlen(made), at = draw(length + 1), count = draw(24);
        if (at + count > length)
            count = length - at;
        switch (draw(6)) {
        case 0: if (at < length) made[at] = (char)(1 + draw(255)); break;
        case 1: memmove(made + at, made + at + count, length - at - count + 1); break;
        case 2: memcpy(copy, made + at, count); insert(made, draw(length + 1), copy, count); break;
        case 3: made[at] = 0; break;
        default: { const char *piece = ONE_OF(pieces); insert(made, at, piece, strlen(piece)); }
        }
    }
    return made;
}

/* Also that what was read reads the same again. */
static int reads(const char *json)
{
    char *whole = tandem_get(json, ""), *again = whole == NULL || *whole != '{' ? NULL : tandem_get(whole, "");
    char *value = tandem_get(json, mutated(ONE_OF(pointers)));
    char *quoted = tandem_quote(json), *back = quoted == NULL ? NULL : tandem_get(quoted, "");
    int good = (again == NULL || strcmp(whole, again) == 0) && (quoted == NULL || (back != NULL && strcmp(back, json) == 0));

    good &= tandem_status(json) <= 0 || whole != NULL;
    tandem_free(whole);
    tandem_free(again);
    tandem_free(value);
    tandem_free(quoted);
    tandem_free(back);
    return good;
}

static int answers(tandem_client *c, struct seed seed)
{
    const char *json = mutated(seed.json), *name = draw(4) > 0 ? seed.operation : ONE_OF(operations);
    int streams = strcmp(name, "engine.stream") == 0;
    char *result = tandem_call(c, streams ? "engine.health" : name, json), *whole = tandem_get(result, "");
    int good = whole != NULL && (strncmp(result, "{\"ok\"", 5) == 0 || strncmp(result, "{\"error\"", 8) == 0);
    char *error = NULL;
    uint64_t op = tandem_submit(c, name, json, &error);

    good &= (op == 0) == (error != NULL);
    tandem_free(error);
    tandem_free(result);
    tandem_free(whole);
    if (op == 0)
        return good;
    tandem_cancel(c, op);
    result = tandem_wait(c, op, 5000 * slowness());
    good &= tandem_status(result) != TANDEM_PENDING;
    tandem_free(result);
    return good;
}

int main(void)
{
    tandem_client *c = echo_client();
    int good = 0;
    char *error;

    begin(60);
    session = new_session(c);
    for (int i = 0; i < TEXTS; i++) {
        char json[ROOM];
        strcpy(json, mutated(ONE_OF(seeds).json));
        good += reads(json);
    }
    CHECK_INT("damaged texts are read or refused", TEXTS, good);
    good = 0;
    for (int i = 0; i < CALLS; i++)
        good += answers(c, ONE_OF(seeds));
    CHECK_INT("damaged arguments are answered", CALLS, good);
    good = 0;
    for (int i = 0; i < OPENS; i++) {
        tandem_client *other = tandem_open(mutated("{\"discover\":false,\"coalesce_ms\":5,\"ops_limit\":9,\"log_level\":\"info\"}"), &error);
        good += other == NULL ? tandem_status(error) < 0 : tandem_close(other, -1) == TANDEM_OK;
        tandem_free(other == NULL ? error : NULL);
    }
    CHECK_INT("damaged configurations open a client or say why not", OPENS, good);
    CHECK_OK("the client works on", keep(tandem_call(c, "engine.health", NULL)));
    CHECK_INT("and closes", TANDEM_OK, tandem_close(c, -1));
    return finish();
}
