/* What EC2 and STS say when they refuse, as they really say it: a test a row. */
#include "arena_fixture.h"
#include "aws_errors.h"
#include "isobar/clock.h"

static struct op op;

/* As EC2 writes it, and as STS does. */
#define EC2(code_, message_)                                                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>" code_            \
    "</Code><Message>" message_ "</Message></Error></Errors><RequestID>"                           \
    "ea966190-f9aa-478e-9ede-example</RequestID></Response>"
#define STS(code_, message_)                                                                       \
    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    "         \
    "<Type>Sender</Type>\n    <Code>" code_ "</Code>\n    <Message>" message_                      \
    "</Message>\n  </Error>\n  <RequestId>c6104cbe-af31-11e0-8154-example</RequestId>\n"           \
    "</ErrorResponse>\n"

static const struct example {
    int status;
    const char *body;
    pb_ResultCode code;
    pb_RetryClass retry;
    const char *row; /* of the table: its code */
} examples[] = {
#define NEVER   RETRY_CLASS_NEVER
#define BACKOFF RETRY_CLASS_AFTER_BACKOFF
    /* Too fast. */
    {503, EC2("RequestLimitExceeded", "Request limit exceeded."), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "RequestLimitExceeded"},
    {400, STS("Throttling", "Rate exceeded"), RESULT_CODE_RATE_LIMITED, BACKOFF, "Throttling*"},
    {400, STS("ThrottlingException", "Rate exceeded"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "Throttling*"},
    {400, EC2("RequestThrottled", "Slow"), RESULT_CODE_RATE_LIMITED, BACKOFF, "RequestThrottled*"},
    {503, EC2("EC2ThrottledException", "Slow"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "EC2ThrottledException"},
    {400, EC2("ThrottledException", "Slow"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "ThrottledException"},
    {429, EC2("TooManyRequestsException", "Slow"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "TooManyRequestsException"},
    {503, EC2("SlowDown", "Please reduce your request rate."), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "SlowDown"},
    {503, EC2("BandwidthLimitExceeded", "Slow"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "BandwidthLimitExceeded"},
    {400, EC2("ConcurrentTagAccess", "Concurrent tag access"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "ConcurrentTagAccess"},
    {400, EC2("ConcurrentCreateImageNoRebootLimitExceeded", "Too many"), RESULT_CODE_RATE_LIMITED,
     BACKOFF, "ConcurrentCreate*"},
    /* Who we are. */
    {401, EC2("AuthFailure", "AWS was not able to validate the provided access credentials"),
     RESULT_CODE_UNAUTHORIZED, NEVER, "AuthFailure"},
    {400, EC2("AuthFailure", "Not authorized for images: [ami-0123456789abcdef0]"),
     RESULT_CODE_FORBIDDEN, NEVER, "AuthFailure"},
    {403, EC2("AuthFailure", "This account is not authorized"), RESULT_CODE_FORBIDDEN, NEVER,
     "AuthFailure"},
    {403,
     STS("SignatureDoesNotMatch",
         "The request signature we calculated does not match the signature you provided."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "SignatureDoesNotMatch"},
    {403, STS("InvalidClientTokenId", "The security token included in the request is invalid."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "InvalidClientTokenId"},
    {403, EC2("InvalidAccessKeyId", "The AWS Access Key Id does not exist"),
     RESULT_CODE_UNAUTHORIZED, NEVER, "InvalidAccessKeyId"},
    {400, EC2("UnrecognizedClientException", "The security token is invalid."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "UnrecognizedClientException"},
    {403, STS("MissingAuthenticationToken", "Request is missing Authentication Token"),
     RESULT_CODE_UNAUTHORIZED, NEVER, "MissingAuthenticationToken"},
    {400, STS("IncompleteSignature", "Authorization header requires 'Credential' parameter."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "IncompleteSignature"},
    {403, STS("ExpiredToken", "The security token included in the request is expired"),
     RESULT_CODE_UNAUTHORIZED, NEVER, "ExpiredToken*"},
    {400, EC2("RequestExpired", "Request has expired."), RESULT_CODE_UNAUTHORIZED, NEVER,
     "RequestExpired"},
    {403, EC2("RequestTimeTooSkewed", "The difference is too large."), RESULT_CODE_UNAUTHORIZED,
     NEVER, "RequestTimeTooSkewed"},
    {403, EC2("RequestInTheFuture", "x"), RESULT_CODE_UNAUTHORIZED, NEVER, "RequestInTheFuture"},
    {403, STS("IDPRejectedClaim", "Invalid claims"), RESULT_CODE_UNAUTHORIZED, NEVER,
     "IDPRejectedClaim"},
    {400, STS("InvalidIdentityToken", "No OpenIDConnect provider found"), RESULT_CODE_UNAUTHORIZED,
     NEVER, "InvalidIdentityToken"},
    /* What we may. */
    {403, EC2("OptInRequired", "You are not subscribed to this service."), RESULT_CODE_FORBIDDEN,
     NEVER, "OptInRequired"},
    {400, EC2("PendingVerification", "Your account is currently being verified."),
     RESULT_CODE_FORBIDDEN, BACKOFF, "PendingVerification"},
    {400, EC2("Blocked", "This account is currently blocked."), RESULT_CODE_FORBIDDEN, NEVER,
     "Blocked"},
    {403, STS("RegionDisabledException", "STS is not activated in this region"),
     RESULT_CODE_FORBIDDEN, NEVER, "RegionDisabledException"},
    {403, EC2("UnauthorizedOperation", "You are not authorized to perform this operation."),
     RESULT_CODE_FORBIDDEN, NEVER, "UnauthorizedOperation"},
    {403,
     STS("AccessDenied", "User: arn:aws:iam::123456789012:user/a is not authorized to perform: "
                         "sts:AssumeRole on resource: arn:aws:iam::123456789012:role/b"),
     RESULT_CODE_FORBIDDEN, NEVER, "AccessDenied*"},
    {400, EC2("VPCIdNotSpecified", "No default VPC for this user"), RESULT_CODE_BAD_REQUEST_DATA,
     NEVER, "VPC*"},
    /* No more. */
    {400, EC2("TagLimitExceeded", "More than 50 tags specified"), RESULT_CODE_QUOTA_EXCEEDED, NEVER,
     "TagLimitExceeded"},
    {400, EC2("SecurityGroupsPerInterfaceLimitExceeded", "Too many"), RESULT_CODE_QUOTA_EXCEEDED,
     NEVER, "SecurityGroupsPer*"},
    {400, EC2("PrivateIpAddressLimitExceeded", "Too many"), RESULT_CODE_QUOTA_EXCEEDED, NEVER,
     "PrivateIpAddressLimitExceeded"},
    {400, EC2("AttachmentLimitExceeded", "Interface count 4 exceeds the limit for t3.micro"),
     RESULT_CODE_QUOTA_EXCEEDED, NEVER, "AttachmentLimitExceeded"},
    {400,
     EC2("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit "
                              "of 32 allows"),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "*LimitExceeded"},
    {400, EC2("InstanceLimitExceeded", "Your quota allows for 0 more running instance(s)."),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "*LimitExceeded"},
    {400, EC2("AddressLimitExceeded", "The maximum number of addresses has been reached."),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "*LimitExceeded"},
    {400, EC2("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded"),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "*CountExceeded"},
    /* No room. */
    {400,
     EC2("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet "
                                              "'subnet-1' to satisfy the requested number of "
                                              "instances."),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "InsufficientFreeAddressesInSubnet"},
    {503, EC2("InsufficientAddressCapacity", "Not enough available addresses"),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "InsufficientAddressCapacity"},
    {500,
     EC2("InsufficientInstanceCapacity", "We currently do not have sufficient p4d.24xlarge "
                                         "capacity in the Availability Zone you requested"),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "Insufficient*"},
    {400, EC2("ReservationCapacityExceeded", "x"), RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     "ReservationCapacityExceeded"},
    {400, EC2("SpotMaxPriceTooLow", "Your Spot request price of 0.001 is lower than the minimum"),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "SpotMaxPriceTooLow"},
    {400,
     EC2("Unsupported", "Your requested instance type (p4d.24xlarge) is not supported in your "
                        "requested Availability Zone (us-east-1f)."),
     RESULT_CODE_NOT_SUPPORTED, NEVER, "Unsupported"},
    {400, EC2("UnsupportedOperation", "The instance cannot be hibernated"),
     RESULT_CODE_NOT_SUPPORTED, NEVER, "UnsupportedOperation*"},
    {400, EC2("UnsupportedHibernationConfiguration", "x"), RESULT_CODE_NOT_SUPPORTED, NEVER,
     "UnsupportedHibernationConfiguration"},
    {400, EC2("UnsupportedHostConfiguration", "x"), RESULT_CODE_NOT_SUPPORTED, NEVER,
     "UnsupportedHostConfiguration"},
    /* Not now. */
    {400,
     EC2("OperationNotPermitted", "The instance 'i-1' may not be terminated. Modify its "
                                  "'disableApiTermination' instance attribute and try again."),
     RESULT_CODE_FAILED_PRECONDITION, NEVER, "OperationNotPermitted"},
    {400,
     EC2("IncorrectInstanceState", "The instance 'i-1' is not in a state from which it can be "
                                   "started."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "Incorrect*"},
    {400, EC2("IncorrectState", "Invalid value 'in-use'"), RESULT_CODE_FAILED_PRECONDITION, BACKOFF,
     "Incorrect*"},
    {400, EC2("InvalidInstanceState", "x"), RESULT_CODE_FAILED_PRECONDITION, BACKOFF,
     "InvalidInstanceState"},
    {400, EC2("InvalidHostState", "x"), RESULT_CODE_FAILED_PRECONDITION, BACKOFF,
     "InvalidHostState"},
    {400, EC2("InvalidStateTransition", "x"), RESULT_CODE_FAILED_PRECONDITION, BACKOFF,
     "InvalidState*"},
    {400, EC2("InvalidAMIID.Unavailable", "The image ID 'ami-1' is no longer available"),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "InvalidAMIID.Unavailable"},
    {400, EC2("DependencyViolation", "resource sg-1 has a dependent object"),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "DependencyViolation"},
    {400, EC2("VolumeInUse", "Volume vol-1 is currently attached to i-1"),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "VolumeInUse"},
    {400, EC2("InvalidNetworkInterface.InUse", "The network interface 'eni-1' is currently in use"),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "*.InUse"},
    {400, EC2("Resource.AlreadyAssociated", "resource eipalloc-1 is already associated"),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "Resource.AlreadyAssociated"},
    {400, EC2("Resource.AlreadyAssigned", "x"), RESULT_CODE_FAILED_PRECONDITION, BACKOFF,
     "Resource.AlreadyAssigned"},
    {400, EC2("UnfulfillableCapacity", "x"), RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     "UnfulfillableCapacity"},
    {400, EC2("IncompatibleHostRequirements", "x"), RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     "IncompatibleHostRequirements"},
    {400, EC2("UnavailableHostRequirements", "x"), RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     "UnavailableHostRequirements"},
    {400, EC2("FilterLimitExceeded", "x"), RESULT_CODE_BAD_REQUEST_DATA, NEVER,
     "FilterLimitExceeded"},
    {400, EC2("Gateway.NotAttached", "x"), RESULT_CODE_FAILED_PRECONDITION, NEVER,
     "Gateway.NotAttached"},
    {400, EC2("IdempotentInstanceTerminated", "x"), RESULT_CODE_FAILED_PRECONDITION, NEVER,
     "IdempotentInstanceTerminated"},
    {400, EC2("AccountDisabled", "x"), RESULT_CODE_FORBIDDEN, NEVER, "AccountDisabled"},
    {400, EC2("RetryableError", "x"), RESULT_CODE_UNAVAILABLE, BACKOFF, "RetryableError"},
    {400, EC2("InvalidSecurity.RequestHasExpired", "x"), RESULT_CODE_UNAUTHORIZED, NEVER,
     "InvalidSecurity.RequestHasExpired"},
    {400, EC2("InvalidSignatureException", "x"), RESULT_CODE_UNAUTHORIZED, NEVER,
     "InvalidSignatureException"},
    {412, EC2("DryRunOperation", "Request would have succeeded, but DryRun flag is set."),
     RESULT_CODE_FAILED_PRECONDITION, NEVER, "DryRunOperation"},
    /* There already. */
    {400,
     EC2("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent "
                                        "with arguments used in previous request(s)."),
     RESULT_CODE_ALREADY_EXISTS, NEVER, "IdempotentParameterMismatch"},
    {400, EC2("InvalidKeyPair.Duplicate", "The keypair already exists"), RESULT_CODE_ALREADY_EXISTS,
     NEVER, "*.Duplicate"},
    {400, EC2("ResourceAlreadyExistsException", "x"), RESULT_CODE_ALREADY_EXISTS, NEVER,
     "ResourceAlreadyExists*"},
    {400, EC2("PrivateIpAddressInUse", "x"), RESULT_CODE_ALREADY_EXISTS, NEVER,
     "PrivateIpAddressInUse"},
    /* Not there. */
    {400, EC2("InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist"),
     RESULT_CODE_NOT_FOUND, NEVER, "*.NotFound"},
    {400, EC2("InvalidPlacementGroup.Unknown", "The placement group 'x' is unknown."),
     RESULT_CODE_NOT_FOUND, NEVER, "*.Unknown"},
    {400, EC2("InvalidLaunchTemplateName.NotFoundException", "x"), RESULT_CODE_NOT_FOUND, NEVER,
     "*NotFoundException"},
    {400, EC2("InvalidInstanceID", "The pending instance 'i-1' is not in a valid state"),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "InvalidInstanceID"},
    /* Cannot be. */
    {400, EC2("InvalidAction", "The action StartFire is not valid for this web service."),
     RESULT_CODE_NOT_SUPPORTED, NEVER, "InvalidAction"},
    {400, EC2("InactiveEndpoint", "x"), RESULT_CODE_NOT_SUPPORTED, NEVER, "InactiveEndpoint"},
    {400, EC2("UserDataTooLarge", "User data is limited to 16384 bytes"),
     RESULT_CODE_BAD_REQUEST_DATA, NEVER, "UserData*"},
    {400, EC2("MissingParameter", "The request must contain the parameter imageId"),
     RESULT_CODE_BAD_REQUEST_DATA, NEVER, "Missing*"},
    {400, EC2("InvalidInstanceID.Malformed", "Invalid id: \"i-x\""), RESULT_CODE_BAD_REQUEST_DATA,
     NEVER, "Invalid*"},
    {400, EC2("UnknownParameter", "The parameter Foo is not recognized"),
     RESULT_CODE_BAD_REQUEST_DATA, NEVER, "Unknown*"},
    {400, STS("MalformedPolicyDocument", "x"), RESULT_CODE_BAD_REQUEST_DATA, NEVER, "Malformed*"},
    {400, STS("ValidationError", "1 validation error detected"), RESULT_CODE_BAD_REQUEST_DATA,
     NEVER, "ValidationError"},
    {501, EC2("NotImplemented", "x"), RESULT_CODE_NOT_SUPPORTED, NEVER, "NotImplemented*"},
    /* AWS's own trouble. */
    {503, EC2("Unavailable", "The service is unavailable. Please try again shortly."),
     RESULT_CODE_UNAVAILABLE, BACKOFF, "Unavailable"},
    {503, STS("ServiceUnavailable", "x"), RESULT_CODE_UNAVAILABLE, BACKOFF, "ServiceUnavailable*"},
    {500, EC2("InternalError", "An internal error has occurred"), RESULT_CODE_UNAVAILABLE, BACKOFF,
     "InternalError"},
    {500, STS("InternalFailure", "x"), RESULT_CODE_UNAVAILABLE, BACKOFF, "InternalFailure"},
    /* No code, or one that nobody knows. */
    {401, "", RESULT_CODE_UNAUTHORIZED, NEVER, NULL},
    {403, "<html><body>Forbidden by the proxy</body></html>", RESULT_CODE_FORBIDDEN, NEVER, NULL},
    {404, "not here", RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    {429, "{\"message\": \"slow\"}", RESULT_CODE_RATE_LIMITED, BACKOFF, NULL},
    {400, EC2("SomethingNew", "x"), RESULT_CODE_BAD_REQUEST_DATA, NEVER, NULL},
    {413, "", RESULT_CODE_BAD_REQUEST_DATA, NEVER, NULL},
    {500, "<Response><Errors><Error>", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {502, "", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {503, "<Response/>", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {504, "", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {302, "", RESULT_CODE_INTERNAL_ERROR, NEVER, NULL},
};

static struct http_header date = {"Date", "Sun, 22 Nov 2026 10:00:00 GMT"};
#define DATE_S INT64_C(1795341600)

static struct http_response answer(int status, const char *body)
{
    return (struct http_response){
        .status = status, .headers = &date, .n_headers = 1, .body = body, .body_len = strlen(body)};
}

static void begin(void)
{
    op = (struct op){.arena = &arena, .token = "", .result = result_new(&arena)};
}

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        const struct example *e = &examples[i];
        struct http_response rsp = answer(e->status, e->body);
        begin();
        pb_ResultCode code = aws_map_error(&op, "EC2", "lab", "profile lab", &rsp);
        if (code != e->code || op.result->retry->class_ != e->retry)
            fail_msg("%d %s: %s, retry %d", e->status, e->body, result_name(code),
                     op.result->retry->class_);
        assert_int_equal(op.result->native->http_status, e->status);
        if (e->row == NULL)
            continue;
        assert_non_null(strstr(e->body, op.result->native->code));
        assert_non_null(strstr(op.result->detail, op.result->native->code));
        assert_non_null(strstr(op.result->native->request_id, "example"));
        assert_string_equal(aws_error_find(op.result->native->code, e->status)->code, e->row);
    }
}

/* Each row is what some example comes to. */
static void test_rows(void **state)
{
    struct aws_fault fault;

    (void)state;
    for (size_t r = 0; r < aws_errors_len; r++) {
        bool met = false;
        for (size_t i = 0; !met && i < ARRAY_LEN(examples); i++) {
            struct http_response rsp = answer(examples[i].status, examples[i].body);
            aws_fault_read(&arena, &rsp, &fault);
            met = aws_error_find(fault.code, rsp.status) == &aws_errors[r];
        }
        if (!met)
            fail_msg("no example of row %zu, %s %d", r,
                     aws_errors[r].code ? aws_errors[r].code : "", aws_errors[r].status);
    }
}

static void test_words(void **state)
{
    struct http_response rsp =
        answer(401, EC2("AuthFailure", "AWS was not able to validate the credentials"));

    (void)state;
    begin();
    aws_map_error(&op, "EC2", "lab", "profile \"dev\" of ~/.aws/credentials", &rsp);
    assert_string_equal(op.result->detail,
                        "EC2 refuses the gateway's credentials for cloud lab, those of profile "
                        "\"dev\" of ~/.aws/credentials: AuthFailure: AWS was not able to validate "
                        "the credentials; correct them there (yours for the gateway are in order)");
    rsp = answer(500, "");
    begin();
    aws_map_error(&op, "STS", "lab", NULL, &rsp);
    assert_string_equal(op.result->detail, "cloud lab: STS says 500; try again later");
    assert_string_equal(op.result->native->code, "");
}

/* A message of any length, and bytes that are no text. */
static void test_hostile(void **state)
{
    size_t len = 200000;
    char *body = malloc(len + 400);

    (void)state;
    strcpy(body, "<Response><Errors><Error><Code>InternalError</Code><Message>");
    size_t at = strlen(body);
    memset(body + at, 'm', len);
    strcpy(body + at + len, "</Message></Error></Errors></Response>");
    struct http_response rsp = answer(500, body);
    begin();
    assert_int_equal(aws_map_error(&op, "EC2", "lab", NULL, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_true(strlen(op.result->detail) < 1000);
    rsp.body_len = 20;
    begin();
    assert_int_equal(aws_map_error(&op, "EC2", "lab", NULL, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_string_equal(op.result->native->code, "");
    rsp = answer(500, "\xff\xfe\x00<");
    begin();
    assert_int_equal(aws_map_error(&op, "EC2", "lab", NULL, &rsp), RESULT_CODE_UNAVAILABLE);
    /* A code of any length is no code. */
    memset(body + strlen("<Response><Errors><Error><Code>"), 'c', 300);
    rsp = answer(400, body);
    assert_false(aws_is_throttle(&rsp));
    free(body);
}

static void test_questions(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool throttle, refused, skew; /* skew: at another time than the answer's */
    } rows[] = {
        {503, EC2("RequestLimitExceeded", "x"), true, false, false},
        {400, STS("Throttling", "x"), true, false, false},
        {429, "", true, false, false},
        {503, EC2("Unavailable", "x"), false, false, false},
        {400, EC2("RequestExpired", "x"), false, true, true},
        {403, STS("ExpiredToken", "x"), false, true, false},
        {403, STS("InvalidClientTokenId", "x"), false, true, false},
        {403, STS("SignatureDoesNotMatch", "x"), false, false, true},
        {401, EC2("AuthFailure", "x"), false, false, true},
        {403, EC2("UnauthorizedOperation", "x"), false, false, false},
        {500, "<Response>", false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_response rsp = answer(rows[i].status, rows[i].body);
        assert_int_equal(aws_is_throttle(&rsp), rows[i].throttle);
        assert_int_equal(aws_is_refused(&rsp), rows[i].refused);
        assert_int_equal(aws_is_clock_skew(&rsp, (DATE_S + 900) * NS_PER_SEC), rows[i].skew);
        assert_int_equal(aws_is_clock_skew(&rsp, (DATE_S - 900) * NS_PER_SEC), rows[i].skew);
        assert_false(aws_is_clock_skew(&rsp, DATE_S * NS_PER_SEC));
        rsp.n_headers = 0;
        assert_false(aws_is_clock_skew(&rsp, (DATE_S + 900) * NS_PER_SEC));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),  cmocka_unit_test(test_rows),
        cmocka_unit_test(test_words),     cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_questions),
    };

    return cmocka_run_group_tests(tests, arena_set_up, arena_tear_down);
}
