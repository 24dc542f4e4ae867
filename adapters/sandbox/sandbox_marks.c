/* Machines by the operation that made them. A machine is all that a create makes here: there is
 * nothing beside it that could be left over.
 */
#include "sandbox.h"

#include <string.h>

#include "isobar/clock.h"

pb_ResultCode sandbox_list_operation_vms(struct adapter *a, struct op *op,
                                         const pb_ListOperationVmsRequest *req,
                                         pb_ListOperationVmsResponse *ret)
{
    pb_ResultCode code = sandbox_enter(a, op, false);

    if (code != RESULT_CODE_OK)
        return code;
    pb_Vm **items = arena_array(op->arena, 1, sizeof(*items));
    int64_t then = clock_mono_ns() - a->set.list_lag_ms * NS_PER_MS;
    sandbox_lock(a);
    struct sandbox_machine *m = sandbox_find_token(a, req->operation_id);
    if (items && m && sandbox_visible_at(m, then) &&
        sandbox_state_at(m, then) != VM_STATE_DELETED) {
        items[0] = sandbox_show(op->arena, m, then);
        ret->n_vms = items[0] ? 1 : 0;
    }
    pthread_mutex_unlock(&a->lock);
    ret->vms = items;
    return op_end(op, RESULT_CODE_OK);
}

static pb_Leftover *leftover(struct arena *arena, const struct sandbox_machine *m)
{
    pb_Leftover *l = arena_message(arena, &pb_Leftover_desc);

    if (!l)
        return NULL;
    l->id = arena_strdup(arena, m->id);
    l->name = arena_strdup(arena, m->name->text);
    l->kind = arena_strdup(arena, "vm");
    l->operation_id = arena_strdup(arena, m->token);
    l->created_at = arena_message(arena, &google__protobuf__timestamp__descriptor);
    if (l->created_at)
        l->created_at->seconds = m->created_wall_ns / NS_PER_SEC;
    return l;
}

pb_ResultCode sandbox_list_leftovers(struct adapter *a, struct op *op,
                                     const pb_ListLeftoversRequest *req,
                                     pb_ListLeftoversResponse *ret)
{
    pb_ResultCode code = sandbox_enter(a, op, false);
    size_t n = 0;

    (void)req; /* the gateway filters */
    if (code != RESULT_CODE_OK)
        return code;
    int64_t now = clock_mono_ns();
    sandbox_lock(a);
    sandbox_sweep(a, now);
    pb_Leftover **items = arena_array(op->arena, (size_t)a->n_machines + 1, sizeof(*items));
    for (struct sandbox_machine *m = items ? a->first : NULL; m; m = m->next) {
        if (!*m->token || !sandbox_visible_at(m, now))
            continue;
        items[n] = leftover(op->arena, m);
        if (!items[n])
            break;
        n++;
    }
    pthread_mutex_unlock(&a->lock);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->leftovers = items;
        ret->n_leftovers = n;
    }
    return code;
}

pb_ResultCode sandbox_delete_leftover(struct adapter *a, struct op *op,
                                      const pb_DeleteLeftoverRequest *req,
                                      pb_DeleteLeftoverResponse *ret)
{
    pb_ResultCode code = sandbox_enter(a, op, true);

    (void)req;
    (void)ret;
    return code == RESULT_CODE_OK ? op_end(op, RESULT_CODE_DELETED) : code;
}
