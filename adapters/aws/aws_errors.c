#include "aws_errors.h"

#include <string.h>

#include "isobar/clock.h"
#include "isobar/utf8.h"
#include "kit/xml.h"

/* A message for people has no business to be longer. */
enum { MESSAGE_MAX = 600 };

#define NEVER   RETRY_CLASS_NEVER
#define BACKOFF RETRY_CLASS_AFTER_BACKOFF
#define ANY     RETRY_SCOPE_UNSPECIFIED
#define ACCOUNT RETRY_SCOPE_ACCOUNT
#define ZONE    RETRY_SCOPE_ZONE
#define REGION  RETRY_SCOPE_REGION
#define THING   RETRY_SCOPE_INSTANCE

#define LESS    "call less often"
#define QUOTA   "delete what is not needed, or ask AWS for a larger quota"
#define CREDS   "correct them there"
#define ROOM    "try another zone or instance type, or later"
#define STATE   "wait until it is in a state that allows this"
#define CORRECT "correct the request"
#define NO_SUCH "look for its name or id"
#define POLICY  "have the account's policies allow it"
#define LATER   "try again later"

const struct error_row aws_errors[] = {
    /* Too fast. */
    {"RequestLimitExceeded", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"Throttling*", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"RequestThrottled*", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"EC2ThrottledException", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"ThrottledException", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"TooManyRequestsException", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"SlowDown", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"BandwidthLimitExceeded", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {"ConcurrentTagAccess", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, THING, LESS},
    {"ConcurrentCreate*", 0, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    /* Who we are. */
    /* "Not authorized for images: [ami-..]" */
    {"AuthFailure", 400, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"AuthFailure", 403, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"AuthFailure", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"SignatureDoesNotMatch", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"InvalidClientTokenId", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"InvalidAccessKeyId", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"UnrecognizedClientException", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"MissingAuthenticationToken", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"IncompleteSignature", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"ExpiredToken*", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, "renew them there"},
    {"RequestExpired", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT,
     "renew them there, or set this machine's clock"},
    {"RequestTimeTooSkewed", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT,
     "set this machine's clock"},
    {"RequestInTheFuture", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT,
     "set this machine's clock"},
    {"InvalidSecurity.RequestHasExpired", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT,
     "set this machine's clock"},
    {"InvalidSignatureException", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"IDPRejectedClaim", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {"InvalidIdentityToken", 0, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    /* What we may. */
    {"OptInRequired", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "subscribe the account to what it says"},
    {"PendingVerification", 0, NULL, RESULT_CODE_FORBIDDEN, BACKOFF, ACCOUNT,
     "wait until AWS is done"},
    {"AccountDisabled", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT,
     "ask AWS to open the account"},
    {"Blocked", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, "ask AWS to open the account"},
    {"RegionDisabledException", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, REGION,
     "enable the region in the account"},
    {"UnauthorizedOperation", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"AccessDenied*", 0, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {"VPC*", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, "name a subnet"},
    /* No more. */
    {"TagLimitExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, NEVER, THING, "give it fewer tags"},
    {"SecurityGroupsPer*", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, NEVER, THING,
     "give it fewer security groups"},
    {"PrivateIpAddressLimitExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, NEVER, THING,
     "take an instance type that may have more"},
    {"AttachmentLimitExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, NEVER, THING,
     "take an instance type that may have more"},
    {"FilterLimitExceeded", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"*LimitExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    {"*CountExceeded", 0, NULL, RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, ACCOUNT, QUOTA},
    /* No room. */
    {"InsufficientFreeAddressesInSubnet", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE,
     "take another subnet, or free addresses of this one"},
    {"InsufficientAddressCapacity", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, REGION, LATER},
    {"Insufficient*", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE, ROOM},
    {"UnfulfillableCapacity", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE, ROOM},
    {"IncompatibleHostRequirements", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE, ROOM},
    {"UnavailableHostRequirements", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE, ROOM},
    {"ReservationCapacityExceeded", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE, ROOM},
    {"SpotMaxPriceTooLow", 0, NULL, RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, ZONE,
     "raise spot_max_price, or wait until the price falls"},
    {"Unsupported", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ZONE,
     "try another zone, instance type or image"},
    {"UnsupportedOperation*", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, THING, CORRECT},
    {"UnsupportedHibernationConfiguration", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, THING,
     "make the machine with the parameter hibernation"},
    {"UnsupportedHostConfiguration", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, THING, CORRECT},
    /* Not now. */
    {"OperationNotPermitted", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, THING,
     "take away what protects it"},
    {"Incorrect*", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"InvalidInstanceState", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"InvalidHostState", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"InvalidState*", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"InvalidAMIID.Unavailable", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    {"DependencyViolation", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING,
     "take away what uses it"},
    {"VolumeInUse", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING,
     "take away what uses it"},
    {"*.InUse", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, "take away what uses it"},
    {"Resource.AlreadyAssociated", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING,
     "take it away from where it is"},
    {"Resource.AlreadyAssigned", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING,
     "take it away from where it is"},
    {"Gateway.NotAttached", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, THING,
     "attach an internet gateway to the VPC"},
    {"IdempotentInstanceTerminated", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, ANY,
     "order another machine, under another request id"},
    {"DryRunOperation", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, NEVER, ANY,
     "it would have worked"},
    /* There already. */
    {"IdempotentParameterMismatch", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY,
     "the token was used for another request"},
    {"*.Duplicate", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY, "take another name"},
    {"ResourceAlreadyExists*", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY,
     "take another name"},
    {"PrivateIpAddressInUse", 0, NULL, RESULT_CODE_ALREADY_EXISTS, NEVER, ANY,
     "take another address"},
    /* Not there. */
    {"*.NotFound", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"*.Unknown", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"*NotFoundException", 0, NULL, RESULT_CODE_NOT_FOUND, NEVER, ANY, NO_SUCH},
    {"InvalidInstanceID", 0, NULL, RESULT_CODE_FAILED_PRECONDITION, BACKOFF, THING, STATE},
    /* Cannot be. */
    {"InvalidAction", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY,
     "this endpoint does not have it"},
    {"InactiveEndpoint", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY, CORRECT},
    {"UserData*", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"Missing*", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"Invalid*", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"Unknown*", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"Malformed*", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"ValidationError", 0, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {"NotImplemented*", 0, NULL, RESULT_CODE_NOT_SUPPORTED, NEVER, ANY, CORRECT},
    /* AWS's own trouble. */
    {"RetryableError", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"Unavailable", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"ServiceUnavailable*", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"InternalError", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {"InternalFailure", 0, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    /* No code that is known: the status. */
    {NULL, 401, NULL, RESULT_CODE_UNAUTHORIZED, NEVER, ACCOUNT, CREDS},
    {NULL, 403, NULL, RESULT_CODE_FORBIDDEN, NEVER, ACCOUNT, POLICY},
    {NULL, 404, NULL, RESULT_CODE_UNAVAILABLE, NEVER, RETRY_SCOPE_CLOUD,
     "check the endpoint's URL"},
    {NULL, 429, NULL, RESULT_CODE_RATE_LIMITED, BACKOFF, ACCOUNT, LESS},
    {NULL, 400, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {NULL, 413, NULL, RESULT_CODE_BAD_REQUEST_DATA, NEVER, ANY, CORRECT},
    {NULL, 500, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 502, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 503, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 504, NULL, RESULT_CODE_UNAVAILABLE, BACKOFF, REGION, LATER},
    {NULL, 0, NULL, RESULT_CODE_INTERNAL_ERROR, NEVER, ANY, "ask whoever runs the gateway"},
};
const size_t aws_errors_len = ARRAY_LEN(aws_errors);

const struct error_row *aws_error_find(const char *code, int status)
{
    return error_find(aws_errors, aws_errors_len, code, "", status);
}

/* ---- The body ---- */

struct entry {
    const char *code, *message;
};

/* EC2: Response/Errors/Error and Response/RequestID. STS: ErrorResponse/Error and
 * ErrorResponse/RequestId. */
struct body {
    struct shape_list errors; /* struct entry */
    struct entry error;
    const char *ec2_id, *sts_id;
};

static const struct shape_field entry_fields[] = {
    SHAPE_FIELD(struct entry, code, "Code", SHAPE_STRING),
    SHAPE_FIELD(struct entry, message, "Message", SHAPE_STRING),
};
static const struct shape entry_shape = {sizeof(struct entry), entry_fields,
                                         ARRAY_LEN(entry_fields), 0};
static const struct shape_field body_fields[] = {
    SHAPE_NESTED(struct body, errors, "Errors", SHAPE_LIST, entry_shape),
    SHAPE_NESTED(struct body, error, "Error", SHAPE_STRUCT, entry_shape),
    SHAPE_FIELD(struct body, ec2_id, "RequestID", SHAPE_STRING),
    SHAPE_FIELD(struct body, sts_id, "RequestId", SHAPE_STRING),
};
static const struct shape body_shape = {sizeof(struct body), body_fields, ARRAY_LEN(body_fields),
                                        0};

/* The first line, no longer than people read: behind it some services write down the whole request
 * as it was signed, with the session's token. */
static const char *words(struct arena *a, const char *text)
{
    static const char space[] = " \t\r\n";

    if (!text)
        return "";
    text += strspn(text, space);
    size_t len = strcspn(text, "\r\n");
    if (len > MESSAGE_MAX)
        len = MESSAGE_MAX;
    while (len > 0 && strchr(space, text[len - 1]) != NULL)
        len--;
    return utf8_mend(arena_strndup(a, text, len));
}

void aws_fault_read(struct arena *a, const struct http_response *rsp, struct aws_fault *ret)
{
    struct body body = {0};
    const struct entry *e = &body.error;
    char why[160];

    *ret = (struct aws_fault){"", "", ""};
    if (!xml_parse(a, rsp->body, rsp->body_len, &body_shape, &body, why))
        return;
    if (body.errors.n > 0)
        e = body.errors.items;
    ret->code = words(a, e->code);
    ret->message = words(a, e->message);
    ret->request_id = words(a, body.ec2_id ? body.ec2_id : body.sts_id);
}

/* ---- What it says ---- */

/* The code alone, where there is no arena at hand. */
static const struct error_row *row_of(const struct http_response *rsp, char ret_code[64])
{
    struct arena a CLEANUP(arena_done);
    struct aws_fault fault;

    arena_init(&a, (size_t)256 << 10);
    aws_fault_read(&a, rsp, &fault);
    size_t len = strnlen(fault.code, 63);
    memcpy(ret_code, fault.code, len);
    ret_code[len] = '\0';
    return aws_error_find(ret_code, rsp->status);
}

bool aws_is_throttle(const struct http_response *rsp)
{
    char code[64];

    return row_of(rsp, code)->result == RESULT_CODE_RATE_LIMITED;
}

bool aws_is_refusal(const struct http_response *rsp)
{
    char code[64];
    const struct error_row *row = row_of(rsp, code);

    return row->code != NULL && row->result != RESULT_CODE_UNAVAILABLE &&
           row->result != RESULT_CODE_RATE_LIMITED;
}

static bool is_one_of(const char *code, const char *const *codes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

bool aws_is_refused(const struct http_response *rsp)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "RequestExpired",
                                        "InvalidClientTokenId", "InvalidAccessKeyId"};
    char code[64];

    row_of(rsp, code);
    return is_one_of(code, codes, ARRAY_LEN(codes));
}

/* A signature is good for five minutes either way; those who are less apart have another trouble.
 * Which codes: retry/clock_skew of the AWS SDKs, and EC2's own list of its error codes. */
#define SKEW_MIN_NS (240 * NS_PER_SEC)

bool aws_is_clock_skew(const struct http_response *rsp, int64_t signed_ns)
{
    static const char *const codes[] = {
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AuthFailure",
        "InvalidSecurity.RequestHasExpired",
    };
    const char *date = http_header(rsp, "Date");
    int64_t seconds = date ? http_date(date) : -1;
    char code[64];

    if (seconds < 0 || (seconds * NS_PER_SEC - signed_ns < SKEW_MIN_NS &&
                        signed_ns - seconds * NS_PER_SEC < SKEW_MIN_NS))
        return false;
    row_of(rsp, code);
    return is_one_of(code, codes, ARRAY_LEN(codes));
}

pb_ResultCode aws_map_error(struct op *op, const char *what, const char *cloud, const char *source,
                            const struct http_response *rsp)
{
    struct aws_fault fault;

    aws_fault_read(op->arena, rsp, &fault);
    const struct error_row *row = aws_error_find(fault.code, rsp->status);
    const char *header = http_header(rsp, "x-amzn-RequestId");
    const char *colon = fault.message[0] == '\0' ? "" : ": ";
    op_native(op, rsp->status, fault.code, fault.message,
              fault.request_id[0] != '\0' || !header ? fault.request_id : header);
    op_retry(op, row->retry, 0, row->scope);
    const char *said =
        fault.code[0] != '\0' ? fault.code : arena_printf(op->arena, "%d", rsp->status);
    if (row->result == RESULT_CODE_UNAUTHORIZED && source)
        return op_fail(op, row->result,
                       "%s refuses the gateway's credentials for cloud %s, those of %s: %s%s%s; %s "
                       "(yours for the gateway are in order)",
                       what, cloud, source, said, colon, fault.message, row->advice);
    return op_fail(op, row->result, "cloud %s: %s says %s%s%s; %s", cloud, what, said, colon,
                   fault.message, row->advice);
}
