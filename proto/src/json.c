#include "isobar/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "isobar/utf8.h"

#define WHY_MAX 160

struct parser {
    json_handler *handler;
    void *ctx;
    const char *why; /* it was stopped by a call-back below */
    int depth;
};

static int emit(struct parser *p, enum json_kind kind, const char *text, size_t len)
{
    struct json_event ev = {kind, text, len};
    return p->handler(p->ctx, &ev);
}

static int refuse(struct parser *p, const char *why)
{
    p->why = why;
    return 0;
}

/* yajl looks at the first bits of a character only: overlong forms and surrogates pass it. */
static int emit_text(struct parser *p, enum json_kind kind, const unsigned char *text, size_t len)
{
    if (!utf8_is((const char *)text, len))
        return refuse(p, "a string is not UTF-8");
    return emit(p, kind, (const char *)text, len);
}

/* The depth is looked at before yajl goes down: its own stack never grows past it. */
static int begin(struct parser *p, enum json_kind kind)
{
    if (p->depth == JSON_DEPTH_MAX)
        return refuse(p, "nested too deep");
    p->depth++;
    return emit(p, kind, NULL, 0);
}

static int end(struct parser *p, enum json_kind kind)
{
    p->depth--;
    return emit(p, kind, NULL, 0);
}

static int on_null(void *ctx)
{
    return emit(ctx, JSON_NULL, NULL, 0);
}

static int on_boolean(void *ctx, int value)
{
    return emit(ctx, value ? JSON_TRUE : JSON_FALSE, NULL, 0);
}

static int on_number(void *ctx, const char *text, size_t len)
{
    return emit(ctx, JSON_NUMBER, text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    return emit_text(ctx, JSON_STRING, text, len);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    return emit_text(ctx, JSON_KEY, text, len);
}

static int on_object_begin(void *ctx)
{
    return begin(ctx, JSON_OBJECT_BEGIN);
}

static int on_object_end(void *ctx)
{
    return end(ctx, JSON_OBJECT_END);
}

static int on_array_begin(void *ctx)
{
    return begin(ctx, JSON_ARRAY_BEGIN);
}

static int on_array_end(void *ctx)
{
    return end(ctx, JSON_ARRAY_END);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_map_key = on_key,
    .yajl_start_map = on_object_begin,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array_begin,
    .yajl_end_array = on_array_end,
};

enum surrogate { SURROGATE_NONE, SURROGATE_HIGH, SURROGATE_LOW };

/* Which half of a pair is written at `s` as \uXXXX. */
static enum surrogate surrogate_at(const char *s, const char *end_of_text)
{
    if (end_of_text - s < 6 || s[0] != '\\' || s[1] != 'u' || (s[2] != 'd' && s[2] != 'D'))
        return SURROGATE_NONE;
    if (memchr("89abAB", s[3], 6))
        return SURROGATE_HIGH;
    return memchr("cdefCDEF", s[3], 8) ? SURROGATE_LOW : SURROGATE_NONE;
}

/* Half a pair is no character, and yajl would make '?' or malformed text of it. A backslash is in
 * strings only, so there is no need to know where these are. Returns the first half without its
 * other, or NULL. */
static const char *lone_surrogate(const char *data, size_t len)
{
    if (len == 0)
        return NULL;
    const char *end_of_text = data + len;
    const char *at = memchr(data, '\\', len);
    while (at) {
        enum surrogate half = surrogate_at(at, end_of_text);
        bool paired = half == SURROGATE_HIGH && surrogate_at(at + 6, end_of_text) == SURROGATE_LOW;
        if (half != SURROGATE_NONE && !paired)
            return at;
        size_t step = paired ? 12 : 2;
        if ((size_t)(end_of_text - at) <= step)
            break;
        at += step;
        at = memchr(at, '\\', (size_t)(end_of_text - at));
    }
    return NULL;
}

/* yajl's own words end with a newline, some after a full stop. */
static void explain_yajl(yajl_handle h, const char *data, size_t len, size_t at, char *ret_why)
{
    unsigned char *words = yajl_get_error(h, 0, (const unsigned char *)data, len);
    const char *text = words ? (const char *)words : "out of memory";
    snprintf(ret_why, WHY_MAX, "%.*s at byte %zu", (int)strcspn(text, ".\n"), text, at);
    if (words)
        yajl_free_error(h, words);
}

bool json_parse(const char *data, size_t len, json_handler *handler, void *ctx, char ret_why[160])
{
    ret_why[0] = '\0';
    const char *lone = lone_surrogate(data, len);
    if (lone) {
        snprintf(ret_why, WHY_MAX, "half a surrogate pair at byte %zu", (size_t)(lone - data) + 1);
        return false;
    }
    struct parser p = {handler, ctx, NULL, 0};
    yajl_handle h = yajl_alloc(&callbacks, NULL, &p);
    if (!h) {
        snprintf(ret_why, WHY_MAX, "out of memory");
        return false;
    }
    yajl_status status = yajl_parse(h, (const unsigned char *)data, len);
    size_t at = yajl_get_bytes_consumed(h);
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(h);
        at = len;
    }
    if (status == yajl_status_error)
        explain_yajl(h, data, len, at, ret_why);
    else if (status == yajl_status_client_canceled && ret_why[0] == '\0')
        snprintf(ret_why, WHY_MAX, "%s at byte %zu", p.why ? p.why : "refused", at);
    yajl_free(h);
    return status == yajl_status_ok;
}

struct json_writer {
    struct buf *out;
    yajl_gen gen;
    /* An object or array whose bracket is not written yet: an empty one is written as a whole,
     * which yajl would spread over three lines. */
    char open;
};

static void print(void *ctx, const char *text, size_t len)
{
    buf_add(ctx, text, len);
}

struct json_writer *json_writer_new(struct buf *out, bool pretty)
{
    struct json_writer *w = calloc(1, sizeof(*w));
    yajl_gen gen = w ? yajl_gen_alloc(NULL) : NULL;
    if (!gen) {
        free(w);
        out->failed = true;
        return NULL;
    }
    yajl_gen_config(gen, yajl_gen_print_callback, print, out);
    if (pretty) {
        yajl_gen_config(gen, yajl_gen_beautify, 1);
        yajl_gen_config(gen, yajl_gen_indent_string, "  ");
    }
    w->out = out;
    w->gen = gen;
    return w;
}

void json_writer_free(struct json_writer *w)
{
    if (!w)
        return;
    yajl_gen_free(w->gen);
    free(w);
}

void json_writer_freep(struct json_writer **w)
{
    json_writer_free(*w);
    *w = NULL;
}

static void check(struct json_writer *w, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        w->out->failed = true;
}

static void put_text(struct json_writer *w, const char *text, size_t len)
{
    char *copy = NULL;
    if (!utf8_is(text, len)) {
        copy = malloc(len);
        if (!copy) {
            w->out->failed = true;
            return;
        }
        text = utf8_mendn(memcpy(copy, text, len), len);
    }
    check(w, yajl_gen_string(w->gen, (const unsigned char *)text, len));
    free(copy);
}

/* Whatever comes before a value. False where the writer could not be made. */
static bool before_value(struct json_writer *w, const char *key)
{
    if (!w)
        return false;
    if (w->open)
        check(w, w->open == '{' ? yajl_gen_map_open(w->gen) : yajl_gen_array_open(w->gen));
    w->open = '\0';
    if (key)
        put_text(w, key, strlen(key));
    return true;
}

static void begin_later(struct json_writer *w, const char *key, char bracket)
{
    if (before_value(w, key))
        w->open = bracket;
}

void json_begin_object(struct json_writer *w, const char *key)
{
    begin_later(w, key, '{');
}

void json_begin_array(struct json_writer *w, const char *key)
{
    begin_later(w, key, '[');
}

void json_end_object(struct json_writer *w)
{
    if (!w)
        return;
    check(w, w->open ? yajl_gen_number(w->gen, "{}", 2) : yajl_gen_map_close(w->gen));
    w->open = '\0';
}

void json_end_array(struct json_writer *w)
{
    if (!w)
        return;
    check(w, w->open ? yajl_gen_number(w->gen, "[]", 2) : yajl_gen_array_close(w->gen));
    w->open = '\0';
}

void json_put_string(struct json_writer *w, const char *key, const char *value)
{
    json_put_stringn(w, key, value, strlen(value));
}

void json_put_stringn(struct json_writer *w, const char *key, const char *value, size_t len)
{
    if (before_value(w, key))
        put_text(w, value, len);
}

void json_put_number(struct json_writer *w, const char *key, const char *text)
{
    if (before_value(w, key))
        check(w, yajl_gen_number(w->gen, text, strlen(text)));
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
    if (before_value(w, key))
        check(w, yajl_gen_integer(w->gen, value));
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
    if (before_value(w, key))
        check(w, yajl_gen_bool(w->gen, value));
}

void json_put_null(struct json_writer *w, const char *key)
{
    if (before_value(w, key))
        check(w, yajl_gen_null(w->gen));
}
