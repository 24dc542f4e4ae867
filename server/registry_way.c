/* The ways to what registered instances serve, and the clouds that they offer. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "registry_private.h"

/* ---- ways ---- */

const pb_OfferedCloud *registered_offer(const struct registered *r, const char *cloud)
{
    for (size_t i = 0; i < r->said->n_clouds; i++)
        if (strcmp(r->said->clouds[i]->name, cloud) == 0)
            return r->said->clouds[i];
    return NULL;
}

/* Who does not say it is taken for a slow cloud that remembers nothing. */
#define SETTLE_UNSAID_MS 60000

static void add_traits(struct group_traits *t, const pb_CloudTraits *said)
{
    int settle_ms = said ? (int)said->settle_ms : SETTLE_UNSAID_MS;

    /* Any of them may get an order: as the worst of them. */
    t->dedupes = (!t->known || t->dedupes) && said && said->dedupes;
    t->settle_ms = settle_ms > t->settle_ms ? settle_ms : t->settle_ms;
    t->known = true;
}

bool registry_is_newer(const struct adapter_kind *a, const struct adapter_kind *b)
{
    return !b || semver_compare(&a->semver, &b->semver) > 0;
}

/* Find the members of a way, and what adapter they are. With the lock held. */
static bool way_fill(struct way *w)
{
    struct registered *r, *next;
    size_t n = 0;
    struct group_traits traits = {0};
    struct adapter_kind *serving = NULL, *known = NULL;
    struct group_member *members = calloc(HASH_COUNT(registry.table) + 1, sizeof(*members));

    if (!members)
        return false;
    HASH_ITER (hh, registry.table, r, next) {
        const pb_OfferedCloud *offer =
            strcmp(r->said->name, w->adapter) == 0 ? registered_offer(r, w->cloud) : NULL;
        if (!offer || !semver_in(&r->kind->semver, w->range))
            continue;
        add_traits(&traits, offer->traits);
        if (registry_is_newer(r->kind, known))
            known = r->kind;
        if (registry_status(r) != ADAPTER_STATUS_UP)
            continue;
        members[n++] = (struct group_member){r->instance, registry_weight(r)};
        if (registry_weight(r) > 0 && registry_is_newer(r->kind, serving))
            serving = r->kind;
    }
    bool ok = group_set(w->group, members, n);
    if (traits.known)
        group_set_traits(w->group, traits);
    free(members);
    struct adapter_kind *kind = serving ? serving : known;
    if (kind && (!w->kind || !kind_same(kind, w->kind))) {
        kind_put(w->kind);
        w->kind = kind_hold(kind);
    }
    return ok;
}

static void way_free(struct way *w)
{
    kind_put(w->kind);
    group_put(w->group);
    free(w->adapter);
    free(w->range);
    free(w->cloud);
    free(w);
}

static struct way *way_new(const char *adapter, const char *range, const char *cloud)
{
    struct way *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->adapter = strdup(adapter);
    w->range = strdup(range);
    w->cloud = strdup(cloud);
    w->group = group_new(cloud);
    w->kind = kind_absent(adapter);
    if (w->adapter && w->range && w->cloud && w->group && w->kind && way_fill(w))
        return w;
    way_free(w);
    return NULL;
}

bool registry_way(const char *adapter, const char *range, const char *cloud,
                  struct registry_way *ret)
{
    pthread_mutex_lock(&registry.lock);
    struct way *w = registry.ways;
    while (w && (strcmp(w->adapter, adapter) != 0 || strcmp(w->range, range) != 0 ||
                 strcmp(w->cloud, cloud) != 0))
        w = w->next;
    if (!w) {
        w = way_new(adapter, range, cloud);
        if (w) {
            w->next = registry.ways;
            registry.ways = w;
        }
    }
    if (w)
        *ret = (struct registry_way){kind_hold(w->kind), group_hold(w->group)};
    pthread_mutex_unlock(&registry.lock);
    return w != NULL;
}

bool registry_apply(void)
{
    pthread_mutex_lock(&registry.lock);
    bool dirty = registry.dirty, ok = true;
    registry.dirty = false;
    for (struct way *w = dirty ? registry.ways : NULL; w; w = w->next)
        ok = way_fill(w) && ok;
    if (dirty) {
        registry.applying = registry.waiting;
        registry.waiting = NULL;
    }
    pthread_mutex_unlock(&registry.lock);
    if (!ok)
        log_event(LOG_ERROR, "adapters not applied", "detail", "there is no memory", NULL);
    return dirty;
}

size_t registry_path(struct arena *a, const char *adapter, const char *cloud, const char ***ret)
{
    struct registered *r, *next;
    const pb_OfferedCloud *longest = NULL;

    pthread_mutex_lock(&registry.lock);
    HASH_ITER (hh, registry.table, r, next) {
        const pb_OfferedCloud *offer =
            strcmp(r->said->name, adapter) == 0 ? registered_offer(r, cloud) : NULL;
        if (offer && (!longest || offer->n_path > longest->n_path))
            longest = offer;
    }
    size_t n = longest ? longest->n_path : 0;
    *ret = arena_array(a, n + 1, sizeof(**ret));
    for (size_t i = 0; *ret && i < n; i++)
        (*ret)[i] = arena_strdup(a, longest->path[i]);
    pthread_mutex_unlock(&registry.lock);
    return *ret ? n : 0;
}

/* ---- clouds ---- */

static int by_cloud(const void *a, const void *b)
{
    const struct registry_cloud *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    if (c != 0)
        return c;
    return x->lapsed != y->lapsed ? x->lapsed - y->lapsed : strcmp(x->adapter, y->adapter);
}

size_t registry_clouds(struct arena *a, struct registry_cloud **ret)
{
    struct registered *r, *next;
    size_t n = 0, room = 0, kept = 0;

    pthread_mutex_lock(&registry.lock);
    HASH_ITER (hh, registry.table, r, next)
        room += r->said->n_clouds;
    struct registry_cloud *all = arena_array(a, room + 1, sizeof(*all));
    HASH_ITER (hh, registry.table, r, next)
        for (size_t i = 0; all && r->presence != LEFT && i < r->said->n_clouds; i++)
            all[n++] = (struct registry_cloud){r->said->clouds[i]->name, r->said->name,
                                               r->presence == LAPSED};
    if (n > 0)
        qsort(all, n, sizeof(*all), by_cloud);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(all[kept - 1].name, all[i].name) != 0)
            all[kept++] = (struct registry_cloud){arena_strdup(a, all[i].name),
                                                  arena_strdup(a, all[i].adapter), all[i].lapsed};
    pthread_mutex_unlock(&registry.lock);
    *ret = all;
    return a->exhausted ? 0 : kept;
}

void registry_forget_ways(void)
{
    while (registry.ways) {
        struct way *w = registry.ways;
        registry.ways = w->next;
        way_free(w);
    }
}
