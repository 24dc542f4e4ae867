/* What is there: by id, by mark, in lists. */
#include <string.h>

#include "scenarios.h"

#define MACHINES  2
#define PAGES_MAX 1000

void get_missing(struct run *t)
{
    struct answer r;

    TRY(run_get(t, run_id(t), &r));
    TRY(run_code(t, &r, RESULT_CODE_NOT_FOUND));
    EXPECT(t, r.result->detail[0], "it does not say what was not found");
    EXPECT(t, !r.result->retry || r.result->retry->class_ != RETRY_CLASS_AFTER_BACKOFF,
           "it says that trying again helps");
}

void delete_twice(struct run *t)
{
    struct answer made, r;
    const pb_Vm *vm = run_created(t, run_id(t), &made);
    const char *id = run_id(t);

    TRY(vm && run_wait(t, vm->id, VM_STATE_RUNNING));
    TRY(run_delete(t, vm->id, id, &r));
    TRY(run_code(t, &r, RESULT_CODE_DELETED));
    TRY(run_delete(t, vm->id, id, &r)); /* the same once more */
    TRY(run_code(t, &r, RESULT_CODE_DELETED));
    TRY(run_wait(t, vm->id, VM_STATE_DELETED));
    TRY(run_delete(t, vm->id, run_id(t), &r)); /* and another, of what is gone */
    if (r.code != RESULT_CODE_NOT_FOUND)
        TRY(run_code(t, &r, RESULT_CODE_DELETED));
    TRY(run_exactly(t, made.token, 0, NULL));
}

/* A word that nobody knows is UNKNOWN, with the word; it is no ERROR, and hides no machine. */
void unknown_state(struct run *t)
{
    struct answer r;
    const pb_Vm *vm = run_created(t, run_id(t), &r);

    TRY(vm && run_wait(t, vm->id, VM_STATE_RUNNING));
    TRY(run_arm(t));
    TRY(run_get(t, vm->id, &r));
    run_disarm(t);
    TRY(run_code(t, &r, RESULT_CODE_OK));
    const pb_Vm *seen = ((const pb_GetVmResponse *)r.message)->vm;
    EXPECT(t, seen->state == VM_STATE_UNKNOWN, "it is in state %d", (int)seen->state);
    EXPECT(t, strstr(seen->native_state, "FLABBERGASTED"), "its native state is \"%s\"",
           seen->native_state);
}

/* How often each of the machines is in the lists, all of their pages. */
static bool count_listed(struct run *t, char *const ids[MACHINES], int counts[MACHINES])
{
    struct answer r;
    pb_ListVmsRequest *req = NEW(t, ListVmsRequest);

    req->page_size = 1;
    for (int page = 0; page < PAGES_MAX; page++) {
        if (!CALL(t, VmService, ListVms, req, &r) || !run_code(t, &r, RESULT_CODE_OK))
            return false;
        const pb_ListVmsResponse *list = r.message;
        if (!t->caller->direct && list->n_vms > 1)
            run_fail(t, "a page of one has %zu machines", list->n_vms);
        for (size_t i = 0; i < list->n_vms; i++)
            for (int k = 0; k < MACHINES; k++)
                counts[k] += strcmp(list->vms[i]->id, ids[k]) == 0;
        req->page_token = list->next_page_token;
        if (!req->page_token[0])
            return !t->failed;
    }
    run_fail(t, "the list has no end");
    return false;
}

/* An adapter gathers all pages of its cloud; the gateway cuts its own. */
void paging(struct run *t)
{
    struct answer r;
    char *ids[MACHINES];
    int counts[MACHINES] = {0};

    for (int i = 0; i < MACHINES; i++) {
        const pb_Vm *vm = run_created(t, run_id(t), &r);
        TRY(vm);
        ids[i] = vm->id;
    }
    TRY(run_arm(t));
    TRY(count_listed(t, ids, counts));
    run_disarm(t);
    for (int i = 0; i < MACHINES; i++)
        EXPECT(t, counts[i] == 1, "machine %s was listed %d times", ids[i], counts[i]);
}

/* A mark finds its own machine, and a mark that nothing bears finds nothing. */
void operation_vms(struct run *t)
{
    struct answer made, r;
    const pb_Vm *vm = run_created(t, run_id(t), &made);

    TRY(vm && run_found(t, made.token, &r));
    TRY(run_code(t, &r, RESULT_CODE_OK));
    const pb_ListOperationVmsResponse *found = r.message;
    EXPECT(t, found->n_vms == 1, "%zu machines are found", found->n_vms);
    EXPECT(t, strcmp(found->vms[0]->id, vm->id) == 0, "%s is found, not %s", found->vms[0]->id,
           vm->id);
    TRY(run_found(t, run_id(t), &r));
    TRY(run_code(t, &r, RESULT_CODE_OK));
    found = r.message;
    EXPECT(t, found->n_vms == 0, "%zu machines bear a mark that was never given", found->n_vms);
}

/* The machine has gone by another way than ours: what was made beside it goes too, what a machine
 * uses does not. */
void leftovers(struct run *t)
{
    struct answer r;
    const char *id = run_id(t);
    const pb_Vm *vm = run_created(t, id, &r);
    pb_DeleteLeftoverRequest *req = NEW(t, DeleteLeftoverRequest);

    TRY(vm && run_wait(t, vm->id, VM_STATE_RUNNING));
    req->id = run_text(t, "%s", id);
    int before = t->harness->things(t, id);
    TRY(CALL(t, OperationService, DeleteLeftover, req, &r, .request_id = run_id(t)));
    TRY(run_code(t, &r, RESULT_CODE_DELETED));
    TRY(run_exactly(t, id, 1, vm->id));
    EXPECT(t, t->harness->things(t, id) == before, "what the machine uses was deleted");
    if (t->harness->drop_machines)
        EXPECT(t, t->harness->drop_machines(id), "the cloud does not delete the machine");
    else
        TRY(run_delete(t, vm->id, id, &r) && run_wait(t, vm->id, VM_STATE_DELETED));
    for (int i = 0; i < 2; i++) { /* the second time nothing is there */
        TRY(CALL(t, OperationService, DeleteLeftover, req, &r, .request_id = run_id(t)));
        TRY(run_code(t, &r, RESULT_CODE_DELETED));
        TRY(run_exactly(t, id, 0, NULL));
    }
}
