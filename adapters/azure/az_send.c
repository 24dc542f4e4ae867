/* One exchange with Resource Manager. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "az.h"
#include "az_errors.h"

enum { BODY_OUT_MAX = 1 << 20, SMALL_BODY_MAX = 4 << 20, FAULT_MAX = 256 << 10, HEADERS = 4 };

/* What one az_send() is about, for the call-backs of the sender. */
struct exchange {
    struct token_ref token;
    struct http_header headers[HEADERS]; /* the token is the first */
    size_t n_headers;
};

/* send_request() runs to its end on the thread that calls it. */
static _Thread_local struct exchange *current;

static pb_ResultCode authenticate(void *ctx, struct op *op, struct http_request *req, bool renew)
{
    struct adapter *a = ctx;
    struct exchange *x = current;

    if (renew || x->token.held == NULL) {
        uint64_t refused = renew ? x->token.generation : 0;
        token_release(&x->token);
        pb_ResultCode code = az_credentials_get(a->credentials, op, refused, &x->token);
        if (code != RESULT_CODE_OK)
            return code;
    }
    x->headers[0].name = "Authorization";
    x->headers[0].value = arena_printf(op->arena, "Bearer %s", x->token.value);
    req->headers = x->headers;
    req->n_headers = x->n_headers;
    return RESULT_CODE_OK;
}

static pb_ResultCode map_error(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp)
{
    struct adapter *a = ctx;
    const struct az_session *s = current->token.data;

    (void)req;
    return az_map_error(op, a->name, s != NULL ? s->source : NULL, rsp);
}

/* How many calls are left: "x-ms-ratelimit-remaining-subscription-reads: 11998", and of Compute
 * "x-ms-ratelimit-remaining-resource: Microsoft.Compute/HighCostGet3Min;46,..;346". */
static int64_t calls_left(void *ctx, const struct http_response *rsp)
{
    static const char prefix[] = "x-ms-ratelimit-remaining-";
    int64_t least = -1;

    (void)ctx;
    for (size_t i = 0; i < rsp->n_headers; i++) {
        if (strncasecmp(rsp->headers[i].name, prefix, sizeof(prefix) - 1) != 0)
            continue;
        const char *at = rsp->headers[i].value;
        while (*at != '\0') {
            const char *end = at + strcspn(at, ",");
            const char *number = memchr(at, ';', (size_t)(end - at));
            char *after;
            number = number != NULL ? number + 1 : at;
            long long n = strtoll(number, &after, 10);
            if (after != number && n >= 0 && (least < 0 || n < least))
                least = n;
            at = *end == ',' ? end + 1 : end;
        }
    }
    return least;
}

static bool is_busy(void *ctx, const struct http_response *rsp)
{
    struct arena a CLEANUP(arena_done);
    struct az_fault fault;

    (void)ctx;
    arena_init(&a, FAULT_MAX);
    az_fault_read(&a, rsp->body, rsp->body_len, &fault);
    return az_is_not_yet(fault.code);
}

const struct sender_ops az_sender_ops = {.authenticate = authenticate,
                                         .map_error = map_error,
                                         .is_busy = is_busy,
                                         .calls_left = calls_left};

const char *az_path(struct adapter *a, struct arena *arena, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    const char *rest = arena_vprintf(arena, fmt, args);
    va_end(args);
    return arena_printf(arena, "/subscriptions/%s%s", a->config->subscription_id, rest);
}

struct az_request az_get(enum az_service service, const char *path)
{
    return (struct az_request){
        .service = service, .method = "GET", .path = path, .flags = SEND_READ};
}

/* What follows the connection's endpoint in a URL, NULL where it is another one's. Azure writes the
 * port of https too. */
static const char *below(const char *endpoint, const char *url)
{
    static const char port[] = ":443";
    size_t len = strlen(endpoint);

    if (strncasecmp(url, endpoint, len) != 0)
        return NULL;
    url += len;
    if (strncasecmp(endpoint, "https:", 6) == 0 && strncmp(url, port, sizeof(port) - 1) == 0)
        url += sizeof(port) - 1;
    return url[0] == '/' ? url : NULL;
}

/* The whole URL; NULL where it leads elsewhere than to Resource Manager. */
static const char *url_of(struct adapter *a, struct op *op, const struct az_request *req)
{
    const char *endpoint = a->config->endpoint, *path = req->path;

    if (path[0] != '/' && (path = below(endpoint, path)) == NULL)
        return NULL;
    if (strstr(path, "api-version=") != NULL)
        return arena_printf(op->arena, "%s%s", endpoint, path);
    return arena_printf(op->arena, "%s%s%sapi-version=%s", endpoint, path,
                        strchr(path, '?') != NULL ? "&" : "?", a->config->versions[req->service]);
}

static pb_ResultCode leads_elsewhere(struct op *op, const struct az_request *req)
{
    size_t scheme = strcspn(req->path, ":"), host = strcspn(req->path, "/?#");
    const char *slashes = strstr(req->path, "://");

    if (slashes != NULL)
        host = scheme + 3 + strcspn(slashes + 3, "/?#");
    op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_CLOUD);
    op->result->blame = BLAME_CLOUD;
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "Azure leads on to %.*s, where the token must not go; correct the connection's "
                   "endpoint if that is Resource Manager",
                   (int)host, req->path);
}

static void fill_headers(struct exchange *x, struct op *op, const struct az_request *req)
{
    x->n_headers = 1; /* the token */
    if (req->body != NULL)
        x->headers[x->n_headers++] = (struct http_header){"Content-Type", "application/json"};
    if (req->if_none_match)
        x->headers[x->n_headers++] = (struct http_header){"If-None-Match", "*"};
    if (op->request_id != NULL && op->request_id[0] != '\0')
        x->headers[x->n_headers++] = (struct http_header){"x-ms-client-request-id", op->request_id};
}

pb_ResultCode az_send(struct adapter *a, struct op *op, const struct az_request *req,
                      struct http_response *ret)
{
    struct exchange x = {0};
    const char *url = url_of(a, op, req);

    if (url == NULL)
        return leads_elsewhere(op, req);
    fill_headers(&x, op, req);
    struct http_request http = {
        .method = req->method,
        .url = url,
        .body = req->body,
        .body_len = req->body_len,
        .body_max = strcmp(req->method, "GET") == 0 ? HTTP_BODY_MAX : SMALL_BODY_MAX,
    };
    current = &x;
    pb_ResultCode code = send_request(a->sender, op, &http, req->flags, ret);
    current = NULL;
    token_release(&x.token);
    return code;
}

pb_ResultCode az_parse(struct op *op, const struct az_request *req, const struct http_response *rsp,
                       const struct shape *shape, void *ret)
{
    char why[160] = "";
    bool done = (req->flags & SEND_READ) == 0;

    if (shape_parse(op->arena, rsp->body, rsp->body_len, shape, ret, why))
        return RESULT_CODE_OK;
    if (op->arena->exhausted)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    op_native(op, rsp->status, "", "", http_header(rsp, "x-ms-request-id"));
    if (done)
        op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    return op_fail(
        op, done ? RESULT_CODE_OUTCOME_UNKNOWN : RESULT_CODE_UNAVAILABLE,
        "Azure took %s %.*s, but its answer cannot be read: %s; correct the connection's "
        "endpoint",
        req->method, (int)strcspn(req->path, "?"), req->path, why);
}

pb_ResultCode az_ask(struct adapter *a, struct op *op, const struct az_request *req,
                     const struct shape *shape, void *ret)
{
    struct http_response rsp;
    pb_ResultCode code = az_send(a, op, req, &rsp);

    return code == RESULT_CODE_OK ? az_parse(op, req, &rsp, shape, ret) : code;
}

bool az_said(const struct op *op, const char *code)
{
    const pb_NativeError *native = op->result->native;

    return native != NULL && strcmp(native->code, code) == 0;
}

struct json_writer *az_body_begin(struct request_body *b)
{
    return body_begin(b, BODY_OUT_MAX);
}
