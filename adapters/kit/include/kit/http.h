/* HTTP requests to clouds. The only file of the project that knows libcurl is behind this header.
 *
 * A client belongs to one connection and is used by many threads at once: each exchange takes a
 * handle with kept-alive connections and TLS sessions of its own, the one that was used last; DNS
 * answers are shared by all. Redirects are never followed (a token must not go to another host),
 * proxies come from the environment as curl reads it, except that loopback never goes through one.
 * Nothing outlives the deadline by more than 50 ms.
 */
#ifndef ISOBAR_KIT_HTTP_H
#define ISOBAR_KIT_HTTP_H

#include "adapter.h"

struct http_options {
    const char *ca_file;     /* PEM bundle; NULL: the system's */
    const char *client_cert; /* PEM; NULL: none */
    const char *client_key;  /* PEM; NULL: in client_cert */
    bool insecure;           /* do not verify the peer */
    bool no_proxy;           /* whatever the environment says */
    int connect_timeout_ms;  /* 0: 5,000 */
};

struct http_client;
/* Copies the options. NULL where memory or libcurl fails. */
struct http_client *http_client_new(const struct http_options *o);
/* No request is under way any more. */
void http_client_free(struct http_client *c);

struct http_header {
    const char *name, *value;
};

#define HTTP_BODY_MAX ((size_t)32 << 20)

struct http_request {
    const char *method; /* "GET" */
    const char *url;    /* absolute, encoded */
    const char *name;   /* in sentences about it ("DescribeInstances"); NULL: method and path */
    const struct http_header *headers;
    size_t n_headers;
    const char *body; /* NULL: none; borrowed */
    size_t body_len;
    size_t body_max; /* of the answer, bytes; 0: HTTP_BODY_MAX */
    /* The request may leave twice where a kept-alive connection turns out to be dead. Without it,
     * each http_send() sends at most once; what was sent on a connection that died is ambiguous. */
    bool resend_ok;
};

struct http_response {
    int status;
    struct http_header *headers; /* names as sent, in the op's arena */
    size_t n_headers;
    const char *body; /* NUL-terminated for convenience, may hold more; in the op's arena */
    size_t body_len;
};

enum http_outcome {
    HTTP_ANSWERED,  /* `ret` is filled in */
    HTTP_NOT_SENT,  /* not one byte of the request left: name, refused, TLS */
    HTTP_AMBIGUOUS, /* sent at least in part, and no whole answer came back */
    HTTP_TOO_LARGE, /* the answer exceeds body_max or the arena; the request was sent */
    HTTP_DEADLINE,  /* the deadline passed; `sent` says whether the request may have left */
    HTTP_CANCELLED,
};

struct http_failure {
    bool sent; /* at least a part of the request may have left */
    bool
        permanent; /* the same again fails the same: a bad URL, a certificate that is not trusted */
    char reason[256]; /* one clause: "127.0.0.1:5000 refused the connection" */
};

/* Do one exchange; no retry. Blocks until the answer is whole, op->deadline_ns or cancellation. The
 * traceparent of the op, a User-Agent and Accept-Encoding: identity are added. */
enum http_outcome http_send(struct http_client *c, struct op *op, const struct http_request *req,
                            struct http_response *ret, struct http_failure *ret_failure) MUST_USE;

/* A header's value, name compared without case; NULL where absent. */
const char *http_header(const struct http_response *r, const char *name);

/* A date as HTTP has it ("Sun, 06 Nov 1994 08:49:37 GMT" and the two older forms) to seconds since
 * 1970; -1 where it is none. */
int64_t http_date(const char *text);

/* How long to wait by Retry-After, seconds or a date, milliseconds: at most a day; -1 where it does
 * not say. `wall_ns`: now as the server has it, as far as is known, in case it does not date its
 * answer. */
int64_t http_retry_after_ms(const struct http_response *rsp, int64_t wall_ns);

/* Percent-encode all but unreserved characters (RFC 3986), into the arena; the dots too where the
 * text is "." or "..", which would be another path. */
char *url_escape(struct arena *a, const char *text);

#endif
