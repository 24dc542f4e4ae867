/* JSON as a stream of events, and JSON written piece by piece. The only file of the project that
 * knows yajl is behind this header.
 *
 * Reading never builds a tree: depth is capped at JSON_DEPTH_MAX, memory is the handler's own.
 * Invalid UTF-8 is an error, and so is half a surrogate pair. A string may hold NULs (\u0000).
 */
#ifndef ISOBAR_JSON_H
#define ISOBAR_JSON_H

#include "isobar/buf.h"

#define JSON_DEPTH_MAX 64

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER, /* text: as it was written */
    JSON_STRING, /* text: unescaped */
    JSON_KEY,    /* of the value that comes next */
    JSON_OBJECT_BEGIN,
    JSON_OBJECT_END,
    JSON_ARRAY_BEGIN,
    JSON_ARRAY_END,
};

struct json_event {
    enum json_kind kind;
    const char *text; /* not NUL-terminated, valid during the call-back only */
    size_t len;
};

/* Return false to stop; json_parse then fails. */
typedef bool json_handler(void *ctx, const struct json_event *ev);

/* Parse one whole JSON text. On failure `ret_why` (at least 160 bytes) gets one line that says what
 * is wrong, with the byte (from 1) where it ends; left as it is where the handler stopped it and
 * wrote its own. */
bool json_parse(const char *data, size_t len, json_handler *handler, void *ctx,
                char ret_why[160]) MUST_USE;

/* A writer that appends to a buffer. Errors stick in out->failed; without memory it is NULL, which
 * all functions bear. Commas and quoting are its own; keys are given with the value, NULL inside
 * arrays. A byte of a string that is not UTF-8 becomes '?'. With `pretty` a newline ends it. */
struct json_writer;
struct json_writer *json_writer_new(struct buf *out, bool pretty);
void json_writer_free(struct json_writer *w);
void json_writer_freep(struct json_writer **w); /* for CLEANUP() */
void json_begin_object(struct json_writer *w, const char *key);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w, const char *key);
void json_end_array(struct json_writer *w);
void json_put_string(struct json_writer *w, const char *key, const char *value);
void json_put_stringn(struct json_writer *w, const char *key, const char *value, size_t len);
/* `text` is a number already written as JSON wants it. */
void json_put_number(struct json_writer *w, const char *key, const char *text);
void json_put_int(struct json_writer *w, const char *key, int64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);

#endif
