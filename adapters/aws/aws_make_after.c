/* A machine is there: what EC2 does not take with the order. */
#include <string.h>

#include "aws_await.h"
#include "aws_making.h"

/* The interface that was made first goes with the machine from now on. delete_vm sees to that,
 * too. */
static void bind(struct aws_making *m)
{
    const struct aws_nic *nics = m->instance.nics.items;
    struct op aside = op_aside(m->op, 0);
    struct aws_query q;

    for (size_t i = 0; m->eni_id != NULL && i < m->instance.nics.n; i++) {
        if (nics[i].id == NULL || strcmp(nics[i].id, m->eni_id) != 0 ||
            nics[i].attachment.id == NULL || aws_is_true(nics[i].attachment.delete_on_termination))
            continue;
        aws_build_eni_bind(&q, m->op->arena, m->eni_id, nics[i].attachment.id);
        (void)!aws_order_fresh(m->a, &aside, &q, NULL, NULL);
    }
}

/* ---- Names of volumes ---- */

static const char *volume_on(const struct aws_instance *i, const char *device)
{
    const struct aws_mapping *m = i->mappings.items;

    for (size_t k = 0; k < i->mappings.n; k++)
        if (m[k].device != NULL && strcmp(m[k].device, device) == 0)
            return m[k].ebs.volume_id;
    return NULL;
}

static bool has_name(const struct aws_plan_volume *v)
{
    return v->spec->name[0] != '\0';
}

/* How many of those with a name are not to be seen yet. */
static size_t missing(const struct aws_making *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->plan.n_volumes; i++)
        n += has_name(&m->plan.volumes[i]) &&
             volume_on(&m->instance, m->plan.volumes[i].device) == NULL;
    return n;
}

static void look_again(struct aws_making *m)
{
    struct op aside = op_aside(m->op, 0);
    struct aws_instance now = {0};

    if (aws_instance_find(m->a, &aside, m->instance.thing.id, &now) == RESULT_CODE_OK)
        m->instance = now;
}

static void name_volume(struct aws_making *m, const struct aws_plan_volume *v)
{
    const char *id = volume_on(&m->instance, v->device);
    struct op aside = op_aside(m->op, 0);
    struct aws_query q;

    aws_query_begin(&q, m->op->arena, AWS_EC2, "CreateTags", SEND_IDEMPOTENT);
    aws_put(&q, id, "ResourceId.1");
    aws_put(&q, "Name", "Tag.1.Key");
    aws_put(&q, v->spec->name, "Tag.1.Value");
    if (id == NULL)
        op_warn(m->op,
                "EC2 does not show the volume %s yet: it has the machine's name instead of %s",
                v->device, v->spec->name);
    else if (aws_order(m->a, &aside, &q) != RESULT_CODE_OK)
        op_warn(m->op, "volume %s could not be named %s: %s", id, v->spec->name,
                aside.result->detail);
}

void aws_make_after(struct aws_making *m)
{
    bind(m);
    for (size_t i = 0; missing(m) > 0 && i < AWS_LOOKS; i++) {
        if (aws_look_after_ms[i] > 0 && !op_sleep_ms(m->op, aws_look_after_ms[i]))
            break;
        look_again(m);
    }
    for (size_t i = 0; i < m->plan.n_volumes; i++)
        if (has_name(&m->plan.volumes[i]))
            name_volume(m, &m->plan.volumes[i]);
}
