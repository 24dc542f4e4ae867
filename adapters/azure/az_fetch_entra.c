/* Service principals: Entra ID gives a token for a secret, for what a certificate has signed, or
 * for a token that somebody else has given.
 *
 * Source: "Microsoft identity platform and the OAuth 2.0 client credentials flow".
 */
#include <stdlib.h>
#include <string.h>

#include "az_fetch.h"
#include "az_login_errors.h"
#include "isobar/clock.h"
#include "isobar/json.h"
#include "isobar/uuid.h"
#include "kit/secret.h"

enum { ANSWER_MAX = 256 << 10, BODY_MAX = 1 << 20, ASSERTION_LIFE_S = 600 };

static int64_t entra_now_s(const struct az_fetcher *f)
{
    return (clock_wall_ns() + sender_clock_offset_ns(f->entra)) / NS_PER_SEC;
}

static const char *token_url(struct arena *a, const struct az_config *c)
{
    return arena_printf(a, "%s/%s/oauth2/v2.0/token", c->authority, c->tenant_id);
}

/* ---- The form ---- */

static bool put(struct buf *out, struct arena *a, const char *name, const char *value)
{
    char *escaped = url_escape(a, value);
    bool ok = buf_addf(out, "%s%s=%s", out->len == 0 ? "" : "&", name, escaped);
    /* There may be a secret in it. */
    secret_wipe(escaped);
    return ok;
}

/* All but what proves who we are. */
static bool begin_form(struct az_fetcher *f, struct arena *a)
{
    buf_wipe(&f->body);
    return put(&f->body, a, "grant_type", "client_credentials") &&
           put(&f->body, a, "client_id", f->config->client_id) &&
           put(&f->body, a, "scope", arena_printf(a, "%s/.default", f->config->audience));
}

static bool put_assertion(struct az_fetcher *f, struct arena *a, const char *assertion)
{
    return put(&f->body, a, "client_assertion_type",
               "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") &&
           put(&f->body, a, "client_assertion", assertion);
}

/* ---- What a certificate signs ---- */

static bool put_claims(struct az_fetcher *f, struct arena *a, struct buf *out)
{
    struct json_writer *w CLEANUP(json_writer_freep) = json_writer_new(out, false);
    char id[UUID_TEXT_LEN + 1];
    int64_t now_s = entra_now_s(f);
    uuid7(id);
    json_begin_object(w, NULL);
    json_put_string(w, "aud", token_url(a, f->config));
    json_put_string(w, "iss", f->config->client_id);
    json_put_string(w, "sub", f->config->client_id);
    json_put_string(w, "jti", id);
    json_put_int(w, "iat", now_s);
    json_put_int(w, "nbf", now_s);
    json_put_int(w, "exp", now_s + ASSERTION_LIFE_S);
    json_end_object(w);
    return w != NULL && !out->failed;
}

/* For struct sender_ops: each attempt has an assertion of its own, by the clock of Entra ID. */
static pb_ResultCode sign(void *ctx, struct op *op, struct http_request *req, bool renew)
{
    struct az_fetcher *f = ctx;
    (void)renew;
    struct buf claims CLEANUP(buf_done), jwt CLEANUP(buf_wipe);
    buf_init(&claims, BODY_MAX);
    buf_init(&jwt, BODY_MAX);
    unsigned flags = JWT_X5T_S256 | (f->config->send_chain ? JWT_X5C : 0);
    if (!put_claims(f, op->arena, &claims) ||
        !jwt_sign(f->key, JWT_PS256, flags, claims.data, claims.len, &jwt) ||
        !begin_form(f, op->arena) || !put_assertion(f, op->arena, buf_cstr(&jwt)))
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR,
                       "cloud %s: the request for a token cannot be signed with the key in %s",
                       f->cloud, f->config->certificate_file);
    req->body = f->body.data;
    req->body_len = f->body.len;
    return RESULT_CODE_OK;
}

/* ---- The exchange ---- */

static pb_ResultCode map_error(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp)
{
    const struct az_fetcher *f = ctx;
    (void)req;
    return az_map_login_error(op, f->cloud, f->what, f->config->authority, rsp);
}

static const struct az_login_row *row_of(const struct http_response *rsp)
{
    struct az_login_fault fault;
    struct arena scratch;
    arena_init(&scratch, ANSWER_MAX);
    az_login_fault_read(&scratch, rsp, &fault);
    const struct az_login_row *row = az_login_error_find(rsp->status, &fault);
    arena_done(&scratch);
    return row;
}

static bool is_throttle(void *ctx, const struct http_response *rsp)
{
    (void)ctx;
    return row_of(rsp)->code == RESULT_CODE_RATE_LIMITED;
}

static bool is_clock_skew(void *ctx, const struct http_response *rsp)
{
    const struct az_fetcher *f = ctx;
    return f->key != NULL && row_of(rsp)->number == 700024;
}

const struct sender_ops az_entra_ops = {
    .authenticate = sign,
    .map_error = map_error,
    .is_throttle = is_throttle,
    .is_clock_skew = is_clock_skew,
};

static pb_ResultCode take(struct az_fetcher *f, struct op *op, const struct http_response *rsp,
                          int64_t asked_ns, struct token_grant *ret)
{
    struct az_token_answer answer;
    char why[160] = "";
    const char *what =
        arena_printf(op->arena, "cloud %s: Entra ID at %s", f->cloud, f->config->authority);
    pb_ResultCode code;
    if (az_token_parse(op->arena, rsp->body, rsp->body_len, &answer, why))
        code = az_token_take(op, &answer, what, asked_ns, entra_now_s(f), ret);
    else
        code = op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "cloud %s: what answers at %s is no Entra ID, or it is broken: %s; check "
                       "the authority",
                       f->cloud, f->config->authority, why);
    az_token_wipe(&answer);
    secret_wipe(rsp->body);
    return code;
}

/* Send the form; what is signed by us is put in by sign(). */
static pb_ResultCode ask(struct az_fetcher *f, struct op *op, struct token_grant *ret)
{
    static const struct http_header headers[] = {
        {"Content-Type", "application/x-www-form-urlencoded"},
        {"Accept", "application/json"},
    };
    struct http_request req = {
        .method = "POST",
        .url = token_url(op->arena, f->config),
        .name = "the request for a token",
        .headers = headers,
        .n_headers = ARRAY_LEN(headers),
        .body = f->body.data,
        .body_len = f->body.len,
        .body_max = ANSWER_MAX,
    };
    struct http_response rsp;
    int64_t asked_ns = clock_mono_ns();
    pb_ResultCode code =
        send_request(f->entra, op, &req, SEND_READ | (f->key == NULL ? SEND_NO_AUTH : 0), &rsp);
    return code == RESULT_CODE_OK ? take(f, op, &rsp, asked_ns, ret) : code;
}

static pb_ResultCode no_memory(struct op *op)
{
    return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
}

static pb_ResultCode ask_with_certificate(struct az_fetcher *f, struct op *op,
                                          struct token_grant *ret)
{
    const struct az_config *c = f->config;
    const char *what = arena_printf(op->arena, "cloud %s: AZURE_CLIENT_CERTIFICATE_PATH", f->cloud);
    struct buf file CLEANUP(buf_wipe);
    buf_init(&file, SECRET_FILE_MAX);
    pb_ResultCode code = secret_file_read(op, c->certificate_file, what, &file);
    if (code != RESULT_CODE_OK)
        return code;
    char why[160] = "it is empty";
    f->key =
        jwt_key_new(file.data == NULL ? "" : file.data, file.len, c->certificate_password, why);
    if (f->key == NULL)
        return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s: %s cannot be used: %s", what,
                       c->certificate_file, why);
    code = jwt_key_has_certificate(f->key)
               ? ask(f, op, ret)
               : op_fail(op, RESULT_CODE_UNAUTHORIZED,
                         "%s: %s cannot be used: there is no certificate in it", what,
                         c->certificate_file);
    jwt_key_free(f->key);
    f->key = NULL;
    return code;
}

pb_ResultCode az_fetch_principal(struct az_fetcher *f, struct op *op, struct token_grant *ret,
                                 bool *ret_absent)
{
    const struct az_config *c = f->config;
    pb_ResultCode code;
    *ret_absent = c->client_secret == NULL && c->certificate_file == NULL;
    if (*ret_absent)
        return op_fail(op, RESULT_CODE_UNAUTHORIZED,
                       "neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set");
    f->what = az_fetch_whose(op->arena, c, AZ_ENVIRONMENT);
    if (c->client_secret == NULL)
        code = ask_with_certificate(f, op, ret);
    else if (begin_form(f, op->arena) &&
             put(&f->body, op->arena, "client_secret", c->client_secret))
        code = ask(f, op, ret);
    else
        code = no_memory(op);
    buf_wipe(&f->body);
    return code;
}

pb_ResultCode az_fetch_workload(struct az_fetcher *f, struct op *op, struct token_grant *ret,
                                bool *ret_absent)
{
    const struct az_config *c = f->config;
    *ret_absent = c->token_file == NULL;
    if (*ret_absent)
        return op_fail(op, RESULT_CODE_UNAUTHORIZED, "AZURE_FEDERATED_TOKEN_FILE is not set");
    f->what = az_fetch_whose(op->arena, c, AZ_WORKLOAD);
    char *token = secret_file_token(
        op, c->token_file,
        arena_printf(op->arena, "cloud %s: AZURE_FEDERATED_TOKEN_FILE", f->cloud));
    if (token == NULL)
        return RESULT_CODE_UNAUTHORIZED;
    pb_ResultCode code = begin_form(f, op->arena) && put_assertion(f, op->arena, token)
                             ? ask(f, op, ret)
                             : no_memory(op);
    secret_wipe(token);
    free(token);
    buf_wipe(&f->body);
    return code;
}
