/* Virtual networks and their subnets. */
#include <string.h>
#include <strings.h>

#include "az_shapes.h"
#include "az_things.h"
#include "kit/gather.h"

/* ---- Subnets ---- */

static const struct shape_field subnet_group_fields[] = {AZ_TEXT(az_subnet, group_id, "id")};
AZ_SHAPE(subnet_group, az_subnet);

static const struct shape_field subnet_more_fields[] = {
    AZ_TEXT(az_subnet, provisioning, "provisioningState"),
    AZ_TEXT(az_subnet, prefix, "addressPrefix"),
    AZ_TEXTS(az_subnet, prefixes, "addressPrefixes"),
    AZ_PART("networkSecurityGroup", subnet_group),
};
AZ_SHAPE(subnet_more, az_subnet);

static const struct shape_field subnet_fields[] = {
    AZ_THING_FIELDS(struct az_subnet),
    AZ_PART("properties", subnet_more),
};
AZ_SHAPE(subnet, az_subnet);
AZ_PAGE(subnets_page_shape, subnet_shape);

/* Who is in a subnet may be thousands. */
static const char *const subnet_mapped[] = {
    "id",   "name", "type", "addressPrefix", "ipConfigurations", "ipConfigurationProfiles",
    "tags", NULL};

static const char *cidr(const struct az_subnet *s)
{
    return s->prefix == NULL && s->prefixes.n > 0 ? s->prefixes.items[0] : s->prefix;
}

static void *subnet_message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_subnet *s = item;
    const char *block = cidr(s);
    struct az_id id;
    pb_Subnet *subnet = arena_message(arena, &pb_Subnet_desc);

    if (subnet == NULL)
        return NULL;
    subnet->cloud = field_text(a->name);
    subnet->id = field_text(s->thing.id);
    subnet->name = field_text(s->thing.name);
    if (az_id_parse(arena, s->thing.id, &id))
        subnet->network_id = field_text(id.parent);
    subnet->cidr = field_text(block);
    subnet->ip_version = block != NULL && strchr(block, ':') != NULL ? 6 : 4;
    subnet->dhcp_enabled = true; /* there are none without */
    struct field_pairs native = {.arena = arena, .type = &pb_Subnet_NativeEntry_desc};
    az_put_native(&native, &s->thing);
    subnet->n_native = native.n;
    subnet->native = (void *)native.items;
    return subnet;
}

const struct az_kind az_subnet_kind = {
    .noun = "subnet",
    .service = AZ_NETWORK,
    .type = "Microsoft.Network/virtualNetworks/subnets",
    .item = &subnet_shape,
    .page = &subnets_page_shape,
    .mapped = subnet_mapped,
    .message = subnet_message,
};

/* ---- Networks ---- */

static const struct shape_field space_fields[] = {AZ_TEXTS(az_vnet, prefixes, "addressPrefixes")};
AZ_SHAPE(space, az_vnet);

static const struct shape_field dhcp_fields[] = {AZ_TEXTS(az_vnet, dns_servers, "dnsServers")};
AZ_SHAPE(dhcp, az_vnet);

static const struct shape_field vnet_more_fields[] = {
    AZ_TEXT(az_vnet, provisioning, "provisioningState"),
    AZ_PART("addressSpace", space),
    AZ_PART("dhcpOptions", dhcp),
    AZ_LIST(az_vnet, subnets, "subnets", subnet),
};
AZ_SHAPE(vnet_more, az_vnet);

static const struct shape_field vnet_fields[] = {
    AZ_THING_FIELDS(struct az_vnet),
    AZ_PART("properties", vnet_more),
};
AZ_SHAPE(vnet, az_vnet);
AZ_PAGE(vnets_page_shape, vnet_shape);

static const char *const vnet_mapped[] = {"id",      "name", "type", "provisioningState",
                                          "subnets", "tags", NULL};

static void *vnet_message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_vnet *v = item;
    const struct az_subnet *subnets = v->subnets.items;
    pb_Network *network = arena_message(arena, &pb_Network_desc);

    if (network == NULL)
        return NULL;
    network->cloud = field_text(a->name);
    network->id = field_text(v->thing.id);
    network->name = field_text(v->thing.name);
    network->status = field_text(v->provisioning);
    network->subnet_ids = arena_array(arena, v->subnets.n + 1, sizeof(char *));
    for (size_t i = 0; network->subnet_ids != NULL && i < v->subnets.n; i++)
        if (subnets[i].thing.id != NULL)
            network->subnet_ids[network->n_subnet_ids++] = field_text(subnets[i].thing.id);
    struct field_pairs native = {.arena = arena, .type = &pb_Network_NativeEntry_desc};
    az_put_native(&native, &v->thing);
    network->n_native = native.n;
    network->native = (void *)native.items;
    return network;
}

const struct az_kind az_vnet_kind = {
    .noun = "virtual network",
    .service = AZ_NETWORK,
    .type = "Microsoft.Network/virtualNetworks",
    .item = &vnet_shape,
    .page = &vnets_page_shape,
    .mapped = vnet_mapped,
    .inner = &az_subnet_kind,
    .inner_path = "subnets",
    .inner_offset = offsetof(struct az_vnet, subnets),
    .message = vnet_message,
};

pb_ResultCode azure_list_networks(struct adapter *a, struct op *op,
                                  const pb_ListNetworksRequest *req, pb_ListNetworksResponse *ret)
{
    (void)req;
    return az_list_slot(a, op, &az_vnet_kind, &ret->n_networks, (void ***)&ret->networks);
}

pb_ResultCode azure_get_network(struct adapter *a, struct op *op, const pb_GetNetworkRequest *req,
                                pb_GetNetworkResponse *ret)
{
    return az_get_slot(a, op, &az_vnet_kind, req->id, (void **)&ret->network);
}

/* ---- Subnets of networks ---- */

/* A subnet that is listed has an id, and a name. */
static void complete(struct arena *a, const struct shape_list *vnets, struct gathering *all)
{
    const struct az_vnet *v = vnets->items;

    for (size_t i = 0; i < vnets->n; i++) {
        struct az_subnet *s = v[i].subnets.items;
        for (size_t k = 0; k < v[i].subnets.n; k++) {
            const struct shape_list one = {1, &s[k]};
            if (s[k].thing.id == NULL || s[k].thing.id[0] == '\0')
                continue;
            if (s[k].thing.name == NULL)
                s[k].thing.name = az_id_name(a, s[k].thing.id);
            if (!gather(a, all, &one))
                return;
        }
    }
}

/* Those of one network, or (NULL) of all; with their networks, for what these say of them. */
static pb_ResultCode subnets_of(struct adapter *a, struct op *op, const char *field,
                                const char *vnet, struct shape_list *ret_vnets,
                                struct shape_list *ret)
{
    struct gathering all = {.size = sizeof(struct az_subnet)};
    struct shape_list vnets = {1, NULL};
    pb_ResultCode code;

    if (vnet == NULL) {
        code = az_list(a, op, &az_vnet_kind, &vnets);
    } else {
        vnets.items = arena_alloc(op->arena, sizeof(struct az_vnet));
        code = vnets.items == NULL ? op_end(op, RESULT_CODE_INTERNAL_ERROR)
                                   : az_find(a, op, &az_vnet_kind, field, vnet, NULL, vnets.items);
    }
    if (code != RESULT_CODE_OK)
        return code;
    complete(op->arena, &vnets, &all);
    *ret_vnets = vnets;
    *ret = all.all;
    return RESULT_CODE_OK;
}

/* By an id: its network has it, or not. */
static pb_ResultCode find_by_id(struct adapter *a, struct op *op, const char *field,
                                const char *wanted, struct shape_list *ret_vnets,
                                struct az_subnet *ret)
{
    struct shape_list list = {0};
    struct az_id id;

    if (!az_id_parse(op->arena, wanted, &id) || strcasecmp(id.type, az_subnet_kind.type) != 0)
        return pick_no_id(op, az_subnet_kind.noun, field, wanted);
    pb_ResultCode code = subnets_of(a, op, field, id.parent, ret_vnets, &list);
    const struct az_subnet *s = list.items;
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++)
        if (az_id_is(s[i].thing.id, wanted)) {
            *ret = s[i];
            return code;
        }
    return code != RESULT_CODE_OK ? code : pick_no_id(op, az_subnet_kind.noun, field, wanted);
}

static pb_ResultCode subnet_find(struct adapter *a, struct op *op, const char *field,
                                 const char *wanted, const char *vnet, struct shape_list *ret_vnets,
                                 struct az_subnet *ret)
{
    const char *slash = strrchr(wanted, '/');
    struct shape_list list = {0};
    size_t index = 0;

    if (wanted[0] == '/')
        return find_by_id(a, op, field, wanted, ret_vnets, ret);
    if (slash != NULL) { /* NETWORK/SUBNET, GROUP/NETWORK/SUBNET */
        vnet = arena_strndup(op->arena, wanted, (size_t)(slash - wanted));
        wanted = slash + 1;
    }
    pb_ResultCode code = subnets_of(a, op, field, vnet, ret_vnets, &list);
    if (code == RESULT_CODE_OK)
        code = az_pick(op, &az_subnet_kind, field, wanted, &list, &index);
    if (code == RESULT_CODE_OK)
        *ret = ((const struct az_subnet *)list.items)[index];
    return code;
}

pb_ResultCode az_subnet_find(struct adapter *a, struct op *op, const char *field,
                             const char *wanted, const char *vnet_id, struct az_subnet *ret)
{
    struct shape_list vnets = {0};

    return subnet_find(a, op, field, wanted, vnet_id, &vnets, ret);
}

/* What their networks say of subnets. */
static void put_networks(struct arena *a, const struct shape_list *vnets, pb_Subnet **subnets,
                         size_t n)
{
    const struct az_vnet *v = vnets->items;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < vnets->n; k++)
            if (az_id_is(v[k].thing.id, subnets[i]->network_id)) {
                subnets[i]->network_id = field_text(v[k].thing.id);
                subnets[i]->dns_servers = field_texts(a, &v[k].dns_servers);
                subnets[i]->n_dns_servers = subnets[i]->dns_servers ? v[k].dns_servers.n : 0;
                break;
            }
}

pb_ResultCode azure_list_subnets(struct adapter *a, struct op *op, const pb_ListSubnetsRequest *req,
                                 pb_ListSubnetsResponse *ret)
{
    struct shape_list vnets = {0}, list = {0};
    const char *vnet = req->network_id[0] != '\0' ? req->network_id : NULL;
    pb_Subnet **subnets = NULL;
    size_t n = 0;

    pb_ResultCode code = subnets_of(a, op, "network_id", vnet, &vnets, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    code = az_messages(a, op, &az_subnet_kind, &list, &n, (void ***)&subnets);
    if (code == RESULT_CODE_OK)
        put_networks(op->arena, &vnets, subnets, n);
    code = op_end(op, code);
    if (code == RESULT_CODE_OK) {
        ret->subnets = subnets;
        ret->n_subnets = n;
    }
    return code;
}

pb_ResultCode azure_get_subnet(struct adapter *a, struct op *op, const pb_GetSubnetRequest *req,
                               pb_GetSubnetResponse *ret)
{
    struct shape_list vnets = {0};
    struct az_subnet subnet = {0};

    pb_ResultCode code = subnet_find(a, op, "id", req->id, NULL, &vnets, &subnet);
    pb_Subnet *message = code == RESULT_CODE_OK ? subnet_message(a, op->arena, &subnet) : NULL;
    if (message != NULL)
        put_networks(op->arena, &vnets, &message, 1);
    code = op_end(op, code);
    if (code == RESULT_CODE_OK)
        ret->subnet = message;
    return code;
}
