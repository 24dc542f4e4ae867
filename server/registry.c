/* The table of registered instances: their leases, and the calls that wait for something to happen.
 */
#include "registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "log.h"
#include "operation.h"
#include "registry_private.h"

#define LOAD_MAX ((size_t)256 << 20)
/* What has gone is remembered for so long. */
#define GONE_NS (3600 * NS_PER_SEC)
/* An instance is overdue when it has missed its heartbeats for so long. */
#define OVERDUE_NS ((LEASE_MS - HEARTBEAT_MS) * NS_PER_MS)
/* Where at least so many are overdue at once, and fewer than so many percent are not, the gateway
 * suspects itself. */
#define SUSPECT_LEAST   3
#define SUSPECT_PERCENT 85
/* Who has been silent for longer is renewed for no more: then it is not the gateway. */
#define KEEP_NS (600 * NS_PER_SEC)

#define LOOK_NS NS_PER_SEC

struct registry registry = {.changing = PTHREAD_MUTEX_INITIALIZER,
                            .lock = PTHREAD_MUTEX_INITIALIZER};

void registry_own_id(char ret[9])
{
    snprintf(ret, 9, "%08x", operations_number());
}

/* ---- the table; with the lock held ---- */

struct registered *registry_find(const char *name, const char *id)
{
    char key[sizeof(KEY_ADAPTER) + 256];
    struct registered *r = NULL;

    int len = snprintf(key, sizeof(key), KEY_ADAPTER "%s/%s", name, id);
    if (len > 0 && (size_t)len < sizeof(key))
        HASH_FIND(hh, registry.table, key, (size_t)len, r);
    return r;
}

pb_AdapterStatus registry_status(const struct registered *r)
{
    if (r->presence != PRESENT)
        return ADAPTER_STATUS_OUT_OF_SERVICE;
    return r->set_status ? r->set_status : ADAPTER_STATUS_UP;
}

void registry_touch(struct registered *r)
{
    uint64_t now = (uint64_t)(clock_wall_ns() / NS_PER_US);

    registry.revision = now > registry.revision ? now : registry.revision + 1;
    r->revision = registry.revision;
    registry.dirty = true;
}

static bool is_present(const struct registered *r)
{
    return r->presence == PRESENT;
}

/* ---- leases ---- */

/* On the store's writer thread. */
static void tell(void *ctx, const struct store_event *events, size_t n)
{
    bool any = false;

    (void)ctx;
    pthread_mutex_lock(&registry.lock);
    for (size_t i = 0; i < n; i++) {
        struct registered *r;
        HASH_FIND(hh, registry.table, events[i].item.key, strlen(events[i].item.key), r);
        if (events[i].item.data || !r || !is_present(r) || events[i].revision < r->stored)
            continue;
        r->presence = LAPSED;
        r->kept = false;
        r->gone_ns = clock_mono_ns();
        registry_touch(r);
        any = true;
        log_event(LOG_WARN, "adapter lapsed", "adapter", r->said->name, "instance", r->said->id,
                  "version", r->said->version, NULL);
    }
    pthread_mutex_unlock(&registry.lock);
    if (any)
        registry.wake();
}

/* How many are there, and how many of them overdue. */
static void count_overdue(int64_t now_ns, size_t *ret_n, size_t *ret_overdue)
{
    struct registered *r, *next;

    *ret_n = *ret_overdue = 0;
    HASH_ITER (hh, registry.table, r, next) {
        *ret_n += is_present(r);
        *ret_overdue += is_present(r) && now_ns - r->heard_ns > OVERDUE_NS;
    }
}

/* The leases that the gateway renews by itself; NULL where memory is short. */
static int64_t *suspect_itself(int64_t now_ns, size_t *ret_n)
{
    size_t n, overdue, i = 0;
    struct registered *r, *next;

    *ret_n = 0;
    count_overdue(now_ns, &n, &overdue);
    bool suspects = overdue >= SUSPECT_LEAST && (n - overdue) * 100 < n * SUSPECT_PERCENT;
    int64_t *leases = suspects ? calloc(overdue, sizeof(*leases)) : NULL;
    HASH_ITER (hh, registry.table, r, next) {
        int64_t silent_ns = now_ns - r->heard_ns;
        bool keep = leases && is_present(r) && silent_ns > OVERDUE_NS && silent_ns <= KEEP_NS;
        bool kept = keep && silent_ns > LEASE_MS * NS_PER_MS;
        if (keep)
            leases[i++] = r->lease;
        if (kept != r->kept) {
            r->kept = kept;
            registry_touch(r);
        }
    }
    *ret_n = i;
    return leases;
}

void registry_forget_gone(int64_t before_ns)
{
    struct registered *r, *next;

    HASH_ITER (hh, registry.table, r, next)
        if (!is_present(r) && r->gone_ns < before_ns) {
            registry.forgotten =
                r->revision > registry.forgotten ? r->revision : registry.forgotten;
            HASH_DELETE(hh, registry.table, r);
            registered_free(r);
            registry.dirty = true;
        }
}

/* ---- calls that wait for something to happen ---- */

/* Whether something has changed that a parked watch waits for; fills in its answer. */
static bool is_news(struct call *c)
{
    pb_WatchAdaptersRequest *req = (pb_WatchAdaptersRequest *)(void *)c->req;
    pb_WatchAdaptersResponse *rsp = (pb_WatchAdaptersResponse *)(void *)c->rsp;

    if (registry.revision > req->after)
        rsp->n_adapters = registry_gather(&c->arena, req->name, req->after, &rsp->adapters);
    rsp->revision = registry.revision;
    c->result->code = RESULT_CODE_OK;
    if (rsp->n_adapters > 0 || c->arena.exhausted)
        return true;
    if (registry.revision > req->after)
        req->after = registry.revision; /* what was of others is not looked at again */
    return false;
}

/* Whether a parked call has come to its end; fills in its answer. */
static bool is_over(struct call *c, int64_t now_ns)
{
    bool late = registry.stopping || now_ns >= c->deadline_ns || cancel_is_raised(&c->cancelled);

    if (c->rsp->descriptor == &pb_WatchAdaptersResponse_desc)
        return is_news(c) || late;
    const pb_DrainAdapterRequest *req = (const pb_DrainAdapterRequest *)(const void *)c->req;
    const struct registered *r = registry_find(req->name, req->id);
    struct instance_stats stats = {0};
    if (r)
        instance_stats(r->instance, &stats);
    bool over = late || (stats.in_flight == 0 && !registry.dirty);
    pb_Adapter *shown = r && over ? registry_show_one(&c->arena, r) : NULL;
    if (shown)
        ((pb_DrainAdapterResponse *)(void *)c->rsp)->instance = shown->instance;
    c->result->code = stats.in_flight ? RESULT_CODE_ACCEPTED : RESULT_CODE_CHANGED;
    return over;
}

/* Take out those that are over. */
static struct call *take_over(int64_t now_ns)
{
    struct call *over = NULL;

    for (struct call **at = &registry.parked; *at;) {
        struct call *c = *at;
        if (is_over(c, now_ns)) {
            *at = c->next;
            c->next = over;
            over = c;
        } else {
            at = &c->next;
        }
    }
    return over;
}

static void end_all(struct call *calls)
{
    while (calls) {
        struct call *c = calls;
        calls = c->next;
        c->next = NULL;
        call_end(c, c->result->code);
    }
}

/* When to look again. */
static int pause_ms(int64_t now_ns)
{
    /* Nobody wakes us where the caller of one that is parked goes. */
    int64_t until = registry.table || registry.parked ? now_ns + LOOK_NS : INT64_MAX;

    for (const struct call *c = registry.parked; c; c = c->next) {
        int64_t due = c->rsp->descriptor == &pb_DrainAdapterResponse_desc ? now_ns + 10 * NS_PER_MS
                                                                          : c->deadline_ns;
        until = due < until ? due : until;
    }
    if (until == INT64_MAX)
        return -1;
    return until <= now_ns ? 0 : (int)((until - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

int registry_tick(void)
{
    int64_t now_ns = clock_mono_ns(), *leases = NULL;
    size_t n = 0;

    pthread_mutex_lock(&registry.lock);
    if (now_ns - registry.looked_ns >= LOOK_NS) {
        registry.looked_ns = now_ns;
        leases = suspect_itself(now_ns, &n);
        registry_forget_gone(now_ns - GONE_NS);
    }
    struct call *over = take_over(now_ns);
    int pause = registry.dirty ? 0 : pause_ms(now_ns);
    pthread_mutex_unlock(&registry.lock);
    for (size_t i = 0; i < n; i++)
        (void)store_lease_renew(registry.store, leases[i]);
    free(leases);
    end_all(over);
    return pause;
}

void registry_applied(bool ok)
{
    pthread_mutex_lock(&registry.lock);
    struct call *done = registry.applying;
    registry.applying = NULL;
    pthread_mutex_unlock(&registry.lock);
    for (struct call *c = done; c && !ok; c = c->next)
        result_add_warning(&c->arena, c->result,
                           "the gateway has no memory to serve the clouds now: it tries again");
    end_all(done);
}

/* ---- start and end ---- */

static void load_one(const struct store_item *item, struct arena *a)
{
    char why[512] = "it is damaged, or of another version";
    pb_AdapterRecord *record =
        isobar__v1__adapter_record__unpack(arena_allocator(a), item->len, item->data);
    bool whole = record && record->registration && record->registration->manifest;
    struct registered *r = whole ? registered_new(record, why) : NULL;

    if (r) {
        r->lease = item->lease;
        r->stored = item->modified;
        HASH_ADD_KEYPTR(hh, registry.table, r->key, strlen(r->key), r);
        if (HASH_ADDED(hh, r)) {
            registry_touch(r);
            return;
        }
        registered_free(r);
    }
    log_event(LOG_ERROR, "adapter not read", "key", item->key, "detail", why, NULL);
}

bool registry_start(struct store *s, void (*wake)(void), char ret_why[512])
{
    struct arena a;
    struct store_item *items = NULL;
    size_t n = 0;
    int64_t now = store_revision(s);

    registry.store = s;
    registry.wake = wake;
    registry.stopping = false;
    arena_init(&a, LOAD_MAX);
    struct store_range range = {.from = KEY_ADAPTER, .to = store_prefix_end(&a, KEY_ADAPTER)};
    bool ok = store_list(s, &a, &range, &items, &n);
    pthread_mutex_lock(&registry.lock);
    for (size_t i = 0; ok && i < n; i++)
        load_one(&items[i], &a);
    pthread_mutex_unlock(&registry.lock);
    arena_done(&a);
    /* What had gone before is not known any more. */
    registry.revision = registry.forgotten = (uint64_t)(clock_wall_ns() / NS_PER_US);
    registry.watch = ok ? store_watch(s, KEY_ADAPTER, now, tell, NULL) : NULL;
    if (registry.watch)
        return true;
    snprintf(ret_why, 512, "the registry of adapters cannot be read, or there is no memory for it");
    registry_done();
    return false;
}

void registry_stop(void)
{
    pthread_mutex_lock(&registry.lock);
    registry.stopping = true;
    struct call *over = take_over(clock_mono_ns());
    struct call *waiting = registry.waiting;
    registry.waiting = NULL;
    pthread_mutex_unlock(&registry.lock);
    end_all(over);
    end_all(waiting);
}

void registry_done(void)
{
    struct registered *r, *next;

    if (registry.watch)
        store_unwatch(registry.store, registry.watch);
    registry.watch = NULL;
    HASH_ITER (hh, registry.table, r, next) {
        HASH_DELETE(hh, registry.table, r);
        registered_free(r);
    }
    registry_forget_ways();
    registry.dirty = false;
    registry.store = NULL;
}
