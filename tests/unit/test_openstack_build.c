/* The requests that the OpenStack adapter makes, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os_actions.h"
#include "os_auth.h"
#include "os_plan.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static void check_login(const struct os_config *c, const char *want)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    assert_true(os_build_login(c, &out));
    assert_string_equal(buf_cstr(&out), want);
}

static void test_login(void **state)
{
    (void)state;
    char secret[] = "s\"x";
    struct os_config c = {.auth = OS_AUTH_PASSWORD,
                          .secret = secret,
                          .username = "u",
                          .user_domain_name = "D",
                          .project_name = "pr",
                          .project_domain_id = "d"};
    check_login(&c, "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{"
                    "\"name\":\"u\",\"domain\":{\"name\":\"D\"},\"password\":\"s\\\"x\"}}},"
                    "\"scope\":{\"project\":{\"name\":\"pr\",\"domain\":{\"id\":\"d\"}}}}}");
    c = (struct os_config){
        .auth = OS_AUTH_PASSWORD, .secret = secret, .user_id = "1", .project_id = "2"};
    check_login(&c, "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{"
                    "\"id\":\"1\",\"password\":\"s\\\"x\"}}},"
                    "\"scope\":{\"project\":{\"id\":\"2\"}}}}");
    c = (struct os_config){
        .auth = OS_AUTH_PASSWORD, .secret = secret, .user_id = "1", .domain_id = "d"};
    check_login(&c,
                "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{"
                "\"id\":\"1\",\"password\":\"s\\\"x\"}}},\"scope\":{\"domain\":{\"id\":\"d\"}}}}");
    c = (struct os_config){.auth = OS_AUTH_PASSWORD, .secret = secret, .user_id = "1"};
    check_login(&c, "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{"
                    "\"id\":\"1\",\"password\":\"s\\\"x\"}}}}}");
    c = (struct os_config){
        .auth = OS_AUTH_TOKEN, .secret = secret, .project_id = "2", .trust_id = "t"};
    check_login(&c,
                "{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{\"id\":\"s\\\"x\"}},"
                "\"scope\":{\"OS-TRUST:trust\":{\"id\":\"t\"}}}}");
    c = (struct os_config){.auth = OS_AUTH_APPLICATION_CREDENTIAL,
                           .secret = secret,
                           .credential_id = "i",
                           .project_id = "2"};
    check_login(&c, "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
                    "\"application_credential\":{\"secret\":\"s\\\"x\",\"id\":\"i\"}}}}");
    c = (struct os_config){.auth = OS_AUTH_APPLICATION_CREDENTIAL,
                           .secret = secret,
                           .credential_name = "n",
                           .username = "u",
                           .user_domain_id = "d"};
    check_login(&c, "{\"auth\":{\"identity\":{\"methods\":[\"application_credential\"],"
                    "\"application_credential\":{\"secret\":\"s\\\"x\",\"name\":\"n\",\"user\":{"
                    "\"name\":\"u\",\"domain\":{\"id\":\"d\"}}}}}}");
}

static void check(const struct os_request *req, const char *method, const char *path,
                  const char *body)
{
    assert_string_equal(req->method, method);
    assert_string_equal(req->path, path);
    assert_string_equal(req->body, body);
    assert_int_equal(req->body_len, strlen(body));
    assert_int_equal(req->flags & SEND_IDEMPOTENT, 0);
}

/* A plan with as little in it as can be. */
static struct os_plan plan(pb_VmSpec *spec)
{
    *spec = (pb_VmSpec)pb_VmSpec_INIT;
    spec->name = arena_strdup(&arena, "web");
    return (struct os_plan){
        .spec = spec,
        .token = "t1",
        .mark = "isobar-t1",
        .flavor = {.thing = {.id = "1"}},
        .source_id = "img",
        .network_id = "net",
    };
}

static void test_port(void **state)
{
    (void)state;
    pb_VmSpec spec;
    struct os_request req;
    struct os_plan p = plan(&spec);
    assert_true(os_build_port(&arena, &p, &req));
    check(&req, "POST", "/ports",
          "{\"port\":{\"name\":\"isobar-t1\",\"description\":\"" OS_DESCRIPTION
          "\",\"network_id\":\"net\"}}");
    const char *groups[] = {"g1", "g2"};
    p.groups = groups;
    p.n_groups = 2;
    p.subnet_id = "sub";
    p.fixed_ip = "10.0.0.9";
    assert_true(os_build_port(&arena, &p, &req));
    check(&req, "POST", "/ports",
          "{\"port\":{\"name\":\"isobar-t1\",\"description\":\"" OS_DESCRIPTION
          "\",\"network_id\":\"net\",\"fixed_ips\":[{\"subnet_id\":\"sub\",\"ip_address\":"
          "\"10.0.0.9\"}],\"security_groups\":[\"g1\",\"g2\"]}}");
}

static void test_floating_ip(void **state)
{
    (void)state;
    pb_VmSpec spec;
    struct os_request req;
    struct os_plan p = plan(&spec);
    p.external_network_id = "ext";
    assert_true(os_build_fip(&arena, &p, "port", &req));
    check(&req, "POST", "/floatingips",
          "{\"floatingip\":{\"floating_network_id\":\"ext\",\"port_id\":\"port\",\"description\":"
          "\"isobar-t1\"}}");
    struct os_fip fip = {.thing = {.id = "f 1"}, .revision = "7"};
    assert_true(os_build_fip_attach(&arena, &fip, "port", &req));
    check(&req, "PUT", "/floatingips/f%201", "{\"floatingip\":{\"port_id\":\"port\"}}");
    assert_string_equal(req.if_match, "revision_number=7");
    fip.revision = NULL;
    assert_true(os_build_fip_attach(&arena, &fip, "port", &req));
    assert_null(req.if_match);
}

static void test_volume(void **state)
{
    (void)state;
    struct os_request req;
    struct os_new_volume v = {.name = "data", .size = 5};
    assert_true(os_build_volume(&arena, &v, "t1", &req));
    check(&req, "POST", "/volumes",
          "{\"volume\":{\"name\":\"data\",\"description\":\"" OS_DESCRIPTION
          "\",\"size\":5,\"metadata\":{\"isobar_token\":\"t1\"}}}");
    v.source_volume = "old";
    v.type = "fast";
    assert_true(os_build_volume(&arena, &v, "t1", &req));
    check(&req, "POST", "/volumes",
          "{\"volume\":{\"name\":\"data\",\"description\":\"" OS_DESCRIPTION
          "\",\"size\":5,\"source_volid\":\"old\",\"volume_type\":\"fast\",\"metadata\":{"
          "\"isobar_token\":\"t1\"}}}");
    v = (struct os_new_volume){.name = "data", .size = 5, .keep = true};
    assert_true(os_build_volume(&arena, &v, "t1", &req));
    check(&req, "POST", "/volumes",
          "{\"volume\":{\"name\":\"data\",\"description\":\"" OS_DESCRIPTION
          "\",\"size\":5,\"metadata\":{\"isobar_token\":\"t1\",\"isobar_keep\":\"true\"}}}");
}

#define SERVER_HEAD  "{\"server\":{\"name\":\"web\",\"flavorRef\":\"1\","
#define SERVER_NET   "\"networks\":[{\"port\":\"port\"}],"
#define SERVER_MARKS "\"metadata\":{\"isobar_token\":\"t1\"},\"tags\":[\"isobar-t1\"]"

/* Each way to boot. */
static const struct boot_row {
    enum os_boot boot;
    const char *disks;
} boots[] = {
    {OS_BOOT_IMAGE, "\"imageRef\":\"img\","},
    {OS_BOOT_IMAGE_VOLUME,
     "\"block_device_mapping_v2\":[{\"boot_index\":0,\"source_type\":\"image\",\"destination_"
     "type\":"
     "\"volume\",\"delete_on_termination\":true,\"uuid\":\"img\",\"volume_size\":4,"
     "\"volume_type\":\"fast\"}],"},
    {OS_BOOT_VOLUME,
     "\"block_device_mapping_v2\":[{\"boot_index\":0,\"source_type\":\"volume\","
     "\"destination_type\":\"volume\",\"delete_on_termination\":false,\"uuid\":\"img\"}],"},
    {OS_BOOT_VOLUME_COPY,
     "\"block_device_mapping_v2\":[{\"boot_index\":0,\"source_type\":\"volume\","
     "\"destination_type\":\"volume\",\"delete_on_termination\":true,\"uuid\":\"img\"}],"},
    {OS_BOOT_SNAPSHOT_VOLUME,
     "\"block_device_mapping_v2\":[{\"boot_index\":0,\"source_type\":\"snapshot\","
     "\"destination_type\":\"volume\",\"delete_on_termination\":true,\"uuid\":\"img\","
     "\"volume_size\":4,\"volume_type\":\"fast\"}],"},
};

static void test_boots(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(boots); i++) {
        pb_VmSpec spec;
        struct os_request req;
        struct os_plan p = plan(&spec);
        p.boot = boots[i].boot;
        p.boot_size = 4;
        p.volume_type = "fast";
        assert_true(os_build_server(&arena, &p, "port", 93, &req));
        check(&req, "POST", "/servers",
              arena_printf(&arena, SERVER_HEAD "%s" SERVER_NET SERVER_MARKS "}}", boots[i].disks));
    }
}

static void test_more_volumes(void **state)
{
    (void)state;
    pb_VmSpec spec;
    struct os_request req;
    struct os_plan p = plan(&spec);
    pb_VolumeSpec volumes[2] = {pb_VolumeSpec_INIT, pb_VolumeSpec_INIT};
    volumes[0].size_gib = 3;
    volumes[0].keep = true;
    volumes[1].size_gib = 5;
    volumes[1].volume_type = arena_strdup(&arena, "slow");
    struct os_plan_volume planned[] = {{&volumes[0], NULL}, {&volumes[1], NULL}};
    p.volumes = planned;
    p.n_volumes = 2;
#define BOOT_LOCAL                                                                                 \
    "\"imageRef\":\"img\",\"block_device_mapping_v2\":[{\"boot_index\":0,\"source_type\":"         \
    "\"image\",\"destination_type\":\"local\",\"delete_on_termination\":true,\"uuid\":\"img\"},"
#define BLANK                                                                                      \
    "{\"boot_index\":-1,\"source_type\":\"blank\",\"destination_type\":\"volume\","                \
    "\"delete_on_termination\":"
    assert_true(os_build_server(&arena, &p, "port", 93, &req));
    check(&req, "POST", "/servers",
          SERVER_HEAD BOOT_LOCAL BLANK
          "false,\"volume_size\":3}," BLANK
          "true,\"volume_size\":5,\"volume_type\":\"slow\"}]," SERVER_NET SERVER_MARKS "}}");
    /* Made before, for it has a name. */
    planned[1].id = "vol";
    p.n_volumes = 1;
    p.volumes = &planned[1];
    assert_true(os_build_server(&arena, &p, "port", 93, &req));
    check(&req, "POST", "/servers",
          SERVER_HEAD BOOT_LOCAL
          "{\"boot_index\":-1,\"source_type\":\"volume\",\"destination_type\":\"volume\","
          "\"delete_on_termination\":true,\"uuid\":\"vol\"}]," SERVER_NET SERVER_MARKS "}}");
}

static void test_everything(void **state)
{
    (void)state;
    pb_VmSpec spec;
    struct os_request req;
    struct os_plan p = plan(&spec);
    pb_VmSpec_TagsEntry tag = pb_VmSpec_TagsEntry_INIT, *tags[] = {&tag};
    tag.key = arena_strdup(&arena, "env");
    tag.value = arena_strdup(&arena, "");
    spec.tags = tags;
    spec.n_tags = 1;
    static const char *const pairs[][2] = {
        {"description", "d"}, {"hostname", "h"}, {"config_drive", "true"}};
    pb_VmSpec_ParametersEntry entries[3], *parameters[3];
    for (size_t i = 0; i < 3; i++) {
        entries[i] = (pb_VmSpec_ParametersEntry)pb_VmSpec_ParametersEntry_INIT;
        entries[i].key = arena_strdup(&arena, pairs[i][0]);
        entries[i].value = arena_strdup(&arena, pairs[i][1]);
        parameters[i] = &entries[i];
    }
    spec.parameters = parameters;
    spec.n_parameters = 3;
    spec.zone = arena_strdup(&arena, "nova");
    p.keypair = "key";
    p.user_data = "IyE=";
    p.server_group = "grp";
    assert_true(os_build_server(&arena, &p, "port", 93, &req));
    check(&req, "POST", "/servers",
          SERVER_HEAD
          "\"imageRef\":\"img\"," SERVER_NET
          "\"key_name\":\"key\",\"availability_zone\":\"nova\",\"user_data\":\"IyE=\","
          "\"config_drive\":true,\"description\":\"d\",\"hostname\":\"h\","
          "\"metadata\":{\"env\":\"\",\"isobar_token\":\"t1\"},\"tags\":[\"isobar-t1\"]},"
          "\"os:scheduler_hints\":{\"group\":\"grp\"}}");
    /* An old Nova refuses what it does not know. */
    assert_true(os_build_server(&arena, &p, "port", 1, &req));
    check(&req, "POST", "/servers",
          SERVER_HEAD "\"imageRef\":\"img\"," SERVER_NET
                      "\"key_name\":\"key\",\"availability_zone\":\"nova\",\"user_data\":\"IyE=\","
                      "\"config_drive\":true,"
                      "\"metadata\":{\"env\":\"\",\"isobar_token\":\"t1\"}},"
                      "\"os:scheduler_hints\":{\"group\":\"grp\"}}");
}

static void test_actions(void **state)
{
    (void)state;
    static const struct {
        const struct os_action *action;
        const char *status, *task, *body;
    } rows[] = {
        {&os_start, "SHUTOFF", NULL, "{\"os-start\":null}"},
        {&os_start, "ACTIVE", NULL, NULL},
        {&os_start, "SHUTOFF", "powering-on", NULL},
        {&os_start, "SHELVED", NULL, "{\"unshelve\":null}"},
        {&os_start, "SHELVED_OFFLOADED", NULL, "{\"unshelve\":null}"},
        {&os_start, "SUSPENDED", NULL, "{\"os-start\":null}"},
        {&os_stop, "ACTIVE", NULL, "{\"os-stop\":null}"},
        {&os_stop, "SHUTOFF", NULL, NULL},
        {&os_stop, "ACTIVE", "powering-off", NULL},
        {&os_reboot, "ACTIVE", NULL, "{\"reboot\":{\"type\":\"SOFT\"}}"},
        {&os_reboot, "REBOOT", "rebooting", NULL},
        {&os_reboot_hard, "SHUTOFF", NULL, "{\"reboot\":{\"type\":\"HARD\"}}"},
        {&os_suspend, "ACTIVE", NULL, "{\"suspend\":null}"},
        {&os_suspend, "SUSPENDED", NULL, NULL},
        {&os_suspend, "PAUSED", NULL, NULL},
        {&os_resume, "SUSPENDED", NULL, "{\"resume\":null}"},
        {&os_resume, "PAUSED", NULL, "{\"unpause\":null}"},
        {&os_resume, "ACTIVE", NULL, NULL},
        {&os_resume, "ERROR", NULL, "{\"resume\":null}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct os_server s = {.status = rows[i].status, .task_state = rows[i].task};
        const char *body = os_action_body(rows[i].action, &s);
        if (rows[i].body == NULL)
            assert_null(body);
        else
            assert_string_equal(body, rows[i].body);
    }
}

static void test_patterns(void **state)
{
    (void)state;
    assert_string_equal(os_name_pattern(&arena, "web-1_x"), "^web-1_x$");
    assert_string_equal(os_name_pattern(&arena, "a.b*c(d)[e]\\^$"), "^a.b.c.d..e....$");
    assert_string_equal(os_name_pattern(&arena, "\xc3\xa4"), "^.*.*$");
    assert_string_equal(os_glob_pattern(&arena, "we?-*"), "^we.-.*$");
    assert_string_equal(os_glob_pattern(&arena, "a b"), "^a.b$");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login),       cmocka_unit_test(test_port),
        cmocka_unit_test(test_floating_ip), cmocka_unit_test(test_volume),
        cmocka_unit_test(test_boots),       cmocka_unit_test(test_more_volumes),
        cmocka_unit_test(test_everything),  cmocka_unit_test(test_actions),
        cmocka_unit_test(test_patterns),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
