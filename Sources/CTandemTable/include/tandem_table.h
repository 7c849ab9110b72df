#ifndef TANDEM_TABLE_H
#define TANDEM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The contract as constant data. What each member means is said in contract/README.md; here every default is filled in.
   Absent texts are NULL; all texts are UTF-8 and live as long as the library. */

typedef struct libtandem_strings {
    const char *const *items;
    uint32_t count;
} libtandem_strings;

typedef enum libtandem_place {
    LIBTANDEM_PLACE_PATH,
    LIBTANDEM_PLACE_QUERY,
    LIBTANDEM_PLACE_HEADER,
    LIBTANDEM_PLACE_BODY,
    LIBTANDEM_PLACE_CLIENT
} libtandem_place;

typedef enum libtandem_body {
    LIBTANDEM_BODY_FIELDS,
    LIBTANDEM_BODY_PAYLOAD,
    LIBTANDEM_BODY_WRAPPED
} libtandem_body;

typedef enum libtandem_response {
    LIBTANDEM_RESPONSE_JSON,
    LIBTANDEM_RESPONSE_SSE,
    LIBTANDEM_RESPONSE_JSON_LINES,
    LIBTANDEM_RESPONSE_TEXT,
    LIBTANDEM_RESPONSE_BINARY
} libtandem_response;

typedef enum libtandem_retry {
    LIBTANDEM_RETRY_SAFE,
    LIBTANDEM_RETRY_KEYED,
    LIBTANDEM_RETRY_NEVER
} libtandem_retry;

typedef enum libtandem_ends {
    LIBTANDEM_ENDS_NEVER,
    LIBTANDEM_ENDS_RUN
} libtandem_ends;

typedef enum libtandem_resumes {
    LIBTANDEM_RESUMES_NO,
    LIBTANDEM_RESUMES_CURSOR,
    LIBTANDEM_RESUMES_LOG
} libtandem_resumes;

typedef struct libtandem_argument {
    const char *name;
    const char *wire;           /* the name again where the contract gives no other */
    const char *type;
    libtandem_strings accepts;
    libtandem_strings values;   /* the enum; texts without quotes */
    const char *constant;       /* JSON text */
    const char *default_value;  /* JSON text */
    const char *form;
    const char *adapt;
    libtandem_place place;
    bool required;
    bool wildcard;              /* a path argument that keeps its slashes */
} libtandem_argument;

/* The documented path (dots) is added beside what the rule finds: a JSON text with wire paths, alternatives by `|`, or
   any other JSON value, which is the constant itself. */
typedef struct libtandem_name_rule {
    const char *documented;
    const char *rule;
} libtandem_name_rule;

typedef struct libtandem_result {
    const char *take;
    const char *list;
    const char *each;
    const char *type;
    const char *python;         /* JSON text: a key, "$body" or null */
    const libtandem_name_rule *names;
    uint32_t name_count;
} libtandem_result;

typedef struct libtandem_stream_rule {
    const char *first;          /* JSON text; NULL: it opens without a frame */
    libtandem_strings carries;
    libtandem_ends ends;
    libtandem_resumes resumes;
    const char *cursor_argument;
    const char *cursor_pointer;
} libtandem_stream_rule;

typedef struct libtandem_operation {
    const char *name;           /* "sessions.create" */
    const char *summary;
    const char *method;         /* NULL: no engine has it, the library makes it of others */
    const char *path;           /* "/session/{session_id}"; {key...} keeps slashes */
    libtandem_strings paths;
    const libtandem_argument *arguments; /* path arguments first */
    uint32_t argument_count;
    libtandem_body body;
    const char *body_key;       /* of LIBTANDEM_BODY_WRAPPED */
    libtandem_response response;
    libtandem_retry retry;
    const char *recipe;
    bool body_required;
    bool acts_for_owner;
    bool refuses_with_ok_false;
    bool documented;
    bool gone;
    bool embedded;
    bool enterprise;
    libtandem_result result;
    const libtandem_stream_rule *stream; /* NULL: no stream */
    libtandem_strings errors;
    const char *json;           /* the entry of the contract, with its name */
} libtandem_operation;

/* One condition of libtandem_error: all members that are given must hold. */
typedef struct libtandem_engine_code {
    const char *code;           /* a pattern: at most one `*`, at an end */
    const char *has;            /* members of the error body */
    const char *lacks;
    const char *message_starts;
    const char *edition;
    int32_t status;             /* 0: any */
} libtandem_engine_code;

typedef struct libtandem_error {
    const char *name;
    const char *summary;
    int32_t value;              /* of the TANDEM_ constant */
    bool retryable;
    const int32_t *statuses;
    uint32_t status_count;
    const libtandem_engine_code *codes;
    uint32_t code_count;
    libtandem_strings run_categories;
} libtandem_error;

/* Sorted by name, so that an operation's number is its index. */
extern const libtandem_operation libtandem_operations[];
extern const uint32_t libtandem_operation_count;

/* In the order of contract/errors.json, which is that of FailureName.allCases. */
extern const libtandem_error libtandem_errors[];
extern const uint32_t libtandem_error_count;

/* The contract's files as compact JSON, for tandem_describe. */
extern const char *const libtandem_events_json;
extern const char *const libtandem_errors_json;
extern const char *const libtandem_types_json;

/* Swift imports no array of unknown length. */
static inline const libtandem_operation *libtandem_operation_table(void) { return libtandem_operations; }
static inline const libtandem_error *libtandem_error_table(void) { return libtandem_errors; }

#endif
