/* Flavors: instance types. */
#ifndef AWS_TYPES_H
#define AWS_TYPES_H

#include "aws.h"

struct aws_device {
    const char *name, *maker, *memory_mib, *count;
};

struct aws_disk {
    const char *size_gb, *count, *type;
};

struct aws_type {
    struct aws_thing thing; /* id and name are the type: "t3.micro" */
    int64_t vcpus, memory_mib;
    const char *storage_gb; /* of its own disks, in GB; NULL: it has none */
    struct shape_strings architectures;
    const char *current, *bare_metal, *hibernation, *free_tier, *burstable; /* "true" */
    const char *dedicated_hosts, *auto_recovery, *storage, *hypervisor, *clock_ghz;
    const char *cores, *threads, *storage_nvme, *storage_encryption;
    const char *ebs_optimized, *ebs_encryption, *ebs_nvme, *ebs_mbps, *ebs_mbytes, *ebs_iops;
    const char *ebs_max_mbps, *ebs_max_mbytes, *ebs_max_iops;
    const char *network, *nics, *network_cards, *ipv4_per_nic, *ipv6_per_nic, *ipv6, *ena, *efa;
    const char *ena_srd, *transit_encryption, *efa_nics, *default_card, *gpu_memory, *fpga_memory;
    struct shape_strings usage, root_devices, virtualization, boot_modes, placement;
    struct shape_strings valid_cores, valid_threads;
    struct shape_list gpus, fpgas, accelerators; /* struct aws_device */
    struct shape_list disks;                     /* struct aws_disk */
};

extern const struct aws_kind aws_type_kind;

pb_ResultCode aws_list_flavors(struct adapter *a, struct op *op, const pb_ListFlavorsRequest *req,
                               pb_ListFlavorsResponse *ret);
pb_ResultCode aws_get_flavor(struct adapter *a, struct op *op, const pb_GetFlavorRequest *req,
                             pb_GetFlavorResponse *ret);

#endif
