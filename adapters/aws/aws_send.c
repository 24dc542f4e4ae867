/* One exchange with EC2 or STS. */
#include <string.h>

#include "aws.h"
#include "aws_errors.h"
#include "isobar/clock.h"
#include "kit/gather.h"

static const struct {
    const char *name;  /* for people */
    const char *scope; /* in signatures */
} services[AWS_N_SERVICES] = {
    [AWS_EC2] = {"EC2", "ec2"},
    [AWS_STS] = {"STS", "sts"},
};

/* What one aws_ask() is about, for the call-backs of the sender. */
struct exchange {
    enum aws_service service;
    struct token_ref session;
    int64_t signed_ns; /* the time in the signature, nanoseconds since 1970 */
};

/* send_request() runs to its end on the thread that calls it. */
static _Thread_local struct exchange *current;

static const struct aws_session *session_of(const struct exchange *x)
{
    return x->session.data;
}

static pb_ResultCode authenticate(void *ctx, struct op *op, struct http_request *req, bool renew)
{
    struct adapter *a = ctx;
    struct exchange *x = current;

    if (renew || x->session.held == NULL) {
        uint64_t refused = renew ? x->session.generation : 0;
        token_release(&x->session);
        pb_ResultCode code = aws_credentials_get(a->credentials, op, refused, &x->session);
        if (code != RESULT_CODE_OK)
            return code;
    }
    x->signed_ns = clock_wall_ns() + sender_clock_offset_ns(a->sender);
    const struct sigv4_scope scope = {
        .region = a->config->region,
        .service = services[x->service].scope,
        .time_s = x->signed_ns / NS_PER_SEC,
    };
    if (sigv4_sign(a->signer, op->arena, &session_of(x)->key, &scope, req))
        return RESULT_CODE_OK;
    return op_fail(op, RESULT_CODE_INTERNAL_ERROR,
                   "the request cannot be signed: out of memory, "
                   "or the endpoint's URL is none");
}

static pb_ResultCode map_error(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp)
{
    struct adapter *a = ctx;
    const struct aws_session *s = session_of(current);

    (void)req;
    return aws_map_error(op, services[current->service].name, a->name, s ? s->source : NULL, rsp);
}

static bool is_throttle(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return aws_is_throttle(rsp);
}

static bool is_refusal(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return aws_is_refusal(rsp);
}

static bool is_clock_skew(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return aws_is_clock_skew(rsp, current->signed_ns);
}

static bool is_refused(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return aws_is_refused(rsp);
}

const struct sender_ops aws_sender_ops = {
    .authenticate = authenticate,
    .map_error = map_error,
    .is_throttle = is_throttle,
    .is_refusal = is_refusal,
    .is_clock_skew = is_clock_skew,
    .is_refused = is_refused,
};

static pb_ResultCode send(struct adapter *a, struct op *op, const struct aws_query *q,
                          struct http_response *ret)
{
    struct exchange x = {.service = q->service};
    const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    struct http_request http = {
        .method = "POST",
        .url = arena_printf(op->arena, "%s/", a->config->urls[q->service]),
        .name = q->action,
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .body = q->body,
        .body_len = q->len,
    };

    if (q->arena->exhausted)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    current = &x;
    pb_ResultCode code = send_request(a->sender, op, &http, q->flags, ret);
    current = NULL;
    token_release(&x.session);
    return code;
}

/* The answer is not what was asked for; `why` says what is wrong with it. */
static pb_ResultCode unreadable(struct op *op, const struct aws_query *q,
                                const struct http_response *rsp, const char *why)
{
    bool done = (q->flags & SEND_READ) == 0;
    const char *id = http_header(rsp, "x-amzn-RequestId");

    op_native(op, rsp->status, "", "", id);
    if (done)
        op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    return op_fail(op, done ? RESULT_CODE_OUTCOME_UNKNOWN : RESULT_CODE_UNAVAILABLE,
                   "%s took %s, but its answer cannot be read: %s; check the endpoint's URL",
                   services[q->service].name, q->action, why);
}

pb_ResultCode aws_ask(struct adapter *a, struct op *op, const struct aws_query *q,
                      const struct shape *shape, void *ret)
{
    struct http_response rsp;
    char why[160] = "";

    pb_ResultCode code = send(a, op, q, &rsp);
    if (code != RESULT_CODE_OK || shape == NULL ||
        xml_parse(op->arena, rsp.body, rsp.body_len, shape, ret, why))
        return code;
    if (op->arena->exhausted)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    return unreadable(op, q, &rsp, why);
}

pb_ResultCode aws_ask_page(struct adapter *a, struct op *op, const struct aws_query *q,
                           const struct shape *shape, void *ret)
{
    struct arena scratch CLEANUP(arena_done);
    struct http_response rsp;
    struct op apart;
    char why[160] = "";

    if (!op_apart(op, &scratch, &apart))
        return RESULT_CODE_INTERNAL_ERROR;
    pb_ResultCode code = send(a, &apart, q, &rsp);
    if (code != RESULT_CODE_OK)
        return op_tell_apart(op, &apart, code);
    if (xml_parse(op->arena, rsp.body, rsp.body_len, shape, ret, why))
        return RESULT_CODE_OK;
    if (op->arena->exhausted)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    return unreadable(op, q, &rsp, why);
}

pb_ResultCode aws_order(struct adapter *a, struct op *op, const struct aws_query *q)
{
    return aws_ask(a, op, q, NULL, NULL);
}

bool aws_said(const struct op *op, const char *code)
{
    const pb_NativeError *native = op->result->native;

    return native != NULL && strcmp(native->code, code) == 0;
}
