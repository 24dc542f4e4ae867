/* Text that grows in an arena, and the encoding that signatures are made of. Where the arena is
 * exhausted the text stays as it is: look at arena->exhausted once, at the end.
 */
#ifndef ISOBAR_KIT_SIGV4_TEXT_H
#define ISOBAR_KIT_SIGV4_TEXT_H

#include <string.h>

#include "isobar/arena.h"

struct text {
    struct arena *arena;
    char *data; /* NUL-terminated; "" while there is nothing */
    size_t len, room;
};

/* An empty text; `room` is what will probably do. */
void text_init(struct text *t, struct arena *a, size_t room);
/* Where `len` more bytes may be written, which the caller then adds to t->len; NULL where the arena
 * is exhausted. What was there before may move. */
char *text_reserve(struct text *t, size_t len) MUST_USE;
void text_add(struct text *t, const char *data, size_t len);
void text_addc(struct text *t, char c);
static inline void text_adds(struct text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

enum text_encoding {
    TEXT_SLASH = 1,   /* a slash stays */
    TEXT_ESCAPED = 2, /* "%2F" in the data means one byte, and not three */
};
/* Append with all but unreserved characters (RFC 3986) percent-encoded. */
void text_encode(struct text *t, const char *data, size_t len, unsigned encoding);

#endif
