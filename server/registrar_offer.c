/* What this gateway offers to another one. */
#include <ctype.h>
#include <string.h>

#include "instances.h"
#include "registrar_private.h"
#include "registry.h"

/* Characters of a version in an id, which has at most CONFIG_NAME_MAX. */
#define VERSION_SHOWN 40

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

bool registrar_offers_to(const struct config_register *g, const char *cloud)
{
    for (size_t i = 0; i < g->n_offer; i++)
        if (strcmp(g->offer[i], cloud) == 0)
            return true;
    return g->n_offer == 0;
}

static pb_OfferedCloud *offer_cloud(struct arena *a, const struct connection *c)
{
    pb_OfferedCloud *cloud = arena_message(a, &pb_OfferedCloud_desc);
    const char **behind = NULL;
    size_t n = c->group ? registry_path(a, c->kind->name, group_cloud(c->group), &behind) : 0;
    char **path = arena_array(a, n + 1, sizeof(*path));
    char own[9];

    if (!cloud || !path)
        return NULL;
    registry_own_id(own);
    path[0] = arena_strdup(a, own);
    for (size_t i = 0; i < n; i++)
        path[i + 1] = text_of(behind[i]);
    cloud->name = arena_strdup(a, c->name);
    cloud->traits = connection_traits(a, c);
    cloud->path = path;
    cloud->n_path = n + 1;
    return cloud;
}

static pb_RegisterAdapterRequest_MetadataEntry **metadata_of(struct arena *a,
                                                             const struct config_register *g)
{
    pb_RegisterAdapterRequest_MetadataEntry **all = arena_array(a, g->n_metadata + 1, sizeof(*all));

    for (size_t i = 0; all && i < g->n_metadata; i++) {
        all[i] = arena_message(a, &pb_RegisterAdapterRequest_MetadataEntry_desc);
        if (!all[i])
            return NULL;
        all[i]->key = text_of(g->metadata[i].name);
        all[i]->value = text_of(g->metadata[i].value);
    }
    return all;
}

char *registrar_id(struct arena *a, const char *version)
{
    char own[9];
    registry_own_id(own);
    char *id = arena_printf(a, "gateway-%s-%.*s", own, VERSION_SHOWN, version);
    /* A version may have what a name may not. */
    for (char *at = id; *at; at++)
        *at = *at == '+' ? '_' : (char)tolower((unsigned char)*at);
    return id;
}

pb_RegisterAdapterRequest *registrar_describe(const struct config_register *g, struct arena *a,
                                              const struct snapshot *s,
                                              const struct adapter_kind *kind, char *call_token)
{
    pb_RegisterAdapterRequest *req = arena_message(a, &pb_RegisterAdapterRequest_desc);
    pb_Adapter *shown = kind_show(a, kind, true);
    char **endpoints = arena_array(a, 1, sizeof(*endpoints));
    pb_OfferedCloud **clouds = arena_array(a, s->n + 1, sizeof(*clouds));

    if (!req || !shown || !endpoints || !clouds)
        return NULL;
    endpoints[0] = text_of(g->endpoint);
    for (size_t i = 0; i < s->n; i++) {
        const struct connection *c = s->connections[i];
        bool is_one = strcmp(c->kind->name, kind->name) == 0 &&
                      strcmp(c->kind->version, kind->version) == 0 &&
                      registrar_offers_to(g, c->name);
        pb_OfferedCloud *cloud = is_one ? offer_cloud(a, c) : NULL;
        if (cloud)
            clouds[req->n_clouds++] = cloud;
    }
    req->name = shown->name;
    req->description = shown->description;
    req->version = shown->version;
    req->manifest = shown->manifest;
    req->endpoints = endpoints;
    req->n_endpoints = 1;
    req->weight_choice_case = ISOBAR__V1__REGISTER_ADAPTER_REQUEST__WEIGHT_CHOICE_WEIGHT;
    req->weight = g->weight;
    req->metadata = metadata_of(a, g);
    req->n_metadata = req->metadata ? g->n_metadata : 0;
    req->clouds = clouds;
    req->id = registrar_id(a, kind->version);
    req->call_token = call_token;
    return a->exhausted ? NULL : req;
}
