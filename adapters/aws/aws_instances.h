/* Machines: EC2's instances. */
#ifndef AWS_INSTANCES_H
#define AWS_INSTANCES_H

#include "aws.h"

struct aws_group {
    const char *id, *name;
};

struct aws_address_assoc {
    const char *public_ip, *public_dns, *ip_owner;
};

struct aws_private_ip {
    const char *ip;
    bool primary;
    struct aws_address_assoc association;
};

struct aws_nic {
    const char *id, *subnet_id, *vpc_id, *mac, *status, *description;
    struct shape_list ips; /* struct aws_private_ip */
    struct shape_strings ipv6;
    struct shape_list groups; /* struct aws_group */
    struct {
        const char *id, *status, *attach_time;
        int64_t device_index;
        bool delete_on_termination;
    } attachment;
};

struct aws_mapping {
    const char *device;
    struct {
        const char *volume_id, *status, *attach_time;
        bool delete_on_termination;
    } ebs;
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
    const char *client_token, *image_id, *type, *key_name, *launch_time, *zone, *tenancy,
        *group_name;
    const char *subnet_id, *vpc_id, *private_ip, *public_ip, *private_dns, *public_dns;
    const char *architecture, *platform, *platform_details, *hypervisor, *virtualization;
    const char *root_device, *root_device_type, *lifecycle, *spot_request, *profile_arn;
    const char *transition_reason, *monitoring, *kernel_id, *usage_operation, *boot_mode;
    const char *reservation_id, *owner_id; /* of its reservation */
    bool hibernation, ebs_optimized;
    struct {
        int64_t cores, threads;
    } cpu;
    struct shape_list nics;     /* struct aws_nic */
    struct shape_list groups;   /* struct aws_group */
    struct shape_list mappings; /* struct aws_mapping */
};

extern const struct shape aws_instance_shape;

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
