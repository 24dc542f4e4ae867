/* Credentials of a container: of its task, or its pod, from a service near by.
 *
 * Source: "Container credential provider", AWS SDKs and Tools Reference Guide.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws_fetch.h"
#include "kit/secret.h"

enum { ATTEMPTS = 3, ATTEMPT_MS = 2000, ANSWER_MAX = 64 << 10 };

static pb_ResultCode ask(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                         const char *token, struct http_response *ret)
{
    struct http_header headers[] = {{"Accept", "application/json"}, {"Authorization", token}};
    struct http_request req = {
        .method = "GET",
        .url = s->url,
        .name = "the container's credentials",
        .headers = headers,
        .n_headers = token == NULL ? 1 : 2,
        .body_max = ANSWER_MAX,
        .resend_ok = true,
    };
    /* What is asked by TLS may be anywhere. */
    struct http_client *http = strncasecmp(s->url, "https:", 6) == 0 ? f->http : f->local;
    char why[256] = "";
    if (!aws_ask_near(http, op, &req, ATTEMPTS, ATTEMPT_MS, ret, why))
        return op_fail(op, RESULT_CODE_UNAVAILABLE, "%s does not answer: %s", s->what, why);
    if (ret->status == 200)
        return RESULT_CODE_OK;
    op_native(op, ret->status, NULL, NULL, NULL);
    if (ret->status >= 500 || ret->status == 429)
        return op_fail(op, RESULT_CODE_UNAVAILABLE, "%s is out of order: it answers %d", s->what,
                       ret->status);
    return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s has no credentials for us: it answers %d",
                   s->what, ret->status);
}

pb_ResultCode aws_fetch_container(struct aws_fetcher *f, struct op *op, const struct aws_source *s,
                                  struct aws_keys *ret)
{
    char *from_file = NULL;
    if (s->token_file != NULL) {
        from_file = secret_file_token(op, s->token_file, s->what);
        if (from_file == NULL)
            return RESULT_CODE_UNAUTHORIZED;
    }
    struct http_response rsp = {0};
    pb_ResultCode code = ask(f, op, s, from_file != NULL ? from_file : s->token, &rsp);
    secret_wipe(from_file);
    free(from_file);
    if (code != RESULT_CODE_OK)
        return code;
    struct aws_keys_answer answer;
    char why[160] = "";
    if (!aws_keys_parse(op->arena, rsp.body, rsp.body_len, &answer, why))
        code = op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s does not answer the JSON that it should",
                       s->what);
    else
        code = aws_keys_take(op, &answer, s->what, aws_answer_time(&rsp), ret);
    aws_keys_answer_wipe(&answer);
    secret_wipe(rsp.body);
    return code;
}
