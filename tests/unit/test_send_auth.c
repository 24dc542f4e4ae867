/* What a cloud that refuses a credential or a clock gets: another try, once. */
#include "kit/token.h"
#include "send_fixture.h"

static void a_refused_credential_is_renewed_once(void **state)
{
    static const struct stub_step then_ok[] = {{.status = 401}, {.status = 201}};
    static const struct stub_step never[] = {{.status = 401, .body = "who?"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, then_ok, 2);
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_int_equal(f.cloud.renewed, 1);
    assert_int_equal(requests(&f), 2);
    assert_true(stub_saw(&f.stub, "\r\nX-Token: generation-1\r\n"));

    stub_script(&f.stub, never, 1);
    f.cloud = (struct cloud){0};
    assert_int_equal(get(&f), RESULT_CODE_UNAUTHORIZED);
    assert_int_equal(f.cloud.renewed, 1);
    assert_int_equal(requests(&f), 2);
    assert_int_equal(f.op.result->native->http_status, 401);
    assert_string_equal(f.op.result->native->message, "who?");
    assert_int_equal(f.op.result->blame, BLAME_CLOUD);

    /* Nothing to renew. */
    stub_script(&f.stub, never, 1);
    assert_int_equal(send_method(&f, "GET", SEND_NO_AUTH), RESULT_CODE_UNAUTHORIZED);
    assert_int_equal(requests(&f), 1);

    /* The renewal fails: its own failure is told. */
    stub_script(&f.stub, never, 1);
    renew_op(&f, 30000);
    f.cloud = (struct cloud){.refuse_renewal = RESULT_CODE_FORBIDDEN};
    assert_int_equal(get(&f), RESULT_CODE_FORBIDDEN);
    assert_int_equal(requests(&f), 1);
    assert_string_equal(f.op.result->detail, "no other credential");
    close_fixture(&f);
}

/* ---- One renewal for all ---- */

enum { CALLERS = 8 };

/* A cloud with a token cache. All callers have been refused before one of them renews. */
struct club {
    struct fixture f;
    struct token_cache *tokens;
    pthread_barrier_t refused;
    atomic_uint fetches;
};

struct caller {
    struct club *club;
    struct token_ref token;
    pthread_t thread;
    pb_ResultCode code;
};

static _Thread_local struct caller *me;

static pb_ResultCode fetch(void *ctx, struct op *op, struct token_grant *ret)
{
    struct club *club = ctx;

    if (asprintf(&ret->value, "token-%u", ++club->fetches) < 0)
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory");
    ret->expires_ns = ret->renew_ns = clock_mono_ns() + 3600 * NS_PER_SEC;
    return RESULT_CODE_OK;
}

static pb_ResultCode authenticate_by_cache(void *ctx, struct op *op, struct http_request *req,
                                           bool renew)
{
    uint64_t refused = renew ? me->token.generation : 0;
    struct http_header *header = ARENA_NEW(op->arena, struct http_header);
    pb_ResultCode code;

    (void)ctx;
    if (renew)
        pthread_barrier_wait(&me->club->refused);
    token_release(&me->token);
    code = token_get(me->club->tokens, op, refused, &me->token);
    if (code == RESULT_CODE_OK)
        *header = (struct http_header){"X-Token", arena_strdup(op->arena, me->token.value)};
    req->headers = header;
    req->n_headers = 1;
    return code;
}

static void *call_once(void *arg)
{
    struct arena arena;
    struct http_response rsp;
    struct http_request req = {.method = "POST"};

    me = arg;
    arena_init(&arena, (size_t)1 << 20);
    struct op op = {.arena = &arena,
                    .deadline_ns = clock_mono_ns() + 30 * NS_PER_SEC,
                    .token = "",
                    .traceparent = "",
                    .result = result_new(&arena)};
    req.url = stub_url(&me->club->f.stub, "/");
    me->code = send_request(me->club->f.sender, &op, &req, 0, &rsp);
    token_release(&me->token);
    arena_done(&arena);
    return NULL;
}

static void many_that_are_refused_renew_once(void **state)
{
    static const struct token_cache_ops token_ops = {.fetch = fetch};
    static const struct sender_ops cached = {.authenticate = authenticate_by_cache,
                                             .map_error = map_error};
    struct stub_step steps[CALLERS + 1] = {0};
    struct caller callers[CALLERS];
    struct club club = {0};

    (void)state;
    for (size_t i = 0; i < CALLERS; i++)
        steps[i].status = 401;
    open_fixture(&club.f, steps, CALLERS + 1);
    sender_free(club.f.sender);
    club.f.sender = sender_new(club.f.client, NULL, &cached, &club.f.cloud, "Test cloud lab");
    club.tokens = token_cache_new(&token_ops, &club);
    pthread_barrier_init(&club.refused, NULL, CALLERS);
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.club = &club};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_once, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].code, RESULT_CODE_OK);
    }
    assert_int_equal(club.fetches, 2);
    assert_int_equal(requests(&club.f), 2 * CALLERS);
    assert_true(stub_saw(&club.f.stub, "\r\nX-Token: token-2\r\n"));
    pthread_barrier_destroy(&club.refused);
    token_cache_free(club.tokens);
    close_fixture(&club.f);
}

/* ---- The clock ---- */

#define LONG_AGO "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define LATER    "Date: Sun, 06 Nov 1994 08:50:57 GMT\r\n"
#define THEN_NS  (INT64_C(784111777) * NS_PER_SEC)

static void assert_near(int64_t ns, int64_t expected_ns, int64_t by_seconds)
{
    assert_true(ns > expected_ns - by_seconds * NS_PER_SEC);
    assert_true(ns < expected_ns + by_seconds * NS_PER_SEC);
}

static void a_refused_time_is_corrected_once(void **state)
{
    static const struct stub_step then_ok[] = {
        {.status = 403, .headers = LONG_AGO, .body = "RequestTimeTooSkewed"}, {.status = 201}};
    static const struct stub_step always[] = {
        {.status = 401, .headers = LONG_AGO, .body = "RequestTimeTooSkewed"}};
    static const struct stub_step undated[] = {{.status = 403, .body = "RequestTimeTooSkewed"}};
    struct fixture f;

    (void)state;
    open_fixture(&f, then_ok, 2);
    f.cloud.sender = f.sender;
    assert_int_equal(post(&f), RESULT_CODE_OK);
    assert_int_equal(requests(&f), 2);
    assert_int_equal(f.cloud.renewed, 0);
    assert_near(f.cloud.signed_ns, THEN_NS, 60);

    /* Not for ever; and a 401 is renewed too where the clock was not what it was about. */
    stub_script(&f.stub, always, 1);
    assert_int_equal(post(&f), RESULT_CODE_UNAUTHORIZED);
    assert_int_equal(requests(&f), 3);
    assert_int_equal(f.cloud.renewed, 1);

    /* An answer without a date says nothing about the clock. */
    stub_script(&f.stub, undated, 1);
    assert_int_equal(post(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(requests(&f), 1);
    close_fixture(&f);
}

static void the_clock_is_learned_from_answers(void **state)
{
    static const struct stub_step steps[] = {
        {.headers = "Age: 5\r\n" LATER}, {.headers = LONG_AGO}, {.headers = LATER}, {0}};
    struct fixture f;
    int64_t first, second;

    (void)state;
    open_fixture(&f, steps, 4);
    assert_int_equal(sender_clock_offset_ns(f.sender), 0);
    /* A cache's answer has an old date. */
    assert_int_equal(get(&f), RESULT_CODE_OK);
    assert_int_equal(sender_clock_offset_ns(f.sender), 0);
    assert_int_equal(get(&f), RESULT_CODE_OK);
    first = sender_clock_offset_ns(f.sender);
    assert_near(clock_wall_ns() + first, THEN_NS, 60);
    /* 80 s later by its clock at the same time by ours: an eighth of it is believed at once. */
    assert_int_equal(get(&f), RESULT_CODE_OK);
    second = sender_clock_offset_ns(f.sender);
    assert_near(second - first, 10 * NS_PER_SEC, 5);
    assert_int_equal(get(&f), RESULT_CODE_OK);
    assert_int_equal(sender_clock_offset_ns(f.sender), second);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_credential_is_renewed_once),
        cmocka_unit_test(many_that_are_refused_renew_once),
        cmocka_unit_test(a_refused_time_is_corrected_once),
        cmocka_unit_test(the_clock_is_learned_from_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
