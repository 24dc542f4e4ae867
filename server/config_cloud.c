/* The connections of a configuration, against the manifests of their adapters. */
#include <stdlib.h>
#include <string.h>

#include "config_parse.h"
#include "isobar/message.h"
#include "validate.h"
#include "words.h"

#define NAME_FIRST "abcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_REST  NAME_FIRST "_.-"

/* ---- adapters ---- */

static const struct adapter_ops *find_adapter(const char *name)
{
    for (size_t i = 0; adapters_builtin[i]; i++)
        if (strcmp(adapters_builtin[i]->name, name) == 0)
            return adapters_builtin[i];
    return NULL;
}

/* A key whose text is needed before the keys that stand above it; NULL where it has none. */
static const struct config_node *text_node(const struct config_node *map, const char *key)
{
    for (const struct config_node *n = map->first; n; n = n->next)
        if (strcmp(n->key, key) == 0 && n->kind == CONFIG_SCALAR && !config_is_null(n))
            return n;
    return NULL;
}

/* ---- what a manifest declares ---- */

static const pb_ManifestParameter *find_parameter(pb_ManifestParameter *const *all, size_t n,
                                                  const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

static const char **parameter_names(struct arena *a, pb_ManifestParameter *const *all, size_t n)
{
    const char **names = arena_array(a, n, sizeof(*names));

    for (size_t i = 0; names && i < n; i++)
        names[i] = all[i]->name;
    return names;
}

static bool is_whole(const char *text)
{
    const char *digits = text + (*text == '-');

    return *digits && !digits[strspn(digits, "0123456789")] && strlen(digits) <= 18;
}

bool config_value_fits(pb_ParameterType type, const char *text)
{
    if (type == PARAMETER_TYPE_BOOLEAN)
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    return type != PARAMETER_TYPE_INTEGER || is_whole(text);
}

/* Whether a value is one of those that may be; a mistake where not. */
static void check_allowed(struct config_reading *r, const struct config_node *n,
                          char *const *allowed, size_t n_allowed)
{
    const char **words = arena_array(r->arena, n_allowed, sizeof(*words));

    for (size_t i = 0; i < n_allowed; i++) {
        if (strcmp(allowed[i], n->text) == 0)
            return;
        if (words)
            words[i] = allowed[i];
    }
    if (n_allowed > 0)
        config_wrong(r, n, "%s cannot be \"%s\"%s", n->key, n->text,
                     words ? near_words(r->arena, n->text, words, n_allowed) : "");
}

static void check_parameter(struct config_reading *r, const struct config_node *n,
                            const pb_ManifestParameter *p)
{
    /* A secret does not go into a report. */
    const char *shown = p->secret ? "..." : n->text;

    if (!config_value_fits(p->type, n->text))
        config_wrong(r, n, "%s must be %s; it is \"%s\"", n->key,
                     p->type == PARAMETER_TYPE_INTEGER ? "a whole number" : "true or false", shown);
    else
        check_allowed(r, n, p->allowed_values, p->n_allowed_values);
}

/* ---- settings and defaults ---- */

/* A growing array in the arena: room for all that the map can have is made at once. */
static void add_pair(struct config_pair *pairs, size_t *n_pairs, const char *name,
                     const struct config_node *n)
{
    if (pairs)
        pairs[(*n_pairs)++] = (struct config_pair){name, n->text, n->line, n->column};
}

static void read_setting(struct config_reading *r, const struct config_node *n, void *base)
{
    struct config_cloud *c = base;

    if (!c->adapter || !config_expect(r, n, CONFIG_SCALAR))
        return;
    if (!c->ops) {
        static const char *const name = "cloud";
        if (strcmp(n->key, name) == 0)
            c->cloud = n->text;
        else
            config_unknown(r, &config_cloud_table, n, &name, 1);
        return;
    }
    const pb_Manifest *m = c->ops->manifest();
    const pb_ManifestParameter *p = find_parameter(m->settings, m->n_settings, n->key);
    if (!p) {
        const char **names = parameter_names(r->arena, m->settings, m->n_settings);
        config_unknown(r, &config_cloud_table, n, names, names ? m->n_settings : 0);
        return;
    }
    check_parameter(r, n, p);
    add_pair(c->settings, &c->n_settings, n->key, n);
}

static void check_settings(struct config_reading *r, const struct config_cloud *c,
                           const struct config_node *map)
{
    const pb_Manifest *m = c->ops->manifest();

    for (size_t i = 0; i < m->n_settings; i++) {
        const struct config_node *n = m->settings[i]->required ? map->first : NULL;
        if (!m->settings[i]->required)
            continue;
        while (n && strcmp(n->key, m->settings[i]->name) != 0)
            n = n->next;
        if (!n)
            config_wrong(r, map, "cloud %s needs the setting %s: %s", c->name, m->settings[i]->name,
                         m->settings[i]->description);
    }
}

/* What the adapter says of its cloud; of one that registers, nothing is known yet: NULL. */
static const pb_Manifest *manifest_for(const struct config_cloud *c)
{
    return c->ops ? c->ops->manifest() : NULL;
}

static void read_parameters(struct config_reading *r, const struct config_node *map,
                            struct config_cloud *c)
{
    const pb_Manifest *m = manifest_for(c);

    if (!config_expect(r, map, CONFIG_MAP))
        return;
    for (const struct config_node *n = map->first; n; n = n->next) {
        const pb_ManifestParameter *p =
            m ? find_parameter(m->parameters, m->n_parameters, n->key) : NULL;
        if (m && !p && !m->open_parameters) {
            const char **names = parameter_names(r->arena, m->parameters, m->n_parameters);
            config_wrong(r, n, "adapter %s has no parameter \"%s\"%s", c->adapter, n->key,
                         names ? near_words(r->arena, n->key, names, m->n_parameters) : "");
        } else if (config_expect(r, n, CONFIG_SCALAR)) {
            if (p)
                check_parameter(r, n, p);
            add_pair(c->defaults, &c->n_defaults, arena_printf(r->arena, "parameters.%s", n->key),
                     n);
        }
    }
}

static const pb_ManifestAttribute *find_attribute(const pb_Manifest *m, const char *name)
{
    for (size_t i = 0; i < m->n_attributes; i++)
        if (strcmp(m->attributes[i]->name, name) == 0)
            return m->attributes[i];
    return NULL;
}

static void no_attribute(struct config_reading *r, const struct config_node *n)
{
    size_t count_fields = pb_VmSpec_desc.n_fields;
    const char **names = arena_array(r->arena, count_fields, sizeof(*names));

    for (size_t i = 0; names && i < count_fields; i++)
        names[i] = pb_VmSpec_desc.fields[i].name;
    config_wrong(r, n, "a machine has no attribute \"%s\"%s", n->key,
                 names ? near_words(r->arena, n->key, names, count_fields) : "");
}

static void read_attribute(struct config_reading *r, const struct config_node *n,
                           struct config_cloud *c)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(&pb_VmSpec_desc, n->key);
    const pb_Manifest *manifest = manifest_for(c);
    const pb_ManifestAttribute *m = manifest ? find_attribute(manifest, n->key) : NULL;
    pb_VmSpec *spec = arena_message(r->arena, &pb_VmSpec_desc);

    if (!f)
        no_attribute(r, n);
    else if (manifest && (!m || (m->presence == PRESENCE_NOT_PRESENT && !m->nearest)))
        config_wrong(r, n, "%s is not present in the interface of %s clouds; leave it out", n->key,
                     c->adapter);
    else if (f->label == PROTOBUF_C_LABEL_REPEATED || f->type == PROTOBUF_C_TYPE_BYTES)
        config_wrong(r, n, "%s cannot have a default; leave it out", n->key);
    else if (!config_expect(r, n, CONFIG_SCALAR) || !spec)
        return;
    else if (!message_set_text(r->arena, &spec->base, f, n->text))
        config_wrong(r, n, "%s cannot be \"%s\"; %s", n->key, n->text,
                     f->type == PROTOBUF_C_TYPE_BOOL ? "it is true or false"
                                                     : "it is a whole number");
    else {
        if (m)
            check_allowed(r, n, m->allowed_values, m->n_allowed_values);
        add_pair(c->defaults, &c->n_defaults, n->key, n);
    }
}

void config_read_defaults(struct config_reading *r, const struct config_node *map, void *base)
{
    struct config_cloud *c = base;
    size_t room = config_count(map);

    if (!c->adapter || !config_expect(r, map, CONFIG_MAP))
        return;
    for (const struct config_node *n = map->first; n; n = n->next)
        room += config_count(n);
    c->defaults = arena_array(r->arena, room, sizeof(*c->defaults));
    for (const struct config_node *n = map->first; n; n = n->next) {
        if (strcmp(n->key, "parameters") == 0)
            read_parameters(r, n, c);
        else
            read_attribute(r, n, c);
    }
}

/* ---- clouds ---- */

bool config_is_name(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= CONFIG_NAME_MAX && strchr(NAME_FIRST, text[0]) &&
           strspn(text, NAME_REST) == len;
}

static void check_name(struct config_reading *r, const struct config_node *n)
{
    if (!config_is_name(n->key))
        config_wrong(r, n,
                     "\"%s\" cannot be a cloud's name: it has at most %d letters a to z, digits, "
                     "and _ . - behind the first",
                     n->key, CONFIG_NAME_MAX);
}

static void read_cloud(struct config_reading *r, const struct config_node *n,
                       struct config_cloud *c)
{
    check_name(r, n);
    if (!config_expect(r, n, CONFIG_MAP))
        return;
    c->name = n->key;
    c->line = n->line;
    c->column = n->column;
    const struct config_node *adapter = text_node(n, "adapter");
    if (adapter) {
        c->adapter = adapter->text;
        c->adapter_line = adapter->line;
        c->adapter_column = adapter->column;
        c->ops = text_node(n, "version") ? NULL : find_adapter(c->adapter);
    }
    c->settings = arena_array(r->arena, config_count(n), sizeof(*c->settings));
    config_initial(&config_cloud_table, c);
    config_read(r, &config_cloud_table, n, c, read_setting);
    if (c->ops)
        check_settings(r, c, n);
}

void config_offered_cloud(struct config_cloud *c, const char *name, const char *adapter)
{
    *c = (struct config_cloud){.name = name, .adapter = adapter};
    config_initial(&config_cloud_table, c);
}

void config_read_clouds(struct config_reading *r, const struct config_node *map, void *base)
{
    struct config *config = base;

    if (!config_expect(r, map, CONFIG_MAP))
        return;
    config->clouds = arena_array(r->arena, config_count(map), sizeof(*config->clouds));
    for (const struct config_node *n = map->first; n && config->clouds; n = n->next)
        read_cloud(r, n, &config->clouds[config->n_clouds++]);
}
