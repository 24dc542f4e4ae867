/* Credentials are kept, fetched anew when they are refused, and renewed before they expire; what is
 * wrong with them by then is told. The sources themselves are for
 * tests/cloud/test_aws_credentials.py.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "aws_credentials.h"
#include "aws_keys.h"
#include "http_stub.h"
#include "isobar/clock.h"

static char folder[] = "/tmp/isobar-test-XXXXXX";
static char config_file[64], credentials_file[64], count_file[64];

static int setup(void **state)
{
    (void)state;
    static const char *const variables[] = {
        "AWS_PROFILE",           "AWS_DEFAULT_PROFILE", "AWS_REGION",       "AWS_DEFAULT_REGION",
        "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",   "AWS_ACCESS_KEY_ID"};
    if (mkdtemp(folder) == NULL)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    snprintf(config_file, sizeof(config_file), "%s/config", folder);
    snprintf(credentials_file, sizeof(credentials_file), "%s/credentials", folder);
    snprintf(count_file, sizeof(count_file), "%s/count", folder);
    setenv("AWS_CONFIG_FILE", config_file, 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", credentials_file, 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(config_file);
    unlink(credentials_file);
    unlink(count_file);
    return rmdir(folder);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

struct fixture {
    struct aws_config *config;
    struct http_client *http;
    struct aws_credentials *credentials;
    struct arena arena;
    struct op op;
};

static void renew_op(struct fixture *f, int ms)
{
    arena_reset(&f->arena);
    f->op = (struct op){.arena = &f->arena,
                        .deadline_ns = clock_mono_ns() + ms * NS_PER_MS,
                        .token = "",
                        .traceparent = "",
                        .result = result_new(&f->arena)};
}

static void begin(struct fixture *f, const char *config, const char *credentials)
{
    struct settings settings = {.cloud = "lab"};
    struct open_error error = {""};
    memset(f, 0, sizeof(*f));
    write_file(config_file, config);
    write_file(credentials_file, credentials);
    f->config = aws_config_load(&settings, &error);
    if (f->config == NULL)
        fail_msg("%s", error.text);
    f->http = http_client_new(&(struct http_options){0});
    f->credentials = aws_credentials_new(f->config, f->http, NULL, "lab");
    assert_non_null(f->credentials);
    arena_init(&f->arena, 1 << 20);
    renew_op(f, 60000);
}

static void end(struct fixture *f)
{
    aws_credentials_free(f->credentials);
    http_client_free(f->http);
    aws_config_free(f->config);
    arena_done(&f->arena);
}

/* The generation of the session, which has this id. */
static uint64_t get(struct fixture *f, uint64_t refused, const char *id)
{
    struct token_ref ref CLEANUP(token_release) = {0};
    renew_op(f, 60000);
    if (aws_credentials_get(f->credentials, &f->op, refused, &ref) != RESULT_CODE_OK)
        fail_msg("%s", f->op.result->detail);
    const struct aws_session *s = ref.data;
    assert_string_equal(s->key.id, id);
    return ref.generation;
}

static void assert_fails(struct fixture *f, uint64_t refused, pb_ResultCode code, const char *words)
{
    struct token_ref ref = {0};
    renew_op(f, 60000);
    assert_int_equal(aws_credentials_get(f->credentials, &f->op, refused, &ref), code);
    if (strstr(f->op.result->detail, words) == NULL)
        fail_msg("%s", f->op.result->detail);
    assert_int_equal(f->op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_null(ref.held);
}

#define CONFIG  "[default]\nregion = eu-west-1\n"
#define KEYS(n) "[default]\naws_access_key_id = AKID" n "\naws_secret_access_key = s\n"

static void test_rotated(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, CONFIG, KEYS("1"));
    uint64_t first = get(&f, 0, "AKID1");
    write_file(credentials_file, KEYS("2"));
    assert_int_equal(get(&f, 0, "AKID1"), first); /* they were not refused */
    uint64_t second = get(&f, first, "AKID2");
    assert_int_not_equal(first, second);
    assert_int_equal(get(&f, first, "AKID2"), second);
    end(&f);
}

/* What was in order when the connection was opened need not stay so. */
static void test_spoiled(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, CONFIG, KEYS("1"));
    uint64_t first = get(&f, 0, "AKID1");
    write_file(credentials_file, "[default]\nhush\n");
    assert_fails(&f, first, RESULT_CODE_UNAUTHORIZED, "credentials:2: \"key = value\" is expected");
    assert_null(strstr(f.op.result->detail, "hush"));
    write_file(credentials_file, "[default]\naws_access_key_id = A\n");
    assert_fails(&f, first, RESULT_CODE_UNAUTHORIZED, "credentials:2: profile \"default\" has an");
    write_file(credentials_file, "");
    assert_fails(&f, first, RESULT_CODE_UNAUTHORIZED, "there are no credentials for cloud lab");
    write_file(credentials_file, KEYS("3"));
    get(&f, first, "AKID3");
    end(&f);
}

static void test_profile_that_is_gone(void **state)
{
    (void)state;
    struct fixture f;
    setenv("AWS_PROFILE", "dev", 1);
    begin(&f,
          "[profile dev]\nregion = eu-west-1\naws_access_key_id = A\n"
          "aws_secret_access_key = s\n",
          "");
    unsetenv("AWS_PROFILE"); /* the environment is that of the opening */
    uint64_t first = get(&f, 0, "A");
    write_file(config_file, CONFIG);
    assert_fails(&f, first, RESULT_CODE_UNAUTHORIZED, "there is no profile \"dev\" any more");
    end(&f);
}

static void *get_one(void *ctx)
{
    struct fixture mine = *(struct fixture *)ctx;
    arena_init(&mine.arena, 1 << 20);
    renew_op(&mine, 60000);
    struct token_ref ref = {0};
    bool ok = aws_credentials_get(mine.credentials, &mine.op, 0, &ref) == RESULT_CODE_OK;
    token_release(&ref);
    arena_done(&mine.arena);
    return ok ? ctx : NULL;
}

/* One process for all threads. */
static void test_process_once(void **state)
{
    (void)state;
    struct fixture f;
    char config[512];
    pthread_t threads[8];
    snprintf(config, sizeof(config),
             CONFIG "credential_process = sh -c 'echo x >> %s; sleep 0.1; echo "
                    "\"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"P\\\","
                    "\\\"SecretAccessKey\\\":\\\"s\\\"}\"'\n",
             count_file);
    begin(&f, config, "");
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_one, &f), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *ok = NULL;
        pthread_join(threads[i], &ok);
        assert_non_null(ok);
    }
    char lines[64] = "";
    FILE *count = fopen(count_file, "r");
    assert_non_null(count);
    assert_int_equal(fread(lines, 1, sizeof(lines), count), 2);
    fclose(count);
    end(&f);
}

static void test_process_that_hangs(void **state)
{
    (void)state;
    struct fixture f;
    struct token_ref ref = {0};
    begin(&f, CONFIG "credential_process = sleep 600\n", "");
    renew_op(&f, 200);
    assert_int_equal(aws_credentials_get(f.credentials, &f.op, 0, &ref),
                     RESULT_CODE_DEADLINE_EXCEEDED);
    end(&f);
}

#define GRANT                                                                                      \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"M\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","       \
    "\"Expiration\":\"%s\"}"

/* Where instance metadata has been, it is known to be down, not thought to be absent; and keys that
 * it shows though they are over are used for a while. */
static void test_metadata_goes_down(void **state)
{
    (void)state;
    struct fixture f;
    struct stub stub;
    char grant[256];
    snprintf(grant, sizeof(grant), GRANT, "2020-01-01T00:00:00Z");
    const struct stub_step steps[] = {
        {.body = "token"},
        {.body = "role"},
        {.body = grant},
        {.status = 503},
    };
    stub_start(&stub, steps, ARRAY_LEN(steps), NULL);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", stub_url(&stub, "/"), 1);
    begin(&f, CONFIG, "");
    uint64_t first = get(&f, 0, "M");
    assert_int_equal(get(&f, 0, "M"), first);
    assert_fails(&f, first, RESULT_CODE_UNAVAILABLE, "is out of order: it answers 503");
    stub_stop(&stub);
    assert_fails(&f, first, RESULT_CODE_UNAVAILABLE, "does not answer");
    end(&f);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

static void test_expiry(void **state)
{
    (void)state;
    static const struct {
        const char *expiration;
        int64_t life_s;
    } rows[] = {
        {NULL, INT64_MAX},
        {"", INT64_MAX},
        {"1970-01-01T01:00:00Z", 3600 - 100},
        {"1970-01-01T02:00:00+01:00", 3600 - 100},
        {"1970-01-01T00:00:00Z", -100},
        {"9999-12-31T23:59:59Z", 30 * 86400},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct aws_keys k = {0};
        assert_true(aws_keys_expire(&k, rows[i].expiration, 100));
        assert_int_equal(k.life_s, rows[i].life_s);
    }
    struct aws_keys k = {0};
    assert_false(aws_keys_expire(&k, "tomorrow", 100));
    assert_int_equal(aws_keys_early_s(12 * 3600), 900);
    assert_int_equal(aws_keys_early_s(3600), 900);
    assert_int_equal(aws_keys_early_s(900), 225);
    assert_int_equal(aws_keys_early_s(0), 0);
}

/* The environment's credentials cannot be renewed. */
static void test_environment_expires(void **state)
{
    (void)state;
    struct fixture f;
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z", 1);
    begin(&f, CONFIG, "");
    assert_fails(&f, 0, RESULT_CODE_UNAUTHORIZED, "of the environment (AWS_*) have expired");
    end(&f);
    setenv("AWS_CREDENTIAL_EXPIRATION", "2999-01-01T00:00:00Z", 1);
    begin(&f, CONFIG, "");
    get(&f, 0, "E");
    end(&f);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_CREDENTIAL_EXPIRATION");
}

/* Every allocation fails once: nothing is lost, and nothing is half done. */
static void test_memory(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, CONFIG, KEYS("1"));
    unsigned failed = 1;
    for (unsigned n = 1; failed > 0; n++) {
        struct settings settings = {.cloud = "lab"};
        struct open_error error = {""};
        struct token_ref ref = {0};
        renew_op(&f, 60000);
        alloc_fail_at(n);
        struct aws_config *c = aws_config_load(&settings, &error);
        struct aws_credentials *k = c == NULL ? NULL : aws_credentials_new(c, f.http, NULL, "lab");
        pb_ResultCode code =
            k == NULL ? RESULT_CODE_INTERNAL_ERROR : aws_credentials_get(k, &f.op, 0, &ref);
        failed = alloc_fail_stop();
        assert_true(c != NULL || error.text[0] != '\0');
        assert_true(failed > 0 || code == RESULT_CODE_OK);
        token_release(&ref);
        aws_credentials_free(k);
        aws_config_free(c);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotated),
        cmocka_unit_test(test_spoiled),
        cmocka_unit_test(test_profile_that_is_gone),
        cmocka_unit_test(test_process_once),
        cmocka_unit_test(test_process_that_hangs),
        cmocka_unit_test(test_metadata_goes_down),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_environment_expires),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
