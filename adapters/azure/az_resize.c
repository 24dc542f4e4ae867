/* Another size for a machine. */
#include <string.h>
#include <strings.h>

#include "az_actions.h"
#include "az_things.h"

static pb_ResultCode check(struct adapter *a, struct op *op, const struct az_vm *vm,
                           const char *wanted)
{
    struct shape_list list = {0};
    size_t index = 0;

    pb_ResultCode code =
        az_sizes(a, op, vm->thing.location != NULL ? vm->thing.location : "", &list);
    return code == RESULT_CODE_OK ? az_pick(op, &az_size_kind, "flavor_name", wanted, &list, &index)
                                  : code;
}

static bool build(struct arena *a, const char *id, const char *size, struct az_request *ret)
{
    struct request_body b;
    struct json_writer *w = az_body_begin(&b);

    *ret = (struct az_request){.service = AZ_COMPUTE,
                               .method = "PATCH",
                               .path = az_id_path(a, id),
                               .flags = SEND_IDEMPOTENT};
    json_begin_object(w, "properties");
    json_begin_object(w, "hardwareProfile");
    json_put_string(w, "vmSize", size);
    json_end_object(w);
    json_end_object(w);
    return body_end(&b, a, &ret->body, &ret->body_len);
}

static pb_ResultCode order(struct adapter *a, struct op *op, struct az_vm *vm, const char *size,
                           struct az_lro *ret)
{
    struct az_request req;

    if (op->note_id != NULL && !op->note_id(op, vm->thing.id))
        return op_not_noted(op);
    if (!build(op->arena, vm->thing.id, size, &req))
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = az_order(a, op, &req, "resize", vm, ret);
    if (code != RESULT_CODE_FAILED_PRECONDITION || !az_said(op, "Conflict"))
        return code;
    /* What goes on may be this order, sent before. */
    struct op look = op_aside(op, 0);
    struct az_vm now = {0};
    bool same = az_find_by_id(a, &look, &az_vm_kind, vm->thing.id, &now) == RESULT_CODE_OK &&
                az_id_is(now.size, size);
    return same ? RESULT_CODE_OK : code;
}

pb_ResultCode azure_resize_vm(struct adapter *a, struct op *op, const pb_ResizeVmRequest *req,
                              pb_ResizeVmResponse *ret)
{
    struct az_vm vm = {0};
    struct az_lro lro = {0};

    pb_ResultCode code = az_vm_find(a, op, req->id, &vm);
    bool change = code == RESULT_CODE_OK && !az_id_is(vm.size, req->flavor_name);
    if (change)
        code = check(a, op, &vm, req->flavor_name);
    if (code == RESULT_CODE_OK && change && az_vm_state(&vm) == VM_STATE_RUNNING)
        op_warn(op, "the machine runs: Azure restarts it to give it another size");
    if (code == RESULT_CODE_OK && change && !req->dry_run) {
        code = order(a, op, &vm, req->flavor_name, &lro);
        vm.size = req->flavor_name;
    }
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    ret->vm = change && !req->dry_run ? az_vm_after(a, op, &vm, &lro, VM_STATE_UPDATING, NULL)
                                      : az_vm_message(a, op, &vm);
    return op_end(op, req->dry_run ? RESULT_CODE_OK : RESULT_CODE_CHANGED);
}
