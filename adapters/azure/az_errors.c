#include "az_errors.h"

#include <string.h>

#include "isobar/utf8.h"

/* A message for people has no business to be longer. */
enum { MESSAGE_MAX = 600 };

#define NEVER   RETRY_CLASS_NEVER
#define BACKOFF RETRY_CLASS_AFTER_BACKOFF
#define ANY     RETRY_SCOPE_UNSPECIFIED
#define ACCOUNT RETRY_SCOPE_ACCOUNT
#define ZONE    RETRY_SCOPE_ZONE
#define REGION  RETRY_SCOPE_REGION
#define THING   RETRY_SCOPE_INSTANCE

#define CREDS   "correct them there"
#define POLICY  "have the subscription's roles and policies allow it"
#define LESS    "call less often"
#define QUOTA   "delete what is not needed, or ask Azure for a larger quota"
#define ROOM    "try another size, zone or region, or later"
#define STATE   "wait until it is in a state that allows this"
#define FREE    "take away what uses it"
#define CORRECT "correct the request"
#define NO_SUCH "look for its name or id"
#define OTHER   "take another name"
#define LATER   "try again later"
#define SETTING "correct the connection's subscription_id"

const struct error_row az_errors[] = {
    /* Busy: Network says so with 429, too. */
    {"RetryableError*", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, THING, LATER},
    {"AnotherOperationInProgress", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"ReferencedResourceNotProvisioned", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING,
     STATE},
    /* Too fast. */
    {NULL, 429, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"TooManyRequests", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"SubscriptionRequestsThrottled", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"ResourceRequestsThrottled", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    /* Who we are, and which subscription. */
    {"AuthenticationFailed*", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"InvalidAuthenticationToken*", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"ExpiredAuthenticationToken", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"MissingAuthenticationToken", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"SubscriptionNotFound", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, SETTING},
    {"InvalidSubscriptionId", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, SETTING},
    {"SubscriptionNotRegistered", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "register the subscription for it"},
    {"MissingSubscriptionRegistration", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "register the subscription for it"},
    {"DisabledSubscription", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "enable the subscription"},
    {"ReadOnlyDisabledSubscription", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "enable the subscription"},
    /* What we may. */
    {"AuthorizationFailed", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"LinkedAuthorizationFailed", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"LinkedAccessCheckFailed", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"RequestDisallowedByPolicy", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"DenyAssignmentAuthorizationFailed", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"MarketplacePurchaseEligibilityFailed", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "accept the image's terms in the marketplace"},
    {"ResourcePurchaseValidationFailed", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "accept the image's terms in the marketplace"},
    {"ScopeLocked", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, THING, "take the lock away"},
    /* No more. For a quota Compute has no code of its own but in new versions. */
    {"QuotaExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"OperationNotAllowed", 0, "Operation could not be completed as it results in exceeding",
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"OperationNotAllowed", 0, "Operation results in exceeding quota limits",
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"*CountLimitReached", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"*LimitReached", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"*LimitExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"ResourceQuotaExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"MaxStorageAccountsCountPerSubscriptionExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF,
     ACCOUNT, QUOTA},
    /* No room. */
    {"AllocationFailed", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, REGION, ROOM},
    {"ZonalAllocationFailed", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE, ROOM},
    {"Overconstrained*", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE, ROOM},
    {"SkuNotAvailable", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, REGION, ROOM},
    {"SpotSkuNotAvailable", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, REGION, ROOM},
    {"SubnetIsFull", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, REGION,
     "take another subnet, or free addresses of this one"},
    {"SubnetWithNoFreeIpAddresses", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, REGION,
     "take another subnet, or free addresses of this one"},
    /* There already. */
    {NULL, 412, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY, OTHER},
    {"PreconditionFailed", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY, OTHER},
    {"PropertyChangeNotAllowed", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY, OTHER},
    {"ResourceExistsConflict", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY, OTHER},
    {"InvalidResourceLocation", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY, OTHER},
    {"*AlreadyExists", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY, OTHER},
    /* Not there. */
    {"ResourceNotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"NotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"ResourceGroupNotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"PlatformImageNotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"ImageNotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"ArtifactNotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"ParentResourceNotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"InvalidResourceReference", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    /* Not now. */
    {"InUse*", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, FREE},
    {"*InUse", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, FREE},
    {"*CannotBeDeleted", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, FREE},
    {"NicReservedForAnotherVm", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING,
     "wait for three minutes, or take another network interface"},
    {"AttachDiskWhileBeingDetached", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING,
     STATE},
    {"OperationPreempted*", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"ResourceGroupBeingDeleted", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"ResourceDeploymentFailure", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, THING, CORRECT},
    {"OperationNotAllowed", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, THING, STATE},
    {"ResourceNotReady", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"Conflict", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"Canceled", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, LATER},
    /* Cannot be. */
    {"InvalidApiVersionParameter", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY,
     "correct the connection's API versions"},
    {"NoRegisteredProviderFound", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY,
     "correct the connection's API versions, or take another region"},
    {"InvalidResourceType", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY,
     "correct the connection's API versions"},
    {"LocationNotAvailableForResourceType", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY,
     "take another region"},
    {"*NotSupported", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY, CORRECT},
    {"Invalid*", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"BadRequest", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    /* Azure's own trouble. */
    {"InternalServerError", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"InternalExecutionError", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"InternalOperationError", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"ServerTimeout", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"GatewayTimeout", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"ServiceUnavailable", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"NetworkingInternalOperationError", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    /* What has been begun, and ended badly. */
    {"OSProvisioning*", 0, NULL, RESULT_CODE_UNAVAILABLE, NEVER, THING,
     "look at the machine's console, or take another image"},
    {"VMExtension*", 0, NULL, RESULT_CODE_UNAVAILABLE, NEVER, THING, "look at its extensions"},
    {NULL, 200, NULL, RESULT_CODE_UNAVAILABLE, NEVER, THING, "look at it before trying again"},
    /* No code that is known: the status. */
    {NULL, 301, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD, "correct the endpoint"},
    {NULL, 302, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD, "correct the endpoint"},
    {NULL, 307, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD, "correct the endpoint"},
    {NULL, 308, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD, "correct the endpoint"},
    {NULL, 400, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {NULL, 401, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {NULL, 403, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {NULL, 404, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD, "correct the endpoint"},
    {NULL, 405, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY, CORRECT},
    {NULL, 409, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {NULL, 413, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {NULL, 500, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 502, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 503, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 504, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 0, NULL, RESULT_CODE_INTERNAL_ERROR, NEVER, ANY, "ask whoever runs the gateway"},
};
const size_t az_errors_len = ARRAY_LEN(az_errors);

const struct error_row *az_error_find(const struct az_fault *fault, int status)
{
    return error_find(az_errors, az_errors_len, fault->code, fault->message, status);
}

/* ---- The body ---- */

struct inner {
    const char *code, *message, *target;
};

struct entry {
    const char *code, *message, *target;
    struct shape_list details; /* struct inner */
};

struct body {
    struct entry error, bare; /* in its wrapping, and without */
};

static const struct shape_field inner_fields[] = {
    SHAPE_FIELD(struct inner, code, "code", SHAPE_STRING),
    SHAPE_FIELD(struct inner, message, "message", SHAPE_STRING),
    SHAPE_FIELD(struct inner, target, "target", SHAPE_STRING),
};
static const struct shape inner_shape = {sizeof(struct inner), inner_fields,
                                         ARRAY_LEN(inner_fields), 0};
static const struct shape_field entry_fields[] = {
    SHAPE_FIELD(struct entry, code, "code", SHAPE_STRING),
    SHAPE_FIELD(struct entry, message, "message", SHAPE_STRING),
    SHAPE_FIELD(struct entry, target, "target", SHAPE_STRING),
    SHAPE_NESTED(struct entry, details, "details", SHAPE_LIST, inner_shape),
};
static const struct shape entry_shape = {sizeof(struct entry), entry_fields,
                                         ARRAY_LEN(entry_fields), 0};
static const struct shape_field body_fields[] = {
    SHAPE_NESTED(struct body, error, "error", SHAPE_STRUCT, entry_shape),
    SHAPE_FIELD(struct body, bare.code, "code", SHAPE_STRING),
    SHAPE_FIELD(struct body, bare.message, "message", SHAPE_STRING),
};
static const struct shape body_shape = {sizeof(struct body), body_fields, ARRAY_LEN(body_fields),
                                        0};

/* The first line, not too long: behind it some services write the whole request again. */
static const char *words(struct arena *a, const char *text)
{
    size_t len = text ? strcspn(text, "\r\n") : 0;

    return len == 0 ? "" : utf8_mend(arena_strndup(a, text, len < MESSAGE_MAX ? len : MESSAGE_MAX));
}

bool az_is_not_yet(const char *code)
{
    static const char *const codes[] = {
        "ReferencedResourceNotProvisioned",
        "AnotherOperationInProgress",
        "RetryableError",
        "RetryableErrorDueToAnotherOperation",
        "ResourceNotReady",
        "NetworkInterfaceNotProvisioned",
    };

    for (size_t i = 0; code && i < ARRAY_LEN(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

bool az_said_not_yet(const struct op *op)
{
    return op->result->native && az_is_not_yet(op->result->native->code);
}

/* What it is about stands inside of these. */
static bool is_wrapper(const char *code)
{
    static const char *const wrappers[] = {"DeploymentFailed", "Conflict",
                                           "ResourceDeploymentFailure", "ResourceOperationFailure",
                                           "RetryableError"};

    for (size_t i = 0; code && i < ARRAY_LEN(wrappers); i++)
        if (strcmp(code, wrappers[i]) == 0)
            return true;
    return false;
}

void az_fault_read(struct arena *a, const char *body, size_t len, struct az_fault *ret)
{
    struct body b = {0};
    char why[160];

    *ret = (struct az_fault){"", "", ""};
    if (!shape_parse(a, body, len, &body_shape, &b, why))
        return;
    const struct entry *e = b.error.code || b.error.message ? &b.error : &b.bare;
    const struct inner *first = e->details.n > 0 ? e->details.items : NULL;
    bool wrapped = is_wrapper(e->code) && first && first->code;
    ret->code = words(a, wrapped ? first->code : e->code);
    ret->message = words(a, wrapped && first->message ? first->message : e->message);
    ret->target = words(a, wrapped ? first->target : e->target);
}

pb_ResultCode az_map_error(struct op *op, const char *cloud, const char *source,
                           const struct http_response *rsp)
{
    struct az_fault fault;
    const char *id = http_header(rsp, "x-ms-request-id");

    az_fault_read(op->arena, rsp->body, rsp->body_len, &fault);
    const struct error_row *row = az_error_find(&fault, rsp->status);
    const char *colon = fault.message[0] == '\0' ? "" : ": ";
    const char *said = fault.code[0] != '\0' ? fault.code
                       : rsp->status == 200  ? "that it has failed"
                                             : arena_printf(op->arena, "%d", rsp->status);
    op_native(op, rsp->status, fault.code, fault.message,
              id ? id : http_header(rsp, "x-ms-correlation-request-id"));
    op_retry(op, row->retry, 0, row->scope);
    if (row->result == RESULT_CODE_UNAUTHORIZED && source)
        return op_fail(op, row->result,
                       "Azure refuses the gateway's credentials for cloud %s, those of %s: %s%s%s; "
                       "%s (yours for the gateway are in order)",
                       cloud, source, said, colon, fault.message, row->advice);
    return op_fail(op, row->result, "cloud %s: Azure says %s%s%s; %s", cloud, said, colon,
                   fault.message, row->advice);
}
