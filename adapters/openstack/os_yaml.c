#include "os_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* Aliases multiply; no clouds.yaml comes near. */
enum { NODES_MAX = 100000, DEPTH_MAX = 32 };

struct reader {
    struct arena *arena;
    const char *file;
    yaml_document_t *doc;
    int nodes;
    struct open_error *error;
};

static struct os_node *fail(struct reader *r, size_t line, const char *what)
{
    snprintf(r->error->text, sizeof(r->error->text), "%s:%zu: %s", r->file, line, what);
    return NULL;
}

struct os_node *os_node_new(struct arena *a, const char *key, const char *text, const char *file)
{
    struct os_node *n = ARENA_NEW(a, struct os_node);
    if (n == NULL)
        return NULL;
    n->kind = text == NULL ? OS_NODE_MAP : OS_NODE_SCALAR;
    n->key = key;
    n->text = text == NULL ? NULL : arena_strdup(a, text);
    n->file = file;
    return n;
}

static void append(struct os_node *parent, struct os_node *child)
{
    child->next = NULL;
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

void os_node_remove(struct os_node *map, const char *key)
{
    struct os_node *before = NULL;
    for (struct os_node *n = map->first; n != NULL; before = n, n = n->next) {
        if (n->key == NULL || strcmp(n->key, key) != 0)
            continue;
        if (before == NULL)
            map->first = n->next;
        else
            before->next = n->next;
        if (map->last == n)
            map->last = before;
        return;
    }
}

void os_node_put(struct os_node *map, struct os_node *child)
{
    os_node_remove(map, child->key);
    append(map, child);
}

struct os_node *os_node_get(const struct os_node *map, const char *key)
{
    if (map == NULL || map->kind != OS_NODE_MAP)
        return NULL;
    for (struct os_node *n = map->first; n != NULL; n = n->next) {
        if (strcmp(n->key, key) == 0)
            return n;
    }
    return NULL;
}

const char *os_node_text(const struct os_node *map, const char *key)
{
    const struct os_node *n = os_node_get(map, key);
    return n != NULL && n->kind == OS_NODE_SCALAR && n->text[0] != '\0' ? n->text : NULL;
}

/* What YAML 1.1 reads as null, as PyYAML does. */
static bool is_null(const yaml_node_t *y)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp((const char *)y->data.scalar.value, words[i]) == 0)
            return true;
    }
    return false;
}

static struct os_node *convert(struct reader *r, int index, int depth);

static struct os_node *convert_list(struct reader *r, const yaml_node_t *y, struct os_node *n,
                                    int depth)
{
    n->kind = OS_NODE_LIST;
    for (yaml_node_item_t *i = y->data.sequence.items.start; i < y->data.sequence.items.top; i++) {
        struct os_node *child = convert(r, *i, depth + 1);
        if (child == NULL)
            return NULL;
        append(n, child);
    }
    return n;
}

/* "<<: *other": what the map itself does not have comes from the other, or others. */
static struct os_node *merge_key(struct reader *r, struct os_node *n, struct os_node *from)
{
    if (from->kind == OS_NODE_LIST) {
        for (struct os_node *each = from->first; each != NULL; each = each->next) {
            if (merge_key(r, n, each) == NULL)
                return NULL;
        }
        return n;
    }
    if (from->kind != OS_NODE_MAP)
        return fail(r, n->line, "what \"<<\" merges is no map");
    for (struct os_node *child = from->first, *next; child != NULL; child = next) {
        next = child->next;
        if (os_node_get(n, child->key) == NULL)
            append(n, child);
    }
    return n;
}

static struct os_node *convert_map(struct reader *r, const yaml_node_t *y, struct os_node *n,
                                   int depth)
{
    n->kind = OS_NODE_MAP;
    struct os_node *merged = NULL;
    for (yaml_node_pair_t *p = y->data.mapping.pairs.start; p < y->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        if (key->type != YAML_SCALAR_NODE)
            return fail(r, key->start_mark.line + 1, "a key must be plain text");
        struct os_node *child = convert(r, p->value, depth + 1);
        if (child == NULL)
            return NULL;
        char *name = arena_strdup(r->arena, (const char *)key->data.scalar.value);
        if (strcmp(name, "<<") == 0) {
            merged = child;
            continue;
        }
        for (char *c = name; *c != '\0'; c++) {
            if (*c == '-' && depth > 1) /* names of clouds keep their dashes */
                *c = '_';
        }
        child->key = name;
        child->line = key->start_mark.line + 1;
        os_node_put(n, child);
    }
    return merged == NULL ? n : merge_key(r, n, merged);
}

static struct os_node *convert(struct reader *r, int index, int depth)
{
    const yaml_node_t *y = yaml_document_get_node(r->doc, index);
    size_t line = y->start_mark.line + 1;
    if (depth > DEPTH_MAX || ++r->nodes > NODES_MAX)
        return fail(r, line, "nested too deep, or too much of it");
    struct os_node *n = ARENA_NEW(r->arena, struct os_node);
    if (n == NULL)
        return fail(r, line, "out of memory");
    n->file = r->file;
    n->line = line;
    if (y->type == YAML_SEQUENCE_NODE)
        return convert_list(r, y, n, depth);
    if (y->type == YAML_MAPPING_NODE)
        return convert_map(r, y, n, depth);
    n->kind = is_null(y) ? OS_NODE_NULL : OS_NODE_SCALAR;
    n->text = arena_strndup(r->arena, (const char *)y->data.scalar.value, y->data.scalar.length);
    return n;
}

/* libyaml does not wipe what it frees. */
static void document_delete(yaml_document_t *doc)
{
    for (yaml_node_t *y = doc->nodes.start; y < doc->nodes.top; y++) {
        if (y->type == YAML_SCALAR_NODE)
            explicit_bzero(y->data.scalar.value, y->data.scalar.length);
    }
    yaml_document_delete(doc);
}

static struct os_node *convert_root(struct reader *r)
{
    if (yaml_document_get_root_node(r->doc) == NULL)
        return os_node_new(r->arena, NULL, NULL, r->file);
    struct os_node *root = convert(r, 1, 0);
    if (root == NULL)
        return NULL;
    if (root->kind == OS_NODE_NULL)
        return os_node_new(r->arena, NULL, NULL, r->file);
    if (root->kind != OS_NODE_MAP)
        return fail(r, root->line, "a map is expected, beginning with \"clouds:\"");
    return root;
}

struct os_node *os_yaml_parse(struct arena *a, const char *text, size_t len, const char *file,
                              struct open_error *ret_error)
{
    struct reader r = {.arena = a, .file = arena_strdup(a, file), .error = ret_error};
    yaml_parser_t parser;
    yaml_document_t doc;
    if (!yaml_parser_initialize(&parser))
        return fail(&r, 1, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    struct os_node *root = NULL;
    if (!yaml_parser_load(&parser, &doc)) {
        char what[256];
        snprintf(what, sizeof(what), "%s%s%s",
                 parser.problem == NULL ? "this is no YAML" : parser.problem,
                 parser.context == NULL ? "" : " ", parser.context == NULL ? "" : parser.context);
        fail(&r, parser.problem_mark.line + 1, what);
    } else {
        r.doc = &doc;
        root = convert_root(&r);
        document_delete(&doc);
    }
    yaml_parser_delete(&parser);
    if (root != NULL && a->exhausted)
        return fail(&r, 1, "the file is too large");
    return root;
}

static struct os_node *copy(struct arena *a, const struct os_node *n)
{
    struct os_node *c = ARENA_NEW(a, struct os_node);
    if (c == NULL)
        return NULL;
    *c = *n;
    c->first = c->last = c->next = NULL;
    for (const struct os_node *child = n->first; child != NULL; child = child->next) {
        struct os_node *twin = copy(a, child);
        if (twin == NULL)
            return NULL;
        append(c, twin);
    }
    return c;
}

struct os_node *os_node_merge(struct arena *a, const struct os_node *base,
                              const struct os_node *over, int depth)
{
    struct os_node *merged = copy(a, base);
    if (merged == NULL || over == NULL)
        return merged;
    for (const struct os_node *n = over->first; n != NULL; n = n->next) {
        const struct os_node *old = os_node_get(base, n->key);
        bool both = old != NULL && old->kind == OS_NODE_MAP && n->kind == OS_NODE_MAP;
        struct os_node *child =
            both && depth > 0 ? os_node_merge(a, old, n, depth - 1) : copy(a, n);
        if (child == NULL)
            return NULL;
        os_node_put(merged, child);
    }
    return merged;
}

void os_node_wipe(struct os_node *node)
{
    if (node == NULL)
        return;
    if (node->text != NULL)
        explicit_bzero(node->text, strlen(node->text));
    for (struct os_node *n = node->first; n != NULL; n = n->next)
        os_node_wipe(n);
}
