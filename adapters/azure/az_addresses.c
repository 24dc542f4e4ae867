/* Network interfaces and public addresses. */
#include "az_shapes.h"
#include "az_things.h"

/* ---- Interfaces ---- */

static const struct shape_field config_subnet_fields[] = {AZ_TEXT(az_ip_config, subnet_id, "id")};
AZ_SHAPE(config_subnet, az_ip_config);

static const struct shape_field config_ip_fields[] = {AZ_TEXT(az_ip_config, public_ip_id, "id")};
AZ_SHAPE(config_ip, az_ip_config);

static const struct shape_field config_more_fields[] = {
    AZ_TEXT(az_ip_config, private_ip, "privateIPAddress"),
    AZ_PART("publicIPAddress", config_ip),
    AZ_PART("subnet", config_subnet),
    AZ_BOOL(az_ip_config, primary, "primary"),
    AZ_TEXT(az_ip_config, version, "privateIPAddressVersion"),
};
AZ_SHAPE(config_more, az_ip_config);

static const struct shape_field config_fields[] = {AZ_PART("properties", config_more)};
AZ_SHAPE(config, az_ip_config);

static const struct shape_field nic_group_fields[] = {AZ_TEXT(az_nic, group_id, "id")};
AZ_SHAPE(nic_group, az_nic);

static const struct shape_field nic_vm_fields[] = {AZ_TEXT(az_nic, vm_id, "id")};
AZ_SHAPE(nic_vm, az_nic);

static const struct shape_field nic_more_fields[] = {
    AZ_TEXT(az_nic, provisioning, "provisioningState"),
    AZ_LIST(az_nic, configs, "ipConfigurations", config),
    AZ_TEXT(az_nic, mac, "macAddress"),
    AZ_PART("networkSecurityGroup", nic_group),
    AZ_PART("virtualMachine", nic_vm),
};
AZ_SHAPE(nic_more, az_nic);

static const struct shape_field nic_fields[] = {
    AZ_THING_FIELDS(struct az_nic),
    AZ_PART("properties", nic_more),
};
AZ_SHAPE(nic, az_nic);
AZ_PAGE(nics_page_shape, nic_shape);

const struct az_kind az_nic_kind = {
    .noun = "network interface",
    .service = AZ_NETWORK,
    .type = "Microsoft.Network/networkInterfaces",
    .item = &nic_shape,
    .page = &nics_page_shape,
};

/* ---- Public addresses ---- */

static const struct shape_field ip_user_fields[] = {AZ_TEXT(az_ip, used_by, "id")};
AZ_SHAPE(ip_user, az_ip);

static const struct shape_field ip_sku_fields[] = {AZ_TEXT(az_ip, sku, "name")};
AZ_SHAPE(ip_sku, az_ip);

static const struct shape_field ip_more_fields[] = {
    AZ_TEXT(az_ip, provisioning, "provisioningState"),
    AZ_TEXT(az_ip, address, "ipAddress"),
    AZ_TEXT(az_ip, version, "publicIPAddressVersion"),
    AZ_TEXT(az_ip, allocation, "publicIPAllocationMethod"),
    AZ_PART("ipConfiguration", ip_user),
};
AZ_SHAPE(ip_more, az_ip);

static const struct shape_field ip_fields[] = {
    AZ_THING_FIELDS(struct az_ip),
    AZ_TEXTS(az_ip, zones, "zones"),
    AZ_PART("properties", ip_more),
    AZ_PART("sku", ip_sku),
};
AZ_SHAPE(ip, az_ip);
AZ_PAGE(ips_page_shape, ip_shape);

const struct az_kind az_ip_kind = {
    .noun = "public IP address",
    .service = AZ_NETWORK,
    .type = "Microsoft.Network/publicIPAddresses",
    .item = &ip_shape,
    .page = &ips_page_shape,
};
