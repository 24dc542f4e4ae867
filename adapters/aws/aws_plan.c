#include "aws_plan.h"

#include <stdio.h>
#include <string.h>

#include "kit/spec.h"

/* The devices that EC2 recommends for more volumes: /dev/sdf to /dev/sdp. */
#define DEVICE_FIRST 'f'
#define DEVICE_LAST  'p'

static pb_ResultCode bad(struct op *op, const char *field, const char *why)
{
    op_violation(op, field, "%s", why);
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s: %s", field, why);
}

static const char *text(const char *t)
{
    return t != NULL ? t : "";
}

/* ---- Image and type ---- */

static pb_ResultCode check_fit(struct op *op, const struct aws_plan *p)
{
    const struct aws_image *image = &p->image;
    const struct shape_strings *has = &p->type.architectures;

    if (image->state != NULL && strcmp(image->state, "available") != 0)
        return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                       "image %s (%s) is %s, and must be available to start from it",
                       text(image->thing.name), image->thing.id, image->state);
    if (aws_image_runs_on(image, has))
        return RESULT_CODE_OK;
    return bad(op, "spec.flavor_name",
               arena_printf(op->arena,
                            "image %s (%s) is for %s, and instance type %s runs %s; take another "
                            "image or type",
                            text(image->thing.name), image->thing.id, image->architecture,
                            text(p->type.thing.name), field_join(op->arena, has)));
}

static pb_ResultCode plan_source(struct adapter *a, struct op *op, struct aws_plan *p)
{
    pb_ResultCode code = aws_find(a, op, &aws_type_kind, "spec.flavor_name", p->spec->flavor_name,
                                  NULL, 0, &p->type);

    if (code == RESULT_CODE_OK)
        code = aws_image_find(a, op, "spec.image_id", p->spec->image_id, &p->type.architectures,
                              &p->image);
    if (code == RESULT_CODE_OK)
        code = check_fit(op, p);
    for (size_t i = 0; code == RESULT_CODE_OK && aws_root_parameters[i][0] != NULL; i++)
        if (spec_parameter(p->spec, aws_root_parameters[i][0]) != NULL &&
            text(p->image.root_device)[0] == '\0')
            code = bad(op, arena_printf(op->arena, "spec.parameters.%s", aws_root_parameters[i][0]),
                       "the image has no root volume");
    return code;
}

/* ---- Volumes ---- */

static bool is_taken(const struct aws_image *image, const char *device)
{
    const struct aws_image_mapping *m = image->mappings.items;

    for (size_t i = 0; i < image->mappings.n; i++)
        if (strcmp(text(m[i].device), device) == 0)
            return true;
    return strcmp(text(image->root_device), device) == 0;
}

static pb_ResultCode plan_volumes(struct op *op, struct aws_plan *p)
{
    char letter = DEVICE_FIRST;

    p->volumes = arena_array(op->arena, p->spec->n_volumes + 1, sizeof(*p->volumes));
    while (p->volumes != NULL && p->n_volumes < p->spec->n_volumes) {
        if (letter > DEVICE_LAST)
            return bad(op, "spec.volumes", "are more than EC2 has devices for: at most 11");
        const char *device = arena_printf(op->arena, "/dev/sd%c", letter++);
        if (is_taken(&p->image, device))
            continue;
        p->volumes[p->n_volumes] = (struct aws_plan_volume){p->spec->volumes[p->n_volumes], device};
        p->n_volumes++;
    }
    return p->volumes != NULL ? RESULT_CODE_OK : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

/* ---- The rest ---- */

static pb_ResultCode plan_keypair(struct adapter *a, struct op *op, struct aws_plan *p)
{
    struct aws_key key = {0};
    struct shape_list list = {0};
    size_t index = 0;
    pb_ResultCode code;

    if (p->spec->keypair[0] != '\0') {
        code = aws_find(a, op, &aws_key_kind, "spec.keypair", p->spec->keypair, NULL, 0, &key);
        p->keypair = key.thing.name;
        return code;
    }
    if (spec_parameter(p->spec, "launch_template") != NULL)
        return RESULT_CODE_OK; /* it may have one */
    code = aws_list(a, op, &aws_key_kind, NULL, 0, &list);
    if (code != RESULT_CODE_OK)
        return code;
    if (list.n == 0) {
        op_warn(op, "the account has no key pair here: nobody can log in to the machine with a "
                    "key");
        return code;
    }
    const struct aws_key *keys = list.items;
    struct pick_item *items = pick_items_of(op->arena, &list, sizeof(*keys));
    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    code = pick_only(op, "key pair", "spec.keypair", items, list.n, &index);
    if (code == RESULT_CODE_OK)
        p->keypair = keys[index].thing.name;
    return code;
}

pb_ResultCode aws_plan(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                       struct aws_plan *ret)
{
    struct aws_plan *p = ret;

    *p = (struct aws_plan){.spec = spec, .token = op->token, .public_ip = aws_public_ip(spec)};
    pb_ResultCode code = aws_check_spec(op, spec);
    if (code == RESULT_CODE_OK)
        code = spec_user_data(op, spec, &p->user_data);
    if (code == RESULT_CODE_OK)
        code = plan_source(a, op, p);
    if (code == RESULT_CODE_OK)
        code = plan_volumes(op, p);
    if (code == RESULT_CODE_OK)
        code = plan_keypair(a, op, p);
    if (code == RESULT_CODE_OK)
        code = aws_plan_network(a, op, p);
    return code;
}
