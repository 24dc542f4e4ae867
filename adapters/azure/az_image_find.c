/* Finding the image that a name, an id or a marketplace's URN refers to. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "az_shapes.h"
#include "az_things.h"

static const struct shape_field version_fields[] = {AZ_TEXT(az_thing, id, "id"),
                                                    AZ_TEXT(az_thing, name, "name")};
static const struct shape version_shape = {sizeof(struct az_thing), version_fields,
                                           ARRAY_LEN(version_fields), 0};
AZ_PAGE(versions_page_shape, version_shape);

/* "Canonical:UbuntuServer:18.04-LTS:latest" */
struct urn {
    const char *publisher, *offer, *sku, *version;
};

static bool urn_parse(struct arena *a, const char *text, struct urn *ret)
{
    const char **parts[] = {&ret->publisher, &ret->offer, &ret->sku, &ret->version};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t len = strcspn(text, ":/");
        bool last = i == ARRAY_LEN(parts) - 1;
        /* "." and ".." lead elsewhere. */
        if (len == strspn(text, ".") || text[len] != (last ? '\0' : ':'))
            return false;
        *parts[i] = arena_strndup(a, text, len);
        text += len + !last;
    }
    return true;
}

/* Versions are numbers with dots; what has more of them, or is no number, is as good as 0. */
static int compare_versions(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        char *after_a, *after_b;
        unsigned long long x = strtoull(a, &after_a, 10), y = strtoull(b, &after_b, 10);
        if (x != y)
            return x < y ? -1 : 1;
        a = after_a + strcspn(after_a, ".");
        b = after_b + strcspn(after_b, ".");
        a += *a == '.';
        b += *b == '.';
    }
    return 0;
}

/* Azure answers with a list that is no object's member. */
static pb_ResultCode parse_versions(struct op *op, const struct az_request *req,
                                    const struct http_response *rsp, struct az_page *ret)
{
    struct http_response wrapped = *rsp;

    if (rsp->body_len > 0 && rsp->body[strspn(rsp->body, " \t\r\n")] == '[') {
        char *body = arena_printf(op->arena, "{\"value\":%.*s}", (int)rsp->body_len, rsp->body);
        wrapped.body = body;
        wrapped.body_len = strlen(body);
    }
    return az_parse(op, req, &wrapped, &versions_page_shape, ret);
}

static pb_ResultCode latest(struct adapter *a, struct op *op, const char *versions,
                            const char **ret)
{
    struct az_request req = az_get(AZ_COMPUTE, versions);
    struct az_page page = {0};
    struct http_response rsp;

    pb_ResultCode code = az_send(a, op, &req, &rsp);
    if (code == RESULT_CODE_OK)
        code = parse_versions(op, &req, &rsp, &page);
    if (code != RESULT_CODE_OK)
        return code;
    const struct az_thing *each = page.items.items;
    const char *highest = NULL;
    for (size_t i = 0; i < page.items.n; i++)
        if (each[i].name != NULL &&
            (highest == NULL || compare_versions(each[i].name, highest) > 0))
            highest = each[i].name;
    *ret = highest;
    return highest != NULL ? RESULT_CODE_OK : RESULT_CODE_NOT_FOUND;
}

static pb_ResultCode ask_market(struct adapter *a, struct op *op, struct urn *urn,
                                const char *location, struct az_image *ret)
{
    struct arena *mem = op->arena;
    const char *versions = az_path(
        a, mem,
        "/providers/Microsoft.Compute/locations/%s/publishers/%s/artifacttypes/vmimage/offers/%s"
        "/skus/%s/versions",
        url_escape(mem, location), url_escape(mem, urn->publisher), url_escape(mem, urn->offer),
        url_escape(mem, urn->sku));
    pb_ResultCode code = RESULT_CODE_OK;

    if (strcasecmp(urn->version, "latest") == 0)
        code = latest(a, op, versions, &urn->version);
    if (code != RESULT_CODE_OK)
        return code;
    const char *path = arena_printf(mem, "%s/%s", versions, url_escape(mem, urn->version));
    return az_get_at(a, op, &az_market_image_kind, path, ret);
}

static pb_ResultCode find_market(struct adapter *a, struct op *op, const char *field,
                                 const char *wanted, struct urn *urn, const char *location,
                                 struct az_image *ret)
{
    struct op aside = op_aside(op, 0);
    pb_ResultCode code = RESULT_CODE_OK;

    if (location == NULL)
        code = az_home(a, op, &location);
    if (code != RESULT_CODE_OK)
        return code;
    code = ask_market(a, &aside, urn, location, ret);
    if (code == RESULT_CODE_NOT_FOUND) {
        op_violation(op, field, "the marketplace has none of that name there");
        return op_fail(op, code,
                       "no image '%s' in %s; look with `az vm image list --all --location %s`",
                       wanted, location, location);
    }
    if (code != RESULT_CODE_OK)
        return op_tell(op, &aside, code);
    ret->thing.id =
        arena_printf(op->arena, "%s:%s:%s:%s", urn->publisher, urn->offer, urn->sku, urn->version);
    ret->thing.name = ret->thing.id;
    ret->publisher = urn->publisher;
    ret->is_public = true;
    return RESULT_CODE_OK;
}

static bool is_of_gallery(struct arena *a, const char *wanted)
{
    static const char image[] = "Microsoft.Compute/galleries/images";
    struct az_id id;

    return az_id_parse(a, wanted, &id) && strncasecmp(id.type, image, sizeof(image) - 1) == 0 &&
           (id.type[sizeof(image) - 1] == '\0' ||
            strcasecmp(id.type + sizeof(image) - 1, "/versions") == 0);
}

/* Of any subscription: galleries are there to be shared. */
static pb_ResultCode find_in_gallery(struct adapter *a, struct op *op, const char *field,
                                     const char *wanted, struct az_image *ret)
{
    struct op aside = op_aside(op, 0);

    pb_ResultCode code = az_find_by_id(a, &aside, &az_gallery_image_kind, wanted, ret);
    return code == RESULT_CODE_NOT_FOUND ? pick_no_id(op, az_gallery_image_kind.noun, field, wanted)
                                         : op_tell(op, &aside, code);
}

pb_ResultCode az_image_find(struct adapter *a, struct op *op, const char *field, const char *wanted,
                            const char *location, struct az_image *ret)
{
    struct urn urn;

    if (urn_parse(op->arena, wanted, &urn))
        return find_market(a, op, field, wanted, &urn, location, ret);
    if (is_of_gallery(op->arena, wanted))
        return find_in_gallery(a, op, field, wanted, ret);
    return az_find(a, op, &az_image_kind, field, wanted, NULL, ret);
}
