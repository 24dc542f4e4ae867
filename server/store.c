/* The queue, and the writer thread that decides every transaction.
 *
 * It takes all that wait into one transaction of the database: what one of them changes is seen by
 * the comparisons of those behind it, and all are answered when the commit is durable. Where that
 * fails, all of them fail, the refused too: what refused them may have gone with the rest.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "isobar/clock.h"
#include "store_private.h"

/* What may wait, and what goes into one commit; a transaction's share beside its keys and values.
 */
#define BATCH_BYTES_MAX ((size_t)4 << 20)
#define TXN_BYTES       ((size_t)256)
/* Without work for so long, the writer thread counts as idle. */
#define IDLE_NS (200 * NS_PER_MS)

static size_t txn_bytes(const struct store_txn *t)
{
    size_t bytes = TXN_BYTES;
    for (size_t i = 0; i < t->n_changes; i++)
        bytes += strlen(t->changes[i].key) + (t->changes[i].data ? t->changes[i].len : 0);
    return bytes;
}

/* ---- a commit ---- */

enum store_outcome store_write_begin(struct store *s)
{
    arena_reset(&s->arena);
    s->began_ns = clock_mono_ns();
    s->looked_key = NULL;
    s->next_revision = atomic_load(&s->revision);
    return store_db_begin(s->db);
}

/* Where a key is. It is often asked for twice: by a comparison, and by the change behind it. */
static enum store_outcome look(struct store *s, const char *key, struct store_place *ret)
{
    enum store_outcome rc = STORE_DONE;
    if (!s->looked_key || strcmp(s->looked_key, key) != 0) {
        s->looked_key = NULL;
        rc = store_db_look(s->db, key, &s->looked);
        if (rc == STORE_DONE)
            s->looked_key = key;
    }
    *ret = s->looked;
    return rc;
}

enum store_outcome store_write_change(struct store *s, const struct store_change *c)
{
    struct store_place place;
    enum store_outcome rc = look(s, c->key, &place);
    s->looked_key = NULL;
    if (rc != STORE_DONE || (!c->data && place.created == 0))
        return rc;
    struct store_item item = {.key = c->key,
                              .data = c->data,
                              .len = c->data ? c->len : 0,
                              .created = place.created ? place.created : s->next_revision,
                              .modified = s->next_revision,
                              .lease = c->data ? c->lease : 0};
    rc = c->data ? store_db_put(s->db, &place, &item) : store_db_delete(s->db, &place);
    if (rc == STORE_DONE && !store_events_add(&s->pending, &item, s->next_revision))
        rc = STORE_FAILED;
    return rc;
}

/* With the lock held. */
static void count_commit(struct store *s, enum store_outcome rc, size_t n, int64_t took_ns)
{
    s->stats.transactions += n;
    s->stats.failures += rc != STORE_DONE;
    if (rc != STORE_DONE || took_ns < 0)
        return;
    s->times[s->stats.commits++ % STORE_TIMES] = took_ns;
    s->stats.commit_ns_sum += took_ns;
}

enum store_outcome store_write_end(struct store *s, enum store_outcome rc, size_t n_transactions)
{
    bool changed = s->next_revision != atomic_load(&s->revision);
    if (rc == STORE_DONE && changed)
        rc = store_db_commit(s->db, s->next_revision);
    else
        store_db_rollback(s->db);
    pthread_mutex_lock(&s->lock);
    if (rc == STORE_DONE) {
        store_events_move(&s->events, &s->pending);
        atomic_store(&s->revision, s->next_revision);
    } else {
        store_events_clear(&s->pending);
    }
    count_commit(s, rc, n_transactions, changed ? clock_mono_ns() - s->began_ns : -1);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* ---- a transaction ---- */

static enum store_outcome compare(struct store *s, const struct store_txn *t)
{
    for (size_t i = 0; i < t->n_compares; i++) {
        struct store_place place;
        enum store_outcome rc = look(s, t->compares[i].key, &place);
        if (rc != STORE_DONE)
            return rc;
        if (place.modified != t->compares[i].modified)
            return STORE_REFUSED;
    }
    for (size_t i = 0; i < t->n_changes; i++) {
        const struct store_change *c = &t->changes[i];
        if (!c->data || !c->lease)
            continue;
        pthread_mutex_lock(&s->lock);
        bool lives = store_lease_lives(s, c->lease);
        pthread_mutex_unlock(&s->lock);
        if (!lives)
            return STORE_REFUSED;
    }
    return STORE_DONE;
}

/* Where it is neither DONE nor REFUSED, the database does not work. */
static enum store_outcome apply(struct store *s, struct store_txn *t)
{
    enum store_outcome rc = t->outcome = compare(s, t);
    if (rc == STORE_REFUSED && t->read)
        return store_db_read(s->db, &s->arena, t->read, &t->was);
    if (rc != STORE_DONE)
        return rc == STORE_REFUSED ? STORE_DONE : rc;
    if (t->n_changes > 0)
        s->next_revision++;
    t->revision = s->next_revision;
    for (size_t i = 0; rc == STORE_DONE && i < t->n_changes; i++)
        rc = store_write_change(s, &t->changes[i]);
    return rc;
}

static void finish(struct store_txn *t, enum store_outcome outcome)
{
    t->outcome = outcome;
    if (outcome != STORE_DONE)
        t->revision = 0;
    if (outcome != STORE_REFUSED)
        t->was = NULL;
    t->done(t);
}

/* One commit; what is left for another one where this one has read as much as it may. */
static struct store_txn *run_some(struct store *s, struct store_txn *first)
{
    size_t n = 0;
    struct store_txn *t, *next;
    enum store_outcome rc = store_write_begin(s);
    for (t = first; t && s->arena.total < STORE_READ_BYTES; t = t->next, n++)
        if (rc == STORE_DONE)
            rc = apply(s, t);
    struct store_txn *rest = t;
    rc = store_write_end(s, rc, n);
    for (t = first; t != rest; t = next) {
        next = t->next; /* `done` may free it */
        finish(t, rc == STORE_DONE ? t->outcome : rc);
    }
    return rest;
}

/* Take what goes into the next commit: in the order of their coming, at least one. With the lock
 * held. */
static struct store_txn *take_batch(struct store *s)
{
    struct store_txn *first = s->first, *last = NULL;
    size_t bytes = 0;
    while (s->first) {
        size_t its = txn_bytes(s->first);
        if (last && bytes + its > BATCH_BYTES_MAX)
            break;
        bytes += its;
        last = s->first;
        s->first = last->next;
    }
    if (last)
        last->next = NULL;
    if (!s->first)
        s->last = &s->first;
    s->queued_bytes -= bytes;
    return first;
}

/* ---- the writer thread ---- */

void store_wake(struct store *s)
{
    if (s->sleeping)
        pthread_cond_signal(&s->work);
}

/* Sleep until there is work, or the time is there. With the lock held. */
static void sleep_until(struct store *s, int64_t until_ns)
{
    struct timespec ts = {.tv_sec = until_ns / NS_PER_SEC, .tv_nsec = until_ns % NS_PER_SEC};
    s->sleeping = true;
    if (until_ns == INT64_MAX)
        pthread_cond_wait(&s->work, &s->lock);
    else
        pthread_cond_timedwait(&s->work, &s->lock, &ts);
    s->sleeping = false;
}

/* Do all that there is to do. False where there was nothing; `ret_next_ns` then is when there will
 * be. With the lock held. */
static bool do_work(struct store *s, int64_t *ret_next_ns)
{
    bool leases = store_leases_due(s, clock_mono_ns(), ret_next_ns);
    if (!leases && !s->first && !store_watches_due(s))
        return false;
    if (leases)
        store_leases_run(s);
    struct store_txn *batch = take_batch(s);
    pthread_mutex_unlock(&s->lock);
    while (batch)
        batch = run_some(s, batch);
    pthread_mutex_lock(&s->lock);
    store_watches_tell(s);
    return true;
}

void *store_writer(void *arg)
{
    struct store *s = arg;
    bool untidy = true;
    int64_t busy_ns = clock_mono_ns(), next_ns;
    pthread_setname_np(pthread_self(), "store");
    pthread_mutex_lock(&s->lock);
    for (;;) {
        bool worked = do_work(s, &next_ns);
        if (!worked && s->closing)
            break;
        if (worked)
            busy_ns = clock_mono_ns();
        int64_t idle_ns = busy_ns + IDLE_NS;
        if (worked || (untidy && clock_mono_ns() >= idle_ns)) {
            pthread_mutex_unlock(&s->lock);
            untidy = store_db_tidy(s->db, !worked);
            pthread_mutex_lock(&s->lock);
            /* Where a reader holds it up, or the disk does, another time. */
            busy_ns = clock_mono_ns();
        } else {
            sleep_until(s, untidy && idle_ns < next_ns ? idle_ns : next_ns);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

void store_submit(struct store *s, struct store_txn *t)
{
    size_t bytes = txn_bytes(t);
    t->next = NULL;
    t->was = NULL;
    pthread_mutex_lock(&s->lock);
    bool closing = s->closing;
    bool taken = !closing && s->queued_bytes + bytes <= STORE_QUEUE_BYTES;
    if (taken) {
        *s->last = t;
        s->last = &t->next;
        s->queued_bytes += bytes;
        store_wake(s);
    }
    pthread_mutex_unlock(&s->lock);
    if (!taken)
        finish(t, closing ? STORE_FAILED : STORE_FULL);
}

struct commit_wait {
    struct store_txn txn; /* a copy of the caller's */
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool is_over;
};

static void commit_done(struct store_txn *t)
{
    struct commit_wait *w = CONTAINER_OF(t, struct commit_wait, txn);
    pthread_mutex_lock(&w->lock);
    w->is_over = true;
    pthread_cond_signal(&w->over);
    pthread_mutex_unlock(&w->lock);
}

enum store_outcome store_commit(struct store *s, struct store_txn *t)
{
    struct commit_wait w = {
        .txn = *t, .lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
    w.txn.done = commit_done;
    w.txn.read = NULL; /* what it reads would be gone when this returns */
    store_submit(s, &w.txn);
    pthread_mutex_lock(&w.lock);
    while (!w.is_over)
        pthread_cond_wait(&w.over, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.over);
    t->outcome = w.txn.outcome;
    t->revision = w.txn.revision;
    t->was = NULL;
    return t->outcome;
}

int64_t store_revision(struct store *s)
{
    return atomic_load(&s->revision);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void store_stats(struct store *s, struct store_stats *ret)
{
    int64_t times[STORE_TIMES];
    pthread_mutex_lock(&s->lock);
    *ret = s->stats;
    memcpy(times, s->times, sizeof(times));
    pthread_mutex_unlock(&s->lock);
    size_t n = ret->commits < STORE_TIMES ? (size_t)ret->commits : STORE_TIMES;
    qsort(times, n, sizeof(times[0]), by_size);
    ret->commit_ns_p50 = n ? times[n / 2] : 0;
    ret->bytes = store_db_bytes(s->db);
}
