/* What Resource Manager and its services say when they refuse, as they really say it: an example a
 * row of the table, and more. One file, since a table is read as a whole.
 */
#include "arena_fixture.h"
#include "az_errors.h"

static struct op op;

#define ARM(code_, message_) "{\"error\":{\"code\":\"" code_ "\",\"message\":\"" message_ "\"}}"
/* Compute and Network add these. */
#define COMPUTE(code_, message_, target_)                                                          \
    "{\r\n  \"error\": {\r\n    \"code\": \"" code_ "\",\r\n    \"message\": \"" message_          \
    "\",\r\n    \"target\": \"" target_ "\"\r\n  }\r\n}"
#define NETWORK(code_, message_)                                                                   \
    "{\r\n  \"error\": {\r\n    \"code\": \"" code_ "\",\r\n    \"message\": \"" message_          \
    "\",\r\n    \"details\": []\r\n  }\r\n}"
/* An operation that has ended badly. */
#define OPERATION(code_, message_)                                                                 \
    "{\"startTime\":\"2026-11-22T10:00:00.1+00:00\",\"endTime\":\"2026-11-22T10:01:00.1+00:00\","  \
    "\"status\":\"Failed\",\"error\":{\"code\":\"" code_ "\",\"message\":\"" message_              \
    "\"},\"name\":\"5d3f\"}"

#define NEVER   RETRY_CLASS_NEVER
#define BACKOFF RETRY_CLASS_AFTER_BACKOFF

static const struct example {
    int status;
    const char *body;
    pb_ResultCode code;
    pb_RetryClass retry;
    const char *row; /* of the table: its code, NULL: its status alone */
} examples[] = {
    /* Too fast. */
    {429,
     ARM("SubscriptionRequestsThrottled",
         "Number of 'read' requests for subscription '1' actor '2' exceeded."),
     RESULT_CODE_RATE_LIMITED, BACKOFF, NULL},
    {429,
     COMPUTE("OperationNotAllowed",
             "The server rejected the request because too many requests have been received for "
             "this subscription.",
             "HighCostGet30Min"),
     RESULT_CODE_RATE_LIMITED, BACKOFF, NULL},
    {503, ARM("TooManyRequests", "The request is being throttled."), RESULT_CODE_RATE_LIMITED,
     BACKOFF, "TooManyRequests"},
    {200, OPERATION("SubscriptionRequestsThrottled", "x"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "SubscriptionRequestsThrottled"},
    {200, OPERATION("ResourceRequestsThrottled", "x"), RESULT_CODE_RATE_LIMITED, BACKOFF,
     "ResourceRequestsThrottled"},
    /* Who we are, and which subscription. */
    {401,
     ARM("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "AuthenticationFailed*"},
    {401, ARM("InvalidAuthenticationToken", "The access token is invalid."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "InvalidAuthenticationToken*"},
    {401,
     ARM("InvalidAuthenticationTokenTenant",
         "The access token is from the wrong issuer 'https://sts.windows.net/1/'."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "InvalidAuthenticationToken*"},
    {401,
     ARM("ExpiredAuthenticationToken",
         "The access token expiry UTC time '11/22/2026 9:00:00 AM' is earlier than current UTC "
         "time '11/22/2026 9:00:01 AM'."),
     RESULT_CODE_UNAUTHORIZED, NEVER, "ExpiredAuthenticationToken"},
    {401, ARM("MissingAuthenticationToken", "x"), RESULT_CODE_UNAUTHORIZED, NEVER,
     "MissingAuthenticationToken"},
    {404, ARM("SubscriptionNotFound", "The subscription '1' could not be found."),
     RESULT_CODE_FORBIDDEN, NEVER, "SubscriptionNotFound"},
    {400, ARM("InvalidSubscriptionId", "The provided subscription identifier 'x' is malformed."),
     RESULT_CODE_FORBIDDEN, NEVER, "InvalidSubscriptionId"},
    {409, ARM("SubscriptionNotRegistered", "The subscription is not registered."),
     RESULT_CODE_FORBIDDEN, NEVER, "SubscriptionNotRegistered"},
    {409,
     ARM("MissingSubscriptionRegistration",
         "The subscription is not registered to use namespace 'Microsoft.Compute'."),
     RESULT_CODE_FORBIDDEN, NEVER, "MissingSubscriptionRegistration"},
    {409, ARM("DisabledSubscription", "x"), RESULT_CODE_FORBIDDEN, NEVER, "DisabledSubscription"},
    {409,
     ARM("ReadOnlyDisabledSubscription",
         "The subscription '1' is disabled and therefore marked as read only."),
     RESULT_CODE_FORBIDDEN, NEVER, "ReadOnlyDisabledSubscription"},
    /* What we may. */
    {403,
     ARM("AuthorizationFailed",
         "The client '1' with object id '1' does not have authorization to perform action "
         "'Microsoft.Compute/virtualMachines/read' over scope '/subscriptions/1'."),
     RESULT_CODE_FORBIDDEN, NEVER, "AuthorizationFailed"},
    {403, ARM("LinkedAuthorizationFailed", "x"), RESULT_CODE_FORBIDDEN, NEVER,
     "LinkedAuthorizationFailed"},
    {403, ARM("LinkedAccessCheckFailed", "x"), RESULT_CODE_FORBIDDEN, NEVER,
     "LinkedAccessCheckFailed"},
    {403,
     ARM("RequestDisallowedByPolicy",
         "Resource 'web' was disallowed by policy. Reasons: 'no public addresses'."),
     RESULT_CODE_FORBIDDEN, NEVER, "RequestDisallowedByPolicy"},
    {403, ARM("DenyAssignmentAuthorizationFailed", "x"), RESULT_CODE_FORBIDDEN, NEVER,
     "DenyAssignmentAuthorizationFailed"},
    {400,
     ARM("MarketplacePurchaseEligibilityFailed", "Marketplace purchase eligibility check failed."),
     RESULT_CODE_FORBIDDEN, NEVER, "MarketplacePurchaseEligibilityFailed"},
    {400,
     ARM("ResourcePurchaseValidationFailed",
         "User failed validation to purchase resources. Error message: 'You have not accepted the "
         "legal terms on this subscription'"),
     RESULT_CODE_FORBIDDEN, NEVER, "ResourcePurchaseValidationFailed"},
    {409,
     ARM("ScopeLocked",
         "The scope '/x' cannot perform delete operation because following scope(s) are locked"),
     RESULT_CODE_FAILED_PRECONDITION, NEVER, "ScopeLocked"},
    /* No more. */
    {409, COMPUTE("QuotaExceeded", "Operation could not be completed", "x"),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "QuotaExceeded"},
    {409,
     COMPUTE("OperationNotAllowed",
             "Operation could not be completed as it results in exceeding approved Total Regional "
             "Cores quota.",
             "x"),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "OperationNotAllowed"},
    {409,
     COMPUTE("OperationNotAllowed",
             "Operation results in exceeding quota limits of Core. Maximum allowed: 4", "x"),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "OperationNotAllowed"},
    {400,
     NETWORK(
         "PublicIPCountLimitReached",
         "Cannot create more than 10 public IP addresses for this subscription in this region."),
     RESULT_CODE_QUOTA_EXCEEDED, BACKOFF, "*CountLimitReached"},
    {400, NETWORK("NetworkSecurityRuleLimitReached", "x"), RESULT_CODE_QUOTA_EXCEEDED, BACKOFF,
     "*LimitReached"},
    {400, NETWORK("SubnetLimitExceeded", "x"), RESULT_CODE_QUOTA_EXCEEDED, BACKOFF,
     "*LimitExceeded"},
    {409, ARM("ResourceQuotaExceeded", "x"), RESULT_CODE_QUOTA_EXCEEDED, BACKOFF,
     "ResourceQuotaExceeded"},
    {409, ARM("MaxStorageAccountsCountPerSubscriptionExceeded", "x"), RESULT_CODE_QUOTA_EXCEEDED,
     BACKOFF, "MaxStorageAccountsCountPerSubscriptionExceeded"},
    /* No room. */
    {200,
     OPERATION("AllocationFailed",
               "Allocation failed. We do not have sufficient capacity for the requested VM size in "
               "this region."),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "AllocationFailed"},
    {200,
     OPERATION("ZonalAllocationFailed",
               "Allocation failed. We do not have sufficient capacity for the requested VM size in "
               "this zone."),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "ZonalAllocationFailed"},
    {200, OPERATION("OverconstrainedZonalAllocationRequest", "Allocation failed. VM(s) with the"),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "Overconstrained*"},
    {409,
     COMPUTE("SkuNotAvailable",
             "The requested size for resource '/x' is currently not available in location "
             "'westus' zones '' for subscription '1'.",
             "vmSize"),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "SkuNotAvailable"},
    {409, COMPUTE("SpotSkuNotAvailable", "x", "x"), RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     "SpotSkuNotAvailable"},
    {400,
     NETWORK("SubnetIsFull",
             "Subnet default with address prefix 10.0.0.0/29 does not have enough capacity for 1 "
             "IP addresses."),
     RESULT_CODE_OUT_OF_CAPACITY, BACKOFF, "SubnetIsFull"},
    {400, NETWORK("SubnetWithNoFreeIpAddresses", "x"), RESULT_CODE_OUT_OF_CAPACITY, BACKOFF,
     "SubnetWithNoFreeIpAddresses"},
    /* There already. */
    {412, NETWORK("PreconditionFailed", "Precondition failed."), RESULT_CODE_ALREADY_EXISTS, NEVER,
     NULL},
    {409, ARM("PreconditionFailed", "x"), RESULT_CODE_ALREADY_EXISTS, NEVER, "PreconditionFailed"},
    {409,
     COMPUTE("PropertyChangeNotAllowed", "Changing property 'osProfile' is not allowed.",
             "osProfile"),
     RESULT_CODE_ALREADY_EXISTS, NEVER, "PropertyChangeNotAllowed"},
    {409, ARM("ResourceExistsConflict", "x"), RESULT_CODE_ALREADY_EXISTS, NEVER,
     "ResourceExistsConflict"},
    {409,
     ARM("InvalidResourceLocation",
         "The resource 'web' already exists in location 'westus' in resource group 'lab'."),
     RESULT_CODE_ALREADY_EXISTS, NEVER, "InvalidResourceLocation"},
    {409, COMPUTE("PrivateIPAddressAlreadyExists", "x", "x"), RESULT_CODE_ALREADY_EXISTS, NEVER,
     "*AlreadyExists"},
    /* Not there. */
    {404,
     ARM("ResourceNotFound",
         "The Resource 'Microsoft.Compute/virtualMachines/web' under resource group 'lab' was not "
         "found."),
     RESULT_CODE_NOT_FOUND, NEVER, "ResourceNotFound"},
    {404, COMPUTE("NotFound", "The entity was not found.", "x"), RESULT_CODE_NOT_FOUND, NEVER,
     "NotFound"},
    {404, ARM("ResourceGroupNotFound", "Resource group 'lab' could not be found."),
     RESULT_CODE_NOT_FOUND, NEVER, "ResourceGroupNotFound"},
    {404,
     COMPUTE("PlatformImageNotFound",
             "The platform image 'a:b:c:latest' is not available. Verify that all fields are "
             "correct.",
             "imageReference"),
     RESULT_CODE_NOT_FOUND, NEVER, "PlatformImageNotFound"},
    {404, COMPUTE("ImageNotFound", "x", "imageReference"), RESULT_CODE_NOT_FOUND, NEVER,
     "ImageNotFound"},
    {404, ARM("ArtifactNotFound", "Artifact: VMImage was not found."), RESULT_CODE_NOT_FOUND, NEVER,
     "ArtifactNotFound"},
    {404, ARM("ParentResourceNotFound", "x"), RESULT_CODE_NOT_FOUND, NEVER,
     "ParentResourceNotFound"},
    {400,
     NETWORK("InvalidResourceReference", "Resource /a referenced by resource /b was not found."),
     RESULT_CODE_NOT_FOUND, NEVER, "InvalidResourceReference"},
    /* Not now. */
    {400,
     NETWORK("InUseSubnetCannotBeDeleted", "Subnet default is in use by /x and cannot be deleted."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "InUse*"},
    {409, COMPUTE("NicInUse", "Network Interface /a is used by existing resource /b.", "x"),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "*InUse"},
    {400, NETWORK("PublicIPAddressCannotBeDeleted", "Public IP address is in use."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "*CannotBeDeleted"},
    {400,
     NETWORK("NicReservedForAnotherVm",
             "Nic(s) in request is reserved for another Virtual Machine for 180 seconds."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "NicReservedForAnotherVm"},
    {409, COMPUTE("AttachDiskWhileBeingDetached", "x", "x"), RESULT_CODE_FAILED_PRECONDITION,
     BACKOFF, "AttachDiskWhileBeingDetached"},
    {409,
     NETWORK("AnotherOperationInProgress",
             "Another operation on this or dependent resource is in progress."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "AnotherOperationInProgress"},
    {200,
     OPERATION("OperationPreempted",
               "The operation has been preempted by a more recent operation."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "OperationPreempted*"},
    {409,
     ARM("ResourceGroupBeingDeleted",
         "The resource group 'lab' is in deprovisioning state and cannot perform this operation."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "ResourceGroupBeingDeleted"},
    {409,
     ARM("ResourceDeploymentFailure",
         "The resource operation completed with terminal provisioning state 'Failed'."),
     RESULT_CODE_FAILED_PRECONDITION, NEVER, "ResourceDeploymentFailure"},
    {409,
     COMPUTE("OperationNotAllowed",
             "Cannot modify extensions in the VM when the VM is not running.", "x"),
     RESULT_CODE_FAILED_PRECONDITION, NEVER, "OperationNotAllowed"},
    {409, ARM("ResourceNotReady", "x"), RESULT_CODE_FAILED_PRECONDITION, BACKOFF,
     "ResourceNotReady"},
    {429, NETWORK("ReferencedResourceNotProvisioned", "x"), RESULT_CODE_FAILED_PRECONDITION,
     BACKOFF, "ReferencedResourceNotProvisioned"},
    {409,
     NETWORK("ReferencedResourceNotProvisioned",
             "Cannot proceed with operation because resource /a used by resource /b is not in "
             "Succeeded state."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "ReferencedResourceNotProvisioned"},
    {409, ARM("Conflict", "The request failed due to conflict with a concurrent request."),
     RESULT_CODE_FAILED_PRECONDITION, BACKOFF, "Conflict"},
    {200, OPERATION("Canceled", "Operation was canceled."), RESULT_CODE_FAILED_PRECONDITION,
     BACKOFF, "Canceled"},
    /* Cannot be. */
    {400, ARM("InvalidApiVersionParameter", "The api-version '2001-01-01' is invalid."),
     RESULT_CODE_NOT_SUPPORTED, NEVER, "InvalidApiVersionParameter"},
    {400,
     ARM("NoRegisteredProviderFound",
         "No registered resource provider found for location 'x' and API version '2021-03-01'."),
     RESULT_CODE_NOT_SUPPORTED, NEVER, "NoRegisteredProviderFound"},
    {404, ARM("InvalidResourceType", "The resource type could not be found in the namespace"),
     RESULT_CODE_NOT_SUPPORTED, NEVER, "InvalidResourceType"},
    {400,
     ARM("LocationNotAvailableForResourceType",
         "The provided location 'nowhere' is not available for resource type "
         "'Microsoft.Network/networkInterfaces'."),
     RESULT_CODE_BAD_REQUEST_DATA, NEVER, "LocationNotAvailableForResourceType"},
    {400, NETWORK("VirtualNetworkTapNotSupported", "x"), RESULT_CODE_NOT_SUPPORTED, NEVER,
     "*NotSupported"},
    {400,
     COMPUTE("InvalidParameter", "The value Standard_X for the VM size is not valid.", "vmSize"),
     RESULT_CODE_BAD_REQUEST_DATA, NEVER, "Invalid*"},
    {400, COMPUTE("BadRequest", "x", "x"), RESULT_CODE_BAD_REQUEST_DATA, NEVER, "BadRequest"},
    /* Azure's own trouble. */
    {500, ARM("InternalServerError", "Encountered internal server error."), RESULT_CODE_UNAVAILABLE,
     BACKOFF, "InternalServerError"},
    {200, OPERATION("InternalExecutionError", "An internal execution error occurred."),
     RESULT_CODE_UNAVAILABLE, BACKOFF, "InternalExecutionError"},
    {200, OPERATION("InternalOperationError", "x"), RESULT_CODE_UNAVAILABLE, BACKOFF,
     "InternalOperationError"},
    {429, NETWORK("RetryableErrorDueToAnotherOperation", "A retryable error occurred."),
     RESULT_CODE_UNAVAILABLE, BACKOFF, "RetryableError*"},
    {409, NETWORK("RetryableErrorDueToAnotherOperation", "A retryable error occurred."),
     RESULT_CODE_UNAVAILABLE, BACKOFF, "RetryableError*"},
    {503, ARM("ServerTimeout", "The request timed out."), RESULT_CODE_UNAVAILABLE, BACKOFF,
     "ServerTimeout"},
    {504, ARM("GatewayTimeout", "The gateway did not receive a response"), RESULT_CODE_UNAVAILABLE,
     BACKOFF, "GatewayTimeout"},
    {503, ARM("ServiceUnavailable", "x"), RESULT_CODE_UNAVAILABLE, BACKOFF, "ServiceUnavailable"},
    {200, OPERATION("NetworkingInternalOperationError", "x"), RESULT_CODE_UNAVAILABLE, BACKOFF,
     "NetworkingInternalOperationError"},
    /* What has been begun, and ended badly. */
    {200,
     OPERATION("OSProvisioningTimedOut",
               "OS Provisioning for VM 'web' did not finish in the allotted time."),
     RESULT_CODE_UNAVAILABLE, NEVER, "OSProvisioning*"},
    {200, OPERATION("VMExtensionProvisioningError", "VM has reported a failure"),
     RESULT_CODE_UNAVAILABLE, NEVER, "VMExtension*"},
    {200, OPERATION("SomethingNew", "words"), RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    {200, "{\"status\":\"Failed\"}", RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    /* The status alone. */
    {301, "", RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    {302, "", RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    {307, "", RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    {308, "", RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    {400, ARM("LinkedInvalidPropertyId", "Property id '' at path 'x' is invalid."),
     RESULT_CODE_BAD_REQUEST_DATA, NEVER, NULL},
    {401, "", RESULT_CODE_UNAUTHORIZED, NEVER, NULL},
    {403, "<html>Forbidden</html>", RESULT_CODE_FORBIDDEN, NEVER, NULL},
    {404, "<html>Not Found</html>", RESULT_CODE_UNAVAILABLE, NEVER, NULL},
    {405, ARM("HttpMethodNotAllowed", "x"), RESULT_CODE_NOT_SUPPORTED, NEVER, NULL},
    {409, ARM("SomethingNew", "x"), RESULT_CODE_FAILED_PRECONDITION, BACKOFF, NULL},
    {413, "", RESULT_CODE_BAD_REQUEST_DATA, NEVER, NULL},
    {500, "", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {502, "<html>Bad Gateway</html>", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {503, "", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {504, "", RESULT_CODE_UNAVAILABLE, BACKOFF, NULL},
    {418, "", RESULT_CODE_INTERNAL_ERROR, NEVER, NULL},
};

static struct http_response answer(int status, const char *body)
{
    return (struct http_response){
        .status = status, .body = (char *)(uintptr_t)body, .body_len = strlen(body)};
}

static void begin(void)
{
    arena_reset(&arena);
    op = (struct op){.arena = &arena, .token = "", .result = result_new(&arena)};
}

static const struct error_row *row_of(const struct example *e, struct az_fault *fault)
{
    az_fault_read(&arena, e->body, strlen(e->body), fault);
    return az_error_find(fault, e->status);
}

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        const struct example *e = &examples[i];
        struct http_response rsp = answer(e->status, e->body);
        struct az_fault fault;
        begin();
        const struct error_row *row = row_of(e, &fault);
        if ((row->code == NULL) != (e->row == NULL) || (e->row && strcmp(row->code, e->row) != 0))
            fail_msg("example %zu comes to the row of %s", i, row->code ? row->code : "a status");
        pb_ResultCode code = az_map_error(&op, "lab", NULL, &rsp);
        if (code != e->code)
            fail_msg("example %zu: %s", i, result_name(code));
        assert_int_equal(op.result->code, e->code);
        assert_int_equal(op.result->retry->class_, e->retry);
        assert_string_equal(op.result->native->code, fault.code);
        assert_int_equal(op.result->native->http_status, e->status);
        assert_non_null(strstr(op.result->detail, row->advice));
    }
}

/* No row is one that nothing comes to. */
static void test_rows(void **state)
{
    (void)state;
    begin();
    for (size_t r = 0; r < az_errors_len; r++) {
        bool met = false;
        for (size_t i = 0; !met && i < ARRAY_LEN(examples); i++) {
            struct az_fault fault;
            met = row_of(&examples[i], &fault) == &az_errors[r];
        }
        if (!met)
            fail_msg("no example of row %zu, %s %d", r, az_errors[r].code ? az_errors[r].code : "",
                     az_errors[r].status);
    }
}

/* Where the error is in what is answered. */
static void test_bodies(void **state)
{
    static const struct {
        const char *body, *code, *message, *target;
    } rows[] = {
        {ARM("A", "words"), "A", "words", ""},
        {COMPUTE("A", "words", "vmSize"), "A", "words", "vmSize"},
        {"{\"code\":\"A\",\"message\":\"words\"}", "A", "words", ""},
        {OPERATION("A", "words"), "A", "words", ""},
        {"{\"error\":{\"code\":\"DeploymentFailed\",\"message\":\"see inside\",\"details\":[{"
         "\"code\":\"Conflict\",\"message\":\"inner\",\"target\":\"t\"}]}}",
         "Conflict", "inner", "t"},
        {"{\"error\":{\"code\":\"ResourceDeploymentFailure\",\"message\":\"see inside\","
         "\"details\":[{\"code\":\"SubnetIsFull\"}]}}",
         "SubnetIsFull", "see inside", ""},
        {"{\"error\":{\"code\":\"Conflict\",\"message\":\"alone\",\"details\":[]}}", "Conflict",
         "alone", ""},
        {"{\"error\":{\"code\":\"A\",\"message\":\"outer\",\"details\":[{\"code\":\"B\"}]}}", "A",
         "outer", ""},
        {"{\"error\":{\"message\":\"words\\r\\nand the whole request\"}}", "", "words", ""},
        {"{\"error\":\"invalid_token\"}", "", "", ""},
        {"[]", "", "", ""},
        {"", "", "", ""},
        {"{\"error\":{\"code\":7,\"message\":null}}", "7", "", ""},
        {"{\"error\":{\"code\":\"A\"", "", "", ""},
    };

    (void)state;
    begin();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct az_fault fault;
        az_fault_read(&arena, rows[i].body, strlen(rows[i].body), &fault);
        assert_string_equal(fault.code, rows[i].code);
        assert_string_equal(fault.message, rows[i].message);
        assert_string_equal(fault.target, rows[i].target);
    }
}

static void test_words(void **state)
{
    struct http_response rsp = answer(401, ARM("InvalidAuthenticationToken", "It is invalid."));
    struct http_header headers[] = {{"x-ms-request-id", "r-1"}};

    (void)state;
    begin();
    rsp.headers = headers;
    rsp.n_headers = 1;
    az_map_error(&op, "lab", "the service principal 1b0", &rsp);
    assert_string_equal(op.result->detail,
                        "Azure refuses the gateway's credentials for cloud lab, those of the "
                        "service principal 1b0: InvalidAuthenticationToken: It is invalid.; "
                        "correct them there (yours for the gateway are in order)");
    assert_string_equal(op.result->native->request_id, "r-1");
    rsp = answer(502, "");
    headers[0].name = "x-ms-correlation-request-id";
    rsp.headers = headers;
    rsp.n_headers = 1;
    begin();
    az_map_error(&op, "lab", NULL, &rsp);
    assert_string_equal(op.result->detail, "cloud lab: Azure says 502; try again later");
    assert_string_equal(op.result->native->request_id, "r-1");
}

/* A message of any length, and bytes that are no text. */
static void test_hostile(void **state)
{
    size_t len = 200000;
    char *body = malloc(len + 400);

    (void)state;
    strcpy(body, "{\"error\":{\"code\":\"InternalServerError\",\"message\":\"");
    size_t at = strlen(body);
    memset(body + at, 'm', len);
    strcpy(body + at + len, "\"}}");
    struct http_response rsp = answer(500, body);
    begin();
    assert_int_equal(az_map_error(&op, "lab", NULL, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_true(strlen(op.result->detail) < 1000);
    /* It is cut in the middle of a letter. */
    memset(body + at, '\xc3', len);
    for (size_t i = 1; i < len; i += 2)
        body[at + i] = '\xa4';
    body[at - 1] = ' ';
    body[at] = '"';
    body[at + 1] = 'x';
    begin();
    assert_int_equal(az_map_error(&op, "lab", NULL, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal((unsigned char)op.result->native->message[0], 'x');
    memset(body, '[', len);
    rsp = answer(500, body);
    begin();
    assert_int_equal(az_map_error(&op, "lab", NULL, &rsp), RESULT_CODE_UNAVAILABLE);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_bodies),   cmocka_unit_test(test_words),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, arena_set_up, arena_tear_down);
}
