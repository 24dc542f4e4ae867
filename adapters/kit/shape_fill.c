#include "shape_fill.h"

#include <stdlib.h>
#include <string.h>

/* Elements that a list has memory for at first, where they are small; it doubles from there. */
#define LIST_ROOM 4
#define SMALL     256 /* bytes */

/* What is read may hold a NUL; no name does. */
static bool is_name(const char *name, const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (name[i] == '\0' || name[i] != key[i])
            return false;
    return name[len] == '\0';
}

const struct shape_field *fill_find(const struct shape *shape, const char *name, size_t len,
                                    size_t *next)
{
    size_t at = *next;

    for (size_t n = 0; n < shape->n_fields; n++) {
        const struct shape_field *field = &shape->fields[at];

        at = at + 1 == shape->n_fields ? 0 : at + 1;
        if (is_name(field->name, name, len)) {
            *next = at;
            return field;
        }
    }
    return NULL;
}

const char *fill_text(struct arena *a, const struct fill_value *v)
{
    if (!v->text)
        return NULL;
    return v->len ? arena_strndup(a, v->text, v->len) : "";
}

static bool is_word(const struct fill_value *v, const char *word)
{
    return v->len == strlen(word) && memcmp(v->text, word, v->len) == 0;
}

static bool to_bool(const struct fill_value *v, bool *ret)
{
    *ret = is_word(v, "true");
    return *ret || is_word(v, "false");
}

/* An integer as notations or people write it; false where it is none or out of range. */
static bool to_int(const struct fill_value *v, int64_t *ret)
{
    size_t i = v->len > 0 && v->text[0] == '-';
    bool negative = i == 1;
    char text[64];
    double real;
    int64_t value = 0;

    if (i == v->len)
        return false;
    for (; i < v->len && v->text[i] >= '0' && v->text[i] <= '9'; i++) {
        int digit = v->text[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *ret = value;
    if (i == v->len)
        return true;
    if (!(v->also & FILL_REAL) || v->len >= sizeof(text))
        return false;
    if (!memchr(v->text, 'e', v->len) && !memchr(v->text, 'E', v->len))
        return true;
    memcpy(text, v->text, v->len);
    text[v->len] = '\0';
    real = strtod(text, NULL);
    if (!(real > -9.2e18 && real < 9.2e18))
        return false;
    *ret = (int64_t)real;
    return true;
}

void fill_scalar(struct arena *a, const struct shape_field *field, void *to,
                 const struct fill_value *v)
{
    char *at = (char *)to + field->offset;
    const char *text;
    int64_t number;
    bool truth;

    switch (field->type) {
    case SHAPE_STRING:
        text = fill_text(a, v);
        memcpy(at, &text, sizeof(text));
        break;
    case SHAPE_INT:
        if (v->also & (FILL_DIGITS | FILL_REAL) && to_int(v, &number))
            memcpy(at, &number, sizeof(number));
        break;
    case SHAPE_BOOL:
        if (v->also & FILL_BOOL && to_bool(v, &truth))
            memcpy(at, &truth, sizeof(truth));
        break;
    default:
        break;
    }
}

void *fill_container(const struct shape_field *field, void *to)
{
    char *at = (char *)to + field->offset;

    switch (field->type) {
    case SHAPE_STRUCT:
        break;
    case SHAPE_LIST:
    case SHAPE_DICT:
        memset(at, 0, sizeof(struct shape_list));
        break;
    case SHAPE_STRINGS:
        memset(at, 0, sizeof(struct shape_strings));
        break;
    case SHAPE_MAP:
        memset(at, 0, sizeof(struct shape_map));
        break;
    default:
        return NULL;
    }
    return at;
}

/* The place behind the `n` elements that `*items` has, made larger where need be. */
static void *grow(struct arena *a, size_t *room, void **items, size_t n, size_t size)
{
    if (n == *room) {
        size_t wanted = *room ? *room * 2 : size > SMALL ? 1 : LIST_ROOM;
        void *grown = arena_array(a, wanted, size);

        if (!grown)
            return NULL;
        if (n)
            memcpy(grown, *items, n * size);
        *items = grown;
        *room = wanted;
    }
    return (char *)*items + n * size;
}

void *fill_element(struct arena *a, struct shape_list *list, size_t *room, size_t size)
{
    void *place = grow(a, room, &list->items, list->n, size);

    if (place)
        list->n++;
    return place;
}

bool fill_string(struct arena *a, struct shape_strings *list, size_t *room, const char *text)
{
    void *items = list->items;
    const char **place = grow(a, room, &items, list->n, sizeof(*place));

    if (!place)
        return false;
    list->items = items;
    list->n++;
    *place = text;
    return true;
}

bool fill_pair(struct arena *a, struct shape_map *map, size_t *room, const char *key,
               const char *value)
{
    void *items = map->items;
    struct shape_pair *place = grow(a, room, &items, map->n, sizeof(*place));

    if (!place)
        return false;
    map->items = items;
    map->n++;
    *place = (struct shape_pair){.key = key, .value = value};
    return true;
}
