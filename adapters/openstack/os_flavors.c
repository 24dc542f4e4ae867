#include "os_flavors.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct shape_field flavor_fields[] = {
    SHAPE_FIELD(struct os_flavor, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_flavor, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_flavor, vcpus, "vcpus", SHAPE_INT),
    SHAPE_FIELD(struct os_flavor, ram, "ram", SHAPE_INT),
    SHAPE_FIELD(struct os_flavor, disk, "disk", SHAPE_INT),
    SHAPE_FIELD(struct os_flavor, ephemeral, "OS-FLV-EXT-DATA:ephemeral", SHAPE_INT),
    SHAPE_FIELD(struct os_flavor, swap, "swap", SHAPE_INT),
    SHAPE_FIELD(struct os_flavor, is_public, "os-flavor-access:is_public", SHAPE_BOOL),
    SHAPE_FIELD(struct os_flavor, disabled, "OS-FLV-DISABLED:disabled", SHAPE_BOOL),
    SHAPE_FIELD(struct os_flavor, extra_specs, "extra_specs", SHAPE_MAP),
};
static const struct shape flavor_shape = {sizeof(struct os_flavor), flavor_fields,
                                          ARRAY_LEN(flavor_fields), 0};
OS_PAGE(flavors_page_shape, "flavors", "flavors_links", flavor_shape);
OS_ONE(flavor_one_shape, "flavor", struct os_flavor, flavor_shape);

const struct os_kind os_flavor_kind = {
    .noun = "flavor",
    .service = OS_COMPUTE,
    .path = "/flavors",
    .list_path = "/flavors/detail",
    .list_query = "is_public=None", /* an administrator's list has those of all projects then */
    .item = &flavor_shape,
    .page = &flavors_page_shape,
    .one = &flavor_one_shape,
    .list_depth = 3,
    .one_depth = 2,
    .message = os_parse_flavor,
};

/* Virtual GPUs, and devices whose alias says that they are such: "gpu:2,nic:1". */
static uint32_t gpus_of(const struct shape_map *specs)
{
    uint32_t gpus = 0;
    const char *vgpu = shape_map_get(specs, "resources:VGPU");
    if (vgpu != NULL)
        gpus += field_u32(strtoll(vgpu, NULL, 10));
    const char *alias = shape_map_get(specs, "pci_passthrough:alias");
    while (alias != NULL && *alias != '\0') {
        size_t len = strcspn(alias, ",");
        const char *colon = memchr(alias, ':', len);
        for (size_t i = 0; i + 3 <= len; i++) {
            if (strncasecmp(alias + i, "gpu", 3) == 0) {
                gpus += colon == NULL ? 1 : field_u32(strtoll(colon + 1, NULL, 10));
                break;
            }
        }
        alias += len;
        alias += *alias == ',';
    }
    return gpus;
}

void *os_parse_flavor(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    const struct os_flavor *f = (const void *)thing;
    static const char *const mapped[] = {"id",    "name",
                                         "vcpus", "ram",
                                         "disk",  "OS-FLV-EXT-DATA:ephemeral",
                                         "swap",  "os-flavor-access:is_public",
                                         NULL};
    pb_Flavor *flavor = arena_message(a, &pb_Flavor_desc);
    if (flavor == NULL)
        return NULL;
    flavor->cloud = field_text(cloud);
    flavor->id = field_text(f->thing.id);
    flavor->name = field_text(f->thing.name);
    flavor->vcpus = field_u32(f->vcpus);
    flavor->memory_mib = field_u64(f->ram);
    flavor->disk_gib = field_u64(f->disk);
    flavor->ephemeral_gib = field_u64(f->ephemeral);
    flavor->swap_mib = field_u64(f->swap);
    flavor->gpus = gpus_of(&f->extra_specs);
    flavor->architecture = field_text(shape_map_get(&f->extra_specs, "capabilities:cpu_info:arch"));
    flavor->is_public = f->is_public;
    struct field_pairs native = {.arena = a, .type = &pb_Flavor_NativeEntry_desc};
    field_pairs_rest(&native, &f->thing.all, mapped);
    for (size_t i = 0; i < f->extra_specs.n; i++)
        field_pairs_add(&native, f->extra_specs.items[i].key, f->extra_specs.items[i].value);
    flavor->n_native = native.n;
    flavor->native = (void *)native.items;
    return flavor;
}

pb_ResultCode openstack_list_flavors(struct adapter *a, struct op *op,
                                     const pb_ListFlavorsRequest *req, pb_ListFlavorsResponse *ret)
{
    (void)req;
    return os_list_slot(a, op, &os_flavor_kind, NULL, &ret->n_flavors, (void ***)&ret->flavors);
}

pb_ResultCode openstack_get_flavor(struct adapter *a, struct op *op, const pb_GetFlavorRequest *req,
                                   pb_GetFlavorResponse *ret)
{
    return os_get_slot(a, op, &os_flavor_kind, req->id, (void **)&ret->flavor);
}
