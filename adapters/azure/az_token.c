#include "az_token.h"

#include <string.h>
#include <time.h>

#include "isobar/clock.h"
#include "kit/secret.h"

enum { EARLY_MAX_S = 300 };
/* What is promised beyond this is not counted on (and would overflow a clock); seconds. */
#define LIFE_MAX_S (30 * INT64_C(86400))

static const struct shape_field fields[] = {
    SHAPE_FIELD(struct az_token_answer, access_token, "access_token", SHAPE_STRING),
    SHAPE_FIELD(struct az_token_answer, cli_token, "accessToken", SHAPE_STRING),
    SHAPE_FIELD(struct az_token_answer, expires_in, "expires_in", SHAPE_INT),
    SHAPE_FIELD(struct az_token_answer, refresh_in, "refresh_in", SHAPE_INT),
    SHAPE_FIELD(struct az_token_answer, expires_on, "expires_on", SHAPE_INT),
    SHAPE_FIELD(struct az_token_answer, cli_expires_on, "expiresOn", SHAPE_STRING),
    SHAPE_FIELD(struct az_token_answer, error, "error", SHAPE_STRING),
    SHAPE_FIELD(struct az_token_answer, description, "error_description", SHAPE_STRING),
    SHAPE_FIELD(struct az_token_answer, message, "message", SHAPE_STRING),
    SHAPE_FIELD(struct az_token_answer, error_codes, "error_codes", SHAPE_STRINGS),
    SHAPE_FIELD(struct az_token_answer, correlation_id, "correlation_id", SHAPE_STRING),
};
static const struct shape shape = {sizeof(struct az_token_answer), fields, ARRAY_LEN(fields), 0};

bool az_token_parse(struct arena *a, const char *json, size_t len, struct az_token_answer *ret,
                    char ret_why[160])
{
    *ret = (struct az_token_answer){0};
    return shape_parse(a, json, len, &shape, ret, ret_why);
}

void az_token_wipe(struct az_token_answer *w)
{
    secret_wipe(w->access_token);
    secret_wipe(w->cli_token);
}

/* The hour that comes twice in autumn counts as `az` may have meant it, or as one hour less: it
 * writes expires_on too since 2.54. */
static int64_t local_time(const char *text)
{
    struct tm tm = {.tm_isdst = -1};
    const char *rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (rest == NULL || (*rest != '\0' && *rest != '.'))
        return 0;
    tm.tm_isdst = -1;
    int64_t at_s = mktime(&tm);
    return at_s > 0 ? at_s : 0;
}

bool az_token_life(const struct az_token_answer *w, int64_t now_s, int64_t *ret_life_s,
                   int64_t *ret_renew_s)
{
    int64_t at_s = w->expires_on;
    if (at_s <= 0 && w->cli_expires_on != NULL)
        at_s = local_time(w->cli_expires_on);
    if (w->expires_in <= 0 && at_s <= 0)
        return false;
    int64_t life = w->expires_in > 0 ? w->expires_in : at_s - now_s;
    if (life > LIFE_MAX_S)
        life = LIFE_MAX_S;
    int64_t early = life / 4 < EARLY_MAX_S ? life / 4 : EARLY_MAX_S;
    *ret_life_s = life;
    *ret_renew_s = w->refresh_in > 0 && w->refresh_in < life ? w->refresh_in : life - early;
    return true;
}

/* What can be the value of a header. */
static bool is_token(const char *text)
{
    size_t good = 0;
    while (text[good] > ' ' && text[good] <= '~')
        good++;
    return good > 0 && text[good] == '\0';
}

pb_ResultCode az_token_take(struct op *op, const struct az_token_answer *w, const char *what,
                            int64_t asked_ns, int64_t now_s, struct token_grant *ret)
{
    const char *token = w->access_token != NULL ? w->access_token : w->cli_token;
    int64_t life_s = 0, renew_s = 0;
    if (token == NULL || !is_token(token))
        return op_fail(op, RESULT_CODE_UNAVAILABLE, "%s has answered without a token", what);
    if (!az_token_life(w, now_s, &life_s, &renew_s))
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "%s has given a token without saying how long it lasts", what);
    if (life_s <= 0)
        return op_fail(op, RESULT_CODE_UNAUTHORIZED,
                       "%s has given a token that has expired: check this machine's clock", what);
    char *value = strdup(token);
    if (value == NULL)
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "memory is short; try again later");
    *ret = (struct token_grant){
        .value = value,
        .expires_ns = asked_ns + life_s * NS_PER_SEC,
        .renew_ns = asked_ns + renew_s * NS_PER_SEC,
    };
    return RESULT_CODE_OK;
}
