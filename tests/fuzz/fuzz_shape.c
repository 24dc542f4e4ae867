/* Any bytes as the answer of a cloud, into structs of every type of field. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/shape.h"

struct node {
    const char *key, *text;
    int64_t number;
    bool truth;
    struct {
        const char *text;
    } inner;
    struct shape_list list, dict;
    struct shape_strings strings;
    struct shape_map map;
};

static const struct shape_field inner_fields[] = {{"s", SHAPE_STRING, 0, NULL}};
static const struct shape inner_shape = {
    .size = sizeof(((struct node *)0)->inner), .fields = inner_fields, .n_fields = 1};

static const struct shape node_shape;
static const struct shape_field node_fields[] = {
    SHAPE_FIELD(struct node, text, "s", SHAPE_STRING),
    SHAPE_FIELD(struct node, number, "i", SHAPE_INT),
    SHAPE_FIELD(struct node, truth, "b", SHAPE_BOOL),
    SHAPE_NESTED(struct node, inner, "o", SHAPE_STRUCT, inner_shape),
    SHAPE_NESTED(struct node, list, "l", SHAPE_LIST, node_shape),
    SHAPE_NESTED(struct node, dict, "d", SHAPE_DICT, node_shape),
    SHAPE_FIELD(struct node, strings, "t", SHAPE_STRINGS),
    SHAPE_FIELD(struct node, map, "m", SHAPE_MAP),
};
static const struct shape node_shape = {.size = sizeof(struct node),
                                        .fields = node_fields,
                                        .n_fields = ARRAY_LEN(node_fields),
                                        .key_offset = offsetof(struct node, key)};

/* Read all of it, so that the sanitizers see what is not there. */
static size_t walk(const struct node *n)
{
    size_t seen = (size_t)(n->number != 0) + n->truth;
    const struct shape_list *lists[] = {&n->list, &n->dict};

    seen += n->key ? strlen(n->key) : 0;
    seen += n->text ? strlen(n->text) : 0;
    seen += n->inner.text ? strlen(n->inner.text) : 0;
    for (size_t i = 0; i < n->strings.n; i++)
        seen += strlen(n->strings.items[i]);
    for (size_t i = 0; i < n->map.n; i++)
        seen += strlen(n->map.items[i].key) + strlen(n->map.items[i].value);
    for (size_t l = 0; l < ARRAY_LEN(lists); l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            seen += walk((const struct node *)lists[l]->items + i);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct node node = {0};
    char why[160] = "";

    arena_init(&arena, 1 << 20);
    if (!shape_parse(&arena, (const char *)data, size, &node_shape, &node, why) && !*why)
        abort();
    /* More text than the arena has bytes would be text that is not there. */
    if (!arena.exhausted && walk(&node) == SIZE_MAX)
        abort();
    arena_done(&arena);
    return 0;
}
