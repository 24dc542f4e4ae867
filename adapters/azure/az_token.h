/* What those who give tokens answer: Entra ID, the services of managed identities, `az`. Pure.
 *
 * Source: RFC 6749, section 5, and its dialects: "How to use managed identities on an Azure VM to
 * acquire an access token", azure-identity's _internal/managed_identity_client.py, and `az account
 * get-access-token`.
 */
#ifndef AZ_TOKEN_H
#define AZ_TOKEN_H

#include "adapter.h"
#include "kit/shape.h"
#include "kit/token.h"

struct az_token_answer {
    const char *access_token, *cli_token; /* NULL where there is none */
    int64_t expires_in, refresh_in;       /* seconds from now on; 0: it does not say */
    int64_t expires_on;                   /* seconds since 1970; 0: it does not say */
    const char *cli_expires_on;           /* "2023-01-12 10:11:12.123456", local time */
    /* Where it is a refusal. */
    const char *error, *description, *message;
    struct shape_strings error_codes;
    const char *correlation_id;
};
/* Parse it; the texts are in the arena, the token to be wiped. False where it is no JSON object. */
bool az_token_parse(struct arena *a, const char *json, size_t len, struct az_token_answer *ret,
                    char ret_why[160]) MUST_USE;
/* Wipe the token. */
void az_token_wipe(struct az_token_answer *w);

/* When the token expires and when it is to be renewed, seconds from now on; `now_s` is what the
 * clock of its source shows. False where the answer does not say how long it lasts. */
bool az_token_life(const struct az_token_answer *w, int64_t now_s, int64_t *ret_life_s,
                   int64_t *ret_renew_s) MUST_USE;

/* The answer into what the cache keeps, without its data. `asked_ns` is when it was asked for,
 * CLOCK_MONOTONIC. Where there is no token in it, or one that has expired, the op is told so;
 * `what` names the source in sentences. */
pb_ResultCode az_token_take(struct op *op, const struct az_token_answer *w, const char *what,
                            int64_t asked_ns, int64_t now_s, struct token_grant *ret) MUST_USE;

#endif
