/* Deleting a machine together with what was made for it. Azure itself takes what it uses and what
 * was made with deleteOption Delete: interface, address, disks. What it does not use any more is
 * looked for when all has settled, as a leftover of the operation that made the machine. */
#include <string.h>
#include <strings.h>

#include "az_actions.h"
#include "az_marks.h"

/* A machine that is gone, of which only the id is known. */
static pb_Vm *gone(struct adapter *a, struct op *op, const char *id)
{
    const struct az_links none = {0};
    const struct az_vm vm = {.thing = {.id = id, .name = az_id_name(op->arena, id)},
                             .provisioning = "Deleted"};
    pb_Vm *message = az_parse_vm(op->arena, a->name, &vm, &none);

    if (message != NULL)
        message->state = VM_STATE_DELETED;
    return message;
}

static bool is_vm_id(struct op *op, const char *text)
{
    struct az_id id;

    return az_id_parse(op->arena, text, &id) && strcasecmp(id.type, az_vm_kind.type) == 0;
}

static pb_ResultCode take_away(struct adapter *a, struct op *op, const struct az_vm *vm,
                               struct az_lro *ret)
{
    const struct az_request req = {
        .service = AZ_COMPUTE,
        .method = "DELETE",
        .path = az_id_path(op->arena, vm->thing.id),
        .flags = SEND_IDEMPOTENT,
    };
    const char *token = az_thing_token(&vm->thing);

    if (token != NULL && az_vm_is_ours(op->arena, vm, token) && op->note_maker != NULL)
        op->note_maker(op, token);
    if (op->note_id != NULL && !op->note_id(op, vm->thing.id))
        return op_not_noted(op);
    pb_ResultCode code = az_order(a, op, &req, "delete", vm, ret);
    return code == RESULT_CODE_NOT_FOUND ? RESULT_CODE_OK : code;
}

pb_ResultCode azure_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                              pb_DeleteVmResponse *ret)
{
    struct az_vm vm = {0};
    struct az_lro lro = {0};

    pb_ResultCode code = az_vm_find(a, op, req->id, &vm);
    if (code == RESULT_CODE_NOT_FOUND && !req->dry_run && is_vm_id(op, req->id)) {
        ret->vm = gone(a, op, req->id);
        return op_end(op, RESULT_CODE_DELETED);
    }
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    /* While it is there: afterwards nothing tells what was on it. */
    pb_Vm *message = az_vm_message(a, op, &vm);
    if (!req->dry_run)
        code = take_away(a, op, &vm, &lro);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    if (message != NULL && !req->dry_run)
        message->state = lro.url != NULL ? VM_STATE_DELETING : VM_STATE_DELETED;
    ret->vm = message;
    return op_end(op, req->dry_run ? RESULT_CODE_OK : RESULT_CODE_DELETED);
}
