/* UTF-8: what is well-formed (Unicode 15, table 3-7: no surrogates, nothing overlong). */
#ifndef ISOBAR_UTF8_H
#define ISOBAR_UTF8_H

#include "isobar/base.h"

/* How many bytes at the beginning of the text are whole, well-formed characters. */
size_t utf8_good(const char *text, size_t len);
/* Whether all of it is. */
bool utf8_is(const char *text, size_t len);
/* Put '?' in the place of each byte that is not, in place; returns the text. What comes from
 * elsewhere goes through it before it becomes a string of a message: other languages refuse a
 * message with malformed text as a whole. */
char *utf8_mend(char *text);
char *utf8_mendn(char *text, size_t len);

#endif
