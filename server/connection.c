#include "connection.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "family.h"
#include "instances.h"
#include "lane.h"
#include "registry.h"

/* Names of all that is offered, each as often as somebody offers it. */
#define OFFERED_MAX ((size_t)256 << 20)

struct shared_config {
    unsigned refs;
    struct config *config;
    struct auth *auth;
};

static struct {
    pthread_mutex_t lock; /* of `current` */
    struct snapshot *current;
    struct snapshot *retired; /* main thread only */
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct shared_config *hold_config(struct shared_config *o)
{
    o->refs++;
    return o;
}

static void release_config(struct shared_config *o)
{
    if (!o || --o->refs > 0)
        return;
    auth_free(o->auth);
    config_free(o->config);
    free(o);
}

static void connection_free(struct connection *c)
{
    if (!c || --c->snapshots > 0)
        return;
    lane_free(c->lane);
    if (c->adapter)
        c->ops->close(c->adapter);
    kind_put(c->kind);
    group_put(c->group);
    if (c->config == &c->offered) {
        free((char *)(uintptr_t)c->offered.name);
        free((char *)(uintptr_t)c->offered.adapter);
    }
    release_config(c->owner);
    free(c);
}

static void snapshot_free(struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++)
        connection_free(s->connections[i]);
    free(s->connections);
    free(s->by_name);
    release_config(s->owner);
    free(s);
}

static bool same_pairs(const struct config_pair *a, size_t n_a, const struct config_pair *b,
                       size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (strcmp(a[i].name, b[i].name) != 0 || strcmp(a[i].value, b[i].value) != 0)
            return false;
    return true;
}

static bool same_cloud(const struct config_cloud *a, const struct config_cloud *b)
{
    /* What follows from version and cloud is the way, which is compared by itself. */
    return strcmp(a->name, b->name) == 0 && a->ops == b->ops &&
           a->max_in_flight == b->max_in_flight && a->max_queued == b->max_queued &&
           same_pairs(a->settings, a->n_settings, b->settings, b->n_settings) &&
           same_pairs(a->defaults, a->n_defaults, b->defaults, b->n_defaults);
}

static struct adapter *open_adapter(const struct connection *c, const struct config *config,
                                    struct open_error *ret_error)
{
    const struct config_cloud *cloud = c->config;
    struct setting *items = calloc(cloud->n_settings + 1, sizeof(*items));
    if (!items)
        return NULL;
    for (size_t i = 0; i < cloud->n_settings; i++)
        items[i] = (struct setting){cloud->settings[i].name, cloud->settings[i].value};
    struct settings settings = {.cloud = cloud->name,
                                .state_dir = config->state_dir,
                                .group = c->group,
                                .n = cloud->n_settings,
                                .items = items};
    struct adapter *a = c->ops->open(&settings, ret_error);
    free(items);
    return a;
}

/* Where nothing waits for a cloud, more workers than cores only wake each other. */
static unsigned workers_of(const struct connection *c)
{
    unsigned most = c->config->max_in_flight;
    unsigned cores = (unsigned)get_nprocs();
    return c->instant && cores < most ? cores : most;
}

/* Who serves a cloud; what is in it is held. */
static bool find_way(const struct config_cloud *cloud, struct registry_way *ret)
{
    if (!cloud->ops)
        return registry_way(cloud->adapter, cloud->version ? cloud->version : "*",
                            cloud->cloud ? cloud->cloud : cloud->name, ret);
    *ret = (struct registry_way){.kind = kind_builtin(cloud->ops)};
    return ret->kind != NULL;
}

/* Takes what is in the way; `offered`: the cloud is not the configuration's, and is copied. */
static struct connection *connection_open(struct shared_config *owner,
                                          const struct config_cloud *cloud, bool offered,
                                          struct registry_way *way, struct open_error *ret_error)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (!c) {
        kind_put(way->kind);
        group_put(way->group);
        return NULL;
    }
    c->snapshots = 1;
    c->owner = hold_config(owner);
    c->config = cloud;
    c->kind = way->kind;
    c->group = way->group;
    c->ops = c->kind->ops;
    if (offered) {
        c->offered = *cloud;
        c->offered.name = strdup(cloud->name);
        c->offered.adapter = strdup(cloud->adapter);
        c->config = &c->offered;
    }
    c->name = c->config->name;
    if (c->name && c->config->adapter)
        c->adapter = open_adapter(c, owner->config, ret_error);
    c->instant = c->adapter && c->ops->is_instant && c->ops->is_instant(c->adapter);
    c->lane = c->adapter ? lane_new(c->name, workers_of(c), cloud->max_queued) : NULL;
    if (!c->adapter || !c->lane) {
        connection_free(c);
        return NULL;
    }
    return c;
}

/* The connection that `old` has with the very same configuration and way. */
static struct connection *reuse(struct snapshot *old, const struct config_cloud *cloud,
                                const struct registry_way *way)
{
    struct connection *c = old ? snapshot_find(old, cloud->name) : NULL;
    if (!c || !same_cloud(c->config, cloud) || c->kind != way->kind || c->group != way->group)
        return NULL;
    c->snapshots++;
    return c;
}

/* Add a cloud's connection to a snapshot; false, with words, where it cannot be opened. */
static bool add_connection(struct snapshot *s, struct snapshot *old,
                           const struct config_cloud *cloud, bool offered,
                           struct open_error *ret_error)
{
    struct registry_way way;
    *ret_error = (struct open_error){"out of memory"};
    if (!find_way(cloud, &way))
        return false;
    struct connection *c = reuse(old, cloud, &way);
    if (c) {
        kind_put(way.kind);
        group_put(way.group);
    } else {
        c = connection_open(s->owner, cloud, offered, &way, ret_error);
    }
    if (c)
        s->connections[s->n++] = c;
    return c != NULL;
}

static bool open_configured(struct snapshot *s, struct snapshot *old,
                            void (*report)(void *ctx, const char *line), void *ctx)
{
    const struct config *config = s->config;
    bool ok = true;
    for (size_t i = 0; i < config->n_clouds; i++) {
        struct open_error error;
        if (add_connection(s, old, &config->clouds[i], false, &error))
            continue;
        char line[768];
        snprintf(line, sizeof(line), "%s:%d:%d: cloud \"%s\": %s",
                 config->path ? config->path : "built-in configuration", config->clouds[i].line,
                 config->clouds[i].column, config->clouds[i].name, error.text);
        report(ctx, line);
        ok = false;
    }
    return ok;
}

static bool is_configured(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_clouds; i++)
        if (strcmp(config->clouds[i].name, name) == 0)
            return true;
    return false;
}

/* What processes offer, and the configuration does not name. One that cannot be opened does not
 * keep the others out. */
static void open_offered(struct snapshot *s, struct snapshot *old,
                         const struct registry_cloud *offered, size_t n_offered,
                         void (*report)(void *ctx, const char *line), void *ctx)
{
    for (size_t i = 0; i < n_offered; i++) {
        struct config_cloud cloud;
        struct open_error error;
        char line[768];
        if (is_configured(s->config, offered[i].name))
            continue;
        if (s->n >= FAMILY_MAX) {
            report(ctx,
                   "there are more clouds than the gateway can list: offered ones are left out");
            return;
        }
        config_offered_cloud(&cloud, offered[i].name, offered[i].adapter);
        if (add_connection(s, old, &cloud, true, &error))
            continue;
        snprintf(line, sizeof(line), "offered cloud \"%s\": %s", cloud.name, error.text);
        report(ctx, line);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct connection *const *)a)->name, (*(struct connection *const *)b)->name);
}

/* One without connections, but with room for so many. */
static struct snapshot *snapshot_new(struct shared_config *owner, size_t room)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    struct connection **connections = calloc(room + 1, sizeof(struct connection *));
    struct connection **sorted = calloc(room + 1, sizeof(struct connection *));
    if (!s || !connections || !sorted) {
        free(s);
        free(connections);
        free(sorted);
        return NULL;
    }
    s->owner = hold_config(owner);
    s->config = owner->config;
    s->auth = owner->auth;
    s->connections = connections;
    s->by_name = sorted;
    atomic_init(&s->refs, 1);
    return s;
}

/* A snapshot of a configuration, which it shares, and of what is registered now. */
static struct snapshot *build(struct shared_config *owner, struct snapshot *old,
                              void (*report)(void *ctx, const char *line), void *ctx)
{
    struct arena scratch;
    struct registry_cloud *offered;
    arena_init(&scratch, OFFERED_MAX);
    size_t n_offered = registry_clouds(&scratch, &offered);
    struct snapshot *s = snapshot_new(owner, owner->config->n_clouds + n_offered);
    if (!s) {
        report(ctx, "out of memory");
    } else if (open_configured(s, old, report, ctx)) {
        open_offered(s, old, offered, n_offered, report, ctx);
        memcpy(s->by_name, s->connections, s->n * sizeof(struct connection *));
        qsort(s->by_name, s->n, sizeof(struct connection *), by_name);
    } else {
        snapshot_free(s);
        s = NULL;
    }
    arena_done(&scratch);
    return s;
}

struct snapshot *snapshot_refresh(struct snapshot *old, void (*report)(void *ctx, const char *line),
                                  void *ctx)
{
    return build(old->owner, old, report, ctx);
}

struct snapshot *snapshot_take_config(struct config *config, struct snapshot *old,
                                      void (*report)(void *ctx, const char *line), void *ctx)
{
    struct shared_config *owner = calloc(1, sizeof(*owner));
    char why[256] = "out of memory";
    if (!owner) {
        config_free(config);
        report(ctx, why);
        return NULL;
    }
    owner->config = config;
    owner->auth = auth_new(config, why);
    hold_config(owner);
    if (!owner->auth)
        report(ctx, why);
    /* What else is wrong is told too. */
    struct snapshot *s = build(owner, old, report, ctx);
    if (s && !owner->auth) {
        snapshot_free(s);
        s = NULL;
    }
    release_config(owner);
    return s;
}

void snapshot_discard(struct snapshot *s)
{
    snapshot_free(s);
}

void snapshot_publish(struct snapshot *s)
{
    if (s)
        atomic_store_explicit(&call_memory.max, s->config->memory_max, memory_order_relaxed);
    pthread_mutex_lock(&world.lock);
    struct snapshot *before = world.current;
    world.current = s;
    pthread_mutex_unlock(&world.lock);
    if (before) {
        before->next = world.retired;
        world.retired = before;
        snapshot_put(before);
    }
}

unsigned snapshots_collect(void)
{
    unsigned left = 0;
    for (struct snapshot **at = &world.retired; *at;) {
        struct snapshot *s = *at;
        if (atomic_load(&s->refs) == 0) {
            *at = s->next;
            snapshot_free(s);
        } else {
            left++;
            at = &s->next;
        }
    }
    return left;
}

struct snapshot *snapshot_get(void)
{
    pthread_mutex_lock(&world.lock);
    struct snapshot *s = world.current;
    if (s)
        atomic_fetch_add(&s->refs, 1);
    pthread_mutex_unlock(&world.lock);
    return s;
}

void snapshot_put(struct snapshot *s)
{
    atomic_fetch_sub(&s->refs, 1);
}

struct connection *snapshot_find(const struct snapshot *s, const char *name)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = strcmp(name, s->by_name[middle]->name);
        if (c == 0)
            return s->by_name[middle];
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Each gateway on the way adds to it; more is not waited for (registry_check.c). */
#define SETTLE_MS_MAX 600000

pb_CloudTraits *connection_traits(struct arena *a, const struct connection *c)
{
    const struct adapter_ops *ops = c->ops;
    if (ops->knows_traits && !ops->knows_traits(c->adapter))
        return NULL;
    pb_CloudTraits *traits = arena_message(a, &pb_CloudTraits_desc);
    int settle_ms = ops->settle_ms ? ops->settle_ms(c->adapter) : 0;
    if (traits) {
        traits->settle_ms = (uint32_t)(settle_ms < SETTLE_MS_MAX ? settle_ms : SETTLE_MS_MAX);
        traits->dedupes = ops->dedupes && ops->dedupes(c->adapter);
    }
    return traits;
}
