/* A growing byte buffer with a cap. Owned by one thread at a time. */
#ifndef ISOBAR_BUF_H
#define ISOBAR_BUF_H

#include <protobuf-c/protobuf-c.h>
#include <stdarg.h>

#include "isobar/base.h"

struct buf {
    char *data;  /* not NUL-terminated, unless buf_cstr was called; NULL while empty */
    size_t len;  /* bytes in use */
    size_t room; /* bytes allocated */
    size_t cap;  /* `len` never exceeds it */
    bool failed; /* an append was refused: cap or memory; what was there stays */
};

void buf_init(struct buf *b, size_t cap);
/* For CLEANUP() and by hand; the buffer may be used again afterwards. */
void buf_done(struct buf *b);
/* Wipes the content before it is given back; for secrets. What the buffer has outgrown was wiped
 * then. */
void buf_wipe(struct buf *b);
/* Empty it; the memory stays. */
void buf_reset(struct buf *b);

/* Appends return false, and set `failed`, where the cap or the memory does not allow it. */
bool buf_add(struct buf *b, const void *data, size_t len);
bool buf_adds(struct buf *b, const char *s);
bool buf_addc(struct buf *b, char c);
bool buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for `len` more bytes (never NULL for a `len` of 0); NULL as above. The caller then adds to
 * b->len what it wrote. */
char *buf_reserve(struct buf *b, size_t len) MUST_USE;
/* Drop the first `len` bytes. */
void buf_consume(struct buf *b, size_t len);
/* The content with a NUL behind it (which does not count); "" on failure. */
const char *buf_cstr(struct buf *b);

#endif
