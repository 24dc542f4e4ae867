/* Sizes of machines: Nova's flavors. */
#ifndef OS_FLAVORS_H
#define OS_FLAVORS_H

#include "os.h"

struct os_flavor {
    struct os_thing thing;
    int64_t vcpus, ram, disk, ephemeral, swap;
    bool is_public, disabled;
    struct shape_map extra_specs;
};

extern const struct os_kind os_flavor_kind;

/* Pure. */
void *os_parse_flavor(struct arena *a, const char *cloud, const struct os_thing *thing);

pb_ResultCode openstack_list_flavors(struct adapter *a, struct op *op,
                                     const pb_ListFlavorsRequest *req, pb_ListFlavorsResponse *ret);
pb_ResultCode openstack_get_flavor(struct adapter *a, struct op *op, const pb_GetFlavorRequest *req,
                                   pb_GetFlavorResponse *ret);

#endif
