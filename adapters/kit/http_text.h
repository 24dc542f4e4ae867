/* The parts of HTTP that are text only: what a request may hold, and words about it. */
#ifndef ISOBAR_KIT_HTTP_TEXT_H
#define ISOBAR_KIT_HTTP_TEXT_H

#include "kit/http.h"

/* Whether method, URL and headers are what they may be; a line break in one of them would be a
 * second request of somebody else's making. Where not, `ret` says which. */
bool http_request_ok(const struct http_request *req, struct http_failure *ret) MUST_USE;
/* Whether servers expect a Content-Length with this method even where the body is empty. */
bool http_wants_body(const char *method);
/* The reason of a failure: "cloud.example:5000", taken from the URL without user and password, and
 * what it did. */
void http_reason(struct http_failure *ret, const char *url, const char *fmt, ...) PRINTF(3, 4);
/* What the environment says is reached without a proxy, and loopback. malloc'ed; NULL where memory
 * is short. */
char *http_no_proxy(void) MUST_USE;

#endif
