/* A request in the one form that both ends of it compute their signature of.
 *
 * Source: "Create a canonical request", IAM User Guide; where that is silent, what botocore does.
 */
#ifndef ISOBAR_KIT_SIGV4_CANONICAL_H
#define ISOBAR_KIT_SIGV4_CANONICAL_H

#include "kit/http.h"
#include "sigv4_text.h"

/* The parts of a URL; they point into it. */
struct url {
    bool tls;
    const char *host;
    size_t host_len; /* with its port, without user and password */
    const char *path;
    size_t path_len; /* 0: "/" is meant */
    const char *query;
    size_t query_len;
};

/* False where it is no absolute http or https URL. */
bool url_split(const char *text, struct url *ret) MUST_USE;
/* The Host header that libcurl sends to it; NULL where it is not one that can be told, or where the
 * arena is exhausted. */
const char *url_host_header(struct arena *a, const struct url *url) MUST_USE;

/* Each appends its part of the canonical request. */
/* `keep`: the path as it is sent (S3); otherwise without dots and empty segments, and encoded once
 * more. */
void canonical_path(struct text *t, const struct url *url, bool keep);
/* Sorted; a '+' is a plus sign and no blank. */
void canonical_query(struct text *t, const char *query, size_t len);
/* Lines "name:value\n", and the names with semicolons between them. `skip` is one of the headers,
 * and is left out; NULL: none. */
void canonical_headers(struct text *lines, struct text *names, const struct http_header *headers,
                       size_t n, const struct http_header *skip);

#endif
