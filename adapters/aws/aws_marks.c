#include "aws_marks.h"

#include <string.h>

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *aws_thing_token(const struct aws_thing *t)
{
    const char *token = shape_map_get(&t->tags, AWS_TOKEN_KEY);

    return is_set(token) ? token : NULL;
}

bool aws_instance_is_ours(const struct aws_instance *i, const char *token)
{
    const char *has = aws_thing_token(&i->thing);

    if (is_set(i->client_token))
        return strcmp(i->client_token, token) == 0;
    return has != NULL && strcmp(has, token) == 0;
}

const char *aws_instance_token(const struct aws_instance *i)
{
    const char *has = aws_thing_token(&i->thing);

    return has != NULL && aws_instance_is_ours(i, has) ? has : NULL;
}

void aws_instances_alive(struct shape_list *list)
{
    struct aws_instance *i = list->items;
    size_t n = 0;

    for (size_t k = 0; k < list->n; k++)
        if (!aws_instance_is_gone(&i[k]))
            i[n++] = i[k];
    list->n = n;
}

static pb_ResultCode list_by(struct adapter *a, struct op *op, const char *filter,
                             const char *token, struct shape_list *ret)
{
    const char *value = aws_literal(op->arena, token);
    const struct aws_filter f = {filter, 1, &value};
    struct shape_list list = {0};
    size_t n = 0;

    pb_ResultCode code = aws_instances(a, op, &f, 1, &list);
    if (code != RESULT_CODE_OK)
        return code;
    /* What does not know the filter may list everything. */
    struct aws_instance *i = list.items;
    for (size_t k = 0; k < list.n; k++)
        if (i[k].thing.id != NULL && aws_instance_is_ours(&i[k], token))
            i[n++] = i[k];
    *ret = (struct shape_list){n, i};
    return RESULT_CODE_OK;
}

pb_ResultCode aws_instances_by_token(struct adapter *a, struct op *op, const char *token,
                                     struct shape_list *ret)
{
    pb_ResultCode code = list_by(a, op, "client-token", token, ret);

    if (code == RESULT_CODE_OK && ret->n == 0)
        code = list_by(a, op, "tag:" AWS_TOKEN_KEY, token, ret);
    return code;
}

pb_ResultCode aws_things_by_token(struct adapter *a, struct op *op, const struct aws_kind *kind,
                                  const char *token, struct shape_list *ret)
{
    const char *value = token != NULL ? aws_literal(op->arena, token) : AWS_TOKEN_KEY;
    const struct aws_filter f = {token != NULL ? "tag:" AWS_TOKEN_KEY : "tag-key", 1, &value};
    struct shape_list list = {0};
    size_t n = 0, size = kind->item->size;

    pb_ResultCode code = aws_list(a, op, kind, &f, 1, &list);
    if (code != RESULT_CODE_OK)
        return code;
    char *items = list.items;
    for (size_t i = 0; i < list.n; i++) {
        const struct aws_thing *t = (const void *)(items + i * size);
        const char *has = aws_thing_token(t);
        if (t->id != NULL && has != NULL && (token == NULL || strcmp(has, token) == 0))
            memmove(items + n++ * size, t, size);
    }
    *ret = (struct shape_list){n, items};
    return RESULT_CODE_OK;
}

pb_ResultCode aws_list_operation_vms(struct adapter *a, struct op *op,
                                     const pb_ListOperationVmsRequest *req,
                                     pb_ListOperationVmsResponse *ret)
{
    struct shape_list list = {0};
    pb_Vm **vms = NULL;

    if (req->operation_id[0] == '\0')
        return op_fail(op, RESULT_CODE_INVALID_REQUEST, "operation_id is missing");
    pb_ResultCode code = aws_instances_by_token(a, op, req->operation_id, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    aws_instances_alive(&list);
    size_t n = aws_instance_messages(a, op, &list, &vms);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->vms = vms;
        ret->n_vms = n;
    }
    return code;
}
