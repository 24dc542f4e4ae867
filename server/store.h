/* What must outlive the process: a key-value store in etcd's terms. Keys are texts, values are
 * bytes (protobuf messages), every transaction that changes something has a revision that is
 * greater than all before, also than those of an earlier process. One implementation: SQLite, in
 * one file under the state directory (store_sqlite.c). A second one (etcd) is to be held to the
 * same list of tests (tests/unit/store_cases.h).
 *
 * Writes go to one writer thread that puts all that wait into one durable commit. Reads run beside
 * it on the thread that asks, see what is committed, and may block on the disk: never call them on
 * an I/O thread.
 */
#ifndef ISOBAR_STORE_H
#define ISOBAR_STORE_H

#include "isobar/arena.h"

struct store;

/* What became of a transaction. */
enum store_outcome {
    STORE_DONE,    /* durable */
    STORE_REFUSED, /* a comparison did not hold, or a lease is none: nothing is changed */
    STORE_FULL,    /* the disk, or the store's own cap, has no room: nothing is changed */
    STORE_FAILED,  /* the disk or the store does not work: nothing is changed */
};
/* One thing no store can promise: where the disk fails a commit's last step, and fails again when
 * that is taken back, and the process ends before the disk works again, then the next process may
 * find the transaction done that was answered FULL or FAILED. Until then it is not seen, and no
 * other transaction is accepted. */

struct store_item {
    const char *key;
    const uint8_t *data; /* NULL only where the keys alone were asked for */
    size_t len;
    int64_t created;  /* revision in which the key came to be */
    int64_t modified; /* revision of its last change */
    int64_t lease;    /* 0: none */
};

/* The key's last change was in this revision; 0: there is no such key. */
struct store_compare {
    const char *key;
    int64_t modified;
};

struct store_change {
    const char *key;
    const void *data; /* NULL: delete it; it may be absent */
    size_t len;
    int64_t lease; /* the key goes when the lease ends; 0: stays. One that is not there, or not any
                    * more, refuses the transaction */
};

/* A transaction: where all comparisons hold, all changes are made, in their order and in one
 * revision. Transactions are decided in the order of their submission, each as if it were alone.
 * The caller owns it and all that it points to, and leaves it alone from store_submit() until
 * `done` is called. */
struct store_txn {
    const struct store_compare *compares;
    size_t n_compares;
    const struct store_change *changes;
    size_t n_changes;
    const char *read; /* a key that is read where it is REFUSED; NULL: none */
    /* On the writer thread, after the commit that it was part of: short, and does not block. The
     * transaction is the caller's again as soon as it is called, and may be freed in it. */
    void (*done)(struct store_txn *t);

    /* Filled in before `done`. */
    enum store_outcome outcome;
    int64_t revision;             /* where it is DONE; the last one's, where it changes nothing */
    const struct store_item *was; /* what `read` names, where REFUSED and there; valid in `done` */
    struct store_txn *next;       /* the store's */
};

/* Open the store in a folder, which is made where it is absent (mode 0700; the folder that it is in
 * must be there); take the folder's lock. NULL with a sentence where another process has the lock,
 * the file is of a newer version, damaged, or cannot be opened. */
struct store *store_open(const char *folder, char ret_why[512]) MUST_USE;
/* Waits for all that was submitted; watches end with it. No other call is under way any more, nor
 * comes, but for store_submit() in a `done`, which fails. */
void store_close(struct store *s);

/* Never blocks on the disk; fails only through `done`, which is called before it returns where too
 * much waits (FULL) or the store is closing (FAILED). Any thread. */
void store_submit(struct store *s, struct store_txn *t);
/* Submit, and wait for it: `done` and `read` are not used. Not on an I/O thread, not in `done`. */
enum store_outcome store_commit(struct store *s, struct store_txn *t);

/* The item of a key, in the arena; false where there is none, or where the store does not work or
 * the arena is exhausted: `ret_failed`, which may be NULL, says which. It sees every transaction
 * that is DONE. */
bool store_get(struct store *s, struct arena *a, const char *key, struct store_item *ret,
               bool *ret_failed);

struct store_range {
    const char *from; /* the first key that may be in it; "" or NULL: any */
    const char *to;   /* the first key that is not; "" or NULL: any */
    bool backwards;   /* from the last to the first */
    bool keys_only;
    size_t limit; /* 0: none */
};
/* The items of a range, in the order of their keys' bytes, as of one moment. False where it does
 * not work, or the arena is exhausted. */
bool store_list(struct store *s, struct arena *a, const struct store_range *range,
                struct store_item **ret, size_t *ret_n) MUST_USE;
/* The `to` of the range of all keys that begin with a prefix, in the arena. */
const char *store_prefix_end(struct arena *a, const char *prefix);

/* The last revision that is committed. */
int64_t store_revision(struct store *s);

/* ---- leases ---- */

/* Keys that bear a lease go when it has not been renewed for so long (at most ten years). After a
 * start all leases have their whole time again. 0 where it does not work. Blocks, as
 * store_commit(). */
int64_t store_lease_grant(struct store *s, int64_t ttl_ms) MUST_USE;
/* False where there is no such lease (any more). Memory only: any thread may call it. */
bool store_lease_renew(struct store *s, int64_t lease);
/* It is over, and its keys go: at once, or where the disk does not let them, as soon as it does.
 * Blocks, as store_commit(). */
void store_lease_revoke(struct store *s, int64_t lease);

/* ---- watches ---- */

struct store_event {
    struct store_item item; /* data NULL: it was deleted */
    int64_t revision;
};
struct store_watch;
/* Tell of every change of keys with this prefix in revisions after `after` (store_revision(): from
 * now on), in order. NULL where `after` is so long ago that it is not known any more (before this
 * process, or some thousand changes: take store_revision(), list, and watch from there), or memory
 * is short. `tell` runs on the writer thread, as `done`; what the events point to is valid in it.
 */
struct store_watch *store_watch(struct store *s, const char *prefix, int64_t after,
                                void (*tell)(void *ctx, const struct store_event *events, size_t n),
                                void *ctx) MUST_USE;
/* After it returns, `tell` neither runs nor will. Not from within `tell`. */
void store_unwatch(struct store *s, struct store_watch *w);

/* ---- figures ---- */

struct store_stats {
    uint64_t commits;      /* durable ones; leases make some too */
    uint64_t transactions; /* decided, refused and failed ones too */
    uint64_t failures;     /* commits that failed */
    uint64_t bytes;        /* of the files */
    int64_t commit_ns_sum; /* time of all commits, from their first comparison on */
    int64_t commit_ns_p50; /* the middle of the last 1,000 */
};
void store_stats(struct store *s, struct store_stats *ret);

#endif
