#include "os_regions.h"

#include <string.h>

static const struct shape_field region_fields[] = {
    SHAPE_FIELD(struct os_region, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_region, description, "description", SHAPE_STRING),
};
static const struct shape region_shape = {sizeof(struct os_region), region_fields,
                                          ARRAY_LEN(region_fields), 0};
OS_PAGE(regions_page_shape, "regions", "regions_links", region_shape);
OS_ONE(region_one_shape, "region", struct os_region, region_shape);

static const struct shape_field zone_state_fields[] = {
    SHAPE_FIELD(struct os_zone, available, "available", SHAPE_BOOL),
};
static const struct shape zone_state_shape = {sizeof(struct os_zone), zone_state_fields,
                                              ARRAY_LEN(zone_state_fields), 0};
static const struct shape_field zone_fields[] = {
    SHAPE_FIELD(struct os_zone, thing.name, "zoneName", SHAPE_STRING),
    {"zoneState", SHAPE_STRUCT, 0, &zone_state_shape},
};
static const struct shape zone_shape = {sizeof(struct os_zone), zone_fields, ARRAY_LEN(zone_fields),
                                        0};
OS_PAGE(zones_page_shape, "availabilityZoneInfo", "availabilityZoneInfo_links", zone_shape);

const struct os_kind os_region_kind = {
    .noun = "region",
    .service = OS_IDENTITY,
    .path = "/regions",
    .item = &region_shape,
    .page = &regions_page_shape,
    .one = &region_one_shape,
    .list_depth = 3,
    .one_depth = 2,
    .message = os_parse_region,
};

const struct os_kind os_zone_kind = {
    .noun = "zone",
    .service = OS_COMPUTE,
    .path = "/os-availability-zone",
    .item = &zone_shape,
    .page = &zones_page_shape,
    .list_depth = 3,
    .message = os_parse_zone,
};

void *os_parse_region(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    static const char *const mapped[] = {"id", "description", NULL};
    const struct os_region *r = (const void *)thing;
    pb_Region *region = arena_message(a, &pb_Region_desc);
    if (region == NULL)
        return NULL;
    region->cloud = field_text(cloud);
    region->id = field_text(r->thing.id);
    region->name = field_text(r->thing.id);
    region->description = field_text(r->description);
    struct field_pairs native = {.arena = a, .type = &pb_Region_NativeEntry_desc};
    field_pairs_rest(&native, &r->thing.all, mapped);
    region->n_native = native.n;
    region->native = (void *)native.items;
    return region;
}

void *os_parse_zone(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    const struct os_zone *z = (const void *)thing;
    pb_Zone *zone = arena_message(a, &pb_Zone_desc);
    if (zone == NULL)
        return NULL;
    zone->cloud = field_text(cloud);
    zone->id = field_text(z->thing.name);
    zone->name = field_text(z->thing.name);
    zone->available = z->available;
    return zone;
}

const char *os_current_region(struct adapter *a, struct op *op)
{
    if (a->config->region != NULL)
        return a->config->region;
    struct token_ref token CLEANUP(token_release) = {0};
    struct op aside = op_aside(op, 0);
    if (os_session_get(a, &aside, &token) != RESULT_CODE_OK)
        return "";
    const struct os_session *session = token.data;
    return session->n_regions > 0 ? arena_strdup(op->arena, session->regions[0]) : "";
}

/* The regions in the catalogue: all that a user without further rights gets to know. */
static pb_ResultCode from_catalog(struct adapter *a, struct op *op, struct shape_list *ret)
{
    struct token_ref token CLEANUP(token_release) = {0};
    pb_ResultCode code = os_session_get(a, op, &token);
    if (code != RESULT_CODE_OK)
        return code;
    const struct os_session *session = token.data;
    struct os_region *regions = arena_array(op->arena, session->n_regions + 1, sizeof(*regions));
    for (size_t i = 0; regions != NULL && i < session->n_regions; i++)
        regions[i].thing.id = arena_strdup(op->arena, session->regions[i]);
    *ret = (struct shape_list){regions == NULL ? 0 : session->n_regions, regions};
    return RESULT_CODE_OK;
}

static pb_ResultCode list_regions(struct adapter *a, struct op *op, struct shape_list *ret)
{
    struct op aside = op_aside(op, 0);
    pb_ResultCode code = os_list(a, &aside, &os_region_kind, NULL, ret);
    if (code == RESULT_CODE_FORBIDDEN || code == RESULT_CODE_NOT_FOUND)
        code = from_catalog(a, &aside, ret);
    return op_tell(op, &aside, code);
}

static pb_Region *region_message(struct adapter *a, struct op *op, const struct os_region *from)
{
    pb_Region *region = os_parse_region(op->arena, a->name, &from->thing);
    if (region != NULL)
        region->is_current = strcmp(region->id, os_current_region(a, op)) == 0;
    return region;
}

pb_ResultCode openstack_list_regions(struct adapter *a, struct op *op,
                                     const pb_ListRegionsRequest *req, pb_ListRegionsResponse *ret)
{
    (void)req;
    struct shape_list list = {0};
    pb_ResultCode code = list_regions(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    const struct os_region *from = list.items;
    ret->regions = arena_array(op->arena, list.n + 1, sizeof(*ret->regions));
    for (size_t i = 0; ret->regions != NULL && i < list.n; i++)
        ret->regions[ret->n_regions++] = region_message(a, op, &from[i]);
    return op_end(op, RESULT_CODE_OK);
}

pb_ResultCode openstack_get_region(struct adapter *a, struct op *op, const pb_GetRegionRequest *req,
                                   pb_GetRegionResponse *ret)
{
    struct shape_list list = {0};
    pb_ResultCode code = list_regions(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    const struct os_region *from = list.items;
    struct pick_item *items = pick_items_of(op->arena, &list, sizeof(*from));
    size_t index = 0;
    if (items != NULL)
        code = pick(op, os_region_kind.noun, "id", req->id, items, list.n, &index);
    if (items != NULL && code == RESULT_CODE_OK)
        ret->region = region_message(a, op, &from[index]);
    return op_end(op, code);
}

pb_ResultCode openstack_list_zones(struct adapter *a, struct op *op, const pb_ListZonesRequest *req,
                                   pb_ListZonesResponse *ret)
{
    (void)req;
    pb_ResultCode code =
        os_list_slot(a, op, &os_zone_kind, NULL, &ret->n_zones, (void ***)&ret->zones);
    for (size_t i = 0; code == RESULT_CODE_OK && i < ret->n_zones; i++)
        ret->zones[i]->region = field_text(os_current_region(a, op));
    return code;
}

pb_ResultCode openstack_get_zone(struct adapter *a, struct op *op, const pb_GetZoneRequest *req,
                                 pb_GetZoneResponse *ret)
{
    pb_ResultCode code = os_get_slot(a, op, &os_zone_kind, req->id, (void **)&ret->zone);
    if (code == RESULT_CODE_OK)
        ret->zone->region = field_text(os_current_region(a, op));
    return code;
}
