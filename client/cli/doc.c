#include "doc.h"

#include <string.h>

#include "isobar/json.h"
#include "text.h"

/* JSON. */

struct pretty {
    struct json_writer *writer;
    struct buf key;
    bool has_key;
};

static bool pretty_event(void *ctx, const struct json_event *ev)
{
    struct pretty *p = ctx;
    struct json_writer *w = p->writer;
    if (ev->kind == JSON_KEY) {
        buf_reset(&p->key);
        buf_add(&p->key, ev->text, ev->len);
        p->has_key = true;
        return !p->key.failed;
    }
    const char *key = p->has_key ? buf_cstr(&p->key) : NULL;
    p->has_key = false;
    switch (ev->kind) {
    case JSON_OBJECT_BEGIN:
        json_begin_object(w, key);
        break;
    case JSON_OBJECT_END:
        json_end_object(w);
        break;
    case JSON_ARRAY_BEGIN:
        json_begin_array(w, key);
        break;
    case JSON_ARRAY_END:
        json_end_array(w);
        break;
    case JSON_STRING:
        json_put_stringn(w, key, ev->text, ev->len);
        break;
    case JSON_NUMBER: {
        char number[64];
        size_t len = ev->len < sizeof(number) - 1 ? ev->len : sizeof(number) - 1;
        memcpy(number, ev->text, len);
        number[len] = 0;
        json_put_number(w, key, number);
        break;
    }
    case JSON_TRUE:
    case JSON_FALSE:
        json_put_bool(w, key, ev->kind == JSON_TRUE);
        break;
    default:
        json_put_null(w, key);
        break;
    }
    return true;
}

bool doc_json(struct buf *out, const char *json, size_t len)
{
    CLEANUP(buf_done) struct buf raw;
    buf_init(&raw, SIZE_MAX / 2);
    CLEANUP(json_writer_freep) struct json_writer *w = json_writer_new(&raw, true);
    struct pretty p = {.writer = w};
    buf_init(&p.key, SIZE_MAX / 2);
    char why[160];
    bool good = w && json_parse(json, len, pretty_event, &p, why) && !p.key.failed;
    buf_done(&p.key);
    if (!good || raw.failed) {
        return false;
    }
    text_safe_json(out, raw.data ? raw.data : "", raw.len);
    if (out->len && out->data[out->len - 1] != '\n') {
        buf_addc(out, '\n');
    }
    return !out->failed;
}

/* YAML. */

static bool is_keyword(const char *s, size_t len)
{
    /* What YAML 1.1 and 1.2 take for a bool or null. */
    static const char *const words[] = {"y",  "n",   "yes",  "no",  "true", "false",
                                        "on", "off", "null", "nan", "inf"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i]) == len && strncasecmp(words[i], s, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether it reads back as the same string without quotes. */
static bool is_plain(const char *s, size_t len)
{
    static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_./@+-";
    static const size_t letters = 52;
    if (len == 0 || is_keyword(s, len) || s[len - 1] == ' ' || !memchr(inner, s[0], letters)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (s[i] != ' ' && !memchr(inner, s[i], sizeof(inner) - 1)) {
            return false;
        }
    }
    return true;
}

void doc_yaml_string(struct buf *out, const char *s, size_t len)
{
    if (is_plain(s, len)) {
        buf_add(out, s, len);
        return;
    }
    buf_addc(out, '"');
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = text_decode(s + i, len - i, &c);
        if (n == 0) {
            buf_adds(out, "\\ufffd");
            n = 1;
        } else if (c == '"' || c == '\\') {
            buf_addf(out, "\\%c", (char)c);
        } else if (c == '\n' || c == '\t') {
            buf_adds(out, c == '\n' ? "\\n" : "\\t");
        } else if (text_is_unsafe(c)) {
            buf_addf(out, c <= 0xff ? "\\x%02x" : "\\u%04x", (unsigned)c);
        } else {
            buf_add(out, s + i, n);
        }
        i += n;
    }
    buf_addc(out, '"');
}

struct yaml_level {
    bool is_array;
    bool any; /* it has an item already */
};

struct yaml {
    struct buf *out;
    struct yaml_level levels[JSON_DEPTH_MAX + 1];
    size_t depth;
    bool inline_next; /* the next item goes on in this line, behind "- " */
};

static void yaml_indent(struct yaml *y, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        buf_adds(y->out, "  ");
    }
}

/* How far the items of the innermost level stand in. */
static size_t yaml_column(const struct yaml *y)
{
    return y->depth - 1;
}

/* What comes before a value that is an item of an array, or before a key of an object. */
static void yaml_item(struct yaml *y)
{
    struct yaml_level *level = &y->levels[y->depth];
    if (!level->any && !y->inline_next && y->depth > 1) {
        buf_addc(y->out, '\n'); /* behind "key:" */
    }
    if (!y->inline_next) {
        yaml_indent(y, yaml_column(y));
    }
    y->inline_next = false;
    level->any = true;
}

static void yaml_begin(struct yaml *y, bool is_array)
{
    struct yaml_level *parent = &y->levels[y->depth];
    if (y->depth && parent->is_array) {
        yaml_item(y);
        buf_adds(y->out, "- ");
        y->inline_next = true;
    }
    y->levels[++y->depth] = (struct yaml_level){.is_array = is_array};
}

static void yaml_end(struct yaml *y)
{
    const struct yaml_level *level = &y->levels[y->depth];
    if (!level->any) {
        bool behind_key = y->depth > 1 && !y->inline_next;
        buf_addf(y->out, "%s%s\n", behind_key ? " " : "", level->is_array ? "[]" : "{}");
    }
    y->inline_next = false;
    y->depth--;
}

static void yaml_scalar(struct yaml *y, const struct json_event *ev)
{
    if (y->depth && y->levels[y->depth].is_array) {
        yaml_item(y);
        buf_adds(y->out, "- ");
    } else if (y->depth) {
        buf_addc(y->out, ' '); /* behind "key:" */
    }
    switch (ev->kind) {
    case JSON_STRING:
        doc_yaml_string(y->out, ev->text, ev->len);
        break;
    case JSON_NUMBER:
        buf_add(y->out, ev->text, ev->len);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_adds(y->out, ev->kind == JSON_TRUE ? "true" : "false");
        break;
    default:
        buf_adds(y->out, "null");
        break;
    }
    buf_addc(y->out, '\n');
}

static bool yaml_event(void *ctx, const struct json_event *ev)
{
    struct yaml *y = ctx;
    switch (ev->kind) {
    case JSON_OBJECT_BEGIN:
    case JSON_ARRAY_BEGIN:
        if (y->depth == JSON_DEPTH_MAX) {
            return false;
        }
        yaml_begin(y, ev->kind == JSON_ARRAY_BEGIN);
        break;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        yaml_end(y);
        break;
    case JSON_KEY:
        yaml_item(y);
        doc_yaml_string(y->out, ev->text, ev->len);
        buf_addc(y->out, ':');
        break;
    default:
        yaml_scalar(y, ev);
        break;
    }
    return !y->out->failed;
}

bool doc_yaml(struct buf *out, const char *json, size_t len)
{
    struct yaml y = {.out = out};
    char why[160];
    return json_parse(json, len, yaml_event, &y, why) && !out->failed;
}
