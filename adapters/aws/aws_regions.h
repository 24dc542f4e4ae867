/* Regions that the account has enabled, and zones of the connection's region. */
#ifndef AWS_REGIONS_H
#define AWS_REGIONS_H

#include "aws.h"

struct aws_region {
    struct aws_thing thing; /* id and name are the region: "eu-west-1" */
    const char *endpoint, *opt_in;
};

struct aws_zone_message {
    const char *text;
};

struct aws_zone {
    struct aws_thing thing; /* id and name are the zone: "eu-west-1a" */
    const char *state, *region, *zone_id, *group, *border_group, *type, *opt_in;
    const char *parent, *parent_id;
    struct shape_list messages; /* struct aws_zone_message */
};

extern const struct aws_kind aws_region_kind, aws_zone_kind;

pb_ResultCode aws_list_regions(struct adapter *a, struct op *op, const pb_ListRegionsRequest *req,
                               pb_ListRegionsResponse *ret);
pb_ResultCode aws_get_region(struct adapter *a, struct op *op, const pb_GetRegionRequest *req,
                             pb_GetRegionResponse *ret);
pb_ResultCode aws_list_zones(struct adapter *a, struct op *op, const pb_ListZonesRequest *req,
                             pb_ListZonesResponse *ret);
pb_ResultCode aws_get_zone(struct adapter *a, struct op *op, const pb_GetZoneRequest *req,
                           pb_GetZoneResponse *ret);

#endif
