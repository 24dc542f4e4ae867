/* Keys as they come from a source of credentials, with the time at which they expire.
 */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include "adapter.h"
#include "kit/sigv4.h"

struct aws_keys {
    char *id, *secret, *session_token; /* from malloc; a NULL token: none */
    int64_t life_s;                    /* from when they were asked for; INT64_MAX: no end */
};

/* For CLEANUP() too: wipes and frees. */
void aws_keys_done(struct aws_keys *k);
/* Copies. False where memory is short. */
bool aws_keys_set(struct aws_keys *k, const char *id, const char *secret,
                  const char *session_token) MUST_USE;
/* k->life_s from a time ("2026-11-22T20:01:02Z") and what the clock of its source shows now,
 * seconds since 1970. NULL or "": no end. False where it is no time. */
bool aws_keys_expire(struct aws_keys *k, const char *expiration, int64_t now_s) MUST_USE;
/* As `k` is borrowed. */
struct sigv4_key aws_keys_borrow(const struct aws_keys *k);
/* How long before their end keys are renewed: 15 minutes, or a quarter of a shorter life. */
int64_t aws_keys_early_s(int64_t life_s);

/* What processes, containers and instance metadata answer, in JSON. */
struct aws_keys_answer {
    int64_t version;            /* of a process */
    const char *code, *message; /* of the instance metadata: "Success" or what is wrong */
    const char *id, *secret, *token, *session_token, *expiration;
};
/* Parse it; the texts are in the arena, to be wiped. False where it is no such JSON. */
bool aws_keys_parse(struct arena *a, const char *json, size_t len, struct aws_keys_answer *ret,
                    char ret_why[160]) MUST_USE;
/* Wipe its secrets. */
void aws_keys_answer_wipe(struct aws_keys_answer *w);
/* The answer into keys. `what` names the source in sentences: they are there by half, or have
 * expired. The code is Unauthorized then. */
pb_ResultCode aws_keys_take(struct op *op, const struct aws_keys_answer *w, const char *what,
                            int64_t now_s, struct aws_keys *ret) MUST_USE;
#endif
