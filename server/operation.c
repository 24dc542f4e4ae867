#include "operation.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "log.h"
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

/* Fill in a call with what there is now of its operation. With the lock held. */
static pb_ResultCode answer(struct call *c, struct operation *o)
{
    c->result->operation_id = arena_strdup(&c->arena, o->id);
    if (c->method->policy->handler == operation_wait) {
        ((pb_WaitOperationResponse *)(void *)c->rsp)->operation = operation_show(&c->arena, o);
        return o->ended ? RESULT_CODE_OK : RESULT_CODE_ACCEPTED;
    }
    if (!o->ended)
        return RESULT_CODE_ACCEPTED;
    ProtobufCAllocator *allocator = arena_allocator(&c->arena);
    pb_Result *result = (pb_Result *)(void *)protobuf_c_message_unpack(
        &pb_Result_desc, allocator, o->result_len, o->result_data);
    ProtobufCMessage *rsp =
        protobuf_c_message_unpack(c->method->output, allocator, o->response_len, o->response_data);
    if (!result || !rsp)
        return RESULT_CODE_INTERNAL_ERROR;
    c->result = result;
    c->rsp = rsp;
    return result->code;
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

/* ---- the end of an operation ---- */

static uint8_t *packed(const ProtobufCMessage *m, size_t *ret_len)
{
    *ret_len = protobuf_c_message_get_packed_size(m);
    uint8_t *data = malloc(*ret_len + 1);
    if (data)
        protobuf_c_message_pack(m, data);
    else
        *ret_len = 0;
    return data;
}

/* Whether a repetition under the same request id is a new try: nothing happened, and later it may.
 */
static bool may_try_again(const pb_Result *r)
{
    return !result_is_success(r->code) && r->side_effects == SIDE_EFFECTS_NONE && r->retry &&
           r->retry->class_ == RETRY_CLASS_AFTER_BACKOFF;
}

static void log_operation(const struct operation *o)
{
    log_event(result_is_success(o->result->code) ? LOG_INFO : LOG_WARN, "operation", "operation",
              o->id, "method", o->method->full_name, "cloud", o->cloud, "native_id", o->native_id,
              "code", result_name(o->result->code), "detail", o->result->detail, NULL);
}

static void release(struct operation *o)
{
    pthread_mutex_lock(&operations.lock);
    operation_unref(o);
    pthread_mutex_unlock(&operations.lock);
}

void operation_finish(struct operation *o, pb_ResultCode code)
{
    o->result->code = code;
    o->result->operation_id = o->id;
    log_operation(o);
    pthread_mutex_lock(&operations.lock);
    o->result_data = packed(&o->result->base, &o->result_len);
    if (o->rsp)
        o->response_data = packed(o->rsp, &o->response_len);
    o->state = code == RESULT_CODE_OUTCOME_UNKNOWN ? OPERATION_STATE_UNKNOWN : OPERATION_STATE_DONE;
    o->ended = true;
    o->updated_ns = clock_wall_ns();
    if (may_try_again(o->result))
        operation_forget_key(o);
    struct call *waiters = NULL;
    while (o->waiters) {
        struct call *c = o->waiters;
        detach(c);
        c->next = waiters;
        waiters = c;
    }
    operations.n_open--;
    operations.n_ended++;
    operations_prune();
    pthread_mutex_unlock(&operations.lock);
    o->req = NULL;
    o->rsp = NULL;
    o->result = NULL;
    arena_done(&o->working);
    arena_done(&o->looks[0]);
    arena_done(&o->looks[1]);
    snapshot_put(o->snapshot);
    while (waiters) {
        struct call *c = waiters;
        waiters = c->next;
        c->next = NULL;
        timer_cancel(&c->timer);
        pthread_mutex_lock(&operations.lock);
        pb_ResultCode answered = answer(c, o);
        operation_unref(o);
        pthread_mutex_unlock(&operations.lock);
        call_end(c, answered);
    }
    release(o);
}

/* ---- the way in ---- */

/* The operation that the call repeats; NULL where it is new. `ret_conflict`: another request has
 * its id. With the lock held. */
static struct operation *find_repeated(const struct call *c, const char *key, bool *ret_conflict)
{
    struct operation *o = NULL;
    if (key[0])
        HASH_FIND(by_key, operations.keys, key, strlen(key), o);
    *ret_conflict = o && memcmp(o->digest, c->digest, sizeof(o->digest)) != 0;
    return o;
}

/* Whether the call is to wait for the operation, and now does. With the lock held. */
static bool wait_for(struct call *c, struct operation *o)
{
    return operation_wait_of(c) != WAIT_NONE && !c->wait_over && operation_attach(o, c);
}

/* Answer with what there is; drops the caller's reference. */
static void answer_now(struct call *c, struct operation *o)
{
    pthread_mutex_lock(&operations.lock);
    pb_ResultCode code = answer(c, o);
    operation_unref(o);
    pthread_mutex_unlock(&operations.lock);
    timer_cancel(&c->timer);
    call_end(c, code);
}

/* With the lock held, which it releases; takes the call. */
static void call_repeated(struct call *c, struct operation *o, bool conflict)
{
    bool waits = !conflict && wait_for(c, o);
    bool answers = !conflict && !waits;
    if (answers)
        operation_ref(o);
    pthread_mutex_unlock(&operations.lock);
    if (conflict) {
        timer_cancel(&c->timer);
        call_fail(c, RESULT_CODE_ALREADY_EXISTS,
                  "request_id \"%s\" was used for another request: choose a new one",
                  c->env.request_id);
    } else if (answers) {
        answer_now(c, o);
    }
}

void operation_call(struct call *c)
{
    const char *key = "";
    if (c->env.request_id[0])
        key = arena_printf(&c->arena, "%s\n%s", c->principal->name, c->env.request_id);
    if (c->arena.exhausted || !timer_arm(&c->timer, c->deadline_ns, operation_wait_over)) {
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    bool conflict;
    pthread_mutex_lock(&operations.lock);
    struct operation *o = find_repeated(c, key, &conflict);
    if (o) {
        call_repeated(c, o, conflict);
        return;
    }
    o = operation_new(c, key);
    if (!o) {
        pthread_mutex_unlock(&operations.lock);
        timer_cancel(&c->timer);
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    operation_insert(o);
    bool waits = wait_for(c, o);
    operation_ref(o); /* of the worker, till it has ended */
    operation_ref(o);
    pthread_mutex_unlock(&operations.lock);
    operation_start(o);
    if (!waits)
        answer_now(c, o);
    else
        release(o);
}
