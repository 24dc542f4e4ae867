/* Reading through the AWS adapter, against a cloud that answers by a table: what is asked, page by
 * page, and what is found.
 */
#include "ec2_stub.h"

#define ID1 "i-00000000000000001"
#define ID2 "i-00000000000000002"

#define DO(action_) "Action=" action_ "&Version=2016-11-15"
#define MACHINE(id_, name_)                                                                        \
    "<item><instancesSet><item><instanceId>" id_ "</instanceId><imageId>ami-1</imageId>"           \
    "<instanceState><name>running</name></instanceState><instanceType>t3.micro</instanceType>"     \
    "<networkInterfaceSet><item><vpcId>vpc-1</vpcId><privateIpAddress>10.0.0.1</privateIpAddress>" \
    "</item></networkInterfaceSet><tagSet><item><key>Name</key><value>" name_                      \
    "</value></item></tagSet></item></instancesSet></item>"
#define MACHINES(items_, more_)                                                                    \
    EC2("DescribeInstances", "<reservationSet>" items_ "</reservationSet>" more_)
#define IMAGES                                                                                     \
    EC2("DescribeImages", "<imagesSet><item><imageId>ami-1</imageId><name>debian</name></item>"    \
                          "</imagesSet>")
#define VPCS                                                                                       \
    EC2("DescribeVpcs", "<vpcSet><item><vpcId>vpc-1</vpcId><tagSet><item><key>Name</key><value>"   \
                        "lan</value></item></tagSet></item></vpcSet>")
#define TYPES                                                                                      \
    EC2("DescribeInstanceTypes",                                                                   \
        "<instanceTypeSet><item><instanceType>t3.micro</instanceType><vCpuInfo><defaultVCpus>2"    \
        "</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>1024</sizeInMiB></memoryInfo></item>"    \
        "</instanceTypeSet>")
#define BY_ID(id_)     "&Filter.1.Name=instance-id&Filter.1.Value.1=" id_
#define BY_NAME(name_) "&Filter.1.Name=tag%3AName&Filter.1.Value.1=" name_

static struct cloud cloud;

static int setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    CLOUD_ROWS(&cloud,
               {DO("DescribeInstances") BY_ID(ID1) "&MaxResults=1000$", ALWAYS, 200,
                MACHINES(MACHINE(ID1, "web"), "")},
               {DO("DescribeImages"), ALWAYS, 200, IMAGES}, {DO("DescribeVpcs"), ALWAYS, 200, VPCS},
               {DO("DescribeInstanceTypes"), ALWAYS, 200, TYPES});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cloud_stop(&cloud);
    return 0;
}

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

/* ---- Other kinds ---- */

#define IMAGE(id_, name_, created_)                                                                \
    "<item><imageId>" id_ "</imageId><name>" name_ "</name><creationDate>" created_                \
    "</creationDate><isPublic>true</isPublic></item>"
#define IMAGE_SET(items_) EC2("DescribeImages", "<imagesSet>" items_ "</imagesSet>")

static pb_Image *get_image(const char *id, pb_ResultCode wanted)
{
    pb_GetImageRequest req = pb_GetImageRequest_INIT;
    pb_GetImageResponse rsp = pb_GetImageResponse_INIT;
    struct op *op = cloud_op(&cloud);

    req.id = arena_strdup(op->arena, id);
    cloud_code(&cloud, aws_adapter.get_image(cloud.adapter, op, &req, &rsp), wanted);
    return rsp.image;
}

static void test_newest_image(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {DO("DescribeImages") "&Owner.1=amazon&Filter.1.Name=name&Filter.1.Value.1=al2023-"
                                     "%2A&Filter.2.Name=state&Filter.2.Value.1=available&"
                                     "MaxResults=1000$",
                ALWAYS, 200,
                IMAGE_SET(IMAGE("ami-a", "al2023-1", "2023-01-01T00:00:00.000Z")
                              IMAGE("ami-b", "al2023-3", "2024-01-01T00:00:00.000Z")
                                  IMAGE("ami-c", "al2023-2", ""))},
               {DO("DescribeImages"), ALWAYS, 200, IMAGE_SET("")});
    assert_string_equal(get_image("amazon/al2023-*", RESULT_CODE_OK)->id, "ami-b");
    assert_int_equal(cloud.requests, 1);
    get_image("amazon/other", RESULT_CODE_NOT_FOUND);
    /* No owner: a name with a slash, among the account's own and those shared with it. */
    get_image("someone/thing", RESULT_CODE_NOT_FOUND);
    assert_int_equal(cloud_count(&cloud, DO("DescribeImages") "&Owner.1=self&Filter.1.Name=name&"
                                                              "Filter.1.Value.1=someone%2Fthing"),
                     1);
    assert_int_equal(cloud_count(&cloud, DO("DescribeImages") "&ExecutableBy.1=self"), 1);
}

static void test_flavor_pages(void **state)
{
    pb_ListFlavorsRequest req = pb_ListFlavorsRequest_INIT;
    pb_ListFlavorsResponse rsp = pb_ListFlavorsResponse_INIT;
    char name[] = "t3.*";

    (void)state;
    req.name = name;
    cloud_code(&cloud, aws_adapter.list_flavors(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_OK);
    assert_int_equal(rsp.n_flavors, 1);
    assert_int_equal(
        cloud_count(&cloud, DO("DescribeInstanceTypes") "&Filter.1.Name=instance-type&Filter.1."
                                                        "Value.1=t3.%2A&MaxResults=100 "),
        1);
}

/* What has no pages is not asked for them. */
static void test_key_pairs(void **state)
{
    pb_ListKeypairsRequest req = pb_ListKeypairsRequest_INIT;
    pb_ListKeypairsResponse rsp = pb_ListKeypairsResponse_INIT;

    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeKeyPairs"), ALWAYS, 200,
                        EC2("DescribeKeyPairs", "<keySet><item><keyName>old</keyName></item>"
                                                "</keySet>")});
    cloud_code(&cloud, aws_adapter.list_keypairs(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_OK);
    assert_string_equal(rsp.keypairs[0]->id, "old");
    assert_int_equal(cloud_count(&cloud, DO("DescribeKeyPairs") "&IncludePublicKey=true "), 1);
}

static void test_check(void **state)
{
    pb_CheckCloudRequest req = pb_CheckCloudRequest_INIT;
    pb_CheckCloudResponse rsp = pb_CheckCloudResponse_INIT;

    (void)state;
    CLOUD_ROWS(&cloud,
               {DO("DescribeRegions") "&Filter.1.Name=region-name&Filter.1.Value.1=eu-test-1$", 1,
                200,
                EC2("DescribeRegions", "<regionInfo><item><regionName>eu-test-1</regionName></item>"
                                       "</regionInfo>")},
               {"Action=GetCallerIdentity&Version=2011-06-15$", 1, 403,
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
                "</ErrorResponse>"},
               {DO("DescribeRegions"), ALWAYS, 401, EC2_ERROR("AuthFailure", "wrong")});
    cloud_code(&cloud, aws_adapter.check_cloud(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_OK);
    assert_int_equal(rsp.n_services, 2);
    assert_non_null(strstr(rsp.services[0], "EC2 in eu-test-1 at http://127.0.0.1"));
    assert_non_null(strstr(rsp.services[1], "Forbidden"));
    assert_non_null(strstr(rsp.services[1], "AccessDenied"));
    cloud_code(&cloud, aws_adapter.check_cloud(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_UNAUTHORIZED);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_request), TEST(test_no_names),     TEST(test_by_name),
        TEST(test_no_such_id),  TEST(test_near_name),    TEST(test_ambiguous),
        TEST(test_pages),       TEST(test_endless),      TEST(test_no_list),
        TEST(test_filters),     TEST(test_ids),          TEST(test_newest_image),
        TEST(test_key_pairs),   TEST(test_flavor_pages), TEST(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
