/* A disk that fails. A layer below SQLite fails what it is told to: whatever it is, a transaction
 * that is DONE is there, one that is not is not, also for a process that opens the files later. */
#include <errno.h>
#include <sqlite3.h>

#include "store_rig.h"

/* ---- the layer ---- */

/* How many of these calls fail from now on. */
static atomic_int log_syncs, log_writes, log_full, file_writes, file_syncs, reads;

struct layer_file {
    sqlite3_file base;
    bool is_log;
    _Alignas(8) char real[]; /* the file of the VFS below */
};

static sqlite3_vfs layer, *below;

static sqlite3_file *real(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)((struct layer_file *)f)->real;
}

static bool is_log(sqlite3_file *f)
{
    return ((struct layer_file *)f)->is_log;
}

static bool fails(atomic_int *count)
{
    int n = atomic_load(count);
    while (n > 0 && !atomic_compare_exchange_weak(count, &n, n - 1))
        ;
    if (n > 0)
        errno = EIO;
    return n > 0;
}

static int layer_close(sqlite3_file *f)
{
    return real(f)->pMethods->xClose(real(f));
}

static int layer_read(sqlite3_file *f, void *data, int n, sqlite3_int64 at)
{
    if (fails(&reads))
        return SQLITE_IOERR_READ;
    return real(f)->pMethods->xRead(real(f), data, n, at);
}

/* A write that fails has written a part. */
static int layer_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    bool full = is_log(f) && fails(&log_full);
    if (full || fails(is_log(f) ? &log_writes : &file_writes)) {
        (void)real(f)->pMethods->xWrite(real(f), data, n / 2, at);
        errno = EIO;
        return full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    return real(f)->pMethods->xWrite(real(f), data, n, at);
}

static int layer_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real(f)->pMethods->xTruncate(real(f), size);
}

static int layer_sync(sqlite3_file *f, int flags)
{
    if (fails(is_log(f) ? &log_syncs : &file_syncs))
        return SQLITE_IOERR_FSYNC;
    return real(f)->pMethods->xSync(real(f), flags);
}

static int layer_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return real(f)->pMethods->xFileSize(real(f), ret);
}

static int layer_lock(sqlite3_file *f, int kind)
{
    return real(f)->pMethods->xLock(real(f), kind);
}

static int layer_unlock(sqlite3_file *f, int kind)
{
    return real(f)->pMethods->xUnlock(real(f), kind);
}

static int layer_reserved(sqlite3_file *f, int *ret)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), ret);
}

static int layer_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int layer_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int layer_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int layer_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, ret);
}

static int layer_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}

static void layer_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int layer_shm_unmap(sqlite3_file *f, int drop)
{
    return real(f)->pMethods->xShmUnmap(real(f), drop);
}

static const sqlite3_io_methods layer_methods = {
    .iVersion = 2,
    .xClose = layer_close,
    .xRead = layer_read,
    .xWrite = layer_write,
    .xTruncate = layer_truncate,
    .xSync = layer_sync,
    .xFileSize = layer_size,
    .xLock = layer_lock,
    .xUnlock = layer_unlock,
    .xCheckReservedLock = layer_reserved,
    .xFileControl = layer_control,
    .xSectorSize = layer_sector,
    .xDeviceCharacteristics = layer_device,
    .xShmMap = layer_shm_map,
    .xShmLock = layer_shm_lock,
    .xShmBarrier = layer_shm_barrier,
    .xShmUnmap = layer_shm_unmap,
};

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret)
{
    (void)vfs;
    int rc = below->xOpen(below, name, real(f), flags, ret);
    ((struct layer_file *)f)->is_log = flags & SQLITE_OPEN_WAL;
    f->pMethods = real(f)->pMethods ? &layer_methods : NULL;
    return rc;
}

static void layer_begin(void)
{
    below = sqlite3_vfs_find(NULL);
    layer = *below;
    layer.zName = "layer";
    layer.szOsFile += (int)sizeof(struct layer_file);
    layer.xOpen = layer_open;
    assert_int_equal(sqlite3_vfs_register(&layer, 1), SQLITE_OK);
}

/* ---- the tests ---- */

static enum store_outcome try_put(struct rig *r, const char *key)
{
    return commit_if(r->s, NULL, 0, put(key, "x"), NULL);
}

/* The keys that a process would find that opens a copy of the files as they are now. */
static const char *keys_of_copy(struct rig *r)
{
    char command[256];
    struct rig copy = *r;
    snprintf(copy.folder, sizeof(copy.folder), "%.40s/copy", r->folder);
    snprintf(command, sizeof(command), "cd %.40s && rm -rf copy && mkdir copy && cp store.db* copy",
             r->folder);
    assert_int_equal(system(command), 0);
    copy.s = rig_open(copy.folder);
    const char *keys = keys_of(&copy, (struct store_range){0});
    store_close(copy.s);
    r->arena = copy.arena;
    return keys;
}

static const char *keys_now(struct rig *r)
{
    return keys_of(r, (struct store_range){0});
}

/* Each kind of failure: the transaction is not done, and the next one is. */
static void test_one_failure(void **state)
{
    struct rig *r = *state;
    static const struct {
        atomic_int *count;
        enum store_outcome outcome;
    } kinds[] = {{&log_syncs, STORE_FAILED}, {&log_writes, STORE_FAILED}, {&log_full, STORE_FULL}};
    assert_int_equal(try_put(r, "a"), STORE_DONE);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct store_stats before, after;
        int64_t revision = store_revision(r->s);
        store_stats(r->s, &before);
        atomic_store(kinds[i].count, 1);
        assert_int_equal(try_put(r, "b"), kinds[i].outcome);
        assert_int_equal(atomic_load(kinds[i].count), 0);
        assert_string_equal(keys_now(r), "a");
        assert_string_equal(keys_of_copy(r), "a");
        assert_int_equal(store_revision(r->s), revision);
        store_stats(r->s, &after);
        assert_int_equal(after.failures, before.failures + 1);
        assert_int_equal(try_put(r, "c"), STORE_DONE);
        assert_string_equal(keys_now(r), "a c");
        assert_string_equal(keys_of_copy(r), "a c");
        assert_int_equal(
            commit_if(r->s, "c", store_revision(r->s), (struct store_change){.key = "c"}, NULL),
            STORE_DONE);
    }
    reopen(r);
    assert_string_equal(keys_now(r), "a");
}

/* While nothing can be written nothing is done, and nothing is lost; then all goes on. */
static void test_long_failure(void **state)
{
    struct rig *r = *state;
    atomic_int *const kinds[] = {&log_syncs, &log_writes, &log_full};
    assert_int_equal(try_put(r, "a"), STORE_DONE);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        atomic_store(kinds[i], 1000000);
        for (int n = 0; n < 20; n++) {
            enum store_outcome outcome = try_put(r, "b");
            assert_int_equal(outcome, kinds[i] == &log_full ? STORE_FULL : STORE_FAILED);
            assert_string_equal(keys_now(r), "a");
        }
        assert_int_equal(store_lease_grant(r->s, 1000), 0);
        atomic_store(kinds[i], 0);
        assert_int_equal(try_put(r, "a"), STORE_DONE);
        assert_string_equal(keys_of_copy(r), "a");
    }
    reopen(r);
    assert_string_equal(keys_now(r), "a");
}

/* A lease that ends while the disk fails takes its keys with it when it works. */
static void test_lease_later(void **state)
{
    struct rig *r = *state;
    int64_t lease = store_lease_grant(r->s, 600000);
    struct store_change c = {.key = "a", .data = "x", .len = 1, .lease = lease};
    assert_int_equal(commit_if(r->s, NULL, 0, c, NULL), STORE_DONE);
    atomic_store(&log_syncs, 1000000);
    store_lease_revoke(r->s, lease);
    assert_string_equal(keys_now(r), "a");
    assert_false(store_lease_renew(r->s, lease));
    atomic_store(&log_syncs, 0);
    for (int i = 0; i < 20000 && *keys_now(r); i++)
        usleep(1000);
    assert_string_equal(keys_now(r), "");
}

static void test_reads(void **state)
{
    struct rig *r = *state;
    struct store_item item, *items;
    size_t n;
    bool failed = false;
    assert_int_equal(try_put(r, "a"), STORE_DONE);
    reopen(r); /* nothing of it is in a cache */
    atomic_store(&reads, 1000000);
    assert_false(store_get(r->s, &r->arena, "a", &item, &failed));
    assert_true(failed);
    assert_false(store_list(r->s, &r->arena, &(struct store_range){0}, &items, &n));
    atomic_store(&reads, 0);
    assert_string_equal(text_of(r, "a"), "x");
}

/* What cannot be moved from the log stays in it. */
static void test_checkpoints(void **state)
{
    struct rig *r = *state;
    static char value[100000];
    struct store_change c = {.key = "big", .data = value, .len = sizeof(value)};
    atomic_store(&file_writes, 1000000);
    for (int i = 0; i < 400; i++) {
        if (i == 200) {
            atomic_store(&file_writes, 0);
            atomic_store(&file_syncs, 1000000);
        }
        memset(value, 'a' + i % 26, sizeof(value));
        assert_int_equal(commit_if(r->s, NULL, 0, c, NULL), STORE_DONE);
    }
    assert_true(atomic_load(&file_syncs) < 1000000);
    assert_string_equal(keys_of_copy(r), "big");
    atomic_store(&file_syncs, 0);
    for (int i = 0; i < 400; i++)
        assert_int_equal(commit_if(r->s, NULL, 0, c, NULL), STORE_DONE);
    struct store_stats stats;
    store_stats(r->s, &stats);
    assert_int_equal(stats.failures, 0);
    assert_true(stats.bytes < (uint64_t)100 << 20); /* the log began anew */
}

/* Many at once, and failures at random: exactly what is DONE is there. */
enum { MANY = 4000, AT_ONCE = 64 };

struct one {
    struct store_txn txn;
    struct store_change changes[2];
    char keys[2][16];
};

static atomic_int n_over;

static void one_done(struct store_txn *t)
{
    (void)t;
    atomic_fetch_add(&n_over, 1);
}

static void one_submit(struct store *s, struct one *o, int i)
{
    for (int k = 0; k < 2; k++) {
        snprintf(o->keys[k], sizeof(o->keys[k]), "%c/%05d", "ab"[k], i * 7919 % MANY);
        o->changes[k] = put(o->keys[k], "0123456789012345678901234567890123456789");
    }
    o->txn = (struct store_txn){.changes = o->changes, .n_changes = 2, .done = one_done};
    store_submit(s, &o->txn);
}

static void expect_done_only(struct rig *r, const struct one *all)
{
    int done = 0;
    for (int i = 0; i < MANY; i++) {
        arena_reset(&r->arena);
        bool is = all[i].txn.outcome == STORE_DONE;
        done += is;
        for (int k = 0; k < 2; k++)
            assert_int_equal(text_of(r, all[i].keys[k]) != NULL, is);
    }
    assert_true(done > 0 && done < MANY);
}

static void test_random_failures(void **state)
{
    struct rig *r = *state;
    struct one *all = calloc(MANY, sizeof(*all));
    atomic_int *const kinds[] = {&log_syncs, &log_writes, &log_full, &file_writes, &file_syncs};
    unsigned seed = 1;
    assert_non_null(all);
    atomic_store(&n_over, 0);
    for (int i = 0; i < MANY; i++) {
        for (int n = 0; n < 20000 && i - atomic_load(&n_over) >= AT_ONCE; n++)
            usleep(100);
        if (rand_r(&seed) % 64 == 0)
            atomic_store(kinds[(size_t)rand_r(&seed) % ARRAY_LEN(kinds)], 1 + rand_r(&seed) % 5);
        one_submit(r->s, &all[i], i);
    }
    await(&n_over, MANY);
    expect_done_only(r, all);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        atomic_store(kinds[i], 0);
    assert_int_equal(try_put(r, "last"), STORE_DONE);
    reopen(r);
    expect_done_only(r, all);
    free(all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
    layer_begin();
    const struct CMUnitTest tests[] = {
        TEST(test_one_failure), TEST(test_long_failure), TEST(test_lease_later),
        TEST(test_reads),       TEST(test_checkpoints),  TEST(test_random_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
