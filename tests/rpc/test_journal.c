/* The journal through the whole gateway: request ids across restarts, lost replies, cancelling,
 * tombstones, parked operations, and a disk that takes nothing. */
#include <signal.h>
#include <sys/resource.h>

#include "gateway_fixture.h"
#include "operation_private.h"

static struct fixture fx;

#define BOX "clouds:\n  box: {adapter: sandbox, pace_ms: 20}\n"

static pb_Reply *ask(const char *method, const void *request)
{
    return fixture_ask(&fx, &(struct asked){.method = method, .request = request});
}

static pb_Reply *ask_id(const char *method, const void *request, const char *id, uint32_t ms)
{
    return fixture_ask(
        &fx,
        &(struct asked){.method = method, .request = request, .request_id = id, .timeout_ms = ms});
}

static pb_Reply *create(const char *cloud, const char *name, pb_Wait wait, const char *id)
{
    pb_CreateVmRequest *req = fixture_create(&fx, cloud, name);
    req->wait = wait;
    return ask_id("isobar.v1.VmService/CreateVm", req, id, 0);
}

static pb_Operation *wait_for(const char *id)
{
    pb_WaitOperationRequest *req = NEW(&fx, WaitOperationRequest);
    req->id = TEXT(id);
    pb_Reply *r = ask_id("isobar.v1.OperationService/WaitOperation", req, NULL, 20000);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    return BODY(&fx, r, WaitOperationResponse)->operation;
}

static size_t count_vms(const char *cloud)
{
    pb_ListVmsRequest *req = NEW(&fx, ListVmsRequest);
    req->cloud = TEXT(cloud);
    pb_Reply *r = ask("isobar.v1.VmService/ListVms", req);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    return BODY(&fx, r, ListVmsResponse)->n_vms;
}

static pb_Reply *cancel(const char *id)
{
    pb_CancelOperationRequest *req = NEW(&fx, CancelOperationRequest);
    req->id = TEXT(id);
    return ask("isobar.v1.OperationService/CancelOperation", req);
}

static void test_request_id_outlives_a_restart(void **state)
{
    (void)state;
    fixture_start(&fx, BOX);
    pb_Reply *a = create("box", "web", WAIT_UNSPECIFIED, "r-1");
    assert_int_equal(a->result->code, RESULT_CODE_CREATED);
    fixture_restart(&fx, BOX);
    pb_Reply *b = create("box", "web", WAIT_UNSPECIFIED, "r-1");
    assert_int_equal(b->result->code, RESULT_CODE_CREATED);
    assert_string_equal(a->result->operation_id, b->result->operation_id);
    assert_string_equal(BODY(&fx, a, CreateVmResponse)->vm->id,
                        BODY(&fx, b, CreateVmResponse)->vm->id);
    /* It was answered from the journal: the sandbox of this process has made nothing. */
    assert_int_equal(count_vms("box"), 0);
    b = create("box", "db", WAIT_UNSPECIFIED, "r-1");
    assert_int_equal(b->result->code, RESULT_CODE_ALREADY_EXISTS);
    pb_GetOperationRequest *get = NEW(&fx, GetOperationRequest);
    get->id = a->result->operation_id;
    b = ask("isobar.v1.OperationService/GetOperation", get);
    pb_Operation *o = BODY(&fx, b, GetOperationResponse)->operation;
    assert_int_equal(o->state, OPERATION_STATE_DONE);
    assert_string_equal(o->request_id, "r-1");
    assert_int_equal(o->result->code, RESULT_CODE_CREATED);
    assert_true(o->response.len > 0);
    fixture_end(&fx);
}

static void test_lost_replies_are_resolved(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  box: {adapter: sandbox, lost_reply_rate: 0.7, seed: 7, "
                       "late_commit_ms: 30}\n");
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof(name), "vm-%d", i);
        pb_Reply *r = create("box", name, WAIT_UNSPECIFIED, name);
        assert_int_equal(r->result->code, RESULT_CODE_CREATED);
        assert_string_equal(BODY(&fx, r, CreateVmResponse)->vm->name, name);
    }
    usleep(50000);
    assert_int_equal(count_vms("box"), 10);
    fixture_end(&fx);
}

/* A failure after which nothing is there, and that may pass, leaves the request id free. */
static void test_failure_frees_the_request_id(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  box: {adapter: sandbox, error_rate: 1}\n");
    pb_Reply *r = create("box", "web", WAIT_UNSPECIFIED, "again");
    assert_int_equal(r->result->code, RESULT_CODE_UNAVAILABLE);
    fixture_restart(&fx, BOX);
    r = create("box", "web", WAIT_UNSPECIFIED, "again");
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    fixture_end(&fx);
}

#define SLOW "clouds:\n  slow: {adapter: sandbox, latency_ms: 400, pace_ms: 1, max_in_flight: 1}\n"

static void test_cancel_before_it_is_sent(void **state)
{
    (void)state;
    fixture_start(&fx, SLOW);
    pb_Reply *first = create("slow", "first", WAIT_NONE, NULL);
    pb_Reply *second = create("slow", "second", WAIT_NONE, NULL);
    assert_int_equal(second->result->code, RESULT_CODE_ACCEPTED);
    pb_Reply *r = cancel(second->result->operation_id);
    assert_int_equal(r->result->code, RESULT_CODE_CHANGED);
    assert_true(BODY(&fx, r, CancelOperationResponse)->operation->cancelled);
    pb_Operation *o = wait_for(second->result->operation_id);
    assert_int_equal(o->result->code, RESULT_CODE_CANCELLED);
    assert_int_equal(o->result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(wait_for(first->result->operation_id)->result->code, RESULT_CODE_CREATED);
    assert_int_equal(count_vms("slow"), 1);
    r = cancel(second->result->operation_id);
    assert_int_equal(r->result->code, RESULT_CODE_FAILED_PRECONDITION);
    r = cancel("01a214f4-e8f2-712b-b2e8-b075d3506647");
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
    fixture_end(&fx);
}

static void test_cancel_on_its_way(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  slow: {adapter: sandbox, latency_ms: 3000, pace_ms: 1, "
                       "max_in_flight: 1}\n");
    pb_Reply *r = create("slow", "web", WAIT_NONE, NULL);
    const char *id = r->result->operation_id;
    usleep(150000); /* the order is on its way now */
    assert_int_equal(cancel(id)->result->code, RESULT_CODE_CHANGED);
    pb_Operation *o = wait_for(id);
    assert_int_equal(o->result->code, RESULT_CODE_CANCELLED);
    usleep(50000);
    assert_int_equal(count_vms("slow"), 0);
    fixture_end(&fx);
}

static void test_delete_meets_an_unfinished_create(void **state)
{
    (void)state;
    fixture_start(&fx, "clouds:\n  slow: {adapter: sandbox, latency_ms: 400, pace_ms: 1}\n");
    pb_Reply *r = create("slow", "web", WAIT_NONE, NULL);
    pb_DeleteVmRequest *delete = NEW(&fx, DeleteVmRequest);
    delete->cloud = TEXT("slow");
    delete->id = TEXT("web");
    pb_Reply *gone = ask("isobar.v1.VmService/DeleteVm", delete);
    assert_int_equal(gone->result->code, RESULT_CODE_DELETED);
    pb_Operation *o = wait_for(r->result->operation_id);
    /* Either the create was taken back, or it had succeeded just before and the machine went. */
    assert_true(o->result->code == RESULT_CODE_CANCELLED || o->result->code == RESULT_CODE_CREATED);
    usleep(50000);
    assert_int_equal(count_vms("slow"), 0);
    gone = ask("isobar.v1.VmService/DeleteVm", delete);
    assert_int_equal(gone->result->code, RESULT_CODE_NOT_FOUND);
    fixture_end(&fx);
}

/* What a process leaves open waits for its cloud, and then goes on. */
static void test_parked_until_the_cloud_is_back(void **state)
{
    (void)state;
    fixture_start(&fx, "drain_timeout: 15s\n"
                       "clouds:\n  lab: {adapter: sandbox, latency_ms: 2000, max_in_flight: 1}\n");
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof(name), "vm-%d", i);
        assert_int_equal(create("lab", name, WAIT_NONE, name)->result->code, RESULT_CODE_ACCEPTED);
    }
    fixture_restart(&fx, "drain_timeout: 15s\n" BOX);
    pb_ListOperationsRequest *list = NEW(&fx, ListOperationsRequest);
    pb_OperationState open[] = {OPERATION_STATE_INTENT, OPERATION_STATE_UNKNOWN};
    list->states = open;
    list->n_states = 2;
    pb_Reply *r = ask("isobar.v1.OperationService/ListOperations", list);
    pb_ListOperationsResponse *parked = BODY(&fx, r, ListOperationsResponse);
    assert_true(parked->n_operations >= 2);
    /* A repetition finds it, and is told that it goes on. */
    r = ask_id("isobar.v1.VmService/CreateVm", fixture_create(&fx, "lab", "vm-3"), "vm-3", 300);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND); /* no such cloud now */
    struct config *c = fixture_config(&fx, "clouds:\n  lab: {adapter: sandbox}\n");
    assert_true(gateway_reload(fx.gateway, c, fixture_report, NULL));
    for (size_t i = 0; i < parked->n_operations; i++) {
        pb_Operation *o = wait_for(parked->operations[i]->id);
        assert_int_equal(o->result->code, RESULT_CODE_CREATED);
    }
    assert_int_equal(count_vms("lab"), parked->n_operations);
    while (gateway_tidy(fx.gateway) >= 0)
        usleep(10000);
    fixture_end(&fx);
}

static void test_lists(void **state)
{
    (void)state;
    fixture_start(&fx, BOX "  other: {adapter: sandbox}\n");
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof(name), "vm-%d", i);
        create(i % 2 ? "other" : "box", name, WAIT_UNSPECIFIED, name);
    }
    pb_ListOperationsRequest *list = NEW(&fx, ListOperationsRequest);
    list->cloud = TEXT("other");
    list->page_size = 2;
    size_t seen = 0;
    for (int pages = 1;; pages++) {
        pb_Reply *r = ask("isobar.v1.OperationService/ListOperations", list);
        pb_ListOperationsResponse *page = BODY(&fx, r, ListOperationsResponse);
        for (size_t i = 0; i < page->n_operations; i++) {
            char name[16];
            snprintf(name, sizeof(name), "vm-%zu", 9 - 2 * seen++);
            assert_string_equal(page->operations[i]->request_id, name);
            assert_int_equal(page->operations[i]->result->code, RESULT_CODE_CREATED);
        }
        if (!page->next_page_token[0]) {
            assert_int_equal(pages, 3);
            break;
        }
        list->page_token = page->next_page_token;
    }
    assert_int_equal(seen, 5);
    list = NEW(&fx, ListOperationsRequest);
    list->request_id = TEXT("vm-4");
    pb_Reply *r = ask("isobar.v1.OperationService/ListOperations", list);
    pb_ListOperationsResponse *one = BODY(&fx, r, ListOperationsResponse);
    assert_int_equal(one->n_operations, 1);
    assert_string_equal(one->operations[0]->request_id, "vm-4");
    list->request_id = TEXT("vm-44");
    r = ask("isobar.v1.OperationService/ListOperations", list);
    assert_int_equal(BODY(&fx, r, ListOperationsResponse)->n_operations, 0);
    fixture_end(&fx);
}

/* The disk takes nothing: the call fails, nothing is sent, and all goes on when there is room. */
static void test_full_disk(void **state)
{
    (void)state;
    fixture_start(&fx, BOX);
    assert_int_equal(create("box", "before", WAIT_UNSPECIFIED, NULL)->result->code,
                     RESULT_CODE_CREATED);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    none = (struct rlimit){.rlim_cur = 4096, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    pb_Reply *r = create("box", "during", WAIT_UNSPECIFIED, "id-during");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(r->result->code, RESULT_CODE_UNAVAILABLE);
    assert_int_equal(r->result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(r->result->blame, BLAME_GATEWAY);
    assert_int_equal(count_vms("box"), 1);
    r = create("box", "during", WAIT_UNSPECIFIED, "id-during");
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    assert_int_equal(count_vms("box"), 2);
    fixture_end(&fx);
}

static pb_LeftoverVerdict verdict_of(const char *operation)
{
    pb_ListLeftoversRequest *req = NEW(&fx, ListLeftoversRequest);
    pb_LeftoverVerdict all[] = {LEFTOVER_VERDICT_IN_WORK, LEFTOVER_VERDICT_KNOWN,
                                LEFTOVER_VERDICT_FOREIGN, LEFTOVER_VERDICT_ORPHAN};
    req->verdicts = all;
    req->n_verdicts = ARRAY_LEN(all);
    pb_Reply *r = ask("isobar.v1.OperationService/ListLeftovers", req);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    pb_ListLeftoversResponse *list = BODY(&fx, r, ListLeftoversResponse);
    for (size_t i = 0; i < list->n_leftovers; i++)
        if (strcmp(list->leftovers[i]->operation_id, operation) == 0)
            return list->leftovers[i]->verdict;
    return LEFTOVER_VERDICT_UNSPECIFIED;
}

static pb_ResultCode delete_leftover(const char *operation)
{
    pb_DeleteLeftoverRequest *req = NEW(&fx, DeleteLeftoverRequest);
    req->cloud = TEXT("box");
    req->id = TEXT(operation);
    return ask("isobar.v1.OperationService/DeleteLeftover", req)->result->code;
}

static void test_leftovers(void **state)
{
    (void)state;
    fixture_start(&fx, BOX);
    const char *id = create("box", "web", WAIT_UNSPECIFIED, NULL)->result->operation_id;
    assert_int_equal(verdict_of(id), LEFTOVER_VERDICT_KNOWN);
    pb_ListLeftoversRequest *req = NEW(&fx, ListLeftoversRequest);
    pb_Reply *r = ask("isobar.v1.OperationService/ListLeftovers", req);
    assert_int_equal(BODY(&fx, r, ListLeftoversResponse)->n_leftovers, 0);
    assert_int_equal(delete_leftover(id), RESULT_CODE_FAILED_PRECONDITION);
    assert_int_equal(delete_leftover("web"), RESULT_CODE_BAD_REQUEST_DATA);
    /* Of another gateway, and of this one but just now: neither is proved to be left over. */
    char foreign[UUID_TEXT_LEN + 1], young[UUID_TEXT_LEN + 1];
    snprintf(foreign, sizeof(foreign), "%.28s00000000", id);
    assert_int_equal(delete_leftover(foreign), RESULT_CODE_FAILED_PRECONDITION);
    uuid7(young);
    memcpy(young + UUID_TEXT_LEN - 8, id + UUID_TEXT_LEN - 8, 8);
    assert_int_equal(delete_leftover(young), RESULT_CODE_FAILED_PRECONDITION);
    /* Long ago, by this gateway, and the journal knows nothing of it. */
    memcpy(young, "01900000", 8);
    assert_int_equal(delete_leftover(young), RESULT_CODE_DELETED);
    fixture_end(&fx);
}

/* An operation that ended so long ago, under a request id, as a process before would have left it.
 */
static void put_old(struct store *s, const char *id, const char *request_id, int64_t ago_s)
{
    pb_OperationRecord record = pb_OperationRecord_INIT;
    pb_Operation o = pb_Operation_INIT;
    pb_Result result = pb_Result_INIT;
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    uint8_t bytes[1024];
    at.seconds = clock_wall_ns() / NS_PER_SEC - ago_s;
    result.code = RESULT_CODE_CREATED;
    o.id = TEXT(id);
    o.state = OPERATION_STATE_DONE;
    o.method = TEXT("isobar.v1.VmService/CreateVm");
    o.cloud = TEXT("box");
    o.principal = TEXT("local");
    o.request_id = TEXT(request_id);
    o.created_at = o.updated_at = &at;
    o.result = &result;
    record.operation = &o;
    record.keyed = true;
    char *name = arena_printf(&fx.arena, "operation/%s", id);
    struct store_change changes[] = {
        {.key = name, .data = bytes, .len = protobuf_c_message_pack(&record.base, bytes)},
        {.key = journal_key(&fx.arena, request_id, "local"), .data = id, .len = strlen(id)},
    };
    struct store_txn t = {.changes = changes, .n_changes = 2};
    assert_int_equal(store_commit(s, &t), STORE_DONE);
}

static pb_ResultCode get_operation(const char *id)
{
    pb_GetOperationRequest *get = NEW(&fx, GetOperationRequest);
    get->id = TEXT(id);
    return ask("isobar.v1.OperationService/GetOperation", get)->result->code;
}

static void test_old_ones_are_forgotten(void **state)
{
    (void)state;
    static const char *const old = "01900000-0000-7000-8000-000000000001";
    static const char *const young = "01900000-0000-7000-8000-000000000002";
    char why[512];
    fixture_start(&fx, "keep_operations: 60s\n" BOX);
    assert_true(gateway_drain(fx.gateway));
    struct store *s = store_open(fx.dir, why);
    assert_non_null(s);
    put_old(s, old, "r-old", 3600);
    put_old(s, young, "r-young", 10);
    store_close(s);
    struct config *c = fixture_config(&fx, "keep_operations: 60s\n" BOX);
    fx.gateway = gateway_start(c, fixture_report, NULL);
    assert_non_null(fx.gateway);
    for (int i = 0; i < 1000 && get_operation(old) != RESULT_CODE_NOT_FOUND; i++)
        usleep(20000);
    assert_int_equal(get_operation(old), RESULT_CODE_NOT_FOUND);
    assert_int_equal(get_operation(young), RESULT_CODE_OK);
    /* Its request id is free again; that of the other is not. */
    assert_int_equal(create("box", "web", WAIT_UNSPECIFIED, "r-old")->result->code,
                     RESULT_CODE_CREATED);
    assert_int_equal(create("box", "web", WAIT_UNSPECIFIED, "r-young")->result->code,
                     RESULT_CODE_ALREADY_EXISTS);
    fixture_end(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_id_outlives_a_restart),
        cmocka_unit_test(test_lost_replies_are_resolved),
        cmocka_unit_test(test_failure_frees_the_request_id),
        cmocka_unit_test(test_cancel_before_it_is_sent),
        cmocka_unit_test(test_cancel_on_its_way),
        cmocka_unit_test(test_delete_meets_an_unfinished_create),
        cmocka_unit_test(test_parked_until_the_cloud_is_back),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_old_ones_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
