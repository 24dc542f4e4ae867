#include "kit/manifest.h"

#include <pthread.h>

#include "isobar/arena.h"
#include "kit/fields.h"

/* All rows of an adapter take some 20 KB. */
#define MEMORY_MAX ((size_t)1 << 20)

static size_t fill_values(struct arena *a, const char *const *values, char ***ret)
{
    size_t n = 0;

    *ret = arena_array(a, MANIFEST_VALUES_MAX, sizeof(**ret));
    while (*ret && n < MANIFEST_VALUES_MAX && values[n]) {
        (*ret)[n] = field_text(values[n]);
        n++;
    }
    return n;
}

static pb_ManifestAttribute *attribute(struct arena *a, const struct manifest_attribute *row)
{
    pb_ManifestAttribute *m = arena_message(a, &pb_ManifestAttribute_desc);

    if (!m)
        return NULL;
    m->name = field_text(row->name);
    m->presence = row->presence;
    m->default_value = field_text(row->initial);
    m->chosen = row->chosen;
    m->nearest = row->nearest;
    m->n_allowed_values = fill_values(a, row->allowed, &m->allowed_values);
    m->description = field_text(row->description);
    return m;
}

static pb_ManifestParameter *parameter(struct arena *a, const struct manifest_parameter *row)
{
    pb_ManifestParameter *m = arena_message(a, &pb_ManifestParameter_desc);

    if (!m)
        return NULL;
    m->name = field_text(row->name);
    m->type = row->type;
    m->required = row->required;
    m->default_value = field_text(row->initial);
    m->n_allowed_values = fill_values(a, row->allowed, &m->allowed_values);
    m->description = field_text(row->description);
    return m;
}

static size_t fill_parameters(struct arena *a, const struct manifest_parameter *rows, size_t n,
                              pb_ManifestParameter ***ret)
{
    size_t filled = 0;

    *ret = arena_array(a, n, sizeof(**ret));
    while (*ret && filled < n && ((*ret)[filled] = parameter(a, &rows[filled])))
        filled++;
    return filled;
}

/* The memory is never given back. */
static void build(const struct manifest_rows *rows, pb_Manifest *ret)
{
    struct arena a;

    arena_init(&a, MEMORY_MAX);
    ret->attributes = arena_array(&a, rows->n_attributes, sizeof(*ret->attributes));
    while (
        ret->attributes && ret->n_attributes < rows->n_attributes &&
        (ret->attributes[ret->n_attributes] = attribute(&a, &rows->attributes[ret->n_attributes])))
        ret->n_attributes++;
    ret->n_parameters = fill_parameters(&a, rows->parameters, rows->n_parameters, &ret->parameters);
    ret->n_settings = fill_parameters(&a, rows->settings, rows->n_settings, &ret->settings);
    ret->open_parameters = rows->open_parameters;
}

const pb_Manifest *manifest_of(struct manifest_rows *rows)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    if (rows->built)
        return &rows->message;
    pthread_mutex_lock(&lock);
    if (!rows->built) {
        rows->message = (pb_Manifest)pb_Manifest_INIT;
        build(rows, &rows->message);
        rows->built = true;
    }
    pthread_mutex_unlock(&lock);
    return &rows->message;
}
