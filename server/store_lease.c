/* Leases: which there are is in the database, when they end is in memory only: after a start each
 * has its whole time again, since nobody could renew it meanwhile. */
#include <stdlib.h>

#include "isobar/clock.h"
#include "store_private.h"

/* What failed is tried again after so long. */
#define RETRY_NS NS_PER_SEC
/* So that a deadline does not overflow: 10 years. */
#define TTL_MS_MAX INT64_C(315360000000)

static struct store_lease *find(const struct store *s, int64_t id)
{
    struct store_lease *l;
    HASH_FIND(hh, s->leases, &id, sizeof(id), l);
    return l;
}

static void look_at(struct store *s, int64_t due_ns)
{
    if (due_ns < s->leases_look_ns)
        s->leases_look_ns = due_ns;
}

static struct store_lease *lease_new(int64_t id, int64_t ttl_ms)
{
    struct store_lease *l = calloc(1, sizeof(*l));
    if (l) {
        l->id = id;
        l->ttl_ns = ttl_ms * NS_PER_MS;
        l->due_ns = clock_mono_ns() + l->ttl_ns;
    }
    return l;
}

/* The lease is the caller's still where memory is short. */
static bool lease_add(struct store *s, struct store_lease *l)
{
    HASH_ADD(hh, s->leases, id, sizeof(l->id), l);
    if (!HASH_ADDED(hh, l))
        return false;
    look_at(s, l->due_ns);
    return true;
}

static void lease_drop(struct store *s, struct store_lease *l)
{
    HASH_DELETE(hh, s->leases, l);
    free(l);
}

bool store_lease_load(void *store, int64_t lease, int64_t ttl_ms)
{
    struct store_lease *l = lease_new(lease, ttl_ms);
    bool ok = l && lease_add(store, l);
    if (!ok)
        free(l);
    return ok;
}

bool store_lease_lives(const struct store *s, int64_t lease)
{
    const struct store_lease *l = find(s, lease);
    return l && !l->ending;
}

void store_leases_done(struct store *s)
{
    struct store_lease *l, *next;
    HASH_ITER (hh, s->leases, l, next)
        lease_drop(s, l);
}

/* Note which leases have ended. A renewal moves a deadline without a word, so that the time to look
 * at may come too early, never too late. */
static bool any_ended(struct store *s, int64_t now_ns)
{
    bool any = false;
    struct store_lease *l, *next;
    s->leases_look_ns = INT64_MAX;
    HASH_ITER (hh, s->leases, l, next) {
        l->ending = l->ending || l->due_ns <= now_ns;
        any = any || l->ending;
        look_at(s, l->ending ? now_ns : l->due_ns);
    }
    return any;
}

bool store_leases_due(struct store *s, int64_t now_ns, int64_t *ret_next_ns)
{
    bool due = s->grants || (s->leases_look_ns <= now_ns && any_ended(s, now_ns));
    *ret_next_ns = s->leases_look_ns;
    if (due && now_ns < s->leases_retry_ns) {
        *ret_next_ns = s->leases_retry_ns;
        return false;
    }
    return due;
}

static enum store_outcome drop_keys(struct store *s, int64_t lease)
{
    const char **keys;
    size_t n;
    s->next_revision++;
    enum store_outcome rc = store_db_lease_keys(s->db, &s->arena, lease, &keys, &n);
    for (size_t i = 0; rc == STORE_DONE && i < n; i++)
        rc = store_write_change(s, &(struct store_change){.key = keys[i]});
    return rc == STORE_DONE ? store_db_lease_delete(s->db, lease) : rc;
}

/* End one lease: its keys go in one revision. */
static bool end_one(struct store *s, int64_t lease)
{
    enum store_outcome rc = store_write_begin(s);
    if (rc == STORE_DONE)
        rc = drop_keys(s, lease);
    return store_write_end(s, rc, 0) == STORE_DONE;
}

/* The id of a lease is the revision that it was granted in: never used again. */
static struct store_lease *grant_one(struct store *s, int64_t ttl_ms)
{
    enum store_outcome rc = store_write_begin(s);
    int64_t id = ++s->next_revision;
    struct store_lease *l = lease_new(id, ttl_ms);
    if (rc == STORE_DONE)
        rc = l ? store_db_lease_put(s->db, id, ttl_ms) : STORE_FAILED;
    if (store_write_end(s, rc, 0) == STORE_DONE)
        return l;
    free(l);
    return NULL;
}

/* It is granted. Where there is no memory to remember it, it is taken back: or ends some time after
 * the next start, where that fails too. With the lock held, which it gives up in that case. */
static bool keep(struct store *s, struct store_lease *l)
{
    l->due_ns = clock_mono_ns() + l->ttl_ns;
    if (lease_add(s, l))
        return true;
    pthread_mutex_unlock(&s->lock);
    (void)end_one(s, l->id);
    free(l);
    pthread_mutex_lock(&s->lock);
    return false;
}

static void run_grants(struct store *s)
{
    struct store_lease_wait *w = s->grants;
    s->grants = NULL;
    while (w) {
        struct store_lease_wait *next = w->next;
        pthread_mutex_unlock(&s->lock);
        struct store_lease *l = grant_one(s, w->ttl_ms);
        pthread_mutex_lock(&s->lock);
        if (l && keep(s, l))
            w->lease = l->id;
        w->over = true;
        w = next;
    }
}

void store_leases_run(struct store *s)
{
    bool works = true;
    struct store_lease *l, *next;
    run_grants(s);
    (void)any_ended(s, clock_mono_ns());
    /* Only this thread adds leases and drops them. */
    HASH_ITER (hh, s->leases, l, next) {
        if (!l->ending || !works)
            continue;
        pthread_mutex_unlock(&s->lock);
        works = end_one(s, l->id);
        pthread_mutex_lock(&s->lock);
        if (works)
            lease_drop(s, l);
    }
    s->leases_retry_ns = works ? 0 : clock_mono_ns() + RETRY_NS;
    s->leases_rounds++;
    pthread_cond_broadcast(&s->waited);
}

int64_t store_lease_grant(struct store *s, int64_t ttl_ms)
{
    if (ttl_ms <= 0 || ttl_ms > TTL_MS_MAX)
        return 0;
    struct store_lease_wait w = {.ttl_ms = ttl_ms};
    pthread_mutex_lock(&s->lock);
    w.next = s->grants;
    s->grants = &w;
    s->leases_retry_ns = 0;
    store_wake(s);
    while (!w.over)
        pthread_cond_wait(&s->waited, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return w.lease;
}

bool store_lease_renew(struct store *s, int64_t lease)
{
    pthread_mutex_lock(&s->lock);
    struct store_lease *l = find(s, lease);
    bool lives = l && !l->ending;
    if (lives)
        l->due_ns = clock_mono_ns() + l->ttl_ns;
    pthread_mutex_unlock(&s->lock);
    return lives;
}

void store_lease_revoke(struct store *s, int64_t lease)
{
    pthread_mutex_lock(&s->lock);
    struct store_lease *l = find(s, lease);
    if (l) {
        l->ending = true;
        s->leases_look_ns = 0;
        s->leases_retry_ns = 0;
        store_wake(s);
        /* The round that is under way may be past it. */
        uint64_t after = s->leases_rounds + 2;
        while (find(s, lease) && s->leases_rounds < after)
            pthread_cond_wait(&s->waited, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}
