/* Machines: EC2's instances. */
#ifndef AWS_INSTANCES_H
#define AWS_INSTANCES_H

#include "aws.h"

struct aws_group {
    const char *id, *name;
};

struct aws_association {
    const char *public_ip, *public_dns, *ip_owner, *carrier_ip, *customer_ip;
};

struct aws_private_ip {
    const char *ip;
    bool primary;
    struct aws_association association;
};

struct aws_ipv6 {
    const char *ip;
};

struct aws_nic {
    const char *id, *subnet_id, *vpc_id, *mac, *status, *description, *owner_id, *type;
    const char *source_dest_check, *private_ip, *dns;
    struct aws_association association;
    struct shape_list ips;    /* struct aws_private_ip */
    struct shape_list ipv6;   /* struct aws_ipv6 */
    struct shape_list groups; /* struct aws_group */
    struct {
        const char *id, *status, *attach_time, *delete_on_termination; /* "true" */
        const char *network_card;
        int64_t device_index;
    } attachment;
};

struct aws_mapping {
    const char *device;
    struct {
        const char *volume_id, *status, *attach_time;
        bool delete_on_termination;
    } ebs;
};

struct aws_product {
    const char *code, *type;
};

extern const struct shape aws_product_shape;

struct aws_license {
    const char *arn;
};

/* An instance as EC2 shows it. Texts are NULL where it does not say. */
struct aws_instance {
    struct aws_thing thing; /* the name is its tag Name */
    struct {
        int64_t code;
        const char *name;
    } state, previous; /* previous: in answers to actions */
    struct {
        const char *code, *message;
    } state_reason;
    const char *client_token, *image_id, *type, *key_name, *launch_time, *launch_index;
    const char *zone, *tenancy, *group_name, *group_id, *partition, *host_id, *affinity;
    const char *host_group_arn, *spread_domain;
    const char *subnet_id, *vpc_id, *private_ip, *public_ip, *ipv6, *private_dns, *public_dns;
    const char *source_dest_check;
    const char *architecture, *platform, *platform_details, *hypervisor, *virtualization;
    const char *root_device, *root_device_type, *lifecycle, *spot_request;
    const char *profile_arn, *profile_id, *transition_reason, *monitoring, *kernel_id, *ramdisk_id;
    const char *usage_operation, *usage_operation_updated, *boot_mode, *boot_mode_now, *tpm;
    const char *capacity_reservation, *capacity_preference, *capacity_target;
    const char *capacity_target_arn, *outpost_arn, *sriov, *ena, *enclave;
    const char *auto_recovery, *hostname_type, *dns_a, *dns_aaaa;
    const char *metadata_state, *metadata_tokens, *metadata_hops, *metadata_endpoint;
    const char *metadata_ipv6, *metadata_tags;
    const char *hibernation, *ebs_optimized;              /* "true" */
    const char *reservation_id, *owner_id, *requester_id; /* of its reservation */
    struct {
        int64_t cores, threads;
    } cpu;
    struct shape_list nics;     /* struct aws_nic */
    struct shape_list groups;   /* struct aws_group */
    struct shape_list mappings; /* struct aws_mapping */
    struct shape_list products; /* struct aws_product */
    struct shape_list licenses; /* struct aws_license */
};

extern const struct shape aws_instance_shape;
/* A machine, by name or id, in whatever state. */
extern const struct aws_kind aws_instance_kind;

/* What RunInstances answers, and DescribeInstances lists. */
struct aws_reservation {
    const char *id, *owner_id, *requester_id;
    struct shape_list instances; /* struct aws_instance */
};
extern const struct shape aws_reservation_shape;
/* The list of reservations becomes one of their instances, whole. */
void aws_reservation_unpack(struct arena *a, struct shape_list *items);

/* Whether it has been stopped since it was made: what it was made with is older than its start. */
bool aws_instance_started_again(const struct aws_instance *i);
/* Into the message; pure. What EC2 does not say (see aws_names.h) is left empty. */
pb_Vm *aws_parse_instance(struct arena *a, const char *cloud, const char *region,
                          const struct aws_instance *i);

/* All that fit (struct aws_instance), terminated ones too; all pages. */
pb_ResultCode aws_instances(struct adapter *a, struct op *op, const struct aws_filter *filters,
                            size_t n, struct shape_list *ret) MUST_USE;
/* The machine that a name or id refers to; with an id it is one request. A terminated one has no
 * name any more, and is found by its id alone. */
pb_ResultCode aws_instance_find(struct adapter *a, struct op *op, const char *wanted,
                                struct aws_instance *ret) MUST_USE;
/* The message, with all names in it. */
pb_Vm *aws_instance_message(struct adapter *a, struct op *op, const struct aws_instance *i);
/* The same for a list of struct aws_instance; returns how many there are in `ret`. */
size_t aws_instance_messages(struct adapter *a, struct op *op, const struct shape_list *list,
                             pb_Vm ***ret);
/* Whether it is gone, or bound to. */
bool aws_instance_is_gone(const struct aws_instance *i);

pb_ResultCode aws_get_vm(struct adapter *a, struct op *op, const pb_GetVmRequest *req,
                         pb_GetVmResponse *ret);
pb_ResultCode aws_list_vms(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                           pb_ListVmsResponse *ret);

#endif
