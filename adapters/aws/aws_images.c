#include "aws_images.h"

#include <stdlib.h>
#include <string.h>

#include "aws_instances.h"

#define TEXT(struct_, member_, name_) SHAPE_FIELD(struct struct_, member_, name_, SHAPE_STRING)
#define WORD(member_, name_)          TEXT(aws_image, member_, name_)
#define DISK(member_, name_)          TEXT(aws_image_mapping, member_, name_)

static const struct shape_field ebs_fields[] = {
    DISK(snapshot_id, "snapshotId"),
    DISK(volume_size, "volumeSize"),
    DISK(delete_on_termination, "deleteOnTermination"),
    DISK(volume_type, "volumeType"),
    DISK(iops, "iops"),
    DISK(throughput, "throughput"),
    DISK(encrypted, "encrypted"),
    DISK(kms_key, "kmsKeyId"),
    DISK(outpost_arn, "outpostArn"),
};
static const struct shape ebs_shape = {sizeof(struct aws_image_mapping), ebs_fields,
                                       ARRAY_LEN(ebs_fields), 0};

static const struct shape_field mapping_fields[] = {
    DISK(device, "deviceName"),
    DISK(virtual_name, "virtualName"),
    DISK(no_device, "noDevice"),
    {"ebs", SHAPE_STRUCT, 0, &ebs_shape},
};
static const struct shape mapping_shape = {sizeof(struct aws_image_mapping), mapping_fields,
                                           ARRAY_LEN(mapping_fields), 0};

static const struct shape_field reason_fields[] = {
    WORD(state_reason.code, "code"),
    WORD(state_reason.message, "message"),
};
static const struct shape reason_shape = {sizeof(struct aws_image), reason_fields,
                                          ARRAY_LEN(reason_fields), 0};

static const struct shape_field image_fields[] = {
    WORD(thing.id, "imageId"),
    WORD(location, "imageLocation"),
    WORD(state, "imageState"),
    WORD(owner_id, "imageOwnerId"),
    WORD(created, "creationDate"),
    WORD(is_public, "isPublic"),
    SHAPE_NESTED(struct aws_image, products, "productCodes", SHAPE_LIST, aws_product_shape),
    WORD(architecture, "architecture"),
    WORD(image_type, "imageType"),
    WORD(kernel_id, "kernelId"),
    WORD(ramdisk_id, "ramdiskId"),
    WORD(platform, "platform"),
    WORD(owner_alias, "imageOwnerAlias"),
    WORD(thing.name, "name"),
    WORD(description, "description"),
    {"stateReason", SHAPE_STRUCT, 0, &reason_shape},
    WORD(root_device_type, "rootDeviceType"),
    WORD(root_device, "rootDeviceName"),
    SHAPE_NESTED(struct aws_image, mappings, "blockDeviceMapping", SHAPE_LIST, mapping_shape),
    WORD(virtualization, "virtualizationType"),
    SHAPE_FIELD(struct aws_image, thing.tags, "tagSet", SHAPE_MAP),
    WORD(hypervisor, "hypervisor"),
    WORD(ena, "enaSupport"),
    WORD(sriov, "sriovNetSupport"),
    WORD(platform_details, "platformDetails"),
    WORD(usage_operation, "usageOperation"),
    WORD(boot_mode, "bootMode"),
    WORD(tpm, "tpmSupport"),
    WORD(imds, "imdsSupport"),
    WORD(deprecated, "deprecationTime"),
};
static const struct shape image_shape = {sizeof(struct aws_image), image_fields,
                                         ARRAY_LEN(image_fields), 0};
AWS_PAGE(images_page_shape, "imagesSet", image_shape);

/* An image has a name, or (made long ago) none: its tag is not it. */
static void complete(void *item)
{
    struct aws_image *i = item;

    if (i->thing.name == NULL)
        i->thing.name = "";
}

static void complete_own(void *item)
{
    complete(item);
    ((struct aws_image *)item)->is_own = true;
}

static void *message(struct adapter *a, struct arena *arena, const void *item);

#define IMAGE_KIND                                                                                 \
    .noun = "image", .action = "DescribeImages", .id_filter = "image-id", .id_prefix = "ami-",     \
    .name_filter = "name", .page_size = 1000, .item = &image_shape, .page = &images_page_shape,    \
    .message = message

/* Who has an image's id may use it, whether lists still show it or not. */
static const char *const any[] = {"IncludeDeprecated", "true", NULL};
const struct aws_kind aws_image_kind = {IMAGE_KIND, .fixed = any, .complete = complete};

static const char *const own[] = {"Owner.1", "self", NULL};
const struct aws_kind aws_own_image_kind = {IMAGE_KIND, .fixed = own, .complete = complete_own};

static const char *const shared[] = {"ExecutableBy.1", "self", NULL};
const struct aws_kind aws_shared_image_kind = {IMAGE_KIND, .fixed = shared, .complete = complete};
/* Clouds that do not know ExecutableBy list the public ones too. */
static const char *const no = "false";
static const struct aws_filter not_public = {"is-public", 1, &no};

/* ---- Into a message ---- */

static const char *os_type(const struct aws_image *i)
{
    size_t len = i->architecture != NULL ? strlen(i->architecture) : 0;

    if (i->platform != NULL && i->platform[0] != '\0')
        return i->platform;
    return len > 4 && strcmp(i->architecture + len - 4, "_mac") == 0 ? "macos" : "linux";
}

static const char *visibility(const struct aws_image *i)
{
    if (aws_is_true(i->is_public))
        return "public";
    return i->is_own ? "private" : "shared";
}

/* GiB, of the disk that it boots from. */
static uint64_t root_gib(const struct aws_image *i)
{
    const struct aws_image_mapping *m = i->mappings.items;

    for (size_t n = 0; i->root_device != NULL && n < i->mappings.n; n++)
        if (m[n].device != NULL && m[n].volume_size != NULL &&
            strcmp(m[n].device, i->root_device) == 0)
            return field_u64(strtoll(m[n].volume_size, NULL, 10));
    return 0;
}

static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"imageId",      "name",         "imageState",
                                         "isPublic",     "tagSet",       "architecture",
                                         "imageOwnerId", "creationDate", NULL};
    const struct aws_image *i = item;
    pb_Image *image = arena_message(arena, &pb_Image_desc);

    if (image == NULL)
        return NULL;
    image->cloud = field_text(a->name);
    image->id = field_text(i->thing.id);
    image->name = field_text(i->thing.name);
    image->status = field_text(i->state);
    image->min_disk_gib = root_gib(i);
    image->os_type = field_text(os_type(i));
    image->architecture = field_text(i->architecture);
    image->visibility = field_text(visibility(i));
    image->owner = field_text(i->owner_id);
    image->created_at = field_time(arena, i->created);
    image->tags = field_tags(arena, &i->thing.tags);
    image->n_tags = image->tags != NULL ? i->thing.tags.n : 0;
    struct field_pairs native = {.arena = arena, .type = &pb_Image_NativeEntry_desc};
    aws_put_native(&native, &image_shape, i, mapped);
    image->n_native = native.n;
    image->native = (void *)native.items;
    return image;
}

/* ---- Finding one ---- */

/* "amazon/al2023-*": the length of the owner's name, or 0 where there is none. */
static size_t owner_len(const char *wanted)
{
    static const char *const words[] = {"self", "amazon", "aws-marketplace", "aws-backup-vault"};
    size_t len = strcspn(wanted, "/");

    if (wanted[len] != '/' || wanted[len + 1] == '\0')
        return 0;
    if (len == 12 && strspn(wanted, "0123456789") == len)
        return len;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strlen(words[i]) == len && strncmp(wanted, words[i], len) == 0)
            return len;
    return 0;
}

/* In a pattern * and ? are wildcards, and nothing else is. */
static const char *pattern(struct arena *a, const char *text)
{
    char *out = arena_alloc(a, 2 * strlen(text) + 1), *to = out;

    for (; out != NULL && *text != '\0'; text++) {
        if (*text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    return out != NULL ? out : "";
}

static bool is_newer(const struct aws_image *i, const struct aws_image *than)
{
    return i->created != NULL && (than->created == NULL || strcmp(i->created, than->created) > 0);
}

bool aws_image_runs_on(const struct aws_image *i, const struct shape_strings *architectures)
{
    if (i->architecture == NULL || i->architecture[0] == '\0')
        return true;
    for (size_t n = 0; n < architectures->n; n++)
        if (strcmp(architectures->items[n], i->architecture) == 0)
            return true;
    return architectures->n == 0;
}

/* The newest; where architectures are wanted, of those that are for one of them, if there is any.
 */
static pb_ResultCode find_newest(struct adapter *a, struct op *op, const char *field,
                                 const char *wanted, size_t owner,
                                 const struct shape_strings *architectures, struct aws_image *ret)
{
    const char *fixed[] = {"Owner.1", arena_strndup(op->arena, wanted, owner), NULL};
    const char *name = pattern(op->arena, wanted + owner + 1), *available = "available";
    const struct aws_filter filters[] = {{"name", 1, &name}, {"state", 1, &available}};
    bool best_runs = false;
    struct aws_kind kind = strcmp(fixed[1], "self") == 0 ? aws_own_image_kind : aws_image_kind;
    struct shape_list list = {0};

    kind.fixed = fixed;
    pb_ResultCode code = aws_list(a, op, &kind, filters, ARRAY_LEN(filters), &list);
    const struct aws_image *images = list.items;
    const struct aws_image *newest = NULL;
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++) {
        bool runs = architectures == NULL || aws_image_runs_on(&images[i], architectures);
        if (newest != NULL && (runs != best_runs ? !runs : !is_newer(&images[i], newest)))
            continue;
        newest = &images[i];
        best_runs = runs;
    }
    if (code != RESULT_CODE_OK)
        return code;
    if (newest == NULL) {
        op_violation(op, field, "none of that owner has such a name and is available");
        return op_fail(op, RESULT_CODE_NOT_FOUND,
                       "no image '%s'; what follows the owner is a name or a pattern with * and ?",
                       wanted);
    }
    *ret = *newest;
    return RESULT_CODE_OK;
}

/* By its name among the account's own, then those that are shared with it. */
static pb_ResultCode find_named(struct adapter *a, struct op *op, const char *field,
                                const char *wanted, struct aws_image *ret)
{
    const char *value = aws_literal(op->arena, wanted);
    const struct aws_filter by_name[] = {{aws_image_kind.name_filter, 1, &value}, not_public};
    struct shape_list list = {0};

    pb_ResultCode code = aws_list(a, op, &aws_own_image_kind, by_name, 1, &list);
    if (code == RESULT_CODE_OK && list.n == 0)
        code = aws_list(a, op, &aws_shared_image_kind, by_name, ARRAY_LEN(by_name), &list);
    if (code == RESULT_CODE_OK && list.n == 0 && aws_is_id(&aws_image_kind, wanted))
        return pick_no_id(op, aws_image_kind.noun, field, wanted);
    if (code == RESULT_CODE_OK && list.n == 0) /* for the near names */
        code = aws_list(a, op, &aws_own_image_kind, NULL, 0, &list);
    return code == RESULT_CODE_OK ? aws_pick(op, &aws_image_kind, field, wanted, &list, ret) : code;
}

pb_ResultCode aws_image_find(struct adapter *a, struct op *op, const char *field,
                             const char *wanted, const struct shape_strings *architectures,
                             struct aws_image *ret)
{
    const char *value = aws_literal(op->arena, wanted);
    const struct aws_filter by_id = {aws_image_kind.id_filter, 1, &value};
    size_t owner = owner_len(wanted);

    if (owner > 0)
        return find_newest(a, op, field, wanted, owner, architectures, ret);
    if (strncmp(wanted, aws_image_kind.id_prefix, strlen(aws_image_kind.id_prefix)) == 0) {
        struct shape_list list = {0};
        pb_ResultCode code = aws_list(a, op, &aws_image_kind, &by_id, 1, &list);
        if (code != RESULT_CODE_OK)
            return code;
        if (list.n > 0)
            return aws_pick(op, &aws_image_kind, field, wanted, &list, ret);
    }
    return find_named(a, op, field, wanted, ret);
}

/* ---- Slots ---- */

pb_ResultCode aws_list_images(struct adapter *a, struct op *op, const pb_ListImagesRequest *req,
                              pb_ListImagesResponse *ret)
{
    pb_Image **ours = NULL, **theirs = NULL;
    size_t n = 0, more = 0;

    pb_ResultCode code =
        aws_list_slot(a, op, &aws_own_image_kind, req->name, NULL, 0, &n, (void ***)&ours);
    if (code == RESULT_CODE_OK)
        code = aws_list_slot(a, op, &aws_shared_image_kind, req->name, &not_public, 1, &more,
                             (void ***)&theirs);
    if (code != RESULT_CODE_OK)
        return code;
    pb_Image **all = arena_array(op->arena, n + more + 1, sizeof(*all));
    if (all == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    if (n > 0)
        memcpy(all, ours, n * sizeof(*all));
    ret->images = all;
    ret->n_images = n;
    /* An account may share an image with itself. */
    for (size_t i = 0; i < more; i++) {
        bool had = false;
        for (size_t k = 0; !had && k < n; k++)
            had = strcmp(ours[k]->id, theirs[i]->id) == 0;
        if (!had)
            all[ret->n_images++] = theirs[i];
    }
    return code;
}

/* EC2 does not say whose a private image is but by a number that may be anybody's. */
static pb_ResultCode learn_owner(struct adapter *a, struct op *op, struct aws_image *i)
{
    const struct aws_filter by_id = {aws_image_kind.id_filter, 1, &i->thing.id};
    struct shape_list list = {0};

    if (i->is_own || aws_is_true(i->is_public))
        return RESULT_CODE_OK;
    pb_ResultCode code = aws_list(a, op, &aws_own_image_kind, &by_id, 1, &list);
    i->is_own = code == RESULT_CODE_OK && list.n > 0;
    return code;
}

pb_ResultCode aws_get_image(struct adapter *a, struct op *op, const pb_GetImageRequest *req,
                            pb_GetImageResponse *ret)
{
    struct aws_image image = {0};

    pb_ResultCode code = aws_image_find(a, op, "id", req->id, NULL, &image);
    if (code == RESULT_CODE_OK)
        code = learn_owner(a, op, &image);
    if (code == RESULT_CODE_OK)
        ret->image = message(a, op->arena, &image);
    return op_end(op, code);
}
