#include "os_marks.h"

#include <string.h>

#include "os_states.h"

/* From this microversion on Nova takes tags with an order (2.26: it filters by them). */
enum { SINCE_TAGS = 52 };

bool os_server_is_ours(const struct os_server *s, const char *token, const char *mark)
{
    const char *has = shape_map_get(&s->metadata, OS_TOKEN_KEY);
    for (size_t i = 0; i < s->tags.n; i++) {
        if (strcmp(s->tags.items[i], mark) == 0)
            return true;
    }
    return has != NULL && strcmp(has, token) == 0;
}

const char *os_server_token(const struct os_server *s)
{
    static const char prefix[] = OS_MARK_PREFIX;
    const char *has = shape_map_get(&s->metadata, OS_TOKEN_KEY);
    for (size_t i = 0; has == NULL && i < s->tags.n; i++) {
        if (strncmp(s->tags.items[i], prefix, strlen(prefix)) == 0)
            has = s->tags.items[i] + strlen(prefix);
    }
    return has == NULL || has[0] == '\0' ? NULL : has;
}

/* The query that asks for machines with the mark, or NULL where Nova would not understand it. */
static pb_ResultCode mark_query(struct adapter *a, struct op *op, const char *mark,
                                const char **ret)
{
    struct token_ref token CLEANUP(token_release) = {0};
    int minor = 0;
    pb_ResultCode code = os_session_get(a, op, &token);
    if (code == RESULT_CODE_OK)
        code = os_compute_minor(a, op, token.data, &minor);
    *ret =
        minor < SINCE_TAGS ? NULL : arena_printf(op->arena, "tags=%s", url_escape(op->arena, mark));
    return code;
}

pb_ResultCode os_servers_by_mark(struct adapter *a, struct op *op, const char *token,
                                 struct shape_list *ret)
{
    const char *mark = arena_printf(op->arena, OS_MARK_PREFIX "%s", token);
    const char *query = NULL;
    struct shape_list list = {0};
    pb_ResultCode code = mark_query(a, op, mark, &query);
    if (code == RESULT_CODE_OK)
        code = os_list(a, op, &os_server_kind, query, &list);
    if (code != RESULT_CODE_OK)
        return code;
    /* A filter that Nova does not know is dropped, and the list is one of all machines. */
    struct os_server *s = list.items;
    size_t n = 0;
    for (size_t i = 0; i < list.n; i++) {
        bool gone = os_state(s[i].status, s[i].task_state) == VM_STATE_DELETED;
        if (s[i].id != NULL && !gone && os_server_is_ours(&s[i], token, mark))
            s[n++] = s[i];
    }
    *ret = (struct shape_list){n, s};
    return RESULT_CODE_OK;
}

pb_ResultCode openstack_list_operation_vms(struct adapter *a, struct op *op,
                                           const pb_ListOperationVmsRequest *req,
                                           pb_ListOperationVmsResponse *ret)
{
    struct shape_list list = {0};
    if (req->operation_id[0] == '\0')
        return op_fail(op, RESULT_CODE_INVALID_REQUEST, "operation_id is missing");
    pb_ResultCode code = os_servers_by_mark(a, op, req->operation_id, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    pb_Vm **vms = NULL;
    size_t n = os_server_messages(a, op, &list, &vms);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->vms = vms;
        ret->n_vms = n;
    }
    return code;
}
