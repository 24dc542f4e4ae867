/* What bears the mark of a gateway, beside what its machines use. */
#include <string.h>

#include "os_cleanup.h"
#include "os_marks.h"
#include "os_states.h"
#include "os_volumes.h"

/* What is looked for, and what is there of it. */
struct search {
    struct adapter *a;
    struct op *op;
    const char *token;         /* of one operation; NULL: of all */
    struct shape_list servers; /* struct os_server, that bear a mark */
    struct shape_list ports, fips, volumes;
    size_t n;
    pb_Leftover **found; /* room for all */
};

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* The token behind our prefix, or NULL. */
static const char *token_of(const char *mark)
{
    size_t len = strlen(OS_MARK_PREFIX);
    if (mark == NULL || strncmp(mark, OS_MARK_PREFIX, len) != 0 || mark[len] == '\0')
        return NULL;
    return mark + len;
}

/* ---- Looking ---- */

static pb_ResultCode find_servers(struct search *s)
{
    if (s->token != NULL)
        return os_servers_by_mark(s->a, s->op, s->token, &s->servers);
    pb_ResultCode code = os_list(s->a, s->op, &os_server_kind, NULL, &s->servers);
    struct os_server *servers = s->servers.items;
    size_t n = 0;
    for (size_t i = 0; code == RESULT_CODE_OK && i < s->servers.n; i++) {
        bool gone = os_state(servers[i].status, servers[i].task_state) == VM_STATE_DELETED;
        if (servers[i].id != NULL && !gone && os_server_token(&servers[i]) != NULL)
            servers[n++] = servers[i];
    }
    s->servers.n = n;
    return code;
}

static pb_ResultCode find(struct search *s, const struct os_kind *kind, const char *filter,
                          const char *value, struct shape_list *ret)
{
    const char *query = NULL;
    if (value != NULL)
        query = arena_printf(s->op->arena, "%s=%s", filter, url_escape(s->op->arena, value));
    return os_list(s->a, s->op, kind, query, ret);
}

static pb_ResultCode find_all(struct search *s)
{
    struct arena *a = s->op->arena;
    const char *mark = s->token == NULL ? NULL : arena_printf(a, OS_MARK_PREFIX "%s", s->token);
    const char *metadata =
        s->token == NULL ? NULL : arena_printf(a, "{'%s': '%s'}", OS_TOKEN_KEY, s->token);
    /* Machines last: what is made for one while this goes on is seen to be in use. */
    pb_ResultCode code = find(s, &os_port_kind, mark == NULL ? "description" : "name",
                              mark == NULL ? OS_DESCRIPTION : mark, &s->ports);
    if (code == RESULT_CODE_OK)
        code = find(s, &os_fip_kind, "description", mark, &s->fips);
    if (code == RESULT_CODE_OK && os_has_service(s->a, s->op, OS_VOLUME))
        code = find(s, &os_volume_kind, "metadata", metadata, &s->volumes);
    if (code == RESULT_CODE_OK)
        code = find_servers(s);
    size_t room = s->servers.n + s->ports.n + s->fips.n + s->volumes.n + 1;
    s->found = code == RESULT_CODE_OK ? arena_array(a, room, sizeof(*s->found)) : NULL;
    if (code == RESULT_CODE_OK && s->found == NULL)
        code = RESULT_CODE_INTERNAL_ERROR;
    return code;
}

/* ---- Who uses it ---- */

/* Whether a machine of this operation is there, and not about to go. Then all that bears the mark
 * is in use, attached or not: while it is built nothing is yet; somebody may have detached a volume
 * for a while; and where a second machine was ordered on the same port and failed, Nova frees the
 * port that the first one has. */
static bool has_machine(const struct search *s, const char *token)
{
    const struct os_server *servers = s->servers.items;
    const char *mark = arena_printf(s->op->arena, OS_MARK_PREFIX "%s", token);
    for (size_t i = 0; i < s->servers.n; i++) {
        if (os_state(servers[i].status, servers[i].task_state) != VM_STATE_DELETING &&
            os_server_is_ours(&servers[i], token, mark))
            return true;
    }
    return false;
}

/* Whether something has the port: a machine that is there, or a thing that is no machine's. */
static bool port_is_used(const struct search *s, const struct os_port *port)
{
    static const char compute[] = "compute:";
    if (!is_set(port->device_id))
        return false;
    const struct os_server *servers = s->servers.items;
    for (size_t i = 0; i < s->servers.n; i++) {
        if (strcmp(servers[i].id, port->device_id) == 0)
            return true;
    }
    if (port->device_owner == NULL || strncmp(port->device_owner, compute, strlen(compute)) != 0)
        return true;
    struct op aside = op_aside(s->op, 0);
    struct os_server user = {0};
    return os_server_get(s->a, &aside, port->device_id, &user) != RESULT_CODE_NOT_FOUND;
}

/* ---- What was found ---- */

static pb_Leftover *add(struct search *s, const char *kind, const struct os_thing *thing,
                        const char *token, const char *created)
{
    bool wanted =
        thing->id != NULL && token != NULL && (s->token == NULL || strcmp(s->token, token) == 0);
    pb_Leftover *l = wanted ? arena_message(s->op->arena, &pb_Leftover_desc) : NULL;
    if (l == NULL)
        return NULL;
    l->cloud = field_text(s->a->name);
    l->id = field_text(thing->id);
    l->name = field_text(thing->name);
    l->kind = field_text(kind);
    l->operation_id = field_text(token);
    l->created_at = field_time(s->op->arena, created);
    s->found[s->n++] = l;
    return l;
}

static void add_servers(struct search *s)
{
    const struct os_server *servers = s->servers.items;
    for (size_t i = 0; i < s->servers.n; i++) {
        struct os_thing thing = {.id = servers[i].id, .name = servers[i].name};
        add(s, "vm", &thing, os_server_token(&servers[i]), servers[i].created);
    }
}

static void add_ports(struct search *s)
{
    const struct os_port *ports = s->ports.items;
    for (size_t i = 0; i < s->ports.n; i++) {
        const char *token = token_of(ports[i].thing.name);
        if (token == NULL || !os_port_is_ours(&ports[i], ports[i].thing.name))
            continue;
        pb_Leftover *l = add(s, "port", &ports[i].thing, token, ports[i].created);
        if (l != NULL)
            l->in_use = has_machine(s, token) || port_is_used(s, &ports[i]);
    }
}

/* On a port that is itself left over, it is not in use. After add_ports(). */
static bool fip_is_used(const struct search *s, const struct os_fip *fip, const char *token)
{
    for (size_t i = 0; is_set(fip->port_id) && i < s->n; i++) {
        const pb_Leftover *l = s->found[i];
        if (strcmp(l->kind, "port") == 0 && strcmp(l->id, fip->port_id) == 0 &&
            strcmp(l->operation_id, token) == 0)
            return l->in_use;
    }
    return is_set(fip->port_id) || has_machine(s, token);
}

static void add_fips(struct search *s)
{
    const struct os_fip *fips = s->fips.items;
    for (size_t i = 0; i < s->fips.n; i++) {
        const char *token = token_of(fips[i].description);
        pb_Leftover *l = add(s, "floating_ip", &fips[i].thing, token, fips[i].created);
        if (l != NULL)
            l->in_use = fip_is_used(s, &fips[i], token);
    }
}

static void add_volumes(struct search *s)
{
    const struct os_volume *volumes = s->volumes.items;
    for (size_t i = 0; i < s->volumes.n; i++) {
        const char *token = shape_map_get(&volumes[i].metadata, OS_TOKEN_KEY);
        if (!is_set(token) || shape_map_get(&volumes[i].metadata, OS_KEEP_KEY) != NULL)
            continue;
        pb_Leftover *l = add(s, "volume", &volumes[i].thing, token, volumes[i].created);
        if (l != NULL)
            l->in_use = !os_volume_is_free(&volumes[i]) || has_machine(s, token);
    }
}

pb_ResultCode openstack_list_leftovers(struct adapter *a, struct op *op,
                                       const pb_ListLeftoversRequest *req,
                                       pb_ListLeftoversResponse *ret)
{
    (void)req;
    struct search s = {.a = a, .op = op};
    pb_ResultCode code = find_all(&s);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    add_servers(&s);
    add_ports(&s);
    add_fips(&s);
    add_volumes(&s);
    code = op_end(op, RESULT_CODE_OK);
    if (code == RESULT_CODE_OK) {
        ret->leftovers = s.found;
        ret->n_leftovers = s.n;
    }
    return code;
}

/* ---- Deleting ---- */

/* Those that are not in use stay in `s`; their ids, kind by kind. */
static bool keep_unused(struct search *s, struct os_remains *ret)
{
    struct arena *a = s->op->arena;
    *ret = (struct os_remains){.ports = arena_array(a, s->n + 1, sizeof(char *)),
                               .fips = arena_array(a, s->n + 1, sizeof(char *)),
                               .volumes = arena_array(a, s->n + 1, sizeof(char *))};
    size_t n = 0;
    for (size_t i = 0; !a->exhausted && i < s->n; i++) {
        pb_Leftover *l = s->found[i];
        if (l->in_use) {
            op_warn(s->op, "%s %s is in use, or its machine is there, and stays", l->kind, l->id);
            continue;
        }
        if (strcmp(l->kind, "port") == 0)
            ret->ports[ret->n_ports++] = l->id;
        else if (strcmp(l->kind, "floating_ip") == 0)
            ret->fips[ret->n_fips++] = l->id;
        else
            ret->volumes[ret->n_volumes++] = l->id;
        s->found[n++] = l;
    }
    s->n = n;
    return !a->exhausted;
}

pb_ResultCode openstack_delete_leftover(struct adapter *a, struct op *op,
                                        const pb_DeleteLeftoverRequest *req,
                                        pb_DeleteLeftoverResponse *ret)
{
    struct search s = {.a = a, .op = op, .token = req->id};
    struct os_remains remains;
    if (req->id[0] == '\0')
        return op_fail(op, RESULT_CODE_INVALID_REQUEST, "id, that of an operation, is missing");
    pb_ResultCode code = find_all(&s);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    add_ports(&s);
    add_fips(&s);
    add_volumes(&s);
    if (!keep_unused(&s, &remains))
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    if (!req->dry_run && !os_remains_delete(a, op, &remains)) {
        op->result->blame = BLAME_CLOUD;
        op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
        op_retry(op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_CLOUD);
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "not everything that operation %s left behind could be deleted; the "
                       "warnings say what stays; try again later",
                       req->id);
    }
    code = op_end(op, req->dry_run ? RESULT_CODE_OK : RESULT_CODE_DELETED);
    if (result_is_success(code)) {
        ret->leftovers = s.found;
        ret->n_leftovers = s.n;
    }
    return code;
}
