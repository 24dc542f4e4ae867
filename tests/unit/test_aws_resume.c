/* A create that is resumed, through the AWS adapter against a cloud that answers by a table: what
 * an earlier try has made is taken instead of made again, and nothing of others is touched.
 */
#include "ec2_create.h"

#define CAPACITY EC2_ERROR("InsufficientInstanceCapacity", "no room")

static void resumed(void)
{
    cloud.op.resumed = true;
}

static void test_resumed(void **state)
{
    (void)state;
    pb_VmSpec *s = spec();
    resumed();
    create(s, RESULT_CODE_CREATED);
    ordered(1, 0, 0, 0);
    /* Nothing of it is there: all is made. */
    s = spec_static();
    resumed();
    create(s, RESULT_CODE_CREATED);
    ordered(1, 1, 1, 0);
}

static void test_resumed_with_an_interface(void **state)
{
    (void)state;
    static const struct {
        const char *enis, *addresses;
        size_t allocated, put, deleted;
    } rows[] = {
        {ENIS(ENI("eni-2", "t2", "") ENI("eni-1", "t1", "")), ADDRESSES(""), 1, 1, 0},
        {ENIS(ENI("eni-1", "t1", ATTACHED(ID))),
         ADDRESSES(ADDRESS("eipalloc-1", "t1", ON("eni-1"))), 0, 0, 0},
        {ENIS(ENI("eni-1", "t1", "")),
         ADDRESSES(ADDRESS("eipalloc-8", "t2", "") ADDRESS("eipalloc-1", "t1", "")), 0, 1, 0},
        /* Of two the one that is on the interface; another one, of an order that came late, goes.
         */
        {ENIS(ENI("eni-1", "t1", "")),
         ADDRESSES(ADDRESS("eipalloc-2", "t1", "") ADDRESS("eipalloc-1", "t1", ON("eni-1"))
                       ADDRESS("eipalloc-3", "t1", ON("eni-9"))),
         0, 0, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cloud_row both[] = {{LIST_ENIS, ALWAYS, 200, rows[i].enis},
                                         {LIST_ADDRS, ALWAYS, 200, rows[i].addresses}};
        cloud_rows(&cloud, both, ARRAY_LEN(both));
        pb_VmSpec *s = spec_static();
        resumed();
        create(s, RESULT_CODE_CREATED);
        ordered(1, 0, rows[i].allocated, rows[i].deleted);
        assert_int_equal(cloud_count(&cloud, DO("AssociateAddress")), rows[i].put);
        assert_non_null(strstr(cloud.log, "NetworkInterfaceId=eni-1&"));
    }
}

/* The machine is there after all; or there is none, and what was made before goes. */
static void test_resumed_and_refused(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {RUN, ALWAYS, 500, CAPACITY},
               {LIST_MACHINES, 1, 200, RESERVATIONS(MACHINE(ID, "t1", "running", ""))},
               {LIST_ENIS, ALWAYS, 200, ENIS(ENI("eni-1", "t1", ""))});
    pb_VmSpec *s = spec_static();
    resumed();
    assert_string_equal(create(s, RESULT_CODE_CREATED)->id, ID);
    s = spec_static();
    resumed();
    create(s, RESULT_CODE_OUT_OF_CAPACITY);
    effects(SIDE_EFFECTS_NONE);
    ordered(1, 0, 1, 2);
    /* It cannot be seen whether there is one: nothing is touched. */
    CLOUD_ROWS(&cloud, {LIST_MACHINES, ALWAYS, 403, EC2_ERROR("UnauthorizedOperation", "no")});
    s = spec_static();
    resumed();
    create(s, RESULT_CODE_OUTCOME_UNKNOWN);
    ordered(1, 0, 1, 0);
}

/* What this try cannot even order, an earlier one may have: nothing is taken back, lists may lag.
 */
static void test_resumed_and_not_planned(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {DO("DescribeSecurityGroups"), ALWAYS, 200,
                EC2("DescribeSecurityGroups", "<securityGroupInfo/>")},
               {LIST_MACHINES, 1, 200, RESERVATIONS(MACHINE(ID, "t1", "running", ""))},
               {LIST_ENIS, ALWAYS, 200, ENIS(ENI("eni-1", "t1", ""))});
    pb_VmSpec *s = spec_static();
    resumed();
    assert_string_equal(create(s, RESULT_CODE_CREATED)->id, ID);
    s = spec_static();
    resumed();
    create(s, RESULT_CODE_NOT_FOUND);
    assert_true(cloud.op.touched);
    ordered(0, 0, 0, 0);
}

/* The user's own address: on our interface already, or on somebody's meanwhile. */
static void test_resumed_with_a_named_address(void **state)
{
    (void)state;
#define NAMED DO("DescribeAddresses") BY("1", "public-ip", "192.0.2.1")
    CLOUD_ROWS(&cloud, {NAMED, 1, 200, ADDRESSES(ADDRESS("eipalloc-7", "", ON("eni-1")))},
               {NAMED, ALWAYS, 200, ADDRESSES(ADDRESS("eipalloc-7", "", ON("eni-9")))},
               {LIST_ENIS, ALWAYS, 200, ENIS(ENI("eni-1", "t1", ""))});
    for (int i = 0; i < 2; i++) {
        pb_VmSpec *s = spec();
        s->public_ip = arena_strdup(&cloud.arena, "192.0.2.1");
        resumed();
        create(s, i == 0 ? RESULT_CODE_CREATED : RESULT_CODE_FAILED_PRECONDITION);
        assert_int_equal(cloud_count(&cloud, DO("AssociateAddress")), 0);
        ordered(i == 0, 0, 0, 0); /* the address is nobody's business, the rest is come back for */
        assert_int_equal(cloud.op.touched, i == 1);
    }
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, create_setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_resumed),
        TEST(test_resumed_with_an_interface),
        TEST(test_resumed_and_refused),
        TEST(test_resumed_and_not_planned),
        TEST(test_resumed_with_a_named_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
