/* Networks are VPCs; subnets; security groups; key pairs. */
#ifndef AWS_NETWORKS_H
#define AWS_NETWORKS_H

#include "aws.h"

struct aws_cidr {
    const char *id, *cidr, *ipv6_cidr, *state, *ipv6_state, *pool, *border_group;
};

struct aws_vpc {
    struct aws_thing thing;
    const char *state, *cidr, *owner_id, *tenancy, *dhcp_options, *is_default; /* "true" */
    struct shape_list cidrs, ipv6_cidrs;                                       /* struct aws_cidr */
};

struct aws_subnet {
    struct aws_thing thing;
    const char *state, *vpc_id, *cidr, *zone, *zone_id, *owner_id, *arn, *outpost_arn;
    const char *free_addresses;
    const char *default_for_zone, *maps_public_ip, *assigns_ipv6, *ipv6_native, *dns64; /* "true" */
    const char *maps_customer_ip, *customer_pool, *lni, *hostname_type, *dns_a, *dns_aaaa;
    struct shape_list ipv6_cidrs; /* struct aws_cidr */
};

struct aws_security_group {
    struct aws_thing thing; /* the name is groupName */
    const char *description, *vpc_id, *owner_id;
    struct shape_list ingress, egress; /* struct aws_permission, in aws_groups.c */
};

struct aws_key {
    struct aws_thing thing; /* the name is keyName, by which machines refer to it */
    const char *fingerprint, *type, *public_key, *created;
};

extern const struct aws_kind aws_vpc_kind, aws_subnet_kind, aws_group_kind, aws_key_kind;

pb_ResultCode aws_list_networks(struct adapter *a, struct op *op, const pb_ListNetworksRequest *req,
                                pb_ListNetworksResponse *ret);
pb_ResultCode aws_get_network(struct adapter *a, struct op *op, const pb_GetNetworkRequest *req,
                              pb_GetNetworkResponse *ret);
pb_ResultCode aws_list_subnets(struct adapter *a, struct op *op, const pb_ListSubnetsRequest *req,
                               pb_ListSubnetsResponse *ret);
pb_ResultCode aws_get_subnet(struct adapter *a, struct op *op, const pb_GetSubnetRequest *req,
                             pb_GetSubnetResponse *ret);
pb_ResultCode aws_list_security_groups(struct adapter *a, struct op *op,
                                       const pb_ListSecurityGroupsRequest *req,
                                       pb_ListSecurityGroupsResponse *ret);
pb_ResultCode aws_get_security_group(struct adapter *a, struct op *op,
                                     const pb_GetSecurityGroupRequest *req,
                                     pb_GetSecurityGroupResponse *ret);
pb_ResultCode aws_list_keypairs(struct adapter *a, struct op *op, const pb_ListKeypairsRequest *req,
                                pb_ListKeypairsResponse *ret);
pb_ResultCode aws_get_keypair(struct adapter *a, struct op *op, const pb_GetKeypairRequest *req,
                              pb_GetKeypairResponse *ret);

#endif
