#include "aws_query.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The version of EC2's and of STS's API. */
static const char *const versions[AWS_N_SERVICES] = {
    [AWS_EC2] = "2016-11-15",
    [AWS_STS] = "2011-06-15",
};

enum { ROOM = 512, NAME_MAX_LEN = 128 };

/* Room for `len` more bytes, or NULL. */
static char *reserve(struct aws_query *q, size_t len)
{
    if (q->room - q->len < len) {
        size_t room = q->room * 2 + len;
        char *grown = arena_alloc(q->arena, room);

        if (!grown)
            return NULL;
        if (q->len > 0)
            memcpy(grown, q->body, q->len);
        q->body = grown;
        q->room = room;
    }
    return q->body + q->len;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static char *encode(char *to, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (is_unreserved(c)) {
            *to++ = *text;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    return to;
}

void aws_put(struct aws_query *q, const char *value, const char *name)
{
    if (!value)
        return;
    char *at = reserve(q, 3 * (strlen(name) + strlen(value)) + 2);

    if (!at)
        return;
    if (q->len > 0)
        *at++ = '&';
    at = encode(at, name);
    *at++ = '=';
    q->len = (size_t)(encode(at, value) - q->body);
}

void aws_putf(struct aws_query *q, const char *value, const char *name_fmt, ...)
{
    char name[NAME_MAX_LEN];
    va_list args;

    va_start(args, name_fmt);
    vsnprintf(name, sizeof(name), name_fmt, args);
    va_end(args);
    aws_put(q, value, name);
}

void aws_put_int(struct aws_query *q, int64_t value, const char *name)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    aws_put(q, text, name);
}

void aws_put_bool(struct aws_query *q, bool value, const char *name)
{
    aws_put(q, value ? "true" : "false", name);
}

void aws_query_begin(struct aws_query *q, struct arena *a, enum aws_service service,
                     const char *action, unsigned flags)
{
    *q = (struct aws_query){.arena = a, .service = service, .action = action, .flags = flags};
    q->body = arena_alloc(a, ROOM);
    q->room = q->body ? ROOM : 0;
    aws_put(q, action, "Action");
    aws_put(q, versions[service], "Version");
}
