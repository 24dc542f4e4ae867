#include "cloud_call.h"

#include "family.h"
#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/result.h"
#include "list.h"
#include "operation.h"
#include "registrar.h"
#include "validate.h"
#include "words.h"

/* ---- steps of another gateway's operations ---- */

/* Whether the call is such a step: it is done at once, and that gateway's journal has it. */
static bool is_step(const struct call *c)
{
    return c->env.step->operation_id[0] && c->method->policy->mutates &&
           !message_has(c->req, c->method->in.dry_run);
}

static bool begin_step(struct call *c)
{
    c->noted = arena_message(&c->arena, &pb_Noted_desc);
    return c->noted != NULL;
}

/* The other gateway is told; where it only asks, nothing is sent. */
static bool note_id(struct op *op, const char *native_id)
{
    struct call *c = op->owner;
    c->noted->native_id = arena_strdup(&c->arena, native_id);
    return !c->env.step->name_only;
}

static void note_maker(struct op *op, const char *token)
{
    struct call *c = op->owner;
    c->noted->maker = arena_strdup(&c->arena, token);
}

/* What a step has ended with, besides its response. */
static pb_ResultCode end_step(struct call *c, const struct op *op, pb_ResultCode code)
{
    c->noted->touched = op->touched;
    if (!c->env.step->name_only || !c->noted->native_id[0])
        return code;
    pb_Result *fresh = result_new(&c->arena);
    if (fresh)
        c->result = fresh;
    return RESULT_CODE_OK;
}

static void make_op(struct call *c, struct op *ret)
{
    *ret = (struct op){
        .arena = &c->arena,
        .deadline_ns = c->deadline_ns,
        .token = "",
        .request_id = c->env.request_id,
        .traceparent = c->env.traceparent,
        .hops = c->env.step->hops,
        .cancelled = &c->cancelled,
        .result = c->result,
        .owner = c,
    };
    if (!c->noted)
        return;
    ret->token = c->env.step->operation_id;
    ret->resumed = c->env.step->resumed;
    ret->note_id = note_id;
    ret->note_maker = note_maker;
}

/* A dry run of an action on a machine, where the cloud has none, looks at the machine. */
static pb_ResultCode look_instead(struct call *c, struct op *op)
{
    const struct adapter_ops *ops = c->connection->ops;
    pb_GetVmRequest req;
    pb_GetVmResponse rsp;
    isobar__v1__get_vm_request__init(&req);
    isobar__v1__get_vm_response__init(&rsp);
    req.id = (char *)(uintptr_t)message_string(c->req, c->method->in.id);
    if (!ops->get_vm)
        return op_fail(op, RESULT_CODE_NOT_SUPPORTED, "this cloud cannot show a machine");
    pb_ResultCode code = ops->get_vm(c->connection->adapter, op, &req, &rsp);
    if (rsp.vm)
        *(pb_Vm **)(void *)((char *)c->rsp + c->method->out_first->offset) = rsp.vm;
    return code;
}

static bool is_delete(const struct call *c)
{
    return c->method->policy->wait_for == VM_STATE_DELETED;
}

/* Which machine an action is on. Its slot tells that of a name alone, and may order at once where
 * it is given an id; that of a delete tells it in any case, and who made the machine. */
static pb_ResultCode name_machine(struct call *c, struct op *op)
{
    if (c->method->policy->kind != KIND_ACTION)
        return op_fail(op, RESULT_CODE_INVALID_REQUEST, "%s names no machine",
                       c->method->full_name);
    pb_ResultCode code = look_instead(c, op);
    const pb_Vm *vm = (const pb_Vm *)(const void *)message_sub(c->rsp, c->method->out_first);
    if (result_is_success(code) && vm)
        c->noted->native_id = vm->id;
    return code;
}

static pb_ResultCode call_slot(struct call *c)
{
    struct op op;
    make_op(c, &op);
    if (c->noted && c->env.step->name_only && !is_delete(c))
        return name_machine(c, &op);
    if (c->method->policy->kind == KIND_ACTION && !c->noted && !c->connection->ops->rehearses)
        return look_instead(c, &op);
    pb_ResultCode code =
        c->method->policy->slot(c->connection->ops, c->connection->adapter, &op, c->req, c->rsp);
    return c->noted ? end_step(c, &op, code) : code;
}

/* What a list or a get has brought gets the cloud's name. */
static void name_cloud(struct call *c)
{
    const ProtobufCFieldDescriptor *first = c->method->out_first;
    if (!first || first->type != PROTOBUF_C_TYPE_MESSAGE ||
        first->label == PROTOBUF_C_LABEL_REPEATED)
        return;
    ProtobufCMessage *item = message_sub(c->rsp, first);
    const ProtobufCFieldDescriptor *cloud =
        item ? protobuf_c_message_descriptor_get_field_by_name(item->descriptor, "cloud") : NULL;
    if (cloud && cloud->type == PROTOBUF_C_TYPE_STRING)
        message_set_string(item, cloud, arena_strdup(&c->arena, c->connection->name));
}

static void run_read(struct call *c)
{
    pb_ResultCode code = call_slot(c);
    if (result_is_success(code) && c->method->policy->kind == KIND_LIST &&
        c->method->policy->handler)
        code = c->method->policy->handler(c);
    if (result_is_success(code) && c->method->policy->kind == KIND_LIST) {
        list_filter(&c->arena, c->method, c->req, c->rsp, c->connection->name);
        if (!c->family)
            code = list_page(&c->arena, c->method, c->req, c->rsp,
                             c->snapshot->config->limits.reply_max, c->result);
    } else if (result_is_success(code)) {
        name_cloud(c);
    }
    call_end(c, code);
}

static void read_job(struct job *j)
{
    struct call *c = CONTAINER_OF(j, struct call, job);
    timer_cancel(&c->timer);
    if (clock_mono_ns() >= c->deadline_ns)
        call_fail(c, RESULT_CODE_DEADLINE_EXCEEDED,
                  "the time was over before cloud \"%s\" had a place free", c->connection->name);
    else if (cancel_is_raised(&c->cancelled))
        call_fail(c, RESULT_CODE_CANCELLED, "the caller has gone");
    else
        run_read(c);
}

static void read_expired(struct timer *t)
{
    struct call *c = CONTAINER_OF(t, struct call, timer);
    if (lane_withdraw(c->connection->lane, &c->job))
        call_fail(c, RESULT_CODE_DEADLINE_EXCEEDED,
                  "the time was over before cloud \"%s\" had a place free", c->connection->name);
}

void fail_overloaded(struct call *c)
{
    c->result->retry = arena_message(&c->arena, &pb_Retry_desc);
    if (c->result->retry) {
        c->result->retry->class_ = RETRY_CLASS_AFTER_BACKOFF;
        c->result->retry->after_ms = lane_retry_ms(c->connection->lane);
        c->result->retry->scope = RETRY_SCOPE_CLOUD;
    }
    call_fail(c, RESULT_CODE_OVERLOADED,
              "cloud \"%s\" is asked for more than it can do in time: try again a little later",
              c->connection->name);
}

/* On a worker. The timer may just be at its end, and then finds the job in no queue. */
static void read_shed(struct job *j)
{
    struct call *c = CONTAINER_OF(j, struct call, job);
    timer_cancel(&c->timer);
    fail_overloaded(c);
}

static void queue_read(struct call *c)
{
    if (c->connection->instant && c->method->policy->kind == KIND_GET) {
        run_read(c);
        return;
    }
    struct lane *lane = c->connection->lane;
    if (!lane_reserve(lane, c->deadline_ns)) {
        fail_overloaded(c);
        return;
    }
    c->job = (struct job){.run = read_job, .shed = read_shed};
    if (!timer_arm(&c->timer, c->deadline_ns, read_expired)) {
        lane_unreserve(lane);
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    lane_submit_reserved(lane, &c->job);
}

static void run_create(struct call *c)
{
    pb_CreateVmRequest *req = (pb_CreateVmRequest *)(void *)c->req;
    const pb_Manifest *manifest = c->connection->kind->manifest;
    int count = req->spec ? req->spec->instance_count : 0;
    if (count > 1 && c->noted) {
        result_add_violation(&c->arena, c->result, "spec.instance_count",
                             "is more than one machine for one step");
        call_fail(c, RESULT_CODE_INVALID_REQUEST, "one step of an operation makes one machine");
        return;
    }
    if (count > 1) {
        family_create_several(c, count);
        return;
    }
    if (count == 1) /* what a cloud that has the attribute takes without it */
        req->spec->instance_count = 0;
    pb_ResultCode code =
        validate_create(&c->arena, req, manifest, c->connection->config, c->result);
    if (code != RESULT_CODE_OK)
        call_end(c, code);
    else if (req->dry_run || c->noted)
        queue_read(c);
    else
        operation_call(c);
}

/* A task becomes an operation where its check (which may read the store) allows it. */
static void task_job(struct job *j)
{
    struct call *c = CONTAINER_OF(j, struct call, job);
    pb_ResultCode code = c->method->policy->handler(c);
    if (code != RESULT_CODE_OK)
        call_end(c, code);
    else if (message_has(c->req, c->method->in.dry_run))
        queue_read(c);
    else
        operation_call(c);
}

static void run_task(struct call *c)
{
    operation_digest(c);
    c->job.run = task_job;
    if (!operations_run_local(&c->job))
        fail_overloaded(c);
}

/* Which cloud a call is for, where it names none. False where the call has been taken care of. */
static bool choose_cloud(struct call *c)
{
    struct snapshot *s = c->snapshot;
    if (s->n == 1) {
        c->connection = s->connections[0];
        return true;
    }
    if (c->method->policy->kind == KIND_LIST) {
        family_list(c);
        return false;
    }
    result_add_violation(&c->arena, c->result, "cloud", "is missing");
    const char *names = "";
    for (size_t i = 0; i < s->n; i++)
        names = arena_printf(&c->arena, "%s%s%s", names, i ? ", " : "", s->connections[i]->name);
    call_fail(c, RESULT_CODE_BAD_REQUEST_DATA, "cloud is missing: name one of: %s", names);
    return false;
}

pb_ResultCode fail_unknown_cloud(struct call *c, const char *name)
{
    const struct snapshot *s = c->snapshot;
    const char **names = arena_array(&c->arena, s->n + 1, sizeof(char *));
    for (size_t i = 0; names && i < s->n; i++)
        names[i] = s->connections[i]->name;
    result_add_violation(&c->arena, c->result, "cloud", "is not known here");
    return result_fail(
        &c->arena, c->result, RESULT_CODE_NOT_FOUND, "no cloud \"%s\" is configured%s", name,
        /* What is not offered to a gateway is not named to it. */
        names && !c->principal->is_gateway ? near_words(&c->arena, name, names, s->n) : "");
}

/* What a cloud answers is kept until its client has read it: where memory is short, no more of it.
 */
static void fail_short_of_memory(struct call *c)
{
    c->result->retry = arena_message(&c->arena, &pb_Retry_desc);
    if (c->result->retry) {
        c->result->retry->class_ = RETRY_CLASS_AFTER_BACKOFF;
        c->result->retry->after_ms = 1000;
    }
    call_fail(c, RESULT_CODE_OVERLOADED,
              "the calls under way need the gateway's whole memory: try again a little later");
}

void cloud_call_run(struct call *c)
{
    if (!c->family && call_memory_is_short()) {
        fail_short_of_memory(c);
        return;
    }
    const char *name = message_string(c->req, c->method->in.cloud);
    bool shut = c->principal->is_gateway && !registrar_offers(c->snapshot->config, name);
    if (name[0] || shut) {
        c->connection = shut ? NULL : snapshot_find(c->snapshot, name);
        if (!c->connection) {
            call_end(c, fail_unknown_cloud(c, name));
            return;
        }
    } else if (!choose_cloud(c)) {
        return;
    }
    const struct method_policy *policy = c->method->policy;
    const ProtobufCFieldDescriptor *dry = c->method->in.dry_run;
    if (!kind_supports(c->connection->kind, c->method))
        call_fail(c, RESULT_CODE_NOT_SUPPORTED, "adapter %s of cloud \"%s\" has no %s",
                  c->connection->kind->name, c->connection->name, policy->name);
    else if (c->method->in.id && !message_has(c->req, c->method->in.id)) {
        result_add_violation(&c->arena, c->result, "id", "is missing");
        call_fail(c, RESULT_CODE_BAD_REQUEST_DATA, "id is missing: give a name or an id");
    } else if (policy->kind == KIND_BATCH) {
        policy->handler(c);
    } else if (is_step(c) && !begin_step(c)) {
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    } else if (policy->kind == KIND_CREATE) {
        operation_digest(c);
        run_create(c);
    } else if (c->noted) {
        queue_read(c);
    } else if (policy->kind == KIND_TASK) {
        run_task(c);
    } else if (policy->mutates && !message_has(c->req, dry)) {
        operation_digest(c);
        operation_call(c);
    } else {
        queue_read(c);
    }
}
