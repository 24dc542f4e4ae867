/* What Signature Version 4 makes of URLs and headers of all kinds. Host is judged by libcurl. */
#include "http_fixture.h"

#include "sigv4_fixture.h"

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
        {"/a/.", "/a"}, /* as botocore has it, and not RFC 3986 */
        {"/a/b/..", "/a"},
        {"/a/../", "/"},
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
            assert_int_equal(small.exhausted, !ok);
            if (!ok) {
                failures++;
                assert_memory_equal(&req, &before, sizeof(req));
            }
            arena_done(&small);
            assert_true(cap < 65536);
        }
    }
    assert_true(failures > 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGV4_TEST(host_is_taken_from_the_url),
        SIGV4_TEST(host_is_what_libcurl_sends),
        SIGV4_TEST(query_is_encoded_and_sorted),
        SIGV4_TEST(path_is_encoded_once_more),
        SIGV4_TEST(a_long_header_is_signed_whole),
        SIGV4_TEST(a_presigned_url_goes_on_where_the_url_ended),
        SIGV4_TEST(an_arena_that_is_full_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
