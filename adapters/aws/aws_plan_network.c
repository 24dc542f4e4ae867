/* The part of a plan that is about the network.
 *
 * An order that is sent again under the same ClientToken makes nothing a second time only where it
 * means the same zone (EC2 keeps tokens by zone where a request names one, by region where it names
 * none). So whatever chooses a subnet has to choose the same one again: a name or id that was given
 * means the same subnet; the only subnet there is stays the only one; of several in a default VPC,
 * EC2 itself is left to choose; and where the subnet has to be known, for an interface that is made
 * first, that interface is found again by its token and has the subnet, whatever this would choose.
 */
#include <string.h>

#include "aws_plan.h"
#include "kit/spec.h"

static pb_ResultCode bad(struct op *op, const char *field, const char *why)
{
    op_violation(op, field, "%s", why);
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s: %s", field, why);
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* ---- The subnet ---- */

/* Where it is looked for: at most a VPC and a zone. */
struct scope {
    struct aws_filter filters[2];
    size_t n;
    const char *vpc_id, *zone;
};

static pb_ResultCode find_scope(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                                struct scope *ret)
{
    struct aws_vpc vpc = {0};
    pb_ResultCode code = RESULT_CODE_OK;

    if (spec->network_id[0] != '\0') {
        code = aws_find(a, op, &aws_vpc_kind, "spec.network_id", spec->network_id, NULL, 0, &vpc);
        ret->vpc_id = vpc.thing.id;
        ret->filters[ret->n++] = (struct aws_filter){"vpc-id", 1, &ret->vpc_id};
    }
    if (spec->zone[0] != '\0') {
        /* "use1-az1" is a zone's id, "us-east-1a" its name. */
        bool is_id = strstr(spec->zone, "-az") != NULL;
        ret->zone = aws_literal(op->arena, spec->zone);
        ret->filters[ret->n++] = (struct aws_filter){
            is_id ? "availability-zone-id" : "availability-zone", 1, &ret->zone};
    }
    return code;
}

/* An id is looked for everywhere, so that it can be told where it is. */
static size_t n_filters(const struct aws_kind *kind, const char *wanted, size_t n)
{
    return aws_is_id(kind, wanted) ? 0 : n;
}

static pb_ResultCode check_scope(struct op *op, const struct aws_plan *p, const struct scope *s)
{
    const struct aws_subnet *subnet = &p->subnet;
    const char *zone = p->spec->zone;

    if (s->vpc_id != NULL && !same(subnet->vpc_id, s->vpc_id))
        return bad(op, "spec.subnet_name",
                   arena_printf(op->arena, "subnet %s is in VPC %s, not in %s", subnet->thing.id,
                                subnet->vpc_id, s->vpc_id));
    if (zone[0] != '\0' && !same(subnet->zone, zone) && !same(subnet->zone_id, zone))
        return bad(op, "spec.subnet_name",
                   arena_printf(op->arena, "subnet %s is in zone %s, not in %s", subnet->thing.id,
                                subnet->zone, zone));
    return RESULT_CODE_OK;
}

/* That a type is to be had in a zone, which is the id. */
static const struct shape_field offering_fields[] = {
    SHAPE_FIELD(struct aws_thing, id, "location", SHAPE_STRING),
};
static const struct shape offering_shape = {sizeof(struct aws_thing), offering_fields,
                                            ARRAY_LEN(offering_fields), 0};
AWS_PAGE(offerings_page, "instanceTypeOfferingSet", offering_shape);
static const char *const offering_fixed[] = {"LocationType", "availability-zone", NULL};
static const struct aws_kind offering_kind = {
    .noun = "offering",
    .action = "DescribeInstanceTypeOfferings",
    .page_size = 1000,
    .fixed = offering_fixed,
    .item = &offering_shape,
    .page = &offerings_page,
};

/* The zones that have the type (struct aws_thing); none where EC2 does not say. */
static void find_zones(struct adapter *a, struct op *op, const struct aws_plan *p,
                       struct shape_list *ret)
{
    struct op aside = op_aside(op, 0);
    const char *type = aws_literal(op->arena, p->type.thing.name);
    const struct aws_filter f = {"instance-type", 1, &type};

    if (aws_list(a, &aside, &offering_kind, &f, 1, ret) != RESULT_CODE_OK)
        *ret = (struct shape_list){0};
}

static bool has_type(const struct shape_list *zones, const char *zone)
{
    const struct aws_thing *z = zones->items;

    for (size_t i = 0; i < zones->n; i++)
        if (same(z[i].id, zone))
            return true;
    return zones->n == 0;
}

/* Of several the one with most free addresses, in a zone that has the type. */
static void choose_subnet(struct adapter *a, struct op *op, struct aws_plan *p,
                          const struct shape_list *list)
{
    const struct aws_subnet *s = list->items, *best = NULL;
    struct shape_list zones = {0};

    if (list->n > 1)
        find_zones(a, op, p, &zones);
    for (size_t i = 0; i < list->n; i++) {
        if (!has_type(&zones, s[i].zone))
            continue;
        if (best == NULL || s[i].free_addresses > best->free_addresses ||
            (s[i].free_addresses == best->free_addresses &&
             strcmp(s[i].thing.id, best->thing.id) < 0))
            best = &s[i];
    }
    p->subnet = best != NULL ? *best : s[0];
}

/* The default subnets of a list, in place. */
static struct shape_list defaults_of(struct arena *a, const struct shape_list *list)
{
    const struct aws_subnet *s = list->items;
    struct aws_subnet *found = arena_array(a, list->n + 1, sizeof(*found));
    struct shape_list ret = {0, found};

    for (size_t i = 0; found != NULL && i < list->n; i++)
        if (aws_is_true(s[i].default_for_zone))
            found[ret.n++] = s[i];
    return ret;
}

/* None is named. */
static pb_ResultCode any_subnet(struct adapter *a, struct op *op, struct aws_plan *p,
                                const struct scope *s)
{
    struct shape_list all = {0};
    size_t index = 0;

    pb_ResultCode code = aws_list(a, op, &aws_subnet_kind, s->filters, s->n, &all);
    if (code != RESULT_CODE_OK)
        return code;
    const struct aws_subnet *subnets = all.items;
    struct shape_list defaults = defaults_of(op->arena, &all);
    struct pick_item *items = pick_items_of(op->arena, &all, sizeof(*subnets));
    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    bool placed = spec_parameter(p->spec, "private_ip") != NULL;
    if (all.n > 1 && defaults.n > 0 && !placed) {
        if (p->public_ip == AWS_PUBLIC_STATIC || defaults.n == 1)
            choose_subnet(a, op, p, &defaults);
        p->vpc_id = ((const struct aws_subnet *)defaults.items)->vpc_id;
        return RESULT_CODE_OK;
    }
    code = pick_only(op, "subnet", "spec.subnet_name", items, all.n, &index);
    if (code == RESULT_CODE_OK) {
        p->subnet = subnets[index];
        p->vpc_id = p->subnet.vpc_id;
    }
    return code;
}

static pb_ResultCode plan_subnet(struct adapter *a, struct op *op, struct aws_plan *p)
{
    struct scope s = {0};
    const char *wanted = p->spec->subnet_name;

    pb_ResultCode code = find_scope(a, op, p->spec, &s);
    if (code != RESULT_CODE_OK)
        return code;
    if (wanted[0] == '\0')
        return any_subnet(a, op, p, &s);
    code = aws_find(a, op, &aws_subnet_kind, "spec.subnet_name", wanted, s.filters,
                    n_filters(&aws_subnet_kind, wanted, s.n), &p->subnet);
    p->vpc_id = p->subnet.vpc_id;
    return code == RESULT_CODE_OK ? check_scope(op, p, &s) : code;
}

/* ---- Security groups ---- */

/* One more, by name or id; one that is there already is not added. */
static pb_ResultCode add_group(struct adapter *a, struct op *op, struct aws_plan *p,
                               const char *field, const char *wanted)
{
    struct aws_security_group group = {0};
    const struct aws_filter f = {"vpc-id", 1, &p->vpc_id};

    pb_ResultCode code = aws_find(a, op, &aws_group_kind, field, wanted, &f,
                                  n_filters(&aws_group_kind, wanted, 1), &group);
    if (code != RESULT_CODE_OK)
        return code;
    if (!same(group.vpc_id, p->vpc_id))
        return bad(op, field,
                   arena_printf(op->arena, "security group %s is in VPC %s, the subnet in %s",
                                group.thing.id, group.vpc_id, p->vpc_id));
    for (size_t i = 0; i < p->n_groups; i++)
        if (strcmp(p->groups[i], group.thing.id) == 0)
            return code;
    p->groups[p->n_groups++] = group.thing.id;
    return code;
}

static pb_ResultCode plan_groups(struct adapter *a, struct op *op, struct aws_plan *p)
{
    const pb_VmSpec *spec = p->spec;
    const char *first =
        spec->security_group_name[0] != '\0' ? spec->security_group_name : "default";

    p->groups = arena_array(op->arena, spec->n_extra_security_groups + 1, sizeof(*p->groups));
    if (p->groups == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = add_group(a, op, p, "spec.security_group_name", first);
    for (size_t i = 0; code == RESULT_CODE_OK && i < spec->n_extra_security_groups; i++)
        code = add_group(a, op, p, arena_printf(op->arena, "spec.extra_security_groups[%zu]", i),
                         spec->extra_security_groups[i]);
    return code;
}

/* ---- The public address ---- */

pb_ResultCode aws_address_taken(struct op *op, const struct aws_address *address)
{
    op_violation(op, "spec.public_ip", "it is in use by %s", address->eni_id);
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "address %s is in use by another machine; free it or take another one",
                   address->thing.name);
}

static pb_ResultCode plan_address(struct adapter *a, struct op *op, struct aws_plan *p)
{
    if (p->spec->public_ip[0] == '\0')
        return RESULT_CODE_OK;
    pb_ResultCode code = aws_find(a, op, &aws_address_kind, "spec.public_ip", p->spec->public_ip,
                                  NULL, 0, &p->address);
    if (code != RESULT_CODE_OK)
        return code;
    /* An earlier try may have put it on its interface, which is known only later. */
    return aws_address_is_used(&p->address) && !op->resumed ? aws_address_taken(op, &p->address)
                                                            : RESULT_CODE_OK;
}

pb_ResultCode aws_plan_network(struct adapter *a, struct op *op, struct aws_plan *p)
{
    pb_ResultCode code = plan_subnet(a, op, p);

    if (code == RESULT_CODE_OK)
        code = plan_groups(a, op, p);
    if (code == RESULT_CODE_OK)
        code = plan_address(a, op, p);
    return code;
}
