/* Values of the configuration, and maps that are read by a table. */
#include "config_parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "words.h"

/* ---- numbers with units ---- */

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first, as they are written; the one without a name is what a number alone means. */
static const struct unit durations[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {"", 1000}};
static const struct unit sizes[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}};

/* 2^53: up to there a double counts one by one. */
#define WHOLE_MAX 9007199254740992.0

static bool parse_units(const char *text, const struct unit *units, size_t n, int64_t *ret)
{
    size_t len = strspn(text, "0123456789.");
    char *end;

    /* strtod() alone would take signs, exponents, "inf" and more. */
    if (len == 0)
        return false;
    double number = strtod(text, &end);
    if (end != text + len)
        return false;
    for (size_t i = 0; i < n; i++) {
        double value = number * (double)units[i].factor;
        if (strcmp(text + len, units[i].name) != 0)
            continue;
        if (value > WHOLE_MAX)
            return false;
        *ret = (int64_t)(value + 0.5);
        return true;
    }
    return false;
}

static void write_units(int64_t value, const struct unit *units, char out[32])
{
    while (value % units->factor != 0)
        units++;
    snprintf(out, 32, "%lld%s", (long long)(value / units->factor), units->name);
}

bool config_duration(const char *text, int64_t *ret_ms)
{
    return parse_units(text, durations, ARRAY_LEN(durations), ret_ms);
}

bool config_size(const char *text, int64_t *ret_bytes)
{
    return parse_units(text, sizes, ARRAY_LEN(sizes), ret_bytes);
}

void config_duration_text(int64_t ms, char out[32])
{
    if (ms == 0)
        snprintf(out, 32, "0s");
    else
        write_units(ms, durations, out);
}

void config_size_text(int64_t bytes, char out[32])
{
    write_units(bytes, sizes, out);
}

static bool parse_count(const char *text, int64_t *ret)
{
    if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 15)
        return false;
    *ret = strtoll(text, NULL, 10);
    return true;
}

/* How the numbers of a type are read and written. */
static const struct {
    const char *what;
    bool (*parse)(const char *text, int64_t *ret);
    void (*write)(int64_t value, char out[32]);
} number_types[] = {
    [CONFIG_COUNT] = {"a whole number", parse_count, NULL},
    [CONFIG_SIZE] = {"a size, as 512KiB or 4MiB,", config_size, config_size_text},
    [CONFIG_DURATION] = {"a duration, as 30s or 500ms,", config_duration, config_duration_text},
};

void config_number_text(enum config_type type, int64_t value, char out[32])
{
    if (number_types[type].write)
        number_types[type].write(value, out);
    else
        snprintf(out, 32, "%lld", (long long)value);
}

static void store_number(enum config_type type, int64_t value, void *at)
{
    if (type == CONFIG_COUNT)
        *(unsigned *)at = (unsigned)value;
    else if (type == CONFIG_SIZE)
        *(size_t *)at = (size_t)value;
    else
        *(int *)at = (int)value;
}

static void read_number(struct config_reading *r, const struct config_key *k,
                        const struct config_node *n, void *at)
{
    int64_t value;
    char min[32], max[32];

    if (number_types[k->type].parse(n->text, &value) && value >= k->min && value <= k->max) {
        store_number(k->type, value, at);
        return;
    }
    config_number_text(k->type, k->min, min);
    config_number_text(k->type, k->max, max);
    config_wrong(r, n, "%s must be %s from %s to %s; it is \"%s\"", k->name,
                 number_types[k->type].what, min, max, n->text);
}

/* ---- other values ---- */

const char *config_path(struct config_reading *r, const char *path)
{
    const char *slash = r->config->path ? strrchr(r->config->path, '/') : NULL;

    if (path[0] == '/' || !slash)
        return path;
    return arena_printf(r->arena, "%.*s/%s", (int)(slash - r->config->path), r->config->path, path);
}

static void read_file(struct config_reading *r, const struct config_key *k,
                      const struct config_node *n, const char **at)
{
    struct stat st;
    const char *path = config_path(r, n->text);

    if (stat(path, &st) < 0 || access(path, R_OK) < 0)
        config_wrong(r, n, "%s: cannot read %s: %s", k->name, path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        config_wrong(r, n, "%s: %s is no file", k->name, path);
    *at = path;
}

static void read_folder(struct config_reading *r, const struct config_key *k,
                        const struct config_node *n, const char **at)
{
    struct stat st;

    *at = config_path(r, n->text);
    if (stat(*at, &st) == 0 && !S_ISDIR(st.st_mode))
        config_wrong(r, n, "%s: %s is no folder", k->name, *at);
}

static void read_word(struct config_reading *r, const struct config_key *k,
                      const struct config_node *n, const char **at)
{
    size_t count = 0;

    for (; k->words[count]; count++) {
        if (strcmp(k->words[count], n->text) == 0) {
            *at = k->words[count];
            return;
        }
    }
    config_wrong(r, n, "%s cannot be \"%s\"%s", k->name, n->text,
                 near_words(r->arena, n->text, k->words, count));
}

static void read_bool(struct config_reading *r, const struct config_key *k,
                      const struct config_node *n, bool *at)
{
    if (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0)
        *at = n->text[0] == 't';
    else
        config_wrong(r, n, "%s must be true or false; it is \"%s\"", k->name, n->text);
}

static void read_scalar(struct config_reading *r, const struct config_key *k,
                        const struct config_node *n, void *at)
{
    switch (k->type) {
    case CONFIG_TEXT:
        *(const char **)at = n->text;
        break;
    case CONFIG_WORD:
        read_word(r, k, n, at);
        break;
    case CONFIG_BOOL:
        read_bool(r, k, n, at);
        break;
    case CONFIG_PATH:
        read_folder(r, k, n, at);
        break;
    case CONFIG_FILE:
        read_file(r, k, n, at);
        break;
    default:
        read_number(r, k, n, at);
        break;
    }
}

/* ---- maps ---- */

bool config_expect(struct config_reading *r, const struct config_node *n, enum config_kind kind)
{
    static const char *const kinds[] = {[CONFIG_SCALAR] = "a single value",
                                        [CONFIG_LIST] = "a list: [..., ...]",
                                        [CONFIG_MAP] = "a map: {KEY: VALUE, ...}"};
    const char *name = n->key ? n->key : "this";

    if (config_is_null(n))
        config_wrong(r, n, "%s has no value; give it one, or leave it out", name);
    else if (n->kind != kind)
        config_wrong(r, n, "%s must be %s", name, kinds[kind]);
    else
        return true;
    return false;
}

void config_initial(const struct config_table *t, void *base)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct config_key *k = &t->keys[i];
        void *at = (char *)base + k->offset;
        if (k->type == CONFIG_SECTION)
            config_initial(k->section, base);
        else if (k->type == CONFIG_WORD)
            *(const char **)at = k->text;
        else if (k->type == CONFIG_COUNT || k->type == CONFIG_SIZE || k->type == CONFIG_DURATION)
            store_number(k->type, k->initial, at);
    }
}

void config_unknown(struct config_reading *r, const struct config_table *t,
                    const struct config_node *n, const char *const *more, size_t n_more)
{
    const char **names = arena_array(r->arena, t->n + n_more, sizeof(*names));

    for (size_t i = 0; names && i < t->n; i++)
        names[i] = t->keys[i].name;
    for (size_t i = 0; names && i < n_more; i++)
        names[t->n + i] = more[i];
    config_wrong(r, n, "%s has no key \"%s\"%s", t->what, n->key,
                 names ? near_words(r->arena, n->key, names, t->n + n_more) : "");
}

static const struct config_key *find_key(const struct config_table *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->keys[i].name, name) == 0)
            return &t->keys[i];
    return NULL;
}

static void check_required(struct config_reading *r, const struct config_table *t,
                           const struct config_node *map)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct config_node *n = t->keys[i].required ? map->first : NULL;
        if (!t->keys[i].required)
            continue;
        while (n && strcmp(n->key, t->keys[i].name) != 0)
            n = n->next;
        if (!n)
            config_wrong(r, map, "%s needs the key %s", t->what, t->keys[i].name);
    }
}

void config_read(struct config_reading *r, const struct config_table *t,
                 const struct config_node *map, void *base,
                 void (*other)(struct config_reading *r, const struct config_node *n, void *base))
{
    for (const struct config_node *n = map->first; n; n = n->next) {
        const struct config_key *k = find_key(t, n->key);
        if (n->first_line)
            continue; /* told already */
        if (!k && other)
            other(r, n, base);
        else if (!k)
            config_unknown(r, t, n, NULL, 0);
        else if (k->type == CONFIG_SPECIAL)
            k->read(r, n, base);
        else if (k->type == CONFIG_SECTION && config_expect(r, n, CONFIG_MAP))
            config_read(r, k->section, n, base, NULL);
        else if (k->type != CONFIG_SECTION && config_expect(r, n, CONFIG_SCALAR))
            read_scalar(r, k, n, (char *)base + k->offset);
    }
    check_required(r, t, map);
}
