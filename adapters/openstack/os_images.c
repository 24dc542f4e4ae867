#include "os_images.h"

static const struct shape_field image_fields[] = {
    SHAPE_FIELD(struct os_image, thing.id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, status, "status", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, os_type, "os_type", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, architecture, "architecture", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, visibility, "visibility", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, disk_format, "disk_format", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, owner, "owner", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, created_at, "created_at", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, updated_at, "updated_at", SHAPE_STRING),
    SHAPE_FIELD(struct os_image, size, "size", SHAPE_INT),
    SHAPE_FIELD(struct os_image, virtual_size, "virtual_size", SHAPE_INT),
    SHAPE_FIELD(struct os_image, min_disk, "min_disk", SHAPE_INT),
    SHAPE_FIELD(struct os_image, min_ram, "min_ram", SHAPE_INT),
    SHAPE_FIELD(struct os_image, tags, "tags", SHAPE_STRINGS),
};
static const struct shape image_shape = {sizeof(struct os_image), image_fields,
                                         ARRAY_LEN(image_fields), 0};
OS_PAGE(images_page_shape, "images", "images_links", image_shape);

const struct os_kind os_image_kind = {
    .noun = "image",
    .service = OS_IMAGE,
    .path = "/images",
    .list_query = "limit=1000",
    .name_filter = "name",
    .item = &image_shape,
    .page = &images_page_shape,
    .one = &image_shape,
    .list_depth = 3,
    .one_depth = 1,
    .message = os_parse_image,
};

void *os_parse_image(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    const struct os_image *i = (const void *)thing;
    static const char *const mapped[] = {"id",         "name",        "status",  "size",
                                         "min_disk",   "min_ram",     "os_type", "architecture",
                                         "visibility", "disk_format", "owner",   "tags",
                                         "created_at", "updated_at",  NULL};
    pb_Image *image = arena_message(a, &pb_Image_desc);
    if (image == NULL)
        return NULL;
    image->cloud = field_text(cloud);
    image->id = field_text(i->thing.id);
    image->name = field_text(i->thing.name);
    image->status = field_text(i->status);
    image->size_bytes = field_u64(i->size);
    image->min_disk_gib = field_u64(i->min_disk);
    image->min_memory_mib = field_u64(i->min_ram);
    image->os_type = field_text(i->os_type);
    image->architecture = field_text(i->architecture);
    image->visibility = field_text(i->visibility);
    image->format = field_text(i->disk_format);
    image->owner = field_text(i->owner);
    image->tags = field_texts(a, &i->tags);
    image->n_tags = image->tags == NULL ? 0 : i->tags.n;
    image->created_at = field_time(a, i->created_at);
    image->updated_at = field_time(a, i->updated_at);
    struct field_pairs native = {.arena = a, .type = &pb_Image_NativeEntry_desc};
    field_pairs_rest(&native, &i->thing.all, mapped);
    image->n_native = native.n;
    image->native = (void *)native.items;
    return image;
}

pb_ResultCode openstack_list_images(struct adapter *a, struct op *op,
                                    const pb_ListImagesRequest *req, pb_ListImagesResponse *ret)
{
    (void)req;
    return os_list_slot(a, op, &os_image_kind, NULL, &ret->n_images, (void ***)&ret->images);
}

pb_ResultCode openstack_get_image(struct adapter *a, struct op *op, const pb_GetImageRequest *req,
                                  pb_GetImageResponse *ret)
{
    return os_get_slot(a, op, &os_image_kind, req->id, (void **)&ret->image);
}
