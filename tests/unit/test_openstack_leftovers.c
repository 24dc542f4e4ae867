/* What bears our mark, through the OpenStack adapter against a cloud that answers by a table, whose
 * lists have more in them than they were asked for.
 */
#include "openstack_create.h"

#define TWIN "22222222-2222-4222-8222-222222222222"
/* A machine of the operation in a state. */
#define MACHINE(id_, status_)                                                                      \
    "{\"id\":\"" id_ "\",\"name\":\"web\",\"status\":\"" status_ "\"," MARKS "}"
#define PORT_OF(token_, id_, device_, owner_)                                                      \
    "{\"id\":\"" id_ "\",\"name\":\"isobar-" token_ "\",\"device_id\":\"" device_                  \
    "\",\"device_owner\":\"" owner_ "\"," OURS "}"
#define FIP_OF(token_, id_, port_)                                                                 \
    "{\"id\":\"" id_ "\",\"floating_ip_address\":\"192.0.2.1\",\"description\":\"isobar-" token_   \
    "\",\"port_id\":\"" port_ "\"}"
#define TIME "2026-11-22T21:51:11"

/* The cloud lists these. */
static void listed(const char *begins, const char *key, const char *const *items, size_t n)
{
    char body[8192];
    int len = snprintf(body, sizeof(body), "{\"%s\":[", key);
    for (size_t i = 0; i < n; i++)
        len +=
            snprintf(body + len, sizeof(body) - (size_t)len, "%s%s", i == 0 ? "" : ",", items[i]);
    snprintf(body + len, sizeof(body) - (size_t)len, "]}");
    struct cloud_row row = {begins, ALWAYS, 200, cloud_keep(&cloud, body)};
    cloud_rows(&cloud, &row, 1);
}
#define LISTED(begins, key, ...)                                                                   \
    do {                                                                                           \
        static const char *const items_[] = {__VA_ARGS__};                                         \
        listed(begins, key, items_, ARRAY_LEN(items_));                                            \
    } while (0)

/* Ports that are not the gateway's. */
#define A_USER_S "{\"id\":\"x1\",\"name\":\"isobar-t1\",\"description\":\"a user's\"}"
#define NO_MARK  "{\"id\":\"x2\",\"name\":\"db\"," OURS "}"
#define NO_TOKEN "{\"id\":\"x3\",\"name\":\"isobar-\"," OURS "}"

static pb_ListOperationVmsResponse vms_of(const char *token, pb_ResultCode wanted)
{
    pb_ListOperationVmsRequest req = pb_ListOperationVmsRequest_INIT;
    pb_ListOperationVmsResponse rsp = pb_ListOperationVmsResponse_INIT;
    struct op *op = cloud_op(&cloud);
    req.operation_id = arena_strdup(op->arena, token);
    cloud_code(&cloud, openstack_adapter.list_operation_vms(cloud.adapter, op, &req, &rsp), wanted);
    return rsp;
}

/* In whatever state, but for what is gone; and only what bears the mark. */
static void test_operation_vms(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {BY_MARK, 1, 200,
                "{\"servers\":[{\"id\":\"x1\",\"status\":\"ACTIVE\"},{\"id\":\"x2\",\"status\":"
                "\"ACTIVE\",\"metadata\":{\"isobar_token\":\"t2\"},\"tags\":[\"isobar-t2\"]}"
                "," MACHINE("m1", "ERROR") "," MACHINE("m2", "DELETED") "," MACHINE(
                    "m3", "SOFT_DELETED") ",{\"id\":\"m4\",\"status\":\"ACTIVE\",\"OS-EXT-STS:task_"
                                          "state\":\"deleting\","
                                          "\"tags\":[\"isobar-t1\"]},{\"id\":\"m5\",\"status\":"
                                          "\"BUILD\",\"metadata\":{"
                                          "\"isobar_token\":\"t1\"}},{\"status\":\"BUILD\"," MARKS
                                          "}]}"});
    static const struct {
        const char *id;
        pb_VmState state;
    } expected[] = {{"m1", VM_STATE_ERROR},
                    {"m3", VM_STATE_DELETING},
                    {"m4", VM_STATE_DELETING},
                    {"m5", VM_STATE_CREATING}};
    pb_ListOperationVmsResponse rsp = vms_of("t1", RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, ARRAY_LEN(expected));
    for (size_t i = 0; i < rsp.n_vms; i++) {
        assert_string_equal(rsp.vms[i]->id, expected[i].id);
        assert_int_equal(rsp.vms[i]->state, expected[i].state);
        assert_string_equal(rsp.vms[i]->cloud, "lab");
    }
    assert_int_equal(vms_of("t1", RESULT_CODE_OK).n_vms, 0);
    vms_of("", RESULT_CODE_INVALID_REQUEST);
    assert_int_equal(cloud.requests, 0);
    CLOUD_ROWS(&cloud, {BY_MARK, ALWAYS, 403, "{}"});
    vms_of("t1", RESULT_CODE_FORBIDDEN);
}

static void test_operation_vms_without_tags(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " NOVA "/$", ALWAYS, 200,
                "{\"version\":{\"version\":\"2.51\",\"min_version\":\"2.1\"}}"},
               {"GET " NOVA "/servers/detail$", ALWAYS, 200,
                "{\"servers\":[{\"id\":\"x1\",\"status\":\"ACTIVE\",\"metadata\":{\"isobar_token\":"
                "\"t2\"}},{\"id\":\"m1\",\"status\":\"ACTIVE\",\"metadata\":{\"isobar_token\":"
                "\"t1\"}}]}"});
    pb_ListOperationVmsResponse rsp = vms_of("t1", RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 1);
    assert_string_equal(rsp.vms[0]->id, "m1");
    assert_int_equal(cloud_count(&cloud, BY_MARK), 0);
}

/* ---- Leftovers ---- */

static pb_ListLeftoversResponse leftovers(pb_ResultCode wanted)
{
    pb_ListLeftoversRequest req = pb_ListLeftoversRequest_INIT;
    pb_ListLeftoversResponse rsp = pb_ListLeftoversResponse_INIT;
    struct op *op = cloud_op(&cloud);
    cloud_code(&cloud, openstack_adapter.list_leftovers(cloud.adapter, op, &req, &rsp), wanted);
    return rsp;
}

static void rows_of_list(void)
{
    LISTED("GET " NOVA "/servers/detail$", "servers", "{\"id\":\"x1\",\"status\":\"ACTIVE\"}",
           "{\"id\":\"x2\",\"status\":\"ACTIVE\",\"tags\":[\"isobar\",\"isobar-\"]}",
           MACHINE("m1", "ACTIVE"), MACHINE("m2", "DELETED"),
           "{\"id\":\"m3\",\"name\":\"new\",\"status\":\"BUILD\",\"created\":\"" TIME
           "Z\",\"tags\":[\"isobar-t3\"]}");
    LISTED("GET " NEUTRON "/ports?description=Made%20by%20Isobar%20together%20with%20its%20machine",
           "ports", A_USER_S, NO_MARK, NO_TOKEN, PORT_OF("t1", "p1", "m1", "compute:nova"),
           PORT_OF("t1", "p2", "", ""), PORT_OF("t5", "p3", TWIN, "compute:nova"),
           PORT_OF("t5", "p4", ID, "compute:nova"), PORT_OF("t5", "p5", "r", "network:router"),
           PORT_OF("t5", "p7", "", ""),
           "{\"id\":\"p6\",\"name\":\"isobar-t3\",\"created_at\":\"" TIME "Z\"," OURS "}");
    LISTED("GET " NEUTRON "/floatingips$", "floatingips",
           "{\"id\":\"y1\",\"description\":\"\",\"port_id\":\"p2\"}",
           "{\"id\":\"y2\",\"description\":\"isobar\"}", FIP_OF("t1", "f1", "p1"),
           FIP_OF("t1", "f2", ""), FIP_OF("t5", "f3", "p7"), FIP_OF("t5", "f4", ""),
           FIP_OF("t5", "f5", "p1"), FIP_OF("t5", "f6", "p3"));
    LISTED("GET " CINDER "/volumes/detail$", "volumes", "{\"id\":\"z1\",\"status\":\"available\"}",
           "{\"id\":\"z2\",\"status\":\"available\",\"metadata\":{\"isobar_token\":\"t7\","
           "\"isobar_keep\":\"true\"}}",
           VOLUME("v1", "1", "available"),
           "{\"id\":\"v2\",\"name\":\"a\",\"status\":\"available\",\"created_at\":\"" TIME
           ".000000\",\"metadata\":{\"isobar_token\":\"t8\"}}",
           "{\"id\":\"v3\",\"status\":\"in-use\",\"metadata\":{\"isobar_token\":\"t8\"}}");
    CLOUD_ROWS(&cloud, {"GET " NOVA "/servers/" TWIN, ALWAYS, 404, "{}"});
}

static void test_list(void **state)
{
    (void)state;
    rows_of_list();
    static const struct {
        const char *kind, *id, *token;
        bool in_use;
    } expected[] = {
        {"vm", "m1", "t1", false},
        {"vm", "m3", "t3", false},
        {"port", "p1", "t1", true},
        {"port", "p2", "t1", true},  /* its machine is there, and may have it all the same */
        {"port", "p3", "t5", false}, /* its machine is gone */
        {"port", "p4", "t5", true},  /* its machine is in no list, but there */
        {"port", "p5", "t5", true},  /* a router has it */
        {"port", "p7", "t5", false},
        {"port", "p6", "t3", true}, /* its machine is being made */
        {"floating_ip", "f1", "t1", true},
        {"floating_ip", "f2", "t1", true},
        {"floating_ip", "f3", "t5", false}, /* its port is left over, too */
        {"floating_ip", "f4", "t5", false},
        {"floating_ip", "f5", "t5", true}, /* another one's machine has it */
        {"floating_ip", "f6", "t5", false},
        {"volume", "v1", "t1", true}, /* its machine is there, and may want it again */
        {"volume", "v2", "t8", false},
        {"volume", "v3", "t8", true},
    };
    pb_ListLeftoversResponse rsp = leftovers(RESULT_CODE_OK);
    for (size_t i = 0; i < rsp.n_leftovers && i < ARRAY_LEN(expected); i++) {
        const pb_Leftover *l = rsp.leftovers[i];
        if (strcmp(l->kind, expected[i].kind) != 0 || strcmp(l->id, expected[i].id) != 0 ||
            strcmp(l->operation_id, expected[i].token) != 0 || l->in_use != expected[i].in_use)
            fail_msg("%zu: %s %s of %s, in use: %d", i, l->kind, l->id, l->operation_id, l->in_use);
        assert_string_equal(l->cloud, "lab");
        bool dated =
            strcmp(l->id, "m3") == 0 || strcmp(l->id, "p6") == 0 || strcmp(l->id, "v2") == 0;
        assert_int_equal(l->created_at != NULL, dated);
        if (dated)
            assert_int_equal(l->created_at->seconds, 1795384271);
    }
    assert_int_equal(rsp.n_leftovers, ARRAY_LEN(expected));
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

static void test_list_fails(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NEUTRON "/ports?description=", ALWAYS, 403, "{}"});
    assert_int_equal(leftovers(RESULT_CODE_FORBIDDEN).n_leftovers, 0);
}

/* ---- Deleting them ---- */

static pb_DeleteLeftoverResponse delete_leftover(const char *token, bool dry_run,
                                                 pb_ResultCode wanted)
{
    pb_DeleteLeftoverRequest req = pb_DeleteLeftoverRequest_INIT;
    pb_DeleteLeftoverResponse rsp = pb_DeleteLeftoverResponse_INIT;
    struct op *op = cloud_op(&cloud);
    req.id = arena_strdup(op->arena, token);
    req.dry_run = dry_run;
    cloud_code(&cloud, openstack_adapter.delete_leftover(cloud.adapter, op, &req, &rsp), wanted);
    return rsp;
}

static void rows_of_leftovers(void)
{
    LISTED(PORTS, "ports", A_USER_S, NO_MARK, NO_TOKEN, PORT_OF("t2", "x4", "", ""),
           PORT_OF("t1", "p1", "", ""), PORT_OF("t1", "p2", ID, "compute:nova"));
    LISTED(FIPS, "floatingips", FIP_OF("t2", "y1", ""), "{\"id\":\"y2\"}", FIP_OF("t1", "f1", "p1"),
           FIP_OF("t1", "f2", "p2"));
    LISTED(VOLUMES, "volumes",
           "{\"id\":\"z1\",\"status\":\"available\",\"metadata\":{\"isobar_token\":\"t2\"}}",
           "{\"id\":\"z2\",\"status\":\"available\",\"metadata\":{\"isobar_token\":\"t1\","
           "\"isobar_keep\":\"true\"}}",
           VOLUME("v1", "1", "available"), VOLUME("v2", "1", "in-use"));
}

static void test_delete(void **state)
{
    (void)state;
    rows_of_leftovers();
    static const char *const expected[] = {"p1", "f1", "v1"};
    for (int dry_run = 1; dry_run >= 0; dry_run--) {
        pb_DeleteLeftoverResponse rsp =
            delete_leftover("t1", dry_run, dry_run ? RESULT_CODE_OK : RESULT_CODE_DELETED);
        assert_int_equal(rsp.n_leftovers, ARRAY_LEN(expected));
        for (size_t i = 0; i < rsp.n_leftovers; i++)
            assert_string_equal(rsp.leftovers[i]->id, expected[i]);
        assert_int_equal(cloud_count(&cloud, "DELETE"), dry_run ? 0 : ARRAY_LEN(expected));
    }
    static const char *const order[] = {"DELETE " NEUTRON "/floatingips/f1",
                                        "DELETE " NEUTRON "/ports/p1",
                                        "DELETE " CINDER "/volumes/v1"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
    delete_leftover("", false, RESULT_CODE_INVALID_REQUEST);
    assert_int_equal(cloud.requests, 0);
}

/* Its machine is there: being made, done, failed, going. */
static void test_delete_beside_a_machine(void **state)
{
    (void)state;
    static const struct {
        const char *servers;
        size_t deleted;
    } rows[] = {
        {"{\"servers\":[" MACHINE(TWIN, "BUILD") "]}", 0},
        {"{\"servers\":[" MACHINE(TWIN, "ACTIVE") "]}", 0}, /* see has_machine() for why */
        {"{\"servers\":[" MACHINE(TWIN, "ERROR") "]}", 0},
        {"{\"servers\":[" MACHINE(TWIN, "SOFT_DELETED") "]}", 3},
        {"{\"servers\":[" MACHINE(TWIN, "DELETED") "]}", 3},
        {"{\"servers\":[{\"id\":\"" TWIN "\",\"status\":\"BUILD\"}]}",
         3}, /* the filter is ignored */
    };
    rows_of_leftovers();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cloud_row row = {BY_MARK, ALWAYS, 200, rows[i].servers};
        cloud_rows(&cloud, &row, 1);
        assert_int_equal(delete_leftover("t1", false, RESULT_CODE_DELETED).n_leftovers,
                         rows[i].deleted);
        assert_int_equal(cloud_count(&cloud, "DELETE"), rows[i].deleted);
        assert_int_equal(cloud_count(&cloud, "DELETE " NOVA), 0);
    }
}

/* What cannot be seen is not deleted; what is gone already is; what stays is told. */
static void test_delete_fails(void **state)
{
    (void)state;
    rows_of_leftovers();
    CLOUD_ROWS(&cloud, {BY_MARK, 1, 403, "{}"});
    delete_leftover("t1", false, RESULT_CODE_FORBIDDEN);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    CLOUD_ROWS(&cloud, {"DELETE ", 3, 404, "{}"});
    delete_leftover("t1", false, RESULT_CODE_DELETED);
    CLOUD_ROWS(&cloud, {"DELETE " CINDER, 1, 400, "{}"});
    delete_leftover("t1", false, RESULT_CODE_UNAVAILABLE);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 3);
    CLOUD_ROWS(&cloud, NO_PORTS, NO_FIPS, {VOLUMES, ALWAYS, 200, "{\"volumes\":[]}"});
    assert_int_equal(delete_leftover("t1", false, RESULT_CODE_DELETED).n_leftovers, 0);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, create_setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_operation_vms), TEST(test_operation_vms_without_tags),
        TEST(test_list),          TEST(test_list_fails),
        TEST(test_delete),        TEST(test_delete_beside_a_machine),
        TEST(test_delete_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
