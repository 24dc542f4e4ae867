/* Neutron's networks and subnets. */
#ifndef OS_NETWORKS_H
#define OS_NETWORKS_H

#include "os.h"

struct os_network {
    struct os_thing thing;
    const char *status, *project_id;
    bool external, shared, admin_state_up, is_default;
    const char *port_security; /* "true" or "false", or NULL */
    int64_t mtu;
    struct shape_strings subnets;
};

struct os_subnet {
    struct os_thing thing;
    const char *network_id, *cidr, *gateway_ip;
    int64_t ip_version;
    bool enable_dhcp;
    struct shape_strings dns;
};

extern const struct os_kind os_network_kind;
extern const struct os_kind os_subnet_kind;

/* Pure. */
void *os_parse_network(struct arena *a, const char *cloud, const struct os_thing *thing);
void *os_parse_subnet(struct arena *a, const char *cloud, const struct os_thing *thing);

pb_ResultCode openstack_list_networks(struct adapter *a, struct op *op,
                                      const pb_ListNetworksRequest *req,
                                      pb_ListNetworksResponse *ret);
pb_ResultCode openstack_get_network(struct adapter *a, struct op *op,
                                    const pb_GetNetworkRequest *req, pb_GetNetworkResponse *ret);
pb_ResultCode openstack_list_subnets(struct adapter *a, struct op *op,
                                     const pb_ListSubnetsRequest *req, pb_ListSubnetsResponse *ret);
pb_ResultCode openstack_get_subnet(struct adapter *a, struct op *op, const pb_GetSubnetRequest *req,
                                   pb_GetSubnetResponse *ret);

#endif
