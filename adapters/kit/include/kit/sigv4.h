/* AWS Signature Version 4: a request is signed with a key that is derived from the secret for one
 * day, region and service.
 *
 * Source: "AWS Signature Version 4 for API requests", IAM User Guide.
 */
#ifndef ISOBAR_KIT_SIGV4_H
#define ISOBAR_KIT_SIGV4_H

#include "kit/http.h"

/* What signs; borrowed. */
struct sigv4_key {
    const char *id;
    const char *secret;
    const char *session_token; /* NULL: none */
};

enum sigv4_flags {
    SIGV4_IN_QUERY = 1,   /* everything goes into the query (a presigned URL), not in headers */
    SIGV4_KEEP_PATH = 2,  /* dots and double slashes in the path stay (S3) */
    SIGV4_HASH_BODY = 4,  /* say the body's hash in x-amz-content-sha256 */
    SIGV4_TOKEN_LAST = 8, /* the session token is added after signing, and not signed */
};

struct sigv4_scope {
    const char *region, *service; /* "eu-west-1", "ec2" */
    int64_t time_s;               /* seconds since 1970, by the cloud's clock */
    unsigned flags;
    uint32_t expires_s; /* of a presigned URL */
};

/* Keeps the derived key of the last day, region, service and secret. Thread-safe. */
struct sigv4_signer;
/* NULL where memory is short. */
struct sigv4_signer *sigv4_signer_new(void);
/* Wipes the key. NULL is allowed. */
void sigv4_signer_free(struct sigv4_signer *s);

/* Add to `req` what authenticates it, into the arena: headers x-amz-date, x-amz-security-token and
 * Authorization, or a new url. Host is signed as libcurl sends it; all headers that the request has
 * are signed too. False where memory is short or the URL is none. */
bool sigv4_sign(struct sigv4_signer *s, struct arena *a, const struct sigv4_key *key,
                const struct sigv4_scope *scope, struct http_request *req) MUST_USE;

/* The stages, for who wants to see them; texts in the arena. */
struct sigv4_stages {
    const char *canonical_request, *string_to_sign, *signature;
};
/* The same with its stages. */
bool sigv4_sign_stages(struct sigv4_signer *s, struct arena *a, const struct sigv4_key *key,
                       const struct sigv4_scope *scope, struct http_request *req,
                       struct sigv4_stages *ret) MUST_USE;

#endif
