/* AdapterService's part of the registry. What stores something runs on the store's lane. */
#include <string.h>

#include "dispatch.h"
#include "isobar/clock.h"
#include "isobar/result.h"
#include "log.h"
#include "registry_private.h"

/* ---- answering when the change is in force ---- */

/* The call is answered with this code when the main thread has applied what has changed. */
pb_ResultCode registry_answer(struct call *c, pb_ResultCode code)
{
    c->result->code = code;
    pthread_mutex_lock(&registry.lock);
    bool stopping = registry.stopping;
    if (!stopping) {
        c->next = registry.waiting;
        registry.waiting = c;
        registry.dirty = true;
    }
    pthread_mutex_unlock(&registry.lock);
    if (stopping)
        return code;
    registry.wake();
    return RESULT_CODE_UNSPECIFIED;
}

/* The call waits until something has happened: registry_tick() ends it. */
static pb_ResultCode park(struct call *c)
{
    pthread_mutex_lock(&registry.lock);
    bool stopping = registry.stopping;
    if (!stopping) {
        c->next = registry.parked;
        registry.parked = c;
    }
    pthread_mutex_unlock(&registry.lock);
    if (stopping)
        return c->result->code;
    registry.wake();
    return RESULT_CODE_UNSPECIFIED;
}

pb_ResultCode registry_forbidden(struct call *c, const char *adapter)
{
    return result_fail(&c->arena, c->result, RESULT_CODE_FORBIDDEN,
                       "%s may not register as adapter \"%.64s\": a user of the gateway's "
                       "configuration needs adapters: [%.64s]",
                       c->principal->name, adapter, adapter);
}

/* ---- what is said of one that is there ---- */

/* With the lock held: the instance, where this caller may speak for it; NULL, with the code. */
static struct registered *find_own(struct call *c, const char *name, const char *id,
                                   pb_ResultCode *ret_code)
{
    struct registered *r = registry_find(name, id);
    bool own = r && principal_may_register(c->principal, name) &&
               strcmp(r->owner, c->principal->name) == 0;

    if (!own && c->principal->role < ROLE_ADMIN) {
        *ret_code =
            r ? result_fail(&c->arena, c->result, RESULT_CODE_FORBIDDEN,
                            "instance %s of adapter %s is not %s's", id, name, c->principal->name)
              : registry_forbidden(c, name);
        /* Its own that is not known any more: it is to register again. */
        if (!r && principal_may_register(c->principal, name))
            *ret_code =
                result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                            "no instance \"%.64s\" of adapter \"%.64s\" is registered", id, name);
        return NULL;
    }
    /* An administrator may take the clouds from one that has lapsed. */
    bool takes = c->rsp->descriptor == &pb_DeregisterAdapterResponse_desc &&
                 c->principal->role >= ROLE_ADMIN;
    if (r && (r->presence == PRESENT || (takes && r->presence == LAPSED)))
        return r;
    *ret_code = result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                            "no instance \"%.64s\" of adapter \"%.64s\" is registered%s", id, name,
                            r ? " any more" : "");
    return NULL;
}

pb_ResultCode registry_renew(struct call *c)
{
    const pb_RenewAdapterRequest *req = (const pb_RenewAdapterRequest *)(const void *)c->req;
    pb_RenewAdapterResponse *rsp = (pb_RenewAdapterResponse *)(void *)c->rsp;
    pb_ResultCode code = RESULT_CODE_OK;

    pthread_mutex_lock(&registry.lock);
    const struct registered *r = find_own(c, req->name, req->id, &code);
    int64_t lease = r ? r->lease : 0;
    pthread_mutex_unlock(&registry.lock);
    if (!r)
        return code;
    if (!store_lease_renew(registry.store, lease))
        return result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                           "the lease of instance %s has ended: register again", req->id);
    pthread_mutex_lock(&registry.lock);
    struct registered *again = registry_find(req->name, req->id);
    if (again) {
        again->heard_ns = clock_mono_ns();
        rsp->status = registry_status(again);
    }
    pthread_mutex_unlock(&registry.lock);
    return RESULT_CODE_OK;
}

pb_ResultCode registry_deregister(struct call *c)
{
    const pb_DeregisterAdapterRequest *req =
        (const pb_DeregisterAdapterRequest *)(const void *)c->req;
    pb_ResultCode code = RESULT_CODE_OK;
    char *key = NULL;

    pthread_mutex_lock(&registry.changing);
    pthread_mutex_lock(&registry.lock);
    struct registered *r = find_own(c, req->name, req->id, &code);
    if (r) {
        key = arena_strdup(&c->arena, r->key);
        r->presence = LEFT;
        r->gone_ns = clock_mono_ns();
        registry_touch(r);
    }
    pthread_mutex_unlock(&registry.lock);
    struct store_change drop = {.key = key};
    struct store_txn txn = {.changes = &drop, .n_changes = 1};
    bool dropped = r && store_commit(registry.store, &txn) == STORE_DONE;
    pthread_mutex_unlock(&registry.changing);
    if (!r)
        return code;
    if (!dropped) /* its lease ends the record */
        result_add_warning(&c->arena, c->result, "the store keeps it until its lease ends");
    log_event(LOG_INFO, "adapter deregistered", "adapter", req->name, "instance", req->id, NULL);
    return registry_answer(c, RESULT_CODE_DELETED);
}

/* Change what is set for an instance, durably. With `changing` held. */
static pb_ResultCode set_one(struct call *c, const pb_SetAdapterStatusRequest *req,
                             pb_AdapterInstance **ret)
{
    pb_ResultCode code = RESULT_CODE_OK;
    bool weighs =
        req->weight_choice_case == ISOBAR__V1__SET_ADAPTER_STATUS_REQUEST__WEIGHT_CHOICE_WEIGHT;

    pthread_mutex_lock(&registry.lock);
    struct registered *r = find_own(c, req->name, req->id, &code);
    if (r) {
        /* What somebody has taken out of service drains when it ends, and stays out. */
        bool drains = c->rsp->descriptor == &pb_DrainAdapterResponse_desc;
        if (req->status && !(drains && r->set_status == ADAPTER_STATUS_OUT_OF_SERVICE))
            r->set_status = req->status;
        if (weighs) {
            r->weight_set = true;
            r->set_weight = req->weight;
        }
        registry_touch(r);
        *ret = registry_show_instance(&c->arena, r);
    }
    pthread_mutex_unlock(&registry.lock);
    if (!r)
        return code;
    /* It stays: what takes an instance out of the table is a change too. */
    if (!*ret || registered_store(r) != STORE_DONE)
        result_add_warning(&c->arena, c->result,
                           "the store has not taken it: a restart of the gateway forgets it");
    return RESULT_CODE_OK;
}

static pb_ResultCode set(struct call *c, const pb_SetAdapterStatusRequest *req,
                         pb_AdapterInstance **ret)
{
    pthread_mutex_lock(&registry.changing);
    pb_ResultCode code = set_one(c, req, ret);
    pthread_mutex_unlock(&registry.changing);
    return code;
}

pb_ResultCode registry_set_status(struct call *c)
{
    const pb_SetAdapterStatusRequest *req =
        (const pb_SetAdapterStatusRequest *)(const void *)c->req;
    pb_SetAdapterStatusResponse *rsp = (pb_SetAdapterStatusResponse *)(void *)c->rsp;

    if (req->weight > WEIGHT_MAX) {
        result_add_violation(&c->arena, c->result, "weight", "is more than %d", WEIGHT_MAX);
        return result_fail(&c->arena, c->result, RESULT_CODE_BAD_REQUEST_DATA,
                           "weight is %u, and at most %d is allowed", req->weight, WEIGHT_MAX);
    }
    pb_ResultCode code = set(c, req, &rsp->instance);
    return code == RESULT_CODE_OK ? registry_answer(c, RESULT_CODE_CHANGED) : code;
}

/* Which waits in turn: when it is in force, then until nothing is there any more. */
pb_ResultCode registry_drain(struct call *c)
{
    const pb_DrainAdapterRequest *req = (const pb_DrainAdapterRequest *)(const void *)c->req;
    pb_DrainAdapterResponse *rsp = (pb_DrainAdapterResponse *)(void *)c->rsp;
    pb_SetAdapterStatusRequest drain = pb_SetAdapterStatusRequest_INIT;

    drain.name = req->name;
    drain.id = req->id;
    drain.status = ADAPTER_STATUS_DRAINING;
    pb_ResultCode code = set(c, &drain, &rsp->instance);
    if (code != RESULT_CODE_OK)
        return code;
    c->result->code = RESULT_CODE_ACCEPTED;
    return park(c);
}

pb_ResultCode registry_watch(struct call *c)
{
    const pb_WatchAdaptersRequest *req = (const pb_WatchAdaptersRequest *)(const void *)c->req;
    pb_WatchAdaptersResponse *rsp = (pb_WatchAdaptersResponse *)(void *)c->rsp;

    pthread_mutex_lock(&registry.lock);
    /* What has been forgotten since then cannot be told any more. */
    rsp->complete =
        req->after == 0 || req->after < registry.forgotten || req->after > registry.revision;
    bool now = rsp->complete || registry.stopping;
    rsp->revision = registry.revision;
    if (now)
        rsp->n_adapters =
            registry_gather(&c->arena, req->name, rsp->complete ? 0 : req->after, &rsp->adapters);
    pthread_mutex_unlock(&registry.lock);
    c->result->code = RESULT_CODE_OK;
    return now ? RESULT_CODE_OK : park(c);
}
