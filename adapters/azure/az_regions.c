/* Locations, and their zones. */
#include <string.h>
#include <strings.h>

#include "az_shapes.h"
#include "az_things.h"
#include "kit/gather.h"

bool az_location_is(const char *one, const char *other)
{
    for (;; one++, other++) {
        one += strspn(one, " ");
        other += strspn(other, " ");
        char a = *one, b = *other;
        a = (char)(a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a);
        b = (char)(b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
        if (a != b || a == '\0')
            return a == b;
    }
}

/* ---- Locations ---- */

struct az_region {
    struct az_thing thing; /* the id that Azure has for it is nowhere else of use */
    const char *display;
};

static const struct shape_field region_fields[] = {
    AZ_TEXT(az_region, thing.name, "name"),
    AZ_TEXT(az_region, display, "displayName"),
};
AZ_SHAPE(region, az_region);
AZ_PAGE(regions_page_shape, region_shape);

static void complete_region(void *item)
{
    struct az_region *r = item;

    r->thing.id = r->thing.name;
}

static const char *const region_mapped[] = {"id", "name", "type", "displayName", NULL};

static void *region_message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_region *r = item;
    const char *home = a->config->location;
    pb_Region *region = arena_message(arena, &pb_Region_desc);

    if (region == NULL)
        return NULL;
    region->cloud = field_text(a->name);
    region->id = field_text(r->thing.id);
    region->name = field_text(r->thing.name);
    region->description = field_text(r->display);
    region->is_current = home != NULL && az_location_is(r->thing.name, home);
    struct field_pairs native = {.arena = arena, .type = &pb_Region_NativeEntry_desc};
    az_put_native(&native, &r->thing);
    region->n_native = native.n;
    region->native = (void *)native.items;
    return region;
}

static const struct az_kind region_kind = {
    .noun = "region",
    .service = AZ_SUBSCRIPTIONS,
    .item = &region_shape,
    .page = &regions_page_shape,
    .mapped = region_mapped,
    .complete = complete_region,
    .message = region_message,
};

static pb_ResultCode regions(struct adapter *a, struct op *op, struct shape_list *ret)
{
    return az_list_at(a, op, &region_kind, az_path(a, op->arena, "/locations"), ret);
}

pb_ResultCode azure_list_regions(struct adapter *a, struct op *op, const pb_ListRegionsRequest *req,
                                 pb_ListRegionsResponse *ret)
{
    struct shape_list list = {0};

    (void)req;
    pb_ResultCode code = regions(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    return az_messages(a, op, &region_kind, &list, &ret->n_regions, (void ***)&ret->regions);
}

pb_ResultCode azure_get_region(struct adapter *a, struct op *op, const pb_GetRegionRequest *req,
                               pb_GetRegionResponse *ret)
{
    struct shape_list list = {0};
    const char *wanted = req->id;

    pb_ResultCode code = regions(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    const struct az_region *r = list.items;
    for (size_t i = 0; i < list.n; i++) /* by its name for people, too */
        if (r[i].display != NULL && az_location_is(r[i].display, req->id))
            wanted = r[i].thing.name;
    return az_pick_slot(a, op, &region_kind, wanted, &list, (void **)&ret->region);
}

/* ---- Zones ---- */

struct az_mapping {
    const char *location;
    struct shape_strings zones;
};

struct az_type {
    const char *name;
    struct shape_list mappings; /* struct az_mapping */
};

struct az_provider {
    struct shape_list types; /* struct az_type */
};

static const struct shape_field mapping_fields[] = {
    AZ_TEXT(az_mapping, location, "location"),
    AZ_TEXTS(az_mapping, zones, "zones"),
};
AZ_SHAPE(mapping, az_mapping);

static const struct shape_field type_fields[] = {
    AZ_TEXT(az_type, name, "resourceType"),
    AZ_LIST(az_type, mappings, "zoneMappings", mapping),
};
AZ_SHAPE(type, az_type);

static const struct shape_field provider_fields[] = {
    AZ_LIST(az_provider, types, "resourceTypes", type),
};
AZ_SHAPE(provider, az_provider);

/* One zone: id and name are its number, and it is of a location. */
static const struct shape zone_shape = {sizeof(struct az_thing), NULL, 0, 0};

static void *zone_message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_thing *z = item;
    pb_Zone *zone = arena_message(arena, &pb_Zone_desc);

    if (zone == NULL)
        return NULL;
    zone->cloud = field_text(a->name);
    zone->id = field_text(z->id);
    zone->name = field_text(z->name);
    zone->region = field_text(z->location);
    zone->available = true; /* Azure lists no others */
    return zone;
}

static const struct az_kind zone_kind = {
    .noun = "zone",
    .item = &zone_shape,
    .message = zone_message,
};

/* Where machines of a location may be. They are listed in no order. */
static pb_ResultCode put_zones(struct op *op, const struct az_provider *provider,
                               const char *location, struct shape_list *ret)
{
    const struct az_type *types = provider->types.items;
    struct gathering all = {.size = sizeof(struct az_thing)};

    for (size_t i = 0; i < provider->types.n; i++) {
        const struct az_mapping *m = types[i].mappings.items;
        if (types[i].name == NULL || strcasecmp(types[i].name, "virtualMachines") != 0)
            continue;
        for (size_t k = 0; k < types[i].mappings.n; k++) {
            if (m[k].location == NULL || !az_location_is(m[k].location, location))
                continue;
            for (size_t z = 0; z < m[k].zones.n; z++) {
                struct az_thing zone = {
                    m[k].zones.items[z], m[k].zones.items[z], location, {0}, {0}};
                const struct shape_list one = {1, arena_memdup(op->arena, &zone, sizeof(zone))};
                if (one.items == NULL || !gather(op->arena, &all, &one))
                    return op_end(op, RESULT_CODE_INTERNAL_ERROR);
            }
        }
    }
    *ret = all.all;
    return RESULT_CODE_OK;
}

static pb_ResultCode zones(struct adapter *a, struct op *op, struct shape_list *ret)
{
    struct az_request req =
        az_get(AZ_RESOURCES, az_path(a, op->arena, "/providers/Microsoft.Compute"));
    struct az_provider provider = {0};
    const char *location = NULL;

    pb_ResultCode code = az_home(a, op, &location);
    if (code == RESULT_CODE_OK)
        code = az_ask(a, op, &req, &provider_shape, &provider);
    return code == RESULT_CODE_OK ? put_zones(op, &provider, location, ret) : code;
}

pb_ResultCode azure_list_zones(struct adapter *a, struct op *op, const pb_ListZonesRequest *req,
                               pb_ListZonesResponse *ret)
{
    struct shape_list list = {0};

    (void)req;
    pb_ResultCode code = zones(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    return az_messages(a, op, &zone_kind, &list, &ret->n_zones, (void ***)&ret->zones);
}

pb_ResultCode azure_get_zone(struct adapter *a, struct op *op, const pb_GetZoneRequest *req,
                             pb_GetZoneResponse *ret)
{
    struct shape_list list = {0};

    pb_ResultCode code = zones(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    return az_pick_slot(a, op, &zone_kind, req->id, &list, (void **)&ret->zone);
}
