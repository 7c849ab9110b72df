/* JSON texts and pointers into them: POINTER NUL TEXT. What is read once is read the same again. */
#include "fuzz.h"

static void require_same(char *a, char *b, const char *of)
{
    REQUIRE((a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0), "%.1000s: %.1000s, %.1000s", of, a, b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parts p = parts_of(data, size);
    const char *pointer = next_part(&p), *json = next_part(&p);
    char *whole = tandem_get(json, ""), *value = tandem_get(json, pointer);
    char *quoted = tandem_quote(json), *back = tandem_get(quoted, ""), *again = NULL;

    REQUIRE(quoted == NULL || back != NULL, "%.1000s is quoted, but cannot be read", json);
    if (quoted != NULL)
        require_same(back, (char *)json, "a text");
    const char *start = json + strspn(json, " \t\r\n");
    if (whole != NULL && (*start == '{' || *start == '[')) {
        again = tandem_get(whole, "");
        require_same(whole, again, "a whole");
        char *there = tandem_get(whole, pointer);
        require_same(value, there, pointer);
        tandem_free(there);
    }
    REQUIRE(value == NULL || whole != NULL, "%s leads into what is no JSON: %.1000s", pointer, json);
    tandem_status(json);
    char *described = tandem_describe(pointer);
    require_result(described, "describe");
    tandem_free(whole), tandem_free(value), tandem_free(quoted), tandem_free(back), tandem_free(again);
    free(p.all);
    return 0;
}
