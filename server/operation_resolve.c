/* What became of an order that was not answered, or whose sender has died: the mark in the cloud
 * tells. And the deletion of what must not be left over.
 *
 *     seek:  the machines that bear the operation's mark
 *       one         it is adopted: the order has succeeded
 *       several     the oldest that is healthy is adopted, the others are deleted
 *       none        what was sent is given time to settle, then it is sent again; at once where
 *                   the cloud dedupes
 *     drop:  the operation is cancelled: the machines that bear its mark are deleted
 *     clean: what it made beside machines is deleted, then it ends
 *
 * Only what bears this operation's mark is ever touched. A look that fails proves nothing, and is
 * made again, for as long as it takes.
 */
#include <string.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/point.h"
#include "isobar/result.h"
#include "log.h"
#include "methods.h"
#include "operation_private.h"

/* How long one request of a recovery may take. */
#define REQUEST_NS (30 * NS_PER_SEC)
/* Between looks that fail, and between tries: doubled up to the longest. */
#define PAUSE_MIN_NS (200 * NS_PER_MS)
#define PAUSE_MAX_NS (30 * NS_PER_SEC)
/* An action that is never answered is not tried for ever. */
#define ACTION_ATTEMPTS_MAX 5

static void seek_job(struct job *j);
static void drop_job(struct job *j);
static void clean_job(struct job *j);

int64_t operation_settle_ns(const struct operation *o)
{
    const struct adapter_ops *ops = o->connection->ops;
    return ops->settle_ms ? ops->settle_ms(o->connection->adapter) * NS_PER_MS : 0;
}

/* How long that takes may only be known later, when somebody serves the cloud. */
bool operation_has_settled(const struct operation *o)
{
    return clock_mono_ns() >= o->dead_since_ns + operation_settle_ns(o);
}

bool operation_dedupes(const struct operation *o)
{
    const struct adapter_ops *ops = o->connection->ops;
    return ops->dedupes && ops->dedupes(o->connection->adapter);
}

static int64_t pause_ns(unsigned times)
{
    int64_t pause = PAUSE_MIN_NS;
    while (times-- > 0 && pause < PAUSE_MAX_NS)
        pause *= 2;
    return pause < PAUSE_MAX_NS ? pause : PAUSE_MAX_NS;
}

/* The same again, later: the cloud did not say. */
static void missed(struct operation *o, void (*step)(struct job *j))
{
    operation_later(o, step, pause_ns(o->misses++));
}

static int64_t poll_ns(const struct operation *o)
{
    return o->connection->ops->poll_interval_ms * NS_PER_MS;
}

/* The machines that bear the mark, in the look's arena; false where the cloud did not say. */
static bool seek(struct operation *o, struct arena *look, pb_ListOperationVmsResponse *ret)
{
    const struct adapter_ops *ops = o->connection->ops;
    pb_ListOperationVmsRequest req;
    isobar__v1__list_operation_vms_request__init(&req);
    isobar__v1__list_operation_vms_response__init(ret);
    pb_Result *said = result_new(look);
    if (!said || !ops->list_operation_vms)
        return false;
    struct op op;
    operation_op(o, look, clock_mono_ns() + REQUEST_NS, said, &op);
    op.token = "";
    req.operation_id = o->id;
    pb_ResultCode code = ops->list_operation_vms(o->connection->adapter, &op, &req, ret);
    if (code == RESULT_CODE_OK)
        return true;
    log_event(LOG_INFO, "look failed", "operation", o->id, "cloud", o->cloud, "code",
              result_name(code), "detail", said->detail, NULL);
    return false;
}

/* Order a machine's deletion; true where it is ordered, or the machine is gone. */
static bool delete_vm(struct operation *o, struct arena *look, char *id)
{
    const struct adapter_ops *ops = o->connection->ops;
    pb_DeleteVmRequest req;
    pb_DeleteVmResponse rsp;
    isobar__v1__delete_vm_request__init(&req);
    isobar__v1__delete_vm_response__init(&rsp);
    pb_Result *said = result_new(look);
    if (!said || !ops->delete_vm)
        return false;
    struct op op;
    operation_op(o, look, clock_mono_ns() + REQUEST_NS, said, &op);
    op.note_id = NULL;
    req.id = id;
    point("clean-up");
    pb_ResultCode code = ops->delete_vm(o->connection->adapter, &op, &req, &rsp);
    bool gone = result_is_success(code) || code == RESULT_CODE_NOT_FOUND;
    log_event(gone ? LOG_INFO : LOG_WARN, "machine taken back", "operation", o->id, "cloud",
              o->cloud, "native_id", id, "code", result_name(code), NULL);
    return gone;
}

static bool is_going(const pb_Vm *vm)
{
    return vm->state == VM_STATE_DELETING || vm->state == VM_STATE_DELETED;
}

/* ---- adopting ---- */

/* Healthy before broken, then the older, then the lesser id. */
static bool is_better(const pb_Vm *a, const pb_Vm *b)
{
    if ((a->state == VM_STATE_ERROR) != (b->state == VM_STATE_ERROR))
        return b->state == VM_STATE_ERROR;
    int64_t a_s = a->created_at ? a->created_at->seconds : INT64_MAX;
    int64_t b_s = b->created_at ? b->created_at->seconds : INT64_MAX;
    return a_s != b_s ? a_s < b_s : strcmp(a->id, b->id) < 0;
}

static pb_Vm *choose(const pb_ListOperationVmsResponse *found)
{
    pb_Vm *best = NULL;
    for (size_t i = 0; i < found->n_vms; i++)
        if (!is_going(found->vms[i]) && (!best || is_better(found->vms[i], best)))
            best = found->vms[i];
    return best;
}

/* Delete all but the one; false where that has to be tried again. */
static bool delete_others(struct operation *o, struct arena *look,
                          const pb_ListOperationVmsResponse *found, const pb_Vm *kept)
{
    bool all = true;
    for (size_t i = 0; i < found->n_vms; i++) {
        if (found->vms[i] == kept || is_going(found->vms[i]))
            continue;
        atomic_fetch_add_explicit(&operations.n_doubles, 1, memory_order_relaxed);
        log_event(LOG_WARN, "machine twice", "operation", o->id, "cloud", o->cloud, "kept",
                  kept->id, "deleted", found->vms[i]->id, NULL);
        all = delete_vm(o, look, found->vms[i]->id) && all;
    }
    return all;
}

/* The order has succeeded, as the cloud shows. */
static void adopt(struct operation *o, const pb_Vm *vm)
{
    pb_Vm *copy = (pb_Vm *)(void *)message_copy(&o->working, &vm->base);
    pb_Result *fresh = result_new(&o->working);
    if (!copy || !fresh) {
        missed(o, seek_job);
        return;
    }
    fresh->warnings = o->result->warnings;
    fresh->n_warnings = o->result->n_warnings;
    o->result = fresh;
    *operation_vm(o) = copy;
    log_event(LOG_INFO, "machine adopted", "operation", o->id, "cloud", o->cloud, "native_id",
              copy->id, NULL);
    operation_ordered(o, RESULT_CODE_CREATED);
}

/* It was sent a second time, and the first may have taken effect after all: once everything has
 * settled, the cloud shows whether there are two. */
static void verify_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    if (!operation_step(o))
        return;
    struct arena *look = operation_look(o);
    pb_ListOperationVmsResponse found;
    if (!seek(o, look, &found)) {
        missed(o, verify_job);
        return;
    }
    pb_Vm *best = choose(&found);
    bool alone = best && strcmp(best->id, (*operation_vm(o))->id) == 0;
    if (best && !delete_others(o, look, &found, best))
        missed(o, verify_job);
    else if (!best || alone)
        operation_ordered(o, RESULT_CODE_CREATED);
    else
        adopt(o, best);
}

void operation_verify(struct operation *o)
{
    o->verified = true;
    o->misses = 0;
    operation_later(o, verify_job, operation_settle_ns(o));
}

/* ---- sending again ---- */

static void order_again(struct operation *o)
{
    o->resumed = true;
    o->misses = 0;
    if (o->attempt < 2)
        operation_next(o, operation_order);
    else
        operation_later(o, operation_order, pause_ns(o->attempt));
}

/* There is no machine, and none will turn up. */
static void nothing_there(struct operation *o)
{
    pb_ResultCode code;
    if (operation_is_cancelled(o)) {
        code = result_fail(&o->working, o->result, RESULT_CODE_CANCELLED,
                           "it was cancelled; no machine has been made");
    } else if (clock_wall_ns() > o->deadline_wall_ns) {
        code = result_fail(&o->working, o->result, RESULT_CODE_DEADLINE_EXCEEDED,
                           "it was not answered while it was wanted; no machine has been made");
    } else if (o->refused) {
        code = o->end_code;
    } else {
        order_again(o);
        return;
    }
    operation_clean(o, code);
}

/* Whether a list that shows nothing is to be believed, or what was sent may be sent again without
 * that: it makes no second machine. */
static bool is_over(struct operation *o)
{
    if (operation_has_settled(o))
        return true;
    return operation_dedupes(o) && !o->refused && !operation_is_cancelled(o) &&
           clock_wall_ns() <= o->deadline_wall_ns;
}

static void seek_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    if (!operation_step(o))
        return;
    struct arena *look = operation_look(o);
    pb_ListOperationVmsResponse found;
    point("recovery");
    if (!seek(o, look, &found)) {
        missed(o, seek_job);
        return;
    }
    o->misses = 0;
    pb_Vm *best = choose(&found);
    if (best && operation_is_cancelled(o))
        operation_drop(o);
    else if (best && delete_others(o, look, &found, best))
        adopt(o, best);
    else if (best)
        missed(o, seek_job);
    else if (!is_over(o))
        operation_later(o, seek_job, poll_ns(o));
    else
        nothing_there(o);
}

/* An action is done again, when the one before can no longer come after it: what is so already is
 * no error. */
static void redo(struct operation *o)
{
    int64_t pause = pause_ns(o->attempt), settle = operation_settle_ns(o);
    o->resumed = true;
    if (o->attempt < ACTION_ATTEMPTS_MAX && clock_wall_ns() < o->deadline_wall_ns)
        operation_later(o, operation_order, pause > settle ? pause : settle);
    else
        operation_finish(o, o->result->code);
}

static void unknown_recorded(struct operation *o, enum store_outcome outcome)
{
    (void)outcome;
    if (operation_creates(o))
        operation_next(o, seek_job);
    else
        redo(o);
}

/* What has used up its memory starts with fresh one: all that it needs is the request. */
static void renew_memory(struct operation *o)
{
    struct arena fresh;
    if (!o->working.exhausted)
        return;
    arena_init(&fresh, o->working.cap);
    ProtobufCMessage *req = message_copy(&fresh, o->req);
    ProtobufCMessage *rsp = arena_message(&fresh, o->method->output);
    pb_Result *result = result_copy(&fresh, o->result);
    if (!req || !rsp || !result) {
        arena_done(&fresh);
        return;
    }
    arena_done(&o->working);
    arena_move(&o->working, &fresh);
    o->req = req;
    o->rsp = rsp;
    o->result = result;
}

void operation_resolve(struct operation *o)
{
    renew_memory(o);
    operation_set_state(o, OPERATION_STATE_UNKNOWN);
    o->dead_since_ns = clock_mono_ns();
    o->misses = 0;
    log_event(LOG_WARN, "outcome unknown", "operation", o->id, "method", o->method->full_name,
              "cloud", o->cloud, "code", result_name(o->result->code), "detail", o->result->detail,
              NULL);
    journal_step(o, unknown_recorded);
}

void operation_seek_refused(struct operation *o, pb_ResultCode code)
{
    operation_set_state(o, OPERATION_STATE_UNKNOWN);
    o->refused = true;
    o->end_code = code;
    o->misses = 0;
    operation_next(o, seek_job);
}

/* ---- taking back ---- */

static void drop_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    if (!operation_step(o))
        return;
    struct arena *look = operation_look(o);
    pb_ListOperationVmsResponse found;
    if (!seek(o, look, &found)) {
        missed(o, drop_job);
        return;
    }
    size_t left = 0;
    for (size_t i = 0; i < found.n_vms; i++) {
        if (is_going(found.vms[i]))
            continue;
        left++;
        (void)delete_vm(o, look, found.vms[i]->id);
    }
    /* A list that lags may not show it yet, or still: it is only over when it has settled. */
    if (left > 0 || !operation_has_settled(o)) {
        operation_later(o, drop_job, poll_ns(o));
        return;
    }
    operation_clean(o, result_fail(&o->working, o->result, RESULT_CODE_CANCELLED,
                                   "it was cancelled, and what had been made is deleted"));
}

void operation_drop(struct operation *o)
{
    o->dead_since_ns = clock_mono_ns();
    o->misses = 0;
    pb_Vm *vm = *operation_vm(o);
    /* Its id is known where the cloud has answered: no list needs to show it. */
    if (vm && vm->id[0] && !is_going(vm)) {
        struct arena *look = operation_look(o);
        (void)delete_vm(o, look, vm->id);
    }
    *operation_vm(o) = NULL;
    operation_next(o, drop_job);
}

static void clean_job(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    const struct adapter_ops *ops = o->connection->ops;
    if (!operation_step(o))
        return;
    struct arena *look = operation_look(o);
    pb_DeleteLeftoverRequest req;
    pb_DeleteLeftoverResponse rsp;
    isobar__v1__delete_leftover_request__init(&req);
    isobar__v1__delete_leftover_response__init(&rsp);
    pb_Result *said = result_new(look);
    pb_ResultCode code = RESULT_CODE_INTERNAL_ERROR;
    req.id = o->id;
    if (said) {
        struct op op;
        operation_op(o, look, clock_mono_ns() + REQUEST_NS, said, &op);
        code = ops->delete_leftover(o->connection->adapter, &op, &req, &rsp);
    }
    if (!result_is_success(code)) {
        log_event(LOG_WARN, "clean-up failed", "operation", o->id, "cloud", o->cloud, "code",
                  result_name(code), "detail", said ? said->detail : "", NULL);
        missed(o, clean_job);
        return;
    }
    o->result->side_effects = SIDE_EFFECTS_NONE;
    o->touched = true;
    operation_finish(o, o->end_code);
}

void operation_clean(struct operation *o, pb_ResultCode code)
{
    o->end_code = code;
    o->misses = 0;
    if (!o->connection->ops->delete_leftover) {
        operation_finish(o, code);
        return;
    }
    operation_next(o, clean_job);
}
