/* Who we are at AWS: the first of the places where the AWS CLI looks that has credentials, in its
 * order; kept while they last, renewed before they expire.
 *
 * Environment; the profile's role (STS AssumeRole with source_profile or credential_source, or with
 * a web identity); the profile's keys in the credentials file; its credential_process; its keys in
 * the config file; container; instance metadata (IMDSv2).
 */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include "aws_config.h"
#include "kit/send.h"
#include "kit/sigv4.h"
#include "kit/token.h"

/* token_ref.data: constant while the reference is held. */
struct aws_session {
    struct sigv4_key key;
    const char *source; /* for people: `profile "dev" of ~/.aws/credentials`, "instance metadata" */
};

struct aws_credentials;
/* `cloud` is the connection's name, for sentences; copied. Config, client and breakers are
 * borrowed. NULL where memory is short. No network, and no file is read yet. */
struct aws_credentials *aws_credentials_new(const struct aws_config *config,
                                            struct http_client *http, struct breakers *breakers,
                                            const char *cloud);
/* Wipes what it has. NULL is allowed. */
void aws_credentials_free(struct aws_credentials *c);

/* The session, to be released by token_release(). `refused`: the generation that the cloud has
 * refused, or 0; files, processes and services are then asked anew. Unauthorized, with the places
 * that were looked at, where there is none; any thread. */
pb_ResultCode aws_credentials_get(struct aws_credentials *c, struct op *op, uint64_t refused,
                                  struct token_ref *ret) MUST_USE;

#endif
