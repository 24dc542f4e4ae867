/* Reading through the OpenStack adapter, against a cloud that answers by a table. */
#include "openstack_stub.h"

#define ID1 "11111111-1111-4111-8111-111111111111"
#define ID2 "22222222-2222-4222-8222-222222222222"
#define IMG "33333333-3333-4333-8333-333333333333"

#define SERVER(id, name)                                                                           \
    "{\"id\":\"" id "\",\"name\":\"" name "\",\"status\":\"ACTIVE\",\"image\":{\"id\":\"" IMG      \
    "\"},\"flavor\":{\"original_name\":\"small\",\"vcpus\":1,\"ram\":2,\"disk\":3},\"addresses\":" \
    "{\"private\":[{\"version\":4,\"addr\":\"10.0.0.1\"}]}}"
#define FLAVORS                                                                                    \
    "{\"flavors\":[{\"id\":\"f7\",\"name\":\"small\",\"vcpus\":1,\"ram\":2,\"disk\":3}]}"
#define NETWORKS "{\"networks\":[{\"id\":\"n7\",\"name\":\"private\"}]}"

static struct cloud cloud;

static int setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    CLOUD_ROWS(
        &cloud,
        {"GET " NOVA "/servers/" ID1 "$", ALWAYS, 200, "{\"server\":" SERVER(ID1, "web") "}"},
        {"GET " NOVA "/flavors/detail", ALWAYS, 200, FLAVORS},
        {"GET " NEUTRON "/networks", ALWAYS, 200, NETWORKS},
        {"GET " GLANCE "/images/" IMG "$", ALWAYS, 200,
         "{\"id\":\"" IMG "\",\"name\":\"debian\"}"});
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
    cloud_code(&cloud, openstack_adapter.get_vm(cloud.adapter, op, &req, &rsp), wanted);
    return rsp.vm;
}

static void check_names(const pb_Vm *vm)
{
    assert_string_equal(vm->id, ID1);
    assert_string_equal(vm->flavor_id, "f7");
    assert_string_equal(vm->image_name, "debian");
    assert_string_equal(vm->addresses[0]->network_id, "n7");
    assert_string_equal(vm->region, "R1");
}

/* Log in, ask for the version and the names; from then on it is one request. */
static void test_one_request(void **state)
{
    (void)state;
    check_names(get(ID1, RESULT_CODE_OK));
    assert_int_equal(cloud.requests, 6);
    for (int i = 0; i < 3; i++) {
        check_names(get(ID1, RESULT_CODE_OK));
        assert_int_equal(cloud.requests, 1);
    }
    static const char *const headers[] = {
        "\r\nX-Auth-Token: secret-token\r\n",
        "\r\nOpenStack-API-Version: compute 2.93\r\n",
        "\r\nX-OpenStack-Nova-API-Version: 2.93\r\n",
        "\r\nX-OpenStack-Request-ID: req-01890a5d-ac96-774b-bcce-b302099a8057\r\n",
        "\r\nAccept: application/json\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        assert_non_null(strstr(cloud.headers, headers[i]));
}

/* What the machine itself says is there, though nobody has the names for it; and nobody is asked
 * for them again and again. */
static void test_names_that_fail(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NOVA "/flavors/detail", ALWAYS, 403, ""},
               {"GET " NEUTRON "/networks", ALWAYS, 403, "{}"}, {"GET " GLANCE, ALWAYS, 404, ""});
    const pb_Vm *vm = get(ID1, RESULT_CODE_OK);
    assert_string_equal(vm->flavor_name, "small");
    assert_string_equal(vm->flavor_id, "");
    assert_string_equal(vm->image_name, "");
    assert_string_equal(vm->addresses[0]->network_id, "");
    assert_string_equal(cloud.op.result->detail, "");
    get(ID1, RESULT_CODE_OK);
    assert_int_equal(cloud.requests, 1);
}

/* A flavor of the same name and another size is not the machine's. */
static void test_flavor_of_another_size(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NOVA "/flavors/detail", ALWAYS, 200,
                        "{\"flavors\":[{\"id\":\"f8\",\"name\":\"small\",\"vcpus\":1,\"ram\":4,"
                        "\"disk\":3}]}"});
    assert_string_equal(get(ID1, RESULT_CODE_OK)->flavor_id, "");
}

/* Two networks of one name: which it is, nobody can say. */
static void test_network_that_is_ambiguous(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " NEUTRON "/networks", ALWAYS, 200,
                "{\"networks\":[{\"id\":\"n7\",\"name\":\"private\"},{\"id\":\"n8\",\"name\":"
                "\"private\"}]}"});
    assert_string_equal(get(ID1, RESULT_CODE_OK)->addresses[0]->network_id, "");
}

static void test_renewed_token(void **state)
{
    (void)state;
    get(ID1, RESULT_CODE_OK);
    CLOUD_ROWS(&cloud, {"GET " NOVA "/servers/" ID1, 1, 401, "{}"});
    get(ID1, RESULT_CODE_OK);
    static const char *const order[] = {"GET " NOVA "/servers/", "POST /identity/v3/auth/tokens",
                                        "GET " NOVA "/servers/"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_int_equal(cloud.requests, 3);
    CLOUD_ROWS(&cloud, {"GET " NOVA "/servers/" ID1, ALWAYS, 401, "{}"});
    get(ID1, RESULT_CODE_UNAUTHORIZED);
    assert_int_equal(cloud.op.result->blame, BLAME_CLOUD);
    assert_int_equal(cloud_count(&cloud, "POST /identity"), 1);
}

/* By name: Nova's filter is a pattern, and what it lets through besides is left out here. */
static void test_names(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " NOVA "/servers/detail?name=%5Ea.b%24$", ALWAYS, 200,
                "{\"servers\":[" SERVER(ID2, "axb") "," SERVER(ID1, "a.b") "]}"},
               {"GET " NOVA "/servers/detail?name=%5Etwin%24$", ALWAYS, 200,
                "{\"servers\":[" SERVER(ID2, "twin") "," SERVER(ID1, "twin") "]}"},
               {"GET " NOVA "/servers/detail?name=%5Ewep%24$", ALWAYS, 200, "{\"servers\":[]}"},
               {"GET " NOVA "/servers$", ALWAYS, 200,
                "{\"servers\":[{\"id\":\"" ID1 "\",\"name\":\"web\"}]}"});
    assert_string_equal(get("a.b", RESULT_CODE_OK)->id, ID1);
    get("twin", RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(cloud.op.result->detail, ID1));
    assert_non_null(strstr(cloud.op.result->detail, ID2));
    get("wep", RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(cloud.op.result->detail, "did you mean web"));
}

/* All pages, by the query of the link alone: its host is not the one that we know. */
static void test_pages(void **state)
{
    (void)state;
    CLOUD_ROWS(
        &cloud,
        {"GET " NOVA "/servers/detail$", ALWAYS, 200,
         "{\"servers\":[" SERVER(ID1, "web") "],\"servers_links\":[{\"rel\":\"prev\",\"href\":"
                                             "\"x?y\"},{\"rel\":\"next\",\"href\":"
                                             "\"https://other/v2.1/servers/detail?"
                                             "marker=" ID1 "\"}]}"},
        {"GET " NOVA "/servers/detail?marker=" ID1 "$", ALWAYS, 200,
         "{\"servers\":[" SERVER(ID1, "web") "," SERVER(ID2, "db") "]}"});
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;
    pb_ListVmsResponse rsp = pb_ListVmsResponse_INIT;
    cloud_code(&cloud, openstack_adapter.list_vms(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 2); /* one is on both pages: it was scheduled in between */
    assert_string_equal(rsp.vms[0]->name, "web");
    assert_string_equal(rsp.vms[1]->name, "db");
    assert_string_equal(rsp.vms[1]->image_name, "debian");
    assert_int_equal(cloud_count(&cloud, "GET " GLANCE "/images/"), 1);
}

/* Pages that name themselves, or each other, are no list. */
static void test_pages_without_end(void **state)
{
    (void)state;
    CLOUD_ROWS(
        &cloud,
        {"GET " GLANCE "/images?limit=1000$", ALWAYS, 200,
         "{\"images\":[{\"id\":\"i\"}],\"next\":\"/v2/images?marker=i\"}"},
        {"GET " GLANCE "/images?marker=i$", ALWAYS, 200,
         "{\"images\":[{\"id\":\"i\"}],\"next\":\"/v2/images?marker=i\"}"},
        {"GET " NEUTRON "/subnets$", ALWAYS, 200,
         "{\"subnets\":[{\"id\":\"s\"}],\"subnets_links\":[{\"rel\":\"next\",\"href\":\"x?a\"}]}"},
        {"GET " NEUTRON "/subnets?a$", ALWAYS, 200,
         "{\"subnets\":[{\"id\":\"s\"}],\"subnets_links\":[{\"rel\":\"next\",\"href\":\"x?b\"}]}"},
        {"GET " NEUTRON "/subnets?b$", ALWAYS, 200,
         "{\"subnets\":[{\"id\":\"s\"}],\"subnets_links\":[{\"rel\":\"next\",\"href\":\"x?a\"}]}"});
    pb_ListImagesRequest req = pb_ListImagesRequest_INIT;
    pb_ListImagesResponse rsp = pb_ListImagesResponse_INIT;
    cloud_code(&cloud, openstack_adapter.list_images(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(cloud.op.result->detail, "has no end"));
    assert_int_equal(cloud.op.result->blame, BLAME_CLOUD);
    pb_ListSubnetsRequest ring = pb_ListSubnetsRequest_INIT;
    pb_ListSubnetsResponse none = pb_ListSubnetsResponse_INIT;
    cloud_code(&cloud,
               openstack_adapter.list_subnets(cloud.adapter, cloud_op(&cloud), &ring, &none),
               RESULT_CODE_UNAVAILABLE);
    assert_true(cloud.requests < 10);
}

static void test_answers_that_are_none(void **state)
{
    (void)state;
    static char deep[32000];
    memset(deep, '[', sizeof(deep) - 1);
    static const char *const bodies[] = {
        "",      "<html>", "{\"server\":",   "[]",
        "\"x\"", "{}",     "{\"server\":7}", "{\"server\":{\"name\":\"x\"}}",
        deep};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct cloud_row row = {"GET " NOVA "/servers/" ID1, 1, 200, bodies[i]};
        cloud_rows(&cloud, &row, 1);
        get(ID1, RESULT_CODE_UNAVAILABLE);
        assert_int_equal(cloud.op.result->blame, BLAME_CLOUD);
        assert_non_null(strstr(cloud.op.result->detail, "cannot be read"));
    }
}

/* A list that is none is no empty list. */
static void test_lists_that_are_none(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{}", "{\"flavors\":7}", "{\"flavors\":{}}",
                                         "{\"flavors\":null}", "{\"servers\":[]}"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct cloud_row row = {"GET " NOVA "/flavors/detail", 1, 200, bodies[i]};
        pb_ListFlavorsRequest req = pb_ListFlavorsRequest_INIT;
        pb_ListFlavorsResponse rsp = pb_ListFlavorsResponse_INIT;
        cloud_rows(&cloud, &row, 1);
        cloud_code(&cloud,
                   openstack_adapter.list_flavors(cloud.adapter, cloud_op(&cloud), &req, &rsp),
                   RESULT_CODE_UNAVAILABLE);
        assert_non_null(strstr(cloud.op.result->detail, "there is no list in it"));
    }
}

/* A number that does not fit is not another one. */
static void test_numbers(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " NOVA "/flavors/detail", ALWAYS, 200,
                "{\"flavors\":[{\"id\":\"f\",\"name\":\"f\",\"vcpus\":4294967297,\"ram\":-1,"
                "\"disk\":1e300,\"swap\":\"7\",\"OS-FLV-EXT-DATA:ephemeral\":"
                "99999999999999999999}]}"});
    pb_ListFlavorsRequest req = pb_ListFlavorsRequest_INIT;
    pb_ListFlavorsResponse rsp = pb_ListFlavorsResponse_INIT;
    cloud_code(&cloud, openstack_adapter.list_flavors(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_OK);
    const pb_Flavor *f = rsp.flavors[0];
    assert_int_equal(f->vcpus, 0);
    assert_int_equal(f->memory_mib, 0);
    assert_int_equal(f->disk_gib, 0);
    assert_int_equal(f->ephemeral_gib, 0);
    assert_int_equal(f->swap_mib, 7);
}

/* A region that only administrators may list is taken from the catalogue. */
static void test_regions(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET /identity/v3/regions", ALWAYS, 403, "{}"});
    pb_ListRegionsRequest req = pb_ListRegionsRequest_INIT;
    pb_ListRegionsResponse rsp = pb_ListRegionsResponse_INIT;
    cloud_code(&cloud, openstack_adapter.list_regions(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_OK);
    assert_int_equal(rsp.n_regions, 1);
    assert_string_equal(rsp.regions[0]->id, "R1");
    assert_true(rsp.regions[0]->is_current);
    assert_string_equal(cloud.op.result->detail, "");
}

/* A zone has no request of its own. */
static void test_zone_like_an_id(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NOVA "/os-availability-zone$", ALWAYS, 200,
                        "{\"availabilityZoneInfo\":[{\"zoneName\":\"" ID2 "\"}]}"});
    pb_GetZoneRequest req = pb_GetZoneRequest_INIT;
    pb_GetZoneResponse rsp = pb_GetZoneResponse_INIT;
    struct op *op = cloud_op(&cloud);
    req.id = arena_strdup(op->arena, ID1);
    cloud_code(&cloud, openstack_adapter.get_zone(cloud.adapter, op, &req, &rsp),
               RESULT_CODE_NOT_FOUND);
    req.id = arena_strdup(op->arena, ID2);
    cloud_code(&cloud, openstack_adapter.get_zone(cloud.adapter, op, &req, &rsp), RESULT_CODE_OK);
    assert_string_equal(rsp.zone->region, "R1");
}

static void test_check(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NOVA "/limits", ALWAYS, 200, "{}"},
               {"GET " GLANCE "/images?limit=1", ALWAYS, 200, "{}"},
               {"GET " CINDER "/limits", ALWAYS, 403, "{\"forbidden\":{\"message\":\"not you\"}}"});
    pb_CheckCloudRequest req = pb_CheckCloudRequest_INIT;
    pb_CheckCloudResponse rsp = pb_CheckCloudResponse_INIT;
    cloud_code(&cloud, openstack_adapter.check_cloud(cloud.adapter, cloud_op(&cloud), &req, &rsp),
               RESULT_CODE_OK);
    assert_int_equal(rsp.n_services, 5);
    assert_memory_equal(rsp.services[1], "compute 2.1 to 2.93 at http://127.0.0.1:", 40);
    assert_non_null(strstr(rsp.services[4], "Forbidden"));
    assert_non_null(strstr(rsp.services[4], "not you"));
}

static void *get_many(void *arg)
{
    struct arena arena;
    (void)arg;
    arena_init(&arena, (size_t)8 << 20);
    for (int i = 0; i < 20; i++) {
        arena_reset(&arena);
        struct op op = {.arena = &arena,
                        .deadline_ns = clock_mono_ns() + 10 * NS_PER_SEC,
                        .token = "",
                        .request_id = "",
                        .traceparent = "",
                        .result = result_new(&arena)};
        pb_GetVmRequest req = pb_GetVmRequest_INIT;
        pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
        req.id = arena_strdup(&arena, ID1);
        if (openstack_adapter.get_vm(cloud.adapter, &op, &req, &rsp) != RESULT_CODE_OK)
            return op.result;
    }
    arena_done(&arena);
    return NULL;
}

/* Many at once log in once. */
static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[8];
    cloud_op(&cloud);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_many, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(cloud_count(&cloud, "POST /identity/v3/auth/tokens"), 1);
    assert_int_equal(cloud_count(&cloud, "GET " NOVA "/servers/" ID1), 160);
    assert_int_equal(cloud_count(&cloud, "GET " GLANCE), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one_request),
        TEST(test_names_that_fail),
        TEST(test_flavor_of_another_size),
        TEST(test_network_that_is_ambiguous),
        TEST(test_renewed_token),
        TEST(test_names),
        TEST(test_pages),
        TEST(test_pages_without_end),
        TEST(test_answers_that_are_none),
        TEST(test_lists_that_are_none),
        TEST(test_numbers),
        TEST(test_regions),
        TEST(test_zone_like_an_id),
        TEST(test_check),
        TEST(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
