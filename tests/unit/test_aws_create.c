/* Making a machine through the AWS adapter, against a cloud that answers by a table: what is sent
 * in which order, and what becomes of refusals and lost answers.
 */
#include "ec2_create.h"

#define CAPACITY EC2_ERROR("InsufficientInstanceCapacity", "no room")
#define MISMATCH EC2_ERROR("IdempotentParameterMismatch", "other arguments")
#define TROUBLE  EC2_ERROR("InternalError", "an internal error has occurred")

/* Both lines of the log that begin so are the same. */
static void same_twice(const char *begins)
{
    const char *first = strstr(cloud.log, begins), *second = strstr(first + 1, begins);

    assert_non_null(second);
    assert_int_equal(strcspn(first, "\n"), strcspn(second, "\n"));
    assert_memory_equal(first, second, strcspn(first, "\n"));
}

/* ---- All is well ---- */

static void test_plain(void **state)
{
    (void)state;
    const pb_Vm *vm = create(spec(), RESULT_CODE_CREATED);

    assert_string_equal(vm->id, ID);
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    assert_string_equal(cloud.noted, ID);
    ordered(1, 0, 0, 0);
    /* Nothing is asked of what a first try cannot have. */
    assert_int_equal(cloud_count(&cloud, LIST_MACHINES) + cloud_count(&cloud, LIST_ENIS) +
                         cloud_count(&cloud, LIST_ADDRS),
                     0);
    IN_ORDER(RUN "&ClientToken=t1&MinCount=1&MaxCount=1&ImageId=ami-00000001&InstanceType=t3.micro"
                 "&KeyName=key&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SubnetId="
                 "subnet-1",
             SHOW);
}

static void test_static(void **state)
{
    (void)state;
    create(spec_static(), RESULT_CODE_CREATED);
    ordered(1, 1, 1, 0);
    IN_ORDER(DO("CreateNetworkInterface") "&ClientToken=t1", DO("AllocateAddress"),
             DO("AssociateAddress") "&AllocationId=eipalloc-1&NetworkInterfaceId=eni-1", RUN,
             DO("ModifyNetworkInterfaceAttribute") "&NetworkInterfaceId=eni-1"
                                                   "&Attachment.AttachmentId=att-1"
                                                   "&Attachment.DeleteOnTermination=true");
}

/* Of several default subnets EC2 chooses itself, so that the same order means the same. */
static void test_default_subnets(void **state)
{
    (void)state;
#define SUBNET(id_, zone_, free_)                                                                  \
    "<item><subnetId>" id_ "</subnetId><vpcId>vpc-1</vpcId><availabilityZone>" zone_               \
    "</availabilityZone><availableIpAddressCount>" free_ "</availableIpAddressCount>"              \
    "<defaultForAz>true</defaultForAz></item>"
    CLOUD_ROWS(&cloud,
               {DO("DescribeSubnets"), ALWAYS, 200,
                EC2("DescribeSubnets",
                    "<subnetSet>" SUBNET("subnet-1", "a", "5") SUBNET("subnet-3", "c", "7")
                        SUBNET("subnet-2", "b", "7") SUBNET("subnet-4", "d", "9") "</subnetSet>")},
               {DO("DescribeInstanceTypeOfferings"), ALWAYS, 200,
                EC2("DescribeInstanceTypeOfferings",
                    "<instanceTypeOfferingSet><item><location>a</location></item><item><location>b"
                    "</location></item><item><location>c</location></item>"
                    "</instanceTypeOfferingSet>")});
    create(spec(), RESULT_CODE_CREATED);
    assert_null(strstr(cloud.log, "SubnetId"));
    /* The interface has to be somewhere: most free addresses, where the type is to be had. */
    create(spec_static(), RESULT_CODE_CREATED);
    assert_non_null(strstr(cloud.log, "&SubnetId=subnet-2&"));
}

/* EC2 does not show yet what it has just made. */
static void test_not_shown_yet(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {SHOW, 2, 200, RESERVATIONS("")},
               {DO("DescribeInstances"), 2, 200, RESERVATIONS("")});
    assert_int_equal(create(spec(), RESULT_CODE_CREATED)->state, VM_STATE_RUNNING);
    CLOUD_ROWS(&cloud, {DO("DescribeInstances"), ALWAYS, 200, RESERVATIONS("")});
    pb_VmSpec *s = spec();
    cloud.op.deadline_ns = clock_mono_ns() + NS_PER_SEC;
    const pb_Vm *vm = create(s, RESULT_CODE_CREATED);
    assert_string_equal(vm->id, ID);
    assert_string_equal(vm->name, "web");
    assert_int_equal(vm->state, VM_STATE_CREATING);
    assert_int_equal(cloud.op.result->n_warnings, 0);
}

static void test_interface_not_known_yet(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, 1, 400, EC2_ERROR("InvalidNetworkInterfaceID.NotFound", "no such")},
               {DO("AssociateAddress"), 1, 400,
                EC2_ERROR("InvalidNetworkInterfaceID.NotFound", "no such")});
    create(spec_static(), RESULT_CODE_CREATED);
    ordered(2, 1, 1, 0);
    same_twice(RUN);
}

static void test_dry_run(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, 1, 412, EC2_ERROR("DryRunOperation", "it would have succeeded")},
               {RUN, 1, 403, EC2_ERROR("UnauthorizedOperation", "not authorized")});
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = spec_static();
    req.dry_run = true;
    cloud.op.token = "";
    cloud_code(&cloud, aws_adapter.create_vm(cloud.adapter, &cloud.op, &req, &rsp), RESULT_CODE_OK);
    assert_string_equal(cloud.op.result->detail, "");
    ordered(1, 0, 0, 0);
    cloud_code(&cloud, aws_adapter.create_vm(cloud.adapter, &cloud.op, &req, &rsp),
               RESULT_CODE_FORBIDDEN);
    effects(SIDE_EFFECTS_NONE);
    assert_int_equal(cloud_count(&cloud, RUN "&DryRun=true"), 2);
}

/* ---- Refused ---- */

static void test_no_room(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, ALWAYS, 500, CAPACITY});
    create(spec(), RESULT_CODE_OUT_OF_CAPACITY);
    effects(SIDE_EFFECTS_NONE);
    ordered(1, 0, 0, 0); /* a 500 that is no trouble of EC2's is not tried again */
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_false(cloud.op.touched);
}

/* It is taken back, whether lists show it already or not. */
static void test_refused_with_an_interface(void **state)
{
    (void)state;
    for (int shown = 0; shown < 2; shown++) {
        if (shown)
            CLOUD_ROWS(&cloud,
                       {LIST_ENIS, ALWAYS, 200,
                        ENIS(ENI("eni-1", "t1", "") ENI("eni-2", "t2", "")
                                 ENI("eni-3", "t1", ATTACHED("i-9")))},
                       {LIST_ADDRS, ALWAYS, 200,
                        ADDRESSES(ADDRESS("eipalloc-1", "t1", ON("eni-1")) ADDRESS(
                            "eipalloc-2", "t2", "") ADDRESS("eipalloc-3", "t1", ON("eni-3")))});
        CLOUD_ROWS(&cloud, {RUN, 1, 500, CAPACITY});
        create(spec_static(), RESULT_CODE_OUT_OF_CAPACITY);
        effects(SIDE_EFFECTS_NONE);
        assert_true(cloud.op.touched);
        ordered(1, 1, 1, 2);
        IN_ORDER(DO("DisassociateAddress") "&AssociationId=assoc-1",
                 DO("ReleaseAddress") "&AllocationId=eipalloc-1",
                 DO("DeleteNetworkInterface") "&NetworkInterfaceId=eni-1");
        assert_string_equal(cloud.op.result->native->code, "InsufficientInstanceCapacity");
        cloud_drop_row(&cloud);
    }
}

static void test_refused_and_not_taken_back(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, 1, 500, CAPACITY},
               {DO("DeleteNetworkInterface"), ALWAYS, 403,
                EC2_ERROR("UnauthorizedOperation", "not authorized")});
    create(spec_static(), RESULT_CODE_OUT_OF_CAPACITY);
    effects(SIDE_EFFECTS_CERTAIN);
    assert_int_equal(cloud.op.result->n_warnings, 1);
    assert_non_null(strstr(cloud.op.result->warnings[0], "eni-1"));
}

/* It is in use for a moment still. */
static void test_taken_back_in_the_end(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, 1, 500, CAPACITY},
               {DO("DeleteNetworkInterface"), 2, 400,
                EC2_ERROR("InvalidParameterValue", "Network interface 'eni-1' is in use.")},
               {DO("ReleaseAddress"), 1, 400, EC2_ERROR("InvalidIPAddress.InUse", "in use")});
    create(spec_static(), RESULT_CODE_OUT_OF_CAPACITY);
    effects(SIDE_EFFECTS_NONE);
    ordered(1, 1, 1, 5);
}

/* ---- Lost ---- */

static void test_lost_once(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, 1, LOST, NULL});
    create(spec(), RESULT_CODE_CREATED);
    ordered(2, 0, 0, 0);
    same_twice(RUN);
}

static void test_lost_and_found(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, ALWAYS, 500, TROUBLE}, {LIST_MACHINES, 1, 200, RESERVATIONS("")},
               /* What ignores the filter lists everything. */
               {LIST_MACHINES, ALWAYS, 200,
                RESERVATIONS(MACHINE("i-00000000000000009", "t2", "running", "")
                                 MACHINE(ID, "t1", "pending", ""))});
    assert_string_equal(create(spec(), RESULT_CODE_CREATED)->id, ID);
    assert_string_equal(cloud.noted, ID);
    ordered(3, 0, 0, 0);
}

static void test_lost_and_not_found(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, ALWAYS, 500, TROUBLE});
    create(spec_static(), RESULT_CODE_OUTCOME_UNKNOWN);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    ordered(3, 1, 1, 0); /* all is left in place */
    assert_string_equal(cloud.noted, "");
    assert_non_null(strstr(cloud.op.result->detail, "client token t1"));
}

/* On the way to the machine. */
static void test_lost_address(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {DO("AllocateAddress"), 1, LOST, NULL});
    create(spec_static(), RESULT_CODE_OUTCOME_UNKNOWN);
    effects(SIDE_EFFECTS_POSSIBLE);
    ordered(0, 1, 1, 0);
    CLOUD_ROWS(&cloud, {DO("AllocateAddress"), 1, LOST, NULL}, {LIST_ADDRS, 1, 200, ADDRESSES("")},
               {LIST_ADDRS, ALWAYS, 200, ADDRESSES(ADDRESS("eipalloc-1", "t1", ""))});
    create(spec_static(), RESULT_CODE_CREATED);
    ordered(1, 1, 1, 0);
}

static void test_token_used(void **state)
{
    (void)state;
    static const struct {
        const char *machines;
        pb_ResultCode code;
        pb_VmState state;
    } rows[] = {
        {RESERVATIONS(MACHINE(ID, "t1", "running", "")), RESULT_CODE_CREATED, VM_STATE_RUNNING},
        {RESERVATIONS(MACHINE(ID, "t1", "terminated", "")), RESULT_CODE_CREATED, VM_STATE_DELETED},
        {RESERVATIONS(""), RESULT_CODE_OUTCOME_UNKNOWN, VM_STATE_UNSPECIFIED},
    };

    CLOUD_ROWS(&cloud, {RUN, ALWAYS, 400, MISMATCH});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cloud_row both[] = {{LIST_MACHINES, ALWAYS, 200, rows[i].machines},
                                         {SHOW, ALWAYS, 200, rows[i].machines}};
        cloud_rows(&cloud, both, ARRAY_LEN(both));
        const pb_Vm *vm = create(spec(), rows[i].code);
        if (vm != NULL)
            assert_int_equal(vm->state, rows[i].state);
        assert_int_equal(cloud.op.result->n_warnings, rows[i].state == VM_STATE_DELETED);
        ordered(1, 0, 0, 0);
    }
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, create_setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain),
        TEST(test_static),
        TEST(test_default_subnets),
        TEST(test_not_shown_yet),
        TEST(test_interface_not_known_yet),
        TEST(test_dry_run),
        TEST(test_no_room),
        TEST(test_refused_with_an_interface),
        TEST(test_refused_and_not_taken_back),
        TEST(test_taken_back_in_the_end),
        TEST(test_lost_once),
        TEST(test_lost_and_found),
        TEST(test_lost_and_not_found),
        TEST(test_lost_address),
        TEST(test_token_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
