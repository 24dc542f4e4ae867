/* Operations of the gateway's own: what a delete or a failed create may have left behind is looked
 * for again when all has settled, since lists lag and whoever deletes may die in the middle. Such
 * an operation is recorded together with the end of the one that it follows.
 */
#include <string.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "methods.h"
#include "operation_private.h"

/* How long it is tried. */
#define OWN_NS (24 * 3600 * NS_PER_SEC)

bool operation_is_own(const struct operation *o)
{
    return o->method->policy->kind == KIND_TASK && strcmp(o->principal, GATEWAY_PRINCIPAL) == 0;
}

/* Whose things are to be looked for after the end; NULL where there are none. */
static const char *owner_after(const struct operation *o)
{
    bool deleted = o->maker[0] && o->result->code == RESULT_CODE_DELETED;
    bool failed = operation_creates(o) && o->touched && !result_is_success(o->result->code);
    if (!o->connection->ops->delete_leftover || operation_settle_ns(o) == 0)
        return NULL;
    return deleted ? o->maker : failed ? o->id : NULL;
}

struct operation *operation_clean_up_after(struct operation *o)
{
    const char *owner = owner_after(o);
    struct operation *after = owner ? operation_blank(NULL) : NULL;
    pb_DeleteLeftoverRequest *req =
        after ? arena_message(&after->working, &pb_DeleteLeftoverRequest_desc) : NULL;
    if (!after)
        return NULL; /* without memory it stays a leftover, which the janitor tells */
    after->method = method_find("isobar.v1.OperationService/DeleteLeftover");
    after->connection = o->connection;
    after->cloud = arena_strdup(&after->memory, o->cloud);
    after->adapter = arena_strdup(&after->memory, o->adapter);
    after->principal = GATEWAY_PRINCIPAL;
    after->durable = after->resumed = true;
    after->created_ns = after->updated_ns = clock_wall_ns();
    after->deadline_wall_ns = after->created_ns + OWN_NS;
    after->rsp = arena_message(&after->working, after->method->output);
    after->result = result_new(&after->working);
    if (req) {
        req->cloud = arena_strdup(&after->working, o->cloud);
        req->id = arena_strdup(&after->working, owner);
        after->req = &req->base;
    }
    if (!req || !after->rsp || !after->result || after->working.exhausted ||
        after->memory.exhausted) {
        operation_discard(after);
        return NULL;
    }
    after->snapshot = o->snapshot;
    atomic_fetch_add(&o->snapshot->refs, 1);
    return after;
}

void operation_clean_up(struct operation *o)
{
    pthread_mutex_lock(&operations.lock);
    bool ok = operation_insert(o);
    operations.n_working += ok;
    pthread_mutex_unlock(&operations.lock);
    if (ok)
        operation_later(o, operation_order, operation_settle_ns(o));
    else
        operation_discard(o); /* the next start takes it up */
}
