#include "family.h"

#include <stdio.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/result.h"
#include "list.h"

/* The parts end a little before the whole, so that what they brought is still in time. */
#define SLACK_NS (200 * NS_PER_MS)

/* Lives in the arena of the whole, as do the requests of the parts; each part's answer lives in its
 * own arena until the whole has been answered. */
struct family {
    struct call *whole;
    void (*compose)(struct family *f);
    atomic_uint pending;
    unsigned n, wanted; /* parts */
    struct call **parts;
};

static void leave(struct family *f)
{
    if (atomic_fetch_sub(&f->pending, 1) != 1)
        return;
    /* The parts' answers are copied into the reply before the reply is sent, so they can go as soon
     * as the whole has ended; the family itself is gone by then. */
    unsigned n = f->n;
    struct call *kept[FAMILY_MAX];
    memcpy(kept, f->parts, n * sizeof(struct call *));
    f->compose(f);
    for (unsigned i = 0; i < n; i++)
        call_free(kept[i]);
}

static void part_done(struct call *part)
{
    leave(part->family);
}

static void no_reply(struct call *part)
{
    (void)part;
}

/* A family with room for n parts; NULL, and the call ended, where there is no memory. Its own count
 * is one until family_go(), so that it cannot end before it is complete. */
static struct family *family_new(struct call *whole, size_t n, void (*compose)(struct family *f))
{
    struct family *f = ARENA_NEW(&whole->arena, struct family);
    struct call **parts = arena_array(&whole->arena, n + 1, sizeof(struct call *));
    if (!f || !parts) {
        call_fail(whole, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return NULL;
    }
    *f = (struct family){.whole = whole, .compose = compose, .parts = parts, .wanted = (unsigned)n};
    atomic_init(&f->pending, 1);
    return f;
}

/* Add a part; it is run by family_go(). `req` lives in the whole's arena. */
static struct call *family_add(struct family *f, const char *method, ProtobufCMessage *req)
{
    struct call *whole = f->whole;
    struct call *part = call_new();
    if (!part)
        return NULL;
    int64_t left = whole->deadline_ns - clock_mono_ns();
    part->family = f;
    part->done = part_done;
    part->reply = no_reply;
    part->received_ns = whole->received_ns;
    part->peer = whole->peer;
    part->env = whole->env;
    part->env.request_id = "";
    part->snapshot = whole->snapshot;
    part->principal = whole->principal;
    part->deadline_ns = whole->deadline_ns - (left / 10 < SLACK_NS ? left / 10 : SLACK_NS);
    part->method = method_find(method);
    part->req = req;
    part->result = result_new(&part->arena);
    if (!part->result) {
        call_free(part);
        return NULL;
    }
    f->parts[f->n++] = part;
    return part;
}

/* Run all parts, or none: half of them would pass for the whole, and a part without its request id
 * would be done twice. */
static void family_go(struct family *f)
{
    if (f->whole->arena.exhausted || f->n < f->wanted) {
        while (f->n > 0)
            call_free(f->parts[--f->n]);
        call_fail(f->whole, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    unsigned n = f->n;
    atomic_fetch_add(&f->pending, n);
    for (unsigned i = 0; i < n; i++)
        dispatch_run(f->parts[i]);
    leave(f);
}

/* A part's own request id, so that the repetition of the whole repeats each part. */
static void number_request(struct call *whole, struct call *part, unsigned i)
{
    if (whole->env.request_id[0])
        part->env.request_id = arena_printf(&whole->arena, "%s#%u", whole->env.request_id, i + 1);
}

/* ---- lists of all clouds ---- */

static void compose_list(struct family *f)
{
    struct call *whole = f->whole;
    ProtobufCMessage *answers[FAMILY_MAX];
    unsigned n_failed = 0;
    pb_CloudResult **failed = arena_array(&whole->arena, f->n + 1, sizeof(*failed));
    for (unsigned i = 0; i < f->n; i++) {
        struct call *part = f->parts[i];
        bool ok = result_is_success(part->result->code);
        answers[i] = ok ? part->rsp : NULL;
        if (ok || !failed)
            continue;
        pb_CloudResult *r = arena_message(&whole->arena, &pb_CloudResult_desc);
        if (!r)
            continue;
        r->cloud = (char *)(uintptr_t)message_string(part->req, part->method->in.cloud);
        r->result = part->result;
        failed[n_failed++] = r;
    }
    if (!list_merge(&whole->arena, whole->method, whole->rsp, answers, f->n)) {
        call_fail(whole, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    pb_ResultCode code = list_page(&whole->arena, whole->method, whole->req, whole->rsp,
                                   whole->snapshot->config->limits.reply_max, whole->result);
    if (code == RESULT_CODE_OK && n_failed > 0) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(
            whole->rsp->descriptor, "cloud_results");
        message_set_list(whole->rsp, field, (ProtobufCMessage **)(void *)failed, n_failed);
        code = result_fail(&whole->arena, whole->result, RESULT_CODE_PARTIAL,
                           "%u of %u clouds failed", n_failed, f->n);
    }
    call_end(whole, code);
}

void family_list(struct call *c)
{
    struct snapshot *s = c->snapshot;
    size_t n = s->n < FAMILY_MAX ? s->n : FAMILY_MAX;
    struct family *f = family_new(c, n, compose_list);
    for (size_t i = 0; f && i < n; i++) {
        /* A shallow copy: the parts only read what the request points to. */
        size_t size = c->method->input->sizeof_message;
        ProtobufCMessage *req = arena_memdup(&c->arena, c->req, size);
        if (!req)
            break;
        message_set_string(req, c->method->in.cloud, (char *)(uintptr_t)s->connections[i]->name);
        (void)family_add(f, c->method->full_name, req);
    }
    if (f)
        family_go(f);
}

/* ---- many machines ---- */

/* A result for each part, in order; how many succeeded. */
static unsigned collect(struct family *f, pb_VmResult **results)
{
    unsigned n_ok = 0;
    for (unsigned i = 0; i < f->n; i++) {
        struct call *part = f->parts[i];
        pb_VmResult *r = results[i];
        r->result = part->result;
        if (!result_is_success(part->result->code))
            continue;
        n_ok++;
        if (part->rsp)
            r->vm = (pb_Vm *)(void *)message_sub(part->rsp, part->method->out_first);
    }
    return n_ok;
}

static pb_VmResult **new_results(struct call *c, size_t n)
{
    pb_VmResult **all = arena_array(&c->arena, n + 1, sizeof(*all));
    for (size_t i = 0; all && i < n; i++) {
        all[i] = arena_message(&c->arena, &pb_VmResult_desc);
        if (!all[i])
            return NULL;
    }
    return all;
}

/* The whole succeeds as its parts do, is Partial where some failed, and fails as the first where
 * all did; the parts' own results are there in any case. */
static void end_many(struct family *f, unsigned n_ok)
{
    struct call *whole = f->whole;
    const pb_Result *first = f->parts[0]->result;
    for (unsigned i = 0; i < f->n && result_is_success(first->code); i++)
        first = f->parts[i]->result;
    if (n_ok == f->n) {
        call_end(whole, first->code);
        return;
    }
    if (n_ok == 0)
        whole->result->blame = first->blame;
    pb_ResultCode code = n_ok > 0 ? RESULT_CODE_PARTIAL : first->code;
    call_end(whole,
             result_fail(&whole->arena, whole->result, code, "%u of %u failed; the first: %s",
                         f->n - n_ok, f->n, first->detail));
}

static void compose_control(struct family *f)
{
    pb_BatchControlVmsResponse *rsp = (pb_BatchControlVmsResponse *)(void *)f->whole->rsp;
    unsigned n_ok = collect(f, rsp->results);
    end_many(f, n_ok);
}

/* The method of an action, in the order of the enum. */
static const char *const action_methods[] = {
    [VM_ACTION_START] = "isobar.v1.VmService/StartVm",
    [VM_ACTION_STOP] = "isobar.v1.VmService/StopVm",
    [VM_ACTION_REBOOT] = "isobar.v1.VmService/RebootVm",
    [VM_ACTION_SUSPEND] = "isobar.v1.VmService/SuspendVm",
    [VM_ACTION_RESUME] = "isobar.v1.VmService/ResumeVm",
    [VM_ACTION_DELETE] = "isobar.v1.VmService/DeleteVm",
};

/* False, and the call ended, where the ids are none or too many. */
static bool check_ids(struct call *c, size_t n)
{
    if (n > 0 && n <= FAMILY_MAX)
        return true;
    result_add_violation(&c->arena, c->result, "ids", n ? "are too many" : "is missing");
    call_fail(c, RESULT_CODE_BAD_REQUEST_DATA, "give 1 to %d names or ids", FAMILY_MAX);
    return false;
}

pb_ResultCode batch_control(struct call *c)
{
    pb_BatchControlVmsRequest *req = (pb_BatchControlVmsRequest *)(void *)c->req;
    pb_BatchControlVmsResponse *rsp = (pb_BatchControlVmsResponse *)(void *)c->rsp;
    if (!check_ids(c, req->n_ids))
        return RESULT_CODE_UNSPECIFIED;
    if (req->action == VM_ACTION_UNSPECIFIED) {
        result_add_violation(&c->arena, c->result, "action", "is missing");
        call_fail(c, RESULT_CODE_BAD_REQUEST_DATA, "action is missing: say what to do");
        return RESULT_CODE_UNSPECIFIED;
    }
    const char *name = action_methods[req->action];
    const struct method *method = method_find(name);
    struct family *f = family_new(c, req->n_ids, compose_control);
    if (!f)
        return RESULT_CODE_UNSPECIFIED;
    rsp->results = new_results(c, req->n_ids);
    for (size_t i = 0; rsp->results && i < req->n_ids; i++) {
        ProtobufCMessage *one = arena_message(&c->arena, method->input);
        struct call *part = one ? family_add(f, name, one) : NULL;
        if (!part)
            break;
        message_set_string(one, method->in.cloud, (char *)(uintptr_t)c->connection->name);
        message_set_string(one, method->in.id, req->ids[i]);
        *(int *)(void *)((char *)one + method->in.wait->offset) = (int)req->wait;
        number_request(c, part, (unsigned)i);
        rsp->results[i]->id = req->ids[i];
        rsp->n_results++;
    }
    family_go(f);
    return RESULT_CODE_UNSPECIFIED;
}

/* What of a list answers to a name or an id; the list is of one cloud. */
static void find_status(struct call *c, pb_VmResult *r, pb_Vm *const *vms, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        bool by_id = strcmp(vms[i]->id, r->id) == 0;
        if (!by_id && strcmp(vms[i]->name, r->id) != 0)
            continue;
        r->vm = vms[i];
        found++;
        if (by_id) {
            found = 1;
            break;
        }
    }
    r->result = result_new(&c->arena);
    if (!r->result)
        return; /* the arena is exhausted, and the call ends with that */
    if (found == 1) {
        r->result->code = RESULT_CODE_OK;
    } else if (found == 0) {
        result_fail(&c->arena, r->result, RESULT_CODE_NOT_FOUND, "no vm \"%s\" in cloud \"%s\"",
                    r->id, c->connection->name);
    } else {
        r->vm = NULL;
        result_fail(&c->arena, r->result, RESULT_CODE_BAD_REQUEST_DATA,
                    "%zu vms are named \"%s\": give an id", found, r->id);
    }
}

static void compose_status(struct family *f)
{
    struct call *whole = f->whole, *part = f->parts[0];
    pb_BatchGetVmStatusRequest *req = (pb_BatchGetVmStatusRequest *)(void *)whole->req;
    pb_BatchGetVmStatusResponse *rsp = (pb_BatchGetVmStatusResponse *)(void *)whole->rsp;
    if (!result_is_success(part->result->code)) {
        whole->result = part->result;
        call_end(whole, part->result->code);
        return;
    }
    const pb_ListVmsResponse *list = (const pb_ListVmsResponse *)(const void *)part->rsp;
    unsigned n_ok = 0;
    rsp->results = new_results(whole, req->n_ids);
    rsp->n_results = rsp->results ? req->n_ids : 0;
    for (size_t i = 0; i < rsp->n_results; i++) {
        rsp->results[i]->id = req->ids[i];
        find_status(whole, rsp->results[i], list->vms, list->n_vms);
        n_ok += rsp->results[i]->result && rsp->results[i]->result->code == RESULT_CODE_OK;
    }
    if (n_ok == req->n_ids)
        call_end(whole, RESULT_CODE_OK);
    else
        call_end(whole, result_fail(&whole->arena, whole->result, RESULT_CODE_PARTIAL,
                                    "%zu of %zu were not found", req->n_ids - n_ok, req->n_ids));
}

/* One list costs a cloud less than many looks. */
pb_ResultCode batch_status(struct call *c)
{
    pb_BatchGetVmStatusRequest *req = (pb_BatchGetVmStatusRequest *)(void *)c->req;
    if (!check_ids(c, req->n_ids))
        return RESULT_CODE_UNSPECIFIED;
    struct family *f = family_new(c, 1, compose_status);
    pb_ListVmsRequest *list = f ? arena_message(&c->arena, &pb_ListVmsRequest_desc) : NULL;
    if (list) {
        list->cloud = (char *)(uintptr_t)c->connection->name;
        (void)family_add(f, "isobar.v1.VmService/ListVms", &list->base);
    }
    if (f)
        family_go(f);
    return RESULT_CODE_UNSPECIFIED;
}

/* ---- several machines of one specification ---- */

static void compose_several(struct family *f)
{
    pb_CreateVmResponse *rsp = (pb_CreateVmResponse *)(void *)f->whole->rsp;
    unsigned n_ok = collect(f, rsp->results);
    for (size_t i = 0; i < rsp->n_results && !rsp->vm; i++)
        rsp->vm = rsp->results[i]->vm;
    end_many(f, n_ok);
}

void family_create_several(struct call *c, int count)
{
    pb_CreateVmRequest *req = (pb_CreateVmRequest *)(void *)c->req;
    pb_CreateVmResponse *rsp = (pb_CreateVmResponse *)(void *)c->rsp;
    if (count > FAMILY_MAX) {
        result_add_violation(&c->arena, c->result, "spec.instance_count", "is too large");
        call_fail(c, RESULT_CODE_BAD_REQUEST_DATA, "spec.instance_count is at most %d", FAMILY_MAX);
        return;
    }
    struct family *f = family_new(c, (size_t)count, compose_several);
    if (!f)
        return;
    rsp->results = new_results(c, (size_t)count);
    for (unsigned i = 0; rsp->results && i < (unsigned)count; i++) {
        pb_CreateVmRequest *one = (pb_CreateVmRequest *)(void *)message_copy(&c->arena, c->req);
        struct call *part = one ? family_add(f, c->method->full_name, &one->base) : NULL;
        if (!part)
            break;
        one->spec->instance_count = 0;
        if (req->spec->name[0])
            one->spec->name = arena_printf(&c->arena, "%s-%u", req->spec->name, i + 1);
        number_request(c, part, i);
        rsp->results[i]->id = one->spec->name;
        rsp->n_results++;
    }
    family_go(f);
}
