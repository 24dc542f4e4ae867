/* Flavors: instance types. */
#ifndef AWS_TYPES_H
#define AWS_TYPES_H

#include "aws.h"

struct aws_type {
    struct aws_thing thing; /* id and name are the type: "t3.micro" */
    int64_t vcpus, memory_mib, gpus, storage_gib;
    struct shape_strings architectures;
    bool current, bare_metal, hibernation, free_tier, burstable;
    const char *hypervisor, *network_performance;
};

extern const struct aws_kind aws_type_kind;

pb_ResultCode aws_list_flavors(struct adapter *a, struct op *op, const pb_ListFlavorsRequest *req,
                               pb_ListFlavorsResponse *ret);
pb_ResultCode aws_get_flavor(struct adapter *a, struct op *op, const pb_GetFlavorRequest *req,
                             pb_GetFlavorResponse *ret);

#endif
