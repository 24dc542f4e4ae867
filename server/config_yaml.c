#include "config_yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "isobar/utf8.h"

struct reader {
    struct arena *arena;
    struct config_mistake *mistake;
    struct config_node *open[CONFIG_DEPTH_MAX]; /* the lists and maps that are not at their end */
    size_t depth;
    size_t n_nodes;
    const char *key; /* read, and its value is not */
    yaml_mark_t key_at;
    struct config_node *root;
};

static bool fail(struct reader *r, const yaml_mark_t *at, const char *what)
{
    r->mistake->line = (int)at->line + 1;
    r->mistake->column = (int)at->column + 1;
    snprintf(r->mistake->text, sizeof(r->mistake->text), "%s", what);
    return false;
}

/* A place by its bytes, where libyaml has no mark. */
static void place(const char *text, size_t offset, struct config_mistake *ret)
{
    ret->line = ret->column = 1;
    for (size_t i = 0; i < offset; i++) {
        ret->column++;
        if (text[i] == '\n') {
            ret->line++;
            ret->column = 1;
        }
    }
}

bool config_is_null(const struct config_node *n)
{
    return n->kind == CONFIG_SCALAR && !n->quoted &&
           (!*n->text || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

size_t config_count(const struct config_node *n)
{
    size_t count = 0;

    for (const struct config_node *at = n->first; at; at = at->next)
        count++;
    return count;
}

/* ---- events ---- */

/* Where the map that is open has the key already; 0 where it has not. */
static int line_of(const struct config_node *map, const char *key)
{
    for (const struct config_node *n = map->first; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n->line;
    return 0;
}

/* The scalar is a key of the map that is open. */
static bool take_key(struct reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;

    if (len == 0 || strlen(text) != len)
        return fail(r, &e->start_mark, "a key must have at least one character, and no NUL");
    r->key = arena_strdup(r->arena, text);
    r->key_at = e->start_mark;
    return true;
}

/* Put a value where it belongs; NULL where that cannot be. */
static struct config_node *add(struct reader *r, enum config_kind kind, const yaml_mark_t *at)
{
    struct config_node *parent = r->depth ? r->open[r->depth - 1] : NULL;

    if (parent && parent->kind == CONFIG_MAP && !r->key) {
        fail(r, at, "a key must be plain text");
        return NULL;
    }
    struct config_node *n = ARENA_NEW(r->arena, struct config_node);
    if (!n || ++r->n_nodes > CONFIG_NODES_MAX) {
        fail(r, at, "there is too much in this file");
        return NULL;
    }
    n->kind = kind;
    n->key = r->key;
    n->first_line = n->key ? line_of(parent, n->key) : 0;
    n->line = (int)(r->key ? &r->key_at : at)->line + 1;
    n->column = (int)(r->key ? &r->key_at : at)->column + 1;
    r->key = NULL;
    if (!parent)
        r->root = n;
    else if (parent->last)
        parent->last->next = n;
    else
        parent->first = n;
    if (parent)
        parent->last = n;
    return n;
}

static bool take_scalar(struct reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;

    if (r->depth && r->open[r->depth - 1]->kind == CONFIG_MAP && !r->key)
        return take_key(r, e);
    if (strlen(text) != len)
        return fail(r, &e->start_mark, "a value must not have a NUL");
    struct config_node *n = add(r, CONFIG_SCALAR, &e->start_mark);
    if (!n)
        return false;
    n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    n->text = arena_strndup(r->arena, text, len);
    return true;
}

static bool open_node(struct reader *r, const yaml_event_t *e, enum config_kind kind)
{
    if (r->depth == CONFIG_DEPTH_MAX)
        return fail(r, &e->start_mark, "lists and maps are nested too deep");
    struct config_node *n = add(r, kind, &e->start_mark);
    if (!n)
        return false;
    r->open[r->depth++] = n;
    return true;
}

/* Anchors would let a small file stand for a huge one; tags mean nothing here. */
static bool is_plain(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
                     const yaml_char_t *tag)
{
    if (anchor)
        return fail(r, &e->start_mark, "anchors (&) are not allowed here; write it out");
    if (tag)
        return fail(r, &e->start_mark, "tags (!) are not allowed here; leave it out");
    return true;
}

static bool take(struct reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return is_plain(r, e, e->data.scalar.anchor, e->data.scalar.tag) && take_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        return is_plain(r, e, e->data.sequence_start.anchor, e->data.sequence_start.tag) &&
               open_node(r, e, CONFIG_LIST);
    case YAML_MAPPING_START_EVENT:
        return is_plain(r, e, e->data.mapping_start.anchor, e->data.mapping_start.tag) &&
               open_node(r, e, CONFIG_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        return true;
    case YAML_ALIAS_EVENT:
        return fail(r, &e->start_mark, "aliases (*) are not allowed here; write it out");
    case YAML_DOCUMENT_START_EVENT:
        return !r->root || fail(r, &e->start_mark, "a second document (---) is not allowed here");
    default:
        return true;
    }
}

/* ---- the whole ---- */

static void fail_syntax(struct reader *r, const yaml_parser_t *p, const char *text, size_t len)
{
    const char *problem = p->problem ? p->problem : "not readable";

    if (p->error == YAML_READER_ERROR)
        place(text, p->problem_offset < len ? p->problem_offset : len, r->mistake);
    else
        fail(r, &p->problem_mark, "");
    snprintf(r->mistake->text, sizeof(r->mistake->text), "this is no YAML: %s%s%s", problem,
             p->context ? ", " : "", p->context ? p->context : "");
}

static bool parse(struct reader *r, yaml_parser_t *p, const char *text, size_t len)
{
    for (bool more = true; more;) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e)) {
            fail_syntax(r, p, text, len);
            return false;
        }
        more = e.type != YAML_STREAM_END_EVENT;
        bool ok = take(r, &e);
        yaml_event_delete(&e);
        if (!ok)
            return false;
    }
    return true;
}

struct config_node *config_yaml(struct arena *a, const char *text, size_t len,
                                struct config_mistake *ret_mistake)
{
    struct reader r = {.arena = a, .mistake = ret_mistake};
    yaml_parser_t p;
    size_t good = utf8_good(text, len);

    *ret_mistake = (struct config_mistake){0};
    if (len > CONFIG_BYTES_MAX) {
        snprintf(ret_mistake->text, sizeof(ret_mistake->text),
                 "a configuration has at most %zu bytes", CONFIG_BYTES_MAX);
        return NULL;
    }
    if (good < len) {
        place(text, good, ret_mistake);
        snprintf(ret_mistake->text, sizeof(ret_mistake->text),
                 "this is not UTF-8; save the file in that encoding");
        return NULL;
    }
    if (!yaml_parser_initialize(&p)) {
        snprintf(ret_mistake->text, sizeof(ret_mistake->text), "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
    bool ok = parse(&r, &p, text, len);
    yaml_parser_delete(&p);
    if (!ok)
        return NULL;
    if (!r.root) {
        r.root = ARENA_NEW(a, struct config_node);
        if (r.root)
            *r.root = (struct config_node){.kind = CONFIG_MAP, .line = 1, .column = 1};
    }
    return r.root;
}
