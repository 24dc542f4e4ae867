/* Whether a registration is in order: all mistakes at once, each with its field. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "isobar/result.h"
#include "registry_private.h"

#define REGISTRATION_MAX ((size_t)256 << 10)
#define DESCRIPTION_MAX  1024
#define TOKEN_MAX        1024
#define ENDPOINTS_MAX    8
#define CLOUDS_MAX       256
#define ATTRIBUTES_MAX   64
#define PARAMETERS_MAX   512
#define METADATA_MAX     64
#define PATH_MAX_HOPS    8
#define SETTLE_MS_MAX    600000

struct checking {
    struct call *c;
    pb_RegisterAdapterRequest *req;
    char field[96]; /* where the next mistake is */
};

static void at_item(struct checking *k, const char *list, size_t i)
{
    snprintf(k->field, sizeof(k->field), "%s[%zu]", list, i);
}

#define wrong(k, ...) result_add_violation(&(k)->c->arena, (k)->c->result, (k)->field, __VA_ARGS__)
#define wrong_field(k, name, ...)                                                                  \
    result_add_violation(&(k)->c->arena, (k)->c->result, name, __VA_ARGS__)

static bool is_among(char *const *all, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i], text) == 0)
            return true;
    return n == 0;
}

static void check_attributes(struct checking *k)
{
    const pb_Manifest *m = k->req->manifest;

    for (size_t i = 0; i < m->n_attributes; i++) {
        const pb_ManifestAttribute *a = m->attributes[i];
        at_item(k, "manifest.attributes", i);
        if (!protobuf_c_message_descriptor_get_field_by_name(&pb_VmSpec_desc, a->name) ||
            strcmp(a->name, "parameters") == 0)
            wrong(k, "a machine has no attribute \"%.64s\"", a->name);
        else if (a->presence == PRESENCE_UNSPECIFIED)
            wrong(k, "presence is missing");
        else if (a->default_value[0] &&
                 !is_among(a->allowed_values, a->n_allowed_values, a->default_value))
            wrong(k, "the default is none of the allowed values");
        for (size_t j = 0; j < i; j++)
            if (strcmp(m->attributes[j]->name, a->name) == 0)
                wrong(k, "\"%.64s\" is there twice", a->name);
    }
}

static void check_parameters(struct checking *k)
{
    const pb_Manifest *m = k->req->manifest;

    for (size_t i = 0; i < m->n_parameters; i++) {
        const pb_ManifestParameter *p = m->parameters[i];
        at_item(k, "manifest.parameters", i);
        if (!config_is_name(p->name))
            wrong(k, "\"%.64s\" is no name of a parameter", p->name);
        else if (p->type == PARAMETER_TYPE_UNSPECIFIED)
            wrong(k, "type is missing");
        else if (p->default_value[0] &&
                 (!config_value_fits(p->type, p->default_value) ||
                  !is_among(p->allowed_values, p->n_allowed_values, p->default_value)))
            wrong(k, "the default is none of the allowed values");
        for (size_t j = 0; j < i; j++)
            if (strcmp(m->parameters[j]->name, p->name) == 0)
                wrong(k, "\"%.64s\" is there twice", p->name);
    }
}

/* Methods that this version does not know are of a newer one, and left out. */
static void check_methods(struct checking *k)
{
    const pb_Manifest *m = k->req->manifest;
    size_t known = 0;

    for (size_t i = 0; i < m->n_methods; i++) {
        const struct method *method = method_find(m->methods[i]);
        known += method && method->policy->slot;
    }
    if (!known)
        wrong_field(k, "manifest.methods",
                    "names no method that an adapter can serve, as isobar.v1.VmService/GetVm");
}

static bool is_loop(const pb_OfferedCloud *cloud, const char *own)
{
    for (size_t i = 0; i < cloud->n_path; i++)
        if (strcmp(cloud->path[i], own) == 0)
            return true;
    return cloud->n_path > PATH_MAX_HOPS;
}

static void check_cloud(struct checking *k, size_t i)
{
    const pb_OfferedCloud *cloud = k->req->clouds[i];

    at_item(k, "clouds", i);
    if (!config_is_name(cloud->name))
        wrong(k, "\"%.64s\" cannot be a cloud's name", cloud->name);
    if (cloud->traits && cloud->traits->settle_ms > SETTLE_MS_MAX)
        wrong(k, "settle_ms is more than %d", SETTLE_MS_MAX);
    for (size_t j = 0; j < i; j++)
        if (strcmp(k->req->clouds[j]->name, cloud->name) == 0)
            wrong(k, "\"%.64s\" is there twice", cloud->name);
}

static void check_clouds(struct checking *k)
{
    pb_RegisterAdapterRequest *req = k->req;

    if (req->n_clouds == 0 || req->n_clouds > CLOUDS_MAX)
        wrong_field(k, "clouds", "has %zu items, and must have 1 to %d", req->n_clouds, CLOUDS_MAX);
    else
        for (size_t i = 0; i < req->n_clouds; i++)
            check_cloud(k, i);
}

static bool is_token(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return false;
    return len <= TOKEN_MAX;
}

static void check_rest(struct checking *k)
{
    const pb_RegisterAdapterRequest *req = k->req;
    struct semver v;

    if (!config_is_name(req->name))
        wrong_field(k, "name", "\"%.64s\" cannot be an adapter's name", req->name);
    if (req->id[0] && !config_is_name(req->id))
        wrong_field(k, "id", "\"%.64s\" cannot be an instance's name", req->id);
    if (!semver_parse(req->version, &v))
        wrong_field(k, "version", "\"%.64s\" is no semantic version, as 2.1.0", req->version);
    if (strlen(req->description) > DESCRIPTION_MAX)
        wrong_field(k, "description", "is longer than %d bytes", DESCRIPTION_MAX);
    if (req->n_endpoints == 0 || req->n_endpoints > ENDPOINTS_MAX)
        wrong_field(k, "endpoints", "has %zu items, and must have 1 to %d", req->n_endpoints,
                    ENDPOINTS_MAX);
    if (req->weight > WEIGHT_MAX)
        wrong_field(k, "weight", "is more than %d", WEIGHT_MAX);
    if (req->n_metadata > METADATA_MAX)
        wrong_field(k, "metadata", "has more than %d items", METADATA_MAX);
    if (!is_token(req->call_token))
        wrong_field(k, "call_token", "is no token: at most %d visible characters", TOKEN_MAX);
}

/* Take out what would lead back here; false where nothing is left. */
static bool drop_loops(struct checking *k)
{
    pb_RegisterAdapterRequest *req = k->req;
    size_t n = 0;
    char own[9];

    registry_own_id(own);
    for (size_t i = 0; i < req->n_clouds; i++) {
        if (is_loop(req->clouds[i], own))
            result_add_warning(&k->c->arena, k->c->result,
                               "cloud %s is not taken: a call to it would pass this gateway twice",
                               req->clouds[i]->name);
        else
            req->clouds[n++] = req->clouds[i];
    }
    req->n_clouds = n;
    return n > 0;
}

pb_ResultCode registry_check(struct call *c, pb_RegisterAdapterRequest *req)
{
    struct checking k = {.c = c, .req = req};
    size_t len = isobar__v1__register_adapter_request__get_packed_size(req);

    if (len > REGISTRATION_MAX) {
        bool manifest =
            req->manifest && isobar__v1__manifest__get_packed_size(req->manifest) > len / 2;
        wrong_field(&k, manifest ? "manifest" : "metadata", "makes the registration too large");
        return result_fail(&c->arena, c->result, RESULT_CODE_BAD_REQUEST_DATA,
                           "the registration has %zu bytes, and at most %zu are allowed", len,
                           REGISTRATION_MAX);
    }
    check_rest(&k);
    check_clouds(&k);
    if (!req->manifest) {
        wrong_field(&k, "manifest", "is missing");
    } else if (req->manifest->n_attributes > ATTRIBUTES_MAX ||
               req->manifest->n_parameters > PARAMETERS_MAX) {
        wrong_field(&k, "manifest", "has more than %d attributes or %d parameters", ATTRIBUTES_MAX,
                    PARAMETERS_MAX);
    } else {
        check_attributes(&k);
        check_parameters(&k);
        check_methods(&k);
    }
    const pb_Result *r = c->result;
    if (r->n_violations > 0)
        return result_fail(&c->arena, c->result, RESULT_CODE_BAD_REQUEST_DATA,
                           "adapter \"%.64s\" cannot be registered: %s %s%s", req->name,
                           r->violations[0]->field, r->violations[0]->description,
                           r->n_violations > 1 ? ", and more" : "");
    if (drop_loops(&k))
        return RESULT_CODE_OK;
    wrong_field(&k, "clouds", "lead back to this gateway");
    return result_fail(&c->arena, c->result, RESULT_CODE_FAILED_PRECONDITION,
                       "all that is offered would pass this gateway twice: gateways cannot be each "
                       "other's adapters for the same cloud");
}
