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
    const char *session_token; /* NULL or "": none */
};

enum sigv4_flags {
    SIGV4_IN_QUERY = 1,   /* everything goes into the query (a presigned URL), not in headers */
    SIGV4_KEEP_PATH = 2,  /* the path is signed as it is sent, with dots and double slashes (S3);
                             without this, cleaned of them and encoded once more */
    SIGV4_HASH_BODY = 4,  /* say the body's hash in x-amz-content-sha256; nothing to a query */
    SIGV4_TOKEN_LAST = 8, /* the session token is added after signing, and not signed */
};

struct sigv4_scope {
    const char *region, *service; /* "eu-west-1", "ec2" */
    int64_t time_s;               /* seconds since 1970, by the cloud's clock */
    unsigned flags;
    uint32_t expires_s; /* of a presigned URL */
};

/* Keeps the derived key of the last day, region, service and secret, and that secret; both are
 * wiped when others take their place. Any thread. */
struct sigv4_signer;
/* NULL where memory is short, or OpenSSL has no SHA-256. */
struct sigv4_signer *sigv4_signer_new(void);
/* Wipes what it keeps. NULL is allowed. */
void sigv4_signer_free(struct sigv4_signer *s);

/* Add to `req`, which has nothing of it yet, what authenticates it, into the arena: headers
 * x-amz-date, x-amz-security-token and Authorization, or a new url. All headers that the request
 * has are signed, and Host as libcurl sends it: the request's own, or that of the URL. The secret
 * does not get into the arena; the token does.
 *
 * False, with `req` as it was, where memory is short, where the URL is none, and where its host is
 * written in a way that libcurl sends as something else ("%41", or outside of ASCII). */
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
