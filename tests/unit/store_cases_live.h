/* What every implementation of store.h is held to: leases and watches. */
#ifndef STORE_CASES_LIVE_H
#define STORE_CASES_LIVE_H

#include "store_rig.h"

/* ---- leases ---- */

static struct store_change put_leased(const char *key, int64_t lease)
{
    return (struct store_change){.key = key, .data = "x", .len = 1, .lease = lease};
}

/* A lease that is young, and a key that bears it: where the machine stalls for so long that it ends
 * first, another one. */
static int64_t lease_a_key(struct rig *r, int64_t ttl_ms, const char *key, int64_t *ret_revision)
{
    for (int i = 0; i < 20; i++) {
        int64_t lease = store_lease_grant(r->s, ttl_ms);
        assert_true(lease > 0);
        if (commit_if(r->s, NULL, 0, put_leased(key, lease), ret_revision) == STORE_DONE &&
            store_lease_renew(r->s, lease))
            return lease;
    }
    fail_msg("the machine stalls");
    return 0;
}

/* Until the key is gone; by then the clock says so late. */
static int64_t await_gone(struct rig *r, const char *key)
{
    for (int i = 0; i < 20000 && text_of(r, key); i++) {
        arena_reset(&r->arena);
        usleep(1000);
    }
    assert_null(text_of(r, key));
    return clock_mono_ns();
}

static void case_lease_ends(void **state)
{
    struct rig *r = *state;
    struct store_item item;
    int64_t lease, revision, began, other = store_lease_grant(r->s, 600000);
    assert_true(other > 0);
    commit(r->s, put_leased("c", other));
    do {
        lease = lease_a_key(r, 1000, "a", NULL);
        commit_if(r->s, NULL, 0, put_leased("b", lease), NULL);
        revision = commit(r->s, put("b", "stays")); /* bears none any more */
        began = clock_mono_ns();
    } while (!store_lease_renew(r->s, lease)); /* the machine stalled */
    assert_true(lease != other);
    assert_true(store_get(r->s, &r->arena, "c", &item, NULL));
    assert_int_equal(item.lease, other);
    assert_true(await_gone(r, "a") >= began + 1000 * NS_PER_MS);
    assert_string_equal(keys_of(r, (struct store_range){0}), "b c");
    assert_true(store_revision(r->s) > revision);
    assert_false(store_lease_renew(r->s, lease));
    assert_true(store_lease_renew(r->s, other));
    assert_false(store_lease_renew(r->s, 123456));
}

static void case_lease_is_needed(void **state)
{
    struct rig *r = *state;
    assert_int_equal(store_lease_grant(r->s, 0), 0);
    assert_int_equal(store_lease_grant(r->s, -1), 0);
    assert_int_equal(commit_if(r->s, NULL, 0, put_leased("a", 77), NULL), STORE_REFUSED);
    int64_t lease = store_lease_grant(r->s, 600000);
    assert_int_equal(commit_if(r->s, NULL, 0, put_leased("a", lease), NULL), STORE_DONE);
    store_lease_revoke(r->s, lease);
    assert_null(text_of(r, "a"));
    assert_false(store_lease_renew(r->s, lease));
    assert_int_equal(commit_if(r->s, NULL, 0, put_leased("a", lease), NULL), STORE_REFUSED);
    store_lease_revoke(r->s, lease);
    int64_t next = store_lease_grant(r->s, 600000);
    assert_true(next != lease && next > 0);
}

/* Renewed every 50 ms, one of 500 ms lives for 1.5 s; where the machine stalls for so long that a
 * renewal comes too late, it says so itself. */
static void case_lease_renewed(void **state)
{
    struct rig *r = *state;
    int64_t lease = lease_a_key(r, 500, "a", NULL);
    bool lives = true;
    for (int i = 0; i < 30 && lives; i++) {
        usleep(50000);
        lives = store_lease_renew(r->s, lease);
        /* Gone only where it ended since. */
        assert_true(!lives || text_of(r, "a") || !store_lease_renew(r->s, lease));
    }
    if (!lives)
        print_message("the machine stalled: the lease ended before it was renewed\n");
    await_gone(r, "a");
    assert_false(store_lease_renew(r->s, lease));
}

/* After a start a lease has its whole time again, and then it ends. */
static void case_lease_after_start(void **state)
{
    struct rig *r = *state;
    int64_t gone = store_lease_grant(r->s, 600000);
    commit(r->s, put_leased("b", gone));
    store_lease_revoke(r->s, gone);
    int64_t lease, closed;
    int stalls = 0;
    do {
        assert_true(stalls++ < 20);
        lease = lease_a_key(r, 1500, "a", NULL);
        closed = clock_mono_ns();
        reopen(r);
    } while (!text_of(r, "a")); /* the machine stalled */
    assert_false(store_lease_renew(r->s, gone));
    assert_true(await_gone(r, "a") >= closed + 1500 * NS_PER_MS);
    reopen(r);
    assert_false(store_lease_renew(r->s, lease));
}

/* ---- watches ---- */

/* What a watch was told: "a=1@5 b-@6", the revisions relative to `base`. */
struct told {
    pthread_mutex_t lock;
    int64_t base, last;
    char text[4096];
    size_t len;
    atomic_int n;
};

static void on_events(void *ctx, const struct store_event *events, size_t n)
{
    struct told *told = ctx;
    pthread_mutex_lock(&told->lock);
    for (size_t i = 0; i < n; i++) {
        const struct store_item *item = &events[i].item;
        if (told->len < sizeof(told->text) - 64)
            told->len += (size_t)snprintf(
                told->text + told->len, 64, "%s%s%s%.*s@%d", told->len ? " " : "", item->key,
                item->data ? "=" : "-", (int)item->len, item->data ? (const char *)item->data : "",
                (int)(events[i].revision - told->base));
        assert_true(events[i].revision >= told->last);
        assert_int_equal(item->modified, events[i].revision);
        told->last = events[i].revision;
    }
    pthread_mutex_unlock(&told->lock);
    atomic_fetch_add(&told->n, (int)n);
}

static struct told told_new(struct store *s)
{
    return (struct told){.lock = PTHREAD_MUTEX_INITIALIZER, .base = store_revision(s)};
}

static void case_watch(void **state)
{
    struct rig *r = *state;
    commit(r->s, put("w/a", "0"));
    struct told told = told_new(r->s), all = told_new(r->s);
    struct store_watch *w = store_watch(r->s, "w/", told.base, on_events, &told);
    struct store_watch *every = store_watch(r->s, "", all.base, on_events, &all);
    assert_non_null(w);
    assert_non_null(every);
    commit(r->s, put("w/a", "1"));
    commit(r->s, put("v/a", "2"));
    commit(r->s, put("w/b", ""));
    commit(r->s, (struct store_change){.key = "w/a"});
    commit(r->s, (struct store_change){.key = "w/none"}); /* changes nothing */
    assert_int_equal(commit_if(r->s, "w/a", 1, put("w/a", "no"), NULL), STORE_REFUSED);
    struct store_change both[] = {put("w/a", "3"), put("w/c", "4")};
    struct store_txn t = {.changes = both, .n_changes = 2};
    assert_int_equal(store_commit(r->s, &t), STORE_DONE);
    await(&told.n, 5);
    await(&all.n, 6);
    assert_string_equal(told.text, "w/a=1@1 w/b=@3 w/a-@4 w/a=3@6 w/c=4@6");
    store_unwatch(r->s, w);
    commit(r->s, put("w/a", "5"));
    await(&all.n, 7);
    assert_int_equal(atomic_load(&told.n), 5);
    store_unwatch(r->s, every);
}

/* One that begins later is told what came since, whatever the revision that it begins after. */
static void case_watch_from_the_past(void **state)
{
    struct rig *r = *state;
    struct told early = told_new(r->s), late = told_new(r->s), none = told_new(r->s);
    for (int i = 0; i < 6; i++)
        commit(r->s, put(i % 2 ? "odd" : "even", "x"));
    struct store_watch *a = store_watch(r->s, "", early.base, on_events, &early);
    struct store_watch *b = store_watch(r->s, "odd", late.base + 3, on_events, &late);
    struct store_watch *c = store_watch(r->s, "", store_revision(r->s), on_events, &none);
    await(&early.n, 6);
    await(&late.n, 2);
    assert_string_equal(early.text, "even=x@1 odd=x@2 even=x@3 odd=x@4 even=x@5 odd=x@6");
    commit(r->s, put("odd", "y"));
    await(&none.n, 1);
    await(&late.n, 3);
    assert_string_equal(late.text, "odd=x@4 odd=x@6 odd=y@7");
    assert_string_equal(none.text, "odd=y@7");
    store_unwatch(r->s, a);
    store_unwatch(r->s, b);
    store_unwatch(r->s, c);
}

/* What is too long ago is said to be so: another process's events, and too many. */
static void case_watch_too_late(void **state)
{
    struct rig *r = *state;
    struct told told = told_new(r->s);
    commit(r->s, put("a", "1"));
    int64_t before = store_revision(r->s);
    commit(r->s, put("a", "2"));
    reopen(r);
    assert_null(store_watch(r->s, "", before, on_events, &told));
    struct store_watch *w = store_watch(r->s, "", before + 1, on_events, &told);
    assert_non_null(w);
    static struct store_change many[1000];
    for (int i = 0; i < 1000; i++)
        many[i] = put("a", "3");
    struct store_txn t = {.changes = many, .n_changes = 1000};
    for (int i = 0; i < 20; i++)
        assert_int_equal(store_commit(r->s, &t), STORE_DONE);
    await(&told.n, 20000);
    assert_null(store_watch(r->s, "", before + 1, on_events, &told));
    store_unwatch(r->s, w);
}

static void case_watch_sees_leases_end(void **state)
{
    struct rig *r = *state;
    struct told told = told_new(r->s);
    int64_t revision;
    lease_a_key(r, 1000, "a", &revision);
    told.base = revision - 1;
    struct store_watch *w = store_watch(r->s, "a", told.base, on_events, &told);
    await(&told.n, 2);
    assert_string_equal(told.text, "a=x@1 a-@2");
    store_unwatch(r->s, w);
}

/* A copy that is listed and then watched is what the store has, whoever writes meanwhile. */
struct copy {
    atomic_int keys[64]; /* the number that each has; 0: absent */
};

static void copy_events(void *ctx, const struct store_event *events, size_t n)
{
    struct copy *copy = ctx;
    for (size_t i = 0; i < n; i++) {
        const struct store_item *item = &events[i].item;
        int value = 0;
        if (item->data)
            memcpy(&value, item->data, sizeof(value));
        atomic_store(&copy->keys[atoi(item->key + 2) % 64], value);
    }
}

/* The revision first: what the list has beyond it is told once more. Where more is written in
 * between than is remembered, from the start. */
static struct store_watch *list_and_watch(struct rig *r, struct copy *copy)
{
    struct store_watch *w = NULL;
    while (!w) {
        struct store_item *items;
        size_t n;
        int64_t revision = store_revision(r->s);
        arena_reset(&r->arena);
        assert_true(store_list(r->s, &r->arena, &(struct store_range){.from = "c/"}, &items, &n));
        memset(copy, 0, sizeof(*copy));
        for (size_t i = 0; i < n; i++)
            copy_events(copy, &(struct store_event){.item = items[i]}, 1);
        w = store_watch(r->s, "c/", revision, copy_events, copy);
    }
    return w;
}

static atomic_bool stop_writing;

static void *scribble(void *arg)
{
    struct store *s = arg;
    for (int i = 1; !atomic_load(&stop_writing) && i < 100000; i++) {
        char key[16];
        snprintf(key, sizeof(key), "c/%d", i * 7 % 64);
        struct store_change c = {.key = key, .data = i % 5 ? &i : NULL, .len = sizeof(i)};
        struct store_txn t = {.changes = &c, .n_changes = 1};
        if (store_commit(s, &t) != STORE_DONE)
            return s;
    }
    return NULL;
}

static void case_list_then_watch(void **state)
{
    struct rig *r = *state;
    pthread_t writer;
    static struct copy copies[8];
    struct store_watch *watches[8];
    void *failed;
    memset(copies, 0, sizeof(copies));
    atomic_store(&stop_writing, false);
    assert_int_equal(pthread_create(&writer, NULL, scribble, r->s), 0);
    for (int i = 0; i < 8; i++) {
        usleep(5000);
        watches[i] = list_and_watch(r, &copies[i]);
    }
    usleep(20000);
    atomic_store(&stop_writing, true);
    pthread_join(writer, &failed);
    assert_null(failed);
    struct told last = told_new(r->s);
    struct store_watch *w = store_watch(r->s, "end", last.base, on_events, &last);
    commit(r->s, put("end", "x"));
    await(&last.n, 1); /* watches are told in their order: the others know all */
    for (int k = 0; k < 64; k++) {
        char key[16];
        int value = 0;
        struct store_item item;
        snprintf(key, sizeof(key), "c/%d", k);
        if (store_get(r->s, &r->arena, key, &item, NULL))
            memcpy(&value, item.data, sizeof(value));
        for (int i = 0; i < 8; i++)
            assert_int_equal(atomic_load(&copies[i].keys[k]), value);
    }
    for (int i = 0; i < 8; i++)
        store_unwatch(r->s, watches[i]);
    store_unwatch(r->s, w);
}

#endif
