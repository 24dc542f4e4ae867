/* The part of a plan that is about the image. */
#include <string.h>
#include <strings.h>

#include "az_plan.h"

#define FIELD "spec.image_id"

static bool is_word(const char *text, const char *word)
{
    return text != NULL && strcasecmp(text, word) == 0;
}

/* "PUBLISHER:OFFER:SKU:VERSION" */
static bool read_urn(struct arena *a, const char *text, struct az_plan_image *ret)
{
    const char **parts[] = {&ret->publisher, &ret->offer, &ret->sku, &ret->version};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t len = strcspn(text, ":");
        bool last = i == ARRAY_LEN(parts) - 1;
        if (len == 0 || (text[len] == ':') == last)
            return false;
        *parts[i] = arena_strndup(a, text, len);
        text += len + !last;
    }
    return true;
}

/* An image of a gallery that others share, or that is open to all. */
static pb_ResultCode shared_image(struct adapter *a, struct op *op, struct az_plan *p)
{
    bool open = strncasecmp(p->spec->image_id, "/CommunityGalleries/", 20) == 0;

    const char *since = open ? AZ_SINCE_COMMUNITY_IMAGE : AZ_SINCE_SHARED_IMAGE;

    if (!az_compute_has(a, since)) {
        op_violation(op, FIELD, "needs compute_api_version %s", since);
        return op_fail(op, RESULT_CODE_NOT_SUPPORTED,
                       "images of %s galleries need the connection's compute_api_version to "
                       "be %s or later",
                       open ? "community" : "shared", since);
    }
    p->image.key = open ? "communityGalleryImageId" : "sharedGalleryImageId";
    p->image.id = p->spec->image_id;
    return RESULT_CODE_OK;
}

/* An image of the subscription, or of a gallery in it. */
static pb_ResultCode own_image(struct adapter *a, struct op *op, struct az_plan *p)
{
    struct az_image image = {0};

    pb_ResultCode code = az_image_find(a, op, FIELD, p->spec->image_id, NULL, &image);
    if (code != RESULT_CODE_OK)
        return code;
    p->image.key = "id";
    p->image.id = image.thing.id;
    if (image.os_type != NULL)
        p->windows = is_word(image.os_type, "Windows");
    if (image.provisioning == NULL || is_word(image.provisioning, "Succeeded"))
        return code;
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "image %s is %s, and must have Succeeded to start from it", image.thing.name,
                   image.provisioning);
}

pb_ResultCode az_plan_image(struct adapter *a, struct op *op, struct az_plan *p)
{
    const char *wanted = p->spec->image_id;

    p->windows = is_word(p->spec->os_type, "windows");
    if (read_urn(op->arena, wanted, &p->image)) {
        if (strncasecmp(p->image.publisher, "MicrosoftWindows", 16) == 0)
            p->windows = true;
        return RESULT_CODE_OK;
    }
    p->image = (struct az_plan_image){0};
    if (strncasecmp(wanted, "/SharedGalleries/", 17) == 0 ||
        strncasecmp(wanted, "/CommunityGalleries/", 20) == 0)
        return shared_image(a, op, p);
    if (wanted[0] != '/' && is_word(p->spec->image_type, "marketplace"))
        return az_bad(op, FIELD,
                      "has to be PUBLISHER:OFFER:SKU:VERSION, as Canonical:ubuntu-24_04-lts:server:"
                      "latest; one of the subscription takes image_type image");
    if (wanted[0] != '/' && is_word(p->spec->image_type, "gallery"))
        return az_bad(op, FIELD,
                      "has to be the id of an image in a gallery, or of a version of it");
    return own_image(a, op, p);
}
