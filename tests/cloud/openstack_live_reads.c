/* What only reads, against a real OpenStack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "openstack_live.h"

static void test_check(void **state)
{
    (void)state;
    pb_CheckCloudRequest req = pb_CheckCloudRequest_INIT;
    pb_CheckCloudResponse rsp = pb_CheckCloudResponse_INIT;
    live_code(&live, openstack_adapter.check_cloud(live.adapter, live_op(&live), &req, &rsp),
              RESULT_CODE_OK);
    assert_int_equal(rsp.n_services, 5);
    static const char *const begin[] = {"identity 3 at http", "compute 2.1 to 2.",
                                        "image 2 at http", "network 2.0 at http",
                                        "volume 3 at http"};
    for (size_t i = 0; i < ARRAY_LEN(begin); i++) {
        print_message("%s\n", rsp.services[i]);
        assert_memory_equal(rsp.services[i], begin[i], strlen(begin[i]));
    }
    assert_true(rsp.elapsed_us > 0);
}

/* Each kind: its list is not empty, and its first thing is found by id and by name. */
#define LIST_AND_GET(Method, plural, one)                                                          \
    static void test_##plural(void **state)                                                        \
    {                                                                                              \
        (void)state;                                                                               \
        pb_List##Method##sRequest list_req = pb_List##Method##sRequest_INIT;                       \
        pb_List##Method##sResponse list = pb_List##Method##sResponse_INIT;                         \
        live_code(&live,                                                                           \
                  openstack_adapter.list_##plural(live.adapter, live_op(&live), &list_req, &list), \
                  RESULT_CODE_OK);                                                                 \
        assert_true(list.n_##plural > 0);                                                          \
        assert_string_equal(list.plural[0]->cloud, "lab");                                         \
        char *keys[] = {list.plural[0]->id, list.plural[0]->name};                                 \
        for (size_t i = 0; i < 2; i++) {                                                           \
            pb_Get##Method##Request req = pb_Get##Method##Request_INIT;                            \
            pb_Get##Method##Response rsp = pb_Get##Method##Response_INIT;                          \
            req.id = keys[i];                                                                      \
            live_code(&live,                                                                       \
                      openstack_adapter.get_##one(live.adapter, live_more(&live), &req, &rsp),     \
                      RESULT_CODE_OK);                                                             \
            assert_string_equal(rsp.one->id, list.plural[0]->id);                                  \
            assert_string_equal(rsp.one->name, list.plural[0]->name);                              \
            assert_string_equal(live.op.result->detail, "");                                       \
        }                                                                                          \
        pb_Get##Method##Request none = pb_Get##Method##Request_INIT;                               \
        pb_Get##Method##Response rsp = pb_Get##Method##Response_INIT;                              \
        none.id = arena_printf(&live.arena, "%sx", list.plural[0]->name);                          \
        live_code(&live, openstack_adapter.get_##one(live.adapter, live_more(&live), &none, &rsp), \
                  RESULT_CODE_NOT_FOUND);                                                          \
        assert_non_null(strstr(live.op.result->detail, list.plural[0]->name));                     \
    }

LIST_AND_GET(Image, images, image)
LIST_AND_GET(Flavor, flavors, flavor)
LIST_AND_GET(Network, networks, network)
LIST_AND_GET(Subnet, subnets, subnet)
LIST_AND_GET(SecurityGroup, security_groups, security_group)
LIST_AND_GET(Keypair, keypairs, keypair)
LIST_AND_GET(Region, regions, region)
LIST_AND_GET(Zone, zones, zone)

static void test_subnets_of_network(void **state)
{
    (void)state;
    pb_ListSubnetsRequest req = pb_ListSubnetsRequest_INIT;
    pb_ListSubnetsResponse rsp = pb_ListSubnetsResponse_INIT;
    req.network_id = arena_strdup(&live.arena, "private");
    live_code(&live, openstack_adapter.list_subnets(live.adapter, live_more(&live), &req, &rsp),
              RESULT_CODE_OK);
    assert_int_equal(rsp.n_subnets, 1);
    assert_string_equal(rsp.subnets[0]->name, "private-subnet");
    assert_string_equal(rsp.subnets[0]->cidr, "10.0.0.0/24");
    assert_int_equal(rsp.subnets[0]->ip_version, 4);
    assert_true(rsp.subnets[0]->dhcp_enabled);
}

/* A wrong password is the cloud's business, and the words say whose it is and where it is from. */
static void test_wrong_password(void **state)
{
    (void)state;
    char path[] = "/tmp/isobar-clouds-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *in = fopen(getenv("ISOBAR_TEST_OPENSTACK"), "r"), *out = fdopen(fd, "w");
    assert_non_null(in);
    char line[1024];
    while (fgets(line, sizeof(line), in) != NULL)
        fputs(strstr(line, "password:") == NULL ? line : "      password: wrong-one\n", out);
    fclose(in);
    fclose(out);
    struct open_error error;
    struct adapter *a = live_open(path, "demo", &error);
    unlink(path);
    assert_non_null(a);
    pb_GetVmRequest req = pb_GetVmRequest_INIT;
    pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
    req.id = arena_strdup(&live.arena, "web");
    live_code(&live, openstack_adapter.get_vm(a, live_more(&live), &req, &rsp),
              RESULT_CODE_UNAUTHORIZED);
    const pb_Result *r = live.op.result;
    assert_int_equal(r->blame, BLAME_CLOUD);
    assert_int_equal(r->native->http_status, 401);
    assert_string_equal(r->native->code, "Unauthorized");
    assert_true(strncmp(r->native->request_id, "req-", 4) == 0);
    assert_non_null(strstr(r->detail, path));
    assert_non_null(strstr(r->detail, "\"demo\""));
    assert_null(strstr(r->detail, "wrong-one"));
    openstack_adapter.close(a);
}

static void test_cloud_that_is_down(void **state)
{
    (void)state;
    setenv("OS_AUTH_URL", "http://127.0.0.1:1/v3", 1);
    setenv("OS_USERNAME", "u", 1);
    setenv("OS_PASSWORD", "p", 1);
    setenv("OS_USER_DOMAIN_ID", "default", 1);
    struct open_error error = {""};
    struct adapter *a = live_open(getenv("ISOBAR_TEST_OPENSTACK"), "envvars", &error);
    unsetenv("OS_AUTH_URL");
    unsetenv("OS_USERNAME");
    unsetenv("OS_PASSWORD");
    unsetenv("OS_USER_DOMAIN_ID");
    if (a == NULL)
        fail_msg("%s", error.text);
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;
    pb_ListVmsResponse rsp = pb_ListVmsResponse_INIT;
    live_code(&live, openstack_adapter.list_vms(a, live_op(&live), &req, &rsp),
              RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(live.op.result->detail, "127.0.0.1:1"));
    openstack_adapter.close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),          cmocka_unit_test(test_images),
        cmocka_unit_test(test_flavors),        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_subnets),        cmocka_unit_test(test_security_groups),
        cmocka_unit_test(test_keypairs),       cmocka_unit_test(test_regions),
        cmocka_unit_test(test_zones),          cmocka_unit_test(test_subnets_of_network),
        cmocka_unit_test(test_wrong_password), cmocka_unit_test(test_cloud_that_is_down),
    };
    return cmocka_run_group_tests(tests, live_setup, live_teardown);
}
