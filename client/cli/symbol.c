#include "symbol.h"

#include <string.h>

#include "isobar/near.h"
#include "isobar/services.h"

struct service_row {
    const char *name;
    const ProtobufCServiceDescriptor *service;
};

static const struct service_row services[] = {
#define SERVICE_ROW(full, descriptor) {full, &(descriptor)},
    ISOBAR_SERVICES(SERVICE_ROW)
#undef SERVICE_ROW
};

enum { SYMBOLS_MAX = 1024 };

struct gather {
    struct arena *arena;
    struct symbol *items;
    size_t n;
};

static struct symbol *add(struct gather *g, enum symbol_kind kind, const char *name)
{
    if (g->n == SYMBOLS_MAX) {
        return NULL;
    }
    struct symbol *s = &g->items[g->n++];
    s->kind = kind;
    s->name = name;
    return s;
}

static bool has(const struct gather *g, const void *descriptor)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->items[i].message == descriptor || g->items[i].enumeration == descriptor) {
            return true;
        }
    }
    return false;
}

static void add_enum(struct gather *g, const ProtobufCEnumDescriptor *e)
{
    struct symbol *s = has(g, e) ? NULL : add(g, SYMBOL_ENUM, e->name);
    if (s) {
        s->enumeration = e;
    }
}

static void add_message(struct gather *g, const ProtobufCMessageDescriptor *m)
{
    struct symbol *s = has(g, m) ? NULL : add(g, SYMBOL_MESSAGE, m->name);
    if (!s) {
        return;
    }
    s->message = m;
    for (unsigned i = 0; i < m->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->fields[i];
        if (f->type == PROTOBUF_C_TYPE_MESSAGE && !symbol_is_map(f)) {
            add_message(g, f->descriptor);
        } else if (f->type == PROTOBUF_C_TYPE_ENUM) {
            add_enum(g, f->descriptor);
        }
    }
}

const struct symbol *symbol_all(struct arena *a, size_t *ret_n)
{
    struct gather g = {.arena = a, .items = arena_array(a, SYMBOLS_MAX, sizeof(struct symbol))};
    *ret_n = 0;
    if (!g.items) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        struct symbol *s = add(&g, SYMBOL_SERVICE, services[i].name);
        if (s) {
            s->service = services[i].service;
        }
        for (unsigned k = 0; s && k < services[i].service->n_methods; k++) {
            const ProtobufCMethodDescriptor *method = &services[i].service->methods[k];
            struct symbol *each =
                add(&g, SYMBOL_METHOD, arena_printf(a, "%s/%s", services[i].name, method->name));
            if (each) {
                each->service = services[i].service;
                each->method = method;
            }
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        for (unsigned k = 0; k < services[i].service->n_methods; k++) {
            add_message(&g, services[i].service->methods[k].input);
            add_message(&g, services[i].service->methods[k].output);
        }
    }
    *ret_n = g.n;
    return g.items;
}

static bool is_separator(char c)
{
    return c == '.' || c == '/';
}

/* Whether `word` is the whole name, or its end behind a separator. */
static bool name_ends(const char *name, const char *word)
{
    size_t n = strlen(name), w = strlen(word);
    if (w > n || (w < n && !is_separator(name[n - w - 1]))) {
        return false;
    }
    for (size_t i = 0; i < w; i++) {
        char c = name[n - w + i];
        if (c != word[i] && !(is_separator(c) && is_separator(word[i]))) {
            return false;
        }
    }
    return true;
}

/* What follows the last separators of a name, as many as the word has. */
static const char *short_name(const char *name, const char *word)
{
    size_t parts = 1;
    for (const char *p = word; *p; p++) {
        parts += is_separator(*p);
    }
    for (const char *p = name + strlen(name); p > name; p--) {
        if (is_separator(p[-1]) && --parts == 0) {
            return p;
        }
    }
    return name;
}

const struct symbol *symbol_find(struct arena *a, const char *name, int kind, const char **ret_near)
{
    size_t n = 0, n_words = 0;
    const struct symbol *all = symbol_all(a, &n);
    const char **words = arena_array(a, n + 1, sizeof(*words));
    if (ret_near) {
        *ret_near = NULL;
    }
    for (size_t i = 0; all && words && i < n; i++) {
        if (kind >= 0 && all[i].kind != (enum symbol_kind)kind) {
            continue;
        }
        if (*name && name_ends(all[i].name, name)) {
            return &all[i];
        }
        words[n_words++] = short_name(all[i].name, name);
    }
    size_t index = 0;
    if (ret_near && n_words && near_pick(name, words, n_words, &index, 1)) {
        *ret_near = words[index];
    }
    return NULL;
}

bool symbol_method(struct arena *a, const char *path, struct symbol *ret)
{
    const char *slash = strchr(path, '/');
    for (size_t i = 0; slash && i < ARRAY_LEN(services); i++) {
        const ProtobufCServiceDescriptor *s = services[i].service;
        if (strlen(s->short_name) != (size_t)(slash - path) ||
            strncmp(s->short_name, path, (size_t)(slash - path)) != 0) {
            continue;
        }
        const ProtobufCMethodDescriptor *m =
            protobuf_c_service_descriptor_get_method_by_name(s, slash + 1);
        if (m) {
            *ret = (struct symbol){
                .kind = SYMBOL_METHOD,
                .name = arena_printf(a, "%s/%s", services[i].name, m->name),
                .service = s,
                .method = m,
            };
            return true;
        }
    }
    return false;
}

bool symbol_is_map(const ProtobufCFieldDescriptor *f)
{
    if (f->label != PROTOBUF_C_LABEL_REPEATED || f->type != PROTOBUF_C_TYPE_MESSAGE) {
        return false;
    }
    const ProtobufCMessageDescriptor *m = f->descriptor;
    size_t len = strlen(m->short_name);
    return len > 5 && strcmp(m->short_name + len - 5, "Entry") == 0 && m->n_fields == 2 &&
           strcmp(m->fields[0].name, "key") == 0 && strcmp(m->fields[1].name, "value") == 0;
}

size_t symbol_enum_prefix(const ProtobufCEnumDescriptor *e)
{
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(e, 0);
    static const char suffix[] = "UNSPECIFIED";
    size_t len = zero ? strlen(zero->name) : 0;
    if (len < sizeof(suffix) || strcmp(zero->name + len - (sizeof(suffix) - 1), suffix) != 0) {
        return 0;
    }
    return len - (sizeof(suffix) - 1);
}

const char *symbol_enum_word(const ProtobufCEnumDescriptor *e, int value)
{
    const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(e, value);
    return v ? v->name + symbol_enum_prefix(e) : NULL;
}
