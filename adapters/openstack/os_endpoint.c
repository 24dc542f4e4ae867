#include "os_endpoint.h"

#include <stdlib.h>
#include <string.h>

/* The newest microversion of Nova that this adapter has been tried with, 2.93 (Zed). What it
 * needs: 2.52 for tags in a create, 2.47 for a flavor's name in a machine, 2.67 for kinds of
 * volumes. */
enum { COMPUTE_MINOR_MAX = 93 };

static const struct shape_field endpoint_fields[] = {
    SHAPE_FIELD(struct os_endpoint, interface, "interface", SHAPE_STRING),
    SHAPE_FIELD(struct os_endpoint, region_id, "region_id", SHAPE_STRING),
    SHAPE_FIELD(struct os_endpoint, region, "region", SHAPE_STRING),
    SHAPE_FIELD(struct os_endpoint, url, "url", SHAPE_STRING),
};
static const struct shape endpoint_shape = {sizeof(struct os_endpoint), endpoint_fields,
                                            ARRAY_LEN(endpoint_fields), 0};

static const struct shape_field service_fields[] = {
    SHAPE_FIELD(struct os_catalog_service, type, "type", SHAPE_STRING),
    SHAPE_FIELD(struct os_catalog_service, name, "name", SHAPE_STRING),
    SHAPE_NESTED(struct os_catalog_service, endpoints, "endpoints", SHAPE_LIST, endpoint_shape),
};
const struct shape os_catalog_service_shape = {sizeof(struct os_catalog_service), service_fields,
                                               ARRAY_LEN(service_fields), 0};

static const struct shape_field version_fields[] = {
    SHAPE_FIELD(struct os_versions, version.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_versions, version.max, "version", SHAPE_STRING),
    SHAPE_FIELD(struct os_versions, version.min, "min_version", SHAPE_STRING),
};
static const struct shape version_shape = {sizeof(struct os_versions), version_fields,
                                           ARRAY_LEN(version_fields), 0};
static const struct shape_field versions_fields[] = {
    {"version", SHAPE_STRUCT, 0, &version_shape},
};
const struct shape os_versions_shape = {sizeof(struct os_versions), versions_fields,
                                        ARRAY_LEN(versions_fields), 0};

/* Where the path of a URL begins; its end where there is none. */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + 3;
    const char *path = strchr(host, '/');
    return path == NULL ? host + strlen(host) : path;
}

/* The "/v2.1" in a path, and its length; NULL where there is none. */
static const char *version_of(const char *path, size_t *ret_len)
{
    for (const char *v = strstr(path, "/v"); v != NULL; v = strstr(v + 1, "/v")) {
        size_t len = 2 + strspn(v + 2, "0123456789.");
        if (len > 2 && (v[len] == '/' || v[len] == '\0')) {
            *ret_len = len;
            return v;
        }
    }
    return NULL;
}

const char *os_version_url(struct arena *a, const char *base)
{
    size_t len = 0;
    const char *v = version_of(path_of(base), &len);
    return v == NULL ? arena_printf(a, "%s/", base)
                     : arena_printf(a, "%.*s/", (int)(v + len - base), base);
}

/* Catalogues and people leave the version out, or name one that the service has had for long. */
static const char *with_version(struct arena *a, enum os_service service, const char *url,
                                const char *project_id)
{
    const struct os_service_info *info = &os_services[service];
    size_t len = strlen(url), v_len = 0;
    while (len > 0 && url[len - 1] == '/')
        len--;
    char *base = arena_strndup(a, url, len);
    const char *v = version_of(path_of(base), &v_len);
    if (v == NULL)
        return arena_printf(a, "%s%s%s%s", base, info->version, service == OS_VOLUME ? "/" : "",
                            service == OS_VOLUME ? project_id : "");
    /* Nova's older endpoint, /v2, knows no microversions; the newer one is beside it. */
    if (service == OS_COMPUTE && v_len == strlen("/v2"))
        return arena_printf(a, "%.*s%s%s", (int)(v - base), base, info->version, v + v_len);
    return base;
}

/* "%(project_id)s", as keystoneauth fills it in. */
static const char *with_project(struct arena *a, const char *url, const char *project_id)
{
    static const char *const words[] = {"%(project_id)s", "%(tenant_id)s", "$(project_id)s",
                                        "$(tenant_id)s"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *at = strstr(url, words[i]);
        if (at != NULL)
            url = arena_printf(a, "%.*s%s%s", (int)(at - url), url, project_id,
                               at + strlen(words[i]));
    }
    return url;
}

static bool is_region(const struct os_endpoint *e, const char *region)
{
    const char *has = e->region_id == NULL ? e->region : e->region_id;
    return region == NULL || (has != NULL && strcmp(has, region) == 0);
}

/* "publicURL" too. */
static bool is_interface(const struct os_endpoint *e, const char *interface, size_t len)
{
    return e->interface != NULL && strncmp(e->interface, interface, len) == 0 &&
           (e->interface[len] == '\0' || strcmp(e->interface + len, "URL") == 0);
}

/* One service's endpoint in the region, of the best interface that it has. */
static const char *choose_url(const struct os_catalog_service *s, const char *region,
                              const char *interfaces)
{
    const struct os_endpoint *e = s->endpoints.items;
    for (const char *i = interfaces; *i != '\0';) {
        size_t len = strcspn(i, ",");
        for (size_t k = 0; k < s->endpoints.n; k++) {
            if (e[k].url != NULL && is_region(&e[k], region) && is_interface(&e[k], i, len))
                return e[k].url;
        }
        i += len;
        i += *i == ',';
    }
    return NULL;
}

const char *os_endpoint_choose(struct arena *a, const struct os_config *config,
                               enum os_service service, const struct shape_list *catalog,
                               const char *project_id)
{
    const struct os_service_config *own = &config->services[service];
    const char *only[] = {own->type, NULL};
    const char *const *types = own->type == NULL ? os_services[service].types : only;
    const char *url = own->endpoint;
    const struct os_catalog_service *s = catalog->items;
    for (; url == NULL && *types != NULL; types++) {
        for (size_t i = 0; url == NULL && i < catalog->n; i++) {
            if (s[i].type != NULL && strcmp(s[i].type, *types) == 0 &&
                (own->name == NULL || (s[i].name != NULL && strcmp(s[i].name, own->name) == 0)))
                url = choose_url(&s[i], own->region == NULL ? config->region : own->region,
                                 own->interface == NULL ? config->interface : own->interface);
        }
    }
    /* The catalogue's own Keystone is often one that only other services can reach. */
    if (service == OS_IDENTITY && own->endpoint == NULL)
        url = config->auth_url;
    if (url == NULL)
        return NULL;
    return with_version(a, service, with_project(a, url, project_id), project_id);
}

pb_ResultCode os_endpoint_missing(struct op *op, const struct os_config *config, const char *cloud,
                                  enum os_service service, const struct os_session *session)
{
    const struct os_service_config *own = &config->services[service];
    const char *region = own->region == NULL ? config->region : own->region;
    op->result->blame = BLAME_CLOUD;
    if (session->offered[0] == '\0')
        return op_fail(op, RESULT_CODE_NOT_SUPPORTED,
                       "the token of cloud %s has no catalogue of services: %s must name a project",
                       cloud, config->source);
    return op_fail(op, RESULT_CODE_NOT_SUPPORTED,
                   "the catalogue of cloud %s has no %s service%s%s with interface %s; it has: %s; "
                   "correct region_name or interface in %s",
                   cloud, os_services[service].name, region == NULL ? "" : " in region ",
                   region == NULL ? "" : region,
                   own->interface == NULL ? config->interface : own->interface, session->offered,
                   config->source);
}

/* "2.93" -> 93; 0 where it is no such version. */
static int minor_of(const char *version)
{
    char *end = NULL;
    if (version == NULL || strncmp(version, "2.", 2) != 0)
        return 0;
    long minor = strtol(version + 2, &end, 10);
    return end == version + 2 || *end != '\0' || minor < 1 || minor > 9999 ? 0 : (int)minor;
}

pb_ResultCode os_choose_minor(struct op *op, const char *wanted, const struct os_versions *versions,
                              int *ret)
{
    int max = minor_of(versions->version.max);
    int min = minor_of(versions->version.min);
    if (max == 0) /* older than microversions */
        max = min = 1;
    if (wanted != NULL) {
        *ret = minor_of(wanted);
        if (*ret >= min && *ret <= max)
            return RESULT_CODE_OK;
        return op_fail(op, RESULT_CODE_NOT_SUPPORTED,
                       "compute_default_microversion is \"%s\", and the cloud speaks 2.%d to 2.%d",
                       wanted, min, max);
    }
    *ret = max < COMPUTE_MINOR_MAX ? max : COMPUTE_MINOR_MAX;
    if (*ret >= min)
        return RESULT_CODE_OK;
    return op_fail(op, RESULT_CODE_NOT_SUPPORTED,
                   "the cloud speaks compute microversions from 2.%d on, and this adapter knows "
                   "them up to 2.%d",
                   min, COMPUTE_MINOR_MAX);
}
