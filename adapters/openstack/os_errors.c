#include "os_errors.h"

#include <string.h>
#include <strings.h>

#include "isobar/utf8.h"

/* A message for people has no business to be longer. */
enum { MESSAGE_MAX = 600 };

#define NEVER   RETRY_CLASS_NEVER
#define BACKOFF RETRY_CLASS_AFTER_BACKOFF
#define ANY     RETRY_SCOPE_UNSPECIFIED

/* The types: Neutron's are the names of its exceptions; those of Nova and Cinder are one a status.
 * Where these two say different things under one status and type, there is no code to tell them
 * apart: there, and only there, the beginning of the message decides, as nova.exception and
 * cinder.exception have it. */
const struct error_row os_errors[] = {
    {NULL, 401, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, RETRY_SCOPE_ACCOUNT,
     "check the cloud's credentials"},
    {"forbidden", 403, "Quota exceeded", RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, RETRY_SCOPE_ACCOUNT,
     "delete what is not needed, or ask for a larger quota"},
    {"forbidden", 403, "Maximum number of ports exceeded", RESULT_CODE_QUOTA_EXCEEDED, BACKOFF,
     RETRY_SCOPE_ACCOUNT, "delete what is not needed, or ask for a larger quota"},
    {"forbidden", 403, "Maximum number of metadata items exceeds", RESULT_CODE_QUOTA_EXCEEDED,
     NEVER, RETRY_SCOPE_ACCOUNT, "give the machine fewer tags"},
    {"forbidden", 403, "Only volume-backed servers are allowed", RESULT_CODE_BAD_REQUEST_DATA,
     NEVER, ANY, "set volume_created, or take another flavor"},
    {"forbidden", 403, "It is not allowed to create an interface on external network",
     RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY,
     "take a network of the project, and a floating IP if need be"},
    {"OverQuota", 409, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, RETRY_SCOPE_ACCOUNT,
     "delete what is not needed, or ask for a larger quota"},
    {"SubnetPoolQuotaExceeded", 409, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, RETRY_SCOPE_ACCOUNT,
     "delete what is not needed, or ask for a larger quota"},
    {"QuotaResourceUnknown", 404, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY,
     "this cloud has no quota of that"},
    {"overLimit", 413, "VolumeSizeExceedsLimit", RESULT_CODE_QUOTA_EXCEEDED, NEVER,
     RETRY_SCOPE_ACCOUNT, "make the volume smaller"},
    {"overLimit", 413, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, RETRY_SCOPE_ACCOUNT,
     "delete what is not needed, or ask for a larger quota"},
    {"overLimitFault", 413, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, RETRY_SCOPE_ACCOUNT,
     "call less often"},
    {NULL, 429, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, RETRY_SCOPE_ACCOUNT, "call less often"},
    {"IpAddressGenerationFailure", 409, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     RETRY_SCOPE_REGION, "take another network, or free addresses of this one"},
    {"IpAddressGenerationFailureAllSubnets", 409, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     RETRY_SCOPE_REGION, "take another network, or free addresses of this one"},
    {"IpAddressGenerationFailureNoMatchingSubnet", 409, NULL, RESULT_CODE_FAILED_PRECONDITION,
     NEVER, ANY, "take a network that has a subnet for machines"},
    {"ExternalIpAddressExhausted", 400, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     RETRY_SCOPE_REGION, "take another external network, or release floating IPs"},
    {"MacAddressGenerationFailure", 503, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     RETRY_SCOPE_REGION, "try again"},
    {"NetworkMacAddressGenerationFailure", 503, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     RETRY_SCOPE_REGION, "try again"},
    {"HostMacAddressGenerationFailure", 503, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     RETRY_SCOPE_REGION, "try again"},
    {"NoNetworkAvailable", 503, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, RETRY_SCOPE_REGION,
     "ask whoever runs the cloud for more networks"},
    {"ExternalGatewayForFloatingIPNotFound", 404, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, ANY,
     "connect the machine's network to the external one with a router"},
    {"FloatingIPPortAlreadyAssociated", 409, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, ANY,
     "take another floating IP, or free this one"},
    {"IpAddressInUse", 409, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, ANY,
     "take another address"},
    {"IpAddressAlreadyAllocated", 409, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, ANY,
     "take another address"},
    {"badRequest", 400, "Fixed IP address", RESULT_CODE_FAILED_PRECONDITION, NEVER, ANY,
     "take another address"},
    {"InvalidIpForNetwork", 400, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY,
     "take an address of the network"},
    {"InvalidIpForSubnet", 400, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY,
     "take an address of the subnet"},
    {"NetworkNotFound", 404, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY,
     "check the network's name or id"},
    {"SubnetNotFound", 404, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY,
     "check the subnet's name or id"},
    {"SecurityGroupNotFound", 404, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY,
     "check the security group's name or id"},
    {"PortSecurityAndIPRequiredForSecurityGroups", 400, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER,
     ANY, "take a network that has a subnet and port security"},
    /* Something has the port: an order that came before, it may be. */
    {"PortInUse", 409, NULL, RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_AFTER_LOOKUP,
     RETRY_SCOPE_INSTANCE, "look which machine has it"},
    {"PortBound", 409, NULL, RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_AFTER_LOOKUP,
     RETRY_SCOPE_INSTANCE, "look which machine has it"},
    {"conflictingRequest", 409, "Port ", RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_AFTER_LOOKUP,
     RETRY_SCOPE_INSTANCE, "look which machine has it"},
    {"badRequest", 400, "Invalid volume: ", RESULT_CODE_FAILED_PRECONDITION, NEVER,
     RETRY_SCOPE_INSTANCE, "look at the volume's state"},
    {NULL, 403, NULL, RESULT_CODE_FORBIDDEN, NEVER, RETRY_SCOPE_ACCOUNT,
     "the cloud's user needs a role that may do this"},
    {NULL, 404, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, "check the name or id"},
    {NULL, 410, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, "it is gone: take another one"},
    {NULL, 405, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY, "this cloud cannot do it"},
    {NULL, 406, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY,
     "this cloud does not speak the version that is needed"},
    {NULL, 501, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY, "this cloud cannot do it"},
    {NULL, 409, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, RETRY_SCOPE_INSTANCE,
     "look at its state"},
    {NULL, 412, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, RETRY_SCOPE_INSTANCE,
     "somebody else has changed it meanwhile"},
    {NULL, 400, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, "correct the request"},
    {NULL, 413, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, "make the request smaller"},
    {NULL, 414, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, "make the request smaller"},
    {NULL, 415, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, "correct the request"},
    {NULL, 422, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, "correct the request"},
    {NULL, 300, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD,
     "the catalogue's endpoint or an endpoint_override is not what it should be"},
    {NULL, 301, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD,
     "the service has moved: correct the catalogue or the endpoint_override"},
    {NULL, 302, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD,
     "the service has moved: correct the catalogue or the endpoint_override"},
    {NULL, 303, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD,
     "the service has moved: correct the catalogue or the endpoint_override"},
    {NULL, 307, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD,
     "the service has moved: correct the catalogue or the endpoint_override"},
    {NULL, 308, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD,
     "the service has moved: correct the catalogue or the endpoint_override"},
    {NULL, 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, RETRY_SCOPE_CLOUD, "try again later"},
};
const size_t os_errors_len = ARRAY_LEN(os_errors);

const struct error_row *os_error_find(int status, const struct os_fault *fault)
{
    return error_find(os_errors, os_errors_len, fault->type, fault->message, status);
}

/* ---- The body ---- */

/* {"itemNotFound": {"code": 404, "message": ".."}}        Nova, Cinder: the key is the type
 * {"NeutronError": {"type": "OverQuota", "message": ".."}}
 * {"NeutronError": ".."}
 * {"error": {"code": 401, "title": "Unauthorized", "message": ".."}}       Keystone
 * {"message": "..", "code": "404 Not Found", "title": "Not Found"}         Glance, and middleware
 */
struct fault_reader {
    struct arena *arena;
    unsigned depth;
    const char *outer; /* the key at depth 1 */
    const char *key;
    const char *type, *title, *message;
};

static bool on_event(void *ctx, const struct json_event *ev)
{
    struct fault_reader *r = ctx;
    switch (ev->kind) {
    case JSON_OBJECT_BEGIN:
    case JSON_ARRAY_BEGIN:
        r->depth++;
        return true;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        r->depth--;
        return true;
    case JSON_KEY:
        r->key = r->depth > 2 ? "" : arena_strndup(r->arena, ev->text, ev->len);
        if (r->depth == 1)
            r->outer = r->key;
        return true;
    case JSON_STRING:
        break;
    default:
        return true;
    }
    if (r->depth < 1 || r->depth > 2 || r->key == NULL)
        return true;
    const char *text = arena_strndup(r->arena, ev->text, ev->len);
    if (strcmp(r->key, "message") == 0 || (r->depth == 1 && strcmp(r->key, "NeutronError") == 0))
        r->message = text;
    else if (strcmp(r->key, "type") == 0)
        r->type = text;
    else if (strcmp(r->key, "title") == 0)
        r->title = text;
    return true;
}

/* One line without tags and superfluous white space, not too long. */
static const char *plain(struct arena *a, const char *text, size_t len)
{
    char *out = arena_alloc(a, MESSAGE_MAX + 8);
    size_t n = 0;
    bool gap = false;
    if (out == NULL)
        return "";
    for (size_t i = 0; i < len && n < MESSAGE_MAX; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '<') {
            /* What is in <head> is said again in <body>. */
            if (len - i >= 6 && strncasecmp(text + i, "<title", 6) == 0) {
                const char *end = memmem(text + i, len - i, "</", 2);
                i = end == NULL ? i : (size_t)(end - text);
            }
            const char *close = memchr(text + i, '>', len - i);
            i = close == NULL ? len : (size_t)(close - text);
            gap = true;
            continue;
        }
        if (c <= ' ') {
            gap = true;
            continue;
        }
        if (gap && n > 0)
            out[n++] = ' ';
        gap = false;
        out[n++] = (char)c;
    }
    /* It becomes a clause of a sentence of ours. */
    if (n > 0 && out[n - 1] == '.')
        out[n - 1] = '\0';
    return utf8_mend(out);
}

void os_fault_read(struct arena *a, const char *body, size_t len, struct os_fault *ret)
{
    struct fault_reader r = {.arena = a};
    char why[160];
    *ret = (struct os_fault){"", ""};
    if (body == NULL || len == 0)
        return;
    if (!json_parse(body, len, on_event, &r, why)) {
        ret->message = plain(a, body, len);
        return;
    }
    if (r.message != NULL)
        ret->message = plain(a, r.message, strlen(r.message));
    if (r.type != NULL)
        ret->type = r.type;
    else if (r.title != NULL)
        ret->type = r.title;
    else if (r.outer != NULL && r.message != NULL && strcmp(r.outer, "NeutronError") != 0)
        ret->type = r.outer;
}

/* ---- The result ---- */

const char *os_request_id(const struct http_response *rsp)
{
    const char *id = http_header(rsp, "X-OpenStack-Request-ID");
    if (id == NULL)
        id = http_header(rsp, "X-Compute-Request-ID");
    return id == NULL ? "" : id;
}

pb_ResultCode os_map_error(struct op *op, const char *cloud, const char *service,
                           const struct http_response *rsp)
{
    struct os_fault fault;
    os_fault_read(op->arena, rsp->body, rsp->body_len, &fault);
    const struct error_row *row = os_error_find(rsp->status, &fault);
    op_native(op, rsp->status, fault.type, fault.message, os_request_id(rsp));
    op_retry(op, row->retry, 0, row->scope);
    return op_fail(op, row->result, "cloud %s: the %s service says %d%s%s; %s", cloud, service,
                   rsp->status, fault.message[0] == '\0' ? "" : ": ", fault.message, row->advice);
}

pb_ResultCode os_map_login_error(struct op *op, const char *cloud, const char *source,
                                 const struct http_response *rsp)
{
    struct os_fault fault;
    os_fault_read(op->arena, rsp->body, rsp->body_len, &fault);
    op_native(op, rsp->status, fault.type, fault.message, os_request_id(rsp));
    if (rsp->status == 400 || rsp->status == 401 || rsp->status == 403) {
        op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_ACCOUNT);
        return op_fail(op, RESULT_CODE_UNAUTHORIZED,
                       "Keystone refuses the gateway's credentials for cloud %s, those of %s%s%s; "
                       "correct them there (yours for the gateway are in order)",
                       cloud, source, fault.message[0] == '\0' ? "" : ": ", fault.message);
    }
    if (rsp->status == 404 || (rsp->status >= 300 && rsp->status < 400)) {
        op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_CLOUD);
        return op_fail(
            op, RESULT_CODE_UNAVAILABLE,
            "there is no Keystone v3 at the auth_url of cloud %s: it answers %d; correct "
            "auth_url in %s",
            cloud, rsp->status, source);
    }
    const struct error_row *row = os_error_find(rsp->status, &fault);
    op_retry(op, row->retry, 0, row->scope);
    return op_fail(op, row->result, "cloud %s: Keystone says %d%s%s; %s", cloud, rsp->status,
                   fault.message[0] == '\0' ? "" : ": ", fault.message, row->advice);
}
