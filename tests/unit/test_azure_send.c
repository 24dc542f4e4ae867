/* One exchange with Resource Manager, and operations that go on after it. */
#include "azure_stub.h"

#include "az.h"

#define THING         GROUP("g") NETWORK "/publicIPAddresses/x"
#define ORDER         "PUT " THING
#define LOOK          SUBSCRIPTION NETWORK "/locations/westeurope/operations/o-1"
#define FOLLOWS       "%1$s" LOOK "?api-version=2021-02-01"
#define STATUS(word_) "{\"status\":\"" word_ "\"}"

static struct cloud cloud;

struct thing {
    const char *name;
};
static const struct shape_field fields[] = {SHAPE_FIELD(struct thing, name, "name", SHAPE_STRING)};
static const struct shape shape = {sizeof(struct thing), fields, 1, 0};

static pb_ResultCode ask(const char *path, struct thing *ret)
{
    struct az_request req = az_get(AZ_NETWORK, path);
    struct op *op = cloud_op(&cloud);

    *ret = (struct thing){0};
    return az_ask(cloud.adapter, op, &req, &shape, ret);
}

static const char *header(const char *name)
{
    static char line[4096];
    const char *at = strcasestr(cloud.headers, name);

    snprintf(line, sizeof(line), "%.*s", at ? (int)strcspn(at, "\r") : 0, at ? at : "");
    return line;
}

/* ---- One exchange ---- */

static void test_headers(void **state)
{
    struct thing t;

    (void)state;
    CLOUD_ROWS(&cloud, {"GET " THING "?api-version=2021-02-01$", ALWAYS, 200, "{\"name\":\"x\"}"},
               {"GET " THING "?$expand=y&api-version=2021-02-01$", ALWAYS, 200, "{}"},
               {"GET " THING "?api-version=2020-01-01$", ALWAYS, 200, "{}"});
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_OK);
    assert_string_equal(t.name, "x");
    assert_string_equal(header("authorization:"), "Authorization: Bearer entra");
    assert_string_equal(header("x-ms-client-request-id:"),
                        "x-ms-client-request-id: 01890a5d-ac96-774b-bcce-b302099a8057");
    assert_string_equal(header("if-none-match:"), "");
    cloud_code(&cloud, ask(THING "?$expand=y", &t), RESULT_CODE_OK);
    cloud_code(&cloud, ask(THING "?api-version=2020-01-01", &t), RESULT_CODE_OK);
    cloud_code(&cloud, ask(arena_printf(&cloud.kept, "HTTP://127.0.0.1:%d" THING, cloud.port), &t),
               RESULT_CODE_OK);
    cloud_code(&cloud, ask(THING "x", &t), RESULT_CODE_NOT_FOUND);
}

/* The port of https may be written, or not; another one is another place. */
static void test_port(void **state)
{
    static const struct {
        const char *url;
        bool here;
    } rows[] = {
        {"https://arm.test.invalid/x", true},       {"https://ARM.test.invalid:443/x", true},
        {"https://arm.test.invalid:4430/x", false}, {"https://arm.test.invalid.evil/x", false},
        {"http://arm.test.invalid/x", false},       {"https://arm.test.invalid", false},
    };
    struct thing t;

    (void)state;
    cloud.adapter->config->endpoint = "https://arm.test.invalid";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cloud_code(&cloud, ask(rows[i].url, &t), RESULT_CODE_UNAVAILABLE);
        bool refused = strstr(cloud.op.result->detail, "the token must not go") != NULL;
        if (refused == rows[i].here)
            fail_msg("%s: %s", rows[i].url, cloud.op.result->detail);
    }
}

/* A token that is refused is renewed once. */
static void test_renewal(void **state)
{
    struct thing t;

    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " THING, 1, 401,
                "!WWW-Authenticate: Bearer error=\"invalid_token\"\r\n\r\n" AZURE_ERROR(
                    "ExpiredAuthenticationToken", "It is over.")},
               {"GET " THING, ALWAYS, 200, "{\"name\":\"x\"}"});
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_OK);
    assert_string_equal(t.name, "x");
    assert_int_equal(cloud_count(&cloud, "GET"), 2);
    assert_int_equal(cloud_count(&cloud, AZURE_LOGIN), 2);
    CLOUD_ROWS(&cloud,
               {"GET " THING, ALWAYS, 401, AZURE_ERROR("InvalidAuthenticationToken", "Not it.")});
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_UNAUTHORIZED);
    assert_int_equal(cloud_count(&cloud, "GET"), 2);
    assert_int_equal(cloud_count(&cloud, AZURE_LOGIN), 1);
    assert_non_null(strstr(cloud.op.result->detail, "client"));
    assert_null(strstr(cloud.op.result->detail, "entra"));
}

static void test_throttle(void **state)
{
    struct thing t;

    (void)state;
    CLOUD_ROWS(&cloud,
               {"GET " THING, 1, 429,
                "!Retry-After: 1\r\n\r\n" AZURE_ERROR("TooManyRequests", "Slow down.")},
               {"GET " THING, ALWAYS, 200, "{\"name\":\"x\"}"});
    int64_t begun = clock_mono_ns();
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_OK);
    assert_true(clock_mono_ns() - begun >= 900 * NS_PER_MS);
    CLOUD_ROWS(&cloud, {"GET " THING, ALWAYS, 429,
                        "!Retry-After: 60\r\n\r\n" AZURE_ERROR("TooManyRequests", "Slow down.")});
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_RATE_LIMITED);
    assert_true(cloud.op.result->retry->after_ms >= 59000);
}

/* Where it leads us is not where the token goes. */
static void test_redirect(void **state)
{
    struct thing t;

    (void)state;
    CLOUD_ROWS(&cloud, {"GET " THING, ALWAYS, 307, "!Location: http://evil.example/\r\n\r\n"});
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(cloud_count(&cloud, "GET"), 1);
}

static void test_calls_left(void **state)
{
    static const struct {
        const char *name, *value;
        int64_t left;
    } rows[] = {
        {"x-ms-ratelimit-remaining-subscription-reads", "11998", 11998},
        {"X-Ms-Ratelimit-Remaining-Subscription-Writes", "7", 7},
        {"x-ms-ratelimit-remaining-resource",
         "Microsoft.Compute/HighCostGet3Min;46,Microsoft.Compute/HighCostGet30Min;346", 46},
        {"x-ms-ratelimit-remaining-resource", "Microsoft.Compute/PutVM3Min;239,x;0", 0},
        {"x-ms-ratelimit-remaining-resource", "nothing", -1},
        {"x-ms-ratelimit-remaining-resource", ",;,", -1},
        {"x-ms-ratelimit-remaining-subscription-reads", "-5", -1},
        {"x-ms-ratelimit-remaining-subscription-reads", "99999999999999999999", INT64_MAX},
        {"x-ms-request-id", "3", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_header one = {rows[i].name, rows[i].value};
        const struct http_response rsp = {.headers = &one, .n_headers = 1};
        assert_int_equal(az_sender_ops.calls_left(cloud.adapter, &rsp), rows[i].left);
    }
    struct http_header two[] = {{rows[0].name, rows[0].value}, {rows[2].name, rows[2].value}};
    const struct http_response rsp = {.headers = two, .n_headers = 2};
    assert_int_equal(az_sender_ops.calls_left(cloud.adapter, &rsp), 46);
}

/* With few calls left, the next ones wait; with many they do not. */
static void test_governor(void **state)
{
    struct thing t;

    (void)state;
    CLOUD_ROWS(&cloud, {"GET " THING, ALWAYS, 200,
                        "!x-ms-ratelimit-remaining-subscription-reads: 0\r\n\r\n{}"});
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_OK);
    int64_t begun = clock_mono_ns();
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_OK);
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_OK);
    assert_true(clock_mono_ns() - begun >= 100 * NS_PER_MS);
}

static void test_unreadable(void **state)
{
    struct az_request put = {
        .service = AZ_NETWORK, .method = "PUT", .path = THING, .body = "{}", .body_len = 2};
    struct thing t;

    (void)state;
    CLOUD_ROWS(&cloud, {"GET " THING, ALWAYS, 200, "<html>"}, {ORDER, ALWAYS, 200, "<html>"});
    cloud_code(&cloud, ask(THING, &t), RESULT_CODE_UNAVAILABLE);
    cloud_code(&cloud, az_ask(cloud.adapter, cloud_op(&cloud), &put, &shape, &t),
               RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(cloud.op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
}

static void test_body(void **state)
{
    struct az_request put = {
        .service = AZ_NETWORK, .method = "PUT", .path = THING, .if_none_match = true};
    struct op *op = cloud_op(&cloud);
    struct request_body body;
    struct thing t = {0};

    (void)state;
    CLOUD_ROWS(&cloud, {ORDER, ALWAYS, 201, "{\"name\":\"x\"}"});
    json_put_string(az_body_begin(&body), "a", "\"b\"");
    assert_true(body_end(&body, op->arena, &put.body, &put.body_len));
    cloud_code(&cloud, az_ask(cloud.adapter, op, &put, &shape, &t), RESULT_CODE_OK);
    assert_int_equal(cloud_count(&cloud, ORDER "?api-version=2021-02-01 {\"a\":\"\\\"b\\\"\"}"), 1);
    assert_string_equal(header("content-type:"), "Content-Type: application/json");
    assert_string_equal(header("if-none-match:"), "If-None-Match: *");
}

/* ---- Operations that go on ---- */

static pb_ResultCode order(const char *answer, int status, struct az_lro *ret, struct thing *t)
{
    const struct az_request put = {
        .service = AZ_NETWORK, .method = "PUT", .path = THING, .body = "{}", .body_len = 2};
    const struct cloud_row row = {ORDER, ALWAYS, status, answer};

    cloud_rows(&cloud, &row, 1);
    pb_ResultCode code = az_begin(cloud.adapter, cloud_op(&cloud), &put, &shape, t, ret);
    cloud_drop_row(&cloud);
    return code;
}

/* What follows from an answer's headers. */
static void test_begin(void **state)
{
    static const struct {
        int status;
        const char *answer;
        bool goes_on, by_location;
        int retry_ms;
    } rows[] = {
        {201, "!Azure-AsyncOperation: " FOLLOWS "\r\nRetry-After: 3\r\n\r\n{\"name\":\"x\"}", true,
         false, 3000},
        {200, "{\"name\":\"x\"}", false, false, 1000},
        {201, "!Location: " FOLLOWS "\r\n\r\n{\"name\":\"x\"}", false, false, 1000},
        {202, "!Location: " FOLLOWS "\r\nRetry-After: 90000\r\n\r\n", true, true, 60000},
        {202,
         "!Location: " FOLLOWS "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "Retry-After: Sun, 06 Nov 1994 08:49:42 GMT\r\n\r\n",
         true, true, 5000},
        {202, "!Location: " FOLLOWS "\r\nRetry-After: soon\r\n\r\n", true, true, 1000},
        {202, "!Location: /x\r\nAzure-AsyncOperation: " FOLLOWS "\r\n\r\n", true, false, 1000},
        {204, "", false, false, 1000},
    };
    struct thing t;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct az_lro lro = {0};
        t = (struct thing){0};
        cloud_code(&cloud, order(rows[i].answer, rows[i].status, &lro, &t), RESULT_CODE_OK);
        assert_int_equal(lro.url != NULL, rows[i].goes_on);
        assert_int_equal(lro.by_location, rows[i].by_location);
        assert_int_equal(lro.retry_ms, rows[i].retry_ms);
        if (strstr(rows[i].answer, "name") != NULL)
            assert_string_equal(t.name, "x");
    }
}

/* What is seen by looking, and how it ends. */
static const struct look_row {
    bool by_location;
    struct cloud_row looks[3];
    pb_ResultCode code;
    size_t n; /* looks */
} looks[] = {
    {false, {{"GET " LOOK, ALWAYS, 200, STATUS("Succeeded")}}, RESULT_CODE_OK, 1},
    {false,
     {{"GET " LOOK, 1, 200, STATUS("InProgress")},
      {"GET " LOOK, 1, 202, STATUS("Updating")},
      {"GET " LOOK, ALWAYS, 200, STATUS("succeeded")}},
     RESULT_CODE_OK,
     3},
    {false,
     {{"GET " LOOK, ALWAYS, 200,
       "{\"status\":\"Failed\",\"error\":{\"code\":\"AllocationFailed\",\"message\":\"no\"}}"}},
     RESULT_CODE_OUT_OF_CAPACITY,
     1},
    {false,
     {{"GET " LOOK, ALWAYS, 200,
       "{\"status\":\"Canceled\",\"error\":{\"code\":\"OperationPreempted\",\"message\":\"\"}"
       "}"}},
     RESULT_CODE_FAILED_PRECONDITION,
     1},
    {false, {{"GET " LOOK, ALWAYS, 200, STATUS("Failed")}}, RESULT_CODE_UNAVAILABLE, 1},
    {false, {{"GET " LOOK, ALWAYS, 200, "{}"}}, RESULT_CODE_DEADLINE_EXCEEDED, 0},
    {false, {{"GET " LOOK, ALWAYS, 200, "no JSON"}}, RESULT_CODE_UNAVAILABLE, 1},
    {false, {{"GET " LOOK, ALWAYS, 404, AZURE_ERROR("NotFound", "x")}}, RESULT_CODE_NOT_FOUND, 1},
    {true,
     {{"GET " LOOK, 1, 202, "!Location: " FOLLOWS "&n=2\r\n\r\n"},
      {"GET " LOOK "?api-version=2021-02-01&n=2", 1, 202, ""},
      {"GET " LOOK "?api-version=2021-02-01&n=2", ALWAYS, 204, ""}},
     RESULT_CODE_OK,
     3},
    {true, {{"GET " LOOK, ALWAYS, 200, "{\"name\":\"x\"}"}}, RESULT_CODE_OK, 1},
    {true,
     {{"GET " LOOK, ALWAYS, 409, AZURE_ERROR("AnotherOperationInProgress", "x")}},
     RESULT_CODE_FAILED_PRECONDITION,
     1},
};

static void test_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        struct op *op = cloud_op(&cloud);
        struct az_lro lro = {.by_location = looks[i].by_location, .retry_ms = 1};
        size_t n = 0;
        /* A look says when the next one may be: a second at least. */
        op->deadline_ns = clock_mono_ns() +
                          (looks[i].code == RESULT_CODE_DEADLINE_EXCEEDED ? 1 : 10) * NS_PER_SEC;
        lro.url = arena_printf(op->arena, "http://127.0.0.1:%d" LOOK "?api-version=2021-02-01",
                               cloud.port);
        while (n < 3 && looks[i].looks[n].begins != NULL)
            n++;
        cloud_rows(&cloud, looks[i].looks, n);
        pb_ResultCode code = az_wait(cloud.adapter, op, AZ_NETWORK, "making x", &lro);
        for (; n > 0; n--)
            cloud_drop_row(&cloud);
        if (code != looks[i].code)
            fail_msg("row %zu: %s: %s", i, result_name(code), op->result->detail);
        if (looks[i].n > 0)
            assert_int_equal(cloud_count(&cloud, "GET"), looks[i].n);
        if (code == RESULT_CODE_DEADLINE_EXCEEDED) {
            assert_int_equal(op->result->side_effects, SIDE_EFFECTS_POSSIBLE);
            assert_non_null(strstr(op->result->detail, "making x was not over"));
        }
    }
}

static void test_look_elsewhere(void **state)
{
    struct op *op = cloud_op(&cloud);
    const struct az_lro lro = {.url = "https://evil.example/x", .retry_ms = 1};
    const struct az_lro over = {0};

    (void)state;
    cloud_code(&cloud, az_wait(cloud.adapter, op, AZ_NETWORK, "x", &lro), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(cloud.requests, 0);
    cloud_code(&cloud, az_wait(cloud.adapter, op, AZ_NETWORK, "x", &over), RESULT_CODE_OK);
}

static void test_cancelled(void **state)
{
    struct op *op = cloud_op(&cloud);
    struct cancel cancel = {0};
    const struct az_lro lro = {.url = "/x", .retry_ms = 60000};

    (void)state;
    op->cancelled = &cancel;
    cancel_raise(&cancel);
    cloud_code(&cloud, az_wait(cloud.adapter, op, AZ_NETWORK, "x", &lro), RESULT_CODE_CANCELLED);
}

static int setup(void **state)
{
    (void)state;
    cloud_start(&cloud);
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
        CASE(test_headers),   CASE(test_port),       CASE(test_renewal),  CASE(test_throttle),
        CASE(test_redirect),  CASE(test_calls_left), CASE(test_governor), CASE(test_unreadable),
        CASE(test_body),      CASE(test_begin),      CASE(test_looks),    CASE(test_look_elsewhere),
        CASE(test_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
