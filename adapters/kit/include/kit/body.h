/* The body of a request: a JSON object. */
#ifndef ISOBAR_KIT_BODY_H
#define ISOBAR_KIT_BODY_H

#include "isobar/arena.h"
#include "isobar/buf.h"
#include "isobar/json.h"

struct request_body {
    struct buf buf;
    struct json_writer *json;
};

/* Begin the object, of at most `max` bytes; NULL where memory is short, and then body_end() fails
 * too. */
struct json_writer *body_begin(struct request_body *b, size_t max);
/* End it: its text in the arena, and its length in bytes. What it was written in is wiped, since
 * there may be a password in it. False where memory is short or it is too long. */
bool body_end(struct request_body *b, struct arena *a, const char **ret, size_t *ret_len) MUST_USE;

#endif
