/* What a machine is made on: its resource group, a public address, a network interface. */
#include <string.h>
#include <strings.h>

#include "az_errors.h"
#include "az_making.h"

/* Between two tries of what is not possible yet. */
enum { PAUSE_MS = 1000 };

bool az_is_open(const struct op *op, pb_ResultCode code)
{
    return code != RESULT_CODE_OK && (op->result->side_effects == SIDE_EFFECTS_POSSIBLE ||
                                      op->result->side_effects == SIDE_EFFECTS_CERTAIN);
}

pb_ResultCode az_order_patiently(struct az_making *m, struct op *op, const struct az_request *req,
                                 const struct az_lro *before, struct az_lro *ret)
{
    for (bool waited = before == NULL;; waited = true) {
        struct op aside = op_aside(op, 0);
        pb_ResultCode code = az_begin(m->a, &aside, req, NULL, NULL, ret);
        if (code == RESULT_CODE_OK || !az_said_not_yet(&aside))
            return op_tell(op, &aside, code);
        struct op wait = op_aside(op, 0);
        /* One that has failed is told by the next try, better. */
        if (!waited)
            (void)!az_wait(m->a, &wait, AZ_NETWORK, "what the machine is made on", before);
        else if (!op_sleep_ms(op, PAUSE_MS))
            return op_tell(op, &aside, code);
        if (op_cancelled(op))
            return op_fail(op, RESULT_CODE_CANCELLED, "nobody waited any more");
    }
}

/* ---- The resource group ---- */

/* A PUT over one that is there would take its tags away. */
static pb_ResultCode make_group(struct az_making *m)
{
    struct az_plan *p = &m->plan;
    struct op look = op_aside(&m->steps, 0);
    struct http_response rsp;
    struct az_request req = az_get(AZ_RESOURCES, az_path(m->a, m->op->arena, "/resourcegroups/%s",
                                                         url_escape(m->op->arena, p->group)));

    if (!az_parameter_is(p->spec, "create_resource_group", "true"))
        return RESULT_CODE_OK;
    pb_ResultCode code = az_send(m->a, &look, &req, &rsp);
    if (code != RESULT_CODE_NOT_FOUND)
        return op_tell(&m->steps, &look, code);
    if (!az_build_group(m->a, m->op->arena, p, &req))
        return op_end(m->op, RESULT_CODE_INTERNAL_ERROR);
    code = az_send(m->a, &m->steps, &req, &rsp);
    if (code == RESULT_CODE_OK)
        op_warn(m->op, "resource group %s was made, and stays when the machine goes", p->group);
    return code;
}

/* ---- Address and interface ---- */

static pb_ResultCode make_ip(struct az_making *m, struct az_lro *ret)
{
    struct az_request req;

    if (m->plan.ip_id == NULL)
        return RESULT_CODE_OK;
    if (!az_build_ip(m->op->arena, &m->plan, &req))
        return op_end(m->op, RESULT_CODE_INTERNAL_ERROR);
    m->asked_ip = true;
    return az_order_patiently(m, &m->steps, &req, NULL, ret);
}

pb_ResultCode az_make_network(struct az_making *m)
{
    struct az_lro ip = {0}, nic = {0};
    struct az_request req;

    pb_ResultCode code = make_group(m);
    if (code == RESULT_CODE_OK)
        code = make_ip(m, &ip);
    if (code == RESULT_CODE_OK && !az_build_nic(m->op->arena, &m->plan, &req))
        code = op_end(m->op, RESULT_CODE_INTERNAL_ERROR);
    if (code == RESULT_CODE_OK) {
        m->asked_nic = true;
        code = az_order_patiently(m, &m->steps, &req, &ip, &nic);
    }
    m->nic = nic;
    m->open = az_is_open(&m->steps, code);
    return code;
}
