/* A create that is resumed, through the OpenStack adapter against a cloud that answers by a table:
 * what an earlier try has made is taken instead of made again, and nothing of others is touched.
 */
#include "openstack_create.h"

#define USER      "22222222-2222-4222-8222-222222222222"
#define USED_PORT "{\"id\":\"p1\",\"name\":\"isobar-t1\",\"device_id\":\"" USER "\"," OURS "}"

static void resumed(void)
{
    cloud.op.resumed = true;
}

/* Nothing is there: all is made, once. */
static void test_nothing_there(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, NO_PORTS, NO_FIPS);
    pb_VmSpec *s = spec_with_ip();
    resumed();
    assert_string_equal(create(s, RESULT_CODE_CREATED)->id, ID);
    assert_int_equal(posts(), 3);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

/* The first try asks for none of that. */
static void test_first_try_looks_for_nothing(void **state)
{
    (void)state;
    create(spec_with_ip(), RESULT_CODE_CREATED);
    assert_int_equal(
        cloud_count(&cloud, PORTS) + cloud_count(&cloud, FIPS) + cloud_count(&cloud, BY_MARK), 0);
}

static void test_port_there(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {PORTS, ALWAYS, 200,
                        "{\"ports\":[{\"id\":\"x1\",\"name\":\"db\"},{\"id\":\"x2\",\"name\":"
                        "\"isobar-t1\",\"description\":\"a user's\"}," PORT "]}"});
    pb_VmSpec *s = spec();
    resumed();
    create(s, RESULT_CODE_CREATED);
    assert_string_equal(cloud.noted, ID);
    assert_int_equal(posts(), 1);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    static const char *const order[] = {
        PORTS, "POST " NOVA "/servers {\"server\":{\"name\":\"web\",\"flavorRef\":\"1\","
               "\"imageRef\":\"img\",\"networks\":[{\"port\":\"p1\"}]"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
}

/* Of several the oldest; the others go first, so that a late order on one of them fails. */
static void test_ports_there(void **state)
{
    (void)state;
    static const char late[] = "{\"id\":\"p0\",\"name\":\"isobar-t1\",\"created_at\":"
                               "\"2026-11-25T22:59:27Z\"," OURS "}",
                      second[] = "{\"id\":\"p2\",\"name\":\"isobar-t1\",\"created_at\":"
                                 "\"2026-11-25T22:59:26Z\"," OURS "}",
                      first[] = "{\"id\":\"p1\",\"name\":\"isobar-t1\",\"created_at\":"
                                "\"2026-11-25T22:59:26Z\"," OURS "}",
                      foreign[] = "{\"id\":\"x1\",\"name\":\"isobar-t2\"," OURS "}";
    char body[2048];
    snprintf(body, sizeof(body), "{\"ports\":[%s,%s,%s,%s]}", late, second, foreign, first);
    struct cloud_row row = {PORTS, ALWAYS, 200, body};
    cloud_rows(&cloud, &row, 1);
    pb_VmSpec *s = spec();
    resumed();
    create(s, RESULT_CODE_CREATED);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 2);
    static const char *const order[] = {"DELETE " NEUTRON "/ports/p0",
                                        "DELETE " NEUTRON "/ports/p2", "POST " NOVA "/servers"};
    cloud_order(&cloud, order, ARRAY_LEN(order));
    assert_int_equal(cloud_count(&cloud, "POST " NEUTRON), 0);
}

/* One of them cannot be deleted: a late order on it would make a second machine. */
static void test_port_stays(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud,
               {PORTS, ALWAYS, 200,
                "{\"ports\":[" PORT ",{\"id\":\"p2\",\"name\":\"isobar-t1\"," OURS "}]}"},
               {"DELETE " NEUTRON "/ports/p2", ALWAYS, 403, "{}"});
    pb_VmSpec *s = spec();
    resumed();
    create(s, RESULT_CODE_OUTCOME_UNKNOWN);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(posts(), 0);
}

/* Something has the port: a machine of ours is taken, one of others is left alone. */
static void test_port_used(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {PORTS, ALWAYS, 200, "{\"ports\":[" USED_PORT "]}"},
               {"GET " NOVA "/servers/" USER "$", ALWAYS, 200,
                "{\"server\":{\"id\":\"" USER "\",\"name\":\"web\",\"status\":\"BUILD\"," MARKS
                "}}"});
    /* It is in no list yet: later. */
    pb_VmSpec *s = spec();
    resumed();
    create(s, RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(posts() + cloud_count(&cloud, "DELETE"), 0);
    /* It is. */
    CLOUD_ROWS(&cloud, {BY_MARK, 1, 200,
                        "{\"servers\":[{\"id\":\"" USER
                        "\",\"name\":\"web\",\"status\":\"BUILD\"," MARKS "}]}"});
    s = spec();
    resumed();
    assert_string_equal(create(s, RESULT_CODE_CREATED)->id, USER);
    assert_int_equal(posts() + cloud_count(&cloud, "DELETE"), 0);
    /* It cannot be seen whose it is. */
    CLOUD_ROWS(&cloud, {"GET " NOVA "/servers/" USER "$", 1, 403, "{}"});
    s = spec();
    resumed();
    create(s, RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(posts() + cloud_count(&cloud, "DELETE"), 0);
    /* It is somebody else's: another port is made. */
    CLOUD_ROWS(&cloud,
               {"GET " NOVA "/servers/" USER "$", ALWAYS, 200,
                "{\"server\":{\"id\":\"" USER "\",\"name\":\"db\",\"status\":\"ACTIVE\"}}"},
               {"POST " NEUTRON "/ports", ALWAYS, 201, "{\"port\":{\"id\":\"p9\"}}"});
    s = spec();
    resumed();
    create(s, RESULT_CODE_CREATED);
    assert_int_equal(posts(), 2);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

/* Nova says that the port is taken: an earlier order was. */
static void test_server_there(void **state)
{
    (void)state;
    CLOUD_ROWS(
        &cloud,
        {"POST " NOVA "/servers$", ALWAYS, 409,
         "{\"conflictingRequest\":{\"code\":409,\"message\":\"Port p1 is still in "
         "use.\"}}"},
        {BY_MARK, 1, 200, "{\"servers\":[{\"id\":\"x\",\"status\":\"ACTIVE\"}," SERVER "]}"});
    pb_VmSpec *s = spec();
    resumed();
    assert_string_equal(create(s, RESULT_CODE_CREATED)->id, ID);
    assert_string_equal(cloud.noted, ID);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    /* The same, and it is not listed yet. */
    CLOUD_ROWS(&cloud, {"GET " NEUTRON "/ports/p1$", 1, 200, "{\"port\":" USED_PORT "}"});
    s = spec();
    resumed();
    create(s, RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(cloud.op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    /* There are two: the gateway is to choose. */
    CLOUD_ROWS(&cloud,
               {BY_MARK, 1, 200,
                "{\"servers\":[" SERVER ",{\"id\":\"" USER "\",\"status\":\"ERROR\"," MARKS "}]}"});
    s = spec();
    resumed();
    create(s, RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
    /* Another conflict, and the port is free: it failed. */
    s = spec();
    resumed();
    create(s, RESULT_CODE_FAILED_PRECONDITION);
    effects(SIDE_EFFECTS_NONE);
    assert_int_equal(cloud_count(&cloud, "DELETE " NEUTRON "/ports/p1"), 1);
}

/* What the request names is gone meanwhile: the machine may be there all the same. */
static void test_plan_fails(void **state)
{
    (void)state;
    CLOUD_ROWS(&cloud, {"GET " GLANCE "/images", ALWAYS, 200, "{\"images\":[]}"},
               {BY_MARK, 1, 200, "{\"servers\":[" SERVER "]}"},
               {VOLUMES, ALWAYS, 200, "{\"volumes\":[]}"});
    pb_VmSpec *s = spec();
    resumed();
    assert_string_equal(create(s, RESULT_CODE_CREATED)->id, ID);
    /* It is not: what was made for it goes. */
    s = spec();
    resumed();
    create(s, RESULT_CODE_NOT_FOUND);
    effects(SIDE_EFFECTS_NONE);
    assert_int_equal(cloud_count(&cloud, "DELETE " NEUTRON "/ports/p1"), 1);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 2);
    assert_int_equal(posts(), 0);
    /* It cannot be seen. */
    CLOUD_ROWS(&cloud, {BY_MARK, ALWAYS, 403, "{}"});
    s = spec();
    resumed();
    create(s, RESULT_CODE_OUTCOME_UNKNOWN);
    effects(SIDE_EFFECTS_POSSIBLE);
    assert_int_equal(cloud_count(&cloud, "DELETE"), 0);
}

/* A floating IP is there: on the port, on none, on another one's, several. */
static void test_fip_there(void **state)
{
    (void)state;
#define AT(id_, port_)                                                                             \
    "{\"id\":\"" id_ "\",\"description\":\"isobar-t1\",\"revision_number\":3,\"port_id\":\"" port_ \
    "\"}"
    static const struct {
        const char *body;
        size_t posts, puts, deletes;
    } rows[] = {
        {"{\"floatingips\":[" AT("f1", "p1") "]}", 1, 0, 0},
        {"{\"floatingips\":[" AT("f1", "") "]}", 1, 1, 0},
        {"{\"floatingips\":[" AT("f1", "db") "]}", 2, 0, 0},
        {"{\"floatingips\":[" AT("f0", "") "," AT("f1", "p1") "," AT("f2", "") "," AT(
             "f3", "db") ",{\"id\":\"f4\",\"description\":\"isobar-t2\"}]}",
         1, 0, 2},
        {"{\"floatingips\":[{\"id\":\"f4\",\"description\":\"\"}]}", 2, 0, 0},
    };
    CLOUD_ROWS(&cloud,
               {"PUT " NEUTRON "/floatingips/f1 {\"floatingip\":{\"port_id\":\"p1\"}}", ALWAYS, 200,
                "{\"floatingip\":" FIP "}"},
               {"PUT " NEUTRON "/floatingips/f1$", ALWAYS, 200, "{\"floatingip\":" FIP "}"});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cloud_row row = {FIPS, ALWAYS, 200, rows[i].body};
        cloud_rows(&cloud, &row, 1);
        pb_VmSpec *s = spec_with_ip();
        resumed();
        create(s, RESULT_CODE_CREATED);
        assert_int_equal(posts(), rows[i].posts);
        assert_int_equal(cloud_count(&cloud, "PUT " NEUTRON "/floatingips/f1"), rows[i].puts);
        assert_int_equal(cloud_count(&cloud, "DELETE"), rows[i].deletes);
        assert_int_equal(cloud_count(&cloud, "DELETE " NEUTRON "/floatingips/f"), rows[i].deletes);
    }
#undef AT
}

/* The user's own address: an earlier try has put it on the port already, or somebody has taken it.
 */
static void test_static_ip_there(void **state)
{
    (void)state;
#define NINE(port_)                                                                                \
    "{\"id\":\"f9\",\"floating_ip_address\":\"192.0.2.9\",\"revision_number\":5,\"port_id\":"      \
    "\"" port_ "\",\"description\":\"mine\"}"
    static const struct {
        const char *listed, *shown;
        pb_ResultCode code;
        size_t puts;
    } rows[] = {
        {"{\"floatingips\":[" NINE("p1") "]}", "{\"floatingip\":" NINE("p1") "}",
         RESULT_CODE_CREATED, 0},
        {"{\"floatingips\":[" NINE("") "]}", "{\"floatingip\":" NINE("") "}", RESULT_CODE_CREATED,
         1},
        {"{\"floatingips\":[" NINE("db") "]}", "{\"floatingip\":" NINE("db") "}",
         RESULT_CODE_FAILED_PRECONDITION, 0},
    };
    CLOUD_ROWS(&cloud, NO_FIPS, {VOLUMES, ALWAYS, 200, "{\"volumes\":[]}"},
               {"PUT " NEUTRON "/floatingips/f9", ALWAYS, 200, "{\"floatingip\":" NINE("p1") "}"});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cloud_row both[] = {
            {"GET " NEUTRON "/floatingips?floating_ip_address=192.0.2.9", ALWAYS, 200,
             rows[i].listed},
            {"GET " NEUTRON "/floatingips/f9", ALWAYS, 200, rows[i].shown},
        };
        cloud_rows(&cloud, both, ARRAY_LEN(both));
        pb_VmSpec *s = spec();
        s->public_ip = arena_strdup(&cloud.arena, "192.0.2.9");
        resumed();
        create(s, rows[i].code);
        assert_int_equal(cloud_count(&cloud, "PUT"), rows[i].puts);
        assert_int_equal(cloud_count(&cloud, "DELETE " NEUTRON "/floatingips"), 0);
    }
#undef NINE
}

/* A volume is there: usable, being made, broken, in use, or another one. */
static void test_volume_there(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        pb_ResultCode code;
        size_t made, deletes;
    } rows[] = {
        {"{\"volumes\":[" VOLUME("v1", "5", "available") "]}", RESULT_CODE_CREATED, 0, 0},
        {"{\"volumes\":[" VOLUME("v1", "5", "creating") "]}", RESULT_CODE_CREATED, 0, 0},
        {"{\"volumes\":[" VOLUME("v0", "5", "error") "]}", RESULT_CODE_CREATED, 1, 1},
        {"{\"volumes\":[" VOLUME("v1", "5", "available") "," VOLUME("v2", "5", "available") "]}",
         RESULT_CODE_CREATED, 0, 1},
        {"{\"volumes\":[" VOLUME("v1", "5", "in-use") "]}", RESULT_CODE_OUTCOME_UNKNOWN, 0, 0},
        {"{\"volumes\":[{\"id\":\"x\",\"name\":\"data\",\"size\":5,\"status\":\"available\"}]}",
         RESULT_CODE_CREATED, 1, 0},
        {"{\"volumes\":[]}", RESULT_CODE_CREATED, 1, 0},
    };
    CLOUD_ROWS(
        &cloud,
        {"POST " CINDER "/volumes", ALWAYS, 202, "{\"volume\":" VOLUME("v1", "5", "available") "}"},
        {"GET " CINDER "/volumes/v1$", ALWAYS, 200,
         "{\"volume\":" VOLUME("v1", "5", "available") "}"},
        /* Full: but the volume that is there is no new one. */
        {"GET " CINDER "/limits", ALWAYS, 200,
         "{\"limits\":{\"absolute\":{\"maxTotalVolumes\":1,\"totalVolumesUsed\":1}}}"});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cloud_row row = {VOLUMES, ALWAYS, 200, rows[i].body};
        cloud_rows(&cloud, &row, 1);
        pb_VmSpec *s = spec_with_volume();
        resumed();
        create(s, rows[i].code);
        assert_int_equal(cloud_count(&cloud, "POST " CINDER), rows[i].made);
        assert_int_equal(cloud_count(&cloud, "DELETE " CINDER), rows[i].deletes);
        assert_int_equal(cloud_count(&cloud, "DELETE"), rows[i].deletes);
        assert_int_equal(cloud_count(&cloud, "DELETE " CINDER "/volumes/v1"), 0);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, create_setup, create_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_there), TEST(test_first_try_looks_for_nothing),
        TEST(test_port_there),    TEST(test_ports_there),
        TEST(test_port_stays),    TEST(test_port_used),
        TEST(test_server_there),  TEST(test_plan_fails),
        TEST(test_fip_there),     TEST(test_static_ip_there),
        TEST(test_volume_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
