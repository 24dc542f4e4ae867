#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "doc.h"
#include "meant.h"
#include "request.h"

static const struct {
    const char *key;
    size_t offset;
    bool is_file;
} settings[] = {
    {"server", offsetof(struct context, server), false},
    {"token_file", offsetof(struct context, token_file), true},
    {"ca", offsetof(struct context, ca), true},
    {"cert", offsetof(struct context, cert), true},
    {"key", offsetof(struct context, key), true},
    {"server_name", offsetof(struct context, server_name), false},
    {"cloud", offsetof(struct context, cloud), false},
};

struct reader {
    struct arena *arena;
    yaml_document_t *document;
    struct context_file *file;
    char *why;
};

const char *context_path(struct arena *a)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/') {
        return arena_printf(a, "%s/isobar/client.yaml", xdg);
    }
    return home && *home ? arena_printf(a, "%s/.config/isobar/client.yaml", home) : "";
}

const char *context_setting(const struct context *context, size_t i, const char **ret_key)
{
    if (i >= ARRAY_LEN(settings)) {
        *ret_key = NULL;
        return NULL;
    }
    *ret_key = settings[i].key;
    return *(const char *const *)(const void *)((const char *)context + settings[i].offset);
}

static bool PRINTF(3, 4) wrong_at(struct reader *r, const yaml_mark_t *mark, const char *fmt, ...)
{
    char what[CONTEXT_WHY / 2];
    va_list list;
    va_start(list, fmt);
    vsnprintf(what, sizeof(what), fmt, list);
    va_end(list);
    snprintf(r->why, CONTEXT_WHY, "%.200s:%zu:%zu: %s", r->file->path, mark->line + 1,
             mark->column + 1, what);
    return false;
}

static const char *text_of(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static bool unknown_key(struct reader *r, const yaml_node_t *key, const char *const *words,
                        size_t n)
{
    char what[CONTEXT_WHY / 2];
    meant(what, sizeof(what), "key", text_of(key) ? text_of(key) : "?", words, n, true);
    return wrong_at(r, &key->start_mark, "%s", what);
}

static const char *home_file(struct arena *a, const char *name)
{
    const char *home = getenv("HOME");
    return strncmp(name, "~/", 2) == 0 && home ? arena_printf(a, "%s%s", home, name + 1)
                                               : arena_strdup(a, name);
}

static bool read_setting(struct reader *r, struct context *to, const yaml_node_t *key,
                         const yaml_node_t *value)
{
    const char *words[ARRAY_LEN(settings)], *name = text_of(key), *text = text_of(value);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        words[i] = settings[i].key;
        if (!name || strcmp(name, settings[i].key) != 0) {
            continue;
        }
        const char **place = (const char **)(void *)((char *)to + settings[i].offset);
        if (*place) {
            return wrong_at(r, &key->start_mark, "%s is there twice", name);
        }
        if (!text || !*text) {
            return wrong_at(r, &value->start_mark, "%s has to be a text", name);
        }
        *place = settings[i].is_file ? home_file(r->arena, text) : arena_strdup(r->arena, text);
        return true;
    }
    return unknown_key(r, key, words, ARRAY_LEN(words));
}

static bool read_context(struct reader *r, const yaml_node_t *key, const yaml_node_t *value)
{
    struct context *to = &r->file->contexts[r->file->n];
    const char *name = text_of(key);
    if (!name || !*name) {
        return wrong_at(r, &key->start_mark, "a context's name has to be a text");
    }
    for (size_t i = 0; i < r->file->n; i++) {
        if (strcmp(r->file->contexts[i].name, name) == 0) {
            return wrong_at(r, &key->start_mark, "the context %.60s is there twice", name);
        }
    }
    if (value->type != YAML_MAPPING_NODE) {
        return wrong_at(r, &value->start_mark, "a context has to be a mapping of settings");
    }
    to->name = arena_strdup(r->arena, name);
    r->file->n++;
    for (const yaml_node_pair_t *p = value->data.mapping.pairs.start;
         p < value->data.mapping.pairs.top; p++) {
        if (!read_setting(r, to, yaml_document_get_node(r->document, p->key),
                          yaml_document_get_node(r->document, p->value))) {
            return false;
        }
    }
    return true;
}

static bool read_contexts(struct reader *r, const yaml_node_t *node)
{
    if (node->type != YAML_MAPPING_NODE) {
        return wrong_at(r, &node->start_mark, "contexts has to be a mapping of names");
    }
    const yaml_node_pair_t *first = node->data.mapping.pairs.start,
                           *end = node->data.mapping.pairs.top;
    r->file->contexts = arena_array(r->arena, (size_t)(end - first) + 1, sizeof(struct context));
    for (const yaml_node_pair_t *p = first; r->file->contexts && p < end; p++) {
        if (!read_context(r, yaml_document_get_node(r->document, p->key),
                          yaml_document_get_node(r->document, p->value))) {
            return false;
        }
    }
    return r->file->contexts != NULL;
}

static bool read_root(struct reader *r, const yaml_node_t *root)
{
    static const char *const words[] = {"current", "contexts"};
    const yaml_node_t *current = NULL;
    char why[CONTEXT_WHY];
    if (root->type != YAML_MAPPING_NODE) {
        return wrong_at(r, &root->start_mark, "the file has to be a mapping");
    }
    for (const yaml_node_pair_t *p = root->data.mapping.pairs.start;
         p < root->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, p->key);
        const yaml_node_t *value = yaml_document_get_node(r->document, p->value);
        const char *name = text_of(key);
        if (name && strcmp(name, "contexts") == 0) {
            if (!read_contexts(r, value)) {
                return false;
            }
        } else if (name && strcmp(name, "current") == 0) {
            current = value;
        } else {
            return unknown_key(r, key, words, ARRAY_LEN(words));
        }
    }
    if (!current) {
        return true;
    }
    if (!text_of(current)) {
        return wrong_at(r, &current->start_mark, "current has to be a name");
    }
    r->file->current = arena_strdup(r->arena, text_of(current));
    r->file->current_from = current->start_mark.index;
    r->file->current_to = current->end_mark.index;
    if (!context_find(r->file, r->file->current, why)) {
        return wrong_at(r, &current->start_mark, "%s", why);
    }
    return true;
}

bool context_file_parse(struct arena *a, const char *path, const char *text, size_t len,
                        struct context_file *ret, char why[CONTEXT_WHY])
{
    *ret = (struct context_file){.path = path};
    yaml_parser_t parser;
    yaml_document_t document;
    struct reader r = {.arena = a, .document = &document, .file = ret, .why = why};
    if (!yaml_parser_initialize(&parser)) {
        snprintf(why, CONTEXT_WHY, "no memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    bool good;
    if (!yaml_parser_load(&parser, &document)) {
        good = wrong_at(&r, &parser.problem_mark, "%s", parser.problem ? parser.problem : "?");
    } else {
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        good = !root || read_root(&r, root);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return good;
}

bool context_file_read(struct arena *a, const char *path, struct context_file *ret,
                       char why[CONTEXT_WHY])
{
    *ret = (struct context_file){.path = path};
    if (!*path || (access(path, F_OK) != 0 && errno == ENOENT)) {
        return true;
    }
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    return request_read_file(path, &text, why) &&
           context_file_parse(a, path, text.data ? text.data : "", text.len, ret, why);
}

const struct context *context_find(const struct context_file *file, const char *name,
                                   char why[CONTEXT_WHY])
{
    enum { WORDS_MAX = 64 };
    const char *words[WORDS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < file->n; i++) {
        if (strcmp(file->contexts[i].name, name) == 0) {
            return &file->contexts[i];
        }
        if (n < WORDS_MAX) {
            words[n++] = file->contexts[i].name;
        }
    }
    if (n) {
        meant(why, CONTEXT_WHY, "context", name, words, n, true);
    } else {
        snprintf(why, CONTEXT_WHY, "there is no context \"%.60s\": %.300s names none", name,
                 *file->path ? file->path : "client.yaml");
    }
    return NULL;
}

/* The byte at which a character begins; libyaml counts characters. */
static size_t byte_of(const char *text, size_t len, size_t chars)
{
    size_t at = 0;
    while (at < len && chars) {
        at++;
        while (at < len && ((unsigned char)text[at] & 0xc0) == 0x80) {
            at++;
        }
        chars--;
    }
    return at;
}

void context_with_current(const struct context_file *file, const char *text, size_t len,
                          const char *name, struct buf *out)
{
    CLEANUP(buf_done) struct buf quoted;
    buf_init(&quoted, SIZE_MAX / 2);
    doc_yaml_string(&quoted, name, strlen(name));
    if (!file->current) {
        buf_addf(out, "current: %s\n", buf_cstr(&quoted));
        buf_add(out, text, len);
        return;
    }
    size_t from = byte_of(text, len, file->current_from), to = byte_of(text, len, file->current_to);
    buf_add(out, text, from);
    buf_adds(out, buf_cstr(&quoted));
    buf_add(out, text + to, len - to);
}
