/* OperationService. What has not ended is shown from memory, all else from the store; these run on
 * the store's lane, since reading may wait for the disk.
 */
#include <string.h>

#include "dispatch.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "list.h"
#include "operation_private.h"

/* Records that are read at a time, while those are sought that fit a list's filters. */
#define CHUNK 256

Google__Protobuf__Timestamp *operation_time(struct arena *a, int64_t wall_ns)
{
    Google__Protobuf__Timestamp *t = arena_message(a, &google__protobuf__timestamp__descriptor);
    if (t) {
        t->seconds = wall_ns / NS_PER_SEC;
        t->nanos = (int32_t)(wall_ns % NS_PER_SEC);
    }
    return t;
}

pb_Result *operation_result(struct arena *a, const struct operation *o)
{
    return (pb_Result *)(void *)protobuf_c_message_unpack(&pb_Result_desc, arena_allocator(a),
                                                          o->result_len, o->result_data);
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
    shown->created_at = operation_time(a, o->created_ns);
    shown->updated_at = operation_time(a, o->updated_ns);
    shown->attempt = o->attempt;
    shown->cancelled = o->cancelled;
    if (!o->ended)
        return shown;
    shown->result = operation_result(a, o);
    shown->response.data = arena_memdup(a, o->response_data, o->response_len);
    shown->response.len = shown->response.data ? o->response_len : 0;
    return shown;
}

/* One that has not ended, as memory has it; NULL where there is none of this id. */
static pb_Operation *show_open(struct call *c, const char *id)
{
    pthread_mutex_lock(&operations.lock);
    struct operation *o = operation_find(id);
    pb_Operation *shown = o ? operation_show(&c->arena, o) : NULL;
    pthread_mutex_unlock(&operations.lock);
    return shown;
}

/* From memory, or from the store; NULL, with the result filled in, where there is none. */
static pb_Operation *look_up(struct call *c, const char *id)
{
    bool failed;
    pb_Operation *shown = show_open(c, id);
    if (shown)
        return shown;
    pb_OperationRecord *r = journal_get(&c->arena, id, &failed);
    if (r)
        return r->operation;
    if (failed) {
        result_fail(&c->arena, c->result, RESULT_CODE_UNAVAILABLE,
                    "the gateway's store does not answer: try again a little later");
        return NULL;
    }
    result_add_violation(&c->arena, c->result, "id", "is not known here");
    result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                "no operation \"%s\" is known; those that have ended are kept for %lld hours", id,
                (long long)(operations.keep_ns / NS_PER_SEC / 3600));
    return NULL;
}

pb_ResultCode operation_get(struct call *c)
{
    const pb_GetOperationRequest *req = (const pb_GetOperationRequest *)(const void *)c->req;
    pb_GetOperationResponse *rsp = (pb_GetOperationResponse *)(void *)c->rsp;
    rsp->operation = look_up(c, req->id);
    return rsp->operation ? RESULT_CODE_OK : c->result->code;
}

pb_ResultCode operation_wait(struct call *c)
{
    const pb_WaitOperationRequest *req = (const pb_WaitOperationRequest *)(const void *)c->req;
    pb_WaitOperationResponse *rsp = (pb_WaitOperationResponse *)(void *)c->rsp;
    if (!timer_arm(&c->timer, c->deadline_ns, operation_wait_over))
        return result_fail(&c->arena, c->result, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    pthread_mutex_lock(&operations.lock);
    struct operation *o = operation_find(req->id);
    bool waits = o && !operations.stopping && !c->wait_over && operation_attach(o, c);
    pthread_mutex_unlock(&operations.lock);
    if (waits)
        return RESULT_CODE_UNSPECIFIED;
    timer_cancel(&c->timer);
    rsp->operation = look_up(c, req->id);
    if (!rsp->operation)
        return c->result->code;
    return rsp->operation->result ? RESULT_CODE_OK : RESULT_CODE_ACCEPTED;
}

/* ---- lists ---- */

static bool wanted(const pb_ListOperationsRequest *req, const pb_Operation *o)
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

/* A record as it is to be shown: from memory where it is there, without the response. */
static pb_Operation *show_item(struct call *c, const struct store_item *item)
{
    const char *id = strchr(item->key, '/') + 1;
    pb_Operation *shown = show_open(c, id);
    if (!shown) {
        pb_OperationRecord *r = (pb_OperationRecord *)(void *)protobuf_c_message_unpack(
            &pb_OperationRecord_desc, arena_allocator(&c->arena), item->len, item->data);
        shown = r ? r->operation : NULL;
    }
    if (shown)
        shown->response.len = 0;
    return shown;
}

struct listing {
    const pb_ListOperationsRequest *req;
    pb_ListOperationsResponse *rsp;
    size_t most;
};

/* Take those of a chunk that fit; false where the page is full. */
static bool take_chunk(struct call *c, struct listing *l, const struct store_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pb_Operation *shown = show_item(c, &items[i]);
        if (!shown || !wanted(l->req, shown))
            continue;
        if (l->rsp->n_operations == l->most) {
            l->rsp->next_page_token = l->rsp->operations[l->most - 1]->id;
            return false;
        }
        l->rsp->operations[l->rsp->n_operations++] = shown;
    }
    return true;
}

static pb_ResultCode list_from_store(struct call *c, struct listing *l)
{
    const char *to = store_prefix_end(&c->arena, KEY_OPERATION);
    size_t n = CHUNK;
    if (l->req->page_token[0])
        to = arena_printf(&c->arena, KEY_OPERATION "%s", l->req->page_token);
    size_t chunk = l->most + 1 < CHUNK ? l->most + 1 : CHUNK;
    for (n = chunk; n == chunk;) {
        struct store_item *items = NULL;
        struct store_range range = {
            .from = KEY_OPERATION, .to = to, .backwards = true, .limit = chunk};
        if (!store_list(operations.store, &c->arena, &range, &items, &n))
            return result_fail(&c->arena, c->result, RESULT_CODE_UNAVAILABLE,
                               "the gateway's store does not answer: try again a little later");
        if (!take_chunk(c, l, items, n))
            break;
        if (n > 0)
            to = items[n - 1].key;
    }
    return RESULT_CODE_OK;
}

/* What has not ended is all in memory: nothing is read. */
static bool only_open(const pb_ListOperationsRequest *req)
{
    bool done = req->n_states == 0;
    for (size_t i = 0; i < req->n_states; i++)
        done |= req->states[i] == OPERATION_STATE_DONE;
    return !done;
}

static pb_ResultCode list_from_memory(struct call *c, struct listing *l)
{
    pthread_mutex_lock(&operations.lock);
    for (struct operation *o = operations.newest; o; o = o->older) {
        if (l->req->page_token[0] && strcmp(o->id, l->req->page_token) >= 0)
            continue;
        pb_Operation *shown = operation_show(&c->arena, o);
        if (!shown || !wanted(l->req, shown))
            continue;
        if (l->rsp->n_operations == l->most) {
            l->rsp->next_page_token = l->rsp->operations[l->most - 1]->id;
            break;
        }
        shown->response.len = 0;
        l->rsp->operations[l->rsp->n_operations++] = shown;
    }
    pthread_mutex_unlock(&operations.lock);
    return RESULT_CODE_OK;
}

/* The one that a request id is bound to, for the principal who asks; nothing else is read. */
static pb_ResultCode list_by_request(struct call *c, struct listing *l)
{
    struct arena *a = &c->arena;
    char *prefix = (char *)(uintptr_t)journal_key(a, l->req->request_id, "");
    struct store_item *items = NULL;
    size_t n = 0;
    bool failed;
    struct store_range range = {
        .from = prefix, .to = store_prefix_end(a, prefix), .limit = l->most};
    if (!store_list(operations.store, a, &range, &items, &n))
        return result_fail(a, c->result, RESULT_CODE_UNAVAILABLE,
                           "the gateway's store does not answer: try again a little later");
    for (size_t i = 0; i < n; i++) {
        char *id = arena_strndup(a, (const char *)items[i].data, items[i].len);
        pb_Operation *shown = show_open(c, id);
        pb_OperationRecord *r = shown ? NULL : journal_get(a, id, &failed);
        if (r)
            shown = r->operation;
        if (!shown || !wanted(l->req, shown))
            continue;
        shown->response.len = 0;
        l->rsp->operations[l->rsp->n_operations++] = shown;
    }
    return RESULT_CODE_OK;
}

/* The newest first; a page's token is the id of its last operation, and ids sort by time. */
pb_ResultCode operation_list(struct call *c)
{
    const pb_ListOperationsRequest *req = (const pb_ListOperationsRequest *)(const void *)c->req;
    struct listing l = {.req = req, .rsp = (pb_ListOperationsResponse *)(void *)c->rsp};
    l.most = req->page_size;
    if (l.most == 0 || l.most > LIST_PAGE_MAX)
        l.most = LIST_PAGE_MAX;
    l.rsp->operations = arena_array(&c->arena, l.most, sizeof(pb_Operation *));
    if (!l.rsp->operations)
        return result_fail(&c->arena, c->result, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    if (req->request_id[0])
        return list_by_request(c, &l);
    /* One that has been forgotten has its place all the same. */
    if (req->page_token[0] &&
        (strlen(req->page_token) != UUID_TEXT_LEN || !uuid_is(req->page_token)))
        return list_fail_token(&c->arena, c->result);
    return only_open(req) ? list_from_memory(c, &l) : list_from_store(c, &l);
}

/* ---- cancelling ---- */

bool operations_cancel(const char *id)
{
    pthread_mutex_lock(&operations.lock);
    struct operation *o = operation_find(id);
    bool ok = o && !o->finished && !o->ordered;
    bool stands = ok && o->cancelled;
    pthread_mutex_unlock(&operations.lock);
    if (!ok || stands || !journal_cancel(id))
        return stands;
    /* Durable first: what was told to be taken back is taken back after a restart too. */
    pthread_mutex_lock(&operations.lock);
    o = operation_find(id);
    ok = o && !o->finished && !o->ordered;
    if (ok) {
        o->cancelled = true;
        cancel_raise(&o->given_up);
    }
    pthread_mutex_unlock(&operations.lock);
    if (!ok)
        journal_uncancel(id);
    return ok;
}

static pb_ResultCode too_late(struct call *c, const pb_Operation *o)
{
    c->result->side_effects = SIDE_EFFECTS_NONE;
    if (o->result)
        return result_fail(&c->arena, c->result, RESULT_CODE_FAILED_PRECONDITION,
                           "the operation has ended already");
    if (o->state == OPERATION_STATE_RUNNING)
        return result_fail(&c->arena, c->result, RESULT_CODE_FAILED_PRECONDITION,
                           "the cloud has taken the order: what it made can be deleted");
    return result_fail(&c->arena, c->result, RESULT_CODE_FAILED_PRECONDITION,
                       "the order may have been sent, and one of this kind cannot be taken back");
}

/* Whether it is a create, or has not been sent. With the lock held. */
static bool can_cancel(const struct operation *o)
{
    return operation_creates(o) || (!o->sending && o->attempt == 0 && !o->resumed);
}

pb_ResultCode operation_cancel(struct call *c)
{
    const pb_CancelOperationRequest *req = (const pb_CancelOperationRequest *)(const void *)c->req;
    pb_CancelOperationResponse *rsp = (pb_CancelOperationResponse *)(void *)c->rsp;
    pthread_mutex_lock(&operations.lock);
    struct operation *o = operation_find(req->id);
    bool can = o && can_cancel(o);
    pthread_mutex_unlock(&operations.lock);
    bool done = can && operations_cancel(req->id);
    pb_Operation *shown = look_up(c, req->id);
    if (!shown)
        return c->result->code;
    if (!done)
        return too_late(c, shown);
    rsp->operation = shown;
    return RESULT_CODE_CHANGED;
}
