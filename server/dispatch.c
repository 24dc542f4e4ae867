#include "dispatch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cloud_call.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "log.h"
#include "operation.h"
#include "validate.h"
#include "words.h"

/* The longest that a caller may ask to wait. */
#define TIMEOUT_MAX_MS (24u * 3600 * 1000)

/* So much earlier than the caller's patience the gateway answers at the latest, so that what it
 * says at the end of it ("it goes on, as this operation") still finds somebody. */
#define ON_TIME_NS (100 * NS_PER_MS)

#define METHOD_NEAR_MAX 80
/* Gateways that a call may pass before this one. */
#define HOPS_MAX 8
/* When a call that found no memory is to try again. */
#define EXHAUSTED_RETRY_MS 100

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
    size_t size = envelope_reply_size(c->result, c->rsp, c->noted);
    if (size > reply_max) {
        c->rsp = NULL;
        result_fail(&c->arena, c->result, RESULT_CODE_BAD_REQUEST_DATA,
                    "the answer has %zu bytes and %zu are allowed: ask for less, or in pages", size,
                    reply_max);
        size = envelope_reply_size(c->result, NULL, NULL);
    }
    uint8_t *data = arena_alloc(&c->arena, CALL_REPLY_ROOM + size);
    if (!data)
        return false;
    c->reply_data = data + CALL_REPLY_ROOM;
    c->reply_len = size;
    envelope_reply_write(c->result, c->rsp, c->noted, c->reply_data);
    return true;
}

/* The arena is full, or there is no memory left for all calls: drop everything, and say so. */
static void write_reply_for_exhausted(struct call *c)
{
    bool all = call_memory_is_short(), changes = c->method && c->method->policy->mutates;
    pb_Result result = pb_Result_INIT;
    pb_Retry retry = pb_Retry_INIT;
    arena_reset(&c->arena);
    retry.class_ = RETRY_CLASS_AFTER_BACKOFF;
    retry.after_ms = EXHAUSTED_RETRY_MS;
    result.code = all ? RESULT_CODE_OVERLOADED : RESULT_CODE_INTERNAL_ERROR;
    result.detail = (char *)(uintptr_t)(all ? "the gateway has no memory left for this call: try "
                                              "again a little later"
                                            : "the call needed more memory than one call may have");
    result.retry = all ? &retry : NULL;
    result.side_effects = changes ? SIDE_EFFECTS_POSSIBLE : SIDE_EFFECTS_NONE;
    result.blame = BLAME_GATEWAY;
    size_t size = envelope_reply_size(&result, NULL, NULL);
    uint8_t *data = arena_alloc(&c->arena, CALL_REPLY_ROOM + size);
    c->reply_data = data ? data + CALL_REPLY_ROOM : NULL;
    c->reply_len = data ? size : 0;
    if (data)
        envelope_reply_write(&result, NULL, NULL, c->reply_data);
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

/* ---- the beginning of a call ---- */

static void run_handler(struct call *c)
{
    pb_ResultCode code = c->method->policy->handler(c);
    if (code != RESULT_CODE_UNSPECIFIED)
        call_end(c, code);
}

static void handler_job(struct job *j)
{
    run_handler(CONTAINER_OF(j, struct call, job));
}

void dispatch_run(struct call *c)
{
    c->rsp = arena_message(&c->arena, c->method->output);
    if (!c->rsp) {
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    if (c->method->policy->lane == LANE_CLOUD) {
        cloud_call_run(c);
        return;
    }
    if (c->method->policy->lane == LANE_LOCAL) {
        c->job.run = handler_job;
        if (!operations_run_local(&c->job))
            call_fail(c, RESULT_CODE_OVERLOADED, "too many calls wait for the gateway's store");
        return;
    }
    run_handler(c);
}

static void fail_unknown_method(struct call *c)
{
    size_t n;
    const struct method *all = methods_all(&n);
    const char **names = arena_array(&c->arena, n + 1, sizeof(char *));
    for (size_t i = 0; names && i < n; i++)
        names[i] = all[i].full_name;
    /* What is far longer than any method is near to none, and is not worth the looking. */
    bool look = names && strlen(c->env.method) < METHOD_NEAR_MAX;
    call_fail(c, RESULT_CODE_METHOD_NOT_ALLOWED, "no method \"%s\"%s", c->env.method,
              look ? near_words(&c->arena, c->env.method, names, n) : "");
}

/* Whether it is known who calls; ends the call where not. */
static bool authenticate(struct call *c)
{
    c->principal = auth_check(c->snapshot->auth, c->peer, c->env.token);
    if (c->principal)
        return true;
    const struct method *m = method_find(c->env.method);
    bool registers = m && m->policy->role == ROLE_ADAPTER;
    call_fail(c, registers ? RESULT_CODE_FORBIDDEN : RESULT_CODE_UNAUTHORIZED, "%s",
              c->env.token[0] ? "the gateway knows no such token"
                              : "the gateway wants a token, or a certificate of a known user");
    return false;
}

/* Whether this caller may make this call; ends it where not. */
static bool authorise(struct call *c)
{
    bool of_cloud = c->method->policy->lane == LANE_CLOUD ||
                    (c->method->policy->lane == LANE_INLINE && c->method->in.cloud);
    if (c->principal->is_gateway && !of_cloud) {
        call_fail(c, RESULT_CODE_FORBIDDEN,
                  "a gateway may use the clouds that it was offered; %s "
                  "is not for it",
                  c->method->full_name);
        return false;
    }
    if (c->principal->role >= c->method->policy->role)
        return true;
    call_fail(c, RESULT_CODE_FORBIDDEN, "%s has the role %s at this gateway; %s needs %s",
              c->principal->name, role_name(c->principal->role), c->method->full_name,
              role_name(c->method->policy->role));
    return false;
}

/* Where clouds are each other's, a call would be handed round for ever. */
static bool goes_in_circles(struct call *c)
{
    if (c->env.step->hops <= HOPS_MAX)
        return false;
    call_fail(
        c, RESULT_CODE_FAILED_PRECONDITION,
        "the call has passed %u gateways and goes in circles: one of their clouds is served by "
        "itself; correct their configurations",
        c->env.step->hops);
    return true;
}

static void set_deadline(struct call *c)
{
    uint32_t ms = c->env.timeout_ms;
    if (ms == 0)
        ms = (uint32_t)c->snapshot->config->default_timeout_ms;
    if (ms > TIMEOUT_MAX_MS)
        ms = TIMEOUT_MAX_MS;
    int64_t wait = (int64_t)ms * NS_PER_MS;
    c->deadline_ns = c->received_ns + wait - (wait / 10 < ON_TIME_NS ? wait / 10 : ON_TIME_NS);
}

void dispatch_receive(void *ctx, struct call *c)
{
    (void)ctx;
    atomic_fetch_add(&in_flight, 1);
    c->done = send_reply;
    c->result = result_new(&c->arena);
    c->snapshot = snapshot_get();
    if (!c->result) {
        isobar__v1__result__init(&c->spare);
        c->result = &c->spare;
        c->env = envelope_none;
        call_fail(c, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    if (!envelope_decode(&c->arena, c->message, c->message_len, &c->env)) {
        c->env = envelope_none;
        call_fail(c, RESULT_CODE_INVALID_REQUEST, "the message is no isobar.v1.Call");
        return;
    }
    if (!c->snapshot) {
        call_fail(c, RESULT_CODE_UNAVAILABLE, "the gateway is ending");
        return;
    }
    if (!authenticate(c))
        return;
    c->method = method_find(c->env.method);
    if (!c->method) {
        fail_unknown_method(c);
        return;
    }
    set_deadline(c);
    if (!authorise(c) || goes_in_circles(c))
        return;
    c->req = protobuf_c_message_unpack(c->method->input, arena_allocator(&c->arena),
                                       c->env.body_len, c->env.body);
    if (!c->req) {
        call_fail(c, RESULT_CODE_INVALID_REQUEST, "the body is no %s", c->method->input->name);
        return;
    }
    /* What changes something is not done in part. */
    bool strict = c->method->policy->mutates || c->method->policy->role == ROLE_ADAPTER;
    pb_ResultCode code = validate_message(&c->arena, c->req, strict, c->result);
    if (code != RESULT_CODE_OK)
        call_end(c, code);
    else
        dispatch_run(c);
}
