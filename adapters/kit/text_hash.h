/* FNV-1a of a text, for tables; ids of operations differ in their random part. */
#ifndef TEXT_HASH_H
#define TEXT_HASH_H

#include <stdint.h>

static inline uint64_t text_hash(const char *text)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h;
}

#endif
