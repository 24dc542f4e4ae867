#include "kind.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/message.h"

/* More than a registration may have, some times over. */
#define ARENA_MAX   ((size_t)8 << 20)
#define BUILTIN_MAX 32

static struct adapter_kind builtin[BUILTIN_MAX];
static pthread_once_t builtin_once = PTHREAD_ONCE_INIT;

static void fill_builtin(void)
{
    for (size_t i = 0; i < BUILTIN_MAX && adapters_builtin[i]; i++) {
        const struct adapter_ops *ops = adapters_builtin[i];
        builtin[i] = (struct adapter_kind){.name = ops->name,
                                           .description = ops->description,
                                           .version = ops->version,
                                           .manifest = ops->manifest(),
                                           .ops = ops};
        /* Ours are. */
        (void)!semver_parse(ops->version, &builtin[i].semver);
    }
}

struct adapter_kind *kind_builtin(const struct adapter_ops *ops)
{
    size_t i = 0;

    pthread_once(&builtin_once, fill_builtin);
    while (i < BUILTIN_MAX && builtin[i].ops && builtin[i].ops != ops)
        i++;
    return i < BUILTIN_MAX ? &builtin[i] : NULL;
}

static bool is_builtin(const struct adapter_kind *k)
{
    return k >= builtin && k < builtin + BUILTIN_MAX;
}

/* What speaks to processes. */
static const struct adapter_ops *remote_ops(void)
{
    size_t i = 0;

    while (strcmp(adapters_builtin[i]->name, "remote") != 0)
        i++;
    return adapters_builtin[i];
}

static struct adapter_kind *kind_empty(const char *name)
{
    struct adapter_kind *k = calloc(1, sizeof(*k));
    size_t n;

    if (!k)
        return NULL;
    (void)methods_all(&n);
    atomic_init(&k->refs, 1);
    arena_init(&k->arena, ARENA_MAX);
    k->ops = remote_ops();
    k->methods = calloc(n + 1, sizeof(*k->methods));
    k->name = arena_strdup(&k->arena, name);
    return k;
}

static struct adapter_kind *kind_whole(struct adapter_kind *k)
{
    if (!k || (k->methods && k->manifest && !k->arena.exhausted))
        return k;
    kind_put(k);
    return NULL;
}

struct adapter_kind *kind_absent(const char *name)
{
    struct adapter_kind *k = kind_empty(name);

    if (k) {
        size_t n;
        const struct method *all = methods_all(&n);
        k->description = k->version = "";
        k->manifest = k->ops->manifest();
        /* So that a call is told that nobody serves it, and not that nobody could. */
        for (size_t i = 0; k->methods && i < n; i++)
            k->methods[i] = method_supported(&all[i], k->ops);
    }
    return kind_whole(k);
}

struct adapter_kind *kind_new(const pb_RegisterAdapterRequest *r)
{
    struct adapter_kind *k = kind_empty(r->name);

    if (!k)
        return NULL;
    k->description = arena_strdup(&k->arena, r->description);
    k->version = arena_strdup(&k->arena, r->version);
    k->manifest = (const pb_Manifest *)(const void *)message_copy(&k->arena, &r->manifest->base);
    if (!semver_parse(r->version, &k->semver) || !k->methods) {
        kind_put(k);
        return NULL;
    }
    const struct method *first = methods_all(&(size_t){0});
    for (size_t i = 0; i < r->manifest->n_methods; i++) {
        const struct method *m = method_find(r->manifest->methods[i]);
        if (m && method_supported(m, k->ops))
            k->methods[m - first] = true;
    }
    return kind_whole(k);
}

struct adapter_kind *kind_hold(struct adapter_kind *k)
{
    if (!is_builtin(k))
        atomic_fetch_add(&k->refs, 1);
    return k;
}

void kind_put(struct adapter_kind *k)
{
    if (!k || is_builtin(k) || atomic_fetch_sub(&k->refs, 1) != 1)
        return;
    arena_done(&k->arena);
    free(k->methods);
    free(k);
}

bool kind_same(const struct adapter_kind *a, const struct adapter_kind *b)
{
    if (a == b)
        return true;
    if (is_builtin(a) || is_builtin(b) || strcmp(a->name, b->name) != 0 ||
        strcmp(a->version, b->version) != 0 || strcmp(a->description, b->description) != 0)
        return false;
    size_t len = isobar__v1__manifest__get_packed_size(a->manifest);
    if (len != isobar__v1__manifest__get_packed_size(b->manifest))
        return false;
    uint8_t *bytes = malloc(2 * len + 1);
    if (!bytes)
        return false;
    isobar__v1__manifest__pack(a->manifest, bytes);
    isobar__v1__manifest__pack(b->manifest, bytes + len);
    bool same = memcmp(bytes, bytes + len, len) == 0;
    free(bytes);
    return same;
}

bool kind_supports(const struct adapter_kind *k, const struct method *m)
{
    if (!k->methods || !m->policy->slot)
        return method_supported(m, k->ops);
    return k->methods[m - methods_all(&(size_t){0})];
}

pb_Adapter *kind_show(struct arena *a, const struct adapter_kind *k, bool whole)
{
    pb_Adapter *shown = arena_message(a, &pb_Adapter_desc);
    size_t n;
    const struct method *all = methods_all(&n);

    if (!shown)
        return NULL;
    shown->name = arena_strdup(a, k->name);
    shown->description = arena_strdup(a, k->description);
    shown->version = arena_strdup(a, k->version);
    if (!whole)
        return shown;
    pb_Manifest *manifest = is_builtin(k)
                                ? arena_memdup(a, k->manifest, sizeof(*k->manifest))
                                : (pb_Manifest *)(void *)message_copy(a, &k->manifest->base);
    char **names = arena_array(a, n + 1, sizeof(char *));
    if (!manifest || !names)
        return shown;
    shown->manifest = manifest;
    manifest->methods = names;
    manifest->n_methods = 0;
    for (size_t i = 0; i < n; i++)
        if (kind_supports(k, &all[i]))
            names[manifest->n_methods++] = arena_strdup(a, all[i].full_name);
    return shown;
}
