#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/base64.h"
#include "isobar/near.h"
#include "isobar/pbjson.h"
#include "isobar/utf8.h"
#include "pbjson_field.h"

/* How much of a wrong value an error shows. */
#define SHOWN_MAX 40

static const char no_memory[] = "is too large";

/* JSON has a point in its numbers whatever the locale of the program says. */
static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t enter_c_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_c_locale);
    return uselocale(c_locale);
}

void pbjson_format(double v, bool single, char out[PBJSON_NUMBER_MAX])
{
    locale_t before = enter_c_locale();
    int most = single ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    for (int digits = single ? FLT_DIG : DBL_DIG; digits <= most; digits++) {
        snprintf(out, PBJSON_NUMBER_MAX, "%.*g", digits, v);
        double back = strtod(out, NULL);
        if (single ? (float)back == (float)v : back == v)
            break;
    }
    uselocale(before);
}

/* Integers: what a type can hold, and its name for people. */
struct range {
    uint64_t min; /* as far below zero */
    uint64_t max;
    const char *name;
};

static struct range range_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return (struct range){UINT64_C(1) << 63, INT64_MAX, "int64"};
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return (struct range){0, UINT64_MAX, "uint64"};
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return (struct range){0, UINT32_MAX, "uint32"};
    default:
        return (struct range){UINT64_C(1) << 31, INT32_MAX, "int32"};
    }
}

static size_t digits_at(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] >= '0' && text[n] <= '9')
        n++;
    return n;
}

/* A number as JSON writes it, taken apart. */
struct decimal {
    bool negative;
    const char *whole, *fraction; /* digits */
    size_t n_whole, n_fraction;
    long exponent; /* at most a million either way */
};

static bool take_exponent(const char *s, size_t len, long *ret)
{
    bool negative = len > 1 && s[1] == '-';
    size_t sign = len > 1 && (negative || s[1] == '+');
    size_t at = 1 + sign, n = digits_at(s + at, len - at);
    long v = 0;
    for (size_t i = 0; i < n; i++)
        v = v > 100000 ? 1000000 : v * 10 + (s[at + i] - '0');
    *ret = negative ? -v : v;
    return n > 0 && at + n == len;
}

static bool take_apart(const char *s, size_t len, struct decimal *ret)
{
    struct decimal d = {.negative = len > 0 && s[0] == '-'};
    d.whole = s + d.negative;
    d.n_whole = digits_at(d.whole, len - d.negative);
    size_t at = d.negative + d.n_whole;
    if (d.n_whole == 0 || (d.n_whole > 1 && d.whole[0] == '0'))
        return false;
    if (at < len && s[at] == '.') {
        d.fraction = s + at + 1;
        d.n_fraction = digits_at(d.fraction, len - at - 1);
        at += 1 + d.n_fraction;
        if (d.n_fraction == 0)
            return false;
    }
    if (at < len && (s[at] | 0x20) == 'e') {
        if (!take_exponent(s + at, len - at, &d.exponent))
            return false;
        at = len;
    }
    *ret = d;
    return at == len;
}

enum outcome { FITS, NOT_WHOLE, TOO_BIG };

/* Exact, for 64-bit numbers do not fit into a double: 1e3, 1.50e2 and 1000 are whole numbers. */
static enum outcome to_whole(const struct decimal *d, uint64_t *ret)
{
    uint64_t v = 0;
    bool too_big = false;
    long zeros = 0; /* that came since the last other digit */
    for (size_t i = 0; i < d->n_whole + d->n_fraction; i++) {
        char c = i < d->n_whole ? d->whole[i] : d->fraction[i - d->n_whole];
        if (c == '0' && v == 0)
            continue;
        zeros++;
        if (c == '0')
            continue;
        for (; zeros > 0 && !too_big; zeros--)
            too_big = __builtin_mul_overflow(v, 10, &v);
        too_big = too_big || __builtin_add_overflow(v, (uint64_t)(c - '0'), &v);
        zeros = 0;
    }
    *ret = 0;
    if (v == 0 && !too_big)
        return FITS;
    long power = d->exponent - (long)d->n_fraction + zeros;
    if (power < 0)
        return NOT_WHOLE;
    for (; power > 0 && !too_big; power--)
        too_big = __builtin_mul_overflow(v, 10, &v);
    *ret = v;
    return too_big ? TOO_BIG : FITS;
}

/* The beginning of a text for an error, as a string that is safe to show. */
static const char *shown(struct arena *a, const char *text, size_t len)
{
    size_t n = utf8_good(text, len < SHOWN_MAX ? len : SHOWN_MAX);
    char *s = arena_strndup(a, text, n);
    for (char *c = s; *c; c++) {
        if ((unsigned char)*c < ' ')
            *c = ' ';
    }
    return n < len ? arena_printf(a, "%s...", s) : s;
}

static const char *put_whole(struct arena *a, ProtobufCType type, const char *text, size_t len,
                             void *member)
{
    struct range range = range_of(type);
    struct decimal d;
    uint64_t v;
    enum outcome outcome = take_apart(text, len, &d) ? to_whole(&d, &v) : NOT_WHOLE;
    if (outcome == NOT_WHOLE)
        return arena_printf(a, "must be a whole number, not %s", shown(a, text, len));
    if (outcome == TOO_BIG || v > (d.negative ? range.min : range.max))
        return arena_printf(a, "%s is out of range for %s", shown(a, text, len), range.name);
    uint64_t bits = d.negative ? -v : v;
    if (message_value_size(type) == sizeof(uint64_t))
        *(uint64_t *)member = bits;
    else
        *(uint32_t *)member = (uint32_t)bits;
    return NULL;
}

static const char *put_real(struct arena *a, ProtobufCType type, const struct json_event *ev,
                            void *member)
{
    static const struct special {
        const char *name;
        double value;
    } specials[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    struct decimal d;
    double v = 0;
    bool known = take_apart(ev->text, ev->len, &d);
    if (known) {
        const char *text = arena_strndup(a, ev->text, ev->len);
        locale_t before = enter_c_locale();
        v = strtod(text, NULL);
        uselocale(before);
        if (isinf(v) || (type == PROTOBUF_C_TYPE_FLOAT && isinf((float)v)))
            return arena_printf(a, "%s is out of range for %s", shown(a, ev->text, ev->len),
                                type == PROTOBUF_C_TYPE_FLOAT ? "float" : "double");
    }
    for (size_t i = 0; !known && ev->kind == JSON_STRING && i < ARRAY_LEN(specials); i++) {
        if (strlen(specials[i].name) == ev->len &&
            memcmp(specials[i].name, ev->text, ev->len) == 0) {
            v = specials[i].value;
            known = true;
        }
    }
    if (!known)
        return arena_printf(a, "must be a number, not %s", shown(a, ev->text, ev->len));
    if (type == PROTOBUF_C_TYPE_FLOAT)
        *(float *)member = (float)v;
    else
        *(double *)member = v;
    return NULL;
}

static const char *unknown_value(struct arena *a, const ProtobufCEnumDescriptor *type,
                                 const char *name)
{
    const char **names = arena_array(a, type->n_value_names, sizeof(*names));
    if (!names)
        return no_memory;
    for (unsigned i = 0; i < type->n_value_names; i++)
        names[i] = type->values_by_name[i].name;
    size_t nearest;
    if (near_pick(name, names, type->n_value_names, &nearest, 1) > 0)
        return arena_printf(a, "\"%s\" is no %s; did you mean %s?", name, type->short_name,
                            names[nearest]);
    return arena_printf(a, "\"%s\" is no %s, which are %s, ...", name, type->short_name,
                        type->values[type->n_values > 1].name);
}

static const char *put_enum(struct arena *a, const ProtobufCFieldDescriptor *f,
                            const struct json_event *ev, void *member)
{
    if (ev->kind == JSON_NUMBER)
        return put_whole(a, PROTOBUF_C_TYPE_INT32, ev->text, ev->len, member);
    const char *name = shown(a, ev->text, ev->len);
    const ProtobufCEnumValue *value = NULL;
    /* A name with a NUL in it would look like another. */
    if (!memchr(ev->text, '\0', ev->len))
        value = protobuf_c_enum_descriptor_get_value_by_name(f->descriptor,
                                                             arena_strndup(a, ev->text, ev->len));
    if (!value)
        return unknown_value(a, f->descriptor, name);
    *(int *)member = value->value;
    return NULL;
}

static const char *put_string(struct arena *a, const char *text, size_t len, void *member)
{
    if (len > 0 && memchr(text, '\0', len))
        return "must not have the character U+0000";
    char *copy = arena_strndup(a, len > 0 ? text : "", len);
    *(char **)member = copy;
    return a->exhausted ? no_memory : NULL;
}

static const char *put_bytes(struct arena *a, const struct json_event *ev, void *member)
{
    ProtobufCBinaryData bytes = {.data = arena_alloc(a, BASE64_ROOM(ev->len))};
    if (!bytes.data)
        return no_memory;
    if (!base64_decode(ev->text, ev->len, bytes.data, &bytes.len))
        return "must be bytes in base64";
    *(ProtobufCBinaryData *)member = bytes;
    return NULL;
}

const char *pbjson_wants(const ProtobufCFieldDescriptor *f)
{
    const ProtobufCMessageDescriptor *type = pbjson_message_type(f);
    switch (f->type) {
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return "must be a number";
    case PROTOBUF_C_TYPE_BOOL:
        return "must be true or false";
    case PROTOBUF_C_TYPE_ENUM:
        return "must be a name as text";
    case PROTOBUF_C_TYPE_STRING:
        return "must be text";
    case PROTOBUF_C_TYPE_BYTES:
        return "must be bytes in base64";
    case PROTOBUF_C_TYPE_MESSAGE:
        return pbjson_is_timestamp(type) ? PBJSON_WANTS_TIME : "must be an object";
    default:
        return "must be a whole number";
    }
}

const char *pbjson_scalar(struct arena *a, const ProtobufCFieldDescriptor *f,
                          const struct json_event *ev, void *member)
{
    bool text = ev->kind == JSON_STRING, number = ev->kind == JSON_NUMBER;
    bool truth = ev->kind == JSON_TRUE || ev->kind == JSON_FALSE;
    switch (f->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    case PROTOBUF_C_TYPE_BOOL:
        if (!truth)
            break;
        *(protobuf_c_boolean *)member = ev->kind == JSON_TRUE;
        return NULL;
    case PROTOBUF_C_TYPE_STRING:
        return text ? put_string(a, ev->text, ev->len, member) : pbjson_wants(f);
    case PROTOBUF_C_TYPE_BYTES:
        return text ? put_bytes(a, ev, member) : pbjson_wants(f);
    case PROTOBUF_C_TYPE_ENUM:
        return text || number ? put_enum(a, f, ev, member) : pbjson_wants(f);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return text || number ? put_real(a, f->type, ev, member) : pbjson_wants(f);
    default:
        return text || number ? put_whole(a, f->type, ev->text, ev->len, member) : pbjson_wants(f);
    }
    return pbjson_wants(f);
}

const char *pbjson_key(struct arena *a, const ProtobufCFieldDescriptor *f, const char *text,
                       size_t len, void *member)
{
    struct json_event ev = {JSON_STRING, text, len};
    if (f->type == PROTOBUF_C_TYPE_BOOL) {
        if (len == 4 && memcmp(text, "true", 4) == 0)
            ev.kind = JSON_TRUE;
        else if (len == 5 && memcmp(text, "false", 5) == 0)
            ev.kind = JSON_FALSE;
    }
    return pbjson_scalar(a, f, &ev, member);
}
