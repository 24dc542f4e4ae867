/* Memory that runs out, at one allocation after the other, in a gateway that makes and lists
 * machines, and in one that starts and finds work in its journal: whoever calls gets an answer or a
 * closed connection within seconds, the gateway goes on as if nothing had been, and what was begun
 * is brought to its end. What leaks shows where the address sanitizer is on.
 *
 * A pass is a piece of work that is done again and again, with the n-th allocation failing, for n
 * from 1 on until there are no more: each time in a new gateway, whose memory is cold. Then, again
 * for n from 1 on, all from the n-th on fail for as long as the piece of work is tried: in one
 * gateway, which must get over each of them.
 */
#include "gateway_fixture.h"

#include <poll.h>

#include "alloc_fail.h"
#include "operation_private.h"

/* What has not been answered by then hangs. */
#define HANGS_MS 20000
/* Of a call. An operation that finds no memory tries again until there is some: where there is none
 * for a while, its caller waits so long, and is told that it goes on. */
#define LONG_MS  1000
#define SHORT_MS 100
static uint32_t timeout_ms = HANGS_MS;
/* More than any piece of work here allocates; a pass that gets there does not end. */
#define ROUNDS_MAX 3000

#define CLOUDS                                                                                     \
    "drain_timeout: 20s\n"                                                                         \
    "clouds:\n"                                                                                    \
    "  box: {adapter: sandbox, boot_ms: 2, pace_ms: 1}\n"                                          \
    "  other: {adapter: sandbox}\n"

static struct fixture fx;

enum answer { ANSWERED, CLOSED, HUNG };

static int64_t due_ns;

/* Wait until something can be read. */
static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, clock_ms_left(due_ns)) == 1;
}

/* Whole, or CLOSED, or HUNG. */
static enum answer read_all(int fd, void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        if (!readable(fd))
            return HUNG;
        ssize_t n = recv(fd, (char *)data + at, len - at, 0);
        if (n <= 0)
            return CLOSED;
        at += (size_t)n;
    }
    return ANSWERED;
}

static enum answer greet(int fd)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, fx.socket);
    uint8_t hello[SP_HANDSHAKE_LEN];
    sp_handshake(hello, SP_PROTO_REQ);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        send(fd, hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello))
        return CLOSED;
    return read_all(fd, hello, sizeof(hello));
}

/* The reply, whatever it says; it has a result. */
static enum answer receive(int fd, pb_Reply **ret)
{
    uint8_t head[SP_IPC_LENGTH_LEN];
    enum answer got = read_all(fd, head, sizeof(head));
    if (got != ANSWERED)
        return got;
    size_t len = (size_t)sp_get64(head + 1);
    uint8_t *data = arena_alloc(&fx.arena, len);
    assert_non_null(data);
    got = read_all(fd, data, len);
    if (got != ANSWERED)
        return got;
    *ret = isobar__v1__reply__unpack(arena_allocator(&fx.arena), len - 4, data + 4);
    assert_non_null(*ret);
    assert_non_null((*ret)->result);
    assert_int_not_equal((*ret)->result->code, RESULT_CODE_UNSPECIFIED);
    return ANSWERED;
}

/* False where the other end has closed. What is written is small, and fits into the socket. */
static bool send_call(int fd, const char *method, const ProtobufCMessage *request)
{
    pb_Call call;
    isobar__v1__call__init(&call);
    call.method = TEXT(method);
    call.timeout_ms = timeout_ms;
    uint8_t body[4096], out[8192];
    assert_true(protobuf_c_message_get_packed_size(request) < sizeof(body));
    call.body.len = protobuf_c_message_pack(request, body);
    call.body.data = body;
    size_t len = SP_IPC_LENGTH_LEN + 4 + isobar__v1__call__pack(&call, out + SP_IPC_LENGTH_LEN + 4);
    out[0] = 1;
    sp_put64(out + 1, len - SP_IPC_LENGTH_LEN);
    memcpy(out + SP_IPC_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 7}, 4);
    return send(fd, out, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A call on a connection of its own, which may fail at any point. */
static enum answer try_call(const char *method, const void *request, pb_Reply **ret)
{
    due_ns = clock_mono_ns() + HANGS_MS * NS_PER_MS;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    enum answer got = greet(fd);
    if (got == ANSWERED)
        got = send_call(fd, method, request) ? receive(fd, ret) : CLOSED;
    close(fd);
    return got;
}

/* ---- With memory as it should be ---- */

static pb_Reply *call(const char *method, const void *request)
{
    pb_Reply *reply = NULL;
    assert_int_equal(try_call(method, request, &reply), ANSWERED);
    return reply;
}

static void make(void)
{
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "web");
    req->wait = WAIT_RUNNING;
    pb_Reply *r = call("isobar.v1.VmService/CreateVm", req);
    assert_string_equal(result_name(r->result->code), "Created");
}

static size_t list(pb_Vm ***ret)
{
    pb_ListVmsRequest *req = NEW(&fx, ListVmsRequest);
    req->cloud = TEXT("box");
    pb_Reply *r = call("isobar.v1.VmService/ListVms", req);
    assert_string_equal(result_name(r->result->code), "OK");
    pb_ListVmsResponse *rsp = BODY(&fx, r, ListVmsResponse);
    *ret = rsp->vms;
    return rsp->n_vms;
}

/* How many operations have not ended. */
static size_t count_open(void)
{
    pb_OperationState open[] = {OPERATION_STATE_INTENT, OPERATION_STATE_RUNNING,
                                OPERATION_STATE_UNKNOWN};
    pb_ListOperationsRequest *req = NEW(&fx, ListOperationsRequest);
    req->states = open;
    req->n_states = ARRAY_LEN(open);
    pb_Reply *r = call("isobar.v1.OperationService/ListOperations", req);
    assert_string_equal(result_name(r->result->code), "OK");
    return BODY(&fx, r, ListOperationsResponse)->n_operations;
}

/* The gateway serves as before: what was under way ends, and each machine can be deleted. Returns
 * how many there were. */
static size_t check_serves(const char *what, unsigned n)
{
    int64_t until = clock_mono_ns() + HANGS_MS * NS_PER_MS;
    while (count_open() > 0) {
        if (clock_mono_ns() > until)
            fail_msg("%s, allocation %u: an operation does not end", what, n);
        usleep(1000);
    }
    pb_Vm **vms;
    size_t n_vms = list(&vms);
    for (size_t i = 0; i < n_vms; i++) {
        pb_DeleteVmRequest *req = NEW(&fx, DeleteVmRequest);
        req->cloud = TEXT("box");
        req->id = vms[i]->id;
        req->wait = WAIT_RUNNING;
        pb_Reply *r = call("isobar.v1.VmService/DeleteVm", req);
        assert_string_equal(result_name(r->result->code), "Deleted");
    }
    return n_vms;
}

/* ---- Pieces of work ---- */

static enum answer create_waiting(pb_Reply **ret)
{
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "web");
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/CreateVm", req, ret);
}

static enum answer create_then_wait(pb_Reply **ret)
{
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "web");
    req->wait = WAIT_NONE;
    enum answer got = try_call("isobar.v1.VmService/CreateVm", req, ret);
    if (got != ANSWERED || !(*ret)->result->operation_id[0])
        return got;
    pb_WaitOperationRequest *wait = NEW(&fx, WaitOperationRequest);
    wait->id = (*ret)->result->operation_id;
    return try_call("isobar.v1.OperationService/WaitOperation", wait, ret);
}

static enum answer list_machines(pb_Reply **ret)
{
    /* Of both clouds, side by side. */
    return try_call("isobar.v1.VmService/ListVms", NEW(&fx, ListVmsRequest), ret);
}

static enum answer get_machine(pb_Reply **ret)
{
    pb_GetVmRequest *req = NEW(&fx, GetVmRequest);
    req->cloud = TEXT("box");
    req->id = TEXT("web");
    return try_call("isobar.v1.VmService/GetVm", req, ret);
}

static enum answer list_operations(pb_Reply **ret)
{
    return try_call("isobar.v1.OperationService/ListOperations", NEW(&fx, ListOperationsRequest),
                    ret);
}

static enum answer stop_machine(pb_Reply **ret)
{
    pb_StopVmRequest *req = NEW(&fx, StopVmRequest);
    req->cloud = TEXT("box");
    req->id = TEXT("web");
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/StopVm", req, ret);
}

static enum answer delete_machine(pb_Reply **ret)
{
    pb_DeleteVmRequest *req = NEW(&fx, DeleteVmRequest);
    req->cloud = TEXT("box");
    req->id = TEXT("web");
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/DeleteVm", req, ret);
}

static enum answer batch(pb_Reply **ret)
{
    char *ids[] = {TEXT("web"), TEXT("none")};
    pb_BatchControlVmsRequest *req = NEW(&fx, BatchControlVmsRequest);
    req->cloud = TEXT("box");
    req->ids = ids;
    req->n_ids = 2;
    req->action = VM_ACTION_STOP;
    req->wait = WAIT_RUNNING;
    return try_call("isobar.v1.VmService/BatchControlVms", req, ret);
}

static const struct piece {
    const char *name;
    enum answer (*run)(pb_Reply **ret);
    bool on_machine; /* needs one, which is made before */
    bool creates;
} pieces[] = {
    {"create, waiting", create_waiting, false, true},
    {"create, then wait", create_then_wait, false, true},
    {"list machines", list_machines, true, false},
    {"get a machine", get_machine, true, false},
    {"list operations", list_operations, true, false},
    {"stop a machine", stop_machine, true, false},
    {"delete a machine", delete_machine, true, false},
    {"a batch", batch, true, false},
};

/* ---- Passes ---- */

typedef void arm_function(unsigned n);

static void begin(void)
{
    fixture_start(&fx, CLOUDS);
}

/* One round: whether any allocation failed in it. */
static bool run_round(const struct piece *p, arm_function *arm, unsigned n)
{
    pb_Reply *reply = NULL;
    if (p->on_machine)
        make();
    timeout_ms = arm == alloc_fail_from ? SHORT_MS : LONG_MS;
    arm(n);
    enum answer got = p->run(&reply);
    timeout_ms = HANGS_MS;
    bool failed = alloc_fail_stop() > 0;
    if (got == HUNG)
        fail_msg("%s, allocation %u: no answer within %d ms", p->name, n, HANGS_MS);
    if (!failed && got != ANSWERED)
        fail_msg("%s, allocation %u: the connection is closed without need", p->name, n);
    /* A machine that is busy with other things may need longer than the caller has. */
    if (!failed && !result_is_success(reply->result->code) &&
        reply->result->code != RESULT_CODE_PARTIAL &&
        reply->result->code != RESULT_CODE_DEADLINE_EXCEEDED)
        fail_msg("%s, allocation %u: %s without need", p->name, n,
                 result_name(reply->result->code));
    bool made = got == ANSWERED && reply->result->code == RESULT_CODE_CREATED;
    if (made && !BODY(&fx, reply, CreateVmResponse)->vm)
        fail_msg("%s, allocation %u: Created, and not said what", p->name, n);
    size_t machines = check_serves(p->name, n);
    if (p->creates && machines > 1)
        fail_msg("%s, allocation %u: %zu machines", p->name, n, machines);
    if (made && machines != 1)
        fail_msg("%s, allocation %u: Created, and no machine", p->name, n);
    arena_reset(&fx.arena);
    return failed;
}

static void run_pass(const struct piece *p, arm_function *arm, bool cold)
{
    unsigned n = 1;
    for (bool failed = true; failed; n++) {
        if (n == ROUNDS_MAX)
            fail_msg("%s: still allocations to fail after %d rounds", p->name, ROUNDS_MAX);
        if (cold)
            begin();
        failed = run_round(p, arm, n);
        if (cold)
            fixture_end(&fx);
    }
    print_message("%s: %u rounds\n", p->name, n - 1);
    if (cold)
        assert_true(n > 2);
}

static void run_all(arm_function *arm, bool cold)
{
    if (!cold)
        begin();
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        run_pass(&pieces[i], arm, cold);
    if (!cold)
        fixture_end(&fx);
}

static void test_one_fails(void **state)
{
    (void)state;
    run_all(alloc_fail_at, true);
}

static void test_all_fail_for_a_while(void **state)
{
    (void)state;
    run_all(alloc_fail_from, false);
}

/* ---- The start of the gateway ---- */

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
        cmocka_unit_test(test_one_fails),
        cmocka_unit_test(test_all_fail_for_a_while),
        cmocka_unit_test(test_start_one_fails),
        cmocka_unit_test(test_start_all_fail),
    };
    alloc_fail_spare(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
