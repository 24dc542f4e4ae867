/* The part of a plan that is about the network. */
#include <string.h>

#include "kit/spec.h"
#include "os_networks.h"
#include "os_plan.h"
#include "os_secgroups.h"

/* Who we are, as Neutron names it. */
static pb_ResultCode project_of(struct adapter *a, struct op *op, const char **ret)
{
    struct token_ref token CLEANUP(token_release) = {0};
    pb_ResultCode code = os_session_get(a, op, &token);
    if (code == RESULT_CODE_OK)
        *ret = arena_strdup(op->arena, ((const struct os_session *)token.data)->project_id);
    return code;
}

/* Networks that a machine can be put on without being told: ours or shared, not the outside. */
static bool is_candidate(const struct os_network *n, const char *project)
{
    bool ours = n->project_id != NULL && strcmp(n->project_id, project) == 0;
    return !n->external && (ours || n->shared) && n->admin_state_up && n->subnets.n > 0;
}

static pb_ResultCode choose_network(struct adapter *a, struct op *op, const char *project,
                                    struct os_network *ret)
{
    struct shape_list all, usable = {0};
    pb_ResultCode code = os_list(a, op, &os_network_kind, NULL, &all);
    if (code != RESULT_CODE_OK)
        return code;
    const struct os_network *n = all.items;
    struct os_network *candidates = arena_array(op->arena, all.n + 1, sizeof(*candidates));
    for (size_t i = 0; candidates != NULL && i < all.n; i++) {
        if (is_candidate(&n[i], project))
            candidates[usable.n++] = n[i];
    }
    usable.items = candidates;
    struct pick_item *items = pick_items_of(op->arena, &usable, sizeof(*candidates));
    size_t index = 0;
    if (candidates == NULL || items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    code = pick_only(op, "network", "spec.network_id", items, usable.n, &index);
    if (code == RESULT_CODE_OK)
        *ret = candidates[index];
    return code;
}

static pb_ResultCode plan_network(struct adapter *a, struct op *op, struct os_plan *p,
                                  const char *project, struct os_network *ret)
{
    pb_ResultCode code =
        p->spec->network_id[0] == '\0'
            ? choose_network(a, op, project, ret)
            : os_find(a, op, &os_network_kind, "spec.network_id", p->spec->network_id, NULL, ret);
    if (code != RESULT_CODE_OK)
        return code;
    p->network_id = ret->thing.id;
    p->fixed_ip = spec_parameter(p->spec, "fixed_ip");
    const char *subnet = spec_parameter(p->spec, "subnet");
    if (subnet == NULL)
        return RESULT_CODE_OK;
    struct os_subnet found = {0};
    const char *query = arena_printf(op->arena, "network_id=%s", p->network_id);
    code = os_find(a, op, &os_subnet_kind, "spec.parameters.subnet", subnet, query, &found);
    p->subnet_id = found.thing.id;
    return code;
}

/* One more group, by name or id; a group that is there already is not added. */
static pb_ResultCode add_group(struct adapter *a, struct op *op, struct os_plan *p,
                               const char *field, const char *wanted, const char *query)
{
    struct os_secgroup group = {0};
    pb_ResultCode code = os_find(a, op, &os_secgroup_kind, field, wanted, query, &group);
    if (code != RESULT_CODE_OK)
        return code;
    for (size_t i = 0; i < p->n_groups; i++) {
        if (strcmp(p->groups[i], group.thing.id) == 0)
            return code;
    }
    p->groups[p->n_groups++] = group.thing.id;
    return code;
}

static pb_ResultCode plan_groups(struct adapter *a, struct op *op, struct os_plan *p,
                                 const char *project, const struct os_network *network)
{
    const pb_VmSpec *spec = p->spec;
    if (network->port_security != NULL && strcmp(network->port_security, "false") == 0) {
        op_warn(op, "network %s has no port security: the machine gets no security group",
                network->thing.name);
        return RESULT_CODE_OK;
    }
    p->groups = arena_array(op->arena, spec->n_extra_security_groups + 1, sizeof(*p->groups));
    if (p->groups == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    /* Every project has a group "default", and an administrator sees them all. */
    const char *query = arena_printf(op->arena, "project_id=%s", project);
    const char *first =
        spec->security_group_name[0] == '\0' ? "default" : spec->security_group_name;
    pb_ResultCode code = add_group(a, op, p, "spec.security_group_name", first, query);
    for (size_t i = 0; code == RESULT_CODE_OK && i < spec->n_extra_security_groups; i++)
        code = add_group(a, op, p, arena_printf(op->arena, "spec.extra_security_groups[%zu]", i),
                         spec->extra_security_groups[i], query);
    return code;
}

/* Where a new floating IP comes from: what is named, the only external network, or the default. */
static pb_ResultCode plan_external(struct adapter *a, struct op *op, struct os_plan *p)
{
    static const char field[] = "spec.parameters.external_network";
    const char *wanted = spec_parameter(p->spec, "external_network");
    struct os_network found = {0};
    struct shape_list list = {0};
    pb_ResultCode code;
    if (wanted != NULL) {
        code = os_find(a, op, &os_network_kind, field, wanted, NULL, &found);
        p->external_network_id = found.thing.id;
        return code;
    }
    code = os_list(a, op, &os_network_kind, "router:external=True", &list);
    if (code != RESULT_CODE_OK)
        return code;
    const struct os_network *n = list.items;
    for (size_t i = 0; i < list.n; i++) {
        if (n[i].is_default)
            p->external_network_id = n[i].thing.id;
    }
    if (p->external_network_id != NULL)
        return code;
    struct pick_item *items = pick_items_of(op->arena, &list, sizeof(*n));
    size_t index = 0;
    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    code = pick_only(op, "external network", field, items, list.n, &index);
    if (code == RESULT_CODE_OK)
        p->external_network_id = n[index].thing.id;
    return code;
}

static pb_ResultCode plan_public_ip(struct adapter *a, struct op *op, struct os_plan *p)
{
    const char *type = p->spec->public_ip_type;
    const char *wanted = p->spec->public_ip;
    bool named = wanted[0] != '\0';
    if (type[0] == '\0')
        type = named ? "static" : "none";
    if (strcmp(type, "none") == 0 || (strcmp(type, "dynamic") == 0 && named)) {
        if (!named)
            return RESULT_CODE_OK;
        op_violation(op, "spec.public_ip", "public_ip_type is '%s', which takes no public_ip",
                     type);
        return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA,
                       "public_ip names an address, but public_ip_type is '%s'; make it 'static', "
                       "or leave public_ip out",
                       type);
    }
    if (!named)
        return plan_external(a, op, p);
    struct os_fip fip = {0};
    pb_ResultCode code = os_find(a, op, &os_fip_kind, "spec.public_ip", wanted, NULL, &fip);
    if (code != RESULT_CODE_OK)
        return code;
    p->fip = fip;
    /* An earlier try may have put it on its port, which is known only later. */
    bool taken = fip.port_id != NULL && fip.port_id[0] != '\0' && !op->resumed;
    return taken ? os_fip_taken(op, &fip) : RESULT_CODE_OK;
}

pb_ResultCode os_fip_taken(struct op *op, const struct os_fip *fip)
{
    op_violation(op, "spec.public_ip", "it is in use by port %s", fip->port_id);
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "floating IP %s is in use by another machine; free it or take another one",
                   fip->thing.name);
}

pb_ResultCode os_plan_network(struct adapter *a, struct op *op, struct os_plan *p)
{
    const char *project = "";
    struct os_network network = {0};
    pb_ResultCode code = project_of(a, op, &project);
    if (code == RESULT_CODE_OK)
        code = plan_network(a, op, p, project, &network);
    if (code == RESULT_CODE_OK)
        code = plan_groups(a, op, p, project, &network);
    if (code == RESULT_CODE_OK)
        code = plan_public_ip(a, op, p);
    return code;
}
