/* Sizes of machines: each location has its own. */
#include <string.h>

#include "az_shapes.h"
#include "az_things.h"

static const struct shape_field size_fields[] = {
    AZ_TEXT(az_size, thing.name, "name"),
    AZ_NUMBER(az_size, vcpus, "numberOfCores"),
    AZ_NUMBER(az_size, os_disk_mib, "osDiskSizeInMB"),
    AZ_NUMBER(az_size, resource_disk_mib, "resourceDiskSizeInMB"),
    AZ_NUMBER(az_size, memory_mib, "memoryInMB"),
    AZ_NUMBER(az_size, data_disks, "maxDataDiskCount"),
};
AZ_SHAPE(size, az_size);
AZ_PAGE(sizes_page_shape, size_shape);

static void complete(void *item)
{
    struct az_size *s = item;

    s->thing.id = s->thing.name;
}

static const char *const mapped[] = {"name", "numberOfCores", "memoryInMB", NULL};

/* osDiskSizeInMB is how large the disk may be, not how large it is. */
static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_size *s = item;
    pb_Flavor *flavor = arena_message(arena, &pb_Flavor_desc);

    if (flavor == NULL)
        return NULL;
    flavor->cloud = field_text(a->name);
    flavor->id = field_text(s->thing.id);
    flavor->name = field_text(s->thing.name);
    flavor->vcpus = field_u32(s->vcpus);
    flavor->memory_mib = field_u64(s->memory_mib);
    flavor->ephemeral_gib = field_u64(s->resource_disk_mib) / 1024;
    flavor->is_public = true;
    struct field_pairs native = {.arena = arena, .type = &pb_Flavor_NativeEntry_desc};
    az_put_native(&native, &s->thing);
    flavor->n_native = native.n;
    flavor->native = (void *)native.items;
    return flavor;
}

const struct az_kind az_size_kind = {
    .noun = "flavor",
    .service = AZ_COMPUTE,
    .item = &size_shape,
    .page = &sizes_page_shape,
    .mapped = mapped,
    .complete = complete,
    .message = message,
};

pb_ResultCode az_sizes(struct adapter *a, struct op *op, const char *location,
                       struct shape_list *ret)
{
    const char *path = az_path(a, op->arena, "/providers/Microsoft.Compute/locations/%s/vmSizes",
                               url_escape(op->arena, location));

    return az_list_at(a, op, &az_size_kind, path, ret);
}

pb_ResultCode az_home(struct adapter *a, struct op *op, const char **ret)
{
    struct az_group group = {0};

    if (a->config->location != NULL) {
        *ret = a->config->location;
        return RESULT_CODE_OK;
    }
    if (a->config->resource_group == NULL)
        return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA,
                       "cloud %s has no location, and each location has sizes, zones and images "
                       "of its own; give the connection the setting location (or resource_group)",
                       a->name);
    const char *id = az_path(a, op->arena, "/resourceGroups/%s", a->config->resource_group);
    pb_ResultCode code = az_find_by_id(a, op, &az_group_kind, id, &group);
    if (code != RESULT_CODE_OK)
        return code;
    *ret = group.thing.location != NULL ? group.thing.location : "";
    return RESULT_CODE_OK;
}

static pb_ResultCode home_sizes(struct adapter *a, struct op *op, struct shape_list *ret)
{
    const char *location = NULL;
    pb_ResultCode code = az_home(a, op, &location);

    return code == RESULT_CODE_OK ? az_sizes(a, op, location, ret) : code;
}

pb_ResultCode azure_list_flavors(struct adapter *a, struct op *op, const pb_ListFlavorsRequest *req,
                                 pb_ListFlavorsResponse *ret)
{
    struct shape_list list = {0};

    (void)req;
    pb_ResultCode code = home_sizes(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    return az_messages(a, op, &az_size_kind, &list, &ret->n_flavors, (void ***)&ret->flavors);
}

pb_ResultCode azure_get_flavor(struct adapter *a, struct op *op, const pb_GetFlavorRequest *req,
                               pb_GetFlavorResponse *ret)
{
    struct shape_list list = {0};

    pb_ResultCode code = home_sizes(a, op, &list);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    return az_pick_slot(a, op, &az_size_kind, req->id, &list, (void **)&ret->flavor);
}
