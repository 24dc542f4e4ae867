/* AdapterService's part of the registry. What stores something runs on the store's lane. */
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "isobar/clock.h"
#include "isobar/message.h"
#include "isobar/result.h"
#include "isobar/uuid.h"
#include "log.h"
#include "operation.h"
#include "registry_private.h"

#define INSTANCES_MAX 10000

/* ---- answering when the change is in force ---- */

/* The call is answered with this code when the main thread has applied what has changed. */
static pb_ResultCode answer_applied(struct call *c, pb_ResultCode code)
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

static pb_ResultCode fail_store(struct call *c, enum store_outcome outcome)
{
    return result_fail(&c->arena, c->result,
                       outcome == STORE_FULL ? RESULT_CODE_OVERLOADED : RESULT_CODE_INTERNAL_ERROR,
                       "the gateway's store does not take the registration: %s",
                       outcome == STORE_FULL ? "it is full" : "it does not work");
}

/* ---- registering ---- */

static pb_ResultCode forbidden(struct call *c, const char *adapter)
{
    return result_fail(&c->arena, c->result, RESULT_CODE_FORBIDDEN,
                       "%s may not register as adapter \"%.64s\": a user of the gateway's "
                       "configuration needs adapters: [%.64s]",
                       c->principal->name, adapter, adapter);
}

/* Another adapter that offers one of the clouds. */
static const struct registered *rival_of(const pb_RegisterAdapterRequest *req, const char **ret)
{
    struct registered *r, *next;

    HASH_ITER (hh, registry.table, r, next) {
        if (r->presence != PRESENT || strcmp(r->said->name, req->name) == 0)
            continue;
        for (size_t i = 0; i < r->said->n_clouds; i++)
            for (size_t k = 0; k < req->n_clouds; k++)
                if (strcmp(r->said->clouds[i]->name, req->clouds[k]->name) == 0) {
                    *ret = req->clouds[k]->name;
                    return r;
                }
    }
    return NULL;
}

/* Whether the table has room for it, and no other is in its way; what it inherits goes into the
 * record. */
static pb_ResultCode check_others(struct call *c, pb_AdapterRecord *record)
{
    const pb_RegisterAdapterRequest *req = record->registration;
    pb_ResultCode code = RESULT_CODE_OK;
    const char *cloud = NULL;

    pthread_mutex_lock(&registry.lock);
    if (HASH_COUNT(registry.table) >= INSTANCES_MAX)
        registry_forget_gone(INT64_MAX);
    const struct registered *before = registry_find(req->name, req->id);
    const struct registered *rival = rival_of(req, &cloud);
    if (before && strcmp(before->owner, c->principal->name) != 0)
        code = result_fail(&c->arena, c->result, RESULT_CODE_FORBIDDEN,
                           "instance %s of adapter %s is another user's: register under a name of "
                           "your own",
                           req->id, req->name);
    else if (rival)
        code = result_fail(&c->arena, c->result, RESULT_CODE_ALREADY_EXISTS,
                           "cloud %s is offered by adapter %s already: offer it under another name",
                           cloud, rival->said->name);
    else if (!before && HASH_COUNT(registry.table) >= INSTANCES_MAX)
        code = result_fail(&c->arena, c->result, RESULT_CODE_OVERLOADED,
                           "the gateway knows %d instances, and takes no more", INSTANCES_MAX);
    if (before && code == RESULT_CODE_OK) {
        /* Draining ends with the process. */
        if (before->set_status == ADAPTER_STATUS_OUT_OF_SERVICE)
            record->status = before->set_status;
        record->weight = before->set_weight;
        if (before->weight_set)
            record->weight_choice_case = ISOBAR__V1__ADAPTER_RECORD__WEIGHT_CHOICE_WEIGHT;
    }
    pthread_mutex_unlock(&registry.lock);
    return code;
}

/* A registration that says the same shares the kind, so that connections need not change. */
static void share_kind(struct registered *fresh)
{
    struct registered *r, *next;

    HASH_ITER (hh, registry.table, r, next)
        if (strcmp(r->said->name, fresh->said->name) == 0 && kind_same(r->kind, fresh->kind)) {
            kind_put(fresh->kind);
            fresh->kind = kind_hold(r->kind);
            return;
        }
}

/* Put it in the table, in the place of one that was there; takes it. */
static bool insert(struct registered *fresh)
{
    pthread_mutex_lock(&registry.lock);
    struct registered *before = registry_find(fresh->said->name, fresh->said->id);
    share_kind(fresh);
    if (before)
        HASH_DELETE(hh, registry.table, before);
    HASH_ADD_KEYPTR(hh, registry.table, fresh->key, strlen(fresh->key), fresh);
    bool ok = HASH_ADDED(hh, fresh);
    if (ok)
        registry_touch(fresh);
    registry.dirty = true;
    pthread_mutex_unlock(&registry.lock);
    registered_free(before);
    if (!ok)
        registered_free(fresh);
    return ok;
}

static void warn_configured(struct call *c, const pb_RegisterAdapterRequest *req)
{
    const struct config *config = c->snapshot->config;

    for (size_t i = 0; i < req->n_clouds; i++)
        for (size_t k = 0; k < config->n_clouds; k++)
            if (strcmp(config->clouds[k].name, req->clouds[i]->name) == 0 &&
                (config->clouds[k].ops || strcmp(config->clouds[k].adapter, req->name) != 0))
                result_add_warning(&c->arena, c->result,
                                   "cloud %s is another one here: a cloud of the configuration may "
                                   "name yours by {adapter: %s, version: \"*\", cloud: %s}",
                                   req->clouds[i]->name, req->name, req->clouds[i]->name);
}

pb_ResultCode registry_register(struct call *c)
{
    pb_RegisterAdapterRequest *req = (pb_RegisterAdapterRequest *)(void *)c->req;
    pb_RegisterAdapterResponse *rsp = (pb_RegisterAdapterResponse *)(void *)c->rsp;
    pb_AdapterRecord record = pb_AdapterRecord_INIT;
    char id[UUID_TEXT_LEN + 1], why[512];

    if (!principal_may_register(c->principal, req->name))
        return forbidden(c, req->name);
    pb_ResultCode code = registry_check(c, req);
    if (code != RESULT_CODE_OK)
        return code;
    if (!req->id[0]) {
        uuid7(id);
        req->id = id;
    }
    record.registration = req;
    record.owner = (char *)(uintptr_t)c->principal->name;
    record.ca = (char *)(uintptr_t)(c->principal->ca ? c->principal->ca : "");
    code = check_others(c, &record);
    if (code != RESULT_CODE_OK)
        return code;
    struct registered *fresh = registered_new(&record, why);
    if (!fresh) {
        result_add_violation(&c->arena, c->result, "endpoints", "%s", why);
        return result_fail(&c->arena, c->result, RESULT_CODE_BAD_REQUEST_DATA, "endpoints: %s",
                           why);
    }
    enum store_outcome outcome = registered_store(fresh);
    if (outcome != STORE_DONE) {
        registered_free(fresh);
        return fail_store(c, outcome);
    }
    log_event(LOG_INFO, "adapter registered", "adapter", req->name, "instance", fresh->said->id,
              "version", req->version, "principal", c->principal->name, "endpoint",
              req->endpoints[0], NULL);
    warn_configured(c, req);
    rsp->lease_ms = LEASE_MS;
    rsp->heartbeat_ms = HEARTBEAT_MS;
    rsp->instance = registry_show_instance(&c->arena, fresh);
    if (!insert(fresh))
        return result_fail(&c->arena, c->result, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    return answer_applied(c, RESULT_CODE_CREATED);
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
              : forbidden(c, name);
        /* Its own that is not known any more: it is to register again. */
        if (!r && principal_may_register(c->principal, name))
            *ret_code =
                result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                            "no instance \"%.64s\" of adapter \"%.64s\" is registered", id, name);
        return NULL;
    }
    if (r && r->presence == PRESENT)
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

    pthread_mutex_lock(&registry.lock);
    struct registered *r = find_own(c, req->name, req->id, &code);
    if (r) {
        key = arena_strdup(&c->arena, r->key);
        r->presence = LEFT;
        r->gone_ns = clock_mono_ns();
        registry_touch(r);
    }
    pthread_mutex_unlock(&registry.lock);
    if (!r)
        return code;
    struct store_change drop = {.key = key};
    struct store_txn txn = {.changes = &drop, .n_changes = 1};
    /* Where that fails, its lease ends the record. */
    if (store_commit(registry.store, &txn) != STORE_DONE)
        result_add_warning(&c->arena, c->result, "the store keeps it until its lease ends");
    log_event(LOG_INFO, "adapter deregistered", "adapter", req->name, "instance", req->id, NULL);
    return answer_applied(c, RESULT_CODE_DELETED);
}

/* Change what is set for an instance, durably. */
static pb_ResultCode set(struct call *c, const pb_SetAdapterStatusRequest *req,
                         pb_AdapterInstance **ret)
{
    pb_ResultCode code = RESULT_CODE_OK;
    bool weighs =
        req->weight_choice_case == ISOBAR__V1__SET_ADAPTER_STATUS_REQUEST__WEIGHT_CHOICE_WEIGHT;

    pthread_mutex_lock(&registry.lock);
    struct registered *r = find_own(c, req->name, req->id, &code);
    pb_AdapterRecord record = pb_AdapterRecord_INIT;
    if (r) {
        if (req->status)
            r->set_status = req->status;
        if (weighs) {
            r->weight_set = true;
            r->set_weight = req->weight;
        }
        registry_touch(r);
        *ret = registry_show_instance(&c->arena, r);
        record.registration =
            (pb_RegisterAdapterRequest *)(void *)message_copy(&c->arena, &r->said->base);
        record.owner = arena_strdup(&c->arena, r->owner);
        record.registered_at = operation_time(&c->arena, r->registered_ns);
        record.status = r->set_status;
        record.weight = r->set_weight;
        if (r->weight_set)
            record.weight_choice_case = ISOBAR__V1__ADAPTER_RECORD__WEIGHT_CHOICE_WEIGHT;
    }
    struct registered stored = {.said = record.registration,
                                .key = r ? arena_strdup(&c->arena, r->key) : NULL,
                                .owner = record.owner,
                                .ca = r ? arena_strdup(&c->arena, r->ca) : NULL,
                                .registered_ns = r ? r->registered_ns : 0,
                                .set_status = record.status,
                                .weight_set = r && r->weight_set,
                                .set_weight = record.weight,
                                .lease = r ? r->lease : 0};
    pthread_mutex_unlock(&registry.lock);
    if (!r)
        return code;
    if (!stored.said || !*ret || registered_store(&stored) != STORE_DONE)
        result_add_warning(&c->arena, c->result,
                           "the store has not taken it: a restart of the gateway forgets it");
    return RESULT_CODE_OK;
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
    return code == RESULT_CODE_OK ? answer_applied(c, RESULT_CODE_CHANGED) : code;
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
