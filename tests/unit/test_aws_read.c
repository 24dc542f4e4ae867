/* Reading machines through the AWS adapter, against a cloud that answers by a table: what is asked,
 * page by page, and what is found.
 */
#include "ec2_read.h"

static pb_Vm *get(const char *id, pb_ResultCode wanted)
{
    pb_GetVmRequest req = pb_GetVmRequest_INIT;
    pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
    struct op *op = cloud_op(&cloud);

    req.id = arena_strdup(op->arena, id);
    cloud_code(&cloud, aws_adapter.get_vm(cloud.adapter, op, &req, &rsp), wanted);
    return rsp.vm;
}

static pb_ListVmsResponse list(const pb_ListVmsRequest *req, pb_ResultCode wanted)
{
    pb_ListVmsResponse rsp = pb_ListVmsResponse_INIT;

    cloud_code(&cloud, aws_adapter.list_vms(cloud.adapter, cloud_op(&cloud), req, &rsp), wanted);
    return rsp;
}

static void check_names(const pb_Vm *vm)
{
    assert_string_equal(vm->id, ID1);
    assert_string_equal(vm->image_name, "debian");
    assert_string_equal(vm->addresses[0]->network_name, "lan");
    assert_int_equal(vm->memory_mib, 1024);
    assert_int_equal(vm->vcpus, 2);
    assert_string_equal(vm->region, "eu-test-1");
}

/* The names are asked for once; from then on it is one request. */
static void test_one_request(void **state)
{
    (void)state;
    check_names(get(ID1, RESULT_CODE_OK));
    assert_int_equal(cloud.requests, 4);
    assert_int_equal(cloud_count(&cloud,
                                 DO("DescribeImages") "&IncludeDeprecated=true&Filter.1.Name="
                                                      "image-id&Filter.1.Value.1=ami-1&"),
                     1);
    for (int i = 0; i < 3; i++) {
        check_names(get(ID1, RESULT_CODE_OK));
        assert_int_equal(cloud.requests, 1);
    }
}

/* Nobody has the names, or EC2 does not let us know them: the machine is shown all the same, and
 * nobody is asked again and again. */
static void test_no_names(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeImages"), ALWAYS, 200, EC2("DescribeImages", "<imagesSet/>")},
               {DO("DescribeVpcs"), ALWAYS, 403, EC2_ERROR("UnauthorizedOperation", "no")},
               {DO("DescribeInstanceTypes"), ALWAYS, 200, "<html/>"});
    for (int i = 0; i < 3; i++) {
        const pb_Vm *vm = get(ID1, RESULT_CODE_OK);
        assert_string_equal(vm->image_name, "");
        assert_string_equal(vm->addresses[0]->network_id, "vpc-1");
        assert_string_equal(vm->addresses[0]->network_name, "");
        assert_int_equal(vm->memory_mib, 0);
        assert_string_equal(cloud.op.result->detail, "");
        assert_int_equal(cloud.requests, i == 0 ? 4 : 1);
    }
}

static void test_by_name(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances") BY_NAME("web%20%5C%2A"), ALWAYS, 200,
                        MACHINES(MACHINE(ID1, "web *"), "")});
    check_names(get("web *", RESULT_CODE_OK));
    assert_int_equal(cloud_count(&cloud, DO("DescribeInstances") BY_NAME(
                                             "web%20%5C%2A") "&Filter.2.Name=instance-state-name"),
                     1);
}

/* An id is not there: two requests, and no names that are near to it. */
static void test_no_such_id(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances"), ALWAYS, 200, MACHINES("", "")});
    get("i-0000000000000000f", RESULT_CODE_NOT_FOUND);
    assert_int_equal(cloud.requests, 2);
    assert_string_equal(cloud.op.result->detail, "no machine 'i-0000000000000000f'");
    /* What EC2 would call malformed. */
    get("i-x", RESULT_CODE_NOT_FOUND);
    assert_int_equal(cloud.requests, 3);
}

static void test_near_name(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances") BY_NAME("wbe"), ALWAYS, 200, MACHINES("", "")},
               {DO("DescribeInstances") "&Filter.1.Name=instance-state-name", ALWAYS, 200,
                MACHINES(MACHINE(ID1, "web") MACHINE(ID2, "other"), "")});
    get("wbe", RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(cloud.op.result->detail, "did you mean web (" ID1 ")?"));
}

#define GONE(id_)                                                                                  \
    "<item><instancesSet><item><instanceId>" id_ "</instanceId><instanceState><name>shutting-down" \
    "</name></instanceState><tagSet><item><key>Name</key><value>web</value></item></tagSet></"     \
    "item>"                                                                                        \
    "</instancesSet></item>"

static void test_ambiguous(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {DO("DescribeInstances") BY_NAME("web"), 1, 200,
                MACHINES(MACHINE(ID1, "web") MACHINE(ID2, "web"), "")},
               {DO("DescribeInstances") BY_NAME("web"), 1, 200,
                MACHINES(GONE(ID2) MACHINE(ID1, "web"), "")},
               {DO("DescribeInstances") BY_NAME("web"), 1, 200, MACHINES(GONE(ID2), "")});
    get("web", RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(cloud.op.result->detail, ID1 ", " ID2));
    /* A name means what is there, and what goes where nothing else is. */
    assert_string_equal(get("web", RESULT_CODE_OK)->id, ID1);
    assert_string_equal(get("web", RESULT_CODE_OK)->id, ID2);
}

/* ---- Lists ---- */

static void test_pages(void **state)
{
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;

    (void)state;
    CLOUD_ROWS(&cloud,
               {DO("DescribeInstances") "&MaxResults=1000$", 1, 200,
                MACHINES(MACHINE(ID1, "a"), "<nextToken>two=</nextToken>")},
               {DO("DescribeInstances") "&MaxResults=1000&NextToken=two%3D$", 1, 200,
                MACHINES("", "<nextToken>three</nextToken>")},
               {DO("DescribeInstances") "&MaxResults=1000&NextToken=three$", 1, 200,
                MACHINES(MACHINE(ID2, "b"), "<nextToken/>")});
    pb_ListVmsResponse rsp = list(&req, RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 2);
    assert_string_equal(rsp.vms[0]->id, ID1);
    assert_string_equal(rsp.vms[1]->id, ID2);
    assert_string_equal(rsp.vms[1]->image_name, "debian");
    assert_int_equal(cloud.requests, 3 + 3); /* names once for all */
}

static void test_endless(void **state)
{
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;

    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances"), ALWAYS, 200,
                        MACHINES("", "<nextToken>again</nextToken>")});
    list(&req, RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(cloud.op.result->detail, "has no end"));
    assert_true(cloud.requests < 10);
}

static void test_no_list(void **state)
{
    static const char *const bodies[] = {EC2("DescribeInstances", ""), "{\"reservationSet\": []}",
                                         "", "<html><body/></html>",
                                         "<DescribeInstancesResponse><reservationSet>"};
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        const struct cloud_row row = {DO("DescribeInstances"), ALWAYS, 200, bodies[i]};
        cloud_rows(&cloud, &row, 1);
        list(&req, RESULT_CODE_UNAVAILABLE);
        assert_non_null(strstr(cloud.op.result->detail, "DescribeInstances"));
        assert_non_null(strstr(cloud.op.result->detail, "check the endpoint's URL"));
        cloud_drop_row(&cloud);
    }
}

/* What EC2 can leave out, it is told to. */
static void test_filters(void **state)
{
    pb_VmState states[] = {VM_STATE_STOPPED, VM_STATE_SUSPENDED, VM_STATE_CREATING};
    pb_ListVmsRequest_TagsEntry tags[] = {pb_ListVmsRequest_TagsEntry_INIT,
                                          pb_ListVmsRequest_TagsEntry_INIT};
    pb_ListVmsRequest_TagsEntry *tag_list[] = {&tags[0], &tags[1]};
    char web[] = "web-?*", role[] = "role", front[] = "fr*nt", team[] = "team";
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;

    (void)state;
    tags[0].key = role;
    tags[0].value = front;
    tags[1].key = team;
    req.name = web;
    req.states = states;
    req.n_states = 3;
    req.tags = tag_list;
    req.n_tags = 2;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances"), ALWAYS, 200, MACHINES("", "")});
    list(&req, RESULT_CODE_OK);
    assert_int_equal(
        cloud_count(&cloud,
                    DO("DescribeInstances") "&Filter.1.Name=instance-state-name&Filter.1.Value.1="
                                            "stopped&Filter.1.Value.2=pending&Filter.2.Name=tag%3A"
                                            "Name&Filter.2.Value.1=web-%2A%2A&Filter.3.Name=tag%3A"
                                            "role&Filter.3.Value.1=fr%5C%2Ant&Filter.4.Name=tag-"
                                            "key&Filter.4.Value.1=team&MaxResults=1000 "),
        1);
    /* REBOOTING is no word of EC2's, and what has no name fits too: all of them, then. */
    states[2] = VM_STATE_REBOOTING;
    strcpy(web, "*");
    req.n_tags = 0;
    list(&req, RESULT_CODE_OK);
    assert_int_equal(cloud_count(&cloud, DO("DescribeInstances") "&MaxResults=1000 "), 1);
    /* Brackets mean nothing to EC2. */
    strcpy(web, "[ab]");
    list(&req, RESULT_CODE_OK);
    assert_int_equal(cloud_count(&cloud, DO("DescribeInstances") "&MaxResults=1000 "), 1);
}

static void test_ids(void **state)
{
    enum { N = 450 };
    char *ids[N + 1];
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;

    (void)state;
    for (int i = 0; i < N; i++)
        ids[i] = arena_printf(&cloud.kept, "i-%017x", i);
    ids[N] = ids[0]; /* once */
    req.ids = ids;
    req.n_ids = N + 1;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances"), ALWAYS, 200, MACHINES(MACHINE(ID1, "x"), "")});
    assert_int_equal(list(&req, RESULT_CODE_OK).n_vms, 3);
    assert_int_equal(cloud_count(&cloud, DO("DescribeInstances") BY_ID("i-")), 3);
    assert_non_null(strstr(cloud.log, "&Filter.1.Value.200="));
    assert_non_null(strstr(cloud.log, "&Filter.1.Value.50="));
    assert_null(strstr(cloud.log, "&Filter.1.Value.201="));
}

/* ---- Many at once ---- */

enum { THREADS = 8, ROUNDS = 20 };

static void *read_on(void *arg)
{
    struct arena a;

    arena_init(&a, (size_t)8 << 20);
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(&a);
        struct op op = cloud.op;
        op.arena = &a;
        op.deadline_ns = clock_mono_ns() + 20 * NS_PER_SEC;
        op.result = result_new(&a);
        pb_GetVmRequest req = pb_GetVmRequest_INIT;
        pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
        char id[] = ID1;
        req.id = id;
        if (aws_adapter.get_vm(cloud.adapter, &op, &req, &rsp) != RESULT_CODE_OK ||
            strcmp(rsp.vm->id, ID1) != 0)
            *(bool *)arg = false;
    }
    arena_done(&a);
    return NULL;
}

/* One thread asks for the names; the others have the machine meanwhile. */
static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    bool good[THREADS];

    (void)state;
    cloud_op(&cloud);
    for (int i = 0; i < THREADS; i++) {
        good[i] = true;
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &good[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_true(good[i]);
    assert_int_equal(cloud.requests, THREADS * ROUNDS + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_request), TEST(test_no_names),  TEST(test_by_name), TEST(test_no_such_id),
        TEST(test_near_name),   TEST(test_ambiguous), TEST(test_pages),   TEST(test_endless),
        TEST(test_no_list),     TEST(test_filters),   TEST(test_ids),     TEST(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
