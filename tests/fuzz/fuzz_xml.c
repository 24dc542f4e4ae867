/* Any bytes as an answer in XML, into structs of every type of field: what is taken has only UTF-8
 * in it and as many elements as it says, what is refused has a reason in one line. */
#include <string.h>

#include "fuzz.h"
#include "isobar/utf8.h"
#include "kit/xml.h"

struct node {
    const char *text;
    int64_t number;
    bool truth;
    struct {
        const char *text;
    } inner;
    struct shape_list list;
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
    SHAPE_FIELD(struct node, strings, "t", SHAPE_STRINGS),
    SHAPE_FIELD(struct node, map, "m", SHAPE_MAP),
};
static const struct shape node_shape = {
    .size = sizeof(struct node), .fields = node_fields, .n_fields = ARRAY_LEN(node_fields)};

static void look_at(const char *text)
{
    MUST(utf8_is(text, strlen(text)));
}

/* Read all of it, so that the sanitizers see what is not there. */
static void walk(const struct node *n, unsigned depth)
{
    const struct node *items = n->list.items;

    MUST(depth < XML_DEPTH_MAX);
    look_at(n->text ? n->text : "");
    look_at(n->inner.text ? n->inner.text : "");
    for (size_t i = 0; i < n->strings.n; i++)
        look_at(n->strings.items[i]);
    for (size_t i = 0; i < n->map.n; i++) {
        look_at(n->map.items[i].key);
        look_at(n->map.items[i].value);
    }
    for (size_t i = 0; i < n->list.n; i++)
        walk(&items[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct node node = {0};
    char why[160] = "";

    arena_init(&arena, 1 << 20);
    if (xml_parse(&arena, (const char *)data, len, &node_shape, &node, why))
        walk(&node, 0);
    else
        MUST(*why && !strchr(why, '\n'));
    arena_done(&arena);
    return 0;
}
