/* The HTTP client: what it sends, and what it makes of what comes back. */
#include <signal.h>

#include "http_fixture.h"

static void an_answer_comes_whole(void **state)
{
    static const struct stub_step steps[] = {
        {.status = 202, .headers = "X-One: first\r\nx-two:  second \r\n", .body = "{\"a\": 1}"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    assert_int_equal(get(&f, "/v3?x=1"), HTTP_ANSWERED);
    assert_int_equal(f.rsp.status, 202);
    assert_string_equal(f.rsp.body, "{\"a\": 1}");
    assert_int_equal(f.rsp.body_len, 8);
    assert_string_equal(http_header(&f.rsp, "x-one"), "first");
    assert_string_equal(http_header(&f.rsp, "X-Two"), "second");
    assert_string_equal(http_header(&f.rsp, "content-length"), "8");
    assert_null(http_header(&f.rsp, "x-three"));
    close_fixture(&f);
}

static void a_request_goes_out_as_given(void **state)
{
    static const struct stub_step steps[] = {{.headers = "Set-Cookie: a=b\r\n"}};
    const struct http_header headers[] = {{"X-Auth-Token", "secret"}, {"X-Empty", ""}};
    struct fixture f;
    struct http_request req = {.headers = headers, .n_headers = 2};

    (void)state;
    open_fixture(&f, steps, 1);
    f.op.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    req.method = "PUT";
    req.url = stub_url(&f.stub, "/v2.1/servers/a%20b?all=1");
    req.body = "four";
    req.body_len = 4;
    assert_int_equal(send_one(&f, req), HTTP_ANSWERED);
    assert_true(stub_saw(&f.stub, "PUT /v2.1/servers/a%20b?all=1 HTTP/1.1\r\n"));
    assert_true(stub_saw(&f.stub, "\r\nX-Auth-Token: secret\r\n"));
    assert_true(stub_saw(&f.stub, "\r\nX-Empty:\r\n"));
    assert_true(stub_saw(&f.stub, "\r\nContent-Length: 4\r\n"));
    assert_true(stub_saw(&f.stub, "\r\n\r\nfour"));
    assert_true(stub_saw(&f.stub, "\r\nAccept-Encoding: identity\r\n"));
    assert_true(stub_saw(&f.stub, "\r\nUser-Agent: isobar/"));
    assert_true(stub_saw(&f.stub, "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c"));
    assert_false(stub_saw(&f.stub, "\r\nExpect:"));
    assert_false(stub_saw(&f.stub, "\r\nContent-Type:"));

    /* The path is not tidied up. */
    req.url = stub_url(&f.stub, "/servers/../x/./");
    assert_int_equal(send_one(&f, req), HTTP_ANSWERED);
    assert_true(stub_saw(&f.stub, "PUT /servers/../x/./ HTTP/1.1\r\n"));

    /* Nothing of one request is left in the next. */
    f.op.traceparent = "";
    assert_int_equal(get(&f, "/plain"), HTTP_ANSWERED);
    assert_true(stub_saw(&f.stub, "GET /plain HTTP/1.1\r\n"));
    assert_false(stub_saw(&f.stub, "X-Auth-Token"));
    assert_false(stub_saw(&f.stub, "Content-Length"));
    assert_false(stub_saw(&f.stub, "Cookie"));
    assert_false(stub_saw(&f.stub, "traceparent"));
    close_fixture(&f);
}

static void every_method_has_its_form(void **state)
{
    static const struct stub_step steps[] = {{.body = "body"}};
    static const struct {
        const char *method;
        bool length; /* says how long it is though it has no body */
        bool answer; /* has a body */
    } table[] = {{"GET", false, true},    {"HEAD", false, false}, {"DELETE", false, true},
                 {"POST", true, true},    {"PUT", true, true},    {"PATCH", true, true},
                 {"OPTIONS", false, true}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    /* Twice over, so that each comes behind each other kind. */
    for (size_t i = 0; i < 2 * ARRAY_LEN(table); i++) {
        size_t at = i < ARRAY_LEN(table) ? i : 2 * ARRAY_LEN(table) - 1 - i;
        char line[64];
        snprintf(line, sizeof(line), "%s /m HTTP/1.1\r\n", table[at].method);
        assert_int_equal(send_one(&f, (struct http_request){.method = table[at].method,
                                                            .url = stub_url(&f.stub, "/m")}),
                         HTTP_ANSWERED);
        assert_true(stub_saw(&f.stub, line));
        assert_int_equal(stub_saw(&f.stub, "\r\nContent-Length: 0\r\n"), table[at].length);
        assert_string_equal(f.rsp.body, table[at].answer ? "body" : "");
    }
    assert_int_equal(stub_connections(&f.stub), 1);
    close_fixture(&f);
}

static void a_large_body_is_sent_at_once(void **state)
{
    static const struct stub_step steps[] = {{0}};
    static char body[60000];
    struct fixture f;

    (void)state;
    memset(body, 'x', sizeof(body) - 1);
    open_fixture(&f, steps, 1);
    assert_int_equal(post(&f, body), HTTP_ANSWERED);
    assert_true(stub_saw(&f.stub, body));
    close_fixture(&f);
}

static void redirects_are_not_followed(void **state)
{
    static const struct stub_step there[] = {{0}};
    struct stub other;
    char location[128];
    struct stub_step steps[] = {{.status = 302, .headers = location}};
    struct fixture f;

    (void)state;
    stub_start(&other, there, 1, NULL);
    snprintf(location, sizeof(location), "Location: %s\r\n", stub_url(&other, "/"));
    open_fixture(&f, steps, 1);
    assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
    assert_int_equal(f.rsp.status, 302);
    assert_int_equal(atomic_load(&other.requests), 0);
    assert_int_equal(stub_connections(&other), 0);
    close_fixture(&f);
    stub_stop(&other);
}

/* What cannot be reached was not sent, and is told with its reason. */
static void what_cannot_be_reached_is_not_sent(void **state)
{
    static const struct stub_step steps[] = {{0}};
    struct fixture f;
    char url[64];
    int port;

    (void)state;
    open_fixture(&f, steps, 1);
    port = f.stub.port;
    stub_stop(&f.stub);
    snprintf(url, sizeof(url), "http://user:pass@127.0.0.1:%d/path?secret", port);
    assert_int_equal(send_one(&f, (struct http_request){.method = "GET", .url = url}),
                     HTTP_NOT_SENT);
    assert_false(f.failure.sent);
    assert_false(f.failure.permanent);
    assert_non_null(strstr(f.failure.reason, "127.0.0.1:"));
    assert_non_null(strstr(f.failure.reason, "refused"));
    assert_null(strstr(f.failure.reason, "pass"));
    assert_null(strstr(f.failure.reason, "secret"));

    assert_int_equal(
        send_one(&f, (struct http_request){.method = "POST", .url = "http://gone.test/"}),
        HTTP_NOT_SENT);
    assert_false(f.failure.sent);
    assert_string_equal(f.failure.reason, "gone.test has a name that does not resolve");
    stub_start(&f.stub, steps, 1, NULL);
    close_fixture(&f);
}

static void a_broken_request_is_not_sent(void **state)
{
    static const struct stub_step steps[] = {{0}};
    const struct http_header header = {"X-Name", "a\r\nX-Other: b"};
    const struct http_header name = {"X-Name: a\r\nX-Other", "b"};
    struct fixture f;
    struct http_request bad[6];

    (void)state;
    open_fixture(&f, steps, 1);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        bad[i] = (struct http_request){.method = "GET", .url = stub_url(&f.stub, "/")};
    bad[0].headers = &header;
    bad[0].n_headers = 1;
    bad[1].headers = &name;
    bad[1].n_headers = 1;
    bad[2].url = "http://127.0.0.1/a b";
    bad[3].method = "GET / HTTP/1.1\r\nX:";
    bad[4].url = "ftp://127.0.0.1/";
    bad[5].url = "file:///etc/passwd";
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(send_one(&f, bad[i]), HTTP_NOT_SENT);
        assert_true(f.failure.permanent);
        assert_true(f.failure.reason[0] != '\0');
    }
    assert_int_equal(stub_connections(&f.stub), 0);
    close_fixture(&f);
}

static void chunks_and_interim_answers_are_understood(void **state)
{
    static const struct stub_step steps[] = {
        {.deed = STUB_RAW,
         .body = "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nX-Final: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
    assert_int_equal(f.rsp.status, 200);
    assert_string_equal(f.rsp.body, "abcde");
    assert_non_null(http_header(&f.rsp, "X-Final"));
    assert_null(http_header(&f.rsp, "X-Interim"));
    assert_null(http_header(&f.rsp, "X-Trailer"));
    close_fixture(&f);
}

static void a_body_has_its_limit(void **state)
{
    static const struct stub_step flood[] = {{.deed = STUB_FLOOD, .flood = 100 << 20}};
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    size_t len = 3 << 20;
    char *endless = calloc(1, len);
    struct stub_step steps[] = {{.deed = STUB_RAW, .body = endless, .body_len = len}};
    struct fixture f;
    struct http_request req = {.method = "GET"};

    (void)state;
    memcpy(endless, head, strlen(head));
    open_fixture(&f, flood, 1);
    assert_int_equal(get(&f, "/"), HTTP_TOO_LARGE);
    assert_true(f.failure.sent);
    assert_true(f.arena.total < (size_t)40 << 20);

    /* No length is announced. */
    stub_script(&f.stub, steps, 1);
    req.url = stub_url(&f.stub, "/");
    req.body_max = 2 << 20;
    assert_int_equal(send_one(&f, req), HTTP_TOO_LARGE);
    req.body_max = len;
    assert_int_equal(send_one(&f, req), HTTP_ANSWERED);
    assert_int_equal(f.rsp.body_len, len - strlen(head));
    req.body_max = f.rsp.body_len;
    assert_int_equal(send_one(&f, req), HTTP_ANSWERED);
    req.body_max = f.rsp.body_len - 1;
    assert_int_equal(send_one(&f, req), HTTP_TOO_LARGE);

    /* The arena is the limit. */
    arena_done(&f.arena);
    arena_init(&f.arena, 1 << 20);
    req.body_max = 0;
    assert_int_equal(send_one(&f, req), HTTP_TOO_LARGE);
    close_fixture(&f);
    free(endless);
}

static void bodies_of_all_sizes_come_unharmed(void **state)
{
    static const size_t sizes[] = {0,     1,     16383,   16384,         16385,
                                   65536, 99999, 1 << 20, (1 << 20) + 1, 5000000};
    size_t room = 5000000;
    char *body = malloc(room);
    struct stub_step step = {.body = body};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < room; i++)
        body[i] = (char)(i * 31 + i / 1000);
    open_fixture(&f, &step, 1);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        step.body = sizes[i] ? body : "";
        step.body_len = sizes[i];
        stub_script(&f.stub, &step, 1);
        assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
        assert_int_equal(f.rsp.body_len, sizes[i]);
        assert_memory_equal(f.rsp.body, body, sizes[i]);
        assert_int_equal(f.rsp.body[sizes[i]], 0);
        arena_reset(&f.arena);
    }
    close_fixture(&f);
    free(body);
}

/* An answer with a header of `n` bytes; malloc'ed. */
static char *wide_answer(size_t n)
{
    char *out = calloc(1, n + 100), *at = out;

    at += sprintf(at, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ");
    memset(at, 'x', n);
    strcpy(at + n, "\r\n\r\n");
    return out;
}

static void a_header_has_its_limit(void **state)
{
    char *many = calloc(1, 8192), *at = many, *wide = wide_answer(70000);
    /* Past curl's own limit too. */
    char *wider = wide_answer(350000);
    struct stub_step steps[] = {{.deed = STUB_RAW, .body = many},
                                {.deed = STUB_RAW, .body = wide},
                                {.deed = STUB_RAW, .body = wider}};
    struct fixture f;

    (void)state;
    at += sprintf(at, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (int i = 0; i < 300; i++)
        at += sprintf(at, "X-%d: y\r\n", i);
    strcpy(at, "\r\n");
    open_fixture(&f, steps, 3);
    assert_int_equal(get(&f, "/"), HTTP_TOO_LARGE);
    assert_int_equal(get(&f, "/"), HTTP_TOO_LARGE);
    assert_non_null(strstr(f.failure.reason, "header"));
    assert_int_equal(get(&f, "/"), HTTP_AMBIGUOUS);
    assert_non_null(strstr(f.failure.reason, "header"));
    close_fixture(&f);
    free(many);
    free(wide);
    free(wider);
}

static void loopback_goes_through_no_proxy(void **state)
{
    static const struct stub_step steps[] = {{.body = "by the proxy"}}, direct[] = {{0}};
    struct stub proxy;
    struct fixture f;

    (void)state;
    stub_start(&proxy, steps, 1, NULL);
    setenv("http_proxy", stub_url(&proxy, ""), 1);
    open_fixture(&f, direct, 1);
    assert_int_equal(get(&f, "/"), HTTP_ANSWERED);
    assert_int_equal(stub_connections(&proxy), 0);
    assert_int_equal(
        send_one(&f, (struct http_request){.method = "GET", .url = "http://far.test/x"}),
        HTTP_ANSWERED);
    assert_string_equal(f.rsp.body, "by the proxy");
    assert_true(stub_saw(&proxy, "GET http://far.test/x HTTP/1.1\r\n"));
    http_client_free(f.client);
    f.client = http_client_new(&(struct http_options){.no_proxy = true});
    assert_int_equal(
        send_one(&f, (struct http_request){.method = "GET", .url = "http://far.test/x"}),
        HTTP_NOT_SENT);
    unsetenv("http_proxy");
    close_fixture(&f);
    stub_stop(&proxy);
}

struct many {
    struct fixture *f;
    unsigned answered;
};

static void *send_many(void *arg)
{
    struct many *m = arg;
    struct arena arena;
    struct op op = {.arena = &arena, .deadline_ns = in_ms(60000), .traceparent = ""};
    char url[128];

    arena_init(&arena, 1 << 20);
    snprintf(url, sizeof(url), "http://localhost:%d/many", m->f->stub.port);
    for (int i = 0; i < 50; i++) {
        struct http_request req = {.method = i % 2 ? "GET" : "POST", .url = url};
        struct http_response rsp;
        struct http_failure failure;
        if (http_send(m->f->client, &op, &req, &rsp, &failure) == HTTP_ANSWERED &&
            strcmp(rsp.body, "here") == 0)
            m->answered++;
        arena_reset(&arena);
    }
    arena_done(&arena);
    return NULL;
}

static void many_threads_use_one_client(void **state)
{
    static const struct stub_step steps[] = {{.body = "here"}};
    struct many many[8];
    pthread_t threads[8];
    struct fixture f;

    (void)state;
    open_fixture(&f, steps, 1);
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i] = (struct many){.f = &f};
        pthread_create(&threads[i], NULL, send_many, &many[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(many[i].answered, 50);
    }
    assert_int_equal(atomic_load(&f.stub.requests), 400);
    /* Connections were kept: no more of them than threads. */
    assert_true(stub_connections(&f.stub) <= ARRAY_LEN(many));
    close_fixture(&f);
}

static void text_is_escaped_and_dates_are_read(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 65536);
    assert_string_equal(url_escape(&a, "aZ09-._~"), "aZ09-._~");
    assert_string_equal(url_escape(&a, "a b/c?d=\xc3\xa9&%"), "a%20b%2Fc%3Fd%3D%C3%A9%26%25");
    assert_string_equal(url_escape(&a, ""), "");
    assert_string_equal(url_escape(&a, ".."), "%2E%2E");
    assert_string_equal(url_escape(&a, "..."), "...");
    assert_int_equal(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    assert_int_equal(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
    assert_int_equal(http_date("Sun Nov  6 08:49:37 1994"), 784111777);
    assert_int_equal(http_date("soon"), -1);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_whole),
        cmocka_unit_test(a_request_goes_out_as_given),
        cmocka_unit_test(every_method_has_its_form),
        cmocka_unit_test(a_large_body_is_sent_at_once),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(what_cannot_be_reached_is_not_sent),
        cmocka_unit_test(a_broken_request_is_not_sent),
        cmocka_unit_test(chunks_and_interim_answers_are_understood),
        cmocka_unit_test(a_body_has_its_limit),
        cmocka_unit_test(bodies_of_all_sizes_come_unharmed),
        cmocka_unit_test(a_header_has_its_limit),
        cmocka_unit_test(loopback_goes_through_no_proxy),
        cmocka_unit_test(many_threads_use_one_client),
        cmocka_unit_test(text_is_escaped_and_dates_are_read),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
