/* Lists, pages and look-ups of the Azure adapter, against a table of answers. */
#include "azure_stub.h"

#include "az.h"

#define NETS(group_)       GROUP(group_) NETWORK "/virtualNetworks"
#define ID(group_, name_)  NETS(group_) "/" name_
#define NET(group_, name_) "{\"id\":\"" ID(group_, name_) "\",\"name\":\"" name_ "\"}"
#define LIST(...)          "{\"value\":[" __VA_ARGS__ "]}"
#define ALL                "GET " SUBSCRIPTION NETWORK "/virtualNetworks?api-version=2021-02-01"
#define OTHER_SUBSCRIPTION "/subscriptions/99999999-2222-3333-4444-555555555555"

static struct cloud cloud;

static pb_ResultCode list(pb_ListNetworksResponse *ret)
{
    pb_ListNetworksRequest req = ISOBAR__V1__LIST_NETWORKS_REQUEST__INIT;

    *ret = (pb_ListNetworksResponse)ISOBAR__V1__LIST_NETWORKS_RESPONSE__INIT;
    return azure_list_networks(cloud.adapter, cloud_op(&cloud), &req, ret);
}

static pb_ResultCode get(const char *id, pb_Network **ret)
{
    pb_GetNetworkRequest req = ISOBAR__V1__GET_NETWORK_REQUEST__INIT;
    pb_GetNetworkResponse response = ISOBAR__V1__GET_NETWORK_RESPONSE__INIT;

    req.id = (char *)(uintptr_t)id;
    pb_ResultCode code = azure_get_network(cloud.adapter, cloud_op(&cloud), &req, &response);
    *ret = response.network;
    return code;
}

/* ---- Ids ---- */

static void test_ids(void **state)
{
    static const struct {
        const char *text, *group, *type, *name, *parent;
    } good[] = {
        {ID("g", "n"), "g", "Microsoft.Network/virtualNetworks", "n", NULL},
        {ID("g", "n") "/subnets/s", "g", "Microsoft.Network/virtualNetworks/subnets", "s",
         ID("g", "n")},
        {"/SUBSCRIPTIONS/1/RESOURCEGROUPS/G/PROVIDERS/p/t/n", "G", "p/t", "n", NULL},
        {"/subscriptions/1/resourceGroups/g", "g", "Microsoft.Resources/resourceGroups", "g", NULL},
        {"/subscriptions/1/resourceGroups/g/providers/p/t/a b:c", "g", "p/t", "a b:c", NULL},
    };
    static const char *const bad[] = {
        "",
        "/",
        "web",
        "subscriptions/1/resourceGroups/g/providers/p/t/n",
        "/subscriptions/1",
        "/subscriptions//resourceGroups/g/providers/p/t/n",
        "/subscriptions/1/resourceGroups",
        "/subscriptions/1/resourceGroups/g/providers",
        "/subscriptions/1/resourceGroups/g/providers/p",
        "/subscriptions/1/resourceGroups/g/providers/p/t",
        "/subscriptions/1/resourceGroups/g/providers/p/t/n/",
        "/subscriptions/1/resourceGroups/g/providers/p/t/n/s",
        "/subscriptions/1/resourceGroups/g/providers/p/t/n?x=y",
        "/subscriptions/1/resourceGroups/g/providers/p/t/n#x",
        "/subscriptions/1/resourceGroups/../providers/p/t/n",
        "/subscriptions/1/resourceGroups/./providers/p/t/n",
        "/subscriptions/1/groups/g/providers/p/t/n",
        "https://management.azure.com/subscriptions/1/resourceGroups/g",
    };
    struct az_id id;
    struct arena *a = cloud_op(&cloud)->arena;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(az_id_parse(a, good[i].text, &id));
        assert_string_equal(id.group, good[i].group);
        assert_string_equal(id.type, good[i].type);
        assert_string_equal(id.name, good[i].name);
        if (good[i].parent == NULL)
            assert_null(id.parent);
        else
            assert_string_equal(id.parent, good[i].parent);
        assert_string_equal(az_id_name(a, good[i].text), good[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (az_id_parse(a, bad[i], &id))
            fail_msg("\"%s\" counts as an id", bad[i]);
    assert_false(az_id_parse(a, NULL, &id));
    assert_string_equal(az_id_group(a, "web"), "");
    assert_true(az_id_is("/A", "/a"));
    assert_false(az_id_is("/a", NULL));
    assert_string_equal(az_id_path(a, "/x/a b/ü"), "/x/a%20b/%C3%BC");
}

/* ---- Lists ---- */

static void test_pages(void **state)
{
    pb_ListNetworksResponse all;

    (void)state;
    CLOUD_ROWS(&cloud,
               {ALL "$", ALWAYS, 200,
                "{\"value\":[" NET("g", "a") "," NET(
                    "g", "b") "],\"nextLink\":\"%1$s" SUBSCRIPTION NETWORK
                              "/virtualNetworks?api-version=2021-02-01&$skiptoken=x%2F1\"}"},
               {"GET " SUBSCRIPTION NETWORK
                "/virtualNetworks?api-version=2021-02-01&$skiptoken=x%2F1",
                ALWAYS, 200,
                "{\"value\":[],\"nextLink\":\"%1$s" SUBSCRIPTION NETWORK
                "/virtualNetworks?$skiptoken=2\"}"},
               {"GET " SUBSCRIPTION NETWORK "/virtualNetworks?$skiptoken=2&api-version=2021-02-01$",
                ALWAYS, 200, "{\"value\":[" NET("h", "c") "],\"nextLink\":\"\"}"});
    cloud_code(&cloud, list(&all), RESULT_CODE_OK);
    assert_int_equal(all.n_networks, 3);
    assert_string_equal(all.networks[0]->id, ID("g", "a"));
    assert_string_equal(all.networks[2]->id, ID("h", "c"));
    assert_int_equal(cloud_count(&cloud, "GET"), 3);
}

/* The rows that the longer ones would hide stand behind them. */
static void test_other_host(void **state)
{
    static const char *const links[] = {"https://evil.example/subscriptions/1",
                                        "http://127.0.0.1.evil.example/x", "ftp://127.0.0.1/x",
                                        "//evil.example/x/", "x"};
    pb_ListNetworksResponse all;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        const char *body = cloud_keep(
            &cloud, arena_printf(&cloud.kept, "{\"value\":[" NET("g", "a") "],\"nextLink\":\"%s\"}",
                                 links[i]));
        const struct cloud_row row = {ALL, ALWAYS, 200, body};
        cloud_rows(&cloud, &row, 1);
        pb_ResultCode code = list(&all);
        cloud_drop_row(&cloud);
        /* What begins with a slash is a path of Resource Manager. */
        if (links[i][0] == '/') {
            assert_int_equal(code, RESULT_CODE_NOT_FOUND);
            continue;
        }
        assert_int_equal(code, RESULT_CODE_UNAVAILABLE);
        assert_non_null(strstr(cloud.op.result->detail, "the token must not go"));
        assert_int_equal(cloud_count(&cloud, "GET"), 1);
        assert_int_equal(cloud.op.result->blame, BLAME_CLOUD);
    }
}

static void test_ring(void **state)
{
    pb_ListNetworksResponse all;

    (void)state;
    CLOUD_ROWS(&cloud, {ALL, ALWAYS, 200,
                        "{\"value\":[" NET(
                            "g", "a") "],\"nextLink\":\"%1$s" SUBSCRIPTION NETWORK
                                      "/virtualNetworks?api-version=2021-02-01&$skiptoken=1\"}"});
    cloud_code(&cloud, list(&all), RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(cloud.op.result->detail, "has no end"));
    assert_true(cloud_count(&cloud, "GET") < 10);
}

static void test_bad_lists(void **state)
{
    static const struct {
        const char *body, *words;
    } rows[] = {
        {"{}", "has no value"},
        {"{\"value\":null}", "has no value"},
        {"{\"value\":{}}", "has no value"},
        {"[]", "cannot be read"},
        {"", "cannot be read"},
        {"{\"value\":[{\"id\":\"x\"}", "cannot be read"},
    };
    pb_ListNetworksResponse all;
    char *deep = malloc(200000);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cloud_row row = {ALL, ALWAYS, 200, rows[i].body};
        cloud_rows(&cloud, &row, 1);
        cloud_code(&cloud, list(&all), RESULT_CODE_UNAVAILABLE);
        cloud_drop_row(&cloud);
        if (strstr(cloud.op.result->detail, rows[i].words) == NULL)
            fail_msg("%s: %s", rows[i].body, cloud.op.result->detail);
    }
    strcpy(deep, "{\"value\":[{\"properties\":");
    memset(deep + strlen(deep), '[', 199999 - strlen(deep));
    deep[199999] = '\0';
    const struct cloud_row row = {ALL, ALWAYS, 200, deep};
    cloud_rows(&cloud, &row, 1);
    cloud_code(&cloud, list(&all), RESULT_CODE_UNAVAILABLE);
    free(deep);
}

/* What has no id is left out, what has no name has that of its id, and the rest stays what it is.
 */
static void test_odd_things(void **state)
{
    pb_ListNetworksResponse all;

    (void)state;
    CLOUD_ROWS(
        &cloud,
        {ALL, ALWAYS, 200,
         LIST("{\"name\":\"none\",\"properties\":{\"resourceGuid\":\"g-0\"}},"
              "{\"id\":\"\"},7,null,[{}],{\"id\":\"" ID(
                  "g",
                  "a") "\",\"properties\":{"
                       "\"provisioningState\":7,\"subnets\":[{\"name\":\"lost\"},{\"id\":\"" ID(
                           "g",
                           "a") "/subnets/s\"}],\"resourceGuid\":\"g-1\",\"flowTimeoutInMinutes"
                                "\":1e400,\"enableDdosProtection\":false,\"dhcpOptions\":null}},"
                                "{\"id\":\"no path\",\"name\":null,\"location\":{},\"tags\":[]}")});
    cloud_code(&cloud, list(&all), RESULT_CODE_OK);
    assert_int_equal(all.n_networks, 2);
    const pb_Network *n = all.networks[0];
    assert_string_equal(n->name, "a");
    assert_string_equal(n->status, "7");
    assert_int_equal(n->n_subnet_ids, 1);
    assert_string_equal(n->subnet_ids[0], ID("g", "a") "/subnets/s");
    assert_int_equal(n->n_native, 3);
    assert_string_equal(n->native[0]->key, "resourceGuid");
    assert_string_equal(n->native[0]->value, "g-1");
    assert_string_equal(n->native[2]->key, "enableDdosProtection");
    assert_string_equal(n->native[2]->value, "false");
    assert_string_equal(all.networks[1]->name, "");
}

static void test_failing_page(void **state)
{
    pb_ListNetworksResponse all;

    (void)state;
    CLOUD_ROWS(&cloud, {ALL, ALWAYS, 403,
                        AZURE_ERROR("AuthorizationFailed", "The client does not have it.")});
    cloud_code(&cloud, list(&all), RESULT_CODE_FORBIDDEN);
    assert_string_equal(cloud.op.result->native->code, "AuthorizationFailed");
    assert_string_equal(cloud.op.result->native->request_id, "r-9");
    assert_non_null(strstr(cloud.op.result->detail, "The client does not have it."));
    assert_true(az_said(&cloud.op, "AuthorizationFailed"));
}

/* ---- One ---- */

static void test_by_id(void **state)
{
    pb_Network *n;

    (void)state;
    CLOUD_ROWS(&cloud, {"GET " ID("g", "a") "?api-version=2021-02-01$", ALWAYS, 200, NET("g", "a")},
               {"GET " ID("G", "A%20b") "?api-version=2021-02-01$", ALWAYS, 200, NET("g", "a")},
               {"GET " ID("g", "odd"), ALWAYS, 200, "{}"},
               {"GET " ID("g", "locked"), ALWAYS, 403, AZURE_ERROR("AuthorizationFailed", "no")});
    cloud_code(&cloud, get(ID("g", "a"), &n), RESULT_CODE_OK);
    assert_string_equal(n->id, ID("g", "a"));
    assert_int_equal(cloud_count(&cloud, "GET"), 1);
    cloud_code(&cloud, get(ID("G", "A b"), &n), RESULT_CODE_OK);
    cloud_code(&cloud, get(ID("g", "odd"), &n), RESULT_CODE_UNAVAILABLE);
    cloud_code(&cloud, get(ID("g", "locked"), &n), RESULT_CODE_FORBIDDEN);
    cloud_code(&cloud, get(ID("g", "none"), &n), RESULT_CODE_NOT_FOUND);
    assert_string_equal(cloud.op.result->violations[0]->field, "id");
}

/* Nothing is asked for. */
static void test_bad_ids(void **state)
{
    static const char *const bad[] = {
        "/",
        "/subscriptions/x",
        ID("g", "a") "/",
        ID("g", "a") "?x",
        ID("g", "..") "",
        ID("g", "a") "/subnets/s",
        GROUP("g") COMPUTE "/virtualMachines/a",
    };
    pb_Network *n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cloud_code(&cloud, get(bad[i], &n), RESULT_CODE_NOT_FOUND);
        assert_int_equal(cloud_count(&cloud, "GET"), 0);
    }
    cloud_code(&cloud, get(OTHER_SUBSCRIPTION "/resourceGroups/g" NETWORK "/virtualNetworks/a", &n),
               RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(cloud.op.result->detail, "of subscription 99999999"));
    assert_int_equal(cloud_count(&cloud, "GET"), 0);
}

static void test_by_name(void **state)
{
    pb_Network *n;

    (void)state;
    CLOUD_ROWS(&cloud, {ALL, ALWAYS, 200,
                        LIST(NET("g", "front") "," NET("g", "both") "," NET("h", "both"))});
    cloud_code(&cloud, get("front", &n), RESULT_CODE_OK);
    assert_string_equal(n->id, ID("g", "front"));
    cloud_code(&cloud, get("FRONT", &n), RESULT_CODE_OK);
    cloud_code(&cloud, get("both", &n), RESULT_CODE_BAD_REQUEST_DATA);
    assert_non_null(strstr(cloud.op.result->detail, ID("g", "both")));
    assert_non_null(strstr(cloud.op.result->detail, ID("h", "both")));
    cloud_code(&cloud, get("frond", &n), RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(cloud.op.result->detail, "front"));
    cloud_code(&cloud, get("a/b/c", &n), RESULT_CODE_NOT_FOUND);
    cloud_code(&cloud, get("front/", &n), RESULT_CODE_NOT_FOUND);
}

static void test_by_group(void **state)
{
    pb_Network *n;

    (void)state;
    CLOUD_ROWS(&cloud, {"GET " ID("g", "a") "?api-version=2021-02-01$", ALWAYS, 200, NET("g", "a")},
               {"GET " NETS("g") "?api-version=2021-02-01$", ALWAYS, 200, LIST(NET("g", "front"))},
               {"GET " NETS("odd%3Fgroup") "?", ALWAYS, 404,
                AZURE_ERROR("ResourceGroupNotFound", "Resource group 'x' could not be found.")},
               {"GET " NETS("none") "?", ALWAYS, 404,
                AZURE_ERROR("ResourceGroupNotFound", "Resource group 'x' could not be found.")});
    cloud_code(&cloud, get("g/a", &n), RESULT_CODE_OK);
    assert_int_equal(cloud_count(&cloud, "GET"), 1);
    cloud_code(&cloud, get("g/frond", &n), RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(cloud.op.result->detail, "front"));
    cloud_code(&cloud, get("none/a", &n), RESULT_CODE_NOT_FOUND);
    assert_non_null(strstr(cloud.op.result->detail, "no resource group 'none'"));
    cloud_code(&cloud, get("odd?group/a", &n), RESULT_CODE_NOT_FOUND);
    cloud_code(&cloud, get("../a", &n), RESULT_CODE_NOT_FOUND);
    assert_int_equal(cloud_count(&cloud, "GET"), 0);
}

/* ---- A connection that is bound to a group ---- */

static void test_bound(void **state)
{
    pb_ListNetworksResponse all;
    pb_Network *n;

    (void)state;
    CLOUD_ROWS(
        &cloud,
        {"GET " NETS("mine") "?api-version=2021-02-01$", ALWAYS, 200, LIST(NET("mine", "a"))},
        {"GET " ID("mine", "a") "?", ALWAYS, 200, NET("mine", "a")},
        {"GET " ID("other", "b") "?", ALWAYS, 200, NET("other", "b")});
    cloud_code(&cloud, list(&all), RESULT_CODE_OK);
    assert_int_equal(all.n_networks, 1);
    cloud_code(&cloud, get("a", &n), RESULT_CODE_OK);
    cloud_code(&cloud, get("b", &n), RESULT_CODE_NOT_FOUND);
    cloud_code(&cloud, get("other/b", &n), RESULT_CODE_OK);
    cloud_code(&cloud, get(ID("other", "b"), &n), RESULT_CODE_OK);
}

static int setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
    return 0;
}

static int setup_bound(void **state)
{
    (void)state;
    cloud_start_with(&cloud, "mine", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cloud_stop(&cloud);
    return 0;
}

#define CASE(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_ids),          CASE(test_pages),
        CASE(test_other_host),   CASE(test_ring),
        CASE(test_bad_lists),    CASE(test_odd_things),
        CASE(test_failing_page), CASE(test_by_id),
        CASE(test_bad_ids),      CASE(test_by_name),
        CASE(test_by_group),     cmocka_unit_test_setup_teardown(test_bound, setup_bound, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
