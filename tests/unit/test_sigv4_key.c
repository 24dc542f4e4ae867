/* The key that a signer of Signature Version 4 keeps: what it follows, threads that share it,
 * memory that is short.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "sigv4_fixture.h"

static const char *sign_with(struct sigv4_signer *s, struct arena *a, const struct sigv4_key *key,
                             const struct sigv4_scope *scope)
{
    struct http_request req = {.method = "GET", .url = "https://example.amazonaws.com/"};
    struct sigv4_stages stages;

    return sigv4_sign_stages(s, a, key, scope, &req, &stages) ? stages.signature : "";
}

/* As who has signed nothing before. */
static const char *sign_anew(const struct sigv4_key *key, const struct sigv4_scope *scope)
{
    struct sigv4_signer *s = sigv4_signer_new();
    const char *signature = sign_with(s, &arena, key, scope);

    sigv4_signer_free(s);
    assert_int_equal(strlen(signature), 64);
    return signature;
}

static const struct user {
    struct sigv4_key key;
    struct sigv4_scope scope;
} users[] = {
    {{"A", "secret", NULL}, {.region = "eu-west-1", .service = "ec2", .time_s = THEN}},
    {{"A", "secret", NULL}, {.region = "eu-west-1", .service = "ec2", .time_s = THEN + 3600}},
    {{"A", "secret", NULL}, {.region = "eu-west-1", .service = "ec2", .time_s = THEN + 86400}},
    {{"A", "secret", NULL}, {.region = "eu-west-2", .service = "ec2", .time_s = THEN}},
    {{"A", "secret", NULL}, {.region = "eu-west-1", .service = "sts", .time_s = THEN}},
    {{"A", "secreT", NULL}, {.region = "eu-west-1", .service = "ec2", .time_s = THEN}},
    {{"A", "secret2", NULL}, {.region = "eu-west-1", .service = "ec2", .time_s = THEN}},
    {{"A", "", NULL}, {.region = "eu-west-1", .service = "ec2", .time_s = THEN}},
    {{"A", "secret", NULL}, {.region = "a/b", .service = "c", .time_s = THEN}},
    {{"A", "secret", NULL}, {.region = "a", .service = "b/c", .time_s = THEN}},
};

static void the_key_follows_what_it_is_derived_from(void **state)
{
    const char *want[ARRAY_LEN(users)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        want[i] = sign_anew(&users[i].key, &users[i].scope);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(want[i], want[k]);
    }
    for (size_t i = 0; i < ARRAY_LEN(users); i++)
        for (size_t k = 0; k < ARRAY_LEN(users); k++) {
            const struct user *u = &users[i], *v = &users[k];
            assert_string_equal(sign_with(signer, &arena, &u->key, &u->scope), want[i]);
            assert_string_equal(sign_with(signer, &arena, &v->key, &v->scope), want[k]);
        }
}

enum { THREADS = 4, ROUNDS = 500 };

struct worker {
    pthread_t thread;
    size_t first;
    const char **want;
    unsigned wrong;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct arena mine;

    arena_init(&mine, (size_t)1 << 20);
    for (size_t i = 0; i < ROUNDS; i++) {
        size_t n = (w->first + i / 3) % ARRAY_LEN(users);
        const char *got = sign_with(signer, &mine, &users[n].key, &users[n].scope);
        w->wrong += strcmp(got, w->want[n]) != 0;
        arena_reset(&mine);
    }
    arena_done(&mine);
    return NULL;
}

static void threads_share_a_signer(void **state)
{
    const char *want[ARRAY_LEN(users)];
    struct worker workers[THREADS];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(users); i++)
        want[i] = sign_anew(&users[i].key, &users[i].scope);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.first = 2 * i, .want = want};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].wrong, 0);
    }
}

/* Computed by botocore. */
static void secrets_of_any_length_sign(void **state)
{
    char secret[1001];
    struct sigv4_key empty = {"A", "", NULL}, longest = {"A", secret, NULL};

    (void)state;
    memset(secret, 's', 1000);
    secret[1000] = '\0';
    assert_string_equal(sign_with(signer, &arena, &empty, &ec2),
                        "3fa9c6512bc976eef433a0877e277f94c6360926d2a33b0092e04516533a44c6");
    assert_string_equal(sign_with(signer, &arena, &longest, &ec2),
                        "9f05ce392efb40477c3c9ec52a24e3456c24e0be6c4f37a3dd94998c54795c17");
}

static void memory_that_is_short_is_a_failure(void **state)
{
    unsigned n, failed = 1;

    (void)state;
    for (n = 1; failed; n++) {
        struct sigv4_signer *s;
        const char *got = "";
        alloc_fail_at(n);
        s = sigv4_signer_new();
        if (s)
            got = sign_with(s, &arena, &example, &ec2);
        failed = alloc_fail_stop();
        assert_true(*got ? !failed : failed);
        arena_done(&arena);
        /* The next one is not the worse for it. */
        if (s)
            assert_int_equal(strlen(sign_with(s, &arena, &example, &ec2)), 64);
        sigv4_signer_free(s);
        arena_done(&arena);
    }
    assert_true(n > 3);
    sigv4_signer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGV4_TEST(the_key_follows_what_it_is_derived_from),
        SIGV4_TEST(threads_share_a_signer),
        SIGV4_TEST(secrets_of_any_length_sign),
        SIGV4_TEST(memory_that_is_short_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
