/* Answers to a create that are lost, with the OpenStack adapter against a cloud that answers by a
 * table: what was made is found, nothing is made twice, and what may be left behind is said.
 */
#include "openstack_create.h"

/* What was made is found, and it goes on. */
static void test_lost_and_found(void **state)
{
    (void)state;
    static const struct {
        const char *begins;
        int status;
    } rows[] = {
        {"POST " NEUTRON "/ports", LOST},  {"POST " NEUTRON "/floatingips", LOST},
        {"POST " NEUTRON "/ports", 502},   {"POST " NEUTRON "/floatingips", 500},
        {"POST " CINDER "/volumes", LOST}, {"POST " CINDER "/volumes", 504},
    };
    CLOUD_ROWS(
        &cloud,
        {"POST " CINDER "/volumes", ALWAYS, 202, "{\"volume\":" VOLUME("v1", "5", "available") "}"},
        {VOLUMES, ALWAYS, 200, "{\"volumes\":[" VOLUME("v1", "5", "available") "]}"},
        {FIPS, ALWAYS, 200,
         "{\"floatingips\":[{\"id\":\"f1\",\"description\":\"isobar-t1\",\"port_id\":"
         "\"p1\"}]}"});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cloud_row row = {rows[i].begins, 1, rows[i].status, "{}"};
        cloud_rows(&cloud, &row, 1);
        pb_VmSpec *s = spec_with_volume();
        s->public_ip_type = arena_strdup(&cloud.arena, "dynamic");
        create(s, RESULT_CODE_CREATED);
        assert_string_equal(cloud.op.result->detail, "");
        assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_UNSPECIFIED);
        assert_int_equal(posts(), 4);
        assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    }
}

/* Nothing is found: it may turn up yet, so it is not over. A service that says that it failed has
 * ended: that is a failure, after which something may turn up all the same. */
static void test_lost_and_not_found(void **state)
{
    (void)state;
    static const struct {
        const char *begins;
        int status;
        pb_ResultCode code;
    } rows[] = {
        {"POST " NEUTRON "/ports", LOST, RESULT_CODE_OUTCOME_UNKNOWN},
        {"POST " NEUTRON "/floatingips", LOST, RESULT_CODE_OUTCOME_UNKNOWN},
        {"POST " CINDER "/volumes", LOST, RESULT_CODE_OUTCOME_UNKNOWN},
        {"POST " NEUTRON "/ports", 500, RESULT_CODE_UNAVAILABLE},
        {"POST " NEUTRON "/floatingips", 500, RESULT_CODE_UNAVAILABLE},
        {"POST " CINDER "/volumes", 500, RESULT_CODE_UNAVAILABLE},
    };
    CLOUD_ROWS(
        &cloud,
        {"POST " CINDER "/volumes", ALWAYS, 202, "{\"volume\":" VOLUME("v1", "5", "available") "}"},
        {VOLUMES, ALWAYS, 200, "{\"volumes\":[]}"}, NO_PORTS, NO_FIPS);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cloud_row row = {rows[i].begins, 1, rows[i].status, "{}"};
        cloud_rows(&cloud, &row, 1);
        pb_VmSpec *s = spec_with_volume();
        s->public_ip_type = arena_strdup(&cloud.arena, "dynamic");
        create(s, rows[i].code);
        effects(SIDE_EFFECTS_POSSIBLE);
        assert_int_equal(cloud.op.result->retry->class_, rows[i].code == RESULT_CODE_OUTCOME_UNKNOWN
                                                             ? RETRY_CLASS_AFTER_LOOKUP
                                                             : RETRY_CLASS_AFTER_BACKOFF);
        assert_int_equal(cloud_count(&cloud, "POST " NOVA "/servers"), 0);
        assert_int_equal(cloud_count(&cloud, rows[i].begins), 1);
        assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    }
}

/* It cannot be looked for: taken back by its mark, or if that fails too, not known. */
static void test_lost_and_unseen(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"POST " NEUTRON "/ports", ALWAYS, LOST, NULL}, {PORTS, 1, 403, "{}"});
    create(spec(), RESULT_CODE_UNAVAILABLE);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_int_equal(cloud_count(&cloud, "DELETE " NEUTRON "/ports/p1"), 1);

    CLOUD_ROWS(&cloud, {PORTS, 1, 403, "{}"}, {"DELETE " NEUTRON "/ports/p1", 1, 403, "{}"});
    create(spec(), RESULT_CODE_OUTCOME_UNKNOWN);
    effects(SIDE_EFFECTS_POSSIBLE);

    CLOUD_ROWS(&cloud, {PORTS, 2, 403, "{}"});
    create(spec(), RESULT_CODE_OUTCOME_UNKNOWN);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

/* The machine is refused, and what was made for it is not to be seen or stays. */
static void test_clean_up_fails(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"POST " NOVA "/servers$", ALWAYS, 400, "{}"}, {PORTS, 1, 403, "{}"});
    create(spec(), RESULT_CODE_BAD_REQUEST_DATA);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud.op.result->n_warnings, 1);
    CLOUD_ROWS(&cloud, {"DELETE " NEUTRON "/ports/p1", 1, 403, "{}"});
    create(spec(), RESULT_CODE_BAD_REQUEST_DATA);
    effects(SIDE_EFFECTS_CERTAIN);
    create(spec(), RESULT_CODE_BAD_REQUEST_DATA);
    effects(SIDE_EFFECTS_NONE);
}

/* The user's own address, and the answer about it is lost. */
static void test_lost_static_ip(void **state)
{
    (void)state;
#define NINE(port_)                                                                                \
    "{\"id\":\"f9\",\"floating_ip_address\":\"192.0.2.9\",\"port_id\":\"" port_ "\"}"
    CLOUD_ROWS(&cloud,
               {"GET " NEUTRON "/floatingips?floating_ip_address=192.0.2.9", ALWAYS, 200,
                "{\"floatingips\":[" NINE("") "]}"},
               {"PUT " NEUTRON "/floatingips/f9", ALWAYS, LOST, NULL},
               {"GET " NEUTRON "/floatingips/f9", 1, 200, "{\"floatingip\":" NINE("p1") "}"},
               {"GET " NEUTRON "/floatingips/f9", ALWAYS, 200, "{\"floatingip\":" NINE("") "}"});
    static const pb_ResultCode codes[] = {RESULT_CODE_CREATED, RESULT_CODE_OUTCOME_UNKNOWN};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        pb_VmSpec *s = spec();
        s->public_ip = arena_strdup(&cloud.arena, "192.0.2.9");
        create(s, codes[i]);
        assert_int_equal(cloud_count(&cloud, "PUT"), 1);
        assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    }
#undef NINE
}

/* The machine is in the list a moment after the order. */
static void test_found_late(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"POST " NOVA "/servers$", ALWAYS, LOST, NULL},
               {BY_MARK, 2, 200, "{\"servers\":[]}"},
               {BY_MARK, ALWAYS, 200, "{\"servers\":[" SERVER "]}"});
    assert_string_equal(create(spec(), RESULT_CODE_CREATED)->id, ID);
    assert_int_equal(cloud_count(&cloud, BY_MARK), 3);
    assert_int_equal(cloud_count(&cloud, "POST " NOVA "/servers"), 1);
}

/* A cloud without tags: all machines are looked through. */
static void test_old_cloud(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " NOVA "/$", ALWAYS, 200,
                "{\"version\":{\"version\":\"2.51\",\"min_version\":\"2.1\"}}"},
               {"POST " NOVA "/servers$", ALWAYS, LOST, NULL},
               {"GET " NOVA "/servers/detail$", ALWAYS, 200,
                "{\"servers\":[{\"id\":\"x\",\"status\":\"ACTIVE\",\"metadata\":{\"isobar_token\":"
                "\"t2\"}},{\"id\":\"" ID
                "\",\"status\":\"BUILD\",\"metadata\":{\"isobar_token\":\"t1\"}}]}"});
    assert_string_equal(create(spec(), RESULT_CODE_CREATED)->id, ID);
    assert_int_equal(cloud_count(&cloud, BY_MARK), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, create_setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_lost_and_found), TEST(test_lost_and_not_found), TEST(test_lost_and_unseen),
        TEST(test_clean_up_fails), TEST(test_lost_static_ip),     TEST(test_found_late),
        TEST(test_old_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
