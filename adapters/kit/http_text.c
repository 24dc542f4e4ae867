#include "http_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "isobar/clock.h"

/* RFC 9110, 5.6.2 */
static bool is_token(const char *text)
{
    const char *c = text;

    while (*c && (isalnum((unsigned char)*c) || strchr("!#$%&'*+-.^_`|~", *c)))
        c++;
    return c != text && !*c;
}

static bool is_visible(const char *text, bool blanks)
{
    for (const char *c = text; *c; c++) {
        unsigned char u = (unsigned char)*c;
        if (u == 0x7f || (u <= ' ' && !(blanks && (u == ' ' || u == '\t'))))
            return false;
    }
    return true;
}

static bool refuse(struct http_failure *ret, const char *what, const char *name)
{
    ret->permanent = true;
    snprintf(ret->reason, sizeof(ret->reason), "the request is none: %s%.100s", what, name);
    return false;
}

bool http_request_ok(const struct http_request *req, struct http_failure *ret)
{
    if (!is_token(req->method))
        return refuse(ret, "its method has characters that no method has", "");
    if (!is_visible(req->url, false))
        return refuse(ret, "its URL is not encoded", "");
    for (size_t i = 0; i < req->n_headers; i++) {
        if (!is_token(req->headers[i].name))
            return refuse(ret, "the name of a header has characters that no name has", "");
        if (!is_visible(req->headers[i].value, true))
            return refuse(ret, "control characters in header ", req->headers[i].name);
    }
    return true;
}

bool http_wants_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

void http_reason(struct http_failure *ret, const char *url, const char *fmt, ...)
{
    const char *host = strstr(url, "://"), *at;
    size_t len, used;
    va_list args;

    host = host ? host + 3 : url;
    len = strcspn(host, "/?#");
    at = memrchr(host, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    snprintf(ret->reason, sizeof(ret->reason), "%.*s ", (int)(len < 100 ? len : 100), host);
    used = strlen(ret->reason);
    va_start(args, fmt);
    vsnprintf(ret->reason + used, sizeof(ret->reason) - used, fmt, args);
    va_end(args);
}

char *http_no_proxy(void)
{
    const char *env = getenv("no_proxy");
    char *list;

    if (!env)
        env = getenv("NO_PROXY");
    if (!env)
        env = "";
    if (strcmp(env, "*") == 0)
        return strdup(env);
    if (asprintf(&list, "%s%slocalhost,127.0.0.0/8,::1", env, *env ? "," : "") < 0)
        return NULL;
    return list;
}

const char *http_header(const struct http_response *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

int64_t http_retry_after_ms(const struct http_response *rsp, int64_t wall_ns)
{
    const char *value = http_header(rsp, "Retry-After"), *date = http_header(rsp, "Date");
    int64_t at, now;

    if (!value)
        return -1;
    if (isdigit((unsigned char)*value)) {
        unsigned long long seconds = strtoull(value, NULL, 10);
        return seconds > 86400 ? INT64_C(86400000) : (int64_t)seconds * 1000;
    }
    at = http_date(value);
    if (at < 0)
        return -1;
    /* The two clocks need not agree: what counts is the time between two dates of the cloud's. */
    now = date ? http_date(date) : -1;
    if (now < 0)
        now = wall_ns / NS_PER_SEC;
    if (at <= now)
        return 0;
    return at - now > 86400 ? INT64_C(86400000) : (at - now) * 1000;
}

char *url_escape(struct arena *a, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = strlen(text);
    char *out = arena_alloc(a, len * 3 + 1), *to = out;
    bool dots = strcmp(text, ".") == 0 || strcmp(text, "..") == 0;

    if (!out)
        return arena_strdup(a, "");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80 && (isalnum(c) || strchr("-_~", c) || (c == '.' && !dots))) {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    return out;
}
