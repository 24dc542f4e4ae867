/* Where what EC2 says of instances goes: tables. */
#include "aws_instances.h"

#define TEXT(struct_, member_, name_) SHAPE_FIELD(struct struct_, member_, name_, SHAPE_STRING)
#define SHAPE_OF(name_, struct_)                                                                   \
    static const struct shape name_##_shape = {sizeof(struct struct_), name_##_fields,             \
                                               ARRAY_LEN(name_##_fields), 0}
/* Of an instance. */
#define WORD(member_, name_) TEXT(aws_instance, member_, name_)
/* A part of an instance whose members are the instance's own. */
#define PART(name_, shape_)                                                                        \
    {                                                                                              \
        name_, SHAPE_STRUCT, 0, &(shape_)                                                          \
    }

/* ---- What several of an instance's parts have ---- */

static const struct shape_field group_fields[] = {
    TEXT(aws_group, id, "groupId"),
    TEXT(aws_group, name, "groupName"),
};
SHAPE_OF(group, aws_group);

static const struct shape_field association_fields[] = {
    TEXT(aws_association, public_ip, "publicIp"),
    TEXT(aws_association, public_dns, "publicDnsName"),
    TEXT(aws_association, ip_owner, "ipOwnerId"),
    TEXT(aws_association, carrier_ip, "carrierIp"),
    TEXT(aws_association, customer_ip, "customerOwnedIp"),
};
SHAPE_OF(association, aws_association);

/* ---- Network interfaces ---- */

static const struct shape_field private_ip_fields[] = {
    TEXT(aws_private_ip, ip, "privateIpAddress"),
    SHAPE_FIELD(struct aws_private_ip, primary, "primary", SHAPE_BOOL),
    SHAPE_NESTED(struct aws_private_ip, association, "association", SHAPE_STRUCT,
                 association_shape),
};
SHAPE_OF(private_ip, aws_private_ip);

static const struct shape_field ipv6_fields[] = {
    TEXT(aws_ipv6, ip, "ipv6Address"),
};
SHAPE_OF(ipv6, aws_ipv6);

static const struct shape_field attachment_fields[] = {
    TEXT(aws_nic, attachment.id, "attachmentId"),
    TEXT(aws_nic, attachment.status, "status"),
    TEXT(aws_nic, attachment.attach_time, "attachTime"),
    TEXT(aws_nic, attachment.delete_on_termination, "deleteOnTermination"),
    TEXT(aws_nic, attachment.network_card, "networkCardIndex"),
    SHAPE_FIELD(struct aws_nic, attachment.device_index, "deviceIndex", SHAPE_INT),
};
SHAPE_OF(attachment, aws_nic);

static const struct shape_field nic_fields[] = {
    TEXT(aws_nic, id, "networkInterfaceId"),
    TEXT(aws_nic, subnet_id, "subnetId"),
    TEXT(aws_nic, vpc_id, "vpcId"),
    TEXT(aws_nic, description, "description"),
    TEXT(aws_nic, owner_id, "ownerId"),
    TEXT(aws_nic, status, "status"),
    TEXT(aws_nic, type, "interfaceType"),
    TEXT(aws_nic, mac, "macAddress"),
    TEXT(aws_nic, private_ip, "privateIpAddress"),
    TEXT(aws_nic, dns, "privateDnsName"),
    TEXT(aws_nic, source_dest_check, "sourceDestCheck"),
    SHAPE_NESTED(struct aws_nic, association, "association", SHAPE_STRUCT, association_shape),
    SHAPE_NESTED(struct aws_nic, ips, "privateIpAddressesSet", SHAPE_LIST, private_ip_shape),
    SHAPE_NESTED(struct aws_nic, ipv6, "ipv6AddressesSet", SHAPE_LIST, ipv6_shape),
    SHAPE_NESTED(struct aws_nic, groups, "groupSet", SHAPE_LIST, group_shape),
    PART("attachment", attachment_shape),
};
SHAPE_OF(nic, aws_nic);

/* ---- Disks ---- */

static const struct shape_field ebs_fields[] = {
    TEXT(aws_mapping, ebs.volume_id, "volumeId"),
    TEXT(aws_mapping, ebs.status, "status"),
    TEXT(aws_mapping, ebs.attach_time, "attachTime"),
    SHAPE_FIELD(struct aws_mapping, ebs.delete_on_termination, "deleteOnTermination", SHAPE_BOOL),
};
SHAPE_OF(ebs, aws_mapping);

static const struct shape_field mapping_fields[] = {
    TEXT(aws_mapping, device, "deviceName"),
    PART("ebs", ebs_shape),
};
SHAPE_OF(mapping, aws_mapping);

/* ---- The rest ---- */

static const struct shape_field product_fields[] = {
    TEXT(aws_product, code, "productCode"),
    TEXT(aws_product, type, "type"),
};
const struct shape aws_product_shape = {sizeof(struct aws_product), product_fields,
                                        ARRAY_LEN(product_fields), 0};

static const struct shape_field license_fields[] = {
    TEXT(aws_license, arn, "licenseConfigurationArn"),
};
SHAPE_OF(license, aws_license);

static const struct shape_field state_fields[] = {
    WORD(state.name, "name"),
    SHAPE_FIELD(struct aws_instance, state.code, "code", SHAPE_INT),
};
SHAPE_OF(state, aws_instance);

static const struct shape_field previous_fields[] = {
    WORD(previous.name, "name"),
    SHAPE_FIELD(struct aws_instance, previous.code, "code", SHAPE_INT),
};
SHAPE_OF(previous, aws_instance);

static const struct shape_field reason_fields[] = {
    WORD(state_reason.code, "code"),
    WORD(state_reason.message, "message"),
};
SHAPE_OF(reason, aws_instance);

static const struct shape_field placement_fields[] = {
    WORD(zone, "availabilityZone"),      WORD(tenancy, "tenancy"),
    WORD(group_name, "groupName"),       WORD(group_id, "groupId"),
    WORD(partition, "partitionNumber"),  WORD(host_id, "hostId"),
    WORD(affinity, "affinity"),          WORD(host_group_arn, "hostResourceGroupArn"),
    WORD(spread_domain, "spreadDomain"),
};
SHAPE_OF(placement, aws_instance);

static const struct shape_field monitoring_fields[] = {WORD(monitoring, "state")};
SHAPE_OF(monitoring, aws_instance);

static const struct shape_field profile_fields[] = {
    WORD(profile_arn, "arn"),
    WORD(profile_id, "id"),
};
SHAPE_OF(profile, aws_instance);

static const struct shape_field cpu_fields[] = {
    SHAPE_FIELD(struct aws_instance, cpu.cores, "coreCount", SHAPE_INT),
    SHAPE_FIELD(struct aws_instance, cpu.threads, "threadsPerCore", SHAPE_INT),
};
SHAPE_OF(cpu, aws_instance);

static const struct shape_field capacity_target_fields[] = {
    WORD(capacity_target, "capacityReservationId"),
    WORD(capacity_target_arn, "capacityReservationResourceGroupArn"),
};
SHAPE_OF(capacity_target, aws_instance);

static const struct shape_field capacity_fields[] = {
    WORD(capacity_preference, "capacityReservationPreference"),
    PART("capacityReservationTarget", capacity_target_shape),
};
SHAPE_OF(capacity, aws_instance);

static const struct shape_field hibernation_fields[] = {WORD(hibernation, "configured")};
SHAPE_OF(hibernation, aws_instance);

static const struct shape_field metadata_fields[] = {
    WORD(metadata_state, "state"),
    WORD(metadata_tokens, "httpTokens"),
    WORD(metadata_hops, "httpPutResponseHopLimit"),
    WORD(metadata_endpoint, "httpEndpoint"),
    WORD(metadata_ipv6, "httpProtocolIpv6"),
    WORD(metadata_tags, "instanceMetadataTags"),
};
SHAPE_OF(metadata, aws_instance);

static const struct shape_field enclave_fields[] = {WORD(enclave, "enabled")};
SHAPE_OF(enclave, aws_instance);

static const struct shape_field maintenance_fields[] = {WORD(auto_recovery, "autoRecovery")};
SHAPE_OF(maintenance, aws_instance);

static const struct shape_field dns_fields[] = {
    WORD(hostname_type, "hostnameType"),
    WORD(dns_a, "enableResourceNameDnsARecord"),
    WORD(dns_aaaa, "enableResourceNameDnsAAAARecord"),
};
SHAPE_OF(dns, aws_instance);

/* In the order in which EC2 writes them: that is how they are found fastest. */
static const struct shape_field instance_fields[] = {
    WORD(thing.id, "instanceId"),
    WORD(image_id, "imageId"),
    PART("instanceState", state_shape),
    WORD(private_dns, "privateDnsName"),
    WORD(public_dns, "dnsName"),
    WORD(transition_reason, "reason"),
    WORD(key_name, "keyName"),
    WORD(launch_index, "amiLaunchIndex"),
    SHAPE_NESTED(struct aws_instance, products, "productCodes", SHAPE_LIST, aws_product_shape),
    WORD(type, "instanceType"),
    WORD(launch_time, "launchTime"),
    PART("placement", placement_shape),
    WORD(kernel_id, "kernelId"),
    WORD(ramdisk_id, "ramdiskId"),
    WORD(platform, "platform"),
    PART("monitoring", monitoring_shape),
    WORD(subnet_id, "subnetId"),
    WORD(vpc_id, "vpcId"),
    WORD(private_ip, "privateIpAddress"),
    WORD(public_ip, "ipAddress"),
    WORD(source_dest_check, "sourceDestCheck"),
    SHAPE_NESTED(struct aws_instance, groups, "groupSet", SHAPE_LIST, group_shape),
    PART("stateReason", reason_shape),
    WORD(architecture, "architecture"),
    WORD(root_device_type, "rootDeviceType"),
    WORD(root_device, "rootDeviceName"),
    SHAPE_NESTED(struct aws_instance, mappings, "blockDeviceMapping", SHAPE_LIST, mapping_shape),
    WORD(lifecycle, "instanceLifecycle"),
    WORD(spot_request, "spotInstanceRequestId"),
    WORD(virtualization, "virtualizationType"),
    WORD(client_token, "clientToken"),
    SHAPE_FIELD(struct aws_instance, thing.tags, "tagSet", SHAPE_MAP),
    WORD(hypervisor, "hypervisor"),
    SHAPE_NESTED(struct aws_instance, nics, "networkInterfaceSet", SHAPE_LIST, nic_shape),
    PART("iamInstanceProfile", profile_shape),
    WORD(ebs_optimized, "ebsOptimized"),
    WORD(sriov, "sriovNetSupport"),
    WORD(ena, "enaSupport"),
    PART("cpuOptions", cpu_shape),
    WORD(capacity_reservation, "capacityReservationId"),
    PART("capacityReservationSpecification", capacity_shape),
    PART("hibernationOptions", hibernation_shape),
    SHAPE_NESTED(struct aws_instance, licenses, "licenseSet", SHAPE_LIST, license_shape),
    PART("metadataOptions", metadata_shape),
    PART("enclaveOptions", enclave_shape),
    WORD(outpost_arn, "outpostArn"),
    WORD(boot_mode, "bootMode"),
    WORD(boot_mode_now, "currentInstanceBootMode"),
    WORD(platform_details, "platformDetails"),
    WORD(usage_operation, "usageOperation"),
    WORD(usage_operation_updated, "usageOperationUpdateTime"),
    PART("privateDnsNameOptions", dns_shape),
    WORD(ipv6, "ipv6Address"),
    WORD(tpm, "tpmSupport"),
    PART("maintenanceOptions", maintenance_shape),
    /* Of its reservation: see aws_reservation_unpack(). */
    WORD(reservation_id, "reservationId"),
    WORD(owner_id, "ownerId"),
    WORD(requester_id, "requesterId"),
    /* In answers to actions. */
    PART("currentState", state_shape),
    PART("previousState", previous_shape),
};
const struct shape aws_instance_shape = {sizeof(struct aws_instance), instance_fields,
                                         ARRAY_LEN(instance_fields), 0};

static const struct shape_field reservation_fields[] = {
    TEXT(aws_reservation, id, "reservationId"),
    TEXT(aws_reservation, owner_id, "ownerId"),
    SHAPE_NESTED(struct aws_reservation, instances, "instancesSet", SHAPE_LIST, aws_instance_shape),
    TEXT(aws_reservation, requester_id, "requesterId"),
};
const struct shape aws_reservation_shape = {sizeof(struct aws_reservation), reservation_fields,
                                            ARRAY_LEN(reservation_fields), 0};
