/* A specification against the content: names to rows, and all that can be checked without looking
 * at other machines.
 */
#include "sandbox.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN   255
#define USER_DATA_MAX  65536
#define TAGS_MAX       50
#define TAG_MAX_LEN    255
#define VOLUMES_MAX    20
#define VOLUME_GIB_MAX 16384
#define GROUPS_MAX     10
#define BOOT_MS_MAX    3600000

static pb_ResultCode wrong(struct op *op, const char *field, const char *why)
{
    op_violation(op, field, "%s", why);
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s %s", field, why);
}

static pb_ResultCode out_of_memory(struct op *op)
{
    return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "out of memory");
}

/* ---- what it is made of ---- */

/* A row that need not be named. */
static pb_ResultCode pick_optional(struct op *op, const struct sandbox_noun *noun,
                                   const char *field, const char *wanted, const void **ret)
{
    *ret = NULL;
    return *wanted ? sandbox_pick(op, noun, field, wanted, ret) : RESULT_CODE_OK;
}

static pb_ResultCode order_base(struct op *op, const pb_VmSpec *spec, struct sandbox_parts *p)
{
    const void *flavor, *image, *key;

    if (!*spec->name || strlen(spec->name) > NAME_MAX_LEN)
        return wrong(op, "spec.name", "must have 1 to 255 bytes");
    pb_ResultCode code =
        sandbox_pick(op, &sandbox_flavor_noun, "spec.flavor_name", spec->flavor_name, &flavor);
    if (code == RESULT_CODE_OK)
        code = sandbox_pick(op, &sandbox_image_noun, "spec.image_id", spec->image_id, &image);
    if (code == RESULT_CODE_OK)
        code = pick_optional(op, &sandbox_keypair_noun, "spec.keypair", spec->keypair, &key);
    if (code != RESULT_CODE_OK)
        return code;
    p->flavor = flavor;
    p->image = image;
    p->key = key;
    p->volume_boot =
        spec->volume_created_choice_case == pb_VmSpec_HAS_VOLUME_CREATED && spec->volume_created;
    if (p->flavor->memory_mib < p->image->min_memory_mib)
        return wrong(op, "spec.flavor_name", "has less memory than the image needs");
    if (!p->volume_boot && p->flavor->disk_gib < p->image->min_disk_gib)
        return wrong(op, "spec.flavor_name",
                     "has a smaller disk than the image needs; take a larger one, or set "
                     "spec.volume_created");
    return RESULT_CODE_OK;
}

/* ---- where it is ---- */

/* The first of two zones takes the machines whose turn is even. */
static pb_ResultCode order_place(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                                 struct sandbox_parts *p)
{
    const void *region, *zone;
    pb_ResultCode code =
        pick_optional(op, &sandbox_region_noun, "spec.region", spec->region, &region);

    if (code == RESULT_CODE_OK)
        code = pick_optional(op, &sandbox_zone_noun, "spec.zone", spec->zone, &zone);
    if (code != RESULT_CODE_OK)
        return code;
    unsigned turn = atomic_fetch_add_explicit(&a->turn, 1, memory_order_relaxed);
    const struct sandbox_place *zones = sandbox_zone_noun.rows;
    p->region = region ? region : sandbox_region_noun.rows;
    p->zone = zone ? zone : &zones[turn % sandbox_zone_noun.n];
    return RESULT_CODE_OK;
}

/* Nothing was said: the only network that is not external. */
static pb_ResultCode only_network(struct op *op, const struct sandbox_network **ret)
{
    const struct sandbox_network *all = sandbox_network_noun.rows;
    struct pick_item *items = arena_array(op->arena, sandbox_network_noun.n, sizeof(*items));
    const struct sandbox_network **at = arena_array(op->arena, sandbox_network_noun.n, sizeof(*at));
    size_t n = 0, index;

    if (!items || !at)
        return out_of_memory(op);
    for (size_t i = 0; i < sandbox_network_noun.n; i++) {
        if (all[i].external)
            continue;
        at[n] = &all[i];
        items[n++] = all[i].ref;
    }
    pb_ResultCode code = pick_only(op, "network", "spec.network_id", items, n, &index);
    if (code == RESULT_CODE_OK)
        *ret = at[index];
    return code;
}

static pb_ResultCode order_subnet(struct op *op, const pb_VmSpec *spec, struct sandbox_parts *p)
{
    const void *row;
    pb_ResultCode code =
        pick_optional(op, &sandbox_network_noun, "spec.network_id", spec->network_id, &row);
    const struct sandbox_network *network = code == RESULT_CODE_OK ? row : NULL;

    if (code == RESULT_CODE_OK)
        code = pick_optional(op, &sandbox_subnet_noun, "spec.subnet_name", spec->subnet_name, &row);
    if (code != RESULT_CODE_OK)
        return code;
    p->subnet = row;
    if (p->subnet && network && p->subnet->network != network)
        return wrong(op, "spec.subnet_name", "is no subnet of spec.network_id");
    if (p->subnet)
        return RESULT_CODE_OK;
    if (!network)
        code = only_network(op, &network);
    for (size_t i = 0; code == RESULT_CODE_OK && i < SANDBOX_SUBNETS; i++)
        if (sandbox_subnets[i].network == network)
            p->subnet = &sandbox_subnets[i];
    return code;
}

static pb_ResultCode order_public(struct op *op, const pb_VmSpec *spec, struct sandbox_parts *p)
{
    const struct sandbox_subnet *s = SANDBOX_PUBLIC;
    struct in_addr ip;

    p->wants_public = *spec->public_ip_type && strcmp(spec->public_ip_type, "none") != 0;
    if (!*spec->public_ip)
        return RESULT_CODE_OK;
    if (*spec->public_ip_type && strcmp(spec->public_ip_type, "static") != 0)
        return wrong(op, "spec.public_ip_type", "must be static where spec.public_ip is given");
    if (inet_pton(AF_INET, spec->public_ip, &ip) != 1)
        return wrong(op, "spec.public_ip", "is no IPv4 address");
    p->wants_public = true;
    p->public_ip = ntohl(ip.s_addr);
    if (p->public_ip <= s->base + 1 || p->public_ip >= s->base + s->size - 1)
        return wrong(op, "spec.public_ip", "is not in the public subnet, 198.18.0.0/15");
    return RESULT_CODE_OK;
}

/* ---- lists ---- */

static pb_ResultCode add_group(struct op *op, const char *field, const char *wanted,
                               struct sandbox_parts *p)
{
    const void *row;
    pb_ResultCode code = sandbox_pick(op, &sandbox_security_group_noun, field, wanted, &row);

    for (size_t i = 0; code == RESULT_CODE_OK && i < p->n_groups; i++)
        if (p->groups[i] == row)
            return code;
    if (code == RESULT_CODE_OK)
        p->groups[p->n_groups++] = row;
    return code;
}

static pb_ResultCode order_groups(struct op *op, const pb_VmSpec *spec, struct sandbox_parts *p)
{
    const char *first = *spec->security_group_name ? spec->security_group_name : "default";

    if (spec->n_extra_security_groups > GROUPS_MAX)
        return wrong(op, "spec.extra_security_groups", "may be at most 10");
    p->groups = calloc(spec->n_extra_security_groups + 1, sizeof(struct sandbox_group *));
    if (!p->groups)
        return out_of_memory(op);
    pb_ResultCode code = add_group(op, "spec.security_group_name", first, p);
    for (size_t i = 0; code == RESULT_CODE_OK && i < spec->n_extra_security_groups; i++)
        code = add_group(op, "spec.extra_security_groups", spec->extra_security_groups[i], p);
    return code;
}

static pb_ResultCode order_tags(struct op *op, const pb_VmSpec *spec, struct sandbox_parts *p)
{
    if (spec->n_tags > TAGS_MAX)
        return wrong(op, "spec.tags", "may be at most 50");
    p->tags = calloc(spec->n_tags + 1, sizeof(*p->tags));
    for (size_t i = 0; p->tags && i < spec->n_tags; i++) {
        const pb_VmSpec_TagsEntry *from = spec->tags[i];
        if (!*from->key || strlen(from->key) > TAG_MAX_LEN || strlen(from->value) > TAG_MAX_LEN)
            return wrong(op, "spec.tags",
                         "must have keys of 1 to 255 bytes, and values of 0 to 255");
        struct sandbox_tag *to = &p->tags[p->n_tags++];
        to->key = strdup(from->key);
        to->value = strdup(from->value);
        if (!to->key || !to->value)
            return out_of_memory(op);
    }
    return p->tags ? RESULT_CODE_OK : out_of_memory(op);
}

static pb_ResultCode order_volumes(struct op *op, const pb_VmSpec *spec, struct sandbox_parts *p)
{
    if (spec->n_volumes > VOLUMES_MAX)
        return wrong(op, "spec.volumes", "may be at most 20");
    p->volumes = calloc(spec->n_volumes + 1, sizeof(*p->volumes));
    if (!p->volumes)
        return out_of_memory(op);
    if (p->volume_boot)
        uuid7(p->volumes[p->n_volumes++].id);
    for (size_t i = 0; i < spec->n_volumes; i++) {
        const pb_VolumeSpec *from = spec->volumes[i];
        if (from->size_gib < 1 || from->size_gib > VOLUME_GIB_MAX)
            return wrong(op, "spec.volumes", "must have a size_gib from 1 to 16384");
        p->volumes[p->n_volumes].keep = from->keep;
        uuid7(p->volumes[p->n_volumes++].id);
    }
    return RESULT_CODE_OK;
}

/* ---- parameters ---- */

static const char *parameter(const pb_VmSpec *spec, const char *name)
{
    for (size_t i = 0; i < spec->n_parameters; i++)
        if (strcmp(spec->parameters[i]->key, name) == 0)
            return spec->parameters[i]->value;
    return NULL;
}

static pb_ResultCode order_parameters(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                                      struct sandbox_parts *p)
{
    const char *boot = parameter(spec, "boot_ms"), *fail = parameter(spec, "fail_boot");

    p->boot_ms = a->set.boot_ms;
    if (boot && (!*boot || strlen(boot) > 7 || boot[strspn(boot, "0123456789")] ||
                 atoi(boot) > BOOT_MS_MAX))
        return wrong(op, "spec.parameters.boot_ms", "must be from 0 to 3600000");
    if (boot)
        p->boot_ms = atoi(boot);
    p->fail_boot = fail && strcmp(fail, "true") == 0;
    p->user_data_len = spec->user_data.len;
    if (p->user_data_len > USER_DATA_MAX)
        return wrong(op, "spec.user_data", "may have at most 64 KiB");
    return RESULT_CODE_OK;
}

pb_ResultCode sandbox_order(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                            struct sandbox_parts *ret)
{
    pb_ResultCode code = order_base(op, spec, ret);

    if (code == RESULT_CODE_OK)
        code = order_place(a, op, spec, ret);
    if (code == RESULT_CODE_OK)
        code = order_subnet(op, spec, ret);
    if (code == RESULT_CODE_OK)
        code = order_public(op, spec, ret);
    if (code == RESULT_CODE_OK)
        code = order_groups(op, spec, ret);
    if (code == RESULT_CODE_OK)
        code = order_tags(op, spec, ret);
    if (code == RESULT_CODE_OK)
        code = order_volumes(op, spec, ret);
    if (code == RESULT_CODE_OK)
        code = order_parameters(a, op, spec, ret);
    return code;
}
