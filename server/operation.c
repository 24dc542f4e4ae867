#include "operation.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "log.h"
#include "message.h"
#include "operation_private.h"

/* A cloud that has not answered an order by then has an unknown outcome. At least so long, and as
 * long as the caller waits. */
#define ORDER_NS (120 * NS_PER_SEC)
/* A machine that is not in the wanted state by then is no longer watched. */
#define LOOK_NS (3600 * NS_PER_SEC)
/* A machine that has just been ordered may not be seen for so long: lists lag. */
#define UNSEEN_NS (30 * NS_PER_SEC)

#define WORKING_MAX ((size_t)32 << 20)

struct operations operations = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- memory ---- */

struct operation *operation_ref(struct operation *o)
{
    o->refs++;
    return o;
}

void operation_unref(struct operation *o)
{
    if (--o->refs > 0)
        return;
    arena_done(&o->memory);
    arena_done(&o->working);
    arena_done(&o->looks[0]);
    arena_done(&o->looks[1]);
    free(o->result_data);
    free(o->response_data);
    free(o);
}

static void forget_key(struct operation *o)
{
    if (o->key[0])
        HASH_DELETE(by_key, operations.keys, o);
    o->key = "";
}

static void forget(struct operation *o)
{
    HASH_DELETE(by_id, operations.ids, o);
    forget_key(o);
    if (o->newer)
        o->newer->older = o->older;
    else
        operations.newest = o->older;
    if (o->older)
        o->older->newer = o->newer;
    else
        operations.oldest = o->newer;
    if (o->ended)
        operations.n_ended--;
    operation_unref(o);
}

/* The oldest that have ended make room. */
static void prune(void)
{
    struct operation *o = operations.oldest;
    while (o && operations.n_ended > OPERATIONS_KEPT) {
        struct operation *newer = o->newer;
        if (o->ended)
            forget(o);
        o = newer;
    }
}

void operation_digest(struct call *c)
{
    int *wait = (int *)(void *)((char *)c->req + c->method->in.wait->offset);
    int kept = *wait;
    *wait = 0;
    size_t name_len = strlen(c->method->full_name) + 1;
    size_t len = name_len + protobuf_c_message_get_packed_size(c->req);
    uint8_t *data = arena_alloc(&c->arena, len);
    if (data) {
        memcpy(data, c->method->full_name, name_len);
        protobuf_c_message_pack(c->req, data + name_len);
        SHA256(data, len, c->digest);
    }
    *wait = kept;
}

static pb_Wait wait_of(const struct call *c)
{
    return (pb_Wait)message_uint(c->req, c->method->in.wait);
}

static struct operation *operation_new(struct call *c, const char *key)
{
    struct operation *o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    arena_init(&o->memory, 65536);
    arena_init(&o->working, WORKING_MAX);
    arena_init(&o->looks[0], WORKING_MAX);
    arena_init(&o->looks[1], WORKING_MAX);
    uuid7(o->id);
    o->state = OPERATION_STATE_INTENT;
    o->method = c->method;
    o->connection = c->connection;
    o->cloud = arena_strdup(&o->memory, c->connection->name);
    o->principal = arena_strdup(&o->memory, c->principal->name);
    o->request_id = arena_strdup(&o->memory, c->env.request_id);
    o->key = arena_strdup(&o->memory, key);
    o->native_id = "";
    memcpy(o->digest, c->digest, sizeof(o->digest));
    o->created_ns = o->updated_ns = clock_wall_ns();
    o->req = message_copy(&o->working, c->req);
    o->rsp = arena_message(&o->working, c->method->output);
    o->result = result_new(&o->working);
    for (size_t i = 0; o->result && i < c->result->n_warnings; i++)
        result_add_warning(&o->working, o->result, "%s", c->result->warnings[i]);
    o->waits = wait_of(c) == WAIT_RUNNING;
    o->start_by_ns = wait_of(c) == WAIT_NONE ? INT64_MAX : c->deadline_ns;
    o->refs = 1;
    if (o->req && o->rsp && o->result && !o->memory.exhausted) {
        o->snapshot = c->snapshot;
        atomic_fetch_add(&o->snapshot->refs, 1);
        return o;
    }
    operation_unref(o);
    return NULL;
}

static void insert(struct operation *o)
{
    HASH_ADD_KEYPTR(by_id, operations.ids, o->id, UUID_TEXT_LEN, o);
    if (o->key[0])
        HASH_ADD_KEYPTR(by_key, operations.keys, o->key, strlen(o->key), o);
    o->older = operations.newest;
    if (operations.newest)
        operations.newest->newer = o;
    else
        operations.oldest = o;
    operations.newest = o;
    operations.n_open++;
}

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

/* Record the end, and answer all who wait. */
static void finish(struct operation *o, pb_ResultCode code)
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
        forget_key(o);
    struct call *waiters = NULL;
    while (o->waiters) {
        struct call *c = o->waiters;
        detach(c);
        c->next = waiters;
        waiters = c;
    }
    operations.n_open--;
    operations.n_ended++;
    prune();
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

/* ---- running one ---- */

static void set_native_id(struct operation *o, const char *id)
{
    pthread_mutex_lock(&operations.lock);
    if (!o->native_id[0])
        o->native_id = arena_strdup(&o->memory, id);
    o->updated_ns = clock_wall_ns();
    pthread_mutex_unlock(&operations.lock);
}

static void note_id(struct op *op, const char *native_id)
{
    set_native_id(op->owner, native_id);
}

static void make_op(struct operation *o, struct arena *arena, int64_t deadline_ns, struct op *ret)
{
    *ret = (struct op){
        .arena = arena,
        .deadline_ns = deadline_ns,
        .token = o->id,
        .request_id = o->request_id,
        .traceparent = "",
        .result = o->result,
        .note_id = note_id,
        .owner = o,
    };
}

/* The machine that the response is about. */
static pb_Vm **vm_of(struct operation *o)
{
    return (pb_Vm **)(void *)((char *)o->rsp + o->method->out_first->offset);
}

static void look_job(struct job *j);

static void look_due(struct timer *t)
{
    struct operation *o = CONTAINER_OF(t, struct operation, timer);
    lane_continue(o->connection->lane, &o->job);
}

static void look_later(struct operation *o)
{
    o->job.run = look_job;
    int64_t pause = (int64_t)o->connection->ops->poll_interval_ms * NS_PER_MS;
    if (!timer_arm(&o->timer, clock_mono_ns() + pause, look_due))
        finish(o, result_fail(&o->working, o->result, RESULT_CODE_INTERNAL_ERROR, "out of memory"));
}

static bool is_settled(const struct operation *o, pb_VmState state)
{
    pb_VmState wanted = o->method->policy->wait_for;
    if (wanted != VM_STATE_UNSPECIFIED)
        return state == wanted;
    return state == VM_STATE_RUNNING || state == VM_STATE_STOPPED || state == VM_STATE_SUSPENDED;
}

/* Judge one look; RESULT_CODE_UNSPECIFIED where it is to be looked again. */
static pb_ResultCode judge(struct operation *o, pb_ResultCode code, pb_Vm *vm, pb_Result *seen)
{
    bool deletes = o->method->policy->wait_for == VM_STATE_DELETED;
    pb_Vm *last = *vm_of(o);
    int64_t now = clock_mono_ns();
    if (code == RESULT_CODE_NOT_FOUND && deletes) {
        last->state = VM_STATE_DELETED;
        return o->result->code;
    }
    if (now > o->look_until_ns)
        return result_fail(&o->working, o->result, RESULT_CODE_DEADLINE_EXCEEDED,
                           "the cloud took the order, and the machine is in state %s still",
                           last->native_state);
    if (code == RESULT_CODE_NOT_FOUND && now > o->look_until_ns - LOOK_NS + UNSEEN_NS)
        return result_fail(&o->working, o->result, RESULT_CODE_NOT_FOUND,
                           "the cloud took the order, and has no such machine now: %s",
                           seen ? seen->detail : "");
    if (code != RESULT_CODE_OK || !vm)
        return RESULT_CODE_UNSPECIFIED;
    *vm_of(o) = vm;
    if (is_settled(o, vm->state))
        return o->result->code;
    if (vm->state != VM_STATE_ERROR && (vm->state != VM_STATE_DELETED || deletes))
        return RESULT_CODE_UNSPECIFIED;
    o->result->blame = BLAME_CLOUD;
    o->result->side_effects = SIDE_EFFECTS_CERTAIN;
    return result_fail(&o->working, o->result, RESULT_CODE_INTERNAL_ERROR,
                       "the machine %s is in state %s: %s", vm->id, vm->native_state,
                       vm->fault[0] ? vm->fault : "the cloud does not say why");
}

static void look_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    struct arena *look = &o->looks[o->turn];
    o->turn = 1 - o->turn;
    arena_reset(look);
    pb_GetVmRequest req;
    pb_GetVmResponse rsp;
    isobar__v1__get_vm_request__init(&req);
    isobar__v1__get_vm_response__init(&rsp);
    struct op op;
    make_op(o, look, clock_mono_ns() + ORDER_NS, &op);
    req.id = (*vm_of(o))->id;
    op.result = result_new(look);
    pb_ResultCode code = RESULT_CODE_INTERNAL_ERROR;
    if (op.result)
        code = o->connection->ops->get_vm(o->connection->adapter, &op, &req, &rsp);
    if (rsp.vm)
        rsp.vm->cloud = arena_strdup(look, o->cloud);
    code = judge(o, code, rsp.vm, op.result);
    if (code == RESULT_CODE_UNSPECIFIED)
        look_later(o);
    else
        finish(o, code);
}

/* The order has been taken: answer, or wait for the machine's state. */
static void ordered(struct operation *o, pb_ResultCode code)
{
    pb_Vm *vm = *vm_of(o);
    if (vm) {
        vm->cloud = arena_strdup(&o->working, o->cloud);
        set_native_id(o, vm->id);
    }
    bool settled =
        vm && o->method->policy->wait_for != VM_STATE_DELETED && is_settled(o, vm->state);
    if (!o->waits || !vm || settled || !o->connection->ops->get_vm) {
        finish(o, code);
        return;
    }
    pthread_mutex_lock(&operations.lock);
    o->state = OPERATION_STATE_RUNNING;
    pthread_mutex_unlock(&operations.lock);
    o->result->code = code;
    o->look_until_ns = clock_mono_ns() + LOOK_NS;
    look_later(o);
}

static void order_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    int64_t now = clock_mono_ns();
    if (now >= o->start_by_ns) {
        o->result->side_effects = SIDE_EFFECTS_NONE;
        finish(o, result_fail(&o->working, o->result, RESULT_CODE_DEADLINE_EXCEEDED,
                              "the time was over before cloud \"%s\" had a place free; nothing has "
                              "been done",
                              o->cloud));
        return;
    }
    o->order_by_ns = now + ORDER_NS;
    if (o->start_by_ns != INT64_MAX && o->start_by_ns > o->order_by_ns)
        o->order_by_ns = o->start_by_ns;
    pthread_mutex_lock(&operations.lock);
    o->attempt++;
    pthread_mutex_unlock(&operations.lock);
    struct op op;
    make_op(o, &o->working, o->order_by_ns, &op);
    pb_ResultCode code =
        o->method->policy->slot(o->connection->ops, o->connection->adapter, &op, o->req, o->rsp);
    if (result_is_success(code))
        ordered(o, code);
    else
        finish(o, code);
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

/* Hand over to a lane. The operation is finished, for all who wait, where there is no room. */
static void start(struct operation *o)
{
    o->job.run = order_job;
    if (lane_submit(o->connection->lane, &o->job))
        return;
    o->result->side_effects = SIDE_EFFECTS_NONE;
    finish(o, result_fail(&o->working, o->result, RESULT_CODE_OVERLOADED,
                          "cloud \"%s\" has %u calls waiting already: try again a little later",
                          o->cloud, o->connection->config->max_queued));
}

/* Whether the call is to wait for the operation, and now does. With the lock held. */
static bool wait_for(struct call *c, struct operation *o)
{
    return wait_of(c) != WAIT_NONE && !c->wait_over && operation_attach(o, c);
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
    insert(o);
    bool waits = wait_for(c, o);
    operation_ref(o); /* of the worker, till it has ended */
    operation_ref(o);
    pthread_mutex_unlock(&operations.lock);
    start(o);
    if (!waits)
        answer_now(c, o);
    else
        release(o);
}

unsigned operations_open(void)
{
    pthread_mutex_lock(&operations.lock);
    unsigned n = operations.n_open;
    pthread_mutex_unlock(&operations.lock);
    return n;
}

void operations_done(void)
{
    pthread_mutex_lock(&operations.lock);
    while (operations.oldest)
        forget(operations.oldest);
    pthread_mutex_unlock(&operations.lock);
}
