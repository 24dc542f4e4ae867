/* Whether a connection works: who we are, and a small request to each service. */
#include <strings.h>

#include "az_shapes.h"
#include "az_things.h"
#include "isobar/clock.h"

struct az_subscription {
    const char *id, *name, *state, *tenant;
};

static const struct shape_field subscription_fields[] = {
    AZ_TEXT(az_subscription, id, "subscriptionId"),
    AZ_TEXT(az_subscription, name, "displayName"),
    AZ_TEXT(az_subscription, state, "state"),
    AZ_TEXT(az_subscription, tenant, "tenantId"),
};
AZ_SHAPE(subscription, az_subscription);

static const char *known(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "unknown";
}

static char *subscription_line(struct adapter *a, struct op *op, const struct az_subscription *s)
{
    return arena_printf(op->arena, "Resource Manager at %s: subscription %s (%s, %s), tenant %s",
                        a->config->endpoint, known(s->id), known(s->name), known(s->state),
                        known(s->tenant));
}

/* One page of what there are few of. */
static char *service_line(struct adapter *a, struct op *op, const struct az_kind *kind)
{
    struct op aside = op_aside(op, 0);
    const struct az_service_info *service = &az_services[kind->service];
    const char *version = a->config->versions[kind->service];
    const char *group = a->config->resource_group;
    struct az_request req = az_get(
        kind->service, group != NULL ? az_path(a, op->arena, "/resourceGroups/%s/providers/%s",
                                               url_escape(op->arena, group), kind->type)
                                     : az_path(a, op->arena, "/providers/%s", kind->type));
    struct az_page page = {0};

    pb_ResultCode code = az_ask(a, &aside, &req, kind->page, &page);
    if (code != RESULT_CODE_OK)
        return arena_printf(op->arena, "%s %s: %s: %s", service->name, version, result_name(code),
                            aside.result->detail);
    return arena_printf(op->arena, "%s %s", service->name, version);
}

pb_ResultCode azure_check_cloud(struct adapter *a, struct op *op, const pb_CheckCloudRequest *req,
                                pb_CheckCloudResponse *ret)
{
    static const struct az_kind *const probes[] = {&az_key_kind, &az_nsg_kind};
    struct az_request get = az_get(AZ_SUBSCRIPTIONS, az_path(a, op->arena, "%s", ""));
    struct az_subscription subscription = {0};
    int64_t begun = clock_mono_ns();

    (void)req;
    pb_ResultCode code = az_ask(a, op, &get, &subscription_shape, &subscription);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    char **services = arena_array(op->arena, ARRAY_LEN(probes) + 1, sizeof(*services));
    if (services == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    services[0] = subscription_line(a, op, &subscription);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++)
        services[i + 1] = service_line(a, op, probes[i]);
    ret->services = services;
    ret->n_services = ARRAY_LEN(probes) + 1;
    ret->elapsed_us = (uint64_t)((clock_mono_ns() - begun) / NS_PER_US);
    return op_end(op, RESULT_CODE_OK);
}
