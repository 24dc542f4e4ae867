/* RegisterAdapter. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "connection.h"
#include "isobar/result.h"
#include "isobar/uuid.h"
#include "log.h"
#include "registry_private.h"

#define INSTANCES_MAX 10000

static pb_ResultCode fail_store(struct call *c, enum store_outcome outcome)
{
    return result_fail(&c->arena, c->result,
                       outcome == STORE_FULL ? RESULT_CODE_OVERLOADED : RESULT_CODE_INTERNAL_ERROR,
                       "the gateway's store does not take the registration: %s",
                       outcome == STORE_FULL ? "it is full" : "it does not work");
}

/* The first of the clouds that an instance offers too; NULL: none. */
static const char *shared_cloud(const pb_RegisterAdapterRequest *req, const struct registered *r)
{
    for (size_t i = 0; i < req->n_clouds; i++)
        if (registered_offer(r, req->clouds[i]->name))
            return req->clouds[i]->name;
    return NULL;
}

/* Another adapter that offers one of the clouds; one that is there before one that has lapsed. Who
 * has lapsed may come again, and its operations wait for it: at another adapter they would be
 * ordered a second time. */
static const struct registered *rival_of(const pb_RegisterAdapterRequest *req, const char **ret)
{
    struct registered *r, *next;
    const struct registered *lapsed = NULL;

    HASH_ITER (hh, registry.table, r, next) {
        const char *cloud = r->presence != LEFT && strcmp(r->said->name, req->name) != 0
                                ? shared_cloud(req, r)
                                : NULL;
        if (!cloud || (lapsed && r->presence == LAPSED))
            continue;
        *ret = cloud;
        if (r->presence == PRESENT)
            return r;
        lapsed = r;
    }
    return lapsed;
}

static pb_ResultCode fail_rival(struct call *c, const struct registered *rival, const char *cloud)
{
    const char *name = rival->said->name, *id = rival->said->id;

    if (rival->presence == LAPSED)
        return result_fail(&c->arena, c->result, RESULT_CODE_ALREADY_EXISTS,
                           "cloud %s is offered by adapter %s already, whose instance %s/%s has "
                           "lapsed and may come again: offer it under another name, or have an "
                           "administrator deregister that instance",
                           cloud, name, name, id);
    return result_fail(&c->arena, c->result, RESULT_CODE_ALREADY_EXISTS,
                       "cloud %s is offered by adapter %s already: offer it under another name",
                       cloud, name);
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
        code = fail_rival(c, rival, cloud);
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

static pb_ResultCode enter(struct call *c, pb_RegisterAdapterRequest *req)
{
    pb_RegisterAdapterResponse *rsp = (pb_RegisterAdapterResponse *)(void *)c->rsp;
    pb_AdapterRecord record = pb_AdapterRecord_INIT;
    char why[512];

    record.registration = req;
    record.owner = (char *)(uintptr_t)c->principal->name;
    record.ca = (char *)(uintptr_t)(c->principal->ca ? c->principal->ca : "");
    pb_ResultCode code = check_others(c, &record);
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
    return RESULT_CODE_CREATED;
}

pb_ResultCode registry_register(struct call *c)
{
    pb_RegisterAdapterRequest *req = (pb_RegisterAdapterRequest *)(void *)c->req;
    char id[UUID_TEXT_LEN + 1];

    if (!principal_may_register(c->principal, req->name))
        return registry_forbidden(c, req->name);
    pb_ResultCode code = registry_check(c, req);
    if (code != RESULT_CODE_OK)
        return code;
    if (!req->id[0]) {
        uuid7(id);
        req->id = id;
    }
    pthread_mutex_lock(&registry.changing);
    code = enter(c, req);
    pthread_mutex_unlock(&registry.changing);
    return code == RESULT_CODE_CREATED ? registry_answer(c, code) : code;
}
