#include "aws_sts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_errors.h"
#include "aws_query.h"
#include "isobar/clock.h"
#include "kit/fields.h"
#include "kit/secret.h"
#include "kit/xml.h"

enum { ANSWER_MAX = 256 << 10 };

struct aws_sts {
    const struct aws_config *config;
    const char *cloud;
    struct sender *sender;
    struct sigv4_signer *signer;
    /* Of the exchange that is under way. */
    const struct aws_source *source;
    const struct sigv4_key *key;
    int64_t signed_ns; /* what was taken for AWS's time */
};

static const struct shape_field keys_fields[] = {
    SHAPE_FIELD(struct aws_sts_answer, id, "AccessKeyId", SHAPE_STRING),
    SHAPE_FIELD(struct aws_sts_answer, secret, "SecretAccessKey", SHAPE_STRING),
    SHAPE_FIELD(struct aws_sts_answer, session_token, "SessionToken", SHAPE_STRING),
    SHAPE_FIELD(struct aws_sts_answer, expiration, "Expiration", SHAPE_STRING),
};
static const struct shape keys_shape = {sizeof(struct aws_sts_answer), keys_fields,
                                        ARRAY_LEN(keys_fields), 0};
static const struct shape_field result_fields[] = {
    {"Credentials", SHAPE_STRUCT, 0, &keys_shape},
};
static const struct shape result_shape = {sizeof(struct aws_sts_answer), result_fields,
                                          ARRAY_LEN(result_fields), 0};
static const struct shape_field role_fields[] = {
    {"AssumeRoleResult", SHAPE_STRUCT, 0, &result_shape},
};
const struct shape aws_sts_role_shape = {sizeof(struct aws_sts_answer), role_fields,
                                         ARRAY_LEN(role_fields), 0};
static const struct shape_field web_identity_fields[] = {
    {"AssumeRoleWithWebIdentityResult", SHAPE_STRUCT, 0, &result_shape},
};
const struct shape aws_sts_web_identity_shape = {sizeof(struct aws_sts_answer), web_identity_fields,
                                                 ARRAY_LEN(web_identity_fields), 0};

static pb_ResultCode authenticate(void *ctx, struct op *op, struct http_request *req, bool renew)
{
    struct aws_sts *s = ctx;
    (void)renew;
    s->signed_ns = clock_wall_ns() + sender_clock_offset_ns(s->sender);
    const struct sigv4_scope scope = {
        .region = s->config->region,
        .service = "sts",
        .time_s = s->signed_ns / NS_PER_SEC,
    };
    if (sigv4_sign(s->signer, op->arena, s->key, &scope, req))
        return RESULT_CODE_OK;
    return op_fail(op, RESULT_CODE_INTERNAL_ERROR,
                   "the request to STS cannot be signed: out of memory, or its URL is none");
}

/* As for other requests, but that it is the configuration's fault, not that of who calls. */
static pb_ResultCode map_error(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp)
{
    const struct aws_sts *s = ctx;
    (void)req;
    const char *base = s->source->base == NULL ? NULL : s->source->base->what;
    pb_ResultCode code = aws_map_error(op, "STS", s->cloud, base, rsp);
    const pb_NativeError *native = op->result->native;
    if (native == NULL || (code != RESULT_CODE_BAD_REQUEST_DATA && code != RESULT_CODE_FORBIDDEN))
        return code;
    return op_fail(op, code == RESULT_CODE_FORBIDDEN ? code : RESULT_CODE_FAILED_PRECONDITION,
                   "cloud %s: STS does not give us the %s: %s%s%s", s->cloud, s->source->what,
                   native->code, native->message[0] == '\0' ? "" : ": ", native->message);
}

static bool is_throttle(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return aws_is_throttle(rsp);
}

static bool is_clock_skew(void *ctx, const struct http_response *rsp)
{
    const struct aws_sts *s = ctx;
    return aws_is_clock_skew(rsp, s->signed_ns);
}

static const struct sender_ops ops = {
    .authenticate = authenticate,
    .map_error = map_error,
    .is_throttle = is_throttle,
    .is_clock_skew = is_clock_skew,
};

struct aws_sts *aws_sts_new(const struct aws_config *config, struct http_client *http,
                            struct breakers *breakers, const char *cloud)
{
    struct aws_sts *s = calloc(1, sizeof(*s));
    char what[128];
    if (s == NULL)
        return NULL;
    snprintf(what, sizeof(what), "STS of cloud %s", cloud);
    s->config = config;
    s->cloud = cloud;
    s->sender = sender_new(http, breakers, &ops, s, what);
    s->signer = sigv4_signer_new();
    if (s->sender != NULL && s->signer != NULL)
        return s;
    aws_sts_free(s);
    return NULL;
}

void aws_sts_free(struct aws_sts *s)
{
    if (s == NULL)
        return;
    sigv4_signer_free(s->signer);
    sender_free(s->sender);
    free(s);
}

int64_t aws_sts_clock_offset_ns(const struct aws_sts *s)
{
    return sender_clock_offset_ns(s->sender);
}

/* The token comes last: so it is in the buffer's last memory only, which is wiped. */
static void build(struct aws_query *q, struct arena *a, const struct aws_source *source,
                  const char *web_token)
{
    char name[48];
    snprintf(name, sizeof(name), "isobar-%lld", (long long)(clock_wall_ns() / NS_PER_SEC));
    aws_query_begin(q, a, AWS_STS, web_token != NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole",
                    SEND_IDEMPOTENT);
    aws_put(q, source->role_arn, "RoleArn");
    aws_put(q, source->session_name != NULL ? source->session_name : name, "RoleSessionName");
    if (source->duration_s > 0)
        aws_put_int(q, source->duration_s, "DurationSeconds");
    aws_put(q, source->external_id, "ExternalId");
    aws_put(q, web_token, "WebIdentityToken");
}

static pb_ResultCode take(const struct aws_sts *s, struct op *op, const struct http_response *rsp,
                          struct aws_keys *ret)
{
    bool web = s->key == NULL;
    struct aws_sts_answer answer = {0};
    char why[160] = "";
    pb_ResultCode code;
    if (!xml_parse(op->arena, rsp->body, rsp->body_len,
                   web ? &aws_sts_web_identity_shape : &aws_sts_role_shape, &answer, why)) {
        code = op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "what answers at %s is no STS, or it is broken: %s",
                       s->config->urls[AWS_STS], why);
    } else {
        const struct aws_keys_answer keys = {
            .id = answer.id,
            .secret = answer.secret,
            .session_token = answer.session_token,
            .expiration = answer.expiration,
        };
        code = aws_keys_take(op, &keys, s->source->what, aws_answer_time(rsp), ret);
    }
    secret_wipe(answer.secret);
    secret_wipe(answer.session_token);
    secret_wipe(rsp->body);
    return code;
}

static pb_ResultCode exchange(struct aws_sts *s, struct op *op, const char *web_token,
                              struct aws_keys *ret)
{
    static const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
    };
    struct aws_query q;
    build(&q, op->arena, s->source, web_token);
    struct http_request req = {
        .method = "POST",
        .url = arena_printf(op->arena, "%s/", s->config->urls[AWS_STS]),
        .name = q.action,
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .body = q.body,
        .body_len = q.len,
        .body_max = ANSWER_MAX,
    };
    if (op->arena->exhausted)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    struct http_response rsp = {0};
    pb_ResultCode code =
        send_request(s->sender, op, &req, q.flags | (web_token != NULL ? SEND_NO_AUTH : 0), &rsp);
    explicit_bzero(q.body, q.len);
    return code == RESULT_CODE_OK ? take(s, op, &rsp, ret) : code;
}

pb_ResultCode aws_sts_assume(struct aws_sts *s, struct op *op, const struct aws_source *source,
                             const struct sigv4_key *key, struct aws_keys *ret)
{
    char *token = NULL;
    if (key == NULL) {
        token = secret_file_token(op, source->token_file, source->what);
        if (token == NULL)
            return RESULT_CODE_UNAUTHORIZED;
    }
    s->source = source;
    s->key = key;
    pb_ResultCode code = exchange(s, op, token, ret);
    s->source = NULL;
    s->key = NULL;
    secret_wipe(token);
    free(token);
    return code;
}
