#include "az_vms.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "az_names.h"
#include "az_things.h"
#include "kit/gather.h"

/* ---- One ---- */

pb_ResultCode az_vm_find(struct adapter *a, struct op *op, const char *wanted, struct az_vm *ret)
{
    return az_find(a, op, &az_vm_kind, "id", wanted, NULL, ret);
}

/* One that a machine refers to, behind what is there; one that is gone meanwhile is left out. */
static pb_ResultCode add_one(struct adapter *a, struct op *op, const struct az_kind *kind,
                             const char *id, struct gathering *to)
{
    struct op aside = op_aside(op, 0);
    struct shape_list one = {1, arena_alloc(op->arena, kind->item->size)};

    if (one.items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = az_find_by_id(a, &aside, kind, id, one.items);
    if (code == RESULT_CODE_NOT_FOUND)
        return RESULT_CODE_OK;
    if (code != RESULT_CODE_OK)
        return op_tell(op, &aside, code);
    return gather(op->arena, to, &one) ? code : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

/* The interfaces of one machine, and their addresses. */
static pb_ResultCode links_of(struct adapter *a, struct op *op, const struct az_vm *vm,
                              struct az_links *ret)
{
    struct gathering nics = {.size = sizeof(struct az_nic)}, ips = {.size = sizeof(struct az_ip)};
    const struct az_reference *refs = vm->nics.items;
    pb_ResultCode code = RESULT_CODE_OK;

    for (size_t i = 0; code == RESULT_CODE_OK && i < vm->nics.n; i++)
        if (refs[i].id != NULL)
            code = add_one(a, op, &az_nic_kind, refs[i].id, &nics);
    const struct az_nic *found = nics.all.items;
    for (size_t i = 0; code == RESULT_CODE_OK && i < nics.all.n; i++) {
        const struct az_ip_config *configs = found[i].configs.items;
        for (size_t k = 0; code == RESULT_CODE_OK && k < found[i].configs.n; k++)
            if (configs[k].public_ip_id != NULL)
                code = add_one(a, op, &az_ip_kind, configs[k].public_ip_id, &ips);
    }
    *ret = (struct az_links){nics.all, ips.all};
    az_links_sort(ret);
    return code;
}

/* Without its addresses where they cannot be had: the machine is what was asked for. */
static void warn(struct op *op, const struct op *aside)
{
    op_warn(op, "the addresses of machines are missing: %s", aside->result->detail);
}

pb_Vm *az_vm_message(struct adapter *a, struct op *op, const struct az_vm *vm)
{
    struct op aside = op_aside(op, 0);
    struct az_links links = {0};

    if (links_of(a, &aside, vm, &links) != RESULT_CODE_OK)
        warn(op, &aside);
    pb_Vm *message = az_parse_vm(op->arena, a->name, vm, &links);
    if (message != NULL)
        az_names_fill(a, op, &message, 1);
    return message;
}

pb_ResultCode azure_get_vm(struct adapter *a, struct op *op, const pb_GetVmRequest *req,
                           pb_GetVmResponse *ret)
{
    struct az_vm vm = {0};

    pb_ResultCode code = az_vm_find(a, op, req->id, &vm);
    if (code == RESULT_CODE_OK)
        ret->vm = az_vm_message(a, op, &vm);
    return op_end(op, code);
}

/* ---- All ---- */

static int by_id(const void *a, const void *b)
{
    return strcasecmp(((const struct az_vm *)a)->thing.id, ((const struct az_vm *)b)->thing.id);
}

/* The statuses to their machines, by id: Azure writes it in several cases. */
static void join(struct shape_list *vms, struct shape_list *statuses)
{
    struct az_vm *vm = vms->items;

    if (statuses->n == 0)
        return;
    qsort(statuses->items, statuses->n, sizeof(struct az_vm), by_id);
    for (size_t i = 0; i < vms->n; i++) {
        const struct az_vm *has =
            bsearch(&vm[i], statuses->items, statuses->n, sizeof(*has), by_id);
        if (has == NULL)
            continue;
        vm[i].statuses = has->statuses;
        /* It is the newer one. */
        if (has->provisioning != NULL)
            vm[i].provisioning = has->provisioning;
    }
}

pb_ResultCode az_vms(struct adapter *a, struct op *op, struct shape_list *ret)
{
    struct shape_list vms = {0}, statuses = {0};
    const char *path =
        az_path(a, op->arena, "/providers/%s?statusOnly=true", az_vm_status_kind.type);

    pb_ResultCode code = az_list(a, op, &az_vm_kind, &vms);
    if (code == RESULT_CODE_OK && vms.n > 0)
        code = az_list_at(a, op, &az_vm_status_kind, path, &statuses);
    if (code != RESULT_CODE_OK)
        return code;
    join(&vms, &statuses);
    *ret = vms;
    return RESULT_CODE_OK;
}

/* All interfaces and addresses there are. */
static pb_ResultCode all_links(struct adapter *a, struct op *op, struct az_links *ret)
{
    struct az_links links = {0};

    pb_ResultCode code = az_list(a, op, &az_nic_kind, &links.nics);
    if (code == RESULT_CODE_OK)
        code = az_list(a, op, &az_ip_kind, &links.ips);
    if (code != RESULT_CODE_OK)
        return code;
    az_links_sort(&links);
    *ret = links;
    return code;
}

size_t az_vm_messages(struct adapter *a, struct op *op, const struct shape_list *list, pb_Vm ***ret)
{
    const struct az_vm *from = list->items;
    pb_Vm **vms = arena_array(op->arena, list->n + 1, sizeof(*vms));
    struct op aside = op_aside(op, 0);
    struct az_links links = {0};
    size_t n = 0;

    if (list->n > 0 && all_links(a, &aside, &links) != RESULT_CODE_OK)
        warn(op, &aside);
    for (size_t i = 0; vms != NULL && i < list->n; i++) {
        vms[n] = az_parse_vm(op->arena, a->name, &from[i], &links);
        n += vms[n] != NULL;
    }
    if (n > 0)
        az_names_fill(a, op, vms, n);
    *ret = vms;
    return n;
}

/* Lists write the same id in another case than a look at one machine does, and the gateway compares
 * letters: those that were asked for are written as they were asked for. */
static void write_ids(struct shape_list *list, const pb_ListVmsRequest *req)
{
    struct az_vm *vm = list->items;

    for (size_t i = 0; i < list->n; i++)
        for (size_t k = 0; k < req->n_ids; k++)
            if (az_id_is(vm[i].thing.id, req->ids[k])) {
                vm[i].thing.id = req->ids[k];
                break;
            }
}

pb_ResultCode azure_list_vms(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                             pb_ListVmsResponse *ret)
{
    struct shape_list list = {0};
    pb_Vm **vms = NULL;

    /* Azure can leave nothing out: the gateway applies all filters. */
    pb_ResultCode code = az_vms(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    write_ids(&list, req);
    size_t n = az_vm_messages(a, op, &list, &vms);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->vms = vms;
        ret->n_vms = n;
    }
    return code;
}
