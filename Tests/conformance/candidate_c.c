/*
 * The C API behind the line protocol of run_parity.py: one JSON object a line in, one out.
 *
 * Retries are off. Translations are off too, unless TANDEM_STRICT is 0. Values are passed on as the text they are, so
 * that no number loses a digit here; what is parsed has been checked by the library.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tandem.h>

/* A piece of JSON text. */
struct text {
    const char *at;
    size_t length;
};

static struct text missing(void)
{
    return (struct text){NULL, 0};
}

static bool is(struct text text, const char *other)
{
    return text.at && text.length == strlen(other) && memcmp(text.at, other, text.length) == 0;
}

static const char *skip_blank(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* The end of the value that begins at p. */
static const char *skip_value(const char *p)
{
    int depth = 0;
    do {
        if (*p == '"') {
            for (p++; *p != '"' && *p; p++)
                p += *p == '\\' && p[1];
            p += *p == '"';
        } else if (*p == '{' || *p == '[') {
            depth++, p++;
        } else if (*p == '}' || *p == ']') {
            depth--, p++;
        } else if (depth && strchr(" \t\r\n,:", *p)) {
            p++;
        } else {
            p += strcspn(p, " \t\r\n,:]}\"");
        }
    } while (depth > 0 && *p);
    return p;
}

/* Steps through an object's members or an array's elements (key NULL): `p` is NULL at the start. */
static bool next(struct text whole, const char **p, struct text *key, struct text *value)
{
    const char *at = *p ? *p : whole.at + 1;
    at = skip_blank(at);
    if (*at == ',')
        at = skip_blank(at + 1);
    if (*at == '}' || *at == ']' || at >= whole.at + whole.length)
        return false;
    if (key) {
        const char *end = skip_value(at);
        *key = (struct text){at, (size_t)(end - at)};
        at = skip_blank(skip_blank(end) + 1);
    }
    const char *end = skip_value(at);
    *value = (struct text){at, (size_t)(end - at)};
    *p = end;
    return true;
}

/* The member of that name (written as JSON), the last one where there are several. */
static struct text member(struct text object, const char *name)
{
    struct text key, value, found = missing();
    const char *p = NULL;
    if (!object.at || *object.at != '{')
        return found;
    while (next(object, &p, &key, &value))
        if (is(key, name))
            found = value;
    return found;
}

static struct text whole(const char *json)
{
    json = skip_blank(json);
    return (struct text){json, strlen(json)};
}

/* Writes a value on one line: blanks between tokens are the only line ends that JSON allows. */
static void put(FILE *out, struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        fputc(text.at[i] == '\n' || text.at[i] == '\r' ? ' ' : text.at[i], out);
}

/* As the official client takes whole numbers: 5, "5", 5.0 and true; false where it would drop the event. */
static bool put_number(FILE *out, const char *name, struct text value)
{
    char digits[64], *end;
    if (!value.at || is(value, "null"))
        return true;
    if (is(value, "true") || is(value, "false")) {
        fprintf(out, ",%s:%d", name, *value.at == 't');
        return true;
    }
    if (*value.at == '"' && value.length > 2)
        value.at++, value.length -= 2;
    if (value.length == 0 || value.length >= sizeof digits)
        return false;
    memcpy(digits, value.at, value.length);
    digits[value.length] = 0;
    double number = strtod(digits, &end);
    if (*end || number != (double)(long long)number)
        return false;
    fprintf(out, ",%s:%.*s", name, (int)strcspn(digits, ".eE"), digits);
    return true;
}

static struct text first_of(struct text object, const char *const names[3], struct text *name)
{
    for (int i = 0; i < 3; i++) {
        struct text value = member(object, names[i]);
        if (value.at) {
            *name = whole(names[i]);
            return value;
        }
    }
    *name = missing();
    return missing();
}

/* Members that the official client declares, and the spelling that it took an identifier from. */
static bool is_declared(struct text key, struct text session, struct text run)
{
    static const char *const names[] = {"\"type\"", "\"properties\"", "\"cursor\"", "\"goal_seq\"", "\"event_id\"",
                                        "\"seq\"", "\"occurred_at_ms\"", "\"timestamp\"", "\"session_id\"", "\"run_id\""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(key, names[i]))
            return true;
    return (session.at && key.length == session.length && memcmp(key.at, session.at, key.length) == 0)
           || (run.at && key.length == run.length && memcmp(key.at, run.at, key.length) == 0);
}

static void put_properties(FILE *out, struct text properties, struct text payload)
{
    fputs("\"properties\":", out);
    if (properties.at) {
        put(out, properties);
    } else if (payload.at && *payload.at == '{') {
        put(out, payload);
    } else {
        fputs("{\"payload\":", out);
        payload.at ? put(out, payload) : (void)fputs("null", out);
        fputc('}', out);
    }
}

/* Whether there is a number in it that the official client cannot hold. */
static bool has_endless_number(struct text value)
{
    for (size_t i = 0, digits = 0; i < value.length; i++) {
        digits = value.at[i] >= '0' && value.at[i] <= '9' ? digits + 1 : 0;
        if (digits > 4300)
            return true;
    }
    return false;
}

/* Writes an event as the official client gives it; false where that client would have to drop it. */
static bool put_event(FILE *out, struct text event)
{
    static const char *const sessions[] = {"\"sessionID\"", "\"sessionId\"", "\"session_id\""};
    static const char *const runs[] = {"\"runID\"", "\"runId\"", "\"run_id\""};
    struct text frame = member(event, "\"frame\""), inner = member(frame, "\"event\""), cursor = missing();
    if (!frame.at || *frame.at != '{')
        return false;
    if (inner.at && *inner.at == '{') {
        cursor = member(frame, "\"cursor\"");
        if (!cursor.at || strspn(cursor.at, "-0123456789") < cursor.length)
            cursor = missing();
        frame = inner;
    }
    if (!cursor.at)
        cursor = member(frame, "\"cursor\"");
    struct text properties = member(frame, "\"properties\""), stamp = member(frame, "\"timestamp\"");
    if ((properties.at && *properties.at != '{') || (stamp.at && *stamp.at != '"' && !is(stamp, "null")))
        return false;
    struct text type = member(frame, "\"type\""), session_key, run_key;
    if (!type.at)
        type = member(frame, "\"event_type\"");
    if (!type.at)
        type = member(event, "\"type\"");
    struct text session = first_of(frame, sessions, &session_key), run = first_of(frame, runs, &run_key);

    fputc('{', out);
    put_properties(out, properties, member(frame, "\"payload\""));
    fputs(",\"type\":", out), put(out, type);
    if (session.at)
        fputs(",\"session_id\":", out), put(out, session);
    if (run.at)
        fputs(",\"run_id\":", out), put(out, run);
    if (stamp.at)
        fputs(",\"timestamp\":", out), put(out, stamp);
    struct text id = member(frame, "\"event_id\"");
    if (id.at)
        fputs(",\"event_id\":", out), put(out, id);
    bool good = put_number(out, "\"cursor\"", cursor) && put_number(out, "\"seq\"", member(frame, "\"seq\""))
                && put_number(out, "\"goal_seq\"", member(frame, "\"goal_seq\""))
                && put_number(out, "\"occurred_at_ms\"", member(frame, "\"occurred_at_ms\""));
    good = good && !has_endless_number(frame);
    bool known = is(type, "\"run.started\"") || is(type, "\"run.completed\"") || is(type, "\"run.failed\"")
                 || is(type, "\"session.response\"");
    struct text key, value;
    for (const char *p = NULL; good && !known && next(frame, &p, &key, &value);) {
        if (!is_declared(key, session_key, run_key))
            fputc(',', out), put(out, key), fputc(':', out), put(out, value);
    }
    fputc('}', out);
    return good;
}

/* Answers with the events of a stream's result, in the official client's shape. */
static void put_events(FILE *out, struct text events)
{
    struct text event;
    int count = 0;
    fputc('[', out);
    for (const char *p = NULL; next(events, &p, NULL, &event);) {
        char *shape = NULL;
        size_t length = 0;
        FILE *memory = open_memstream(&shape, &length);
        bool good = put_event(memory, event);
        fclose(memory);
        if (good)
            fputs(count++ ? "," : "", out), fwrite(shape, 1, length, out);
        free(shape);
    }
    fputc(']', out);
}

/* The arguments as the library takes them: options added, "body" renamed where the body is the caller's own. */
static char *arguments_of(struct text message, bool has_own_body, bool is_stream)
{
    struct text arguments = member(message, "\"args\""), take = member(message, "\"take\"");
    struct text vocabulary = member(message, "\"vocabulary\"");
    char *text = NULL;
    size_t length = 0;
    struct text key, value;
    const char *separator = "";
    FILE *out = open_memstream(&text, &length);
    fputc('{', out);
    for (const char *p = NULL; next(arguments, &p, &key, &value); separator = ",") {
        fputs(separator, out);
        has_own_body && is(key, "\"body\"") ? (void)fputs("\"$body\"", out) : put(out, key);
        fputc(':', out), put(out, value);
    }
    if (is_stream) {
        fprintf(out, "%s\"$reconnect\":false,\"$vocabulary\":", separator);
        put(out, vocabulary.at ? vocabulary : whole("\"engine\""));
        if (take.at && !is(take, "null"))
            fputs(",\"$take\":", out), put(out, take);
    }
    fputc('}', out);
    fclose(out);
    return text;
}

static void answer(tandem_client *client, const char *line)
{
    char *name = tandem_get(line, "/op"), operation[256], what[264];
    snprintf(operation, sizeof operation, "%s%s", strchr(name, '.') ? "" : "engine.", name);
    snprintf(what, sizeof what, "op:%s", operation);
    char *described = tandem_describe(what), *body = tandem_get(described, "/ok/body");
    char *response = tandem_get(described, "/ok/response");
    bool is_stream = response && (strcmp(response, "sse") == 0 || strcmp(response, "json_lines") == 0);
    bool has_own_body = body && (strcmp(body, "payload") == 0 || strncmp(body, "wrapped:", 8) == 0);
    struct text message = whole(line);
    char *arguments = arguments_of(message, has_own_body, is_stream);
    char *result = tandem_call(client, operation, arguments);
    struct text value = member(whole(result), "\"ok\""), id = member(message, "\"id\"");

    printf("{\"id\":%.*s,", (int)id.length, id.at);
    if (!value.at) {
        char *error = tandem_quote(result);
        printf("\"ok\":false,\"error\":%s", error);
        tandem_free(error);
    } else {
        fputs("\"ok\":true,\"value\":", stdout);
        /* A caller that asks for a vocabulary wants the events as the library gives them. */
        bool is_shaped = is_stream && !member(message, "\"vocabulary\"").at;
        struct text events = is_shaped ? member(value, "\"events\"") : missing();
        events.at ? put_events(stdout, events) : put(stdout, value);
    }
    puts("}");
    fflush(stdout);
    free(arguments);
    tandem_free(name), tandem_free(described), tandem_free(body), tandem_free(response), tandem_free(result);
}

static char *quoted(const char *variable)
{
    const char *value = getenv(variable);
    return value ? tandem_quote(value) : tandem_get("null", "");
}

int main(void)
{
    char *url = quoted("TANDEM_BASE_URL"), *token = quoted("TANDEM_API_TOKEN"), *error = NULL, *line = NULL;
    const char *strict = getenv("TANDEM_STRICT");
    char configuration[4096];
    size_t size = 0;

    snprintf(configuration, sizeof configuration, "{\"url\":%s,\"token\":%s,\"retries\":0,\"subscription\":\"session\",\"strict\":%s}", url, token,
             strict && strcmp(strict, "0") == 0 ? "false" : "true");
    tandem_client *client = tandem_open(configuration, &error);
    tandem_free(url), tandem_free(token);
    if (client == NULL) {
        fprintf(stderr, "%s\n", error);
        tandem_free(error);
        return 1;
    }
    while (getline(&line, &size, stdin) > 0)
        answer(client, line);
    free(line);
    return tandem_close(client, -1) != TANDEM_OK;
}
