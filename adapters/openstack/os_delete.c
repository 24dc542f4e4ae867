/* Deleting a machine together with what was made for it. */
#include <string.h>

#include "isobar/uuid.h"
#include "os_cleanup.h"
#include "os_create.h"

/* A machine that is gone, of which only the id is known. */
static pb_Vm *gone(struct adapter *a, struct op *op, const char *id)
{
    struct os_server server = {.id = id, .status = "DELETED"};
    return os_parse_server(op->arena, a->name, "", &server);
}

static pb_ResultCode delete_server(struct adapter *a, struct op *op, const char *id)
{
    struct op aside = op_aside(op, 0);
    struct os_request req = os_delete(op->arena, OS_COMPUTE, "/servers", id);
    struct http_response rsp;
    pb_ResultCode code = os_send(a, &aside, &req, &rsp);
    return code == RESULT_CODE_NOT_FOUND ? RESULT_CODE_OK : op_tell(op, &aside, code);
}

pb_ResultCode openstack_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                                  pb_DeleteVmResponse *ret)
{
    struct os_server server = {0};
    pb_ResultCode code = os_server_find(a, op, req->id, &server);
    if (code == RESULT_CODE_NOT_FOUND && uuid_is(req->id) && !req->dry_run) {
        ret->vm = gone(a, op, req->id);
        return op_end(op, RESULT_CODE_DELETED);
    }
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    pb_Vm *vm = os_server_message(a, op, &server);
    if (req->dry_run) {
        ret->vm = vm;
        return op_end(op, RESULT_CODE_OK);
    }
    /* Looked for while the machine is there: afterwards nothing tells what was on it. */
    struct os_remains remains = {0};
    const char *token = shape_map_get(&server.metadata, OS_TOKEN_KEY);
    if (token != NULL && op->note_maker != NULL)
        op->note_maker(op, token);
    if (op->note_id != NULL && !op->note_id(op, server.id))
        return op_end(op, op_not_noted(op));
    if (token != NULL)
        code = os_remains_find(a, op, token, server.id, false, &remains);
    if (code == RESULT_CODE_OK)
        code = delete_server(a, op, server.id);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    os_remains_delete(a, op, &remains);
    if (vm != NULL)
        vm->state = VM_STATE_DELETING;
    ret->vm = vm;
    return op_end(op, RESULT_CODE_DELETED);
}
