/* Roles are assumed: AWS's Security Token Service.
 *
 * Source: AWS Security Token Service API Reference, AssumeRole and AssumeRoleWithWebIdentity.
 */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "aws_fetch.h"

/* One thread at a time uses it. */
struct aws_sts;
/* All borrowed. NULL where memory is short. */
struct aws_sts *aws_sts_new(const struct aws_config *config, struct http_client *http,
                            struct breakers *breakers, const char *cloud);
/* NULL is allowed. */
void aws_sts_free(struct aws_sts *s);

/* Assume the role of a ROLE with `key`, the credentials of its base, or that of a WEB_IDENTITY,
 * where `key` is NULL. What STS says of a failure is in the op's result. */
pb_ResultCode aws_sts_assume(struct aws_sts *s, struct op *op, const struct aws_source *source,
                             const struct sigv4_key *key, struct aws_keys *ret) MUST_USE;
/* How far AWS's clock is ahead of ours, as far as STS has told. */
int64_t aws_sts_clock_offset_ns(const struct aws_sts *s);

/* What it answers. */
struct aws_sts_answer {
    const char *id, *secret, *session_token, *expiration;
};
extern const struct shape aws_sts_role_shape, aws_sts_web_identity_shape;

#endif
