/* Base64 (RFC 4648): written in the standard alphabet with padding, read in either alphabet. */
#ifndef ISOBAR_BASE64_H
#define ISOBAR_BASE64_H

#include "isobar/buf.h"

/* Append; false where the buffer refuses. */
bool base64_add(struct buf *out, const void *data, size_t len);

/* Bytes that text of this length is, at most. */
#define BASE64_ROOM(text_len) ((text_len) / 4 * 3 + 3)
/* Decode into `out`, which has BASE64_ROOM(len) bytes. Padding may be left out; anything else that
 * is not of an alphabet, white space too, is refused. */
bool base64_decode(const char *text, size_t len, uint8_t *out, size_t *ret_len) MUST_USE;

#endif
