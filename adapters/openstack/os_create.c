#include "os_create.h"

#include <string.h>

#include "isobar/clock.h"
#include "isobar/uuid.h"
#include "os_cleanup.h"
#include "os_plan.h"

/* Time that is kept for looking and cleaning up, if a create goes wrong: a fifth of what there is,
 * but not more than this. */
enum { RESERVE_MS = 5000 };

/* How far it came. */
struct made {
    const char *port_id, *server_id;
    bool asked_volumes, asked_server;
};

static const struct shape_field id_fields[] = {
    SHAPE_FIELD(struct os_thing, id, "id", SHAPE_STRING),
};
static const struct shape id_shape = {sizeof(struct os_thing), id_fields, ARRAY_LEN(id_fields), 0};
OS_ONE(port_made_shape, "port", struct os_thing, id_shape);
OS_ONE(fip_made_shape, "floatingip", struct os_thing, id_shape);
OS_ONE(server_made_shape, "server", struct os_thing, id_shape);

/* Send an order whose answer is {"key": {"id": ".."}}. */
static pb_ResultCode make_one(struct adapter *a, struct op *op, bool built,
                              const struct os_request *req, const struct shape *shape,
                              const char **ret_id)
{
    struct os_thing thing = {0};
    if (!built)
        return RESULT_CODE_INTERNAL_ERROR;
    pb_ResultCode code = os_ask(a, op, req, shape, &thing);
    if (code == RESULT_CODE_OK && thing.id == NULL) {
        op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
        return op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                       "the cloud took %s %s, but did not say the id of what it made", req->method,
                       req->path);
    }
    *ret_id = thing.id;
    return code;
}

static pb_ResultCode make_fip(struct adapter *a, struct op *op, const struct os_plan *p,
                              const char *port_id)
{
    struct os_request req;
    bool built;
    const char *id;
    if (p->fip.thing.id != NULL)
        built = os_build_fip_attach(op->arena, &p->fip, port_id, &req);
    else if (p->external_network_id != NULL)
        built = os_build_fip(op->arena, p, port_id, &req);
    else
        return RESULT_CODE_OK;
    return make_one(a, op, built, &req, &fip_made_shape, &id);
}

/* Volumes that Nova cannot make as they are wanted: copies, and such with a name. */
static pb_ResultCode make_volumes(struct adapter *a, struct op *op, struct os_plan *p,
                                  struct made *made)
{
    pb_ResultCode code = RESULT_CODE_OK;
    if (p->boot == OS_BOOT_VOLUME_COPY) {
        struct os_new_volume v = {p->mark, p->source_id, p->volume_type, p->boot_size};
        made->asked_volumes = true;
        code = os_volume_make(a, op, &v, p->token, &p->source_id);
    }
    for (size_t i = 0; code == RESULT_CODE_OK && i < p->n_volumes; i++) {
        const pb_VolumeSpec *spec = p->volumes[i].spec;
        if (spec->name[0] == '\0')
            continue;
        struct os_new_volume v = {.name = spec->name, .size = spec->size_gib};
        if (spec->volume_type[0] != '\0')
            v.type = spec->volume_type;
        made->asked_volumes = true;
        code = os_volume_make(a, op, &v, p->token, &p->volumes[i].id);
    }
    return code;
}

static pb_ResultCode make_server(struct adapter *a, struct op *op, const struct os_plan *p,
                                 struct made *made)
{
    struct token_ref token CLEANUP(token_release) = {0};
    int minor = 0;
    pb_ResultCode code = os_session_get(a, op, &token);
    if (code == RESULT_CODE_OK)
        code = os_compute_minor(a, op, token.data, &minor);
    if (code != RESULT_CODE_OK)
        return code;
    for (size_t i = 0; i < os_since_len; i++) {
        if (minor < os_since[i].minor && os_parameter(p->spec, os_since[i].parameter) != NULL)
            op_warn(op, "the cloud is too old for the parameter %s, which needs compute 2.%d",
                    os_since[i].parameter, os_since[i].minor);
    }
    struct os_request req;
    bool built = os_build_server(op->arena, p, made->port_id, minor, &req);
    made->asked_server = built;
    return make_one(a, op, built, &req, &server_made_shape, &made->server_id);
}

static pb_ResultCode make(struct adapter *a, struct op *op, struct os_plan *p, struct made *made)
{
    struct os_request req;
    bool built = os_build_port(op->arena, p, &req);
    pb_ResultCode code = make_one(a, op, built, &req, &port_made_shape, &made->port_id);
    if (code == RESULT_CODE_OK)
        code = make_fip(a, op, p, made->port_id);
    if (code == RESULT_CODE_OK)
        code = make_volumes(a, op, p, made);
    if (code == RESULT_CODE_OK)
        code = make_server(a, op, p, made);
    return code;
}

bool os_server_is_ours(const struct os_server *s, const char *token, const char *mark)
{
    const char *has = shape_map_get(&s->metadata, OS_TOKEN_KEY);
    for (size_t i = 0; i < s->tags.n; i++) {
        if (strcmp(s->tags.items[i], mark) == 0)
            return true;
    }
    return has != NULL && strcmp(has, token) == 0;
}

pb_ResultCode os_server_by_mark(struct adapter *a, struct op *op, const char *token,
                                const char *mark, struct os_server *ret)
{
    struct shape_list list = {0};
    pb_ResultCode code =
        os_list(a, op, &os_server_kind,
                arena_printf(op->arena, "tags=%s", url_escape(op->arena, mark)), &list);
    if (code != RESULT_CODE_OK)
        return code;
    const struct os_server *s = list.items;
    for (size_t i = 0; i < list.n; i++) {
        if (os_server_is_ours(&s[i], token, mark)) {
            *ret = s[i];
            return RESULT_CODE_OK;
        }
    }
    return RESULT_CODE_NOT_FOUND;
}

/* It failed before the machine was ordered, or Nova refused it: take back what was made. */
static pb_ResultCode take_back(struct adapter *a, struct op *op, const struct os_plan *p,
                               const struct made *made, pb_ResultCode code)
{
    struct op clean = *op;
    clean.cancelled = NULL; /* nobody else does it later */
    struct op look = os_aside(&clean, 0);
    struct os_remains remains;
    bool gone =
        os_remains_find(a, &look, p->token, NULL, made->asked_volumes, &remains) == RESULT_CODE_OK;
    if (gone)
        gone = os_remains_delete(a, &clean, &remains);
    else
        op_warn(op, "it is not known whether something named %s was left behind: %s", p->mark,
                look.result->detail);
    op->result->side_effects = gone ? SIDE_EFFECTS_NONE : SIDE_EFFECTS_CERTAIN;
    /* There is no machine, whatever became of the port: it may be tried again. */
    if (code == RESULT_CODE_OUTCOME_UNKNOWN) {
        code = op->result->code = RESULT_CODE_UNAVAILABLE;
        op_retry(op, RETRY_CLASS_AFTER_BACKOFF, 0, RETRY_SCOPE_CLOUD);
    }
    return code;
}

/* Nova may or may not have taken the order: the mark tells. */
static pb_ResultCode look_for_it(struct adapter *a, struct op *op, const struct os_plan *p,
                                 struct made *made, pb_ResultCode code)
{
    struct op aside = os_aside(op, 0);
    struct os_server server = {0};
    if (os_server_by_mark(a, &aside, p->token, p->mark, &server) == RESULT_CODE_OK) {
        made->server_id = server.id;
        return RESULT_CODE_OK;
    }
    op_warn(op, "what was made for the machine is named %s, and left as it is for now", p->mark);
    if (code == RESULT_CODE_CANCELLED)
        return code;
    const pb_NativeError *native = op->result->native;
    if (native != NULL)
        op_fail(
            op, RESULT_CODE_OUTCOME_UNKNOWN,
            "cloud %s: the compute service says %u%s%s, and it is not known whether the machine "
            "is made all the same; look for one with the tag %s before trying again",
            a->name, native->http_status, native->message[0] == '\0' ? "" : ": ", native->message,
            p->mark);
    op->result->code = RESULT_CODE_OUTCOME_UNKNOWN;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
    return RESULT_CODE_OUTCOME_UNKNOWN;
}

static pb_Vm *show(struct adapter *a, struct op *op, const struct os_plan *p, const char *id)
{
    struct op aside = os_aside(op, 0);
    struct os_server server = {0};
    if (os_server_get(a, &aside, id, &server) == RESULT_CODE_OK)
        return os_server_message(a, op, &server);
    server = (struct os_server){.id = id, .name = p->spec->name, .status = "BUILD"};
    return os_parse_server(op->arena, a->name, "", &server);
}

pb_ResultCode openstack_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                                  pb_CreateVmResponse *ret)
{
    struct op steps = *op;
    int reserve = clock_ms_left(op->deadline_ns) / 5;
    steps.deadline_ns -= (reserve < RESERVE_MS ? reserve : RESERVE_MS) * NS_PER_MS;
    char token[UUID_TEXT_LEN + 1];
    if (op->token == NULL || op->token[0] == '\0') {
        uuid7(token);
        steps.token = token;
    }
    struct os_plan plan;
    struct made made = {0};
    pb_ResultCode code = os_plan(a, &steps, req->spec, &plan);
    if (code != RESULT_CODE_OK || req->dry_run)
        return os_end(op, code);
    code = make(a, &steps, &plan, &made);
    bool possible = op->result->side_effects == SIDE_EFFECTS_POSSIBLE ||
                    op->result->side_effects == SIDE_EFFECTS_CERTAIN;
    if (code != RESULT_CODE_OK && made.asked_server && possible)
        code = look_for_it(a, op, &plan, &made, code);
    else if (code != RESULT_CODE_OK)
        code = take_back(a, op, &plan, &made, code);
    if (code != RESULT_CODE_OK)
        return os_end(op, code);
    if (op->note_id != NULL)
        op->note_id(op, made.server_id);
    ret->vm = show(a, op, &plan, made.server_id);
    return os_end(op, RESULT_CODE_CREATED);
}
