/* Reading clouds.yaml: mistakes are told with file, line and what is wrong. That it is read the way
 * openstacksdk reads it is for tests/cloud/test_openstack_config.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapter.h"
#include "os_config.h"

extern const struct adapter_ops openstack_adapter;

static char folder[] = "/tmp/isobar-test-XXXXXX";
static char file[64];

static int setup(void **state)
{
    (void)state;
    /* Nothing of whoever runs the test is to be found. */
    unsetenv("OS_CLOUD");
    unsetenv("OS_CLIENT_CONFIG_FILE");
    unsetenv("OS_CLIENT_SECURE_FILE");
    unsetenv("XDG_CONFIG_HOME");
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    setenv("HOME", folder, 1);
    snprintf(file, sizeof(file), "%s/clouds.yaml", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(file);
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static struct os_config *load(const char *text, const char *cloud, struct open_error *error)
{
    struct setting items[] = {{"clouds_file", file}, {"cloud", cloud}};
    struct settings settings = {.cloud = "lab", .n = cloud == NULL ? 1 : 2, .items = items};
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    error->text[0] = '\0';
    return os_config_load(&settings, error);
}

#define AUTH "auth: {auth_url: 'http://h:5000', user_id: u, password: p, project_id: i}"

static void test_whole(void **state)
{
    (void)state;
    struct open_error error;
    struct os_config *c =
        load("clouds:\n  demo:\n    " AUTH "\n    region_name: R\n", "demo", &error);
    if (c == NULL)
        fail_msg("%s", error.text);
    assert_int_equal(c->auth, OS_AUTH_PASSWORD);
    assert_string_equal(c->auth_url, "http://h:5000/v3");
    assert_string_equal(c->secret, "p");
    assert_string_equal(c->region, "R");
    assert_string_equal(c->interface, "public");
    assert_non_null(strstr(c->source, "cloud \"demo\" of "));
    assert_non_null(strstr(c->source, file));
    assert_null(strstr(c->source, "password"));
    os_config_free(c);
    c = load("clouds:\n  demo:\n    " AUTH "\n", NULL, &error); /* the only one */
    assert_non_null(c);
    os_config_free(c);
}

static void test_auth_urls(void **state)
{
    (void)state;
    static const char *const urls[][2] = {
        {"http://h:5000", "http://h:5000/v3"},
        {"http://h:5000/", "http://h:5000/v3"},
        {"http://h:5000/v3", "http://h:5000/v3"},
        {"http://h:5000/v3/", "http://h:5000/v3"},
        {"http://h:5000/v2.0", "http://h:5000/v3"},
        {"https://h/identity", "https://h/identity/v3"},
        {"https://h/identity/v3", "https://h/identity/v3"},
        {"HTTPS://h/v3", "HTTPS://h/v3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        char text[256];
        struct open_error error;
        snprintf(text, sizeof(text),
                 "clouds: {x: {auth: {auth_url: '%s', user_id: u, password: p}}}\n", urls[i][0]);
        struct os_config *c = load(text, "x", &error);
        if (c == NULL)
            fail_msg("%s: %s", urls[i][0], error.text);
        assert_string_equal(c->auth_url, urls[i][1]);
        os_config_free(c);
    }
}

/* What is wrong, on which line, and the words. */
static const struct mistake_row {
    const char *text;
    int line; /* 0: none is told */
    const char *words;
} mistakes[] = {
    {"clouds:\n  x: [\n", 3, "did not find"},
    {"clouds:\n\t- x\n", 2, "found character"},
    {"- clouds\n", 1, "a map is expected"},
    {"clouds: [x]\n", 1, "\"clouds\" must be a map"},
    {"clouds:\n  x: text\n", 2, "cloud \"x\" must be a map"},
    {"clouds:\n  other: {}\n", 0, "no cloud \"x\" (it has: other)"},
    {"clouds:\n  xx: {}\n", 0, "did you mean \"xx\"?"},
    {"clouds:\n  x: {}\n", 2, "there is no auth_url"},
    {"clouds:\n  x:\n    auth: text\n", 3, "\"auth\" must be a map"},
    {"clouds:\n  x:\n    auth: {auth_url: 'ftp://h'}\n", 2, "no http:// or https:// URL"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://{h}/'}\n", 2, "no \"h\" to fill in"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://{h/'}\n", 2, "to fill in"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://h'}\n", 2, "there is no password"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://h', password: p}\n", 2, "there is no username"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://h', password: p, application_credential_id: i}\n",
     2, "auth_type must be v3applicationcredential"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://h', password: p, username: u}\n", 2,
     "add user_domain_name"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://h', password: p, user_id: u, project_name: n}\n",
     2, "add project_domain_name"},
    {"clouds:\n  x:\n    auth: {auth_url: 'http://h', password: p, user_id: u, system_scope: "
     "all}\n",
     2, "system_scope has no machines"},
    {"clouds:\n  x:\n    auth_type: v3totp\n    auth: {auth_url: 'http://h'}\n", 2,
     "auth_type \"v3totp\" is not supported"},
    {"clouds:\n  x:\n    auth_type: v3applicationcredential\n    auth: {auth_url: 'http://h'}\n", 2,
     "there is no application_credential_secret"},
    {"clouds:\n  x:\n    auth_type: v3applicationcredential\n"
     "    auth: {auth_url: 'http://h', application_credential_secret: s}\n",
     2, "there is no application_credential_id"},
    {"clouds:\n  x:\n    auth_type: token\n    auth: {auth_url: 'http://h'}\n", 2,
     "there is no token"},
    {"clouds:\n  x:\n    " AUTH "\n    interface: outside\n", 4,
     "interface \"outside\" is none of public, internal and admin"},
    {"clouds:\n  x:\n    " AUTH "\n    network_interface: outside\n", 4, "network_interface"},
    {"clouds:\n  x:\n    " AUTH "\n    image_endpoint_override: nowhere\n", 2,
     "\"nowhere\" is no http:// or https:// URL"},
    {"clouds:\n  x:\n    " AUTH "\n    regions:\n      - {values: {}}\n", 5,
     "a region must have a name"},
    {"clouds:\n  x:\n    profile: nobody\n", 2, "profile \"nobody\" is not in clouds-public.yaml"},
    {"a: &a [*a]\n", 1, "nested too deep"},
    {"? [a]\n: b\n", 1, "a key must be plain text"},
    {"x: 1\n<<: 2\n", 1, "no map"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        const struct mistake_row *row = &mistakes[i];
        struct open_error error;
        char place[128];
        struct os_config *c = load(row->text, "x", &error);
        if (c != NULL)
            fail_msg("row %zu is accepted: %s", i, row->text);
        snprintf(place, sizeof(place), "%s:%d: ", file, row->line);
        if (strstr(error.text, row->words) == NULL ||
            (row->line > 0 && strncmp(error.text, place, strlen(place)) != 0))
            fail_msg("row %zu: %s", i, error.text);
    }
}

static void test_several_clouds(void **state)
{
    (void)state;
    struct open_error error;
    assert_null(load("clouds: {a: {}, b: {}}\n", NULL, &error));
    assert_non_null(strstr(error.text, "the setting \"cloud\" must say which"));
    assert_null(load("", NULL, &error));
    assert_non_null(strstr(error.text, "no credentials"));
}

static void test_no_file(void **state)
{
    (void)state;
    struct setting items[] = {{"clouds_file", "/nowhere/clouds.yaml"}, {"cloud", "x"}};
    struct settings settings = {.cloud = "lab", .n = 2, .items = items};
    struct open_error error;
    assert_null(os_config_load(&settings, &error));
    assert_string_equal(error.text, "clouds_file: /nowhere/clouds.yaml: No such file or directory");
    items[0].value = folder;
    assert_null(os_config_load(&settings, &error));
    assert_non_null(strstr(error.text, "directory"));
}

/* An alias that doubles itself thirty times over is refused, and soon. */
static void test_billion_laughs(void **state)
{
    (void)state;
    char text[4096] = "a0: &a0 [x, x]\n";
    for (int i = 1; i < 30; i++) {
        char line[64];
        snprintf(line, sizeof(line), "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
        strcat(text, line);
    }
    struct open_error error;
    assert_null(load(text, "x", &error));
    assert_non_null(strstr(error.text, "too much"));
}

/* How long an order may go about: the setting, within bounds. */
static void test_settle(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int ms; /* -1: refused */
    } rows[] = {{NULL, 5000}, {"0", 0},   {"300", 300}, {"600000", 600000},          {"600001", -1},
                {"-1", -1},   {"1s", -1}, {"", -1},     {"99999999999999999999", -1}};
    struct open_error ignored;
    os_config_free(load("clouds: {x: {" AUTH "}}\n", "x", &ignored));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct setting items[] = {{"clouds_file", file}, {"settle_ms", rows[i].value}};
        struct settings settings = {.cloud = "lab", .n = 1 + (rows[i].value != NULL)};
        struct open_error error = {""};
        settings.items = items;
        struct adapter *a = openstack_adapter.open(&settings, &error);
        if ((a == NULL) != (rows[i].ms < 0))
            fail_msg("row %zu: %s", i, error.text);
        if (a == NULL) {
            assert_non_null(strstr(error.text, "settle_ms"));
            continue;
        }
        assert_int_equal(openstack_adapter.settle_ms(a), rows[i].ms);
        openstack_adapter.close(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),    cmocka_unit_test(test_auth_urls),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_several_clouds),
        cmocka_unit_test(test_no_file),  cmocka_unit_test(test_billion_laughs),
        cmocka_unit_test(test_settle),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
