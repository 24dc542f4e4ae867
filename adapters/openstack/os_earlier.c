#include "os_earlier.h"

#include <string.h>

#include "os_cleanup.h"
#include "os_marks.h"

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool is_older(const char *created, const char *id, const char *than, const char *than_id)
{
    int order = strcmp(created == NULL ? "" : created, than == NULL ? "" : than);
    return order != 0 ? order < 0 : strcmp(id, than_id) < 0;
}

static pb_ResultCode taken(struct op *op, const char *noun, const char *id, const char *why)
{
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
    return op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                   "%s %s was made for the machine, and %s: look for one with this mark before "
                   "trying again",
                   noun, id, why);
}

/* Whether a machine of this operation has the port. One that another machine has, or a thing that
 * Nova does not know, is nobody's business here: RESULT_CODE_NOT_FOUND. */
static pb_ResultCode port_user(struct adapter *a, struct op *op, const struct os_plan *p,
                               const struct os_port *port)
{
    struct op aside = op_aside(op, 0);
    struct os_server user = {0};
    pb_ResultCode code = os_server_get(a, &aside, port->device_id, &user);
    if (code == RESULT_CODE_NOT_FOUND ||
        (code == RESULT_CODE_OK && !os_server_is_ours(&user, p->token, p->mark)))
        return RESULT_CODE_NOT_FOUND;
    return taken(op, os_port_kind.noun, port->thing.id,
                 code == RESULT_CODE_OK ? "an order has it" : "it cannot be seen who has it");
}

pb_ResultCode os_earlier_port(struct adapter *a, struct op *op, const struct os_plan *p,
                              const char **ret_id)
{
    struct shape_list list = {0};
    pb_ResultCode code =
        os_list(a, op, &os_port_kind,
                arena_printf(op->arena, "name=%s", url_escape(op->arena, p->mark)), &list);
    const struct os_port *ports = list.items, *best = NULL;
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++) {
        if (!os_port_is_ours(&ports[i], p->mark))
            continue;
        if (is_set(ports[i].device_id)) {
            code = port_user(a, op, p, &ports[i]);
            if (code == RESULT_CODE_NOT_FOUND)
                code = RESULT_CODE_OK;
        } else if (best == NULL ||
                   is_older(ports[i].created, ports[i].thing.id, best->created, best->thing.id)) {
            best = &ports[i];
        }
    }
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++) {
        if (&ports[i] == best || !os_port_is_ours(&ports[i], p->mark) || is_set(ports[i].device_id))
            continue;
        struct op aside = op_aside(op, 0);
        if (os_drop(a, &aside, &os_port_kind, ports[i].thing.id) != RESULT_CODE_OK)
            code = taken(op, os_port_kind.noun, ports[i].thing.id, "it could not be deleted");
    }
    if (code == RESULT_CODE_OK && best != NULL)
        *ret_id = best->thing.id;
    return code;
}

pb_ResultCode os_earlier_fip(struct adapter *a, struct op *op, const struct os_plan *p,
                             const char *port_id, struct os_fip *ret)
{
    struct shape_list list = {0};
    pb_ResultCode code =
        os_list(a, op, &os_fip_kind,
                arena_printf(op->arena, "description=%s", url_escape(op->arena, p->mark)), &list);
    const struct os_fip *fips = list.items, *best = NULL;
    bool on_port = false;
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++) {
        bool here = is_set(fips[i].port_id) && strcmp(fips[i].port_id, port_id) == 0;
        if (!os_fip_is_ours(&fips[i], p->mark) || (is_set(fips[i].port_id) && !here) || on_port)
            continue;
        if (here || best == NULL ||
            is_older(fips[i].created, fips[i].thing.id, best->created, best->thing.id))
            best = &fips[i];
        on_port = here;
    }
    for (size_t i = 0; best != NULL && i < list.n; i++) {
        struct op aside = op_aside(op, 0);
        if (&fips[i] != best && os_fip_is_ours(&fips[i], p->mark) && !is_set(fips[i].port_id) &&
            os_drop(a, &aside, &os_fip_kind, fips[i].thing.id) != RESULT_CODE_OK)
            op_warn(op, "floating IP %s is not needed, and could not be deleted: %s",
                    fips[i].thing.id, aside.result->detail);
    }
    if (best != NULL)
        *ret = *best;
    return code;
}

/* ---- Volumes ---- */

static pb_ResultCode list_volumes(struct adapter *a, struct op *op, const struct os_plan *p,
                                  struct shape_list *ret)
{
    const char *filter = arena_printf(op->arena, "{'%s': '%s'}", OS_TOKEN_KEY, p->token);
    return os_list(a, op, &os_volume_kind,
                   arena_printf(op->arena, "metadata=%s", url_escape(op->arena, filter)), ret);
}

static bool is_planned(const struct os_plan *p, const char *id)
{
    bool planned = p->source_id != NULL && strcmp(p->source_id, id) == 0;
    for (size_t i = 0; !planned && i < p->n_volumes; i++)
        planned = p->volumes[i].id != NULL && strcmp(p->volumes[i].id, id) == 0;
    return planned;
}

pb_ResultCode os_earlier_volume(struct adapter *a, struct op *op, const struct os_plan *p,
                                const struct os_new_volume *v, struct os_volume *ret)
{
    struct shape_list list = {0};
    pb_ResultCode code = list_volumes(a, op, p, &list);
    const struct os_volume *volumes = list.items, *best = NULL;
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++) {
        const struct os_volume *it = &volumes[i];
        const char *status = it->status == NULL ? "" : it->status;
        if (!os_volume_is_ours(it, p->token) || is_planned(p, it->thing.id) ||
            it->thing.name == NULL || strcmp(it->thing.name, v->name) != 0 || it->size != v->size)
            continue;
        if (!os_volume_is_free(it))
            return taken(op, os_volume_kind.noun, it->thing.id,
                         arena_printf(op->arena, "it is %s", status));
        bool usable = strcmp(status, "available") == 0 || strcmp(status, "creating") == 0 ||
                      strcmp(status, "downloading") == 0;
        if (usable &&
            (best == NULL || is_older(it->created, it->thing.id, best->created, best->thing.id)))
            best = it;
    }
    if (best != NULL)
        *ret = *best;
    return code;
}

void os_earlier_tidy(struct adapter *a, struct op *op, const struct os_plan *p)
{
    struct op aside = op_aside(op, 0);
    struct shape_list list = {0};
    pb_ResultCode code = list_volumes(a, &aside, p, &list);
    const struct os_volume *volumes = list.items;
    if (code != RESULT_CODE_OK)
        op_warn(op, "it is not known whether volumes with the mark %s are left over: %s", p->mark,
                aside.result->detail);
    for (size_t i = 0; code == RESULT_CODE_OK && i < list.n; i++) {
        const struct os_volume *it = &volumes[i];
        if (os_volume_is_ours(it, p->token) && os_volume_is_free(it) &&
            !is_planned(p, it->thing.id) &&
            os_drop(a, &aside, &os_volume_kind, it->thing.id) != RESULT_CODE_OK)
            op_warn(op, "volume %s is not needed, and could not be deleted: %s", it->thing.id,
                    aside.result->detail);
    }
}
