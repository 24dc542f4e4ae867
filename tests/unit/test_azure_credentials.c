/* One token for all threads of a connection; memory that is short while one is fetched. */
#include "alloc_fail.h"
#include "azure_fixture.h"

enum { CALLERS = 24 };

static void all_threads_get_one_token(void **state)
{
    static const struct stub_step late[] = {{.body = AZURE_TOKEN, .delay_ms = 200}};
    static struct azure_call calls[CALLERS];
    struct azure f;

    (void)state;
    azure_open(&f, late, 1);
    for (size_t i = 0; i < CALLERS; i++) {
        calls[i] = (struct azure_call){.azure = &f};
        assert_int_equal(pthread_create(&calls[i].thread, NULL, azure_get, &calls[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(calls[i].thread, NULL);
        assert_int_equal(calls[i].code, RESULT_CODE_OK);
        assert_string_equal(calls[i].token.value, "entra");
        assert_string_equal(((struct az_session *)calls[i].token.data)->source,
                            "the service principal client of tenant tenant (AZURE_CLIENT_SECRET)");
    }
    assert_int_equal(atomic_load(&f.stub.requests), 1);
    assert_true(stub_saw(&f.stub, "client_secret=hush"));

    /* All of them are refused: one asks anew. */
    for (size_t i = 0; i < CALLERS; i++) {
        calls[i].refused = calls[i].token.generation;
        azure_end(&calls[i]);
        pthread_create(&calls[i].thread, NULL, azure_get, &calls[i]);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(calls[i].thread, NULL);
        assert_int_equal(calls[i].code, RESULT_CODE_OK);
        assert_true(calls[i].token.generation != calls[i].refused);
        azure_end(&calls[i]);
    }
    assert_int_equal(atomic_load(&f.stub.requests), 2);
    azure_close(&f);
}

static void the_secret_is_not_in_what_is_said(void **state)
{
    static const struct stub_step no[] = {
        {.status = 401, .body = "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}"}};
    struct azure f;

    (void)state;
    azure_open(&f, no, 1);
    struct azure_call c = {.azure = &f};
    azure_get(&c);
    assert_int_equal(c.code, RESULT_CODE_UNAUTHORIZED);
    assert_null(strstr(c.result->detail, "hush"));
    assert_int_equal(c.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(c.result->blame, BLAME_CLOUD);
    assert_int_equal(c.result->retry->class_, RETRY_CLASS_NEVER);
    azure_end(&c);
    azure_close(&f);
}

static void settings_survive_memory_that_is_short(void **state)
{
    struct azure f = {0};
    struct open_error error;
    unsigned failed = 1, n;
    static const struct stub_step ok[] = {{.body = AZURE_TOKEN}};

    (void)state;
    stub_start(&f.stub, ok, 1, NULL);
    for (n = 1; failed; n++) {
        alloc_fail_at(n);
        f.config = azure_config(&f, &error);
        failed = alloc_fail_stop();
        assert_true((f.config != NULL) == !failed);
        if (f.config == NULL)
            assert_string_equal(error.text, "out of memory");
        az_config_free(f.config);
    }
    assert_true(n > 2);
    stub_stop(&f.stub);
}

static void a_token_survives_memory_that_is_short(void **state)
{
    static const struct stub_step ok[] = {{.body = AZURE_TOKEN}};
    struct azure f;
    unsigned failed = 1, n;

    (void)state;
    azure_open(&f, ok, 1);
    alloc_fail_spare_others();
    for (n = 1; failed; n++) {
        struct azure_call c = {.azure = &f};
        az_credentials_free(f.credentials);
        azure_begin(&c);
        alloc_fail_at(n);
        f.credentials = az_credentials_new(f.config, f.http, f.breakers, "lab");
        if (f.credentials != NULL)
            azure_run(&c);
        failed = alloc_fail_stop();
        if (f.credentials != NULL && !failed)
            assert_int_equal(c.code, RESULT_CODE_OK);
        if (f.credentials != NULL && c.code == RESULT_CODE_OK)
            assert_string_equal(c.token.value, "entra");
        azure_end(&c);
    }
    assert_true(n > 10);
    azure_close(&f);
}

static int principal(void **state)
{
    (void)state;
    azure_principal();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_threads_get_one_token),
        cmocka_unit_test(the_secret_is_not_in_what_is_said),
        cmocka_unit_test(settings_survive_memory_that_is_short),
        cmocka_unit_test(a_token_survives_memory_that_is_short),
    };

    return cmocka_run_group_tests(tests, principal, NULL);
}
