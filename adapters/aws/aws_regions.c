#include "aws_regions.h"

#include <string.h>

#define REGION(member_, name_) SHAPE_FIELD(struct aws_region, member_, name_, SHAPE_STRING)
#define ZONE(member_, name_)   SHAPE_FIELD(struct aws_zone, member_, name_, SHAPE_STRING)

static const struct shape_field region_fields[] = {
    REGION(thing.id, "regionName"),
    REGION(endpoint, "regionEndpoint"),
    REGION(opt_in, "optInStatus"),
};
static const struct shape region_shape = {sizeof(struct aws_region), region_fields,
                                          ARRAY_LEN(region_fields), 0};
AWS_PAGE(regions_page_shape, "regionInfo", region_shape);

static const struct shape_field message_fields[] = {
    SHAPE_FIELD(struct aws_zone_message, text, "message", SHAPE_STRING),
};
static const struct shape message_shape = {sizeof(struct aws_zone_message), message_fields,
                                           ARRAY_LEN(message_fields), 0};

static const struct shape_field zone_fields[] = {
    ZONE(opt_in, "optInStatus"),
    SHAPE_NESTED(struct aws_zone, messages, "messageSet", SHAPE_LIST, message_shape),
    ZONE(zone_id, "zoneId"),
    ZONE(thing.id, "zoneName"),
    ZONE(state, "zoneState"),
    ZONE(region, "regionName"),
    ZONE(group, "groupName"),
    ZONE(border_group, "networkBorderGroup"),
    ZONE(type, "zoneType"),
    ZONE(parent, "parentZoneName"),
    ZONE(parent_id, "parentZoneId"),
};
static const struct shape zone_shape = {sizeof(struct aws_zone), zone_fields,
                                        ARRAY_LEN(zone_fields), 0};
AWS_PAGE(zones_page_shape, "availabilityZoneInfo", zone_shape);

static void complete(void *item)
{
    struct aws_thing *t = item;

    t->name = t->id;
}

static void *region_message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"regionName", NULL};
    const struct aws_region *r = item;
    pb_Region *region = arena_message(arena, &pb_Region_desc);

    if (region == NULL)
        return NULL;
    region->cloud = field_text(a->name);
    region->id = field_text(r->thing.id);
    region->name = field_text(r->thing.name);
    region->is_current = strcmp(r->thing.id, a->config->region) == 0;
    struct field_pairs native = {.arena = arena, .type = &pb_Region_NativeEntry_desc};
    aws_put_native(&native, &region_shape, r, mapped);
    region->n_native = native.n;
    region->native = (void *)native.items;
    return region;
}

static void *zone_message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"zoneName", "regionName", NULL};
    const struct aws_zone *z = item;
    pb_Zone *zone = arena_message(arena, &pb_Zone_desc);

    if (zone == NULL)
        return NULL;
    zone->cloud = field_text(a->name);
    zone->id = field_text(z->thing.id);
    zone->name = field_text(z->thing.name);
    zone->region = field_text(z->region);
    zone->available = z->state != NULL && strcmp(z->state, "available") == 0;
    struct field_pairs native = {.arena = arena, .type = &pb_Zone_NativeEntry_desc};
    aws_put_native(&native, &zone_shape, z, mapped);
    zone->n_native = native.n;
    zone->native = (void *)native.items;
    return zone;
}

const struct aws_kind aws_region_kind = {
    .noun = "region",
    .action = "DescribeRegions",
    .id_filter = "region-name",
    .name_filter = "region-name",
    .item = &region_shape,
    .page = &regions_page_shape,
    .complete = complete,
    .message = region_message,
};

const struct aws_kind aws_zone_kind = {
    .noun = "zone",
    .action = "DescribeAvailabilityZones",
    .id_filter = "zone-name",
    .name_filter = "zone-name",
    .item = &zone_shape,
    .page = &zones_page_shape,
    .complete = complete,
    .message = zone_message,
};

pb_ResultCode aws_list_regions(struct adapter *a, struct op *op, const pb_ListRegionsRequest *req,
                               pb_ListRegionsResponse *ret)
{
    return aws_list_slot(a, op, &aws_region_kind, req->name, NULL, 0, &ret->n_regions,
                         (void ***)&ret->regions);
}

pb_ResultCode aws_get_region(struct adapter *a, struct op *op, const pb_GetRegionRequest *req,
                             pb_GetRegionResponse *ret)
{
    return aws_get_slot(a, op, &aws_region_kind, req->id, (void **)&ret->region);
}

pb_ResultCode aws_list_zones(struct adapter *a, struct op *op, const pb_ListZonesRequest *req,
                             pb_ListZonesResponse *ret)
{
    return aws_list_slot(a, op, &aws_zone_kind, req->name, NULL, 0, &ret->n_zones,
                         (void ***)&ret->zones);
}

pb_ResultCode aws_get_zone(struct adapter *a, struct op *op, const pb_GetZoneRequest *req,
                           pb_GetZoneResponse *ret)
{
    return aws_get_slot(a, op, &aws_zone_kind, req->id, (void **)&ret->zone);
}
