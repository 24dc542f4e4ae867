#include "leftover.h"

#include <string.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "operation_private.h"

/* What was made less long ago may be of an operation that is being recorded just now. */
#define GRACE_S 600

static pb_LeftoverVerdict verdict_of(pb_OperationState state, const pb_Result *result)
{
    if (state != OPERATION_STATE_DONE || !result)
        return LEFTOVER_VERDICT_IN_WORK;
    return result_is_success(result->code) ? LEFTOVER_VERDICT_KNOWN : LEFTOVER_VERDICT_ORPHAN;
}

/* What the journal says of an operation. UNSPECIFIED where it cannot be read: nothing is proved
 * then. */
static pb_LeftoverVerdict judge(struct arena *a, const char *id)
{
    bool failed = false;
    pthread_mutex_lock(&operations.lock);
    const struct operation *o = operation_find(id);
    bool open = o && !o->ended;
    uint32_t number = operations.number;
    pthread_mutex_unlock(&operations.lock);
    if (open)
        return LEFTOVER_VERDICT_IN_WORK;
    pb_OperationRecord *r = journal_get(a, id, &failed);
    if (failed)
        return LEFTOVER_VERDICT_UNSPECIFIED;
    if (r)
        return verdict_of(r->operation->state, r->operation->result);
    /* An operation's id has the number of the gateway that made it. */
    return uuid_has_number(id, number) ? LEFTOVER_VERDICT_ORPHAN : LEFTOVER_VERDICT_FOREIGN;
}

static bool is_wanted(const pb_ListLeftoversRequest *req, pb_LeftoverVerdict verdict)
{
    bool wanted = req->n_verdicts == 0 && verdict != LEFTOVER_VERDICT_KNOWN;
    for (size_t i = 0; i < req->n_verdicts; i++)
        wanted |= req->verdicts[i] == verdict;
    return wanted;
}

pb_ResultCode leftover_judge(struct call *c)
{
    const pb_ListLeftoversRequest *req = (const pb_ListLeftoversRequest *)(const void *)c->req;
    pb_ListLeftoversResponse *rsp = (pb_ListLeftoversResponse *)(void *)c->rsp;
    size_t n = 0;
    for (size_t i = 0; i < rsp->n_leftovers; i++) {
        pb_Leftover *l = rsp->leftovers[i];
        l->verdict = judge(&c->arena, l->operation_id);
        /* Its machine has gone, and nothing else needs what was made for it. */
        if (l->verdict == LEFTOVER_VERDICT_KNOWN && !l->in_use && strcmp(l->kind, "vm") != 0)
            l->verdict = LEFTOVER_VERDICT_ORPHAN;
        /* For another gateway, whose journal says what it is. */
        if (c->env.step->hops > 0 || is_wanted(req, l->verdict))
            rsp->leftovers[n++] = l;
    }
    rsp->n_leftovers = n;
    return RESULT_CODE_OK;
}

/* When an operation was begun, as its id says; seconds since 1970. */
static int64_t begun_s(const char *id)
{
    int64_t ms = 0;
    for (size_t i = 0; i < 13; i++) {
        if (id[i] != '-')
            ms = ms << 4 | (id[i] <= '9' ? id[i] - '0' : (id[i] | 32) - 'a' + 10);
    }
    return ms / 1000;
}

static pb_ResultCode refuse(struct call *c, const char *why)
{
    c->result->side_effects = SIDE_EFFECTS_NONE;
    return result_fail(&c->arena, c->result, RESULT_CODE_FAILED_PRECONDITION,
                       "what operation %s has made is not deleted: %s",
                       ((const pb_DeleteLeftoverRequest *)(const void *)c->req)->id, why);
}

pb_ResultCode leftover_check(struct call *c)
{
    const pb_DeleteLeftoverRequest *req = (const pb_DeleteLeftoverRequest *)(const void *)c->req;
    if (!uuid_is(req->id) || strlen(req->id) != UUID_TEXT_LEN) {
        result_add_violation(&c->arena, c->result, "id", "is no id of an operation");
        return result_fail(&c->arena, c->result, RESULT_CODE_BAD_REQUEST_DATA,
                           "\"%s\" is no id of an operation", req->id);
    }
    switch (judge(&c->arena, req->id)) {
    case LEFTOVER_VERDICT_ORPHAN:
    case LEFTOVER_VERDICT_KNOWN: /* the adapter spares what a machine uses */
        break;
    case LEFTOVER_VERDICT_IN_WORK:
        return refuse(c, "the operation has not ended");
    case LEFTOVER_VERDICT_FOREIGN:
        return refuse(c, "this gateway has not made it");
    default:
        return refuse(c, "the journal cannot be read now");
    }
    if (clock_wall_ns() / NS_PER_SEC - begun_s(req->id) < GRACE_S)
        return refuse(c, "it is younger than ten minutes");
    return RESULT_CODE_OK;
}
