/* What all calls hold together has a cap: past three quarters of it calls to clouds are told so at
 * once, past it a connection ends; all else goes on, and in the end nothing is held.
 */
#include <signal.h>

#include "call.h"
#include "gateway_fixture.h"
#include "listener.h"

enum { MANY = 24 };
#define MEMORY_MAX ((size_t)64 << 20)
#define BIG        ((size_t)3 << 20)

static struct fixture fx;

static int start(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n"
                       "  slow: {adapter: sandbox, pace_ms: 1, latency_ms: 1500}\n"
                       "limits: {memory_max: 64MiB}\n");
    assert_int_equal(atomic_load(&call_memory.max), MEMORY_MAX);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    assert_int_equal(atomic_load(&call_memory.used), 0);
    return 0;
}

static void wait_until_little_is_held(void)
{
    for (int i = 0; i < 10000 && atomic_load(&call_memory.used) > (size_t)1 << 20; i++)
        usleep(1000);
    assert_true(atomic_load(&call_memory.used) <= (size_t)1 << 20);
}

static size_t put_length(uint8_t *to, size_t n)
{
    size_t len = 0;
    for (; n >= 0x80; n >>= 7)
        to[len++] = (uint8_t)(n | 0x80);
    to[len++] = (uint8_t)n;
    return len;
}

/* A framed ListFlavors for the cloud that is slow, with much in it that no field has; from malloc.
 */
static uint8_t *big_call(size_t *ret_len)
{
    static const uint8_t cloud[] = {0x0a, 4, 's', 'l', 'o', 'w'};
    pb_Call call;
    isobar__v1__call__init(&call);
    call.method = TEXT("isobar.v1.FlavorService/ListFlavors");
    call.body.data = calloc(1, BIG + 32);
    memcpy(call.body.data, cloud, sizeof(cloud));
    size_t at = sizeof(cloud);
    at += put_length(call.body.data + at, 1000 << 3 | 2);
    at += put_length(call.body.data + at, BIG);
    call.body.len = at + BIG;
    size_t len = 4 + isobar__v1__call__get_packed_size(&call);
    uint8_t *out = malloc(SP_IPC_LENGTH_LEN + len);
    out[0] = 1;
    sp_put64(out + 1, len);
    memcpy(out + SP_IPC_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 7}, 4);
    isobar__v1__call__pack(&call, out + SP_IPC_LENGTH_LEN + 4);
    free(call.body.data);
    *ret_len = SP_IPC_LENGTH_LEN + len;
    return out;
}

/* False where the other side has closed. */
static bool send_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void expect_health(void)
{
    pb_HealthCheckRequest *req = NEW(&fx, HealthCheckRequest);
    pb_Reply *r = fixture_ask(
        &fx, &(struct asked){.method = "grpc.health.v1.Health/Check", .request = &req->base});
    assert_int_equal(r->result->code, RESULT_CODE_OK);
}

static void test_calls(void **state)
{
    (void)state;
    size_t len;
    uint8_t *call = big_call(&len);
    int fds[MANY];
    unsigned ok = 0, overloaded = 0;
    for (int i = 0; i < MANY; i++) {
        fds[i] = fixture_connect(&fx);
        assert_true(send_all(fds[i], call, len));
        assert_true(atomic_load(&call_memory.used) <= MEMORY_MAX);
    }
    expect_health();
    for (int i = 0; i < MANY; i++) {
        pb_Reply *r = fixture_receive(&fx, fds[i]);
        ok += r->result->code == RESULT_CODE_OK;
        if (r->result->code == RESULT_CODE_OVERLOADED) {
            overloaded++;
            assert_int_equal(r->result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
            assert_true(r->result->retry->after_ms > 0);
        }
        close(fds[i]);
    }
    assert_int_equal(ok + overloaded, MANY);
    assert_true(ok >= 3);
    assert_true(overloaded >= 1);
    free(call);
    wait_until_little_is_held();
}

static void test_calls_that_are_read(void **state)
{
    (void)state;
    size_t len;
    uint8_t *call = big_call(&len);
    int fds[MANY];
    uint64_t starved = atomic_load(&listener_stats.starved);
    for (int i = 0; i < MANY; i++) {
        fds[i] = fixture_connect(&fx);
        (void)send_all(fds[i], call, len - 1);
        assert_true(atomic_load(&call_memory.used) <= MEMORY_MAX);
    }
    for (int i = 0; i < 10000 && atomic_load(&listener_stats.starved) == starved; i++)
        usleep(1000);
    assert_true(atomic_load(&listener_stats.starved) > starved);
    expect_health();
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    free(call);
    wait_until_little_is_held();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_calls_that_are_read),
    };
    return cmocka_run_group_tests(tests, start, end);
}
