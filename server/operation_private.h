/* What the files operation_*.c share: operation_table.c has them, operation_run.c runs them,
 * operation.c lets calls wait for them, operation_list.c shows them. */
#ifndef ISOBAR_OPERATION_PRIVATE_H
#define ISOBAR_OPERATION_PRIVATE_H

#include <pthread.h>
#include <uthash.h>

#include "connection.h"
#include "isobar/uuid.h"
#include "operation.h"

struct operation {
    char id[UUID_TEXT_LEN + 1];
    pb_OperationState state;
    bool ended;
    const struct method *method;
    struct snapshot *snapshot; /* counted till it ends */
    struct connection *connection;
    const char *cloud; /* these five live in `memory` */
    const char *principal;
    const char *request_id;
    const char *key; /* principal and request_id; "" where it can not be repeated */
    const char *native_id;
    uint8_t digest[32];             /* of the request */
    int64_t created_ns, updated_ns; /* wall clock */
    unsigned attempt;

    struct arena memory;   /* small things, kept */
    struct arena working;  /* request and response, until it has ended */
    struct arena looks[2]; /* the last look at the machine, and the one before */
    unsigned turn;         /* which of them is next */
    ProtobufCMessage *req, *rsp;
    pb_Result *result;
    bool waits;            /* for the machine's state, after the order */
    int64_t start_by_ns;   /* the caller's deadline: not begun by then, it is not begun */
    int64_t order_by_ns;   /* the cloud's answer to the order is waited for so long */
    int64_t look_until_ns; /* and the state so long */

    /* Once it has ended: serialised, from malloc. */
    uint8_t *result_data, *response_data;
    size_t result_len, response_len;

    struct job job;
    struct timer timer;
    struct call *waiters;
    unsigned refs;
    struct operation *newer, *older;
    UT_hash_handle by_id, by_key;
};

struct operations {
    pthread_mutex_t lock; /* of everything here, and of all operations' state and waiters */
    struct operation *ids, *keys;
    struct operation *newest, *oldest;
    unsigned n_ended, n_open;
};
extern struct operations operations;

/* The protobuf message of an operation, in the arena. With the lock held. */
pb_Operation *operation_show(struct arena *a, const struct operation *o);
/* Let a call wait for it; false where it has ended already. With the lock held; the call's timer is
 * armed with operation_wait_over. */
bool operation_attach(struct operation *o, struct call *c);
/* The deadline of a call that waits: answers Accepted. */
void operation_wait_over(struct timer *t);
/* With the lock held. */
struct operation *operation_ref(struct operation *o);
void operation_unref(struct operation *o);
/* One for this call, not in the table yet; NULL where memory is short. */
struct operation *operation_new(struct call *c, const char *key);
/* Into the table, which takes the reference; with the lock held, as the next two. */
void operation_insert(struct operation *o);
/* From now on its request id is free for another try. */
void operation_forget_key(struct operation *o);
/* The oldest that have ended make room. */
void operations_prune(void);
pb_Wait operation_wait_of(const struct call *c);

/* Hand it to its lane; it is finished, for all who wait, where there is no room. */
void operation_start(struct operation *o);
/* Record the end, and answer all who wait; drops the worker's reference. */
void operation_finish(struct operation *o, pb_ResultCode code);

#endif
