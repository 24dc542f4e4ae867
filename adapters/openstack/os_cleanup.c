#include "os_cleanup.h"

#include <string.h>

#include "isobar/point.h"
#include "os_marks.h"
#include "os_states.h"
#include "os_volumes.h"

/* Whose things are looked for. */
struct owner {
    const char *token, *mark, *server_id;
    const struct os_remains *found; /* so far */
    bool in_use_only;               /* what nobody uses is left out */
    bool *ret_unused;               /* whether there was something that nobody uses */
};

/* Whether nobody uses it and that is enough. Of a thing that bears the mark alone. */
static bool is_unused(const char *user, const struct owner *o)
{
    if (user != NULL && user[0] != '\0')
        return false;
    *o->ret_unused = true;
    return !o->in_use_only;
}

/* The services drop filters that they do not know, and then list everything: so each thing is
 * looked at again. */
static bool port_is_ours(const void *thing, const struct owner *o)
{
    const struct os_port *port = thing;
    bool used_here = o->server_id != NULL && port->device_id != NULL &&
                     strcmp(port->device_id, o->server_id) == 0;
    return os_port_is_ours(port, o->mark) && (used_here || is_unused(port->device_id, o));
}

static bool fip_is_ours(const void *thing, const struct owner *o)
{
    const struct os_fip *fip = thing;
    bool used_here = false;
    for (size_t i = 0; fip->port_id != NULL && i < o->found->n_ports; i++)
        used_here = used_here || strcmp(fip->port_id, o->found->ports[i]) == 0;
    return os_fip_is_ours(fip, o->mark) && (used_here || is_unused(fip->port_id, o));
}

static bool volume_is_ours(const void *thing, const struct owner *o)
{
    return os_volume_is_ours(thing, o->token) && os_volume_is_free(thing);
}

/* The ids of those things of a list that are ours. */
static pb_ResultCode list_ours(struct adapter *a, struct op *op, const struct os_kind *kind,
                               const char *filter, const char *value, const struct owner *o,
                               bool (*is_ours)(const void *thing, const struct owner *o),
                               const char ***ret, size_t *ret_n)
{
    struct shape_list list = {0};
    pb_ResultCode code = os_list(
        a, op, kind, arena_printf(op->arena, "%s=%s", filter, url_escape(op->arena, value)), &list);
    const char **ids =
        code == RESULT_CODE_OK ? arena_array(op->arena, list.n + 1, sizeof(*ids)) : NULL;
    if (ids == NULL)
        return code == RESULT_CODE_OK ? RESULT_CODE_INTERNAL_ERROR : code;
    *ret = ids;
    for (size_t i = 0; i < list.n; i++) {
        const struct os_thing *thing =
            (const void *)((const char *)list.items + i * kind->item->size);
        if (is_ours(thing, o))
            ids[(*ret_n)++] = thing->id;
    }
    return RESULT_CODE_OK;
}

static pb_ResultCode find_remains(struct adapter *a, struct op *op, struct owner *o, bool volumes,
                                  struct os_remains *ret)
{
    *ret = (struct os_remains){0};
    o->found = ret;
    pb_ResultCode code = list_ours(a, op, &os_port_kind, "name", o->mark, o, port_is_ours,
                                   &ret->ports, &ret->n_ports);
    if (code == RESULT_CODE_OK)
        code = list_ours(a, op, &os_fip_kind, "description", o->mark, o, fip_is_ours, &ret->fips,
                         &ret->n_fips);
    if (code == RESULT_CODE_OK && volumes && os_has_service(a, op, OS_VOLUME))
        code = list_ours(a, op, &os_volume_kind, "metadata",
                         arena_printf(op->arena, "{'%s': '%s'}", OS_TOKEN_KEY, o->token), o,
                         volume_is_ours, &ret->volumes, &ret->n_volumes);
    return code;
}

/* Whether the operation made another machine, too, that is there to stay. Where that cannot be
 * seen, it is taken to be so. */
static bool has_twin(struct adapter *a, struct op *op, const struct owner *o)
{
    struct op aside = op_aside(op, 0);
    struct shape_list list = {0};
    if (os_servers_by_mark(a, &aside, o->token, &list) != RESULT_CODE_OK)
        return true;
    const struct os_server *servers = list.items;
    for (size_t i = 0; i < list.n; i++) {
        if (strcmp(servers[i].id, o->server_id) != 0 &&
            os_state(servers[i].status, servers[i].task_state) != VM_STATE_DELETING)
            return true;
    }
    return false;
}

pb_ResultCode os_remains_find(struct adapter *a, struct op *op, const char *token,
                              const char *server_id, bool volumes, struct os_remains *ret)
{
    bool unused = false;
    struct owner o = {.token = token, .server_id = server_id, .ret_unused = &unused};
    o.mark = arena_printf(op->arena, OS_MARK_PREFIX "%s", token);
    pb_ResultCode code = find_remains(a, op, &o, volumes, ret);
    if (code != RESULT_CODE_OK || server_id == NULL || !unused || !has_twin(a, op, &o))
        return code;
    o.in_use_only = true;
    return find_remains(a, op, &o, volumes, ret);
}

pb_ResultCode os_drop(struct adapter *a, struct op *op, const struct os_kind *kind, const char *id)
{
    struct op aside = op_aside(op, 0);
    struct os_request req = os_delete(op->arena, kind->service, kind->path, id);
    struct http_response rsp;
    point("clean-up");
    pb_ResultCode code = os_send(a, &aside, &req, &rsp);
    return code == RESULT_CODE_NOT_FOUND ? RESULT_CODE_OK : op_tell(op, &aside, code);
}

static bool delete_all(struct adapter *a, struct op *op, const struct os_kind *kind,
                       const char *const *ids, size_t n)
{
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        struct op aside = op_aside(op, 0);
        if (os_drop(a, &aside, kind, ids[i]) == RESULT_CODE_OK)
            continue;
        op_warn(op, "%s %s, which was made for the machine, could not be deleted: %s", kind->noun,
                ids[i], aside.result->detail);
        all = false;
    }
    return all;
}

bool os_remains_delete(struct adapter *a, struct op *op, const struct os_remains *r)
{
    bool fips = delete_all(a, op, &os_fip_kind, r->fips, r->n_fips);
    bool ports = delete_all(a, op, &os_port_kind, r->ports, r->n_ports);
    bool volumes = delete_all(a, op, &os_volume_kind, r->volumes, r->n_volumes);
    return fips && ports && volumes;
}
