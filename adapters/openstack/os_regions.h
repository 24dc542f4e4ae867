/* Regions: Keystone's, or those that the catalogue names; zones: Nova's. */
#ifndef OS_REGIONS_H
#define OS_REGIONS_H

#include "os.h"

struct os_region {
    struct os_thing thing; /* the id is all the name that a region has */
    const char *description;
};

struct os_zone {
    struct os_thing thing; /* the name is its id */
    bool available;
};

extern const struct os_kind os_region_kind;
extern const struct os_kind os_zone_kind;

/* Pure. */
void *os_parse_region(struct arena *a, const char *cloud, const struct os_thing *thing);
void *os_parse_zone(struct arena *a, const char *cloud, const struct os_thing *thing);

pb_ResultCode openstack_list_regions(struct adapter *a, struct op *op,
                                     const pb_ListRegionsRequest *req, pb_ListRegionsResponse *ret);
pb_ResultCode openstack_get_region(struct adapter *a, struct op *op, const pb_GetRegionRequest *req,
                                   pb_GetRegionResponse *ret);
pb_ResultCode openstack_list_zones(struct adapter *a, struct op *op, const pb_ListZonesRequest *req,
                                   pb_ListZonesResponse *ret);
pb_ResultCode openstack_get_zone(struct adapter *a, struct op *op, const pb_GetZoneRequest *req,
                                 pb_GetZoneResponse *ret);

/* The region that the connection works in; "" where nothing says. */
const char *os_current_region(struct adapter *a, struct op *op);

#endif
