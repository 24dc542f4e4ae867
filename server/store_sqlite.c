/* The database: SQLite in WAL mode, one connection that writes and some that read. It is one file
 * because one file is to know SQLite.
 *
 * What SQLite leaves to us:
 * - A commit whose fsync fails is taken back in this process, but its frames are in the log, and
 *   whole: a process that opens the log later would take them for a commit. So what comes next is a
 *   commit that overwrites the first of them (mend()), and nothing else works before that does.
 *   Nor is the connection closed and opened again meanwhile.
 * - Checkpoints. The writer makes them between commits: few enough that a page which is changed
 *   often is written back once, often enough that none takes long.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store_private.h"

#define APPLICATION_ID 0x49736f62 /* "Isob" */
#define BUSY_MS        5000       /* somebody looks at the file with sqlite3(1) */
/* Pages of the log that make a checkpoint due, when idle and always; how many more until one that
 * did not get through is tried again, and until readers must wait for one. */
#define TIDY_IDLE  256
#define TIDY_PAGES 2048
#define TIDY_STEP  512
#define TIDY_FORCE 32768
#define FORCE_MS   100 /* that it waits for those that read */
/* A file larger than this is not read through at the start: it would take seconds. */
#define CHECK_BYTES_MAX ((off_t)256 << 20)

/* The schema, a step a version. A step is never changed once it was released. */
static const char *const steps[] = {
    "CREATE TABLE kv(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,"
    " modified INTEGER NOT NULL, lease INTEGER NOT NULL, value BLOB NOT NULL) STRICT;"
    "CREATE INDEX kv_lease ON kv(lease) WHERE lease <> 0;"
    "CREATE TABLE lease(id INTEGER PRIMARY KEY, ttl_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE meta(id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, mended INTEGER NOT NULL)"
    " STRICT;"
    "INSERT INTO meta VALUES(1, 0, 0);",
};

enum {
    BEGIN,
    COMMIT,
    ROLLBACK,
    MEND,
    REVISION,
    LOOK,
    READ,
    INSERT,
    UPDATE,
    DELETE,
    LEASE_PUT,
    LEASE_DELETE,
    LEASE_KEYS,
    N_WRITES
};
static const char *const write_sql[N_WRITES] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [MEND] = "UPDATE meta SET mended = mended + 1",
    [REVISION] = "UPDATE meta SET revision = ?1",
    [LOOK] = "SELECT created, modified, id FROM kv WHERE key = ?1",
    [READ] = "SELECT key, created, modified, lease, value FROM kv WHERE key = ?1",
    [INSERT] = "INSERT INTO kv(key, created, modified, lease, value) VALUES(?1, ?2, ?3, ?4, ?5)",
    [UPDATE] = "UPDATE kv SET modified = ?3, lease = ?4, value = ?5 WHERE id = ?1",
    [DELETE] = "DELETE FROM kv WHERE id = ?1",
    [LEASE_PUT] = "INSERT INTO lease(id, ttl_ms) VALUES(?1, ?2)",
    [LEASE_DELETE] = "DELETE FROM lease WHERE id = ?1",
    [LEASE_KEYS] = "SELECT key FROM kv WHERE lease <> 0 AND lease = ?1",
};

/* A list's statement is one of eight. */
enum { LIST_BOUNDED = 1, LIST_BACKWARDS = 2, LIST_KEYS_ONLY = 4, N_LISTS = 8 };

struct store_db {
    char *path;
    sqlite3 *sqlite;
    sqlite3_stmt *stmts[N_WRITES];
    int torn;      /* what mend() failed with; SQLITE_OK: nothing is to mend */
    int log_pages; /* after the last commit */
    int tidied;    /* of them are in the file */
    int tidy_at;   /* a checkpoint is due at so many */
};

struct store_reader {
    sqlite3 *sqlite;
    sqlite3_stmt *get, *lists[N_LISTS];
};

/* ---- what both kinds of connection do ---- */

/* The errno of the log's last error; a commit leaves none in sqlite3_system_errno(). */
static int log_errno(sqlite3 *sqlite)
{
    sqlite3_file *log = NULL;
    int error = 0;
    int rc = sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc == SQLITE_OK && log && log->pMethods)
        (void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

/* SQLite has a code for ENOSPC in a write, not for what is like it. */
static bool means_full(sqlite3 *sqlite, int rc)
{
    if ((rc & 0xff) == SQLITE_FULL || rc == SQLITE_IOERR_SHMSIZE)
        return true;
    int error = (rc & 0xff) == SQLITE_IOERR ? log_errno(sqlite) : 0;
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static enum store_outcome outcome_of(sqlite3 *sqlite, int rc)
{
    if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
        return STORE_DONE;
    return means_full(sqlite, rc) ? STORE_FULL : STORE_FAILED;
}

static sqlite3_stmt *prepare(sqlite3 *sqlite, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    return rc == SQLITE_OK ? stmt : NULL;
}

static void bind_text(sqlite3_stmt *stmt, int place, const char *text)
{
    sqlite3_bind_text(stmt, place, text, -1, SQLITE_STATIC);
}

/* The row's item, in the arena; false where that, or the memory, is exhausted. */
static bool take_item(sqlite3_stmt *stmt, struct arena *a, bool keys_only, struct store_item *ret)
{
    const char *key = (const char *)sqlite3_column_text(stmt, 0);
    const void *data = keys_only ? NULL : sqlite3_column_blob(stmt, 4);
    size_t len = keys_only ? 0 : (size_t)sqlite3_column_bytes(stmt, 4);
    if (!key || (!data && len > 0))
        return false;
    *ret = (struct store_item){
        .key = arena_strndup(a, key, (size_t)sqlite3_column_bytes(stmt, 0)),
        .data = keys_only ? NULL : arena_memdup(a, data, len),
        .len = len,
        .created = sqlite3_column_int64(stmt, 1),
        .modified = sqlite3_column_int64(stmt, 2),
        .lease = sqlite3_column_int64(stmt, 3),
    };
    return !a->exhausted;
}

static bool pragma_int(sqlite3 *sqlite, const char *sql, int64_t *ret)
{
    sqlite3_stmt *stmt = prepare(sqlite, sql);
    bool ok = stmt && sqlite3_step(stmt) == SQLITE_ROW;
    if (ok)
        *ret = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return ok;
}

/* ---- open ---- */

static bool why(const struct store_db *db, char ret_why[STORE_WHY_MAX], const char *what)
{
    int rc = sqlite3_errcode(db->sqlite) & 0xff;
    if (rc == SQLITE_NOTADB)
        snprintf(ret_why, STORE_WHY_MAX,
                 "%s: it is damaged, or no file of isobard's: put back a copy, or move it away to "
                 "begin anew, without what it knew",
                 db->path);
    else
        snprintf(ret_why, STORE_WHY_MAX, "%s: %s: %s", db->path, what, sqlite3_errmsg(db->sqlite));
    return false;
}

/* Whose file it is, and of what version: only then anything in it is touched. */
static bool identify(struct store_db *db, int64_t *ret_version, char ret_why[STORE_WHY_MAX])
{
    int64_t id = 0, tables = 0;
    if (!pragma_int(db->sqlite, "PRAGMA application_id", &id) ||
        !pragma_int(db->sqlite, "PRAGMA user_version", ret_version) ||
        !pragma_int(db->sqlite, "SELECT count(*) FROM sqlite_schema", &tables))
        return why(db, ret_why, "cannot read it");
    bool fresh = id == 0 && *ret_version == 0 && tables == 0;
    if (id != APPLICATION_ID && !fresh) {
        snprintf(ret_why, STORE_WHY_MAX,
                 "%s: it is a database of another program: set another state_dir", db->path);
        return false;
    }
    if (*ret_version > (int64_t)ARRAY_LEN(steps)) {
        snprintf(ret_why, STORE_WHY_MAX,
                 "%s: it is of a newer isobard (schema %d, this one knows %d): start that one, or "
                 "put back a copy from before",
                 db->path, (int)*ret_version, (int)ARRAY_LEN(steps));
        return false;
    }
    return true;
}

static bool set_up(struct store_db *db, char ret_why[STORE_WHY_MAX])
{
    sqlite3_stmt *stmt = prepare(db->sqlite, "PRAGMA journal_mode = WAL");
    bool wal = stmt && sqlite3_step(stmt) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    sqlite3_finalize(stmt);
    if (!wal)
        return why(db, ret_why, "its folder must be on a local disk");
    /* No spilling: a transaction writes when it commits, and then at once. */
    if (sqlite3_exec(db->sqlite,
                     "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
                     "PRAGMA cache_spill = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                     "PRAGMA secure_delete = FAST; PRAGMA journal_size_limit = 67108864;",
                     NULL, NULL, NULL) != SQLITE_OK)
        return why(db, ret_why, "cannot set it up");
    return true;
}

static bool migrate(struct store_db *db, int64_t version, char ret_why[STORE_WHY_MAX])
{
    for (size_t i = (size_t)version; i < ARRAY_LEN(steps); i++) {
        char head[128];
        snprintf(head, sizeof(head),
                 "PRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT", APPLICATION_ID,
                 i + 1);
        if (sqlite3_exec(db->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
            sqlite3_exec(db->sqlite, steps[i], NULL, NULL, NULL) != SQLITE_OK ||
            sqlite3_exec(db->sqlite, head, NULL, NULL, NULL) != SQLITE_OK)
            return why(db, ret_why, "cannot bring it to this version");
    }
    return true;
}

static bool check(struct store_db *db, char ret_why[STORE_WHY_MAX])
{
    struct stat st;
    if (stat(db->path, &st) != 0 || st.st_size > CHECK_BYTES_MAX)
        return true;
    sqlite3_stmt *stmt = prepare(db->sqlite, "PRAGMA quick_check(1)");
    int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    bool ok = text && strcmp(text, "ok") == 0;
    if (!ok)
        snprintf(
            ret_why, STORE_WHY_MAX,
            "%s: it is damaged (%.200s): put back a copy, or move it away to begin anew, without "
            "what it knew",
            db->path, text ? text : sqlite3_errmsg(db->sqlite));
    sqlite3_finalize(stmt);
    return ok;
}

static int note_log(void *data, sqlite3 *sqlite UNUSED, const char *name UNUSED, int pages)
{
    struct store_db *db = data;
    if (pages < db->log_pages) { /* it began from its start again */
        db->tidied = 0;
        db->tidy_at = TIDY_PAGES;
    }
    db->log_pages = pages;
    return SQLITE_OK;
}

static bool open_file(struct store_db *db, char ret_why[STORE_WHY_MAX])
{
    int64_t version = 0;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(db->path, &db->sqlite, flags, NULL) != SQLITE_OK)
        return why(db, ret_why, "cannot open it");
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    if (sqlite3_db_readonly(db->sqlite, "main") == 1) {
        snprintf(ret_why, STORE_WHY_MAX,
                 "%s: it must be writable by the user of the daemon, and is not", db->path);
        return false;
    }
    if (!identify(db, &version, ret_why) || !set_up(db, ret_why) ||
        (version > 0 && !check(db, ret_why)) || !migrate(db, version, ret_why))
        return false;
    for (int i = 0; i < N_WRITES; i++)
        if (!(db->stmts[i] = prepare(db->sqlite, write_sql[i])))
            return why(db, ret_why, "it is damaged");
    db->tidy_at = TIDY_PAGES;
    sqlite3_wal_hook(db->sqlite, note_log, db);
    return true;
}

/* No figures of memory: they cost a lock for each piece of it. It is refused, which does no harm,
 * where something has used SQLite before. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct store_db *store_db_open(const char *path, char ret_why[STORE_WHY_MAX])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    struct store_db *db = calloc(1, sizeof(*db));
    if (db && (db->path = strdup(path)) && open_file(db, ret_why))
        return db;
    if (!db || !db->path)
        snprintf(ret_why, STORE_WHY_MAX, "there is no memory for the store");
    store_db_close(db);
    return NULL;
}

static bool mend(struct store_db *db);

void store_db_close(struct store_db *db)
{
    if (!db)
        return;
    if (db->torn)
        (void)mend(db);
    for (int i = 0; i < N_WRITES; i++)
        sqlite3_finalize(db->stmts[i]);
    sqlite3_close(db->sqlite);
    free(db->path);
    free(db);
}

/* ---- write ---- */

static int run(struct store_db *db, int which)
{
    sqlite3_stmt *stmt = db->stmts[which];
    (void)sqlite3_step(stmt);
    return sqlite3_reset(stmt); /* which says what the step said */
}

static enum store_outcome run_write(struct store_db *db, int which)
{
    return outcome_of(db->sqlite, run(db, which));
}

void store_db_rollback(struct store_db *db)
{
    /* Some errors have done so already. */
    if (!sqlite3_get_autocommit(db->sqlite))
        (void)run(db, ROLLBACK);
}

/* Overwrite what a commit that failed left in the log: one page is enough, since each frame's
 * checksum goes on from that of the frame before. */
static bool mend(struct store_db *db)
{
    static const int tasks[] = {BEGIN, MEND, COMMIT};
    db->torn = SQLITE_OK;
    for (size_t i = 0; i < ARRAY_LEN(tasks) && db->torn == SQLITE_OK; i++)
        db->torn = run(db, tasks[i]);
    store_db_rollback(db);
    return db->torn == SQLITE_OK;
}

enum store_outcome store_db_begin(struct store_db *db)
{
    store_db_rollback(db);
    if (db->torn && !mend(db))
        return means_full(db->sqlite, db->torn) ? STORE_FULL : STORE_FAILED;
    return run_write(db, BEGIN);
}

enum store_outcome store_db_commit(struct store_db *db, int64_t revision)
{
    sqlite3_bind_int64(db->stmts[REVISION], 1, revision);
    enum store_outcome outcome = run_write(db, REVISION);
    if (outcome == STORE_DONE)
        outcome = run_write(db, COMMIT);
    if (outcome == STORE_DONE)
        return outcome;
    store_db_rollback(db);
    (void)mend(db);
    return outcome;
}

enum store_outcome store_db_look(struct store_db *db, const char *key, struct store_place *ret)
{
    sqlite3_stmt *stmt = db->stmts[LOOK];
    *ret = (struct store_place){0};
    bind_text(stmt, 1, key);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret = (struct store_place){.created = sqlite3_column_int64(stmt, 0),
                                    .modified = sqlite3_column_int64(stmt, 1),
                                    .row = sqlite3_column_int64(stmt, 2)};
    return outcome_of(db->sqlite, sqlite3_reset(stmt));
}

enum store_outcome store_db_read(struct store_db *db, struct arena *a, const char *key,
                                 const struct store_item **ret)
{
    sqlite3_stmt *stmt = db->stmts[READ];
    struct store_item *item = NULL;
    bool room = true;
    bind_text(stmt, 1, key);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        item = ARENA_NEW(a, struct store_item);
        room = item && take_item(stmt, a, false, item);
    }
    *ret = item;
    enum store_outcome outcome = outcome_of(db->sqlite, sqlite3_reset(stmt));
    return room ? outcome : STORE_FAILED;
}

enum store_outcome store_db_put(struct store_db *db, const struct store_place *place,
                                const struct store_item *item)
{
    int which = place->row ? UPDATE : INSERT;
    sqlite3_stmt *stmt = db->stmts[which];
    if (place->row) {
        sqlite3_bind_int64(stmt, 1, place->row);
    } else {
        bind_text(stmt, 1, item->key);
        sqlite3_bind_int64(stmt, 2, item->created);
    }
    sqlite3_bind_int64(stmt, 3, item->modified);
    sqlite3_bind_int64(stmt, 4, item->lease);
    sqlite3_bind_blob64(stmt, 5, item->data, item->len, SQLITE_STATIC);
    return run_write(db, which);
}

enum store_outcome store_db_delete(struct store_db *db, const struct store_place *place)
{
    sqlite3_bind_int64(db->stmts[DELETE], 1, place->row);
    return run_write(db, DELETE);
}

enum store_outcome store_db_lease_put(struct store_db *db, int64_t lease, int64_t ttl_ms)
{
    sqlite3_bind_int64(db->stmts[LEASE_PUT], 1, lease);
    sqlite3_bind_int64(db->stmts[LEASE_PUT], 2, ttl_ms);
    return run_write(db, LEASE_PUT);
}

enum store_outcome store_db_lease_delete(struct store_db *db, int64_t lease)
{
    sqlite3_bind_int64(db->stmts[LEASE_DELETE], 1, lease);
    return run_write(db, LEASE_DELETE);
}

/* An array that grows in an arena: what it outgrows stays there until the arena is reset. */
static bool make_room(struct arena *a, void **items, size_t n, size_t size)
{
    if (n > 0 && (n < 16 || (n & (n - 1)) != 0))
        return true;
    void *more = arena_array(a, n < 16 ? 16 : 2 * n, size);
    if (more && n > 0)
        memcpy(more, *items, n * size);
    *items = more;
    return more != NULL;
}

enum store_outcome store_db_lease_keys(struct store_db *db, struct arena *a, int64_t lease,
                                       const char ***ret, size_t *ret_n)
{
    sqlite3_stmt *stmt = db->stmts[LEASE_KEYS];
    void *keys = NULL;
    size_t n = 0;
    bool room = true;
    sqlite3_bind_int64(stmt, 1, lease);
    while (room && sqlite3_step(stmt) == SQLITE_ROW) {
        room = sqlite3_column_text(stmt, 0) && make_room(a, &keys, n, sizeof(char *));
        if (room)
            ((const char **)keys)[n++] =
                arena_strdup(a, (const char *)sqlite3_column_text(stmt, 0));
        room = room && !a->exhausted;
    }
    *ret = keys;
    *ret_n = n;
    enum store_outcome outcome = outcome_of(db->sqlite, sqlite3_reset(stmt));
    return room ? outcome : STORE_FAILED;
}

bool store_db_load(struct store_db *db, int64_t *ret_revision,
                   bool (*lease)(void *ctx, int64_t lease, int64_t ttl_ms), void *ctx)
{
    if (!pragma_int(db->sqlite, "SELECT revision FROM meta", ret_revision))
        return false;
    sqlite3_stmt *stmt = prepare(db->sqlite, "SELECT id, ttl_ms FROM lease");
    bool ok = stmt != NULL;
    while (ok && sqlite3_step(stmt) == SQLITE_ROW)
        ok = lease(ctx, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1));
    return sqlite3_finalize(stmt) == SQLITE_OK && ok;
}

bool store_db_tidy(struct store_db *db, bool idle)
{
    int fresh = db->log_pages - db->tidied;
    if (db->log_pages < db->tidy_at && !(idle && fresh >= TIDY_IDLE))
        return fresh >= TIDY_IDLE;
    /* A reader of an old state keeps the log from beginning anew. New ones do not, so that a
     * moment without any of the old ones is all that is waited for. */
    bool force = db->log_pages >= TIDY_FORCE;
    int in_log = 0, done = 0;
    sqlite3_busy_timeout(db->sqlite, FORCE_MS);
    int rc = sqlite3_wal_checkpoint_v2(
        db->sqlite, "main", force ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, &in_log,
        &done);
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY)
        db->tidied = done > 0 ? done : 0;
    db->tidy_at = (db->log_pages > TIDY_PAGES ? db->log_pages : TIDY_PAGES) + TIDY_STEP;
    return db->log_pages - db->tidied >= TIDY_IDLE;
}

static uint64_t bytes_of(const char *path, const char *suffix)
{
    char name[4096];
    struct stat st;
    if (snprintf(name, sizeof(name), "%s%s", path, suffix) >= (int)sizeof(name))
        return 0;
    return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t store_db_bytes(const struct store_db *db)
{
    return bytes_of(db->path, "") + bytes_of(db->path, "-wal") + bytes_of(db->path, "-shm");
}

/* ---- read ---- */

void store_reader_close(struct store_reader *r)
{
    sqlite3_finalize(r->get);
    for (int i = 0; i < N_LISTS; i++)
        sqlite3_finalize(r->lists[i]);
    sqlite3_close(r->sqlite);
    free(r);
}

struct store_reader *store_reader_open(const struct store_db *db)
{
    struct store_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    bool ok =
        sqlite3_open_v2(db->path, &r->sqlite, flags, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(r->sqlite, BUSY_MS) == SQLITE_OK &&
        sqlite3_exec(r->sqlite,
                     "PRAGMA query_only = ON; PRAGMA cache_size = -2048; PRAGMA mmap_size = 0;"
                     "PRAGMA wal_autocheckpoint = 0;",
                     NULL, NULL, NULL) == SQLITE_OK &&
        (r->get = prepare(r->sqlite, write_sql[READ]));
    if (ok)
        return r;
    store_reader_close(r);
    return NULL;
}

bool store_reader_get(struct store_reader *r, struct arena *a, const char *key,
                      struct store_item *ret)
{
    bool room = true;
    *ret = (struct store_item){0};
    bind_text(r->get, 1, key);
    if (sqlite3_step(r->get) == SQLITE_ROW)
        room = take_item(r->get, a, false, ret);
    return sqlite3_reset(r->get) == SQLITE_OK && room;
}

static sqlite3_stmt *list_stmt(struct store_reader *r, const struct store_range *range)
{
    int kind = (range->to && *range->to ? LIST_BOUNDED : 0) |
               (range->backwards ? LIST_BACKWARDS : 0) | (range->keys_only ? LIST_KEYS_ONLY : 0);
    if (!r->lists[kind]) {
        char sql[256];
        snprintf(sql, sizeof(sql),
                 "SELECT key, created, modified, lease%s FROM kv WHERE key >= ?1%s ORDER BY key%s "
                 "LIMIT ?3",
                 kind & LIST_KEYS_ONLY ? "" : ", value", kind & LIST_BOUNDED ? " AND key < ?2" : "",
                 kind & LIST_BACKWARDS ? " DESC" : "");
        r->lists[kind] = prepare(r->sqlite, sql);
    }
    return r->lists[kind];
}

bool store_reader_list(struct store_reader *r, struct arena *a, const struct store_range *range,
                       struct store_item **ret, size_t *ret_n)
{
    sqlite3_stmt *stmt = list_stmt(r, range);
    void *items = NULL;
    size_t n = 0;
    bool room = true;
    if (!stmt)
        return false;
    bind_text(stmt, 1, range->from ? range->from : "");
    if (range->to && *range->to)
        bind_text(stmt, 2, range->to);
    sqlite3_bind_int64(stmt, 3,
                       range->limit && range->limit <= INT64_MAX ? (int64_t)range->limit : -1);
    while (room && sqlite3_step(stmt) == SQLITE_ROW) {
        room = make_room(a, &items, n, sizeof(struct store_item)) &&
               take_item(stmt, a, range->keys_only, (struct store_item *)items + n);
        n++;
    }
    if (sqlite3_reset(stmt) != SQLITE_OK || !room)
        return false;
    *ret = items;
    *ret_n = n;
    return true;
}
