/* VPCs and their subnets. */
#include "aws_networks.h"

#include <string.h>

#define TEXT(struct_, member_, name_) SHAPE_FIELD(struct struct_, member_, name_, SHAPE_STRING)
#define SHAPE_OF(name_, struct_)                                                                   \
    static const struct shape name_##_shape = {sizeof(struct struct_), name_##_fields,             \
                                               ARRAY_LEN(name_##_fields), 0}

/* ---- Blocks of addresses ---- */

static const struct shape_field cidr_state_fields[] = {TEXT(aws_cidr, state, "state")};
SHAPE_OF(cidr_state, aws_cidr);

static const struct shape_field ipv6_state_fields[] = {TEXT(aws_cidr, ipv6_state, "state")};
SHAPE_OF(ipv6_state, aws_cidr);

static const struct shape_field cidr_fields[] = {
    TEXT(aws_cidr, id, "associationId"),
    TEXT(aws_cidr, cidr, "cidrBlock"),
    TEXT(aws_cidr, ipv6_cidr, "ipv6CidrBlock"),
    {"cidrBlockState", SHAPE_STRUCT, 0, &cidr_state_shape},
    {"ipv6CidrBlockState", SHAPE_STRUCT, 0, &ipv6_state_shape},
    TEXT(aws_cidr, border_group, "networkBorderGroup"),
    TEXT(aws_cidr, pool, "ipv6Pool"),
};
SHAPE_OF(cidr, aws_cidr);

/* ---- VPCs ---- */

#define WORD(member_, name_) TEXT(aws_vpc, member_, name_)

static const struct shape_field vpc_fields[] = {
    WORD(thing.id, "vpcId"),
    WORD(owner_id, "ownerId"),
    WORD(state, "state"),
    WORD(cidr, "cidrBlock"),
    SHAPE_NESTED(struct aws_vpc, cidrs, "cidrBlockAssociationSet", SHAPE_LIST, cidr_shape),
    SHAPE_NESTED(struct aws_vpc, ipv6_cidrs, "ipv6CidrBlockAssociationSet", SHAPE_LIST, cidr_shape),
    WORD(dhcp_options, "dhcpOptionsId"),
    SHAPE_FIELD(struct aws_vpc, thing.tags, "tagSet", SHAPE_MAP),
    WORD(tenancy, "instanceTenancy"),
    WORD(is_default, "isDefault"),
};
SHAPE_OF(vpc, aws_vpc);
AWS_PAGE(vpcs_page_shape, "vpcSet", vpc_shape);
#undef WORD

static void *vpc_message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"vpcId", "state", NULL};
    const struct aws_vpc *v = item;
    pb_Network *network = arena_message(arena, &pb_Network_desc);

    if (network == NULL)
        return NULL;
    network->cloud = field_text(a->name);
    network->id = field_text(v->thing.id);
    network->name = field_text(v->thing.name);
    network->status = field_text(v->state);
    struct field_pairs native = {.arena = arena, .type = &pb_Network_NativeEntry_desc};
    aws_put_native(&native, &vpc_shape, v, mapped);
    network->n_native = native.n;
    network->native = (void *)native.items;
    return network;
}

const struct aws_kind aws_vpc_kind = {
    .noun = "network",
    .action = "DescribeVpcs",
    .id_filter = "vpc-id",
    .id_prefix = "vpc-",
    .name_filter = "tag:Name",
    .page_size = 1000,
    .item = &vpc_shape,
    .page = &vpcs_page_shape,
    .message = vpc_message,
};

/* ---- Subnets ---- */

#define WORD(member_, name_) TEXT(aws_subnet, member_, name_)

static const struct shape_field dns_fields[] = {
    WORD(hostname_type, "hostnameType"),
    WORD(dns_a, "enableResourceNameDnsARecord"),
    WORD(dns_aaaa, "enableResourceNameDnsAAAARecord"),
};
SHAPE_OF(dns, aws_subnet);

static const struct shape_field subnet_fields[] = {
    WORD(thing.id, "subnetId"),
    WORD(arn, "subnetArn"),
    WORD(state, "state"),
    WORD(owner_id, "ownerId"),
    WORD(vpc_id, "vpcId"),
    WORD(cidr, "cidrBlock"),
    SHAPE_NESTED(struct aws_subnet, ipv6_cidrs, "ipv6CidrBlockAssociationSet", SHAPE_LIST,
                 cidr_shape),
    WORD(free_addresses, "availableIpAddressCount"),
    WORD(zone, "availabilityZone"),
    WORD(zone_id, "availabilityZoneId"),
    WORD(default_for_zone, "defaultForAz"),
    WORD(maps_public_ip, "mapPublicIpOnLaunch"),
    WORD(assigns_ipv6, "assignIpv6AddressOnCreation"),
    SHAPE_FIELD(struct aws_subnet, thing.tags, "tagSet", SHAPE_MAP),
    WORD(maps_customer_ip, "mapCustomerOwnedIpOnLaunch"),
    WORD(customer_pool, "customerOwnedIpv4Pool"),
    WORD(lni, "enableLniAtDeviceIndex"),
    WORD(outpost_arn, "outpostArn"),
    WORD(dns64, "enableDns64"),
    WORD(ipv6_native, "ipv6Native"),
    {"privateDnsNameOptionsOnLaunch", SHAPE_STRUCT, 0, &dns_shape},
};
SHAPE_OF(subnet, aws_subnet);
AWS_PAGE(subnets_page_shape, "subnetSet", subnet_shape);

/* The block that its addresses are of; a subnet may have IPv6 alone. */
static const char *block(const struct aws_subnet *s)
{
    const struct aws_cidr *six = s->ipv6_cidrs.items;

    if ((s->cidr != NULL && s->cidr[0] != '\0') || s->ipv6_cidrs.n == 0)
        return s->cidr;
    return six[0].ipv6_cidr;
}

static void *subnet_message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"subnetId", "vpcId", "cidrBlock", "availabilityZone",
                                         NULL};
    const struct aws_subnet *s = item;
    const char *cidr = block(s);
    pb_Subnet *subnet = arena_message(arena, &pb_Subnet_desc);

    if (subnet == NULL)
        return NULL;
    subnet->cloud = field_text(a->name);
    subnet->id = field_text(s->thing.id);
    subnet->name = field_text(s->thing.name);
    subnet->network_id = field_text(s->vpc_id);
    subnet->cidr = field_text(cidr);
    subnet->ip_version = cidr != NULL && strchr(cidr, ':') != NULL ? 6 : 4;
    subnet->dhcp_enabled = true; /* there are none without */
    subnet->zone = field_text(s->zone);
    struct field_pairs native = {.arena = arena, .type = &pb_Subnet_NativeEntry_desc};
    aws_put_native(&native, &subnet_shape, s, mapped);
    subnet->n_native = native.n;
    subnet->native = (void *)native.items;
    return subnet;
}

const struct aws_kind aws_subnet_kind = {
    .noun = "subnet",
    .action = "DescribeSubnets",
    .id_filter = "subnet-id",
    .id_prefix = "subnet-",
    .name_filter = "tag:Name",
    .page_size = 1000,
    .item = &subnet_shape,
    .page = &subnets_page_shape,
    .message = subnet_message,
};

/* ---- Slots ---- */

/* A VPC does not say which subnets it has: its subnets do. */
static pb_ResultCode put_subnets(struct adapter *a, struct op *op, pb_Network **networks, size_t n)
{
    const char *id = n == 1 ? networks[0]->id : NULL;
    const struct aws_filter of_one = {"vpc-id", 1, &id};
    struct shape_list list = {0};

    if (n == 0)
        return RESULT_CODE_OK;
    pb_ResultCode code = aws_list(a, op, &aws_subnet_kind, &of_one, id != NULL, &list);
    const struct aws_subnet *subnets = list.items;
    for (size_t i = 0; code == RESULT_CODE_OK && i < n; i++) {
        networks[i]->subnet_ids = arena_array(op->arena, list.n + 1, sizeof(char *));
        for (size_t k = 0; networks[i]->subnet_ids != NULL && k < list.n; k++)
            if (subnets[k].vpc_id != NULL && strcmp(subnets[k].vpc_id, networks[i]->id) == 0)
                networks[i]->subnet_ids[networks[i]->n_subnet_ids++] =
                    field_text(subnets[k].thing.id);
    }
    return op_end(op, code);
}

pb_ResultCode aws_list_networks(struct adapter *a, struct op *op, const pb_ListNetworksRequest *req,
                                pb_ListNetworksResponse *ret)
{
    pb_Network **networks = NULL;
    size_t n = 0;

    pb_ResultCode code =
        aws_list_slot(a, op, &aws_vpc_kind, req->name, NULL, 0, &n, (void ***)&networks);
    if (code == RESULT_CODE_OK)
        code = put_subnets(a, op, networks, n);
    if (code == RESULT_CODE_OK) {
        ret->networks = networks;
        ret->n_networks = n;
    }
    return code;
}

pb_ResultCode aws_get_network(struct adapter *a, struct op *op, const pb_GetNetworkRequest *req,
                              pb_GetNetworkResponse *ret)
{
    pb_Network *network = NULL;

    pb_ResultCode code = aws_get_slot(a, op, &aws_vpc_kind, req->id, (void **)&network);
    if (code == RESULT_CODE_OK)
        code = put_subnets(a, op, &network, 1);
    if (code == RESULT_CODE_OK)
        ret->network = network;
    return code;
}

pb_ResultCode aws_list_subnets(struct adapter *a, struct op *op, const pb_ListSubnetsRequest *req,
                               pb_ListSubnetsResponse *ret)
{
    struct aws_vpc vpc = {0};
    bool of_one = req->network_id[0] != '\0';

    if (of_one) {
        pb_ResultCode code =
            aws_find(a, op, &aws_vpc_kind, "network_id", req->network_id, NULL, 0, &vpc);
        if (code != RESULT_CODE_OK)
            return op_end(op, code);
    }
    const struct aws_filter filter = {"vpc-id", 1, &vpc.thing.id};
    return aws_list_slot(a, op, &aws_subnet_kind, req->name, &filter, of_one, &ret->n_subnets,
                         (void ***)&ret->subnets);
}

pb_ResultCode aws_get_subnet(struct adapter *a, struct op *op, const pb_GetSubnetRequest *req,
                             pb_GetSubnetResponse *ret)
{
    return aws_get_slot(a, op, &aws_subnet_kind, req->id, (void **)&ret->subnet);
}
