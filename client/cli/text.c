#include "text.h"

#include <ctype.h>
#include <string.h>

#include "isobar/utf8.h"

size_t text_decode(const char *s, size_t len, uint32_t *ret_char)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = len == 0 ? 0 : p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > len || utf8_good(s, n) != n) {
        return 0;
    }
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (p[i] & 0x3fU);
    }
    *ret_char = c;
    return n;
}

bool text_is_unsafe(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff},
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

void text_safe(struct buf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = text_decode(s + i, len - i, &c);
        if (n && !text_is_unsafe(c)) {
            buf_add(out, s + i, n);
            i += n;
            continue;
        }
        for (size_t end = i + (n ? n : 1); i < end; i++) {
            buf_addf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
        }
    }
}

void text_safe_line(struct buf *out, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "\r\n\t");
        text_safe(out, s, n);
        s += n;
        n = strspn(s, "\r\n\t");
        if (n && s[n]) {
            buf_addc(out, ' ');
        }
        s += n;
    }
}

void text_safe_json(struct buf *out, const char *json, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = text_decode(json + i, len - i, &c);
        if (n && c >= 0x7f && text_is_unsafe(c)) {
            buf_addf(out, "\\u%04x", (unsigned)c);
        } else {
            n = n ? n : 1;
            buf_add(out, json + i, n);
        }
        i += n;
    }
}

bool text_duration_ms(const char *text, uint32_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
    const uint64_t most = UINT64_C(30) * 24 * 3600000;
    uint64_t total = 0;
    if (!*text) {
        return false;
    }
    for (bool bare = false; *text;) {
        uint64_t n = 0;
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 10 || bare) {
            return false;
        }
        for (size_t i = 0; i < digits; i++) {
            n = n * 10 + (uint64_t)(text[i] - '0');
        }
        text += digits;
        size_t letters = strcspn(text, "0123456789");
        size_t u = 0;
        while (u < ARRAY_LEN(units) &&
               (strlen(units[u].unit) != letters || strncmp(units[u].unit, text, letters) != 0)) {
            u++;
        }
        if (u == ARRAY_LEN(units)) {
            return false;
        }
        bare = letters == 0;
        text += letters;
        total += n * units[u].ms;
    }
    if (total == 0 || total > most) {
        return false;
    }
    *ret = (uint32_t)total;
    return true;
}

void text_upper(char *s)
{
    for (; *s; s++) {
        *s = (char)toupper((unsigned char)*s);
    }
}
