/* Signature Version 4 beyond the vectors: the key that is kept, URLs of all kinds, memory that is
 * short. Host is judged by libcurl.
 */
#include "http_fixture.h"

#include "alloc_fail.h"
#include "kit/sigv4.h"

/* 2015-08-30T12:36:00Z */
#define THEN INT64_C(1440938160)

static const struct sigv4_key example = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                         NULL};
static const struct sigv4_scope ec2 = {.region = "eu-west-1", .service = "ec2", .time_s = THEN};

static struct arena arena;
static struct sigv4_signer *signer;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)16 << 20);
    signer = sigv4_signer_new();
    return signer ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sigv4_signer_free(signer);
    arena_done(&arena);
    return 0;
}

/* ---- the key ---- */

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

/* ---- the request ---- */

/* A line of the canonical request of a GET, from 0; NULL where it is not signed. */
static char *canonical_line(const char *url, unsigned flags, int line)
{
    struct http_request req = {.method = "GET", .url = url}, before = req;
    struct sigv4_scope scope = ec2;
    struct sigv4_stages stages;
    const char *text;

    scope.flags = flags;
    if (!sigv4_sign_stages(signer, &arena, &example, &scope, &req, &stages)) {
        assert_memory_equal(&req, &before, sizeof(req));
        return NULL;
    }
    text = stages.canonical_request;
    while (line-- > 0)
        text = strchr(text, '\n') + 1;
    return arena_strndup(&arena, text, strcspn(text, "\n"));
}

struct part {
    const char *from, *to; /* NULL: is not signed */
};

static void check_parts(const struct part *parts, size_t n, const char *before, unsigned flags,
                        int line)
{
    for (size_t i = 0; i < n; i++) {
        const char *url = arena_printf(&arena, "%s%s", before, parts[i].from);
        const char *got = canonical_line(url, flags, line);
        if (got ? !parts[i].to || strcmp(got, parts[i].to) != 0 : parts[i].to != NULL)
            fail_msg("%s became %s, not %s", url, got ? got : "nothing",
                     parts[i].to ? parts[i].to : "nothing");
    }
}

static void host_is_taken_from_the_url(void **state)
{
    static const struct part hosts[] = {
        {"https://ec2.eu-west-1.amazonaws.com/", "host:ec2.eu-west-1.amazonaws.com"},
        {"https://ec2.eu-west-1.amazonaws.com", "host:ec2.eu-west-1.amazonaws.com"},
        {"https://h?a=b", "host:h"},
        {"https://h#f", "host:h"},
        {"https://h:443/", "host:h"},
        {"https://h:/", "host:h"},
        {"https://h:0443/", "host:h"},
        {"https://h:80/", "host:h:80"},
        {"http://h:80/", "host:h"},
        {"http://h:443/", "host:h:443"},
        {"HTTPS://H:8443/", "host:H:8443"},
        {"https://user:pass@h:8443/", "host:h:8443"},
        {"https://user@h/a@b:1", "host:h"},
        {"http://[::1]", "host:[::1]"},
        {"http://[::1]:80/", "host:[::1]"},
        {"http://u:p@[fd00:0:0:0:0:0:0:1]:8080/", "host:[fd00::1]:8080"},
        {"http://[fe80::1%25eth0]/", "host:[fe80::1]"},
        {"http://127.1:80/", "host:127.0.0.1"},
        {"", NULL},
        {"/", NULL},
        {"h/", NULL},
        {"ftp://h/", NULL},
        {"https://", NULL},
        {"https:///x", NULL},
        {"https://?x", NULL},
        {"https://user@/x", NULL},
        {"https://:443/", NULL},
        {"https://h:x/", NULL},
        {"https://h:1x/", NULL},
        {"https://h:0/", NULL},
        {"https://h:65536/", NULL},
        {"https://h:99999999999999999999/", NULL},
        {"https://h%41/", NULL},
        {"https://h\xc3\xa9/", NULL},
        {"https://[::1/", NULL},
        {"https://[]/", NULL},
        {"https://[::1]x/", NULL},
        {"https://[h]/", NULL},
    };

    (void)state;
    check_parts(hosts, ARRAY_LEN(hosts), "", 0, 3);
}

/* What the server of a test gets is what was signed. */
static void host_is_what_libcurl_sends(void **state)
{
    static const struct stub_step ok[] = {{STUB_ANSWER, .close = true}};
    static const char *const before[] = {
        "http://127.0.0.1",
        "http://user:pass@127.0.0.1",
        "http://127.1",
        "http://0x7f.0.0.1",
        "http://2130706433",
        "http://here.test",
        "HTTP://LocalHost",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:7F00:1]",
        "http://[0:0:0:0:0:ffff:7F00:1]",
        "http://u@[::ffff:7f00:1%251]",
    };
    static const char *const behind[] = {"", "/", "?a=b", "/./x/../y//z?q=/#f"};
    struct fixture f;

    (void)state;
    open_fixture(&f, ok, ARRAY_LEN(ok));
    for (size_t i = 0; i < ARRAY_LEN(before); i++)
        for (size_t k = 0; k < ARRAY_LEN(behind); k++) {
            const char *url = arena_printf(&f.arena, "%s:0%d%s", before[i], f.stub.port, behind[k]);
            const char *host = canonical_line(url, 0, 3);
            struct http_request req = {.method = "GET", .url = url, .resend_ok = true};
            enum http_outcome outcome;

            assert_non_null(host);
            assert_memory_equal(host, "host:", 5);
            outcome = send_one(&f, req);
            if (outcome == HTTP_NOT_SENT && strchr(before[i], '['))
                continue; /* no IPv6 here */
            if (outcome != HTTP_ANSWERED)
                fail_msg("%s: %s", url, f.failure.reason);
            host = arena_printf(&f.arena, "\r\nHost: %s\r\n", host + 5);
            if (!stub_saw(&f.stub, host))
                fail_msg("%s: %s was signed, and sent was\n%s", url, host, f.stub.request);
        }
    close_fixture(&f);
}

static void query_is_encoded_and_sorted(void **state)
{
    static const struct part queries[] = {
        {"", ""},
        {"?", ""},
        {"?&&", ""},
        {"?b=2&a=1", "a=1&b=2"},
        {"?a=2&a=1&a=10&a", "a=&a=1&a=10&a=2"},
        {"?a=2&a=2", "a=2&a=2"},
        {"?a-b=1&a=2&a.b=3&A=4", "A=4&a=2&a-b=1&a.b=3"},
        {"?a=b=c", "a=b%3Dc"},
        {"?=x", "=x"},
        {"?a=x+y&b=x%20y&c=x%2By", "a=x%2By&b=x%20y&c=x%2By"},
        {"?a=x/y&b=x%2Fy&c=x%2fy", "a=x%2Fy&b=x%2Fy&c=x%2Fy"},
        {"?a=%7e%41%2D", "a=~A-"},
        {"?a=%&b=%2&c=%zz&d=%25", "a=%25&b=%252&c=%25zz&d=%25"},
        {"?\xc3\xa9=\xe1\x88\xb4", "%C3%A9=%E1%88%B4"},
        {"?a=b#c=d", "a=b"},
        {"?a=b?c", "a=b%3Fc"},
        {"#?a=b", ""},
    };

    (void)state;
    check_parts(queries, ARRAY_LEN(queries), "https://h/", 0, 2);
}

static void path_is_encoded_once_more(void **state)
{
    static const struct part paths[] = {
        {"", "/"},
        {"?a/b", "/"},
        {"/", "/"},
        {"///", "/"},
        {"/..", "/"},
        {"/../../a", "/a"},
        {"/a/./b/../c/", "/a/c/"},
        {"/a/..b/.c/...", "/a/..b/.c/..."},
        {"/a%2Fb/%20", "/a%252Fb/%2520"},
        {"/a+b:c@d;e=f", "/a%2Bb%3Ac%40d%3Be%3Df"},
        {"/\xc3\xa9", "/%C3%A9"},
    };
    static const struct part kept[] = {
        {"", "/"},
        {"///", "///"},
        {"/../a/./b//", "/../a/./b//"},
        {"/a%2fb/%20 %7e", "/a%2Fb/%20%20~"},
        {"/a+b", "/a%2Bb"},
    };

    (void)state;
    check_parts(paths, ARRAY_LEN(paths), "https://h", 0, 1);
    check_parts(kept, ARRAY_LEN(kept), "https://h", SIGV4_KEEP_PATH, 1);
}

static void a_long_header_is_signed_whole(void **state)
{
    enum { WORDS = 50000 };
    char *value = malloc(4 * WORDS + 1), *to = value, *want = malloc(2 * WORDS + 16);
    struct http_header headers[] = {{"X-Long", value}, {"X-Empty", ""}, {"x-blank", " \t "}};
    struct http_request req = {
        .method = "GET", .url = "https://h/", .headers = headers, .n_headers = ARRAY_LEN(headers)};
    struct sigv4_stages stages;

    (void)state;
    for (int i = 0; i < WORDS; i++)
        to = stpcpy(to, "\t x ");
    to = stpcpy(want, "\nx-long:x");
    for (int i = 1; i < WORDS; i++)
        to = stpcpy(to, " x");
    strcpy(to, "\n\n");
    assert_true(sigv4_sign_stages(signer, &arena, &example, &ec2, &req, &stages));
    assert_non_null(strstr(stages.canonical_request, want));
    assert_non_null(strstr(stages.canonical_request, "\nhost:h\nx-amz-date:20150830T123600Z\n"
                                                     "x-blank:\nx-empty:\nx-long:x x"));
    assert_ptr_equal(req.headers[0].value, value);
    free(value);
    free(want);
}

static void a_presigned_url_goes_on_where_the_url_ended(void **state)
{
    static const struct part urls[] = {
        {"https://h", "https://h/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="},
        {"https://h#f", "https://h/?X-Amz-Algorithm="},
        {"https://h?", "https://h/?X-Amz-Algorithm="},
        {"https://u@h:1/p?a=b#f", "https://u@h:1/p?a=b&X-Amz-Algorithm="},
    };
    static const struct http_header accept = {"Accept", "text/xml"};
    struct sigv4_key key = example;
    struct sigv4_scope scope = ec2;

    (void)state;
    scope.flags = SIGV4_IN_QUERY | SIGV4_HASH_BODY;
    scope.expires_s = UINT32_MAX;
    key.session_token = "t+/=";
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct http_request req = {
            .method = "GET", .url = urls[i].from, .headers = &accept, .n_headers = 1};
        const char *end;
        assert_true(sigv4_sign(signer, &arena, &key, &scope, &req));
        assert_memory_equal(req.url, urls[i].to, strlen(urls[i].to));
        end = strstr(req.url, "&X-Amz-SignedHeaders=accept%3Bhost&X-Amz-Expires=4294967295"
                              "&X-Amz-Security-Token=t%2B%2F%3D&X-Amz-Signature=");
        assert_non_null(end);
        assert_int_equal(strlen(strrchr(end, '=')), 65);
        assert_ptr_equal(req.headers, &accept);
        assert_int_equal(req.n_headers, 1);
    }
}

/* ---- memory ---- */

static void an_arena_that_is_full_is_a_failure(void **state)
{
    static const struct http_header headers[] = {{"Accept", "text/xml"}};
    static const char *const urls[] = {"https://127.1/a/b?c=d", "https://[0:0::1]:1/a/b?c=d"};
    struct sigv4_key key = example;
    struct sigv4_scope scope = ec2;
    unsigned failures = 0;

    (void)state;
    key.session_token = "token";
    for (unsigned flags = 0; flags < 16; flags++) {
        const char *url = urls[flags / 2 % 2];
        bool ok = false;
        scope.flags = flags;
        for (size_t cap = 0; !ok; cap += 8) {
            struct http_request req = {.method = "GET",
                                       .url = url,
                                       .headers = headers,
                                       .n_headers = 1},
                                before = req;
            struct arena small;
            arena_init(&small, cap);
            ok = sigv4_sign(signer, &small, &key, &scope, &req);
            if (!ok) {
                failures++;
                assert_true(small.exhausted);
                assert_memory_equal(&req, &before, sizeof(req));
            }
            arena_done(&small);
            assert_true(cap < 65536);
        }
    }
    assert_true(failures > 16);
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
        cmocka_unit_test_setup_teardown(the_key_follows_what_it_is_derived_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_share_a_signer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_of_any_length_sign, set_up, tear_down),
        cmocka_unit_test_setup_teardown(host_is_taken_from_the_url, set_up, tear_down),
        cmocka_unit_test_setup_teardown(host_is_what_libcurl_sends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(query_is_encoded_and_sorted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(path_is_encoded_once_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_header_is_signed_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_presigned_url_goes_on_where_the_url_ended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_arena_that_is_full_is_a_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_that_is_short_is_a_failure, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
