#include "aws_keys.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "kit/secret.h"
#include "kit/shape.h"

enum { EARLY_MAX_S = 15 * 60 };
/* What is promised beyond this is not counted on (and would overflow a clock); seconds. */
#define LIFE_MAX_S (30 * INT64_C(86400))

void aws_keys_done(struct aws_keys *k)
{
    secret_wipe(k->id);
    secret_wipe(k->secret);
    secret_wipe(k->session_token);
    free(k->id);
    free(k->secret);
    free(k->session_token);
    *k = (struct aws_keys){0};
}

bool aws_keys_set(struct aws_keys *k, const char *id, const char *secret, const char *session_token)
{
    k->id = strdup(id);
    k->secret = strdup(secret);
    k->session_token = session_token == NULL ? NULL : strdup(session_token);
    k->life_s = INT64_MAX;
    return k->id != NULL && k->secret != NULL &&
           (session_token == NULL || k->session_token != NULL);
}

bool aws_keys_expire(struct aws_keys *k, const char *expiration, int64_t now_s)
{
    int64_t at_s = 0;
    int32_t nanos = 0;
    k->life_s = INT64_MAX;
    if (expiration == NULL || expiration[0] == '\0')
        return true;
    if (!clock_parse(expiration, &at_s, &nanos))
        return false;
    k->life_s = at_s - now_s < LIFE_MAX_S ? at_s - now_s : LIFE_MAX_S;
    return true;
}

struct sigv4_key aws_keys_borrow(const struct aws_keys *k)
{
    return (struct sigv4_key){.id = k->id, .secret = k->secret, .session_token = k->session_token};
}

int64_t aws_keys_early_s(int64_t life_s)
{
    return life_s / 4 < EARLY_MAX_S ? life_s / 4 : EARLY_MAX_S;
}

static const struct shape_field answer_fields[] = {
    SHAPE_FIELD(struct aws_keys_answer, version, "Version", SHAPE_INT),
    SHAPE_FIELD(struct aws_keys_answer, code, "Code", SHAPE_STRING),
    SHAPE_FIELD(struct aws_keys_answer, message, "Message", SHAPE_STRING),
    SHAPE_FIELD(struct aws_keys_answer, id, "AccessKeyId", SHAPE_STRING),
    SHAPE_FIELD(struct aws_keys_answer, secret, "SecretAccessKey", SHAPE_STRING),
    SHAPE_FIELD(struct aws_keys_answer, token, "Token", SHAPE_STRING),
    SHAPE_FIELD(struct aws_keys_answer, session_token, "SessionToken", SHAPE_STRING),
    SHAPE_FIELD(struct aws_keys_answer, expiration, "Expiration", SHAPE_STRING),
};
static const struct shape answer_shape = {sizeof(struct aws_keys_answer), answer_fields,
                                          ARRAY_LEN(answer_fields), 0};

bool aws_keys_parse(struct arena *a, const char *json, size_t len, struct aws_keys_answer *ret,
                    char ret_why[160])
{
    *ret = (struct aws_keys_answer){0};
    return shape_parse(a, json, len, &answer_shape, ret, ret_why);
}

void aws_keys_answer_wipe(struct aws_keys_answer *w)
{
    secret_wipe(w->secret);
    secret_wipe(w->token);
    secret_wipe(w->session_token);
}

pb_ResultCode aws_keys_take(struct op *op, const struct aws_keys_answer *w, const char *what,
                            int64_t now_s, struct aws_keys *ret)
{
    if (w->id == NULL || w->id[0] == '\0' || w->secret == NULL || w->secret[0] == '\0')
        return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s has given no %s", what,
                       w->id == NULL || w->id[0] == '\0' ? "AccessKeyId" : "SecretAccessKey");
    const char *token = w->session_token != NULL ? w->session_token : w->token;
    if (token != NULL && token[0] == '\0')
        token = NULL;
    if (!aws_keys_set(ret, w->id, w->secret, token))
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
    if (!aws_keys_expire(ret, w->expiration, now_s))
        return op_fail(op, RESULT_CODE_UNAUTHORIZED, "%s has given an Expiration that is no time",
                       what);
    return RESULT_CODE_OK;
}
