/* What is registered, as AdapterService shows it. */
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "operation.h"
#include "registry_private.h"

static pb_AdapterInstance_MetadataEntry **copy_metadata(struct arena *a,
                                                        const pb_RegisterAdapterRequest *said)
{
    pb_AdapterInstance_MetadataEntry **all = arena_array(a, said->n_metadata + 1, sizeof(*all));

    for (size_t i = 0; all && i < said->n_metadata; i++) {
        all[i] = arena_message(a, &pb_AdapterInstance_MetadataEntry_desc);
        if (!all[i])
            return NULL;
        all[i]->key = arena_strdup(a, said->metadata[i]->key);
        all[i]->value = arena_strdup(a, said->metadata[i]->value);
    }
    return all;
}

static pb_OfferedCloud **copy_clouds(struct arena *a, const pb_RegisterAdapterRequest *said)
{
    pb_OfferedCloud **all = arena_array(a, said->n_clouds + 1, sizeof(*all));

    for (size_t i = 0; all && i < said->n_clouds; i++) {
        all[i] = (pb_OfferedCloud *)(void *)message_copy(a, &said->clouds[i]->base);
        if (!all[i])
            return NULL;
    }
    return all;
}

static const char *reason_of(const struct registered *r, bool down)
{
    switch (r->presence) {
    case LAPSED:
        return "its lease has ended without a renewal";
    case LEFT:
        return "it has deregistered";
    default:
        return r->kept ? "it is silent, as are many at once: it is kept"
               : down  ? "it did not answer its last call"
                       : "";
    }
}

pb_AdapterInstance *registry_show_instance(struct arena *a, const struct registered *r)
{
    const pb_RegisterAdapterRequest *said = r->said;
    pb_AdapterInstance *i = arena_message(a, &pb_AdapterInstance_desc);
    struct instance_stats stats;

    if (!i)
        return NULL;
    instance_stats(r->instance, &stats);
    i->id = arena_strdup(a, said->id);
    i->status = registry_status(r);
    i->status_reason = arena_strdup(a, reason_of(r, stats.down));
    i->weight = registry_weight(r);
    i->owner = arena_strdup(a, r->owner);
    i->registered_at = operation_time(a, r->registered_ns);
    i->lease_age_ms = (uint64_t)((clock_mono_ns() - r->heard_ns) / NS_PER_MS);
    i->in_flight = stats.in_flight;
    i->calls = stats.calls;
    i->errors = stats.errors;
    char **endpoints = arena_array(a, said->n_endpoints + 1, sizeof(*endpoints));
    for (size_t k = 0; endpoints && k < said->n_endpoints; k++)
        endpoints[k] = arena_strdup(a, said->endpoints[k]);
    i->endpoints = endpoints;
    i->n_endpoints = endpoints ? said->n_endpoints : 0;
    i->metadata = copy_metadata(a, said);
    i->n_metadata = i->metadata ? said->n_metadata : 0;
    i->clouds = copy_clouds(a, said);
    i->n_clouds = i->clouds ? said->n_clouds : 0;
    return i;
}

pb_Adapter *registry_show_one(struct arena *a, const struct registered *r)
{
    pb_Adapter *shown = kind_show(a, r->kind, false);

    if (shown)
        shown->instance = registry_show_instance(a, r);
    return shown;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(struct registered *const *)a)->key, (*(struct registered *const *)b)->key);
}

static bool fits(const struct registered *r, const char *adapter, uint64_t after)
{
    return r->revision > after && (!adapter[0] || strcmp(adapter, r->said->name) == 0);
}

static size_t count(const char *adapter, uint64_t after)
{
    struct registered *r, *next;
    size_t n = 0;

    HASH_ITER (hh, registry.table, r, next)
        n += fits(r, adapter, after);
    return n;
}

size_t registry_gather(struct arena *a, const char *adapter, uint64_t after, pb_Adapter ***ret)
{
    struct registered *r, *next;
    size_t n = 0, most = count(adapter, after);

    *ret = NULL;
    if (most == 0)
        return 0;
    const struct registered **found = arena_array(a, most + 1, sizeof(*found));
    pb_Adapter **shown = arena_array(a, most + 1, sizeof(*shown));

    *ret = shown;
    HASH_ITER (hh, registry.table, r, next)
        if (found && fits(r, adapter, after))
            found[n++] = r;
    if (n > 0)
        qsort(found, n, sizeof(*found), by_key);
    for (size_t i = 0; i < n; i++) {
        pb_Adapter *one = shown ? registry_show_one(a, found[i]) : NULL;
        if (!one)
            return i;
        shown[i] = one;
    }
    return n;
}

size_t registry_show(struct arena *a, const char *adapter, pb_Adapter ***ret)
{
    pthread_mutex_lock(&registry.lock);
    size_t n = registry_gather(a, adapter, 0, ret);
    pthread_mutex_unlock(&registry.lock);
    return n;
}

struct adapter_kind *registry_kind(const char *adapter, const char *version)
{
    struct registered *r, *next;
    struct adapter_kind *there = NULL, *known = NULL;

    pthread_mutex_lock(&registry.lock);
    HASH_ITER (hh, registry.table, r, next) {
        if (strcmp(r->said->name, adapter) != 0 ||
            (version[0] && strcmp(r->said->version, version) != 0))
            continue;
        if (registry_is_newer(r->kind, known))
            known = r->kind;
        if (r->presence == PRESENT && registry_is_newer(r->kind, there))
            there = r->kind;
    }
    struct adapter_kind *best = there ? there : known;
    if (best)
        kind_hold(best);
    pthread_mutex_unlock(&registry.lock);
    return best;
}
