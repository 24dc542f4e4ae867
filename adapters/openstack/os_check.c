#include "os_check.h"

#include <string.h>

#include "isobar/clock.h"
#include "os_endpoint.h"

/* A small request to each service, that only works where the token does. */
static const struct probe_row {
    enum os_service service;
    const char *path;
} probes[] = {
    {OS_COMPUTE, "/limits"},
    {OS_IMAGE, "/images?limit=1"},
    {OS_NETWORK, "/networks?limit=1&fields=id"},
    {OS_VOLUME, "/limits"},
};

/* What a service speaks: "2.1 to 2.93". */
static const char *version_of(struct adapter *a, struct op *op, const struct os_session *session,
                              enum os_service service)
{
    struct os_versions versions = {0};
    if (service == OS_COMPUTE && os_compute_versions(a, op, session, &versions) == RESULT_CODE_OK &&
        versions.version.min != NULL && versions.version.max != NULL)
        return arena_printf(op->arena, "%s to %s", versions.version.min, versions.version.max);
    return os_services[service].version + strlen("/v");
}

static char *line(struct adapter *a, struct op *op, const struct os_session *session,
                  const struct probe_row *probe)
{
    const char *name = os_services[probe->service].name;
    const char *base = session->bases[probe->service];
    if (base == NULL)
        return arena_printf(op->arena, "%s: not in the catalogue", name);
    struct op aside = op_aside(op, 0);
    struct os_request req = os_get(probe->service, probe->path);
    struct http_response rsp;
    pb_ResultCode code = os_send(a, &aside, &req, &rsp);
    if (code != RESULT_CODE_OK)
        return arena_printf(op->arena, "%s at %s: %s: %s", name, base, result_name(code),
                            aside.result->detail);
    return arena_printf(op->arena, "%s %s at %s", name,
                        version_of(a, &aside, session, probe->service), base);
}

pb_ResultCode openstack_check_cloud(struct adapter *a, struct op *op,
                                    const pb_CheckCloudRequest *req, pb_CheckCloudResponse *ret)
{
    (void)req;
    int64_t begun = clock_mono_ns();
    struct token_ref token CLEANUP(token_release) = {0};
    pb_ResultCode code = os_session_get(a, op, &token);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    const struct os_session *session = token.data;
    char **services = arena_array(op->arena, ARRAY_LEN(probes) + 1, sizeof(*services));
    if (services == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    services[0] = arena_printf(op->arena, "identity 3 at %s", a->config->auth_url);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++)
        services[i + 1] = line(a, op, session, &probes[i]);
    ret->services = services;
    ret->n_services = ARRAY_LEN(probes) + 1;
    ret->elapsed_us = (uint64_t)((clock_mono_ns() - begun) / NS_PER_US);
    return op_end(op, RESULT_CODE_OK);
}
