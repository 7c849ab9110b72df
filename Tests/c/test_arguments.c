/* R1: what is wrong with a text is an error that says where; what is right comes back as it was. */
#include "client.h"

static tandem_client *c;

static const char *create(const char *args)
{
    return keep(tandem_call(c, "sessions.create", args));
}

/* levels of arrays around nothing */
static const char *nested(const char *before, int levels, const char *after)
{
    char *made = room(strlen(before) + 2 * (size_t)levels + strlen(after) + 1);
    size_t n = strlen(before);

    memcpy(made, before, n);
    memset(made + n, '[', (size_t)levels);
    memset(made + n + levels, ']', (size_t)levels);
    strcpy(made + n + 2 * levels, after);
    return made;
}

static void names(void)
{
    const char *error = create("{\"titel\":\"x\"}");

    CHECK_ERROR("an unknown argument", "unknown_argument", error);
    CHECK("is named", strstr(at(error, "/error/message"), "titel") != NULL);
    CHECK("beside the known ones", strstr(error, "title") != NULL && strstr(error, "workspace_root") != NULL);
    CHECK_TEXT("and its operation", "sessions.create", at(error, "/error/op"));
    CHECK_INT("it is E_ARGS", TANDEM_E_ARGS, tandem_status(error));
    CHECK_ERROR("an unknown reserved name", "unknown_argument", create("{\"$colour\":1}"));
    CHECK_ERROR("an option that is not a call's", "unknown_argument", create("{\"$state\":\"x\"}"));
    CHECK_OK("the SDK's name", create("{\"source_kind\":\"a\"}"));
    CHECK_OK("the wire name", create("{\"sourceKind\":\"a\"}"));
    CHECK_ERROR("a path argument that is missing", "invalid_argument", keep(tandem_call(c, "sessions.get", NULL)));
    CHECK_ERROR("a path argument that is empty", "invalid_argument", keep(tandem_call(c, "sessions.get", "{\"session_id\":\"\"}")));
    static const char *operations[] = {"sessions", "sessions.", ".create", "sessions.no_such", "SESSIONS.CREATE", "a.b.c"};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        CHECK_ERROR(text("no operation is called \"%s\"", operations[i]), "unknown_operation", keep(tandem_call(c, operations[i], NULL)));
    CHECK_ERROR("an operation without a name", "invalid_argument", keep(tandem_call(c, "", NULL)));
    CHECK_ERROR("an operation that is not UTF-8", "invalid_argument", keep(tandem_call(c, "\xff.x", NULL)));
    CHECK_ERROR("no operation is called NULL", "invalid_argument", keep(tandem_call(c, NULL, NULL)));
    CHECK_OK("$body as the whole body", create("{\"$body\":{\"title\":\"whole\"}}"));
}

static void grammar(void)
{
    static const char *broken[] = {
        "", " ", "{", "}", "{\"a\":}", "{\"a\":1,}", "{\"title\" \"x\"}", "{\"title\":\"x\"", "{} {}", "{}x", "{title:1}",
        "{'title':1}", "{\"$tag\":[1,]}", "{\"$tag\":01}", "{\"$tag\":+1}", "{\"$tag\":.5}", "{\"$tag\":1.}", "{\"$tag\":1e}",
        "{\"$tag\":-}", "{\"$tag\":0x10}", "{\"$tag\":tru}", "{\"$tag\":nulL}", "{\"$tag\":NaN}", "{\"$tag\":Infinity}",
        "{\"$tag\":\"\\x\"}", "{\"$tag\":\"\\u12g4\"}", "{\"$tag\":\"open}", "{\"$tag\":\"a\nb\"}", "{\"$tag\":\"a\x01\"}",
        "// note\n{}", "{\"$tag\":[1 2]}", "{\"$tag\":[}", "{,}", "\xef\xbb\xbf{}",
    };
    static const char *not_objects[] = {"[]", "1", "\"x\"", "true"};

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const char *error = keep(tandem_call(c, "engine.health", broken[i]));
        CHECK_ERROR(text("broken text %zu", i), "invalid_json", error);
        long long offset = number_at(error, "/error/detail/offset");
        CHECK(text("broken text %zu has its offset", i),
              *at(error, "/error/detail/offset") != 0 && offset >= 0 && offset <= (long long)strlen(broken[i]));
    }
    for (size_t i = 0; i < sizeof not_objects / sizeof *not_objects; i++)
        CHECK_ERROR(text("arguments that are %s", not_objects[i]), "invalid_argument", keep(tandem_call(c, "engine.health", not_objects[i])));
    CHECK_OK("white space around", keep(tandem_call(c, "engine.health", " \t\r\n{ } \n")));
    CHECK_TEXT("a name twice: the last one wins", "b", at(create("{\"title\":\"a\",\"title\":\"b\"}"), "/ok/title"));
}

static void utf8(void)
{
    static const struct {
        const char *what, *bytes;
    } bad[] = {
        {"an overlong slash", "\xc0\xaf"}, {"an overlong NUL", "\xc0\x80"}, {"an overlong three", "\xe0\x80\xaf"},
        {"an overlong four", "\xf0\x80\x80\xaf"}, {"a surrogate", "\xed\xa0\x80"}, {"a low surrogate", "\xed\xbf\xbf"},
        {"a truncated two", "\xc3"}, {"a truncated three", "\xe2\x82"}, {"a truncated four", "\xf0\x9f\x9a"},
        {"a lone continuation", "\x80"}, {"FE", "\xfe"}, {"FF", "\xff"}, {"past the last code point", "\xf4\x90\x80\x80"},
        {"five bytes", "\xf8\x88\x80\x80\x80"}, {"Latin-1", "\xe9" "t\xe9"},
        {"an escaped high surrogate", "\\ud800"}, {"an escaped low surrogate", "\\udc00"}, {"half a pair", "\\ud800\\u0041"},
        {"a pair the wrong way round", "\\udc00\\ud800"},
    };
    static const char *good[] = {"\xc2\x80", "\xe2\x82\xac", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbb\xbf"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *error = create(text("{\"title\":\"%s\"}", bad[i].bytes));
        long long offset = number_at(error, "/error/detail/offset");
        CHECK_ERROR(bad[i].what, "invalid_json", error);
        CHECK(text("%s: its offset %lld", bad[i].what, offset), offset >= 10 && offset <= 10 + (long long)strlen(bad[i].bytes));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_TEXT(text("good UTF-8 %zu comes back", i), good[i], at(create(text("{\"title\":\"%s\"}", good[i])), "/ok/title"));
    CHECK_TEXT("a surrogate pair is one character", "\xf0\x9f\x9a\x80", at(create("{\"title\":\"\\ud83d\\ude80\"}"), "/ok/title"));
    const char *nul = create("{\"source_metadata\":{\"a\":\"x\\u0000y\"},\"title\":\"t\"}");
    CHECK("an escaped NUL leaves a whole result", tandem_status(nul) != TANDEM_OK || strcmp(at(nul, "/ok/title"), "t") == 0);
}

static void limits(void)
{
    CHECK_OK("128 levels", keep(tandem_call(c, "engine.health", nested("{\"$tag\":", 127, "}"))));
    static const int deep[] = {128, 1000, 10000, 1000000};
    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
        const char *error = keep(tandem_call(c, "engine.health", nested("{\"$tag\":", deep[i], "}")));
        CHECK_ERROR(text("%d levels of arrays", deep[i] + 1), "limit", error);
        CHECK_INT(text("%d levels: E_LIMIT", deep[i] + 1), TANDEM_E_LIMIT, tandem_status(error));
        CHECK_INT(text("%d levels: where", deep[i] + 1), 8 + 127, number_at(error, "/error/detail/offset"));
    }
    CHECK("get reads 128 levels", keep(tandem_get(nested("", 128, ""), "")) != NULL);
    CHECK("get refuses 129 levels", keep(tandem_get(nested("", 129, ""), "")) == NULL);
    char *objects = room(10000 * 5 + 2), *end = objects;
    for (int i = 0; i < 10000; i++, end += 5)
        memcpy(end, "{\"a\":", 5);
    *end = 0;
    CHECK_ERROR("10,000 levels of objects, never closed", "limit", keep(tandem_call(c, "engine.health", objects)));
    char *error = NULL;
    CHECK("a deep configuration", tandem_open(nested("{\"headers\":", 10000, "}"), &error) == NULL);
    CHECK_ERROR("its error", "limit", keep(error));
    CHECK("a configuration of 65 levels", tandem_open(nested("{\"headers\":", 64, "}"), &error) == NULL);
    keep(error);

    size_t size = ((size_t)64 << 20) + 32;
    char *huge = malloc(size);
    memset(huge, 'x', size);
    memcpy(huge, "{\"$tag\":\"", 9);
    strcpy(huge + size - 3, "\"}");
    long long began = now_ms();
    CHECK_ERROR("more than 64 MiB", "limit", keep(tandem_call(c, "engine.health", huge)));
    CHECK("is refused soon", now_ms() - began < 2000 * slowness());
    size_t large = (size_t)4 << 20;
    memcpy(huge, "{\"source_metadata\":{\"big\":\"", 27);
    strcpy(huge + large, "\"}}");
    const char *made = create(huge), *back = at(made, "/ok/sourceMetadata/big");
    CHECK_INT("4 MiB come back whole", large - 27, strlen(back));
    free(huge);

    size_t many = 200000;
    char *keys = malloc(many * 16 + 64), *p = keys;
    p += sprintf(p, "{\"source_metadata\":{\"k\":0");
    for (size_t i = 0; i < many; i++)
        p += sprintf(p, ",\"k%zu\":%zu", i, i % 10);
    strcpy(p, "}}");
    CHECK_TEXT("200,000 keys", "9", at(create(keys), "/ok/sourceMetadata/k199999"));
    free(keys);
}

static void numbers(void)
{
    static const char *exact[] = {"0", "-0", "0.1", "1.5", "1e-7", "9007199254740993", "9223372036854775807", "-9223372036854775808",
                                  "18446744073709551615", "1.7976931348623157e308", "5e-324", "123456789012345678901234567890"};
    static const char *pages[] = {"-1", "0", "1.5", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e400", "1e-400"};

    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        CHECK_TEXT(text("the number %s comes back", exact[i]), exact[i],
                   at(create(text("{\"source_metadata\":{\"n\":%s}}", exact[i])), "/ok/sourceMetadata/n"));
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const char *result = keep(tandem_call(c, "sessions.list", text("{\"page\":%s,\"page_size\":%s}", pages[i], pages[i])));
        CHECK(text("page %s is answered", pages[i]), strncmp(result, "{\"ok\"", 5) == 0 || strncmp(result, "{\"error\"", 8) == 0);
    }
    static const char *timeouts[] = {"\"soon\"", "1.5", "-2", "1e30"};
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++)
        CHECK_ERROR(text("$timeout_ms of %s", timeouts[i]), "invalid_argument",
                    keep(tandem_call(c, "engine.health", text("{\"$timeout_ms\":%s}", timeouts[i]))));
}

int main(void)
{
    begin(90);
    c = echo_client();
    names();
    grammar();
    utf8();
    limits();
    numbers();
    tandem_close(c, -1);
    return finish();
}
