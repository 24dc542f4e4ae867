/* Making machines through the OpenStack adapter, against a cloud that answers by a
 * table: in which order, what is taken back when it fails, and that nothing else is touched.
 */
#include "openstack_create.h"

static void test_order(void **state)
{
    (void)state;
    pb_Vm *vm = create(spec_with_ip(), RESULT_CODE_CREATED);
    assert_string_equal(vm->id, ID);
    assert_int_equal(vm->state, VM_STATE_CREATING);
    assert_string_equal(cloud.noted, ID);
    assert_int_equal(cloud.op.result->n_warnings, 0);
    assert_string_equal(cloud.op.result->detail, "");
    static const char *const order[] = {
        "POST " NEUTRON "/ports {\"port\":{\"name\":\"isobar-t1\"," OURS
        ",\"network_id\":\"net\",\"security_groups\":[\"grp\"]}}",
        "POST " NEUTRON "/floatingips {\"floatingip\":{\"floating_network_id\":\"ext\",\"port_id\":"
        "\"p1\",\"description\":\"isobar-t1\"}}",
        "POST " NOVA
        "/servers {\"server\":{\"name\":\"web\",\"flavorRef\":\"1\",\"imageRef\":\"img\","
        "\"networks\":[{\"port\":\"p1\"}],\"key_name\":\"key\"," MARKS "}}",
        "GET " NOVA "/servers/" ID,
    };
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

static void test_dry_run(void **state)
{
    (void)state;
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = spec_with_ip();
    req.dry_run = true;
    cloud_code(&cloud, openstack_adapter.create_vm(cloud.adapter, &cloud.op, &req, &rsp),
               RESULT_CODE_OK);
    assert_null(rsp.vm);
    assert_int_equal(cloud_count(&cloud, "POST /network") + cloud_count(&cloud, "POST /compute"),
                     0);
}

/* What is to be chosen and is not one: an error that lists what there is. */
static void test_choices(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " NOVA "/os-keypairs$", 1, 200,
                        "{\"keypairs\":[{\"keypair\":{\"name\":\"k1\"}},{\"keypair\":{\"name\":"
                        "\"k2\"}}]}"});
    create(spec(), RESULT_CODE_BAD_REQUEST_DATA);
    assert_string_equal(cloud.op.result->violations[0]->field, "spec.keypair");
    assert_non_null(strstr(cloud.op.result->detail, "k1, k2"));
    CLOUD_ROWS(&cloud,
               {"GET " NEUTRON "/networks$", 1, 200,
                "{\"networks\":[{\"id\":\"a\",\"name\":\"na\",\"project_id\":\"PID\","
                "\"admin_state_up\":true,\"subnets\":[\"s\"]},{\"id\":\"b\",\"name\":\"nb\","
                "\"shared\":true,\"admin_state_up\":true,\"subnets\":[\"s\"]}]}"});
    create(spec(), RESULT_CODE_BAD_REQUEST_DATA);
    assert_string_equal(cloud.op.result->violations[0]->field, "spec.network_id");
    assert_non_null(strstr(cloud.op.result->detail, "na (a), nb (b)"));
    CLOUD_ROWS(&cloud, {"GET " NEUTRON "/networks$", 1, 200, "{\"networks\":[]}"});
    create(spec(), RESULT_CODE_BAD_REQUEST_DATA);
    assert_int_equal(cloud_count(&cloud, "POST /network"), 0);
    /* No key at all is allowed, and said. */
    CLOUD_ROWS(&cloud, {"GET " NOVA "/os-keypairs$", 1, 200, "{\"keypairs\":[]}"});
    create(spec(), RESULT_CODE_CREATED);
    assert_int_equal(cloud.op.result->n_warnings, 1);
    assert_non_null(strstr(cloud.op.result->warnings[0], "key pair"));
}

/* Cinder has no room: said before anything is made. */
static void test_volume_quota(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " CINDER "/limits", ALWAYS, 200,
                        "{\"limits\":{\"rate\":[],\"absolute\":{\"maxTotalVolumes\":10,"
                        "\"totalVolumesUsed\":9,\"maxTotalVolumeGigabytes\":100,"
                        "\"totalGigabytesUsed\":98}}}"});
    static const struct {
        size_t volumes;
        uint32_t gib;
        bool boot;
        pb_ResultCode code;
    } rows[] = {
        {0, 0, false, RESULT_CODE_CREATED},        {1, 2, false, RESULT_CODE_CREATED},
        {1, 3, false, RESULT_CODE_QUOTA_EXCEEDED}, {2, 1, false, RESULT_CODE_QUOTA_EXCEEDED},
        {0, 0, true, RESULT_CODE_QUOTA_EXCEEDED}, /* 3 GiB, as the flavor has */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        pb_VmSpec *s = spec();
        s->volume_created_choice_case = pb_VmSpec_HAS_VOLUME_CREATED;
        s->volume_created = rows[i].boot;
        s->volumes = arena_array(&cloud.arena, 3, sizeof(*s->volumes));
        while (s->n_volumes < rows[i].volumes) {
            pb_VolumeSpec *v = arena_message(&cloud.arena, &pb_VolumeSpec_desc);
            v->size_gib = rows[i].gib;
            s->volumes[s->n_volumes++] = v;
        }
        create(s, rows[i].code);
        if (rows[i].code != RESULT_CODE_QUOTA_EXCEEDED)
            continue;
        assert_int_equal(cloud.op.result->blame, BLAME_CLOUD);
        assert_int_equal(cloud_count(&cloud, "POST /network"), 0);
    }
}

/* Nova refuses: what was made before is deleted, floating IP first. */
static void test_taken_back(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"POST " NOVA "/servers$", ALWAYS, 403,
                        "{\"forbidden\":{\"code\":403,\"message\":\"Quota exceeded for instances: "
                        "Requested 1, but already used 10 of 10 instances\"}}"});
    assert_null(create(spec_with_ip(), RESULT_CODE_QUOTA_EXCEEDED));
    assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(cloud.op.result->native->http_status, 403);
    assert_string_equal(cloud.op.result->native->request_id, "req-7");
    assert_int_equal(cloud.op.result->n_warnings, 0);
    assert_string_equal(cloud.noted, "");
    static const char *const order[] = {"POST " NOVA "/servers",
                                        "DELETE " NEUTRON "/floatingips/f1",
                                        "DELETE " NEUTRON "/ports/p1"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_int_equal(cloud_count(&cloud, "DELETE"), 2);
}

/* The same, and the cloud lists more than it was asked for: only what bears the mark is deleted. */
static void test_only_ours_taken_back(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"POST " NOVA "/servers$", ALWAYS, 409, "{}"},
               {PORTS, ALWAYS, 200,
                "{\"ports\":[{\"id\":\"x1\",\"name\":\"isobar-t1\",\"description\":\"\"},{\"id\":"
                "\"x2\",\"name\":\"isobar-t2\"," OURS "},{\"id\":\"x3\",\"name\":\"db\"},"
                "{\"name\":\"isobar-t1\"," OURS "}," PORT "]}"},
               {FIPS, ALWAYS, 200,
                "{\"floatingips\":[{\"id\":\"y1\",\"description\":\"isobar-t2\"},{\"id\":\"y2\","
                "\"description\":\"\"},{\"id\":\"y3\"}," FIP "]}"});
    create(spec_with_ip(), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 2);
    assert_int_equal(cloud_count(&cloud, "DELETE " NEUTRON "/ports/p1"), 1);
    assert_int_equal(cloud_count(&cloud, "DELETE " NEUTRON "/floatingips/f1"), 1);
}

/* What cannot be deleted is named. */
static void test_left_behind(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"POST " NOVA "/servers$", ALWAYS, 400, "{}"},
               {"DELETE " NEUTRON "/ports/p1", ALWAYS, 409, "{}"});
    create(spec(), RESULT_CODE_BAD_REQUEST_DATA);
    assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_CERTAIN);
    assert_int_equal(cloud.op.result->n_warnings, 1);
    assert_non_null(strstr(cloud.op.result->warnings[0], "port p1"));
}

/* The answer to the order of a machine is lost, and it is there: it is found by its mark. */
static void test_lost_answer(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"POST " NOVA "/servers$", ALWAYS, LOST, NULL},
               {BY_MARK, ALWAYS, 200,
                "{\"servers\":[{\"id\":\"x\",\"name\":\"web\",\"status\":\"ACTIVE\"}," SERVER
                "]}"});
    assert_string_equal(create(spec(), RESULT_CODE_CREATED)->id, ID);
    assert_string_equal(cloud.noted, ID);
    assert_int_equal(cloud_count(&cloud, "POST " NOVA "/servers"), 1);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

/* It is not there, or not yet: nobody knows, nothing is sent again, nothing is deleted. */
static void test_outcome_unknown(void **state)
{
    (void)state;
    static const int statuses[] = {LOST, 500, 502, 504};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct cloud_row rows[] = {
            {"POST " NOVA "/servers$", 1, statuses[i], ""},
            /* The filter is ignored, and all machines are listed. */
            {BY_MARK, 4, 200,
             "{\"servers\":[{\"id\":\"x\",\"name\":\"web\",\"status\":\"ACTIVE\",\"metadata\":{"
             "\"isobar_token\":\"t2\"},\"tags\":[\"isobar-t2\"]}]}"},
        };
        cloud_rows(&cloud, rows, ARRAY_LEN(rows));
        assert_null(create(spec(), RESULT_CODE_OUTCOME_UNKNOWN));
        assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
        assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
        assert_int_equal(cloud_count(&cloud, "POST " NOVA "/servers"), 1);
        assert_int_equal(cloud_count(&cloud, BY_MARK), 4);
        assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    }
}

/* An existing floating IP is taken if nobody has changed it meanwhile, and is never deleted. */
static void test_static_ip(void **state)
{
    (void)state;
    CLOUD_ROWS(
        &cloud,
        {"GET " NEUTRON "/floatingips?floating_ip_address=192.0.2.9", ALWAYS, 200,
         "{\"floatingips\":[{\"id\":\"f9\",\"floating_ip_address\":\"192.0.2.9\","
         "\"revision_number\":4,\"port_id\":null,\"description\":\"mine\"}]}"},
        {"PUT " NEUTRON "/floatingips/f9", ALWAYS, 412,
         "{\"NeutronError\":{\"type\":\"RevisionNumberConstraintFailed\",\"message\":\"x\"}}"},
        {FIPS, ALWAYS, 200, "{\"floatingips\":[]}"});
    pb_VmSpec *s = spec();
    s->public_ip = arena_strdup(&cloud.arena, "192.0.2.9");
    create(s, RESULT_CODE_FAILED_PRECONDITION);
    static const char *const order[] = {"POST " NEUTRON "/ports",
                                        "PUT " NEUTRON
                                        "/floatingips/f9 {\"floatingip\":{\"port_id\":\"p1\"}}",
                                        "DELETE " NEUTRON "/ports/p1"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_int_equal(cloud_count(&cloud, "DELETE"), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, create_setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_order),        TEST(test_dry_run),     TEST(test_choices),
        TEST(test_volume_quota), TEST(test_taken_back),  TEST(test_only_ours_taken_back),
        TEST(test_left_behind),  TEST(test_lost_answer), TEST(test_outcome_unknown),
        TEST(test_static_ip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
