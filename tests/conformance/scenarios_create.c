/* One order, one machine, whatever happens on its way. */
#include <string.h>

#include "isobar/clock.h"
#include "scenarios.h"

#define TRIES          3
#define CANCEL_MS      500
#define CANCEL_LATE_MS 9000 /* the fault itself ends after 10 s */
#define END_LOOKS      60
#define END_LOOK_MS    1000

static const pb_Vm *vm_of(const struct answer *r)
{
    return ((const pb_CreateVmResponse *)r->message)->vm;
}

/* The same order again is the same machine; another order under the same id is none. */
void create_twice(struct run *t)
{
    struct answer first, second;
    const char *id = run_id(t);
    const pb_Vm *vm = run_created(t, id, &first);

    TRY(vm);
    const pb_Vm *again = run_created(t, id, &second);
    TRY(again);
    EXPECT(t, strcmp(vm->id, again->id) == 0, "the second create made %s beside %s", again->id,
           vm->id);
    EXPECT(t, strcmp(first.token, second.token) == 0, "the second create is another operation");
    TRY(run_exactly(t, first.token, 1, vm->id));
    if (t->caller->direct)
        return;
    pb_CreateVmRequest *other = run_create_request(t, id);
    other->spec->name = run_text(t, "%s-other", other->spec->name);
    TRY(CALL(t, VmService, CreateVm, other, &second, .request_id = id));
    TRY(run_code(t, &second, RESULT_CODE_ALREADY_EXISTS));
    TRY(run_exactly(t, first.token, 1, vm->id));
}

void create_resumed(struct run *t)
{
    struct answer r;
    const char *id = run_id(t);
    const pb_Vm *vm = run_created(t, id, &r);

    TRY(vm);
    pb_CreateVmRequest *req = run_create_request(t, id);
    TRY(CALL(t, VmService, CreateVm, req, &r, .request_id = id, .resumed = true));
    TRY(run_code(t, &r, RESULT_CODE_CREATED));
    EXPECT(t, strcmp(vm_of(&r)->id, vm->id) == 0, "%s was resumed as %s", vm->id, vm_of(&r)->id);
    TRY(run_exactly(t, id, 1, vm->id));
}

/* The earlier try got nowhere: the resumed one makes the machine. */
void create_resumed_after_nothing(struct run *t)
{
    struct answer r;
    const char *id = run_id(t);
    pb_CreateVmRequest *req = run_create_request(t, id);

    TRY(CALL(t, VmService, CreateVm, req, &r, .request_id = id, .resumed = true));
    memcpy(t->tokens[t->n_tokens++], id, UUID_TEXT_LEN + 1);
    TRY(run_code(t, &r, RESULT_CODE_CREATED));
    TRY(run_exactly(t, id, 1, vm_of(&r)->id));
}

/* What the gateway does after OutcomeUnknown, by the contract of adapter.h: look twice, settle_ms
 * apart, adopt what is found, else resume. The machine's id; NULL with run_fail() said. */
static const char *resolve(struct run *t, const char *id)
{
    struct answer r;

    for (int look = 0; look < 2; look++) {
        if (look > 0)
            run_sleep(t->harness->settle_ms);
        if (!run_found(t, id, &r) || !run_code(t, &r, RESULT_CODE_OK))
            return NULL;
        const pb_ListOperationVmsResponse *found = r.message;
        if (found->n_vms > 1)
            run_fail(t, "there are %zu machines of one operation", found->n_vms);
        if (found->n_vms > 0)
            return t->failed ? NULL : found->vms[0]->id;
    }
    const pb_Vm *vm = run_created(t, id, &r);
    return vm ? vm->id : NULL;
}

/* The order arrives, now or a moment later, and its reply does not. In process the outcome is
 * unknown, unless the adapter finds the machine by itself; the gateway finds it in any case. */
void lost_reply(struct run *t)
{
    struct answer r, again;
    const char *id = run_id(t), *made = NULL;

    TRY(run_arm(t));
    TRY(run_create(t, id, &r));
    run_disarm(t);
    if (t->caller->direct && r.code == RESULT_CODE_OUTCOME_UNKNOWN) {
        EXPECT(t, r.result->side_effects == SIDE_EFFECTS_POSSIBLE, "side effects are not possible");
        EXPECT(t, r.result->retry && r.result->retry->class_ == RETRY_CLASS_AFTER_LOOKUP,
               "it does not say that one has to look first");
        EXPECT(t, !vm_of(&r), "there is a response beside OutcomeUnknown");
        made = resolve(t, id);
        TRY(made);
    } else {
        TRY(run_code(t, &r, RESULT_CODE_CREATED));
        made = vm_of(&r)->id;
    }
    TRY(run_exactly(t, r.token, 1, made));
    const pb_Vm *vm = run_created(t, id, &again);
    TRY(vm);
    EXPECT(t, strcmp(vm->id, made) == 0, "the same create again is %s, not %s", vm->id, made);
    TRY(run_exactly(t, r.token, 1, made));
}

/* Refused with 429 once. Who retries, the adapter, the gateway or the caller, is theirs to say; all
 * wait as long as they are told. */
void rate_limited(struct run *t)
{
    struct answer r = {0};
    const char *id = run_id(t);
    int64_t begun = clock_mono_ns();

    TRY(run_arm(t));
    for (int i = 0; i < TRIES && r.code != RESULT_CODE_CREATED; i++) {
        TRY(run_create(t, id, &r));
        if (r.code == RESULT_CODE_CREATED)
            break;
        TRY(run_code(t, &r, RESULT_CODE_RATE_LIMITED));
        EXPECT(t, r.result->side_effects == SIDE_EFFECTS_NONE, "a refusal has side effects");
        EXPECT(t, r.result->retry && r.result->retry->after_ms >= 900,
               "it does not say how long to wait");
        run_sleep((int)r.result->retry->after_ms);
    }
    TRY(run_code(t, &r, RESULT_CODE_CREATED));
    EXPECT(t, clock_mono_ns() - begun >= 900 * NS_PER_MS, "Retry-After was not obeyed");
    TRY(run_exactly(t, r.token, 1, vm_of(&r)->id));
}

/* Quota, capacity: nothing is made, and nothing stays. */
void refused(struct run *t)
{
    bool quota = t->scenario->fault == FAULT_QUOTA;
    struct answer r;

    TRY(run_arm(t));
    TRY(run_create(t, run_id(t), &r));
    run_disarm(t);
    TRY(run_code(t, &r, quota ? RESULT_CODE_QUOTA_EXCEEDED : RESULT_CODE_OUT_OF_CAPACITY));
    EXPECT(t, r.result->side_effects == SIDE_EFFECTS_NONE, "it says that there are side effects");
    EXPECT(t, r.result->native && r.result->native->http_status >= 400,
           "it does not say what the cloud said");
    TRY(run_exactly(t, r.token, 0, NULL));
}

/* Nobody waits for the order any more: it ends soon, and says so. */
void cancelled_in_process(struct run *t)
{
    struct answer r;
    const char *id = run_id(t);
    pb_CreateVmRequest *req = run_create_request(t, id);

    TRY(run_arm(t));
    TRY(CALL(t, VmService, CreateVm, req, &r, .request_id = id, .cancel_after_ms = CANCEL_MS));
    memcpy(t->tokens[t->n_tokens++], id, UUID_TEXT_LEN + 1);
    run_disarm(t);
    if (r.code != RESULT_CODE_OUTCOME_UNKNOWN)
        TRY(run_code(t, &r, RESULT_CODE_CANCELLED));
    EXPECT(t, r.result->side_effects == SIDE_EFFECTS_POSSIBLE, "side effects are not possible");
    EXPECT(t, r.took_ms >= 0, "it ended before it was cancelled");
    EXPECT(t, r.took_ms < CANCEL_LATE_MS, "it ended %d ms after that", r.took_ms);
    pb_DeleteLeftoverRequest *rest = NEW(t, DeleteLeftoverRequest);
    rest->id = run_text(t, "%s", id);
    TRY(CALL(t, OperationService, DeleteLeftover, rest, &r));
    TRY(run_code(t, &r, RESULT_CODE_DELETED));
    TRY(run_exactly(t, id, 0, NULL));
}

/* An order that was sent and has no answer is taken back: nothing stays. */
void cancelled_through_gateway(struct run *t)
{
    struct answer r;
    const char *id = run_id(t);
    pb_CreateVmRequest *req = run_create_request(t, id);
    pb_CancelOperationRequest *cancel = NEW(t, CancelOperationRequest);
    pb_GetOperationRequest *get = NEW(t, GetOperationRequest);
    const pb_Operation *op = NULL;

    TRY(run_arm(t));
    req->wait = WAIT_NONE;
    TRY(CALL(t, VmService, CreateVm, req, &r, .request_id = id));
    TRY(run_code(t, &r, RESULT_CODE_ACCEPTED));
    const char *token = r.token;
    EXPECT(t, uuid_is(token), "Accepted, and no operation's id");
    memcpy(t->tokens[t->n_tokens++], token, UUID_TEXT_LEN + 1);
    run_await_fault(t);
    run_sleep(CANCEL_MS); /* so that it was sent in any case */
    cancel->id = get->id = run_text(t, "%s", token);
    TRY(CALL(t, OperationService, CancelOperation, cancel, &r));
    TRY(run_code(t, &r, RESULT_CODE_CHANGED));
    run_disarm(t);
    for (int i = 0; i < END_LOOKS; i++) {
        TRY(CALL(t, OperationService, GetOperation, get, &r));
        TRY(run_code(t, &r, RESULT_CODE_OK));
        op = ((const pb_GetOperationResponse *)r.message)->operation;
        if (op->state == OPERATION_STATE_DONE)
            break;
        run_sleep(END_LOOK_MS);
    }
    EXPECT(t, op->state == OPERATION_STATE_DONE, "the operation does not end");
    EXPECT(t, op->cancelled, "the operation does not say that it was cancelled");
    TRY(run_exactly(t, token, 0, NULL));
}
