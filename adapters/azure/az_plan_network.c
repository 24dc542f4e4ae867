/* The part of a plan that is about the network: location, subnet, security group, address. */
#include <string.h>
#include <strings.h>

#include "az_plan.h"

/* A subnet that a machine may be in. */
struct place {
    const struct az_subnet *subnet;
    const struct az_vnet *vnet;
};

static const char *text(const char *t)
{
    return t != NULL ? t : "";
}

/* ---- Where ---- */

static pb_ResultCode check_location(struct op *op, struct az_plan *p, const struct az_vnet *vnet)
{
    const char *has = az_location(op->arena, text(vnet->thing.location));

    if (p->location == NULL)
        p->location = has;
    if (strcmp(p->location, has) == 0)
        return RESULT_CODE_OK;
    return az_bad(op, "spec.region",
                  arena_printf(op->arena,
                               "virtual network %s is in %s, and so has the machine to be",
                               vnet->thing.name, has));
}

/* Subnets of Azure's own services, which take no machines. */
static bool is_reserved(const struct az_subnet *s)
{
    static const char *const names[] = {
        "GatewaySubnet",      "AzureFirewallSubnet", "AzureFirewallManagementSubnet",
        "AzureBastionSubnet", "RouteServerSubnet",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(text(s->thing.name), names[i]) == 0)
            return true;
    return false;
}

/* Whether NAME or NETWORK/NAME or the id means it; "" means any that takes machines. */
static bool is_meant(const struct place *at, const char *wanted)
{
    const char *slash = strchr(wanted, '/');
    const char *network = text(at->vnet->thing.name);
    size_t len = strlen(network);

    if (wanted[0] == '\0')
        return !is_reserved(at->subnet);
    if (wanted[0] == '/')
        return az_id_is(at->subnet->thing.id, wanted);
    if (slash == NULL)
        return strcasecmp(text(at->subnet->thing.name), wanted) == 0;
    return (size_t)(slash - wanted) == len && strncasecmp(network, wanted, len) == 0 &&
           strcasecmp(text(at->subnet->thing.name), slash + 1) == 0;
}

/* All subnets of networks in the location, where that is known. */
static pb_ResultCode gather(struct op *op, const struct az_plan *p, const struct shape_list *vnets,
                            struct place **ret, size_t *ret_n)
{
    const struct az_vnet *v = vnets->items;
    size_t room = 1, n = 0;

    for (size_t i = 0; i < vnets->n; i++)
        room += v[i].subnets.n;
    struct place *places = arena_array(op->arena, room, sizeof(*places));
    for (size_t i = 0; places != NULL && i < vnets->n; i++) {
        const struct az_subnet *s = v[i].subnets.items;
        const char *has = az_location(op->arena, text(v[i].thing.location));
        if (p->location != NULL && vnets->n > 1 && strcmp(p->location, has) != 0)
            continue;
        for (size_t k = 0; k < v[i].subnets.n; k++)
            places[n++] = (struct place){&s[k], &v[i]};
    }
    *ret = places;
    *ret_n = n;
    return places != NULL ? RESULT_CODE_OK : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

/* Where none is named, those of the machine's own group come first. */
static size_t prefer_group(struct op *op, const struct az_plan *p, struct place *places, size_t n)
{
    size_t near = 0;

    for (size_t i = 0; i < n; i++)
        if (az_id_is(az_id_group(op->arena, text(places[i].vnet->thing.id)), p->group))
            places[near++] = places[i];
    return near > 0 ? near : n;
}

static pb_ResultCode pick_place(struct op *op, struct az_plan *p, const struct shape_list *vnets)
{
    const char *wanted = p->spec->subnet_name;
    struct place *places = NULL;
    size_t all = 0, n = 0, index = 0;

    pb_ResultCode code = gather(op, p, vnets, &places, &all);
    struct pick_item *items =
        code == RESULT_CODE_OK ? arena_array(op->arena, all + 1, sizeof(*items)) : NULL;
    if (items == NULL)
        return code != RESULT_CODE_OK ? code : op_end(op, RESULT_CODE_INTERNAL_ERROR);
    for (size_t i = 0; i < all; i++)
        items[i] = (struct pick_item){text(places[i].subnet->thing.id),
                                      text(places[i].subnet->thing.name)};
    struct place *meant = arena_array(op->arena, all + 1, sizeof(*meant));
    for (size_t i = 0; meant != NULL && i < all; i++)
        if (is_meant(&places[i], wanted))
            meant[n++] = places[i];
    if (meant == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    if (n == 0 && wanted[0] != '\0') /* the words for that, with near names */
        return pick(op, "subnet", "spec.subnet_name", wanted, items, all, &index);
    if (wanted[0] == '\0' && p->spec->network_id[0] == '\0')
        n = prefer_group(op, p, meant, n);
    for (size_t i = 0; i < n; i++)
        items[i] =
            (struct pick_item){text(meant[i].subnet->thing.id),
                               wanted[0] != '\0' ? wanted : text(meant[i].subnet->thing.name)};
    code = wanted[0] != '\0' ? pick(op, "subnet", "spec.subnet_name", wanted, items, n, &index)
                             : pick_only(op, "subnet", "spec.subnet_name", items, n, &index);
    if (code != RESULT_CODE_OK)
        return code;
    p->subnet_id = meant[index].subnet->thing.id;
    p->unguarded = meant[index].subnet->group_id == NULL;
    return check_location(op, p, meant[index].vnet);
}

/* The subnet by its id: of the network nothing needs to be known but where it is. */
static pb_ResultCode subnet_by_id(struct adapter *a, struct op *op, struct az_plan *p)
{
    const char *wanted = p->spec->subnet_name, *network = p->spec->network_id;
    struct az_vnet vnet = {0};
    struct az_id id;

    if (!az_id_parse(op->arena, wanted, &id) || id.parent == NULL ||
        strcasecmp(id.type, "Microsoft.Network/virtualNetworks/subnets") != 0)
        return az_bad(op, "spec.subnet_name", "is no id of a subnet");
    if (network[0] != '\0' && !az_id_is(network, id.parent) &&
        !az_id_is(network, az_id_name(op->arena, id.parent)))
        return az_bad(op, "spec.subnet_name", "is not of the network that network_id names");
    p->subnet_id = wanted;
    if (p->location != NULL)
        return RESULT_CODE_OK;
    pb_ResultCode code = az_find(a, op, &az_vnet_kind, "spec.subnet_name", id.parent, NULL, &vnet);
    const struct shape_list one = {1, &vnet};
    return code == RESULT_CODE_OK ? pick_place(op, p, &one) : code;
}

static pb_ResultCode plan_subnet(struct adapter *a, struct op *op, struct az_plan *p)
{
    struct shape_list vnets = {0};
    struct az_vnet vnet = {0};

    if (p->spec->subnet_name[0] == '/')
        return subnet_by_id(a, op, p);
    if (p->spec->network_id[0] == '\0') {
        pb_ResultCode code = az_list(a, op, &az_vnet_kind, &vnets);
        return code == RESULT_CODE_OK ? pick_place(op, p, &vnets) : code;
    }
    pb_ResultCode code =
        az_find(a, op, &az_vnet_kind, "spec.network_id", p->spec->network_id, NULL, &vnet);
    vnets = (struct shape_list){1, &vnet};
    return code == RESULT_CODE_OK ? pick_place(op, p, &vnets) : code;
}

/* ---- Security group, and public address ---- */

static pb_ResultCode plan_group(struct adapter *a, struct op *op, struct az_plan *p)
{
    const char *wanted = p->spec->security_group_name;
    struct az_nsg nsg = {0};

    if (wanted[0] == '\0')
        return RESULT_CODE_OK;
    p->nsg_id = wanted;
    if (wanted[0] == '/')
        return RESULT_CODE_OK;
    pb_ResultCode code =
        az_find(a, op, &az_nsg_kind, "spec.security_group_name", wanted, NULL, &nsg);
    p->nsg_id = nsg.thing.id;
    return code;
}

/* Whether something other than what this operation makes has it. */
static bool is_taken(const struct op *op, const struct az_plan *p, const struct az_ip *ip)
{
    size_t len = strlen(p->nic_id);

    if (ip->used_by == NULL || ip->used_by[0] == '\0')
        return false;
    return !op->resumed || strncasecmp(ip->used_by, p->nic_id, len) != 0;
}

static pb_ResultCode plan_address(struct adapter *a, struct op *op, struct az_plan *p)
{
    const char *wanted = p->spec->public_ip;
    struct shape_list list = {0};
    size_t index = 0;

    p->address_id = wanted;
    if (wanted[0] == '/')
        return RESULT_CODE_OK;
    pb_ResultCode code = az_list(a, op, &az_ip_kind, &list);
    if (code != RESULT_CODE_OK)
        return code;
    const struct az_ip *ips = list.items;
    struct pick_item *items = pick_items_of(op->arena, &list, sizeof(*ips));
    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    for (size_t i = 0; i < list.n; i++)
        if (strcasecmp(items[i].name, wanted) == 0 || strcmp(text(ips[i].address), wanted) == 0)
            items[i].name = wanted;
    code = pick(op, "public address", "spec.public_ip", wanted, items, list.n, &index);
    if (code != RESULT_CODE_OK)
        return code;
    p->address_id = ips[index].thing.id;
    if (!is_taken(op, p, &ips[index]))
        return code;
    op_violation(op, "spec.public_ip", "it is in use by %s", ips[index].used_by);
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "public address %s is in use by another machine; free it or take another one",
                   wanted);
}

pb_ResultCode az_plan_network(struct adapter *a, struct op *op, struct az_plan *p)
{
    p->location =
        p->spec->region[0] != '\0' ? az_location(op->arena, p->spec->region) : a->config->location;
    pb_ResultCode code = plan_subnet(a, op, p);
    if (code == RESULT_CODE_OK)
        code = plan_group(a, op, p);
    if (code == RESULT_CODE_OK && p->spec->public_ip[0] != '\0')
        code = plan_address(a, op, p);
    if (code == RESULT_CODE_OK && p->unguarded && p->nsg_id == NULL && p->ip_id != NULL &&
        !az_parameter_is(p->spec, "public_ip_sku", "Basic"))
        op_warn(op, "neither the machine nor its subnet has a network security group: nothing "
                    "reaches its public address from outside; give security_group_name");
    return code;
}
