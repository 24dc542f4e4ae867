#include "os_plan.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/base64.h"
#include "kit/spec.h"
#include "os_images.h"
#include "os_keypairs.h"
#include "os_regions.h"

/* What Nova takes, encoded. */
enum { USER_DATA_MAX = 65535 };

#define GIB (INT64_C(1) << 30)

static pb_ResultCode bad(struct op *op, const char *field, const char *why)
{
    op_violation(op, field, "%s", why);
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s: %s", field, why);
}

/* ---- What it boots from ---- */

/* GiB that a new volume has: what is asked for, if that is enough, or what is needed. */
static pb_ResultCode boot_size(struct op *op, struct os_plan *p, int64_t least, int64_t flavor_disk)
{
    const char *asked = spec_parameter(p->spec, "volume_size_gib");
    int64_t size = asked == NULL ? 0 : strtoll(asked, NULL, 10);
    if (asked != NULL && size < least)
        return bad(op, "spec.parameters.volume_size_gib",
                   arena_printf(op->arena, "what it boots from needs %lld GiB", (long long)least));
    p->boot_size = size > 0 ? size : least > flavor_disk ? least : flavor_disk;
    if (p->boot_size < 1)
        p->boot_size = 1;
    return RESULT_CODE_OK;
}

static pb_ResultCode not_ready(struct op *op, const char *noun, const struct os_thing *thing,
                               const char *status, const char *wanted)
{
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "%s %s (%s) is %s and must be %s to boot from it", noun,
                   thing->name == NULL ? "" : thing->name, thing->id,
                   status == NULL ? "in no state" : status, wanted);
}

static pb_ResultCode plan_image(struct adapter *a, struct op *op, struct os_plan *p)
{
    struct os_image image = {0};
    pb_ResultCode code =
        os_find(a, op, &os_image_kind, "spec.image_id", p->spec->image_id, NULL, &image);
    if (code != RESULT_CODE_OK)
        return code;
    if (image.status == NULL || strcmp(image.status, "active") != 0)
        return not_ready(op, "image", &image.thing, image.status, "active");
    p->source_id = image.thing.id;
    if (image.min_ram > p->flavor.ram)
        return bad(op, "spec.flavor_name",
                   arena_printf(op->arena, "image %s needs %lld MiB of memory, flavor %s has %lld",
                                image.thing.name, (long long)image.min_ram, p->flavor.thing.name,
                                (long long)p->flavor.ram));
    if (p->boot == OS_BOOT_IMAGE_VOLUME) {
        int64_t bytes = image.virtual_size > image.size ? image.virtual_size : image.size;
        int64_t content = (bytes + GIB - 1) / GIB;
        return boot_size(op, p, content > image.min_disk ? content : image.min_disk,
                         p->flavor.disk);
    }
    if (p->flavor.disk > 0 && image.min_disk > p->flavor.disk)
        return bad(op, "spec.flavor_name",
                   arena_printf(op->arena, "image %s needs a disk of %lld GiB, flavor %s has %lld",
                                image.thing.name, (long long)image.min_disk, p->flavor.thing.name,
                                (long long)p->flavor.disk));
    return RESULT_CODE_OK;
}

static pb_ResultCode plan_volume(struct adapter *a, struct op *op, struct os_plan *p)
{
    struct os_volume volume = {0};
    pb_ResultCode code =
        os_find(a, op, &os_volume_kind, "spec.image_id", p->spec->image_id, NULL, &volume);
    if (code != RESULT_CODE_OK)
        return code;
    p->source_id = volume.thing.id;
    if (volume.bootable != NULL && strcmp(volume.bootable, "false") == 0)
        return bad(op, "spec.image_id", "nothing can boot from this volume: it is marked as such");
    if (p->boot == OS_BOOT_VOLUME_COPY)
        return boot_size(op, p, volume.size, 0);
    if (volume.status == NULL || strcmp(volume.status, "available") != 0)
        return not_ready(op, "volume", &volume.thing, volume.status, "available");
    return RESULT_CODE_OK;
}

static pb_ResultCode plan_snapshot(struct adapter *a, struct op *op, struct os_plan *p)
{
    struct os_snapshot snapshot = {0};
    pb_ResultCode code =
        os_find(a, op, &os_snapshot_kind, "spec.image_id", p->spec->image_id, NULL, &snapshot);
    if (code != RESULT_CODE_OK)
        return code;
    if (snapshot.status == NULL || strcmp(snapshot.status, "available") != 0)
        return not_ready(op, "snapshot", &snapshot.thing, snapshot.status, "available");
    p->source_id = snapshot.thing.id;
    return boot_size(op, p, snapshot.size, 0);
}

static const struct boot_row {
    const char *source_type;
    bool volume_created;
    enum os_boot boot;
    pb_ResultCode (*plan)(struct adapter *a, struct op *op, struct os_plan *p);
} map_boot[] = {
    {"image", false, OS_BOOT_IMAGE, plan_image},
    {"image", true, OS_BOOT_IMAGE_VOLUME, plan_image},
    {"volume", false, OS_BOOT_VOLUME, plan_volume},
    {"volume", true, OS_BOOT_VOLUME_COPY, plan_volume},
    /* There is no other way to boot from a snapshot. */
    {"snapshot", false, OS_BOOT_SNAPSHOT_VOLUME, plan_snapshot},
    {"snapshot", true, OS_BOOT_SNAPSHOT_VOLUME, plan_snapshot},
};

static pb_ResultCode plan_boot(struct adapter *a, struct op *op, struct os_plan *p)
{
    const char *type = p->spec->source_type[0] == '\0' ? "image" : p->spec->source_type;
    bool created = p->spec->volume_created_choice_case == pb_VmSpec_HAS_VOLUME_CREATED &&
                   p->spec->volume_created;
    p->volume_type = spec_parameter(p->spec, "volume_type");
    for (size_t i = 0; i < ARRAY_LEN(map_boot); i++) {
        if (strcmp(type, map_boot[i].source_type) != 0 || created != map_boot[i].volume_created)
            continue;
        p->boot = map_boot[i].boot;
        return map_boot[i].plan(a, op, p);
    }
    return bad(op, "spec.source_type", "it must be image, volume or snapshot");
}

/* ---- The rest ---- */

static pb_ResultCode plan_keypair(struct adapter *a, struct op *op, struct os_plan *p)
{
    struct os_keypair keypair = {0};
    struct shape_list list = {0};
    pb_ResultCode code;
    if (p->spec->keypair[0] != '\0') {
        code = os_find(a, op, &os_keypair_kind, "spec.keypair", p->spec->keypair, NULL, &keypair);
        p->keypair = keypair.thing.name;
        return code;
    }
    code = os_list(a, op, &os_keypair_kind, NULL, &list);
    if (code != RESULT_CODE_OK)
        return code;
    if (list.n == 0) {
        op_warn(op, "the cloud has no key pair: nobody can log in to the machine with a key");
        return code;
    }
    const struct os_keypair *keypairs = list.items;
    struct pick_item *items = pick_items_of(op->arena, &list, sizeof(*keypairs));
    size_t index = 0;
    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    code = pick_only(op, "key pair", "spec.keypair", items, list.n, &index);
    if (code == RESULT_CODE_OK)
        p->keypair = keypairs[index].thing.name;
    return code;
}

static const struct shape_field group_fields[] = {
    SHAPE_FIELD(struct os_thing, id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct os_thing, name, "name", SHAPE_STRING),
};
static const struct shape group_shape = {sizeof(struct os_thing), group_fields,
                                         ARRAY_LEN(group_fields), 0};
OS_PAGE(server_groups_page_shape, "server_groups", "server_groups_links", group_shape);
OS_ONE(server_group_one_shape, "server_group", struct os_thing, group_shape);

static const struct os_kind server_group_kind = {
    .noun = "server group",
    .service = OS_COMPUTE,
    .path = "/os-server-groups",
    .item = &group_shape,
    .page = &server_groups_page_shape,
    .one = &server_group_one_shape,
};

static pb_ResultCode plan_place(struct adapter *a, struct op *op, struct os_plan *p)
{
    const char *group = spec_parameter(p->spec, "server_group");
    pb_ResultCode code = RESULT_CODE_OK;
    if (group != NULL) {
        struct os_thing found = {0};
        code =
            os_find(a, op, &server_group_kind, "spec.parameters.server_group", group, NULL, &found);
        p->server_group = found.id;
    }
    if (code == RESULT_CODE_OK && p->spec->zone[0] != '\0') {
        /* An administrator may write ZONE:HOST. */
        struct os_zone zone = {0};
        size_t len = strcspn(p->spec->zone, ":");
        code = os_find(a, op, &os_zone_kind, "spec.zone",
                       arena_strndup(op->arena, p->spec->zone, len), NULL, &zone);
    }
    return code;
}

static pb_ResultCode plan_user_data(struct op *op, struct os_plan *p)
{
    const ProtobufCBinaryData *data = &p->spec->user_data;
    if (data->len == 0)
        return RESULT_CODE_OK;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, USER_DATA_MAX);
    if (!base64_add(&text, data->data, data->len))
        return bad(op, "spec.user_data", "it must not exceed 49,151 bytes");
    p->user_data = arena_strndup(op->arena, text.data, text.len);
    return RESULT_CODE_OK;
}

static pb_ResultCode plan_volumes(struct op *op, struct os_plan *p)
{
    p->n_volumes = p->spec->n_volumes;
    p->volumes = arena_array(op->arena, p->n_volumes + 1, sizeof(*p->volumes));
    for (size_t i = 0; p->volumes != NULL && i < p->n_volumes; i++) {
        p->volumes[i].spec = p->spec->volumes[i];
        if (p->spec->volumes[i]->size_gib == 0)
            return bad(op, arena_printf(op->arena, "spec.volumes[%zu].size_gib", i),
                       "it must be at least 1");
    }
    return RESULT_CODE_OK;
}

/* Of all volumes that are to be made, by whomever. */
static pb_ResultCode check_quota(struct adapter *a, struct op *op, const struct os_plan *p)
{
    bool boot = p->boot != OS_BOOT_IMAGE && p->boot != OS_BOOT_VOLUME;
    int64_t volumes = boot, gib = boot ? p->boot_size : 0;
    for (size_t i = 0; i < p->n_volumes; i++) {
        volumes++;
        gib += p->volumes[i].spec->size_gib;
    }
    return os_volume_quota(a, op, volumes, gib);
}

static pb_ResultCode check_tags(struct op *op, const struct os_plan *p)
{
    for (size_t i = 0; i < p->spec->n_tags; i++) {
        if (strcmp(p->spec->tags[i]->key, OS_TOKEN_KEY) == 0)
            return bad(op, "spec.tags", "the tag \"" OS_TOKEN_KEY "\" is the gateway's own");
    }
    return RESULT_CODE_OK;
}

pb_ResultCode os_plan(struct adapter *a, struct op *op, const pb_VmSpec *spec, struct os_plan *ret)
{
    struct os_plan *p = ret;
    *p = (struct os_plan){.spec = spec, .token = op->token};
    p->mark = arena_printf(op->arena, OS_MARK_PREFIX "%s", p->token);
    pb_ResultCode code = check_tags(op, p);
    if (code == RESULT_CODE_OK)
        code = plan_user_data(op, p);
    if (code == RESULT_CODE_OK)
        code = plan_volumes(op, p);
    if (code == RESULT_CODE_OK)
        code = os_find(a, op, &os_flavor_kind, "spec.flavor_name", spec->flavor_name, NULL,
                       &p->flavor);
    if (code == RESULT_CODE_OK)
        code = plan_boot(a, op, p);
    if (code == RESULT_CODE_OK && !op->resumed)
        code = check_quota(a, op, p);
    if (code == RESULT_CODE_OK)
        code = plan_keypair(a, op, p);
    if (code == RESULT_CODE_OK)
        code = plan_place(a, op, p);
    if (code == RESULT_CODE_OK)
        code = os_plan_network(a, op, p);
    return code;
}
