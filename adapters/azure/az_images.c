/* Images: the subscription's own, those of galleries, and those of the marketplace. */
#include <string.h>
#include <strings.h>

#include "az_shapes.h"
#include "az_things.h"

#define IMAGE(member_, name_) AZ_TEXT(az_image, member_, name_)

static void *message(struct adapter *a, struct arena *arena, const void *item);

/* ---- The subscription's own ---- */

static const struct shape_field os_disk_fields[] = {
    IMAGE(os_type, "osType"),
    IMAGE(os_state, "osState"),
    AZ_NUMBER(az_image, size_gib, "diskSizeGB"),
};
AZ_SHAPE(os_disk, az_image);

static const struct shape_field storage_fields[] = {AZ_PART("osDisk", os_disk)};
AZ_SHAPE(storage, az_image);

static const struct shape_field source_fields[] = {IMAGE(source_vm, "id")};
AZ_SHAPE(source, az_image);

static const struct shape_field image_more_fields[] = {
    AZ_PART("sourceVirtualMachine", source),
    AZ_PART("storageProfile", storage),
    IMAGE(provisioning, "provisioningState"),
    IMAGE(generation, "hyperVGeneration"),
};
AZ_SHAPE(image_more, az_image);

static const struct shape_field image_fields[] = {
    AZ_THING_FIELDS(struct az_image),
    AZ_PART("properties", image_more),
};
AZ_SHAPE(image, az_image);
AZ_PAGE(images_page_shape, image_shape);

static const char *const own_mapped[] = {"id",
                                         "name",
                                         "type",
                                         "tags",
                                         "provisioningState",
                                         "storageProfile.osDisk.osType",
                                         "storageProfile.osDisk.diskSizeGB",
                                         NULL};

const struct az_kind az_image_kind = {
    .noun = "image",
    .service = AZ_COMPUTE,
    .type = "Microsoft.Compute/images",
    .item = &image_shape,
    .page = &images_page_shape,
    .mapped = own_mapped,
    .message = message,
};

/* ---- Of galleries ---- */

static const struct shape_field range_fields[] = {AZ_NUMBER(az_image, min_memory_gib, "min")};
AZ_SHAPE(range, az_image);

static const struct shape_field recommended_fields[] = {AZ_PART("memory", range)};
AZ_SHAPE(recommended, az_image);

static const struct shape_field publishing_fields[] = {IMAGE(created, "publishedDate")};
AZ_SHAPE(publishing, az_image);

static const struct shape_field disk_image_fields[] = {
    AZ_NUMBER(az_image, size_gib, "sizeInGB"),
    IMAGE(os_type, "operatingSystem"),
};
AZ_SHAPE(disk_image, az_image);

static const struct shape_field gallery_storage_fields[] = {AZ_PART("osDiskImage", disk_image)};
AZ_SHAPE(gallery_storage, az_image);

static const struct shape_field gallery_more_fields[] = {
    IMAGE(os_type, "osType"),
    IMAGE(os_state, "osState"),
    IMAGE(generation, "hyperVGeneration"),
    IMAGE(architecture, "architecture"),
    IMAGE(provisioning, "provisioningState"),
    AZ_PART("recommended", recommended),
    AZ_PART("publishingProfile", publishing),
    AZ_PART("storageProfile", gallery_storage),
};
AZ_SHAPE(gallery_more, az_image);

static const struct shape_field gallery_fields[] = {
    AZ_THING_FIELDS(struct az_image),
    AZ_PART("properties", gallery_more),
};
AZ_SHAPE(gallery, az_image);

static const char *const gallery_mapped[] = {
    "id",     "name", "type", "tags", "provisioningState", "storageProfile.osDiskImage.sizeInGB",
    "osType", NULL};

const struct az_kind az_gallery_image_kind = {
    .noun = "image",
    .service = AZ_COMPUTE,
    .version = "2021-07-01", /* they have versions of their own: the first with all that is read */
    .item = &gallery_shape,
    .mapped = gallery_mapped,
    .message = message,
};

/* ---- Of the marketplace ---- */

static const struct shape_field deprecation_fields[] = {IMAGE(deprecation, "imageState")};
AZ_SHAPE(deprecation, az_image);

static const struct shape_field market_more_fields[] = {
    AZ_PART("osDiskImage", disk_image),
    IMAGE(generation, "hyperVGeneration"),
    IMAGE(architecture, "architecture"),
    AZ_PART("imageDeprecationStatus", deprecation),
};
AZ_SHAPE(market_more, az_image);

static const struct shape_field market_fields[] = {
    AZ_THING_FIELDS(struct az_image),
    AZ_PART("properties", market_more),
};
AZ_SHAPE(market, az_image);

static const char *const market_mapped[] = {"name", "tags", "osDiskImage.operatingSystem",
                                            "imageDeprecationStatus.imageState", NULL};

const struct az_kind az_market_image_kind = {
    .noun = "image",
    .service = AZ_COMPUTE,
    .item = &market_shape,
    .mapped = market_mapped,
    .message = message,
};

/* ---- Into a message ---- */

static char *lower(struct arena *a, const char *text)
{
    char *out = arena_strdup(a, text != NULL ? text : "");

    for (char *c = out; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return out;
}

/* As other clouds call them. */
static const char *architecture(const char *word)
{
    if (word != NULL && strcasecmp(word, "x64") == 0)
        return "x86_64";
    return word != NULL && strcasecmp(word, "Arm64") == 0 ? "arm64" : word;
}

static const char *status(const struct az_image *i)
{
    return i->provisioning != NULL ? i->provisioning : i->deprecation;
}

static void put_whose(struct arena *a, const struct az_image *i, pb_Image *image)
{
    struct az_id id;

    if (i->is_public) {
        image->visibility = field_text("public");
        image->owner = field_text(i->publisher);
        return;
    }
    if (!az_id_parse(a, i->thing.id, &id))
        return;
    bool own = strcasecmp(id.type, az_image_kind.type) == 0;
    image->visibility = field_text(own ? "private" : "shared");
    image->owner = field_text(id.subscription);
}

static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_image *i = item;
    pb_Image *image = arena_message(arena, &pb_Image_desc);
    struct field_pairs native = {.arena = arena, .type = &pb_Image_NativeEntry_desc};

    if (image == NULL)
        return NULL;
    image->cloud = field_text(a->name);
    image->id = field_text(i->thing.id);
    image->name = field_text(i->thing.name);
    image->status = field_text(status(i));
    image->min_disk_gib = field_u64(i->size_gib);
    image->min_memory_mib = field_u64(i->min_memory_gib) * 1024;
    image->os_type = lower(arena, i->os_type);
    image->architecture = field_text(architecture(i->architecture));
    image->created_at = field_time(arena, i->created);
    put_whose(arena, i, image);
    image->tags = field_tags(arena, &i->thing.tags);
    image->n_tags = image->tags != NULL ? i->thing.tags.n : 0;
    az_put_all(&native, &i->thing);
    image->n_native = native.n;
    image->native = (void *)native.items;
    return image;
}

/* ---- Slots ---- */

pb_ResultCode azure_list_images(struct adapter *a, struct op *op, const pb_ListImagesRequest *req,
                                pb_ListImagesResponse *ret)
{
    (void)req;
    return az_list_slot(a, op, &az_image_kind, &ret->n_images, (void ***)&ret->images);
}

pb_ResultCode azure_get_image(struct adapter *a, struct op *op, const pb_GetImageRequest *req,
                              pb_GetImageResponse *ret)
{
    struct az_image image = {0};

    pb_ResultCode code = az_image_find(a, op, "id", req->id, NULL, &image);
    if (code == RESULT_CODE_OK)
        ret->image = message(a, op->arena, &image);
    return op_end(op, code);
}
