/* What there is beside machines: networks, addresses, groups, keys, images, sizes, resource groups.
 */
#ifndef AZ_THINGS_H
#define AZ_THINGS_H

#include "az.h"

struct az_subnet {
    struct az_thing thing;
    const char *prefix, *group_id; /* its CIDR; of its security group */
    struct shape_strings prefixes;
    const char *provisioning;
};

struct az_vnet {
    struct az_thing thing;
    const char *provisioning;
    struct shape_strings prefixes, dns_servers;
    struct shape_list subnets; /* struct az_subnet */
};

struct az_nsg {
    struct az_thing thing;
    const char *provisioning;
    struct shape_list rules; /* struct az_rule, in az_groups.c */
};

struct az_ip {
    struct az_thing thing;
    const char *address, *allocation, *version, *sku, *provisioning,
        *used_by; /* an ipConfiguration */
    struct shape_strings zones;
};

struct az_ip_config {
    const char *private_ip, *subnet_id, *public_ip_id, *version;
    bool primary;
};

struct az_nic {
    struct az_thing thing;
    const char *mac, *vm_id, *group_id, *provisioning;
    struct shape_list configs; /* struct az_ip_config */
};

struct az_disk {
    struct az_thing thing;
    const char *state, *used_by, *created;
};

struct az_key {
    struct az_thing thing;
    const char *public_key;
};

/* An image of the subscription, of a gallery or of the marketplace. */
struct az_image {
    struct az_thing thing;
    const char *os_type, *os_state, *provisioning, *source_vm, *generation, *architecture;
    const char *created, *deprecation, *publisher;
    int64_t size_gib, min_memory_gib;
    bool is_public; /* of the marketplace */
};

struct az_size { /* id and name are the size's name */
    struct az_thing thing;
    int64_t vcpus, memory_mib, os_disk_mib, resource_disk_mib, data_disks;
};

struct az_group {
    struct az_thing thing;
    const char *provisioning, *managed_by;
};

extern const struct az_kind az_vnet_kind, az_subnet_kind, az_nsg_kind, az_ip_kind, az_nic_kind,
    az_disk_kind, az_key_kind, az_image_kind, az_gallery_image_kind, az_market_image_kind,
    az_group_kind;

/* All subnets are in their networks: the one that a name (NETWORK/SUBNET too) or id refers to. */
pb_ResultCode az_subnet_find(struct adapter *a, struct op *op, const char *field,
                             const char *wanted, const char *vnet_id,
                             struct az_subnet *ret) MUST_USE;
/* The image that a name, an id (a gallery's too) or PUBLISHER:OFFER:SKU:VERSION refers to. "latest"
 * is the highest version there is in `location`, NULL: that of the connection. */
pb_ResultCode az_image_find(struct adapter *a, struct op *op, const char *field, const char *wanted,
                            const char *location, struct az_image *ret) MUST_USE;
/* The location that sizes, zones and marketplace images are looked up in: the connection's, or else
 * its resource group's. BadRequestData where there is neither. */
pb_ResultCode az_home(struct adapter *a, struct op *op, const char **ret) MUST_USE;
/* "West Europe" and "westeurope" are the same. */
bool az_location_is(const char *one, const char *other);
/* The sizes of a location. */
extern const struct az_kind az_size_kind;
pb_ResultCode az_sizes(struct adapter *a, struct op *op, const char *location,
                       struct shape_list *ret) MUST_USE;

#endif
