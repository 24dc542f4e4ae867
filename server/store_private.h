/* The parts of the store, and what they share.
 *
 *   store.c         the queue and the writer thread, which decides every transaction
 *   store_open.c    opens and closes
 *   store_lease.c   leases: which there are, and when they end
 *   store_watch.c   the latest events, and who is told of them
 *   store_read.c    what callers read, on connections of their own
 *   store_files.c   the folder, its lock, the file before the database opens it
 *   store_sqlite.c  the database: the one file that knows SQLite
 */
#ifndef ISOBAR_STORE_PRIVATE_H
#define ISOBAR_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "isobar/hash.h"
#include "store.h"

#define STORE_WHY_MAX 512

/* ---- store_files.c ---- */

/* Make the folder where it is absent, and lock it: a descriptor that holds the lock until it is
 * closed, or -1 with a sentence. */
int store_files_lock(const char *folder, char ret_why[STORE_WHY_MAX]) MUST_USE;
/* Make the database's file where it is absent, for its owner alone, so that it is there after a
 * power failure too. False with a sentence. Not while this process has the file open: closing it
 * would drop SQLite's locks. */
bool store_files_make(const char *folder, const char *path, char ret_why[STORE_WHY_MAX]) MUST_USE;

/* ---- store_sqlite.c: the database ---- */

struct store_db;     /* the file, and the writer's connection to it */
struct store_reader; /* a connection that reads */

struct store_db *store_db_open(const char *path, char ret_why[STORE_WHY_MAX]) MUST_USE;
void store_db_close(struct store_db *db);

/* A transaction of the database, on the writer thread. All but DONE ends it: nothing is changed. */
enum store_outcome store_db_begin(struct store_db *db);
/* All becomes durable, and `revision` with it. */
enum store_outcome store_db_commit(struct store_db *db, int64_t revision);
void store_db_rollback(struct store_db *db);

/* Where a key is, within one; all 0 where it is not. Valid until the next change. */
struct store_place {
    int64_t row, created, modified;
};
enum store_outcome store_db_look(struct store_db *db, const char *key, struct store_place *ret);
/* The whole item, in the arena; NULL where there is none. */
enum store_outcome store_db_read(struct store_db *db, struct arena *a, const char *key,
                                 const struct store_item **ret);
/* `place` is that of the item's key. */
enum store_outcome store_db_put(struct store_db *db, const struct store_place *place,
                                const struct store_item *item);
enum store_outcome store_db_delete(struct store_db *db, const struct store_place *place);
enum store_outcome store_db_lease_put(struct store_db *db, int64_t lease, int64_t ttl_ms);
enum store_outcome store_db_lease_delete(struct store_db *db, int64_t lease);
/* The keys that bear a lease, in the arena. */
enum store_outcome store_db_lease_keys(struct store_db *db, struct arena *a, int64_t lease,
                                       const char ***ret, size_t *ret_n);

/* Outside of one, before the writer thread is there: what was committed last, and each lease. */
bool store_db_load(struct store_db *db, int64_t *ret_revision,
                   bool (*lease)(void *ctx, int64_t lease, int64_t ttl_ms), void *ctx) MUST_USE;
/* Move what the log has into the database's file, where that is due: always where there is much;
 * where the writer is idle, a little is enough. True where there is some left for when it is. */
bool store_db_tidy(struct store_db *db, bool idle);
/* Bytes of all files. */
uint64_t store_db_bytes(const struct store_db *db);

/* A reader belongs to one thread at a time. NULL where it cannot be had. */
struct store_reader *store_reader_open(const struct store_db *db) MUST_USE;
void store_reader_close(struct store_reader *r);
/* False: it does not work. `ret->key` is NULL where there is no such key. */
bool store_reader_get(struct store_reader *r, struct arena *a, const char *key,
                      struct store_item *ret) MUST_USE;
bool store_reader_list(struct store_reader *r, struct arena *a, const struct store_range *range,
                       struct store_item **ret, size_t *ret_n) MUST_USE;

/* ---- store_read.c ---- */

/* As many as may read at once; more wait. */
#define STORE_READERS 8

struct store_readers {
    pthread_mutex_t lock;
    pthread_cond_t back; /* one has come back */
    struct store_reader *idle[STORE_READERS];
    unsigned n_idle, n_open;
};

void store_readers_done(struct store *s);

/* ---- store_watch.c ---- */

struct store_events {
    struct store_event_link *first, **last; /* in order */
    size_t n, bytes;
    int64_t lost; /* events of this revision and before are forgotten */
};

void store_events_init(struct store_events *e, int64_t revision);
void store_events_clear(struct store_events *e);
/* Copy a change; `item->data` is NULL where it was deleted. False where memory is short. */
bool store_events_add(struct store_events *e, const struct store_item *item,
                      int64_t revision) MUST_USE;
/* Move all events of `from` behind those of `to`. */
void store_events_move(struct store_events *to, struct store_events *from);
/* Tell each watch what it has not been told, then forget what is too old. With the lock held, which
 * it gives up while it tells. Writer thread. */
void store_watches_tell(struct store *s);
/* Whether there is a watch that it would tell something. With the lock held. */
bool store_watches_due(const struct store *s);
void store_watches_done(struct store *s);

/* ---- store_lease.c ---- */

struct store_lease {
    int64_t id;
    int64_t ttl_ns, due_ns;
    bool ending; /* it is over: its keys go with the next commit that works */
    UT_hash_handle hh;
};

/* One that waits for its lease, or for its end. */
struct store_lease_wait {
    int64_t ttl_ms;
    int64_t lease; /* 0: none is granted */
    bool over;
    struct store_lease_wait *next;
};

bool store_lease_load(void *store, int64_t lease, int64_t ttl_ms);
/* Whether a key may bear it. With the lock held. */
bool store_lease_lives(const struct store *s, int64_t lease);
/* Whether there is work for store_leases_run(); else when there will be (INT64_MAX: never). With
 * the lock held. */
bool store_leases_due(struct store *s, int64_t now_ns, int64_t *ret_next_ns);
/* Grant what is asked for and end what is over. With the lock held, which it gives up meanwhile.
 * Writer thread. */
void store_leases_run(struct store *s);
void store_leases_done(struct store *s);

/* ---- store.c ---- */

#define STORE_TIMES       1000               /* commits whose time is remembered */
#define STORE_QUEUE_BYTES ((size_t)64 << 20) /* what may wait */
/* Past this, a commit reads no more for those that are refused. */
#define STORE_READ_BYTES ((size_t)32 << 20)

struct store {
    int lock_fd;
    struct store_db *db;
    struct store_readers readers;
    pthread_t writer;
    _Atomic int64_t revision; /* of the last commit */

    /* The writer thread's own. */
    struct arena arena;          /* what lives for one commit */
    struct store_events pending; /* of the commit under way */
    int64_t next_revision;       /* of its last transaction */
    int64_t began_ns;
    const char *looked_key; /* `looked` is its place; NULL: of none */
    struct store_place looked;

    pthread_mutex_t lock;  /* of all that follows; held for moments only */
    pthread_cond_t work;   /* for the writer thread */
    pthread_cond_t waited; /* a lease's wait or a `tell` is over */
    struct store_txn *first, **last;
    size_t queued_bytes;
    bool sleeping; /* the writer thread waits for `work` */
    bool closing;

    struct store_lease *leases;
    struct store_lease_wait *grants;
    int64_t leases_look_ns;  /* no lease is due before */
    int64_t leases_retry_ns; /* nor is anything of leases tried before, as it has failed */
    uint64_t leases_rounds;  /* times that store_leases_run() is through */

    struct store_events events;
    struct store_watch *watches, *telling;

    struct store_stats stats;
    int64_t times[STORE_TIMES];
};

/* The steps of a commit, for store_lease.c too. Begin one; make a change in it, in the revision
 * s->next_revision; end it with `rc` of what was done in it: DONE commits, all else undoes. Its
 * events are told of by who calls store_watches_tell(). */
enum store_outcome store_write_begin(struct store *s);
enum store_outcome store_write_change(struct store *s, const struct store_change *c);
enum store_outcome store_write_end(struct store *s, enum store_outcome rc, size_t n_transactions);
void *store_writer(void *store); /* the writer thread */
/* Wake the writer thread where it sleeps. With the lock held. */
void store_wake(struct store *s);

#endif
