#include "aws_types.h"

#include <stdlib.h>

#define WORD(member_, name_)      SHAPE_FIELD(struct aws_type, member_, name_, SHAPE_STRING)
#define NUMBER(member_, name_)    SHAPE_FIELD(struct aws_type, member_, name_, SHAPE_INT)
#define WORDS(member_, name_)     SHAPE_FIELD(struct aws_type, member_, name_, SHAPE_STRINGS)
#define LIST(member_, name_, of_) SHAPE_NESTED(struct aws_type, member_, name_, SHAPE_LIST, of_)
#define PART(name_, shape_)                                                                        \
    {                                                                                              \
        name_, SHAPE_STRUCT, 0, &(shape_)                                                          \
    }
/* A part of an instance type whose members are the type's own. */
#define SHAPE_OF(name_, struct_)                                                                   \
    static const struct shape name_##_shape = {sizeof(struct struct_), name_##_fields,             \
                                               ARRAY_LEN(name_##_fields), 0}

static const struct shape_field processor_fields[] = {
    WORDS(architectures, "supportedArchitectures"),
    WORD(clock_ghz, "sustainedClockSpeedInGhz"),
};
SHAPE_OF(processor, aws_type);

static const struct shape_field vcpu_fields[] = {
    NUMBER(vcpus, "defaultVCpus"),
    WORD(cores, "defaultCores"),
    WORD(threads, "defaultThreadsPerCore"),
    WORDS(valid_cores, "validCores"),
    WORDS(valid_threads, "validThreadsPerCore"),
};
SHAPE_OF(vcpu, aws_type);

static const struct shape_field memory_fields[] = {NUMBER(memory_mib, "sizeInMiB")};
SHAPE_OF(memory, aws_type);

static const struct shape_field disk_fields[] = {
    SHAPE_FIELD(struct aws_disk, size_gb, "sizeInGB", SHAPE_STRING),
    SHAPE_FIELD(struct aws_disk, count, "count", SHAPE_STRING),
    SHAPE_FIELD(struct aws_disk, type, "type", SHAPE_STRING),
};
SHAPE_OF(disk, aws_disk);

static const struct shape_field storage_fields[] = {
    WORD(storage_gb, "totalSizeInGB"),
    LIST(disks, "disks", disk_shape),
    WORD(storage_nvme, "nvmeSupport"),
    WORD(storage_encryption, "encryptionSupport"),
};
SHAPE_OF(storage, aws_type);

static const struct shape_field ebs_optimized_fields[] = {
    WORD(ebs_mbps, "baselineBandwidthInMbps"),
    WORD(ebs_mbytes, "baselineThroughputInMBps"),
    WORD(ebs_iops, "baselineIops"),
    WORD(ebs_max_mbps, "maximumBandwidthInMbps"),
    WORD(ebs_max_mbytes, "maximumThroughputInMBps"),
    WORD(ebs_max_iops, "maximumIops"),
};
SHAPE_OF(ebs_optimized, aws_type);

static const struct shape_field ebs_fields[] = {
    WORD(ebs_optimized, "ebsOptimizedSupport"),
    WORD(ebs_encryption, "encryptionSupport"),
    PART("ebsOptimizedInfo", ebs_optimized_shape),
    WORD(ebs_nvme, "nvmeSupport"),
};
SHAPE_OF(ebs, aws_type);

static const struct shape_field efa_fields[] = {WORD(efa_nics, "maximumEfaInterfaces")};
SHAPE_OF(efa, aws_type);

static const struct shape_field network_fields[] = {
    WORD(network, "networkPerformance"),
    WORD(nics, "maximumNetworkInterfaces"),
    WORD(network_cards, "maximumNetworkCards"),
    WORD(default_card, "defaultNetworkCardIndex"),
    WORD(ipv4_per_nic, "ipv4AddressesPerInterface"),
    WORD(ipv6_per_nic, "ipv6AddressesPerInterface"),
    WORD(ipv6, "ipv6Supported"),
    WORD(ena, "enaSupport"),
    WORD(efa, "efaSupported"),
    PART("efaInfo", efa_shape),
    WORD(transit_encryption, "encryptionInTransitSupported"),
    WORD(ena_srd, "enaSrdSupported"),
};
SHAPE_OF(network, aws_type);

static const struct shape_field device_memory_fields[] = {
    SHAPE_FIELD(struct aws_device, memory_mib, "sizeInMiB", SHAPE_STRING),
};
SHAPE_OF(device_memory, aws_device);

static const struct shape_field device_fields[] = {
    SHAPE_FIELD(struct aws_device, name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct aws_device, maker, "manufacturer", SHAPE_STRING),
    SHAPE_FIELD(struct aws_device, count, "count", SHAPE_STRING),
    PART("memoryInfo", device_memory_shape),
};
SHAPE_OF(device, aws_device);

static const struct shape_field gpu_fields[] = {
    LIST(gpus, "gpus", device_shape),
    WORD(gpu_memory, "totalGpuMemoryInMiB"),
};
SHAPE_OF(gpu, aws_type);

static const struct shape_field fpga_fields[] = {
    LIST(fpgas, "fpgas", device_shape),
    WORD(fpga_memory, "totalFpgaMemoryInMiB"),
};
SHAPE_OF(fpga, aws_type);

static const struct shape_field accelerator_fields[] = {
    LIST(accelerators, "accelerators", device_shape),
};
SHAPE_OF(accelerator, aws_type);

static const struct shape_field placement_fields[] = {WORDS(placement, "supportedStrategies")};
SHAPE_OF(placement, aws_type);

static const struct shape_field type_fields[] = {
    WORD(thing.id, "instanceType"),
    WORD(current, "currentGeneration"),
    WORD(free_tier, "freeTierEligible"),
    WORDS(usage, "supportedUsageClasses"),
    WORDS(root_devices, "supportedRootDeviceTypes"),
    WORDS(virtualization, "supportedVirtualizationTypes"),
    WORD(bare_metal, "bareMetal"),
    WORD(hypervisor, "hypervisor"),
    PART("processorInfo", processor_shape),
    PART("vCpuInfo", vcpu_shape),
    PART("memoryInfo", memory_shape),
    WORD(storage, "instanceStorageSupported"),
    PART("instanceStorageInfo", storage_shape),
    PART("ebsInfo", ebs_shape),
    PART("networkInfo", network_shape),
    PART("gpuInfo", gpu_shape),
    PART("fpgaInfo", fpga_shape),
    PART("placementGroupInfo", placement_shape),
    PART("inferenceAcceleratorInfo", accelerator_shape),
    WORD(hibernation, "hibernationSupported"),
    WORD(burstable, "burstablePerformanceSupported"),
    WORD(dedicated_hosts, "dedicatedHostsSupported"),
    WORD(auto_recovery, "autoRecoverySupported"),
    WORDS(boot_modes, "supportedBootModes"),
};
SHAPE_OF(type, aws_type);
AWS_PAGE(types_page_shape, "instanceTypeSet", type_shape);

static void complete(void *item)
{
    struct aws_type *t = item;

    t->thing.name = t->thing.id;
}

/* They are sold in GB, and the message has GiB. */
static uint64_t gib(const char *gb)
{
    uint64_t n = field_u64(gb != NULL ? strtoll(gb, NULL, 10) : 0);

    return n < UINT64_MAX / UINT64_C(1000000000) ? n * UINT64_C(1000000000) >> 30 : 0;
}

static uint32_t gpus(const struct aws_type *t)
{
    const struct aws_device *gpu = t->gpus.items;
    uint32_t n = 0;

    for (size_t i = 0; i < t->gpus.n; i++)
        n += field_u32(gpu[i].count != NULL ? strtoll(gpu[i].count, NULL, 10) : 0);
    return n;
}

static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"instanceType", "processorInfo.supportedArchitectures",
                                         NULL};
    const struct aws_type *t = item;
    pb_Flavor *flavor = arena_message(arena, &pb_Flavor_desc);

    if (flavor == NULL)
        return NULL;
    flavor->cloud = field_text(a->name);
    flavor->id = field_text(t->thing.id);
    flavor->name = field_text(t->thing.name);
    flavor->vcpus = field_u32(t->vcpus);
    flavor->memory_mib = field_u64(t->memory_mib);
    flavor->ephemeral_gib = gib(t->storage_gb);
    flavor->gpus = gpus(t);
    flavor->architecture = field_text(field_join(arena, &t->architectures));
    flavor->is_public = true;
    struct field_pairs native = {.arena = arena, .type = &pb_Flavor_NativeEntry_desc};
    aws_put_native(&native, &type_shape, t, mapped);
    flavor->n_native = native.n;
    flavor->native = (void *)native.items;
    return flavor;
}

const struct aws_kind aws_type_kind = {
    .noun = "flavor",
    .action = "DescribeInstanceTypes",
    .id_filter = "instance-type",
    .name_filter = "instance-type",
    .page_size = 100,
    .item = &type_shape,
    .page = &types_page_shape,
    .complete = complete,
    .message = message,
};

pb_ResultCode aws_list_flavors(struct adapter *a, struct op *op, const pb_ListFlavorsRequest *req,
                               pb_ListFlavorsResponse *ret)
{
    return aws_list_slot(a, op, &aws_type_kind, req->name, NULL, 0, &ret->n_flavors,
                         (void ***)&ret->flavors);
}

pb_ResultCode aws_get_flavor(struct adapter *a, struct op *op, const pb_GetFlavorRequest *req,
                             pb_GetFlavorResponse *ret)
{
    return aws_get_slot(a, op, &aws_type_kind, req->id, (void **)&ret->flavor);
}
