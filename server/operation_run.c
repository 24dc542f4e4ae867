/* Running an operation: its steps, and the order to the cloud. */
#include <string.h>
#include <time.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/point.h"
#include "isobar/result.h"
#include "log.h"
#include "methods.h"
#include "operation_private.h"

/* A cloud that has not answered an order by then has an unknown outcome. At least so long, and as
 * long as the caller waits. */
#define ORDER_NS (120 * NS_PER_SEC)
/* How long a delete waits for the record of the create that made its machine. */
#define MAKER_NS (10 * NS_PER_SEC)
/* How often a delete looks whether the create that it waits for has ended. */
#define CREATE_PAUSE_NS (50 * NS_PER_MS)
/* Between two tries of a clean-up of the gateway's own. */
#define OWN_PAUSE_NS (10 * NS_PER_SEC)

/* ---- steps ---- */

bool operation_step(struct operation *o)
{
    (void)o;
    pthread_mutex_lock(&operations.lock);
    bool go = !operations.stopping;
    if (!go)
        operation_release();
    pthread_mutex_unlock(&operations.lock);
    return go;
}

void operation_next(struct operation *o, void (*step)(struct job *j))
{
    o->job.run = step;
    lane_continue(o->connection->lane, &o->job);
}

static void pause_over(struct timer *t)
{
    struct operation *o = CONTAINER_OF(t, struct operation, timer);
    pthread_mutex_lock(&operations.lock);
    bool go = !operations.stopping;
    operations.n_working += go;
    pthread_mutex_unlock(&operations.lock);
    if (go)
        lane_continue(o->connection->lane, &o->job);
}

void operation_later(struct operation *o, void (*step)(struct job *j), int64_t pause_ns)
{
    o->job.run = step;
    (void)!timer_arm(&o->timer, clock_mono_ns() + pause_ns, pause_over); /* it has its place */
    pthread_mutex_lock(&operations.lock);
    operation_release();
    pthread_mutex_unlock(&operations.lock);
}

/* ---- what steps share ---- */

void operation_set_native_id(struct operation *o, const char *id)
{
    pthread_mutex_lock(&operations.lock);
    if (!o->native_id[0])
        o->native_id = arena_strdup(&o->memory, id); /* "" where memory is short */
    o->updated_ns = clock_wall_ns();
    pthread_mutex_unlock(&operations.lock);
}

void operation_set_state(struct operation *o, pb_OperationState state)
{
    pthread_mutex_lock(&operations.lock);
    o->state = state;
    o->updated_ns = clock_wall_ns();
    pthread_mutex_unlock(&operations.lock);
}

/* What a delete finds of the create that made its machine. */
enum maker { MAKER_KNOWS, MAKER_RECORDS, MAKER_SEEKS };

static enum maker look_at_maker(const struct operation *o)
{
    pthread_mutex_lock(&operations.lock);
    const struct operation *create = o->maker[0] ? operation_find(o->maker) : NULL;
    enum maker said = MAKER_SEEKS;
    if (!create || !operation_creates(create) || create->recorded)
        said = MAKER_KNOWS;
    else if (create->ordered || create->finished)
        said = MAKER_RECORDS;
    pthread_mutex_unlock(&operations.lock);
    return said;
}

/* The machine that is to be deleted may be what a create has made whose record does not have it
 * yet: taken up after a restart, it must not make another one when this one is gone. So it gets a
 * tombstone, or is waited for till its record has the machine. False where neither succeeds. */
static bool maker_told(struct operation *o)
{
    for (int64_t until = clock_mono_ns() + MAKER_NS; clock_mono_ns() < until;) {
        enum maker said = look_at_maker(o);
        if (said == MAKER_KNOWS || (said == MAKER_SEEKS && operations_cancel(o->maker)))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 2 * NS_PER_MS}, NULL);
    }
    return false;
}

/* A name that an action was given has turned out to be this machine. It is recorded before the
 * order leaves: redone after a restart, it must not find another machine of that name. */
static bool note_id(struct op *op, const char *native_id)
{
    struct operation *o = op->owner;
    operation_set_native_id(o, native_id);
    if (o->method->policy->kind != KIND_ACTION)
        return true;
    bool known = strcmp(message_string(o->req, o->method->in.id), native_id) == 0;
    if (!known || o->maker[0])
        known = journal_note(o);
    return known && !o->memory.exhausted && maker_told(o);
}

static void note_maker(struct op *op, const char *token)
{
    struct operation *o = op->owner;
    if (uuid_is(token))
        o->maker = arena_strdup(&o->memory, token);
}

void operation_op(struct operation *o, struct arena *arena, int64_t deadline_ns, pb_Result *result,
                  struct op *ret)
{
    *ret = (struct op){
        .arena = arena,
        .deadline_ns = deadline_ns,
        .token = o->id,
        .resumed = o->resumed,
        .request_id = o->request_id,
        .traceparent = "",
        .result = result ? result : o->result,
        .note_id = note_id,
        .note_maker = note_maker,
        .owner = o,
    };
}

struct arena *operation_look(struct operation *o)
{
    arena_reset(&o->looks[o->turn]);
    return &o->looks[o->turn];
}

pb_Vm **operation_vm(struct operation *o)
{
    static pb_Vm *none;
    if (o->method->out_first->descriptor != &pb_Vm_desc)
        return &none;
    return (pb_Vm **)(void *)((char *)o->rsp + o->method->out_first->offset);
}

void operation_finish(struct operation *o, pb_ResultCode code)
{
    o->result->code = code;
    o->result->operation_id = o->id;
    log_event(result_is_success(code) ? LOG_INFO : LOG_WARN, "operation", "operation", o->id,
              "method", o->method->full_name, "cloud", o->cloud, "native_id", o->native_id, "code",
              result_name(code), "detail", o->result->detail, NULL);
    pthread_mutex_lock(&operations.lock);
    o->finished = true;
    o->sending = false;
    o->updated_ns = clock_wall_ns();
    pthread_mutex_unlock(&operations.lock);
    journal_end(o);
}

/* ---- the order ---- */

/* What the slot gets: the request with the machine's id instead of its name, once that is known. */
static ProtobufCMessage *request_of(struct operation *o)
{
    if (o->method->policy->kind == KIND_ACTION && o->native_id[0] && o->resumed)
        message_set_string(o->req, o->method->in.id, (char *)(uintptr_t)o->native_id);
    return o->req;
}

/* The create in the cloud that makes what is to be deleted, and whose order is not taken yet; false
 * where there is none. */
static bool create_goes_on(struct operation *o, char ret_id[UUID_TEXT_LEN + 1])
{
    pthread_mutex_lock(&operations.lock);
    struct operation *create =
        operation_unfinished(o->cloud, message_string(o->req, o->method->in.id));
    bool goes_on = create && !create->ordered;
    if (goes_on)
        memcpy(ret_id, create->id, sizeof(create->id));
    pthread_mutex_unlock(&operations.lock);
    return goes_on;
}

static void order_once_more(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    char id[UUID_TEXT_LEN + 1];
    if (!create_goes_on(o, id))
        operation_order(j);
    else if (operation_step(o))
        operation_later(o, order_once_more, CREATE_PAUSE_NS);
}

/* The machine to delete is not there. It may be one that is being made: what turns up of it is
 * deleted, and this delete has done its work when that has ended. True where it is so. */
static bool delete_meets_create(struct operation *o)
{
    char id[UUID_TEXT_LEN + 1];
    if (!create_goes_on(o, id))
        return false;
    /* Where it is too late for that, the machine is there now, and deleted by the next try. */
    if (operations_cancel(id))
        o->met_create = true;
    operation_later(o, order_once_more, CREATE_PAUSE_NS);
    return true;
}

/* The machine is gone: what a repeated delete is for. */
static void deleted_already(struct operation *o)
{
    pb_Vm *vm = arena_message(&o->working, &pb_Vm_desc);
    if (vm) {
        vm->cloud = arena_strdup(&o->working, o->cloud);
        vm->id = arena_strdup(&o->working, message_string(o->req, o->method->in.id));
        vm->state = VM_STATE_DELETED;
        *operation_vm(o) = vm;
    }
    pb_Result *fresh = result_new(&o->working);
    if (fresh)
        o->result = fresh;
    operation_finish(o, RESULT_CODE_DELETED);
}

/* What is to be deleted was there before: what a name that is not known now means, or what has
 * never been. */
static bool is_gone(const struct operation *o)
{
    bool meant = o->native_id[0] || uuid_is(message_string(o->req, o->method->in.id));
    return o->met_create || (o->resumed && meant);
}

/* Between the tries of an operation of the gateway's own: soon at first. */
static int64_t own_pause_ns(const struct operation *o)
{
    int64_t pause = operation_settle_ns(o) * o->attempt;
    return pause < OWN_PAUSE_NS ? pause : OWN_PAUSE_NS;
}

/* A create that was sent again at once has failed, and lists may not show yet what the try before
 * has made. */
static bool may_turn_up(const struct operation *o)
{
    return operation_creates(o) && o->resumed && operation_dedupes(o) && !operation_has_settled(o);
}

/* The order has not succeeded. */
static void not_ordered(struct operation *o, pb_ResultCode code)
{
    pb_SideEffects effects = o->result->side_effects;
    /* Given up because the process ends, not because somebody has cancelled it: the next one has
     * the journal. */
    if (code == RESULT_CODE_CANCELLED && !operation_is_cancelled(o) && !operation_step(o))
        return;
    bool unknown = code == RESULT_CODE_OUTCOME_UNKNOWN || effects == SIDE_EFFECTS_POSSIBLE;
    if (operation_deletes(o) && code == RESULT_CODE_NOT_FOUND) {
        if (is_gone(o))
            deleted_already(o);
        else if (!delete_meets_create(o))
            operation_finish(o, code);
    } else if (operation_is_own(o) && clock_wall_ns() < o->deadline_wall_ns) {
        operation_later(o, operation_order, own_pause_ns(o));
    } else if (unknown) {
        operation_resolve(o);
    } else if (may_turn_up(o)) {
        operation_seek_refused(o, code);
    } else if (operation_creates(o) && (effects == SIDE_EFFECTS_CERTAIN || o->resumed)) {
        operation_clean(o, code);
    } else {
        operation_finish(o, code);
    }
}

static bool too_late(struct operation *o)
{
    if (clock_mono_ns() < o->start_by_ns || o->attempt > 0 || o->resumed)
        return false;
    o->result->side_effects = SIDE_EFFECTS_NONE;
    operation_finish(
        o, result_fail(&o->working, o->result, RESULT_CODE_DEADLINE_EXCEEDED,
                       "the time was over before cloud \"%s\" had a place free; nothing has "
                       "been done",
                       o->cloud));
    return true;
}

/* It is about to leave: false where it was cancelled before. */
static bool begin_sending(struct operation *o)
{
    pthread_mutex_lock(&operations.lock);
    bool cancelled = o->cancelled;
    if (!cancelled) {
        o->attempt++;
        o->sending = true;
    }
    pthread_mutex_unlock(&operations.lock);
    return !cancelled;
}

static void cancelled_in_time(struct operation *o)
{
    o->result->side_effects = SIDE_EFFECTS_NONE;
    pb_ResultCode code = result_fail(&o->working, o->result, RESULT_CODE_CANCELLED,
                                     "it was cancelled before it was sent");
    if (o->resumed && operation_creates(o))
        operation_clean(o, code);
    else
        operation_finish(o, code);
}

void operation_order(struct job *j)
{
    struct operation *o = CONTAINER_OF(j, struct operation, job);
    if (!operation_step(o) || too_late(o))
        return;
    if (!begin_sending(o)) {
        cancelled_in_time(o);
        return;
    }
    int64_t now = clock_mono_ns();
    o->order_by_ns = now + ORDER_NS;
    if (o->start_by_ns != INT64_MAX && o->start_by_ns > o->order_by_ns)
        o->order_by_ns = o->start_by_ns;
    /* What an earlier try had no memory for is no failure of this one. */
    o->working.exhausted = o->memory.exhausted = false;
    struct op op;
    operation_op(o, &o->working, o->order_by_ns, NULL, &op);
    op.cancelled = &o->given_up;
    pb_ResultCode code = o->method->policy->slot(o->connection->ops, o->connection->adapter, &op,
                                                 request_of(o), o->rsp);
    o->touched |= op.touched;
    point("reply-read");
    if (result_is_success(code))
        operation_ordered(o, code);
    else
        not_ordered(o, code);
}

void operation_start(struct operation *o)
{
    o->job = (struct job){.run = operation_order};
    lane_submit_reserved(o->connection->lane, &o->job);
}
