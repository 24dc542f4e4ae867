/* The slots that read, make and delete machines. */
#include "sandbox.h"

#include "isobar/clock.h"

/* How many machines of a list are shown before others get the lock. */
#define LIST_CHUNK 64

void sandbox_lock(struct adapter *a)
{
    pthread_mutex_lock(&a->lock);
}

void sandbox_unlock(struct adapter **a)
{
    pthread_mutex_unlock(&(*a)->lock);
}

/* ---- create ---- */

/* Make it, or find the one that an earlier try with the same token made. */
static pb_ResultCode create(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                            struct sandbox_parts *parts, pb_Vm **ret)
{
    struct adapter *held CLEANUP(sandbox_unlock) = a;
    pb_ResultCode code = RESULT_CODE_OK;

    sandbox_lock(held);
    int64_t now = clock_mono_ns();
    sandbox_sweep(a, now);
    struct sandbox_machine *m = sandbox_find_token(a, op->token);
    if (!m) {
        code = sandbox_room(a, op, parts->flavor);
        if (code == RESULT_CODE_OK && !req->dry_run)
            code = sandbox_insert(a, op, req->spec->name, parts, now, &m);
    }
    if (code != RESULT_CODE_OK || !m)
        return code;
    *ret = sandbox_show(op->arena, m, now);
    return op_end(op, RESULT_CODE_CREATED);
}

pb_ResultCode sandbox_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                                pb_CreateVmResponse *ret)
{
    struct sandbox_parts parts CLEANUP(sandbox_parts_done) = {0};
    pb_Vm *vm = NULL;
    pb_ResultCode code = sandbox_enter(a, op, !req->dry_run);

    if (code == RESULT_CODE_OK)
        code = sandbox_order(a, op, req->spec, &parts);
    if (code == RESULT_CODE_OK)
        code = create(a, op, req, &parts, &vm);
    if (code == RESULT_CODE_CREATED)
        code = sandbox_leave_create(a, op, code);
    if (code != RESULT_CODE_CREATED)
        return code;
    if (op->note_id)
        op->note_id(op, vm->id);
    ret->vm = vm;
    return code;
}

/* ---- delete ---- */

pb_ResultCode sandbox_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                                pb_DeleteVmResponse *ret)
{
    struct sandbox_machine *m = NULL;
    const char *id = NULL;
    pb_ResultCode code = sandbox_enter(a, op, true);

    if (code == RESULT_CODE_OK)
        code = sandbox_note(a, op, req->id, true, &id);
    if (code != RESULT_CODE_OK)
        return code;
    struct adapter *held CLEANUP(sandbox_unlock) = a;
    sandbox_lock(held);
    int64_t now = clock_mono_ns();
    sandbox_sweep(a, now);
    code = sandbox_find(a, op, id, now, &m);
    if (code != RESULT_CODE_OK)
        return code;
    sandbox_delete(a, m, now);
    ret->vm = sandbox_show(op->arena, m, now);
    return op_end(op, RESULT_CODE_DELETED);
}

/* ---- reads ---- */

pb_ResultCode sandbox_get_vm(struct adapter *a, struct op *op, const pb_GetVmRequest *req,
                             pb_GetVmResponse *ret)
{
    struct sandbox_machine *m = NULL;
    pb_ResultCode code = sandbox_enter(a, op, false);

    if (code != RESULT_CODE_OK)
        return code;
    struct adapter *held CLEANUP(sandbox_unlock) = a;
    sandbox_lock(held);
    int64_t now = clock_mono_ns();
    code = sandbox_find(a, op, req->id, now, &m);
    if (code != RESULT_CODE_OK)
        return code;
    ret->vm = sandbox_show(op->arena, m, now);
    return op_end(op, RESULT_CODE_OK);
}

/* The next few of a walk through all machines: those that could be seen at a time go to `items`.
 * Returns where to go on, or NULL. */
static struct sandbox_machine *walk(struct arena *arena, struct sandbox_machine *m, int64_t then,
                                    pb_Vm **items, size_t room, size_t *ret_n)
{
    for (size_t i = 0; i < LIST_CHUNK && m; i++, m = m->next) {
        if (!sandbox_visible_at(m, then))
            continue;
        if (*ret_n == room)
            return NULL;
        items[*ret_n] = sandbox_show(arena, m, then);
        if (!items[*ret_n])
            return NULL;
        ++*ret_n;
    }
    return m;
}

pb_ResultCode sandbox_list_vms(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                               pb_ListVmsResponse *ret)
{
    pb_ResultCode code = sandbox_enter(a, op, false);
    size_t n = 0;

    (void)req; /* the gateway filters */
    if (code != RESULT_CODE_OK)
        return code;
    int64_t then = clock_mono_ns() - a->set.list_lag_ms * NS_PER_MS;
    sandbox_lock(a);
    sandbox_sweep(a, clock_mono_ns());
    /* Machines that are made from now on come last, and are not a part of this list. */
    size_t room = (size_t)a->n_machines;
    pb_Vm **items = arena_array(op->arena, room, sizeof(*items));
    struct sandbox_machine *m = items ? a->first : NULL;
    while ((m = walk(op->arena, m, then, items, room, &n))) {
        m->pins++; /* it stays in the list while others have the lock */
        pthread_mutex_unlock(&a->lock);
        sandbox_lock(a);
        m->pins--;
    }
    pthread_mutex_unlock(&a->lock);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->vms = items;
        ret->n_vms = n;
    }
    return code;
}
