#include <string.h>

#include "dispatch.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "list.h"
#include "operation_private.h"

static Google__Protobuf__Timestamp *timestamp(struct arena *a, int64_t wall_ns)
{
    Google__Protobuf__Timestamp *t = arena_message(a, &google__protobuf__timestamp__descriptor);
    if (t) {
        t->seconds = wall_ns / NS_PER_SEC;
        t->nanos = (int32_t)(wall_ns % NS_PER_SEC);
    }
    return t;
}

pb_Operation *operation_show(struct arena *a, const struct operation *o)
{
    pb_Operation *shown = arena_message(a, &pb_Operation_desc);
    if (!shown)
        return NULL;
    shown->id = arena_strdup(a, o->id);
    shown->state = o->state;
    shown->method = arena_strdup(a, o->method->full_name);
    shown->cloud = arena_strdup(a, o->cloud);
    shown->principal = arena_strdup(a, o->principal);
    shown->request_id = arena_strdup(a, o->request_id);
    shown->native_id = arena_strdup(a, o->native_id);
    shown->created_at = timestamp(a, o->created_ns);
    shown->updated_at = timestamp(a, o->updated_ns);
    shown->attempt = o->attempt;
    if (!o->ended)
        return shown;
    shown->result = (pb_Result *)(void *)protobuf_c_message_unpack(
        &pb_Result_desc, arena_allocator(a), o->result_len, o->result_data);
    shown->response.data = arena_memdup(a, o->response_data, o->response_len);
    shown->response.len = shown->response.data ? o->response_len : 0;
    return shown;
}

/* With the lock held. */
static struct operation *find(const char *id)
{
    struct operation *o;
    HASH_FIND(by_id, operations.ids, id, strlen(id), o);
    return o;
}

static pb_ResultCode not_found(struct call *c, const char *id)
{
    result_add_violation(&c->arena, c->result, "id", "is not known here");
    return result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                       "no operation \"%s\" is known; the newest %d that have ended are kept", id,
                       OPERATIONS_KEPT);
}

pb_ResultCode operation_get(struct call *c)
{
    const pb_GetOperationRequest *req = (const pb_GetOperationRequest *)(const void *)c->req;
    pb_GetOperationResponse *rsp = (pb_GetOperationResponse *)(void *)c->rsp;
    pthread_mutex_lock(&operations.lock);
    struct operation *o = find(req->id);
    if (o)
        rsp->operation = operation_show(&c->arena, o);
    pthread_mutex_unlock(&operations.lock);
    return o ? RESULT_CODE_OK : not_found(c, req->id);
}

pb_ResultCode operation_wait(struct call *c)
{
    const pb_WaitOperationRequest *req = (const pb_WaitOperationRequest *)(const void *)c->req;
    pb_WaitOperationResponse *rsp = (pb_WaitOperationResponse *)(void *)c->rsp;
    if (!timer_arm(&c->timer, c->deadline_ns, operation_wait_over))
        return result_fail(&c->arena, c->result, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    pthread_mutex_lock(&operations.lock);
    struct operation *o = find(req->id);
    bool over = c->wait_over;
    bool waits = o && !over && operation_attach(o, c);
    if (o && !waits)
        rsp->operation = operation_show(&c->arena, o);
    pb_ResultCode code = !o         ? RESULT_CODE_NOT_FOUND
                         : o->ended ? RESULT_CODE_OK
                                    : RESULT_CODE_ACCEPTED;
    pthread_mutex_unlock(&operations.lock);
    if (waits)
        return RESULT_CODE_UNSPECIFIED;
    timer_cancel(&c->timer);
    return o ? code : not_found(c, req->id);
}

static bool wanted(const pb_ListOperationsRequest *req, const struct operation *o)
{
    if (req->cloud[0] && strcmp(req->cloud, o->cloud) != 0)
        return false;
    if (req->request_id[0] && strcmp(req->request_id, o->request_id) != 0)
        return false;
    bool ok = req->n_states == 0;
    for (size_t i = 0; i < req->n_states; i++)
        ok |= req->states[i] == o->state;
    return ok;
}

/* The newest first; a page's token is the id of its last operation, and ids sort by time. */
pb_ResultCode operation_list(struct call *c)
{
    const pb_ListOperationsRequest *req = (const pb_ListOperationsRequest *)(const void *)c->req;
    pb_ListOperationsResponse *rsp = (pb_ListOperationsResponse *)(void *)c->rsp;
    size_t most = req->page_size;
    if (most == 0 || most > LIST_PAGE_MAX)
        most = LIST_PAGE_MAX;
    rsp->operations = arena_array(&c->arena, most, sizeof(pb_Operation *));
    if (!rsp->operations)
        return result_fail(&c->arena, c->result, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    pthread_mutex_lock(&operations.lock);
    for (struct operation *o = operations.newest; o; o = o->older) {
        if ((req->page_token[0] && strcmp(o->id, req->page_token) >= 0) || !wanted(req, o))
            continue;
        if (rsp->n_operations == most) {
            rsp->next_page_token = rsp->operations[most - 1]->id;
            break;
        }
        pb_Operation *shown = operation_show(&c->arena, o);
        if (!shown)
            break;
        shown->response.len = 0;
        rsp->operations[rsp->n_operations++] = shown;
    }
    pthread_mutex_unlock(&operations.lock);
    return RESULT_CODE_OK;
}

pb_ResultCode operation_cancel(struct call *c)
{
    return result_fail(&c->arena, c->result, RESULT_CODE_NOT_SUPPORTED, "not yet");
}
