/* One exchange with a service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/uuid.h"
#include "os.h"
#include "os_auth.h"
#include "os_endpoint.h"
#include "os_errors.h"

enum { HEADERS_MAX = 8, BODY_OUT_MAX = 4 << 20, SMALL_BODY_MAX = 1 << 20 };

/* What one os_send() is about, for the call-backs of the sender. */
struct exchange {
    enum os_service service;
    struct http_header headers[HEADERS_MAX]; /* the token is the first */
    size_t n_headers;
    struct token_ref token;
};

/* send_request() runs to its end on the thread that calls it. */
static _Thread_local struct exchange *current;

static pb_ResultCode authenticate(void *ctx, struct op *op, struct http_request *req, bool renew)
{
    struct adapter *a = ctx;
    struct exchange *x = current;
    if (renew) {
        uint64_t refused = x->token.generation;
        token_release(&x->token);
        pb_ResultCode code = token_get(a->tokens, op, refused, &x->token);
        if (code != RESULT_CODE_OK)
            return code;
    }
    x->headers[0].value = x->token.value;
    req->headers = x->headers;
    req->n_headers = x->n_headers;
    return RESULT_CODE_OK;
}

static pb_ResultCode map_error(void *ctx, struct op *op, const struct http_request *req,
                               const struct http_response *rsp)
{
    (void)req;
    struct adapter *a = ctx;
    return os_map_error(op, a->name, os_services[current->service].name, rsp);
}

const struct sender_ops os_sender_ops = {.authenticate = authenticate, .map_error = map_error};

pb_ResultCode os_session_get(struct adapter *a, struct op *op, struct token_ref *ret)
{
    return token_get(a->tokens, op, 0, ret);
}

bool os_has_service(struct adapter *a, struct op *op, enum os_service service)
{
    struct token_ref token CLEANUP(token_release) = {0};
    struct op aside = op_aside(op, 0);
    if (os_session_get(a, &aside, &token) != RESULT_CODE_OK)
        return true;
    const struct os_session *session = token.data;
    return session->bases[service] != NULL;
}

/* Anybody may ask, without a token. */
pb_ResultCode os_compute_versions(struct adapter *a, struct op *op,
                                  const struct os_session *session, struct os_versions *ret)
{
    if (session->bases[OS_COMPUTE] == NULL)
        return os_endpoint_missing(op, a->config, a->name, OS_COMPUTE, session);
    struct exchange x = {.service = OS_COMPUTE};
    struct http_header accept = {"Accept", "application/json"};
    struct http_request http = {.method = "GET",
                                .url = os_version_url(op->arena, session->bases[OS_COMPUTE]),
                                .headers = &accept,
                                .n_headers = 1,
                                .body_max = SMALL_BODY_MAX};
    struct os_request req = os_get(OS_COMPUTE, http.url);
    struct http_response rsp;
    current = &x;
    pb_ResultCode code = send_request(a->sender, op, &http, SEND_IDEMPOTENT | SEND_NO_AUTH, &rsp);
    current = NULL;
    return code == RESULT_CODE_OK ? os_parse(op, &req, &rsp, &os_versions_shape, ret) : code;
}

pb_ResultCode os_compute_minor(struct adapter *a, struct op *op, const struct os_session *session,
                               int *ret)
{
    *ret = atomic_load_explicit(&a->compute_minor, memory_order_relaxed);
    if (*ret > 0)
        return RESULT_CODE_OK;
    struct os_versions versions = {0};
    pb_ResultCode code = os_compute_versions(a, op, session, &versions);
    if (code == RESULT_CODE_OK)
        code = os_choose_minor(op, a->config->compute_microversion, &versions, ret);
    if (code == RESULT_CODE_OK)
        atomic_store_explicit(&a->compute_minor, *ret, memory_order_relaxed);
    return code;
}

static void add_header(struct exchange *x, const char *name, const char *value)
{
    x->headers[x->n_headers++] = (struct http_header){name, value};
}

static void add_headers(struct exchange *x, struct op *op, const struct os_request *req, int minor)
{
    add_header(x, "X-Auth-Token", x->token.value);
    add_header(x, "Accept", "application/json");
    if (req->body != NULL)
        add_header(x, "Content-Type", "application/json");
    if (minor > 0) {
        char *version = arena_printf(op->arena, "2.%d", minor);
        add_header(x, "OpenStack-API-Version", arena_printf(op->arena, "compute %s", version));
        add_header(x, "X-OpenStack-Nova-API-Version", version);
    }
    if (req->if_match != NULL)
        add_header(x, "If-Match", req->if_match);
    /* The services put this one into their logs beside their own, if it has just this form. */
    if (op->request_id != NULL && strlen(op->request_id) == UUID_TEXT_LEN &&
        uuid_is(op->request_id))
        add_header(x, "X-OpenStack-Request-ID", arena_printf(op->arena, "req-%s", op->request_id));
}

static pb_ResultCode exchange(struct adapter *a, struct op *op, const struct os_request *req,
                              struct exchange *x, struct http_response *ret)
{
    const struct os_session *session = x->token.data;
    const char *base = session->bases[req->service];
    int minor = 0;
    if (base == NULL)
        return os_endpoint_missing(op, a->config, a->name, req->service, session);
    if (req->service == OS_COMPUTE) {
        pb_ResultCode code = os_compute_minor(a, op, session, &minor);
        if (code != RESULT_CODE_OK)
            return code;
    }
    add_headers(x, op, req, minor);
    struct http_request http = {
        .method = req->method,
        .url = arena_printf(op->arena, "%s%s", base, req->path),
        .headers = x->headers,
        .n_headers = x->n_headers,
        .body = req->body,
        .body_len = req->body_len,
        /* Lists are as long as they are; all else is a page of text at most. */
        .body_max = strcmp(req->method, "GET") == 0 ? HTTP_BODY_MAX : SMALL_BODY_MAX,
    };
    current = x;
    pb_ResultCode code = send_request(a->sender, op, &http, req->flags, ret);
    current = NULL;
    return code;
}

pb_ResultCode os_send(struct adapter *a, struct op *op, const struct os_request *req,
                      struct http_response *ret)
{
    struct exchange x = {.service = req->service};
    pb_ResultCode code = os_session_get(a, op, &x.token);
    if (code == RESULT_CODE_OK)
        code = exchange(a, op, req, &x, ret);
    token_release(&x.token);
    return code;
}

pb_ResultCode os_unreadable(struct op *op, const struct os_request *req,
                            const struct http_response *rsp, const char *why)
{
    bool done = (req->flags & SEND_IDEMPOTENT) == 0;
    op_native(op, rsp->status, "", "", os_request_id(rsp));
    if (done)
        op->result->side_effects = SIDE_EFFECTS_POSSIBLE;
    return op_fail(op, done ? RESULT_CODE_OUTCOME_UNKNOWN : RESULT_CODE_UNAVAILABLE,
                   "the %s service took %s %s, but its answer cannot be read: %s; ask whoever runs "
                   "the cloud",
                   os_services[req->service].name, req->method, req->path, why);
}

pb_ResultCode os_parse(struct op *op, const struct os_request *req, const struct http_response *rsp,
                       const struct shape *shape, void *ret)
{
    char why[160] = "";
    if (shape_parse(op->arena, rsp->body, rsp->body_len, shape, ret, why))
        return RESULT_CODE_OK;
    if (op->arena->exhausted)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    return os_unreadable(op, req, rsp, why);
}

pb_ResultCode os_ask(struct adapter *a, struct op *op, const struct os_request *req,
                     const struct shape *shape, void *ret)
{
    struct http_response rsp;
    pb_ResultCode code = os_send(a, op, req, &rsp);
    return code == RESULT_CODE_OK ? os_parse(op, req, &rsp, shape, ret) : code;
}

struct os_request os_get(enum os_service service, const char *path)
{
    return (struct os_request){
        .service = service, .method = "GET", .path = path, .flags = SEND_IDEMPOTENT};
}

struct os_request os_delete(struct arena *a, enum os_service service, const char *path,
                            const char *id)
{
    return (struct os_request){.service = service,
                               .method = "DELETE",
                               .path = arena_printf(a, "%s/%s", path, url_escape(a, id)),
                               .flags = SEND_IDEMPOTENT};
}

struct json_writer *os_body_begin(struct request_body *b)
{
    return body_begin(b, BODY_OUT_MAX);
}
