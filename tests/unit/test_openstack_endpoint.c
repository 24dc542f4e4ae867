/* The catalogue and the versions: where a service is, and what is spoken there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_auth.h"
#include "os_endpoint.h"

static struct arena arena;
static struct op op;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    op = (struct op){.arena = &arena, .result = result_new(&arena)};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

/* Two regions, three interfaces, two kinds of Cinder, Keystone's own words. */
static const char login_json[] =
    "{\"token\":{\"methods\":[\"password\"],\"expires_at\":\"2026-11-22T22:51:11.000000Z\","
    "\"issued_at\":\"2026-11-22T21:51:11.000000Z\",\"project\":{\"domain\":{\"id\":\"default\","
    "\"name\":\"Default\"},\"id\":\"PID\",\"name\":\"demo\"},\"catalog\":["
    "{\"type\":\"compute\",\"name\":\"nova\",\"endpoints\":["
    "{\"interface\":\"admin\",\"region_id\":\"R1\",\"region\":\"R1\",\"url\":\"http://adm/v2.1\"},"
    "{\"interface\":\"public\",\"region_id\":\"R1\",\"region\":\"R1\",\"url\":\"http://pub1/"
    "v2.1\"},"
    "{\"interface\":\"public\",\"region_id\":\"R2\",\"region\":\"R2\",\"url\":\"http://pub2/v2.1/"
    "\"},"
    "{\"interface\":\"internal\",\"region_id\":\"R2\",\"region\":\"R2\",\"url\":\"http://int2/"
    "v2.1\"}]},"
    "{\"type\":\"image\",\"name\":\"glance\",\"endpoints\":["
    "{\"interface\":\"public\",\"region\":\"R1\",\"url\":\"http://img\"}]},"
    "{\"type\":\"volumev2\",\"name\":\"cinderv2\",\"endpoints\":["
    "{\"interface\":\"public\",\"region_id\":\"R1\",\"url\":\"http://vol/v2/PID\"}]},"
    "{\"type\":\"volumev3\",\"name\":\"cinderv3\",\"endpoints\":["
    "{\"interface\":\"public\",\"region_id\":\"R1\",\"url\":\"http://vol/v3/PID\"}]},"
    "{\"type\":\"identity\",\"name\":\"keystone\",\"endpoints\":["
    "{\"interface\":\"public\",\"region_id\":\"R1\",\"url\":\"http://elsewhere/v3\"}]}]}}";

static struct os_session *session(struct os_config *c)
{
    struct os_login login = {0};
    char why[160];
    if (c->auth_url == NULL)
        c->auth_url = "http://key/v3";
    if (c->interface == NULL)
        c->interface = "public";
    c->source = "cloud \"x\" of y";
    assert_true(shape_parse(&arena, login_json, strlen(login_json), &os_login_shape, &login, why));
    assert_int_equal(os_login_lifetime(&login), 3600);
    struct os_session *s = os_session_new(c, &login);
    assert_non_null(s);
    return s;
}

static void test_catalog(void **state)
{
    (void)state;
    struct os_config c = {.region = "R1"};
    struct os_session *s = session(&c);
    assert_string_equal(s->project_id, "PID");
    assert_string_equal(s->bases[OS_IDENTITY], "http://key/v3");
    assert_string_equal(s->bases[OS_COMPUTE], "http://pub1/v2.1");
    assert_string_equal(s->bases[OS_IMAGE], "http://img/v2");
    assert_string_equal(s->bases[OS_VOLUME], "http://vol/v3/PID");
    assert_null(s->bases[OS_NETWORK]);
    assert_int_equal(s->n_regions, 2);
    assert_string_equal(s->regions[0], "R1");
    assert_string_equal(s->regions[1], "R2");
    assert_int_equal(os_endpoint_missing(&op, &c, "lab", OS_NETWORK, s), RESULT_CODE_NOT_SUPPORTED);
    assert_non_null(strstr(op.result->detail, "no network service in region R1"));
    assert_non_null(strstr(op.result->detail, "compute, image, volumev2"));
    os_session_free(s);
}

static void test_choices(void **state)
{
    (void)state;
    static const struct {
        const char *region, *interface;
        struct os_service_config own;
        const char *url;
    } rows[] = {
        {NULL, "public", {0}, "http://pub1/v2.1"},
        {"R2", "public", {0}, "http://pub2/v2.1"},
        {"R2", "internal", {0}, "http://int2/v2.1"},
        {"R1", "internal", {0}, NULL},
        {"R1", "internal,admin", {0}, "http://adm/v2.1"},
        {"R1", "admin,public", {0}, "http://adm/v2.1"},
        {"R3", "public", {0}, NULL},
        {"R1", "public", {.region = "R2"}, "http://pub2/v2.1"},
        {"R1", "public", {.interface = "admin"}, "http://adm/v2.1"},
        {"R1", "public", {.name = "nova"}, "http://pub1/v2.1"},
        {"R1", "public", {.name = "other"}, NULL},
        {"R1", "public", {.type = "image"}, "http://img/v2.1"},
        {"R1", "public", {.endpoint = "http://own:1/nova/"}, "http://own:1/nova/v2.1"},
        {"R1", "public", {.endpoint = "http://own/v2.1/%(project_id)s"}, "http://own/v2.1/PID"},
        {"R1", "public", {.endpoint = "http://own/v2/%(tenant_id)s/"}, "http://own/v2.1/PID"},
        {"R1", "public", {.endpoint = "http://v2.example"}, "http://v2.example/v2.1"},
        {"R1", "public", {.endpoint = "http://h/very/v2.1"}, "http://h/very/v2.1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct os_config c = {.region = rows[i].region, .interface = rows[i].interface};
        c.services[OS_COMPUTE] = rows[i].own;
        struct os_session *s = session(&c);
        const char *url = s->bases[OS_COMPUTE];
        if ((url == NULL) != (rows[i].url == NULL) ||
            (url != NULL && strcmp(url, rows[i].url) != 0))
            fail_msg("row %zu: %s, not %s", i, url, rows[i].url);
        os_session_free(s);
    }
}

static void test_versions_added(void **state)
{
    (void)state;
    struct os_config c = {.region = "R1"};
    c.services[OS_VOLUME].endpoint = "http://own";
    c.services[OS_NETWORK].endpoint = "http://net/networking/";
    c.services[OS_IMAGE].endpoint = "http://img/v2/";
    c.services[OS_IDENTITY].endpoint = "http://k/identity";
    struct os_session *s = session(&c);
    assert_string_equal(s->bases[OS_VOLUME], "http://own/v3/PID");
    assert_string_equal(s->bases[OS_NETWORK], "http://net/networking/v2.0");
    assert_string_equal(s->bases[OS_IMAGE], "http://img/v2");
    assert_string_equal(s->bases[OS_IDENTITY], "http://k/identity/v3");
    os_session_free(s);
    assert_string_equal(os_version_url(&arena, "http://h/v2.1"), "http://h/v2.1/");
    assert_string_equal(os_version_url(&arena, "http://h/compute/v2.1/PID"),
                        "http://h/compute/v2.1/");
}

static void test_unscoped(void **state)
{
    (void)state;
    struct os_config c = {.auth_url = "http://k/v3", .interface = "public", .source = "s"};
    struct os_login login = {0};
    struct os_session *s = os_session_new(&c, &login);
    assert_null(s->bases[OS_COMPUTE]);
    assert_int_equal(os_endpoint_missing(&op, &c, "lab", OS_COMPUTE, s), RESULT_CODE_NOT_SUPPORTED);
    assert_non_null(strstr(op.result->detail, "must name a project"));
    os_session_free(s);
    assert_int_equal(os_login_lifetime(&login), 0);
    /* A token for ever: its end in nanoseconds would not fit into a clock. */
    login.token.issued_at = "2026-01-01T00:00:00.000000Z";
    login.token.expires_at = "2999-01-01T00:00:00.000000Z";
    assert_in_range(os_login_lifetime(&login), 86400, INT64_C(10) * 365 * 86400);
}

static void test_microversions(void **state)
{
    (void)state;
    static const struct {
        const char *wanted, *min, *max;
        int minor; /* 0: refused */
    } rows[] = {
        {NULL, "2.1", "2.93", 93},
        {NULL, "2.1", "2.96", 93},
        {NULL, "2.1", "2.60", 60},
        {NULL, "2.1", "2.1", 1},
        {NULL, "", "", 1},
        {NULL, NULL, NULL, 1},
        {NULL, "2.95", "2.99", 0},
        {"2.60", "2.1", "2.93", 60},
        {"2.94", "2.1", "2.93", 0},
        {"2.1", "2.53", "2.93", 0},
        {"latest", "2.1", "2.93", 0},
        {"2.6x", "2.1", "2.93", 0},
        {"3.1", "2.1", "2.93", 0},
        {"2.", "2.1", "2.93", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct os_versions v = {{"v2.1", rows[i].max, rows[i].min}};
        int minor = 0;
        pb_ResultCode code = os_choose_minor(&op, rows[i].wanted, &v, &minor);
        if ((code == RESULT_CODE_OK) != (rows[i].minor > 0) ||
            (code == RESULT_CODE_OK && minor != rows[i].minor))
            fail_msg("row %zu: %s, %d", i, result_name(code), minor);
    }
    struct os_versions v = {0};
    char why[160];
    static const char json[] = "{\"version\":{\"id\":\"v2.1\",\"status\":\"CURRENT\",\"version\":"
                               "\"2.93\",\"min_version\":\"2.1\",\"links\":[]}}";
    assert_true(shape_parse(&arena, json, strlen(json), &os_versions_shape, &v, why));
    assert_string_equal(v.version.max, "2.93");
    assert_string_equal(v.version.min, "2.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalog),        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_versions_added), cmocka_unit_test(test_unscoped),
        cmocka_unit_test(test_microversions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
