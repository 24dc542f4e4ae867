#include "services.h"

#include <string.h>

#include "config.h"
#include "list.h"
#include "registrar.h"
#include "registry.h"
#include "words.h"

/* ---- clouds ---- */

static const pb_ManifestParameter *setting_of(const struct connection *c, const char *name)
{
    const pb_Manifest *m = c->kind->manifest;
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
    shown->adapter = arena_strdup(a, c->kind->name);
    shown->adapter_version = arena_strdup(a, c->kind->version);
    shown->traits = connection_traits(a, c);
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

/* A page token names a cloud. What is offered comes and goes, but is in order: the next page begins
 * behind the place of one that has gone. */
#define TOKEN_OFFERED "offered/"

static bool is_offered(const struct connection *c)
{
    return c->config == &c->offered;
}

/* The first cloud behind a token; false: it is none. */
static bool cloud_behind(const struct snapshot *s, const char *token, size_t *ret)
{
    size_t i = 0, prefix = strlen(TOKEN_OFFERED);
    bool offered = strncmp(token, TOKEN_OFFERED, prefix) == 0;
    const char *name = offered ? token + prefix : token;

    if (offered) {
        while (i < s->n &&
               (!is_offered(s->connections[i]) || strcmp(s->connections[i]->name, name) <= 0))
            i++;
        *ret = i;
        return config_is_name(name);
    }
    while (i < s->n &&
           (is_offered(s->connections[i]) || strcmp(s->connections[i]->name, name) != 0))
        i++;
    *ret = i + 1;
    return i < s->n;
}

static char *cloud_token(struct arena *a, const struct connection *c)
{
    return arena_printf(a, "%s%s", is_offered(c) ? TOKEN_OFFERED : "", c->name);
}

pb_ResultCode cloud_list(struct call *c)
{
    const pb_ListCloudsRequest *req = (const pb_ListCloudsRequest *)(const void *)c->req;
    pb_ListCloudsResponse *rsp = (pb_ListCloudsResponse *)(void *)c->rsp;
    struct snapshot *s = c->snapshot;
    size_t most = req->page_size ? req->page_size : s->n, first = 0;
    if (req->page_token[0] && !cloud_behind(s, req->page_token, &first))
        return list_fail_token(&c->arena, c->result);
    rsp->clouds = arena_array(&c->arena, s->n + 1, sizeof(pb_Cloud *));
    for (size_t i = first; rsp->clouds && i < s->n; i++) {
        if (rsp->n_clouds == most) {
            rsp->next_page_token = cloud_token(&c->arena, s->connections[i - 1]);
            break;
        }
        pb_Cloud *shown = show_cloud(&c->arena, s->connections[i]);
        if (shown)
            rsp->clouds[rsp->n_clouds++] = shown;
    }
    return RESULT_CODE_OK;
}

pb_ResultCode cloud_get(struct call *c)
{
    const pb_GetCloudRequest *req = (const pb_GetCloudRequest *)(const void *)c->req;
    pb_GetCloudResponse *rsp = (pb_GetCloudResponse *)(void *)c->rsp;
    struct connection *found = snapshot_find(c->snapshot, req->cloud);
    bool shut = c->principal->is_gateway && !registrar_offers(c->snapshot->config, req->cloud);
    if (!found || shut)
        return fail_unknown_cloud(c, req->cloud);
    rsp->cloud = show_cloud(&c->arena, found);
    return RESULT_CODE_OK;
}

/* ---- adapters ---- */

/* What is built in, by name; then what has registered. */
static pb_Adapter **gather_adapters(struct arena *a, const char *name, size_t *ret_n)
{
    pb_Adapter **registered = NULL;
    size_t n = 0, n_registered = registry_show(a, name, &registered), n_builtin = 0;
    while (adapters_builtin[n_builtin])
        n_builtin++;
    pb_Adapter **all = arena_array(a, n_builtin + n_registered + 1, sizeof(*all));
    *ret_n = 0;
    for (size_t i = 0; all && i < n_builtin; i++) {
        if (name[0] && strcmp(adapters_builtin[i]->name, name) != 0)
            continue;
        all[n] = kind_show(a, kind_builtin(adapters_builtin[i]), false);
        n += all[n] != NULL;
    }
    if (all && n_registered)
        memcpy(all + n, registered, n_registered * sizeof(*all));
    *ret_n = all ? n + n_registered : 0;
    return all;
}

/* What a page token names: an adapter, or an instance of one. */
static const char *place_of(struct arena *a, const pb_Adapter *shown)
{
    return shown->instance ? arena_printf(a, "%s/%s", shown->name, shown->instance->id)
                           : shown->name;
}

/* The first behind a token; false: it is none of this list. Instances are in order: one that is not
 * known any more has its place all the same. */
static bool adapter_behind(struct arena *a, const pb_ListAdaptersRequest *req,
                           pb_Adapter *const *all, size_t n, size_t *ret)
{
    const char *token = req->page_token, *slash = strchr(token, '/');
    size_t i = 0;

    if (!slash) {
        while (i < n && (all[i]->instance || strcmp(all[i]->name, token) != 0))
            i++;
        *ret = i + 1;
        return i < n;
    }
    const char *name = arena_strndup(a, token, (size_t)(slash - token));
    if (!name || !config_is_name(name) || !config_is_name(slash + 1) ||
        (req->name[0] && strcmp(req->name, name) != 0))
        return false;
    while (i < n && (!all[i]->instance || strcmp(place_of(a, all[i]), token) <= 0))
        i++;
    *ret = i;
    return true;
}

pb_ResultCode adapter_list(struct call *c)
{
    const pb_ListAdaptersRequest *req = (const pb_ListAdaptersRequest *)(const void *)c->req;
    pb_ListAdaptersResponse *rsp = (pb_ListAdaptersResponse *)(void *)c->rsp;
    size_t n;
    pb_Adapter **all = gather_adapters(&c->arena, req->name, &n);
    size_t first = 0, most = req->page_size ? req->page_size : n;
    if (req->page_token[0] && !adapter_behind(&c->arena, req, all, n, &first))
        return list_fail_token(&c->arena, c->result);
    rsp->adapters = all ? all + first : NULL;
    rsp->n_adapters = n - first < most ? n - first : most;
    if (rsp->n_adapters > 0 && first + rsp->n_adapters < n)
        rsp->next_page_token =
            arena_strdup(&c->arena, place_of(&c->arena, rsp->adapters[rsp->n_adapters - 1]));
    return RESULT_CODE_OK;
}

/* One that is built in, else one that has registered; held. NULL: there is none. */
static struct adapter_kind *find_kind(const char *name, const char *version)
{
    for (size_t i = 0; adapters_builtin[i]; i++)
        if (strcmp(adapters_builtin[i]->name, name) == 0 &&
            (!version[0] || strcmp(adapters_builtin[i]->version, version) == 0))
            return kind_builtin(adapters_builtin[i]);
    return registry_kind(name, version);
}

pb_ResultCode adapter_describe(struct call *c)
{
    const pb_DescribeAdapterRequest *req = (const pb_DescribeAdapterRequest *)(const void *)c->req;
    pb_DescribeAdapterResponse *rsp = (pb_DescribeAdapterResponse *)(void *)c->rsp;
    struct adapter_kind *kind = find_kind(req->name, req->version);
    if (kind) {
        rsp->adapter = kind_show(&c->arena, kind, true);
        kind_put(kind);
        return RESULT_CODE_OK;
    }
    size_t n;
    pb_Adapter **all = gather_adapters(&c->arena, "", &n);
    const char **names = arena_array(&c->arena, n + 1, sizeof(char *));
    for (size_t i = 0; names && i < n; i++)
        names[i] = req->version[0] && strcmp(all[i]->name, req->name) == 0 ? all[i]->version
                                                                           : all[i]->name;
    if (req->version[0]) {
        result_add_violation(&c->arena, c->result, "version", "is not known here");
        return result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND,
                           "no adapter \"%s\" of version \"%s\"%s", req->name, req->version,
                           names ? near_words(&c->arena, req->version, names, n) : "");
    }
    result_add_violation(&c->arena, c->result, "name", "is not known here");
    return result_fail(&c->arena, c->result, RESULT_CODE_NOT_FOUND, "no adapter \"%s\"%s",
                       req->name, names ? near_words(&c->arena, req->name, names, n) : "");
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
