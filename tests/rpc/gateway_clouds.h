/* One gateway of four sandbox clouds for all tests of a program, and ways to ask it. */
#ifndef ISOBAR_GATEWAY_CLOUDS_H
#define ISOBAR_GATEWAY_CLOUDS_H

#include "gateway_fixture.h"

static struct fixture fx;

#define CLOUDS                                                                                     \
    "clouds:\n"                                                                                    \
    "  box: {adapter: sandbox, pace_ms: 20}\n"                                                     \
    "  other: {adapter: sandbox, pace_ms: 20, defaults: {flavor_name: m1.medium}}\n"               \
    "  slow: {adapter: sandbox, pace_ms: 1, latency_ms: 1500, max_in_flight: 2, max_queued: 3}\n"  \
    "  down: {adapter: sandbox, error_rate: 1}\n"

static inline int start(void **state)
{
    (void)state;
    fixture_start(&fx, CLOUDS);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    fixture_end(&fx);
    return 0;
}

static inline pb_Reply *ask(const char *method, const void *request)
{
    return fixture_ask(&fx, &(struct asked){.method = method, .request = request});
}

static inline pb_Vm *create(const char *cloud, const char *name)
{
    pb_CreateVmRequest *req = fixture_create(&fx, cloud, name);
    req->wait = WAIT_RUNNING;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    return BODY(&fx, r, CreateVmResponse)->vm;
}

#endif
