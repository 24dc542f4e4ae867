#include "connection.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

struct shared_config {
    unsigned refs;
    struct config *config;
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
    release_config(c->owner);
    free(c);
}

static void snapshot_free(struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++)
        connection_free(s->connections[i]);
    free(s->connections);
    auth_free(s->auth);
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
    return strcmp(a->name, b->name) == 0 && a->ops == b->ops &&
           a->max_in_flight == b->max_in_flight && a->max_queued == b->max_queued &&
           same_pairs(a->settings, a->n_settings, b->settings, b->n_settings) &&
           same_pairs(a->defaults, a->n_defaults, b->defaults, b->n_defaults);
}

static struct adapter *open_adapter(const struct config *config, const struct config_cloud *cloud,
                                    struct open_error *ret_error)
{
    struct setting *items = calloc(cloud->n_settings + 1, sizeof(*items));
    if (!items)
        return NULL;
    for (size_t i = 0; i < cloud->n_settings; i++)
        items[i] = (struct setting){cloud->settings[i].name, cloud->settings[i].value};
    struct settings settings = {.cloud = cloud->name,
                                .state_dir = config->state_dir,
                                .n = cloud->n_settings,
                                .items = items};
    struct adapter *a = cloud->ops->open(&settings, ret_error);
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

static struct connection *connection_open(struct shared_config *owner,
                                          const struct config_cloud *cloud,
                                          struct open_error *ret_error)
{
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->snapshots = 1;
    c->owner = hold_config(owner);
    c->config = cloud;
    c->name = cloud->name;
    c->ops = cloud->ops;
    c->adapter = open_adapter(owner->config, cloud, ret_error);
    c->instant = c->adapter && c->ops->is_instant && c->ops->is_instant(c->adapter);
    c->lane = lane_new(cloud->name, workers_of(c), cloud->max_queued);
    if (!c->adapter || !c->lane) {
        connection_free(c);
        return NULL;
    }
    return c;
}

/* The connection that `old` has with the very same configuration. */
static struct connection *reuse(struct snapshot *old, const struct config_cloud *cloud)
{
    struct connection *c = old ? snapshot_find(old, cloud->name) : NULL;
    if (!c || !same_cloud(c->config, cloud))
        return NULL;
    c->snapshots++;
    return c;
}

static bool open_all(struct snapshot *s, struct snapshot *old,
                     void (*report)(void *ctx, const char *line), void *ctx)
{
    const struct config *config = s->config;
    bool ok = true;
    for (size_t i = 0; i < config->n_clouds; i++) {
        struct open_error error = {"out of memory"};
        struct connection *c = reuse(old, &config->clouds[i]);
        if (!c)
            c = connection_open(s->owner, &config->clouds[i], &error);
        if (c) {
            s->connections[s->n++] = c;
            continue;
        }
        char line[768];
        snprintf(line, sizeof(line), "%s:%d:%d: cloud \"%s\": %s",
                 config->path ? config->path : "built-in configuration", config->clouds[i].line,
                 config->clouds[i].column, config->clouds[i].name, error.text);
        report(ctx, line);
        ok = false;
    }
    return ok;
}

struct snapshot *snapshot_take_config(struct config *config, struct snapshot *old,
                                      void (*report)(void *ctx, const char *line), void *ctx)
{
    struct snapshot *s = calloc(1, sizeof(*s));
    struct shared_config *owner = calloc(1, sizeof(*owner));
    struct connection **connections = calloc(config->n_clouds + 1, sizeof(struct connection *));
    if (!s || !owner || !connections) {
        free(s);
        free(owner);
        free(connections);
        config_free(config);
        report(ctx, "out of memory");
        return NULL;
    }
    owner->config = config;
    s->owner = hold_config(owner);
    s->config = config;
    s->connections = connections;
    atomic_init(&s->refs, 1);
    char why[256] = "out of memory";
    s->auth = auth_new(config, why);
    if (!s->auth)
        report(ctx, why);
    if (!open_all(s, old, report, ctx) || !s->auth) {
        snapshot_free(s);
        return NULL;
    }
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
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->connections[i]->name, name) == 0)
            return s->connections[i];
    return NULL;
}
