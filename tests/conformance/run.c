/* What scenarios are written with. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conformance.h"
#include "isobar/message.h"
#include "isobar/result.h"

#define LOOK_MS  500
#define LOOKS    60  /* half a minute */
#define STAYS_MS 500 /* at least so long after the last change, nothing else turns up */

void run_sleep(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

void run_fail(struct run *t, const char *fmt, ...)
{
    va_list args;

    if (t->failed)
        return;
    va_start(args, fmt);
    if (vasprintf(&t->failed, fmt, args) < 0)
        abort();
    va_end(args);
}

bool run_code(struct run *t, const struct answer *r, pb_ResultCode wanted)
{
    if (r->code != wanted)
        run_fail(t, "%s, not %s: %s", result_name(r->code), result_name(wanted), r->result->detail);
    return r->code == wanted;
}

/* ---- making requests ---- */

void *run_message(struct run *t, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = arena_message(&t->arena, type);
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(type, "cloud");

    if (!m)
        abort();
    if (f && f->type == PROTOBUF_C_TYPE_STRING)
        message_set_string(m, f, run_text(t, CLOUD));
    return m;
}

char *run_text(struct run *t, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *text = arena_vprintf(&t->arena, fmt, args);
    va_end(args);
    return text;
}

const char *run_id(struct run *t)
{
    char id[UUID_TEXT_LEN + 1];

    uuid7(id);
    return run_text(t, "%s", id);
}

pb_CreateVmRequest *run_create_request(struct run *t, const char *request_id)
{
    pb_CreateVmRequest *req = NEW(t, CreateVmRequest);

    req->spec = NEW(t, VmSpec);
    req->spec->name = run_text(t, "conf-%d-%s", (int)getpid(), request_id + UUID_TEXT_LEN - 12);
    t->harness->spec(&t->arena, req->spec);
    return req;
}

/* ---- calls ---- */

bool run_arm(struct run *t)
{
    if (!t->harness->arm || t->harness->arm(t->scenario->fault))
        return true;
    run_fail(t, "%s could not be armed", fault_names[t->scenario->fault]);
    return false;
}

void run_disarm(struct run *t)
{
    if (t->harness->disarm)
        t->harness->disarm();
}

void run_await_fault(const struct run *t)
{
    for (int i = 0; t->harness->hit && i < LOOKS && !t->harness->hit(); i++)
        run_sleep(LOOK_MS);
}

static void note_token(struct run *t, const char *token)
{
    for (size_t i = 0; i < t->n_tokens; i++)
        if (strcmp(t->tokens[i], token) == 0)
            return;
    if (t->n_tokens == TOKENS_MAX || !uuid_is(token)) {
        run_fail(t, "the operation's token is \"%s\", or there are too many", token);
        return;
    }
    snprintf(t->tokens[t->n_tokens++], sizeof(t->tokens[0]), "%s", token);
}

bool run_create(struct run *t, const char *request_id, struct answer *ret)
{
    pb_CreateVmRequest *req = run_create_request(t, request_id);

    if (!CALL(t, VmService, CreateVm, req, ret, .request_id = request_id))
        return false;
    note_token(t, ret->token);
    return !t->failed;
}

const pb_Vm *run_created(struct run *t, const char *request_id, struct answer *ret)
{
    if (!run_create(t, request_id, ret) || !run_code(t, ret, RESULT_CODE_CREATED))
        return NULL;
    const pb_Vm *vm = ((const pb_CreateVmResponse *)ret->message)->vm;
    if (!vm || !vm->id[0])
        run_fail(t, "Created, and no machine");
    return t->failed ? NULL : vm;
}

bool run_get(struct run *t, const char *id, struct answer *ret)
{
    pb_GetVmRequest *req = NEW(t, GetVmRequest);

    req->id = run_text(t, "%s", id);
    return CALL(t, VmService, GetVm, req, ret);
}

bool run_delete(struct run *t, const char *id, const char *request_id, struct answer *ret)
{
    pb_DeleteVmRequest *req = NEW(t, DeleteVmRequest);

    req->id = run_text(t, "%s", id);
    return CALL(t, VmService, DeleteVm, req, ret, .request_id = request_id);
}

bool run_wait(struct run *t, const char *id, pb_VmState state)
{
    struct answer r;

    for (int i = 0; i < LOOKS; i++) {
        if (!run_get(t, id, &r))
            return false;
        const pb_Vm *vm = ((const pb_GetVmResponse *)r.message)->vm;
        if (r.code == RESULT_CODE_NOT_FOUND && state == VM_STATE_DELETED)
            return true;
        if (!run_code(t, &r, RESULT_CODE_OK))
            return false;
        if (vm->state == state)
            return true;
        run_sleep(LOOK_MS);
    }
    run_fail(t, "machine %s does not come into state %d", id, (int)state);
    return false;
}

bool run_flavors(struct run *t, int timeout_ms, struct answer *ret)
{
    pb_ListFlavorsRequest *req = NEW(t, ListFlavorsRequest);

    return CALL(t, FlavorService, ListFlavors, req, ret, .timeout_ms = timeout_ms);
}

bool run_found(struct run *t, const char *token, struct answer *ret)
{
    pb_ListOperationVmsRequest *req = NEW(t, ListOperationVmsRequest);

    req->operation_id = run_text(t, "%s", token);
    return CALL(t, OperationService, ListOperationVms, req, ret);
}

/* ---- what there is ---- */

bool run_exactly(struct run *t, const char *token, int n, const char *id)
{
    char found[ID_ROOM] = "";
    int stays = t->harness->settle_ms > STAYS_MS ? t->harness->settle_ms : STAYS_MS;
    int count = -1, things = 0;

    for (int i = 0; i < LOOKS && count != n; i++) {
        if (i > 0)
            run_sleep(LOOK_MS);
        count = t->harness->machines(t, token, found);
    }
    run_sleep(stays);
    if (count == n)
        count = t->harness->machines(t, token, found);
    if (count != n)
        run_fail(t, "there are %d machines of %s in the cloud, not %d", count, token, n);
    else if (id && strcmp(found, id) != 0)
        run_fail(t, "the cloud has machine %s, and %s was told", found, id);
    for (int i = 0; n == 0 && i < LOOKS && (things = t->harness->things(t, token)) != 0; i++)
        run_sleep(LOOK_MS);
    if (things != 0)
        run_fail(t, "there is no machine of %s, and %d other things are left behind", token,
                 things);
    return !t->failed;
}
