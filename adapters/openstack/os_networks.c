#include "os_networks.h"

static const struct shape_field network_fields[] = {
    SHAPE_FIELD(struct os_network, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_network, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_network, status, "status", SHAPE_STRING),
    SHAPE_FIELD(struct os_network, project_id, "project_id", SHAPE_STRING),
    SHAPE_FIELD(struct os_network, external, "router:external", SHAPE_BOOL),
    SHAPE_FIELD(struct os_network, shared, "shared", SHAPE_BOOL),
    SHAPE_FIELD(struct os_network, admin_state_up, "admin_state_up", SHAPE_BOOL),
    SHAPE_FIELD(struct os_network, is_default, "is_default", SHAPE_BOOL),
    SHAPE_FIELD(struct os_network, port_security, "port_security_enabled", SHAPE_STRING),
    SHAPE_FIELD(struct os_network, mtu, "mtu", SHAPE_INT),
    SHAPE_FIELD(struct os_network, subnets, "subnets", SHAPE_STRINGS),
};
static const struct shape network_shape = {sizeof(struct os_network), network_fields,
                                           ARRAY_LEN(network_fields), 0};
OS_PAGE(networks_page_shape, "networks", "networks_links", network_shape);
OS_ONE(network_one_shape, "network", struct os_network, network_shape);

static const struct shape_field subnet_fields[] = {
    SHAPE_FIELD(struct os_subnet, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_subnet, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_subnet, network_id, "network_id", SHAPE_STRING),
    SHAPE_FIELD(struct os_subnet, cidr, "cidr", SHAPE_STRING),
    SHAPE_FIELD(struct os_subnet, gateway_ip, "gateway_ip", SHAPE_STRING),
    SHAPE_FIELD(struct os_subnet, ip_version, "ip_version", SHAPE_INT),
    SHAPE_FIELD(struct os_subnet, enable_dhcp, "enable_dhcp", SHAPE_BOOL),
    SHAPE_FIELD(struct os_subnet, dns, "dns_nameservers", SHAPE_STRINGS),
};
static const struct shape subnet_shape = {sizeof(struct os_subnet), subnet_fields,
                                          ARRAY_LEN(subnet_fields), 0};
OS_PAGE(subnets_page_shape, "subnets", "subnets_links", subnet_shape);
OS_ONE(subnet_one_shape, "subnet", struct os_subnet, subnet_shape);

const struct os_kind os_network_kind = {
    .noun = "network",
    .service = OS_NETWORK,
    .path = "/networks",
    .name_filter = "name",
    .item = &network_shape,
    .page = &networks_page_shape,
    .one = &network_one_shape,
    .list_depth = 3,
    .one_depth = 2,
    .message = os_parse_network,
};

const struct os_kind os_subnet_kind = {
    .noun = "subnet",
    .service = OS_NETWORK,
    .path = "/subnets",
    .name_filter = "name",
    .item = &subnet_shape,
    .page = &subnets_page_shape,
    .one = &subnet_one_shape,
    .list_depth = 3,
    .one_depth = 2,
    .message = os_parse_subnet,
};

void *os_parse_network(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    const struct os_network *n = (const void *)thing;
    static const char *const mapped[] = {"id",     "name", "status",  "router:external",
                                         "shared", "mtu",  "subnets", NULL};
    pb_Network *network = arena_message(a, &pb_Network_desc);
    if (network == NULL)
        return NULL;
    network->cloud = field_text(cloud);
    network->id = field_text(n->thing.id);
    network->name = field_text(n->thing.name);
    network->status = field_text(n->status);
    network->is_external = n->external;
    network->is_shared = n->shared;
    network->mtu = field_u32(n->mtu);
    network->subnet_ids = field_texts(a, &n->subnets);
    network->n_subnet_ids = network->subnet_ids == NULL ? 0 : n->subnets.n;
    struct field_pairs native = {.arena = a, .type = &pb_Network_NativeEntry_desc};
    field_pairs_rest(&native, &n->thing.all, mapped);
    network->n_native = native.n;
    network->native = (void *)native.items;
    return network;
}

void *os_parse_subnet(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    const struct os_subnet *s = (const void *)thing;
    static const char *const mapped[] = {
        "id",          "name",       "network_id",      "cidr", "gateway_ip",
        "enable_dhcp", "ip_version", "dns_nameservers", NULL};
    pb_Subnet *subnet = arena_message(a, &pb_Subnet_desc);
    if (subnet == NULL)
        return NULL;
    subnet->cloud = field_text(cloud);
    subnet->id = field_text(s->thing.id);
    subnet->name = field_text(s->thing.name);
    subnet->network_id = field_text(s->network_id);
    subnet->cidr = field_text(s->cidr);
    subnet->ip_version = field_u32(s->ip_version);
    subnet->gateway_ip = field_text(s->gateway_ip);
    subnet->dhcp_enabled = s->enable_dhcp;
    subnet->dns_servers = field_texts(a, &s->dns);
    subnet->n_dns_servers = subnet->dns_servers == NULL ? 0 : s->dns.n;
    struct field_pairs native = {.arena = a, .type = &pb_Subnet_NativeEntry_desc};
    field_pairs_rest(&native, &s->thing.all, mapped);
    subnet->n_native = native.n;
    subnet->native = (void *)native.items;
    return subnet;
}

pb_ResultCode openstack_list_networks(struct adapter *a, struct op *op,
                                      const pb_ListNetworksRequest *req,
                                      pb_ListNetworksResponse *ret)
{
    (void)req;
    return os_list_slot(a, op, &os_network_kind, NULL, &ret->n_networks, (void ***)&ret->networks);
}

pb_ResultCode openstack_get_network(struct adapter *a, struct op *op,
                                    const pb_GetNetworkRequest *req, pb_GetNetworkResponse *ret)
{
    return os_get_slot(a, op, &os_network_kind, req->id, (void **)&ret->network);
}

pb_ResultCode openstack_list_subnets(struct adapter *a, struct op *op,
                                     const pb_ListSubnetsRequest *req, pb_ListSubnetsResponse *ret)
{
    const char *query = NULL;
    if (req->network_id[0] != '\0') {
        struct os_network network = {0};
        pb_ResultCode code =
            os_find(a, op, &os_network_kind, "network_id", req->network_id, NULL, &network);
        if (code != RESULT_CODE_OK)
            return op_end(op, code);
        query = arena_printf(op->arena, "network_id=%s", url_escape(op->arena, network.thing.id));
    }
    return os_list_slot(a, op, &os_subnet_kind, query, &ret->n_subnets, (void ***)&ret->subnets);
}

pb_ResultCode openstack_get_subnet(struct adapter *a, struct op *op, const pb_GetSubnetRequest *req,
                                   pb_GetSubnetResponse *ret)
{
    return os_get_slot(a, op, &os_subnet_kind, req->id, (void **)&ret->subnet);
}
