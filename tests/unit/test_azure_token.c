/* What those who give tokens answer: how long they last, and what refusals mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "az_login_errors.h"
#include "az_token.h"
#include "isobar/clock.h"

enum { NOW = 1700000000 };

static struct arena arena;

static struct az_token_answer parse(const char *json)
{
    struct az_token_answer w;
    char why[160] = "";
    assert_true(az_token_parse(&arena, json, strlen(json), &w, why));
    return w;
}

static void lives(void **state)
{
    static const struct {
        const char *json;
        int64_t life, renew; /* -1: it does not say */
    } rows[] = {
        {"{\"expires_in\":3600}", 3600, 3300},
        {"{\"expires_in\":\"3600\"}", 3600, 3300},
        {"{\"expires_in\":86400}", 86400, 86100},
        {"{\"expires_in\":400}", 400, 300},
        {"{\"expires_in\":1}", 1, 1},
        {"{\"expires_in\":3600,\"refresh_in\":1800}", 3600, 1800},
        {"{\"expires_in\":3600,\"refresh_in\":3600}", 3600, 3300},
        {"{\"expires_in\":3600,\"refresh_in\":-5}", 3600, 3300},
        {"{\"expires_in\":9223372036854775807}", 30 * 86400, 30 * 86400 - 300},
        {"{\"expires_on\":1700003600}", 3600, 3300},
        {"{\"expires_on\":\"1700003600\"}", 3600, 3300},
        {"{\"expires_on\":\"1700003600\",\"expires_in\":\"600\"}", 600, 450},
        {"{\"expires_on\":1600000000}", 1600000000 - NOW, 0},
        {"{\"expires_on\":\"06/20/2019 02:57:58 +00:00\"}", -1, 0},
        {"{\"expires_on\":true}", -1, 0},
        {"{\"expires_in\":0}", -1, 0},
        {"{\"expiresOn\":\"2023-11-14 23:13:20.123456\"}", 3600, 3300},
        {"{\"expiresOn\":\"2023-11-14 23:13:20\"}", 3600, 3300},
        {"{\"expiresOn\":\"2023-11-14 23:13:20.1\",\"expires_on\":1700000400}", 400, 300},
        {"{\"expiresOn\":\"2023-11-14T23:13:20Z\"}", -1, 0},
        {"{\"expiresOn\":\"2023-11-14 23:13:20Z\"}", -1, 0},
        {"{\"expiresOn\":\"soon\"}", -1, 0},
        {"{}", -1, 0},
    };

    (void)state;
    setenv("TZ", "UTC0", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct az_token_answer w = parse(rows[i].json);
        int64_t life = -1, renew = 0;
        bool known = az_token_life(&w, NOW, &life, &renew);
        if (known != (rows[i].life != -1) || life != rows[i].life ||
            (life > 0 && renew != rows[i].renew))
            fail_msg("%s: %lld, %lld", rows[i].json, (long long)life, (long long)renew);
    }
    /* `az` writes the time of the place. */
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    struct az_token_answer w = parse("{\"expiresOn\":\"2023-11-15 00:13:20.5\"}");
    int64_t life, renew;
    assert_true(az_token_life(&w, NOW, &life, &renew));
    if (localtime(&(time_t){NOW})->tm_gmtoff == 3600) /* where it knows the place */
        assert_int_equal(life, 3600);
}

static void a_token_is_taken(void **state)
{
    static const struct {
        const char *json;
        pb_ResultCode code;
    } rows[] = {
        {"{\"access_token\":\"a.b-c_~+/=\",\"expires_in\":60}", RESULT_CODE_OK},
        {"{\"accessToken\":\"x\",\"expires_on\":1700000001}", RESULT_CODE_OK},
        {"{\"accessToken\":\"x\",\"expires_on\":1700000000}", RESULT_CODE_UNAUTHORIZED},
        {"{\"access_token\":\"a b\",\"expires_in\":60}", RESULT_CODE_UNAVAILABLE},
        {"{\"access_token\":\"a\\nb\",\"expires_in\":60}", RESULT_CODE_UNAVAILABLE},
        {"{\"access_token\":\"\",\"expires_in\":60}", RESULT_CODE_UNAVAILABLE},
        {"{\"access_token\":{\"x\":1},\"expires_in\":60}", RESULT_CODE_UNAVAILABLE},
        {"{\"access_token\":\"x\"}", RESULT_CODE_UNAVAILABLE},
        {"{\"expires_in\":60}", RESULT_CODE_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct op op = {.arena = &arena, .result = result_new(&arena)};
        struct az_token_answer w = parse(rows[i].json);
        struct token_grant grant = {0};
        pb_ResultCode code = az_token_take(&op, &w, "the place", 5 * NS_PER_SEC, NOW, &grant);
        if (code != rows[i].code)
            fail_msg("%s: %s", rows[i].json, result_name(code));
        if (code == RESULT_CODE_OK)
            assert_true(grant.expires_ns > 5 * NS_PER_SEC && grant.renew_ns <= grant.expires_ns);
        else
            assert_int_equal(strncmp(op.result->detail, "the place has ", 14), 0);
        free(grant.value);
    }
}

static struct az_login_fault fault_of(const char *body)
{
    const struct http_response rsp = {.status = 400, .body = body, .body_len = strlen(body)};
    struct az_login_fault f;
    az_login_fault_read(&arena, &rsp, &f);
    return f;
}

static void refusals_are_read(void **state)
{
    (void)state;
    struct az_login_fault f = fault_of("{\"error\":\"invalid_client\",\"error_description\":"
                                       "\"AADSTS7000215: Invalid. Really.\\r\\n"
                                       "Trace ID: 1\\r\\nCorrelation ID: "
                                       "2\",\"error_codes\":[7000215,2],\"correlation_id\":\"c\"}");
    assert_int_equal(f.number, 7000215);
    assert_string_equal(f.error, "invalid_client");
    assert_string_equal(f.message, "Invalid. Really");
    assert_string_equal(f.request_id, "c");

    f = fault_of("{\"error\":\"x\",\"error_description\":\"AADSTS90002: No tenant. Trace ID: 7\"}");
    assert_int_equal(f.number, 90002);
    assert_string_equal(f.message, "No tenant");

    f = fault_of("{\"error_description\":\"In \\u0001 words\",\"error_codes\":\"none\"}");
    assert_int_equal(f.number, 0);
    assert_string_equal(f.message, "In   words");

    static const char *const nothing[] = {"",
                                          "<html>",
                                          "[]",
                                          "{}",
                                          "{\"error\":{\"code\":1}}",
                                          "{\"error_codes\":[]}",
                                          "{\"error_codes\":[\"x\"]}"};
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        f = fault_of(nothing[i]);
        assert_int_equal(f.number, 0);
        assert_string_equal(f.error, "");
        assert_string_equal(f.message, "");
        assert_string_equal(f.request_id, "");
    }
    char *large = malloc(5000);
    memset(large, 'x', 5000);
    memcpy(large, "{\"error_description\":\"", 22);
    memcpy(large + 4997, "\"}", 3);
    assert_int_equal(strlen(fault_of(large).message), 600);
    free(large);
}

/* Each row says something, is found, and the last fits all. */
static void the_table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < az_login_errors_len; i++) {
        const struct az_login_row *row = &az_login_errors[i];
        const struct az_login_fault f = {
            .number = row->number, .error = row->error == NULL ? "" : row->error, .message = ""};
        assert_ptr_equal(az_login_error_find(row->status == 0 ? 400 : row->status, &f), row);
        assert_non_null(row->advice);
        assert_false(result_is_success(row->code));
        bool passes = row->code == RESULT_CODE_UNAVAILABLE || row->code == RESULT_CODE_RATE_LIMITED;
        assert_true(passes || row->retry == RETRY_CLASS_NEVER);
    }
    const struct az_login_fault unknown = {.number = 1, .error = "odd", .message = ""};
    assert_ptr_equal(az_login_error_find(418, &unknown), &az_login_errors[az_login_errors_len - 1]);
    assert_int_equal(az_login_error_find(429, &unknown)->code, RESULT_CODE_RATE_LIMITED);
    assert_int_equal(az_login_error_find(401, &unknown)->code, RESULT_CODE_UNAUTHORIZED);
}

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 8 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives),
        cmocka_unit_test(a_token_is_taken),
        cmocka_unit_test(refusals_are_read),
        cmocka_unit_test(the_table_is_whole),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
