/* What the files operation_*.c share.
 *
 * operation.c          calls: the way in, waiting, answering
 * operation_table.c    the operations that have not ended, in memory
 * operation_journal.c  what the store has of them, and the commits
 * operation_run.c      its steps, and the order to the cloud
 * operation_look.c     looks at the machine until it is as wanted
 * operation_resolve.c  what became of an order that was not answered, and taking it back
 * operation_own.c      clean-up that follows when all has settled
 * operation_prune.c    forgetting
 * operation_start.c    taking up what an earlier process left, parking, the end
 * operation_list.c     OperationService
 *
 * An operation is worked on by one thread at a time: a worker of its cloud's lane, or the store's
 * writer when a commit is done. What others see of it (state, waiters, cancelled) is under the
 * operations' lock. Lock order: timers, operations; neither timer_arm() nor timer_cancel() is
 * called with the operations' lock held.
 */
#ifndef ISOBAR_OPERATION_PRIVATE_H
#define ISOBAR_OPERATION_PRIVATE_H

#include <pthread.h>

#include "connection.h"
#include "isobar/hash.h"
#include "isobar/uuid.h"
#include "operation.h"
#include "store.h"

/* A commit of the journal on its way: what it compares and changes, with the memory for it. */
#define WRITE_CHANGES 6
struct journal_write {
    struct store_txn txn;
    struct store_compare compare;
    struct store_change changes[WRITE_CHANGES];
    uint8_t *record; /* serialised, from malloc */
    /* What comes next; on the store's writer thread. */
    void (*then)(struct operation *o, enum store_outcome outcome);
};

struct operation {
    char id[UUID_TEXT_LEN + 1];
    pb_OperationState state;
    bool durable;   /* the store has its intent */
    bool finished;  /* how it ends is known, and is being recorded */
    bool ended;     /* and is recorded */
    bool cancelled; /* what turns up of it is to be deleted */
    bool ordered;   /* the cloud has taken the order: it is too late to take it back */
    bool recorded;  /* and its record in the store has the machine */
    bool sending;   /* the order may be on its way */
    bool parked;    /* it has been told that no connection is there for it */
    const struct method *method;
    struct snapshot *snapshot; /* counted till it ends; NULL while no connection is there for it */
    struct connection *connection;
    const char *cloud;   /* these live in `memory` */
    const char *adapter; /* the cloud's when it was ordered; "" where the record does not say */
    const char *principal;
    const char *request_id;
    const char
        *key; /* in the store, of principal and request_id; "" where it can not be repeated */
    const char *native_id;
    const char *maker; /* of a delete: the operation that made the machine, or "" */
    char key_record[48], key_open[48], key_cancelled[48];
    char repeats[UUID_TEXT_LEN + 1]; /* the operation that has its key already */
    uint8_t digest[32];              /* of the request */
    int64_t created_ns, updated_ns;  /* wall clock */
    int64_t deadline_wall_ns;        /* not sent again after it */
    unsigned attempt;

    struct arena memory;   /* small things, kept */
    struct arena working;  /* request and response, until it has ended */
    struct arena looks[2]; /* the last look at the machine, and the one before */
    unsigned turn;         /* which of them is next */
    ProtobufCMessage *req, *rsp;
    pb_Result *result;
    bool waits;              /* for the machine's state, after the order */
    bool resumed;            /* an earlier try may have got somewhere */
    bool refused;            /* it is not sent again: only looked for, then it ends with end_code */
    bool verified;           /* it has been seen that there is but one machine */
    bool met_create;         /* a delete whose machine was being made, which was taken back */
    bool touched;            /* what it made and took back may turn up yet */
    struct cancel given_up;  /* nobody wants the answer to the order any more */
    struct operation *after; /* the clean-up that begins with its end */
    int64_t start_by_ns;     /* the caller's deadline: not begun by then, it is not begun */
    int64_t order_by_ns;     /* the cloud's answer to the order is waited for so long */
    int64_t look_until_ns;   /* and the state so long */
    int64_t dead_since_ns;   /* who sent it before is known to be dead since then; 0: nobody has */
    unsigned misses;         /* looks in a row that failed */
    pb_ResultCode end_code;  /* how it ends once what is left over has been deleted */

    /* Once it has ended: serialised, from malloc. */
    uint8_t *result_data, *response_data;
    size_t result_len, response_len;

    int64_t revision; /* of its record in the store */
    struct journal_write write;
    struct job job;
    struct timer timer;
    struct call *waiters;
    unsigned refs;
    struct operation *newer, *older;
    UT_hash_handle by_id, by_key;
};

struct operations {
    pthread_mutex_t lock; /* of everything here, and of all operations' state and waiters */
    pthread_cond_t calm;  /* nothing is at work any more */
    struct store *store;
    struct lane *local; /* for what reads the store */
    struct operation *ids, *keys;
    struct operation *newest, *oldest;
    unsigned n_open;
    unsigned n_working;             /* steps that are queued, run, or being committed */
    bool stopping;                  /* no further step is begun: the journal has the rest */
    uint64_t epoch;                 /* which start of this gateway it is */
    uint32_t number;                /* the gateway's own, in the ids of its operations */
    _Atomic int64_t keep_ns;        /* how long what has ended is kept */
    atomic_uint_fast64_t n_doubles; /* machines beside the one, deleted */
};
extern struct operations operations;

/* ---- the table; with the lock held ---- */

struct operation *operation_ref(struct operation *o);
void operation_unref(struct operation *o);
/* An empty one, in no table, with this id (NULL: a new one); NULL where memory is short. Without
 * the lock. */
struct operation *operation_blank(const char *id);
/* Who calls where the gateway itself does. */
#define GATEWAY_PRINCIPAL "gateway"
/* One for this call, not in the table yet; NULL where memory is short. Without the lock. */
struct operation *operation_new(struct call *c, const char *key);
/* Into the table, which takes the reference; false where memory is short. */
bool operation_insert(struct operation *o) MUST_USE;
void operation_remove(struct operation *o);
struct operation *operation_find(const char *id);
/* The create in this cloud that has not ended and makes a machine of this name or id. */
struct operation *operation_unfinished(const char *cloud, const char *wanted);
/* One step less is at work. */
void operation_release(void);
/* Without the lock: free one that never got into the table; take one that has ended out of it. */
void operation_discard(struct operation *o);
void operation_forget(struct operation *o);
pb_Wait operation_wait_of(const struct call *c);
bool operation_creates(const struct operation *o);
bool operation_deletes(const struct operation *o);
/* Takes the lock. */
bool operation_is_cancelled(struct operation *o);

/* ---- calls that wait ---- */

/* Let a call wait for it; false where it has ended already. With the lock held; the call's timer is
 * armed with operation_wait_over. */
bool operation_attach(struct operation *o, struct call *c);
/* The deadline of a call that waits: answers with what there is. */
void operation_wait_over(struct timer *t);
/* The intent is durable, or is not to be had: answer those who wait for no more. */
void operation_recorded(struct operation *o, enum store_outcome outcome);
/* The end is recorded (or cannot be): answer all who wait, and forget it. */
void operation_ended(struct operation *o);

/* ---- the journal ---- */

/* Commit the intent, then operation_recorded(). */
void journal_intent(struct operation *o);
/* Record what there is of it now; `then` comes in any case. */
void journal_step(struct operation *o, void (*then)(struct operation *o, enum store_outcome done));
/* Record the end, however often it takes, then operation_ended(). */
void journal_end(struct operation *o);
/* Record the machine that a name has turned out to be; false where that fails. Blocks. */
bool journal_note(struct operation *o) MUST_USE;
/* The tombstone: from now on, also after a restart, what turns up is deleted. Blocks. */
bool journal_cancel(const char *id) MUST_USE;
/* It had ended meanwhile. */
void journal_uncancel(const char *id);

/* The record of an operation, in the arena; NULL where there is none (`ret_failed` stays false). */
pb_OperationRecord *journal_get(struct arena *a, const char *id, bool *ret_failed);
/* The key of a request id, in the arena; "" where there is none. */
const char *journal_key(struct arena *a, const char *request_id, const char *principal);
/* Keys begin with these. */
#define KEY_OPERATION "operation/"
#define KEY_OPEN      "open/"
#define KEY_REQUEST   "request/"
#define KEY_CANCELLED "cancelled/"

/* ---- running ---- */

/* Hand it to its lane for the first time, at the place that was reserved for it. */
void operation_start(struct operation *o);
/* Have the lane run the next step, now or after a while. */
void operation_next(struct operation *o, void (*step)(struct job *j));
void operation_later(struct operation *o, void (*step)(struct job *j), int64_t pause_ns);
/* Go on with looking after a restart. */
void operation_look_again(struct job *j);
/* Each step begins with it: false where no step is to be begun any more. */
bool operation_step(struct operation *o);
void operation_order(struct job *j);
/* The order has been taken: answer, or wait for the machine's state. */
void operation_ordered(struct operation *o, pb_ResultCode code);
/* Say how it ended, and record it. */
void operation_finish(struct operation *o, pb_ResultCode code);
/* An op for a slot; `result` NULL: the operation's own. */
void operation_op(struct operation *o, struct arena *arena, int64_t deadline_ns, pb_Result *result,
                  struct op *ret);
/* The arena of the next look, emptied. */
struct arena *operation_look(struct operation *o);
pb_Vm **operation_vm(struct operation *o);
void operation_set_native_id(struct operation *o, const char *id);
void operation_set_state(struct operation *o, pb_OperationState state);

/* ---- resolving ---- */

/* How long what was sent may still take effect after its sender is dead. */
int64_t operation_settle_ns(const struct operation *o);
/* Whether what was sent before has taken effect by now, or never will. */
bool operation_has_settled(const struct operation *o);
/* The cloud itself makes nothing twice. */
bool operation_dedupes(const struct operation *o);
/* The order's outcome is not known: find out. */
void operation_resolve(struct operation *o);
/* It was sent more than once and has succeeded: see that there is one machine only, then go on with
 * operation_ordered(). */
void operation_verify(struct operation *o);
/* It has failed with `code` and may have left something behind: delete that, then it ends so. */
void operation_clean(struct operation *o, pb_ResultCode code);
/* The create was refused, and a machine of the try before may turn up: look until all has settled,
 * then end with this code. */
void operation_seek_refused(struct operation *o, pb_ResultCode code);
/* The clean-up that is to follow the end of an operation, once all has settled: an operation of the
 * gateway's own, to be recorded together with that end. NULL where there is nothing to clean up. */
struct operation *operation_clean_up_after(struct operation *o);
/* Begin it, when that is recorded. */
void operation_clean_up(struct operation *o);
/* Whether it is such a one. */
bool operation_is_own(const struct operation *o);
/* It was cancelled, and the cloud has taken the order all the same: delete what it made. */
void operation_drop(struct operation *o);
/* Put a tombstone on a create that has not ended; false where it has, or that fails. Blocks. */
bool operations_cancel(const char *id) MUST_USE;

/* ---- pruning ---- */

bool prune_start(void) MUST_USE;
void prune_stop(void);

/* ---- showing ---- */

/* Answer everybody who waits, with what there is. */
void operations_answer_all(void);
/* The protobuf message of an operation, in the arena. With the lock held. */
pb_Operation *operation_show(struct arena *a, const struct operation *o);
/* How one that has ended did, in the arena; NULL where memory is short. With the lock held. */
pb_Result *operation_result(struct arena *a, const struct operation *o);

#endif
