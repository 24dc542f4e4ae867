/* Taking machines away through the AWS adapter, and what is left over, against a cloud that answers
 * by a table: what is noted and sent in which order, and that nothing of others is touched.
 */
#include "ec2_create.h"

static char noted[2][64]; /* in the order of the calls */
static size_t n_noted;
static bool recordable;

static bool note_id(struct op *op, const char *id)
{
    (void)op;
    /* Nothing has left before. */
    assert_int_equal(cloud_count(&cloud, TERMINATE) +
                         cloud_count(&cloud, DO("ModifyNetworkInterfaceAttribute")) +
                         cloud_count(&cloud, DO("StopInstances")),
                     0);
    snprintf(noted[n_noted++], sizeof(noted[0]), "%s", id);
    return recordable;
}

static void note_maker(struct op *op, const char *token)
{
    note_id(op, token);
}

static int setup(void **state)
{
    recordable = true;
    return create_setup(state);
}

static struct op *fresh(void)
{
    struct op *op = cloud_op(&cloud);

    n_noted = 0;
    memset(noted, 0, sizeof(noted));
    op->note_id = note_id;
    op->note_maker = note_maker;
    return op;
}

static pb_Vm *delete (const char *wanted, bool dry_run, pb_ResultCode code)
{
    pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
    pb_DeleteVmResponse rsp = pb_DeleteVmResponse_INIT;
    struct op *op = fresh();

    req.id = arena_strdup(op->arena, wanted);
    req.dry_run = dry_run;
    cloud_code(&cloud, aws_adapter.delete_vm(cloud.adapter, op, &req, &rsp), code);
    return rsp.vm;
}

#define OURS                                                                                       \
    {LIST_ENIS, ALWAYS, 200, ENIS(ENI("eni-1", "t1", ATTACHED(ID)) ENI("eni-2", "t2", ""))},       \
    {                                                                                              \
        LIST_ADDRS, ALWAYS, 200,                                                                   \
            ADDRESSES(ADDRESS("eipalloc-1", "t1", ON("eni-1")) ADDRESS("eipalloc-2", "t2", "")     \
                          ADDRESS("eipalloc-3", "t1", ON("eni-7")))                                \
    }

static void test_with_all_that_was_made_for_it(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, OURS);
    const pb_Vm *vm = delete (ID, false, RESULT_CODE_DELETED);

    assert_int_equal(vm->state, VM_STATE_DELETING);
    assert_string_equal(noted[0], "t1");
    assert_string_equal(noted[1], ID);
    IN_ORDER(SHOW, LIST_ENIS, LIST_ADDRS,
             DO("ModifyNetworkInterfaceAttribute") "&NetworkInterfaceId=eni-1"
                                                   "&Attachment.AttachmentId=att-1",
             TERMINATE "&InstanceId.1=" ID, DO("DisassociateAddress") "&AssociationId=assoc-1",
             DO("ReleaseAddress") "&AllocationId=eipalloc-1");
    ordered(0, 0, 0, 2); /* the interface goes with the machine */
    assert_int_equal(cloud_count(&cloud, DO("CancelSpotInstanceRequests")), 0);
}

/* Nothing was made for it: nothing is looked for. */
static void test_plain(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {SHOW, ALWAYS, 200, RESERVATIONS(MACHINE(ID, "t1", "running", ""))});
    delete (ID, false, RESULT_CODE_DELETED);
    assert_int_equal(cloud_count(&cloud, LIST_ENIS) + cloud_count(&cloud, LIST_ADDRS), 0);
    ordered(0, 0, 0, 1);
    /* One that looks like ours, and is a copy: its mark is another machine's. */
    CLOUD_ROWS(&cloud, {SHOW, ALWAYS, 200, RESERVATIONS(MACHINE(ID, "x", "running", ENI_NIC("")))});
    delete (ID, false, RESULT_CODE_DELETED);
    assert_int_equal(n_noted, 1);
    assert_string_equal(noted[0], ID);
    ordered(0, 0, 0, 1);
}

static void test_that_cannot_be_recorded(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, OURS);
    recordable = false;
    delete (ID, false, RESULT_CODE_UNAVAILABLE);
    effects(SIDE_EFFECTS_NONE);
    ordered(0, 0, 0, 0);
}

/* Another machine of the same operation is there: what nobody uses may be for it. */
static void test_twin(void **state)
{
    (void)state;
    CLOUD_ROWS(
        &cloud,
        {LIST_ENIS, ALWAYS, 200, ENIS(ENI("eni-1", "t1", ATTACHED(ID)) ENI("eni-5", "t1", ""))},
        {LIST_ADDRS, ALWAYS, 200, ADDRESSES(ADDRESS("eipalloc-5", "t1", ""))},
        {LIST_MACHINES, 1, 200,
         RESERVATIONS(MACHINE(ID, "t1", "running", "")
                          MACHINE("i-00000000000000002", "t1", "running", ""))},
        {LIST_MACHINES, ALWAYS, 200,
         RESERVATIONS(MACHINE(ID, "t1", "running", "")
                          MACHINE("i-00000000000000002", "t1", "terminated", ""))});
    delete (ID, false, RESULT_CODE_DELETED);
    ordered(0, 0, 0, 1);
    delete (ID, false, RESULT_CODE_DELETED);
    ordered(0, 0, 0, 3);
}

static void test_gone(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances"), ALWAYS, 200, RESERVATIONS("")});
    const pb_Vm *vm = delete ("i-00000000000000005", false, RESULT_CODE_DELETED);
    assert_int_equal(vm->state, VM_STATE_DELETED);
    assert_string_equal(vm->id, "i-00000000000000005");
    assert_true(cloud_count(&cloud, DO("DescribeInstances") BY("1", "instance-id", "")) >= 5);
    delete ("web", false, RESULT_CODE_NOT_FOUND);
    delete ("i-00000000000000005", true, RESULT_CODE_NOT_FOUND);
    /* It is known still, and what was made for it is there: an earlier try died in between. */
    CLOUD_ROWS(&cloud, {SHOW, ALWAYS, 200, RESERVATIONS(MACHINE(ID, "t1", "terminated", ""))},
               {LIST_ENIS, ALWAYS, 200, ENIS(ENI("eni-1", "t1", ""))},
               {LIST_ADDRS, ALWAYS, 200, ADDRESSES(ADDRESS("eipalloc-1", "t1", ""))});
    vm = delete (ID, false, RESULT_CODE_DELETED);
    assert_int_equal(vm->state, VM_STATE_DELETED);
    ordered(0, 0, 0, 2);
    assert_int_equal(cloud_count(&cloud, TERMINATE), 0);
}

static void test_protected(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {TERMINATE, ALWAYS, 400, EC2_ERROR("OperationNotPermitted", "protected")});
    delete (ID, false, RESULT_CODE_FAILED_PRECONDITION);
    effects(SIDE_EFFECTS_NONE);
    assert_non_null(strstr(cloud.op.result->detail, "web (" ID ") is protected"));
    assert_string_equal(cloud.op.result->native->code, "OperationNotPermitted");
}

static void test_dry_run(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {TERMINATE, 1, 412, EC2_ERROR("DryRunOperation", "it would")},
               {TERMINATE, 1, 403, EC2_ERROR("UnauthorizedOperation", "no")});
    const pb_Vm *vm = delete (ID, true, RESULT_CODE_OK);
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    delete (ID, true, RESULT_CODE_FORBIDDEN);
    assert_int_equal(n_noted, 0);
    assert_int_equal(cloud_count(&cloud, TERMINATE "&InstanceId.1=" ID "&DryRun=true"), 1);
}

/* A spot request that is persistent would make another one. */
static void test_spot(void **state)
{
    (void)state;
#define SPOT   "<spotInstanceRequestId>sir-1</spotInstanceRequestId>"
#define CANCEL DO("CancelSpotInstanceRequests") "&SpotInstanceRequestId.1=sir-1"
    CLOUD_ROWS(&cloud, {SHOW, ALWAYS, 200, RESERVATIONS(MACHINE(ID, "t1", "running", SPOT))},
               {CANCEL, 1, 200, DONE},
               {CANCEL, 1, 400, EC2_ERROR("InvalidSpotInstanceRequestID.NotFound", "gone")},
               {CANCEL, 1, 403, EC2_ERROR("UnauthorizedOperation", "no")},
               {CANCEL, ALWAYS, 503, EC2_ERROR("Unavailable", "later")});
    for (size_t i = 0; i < 3; i++) {
        delete (ID, false, RESULT_CODE_DELETED);
        IN_ORDER(CANCEL, TERMINATE);
        assert_int_equal(cloud.op.result->n_warnings, i == 2);
    }
    delete (ID, false, RESULT_CODE_UNAVAILABLE);
    ordered(0, 0, 0, 0);
}

/* ---- Actions ---- */

static void test_actions(void **state)
{
    (void)state;
    pb_StopVmRequest req = pb_StopVmRequest_INIT;
    pb_StopVmResponse rsp = pb_StopVmResponse_INIT;
#define STOP DO("StopInstances") "&InstanceId.1=" ID
    CLOUD_ROWS(&cloud, {STOP, 1, 400, EC2_ERROR("InvalidInstanceID.NotFound", "not yet")},
               {STOP, 1, 200,
                EC2("StopInstances", "<instancesSet><item><instanceId>" ID
                                     "</instanceId><currentState><name>stopping</name>"
                                     "</currentState></item></instancesSet>")},
               {STOP, 1, 400, EC2_ERROR("IncorrectInstanceState", "not from here")},
               {STOP, ALWAYS, 503, EC2_ERROR("RequestLimitExceeded", "slower")});
    struct op *op = fresh();
    req.id = arena_strdup(op->arena, ID);
    cloud_code(&cloud, aws_adapter.stop_vm(cloud.adapter, op, &req, &rsp), RESULT_CODE_CHANGED);
    assert_int_equal(rsp.vm->state, VM_STATE_STOPPING);
    assert_string_equal(noted[0], ID);
    assert_int_equal(cloud_count(&cloud, STOP), 2);
    op = fresh();
    req.id = arena_strdup(op->arena, ID);
    cloud_code(&cloud, aws_adapter.stop_vm(cloud.adapter, op, &req, &rsp),
               RESULT_CODE_FAILED_PRECONDITION);
    assert_non_null(strstr(op->result->detail, "cannot stop machine web"));
    assert_int_equal(op->result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    op = fresh();
    recordable = false;
    req.id = arena_strdup(op->arena, ID);
    cloud_code(&cloud, aws_adapter.stop_vm(cloud.adapter, op, &req, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(cloud_count(&cloud, STOP), 0);
}

/* ---- What is left over ---- */

static void test_leftovers(void **state)
{
    (void)state;
#define ANY(n_) BY(n_, "tag-key", "isobar-token")
    CLOUD_ROWS(
        &cloud,
        {DO("DescribeInstances") ANY("1"), ALWAYS, 200,
         RESERVATIONS(MACHINE(ID, "t1", "running", "")
                          MACHINE("i-00000000000000002", "t1", "terminated", ""))},
        {DO("DescribeNetworkInterfaces") ANY("1"), ALWAYS, 200,
         ENIS(ENI("eni-1", "t1", "") ENI("eni-2", "t2", "") ENI(
             "eni-3", "t3",
             ATTACHED("i-9")) "<item><networkInterfaceId>eni-4</networkInterfaceId></item>")},
        {DO("DescribeAddresses") ANY("1"), ALWAYS, 200,
         ADDRESSES(ADDRESS("eipalloc-1", "t1", "") ADDRESS("eipalloc-2", "t2", ON("eni-2"))
                       ADDRESS("eipalloc-3", "t2", ON("eni-9")) ADDRESS("eipalloc-4", "t4", ""))});
    static const struct {
        const char *kind, *id, *token;
        bool in_use;
    } rows[] = {
        {"vm", ID, "t1", false},
        {"network_interface", "eni-1", "t1", true}, /* its machine is there */
        {"network_interface", "eni-2", "t2", false},
        {"network_interface", "eni-3", "t3", true},
        {"address", "eipalloc-1", "t1", true},
        {"address", "eipalloc-2", "t2", false}, /* on what is itself left over */
        {"address", "eipalloc-3", "t2", true},
        {"address", "eipalloc-4", "t4", false},
    };
    pb_ListLeftoversRequest req = pb_ListLeftoversRequest_INIT;
    pb_ListLeftoversResponse rsp = pb_ListLeftoversResponse_INIT;
    cloud_code(&cloud, aws_adapter.list_leftovers(cloud.adapter, fresh(), &req, &rsp),
               RESULT_CODE_OK);
    assert_int_equal(rsp.n_leftovers, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(rsp.leftovers[i]->kind, rows[i].kind);
        assert_string_equal(rsp.leftovers[i]->id, rows[i].id);
        assert_string_equal(rsp.leftovers[i]->operation_id, rows[i].token);
        assert_int_equal(rsp.leftovers[i]->in_use, rows[i].in_use);
    }
}

static void test_delete_leftover(void **state)
{
    (void)state;
    pb_DeleteLeftoverRequest req = pb_DeleteLeftoverRequest_INIT;
    pb_DeleteLeftoverResponse rsp = pb_DeleteLeftoverResponse_INIT;
    CLOUD_ROWS(
        &cloud,
        {LIST_ENIS, ALWAYS, 200,
         ENIS(ENI("eni-1", "t1", "") ENI("eni-2", "t2", "") ENI("eni-3", "t1", ATTACHED("i-9")))},
        {LIST_ADDRS, ALWAYS, 200,
         ADDRESSES(ADDRESS("eipalloc-1", "t1", ON("eni-1"))
                       ADDRESS("eipalloc-3", "t1", ON("eni-3")))});
    for (int dry_run = 1; dry_run >= 0; dry_run--) {
        struct op *op = fresh();
        req.id = arena_strdup(op->arena, "t1");
        req.dry_run = dry_run;
        cloud_code(&cloud, aws_adapter.delete_leftover(cloud.adapter, op, &req, &rsp),
                   dry_run ? RESULT_CODE_OK : RESULT_CODE_FAILED_PRECONDITION);
        assert_int_equal(rsp.n_leftovers, 2);
        assert_int_equal(op->result->n_warnings, 2); /* somebody has the others */
        ordered(0, 0, 0, dry_run ? 0 : 2);
    }
    IN_ORDER(DO("DisassociateAddress"), DO("ReleaseAddress") "&AllocationId=eipalloc-1",
             DO("DeleteNetworkInterface") "&NetworkInterfaceId=eni-1");
    /* Its machine is there: nothing goes. */
    CLOUD_ROWS(
        &cloud, {LIST_MACHINES, 1, 200, RESERVATIONS(MACHINE(ID, "t1", "pending", ""))},
        {DO("DeleteNetworkInterface"), ALWAYS, 403, EC2_ERROR("UnauthorizedOperation", "no")});
    struct op *op = fresh();
    req.id = arena_strdup(op->arena, "t1");
    cloud_code(&cloud, aws_adapter.delete_leftover(cloud.adapter, op, &req, &rsp),
               RESULT_CODE_DELETED);
    assert_int_equal(rsp.n_leftovers, 0);
    ordered(0, 0, 0, 0);
    /* One cannot be deleted: it is tried again. */
    op = fresh();
    req.id = arena_strdup(op->arena, "t1");
    cloud_code(&cloud, aws_adapter.delete_leftover(cloud.adapter, op, &req, &rsp),
               RESULT_CODE_UNAVAILABLE);
    assert_int_equal(op->result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
}

/* The machine is gone, or nearly, and has its interface still: the address goes at once, and it is
 * tried again until the interface is gone, too. */
static void test_leftover_of_a_machine_that_goes(void **state)
{
    (void)state;
    pb_DeleteLeftoverRequest req = pb_DeleteLeftoverRequest_INIT;
    pb_DeleteLeftoverResponse rsp = pb_DeleteLeftoverResponse_INIT;
    CLOUD_ROWS(&cloud,
               {LIST_MACHINES, ALWAYS, 200, RESERVATIONS(MACHINE(ID, "t1", "shutting-down", ""))},
               {LIST_ENIS, 1, 200, ENIS(ENI("eni-1", "t1", ATTACHED(ID)))},
               {LIST_ENIS, ALWAYS, 200, ENIS(ENI("eni-1", "t1", ""))},
               {LIST_ADDRS, 1, 200, ADDRESSES(ADDRESS("eipalloc-1", "t1", ON("eni-1")))});
    for (int i = 0; i < 2; i++) {
        struct op *op = fresh();
        req.id = arena_strdup(op->arena, "t1");
        cloud_code(&cloud, aws_adapter.delete_leftover(cloud.adapter, op, &req, &rsp),
                   i == 0 ? RESULT_CODE_FAILED_PRECONDITION : RESULT_CODE_DELETED);
        assert_int_equal(cloud_count(&cloud, DO("ModifyNetworkInterfaceAttribute")), i == 0);
        assert_int_equal(cloud_count(&cloud, DO("ReleaseAddress")), i == 0);
        assert_int_equal(cloud_count(&cloud, DO("DeleteNetworkInterface")), i == 1);
    }
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_with_all_that_was_made_for_it),
        TEST(test_plain),
        TEST(test_that_cannot_be_recorded),
        TEST(test_twin),
        TEST(test_gone),
        TEST(test_protected),
        TEST(test_dry_run),
        TEST(test_spot),
        TEST(test_actions),
        TEST(test_leftovers),
        TEST(test_delete_leftover),
        TEST(test_leftover_of_a_machine_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
