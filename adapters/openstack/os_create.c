#include "os_create.h"

#include <string.h>

#include "isobar/clock.h"
#include "isobar/uuid.h"
#include "kit/spec.h"
#include "os_cleanup.h"
#include "os_earlier.h"
#include "os_marks.h"

/* Time that is kept for looking and cleaning up, if a create goes wrong: a fifth of what there is,
 * but not more than this. */
enum { RESERVE_MS = 5000 };

/* After an order whose answer was lost: when its machine is looked for. Nova writes it to its
 * database before it answers, so that most are there at once. */
static const int look_after_ms[] = {0, 200, 300, 500};

/* A create on its way. */
struct making {
    struct adapter *a;
    struct op *op;   /* with all of the time */
    struct op steps; /* the same, with the time for what is to be made */
    struct os_plan plan;
    /* How far it came. */
    const char *port_id, *server_id;
    bool asked_volumes, asked_server;
    /* An order was not answered, and nothing of it was seen: it may be carried out later. */
    bool open;
    /* The same, and it could not be looked for either. */
    bool unseen;
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

/* Whether a failure leaves open whether the order was carried out. */
static bool is_open(const struct op *op, pb_ResultCode code)
{
    return code != RESULT_CODE_OK && (op->result->side_effects == SIDE_EFFECTS_POSSIBLE ||
                                      op->result->side_effects == SIDE_EFFECTS_CERTAIN);
}

/* What became of an order, after a look for what it made where its answer was lost: `looked` is
 * what the look said, `found` whether it found it. */
static pb_ResultCode settle(struct making *m, const struct op *order, pb_ResultCode code,
                            pb_ResultCode looked, bool found)
{
    if (looked == RESULT_CODE_OK && found && code != RESULT_CODE_CANCELLED)
        return RESULT_CODE_OK;
    m->open = m->open || !found;
    m->unseen = m->unseen || looked != RESULT_CODE_OK;
    return op_tell(m->op, order, code);
}

/* ---- Port, floating IP, volumes ---- */

static pb_ResultCode make_port(struct making *m)
{
    pb_ResultCode code = RESULT_CODE_OK;
    if (m->op->resumed)
        code = os_earlier_port(m->a, &m->steps, &m->plan, &m->port_id);
    if (code != RESULT_CODE_OK || m->port_id != NULL)
        return code;
    struct op order = op_aside(&m->steps, 0), look = op_aside(m->op, 0);
    struct os_request req;
    bool built = os_build_port(order.arena, &m->plan, &req);
    code = make_one(m->a, &order, built, &req, &port_made_shape, &m->port_id);
    if (!is_open(&order, code))
        return op_tell(m->op, &order, code);
    pb_ResultCode looked = os_earlier_port(m->a, &look, &m->plan, &m->port_id);
    return settle(m, &order, code, looked, m->port_id != NULL);
}

static bool is_on_port(const struct making *m, const struct os_fip *fip)
{
    return fip->port_id != NULL && strcmp(fip->port_id, m->port_id) == 0;
}

/* Put a floating IP that is there on the port. */
static pb_ResultCode attach_fip(struct making *m, const struct os_fip *fip)
{
    struct op order = op_aside(&m->steps, 0), look = op_aside(m->op, 0);
    struct os_request req;
    const char *id;
    bool built = os_build_fip_attach(order.arena, fip, m->port_id, &req);
    pb_ResultCode code = make_one(m->a, &order, built, &req, &fip_made_shape, &id);
    if (!is_open(&order, code))
        return op_tell(m->op, &order, code);
    struct os_fip now = {0};
    pb_ResultCode looked = os_find_by_id(m->a, &look, &os_fip_kind, fip->thing.id, &now);
    return settle(m, &order, code, looked, is_on_port(m, &now));
}

/* The one that the user named: an earlier try may have put it there. */
static pb_ResultCode take_fip(struct making *m)
{
    struct os_fip fip = m->plan.fip;
    if (m->op->resumed) {
        struct os_fip now = {0};
        pb_ResultCode code = os_find_by_id(m->a, &m->steps, &os_fip_kind, fip.thing.id, &now);
        if (code != RESULT_CODE_OK || is_on_port(m, &now))
            return code;
        if (now.port_id != NULL && now.port_id[0] != '\0')
            return os_fip_taken(m->op, &now);
        fip = now;
    }
    return attach_fip(m, &fip);
}

static pb_ResultCode make_fip(struct making *m)
{
    struct os_fip fip = {0};
    pb_ResultCode code = RESULT_CODE_OK;
    if (m->plan.fip.thing.id != NULL)
        return take_fip(m);
    if (m->plan.external_network_id == NULL)
        return RESULT_CODE_OK;
    if (m->op->resumed)
        code = os_earlier_fip(m->a, &m->steps, &m->plan, m->port_id, &fip);
    if (code != RESULT_CODE_OK || is_on_port(m, &fip))
        return code;
    if (fip.thing.id != NULL)
        return attach_fip(m, &fip);
    struct op order = op_aside(&m->steps, 0), look = op_aside(m->op, 0);
    struct os_request req;
    const char *id;
    bool built = os_build_fip(order.arena, &m->plan, m->port_id, &req);
    code = make_one(m->a, &order, built, &req, &fip_made_shape, &id);
    if (!is_open(&order, code))
        return op_tell(m->op, &order, code);
    pb_ResultCode looked = os_earlier_fip(m->a, &look, &m->plan, m->port_id, &fip);
    return settle(m, &order, code, looked, is_on_port(m, &fip));
}

static pb_ResultCode make_volume(struct making *m, const struct os_new_volume *v,
                                 const char **ret_id)
{
    struct os_volume volume = {0};
    pb_ResultCode code = RESULT_CODE_OK;
    m->asked_volumes = true;
    if (m->op->resumed)
        code = os_earlier_volume(m->a, &m->steps, &m->plan, v, &volume);
    if (code == RESULT_CODE_OK && volume.thing.id == NULL) {
        struct op order = op_aside(&m->steps, 0), look = op_aside(m->op, 0);
        code = os_volume_order(m->a, &order, v, m->plan.token, &volume);
        if (is_open(&order, code)) {
            pb_ResultCode looked = os_earlier_volume(m->a, &look, &m->plan, v, &volume);
            code = settle(m, &order, code, looked, volume.thing.id != NULL);
        } else {
            op_tell(m->op, &order, code);
        }
    }
    if (code == RESULT_CODE_OK)
        code = os_volume_wait(m->a, &m->steps, v, &volume);
    if (code == RESULT_CODE_OK)
        *ret_id = volume.thing.id;
    return code;
}

/* Volumes that Nova cannot make as they are wanted: copies, and such with a name. */
static pb_ResultCode make_volumes(struct making *m)
{
    struct os_plan *p = &m->plan;
    pb_ResultCode code = RESULT_CODE_OK;
    if (p->boot == OS_BOOT_VOLUME_COPY) {
        struct os_new_volume v = {.name = p->mark,
                                  .source_volume = p->source_id,
                                  .type = p->volume_type,
                                  .size = p->boot_size};
        code = make_volume(m, &v, &p->source_id);
    }
    for (size_t i = 0; code == RESULT_CODE_OK && i < p->n_volumes; i++) {
        const pb_VolumeSpec *spec = p->volumes[i].spec;
        if (spec->name[0] == '\0')
            continue;
        struct os_new_volume v = {.name = spec->name, .size = spec->size_gib, .keep = spec->keep};
        if (spec->volume_type[0] != '\0')
            v.type = spec->volume_type;
        code = make_volume(m, &v, &p->volumes[i].id);
    }
    if (code == RESULT_CODE_OK && m->op->resumed && m->asked_volumes)
        os_earlier_tidy(m->a, &m->steps, p);
    return code;
}

/* ---- The machine ---- */

static pb_ResultCode make_server(struct making *m)
{
    struct op *op = &m->steps;
    struct token_ref token CLEANUP(token_release) = {0};
    int minor = 0;
    pb_ResultCode code = os_session_get(m->a, op, &token);
    if (code == RESULT_CODE_OK)
        code = os_compute_minor(m->a, op, token.data, &minor);
    if (code != RESULT_CODE_OK)
        return code;
    for (size_t i = 0; i < os_since_len; i++) {
        if (minor < os_since[i].minor &&
            spec_parameter(m->plan.spec, os_since[i].parameter) != NULL)
            op_warn(op, "the cloud is too old for the parameter %s, which needs compute 2.%d",
                    os_since[i].parameter, os_since[i].minor);
    }
    struct os_request req;
    bool built = os_build_server(op->arena, &m->plan, m->port_id, minor, &req);
    m->asked_server = built;
    return make_one(m->a, op, built, &req, &server_made_shape, &m->server_id);
}

static pb_ResultCode make(struct making *m)
{
    pb_ResultCode code = make_port(m);
    if (code == RESULT_CODE_OK)
        code = make_fip(m);
    if (code == RESULT_CODE_OK)
        code = make_volumes(m);
    if (code == RESULT_CODE_OK)
        code = make_server(m);
    return code;
}

/* ---- If it went wrong ---- */

/* Nobody knows, and nobody is to touch anything before it has been looked for again. */
static pb_ResultCode leave(struct making *m)
{
    struct op *op = m->op;
    const pb_NativeError *native = op->result->native;
    op_warn(op, "what was made for the machine is named %s, and left as it is for now",
            m->plan.mark);
    if (native != NULL)
        op_fail(op, RESULT_CODE_OUTCOME_UNKNOWN,
                "cloud %s says %u%s%s, and it is not known whether the machine is made all the "
                "same; look for one with the tag %s before trying again",
                m->a->name, native->http_status, native->message[0] == '\0' ? "" : ": ",
                native->message, m->plan.mark);
    op->result->code = RESULT_CODE_OUTCOME_UNKNOWN;
    op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    op_retry(op, RETRY_CLASS_AFTER_LOOKUP, 0, RETRY_SCOPE_INSTANCE);
    return RESULT_CODE_OUTCOME_UNKNOWN;
}

/* There is no machine, nor will there be one: take back what was made. */
static pb_ResultCode take_back(struct making *m, pb_ResultCode code)
{
    struct op clean = *m->op;
    clean.cancelled = NULL; /* nobody else does it later */
    struct op look = op_aside(&clean, 0);
    struct os_remains remains;
    m->op->touched = m->port_id != NULL || m->open || m->asked_volumes;
    bool seen = os_remains_find(m->a, &look, m->plan.token, NULL, m->asked_volumes, &remains) ==
                RESULT_CODE_OK;
    bool gone = seen && os_remains_delete(m->a, &clean, &remains);
    if (!seen)
        op_warn(m->op, "it is not known whether something named %s was left behind: %s",
                m->plan.mark, look.result->detail);
    if (code == RESULT_CODE_OUTCOME_UNKNOWN && !gone)
        return leave(m);
    /* An order that nobody has seen the end of may be carried out yet. */
    m->op->result->side_effects = seen && !gone      ? SIDE_EFFECTS_CERTAIN
                                  : m->open || !seen ? SIDE_EFFECTS_POSSIBLE
                                                     : SIDE_EFFECTS_NONE;
    /* Without a machine it may be tried again, whatever becomes of the rest. */
    const pb_Retry *retry = m->op->result->retry;
    if (code == RESULT_CODE_OUTCOME_UNKNOWN)
        code = m->op->result->code = RESULT_CODE_UNAVAILABLE;
    if (retry != NULL && retry->class_ == RETRY_CLASS_AFTER_LOOKUP)
        op_retry(m->op, RETRY_CLASS_AFTER_BACKOFF, retry->after_ms, RETRY_SCOPE_CLOUD);
    return code;
}

/* What a look for the machine says. */
enum look {
    LOOK_NONE,
    LOOK_ONE,   /* server_id is known now */
    LOOK_UNSURE /* it cannot be seen, or there are several */
};

/* Look for machines by the mark, n times at most. */
static enum look look_for_it(struct making *m, size_t n)
{
    enum look said = LOOK_UNSURE;
    for (size_t i = 0; i < n; i++) {
        struct op aside = op_aside(m->op, 0);
        struct shape_list list = {0};
        if (look_after_ms[i] > 0 && !op_sleep_ms(&aside, look_after_ms[i]))
            break;
        said = LOOK_UNSURE;
        if (os_servers_by_mark(m->a, &aside, m->plan.token, &list) != RESULT_CODE_OK)
            continue;
        if (list.n > 1)
            return LOOK_UNSURE;
        const struct os_server *found = list.items;
        if (list.n == 1) {
            m->server_id = found->id;
            return LOOK_ONE;
        }
        said = LOOK_NONE;
    }
    return said;
}

/* Nova refused the order as a conflict: whether something has the port, and so an earlier order
 * was taken. Nova's code for that is one for all conflicts. */
static bool port_is_taken(struct making *m)
{
    struct op aside = op_aside(m->op, 0);
    struct os_port port = {0};
    pb_ResultCode code = os_find_by_id(m->a, &aside, &os_port_kind, m->port_id, &port);
    return code != RESULT_CODE_OK || (port.device_id != NULL && port.device_id[0] != '\0');
}

static pb_ResultCode rescue(struct making *m, pb_ResultCode code)
{
    bool open = m->asked_server && is_open(m->op, code);
    const pb_NativeError *native = m->op->result->native;
    bool conflict = m->asked_server && native != NULL && native->http_status == 409;
    bool cancelled = code == RESULT_CODE_CANCELLED;
    if (open || conflict || m->op->resumed) {
        size_t looks = open && !cancelled ? ARRAY_LEN(look_after_ms) : 1;
        enum look said = look_for_it(m, looks);
        if (said == LOOK_ONE)
            return RESULT_CODE_OK;
        if (open || said == LOOK_UNSURE || (conflict && port_is_taken(m)))
            return leave(m);
    }
    /* Lost on the way to the machine, and nothing of it to be seen: it can be resumed. */
    if (code == RESULT_CODE_OUTCOME_UNKNOWN && !m->unseen)
        return leave(m);
    return take_back(m, code);
}

static pb_Vm *show(struct adapter *a, struct op *op, const struct os_plan *p, const char *id)
{
    struct op aside = op_aside(op, 0);
    struct os_server server = {0};
    if (os_server_get(a, &aside, id, &server) == RESULT_CODE_OK)
        return os_server_message(a, op, &server);
    server = (struct os_server){.id = id, .name = p->spec->name, .status = "BUILD"};
    return os_parse_server(op->arena, a->name, "", &server);
}

pb_ResultCode openstack_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                                  pb_CreateVmResponse *ret)
{
    struct making m = {.a = a, .op = op, .steps = *op, .asked_volumes = op->resumed};
    int reserve = clock_ms_left(op->deadline_ns) / 5;
    m.steps.deadline_ns -= (reserve < RESERVE_MS ? reserve : RESERVE_MS) * NS_PER_MS;
    char token[UUID_TEXT_LEN + 1];
    if (op->token == NULL || op->token[0] == '\0') {
        uuid7(token);
        m.steps.token = token;
    }
    pb_ResultCode code = os_plan(a, &m.steps, req->spec, &m.plan);
    if (req->dry_run || (code != RESULT_CODE_OK && !op->resumed)) {
        code = op_end(op, code);
        if (code != RESULT_CODE_OK) /* it has only been looked up so far */
            op->result->side_effects = SIDE_EFFECTS_NONE;
        return code;
    }
    if (code == RESULT_CODE_OK)
        code = make(&m);
    if (code != RESULT_CODE_OK)
        code = rescue(&m, code);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    if (op->note_id != NULL)
        op->note_id(op, m.server_id);
    ret->vm = show(a, op, &m.plan, m.server_id);
    return op_end(op, RESULT_CODE_CREATED);
}
