/* Memory that runs out, at one allocation after the other, in a gateway that makes and lists
 * machines: whoever calls gets an answer or a closed connection within seconds, and the gateway
 * goes on as if nothing had been. What leaks shows where the address sanitizer is on.
 *
 * A pass is a piece of work that is done again and again, with the n-th allocation failing, for n
 * from 1 on until there are no more: each time in a new gateway, whose memory is cold. Then, again
 * for n from 1 on, all from the n-th on fail for as long as the piece of work is tried: in one
 * gateway, which must get over each of them.
 */
#include "alloc_fail_gateway.h"

static void make(void)
{
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "web");
    req->wait = WAIT_RUNNING;
    pb_Reply *r = call("isobar.v1.VmService/CreateVm", req);
    assert_string_equal(result_name(r->result->code), "Created");
}

/* How many operations have not ended. */
static size_t count_open(void)
{
    pb_OperationState open[] = {OPERATION_STATE_INTENT, OPERATION_STATE_RUNNING,
                                OPERATION_STATE_UNKNOWN};
    pb_ListOperationsRequest *req = NEW(&fx, ListOperationsRequest);
    req->states = open;
    req->n_states = ARRAY_LEN(open);
    pb_Reply *r = call("isobar.v1.OperationService/ListOperations", req);
    assert_string_equal(result_name(r->result->code), "OK");
    return BODY(&fx, r, ListOperationsResponse)->n_operations;
}

/* The gateway serves as before: what was under way ends, and each machine can be deleted. Returns
 * how many there were. */
static size_t check_serves(const char *what, unsigned n)
{
    int64_t until = clock_mono_ns() + HANGS_MS * NS_PER_MS;
    while (count_open() > 0) {
        if (clock_mono_ns() > until)
            fail_msg("%s, allocation %u: an operation does not end", what, n);
        usleep(1000);
    }
    pb_Vm **vms;
    size_t n_vms = list(&vms);
    for (size_t i = 0; i < n_vms; i++) {
        pb_DeleteVmRequest *req = NEW(&fx, DeleteVmRequest);
        req->cloud = TEXT("box");
        req->id = vms[i]->id;
        req->wait = WAIT_RUNNING;
        pb_Reply *r = call("isobar.v1.VmService/DeleteVm", req);
        assert_string_equal(result_name(r->result->code), "Deleted");
    }
    return n_vms;
}

/* ---- Pieces of work ---- */

static enum answer create_waiting(pb_Reply **ret)
{
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "web");
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/CreateVm", req, ret);
}

static enum answer create_then_wait(pb_Reply **ret)
{
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "web");
    req->wait = WAIT_NONE;
    enum answer got = try_call("isobar.v1.VmService/CreateVm", req, ret);
    if (got != ANSWERED || !(*ret)->result->operation_id[0])
        return got;
    pb_WaitOperationRequest *wait = NEW(&fx, WaitOperationRequest);
    wait->id = (*ret)->result->operation_id;
    return try_call("isobar.v1.OperationService/WaitOperation", wait, ret);
}

static enum answer list_machines(pb_Reply **ret)
{
    /* Of both clouds, side by side. */
    return try_call("isobar.v1.VmService/ListVms", NEW(&fx, ListVmsRequest), ret);
}

static enum answer get_machine(pb_Reply **ret)
{
    pb_GetVmRequest *req = NEW(&fx, GetVmRequest);
    req->cloud = TEXT("box");
    req->id = TEXT("web");
    return try_call("isobar.v1.VmService/GetVm", req, ret);
}

static enum answer list_operations(pb_Reply **ret)
{
    return try_call("isobar.v1.OperationService/ListOperations", NEW(&fx, ListOperationsRequest),
                    ret);
}

static enum answer stop_machine(pb_Reply **ret)
{
    pb_StopVmRequest *req = NEW(&fx, StopVmRequest);
    req->cloud = TEXT("box");
    req->id = TEXT("web");
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/StopVm", req, ret);
}

static enum answer delete_machine(pb_Reply **ret)
{
    pb_DeleteVmRequest *req = NEW(&fx, DeleteVmRequest);
    req->cloud = TEXT("box");
    req->id = TEXT("web");
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/DeleteVm", req, ret);
}

static enum answer batch(pb_Reply **ret)
{
    char *ids[] = {TEXT("web"), TEXT("none")};
    pb_BatchControlVmsRequest *req = NEW(&fx, BatchControlVmsRequest);
    req->cloud = TEXT("box");
    req->ids = ids;
    req->n_ids = 2;
    req->action = VM_ACTION_STOP;
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/BatchControlVms", req, ret);
}

static const struct piece {
    const char *name;
    enum answer (*run)(pb_Reply **ret);
    bool on_machine; /* needs one, which is made before */
    bool creates;
} pieces[] = {
    {"create, waiting", create_waiting, false, true},
    {"create, then wait", create_then_wait, false, true},
    {"list machines", list_machines, true, false},
    {"get a machine", get_machine, true, false},
    {"list operations", list_operations, true, false},
    {"stop a machine", stop_machine, true, false},
    {"delete a machine", delete_machine, true, false},
    {"a batch", batch, true, false},
};

/* ---- Passes ---- */

static void begin(void)
{
    fixture_start(&fx, CLOUDS);
}

/* One round: whether any allocation failed in it. */
static bool run_round(const struct piece *p, arm_function *arm, unsigned n)
{
    pb_Reply *reply = NULL;
    if (p->on_machine)
        make();
    timeout_ms = arm == alloc_fail_from ? SHORT_MS : LONG_MS;
    arm(n);
    enum answer got = p->run(&reply);
    timeout_ms = HANGS_MS;
    bool failed = alloc_fail_stop() > 0;
    if (got == HUNG)
        fail_msg("%s, allocation %u: no answer within %d ms", p->name, n, HANGS_MS);
    if (!failed && got != ANSWERED)
        fail_msg("%s, allocation %u: the connection is closed without need", p->name, n);
    /* A machine that is busy with other things may need longer than the caller has. */
    if (!failed && !result_is_success(reply->result->code) &&
        reply->result->code != RESULT_CODE_PARTIAL &&
        reply->result->code != RESULT_CODE_DEADLINE_EXCEEDED)
        fail_msg("%s, allocation %u: %s without need", p->name, n,
                 result_name(reply->result->code));
    bool made = got == ANSWERED && reply->result->code == RESULT_CODE_CREATED;
    if (made && !BODY(&fx, reply, CreateVmResponse)->vm)
        fail_msg("%s, allocation %u: Created, and not said what", p->name, n);
    size_t machines = check_serves(p->name, n);
    if (p->creates && machines > 1)
        fail_msg("%s, allocation %u: %zu machines", p->name, n, machines);
    if (made && machines != 1)
        fail_msg("%s, allocation %u: Created, and no machine", p->name, n);
    arena_reset(&fx.arena);
    return failed;
}

static void run_pass(const struct piece *p, arm_function *arm, bool cold)
{
    unsigned n = 1;
    for (bool failed = true; failed; n++) {
        if (n == ROUNDS_MAX)
            fail_msg("%s: still allocations to fail after %d rounds", p->name, ROUNDS_MAX);
        if (cold)
            begin();
        failed = run_round(p, arm, n);
        if (cold)
            fixture_end(&fx);
    }
    print_message("%s: %u rounds\n", p->name, n - 1);
    if (cold)
        assert_true(n > 2);
}

static void run_all(arm_function *arm, bool cold)
{
    if (!cold)
        begin();
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        run_pass(&pieces[i], arm, cold);
    if (!cold)
        fixture_end(&fx);
}

static void test_one_fails(void **state)
{
    (void)state;
    run_all(alloc_fail_at, true);
}

static void test_all_fail_for_a_while(void **state)
{
    (void)state;
    run_all(alloc_fail_from, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_fails),
        cmocka_unit_test(test_all_fail_for_a_while),
    };
    alloc_fail_spare(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
