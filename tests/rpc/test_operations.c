/* Mutating calls as their callers see them: operations, waiting, batches, and a cloud that is full.
 */
#include "gateway_clouds.h"

static pb_Reply *ask_id(const char *method, const void *request, const char *request_id)
{
    return fixture_ask(
        &fx, &(struct asked){.method = method, .request = request, .request_id = request_id});
}

static void test_repeated_request(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "once");
    pb_Reply *a = ask_id("isobar.v1.VmService/CreateVm", req, "id-once");
    pb_Reply *b = ask_id("isobar.v1.VmService/CreateVm", req, "id-once");
    assert_int_equal(a->result->code, RESULT_CODE_CREATED);
    assert_int_equal(b->result->code, RESULT_CODE_CREATED);
    assert_string_equal(a->result->operation_id, b->result->operation_id);
    assert_string_equal(BODY(&fx, a, CreateVmResponse)->vm->id,
                        BODY(&fx, b, CreateVmResponse)->vm->id);
    /* Only how long it waits may differ. */
    req->wait = WAIT_RUNNING;
    b = ask_id("isobar.v1.VmService/CreateVm", req, "id-once");
    assert_string_equal(a->result->operation_id, b->result->operation_id);
    req->spec->name = TEXT("twice");
    b = ask_id("isobar.v1.VmService/CreateVm", req, "id-once");
    assert_int_equal(b->result->code, RESULT_CODE_ALREADY_EXISTS);
}

static void test_not_waiting(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "slow", "later");
    req->wait = WAIT_NONE;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_ACCEPTED);
    assert_true(r->result->operation_id[0]);
    pb_WaitOperationRequest *wait = NEW(&fx, WaitOperationRequest);
    wait->id = r->result->operation_id;
    pb_Reply *short_wait =
        fixture_ask(&fx, &(struct asked){.method = "isobar.v1.OperationService/WaitOperation",
                                         .request = &wait->base,
                                         .timeout_ms = 20});
    assert_int_equal(short_wait->result->code, RESULT_CODE_ACCEPTED);
    r = ask("isobar.v1.OperationService/WaitOperation", wait);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    pb_Operation *o = BODY(&fx, r, WaitOperationResponse)->operation;
    assert_int_equal(o->state, OPERATION_STATE_DONE);
    assert_int_equal(o->result->code, RESULT_CODE_CREATED);
    assert_true(o->native_id[0]);
    assert_true(o->response.len > 0);
    wait->id = TEXT("none");
    r = ask("isobar.v1.OperationService/WaitOperation", wait);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
}

static void test_deadline_ends_the_waiting_only(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "slow", "patient");
    pb_Reply *r = fixture_ask(&fx, &(struct asked){.method = "isobar.v1.VmService/CreateVm",
                                                   .request = &req->base,
                                                   .timeout_ms = 700});
    assert_int_equal(r->result->code, RESULT_CODE_ACCEPTED);
    pb_WaitOperationRequest *wait = NEW(&fx, WaitOperationRequest);
    wait->id = r->result->operation_id;
    r = ask("isobar.v1.OperationService/WaitOperation", wait);
    assert_int_equal(BODY(&fx, r, WaitOperationResponse)->operation->result->code,
                     RESULT_CODE_CREATED);
}

static void test_actions(void **state)
{
    (void)state;
    pb_Vm *vm = create("box", "worker");
    pb_StopVmRequest *stop = NEW(&fx, StopVmRequest);
    stop->cloud = TEXT("box");
    stop->id = vm->id;
    stop->dry_run = true;
    pb_Reply *r = ask("isobar.v1.VmService/StopVm", stop);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    assert_int_equal(BODY(&fx, r, StopVmResponse)->vm->state, VM_STATE_RUNNING);
    stop->dry_run = false;
    stop->wait = WAIT_RUNNING;
    r = ask("isobar.v1.VmService/StopVm", stop);
    assert_int_equal(r->result->code, RESULT_CODE_CHANGED);
    assert_int_equal(BODY(&fx, r, StopVmResponse)->vm->state, VM_STATE_STOPPED);
    pb_ResizeVmRequest *resize = NEW(&fx, ResizeVmRequest);
    resize->cloud = TEXT("box");
    resize->id = vm->id;
    resize->flavor_name = TEXT("m1.medium");
    resize->wait = WAIT_RUNNING;
    r = ask("isobar.v1.VmService/ResizeVm", resize);
    assert_int_equal(r->result->code, RESULT_CODE_CHANGED);
    assert_string_equal(BODY(&fx, r, ResizeVmResponse)->vm->flavor_name, "m1.medium");
    pb_DeleteVmRequest *delete = NEW(&fx, DeleteVmRequest);
    delete->cloud = TEXT("box");
    delete->id = vm->id;
    delete->wait = WAIT_RUNNING;
    r = ask("isobar.v1.VmService/DeleteVm", delete);
    assert_int_equal(r->result->code, RESULT_CODE_DELETED);
    assert_int_equal(BODY(&fx, r, DeleteVmResponse)->vm->state, VM_STATE_DELETED);
}

static void test_machine_that_fails(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "doomed");
    pb_VmSpec_ParametersEntry *entry = NEW(&fx, VmSpec_ParametersEntry);
    entry->key = TEXT("fail_boot");
    entry->value = TEXT("true");
    req->spec->parameters = &entry;
    req->spec->n_parameters = 1;
    req->wait = WAIT_RUNNING;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_false(result_is_success(r->result->code));
    assert_int_equal(r->result->blame, BLAME_CLOUD);
    assert_int_equal(r->result->side_effects, SIDE_EFFECTS_CERTAIN);
    assert_int_equal(BODY(&fx, r, CreateVmResponse)->vm->state, VM_STATE_ERROR);
}

static void test_batches(void **state)
{
    (void)state;
    create("box", "batch-a");
    create("box", "batch-b");
    char *ids[] = {TEXT("batch-a"), TEXT("batch-b"), TEXT("batch-none")};
    pb_BatchControlVmsRequest *control = NEW(&fx, BatchControlVmsRequest);
    control->cloud = TEXT("box");
    control->ids = ids;
    control->n_ids = 3;
    control->action = VM_ACTION_STOP;
    control->wait = WAIT_RUNNING;
    pb_Reply *r = ask("isobar.v1.VmService/BatchControlVms", control);
    assert_int_equal(r->result->code, RESULT_CODE_PARTIAL);
    pb_BatchControlVmsResponse *rsp = BODY(&fx, r, BatchControlVmsResponse);
    assert_int_equal(rsp->n_results, 3);
    assert_int_equal(rsp->results[0]->result->code, RESULT_CODE_CHANGED);
    assert_int_equal(rsp->results[1]->vm->state, VM_STATE_STOPPED);
    assert_int_equal(rsp->results[2]->result->code, RESULT_CODE_NOT_FOUND);
    pb_BatchGetVmStatusRequest *status = NEW(&fx, BatchGetVmStatusRequest);
    status->cloud = TEXT("box");
    status->ids = ids;
    status->n_ids = 2;
    r = ask("isobar.v1.VmService/BatchGetVmStatus", status);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    pb_BatchGetVmStatusResponse *seen = BODY(&fx, r, BatchGetVmStatusResponse);
    assert_int_equal(seen->results[1]->vm->state, VM_STATE_STOPPED);
    status->n_ids = 0;
    r = ask("isobar.v1.VmService/BatchGetVmStatus", status);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
}

static void test_several_machines(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "many");
    req->spec->instance_count = 3;
    pb_Reply *r = ask_id("isobar.v1.VmService/CreateVm", req, "id-many");
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    pb_CreateVmResponse *a = BODY(&fx, r, CreateVmResponse);
    assert_int_equal(a->n_results, 3);
    assert_string_equal(a->results[2]->vm->name, "many-3");
    r = ask_id("isobar.v1.VmService/CreateVm", req, "id-many");
    pb_CreateVmResponse *b = BODY(&fx, r, CreateVmResponse);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(a->results[i]->vm->id, b->results[i]->vm->id);
    req->spec->instance_count = -1;
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "spec.instance_count"));
}

/* Two places, three in the queue: of nine at once four are too many, and none is lost. */
static void test_overload(void **state)
{
    (void)state;
    int fds[9];
    pb_ListFlavorsRequest *list = NEW(&fx, ListFlavorsRequest);
    list->cloud = TEXT("slow");
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = fixture_connect(&fx);
        fixture_send(fds[i], &(struct asked){.method = "isobar.v1.FlavorService/ListFlavors",
                                             .request = &list->base});
    }
    unsigned ok = 0, overloaded = 0;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        pb_Reply *r = fixture_receive(&fx, fds[i]);
        ok += r->result->code == RESULT_CODE_OK;
        if (r->result->code == RESULT_CODE_OVERLOADED) {
            overloaded++;
            assert_true(r->result->retry->after_ms > 0);
        }
        close(fds[i]);
    }
    assert_int_equal(ok + overloaded, ARRAY_LEN(fds));
    assert_true(ok >= 5);
    assert_true(overloaded >= 1);
}

static void test_deadline_in_the_queue(void **state)
{
    (void)state;
    int fds[4];
    pb_ListFlavorsRequest *list = NEW(&fx, ListFlavorsRequest);
    list->cloud = TEXT("slow");
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = fixture_connect(&fx);
        fixture_send(fds[i], &(struct asked){.method = "isobar.v1.FlavorService/ListFlavors",
                                             .request = &list->base,
                                             .timeout_ms = i < 2 ? 0 : 100});
        /* The order of arrival is the order of sending. */
        usleep(20000);
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        pb_Reply *r = fixture_receive(&fx, fds[i]);
        assert_int_equal(r->result->code, i < 2 ? RESULT_CODE_OK : RESULT_CODE_DEADLINE_EXCEEDED);
        close(fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated_request),
        cmocka_unit_test(test_not_waiting),
        cmocka_unit_test(test_deadline_ends_the_waiting_only),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_machine_that_fails),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_several_machines),
        cmocka_unit_test(test_overload),
        cmocka_unit_test(test_deadline_in_the_queue),
    };
    return cmocka_run_group_tests(tests, start, end);
}
