/* Reading what there is beside machines, against a cloud that answers by a table; and all of it
 * where memory is short.
 */
#include "ec2_read.h"

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

static pb_ResultCode read_all(struct op *op)
{
    pb_ListVmsRequest vms = pb_ListVmsRequest_INIT;
    pb_ListVmsResponse vms_rsp = pb_ListVmsResponse_INIT;
    pb_ListNetworksRequest networks = pb_ListNetworksRequest_INIT;
    pb_ListNetworksResponse networks_rsp = pb_ListNetworksResponse_INIT;
    pb_ListImagesRequest images = pb_ListImagesRequest_INIT;
    pb_ListImagesResponse images_rsp = pb_ListImagesResponse_INIT;

    pb_ResultCode code = aws_adapter.list_vms(cloud.adapter, op, &vms, &vms_rsp);
    if (code == RESULT_CODE_OK)
        code = aws_adapter.list_networks(cloud.adapter, op, &networks, &networks_rsp);
    if (code == RESULT_CODE_OK)
        code = aws_adapter.list_images(cloud.adapter, op, &images, &images_rsp);
    if (code == RESULT_CODE_OK)
        assert_true(vms_rsp.n_vms == 1 && vms_rsp.vms[0] != NULL && networks_rsp.n_networks == 1 &&
                    networks_rsp.networks[0]->n_subnet_ids == 1 && images_rsp.n_images == 1);
    return code;
}

static void test_memory(void **state)
{
    pb_ResultCode code = RESULT_CODE_INTERNAL_ERROR;

    (void)state;
    CLOUD_ROWS(&cloud, {DO("DescribeInstances"), ALWAYS, 200, MACHINES(MACHINE(ID1, "web"), "")},
               {DO("DescribeSubnets"), ALWAYS, 200,
                EC2("DescribeSubnets", "<subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1"
                                       "</vpcId></item></subnetSet>")});
    cloud.arena.cap = 8192;
    for (; code != RESULT_CODE_OK; cloud.arena.cap += 4096) {
        assert_true(cloud.arena.cap < (size_t)1 << 20);
        struct arena fresh;
        arena_init(&fresh, cloud.arena.cap);
        struct op *op = cloud_op(&cloud);
        op->arena = &fresh;
        op->result = result_new(&fresh);
        if (op->result != NULL) {
            code = read_all(op);
            assert_true(code == RESULT_CODE_OK || code == RESULT_CODE_INTERNAL_ERROR ||
                        code == RESULT_CODE_UNAVAILABLE);
        }
        arena_done(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newest_image), TEST(test_flavor_pages), TEST(test_key_pairs),
        TEST(test_check),        TEST(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
