/* What an operation of ours has made: the other gateway's journal knows it by the request id. */
#include <string.h>

#include "isobar/message.h"
#include "isobar/result.h"
#include "remote.h"

#define CREATE "isobar.v1.VmService/CreateVm"

static pb_ResultCode still_going_on(struct adapter *a, struct op *op, const pb_Operation *o)
{
    op->result->blame = BLAME_CLOUD;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
    return op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                   "operation %s of gateway %s is still going on there, and its machine is not "
                   "known; look again later",
                   o->id, sp_client_url(a->client));
}

/* The machine of one operation there, where it has one; `ret_vm` is NULL where not. */
static pb_ResultCode machine_of(struct adapter *a, struct op *op, const pb_Operation *o,
                                pb_Vm **ret_vm)
{
    bool ended = o->state == OPERATION_STATE_DONE;
    pb_GetVmRequest req = pb_GetVmRequest_INIT;
    pb_GetVmResponse rsp = pb_GetVmResponse_INIT;

    *ret_vm = NULL;
    if (!o->native_id[0])
        return ended ? RESULT_CODE_OK : still_going_on(a, op, o);
    req.cloud = a->cloud;
    req.id = o->native_id;
    pb_ResultCode code = remote_ask(
        a, op, &(struct remote_question){.method = "isobar.v1.VmService/GetVm", .req = &req.base},
        &rsp.base);
    /* What it is making may not be there to be seen yet. */
    if (code == RESULT_CODE_NOT_FOUND)
        return ended ? RESULT_CODE_OK : still_going_on(a, op, o);
    if (code == RESULT_CODE_OK && rsp.vm && rsp.vm->state != VM_STATE_DELETED)
        *ret_vm = rsp.vm;
    return code;
}

static bool has_vm(const pb_ListOperationVmsResponse *ret, const char *id)
{
    for (size_t i = 0; i < ret->n_vms; i++)
        if (strcmp(ret->vms[i]->id, id) == 0)
            return true;
    return false;
}

/* The machines of all those that are creates under the token; what was asked for is checked again,
 * since a filter that is not known there would be skipped. */
static pb_ResultCode gather(struct adapter *a, struct op *op, const char *token,
                            const pb_ListOperationsResponse *found,
                            pb_ListOperationVmsResponse *into)
{
    into->vms = arena_array(op->arena, found->n_operations + 1, sizeof(*into->vms));
    if (!into->vms)
        return RESULT_CODE_INTERNAL_ERROR;
    for (size_t i = 0; i < found->n_operations; i++) {
        const pb_Operation *o = found->operations[i];
        pb_Vm *vm;

        if (strcmp(o->request_id, token) != 0 || strcmp(o->cloud, a->cloud) != 0 ||
            strcmp(o->method, CREATE) != 0)
            continue;
        pb_ResultCode code = machine_of(a, op, o, &vm);
        if (code != RESULT_CODE_OK)
            return code;
        if (vm && !has_vm(into, vm->id))
            into->vms[into->n_vms++] = vm;
    }
    return RESULT_CODE_OK;
}

pb_ResultCode remote_list_operation_vms(struct adapter *a, struct op *op, const char *method,
                                        const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    char *token = ((const pb_ListOperationVmsRequest *)(const void *)req)->operation_id;
    pb_ListOperationVmsResponse *rsp = (pb_ListOperationVmsResponse *)(void *)ret;
    pb_ListOperationVmsResponse machines = pb_ListOperationVmsResponse_INIT;
    pb_ListOperationsRequest ask = pb_ListOperationsRequest_INIT;
    pb_ListOperationsResponse found = pb_ListOperationsResponse_INIT;

    (void)method; /* that one would look for the mark of an operation of the other gateway */
    if (!token[0]) {
        op_violation(op, "operation_id", "is missing");
        return op_end(op, op_fail(op, RESULT_CODE_BAD_REQUEST_DATA,
                                  "operation_id is missing: say whose machines are looked for"));
    }
    ask.cloud = a->cloud;
    ask.request_id = token;
    ask.page_size = 1000;
    pb_ResultCode code =
        remote_ask(a, op,
                   &(struct remote_question){.method = "isobar.v1.OperationService/ListOperations",
                                             .req = &ask.base},
                   &found.base);
    if (code == RESULT_CODE_OK)
        code = gather(a, op, token, &found, &machines);
    code = op_end(op, code);
    if (code == RESULT_CODE_OK)
        *rsp = machines;
    return code;
}

pb_ResultCode remote_list_leftovers(struct adapter *a, struct op *op, const char *method,
                                    const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    (void)method, (void)req, (void)ret;
    return op_end(op, op_fail(op, RESULT_CODE_NOT_SUPPORTED,
                              "what is in this cloud bears the marks of gateway %s: ask that "
                              "gateway itself",
                              sp_client_url(a->client)));
}

/* Whatever an order has left behind is the other gateway's, which cleans up by itself. */
pb_ResultCode remote_delete_leftover(struct adapter *a, struct op *op, const char *method,
                                     const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    (void)a, (void)method, (void)req, (void)ret;
    return op_end(op, RESULT_CODE_DELETED);
}
