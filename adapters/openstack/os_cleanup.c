#include "os_cleanup.h"

#include "os_volumes.h"

/* The ids of those things of a list that are ours. */
static pb_ResultCode list_ours(struct adapter *a, struct op *op, const struct os_kind *kind,
                               const char *query, const char *mark,
                               bool (*is_ours)(const void *thing, const char *mark),
                               const char ***ret, size_t *ret_n)
{
    struct shape_list list = {0};
    pb_ResultCode code = os_list(a, op, kind, query, &list);
    if (code != RESULT_CODE_OK)
        return code;
    const char **ids = arena_array(op->arena, *ret_n + list.n + 1, sizeof(*ids));
    if (ids == NULL)
        return RESULT_CODE_INTERNAL_ERROR;
    for (size_t i = 0; i < *ret_n; i++)
        ids[i] = (*ret)[i];
    for (size_t i = 0; i < list.n; i++) {
        const struct os_thing *thing =
            (const void *)((const char *)list.items + i * kind->item->size);
        if (is_ours(thing, mark))
            ids[(*ret_n)++] = thing->id;
    }
    *ret = ids;
    return RESULT_CODE_OK;
}

/* The services drop filters that they do not know, and then list everything: so each is looked at
 * again. */
static bool port_is_ours(const void *thing, const char *mark)
{
    return os_port_is_ours(thing, mark);
}

static bool fip_is_ours(const void *thing, const char *mark)
{
    return os_fip_is_ours(thing, mark);
}

static bool volume_is_ours(const void *thing, const char *token)
{
    return os_volume_is_ours(thing, token);
}

static const char *query(struct arena *a, const char *name, const char *value)
{
    return arena_printf(a, "%s=%s", name, url_escape(a, value));
}

pb_ResultCode os_remains_of_mark(struct adapter *a, struct op *op, const char *token,
                                 const char *mark, bool volumes, struct os_remains *ret)
{
    *ret = (struct os_remains){0};
    pb_ResultCode code = list_ours(a, op, &os_fip_kind, query(op->arena, "description", mark), mark,
                                   fip_is_ours, &ret->fips, &ret->n_fips);
    if (code == RESULT_CODE_OK)
        code = list_ours(a, op, &os_port_kind, query(op->arena, "name", mark), mark, port_is_ours,
                         &ret->ports, &ret->n_ports);
    if (code == RESULT_CODE_OK && volumes) {
        const char *metadata = arena_printf(op->arena, "{'%s': '%s'}", OS_TOKEN_KEY, token);
        code = list_ours(a, op, &os_volume_kind, query(op->arena, "metadata", metadata), token,
                         volume_is_ours, &ret->volumes, &ret->n_volumes);
    }
    return code;
}

pb_ResultCode os_remains_of_server(struct adapter *a, struct op *op, const char *server_id,
                                   const char *mark, struct os_remains *ret)
{
    *ret = (struct os_remains){0};
    pb_ResultCode code = list_ours(a, op, &os_port_kind, query(op->arena, "device_id", server_id),
                                   mark, port_is_ours, &ret->ports, &ret->n_ports);
    for (size_t i = 0; code == RESULT_CODE_OK && i < ret->n_ports; i++)
        code = list_ours(a, op, &os_fip_kind, query(op->arena, "port_id", ret->ports[i]), mark,
                         fip_is_ours, &ret->fips, &ret->n_fips);
    return code;
}

static bool delete_all(struct adapter *a, struct op *op, const struct os_kind *kind,
                       const char *const *ids, size_t n)
{
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        struct op aside = os_aside(op, 0);
        struct os_request req = os_delete(op->arena, kind->service, kind->path, ids[i]);
        struct http_response rsp;
        pb_ResultCode code = os_send(a, &aside, &req, &rsp);
        if (code == RESULT_CODE_OK || code == RESULT_CODE_NOT_FOUND)
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
