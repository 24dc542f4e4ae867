/* A sender, an adapter as it sees one, and a server that counts what reaches it. */
#ifndef ISOBAR_TESTS_SEND_FIXTURE_H
#define ISOBAR_TESTS_SEND_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "http_stub.h"
#include "isobar/clock.h"
#include "kit/send.h"

/* An adapter as the sender sees it. */
struct cloud {
    atomic_uint authenticated, renewed, mapped;
    pb_ResultCode refuse_renewal; /* UNSPECIFIED: do not */
    const struct sender *sender;
    int64_t signed_ns; /* the cloud's time, when a request was authenticated last */
};

UNUSED static pb_ResultCode authenticate(void *ctx, struct op *op, struct http_request *req,
                                         bool renew)
{
    struct cloud *c = ctx;
    struct http_header *headers = arena_array(op->arena, req->n_headers + 1, sizeof(*headers));

    c->authenticated++;
    c->renewed += renew;
    if (c->sender)
        c->signed_ns = clock_wall_ns() + sender_clock_offset_ns(c->sender);
    if (renew && c->refuse_renewal)
        return op_fail(op, c->refuse_renewal, "no other credential");
    for (size_t i = 0; i < req->n_headers; i++)
        headers[i] = req->headers[i];
    headers[req->n_headers++] =
        (struct http_header){"X-Token", arena_printf(op->arena, "generation-%u", c->renewed)};
    req->headers = headers;
    return RESULT_CODE_OK;
}

static pb_ResultCode map_error(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp)
{
    struct cloud *c = ctx;

    (void)req;
    c->mapped++;
    op_native(op, rsp->status, "native-code", rsp->body, http_header(rsp, "X-Request-Id"));
    return op_fail(op,
                   rsp->status == 401   ? RESULT_CODE_UNAUTHORIZED
                   : rsp->status == 404 ? RESULT_CODE_NOT_FOUND
                   : rsp->status == 413 ? RESULT_CODE_RATE_LIMITED
                   : rsp->status == 429 ? RESULT_CODE_RATE_LIMITED
                                        : RESULT_CODE_UNAVAILABLE,
                   "the cloud answered %d", rsp->status);
}

static bool is_throttle(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return strcmp(rsp->body, "RequestLimitExceeded") == 0;
}

static bool is_refusal(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return strcmp(rsp->body, "InsufficientCapacity") == 0;
}

static bool is_clock_skew(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return strcmp(rsp->body, "RequestTimeTooSkewed") == 0;
}

static const struct sender_ops ops = {
    .authenticate = authenticate,
    .map_error = map_error,
    .is_throttle = is_throttle,
    .is_refusal = is_refusal,
    .is_clock_skew = is_clock_skew,
};

struct fixture {
    struct stub stub;
    struct cloud cloud;
    struct http_client *client;
    struct breakers *breakers; /* NULL until renew_sender() wants them */
    struct sender *sender;
    struct arena arena;
    struct op op;
    struct http_response rsp;
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

/* One that has learned nothing yet. */
static void renew_sender(struct fixture *f, bool with_breakers)
{
    sender_free(f->sender);
    breakers_free(f->breakers);
    f->breakers = with_breakers ? breakers_new() : NULL;
    f->sender = sender_new(f->client, f->breakers, &ops, &f->cloud, "Test cloud lab");
    assert_non_null(f->sender);
}

static void open_fixture(struct fixture *f, const struct stub_step *steps, size_t n_steps)
{
    memset(f, 0, sizeof(*f));
    stub_start(&f->stub, steps, n_steps, NULL);
    f->client = http_client_new(&(struct http_options){0});
    renew_sender(f, false);
    arena_init(&f->arena, (size_t)64 << 20);
    renew_op(f, 30000);
}

static void close_fixture(struct fixture *f)
{
    sender_free(f->sender);
    breakers_free(f->breakers);
    http_client_free(f->client);
    stub_stop(&f->stub);
    arena_done(&f->arena);
}

static pb_ResultCode send_method(struct fixture *f, const char *method, unsigned flags)
{
    struct http_request req = {.method = method, .url = stub_url(&f->stub, "/v2/things?key=hush")};

    memset(&f->rsp, 0, sizeof(f->rsp));
    return send_request(f->sender, &f->op, &req, flags, &f->rsp);
}

UNUSED static pb_ResultCode get(struct fixture *f)
{
    return send_method(f, "GET", SEND_IDEMPOTENT);
}

UNUSED static pb_ResultCode post(struct fixture *f)
{
    return send_method(f, "POST", 0);
}

UNUSED static unsigned requests(struct fixture *f)
{
    return atomic_load(&f->stub.requests);
}

UNUSED static void assert_failure(const struct fixture *f, pb_SideEffects effects,
                                  pb_RetryClass retry)
{
    const pb_Result *r = f->op.result;

    assert_int_equal(r->blame, BLAME_CLOUD);
    assert_int_equal(r->side_effects, effects);
    assert_non_null(r->retry);
    assert_int_equal(r->retry->class_, retry);
    assert_true(r->detail[0] != '\0');
}

#endif
