/* Memory that runs out, at one allocation after the other, in the client library and in the
 * command line: a call has a result whatever happens, a command an exit code, and with memory again
 * all is as before. What leaks shows where the address sanitizer is on. */
#include <fcntl.h>
#include <sys/mman.h>

#include "alloc_fail.h"
#include "cli/run.h"
#include "client_fixture.h"

/* More than any piece of work here allocates; a pass that gets there does not end. */
#define ROUNDS_MAX 3000

typedef void arm_function(unsigned n);
static arm_function *const arms[] = {alloc_fail_at, alloc_fail_from};

/* Open a client, call, close it: whether any allocation failed. */
static bool call_round(struct setup *s, arm_function *arm, unsigned n)
{
    struct isobar_options options = {.token = "secret", .ca_file = s->ca, .timeout_ms = LONG_MS};
    struct isobar_error error = {""};
    struct isobar_reply r = {0};
    bool good = false;
    arm(n);
    struct isobar *c = isobar_connect(s->url, &options, &error);
    if (c)
        good = get_vm(c, "web", LONG_MS, &r);
    bool failed = alloc_fail_stop() > 0;
    if (!c && !error.text[0])
        fail_msg("allocation %u: no client, and no words", n);
    if (!failed && !good)
        fail_msg("allocation %u: fails without need", n);
    if (c) {
        assert_non_null(r.result);
        if (good)
            assert_string_equal(vm_of(&r)->id, "web");
        else
            assert_int_not_equal(r.result->code, RESULT_CODE_UNSPECIFIED);
        isobar_reply_done(&r);
        expect_vm(c, "next"); /* it is as good as new */
    }
    isobar_close(c);
    return failed;
}

static void test_calls(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(arms); i++) {
        unsigned n = 1;
        while (call_round(*state, arms[i], n))
            assert_true(++n < ROUNDS_MAX);
        assert_true(n > 5);
    }
}

static void keep_id(const pb_GetVmResponse *response, void *data)
{
    snprintf(data, 32, "%s", response ? response->vm->id : "none");
}

/* A service and its stub. */
static bool stub_round(struct setup *s, arm_function *arm, unsigned n)
{
    char seen[32] = "";
    pb_GetVmRequest request;
    isobar__v1__get_vm_request__init(&request);
    request.id = (char[]){"web"};
    struct isobar *c = open_client(s);
    arm(n);
    ProtobufCService *service = isobar_service(c, &isobar__v1__vm_service__descriptor);
    if (service)
        isobar__v1__vm_service__get_vm(service, &request, keep_id, seen);
    bool failed = alloc_fail_stop() > 0;
    assert_true(failed || service);
    if (service)
        assert_true(strcmp(seen, "web") == 0 || (failed && strcmp(seen, "none") == 0));
    isobar_close(c);
    return failed;
}

static void test_stubs(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(arms); i++) {
        unsigned n = 1;
        while (stub_round(*state, arms[i], n))
            assert_true(++n < ROUNDS_MAX);
        assert_true(n > 3);
    }
}

/* What it says goes nowhere; how much it prints is counted. Returns the exit code. */
static int quietly(int argc, char **argv, off_t *ret_printed)
{
    int kept[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    int null = open("/dev/null", O_WRONLY), out = memfd_create("out", 0);
    assert_true(kept[0] >= 0 && kept[1] >= 0 && null >= 0 && out >= 0);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    int code = run_main(argc, argv);
    dup2(kept[0], STDOUT_FILENO);
    dup2(kept[1], STDERR_FILENO);
    *ret_printed = lseek(out, 0, SEEK_END);
    close(kept[0]);
    close(kept[1]);
    close(null);
    close(out);
    return code;
}

/* A command that ends well has printed all: `whole` bytes, where that is known (not 0). */
static bool command_round(struct setup *s, const char *const *words, arm_function *arm, unsigned n,
                          off_t *whole)
{
    char *argv[16] = {(char[]){"isobar"}};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    setenv("ISOBAR_SERVER", s->url, 1);
    off_t printed;
    arm(n);
    int code = quietly(argc, argv, &printed);
    bool failed = alloc_fail_stop() > 0;
    if (!failed && code != EXIT_OK)
        fail_msg("%s %s, allocation %u: ends with %d", words[0], words[1], n, code);
    if (code == EXIT_OK && *whole && printed != *whole)
        fail_msg("%s %s, allocation %u: 0, and %ld of %ld bytes", words[0], words[1], n,
                 (long)printed, (long)*whole);
    if (!failed)
        *whole = printed;
    return failed;
}

static void test_commands(void **state)
{
    struct setup *s = *state;
    static const char *const commands[][8] = {
        {"vm", "show", "lab/web"},
        {"vm", "show", "lab/web", "-o", "json"},
        {"vm", "show", "lab/web", "-o", "yaml"},
        {"vm", "show", "lab/web", "-o", "csv"},
        {"vm", "start", "lab/web", "--wait", "--timeout", "30s"},
        {"help", "vm", "create"},
        {"help", "man"},
        {"describe", "VmSpec"},
        {"adapter", "list", "-h"},
        {"call", "VmService/GetVm", "{\"cloud\": \"lab\", \"id\": \"web\"}"},
    };
    if (s->tls)
        return; /* the command is the same, and the library has been through it */
    for (size_t k = 0; k < ARRAY_LEN(commands) * ARRAY_LEN(arms); k++) {
        const char *const *words = commands[k / ARRAY_LEN(arms)];
        off_t whole = 0;
        unsigned n = 1;
        assert_false(command_round(s, words, alloc_fail_at, ROUNDS_MAX, &whole));
        assert_true(whole > 0);
        while (command_round(s, words, arms[k % ARRAY_LEN(arms)], n, &whole))
            assert_true(++n < ROUNDS_MAX);
        print_message("%s %s: %u rounds\n", words[0], words[1], n);
        assert_true(n > 5);
    }
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_stubs),
        cmocka_unit_test(test_commands),
    };
    alloc_fail_spare_others();
    return run_all(tests, ARRAY_LEN(tests));
}
