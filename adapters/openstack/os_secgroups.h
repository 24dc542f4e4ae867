/* Neutron's security groups. */
#ifndef OS_SECGROUPS_H
#define OS_SECGROUPS_H

#include "os.h"

struct os_rule {
    const char *id, *direction, *ethertype, *protocol, *remote_ip_prefix, *remote_group_id;
    int64_t port_min, port_max;
};

struct os_secgroup {
    struct os_thing thing;
    const char *description, *project_id;
    struct shape_list rules; /* struct os_rule */
};

extern const struct os_kind os_secgroup_kind;

/* Pure. */
void *os_parse_secgroup(struct arena *a, const char *cloud, const struct os_thing *thing);

pb_ResultCode openstack_list_security_groups(struct adapter *a, struct op *op,
                                             const pb_ListSecurityGroupsRequest *req,
                                             pb_ListSecurityGroupsResponse *ret);
pb_ResultCode openstack_get_security_group(struct adapter *a, struct op *op,
                                           const pb_GetSecurityGroupRequest *req,
                                           pb_GetSecurityGroupResponse *ret);

#endif
