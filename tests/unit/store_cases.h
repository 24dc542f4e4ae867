/* What every implementation of store.h is held to: keys, transactions, lists. The cases know that
 * header only. */
#ifndef STORE_CASES_H
#define STORE_CASES_H

#include "store_rig.h"

/* ---- what is read is what was written ---- */

static void case_put_and_get(void **state)
{
    struct rig *r = *state;
    struct store_item item;
    assert_null(text_of(r, "a"));
    int64_t first = commit(r->s, put("a", "one"));
    assert_true(first > 0);
    assert_true(store_get(r->s, &r->arena, "a", &item, NULL));
    assert_string_equal(item.key, "a");
    assert_int_equal(item.len, 3);
    assert_memory_equal(item.data, "one", 3);
    assert_int_equal(item.created, first);
    assert_int_equal(item.modified, first);
    assert_int_equal(item.lease, 0);
    int64_t second = commit(r->s, put("a", "another"));
    assert_true(second > first);
    assert_true(store_get(r->s, &r->arena, "a", &item, NULL));
    assert_memory_equal(item.data, "another", 7);
    assert_int_equal(item.created, first);
    assert_int_equal(item.modified, second);
    assert_int_equal(store_revision(r->s), second);
    commit(r->s, (struct store_change){.key = "a"});
    assert_null(text_of(r, "a"));
    int64_t third = commit(r->s, put("a", ""));
    assert_true(store_get(r->s, &r->arena, "a", &item, NULL));
    assert_int_equal(item.created, third);
    assert_int_equal(item.len, 0);
    assert_non_null(item.data);
}

static void case_any_bytes(void **state)
{
    struct rig *r = *state;
    struct store_item item;
    size_t len = (size_t)3 << 20;
    uint8_t *data = malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    commit(r->s, (struct store_change){.key = "big/\xc3\xa9", .data = data, .len = len});
    assert_true(store_get(r->s, &r->arena, "big/\xc3\xa9", &item, NULL));
    assert_int_equal(item.len, len);
    assert_memory_equal(item.data, data, len);
    free(data);
}

static void case_arena_exhausted(void **state)
{
    struct rig *r = *state;
    struct arena small;
    struct store_item item, *items;
    size_t n;
    bool failed = false;
    char value[8192] = "";
    commit(r->s, (struct store_change){.key = "a", .data = value, .len = sizeof(value)});
    arena_init(&small, 4096);
    assert_false(store_get(r->s, &small, "a", &item, &failed));
    assert_true(failed);
    arena_reset(&small);
    assert_false(store_list(r->s, &small, &(struct store_range){.from = ""}, &items, &n));
    arena_done(&small);
    assert_true(store_get(r->s, &r->arena, "a", &item, &failed));
    assert_false(failed);
}

/* ---- transactions ---- */

static void case_compare(void **state)
{
    struct rig *r = *state;
    int64_t first, revision;
    assert_int_equal(commit_if(r->s, "a", 5, put("a", "x"), NULL), STORE_REFUSED);
    assert_null(text_of(r, "a"));
    assert_int_equal(commit_if(r->s, "a", 0, put("a", "one"), &first), STORE_DONE);
    assert_int_equal(commit_if(r->s, "a", 0, put("a", "two"), NULL), STORE_REFUSED);
    assert_int_equal(commit_if(r->s, "a", first, put("a", "two"), &revision), STORE_DONE);
    assert_int_equal(commit_if(r->s, "a", first, put("b", "x"), NULL), STORE_REFUSED);
    assert_string_equal(text_of(r, "a"), "two");
    assert_null(text_of(r, "b"));
    assert_int_equal(store_revision(r->s), revision);
}

static void case_all_or_nothing(void **state)
{
    struct rig *r = *state;
    struct store_change changes[] = {put("a", "1"), put("b", "2"), {.key = "c"}};
    struct store_compare compares[] = {{"a", 0}, {"c", 0}};
    struct store_txn t = {
        .compares = compares, .n_compares = 2, .changes = changes, .n_changes = 3};
    int64_t c = commit(r->s, put("c", "x"));
    assert_int_equal(store_commit(r->s, &t), STORE_REFUSED);
    assert_string_equal(keys_of(r, (struct store_range){.from = ""}), "c");
    compares[1].modified = c;
    assert_int_equal(store_commit(r->s, &t), STORE_DONE);
    assert_string_equal(keys_of(r, (struct store_range){.from = ""}), "a b");
    struct store_item a, b;
    assert_true(store_get(r->s, &r->arena, "a", &a, NULL));
    assert_true(store_get(r->s, &r->arena, "b", &b, NULL));
    assert_int_equal(a.modified, t.revision);
    assert_int_equal(b.modified, t.revision);
    /* Changes are made in their order; comparisons alone change nothing. */
    struct store_change twice[] = {put("a", "2"), put("a", "3"), put("b", "x"), {.key = "b"}};
    struct store_txn again = {.changes = twice, .n_changes = 4};
    assert_int_equal(store_commit(r->s, &again), STORE_DONE);
    assert_string_equal(text_of(r, "a"), "3");
    assert_null(text_of(r, "b"));
    struct store_compare still = {"a", again.revision};
    struct store_txn only = {.compares = &still, .n_compares = 1};
    assert_int_equal(store_commit(r->s, &only), STORE_DONE);
    assert_int_equal(only.revision, again.revision);
    assert_int_equal(store_revision(r->s), again.revision);
}

/* Transactions that are submitted one behind the other, without a wait in between. */
struct chained {
    struct store_txn txn;
    struct store_compare compare;
    struct store_change change;
    char key[16];
    char was[8];
    atomic_int called;
};

static atomic_int n_called;

static void chained_done(struct store_txn *t)
{
    struct chained *c = CONTAINER_OF(t, struct chained, txn);
    if (t->was)
        snprintf(c->was, sizeof(c->was), "%.*s", (int)t->was->len, (const char *)t->was->data);
    atomic_fetch_add(&c->called, 1);
    atomic_fetch_add(&n_called, 1);
}

static void submit_put(struct store *s, struct chained *c, const char *key, const char *text)
{
    snprintf(c->key, sizeof(c->key), "%s", key);
    c->compare = (struct store_compare){c->key, 0};
    c->change = put(c->key, text);
    c->txn = (struct store_txn){.compares = &c->compare,
                                .n_compares = 1,
                                .changes = &c->change,
                                .n_changes = 1,
                                .read = c->key,
                                .done = chained_done};
    store_submit(s, &c->txn);
}

/* A key is made once, whoever else is in the same commit. */
static void case_refused_alone(void **state)
{
    struct rig *r = *state;
    static struct chained all[300];
    memset(all, 0, sizeof(all));
    atomic_store(&n_called, 0);
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%03d", i / 3);
        submit_put(r->s, &all[i], key, i % 3 == 0 ? "first" : "late");
    }
    await(&n_called, 300);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(atomic_load(&all[i].called), 1);
        assert_int_equal(all[i].txn.outcome, i % 3 == 0 ? STORE_DONE : STORE_REFUSED);
        assert_string_equal(all[i].was, i % 3 == 0 ? "" : "first");
        assert_string_equal(text_of(r, all[i].key), "first");
        if (i % 3 == 0 && i > 0)
            assert_int_equal(all[i].txn.revision, all[i - 3].txn.revision + 1);
    }
}

static void case_close_waits(void **state)
{
    struct rig *r = *state;
    static struct chained all[500];
    memset(all, 0, sizeof(all));
    atomic_store(&n_called, 0);
    for (int i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%03d", i);
        submit_put(r->s, &all[i], key, "x");
    }
    reopen(r);
    assert_int_equal(atomic_load(&n_called), 500);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(all[i].txn.outcome, STORE_DONE);
        assert_string_equal(text_of(r, all[i].key), "x");
    }
}

static void case_too_much(void **state)
{
    struct rig *r = *state;
    size_t len = (size_t)65 << 20;
    char *data = calloc(1, len);
    struct store_change c = {.key = "a", .data = data, .len = len};
    struct store_txn t = {.changes = &c, .n_changes = 1};
    assert_non_null(data);
    assert_int_equal(store_commit(r->s, &t), STORE_FULL);
    free(data);
    assert_null(text_of(r, "a"));
    commit(r->s, put("a", "fits"));
}

/* ---- lists ---- */

static void case_list(void **state)
{
    struct rig *r = *state;
    static const char *const keys[] = {"b/2", "a", "b/1", "c", "b/3", "b", "b\x01", "b/\xff"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        commit(r->s, put(keys[i], "x"));
    const char *end = store_prefix_end(&r->arena, "b/");
    struct store_range b = {.from = "b/", .to = end};
    assert_string_equal(keys_of(r, (struct store_range){.from = "", .to = ""}),
                        "a b b\x01 b/1 b/2 b/3 b/\xff c");
    assert_string_equal(keys_of(r, (struct store_range){0}), "a b b\x01 b/1 b/2 b/3 b/\xff c");
    assert_string_equal(keys_of(r, b), "b/1 b/2 b/3 b/\xff");
    b.limit = 2;
    assert_string_equal(keys_of(r, b), "b/1 b/2");
    b.backwards = true;
    assert_string_equal(keys_of(r, b), "b/\xff b/3");
    b.keys_only = true;
    b.limit = 100;
    assert_string_equal(keys_of(r, b), "b/\xff b/3 b/2 b/1");
    b.backwards = false;
    assert_string_equal(keys_of(r, b), "b/1 b/2 b/3 b/\xff");
    assert_string_equal(keys_of(r, (struct store_range){.from = "b/2", .keys_only = true}),
                        "b/2 b/3 b/\xff c");
    assert_string_equal(keys_of(r, (struct store_range){.to = "b", .backwards = true}), "a");
    assert_string_equal(keys_of(r, (struct store_range){.from = "d"}), "");
    assert_string_equal(store_prefix_end(&r->arena, ""), "");
    assert_string_equal(store_prefix_end(&r->arena, "a\xff"), "b");
    assert_string_equal(store_prefix_end(&r->arena, "\xff"), "");
}

static void case_revisions_survive(void **state)
{
    struct rig *r = *state;
    commit(r->s, put("a", "1"));
    int64_t last = commit(r->s, (struct store_change){.key = "a"});
    reopen(r);
    assert_int_equal(store_revision(r->s), last);
    assert_string_equal(keys_of(r, (struct store_range){0}), "");
    assert_int_equal(commit(r->s, put("a", "2")), last + 1);
    reopen(r);
    assert_string_equal(text_of(r, "a"), "2");
}

/* ---- many threads ---- */

enum { THREADS = 4, ROUNDS = 100 };

/* Add one to the number of two keys, in one transaction, until it is not refused. */
static void *adder(void *arg)
{
    struct store *s = arg;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (int i = 0; i < ROUNDS;) {
        struct store_item item = {0};
        arena_reset(&a);
        bool there = store_get(s, &a, "n/1", &item, NULL);
        char *text = there ? arena_strndup(&a, (const char *)item.data, item.len) : NULL;
        text = arena_printf(&a, "%d", 1 + (text ? atoi(text) : 0));
        struct store_compare compare = {"n/1", item.modified};
        struct store_change changes[] = {put("n/1", text), put("n/2", text)};
        struct store_txn t = {
            .compares = &compare, .n_compares = 1, .changes = changes, .n_changes = 2};
        i += store_commit(s, &t) == STORE_DONE;
    }
    arena_done(&a);
    return NULL;
}

static void case_threads(void **state)
{
    struct rig *r = *state;
    pthread_t threads[THREADS];
    struct store_range range = {.from = "n/", .to = "n0"};
    int seen = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, adder, r->s), 0);
    /* A list is of one moment: both keys have the same number. */
    for (int64_t until = clock_mono_ns() + 60 * NS_PER_SEC;
         seen < THREADS * ROUNDS && clock_mono_ns() < until;) {
        struct store_item *items;
        size_t n;
        arena_reset(&r->arena);
        assert_true(store_list(r->s, &r->arena, &range, &items, &n));
        assert_true(n == 0 || n == 2);
        if (n == 0)
            continue;
        assert_int_equal(items[0].modified, items[1].modified);
        assert_int_equal(items[0].len, items[1].len);
        assert_memory_equal(items[0].data, items[1].data, items[0].len);
        int now = atoi(arena_strndup(&r->arena, (const char *)items[0].data, items[0].len));
        assert_true(now >= seen);
        seen = now;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(seen, THREADS * ROUNDS);
    struct store_stats stats;
    store_stats(r->s, &stats);
    assert_true(stats.transactions >= (uint64_t)THREADS * ROUNDS);
    assert_true(stats.commits > 0 && stats.commits <= stats.transactions);
    assert_true(stats.commit_ns_p50 > 0 && stats.commit_ns_sum >= stats.commit_ns_p50);
    assert_true(stats.bytes > 0);
    assert_int_equal(stats.failures, 0);
}

#endif
