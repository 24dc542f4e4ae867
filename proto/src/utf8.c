#include "isobar/utf8.h"

#include <string.h>

/* Bytes of the character at `s`; 0 where it is malformed or cut off. What a first byte asks of the
 * second is what keeps surrogates, overlong forms and numbers past U+10FFFF out. */
static size_t char_len(const uint8_t *s, size_t len)
{
    static const struct lead {
        uint8_t first, last;       /* first byte */
        uint8_t low, high, length; /* second byte; bytes of the character */
    } leads[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    if (s[0] < 0x80)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
        if (s[0] < leads[i].first || s[0] > leads[i].last)
            continue;
        size_t n = leads[i].length;
        if (n > len || s[1] < leads[i].low || s[1] > leads[i].high)
            return 0;
        for (size_t k = 2; k < n; k++) {
            if ((s[k] & 0xC0) != 0x80)
                return 0;
        }
        return n;
    }
    return 0;
}

size_t utf8_good(const char *text, size_t len)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t at = 0;
    while (at < len) {
        /* ASCII, the common case, in eights. */
        uint64_t word;
        if (len - at >= sizeof(word)) {
            memcpy(&word, s + at, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        size_t n = char_len(s + at, len - at);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

bool utf8_is(const char *text, size_t len)
{
    return utf8_good(text, len) == len;
}

char *utf8_mend(char *text)
{
    return utf8_mendn(text, strlen(text));
}

char *utf8_mendn(char *text, size_t len)
{
    for (size_t at = utf8_good(text, len); at < len; at += utf8_good(text + at, len - at))
        text[at] = '?';
    return text;
}
