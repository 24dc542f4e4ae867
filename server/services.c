#include "services.h"

#include <string.h>

#include "isobar/result.h"
#include "words.h"

/* ---- clouds ---- */

static const pb_ManifestParameter *setting_of(const struct connection *c, const char *name)
{
    const pb_Manifest *m = c->ops->manifest();
    for (size_t i = 0; i < m->n_settings; i++)
        if (strcmp(m->settings[i]->name, name) == 0)
            return m->settings[i];
    return NULL;
}

static pb_Cloud_SettingsEntry **show_settings(struct arena *a, const struct connection *c,
                                              size_t *ret_n)
{
    size_t n = c->config->n_settings;
    pb_Cloud_SettingsEntry **all = arena_array(a, n + 1, sizeof(*all));
    *ret_n = 0;
    for (size_t i = 0; all && i < n; i++) {
        const struct config_pair *pair = &c->config->settings[i];
        const pb_ManifestParameter *m = setting_of(c, pair->name);
        pb_Cloud_SettingsEntry *e = arena_message(a, &pb_Cloud_SettingsEntry_desc);
        if (!e)
            break;
        e->key = arena_strdup(a, pair->name);
        e->value = arena_strdup(a, m && m->secret ? "(hidden)" : pair->value);
        all[(*ret_n)++] = e;
    }
    return all;
}

static pb_Cloud *show_cloud(struct arena *a, struct connection *c)
{
    struct lane_stats stats;
    lane_stats(c->lane, &stats);
    pb_Cloud *shown = arena_message(a, &pb_Cloud_desc);
    if (!shown)
        return NULL;
    shown->name = arena_strdup(a, c->name);
    shown->adapter = arena_strdup(a, c->ops->name);
    shown->adapter_version = arena_strdup(a, c->ops->version);
    shown->in_flight = stats.in_flight;
    shown->max_in_flight = stats.max_in_flight;
    shown->queued = stats.queued;
    shown->max_queued = stats.max_queued;
    shown->calls = atomic_load_explicit(&c->calls, memory_order_relaxed);
    shown->failures = atomic_load_explicit(&c->failures, memory_order_relaxed);
    shown->settings = show_settings(a, c, &shown->n_settings);
    shown->defaults = arena_array(a, c->config->n_defaults + 1, sizeof(*shown->defaults));
    for (size_t i = 0; shown->defaults && i < c->config->n_defaults; i++) {
        pb_Cloud_DefaultsEntry *e = arena_message(a, &pb_Cloud_DefaultsEntry_desc);
        if (!e)
            break;
        e->key = arena_strdup(a, c->config->defaults[i].name);
        e->value = arena_strdup(a, c->config->defaults[i].value);
        shown->defaults[shown->n_defaults++] = e;
    }
    return shown;
}

pb_ResultCode cloud_list(struct call *c)
{
    const pb_ListCloudsRequest *req = (const pb_ListCloudsRequest *)(const void *)c->req;
    pb_ListCloudsResponse *rsp = (pb_ListCloudsResponse *)(void *)c->rsp;
    struct snapshot *s = c->snapshot;
    size_t most = req->page_size ? req->page_size : s->n;
    rsp->clouds = arena_array(&c->arena, s->n + 1, sizeof(pb_Cloud *));
    bool started = !req->page_token[0];
    for (size_t i = 0; rsp->clouds && i < s->n; i++) {
        if (started && rsp->n_clouds == most) {
            rsp->next_page_token = rsp->clouds[most - 1]->name;
            break;
        }
        pb_Cloud *shown = started ? show_cloud(&c->arena, s->connections[i]) : NULL;
        if (shown)
            rsp->clouds[rsp->n_clouds++] = shown;
        started |= strcmp(s->connections[i]->name, req->page_token) == 0;
    }
    return RESULT_CODE_OK;
}

pb_ResultCode cloud_get(struct call *c)
{
    const pb_GetCloudRequest *req = (const pb_GetCloudRequest *)(const void *)c->req;
    pb_GetCloudResponse *rsp = (pb_GetCloudResponse *)(void *)c->rsp;
    struct connection *found = snapshot_find(c->snapshot, req->cloud);
    if (!found)
        return fail_unknown_cloud(c, req->cloud);
    rsp->cloud = show_cloud(&c->arena, found);
    return RESULT_CODE_OK;
}

/* ---- adapters ---- */

/* With its manifest, whose methods are those that have a slot. */
static pb_Adapter *show_adapter(struct arena *a, const struct adapter_ops *ops, bool whole)
{
    pb_Adapter *shown = arena_message(a, &pb_Adapter_desc);
    if (!shown)
        return NULL;
    shown->name = arena_strdup(a, ops->name);
    shown->description = arena_strdup(a, ops->description);
    shown->version = arena_strdup(a, ops->version);
    if (!whole)
        return shown;
    size_t n;
    const struct method *all = methods_all(&n);
    shown->manifest = arena_memdup(a, ops->manifest(), sizeof(pb_Manifest));
    char **names = arena_array(a, n + 1, sizeof(char *));
    if (!shown->manifest || !names)
        return shown;
    shown->manifest->methods = names;
    shown->manifest->n_methods = 0;
    for (size_t i = 0; i < n; i++)
        if (method_supported(&all[i], ops))
            names[shown->manifest->n_methods++] = arena_strdup(a, all[i].full_name);
    return shown;
}

static size_t adapter_names(struct arena *a, const char ***ret_names)
{
    size_t n = 0;
    while (adapters_builtin[n])
        n++;
    *ret_names = arena_array(a, n + 1, sizeof(char *));
    for (size_t i = 0; *ret_names && i < n; i++)
        (*ret_names)[i] = adapters_builtin[i]->name;
    return *ret_names ? n : 0;
}

pb_ResultCode adapter_list(struct call *c)
{
    const pb_ListAdaptersRequest *req = (const pb_ListAdaptersRequest *)(const void *)c->req;
    pb_ListAdaptersResponse *rsp = (pb_ListAdaptersResponse *)(void *)c->rsp;
    const char **names;
    size_t n = adapter_names(&c->arena, &names);
    size_t most = req->page_size ? req->page_size : n;
    rsp->adapters = arena_array(&c->arena, n + 1, sizeof(pb_Adapter *));
    bool started = !req->page_token[0];
    for (size_t i = 0; rsp->adapters && i < n; i++) {
        if (started && rsp->n_adapters == most) {
            rsp->next_page_token = rsp->adapters[most - 1]->name;
            break;
        }
        pb_Adapter *shown = started ? show_adapter(&c->arena, adapters_builtin[i], false) : NULL;
        if (shown)
            rsp->adapters[rsp->n_adapters++] = shown;
        started |= strcmp(names[i], req->page_token) == 0;
    }
    return RESULT_CODE_OK;
}

pb_ResultCode adapter_describe(struct call *c)
{
    const pb_DescribeAdapterRequest *req = (const pb_DescribeAdapterRequest *)(const void *)c->req;
    pb_DescribeAdapterResponse *rsp = (pb_DescribeAdapterResponse *)(void *)c->rsp;
    const char **names;
    size_t n = adapter_names(&c->arena, &names);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], req->name) == 0) {
            rsp->adapter = show_adapter(&c->arena, adapters_builtin[i], true);
            return RESULT_CODE_OK;
        }
    }
    result_add_violation(&c->arena, c->result, "name", "is not known here");
    return result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND, "no adapter \"%s\"%s",
                       req->name, near_words(&c->arena, req->name, names, n));
}

/* ---- health ---- */

pb_ResultCode health_check(struct call *c)
{
    const pb_HealthCheckRequest *req = (const pb_HealthCheckRequest *)(const void *)c->req;
    pb_HealthCheckResponse *rsp = (pb_HealthCheckResponse *)(void *)c->rsp;
    size_t n;
    const struct method *all = methods_all(&n);
    bool known = !req->service[0];
    for (size_t i = 0; i < n && !known; i++)
        known = strcmp(all[i].policy->service, req->service) == 0;
    if (!known)
        return result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND, "no service \"%s\"",
                           req->service);
    rsp->status =
        dispatch_is_draining() ? HEALTH_CHECK_RESPONSE_NOT_SERVING : HEALTH_CHECK_RESPONSE_SERVING;
    return RESULT_CODE_OK;
}
