/* A reload exchanges everything or nothing, and loses no call; a drain finishes what is under way.
 */
#include "gateway_fixture.h"

#include <pthread.h>

#include "connection.h"
#include "dispatch.h"

static struct fixture fx;

static char *created_id(const char *cloud)
{
    pb_CreateVmRequest *req = fixture_create(&fx, cloud, "kept");
    pb_Reply *r = fixture_ask(
        &fx, &(struct asked){.method = "isobar.v1.VmService/CreateVm", .request = &req->base});
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    return BODY(&fx, r, CreateVmResponse)->vm->id;
}

static pb_ResultCode get(const char *cloud, char *id)
{
    pb_GetVmRequest *req = NEW(&fx, GetVmRequest);
    req->cloud = TEXT(cloud);
    req->id = id;
    pb_Reply *r = fixture_ask(
        &fx, &(struct asked){.method = "isobar.v1.VmService/GetVm", .request = &req->base});
    return r->result->code;
}

static unsigned n_reports;

static void count_report(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
    n_reports++;
}

static bool reload(const char *text)
{
    struct config *c = fixture_config(&fx, text);
    return c && gateway_reload(fx.gateway, c, count_report, NULL);
}

static void wait_tidy(void)
{
    for (int i = 0; i < 1000 && gateway_tidy(fx.gateway) >= 0; i++)
        usleep(5000);
    assert_int_equal(gateway_tidy(fx.gateway), -1);
}

static void test_same_connections_are_kept(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  a: {adapter: sandbox}\n  b: {adapter: sandbox}");
    char *in_a = created_id("a"), *in_b = created_id("b");
    assert_true(
        reload("clouds:\n  c: {adapter: sandbox}\n  b: {adapter: sandbox, pace_ms: 5}\n  a: "
               "{adapter: sandbox}"));
    wait_tidy();
    /* `a` is the same and has its machines; `b` has changed and is another. */
    assert_int_equal(get("a", in_a), RESULT_CODE_OK);
    assert_int_equal(get("b", in_b), RESULT_CODE_NOT_FOUND);
    assert_int_equal(get("c", in_a), RESULT_CODE_NOT_FOUND);
    assert_true(reload("clouds:\n  a: {adapter: sandbox}"));
    wait_tidy();
    assert_int_equal(get("a", in_a), RESULT_CODE_OK);
    assert_int_equal(get("c", in_a), RESULT_CODE_NOT_FOUND);
    fixture_end(&fx);
}

static void test_refused_reload_changes_nothing(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  a: {adapter: sandbox}");
    char *id = created_id("a");
    /* Not a configuration at all, and one whose second listener cannot be had. */
    assert_false(reload("clouds:\n  a: {adapter: sandbx}"));
    char text[256];
    snprintf(text, sizeof(text),
             "state_dir: %s\nlisten: [\"ipc://%s\", \"ipc:///proc/isobar/none\"]\nclouds:\n  b: "
             "{adapter: sandbox}\n",
             fx.dir, fx.socket);
    struct config *c = config_parse(text, strlen(text), "test.yaml", count_report, NULL);
    assert_non_null(c);
    n_reports = 0;
    assert_false(gateway_reload(fx.gateway, c, count_report, NULL));
    assert_true(n_reports > 0);
    wait_tidy();
    assert_int_equal(get("a", id), RESULT_CODE_OK);
    fixture_end(&fx);
}

struct caller {
    struct fixture own; /* the same gateway, an arena of this thread */
    atomic_bool *stop;
    unsigned calls, failed;
};

static void *call_on(void *arg)
{
    struct caller *me = arg;
    int fd = fixture_connect(&me->own);
    while (!atomic_load(me->stop)) {
        pb_ListFlavorsRequest *req = NEW(&me->own, ListFlavorsRequest);
        req->cloud = TEXT("a");
        fixture_send(fd, &(struct asked){.method = "isobar.v1.FlavorService/ListFlavors",
                                         .request = &req->base});
        pb_Reply *r = fixture_receive(&me->own, fd);
        me->calls++;
        me->failed += r->result->code != RESULT_CODE_OK;
        arena_reset(&me->own.arena);
    }
    close(fd);
    return NULL;
}

static void test_no_call_is_lost(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  a: {adapter: sandbox}");
    atomic_bool stop = false;
    struct caller callers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        callers[i] = (struct caller){.own = fx, .stop = &stop};
        arena_init(&callers[i].own.arena, (size_t)1 << 20);
        assert_int_equal(pthread_create(&threads[i], NULL, call_on, &callers[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        char text[128];
        snprintf(text, sizeof(text), "clouds:\n  a: {adapter: sandbox, pace_ms: %d}", i + 1);
        assert_true(reload(text));
        gateway_tidy(fx.gateway);
        usleep(5000);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(callers[i].calls > 0);
        assert_int_equal(callers[i].failed, 0);
        arena_done(&callers[i].own.arena);
    }
    wait_tidy();
    fixture_end(&fx);
}

static void test_drain_finishes_what_is_under_way(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  a: {adapter: sandbox, latency_ms: 1500}");
    int fd = fixture_connect(&fx);
    pb_ListFlavorsRequest *req = NEW(&fx, ListFlavorsRequest);
    req->cloud = TEXT("a");
    fixture_send(fd, &(struct asked){.method = "isobar.v1.FlavorService/ListFlavors",
                                     .request = &req->base});
    for (int i = 0; i < 20000 && dispatch_in_flight() == 0; i++)
        usleep(1000);
    assert_int_equal(dispatch_in_flight(), 1);
    assert_true(gateway_drain(fx.gateway));
    pb_Reply *r = fixture_receive(&fx, fd);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);
    log_stop();
    arena_done(&fx.arena);
    fixture_remove(fx.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_connections_are_kept),
        cmocka_unit_test(test_refused_reload_changes_nothing),
        cmocka_unit_test(test_no_call_is_lost),
        cmocka_unit_test(test_drain_finishes_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
