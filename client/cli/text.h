/* Text for people: what comes from a cloud is not trusted with the terminal. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "isobar/buf.h"

/* Append text with everything that a terminal would act on as \xNN: control characters (C0, C1,
 * DEL), marks that change the direction of writing, and bytes that are not UTF-8. */
void text_safe(struct buf *out, const char *s, size_t len);
/* The same for a sentence in an error: line ends and tabs become spaces. */
void text_safe_line(struct buf *out, const char *s);
/* Append JSON with what is left of such characters inside its strings as \u00NN. */
void text_safe_json(struct buf *out, const char *json, size_t len);

/* The character at s, and its length in bytes; 0 where it is not UTF-8. */
size_t text_decode(const char *s, size_t len, uint32_t *ret_char);
/* Whether a terminal acts on the character instead of showing it. */
bool text_is_unsafe(uint32_t c);

/* "1h30m", "90s", "500ms", "90" (seconds) to milliseconds; false where it is none, is 0, or is
 * above 30 days. */
bool text_duration_ms(const char *text, uint32_t *ret) MUST_USE;

/* "flavor_name" to "FLAVOR_NAME". */
void text_upper(char *s);

#endif
