#include "os_actions.h"

#include <string.h>

#include "isobar/uuid.h"
#include "os_flavors.h"
#include "os_states.h"

/* Between two looks at a machine that is being resized. */
enum { POLL_MS = 500 };

const struct os_action os_start = {
    .name = "start",
    .body = "{\"os-start\":null}",
    .again = true,
    .done = {VM_STATE_RUNNING, VM_STATE_STARTING},
    .instead = {{"SHELVED", "{\"unshelve\":null}"}, {"SHELVED_OFFLOADED", "{\"unshelve\":null}"}},
};
const struct os_action os_stop = {
    .name = "stop",
    .body = "{\"os-stop\":null}",
    .again = true,
    .done = {VM_STATE_STOPPED, VM_STATE_STOPPING},
};
const struct os_action os_reboot = {
    .name = "reboot",
    .body = "{\"reboot\":{\"type\":\"SOFT\"}}",
    .done = {VM_STATE_REBOOTING},
};
const struct os_action os_reboot_hard = {
    .name = "reboot",
    .body = "{\"reboot\":{\"type\":\"HARD\"}}",
    .done = {VM_STATE_REBOOTING},
};
const struct os_action os_suspend = {
    .name = "suspend",
    .body = "{\"suspend\":null}",
    .again = true,
    .done = {VM_STATE_SUSPENDED, VM_STATE_SUSPENDING},
};
const struct os_action os_resume = {
    .name = "resume",
    .body = "{\"resume\":null}",
    .again = true,
    .done = {VM_STATE_RUNNING, VM_STATE_STARTING},
    .instead = {{"PAUSED", "{\"unpause\":null}"}},
};

const char *os_action_body(const struct os_action *action, const struct os_server *s)
{
    pb_VmState state = os_state(s->status, s->task_state);
    for (size_t i = 0; i < ARRAY_LEN(action->done); i++) {
        if (action->done[i] != VM_STATE_UNSPECIFIED && action->done[i] == state)
            return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(action->instead); i++) {
        if (action->instead[i].status != NULL && s->status != NULL &&
            strcmp(action->instead[i].status, s->status) == 0)
            return action->instead[i].body;
    }
    return action->body;
}

/* POST /servers/ID/action */
static struct os_request build_action(struct arena *a, const char *id, const char *body,
                                      unsigned flags)
{
    return (struct os_request){
        .service = OS_COMPUTE,
        .method = "POST",
        .path = arena_printf(a, "/servers/%s/action", url_escape(a, id)),
        .body = body,
        .body_len = strlen(body),
        .flags = flags,
    };
}

static pb_ResultCode order(struct adapter *a, struct op *op, const char *id, const char *body,
                           bool again)
{
    struct os_request req = build_action(op->arena, id, body, again ? SEND_IDEMPOTENT : 0);
    struct http_response rsp;
    return os_send(a, op, &req, &rsp);
}

/* The machine as it is after the order; without the cloud's help, its id. */
static pb_Vm *after(struct adapter *a, struct op *op, const char *id)
{
    struct op aside = op_aside(op, 0);
    struct os_server server = {0};
    if (os_server_get(a, &aside, id, &server) == RESULT_CODE_OK)
        return os_server_message(a, op, &server);
    op_warn(op, "the cloud took the order, but did not show the machine then");
    server = (struct os_server){.id = id};
    return os_parse_server(op->arena, a->name, "", &server);
}

/* Nova says that it cannot be done in the present state: look whether it is done already, or has to
 * be done in another way. */
static pb_ResultCode reconsider(struct adapter *a, struct op *op, const struct os_action *action,
                                const char *id, const struct op *refused)
{
    struct os_server server = {0};
    struct op look = op_aside(op, 0);
    if (os_server_get(a, &look, id, &server) != RESULT_CODE_OK)
        return op_tell(op, refused, RESULT_CODE_FAILED_PRECONDITION);
    const char *body = os_action_body(action, &server);
    if (body == NULL)
        return RESULT_CODE_OK;
    if (body != action->body)
        return order(a, op, id, body, action->again);
    op_tell(op, refused, RESULT_CODE_FAILED_PRECONDITION);
    return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                   "cannot %s machine %s, which is %s; the cloud says: %s", action->name,
                   server.name == NULL ? id : server.name,
                   os_native_state(op->arena, server.status, server.task_state),
                   op->result->native == NULL ? "nothing" : op->result->native->message);
}

static pb_ResultCode order_or_reconsider(struct adapter *a, struct op *op,
                                         const struct os_action *action, const char *id,
                                         const char *body)
{
    struct op aside = op_aside(op, 0);
    pb_ResultCode code = order(a, &aside, id, body, action->again);
    if (code == RESULT_CODE_FAILED_PRECONDITION)
        return reconsider(a, op, action, id, &aside);
    return op_tell(op, &aside, code);
}

static pb_ResultCode act(struct adapter *a, struct op *op, const struct os_action *action,
                         const char *wanted, bool dry_run, pb_Vm **ret)
{
    struct os_server server = {0};
    pb_ResultCode code = RESULT_CODE_NOT_FOUND;
    const char *id = wanted;
    if (uuid_is(wanted) && !dry_run)
        code = order_or_reconsider(a, op, action, id, action->body);
    if (code == RESULT_CODE_NOT_FOUND) {
        code = os_server_find(a, op, wanted, &server);
        const char *body = code == RESULT_CODE_OK ? os_action_body(action, &server) : NULL;
        if (code == RESULT_CODE_OK && dry_run) {
            *ret = os_server_message(a, op, &server);
            return op_end(op, code);
        }
        id = server.id;
        if (body != NULL && op->note_id != NULL && !op->note_id(op, id))
            return op_end(op, op_not_noted(op));
        if (body != NULL)
            code = order_or_reconsider(a, op, action, id, body);
    }
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    *ret = after(a, op, id);
    return op_end(op, RESULT_CODE_CHANGED);
}

#define ACTION_SLOT(method_, slot_, action_)                                                       \
    pb_ResultCode openstack_##slot_(struct adapter *a, struct op *op,                              \
                                    const pb_##method_##Request *req, pb_##method_##Response *ret) \
    {                                                                                              \
        return act(a, op, action_, req->id, req->dry_run, &ret->vm);                               \
    }
ACTION_SLOT(StartVm, start_vm, &os_start)
ACTION_SLOT(StopVm, stop_vm, &os_stop)
ACTION_SLOT(RebootVm, reboot_vm, req->hard ? &os_reboot_hard : &os_reboot)
ACTION_SLOT(SuspendVm, suspend_vm, &os_suspend)
ACTION_SLOT(ResumeVm, resume_vm, &os_resume)

/* ---- Resize ---- */

static bool has_flavor(const struct os_server *s, const struct os_flavor *f)
{
    if (s->flavor.name == NULL)
        return s->flavor.id != NULL && strcmp(s->flavor.id, f->thing.id) == 0;
    return strcmp(s->flavor.name, f->thing.name) == 0 && s->flavor.vcpus == f->vcpus &&
           s->flavor.ram == f->ram && s->flavor.disk == f->disk;
}

static const char *build_resize(struct arena *a, const char *flavor_id)
{
    struct request_body b;
    struct os_request req = {0};
    struct json_writer *w = os_body_begin(&b);
    if (w != NULL) {
        json_begin_object(w, "resize");
        json_put_string(w, "flavorRef", flavor_id);
        json_end_object(w);
    }
    return body_end(&b, a, &req.body, &req.body_len) ? req.body : NULL;
}

static bool is_status(const struct os_server *s, const char *status)
{
    return s->status != NULL && strcmp(s->status, status) == 0;
}

/* What a look at a machine that is being resized tells; RESULT_CODE_UNSPECIFIED: look again. */
static pb_ResultCode judge_resize(struct op *op, const struct os_flavor *f,
                                  const struct os_server *s)
{
    if (is_status(s, "ERROR"))
        return op_fail(op, RESULT_CODE_OUT_OF_CAPACITY,
                       "the resize failed, and the machine is in ERROR: %s",
                       s->fault.message == NULL ? "the cloud does not say why" : s->fault.message);
    if (s->task_state != NULL || is_status(s, "RESIZE"))
        return RESULT_CODE_UNSPECIFIED;
    bool verify = is_status(s, "VERIFY_RESIZE");
    if (has_flavor(s, f))
        return verify ? RESULT_CODE_UNSPECIFIED : RESULT_CODE_OK;
    if (verify)
        return op_fail(op, RESULT_CODE_FAILED_PRECONDITION,
                       "the machine is being resized to another flavor, %s",
                       s->flavor.name == NULL ? s->flavor.id : s->flavor.name);
    return op_fail(op, RESULT_CODE_OUT_OF_CAPACITY,
                   "the cloud began the resize and gave it up, as it does where no host has room "
                   "for flavor %s; the machine is as it was",
                   f->thing.name);
}

/* Wait until the machine has its new size, and confirm it. */
static pb_ResultCode finish_resize(struct adapter *a, struct op *op, const char *id,
                                   const struct os_flavor *f)
{
    for (bool confirmed = false;;) {
        struct os_server s = {0};
        pb_ResultCode code = os_server_get(a, op, id, &s);
        if (code == RESULT_CODE_OK)
            code = judge_resize(op, f, &s);
        if (code != RESULT_CODE_UNSPECIFIED)
            return code;
        if (!confirmed && is_status(&s, "VERIFY_RESIZE") && s.task_state == NULL) {
            struct op aside = op_aside(op, 0);
            code = order(a, &aside, id, "{\"confirmResize\":null}", false);
            /* Where Nova has been told already, it calls that a wrong state or a bad request. */
            confirmed = code == RESULT_CODE_OK;
            if (!confirmed && code != RESULT_CODE_FAILED_PRECONDITION &&
                code != RESULT_CODE_BAD_REQUEST_DATA)
                return op_tell(op, &aside, code);
        }
        if (op_sleep_ms(op, POLL_MS))
            continue;
        if (confirmed && !op_cancelled(op))
            return RESULT_CODE_OK;
        return op_fail(op, op_cancelled(op) ? RESULT_CODE_CANCELLED : RESULT_CODE_DEADLINE_EXCEEDED,
                       "the resize goes on, but the time was over before it could be confirmed; "
                       "call again with the same flavor to confirm it");
    }
}

/* The order was refused, or its outcome is not known: whether the machine is being resized, or has
 * the flavor, all the same, by an order that came before this one. */
static bool is_resized_already(struct adapter *a, struct op *op, const char *id,
                               const struct os_flavor *f)
{
    struct op aside = op_aside(op, 0);
    struct os_server s = {0};
    return os_server_get(a, &aside, id, &s) == RESULT_CODE_OK &&
           (has_flavor(&s, f) || is_status(&s, "RESIZE"));
}

pb_ResultCode openstack_resize_vm(struct adapter *a, struct op *op, const pb_ResizeVmRequest *req,
                                  pb_ResizeVmResponse *ret)
{
    struct os_flavor flavor = {0};
    struct os_server server = {0};
    pb_ResultCode code = os_server_find(a, op, req->id, &server);
    if (code == RESULT_CODE_OK)
        code = os_find(a, op, &os_flavor_kind, "flavor_name", req->flavor_name, NULL, &flavor);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    if (req->dry_run) {
        ret->vm = os_server_message(a, op, &server);
        return op_end(op, RESULT_CODE_OK);
    }
    const char *id = server.id;
    if (!has_flavor(&server, &flavor) && !is_status(&server, "RESIZE")) {
        const char *body = build_resize(op->arena, flavor.thing.id);
        code = body == NULL ? RESULT_CODE_INTERNAL_ERROR : order(a, op, id, body, false);
        bool before = code == RESULT_CODE_FAILED_PRECONDITION ||
                      code == RESULT_CODE_BAD_REQUEST_DATA || code == RESULT_CODE_OUTCOME_UNKNOWN;
        if (before && is_resized_already(a, op, id, &flavor))
            code = RESULT_CODE_OK;
    }
    if (code == RESULT_CODE_OK)
        code = finish_resize(a, op, id, &flavor);
    if (code != RESULT_CODE_OK)
        return op_end(op, code);
    ret->vm = after(a, op, id);
    return op_end(op, RESULT_CODE_CHANGED);
}
