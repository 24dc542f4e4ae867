#include "operation.h"

#include <string.h>

#include "cloud_call.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "operation_private.h"

/* ---- those who wait ---- */

bool operation_attach(struct operation *o, struct call *c)
{
    if (o->ended)
        return false;
    c->operation = operation_ref(o);
    c->wait_next = o->waiters;
    c->wait_prev = &o->waiters;
    if (o->waiters)
        o->waiters->wait_prev = &c->wait_next;
    o->waiters = c;
    return true;
}

static void detach(struct call *c)
{
    *c->wait_prev = c->wait_next;
    if (c->wait_next)
        c->wait_next->wait_prev = c->wait_prev;
    c->wait_prev = NULL;
}

/* Fill in a call with how its operation has ended. */
static pb_ResultCode fill_ended(struct call *c, pb_Result *result, const uint8_t *response,
                                size_t response_len)
{
    ProtobufCMessage *rsp = protobuf_c_message_unpack(c->method->output, arena_allocator(&c->arena),
                                                      response_len, response);
    if (!result || !rsp)
        return result_fail(&c->arena, c->result, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    c->result = result;
    c->rsp = rsp;
    return result->code;
}

static pb_ResultCode say_unknown(struct call *c)
{
    return result_fail(&c->arena, c->result, RESULT_CODE_OUTCOME_UNKNOWN,
                       "the cloud's answer was lost; the gateway finds out what has become of it: "
                       "wait for operation %s, or repeat the call under the same request_id",
                       c->result->operation_id);
}

/* Fill in a call with what there is now of its operation. With the lock held. */
static pb_ResultCode answer(struct call *c, struct operation *o)
{
    c->result->operation_id = arena_strdup(&c->arena, o->id);
    if (c->method->policy->handler == operation_wait) {
        ((pb_WaitOperationResponse *)(void *)c->rsp)->operation = operation_show(&c->arena, o);
        return o->ended ? RESULT_CODE_OK : RESULT_CODE_ACCEPTED;
    }
    if (o->ended)
        return fill_ended(c, operation_result(&c->arena, o), o->response_data, o->response_len);
    if (!o->durable)
        return result_fail(&c->arena, c->result, RESULT_CODE_DEADLINE_EXCEEDED,
                           "the time was over before it was recorded what is to be done");
    return o->state == OPERATION_STATE_UNKNOWN ? say_unknown(c) : RESULT_CODE_ACCEPTED;
}

void operation_wait_over(struct timer *t)
{
    struct call *c = CONTAINER_OF(t, struct call, timer);
    pthread_mutex_lock(&operations.lock);
    c->wait_over = true;
    bool waiting = c->wait_prev != NULL;
    pb_ResultCode code = RESULT_CODE_ACCEPTED;
    if (waiting) {
        detach(c);
        code = answer(c, c->operation);
        operation_unref(c->operation);
    }
    pthread_mutex_unlock(&operations.lock);
    if (waiting)
        call_end(c, code);
}

/* Take those out that wait for no more than what there is now (or all): a list by `next`. With the
 * lock held. */
static struct call *take_waiters(struct operation *o, bool all)
{
    struct call *taken = NULL;
    for (struct call *c = o->waiters, *next; c; c = next) {
        next = c->wait_next;
        if (!all && (c->method->policy->handler || operation_wait_of(c) != WAIT_NONE))
            continue;
        detach(c);
        c->next = taken;
        taken = c;
    }
    return taken;
}

/* Answer each of the list; `fill` runs with the lock held. */
static void answer_all(struct operation *o, struct call *c)
{
    while (c) {
        struct call *next = c->next;
        c->next = NULL;
        timer_cancel(&c->timer);
        pthread_mutex_lock(&operations.lock);
        pb_ResultCode code = answer(c, o);
        operation_unref(o);
        pthread_mutex_unlock(&operations.lock);
        call_end(c, code);
        c = next;
    }
}

void operations_answer_all(void)
{
    for (;;) {
        pthread_mutex_lock(&operations.lock);
        struct operation *o = operations.newest;
        while (o && !o->waiters)
            o = o->older;
        struct call *c = o ? take_waiters(operation_ref(o), true) : NULL;
        pthread_mutex_unlock(&operations.lock);
        if (!o)
            return;
        answer_all(o, c);
        pthread_mutex_lock(&operations.lock);
        operation_unref(o);
        pthread_mutex_unlock(&operations.lock);
    }
}

/* ---- repetitions of what has ended ---- */

static pb_ResultCode fail_conflict(struct call *c)
{
    return result_fail(&c->arena, c->result, RESULT_CODE_ALREADY_EXISTS,
                       "request_id \"%s\" was used for another request: choose a new one",
                       c->env.request_id);
}

static pb_ResultCode fail_store(struct call *c)
{
    c->result->side_effects = SIDE_EFFECTS_NONE;
    c->result->blame = BLAME_GATEWAY;
    return result_fail(&c->arena, c->result, RESULT_CODE_UNAVAILABLE,
                       "the gateway's store does not answer: try again a little later");
}

/* The request id is bound to an operation of the journal: it answers. On a worker of the store's
 * lane. */
static void repeat_job(struct job *j)
{
    struct call *c = CONTAINER_OF(j, struct call, job);
    bool failed;
    timer_cancel(&c->timer);
    pb_OperationRecord *r = journal_get(&c->arena, c->repeats, &failed);
    if (!r) {
        call_end(c, fail_store(c));
    } else if (r->digest.len != sizeof(c->digest) ||
               memcmp(r->digest.data, c->digest, sizeof(c->digest)) != 0) {
        call_end(c, fail_conflict(c));
    } else if (!r->operation->result) {
        c->result->operation_id = r->operation->id;
        call_end(c, RESULT_CODE_ACCEPTED);
    } else {
        call_end(c, fill_ended(c, r->operation->result, r->operation->response.data,
                               r->operation->response.len));
    }
}

static void repeat(struct call *c, const char *id)
{
    c->repeats = arena_strdup(&c->arena, id);
    c->job.run = repeat_job;
    if (!lane_submit(operations.local, &c->job)) {
        timer_cancel(&c->timer);
        call_end(c, fail_store(c));
    }
}

/* ---- what became of the intent ---- */

/* Nothing is recorded, so nothing has been sent: tell who waited. */
static void not_recorded(struct call *c, const char *repeats, enum store_outcome outcome)
{
    bool full = outcome == STORE_FULL;
    if (outcome == STORE_REFUSED && repeats[0]) {
        repeat(c, repeats);
        return;
    }
    timer_cancel(&c->timer);
    c->result->side_effects = SIDE_EFFECTS_NONE;
    c->result->blame = BLAME_GATEWAY;
    call_fail(c, RESULT_CODE_UNAVAILABLE, "%s: nothing was sent to the cloud; %s",
              full ? "the gateway's disk is full" : "the gateway cannot record what is to be done",
              full ? "make room in its state directory" : "see its log, and try again later");
}

/* It has never been: out of the table with it, before anybody else finds it there. */
static void withdraw(struct operation *o, enum store_outcome outcome)
{
    char repeats[UUID_TEXT_LEN + 1];
    struct snapshot *snapshot = o->snapshot;
    lane_unreserve(o->connection->lane);
    memcpy(repeats, o->repeats, sizeof(repeats));
    pthread_mutex_lock(&operations.lock);
    struct call *waiters = take_waiters(o, true);
    for (struct call *c = waiters; c; c = c->next)
        operation_unref(o);
    operation_remove(o);
    operation_release();
    pthread_mutex_unlock(&operations.lock);
    for (struct call *c = waiters, *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        not_recorded(c, repeats, outcome);
    }
    snapshot_put(snapshot);
}

void operation_recorded(struct operation *o, enum store_outcome outcome)
{
    if (outcome != STORE_DONE) {
        withdraw(o, outcome);
        return;
    }
    pthread_mutex_lock(&operations.lock);
    o->durable = true;
    struct call *accepted = take_waiters(o, false);
    pthread_mutex_unlock(&operations.lock);
    answer_all(o, accepted);
    operation_start(o);
}

void operation_ended(struct operation *o)
{
    pthread_mutex_lock(&operations.lock);
    o->state = OPERATION_STATE_DONE;
    o->ended = true;
    struct call *waiters = take_waiters(o, true);
    pthread_mutex_unlock(&operations.lock);
    answer_all(o, waiters);
    operation_forget(o);
}

/* ---- the way in ---- */

/* With the lock held: wait for an operation that is under way. False where the call is to be
 * answered with what there is. */
static bool wait_for(struct call *c, struct operation *o)
{
    bool done = o->durable && operation_wait_of(c) == WAIT_NONE;
    return !done && !c->wait_over && operation_attach(o, c);
}

/* With the lock held, which it releases; takes the call. */
static void call_repeated(struct call *c, struct operation *o)
{
    bool conflict = memcmp(o->digest, c->digest, sizeof(o->digest)) != 0;
    bool waits = !conflict && wait_for(c, o);
    pb_ResultCode code = RESULT_CODE_UNSPECIFIED;
    if (conflict)
        code = fail_conflict(c);
    else if (!waits)
        code = answer(c, o);
    pthread_mutex_unlock(&operations.lock);
    if (waits)
        return;
    timer_cancel(&c->timer);
    call_end(c, code);
}

static void fail_memory(struct call *c)
{
    timer_cancel(&c->timer);
    call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
}

void operation_call(struct call *c)
{
    const char *key = journal_key(&c->arena, c->env.request_id, c->principal->name);
    struct operation *fresh = c->arena.exhausted ? NULL : operation_new(c, key), *o = NULL;
    if (!fresh || !timer_arm(&c->timer, c->deadline_ns, operation_wait_over)) {
        if (fresh)
            operation_discard(fresh);
        fail_memory(c);
        return;
    }
    pthread_mutex_lock(&operations.lock);
    if (key[0])
        HASH_FIND(by_key, operations.keys, key, strlen(key), o);
    if (o) {
        call_repeated(c, o);
        operation_discard(fresh);
        return;
    }
    struct lane *lane = c->connection->lane;
    bool late = c->wait_over || operations.stopping;
    /* The place in the lane is taken before anything is recorded: what is, is done. */
    bool place = !late && lane_reserve(lane, fresh->start_by_ns == INT64_MAX ? 0 : c->deadline_ns);
    bool ok = place && operation_insert(fresh) && operation_attach(fresh, c);
    operations.n_working += ok;
    pthread_mutex_unlock(&operations.lock);
    if (ok) {
        journal_intent(fresh);
        return;
    }
    if (place)
        lane_unreserve(lane);
    operation_discard(fresh);
    timer_cancel(&c->timer);
    c->result->side_effects = SIDE_EFFECTS_NONE;
    if (late)
        call_fail(c, RESULT_CODE_DEADLINE_EXCEEDED, "the time was over before it was begun");
    else if (!place)
        fail_overloaded(c);
    else
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
}
