/* Credentials of an instance's role, from its metadata service: version 2, which wants a token
 * first, so that what tricks a program into fetching an URL does not get them.
 *
 * Source: "Use IMDSv2", Amazon EC2 User Guide.
 */
#include <string.h>

#include "aws_fetch.h"
#include "isobar/clock.h"
#include "kit/fields.h"
#include "kit/secret.h"

#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"

enum { ANSWER_MAX = 64 << 10, STALE_LIFE_S = 600 };

/* One exchange; the answer is 200. */
static pb_ResultCode ask(struct aws_fetcher *f, struct op *op, const char *method, const char *path,
                         const struct http_header *header, struct http_response *ret)
{
    struct http_request req = {
        .method = method,
        .url = arena_printf(op->arena, "%s%s", f->config->metadata_url, path),
        .name = "instance metadata",
        .headers = header,
        .n_headers = 1,
        .body_max = ANSWER_MAX,
        .resend_ok = true,
    };
    char why[256] = "";
    if (!aws_ask_near(f->local, op, &req, f->config->metadata_attempts,
                      f->config->metadata_timeout_ms, ret, why))
        /* Where it has never been, this is no instance. */
        return op_fail(op, f->metadata_known ? RESULT_CODE_UNAVAILABLE : RESULT_CODE_UNAUTHORIZED,
                       "instance metadata at %s does not answer: %s", f->config->metadata_url, why);
    if (ret->status == 200)
        return RESULT_CODE_OK;
    op_native(op, ret->status, NULL, NULL, NULL);
    if (ret->status >= 500 || ret->status == 429)
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "instance metadata at %s is out of order: it answers %d",
                       f->config->metadata_url, ret->status);
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "instance metadata at %s answers %d: %s",
                   f->config->metadata_url, ret->status,
                   ret->status == 404 ? "the instance has no role"
                                      : "it is switched off, or not for us");
}

/* The path of the credentials of the instance's role, of which there is one at most. */
static pb_ResultCode find_role(struct aws_fetcher *f, struct op *op,
                               const struct http_header *header, const char **ret_path)
{
    struct http_response rsp = {0};
    pb_ResultCode code = ask(f, op, "GET", ROLES_PATH, header, &rsp);
    if (code != RESULT_CODE_OK)
        return code;
    const char *role = arena_strndup(op->arena, rsp.body, strcspn(rsp.body, "\r\n"));
    if (role[0] == '\0')
        return op_fail(op, RESULT_CODE_UNAUTHORIZED,
                       "instance metadata at %s: the instance has no role",
                       f->config->metadata_url);
    *ret_path = arena_printf(op->arena, ROLES_PATH "%s", url_escape(op->arena, role));
    return RESULT_CODE_OK;
}

static pb_ResultCode take(struct op *op, const struct aws_source *s,
                          const struct http_response *rsp, struct aws_keys *ret)
{
    struct aws_keys_answer answer;
    char why[160] = "";
    pb_ResultCode code;
    if (!aws_keys_parse(op->arena, rsp->body, rsp->body_len, &answer, why)) {
        code = op_fail(op, RESULT_CODE_UNAVAILABLE, "%s does not answer the JSON that it should",
                       s->what);
    } else if (answer.code != NULL && strcmp(answer.code, "Success") != 0) {
        op_native(op, rsp->status, answer.code, answer.message, NULL);
        code = op_fail(op, RESULT_CODE_UNAUTHORIZED,
                       "%s has no credentials for the instance's role: %s", s->what, answer.code);
    } else {
        code = aws_keys_take(op, &answer, s->what, aws_answer_time(rsp), ret);
        /* When EC2 cannot make new ones it shows old ones for a while, and takes them. */
        if (code == RESULT_CODE_OK && ret->life_s < STALE_LIFE_S)
            ret->life_s = STALE_LIFE_S;
    }
    aws_keys_answer_wipe(&answer);
    return code;
}

pb_ResultCode aws_fetch_metadata(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                 struct aws_keys *ret)
{
    struct http_header header = {"X-aws-ec2-metadata-token-ttl-seconds", "300"};
    struct http_response rsp = {0}, keys = {0};
    pb_ResultCode code = ask(f, op, "PUT", "/latest/api/token", &header, &rsp);
    if (code != RESULT_CODE_OK)
        return code;
    header = (struct http_header){"X-aws-ec2-metadata-token", rsp.body};
    const char *path = NULL;
    code = find_role(f, op, &header, &path);
    if (code == RESULT_CODE_OK)
        code = ask(f, op, "GET", path, &header, &keys);
    if (code == RESULT_CODE_OK)
        code = take(op, s, &keys, ret);
    f->metadata_known = f->metadata_known || code == RESULT_CODE_OK;
    secret_wipe(rsp.body);
    secret_wipe(keys.body);
    return code;
}
