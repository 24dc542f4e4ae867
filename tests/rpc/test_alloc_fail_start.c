/* Memory that runs out, at one allocation after the other, in a gateway that starts and finds work
 * in its journal: it starts or says why not, and what was left is brought to its end, by this start
 * or the next. What leaks shows where the address sanitizer is on.
 */
#include "alloc_fail_gateway.h"
#include "operation_private.h"

static unsigned n_reported;

static void report(void *ctx, const char *line)
{
    (void)ctx;
    n_reported += line[0] != '\0';
}

/* What another process has left in the journal. */
enum { LEFT_MAX = 16 };
static struct left {
    char id[UUID_TEXT_LEN + 1];
    const char *name;
    pb_ResultCode ends; /* how it is to end; UNSPECIFIED: it goes on for longer than a test */
} left[LEFT_MAX];
static size_t n_left;

static struct store_change changes[4 * LEFT_MAX];
static size_t n_changes;

static void put(const char *key, const void *data, size_t len)
{
    assert_true(n_changes < ARRAY_LEN(changes));
    changes[n_changes++] = (struct store_change){.key = key, .data = data, .len = len};
}

static const char *key_of(const char *prefix, const struct left *l)
{
    return arena_printf(&fx.arena, "%s%s", prefix, l->id);
}

static void leave(const char *method, pb_OperationState state, const char *native_id, bool keyed,
                  const ProtobufCMessage *request, const char *name, pb_ResultCode ends)
{
    struct left *l = &left[n_left++];
    assert_true(n_left <= LEFT_MAX);
    l->name = name;
    l->ends = ends;
    uuid7(l->id);
    pb_OperationRecord *r = NEW(&fx, OperationRecord);
    pb_Operation *o = r->operation = NEW(&fx, Operation);
    static uint8_t digest[32];
    o->id = l->id;
    o->state = state;
    o->method = TEXT(method);
    o->cloud = TEXT("box");
    o->principal = TEXT("local");
    o->request_id = TEXT(name);
    o->native_id = TEXT(native_id);
    o->attempt = state != OPERATION_STATE_INTENT;
    o->created_at = o->updated_at = operation_time(&fx.arena, clock_wall_ns());
    r->request.len = protobuf_c_message_get_packed_size(request);
    r->request.data = arena_alloc(&fx.arena, r->request.len + 1);
    protobuf_c_message_pack(request, r->request.data);
    r->digest = (ProtobufCBinaryData){sizeof(digest), digest};
    r->deadline_us = (clock_wall_ns() + 3600 * NS_PER_SEC) / NS_PER_US;
    r->waits = state == OPERATION_STATE_RUNNING;
    r->keyed = keyed;
    uint8_t *data = arena_alloc(&fx.arena, protobuf_c_message_get_packed_size(&r->base));
    put(key_of(KEY_OPERATION, l), data, protobuf_c_message_pack(&r->base, data));
    put(key_of(KEY_OPEN, l), "", 0);
    if (keyed)
        put(journal_key(&fx.arena, name, "local"), l->id, UUID_TEXT_LEN);
}

static void leave_create(const char *name, pb_OperationState state, const char *native_id,
                         bool keyed, pb_ResultCode ends)
{
    leave("isobar.v1.VmService/CreateVm", state, native_id, keyed,
          &fixture_create(&fx, "box", name)->base, name, ends);
}

static void cancel_last(void)
{
    put(key_of(KEY_CANCELLED, &left[n_left - 1]), "", 0);
}

static void leave_nothing(void)
{
}

/* The machines of an earlier process's sandbox are gone with it. */
static void leave_operations(void)
{
    char why[512] = "";
    n_changes = 0;
    pb_DeleteVmRequest *gone = NEW(&fx, DeleteVmRequest);
    gone->cloud = TEXT("box");
    gone->id = TEXT("0190aaaa-0000-7000-8000-000000000001");
    pb_StopVmRequest *stop = NEW(&fx, StopVmRequest);
    stop->cloud = TEXT("box");
    stop->id = TEXT("gone");
    leave_create("vm-intent", OPERATION_STATE_INTENT, "", false, RESULT_CODE_CREATED);
    leave_create("vm-keyed", OPERATION_STATE_INTENT, "", true, RESULT_CODE_CREATED);
    leave_create("vm-unknown", OPERATION_STATE_UNKNOWN, "", true, RESULT_CODE_CREATED);
    leave_create("watched", OPERATION_STATE_RUNNING, "5a9db0c5", true, RESULT_CODE_UNSPECIFIED);
    leave_create("cancelled", OPERATION_STATE_UNKNOWN, "", true, RESULT_CODE_CANCELLED);
    cancel_last();
    leave_create("dropped", OPERATION_STATE_RUNNING, "5a9db0c5", false, RESULT_CODE_CANCELLED);
    cancel_last();
    leave("isobar.v1.VmService/DeleteVm", OPERATION_STATE_INTENT, "", true, &gone->base, "delete",
          RESULT_CODE_DELETED);
    leave("isobar.v1.VmService/DeleteVm", OPERATION_STATE_RUNNING, "5a9db0c5", false, &gone->base,
          "deleting", RESULT_CODE_DELETED);
    leave("isobar.v1.VmService/StopVm", OPERATION_STATE_INTENT, "", false, &stop->base, "stop",
          RESULT_CODE_NOT_FOUND);
    struct store *s = store_open(fx.dir, why);
    struct store_txn t = {.changes = changes, .n_changes = n_changes};
    assert_non_null(s);
    assert_int_equal(store_commit(s, &t), STORE_DONE);
    store_close(s);
}

static pb_Operation *look_at(const struct left *l)
{
    pb_GetOperationRequest *req = NEW(&fx, GetOperationRequest);
    req->id = TEXT(l->id);
    pb_Reply *r = call("isobar.v1.OperationService/GetOperation", req);
    assert_string_equal(result_name(r->result->code), "OK");
    return BODY(&fx, r, GetOperationResponse)->operation;
}

/* One that was left ends as it should, or is watched for longer than a test. */
static void check_one(const struct left *l, unsigned n, bool again)
{
    int64_t until = clock_mono_ns() + HANGS_MS * NS_PER_MS;
    pb_Operation *o = look_at(l);
    for (; o->state != OPERATION_STATE_DONE; o = look_at(l)) {
        if (o->state == OPERATION_STATE_RUNNING &&
            (!l->ends || (again && l->ends == RESULT_CODE_CREATED)))
            return;
        if (clock_mono_ns() > until)
            fail_msg("allocation %u: operation \"%s\" is not taken up", n, l->name);
        usleep(2000);
    }
    if (o->result->code != l->ends)
        fail_msg("allocation %u: operation \"%s\" ends %s: %s", n, l->name,
                 result_name(o->result->code), o->result->detail);
}

/* All are there and end; the machines are those that were ordered, once each. `again`: an earlier
 * start may have got somewhere, and its sandbox took its machines with it. */
static void check_left(unsigned n, bool again)
{
    size_t n_created = 0;
    for (const struct left *l = left; l < left + n_left; l++) {
        check_one(l, n, again);
        n_created += l->ends == RESULT_CODE_CREATED;
    }
    pb_Vm **vms;
    size_t n_vms = list(&vms);
    if (n_vms != n_created && !(again && n_vms < n_created))
        fail_msg("allocation %u: %zu machines", n, n_vms);
    for (size_t i = 0; i < n_vms; i++) {
        assert_memory_equal(vms[i]->name, "vm-", 3);
        assert_true(i == 0 || strcmp(vms[i - 1]->name, vms[i]->name) != 0);
    }
}

static struct config *configure(void)
{
    struct config *c = fixture_config(&fx, CLOUDS);
    assert_non_null(c);
    return c;
}

/* What a gateway finds when it starts, and how long it has no memory then. */
static const struct start {
    const char *name;
    void (*leave)(void);
    unsigned armed_us;
} starts[] = {
    {"start", leave_nothing, 0},
    {"start, and take up what was left", leave_operations, 10000},
};

static void start_begin(const struct start *s)
{
    fx = (struct fixture){.dir = "/tmp/isobar-test-XXXXXX"};
    assert_non_null(mkdtemp(fx.dir));
    snprintf(fx.socket, sizeof(fx.socket), "%s/s", fx.dir);
    arena_init(&fx.arena, (size_t)64 << 20);
    assert_true(log_start());
    n_left = 0;
    s->leave();
}

/* One round: whether any allocation failed in it. A gateway that starts all the same serves; one
 * that does not says why, and the next start finds everything. */
static bool start_round(const struct start *s, arm_function *arm, unsigned n)
{
    start_begin(s);
    struct config *c = configure();
    n_reported = 0;
    alloc_fail_spare(false);
    arm(n);
    fx.gateway = gateway_start(c, report, NULL);
    usleep(s->armed_us);
    bool failed = alloc_fail_stop() > 0;
    alloc_fail_spare(true);
    if (!fx.gateway && !failed)
        fail_msg("%s, allocation %u: no gateway", s->name, n);
    if (!fx.gateway && n_reported == 0)
        fail_msg("%s, allocation %u: no gateway, and not said why", s->name, n);
    bool again = !fx.gateway;
    if (again)
        fx.gateway = gateway_start(configure(), fixture_report, NULL);
    assert_non_null(fx.gateway);
    check_left(n, again);
    (void)call("isobar.v1.OperationService/ListOperations", NEW(&fx, ListOperationsRequest));
    fixture_end(&fx);
    return failed;
}

static void run_starts(arm_function *arm)
{
    for (const struct start *s = starts; s < starts + ARRAY_LEN(starts); s++) {
        unsigned n = 1;
        while (start_round(s, arm, n))
            assert_true(++n < ROUNDS_MAX);
        print_message("%s: %u rounds\n", s->name, n);
        assert_true(n > 2);
    }
}

static void test_start_one_fails(void **state)
{
    (void)state;
    run_starts(alloc_fail_at);
}

static void test_start_all_fail(void **state)
{
    (void)state;
    run_starts(alloc_fail_from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_one_fails),
        cmocka_unit_test(test_start_all_fail),
    };
    alloc_fail_spare(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
