#include "isobar/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_add(struct buf *out, const void *data, size_t len)
{
    const uint8_t *in = data;
    for (size_t at = 0; at < len; at += 3) {
        size_t n = len - at < 3 ? len - at : 3;
        unsigned bits = (unsigned)in[at] << 16;
        bits |= n > 1 ? (unsigned)in[at + 1] << 8 : 0;
        bits |= n > 2 ? in[at + 2] : 0;
        char four[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63], '=', '='};
        if (n > 1)
            four[2] = alphabet[bits >> 6 & 63];
        if (n > 2)
            four[3] = alphabet[bits & 63];
        if (!buf_add(out, four, sizeof(four)))
            return false;
    }
    return true;
}

/* The six bits that a character stands for, or -1. */
static int six_bits(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(const char *text, size_t len, uint8_t *out, size_t *ret_len)
{
    if (len % 4 == 0) {
        for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
            len--;
    }
    if (len % 4 == 1)
        return false;
    size_t n = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < len; i++) {
        int six = six_bits(text[i]);
        if (six < 0)
            return false;
        bits = bits << 6 | (uint32_t)six;
        /* The second, third and fourth character of a group each complete a byte. */
        if (i % 4 != 0)
            out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *ret_len = n;
    return true;
}
