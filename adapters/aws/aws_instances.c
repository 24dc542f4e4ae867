#include "aws_instances.h"

#include <string.h>

#include "aws_states.h"
#include "kit/gather.h"

enum {
    IDS_AT_ONCE = 200, /* values of one filter */
    IDS_MAX = 1000,    /* past it, the list of all machines is not longer */
    FILTERS_MAX = 50,  /* of one request */
};

AWS_PAGE(instances_page_shape, "reservationSet", aws_reservation_shape);

const struct aws_kind aws_instance_kind = {
    .noun = "machine",
    .action = "DescribeInstances",
    .id_filter = "instance-id",
    .id_prefix = "i-",
    .name_filter = "tag:Name",
    .page_size = 1000,
    .item = &aws_instance_shape,
    .page = &instances_page_shape,
    .unpack = aws_reservation_unpack,
};

void aws_reservation_unpack(struct arena *a, struct shape_list *items)
{
    const struct aws_reservation *r = items->items;
    struct shape_list all = {0};
    size_t n = 0;

    for (size_t i = 0; i < items->n; i++)
        n += r[i].instances.n;
    struct aws_instance *to = arena_array(a, n + 1, sizeof(*to));
    all.items = to;
    for (size_t i = 0; to != NULL && i < items->n; i++) {
        const struct aws_instance *from = r[i].instances.items;
        for (size_t k = 0; k < r[i].instances.n; k++) {
            to[all.n] = from[k];
            to[all.n].reservation_id = r[i].id;
            to[all.n].owner_id = r[i].owner_id;
            to[all.n++].requester_id = r[i].requester_id;
        }
    }
    *items = all;
}

pb_ResultCode aws_instances(struct adapter *a, struct op *op, const struct aws_filter *filters,
                            size_t n, struct shape_list *ret)
{
    return aws_list(a, op, &aws_instance_kind, filters, n, ret);
}

/* ---- One ---- */

/* A name refers to what is there, and to what is being deleted only where there is nothing else. */
static void drop_gone(struct shape_list *list)
{
    struct aws_instance *all = list->items;
    size_t there = 0;

    for (size_t i = 0; i < list->n; i++)
        if (!aws_instance_is_gone(&all[i]))
            all[there++] = all[i];
    if (there > 0)
        list->n = there;
}

pb_ResultCode aws_instance_find(struct adapter *a, struct op *op, const char *wanted,
                                struct aws_instance *ret)
{
    static const char *const there[] = {"pending", "running", "stopping", "stopped",
                                        "shutting-down"};
    const char *value = aws_literal(op->arena, wanted);
    const struct aws_filter by_id = {aws_instance_kind.id_filter, 1, &value};
    const struct aws_filter not_terminated = {"instance-state-name", ARRAY_LEN(there), there};
    const struct aws_filter by_name[] = {{aws_instance_kind.name_filter, 1, &value},
                                         not_terminated};
    struct shape_list list = {0};
    pb_ResultCode code = RESULT_CODE_OK;

    if (strncmp(wanted, "i-", 2) == 0)
        code = aws_instances(a, op, &by_id, 1, &list);
    if (code == RESULT_CODE_OK && list.n == 0) {
        code = aws_instances(a, op, by_name, ARRAY_LEN(by_name), &list);
        if (code == RESULT_CODE_OK)
            drop_gone(&list);
    }
    if (code == RESULT_CODE_OK && list.n == 0 && aws_is_id(&aws_instance_kind, wanted))
        return pick_no_id(op, aws_instance_kind.noun, "id", wanted);
    if (code == RESULT_CODE_OK && list.n == 0) /* for the near names */
        code = aws_instances(a, op, &not_terminated, 1, &list);
    return code == RESULT_CODE_OK ? aws_pick(op, &aws_instance_kind, "id", wanted, &list, ret)
                                  : code;
}

pb_Vm *aws_instance_message(struct adapter *a, struct op *op, const struct aws_instance *i)
{
    pb_Vm *vm = aws_parse_instance(op->arena, a->name, a->config->region, i);

    if (vm != NULL)
        aws_names_fill(a, op, &vm, 1);
    return vm;
}

pb_ResultCode aws_get_vm(struct adapter *a, struct op *op, const pb_GetVmRequest *req,
                         pb_GetVmResponse *ret)
{
    struct aws_instance instance = {0};

    pb_ResultCode code = aws_instance_find(a, op, req->id, &instance);
    if (code == RESULT_CODE_OK)
        ret->vm = aws_instance_message(a, op, &instance);
    return op_end(op, code);
}

/* ---- All ---- */

size_t aws_instance_messages(struct adapter *a, struct op *op, const struct shape_list *list,
                             pb_Vm ***ret)
{
    const struct aws_instance *from = list->items;
    pb_Vm **vms = arena_array(op->arena, list->n + 1, sizeof(*vms));
    size_t n = 0;

    for (size_t i = 0; vms != NULL && i < list->n; i++) {
        vms[n] = aws_parse_instance(op->arena, a->name, a->config->region, &from[i]);
        n += vms[n] != NULL;
    }
    if (n > 0)
        aws_names_fill(a, op, vms, n);
    *ret = vms;
    return n;
}

/* EC2's words for states of ours; none where one of them may be any word. */
static struct aws_filter states_filter(struct arena *a, const pb_ListVmsRequest *req)
{
    const char **values = arena_array(a, aws_states_len, sizeof(*values));
    struct aws_filter filter = {"instance-state-name", 0, values};

    for (size_t i = 0; values != NULL && i < req->n_states; i++) {
        bool known = false;
        for (size_t r = 0; r < aws_states_len; r++) {
            const struct aws_state_row *row = &aws_states[r];
            bool had = false;
            if (row->state != req->states[i])
                continue;
            known = true;
            for (size_t v = 0; v < filter.n; v++)
                had = had || strcmp(values[v], row->name) == 0;
            if (!had)
                values[filter.n++] = row->name;
        }
        if (!known)
            return (struct aws_filter){0};
    }
    return filter;
}

/* What EC2 can leave out of the list; the gateway looks again. */
static size_t list_filters(struct op *op, const pb_ListVmsRequest *req, struct aws_filter *ret)
{
    const char **glob = arena_array(op->arena, 1, sizeof(*glob));
    size_t n = 0;

    ret[0] = states_filter(op->arena, req);
    n += ret[0].n > 0;
    if (glob != NULL && (glob[0] = aws_glob(op->arena, req->name)) != NULL)
        ret[n++] = (struct aws_filter){"tag:Name", 1, glob};
    for (size_t i = 0; i < req->n_tags && n < FILTERS_MAX - 1; i++) {
        const char **value = arena_array(op->arena, 1, sizeof(*value));
        if (value == NULL)
            break;
        const char *key = req->tags[i]->key, *wanted = req->tags[i]->value;
        value[0] = aws_literal(op->arena, wanted[0] != '\0' ? wanted : key);
        ret[n++] = (struct aws_filter){
            wanted[0] != '\0' ? arena_printf(op->arena, "tag:%s", key) : "tag-key", 1, value};
    }
    return n;
}

/* Each of the ids once. */
static size_t distinct_ids(struct op *op, const pb_ListVmsRequest *req, const char ***ret)
{
    const char **ids = arena_array(op->arena, req->n_ids + 1, sizeof(*ids));
    size_t n = 0;

    for (size_t i = 0; ids != NULL && i < req->n_ids; i++) {
        const char *id = aws_literal(op->arena, req->ids[i]);
        bool had = false;
        for (size_t k = 0; !had && k < n; k++)
            had = strcmp(ids[k], id) == 0;
        if (!had)
            ids[n++] = id;
    }
    *ret = ids;
    return n;
}

static pb_ResultCode list_by_ids(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                                 struct aws_filter *filters, size_t n, struct shape_list *ret)
{
    const char **ids;
    size_t n_ids = distinct_ids(op, req, &ids);
    struct gathering all = {.size = sizeof(struct aws_instance)};

    for (size_t i = 0; i < n_ids; i += IDS_AT_ONCE) {
        size_t some = n_ids - i < IDS_AT_ONCE ? n_ids - i : IDS_AT_ONCE;
        struct shape_list page = {0};
        filters[n] = (struct aws_filter){aws_instance_kind.id_filter, some, ids + i};
        pb_ResultCode code = aws_instances(a, op, filters, n + 1, &page);
        if (code != RESULT_CODE_OK)
            return code;
        if (!gather(op->arena, &all, &page))
            return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    }
    *ret = all.all;
    return RESULT_CODE_OK;
}

pb_ResultCode aws_list_vms(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                           pb_ListVmsResponse *ret)
{
    struct aws_filter filters[FILTERS_MAX];
    struct shape_list list = {0};
    pb_Vm **vms = NULL;

    size_t n = list_filters(op, req, filters);
    pb_ResultCode code = req->n_ids == 0 || req->n_ids > IDS_MAX
                             ? aws_instances(a, op, filters, n, &list)
                             : list_by_ids(a, op, req, filters, n, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    n = aws_instance_messages(a, op, &list, &vms);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->vms = vms;
        ret->n_vms = n;
    }
    return code;
}
