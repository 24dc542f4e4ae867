/* Identifiers that sort by time: UUIDv7 (RFC 9562). Thread-safe. */
#ifndef ISOBAR_UUID_H
#define ISOBAR_UUID_H

#include "isobar/base.h"

#define UUID_TEXT_LEN 36

/* A new one as text with a NUL; greater than every one that this process made before. */
void uuid7(char out[UUID_TEXT_LEN + 1]);
/* The same with a number in its last 32 bits, which tells who made it; 30 bits of chance are left
 * beside the time and the count. */
void uuid7_numbered(uint32_t number, char out[UUID_TEXT_LEN + 1]);
/* Whether it is one with this number. */
bool uuid_has_number(const char *text, uint32_t number);
/* Whether the text has the shape of a UUID, of any version; dashes may be left out. */
bool uuid_is(const char *text);

#endif
