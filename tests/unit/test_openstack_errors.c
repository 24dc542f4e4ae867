/* What OpenStack's services say when they refuse, as they really say it: a test a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "os_errors.h"

static struct arena arena;
static struct op op;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)16 << 20);
    op = (struct op){.arena = &arena, .token = "", .result = result_new(&arena)};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

#define GLANCE_404                                                                                 \
    "{\"message\": \"No image found with ID abc<br /><br />\\n\\n\\n\", \"code\": \"404 Not "      \
    "Found\", \"title\": \"Not Found\"}"
#define GLANCE_HTML                                                                                \
    "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not "           \
    "Found</h1>\n  No image found with ID abc<br /><br />\n\n\n\n </body>\n</html>"

/* As the services write it. */
#define NEUTRON(type_, message_)                                                                   \
    "{\"NeutronError\": {\"type\": \"" type_ "\", \"message\": \"" message_                        \
    ".\", \"detail\": \"\"}}"
#define NOVA(type_, status_, message_)                                                             \
    "{\"" type_ "\": {\"code\": " status_ ", \"message\": \"" message_ ".\"}}"

static const struct answer_row {
    int status;
    const char *body;
    pb_ResultCode code;
    pb_RetryClass retry;
    const char *type, *message;
} rows[] = {
    {401,
     "{\"error\": {\"code\": 401, \"title\": \"Unauthorized\", \"message\": \"The request you "
     "have made requires authentication.\"}}",
     RESULT_CODE_UNAUTHORIZED, RETRY_CLASS_NEVER, "Unauthorized",
     "The request you have made requires authentication"},
    {403,
     "{\"forbidden\": {\"code\": 403, \"message\": \"Quota exceeded for cores, instances: "
     "Requested 100, 100, but already used 0, 0 of 20, 10 cores, instances\"}}",
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "forbidden",
     "Quota exceeded for cores, instances: Requested 100, 100, but already used 0, 0 of 20, 10 "
     "cores, instances"},
    {403, "{\"forbidden\": {\"code\": 403, \"message\": \"Maximum number of ports exceeded\"}}",
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "forbidden",
     "Maximum number of ports exceeded"},
    {403,
     "{\"forbidden\": {\"code\": 403, \"message\": \"Policy doesn't allow "
     "os_compute_api:os-flavor-manage:create to be performed.\"}}",
     RESULT_CODE_FORBIDDEN, RETRY_CLASS_NEVER, "forbidden",
     "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed"},
    {409,
     "{\"NeutronError\": {\"type\": \"OverQuota\", \"message\": \"Quota exceeded for "
     "resources: ['floatingip'].\", \"detail\": \"\"}}",
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "OverQuota",
     "Quota exceeded for resources: ['floatingip']"},
    {413,
     "{\"overLimit\": {\"code\": 413, \"message\": \"VolumeSizeExceedsAvailableQuota: Requested "
     "volume or snapshot exceeds allowed gigabytes quota.\", \"retryAfter\": \"0\"}}",
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "overLimit",
     "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes "
     "quota"},
    {413,
     "{\"overLimitFault\": {\"code\": 413, \"message\": \"This request was rate-limited.\", "
     "\"details\": \"Only 1 POST request(s) can be made to * every minute.\"}}",
     RESULT_CODE_RATE_LIMITED, RETRY_CLASS_AFTER_BACKOFF, "overLimitFault",
     "This request was rate-limited"},
    {429, "", RESULT_CODE_RATE_LIMITED, RETRY_CLASS_AFTER_BACKOFF, "", ""},
    {409,
     "{\"NeutronError\": {\"type\": \"IpAddressGenerationFailure\", \"message\": \"No more IP "
     "addresses available on network x.\", \"detail\": \"\"}}",
     RESULT_CODE_OUT_OF_CAPACITY, RETRY_CLASS_AFTER_BACKOFF, "IpAddressGenerationFailure",
     "No more IP addresses available on network x"},
    {400,
     "{\"NeutronError\": {\"type\": \"ExternalIpAddressExhausted\", \"message\": \"Unable to "
     "find any IP address on external network x.\", \"detail\": \"\"}}",
     RESULT_CODE_OUT_OF_CAPACITY, RETRY_CLASS_AFTER_BACKOFF, "ExternalIpAddressExhausted",
     "Unable to find any IP address on external network x"},
    {503,
     "{\"NeutronError\": {\"type\": \"MacAddressGenerationFailure\", \"message\": \"Unable to "
     "generate unique mac on network x.\", \"detail\": \"\"}}",
     RESULT_CODE_OUT_OF_CAPACITY, RETRY_CLASS_AFTER_BACKOFF, "MacAddressGenerationFailure",
     "Unable to generate unique mac on network x"},
    {404,
     "{\"NeutronError\": {\"type\": \"ExternalGatewayForFloatingIPNotFound\", \"message\": "
     "\"External network x is not reachable from subnet y.\", \"detail\": \"\"}}",
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER, "ExternalGatewayForFloatingIPNotFound",
     "External network x is not reachable from subnet y"},
    {409,
     "{\"NeutronError\": {\"type\": \"FloatingIPPortAlreadyAssociated\", \"message\": \"Cannot "
     "associate\", \"detail\": \"\"}}",
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER, "FloatingIPPortAlreadyAssociated",
     "Cannot associate"},
    {409,
     "{\"NeutronError\": {\"type\": \"IpAddressInUse\", \"message\": \"in use\", \"detail\": "
     "\"\"}}",
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER, "IpAddressInUse", "in use"},
    {404,
     "{\"NeutronError\": {\"type\": \"PortNotFound\", \"message\": \"Port abc could not be "
     "found.\", \"detail\": \"\"}}",
     RESULT_CODE_NOT_FOUND, RETRY_CLASS_NEVER, "PortNotFound", "Port abc could not be found"},
    {404, "{\"itemNotFound\": {\"code\": 404, \"message\": \"Instance abc could not be found.\"}}",
     RESULT_CODE_NOT_FOUND, RETRY_CLASS_NEVER, "itemNotFound", "Instance abc could not be found"},
    {404, GLANCE_404, RESULT_CODE_NOT_FOUND, RETRY_CLASS_NEVER, "Not Found",
     "No image found with ID abc"},
    {404, GLANCE_HTML, RESULT_CODE_NOT_FOUND, RETRY_CLASS_NEVER, "",
     "404 Not Found No image found with ID abc"},
    {404, "{\"NeutronError\": \"text alone\"}", RESULT_CODE_NOT_FOUND, RETRY_CLASS_NEVER, "",
     "text alone"},
    {403, NOVA("forbidden", "403", "Maximum number of metadata items exceeds 128"),
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_NEVER, "forbidden",
     "Maximum number of metadata items exceeds 128"},
    {403, NOVA("forbidden", "403", "Quota exceeded, too many server groups"),
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "forbidden",
     "Quota exceeded, too many server groups"},
    {403,
     NOVA("forbidden", "403", "Only volume-backed servers are allowed for flavors with zero disk"),
     RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "forbidden",
     "Only volume-backed servers are allowed for flavors with zero disk"},
    {403,
     NOVA("forbidden", "403", "It is not allowed to create an interface on external network x"),
     RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "forbidden",
     "It is not allowed to create an interface on external network x"},
    {409, NEUTRON("SubnetPoolQuotaExceeded", "Per-tenant subnet pool prefix quota exceeded"),
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "SubnetPoolQuotaExceeded",
     "Per-tenant subnet pool prefix quota exceeded"},
    {404, NEUTRON("QuotaResourceUnknown", "Unknown quota resources ['x']"),
     RESULT_CODE_NOT_SUPPORTED, RETRY_CLASS_NEVER, "QuotaResourceUnknown",
     "Unknown quota resources ['x']"},
    {413,
     NOVA("overLimit", "413",
          "VolumeSizeExceedsLimit: Requested volume size 9G is larger than maximum allowed limit "
          "8G"),
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_NEVER, "overLimit",
     "VolumeSizeExceedsLimit: Requested volume size 9G is larger than maximum allowed limit 8G"},
    {413,
     NOVA("overLimit", "413",
          "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota "
          "'volumes'"),
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "overLimit",
     "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'"},
    {413,
     NOVA("overLimit", "413",
          "SnapshotLimitExceeded: Maximum number of snapshots allowed (10) exceeded"),
     RESULT_CODE_QUOTA_EXCEEDED, RETRY_CLASS_AFTER_BACKOFF, "overLimit",
     "SnapshotLimitExceeded: Maximum number of snapshots allowed (10) exceeded"},
    {409, NEUTRON("IpAddressGenerationFailureAllSubnets", "No more IP addresses available"),
     RESULT_CODE_OUT_OF_CAPACITY, RETRY_CLASS_AFTER_BACKOFF, "IpAddressGenerationFailureAllSubnets",
     "No more IP addresses available"},
    {409,
     NEUTRON("IpAddressGenerationFailureNoMatchingSubnet",
             "No valid service subnet for the given device owner, network x, service type y"),
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER,
     "IpAddressGenerationFailureNoMatchingSubnet",
     "No valid service subnet for the given device owner, network x, service type y"},
    {503,
     NEUTRON("NetworkMacAddressGenerationFailure", "Unable to generate unique mac on network x"),
     RESULT_CODE_OUT_OF_CAPACITY, RETRY_CLASS_AFTER_BACKOFF, "NetworkMacAddressGenerationFailure",
     "Unable to generate unique mac on network x"},
    {503, NEUTRON("HostMacAddressGenerationFailure", "Unable to generate unique mac for host x"),
     RESULT_CODE_OUT_OF_CAPACITY, RETRY_CLASS_AFTER_BACKOFF, "HostMacAddressGenerationFailure",
     "Unable to generate unique mac for host x"},
    {503,
     NEUTRON("NoNetworkAvailable",
             "Unable to create the network. No tenant network is available for allocation"),
     RESULT_CODE_OUT_OF_CAPACITY, RETRY_CLASS_AFTER_BACKOFF, "NoNetworkAvailable",
     "Unable to create the network. No tenant network is available for allocation"},
    {409, NEUTRON("IpAddressAlreadyAllocated", "IP address 10.0.0.9 already allocated in subnet x"),
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER, "IpAddressAlreadyAllocated",
     "IP address 10.0.0.9 already allocated in subnet x"},
    {400, NOVA("badRequest", "400", "Fixed IP address 10.0.0.9 is already in use on instance x"),
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER, "badRequest",
     "Fixed IP address 10.0.0.9 is already in use on instance x"},
    {400,
     NEUTRON(
         "InvalidIpForNetwork",
         "IP address 1.2.3.4 is not a valid IP for any of the subnets on the specified network"),
     RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "InvalidIpForNetwork",
     "IP address 1.2.3.4 is not a valid IP for any of the subnets on the specified network"},
    {400,
     NEUTRON("InvalidIpForSubnet", "IP address 1.2.3.4 is not a valid IP for the specified subnet"),
     RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "InvalidIpForSubnet",
     "IP address 1.2.3.4 is not a valid IP for the specified subnet"},
    {404, NEUTRON("NetworkNotFound", "Network x could not be found"), RESULT_CODE_NOT_FOUND,
     RETRY_CLASS_NEVER, "NetworkNotFound", "Network x could not be found"},
    {404, NEUTRON("SubnetNotFound", "Subnet x could not be found"), RESULT_CODE_NOT_FOUND,
     RETRY_CLASS_NEVER, "SubnetNotFound", "Subnet x could not be found"},
    {404, NEUTRON("SecurityGroupNotFound", "Security group x does not exist"),
     RESULT_CODE_NOT_FOUND, RETRY_CLASS_NEVER, "SecurityGroupNotFound",
     "Security group x does not exist"},
    {400,
     NEUTRON("PortSecurityAndIPRequiredForSecurityGroups",
             "Port security must be enabled and port must have an IP address in order to use "
             "security groups"),
     RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "PortSecurityAndIPRequiredForSecurityGroups",
     "Port security must be enabled and port must have an IP address in order to use security "
     "groups"},
    {409,
     NEUTRON("PortInUse", "Unable to complete operation on port x for network y. Port already has "
                          "an attached device z"),
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_AFTER_LOOKUP, "PortInUse",
     "Unable to complete operation on port x for network y. Port already has an attached device z"},
    {409, NEUTRON("PortBound", "Unable to complete operation on port x, port is already bound"),
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_AFTER_LOOKUP, "PortBound",
     "Unable to complete operation on port x, port is already bound"},
    {409, NOVA("conflictingRequest", "409", "Port x is still in use"),
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_AFTER_LOOKUP, "conflictingRequest",
     "Port x is still in use"},
    {400,
     NOVA("badRequest", "400", "Invalid volume: Volume status must be available, but it is in-use"),
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER, "badRequest",
     "Invalid volume: Volume status must be available, but it is in-use"},
    {400, NOVA("badRequest", "400", "Port x requires a FixedIP in order to be used"),
     RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "badRequest",
     "Port x requires a FixedIP in order to be used"},
    {410, "", RESULT_CODE_NOT_FOUND, RETRY_CLASS_NEVER, "", ""},
    {408, "", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_AFTER_BACKOFF, "", ""},
    {405, "", RESULT_CODE_NOT_SUPPORTED, RETRY_CLASS_NEVER, "", ""},
    {406,
     "{\"computeFault\": {\"code\": 406, \"message\": \"Version 2.999 is not supported by the "
     "API. Minimum is 2.1 and maximum is 2.93.\"}}",
     RESULT_CODE_NOT_SUPPORTED, RETRY_CLASS_NEVER, "computeFault",
     "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.93"},
    {501, "{\"notImplemented\": {\"code\": 501, \"message\": \"no\"}}", RESULT_CODE_NOT_SUPPORTED,
     RETRY_CLASS_NEVER, "notImplemented", "no"},
    {409,
     "{\"conflictingRequest\": {\"code\": 409, \"message\": \"Cannot 'start' instance x while "
     "it is in vm_state active\"}}",
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_NEVER, "conflictingRequest",
     "Cannot 'start' instance x while it is in vm_state active"},
    {412,
     "{\"NeutronError\": {\"type\": \"RevisionNumberConstraintFailed\", \"message\": "
     "\"Constrained to 3, but current revision is 4\", \"detail\": \"\"}}",
     RESULT_CODE_FAILED_PRECONDITION, RETRY_CLASS_AFTER_BACKOFF, "RevisionNumberConstraintFailed",
     "Constrained to 3, but current revision is 4"},
    {400, "{\"badRequest\": {\"code\": 400, \"message\": \"Invalid key_name provided.\"}}",
     RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "badRequest", "Invalid key_name provided"},
    {413, "{\"badThing\": {\"message\": \"too big\"}}", RESULT_CODE_BAD_REQUEST_DATA,
     RETRY_CLASS_NEVER, "badThing", "too big"},
    {414, "", RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "", ""},
    {415, "", RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "", ""},
    {422, "", RESULT_CODE_BAD_REQUEST_DATA, RETRY_CLASS_NEVER, "", ""},
    {300, "{\"versions\": []}", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "", ""},
    {301, "", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "", ""},
    {302, "", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "", ""},
    {303, "", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "", ""},
    {307, "", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "", ""},
    {308, "", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_NEVER, "", ""},
    {500, "{\"computeFault\": {\"code\": 500, \"message\": \"Unexpected API Error.\"}}",
     RESULT_CODE_UNAVAILABLE, RETRY_CLASS_AFTER_BACKOFF, "computeFault", "Unexpected API Error"},
    {502, "<html><body><h1>502 Bad Gateway</h1></body></html>", RESULT_CODE_UNAVAILABLE,
     RETRY_CLASS_AFTER_BACKOFF, "", "502 Bad Gateway"},
    {503, "Service   Unavailable\r\n", RESULT_CODE_UNAVAILABLE, RETRY_CLASS_AFTER_BACKOFF, "",
     "Service Unavailable"},
};

static struct http_header headers[] = {{"X-Openstack-Request-Id", "req-42"}};

static struct http_response answer(int status, const char *body, size_t len)
{
    return (struct http_response){
        .status = status, .headers = headers, .n_headers = 1, .body = body, .body_len = len};
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct answer_row *row = &rows[i];
        struct http_response rsp = answer(row->status, row->body, strlen(row->body));
        *op.result = (pb_Result)pb_Result_INIT;
        pb_ResultCode code = os_map_error(&op, "lab", "compute", &rsp);
        if (code != row->code)
            fail_msg("row %zu: %s, not %s", i, result_name(code), result_name(row->code));
        assert_int_equal(op.result->code, row->code);
        assert_int_equal(op.result->blame, BLAME_CLOUD);
        assert_int_equal(op.result->retry->class_, row->retry);
        assert_int_equal(op.result->native->http_status, row->status);
        assert_string_equal(op.result->native->code, row->type);
        assert_string_equal(op.result->native->message, row->message);
        assert_string_equal(op.result->native->request_id, "req-42");
        assert_non_null(strstr(op.result->detail, "lab"));
        assert_non_null(strstr(op.result->detail, row->message));
    }
}

/* No row of the table is without an answer above, and none is hidden by one before it. */
static void test_every_row(void **state)
{
    (void)state;
    bool *hit = arena_array(&arena, os_errors_len, sizeof(*hit));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct os_fault fault;
        os_fault_read(&arena, rows[i].body, strlen(rows[i].body), &fault);
        hit[os_error_find(rows[i].status, &fault) - os_errors] = true;
    }
    for (size_t i = 0; i < os_errors_len; i++) {
        if (!hit[i])
            fail_msg("nothing above meets row %zu: %d %s %s", i, os_errors[i].status,
                     os_errors[i].code == NULL ? "" : os_errors[i].code,
                     os_errors[i].starts == NULL ? "" : os_errors[i].starts);
    }
}

/* Whatever a cloud sends, there is a message of one line, and it is not long. */
static void test_strange_bodies(void **state)
{
    (void)state;
    static char big[200000], deep[200000];
    memset(big, 'x', sizeof(big));
    memset(deep, '[', sizeof(deep));
    const struct {
        const char *body;
        size_t len;
    } bodies[] = {
        {NULL, 0},
        {"", 0},
        {"null", 4},
        {"[]", 2},
        {"{}", 2},
        {"{\"a\":{\"message\":{\"b\":1}}}", 25},
        {"{\"a\":{\"message\":null}}", 22},
        {"\0\0\0", 3},
        {"<", 1},
        {"<title", 6},
        {"\xff\xfe", 2},
        {big, sizeof(big)},
        {deep, sizeof(deep)},
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct http_response rsp = answer(500, bodies[i].body, bodies[i].len);
        *op.result = (pb_Result)pb_Result_INIT;
        assert_int_equal(os_map_error(&op, "lab", "image", &rsp), RESULT_CODE_UNAVAILABLE);
        assert_true(strlen(op.result->native->message) <= 600);
        assert_null(strchr(op.result->detail, '\n'));
        assert_false(arena.exhausted);
    }
}

static void test_login(void **state)
{
    (void)state;
    static const struct {
        int status;
        pb_ResultCode code;
    } logins[] = {
        {400, RESULT_CODE_UNAUTHORIZED}, {401, RESULT_CODE_UNAUTHORIZED},
        {403, RESULT_CODE_UNAUTHORIZED}, {404, RESULT_CODE_UNAVAILABLE},
        {302, RESULT_CODE_UNAVAILABLE},  {429, RESULT_CODE_RATE_LIMITED},
        {500, RESULT_CODE_UNAVAILABLE},
    };
    static const char body[] = "{\"error\":{\"code\":401,\"message\":\"The request you have made "
                               "requires authentication.\",\"title\":\"Unauthorized\"}}";
    for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
        struct http_response rsp = answer(logins[i].status, body, strlen(body));
        *op.result = (pb_Result)pb_Result_INIT;
        assert_int_equal(os_map_login_error(&op, "lab", "cloud \"demo\" of /x/clouds.yaml", &rsp),
                         logins[i].code);
        assert_int_equal(op.result->blame, BLAME_CLOUD);
        assert_string_equal(op.result->native->code, "Unauthorized");
        assert_non_null(strstr(op.result->detail, "lab"));
        if (logins[i].code == RESULT_CODE_UNAUTHORIZED)
            assert_non_null(strstr(op.result->detail, "cloud \"demo\" of /x/clouds.yaml"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_row, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strange_bodies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_login, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
