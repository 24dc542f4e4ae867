/* What the tests of the store share: a store in a folder of its own, transactions in a line. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "store.h"

/* The store of that folder; never NULL. */
static inline struct store *rig_open(const char *folder)
{
    char why[512] = "";
    struct store *s = store_open(folder, why);
    if (!s)
        fail_msg("%s", why);
    return s;
}

/* A case's own store, in a folder of its own. */
struct rig {
    char folder[64];
    struct store *s;
    struct arena arena;
};

static inline int rig_begin(void **state)
{
    static struct rig r;
    strcpy(r.folder, "/var/tmp/isobar-store-XXXXXX");
    assert_non_null(mkdtemp(r.folder));
    arena_init(&r.arena, (size_t)64 << 20);
    r.s = rig_open(r.folder);
    *state = &r;
    return 0;
}

static inline int rig_end(void **state)
{
    struct rig *r = *state;
    char command[128];
    store_close(r->s);
    arena_done(&r->arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", r->folder);
    return system(command);
}

static inline void reopen(struct rig *r)
{
    store_close(r->s);
    r->s = rig_open(r->folder);
}

/* ---- a transaction in a line ---- */

static inline struct store_change put(const char *key, const char *text)
{
    return (struct store_change){.key = key, .data = text, .len = strlen(text)};
}

static inline enum store_outcome commit_if(struct store *s, const char *key, int64_t modified,
                                           struct store_change c, int64_t *ret_revision)
{
    struct store_compare compare = {key, modified};
    struct store_txn t = {
        .compares = &compare, .n_compares = key != NULL, .changes = &c, .n_changes = 1};
    enum store_outcome outcome = store_commit(s, &t);
    if (ret_revision)
        *ret_revision = t.revision;
    return outcome;
}

/* The revision. */
static inline int64_t commit(struct store *s, struct store_change c)
{
    int64_t revision;
    assert_int_equal(commit_if(s, NULL, 0, c, &revision), STORE_DONE);
    return revision;
}

/* The text of a key; NULL where it is absent. */
static inline const char *text_of(struct rig *r, const char *key)
{
    struct store_item item;
    bool failed = true;
    bool there = store_get(r->s, &r->arena, key, &item, &failed);
    assert_false(failed);
    return there ? arena_strndup(&r->arena, (const char *)item.data, item.len) : NULL;
}

/* The keys of a range, "a b c". */
static inline const char *keys_of(struct rig *r, struct store_range range)
{
    struct store_item *items;
    size_t n;
    char *out = arena_strdup(&r->arena, "");
    assert_true(store_list(r->s, &r->arena, &range, &items, &n));
    for (size_t i = 0; i < n; i++) {
        out = arena_printf(&r->arena, "%s%s%s", out, i ? " " : "", items[i].key);
        assert_true(!items[i].data == range.keys_only);
    }
    return out;
}

/* Until it counted so far; a test that hangs fails here. */
static inline void await(atomic_int *counter, int value)
{
    for (int i = 0; i < 20000 && atomic_load(counter) < value; i++)
        usleep(1000);
    assert_int_equal(atomic_load(counter), value);
}

#endif
