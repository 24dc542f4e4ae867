#include "sigv4_text.h"

void text_init(struct text *t, struct arena *a, size_t room)
{
    static char nothing[1];

    *t = (struct text){.arena = a, .data = arena_alloc(a, room + 1), .room = room + 1};
    if (!t->data)
        *t = (struct text){.arena = a, .data = nothing};
}

char *text_reserve(struct text *t, size_t len)
{
    size_t need = t->len + len + 1;

    if (need > t->room) {
        size_t room = need > 2 * t->room ? need : 2 * t->room;
        /* Zeroed, so that there is a NUL behind whatever is added. */
        char *data = arena_alloc(t->arena, room);
        if (!data)
            return NULL;
        memcpy(data, t->data, t->len);
        t->data = data;
        t->room = room;
    }
    return t->data + t->len;
}

void text_add(struct text *t, const char *data, size_t len)
{
    char *to = text_reserve(t, len);

    if (to && len > 0) {
        memcpy(to, data, len);
        t->len += len;
    }
}

void text_addc(struct text *t, char c)
{
    text_add(t, &c, 1);
}

/* Without the locale that isalnum() asks. */
static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void text_encode(struct text *t, const char *data, size_t len, unsigned encoding)
{
    static const char hex[] = "0123456789ABCDEF";
    char *to = text_reserve(t, 3 * len), *start = to;

    if (!to)
        return;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        bool escaped = c == '%' && (encoding & TEXT_ESCAPED) && len - i > 2 &&
                       hex_digit(data[i + 1]) >= 0 && hex_digit(data[i + 2]) >= 0;

        if (escaped) {
            c = (unsigned char)(hex_digit(data[i + 1]) << 4 | hex_digit(data[i + 2]));
            i += 2;
        }
        if (is_unreserved(c) || (c == '/' && !escaped && (encoding & TEXT_SLASH))) {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    t->len += (size_t)(to - start);
}
