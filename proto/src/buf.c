#include "isobar/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST ((size_t)256)

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.cap = cap};
}

void buf_done(struct buf *b)
{
    free(b->data);
    buf_init(b, b->cap);
}

void buf_wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->room);
    buf_done(b);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

/* Have at least `need` bytes allocated. Not realloc: it would leave secrets behind. */
static bool grow(struct buf *b, size_t need)
{
    size_t room = b->room < ROOM_FIRST ? ROOM_FIRST : b->room;
    while (room < need && room <= SIZE_MAX / 2)
        room *= 2;
    if (room < need)
        return false;
    char *data = malloc(room);
    if (!data)
        return false;
    if (b->data) {
        memcpy(data, b->data, b->len);
        explicit_bzero(b->data, b->len);
        free(b->data);
    }
    b->data = data;
    b->room = room;
    return true;
}

char *buf_reserve(struct buf *b, size_t len)
{
    if (len > b->cap - b->len || (b->len + len > b->room && !grow(b, b->len + len)) ||
        (!b->data && !grow(b, 1))) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->len;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return true;
    char *to = buf_reserve(b, len);
    if (!to)
        return false;
    memcpy(to, data, len);
    b->len += len;
    return true;
}

bool buf_adds(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

bool buf_addc(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
    /* Into what room there is; where that is too little, once more into what it takes. */
    size_t room = b->room - b->len;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len > b->cap - b->len) {
        b->failed = true;
        return false;
    }
    if ((size_t)len >= room) {
        if (!grow(b, b->len + (size_t)len + 1)) {
            b->failed = true;
            return false;
        }
        va_start(args, fmt);
        vsnprintf(b->data + b->len, (size_t)len + 1, fmt, args);
        va_end(args);
    }
    b->len += (size_t)len;
    return true;
}

void buf_consume(struct buf *b, size_t len)
{
    len = len > b->len ? b->len : len;
    b->len -= len;
    if (b->len > 0 && len > 0)
        memmove(b->data, b->data + len, b->len);
}

const char *buf_cstr(struct buf *b)
{
    if (b->len == b->room && !grow(b, b->len + 1)) {
        b->failed = true;
        return "";
    }
    b->data[b->len] = '\0';
    return b->data;
}
