#include "dispatch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "family.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "list.h"
#include "log.h"
#include "message.h"
#include "operation.h"
#include "services.h"
#include "validate.h"
#include "words.h"

/* The longest that a caller may ask to wait. */
#define TIMEOUT_MAX_MS (24u * 3600 * 1000)

static atomic_uint in_flight;
static atomic_bool draining;

unsigned dispatch_in_flight(void)
{
    return atomic_load(&in_flight);
}

void dispatch_drain(void)
{
    atomic_store(&draining, true);
}

bool dispatch_is_draining(void)
{
    return atomic_load_explicit(&draining, memory_order_relaxed);
}

/* ---- the end of a call ---- */

/* Serialise the reply behind the listener's room; false where there is no memory. */
static bool write_reply(struct call *c, size_t reply_max)
{
    size_t size = envelope_reply_size(c->result, c->rsp);
    if (size > reply_max) {
        c->rsp = NULL;
        result_fail(&c->arena, c->result, RESULT_CODE_BAD_REQUEST_DATA,
                    "the answer has %zu bytes and %zu are allowed: ask for less, or in pages", size,
                    reply_max);
        size = envelope_reply_size(c->result, NULL);
    }
    uint8_t *data = arena_alloc(&c->arena, CALL_REPLY_ROOM + size);
    if (!data)
        return false;
    c->reply_data = data + CALL_REPLY_ROOM;
    c->reply_len = size;
    envelope_reply_write(c->result, c->rsp, c->reply_data);
    return true;
}

/* The arena is full: drop everything, and say so. */
static void write_reply_for_exhausted(struct call *c)
{
    arena_reset(&c->arena);
    pb_Result result;
    isobar__v1__result__init(&result);
    result.code = RESULT_CODE_INTERNAL_ERROR;
    result.detail = (char *)(uintptr_t) "the call needed more memory than one call may have";
    result.blame = BLAME_GATEWAY;
    size_t size = envelope_reply_size(&result, NULL);
    uint8_t *data = arena_alloc(&c->arena, CALL_REPLY_ROOM + size);
    c->reply_data = data ? data + CALL_REPLY_ROOM : NULL;
    c->reply_len = data ? size : 0;
    if (data)
        envelope_reply_write(&result, NULL, c->reply_data);
}

static void count(const struct call *c)
{
    if (!c->connection)
        return;
    atomic_fetch_add_explicit(&c->connection->calls, 1, memory_order_relaxed);
    if (c->result->blame == BLAME_CLOUD && !result_is_success(c->result->code))
        atomic_fetch_add_explicit(&c->connection->failures, 1, memory_order_relaxed);
}

static void send_reply(struct call *c)
{
    size_t reply_max = c->snapshot ? c->snapshot->config->limits.reply_max : 65536;
    bool ok = !c->arena.exhausted && write_reply(c, reply_max);
    log_call(c);
    count(c);
    if (!ok)
        write_reply_for_exhausted(c);
    if (c->snapshot)
        snapshot_put(c->snapshot);
    atomic_fetch_sub(&in_flight, 1);
    c->reply(c);
}

void call_end(struct call *c, pb_ResultCode code)
{
    c->result->code = code;
    c->done(c);
}

void call_fail(struct call *c, pb_ResultCode code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    result_vfail(&c->arena, c->result, code, fmt, args);
    va_end(args);
    call_end(c, code);
}

/* ---- calls that go to a cloud ---- */

void call_op(struct call *c, struct op *ret)
{
    *ret = (struct op){
        .arena = &c->arena,
        .deadline_ns = c->deadline_ns,
        .token = "",
        .request_id = c->env.request_id,
        .traceparent = c->env.traceparent,
        .cancelled = &c->cancelled,
        .result = c->result,
        .owner = c,
    };
}

/* A dry run of an action on a machine looks at the machine. */
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

static pb_ResultCode call_slot(struct call *c)
{
    struct op op;
    call_op(c, &op);
    if (c->method->policy->kind == KIND_ACTION)
        return look_instead(c, &op);
    return c->method->policy->slot(c->connection->ops, c->connection->adapter, &op, c->req, c->rsp);
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
    else if (atomic_load_explicit(&c->cancelled, memory_order_relaxed))
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

void call_fail_overloaded(struct call *c)
{
    c->result->retry = arena_message(&c->arena, &pb_Retry_desc);
    if (c->result->retry) {
        c->result->retry->class_ = RETRY_CLASS_AFTER_BACKOFF;
        c->result->retry->after_ms = 100;
        c->result->retry->scope = RETRY_SCOPE_CLOUD;
    }
    call_fail(c, RESULT_CODE_OVERLOADED,
              "cloud \"%s\" has %u calls waiting already: try again a little later",
              c->connection->name, c->connection->config->max_queued);
}

static void queue_read(struct call *c)
{
    if (c->connection->instant && c->method->policy->kind == KIND_GET) {
        run_read(c);
        return;
    }
    c->job.run = read_job;
    if (!timer_arm(&c->timer, c->deadline_ns, read_expired)) {
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    if (!lane_submit(c->connection->lane, &c->job)) {
        timer_cancel(&c->timer);
        call_fail_overloaded(c);
    }
}

static void run_create(struct call *c)
{
    pb_CreateVmRequest *req = (pb_CreateVmRequest *)(void *)c->req;
    const pb_Manifest *manifest = c->connection->ops->manifest();
    int count = req->spec ? req->spec->instance_count : 0;
    bool loops = manifest_presence(manifest, "instance_count") == PRESENCE_NOT_PRESENT;
    if (loops && count > 1) {
        family_create_several(c, count);
        return;
    }
    if (loops && count == 1)
        req->spec->instance_count = 0;
    pb_ResultCode code =
        validate_create(&c->arena, req, manifest, c->connection->config, c->result);
    if (code != RESULT_CODE_OK)
        call_end(c, code);
    else if (req->dry_run)
        queue_read(c);
    else
        operation_call(c);
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
    return result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                       "no cloud \"%s\" is configured%s", name,
                       names ? near_words(&c->arena, name, names, s->n) : "");
}

static void run_cloud(struct call *c)
{
    const char *name = message_string(c->req, c->method->in.cloud);
    if (name[0]) {
        c->connection = snapshot_find(c->snapshot, name);
        if (!c->connection) {
            call_end(c, fail_unknown_cloud(c, name));
            return;
        }
    } else if (!choose_cloud(c)) {
        return;
    }
    const struct method_policy *policy = c->method->policy;
    const ProtobufCFieldDescriptor *dry = c->method->in.dry_run;
    if (!method_supported(c->method, c->connection->ops))
        call_fail(c, RESULT_CODE_NOT_SUPPORTED, "adapter %s of cloud \"%s\" has no %s",
                  c->connection->ops->name, c->connection->name, policy->name);
    else if (c->method->in.id && !message_has(c->req, c->method->in.id)) {
        result_add_violation(&c->arena, c->result, "id", "is missing");
        call_fail(c, RESULT_CODE_BAD_REQUEST_DATA, "id is missing: give a name or an id");
    } else if (policy->kind == KIND_BATCH) {
        policy->handler(c);
    } else if (policy->kind == KIND_CREATE) {
        operation_digest(c);
        run_create(c);
    } else if (policy->mutates && !message_has(c->req, dry)) {
        operation_digest(c);
        operation_call(c);
    } else {
        queue_read(c);
    }
}

/* ---- the beginning of a call ---- */

void dispatch_run(struct call *c)
{
    c->rsp = arena_message(&c->arena, c->method->output);
    if (!c->rsp) {
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    if (c->method->policy->lane == LANE_CLOUD) {
        run_cloud(c);
        return;
    }
    pb_ResultCode code = c->method->policy->handler(c);
    if (code != RESULT_CODE_UNSPECIFIED)
        call_end(c, code);
}

static void fail_unknown_method(struct call *c)
{
    size_t n;
    const struct method *all = methods_all(&n);
    const char **names = arena_array(&c->arena, n + 1, sizeof(char *));
    for (size_t i = 0; names && i < n; i++)
        names[i] = all[i].full_name;
    call_fail(c, RESULT_CODE_METHOD_NOT_ALLOWED, "no method \"%s\"%s", c->env.method,
              names ? near_words(&c->arena, c->env.method, names, n) : "");
}

/* Whether this caller may make this call; ends it where not. */
static bool authorise(struct call *c)
{
    c->principal = auth_check(c->snapshot->auth, c->peer, c->env.token);
    if (!c->principal)
        call_fail(c, RESULT_CODE_UNAUTHORIZED, "%s",
                  c->env.token[0] ? "the gateway knows no such token"
                                  : "the gateway wants a token, or a certificate of a known user");
    else if (c->principal->role < c->method->policy->role)
        call_fail(c, RESULT_CODE_FORBIDDEN, "%s is a %s of this gateway; %s is for a %s",
                  c->principal->name, role_name(c->principal->role), c->method->full_name,
                  role_name(c->method->policy->role));
    else
        return true;
    return false;
}

static void set_deadline(struct call *c)
{
    uint32_t ms = c->env.timeout_ms;
    if (ms == 0)
        ms = (uint32_t)c->snapshot->config->default_timeout_ms;
    if (ms > TIMEOUT_MAX_MS)
        ms = TIMEOUT_MAX_MS;
    c->deadline_ns = c->received_ns + (int64_t)ms * NS_PER_MS;
}

void dispatch_receive(void *ctx, struct call *c)
{
    (void)ctx;
    atomic_fetch_add(&in_flight, 1);
    c->done = send_reply;
    c->result = result_new(&c->arena);
    c->snapshot = snapshot_get();
    if (!envelope_decode(&c->arena, c->message, c->message_len, &c->env)) {
        c->env = (struct envelope){"", "", "", "", 0, NULL, 0};
        call_fail(c, RESULT_CODE_INVALID_REQUEST, "the message is no isobar.v1.Call");
        return;
    }
    if (!c->snapshot) {
        call_fail(c, RESULT_CODE_UNAVAILABLE, "the gateway is ending");
        return;
    }
    c->method = method_find(c->env.method);
    if (!c->method) {
        fail_unknown_method(c);
        return;
    }
    set_deadline(c);
    if (!authorise(c))
        return;
    c->req = protobuf_c_message_unpack(c->method->input, arena_allocator(&c->arena),
                                       c->env.body_len, c->env.body);
    if (!c->req) {
        call_fail(c, RESULT_CODE_INVALID_REQUEST, "the body is no %s", c->method->input->name);
        return;
    }
    pb_ResultCode code = validate_message(&c->arena, c->req, c->method->policy->mutates, c->result);
    if (code != RESULT_CODE_OK)
        call_end(c, code);
    else
        dispatch_run(c);
}
