/* A gateway whose cloud `far` is another gateway's cloud `box`: what its users see, and what the
 * adapter by itself does. */
#include "cascade_fixture.h"

static struct adapter *direct; /* the adapter by itself, to `box` */

#define CLOUDS                                                                                     \
    "clouds:\n"                                                                                    \
    "  box: {adapter: sandbox, pace_ms: 20, boot_ms: 50, quota_instances: 40}\n"                   \
    "  slow: {adapter: sandbox, latency_ms: 700}\n"                                                \
    "  lossy: {adapter: sandbox, script: \"lost_reply,ok,lost_reply\"}\n"                          \
    "  far: {adapter: remote, server: \"@\", cloud: box, defaults: {parameters: {boot_ms: 60}}}\n" \
    "  far-lossy: {adapter: remote, server: \"@\", cloud: lossy}\n"                                \
    "  farther: {adapter: remote, server: \"@\", cloud: far}\n"                                    \
    "  nowhere: {adapter: remote, server: \"@\", cloud: none}\n"                                   \
    "  down: {adapter: remote, server: \"@.not\", cloud: box}\n"

static struct adapter *open_remote(const char *cloud)
{
    struct setting items[] = {{"server", gateway_url}, {"cloud", cloud}};
    struct settings s = {.cloud = "far", .n = ARRAY_LEN(items), .items = items};
    struct open_error error = {""};
    struct adapter *a = remote_adapter.open(&s, &error);
    if (!a)
        fail_msg("%s", error.text);
    return a;
}

static int start(void **state)
{
    (void)state;
    cascade_start(CLOUDS);
    direct = open_remote("box");
    return 0;
}

static int end(void **state)
{
    (void)state;
    remote_adapter.close(direct);
    fixture_end(&fx);
    return 0;
}

static struct op make_op(const char *token)
{
    return (struct op){.arena = &fx.arena,
                       .deadline_ns = clock_mono_ns() + 20 * NS_PER_SEC,
                       .token = token,
                       .request_id = "r",
                       .traceparent = "",
                       .result = result_new(&fx.arena)};
}

static void a_machine_lives_and_dies_through_it(void **state)
{
    (void)state;
    pb_Vm *vm = create("far", "web");
    assert_string_equal(vm->cloud, "far");
    assert_int_equal(vm->state, VM_STATE_RUNNING);
    /* The same machine, seen from both ends. */
    pb_Vm *there = BODY(&fx, get("box", vm->id), GetVmResponse)->vm;
    assert_string_equal(there->cloud, "box");
    assert_string_equal(there->name, "web");
    assert_string_equal(BODY(&fx, get("far", "web"), GetVmResponse)->vm->id, vm->id);
    pb_ListVmsResponse *l = list("far", "w*");
    assert_int_equal(l->n_vms, 1);
    assert_string_equal(l->vms[0]->cloud, "far");

    pb_StopVmRequest *stop = NEW(&fx, StopVmRequest);
    stop->cloud = TEXT("far");
    stop->id = vm->id;
    stop->wait = WAIT_RUNNING;
    pb_Reply *r = ask("isobar.v1.VmService/StopVm", stop);
    assert_int_equal(r->result->code, RESULT_CODE_CHANGED);
    assert_int_equal(BODY(&fx, r, StopVmResponse)->vm->state, VM_STATE_STOPPED);
    assert_int_equal(delete_vm("far", vm->id)->result->code, RESULT_CODE_DELETED);
    assert_int_equal(list("box", "web")->n_vms, 0);
}

static void gateways_cascade(void **state)
{
    (void)state;
    pb_Vm *vm = create("farther", "deep");
    assert_string_equal(vm->cloud, "farther");
    assert_int_equal(get("box", vm->id)->result->code, RESULT_CODE_OK);
}

static void other_kinds_come_through(void **state)
{
    (void)state;
    pb_ListFlavorsRequest *flavors = NEW(&fx, ListFlavorsRequest);
    flavors->cloud = TEXT("far");
    flavors->min_vcpus = 2;
    pb_Reply *r = ask("isobar.v1.FlavorService/ListFlavors", flavors);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    pb_ListFlavorsResponse *rsp = BODY(&fx, r, ListFlavorsResponse);
    assert_true(rsp->n_flavors > 0);
    for (size_t i = 0; i < rsp->n_flavors; i++) {
        assert_string_equal(rsp->flavors[i]->cloud, "far");
        assert_true(rsp->flavors[i]->vcpus >= 2);
    }
    pb_GetImageRequest *image = NEW(&fx, GetImageRequest);
    image->cloud = TEXT("far");
    image->id = TEXT("ubuntu");
    r = ask("isobar.v1.ImageService/GetImage", image);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    assert_string_equal(BODY(&fx, r, GetImageResponse)->image->name, "ubuntu");
    pb_CheckCloudRequest *check = NEW(&fx, CheckCloudRequest);
    check->cloud = TEXT("far");
    r = ask("isobar.v1.CloudService/CheckCloud", check);
    pb_CheckCloudResponse *checked = BODY(&fx, r, CheckCloudResponse);
    assert_int_equal(checked->n_services, 2);
    assert_non_null(strstr(checked->services[0], fx.socket));
    assert_non_null(strstr(checked->services[1], "compute"));
}

static void failures_keep_their_particulars(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "far", "wrong");
    req->spec->flavor_name = TEXT("m1.smal");
    pb_Reply *near = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(near->result->code, RESULT_CODE_NOT_FOUND);
    assert_true(has_violation(near->result, "spec.flavor_name"));
    assert_non_null(strstr(near->result->detail, fx.socket));
    assert_non_null(strstr(near->result->detail, "m1.small"));
    assert_int_equal(near->result->blame, BLAME_CALLER);
    assert_int_equal(near->result->side_effects, SIDE_EFFECTS_NONE);

    pb_Reply *r = get("far", "no-such-machine");
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
    assert_int_equal(r->result->retry->class_, RETRY_CLASS_NEVER);

    /* What is wrong for the cloud behind comes from there; this gateway lets it through. */
    req = fixture_create(&fx, "far", "wrong");
    pb_VmSpec_ParametersEntry *entry = NEW(&fx, VmSpec_ParametersEntry);
    entry->key = TEXT("fail_bot");
    entry->value = TEXT("true");
    req->spec->parameters = &entry;
    req->spec->n_parameters = 1;
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "spec.parameters.fail_bot"));
    req->spec->n_parameters = 0;
    req->dry_run = true;
    r = ask("isobar.v1.VmService/CreateVm", req);
    assert_true(result_is_success(r->result->code));
    assert_string_equal(r->result->detail, "");
    assert_int_equal(list("box", "wrong")->n_vms, 0);
}

/* "No such cloud" is the connection's fault; it must not look like a machine that is gone. */
static void a_cloud_that_is_not_there_is_no_machine_that_is_gone(void **state)
{
    (void)state;
    pb_Reply *r = get("nowhere", "web");
    assert_int_equal(r->result->code, RESULT_CODE_UNAVAILABLE);
    assert_int_equal(r->result->blame, BLAME_GATEWAY);
    assert_int_equal(r->result->retry->class_, RETRY_CLASS_NEVER);
    assert_non_null(strstr(r->result->detail, "has no cloud \"none\""));
    assert_int_equal(delete_vm("nowhere", "web")->result->code, RESULT_CODE_UNAVAILABLE);
}

static void a_gateway_that_is_down_is_unavailable(void **state)
{
    (void)state;
    pb_Reply *r = get("down", "web");
    assert_int_equal(r->result->code, RESULT_CODE_UNAVAILABLE);
    assert_int_equal(r->result->retry->class_, RETRY_CLASS_AFTER_BACKOFF);
    assert_non_null(strstr(r->result->detail, "nothing listens at"));
    r = ask("isobar.v1.VmService/CreateVm", fixture_create(&fx, "down", "web"));
    assert_int_equal(r->result->code, RESULT_CODE_UNAVAILABLE);
    assert_int_equal(r->result->side_effects, SIDE_EFFECTS_NONE);
}

/* The cloud behind knows the operation by the mark on what it made, and no journal but ours has it.
 */
static void machines_bear_our_operation(void **state)
{
    (void)state;
    struct asked q = {.method = "isobar.v1.VmService/CreateVm",
                      .request_id = "the-request",
                      .request = &fixture_create(&fx, "far", "marked")->base};
    pb_Reply *r = fixture_ask(&fx, &q);
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    const char *operation = r->result->operation_id, *clouds[] = {"box", "far"};
    assert_string_not_equal(operation, "");
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        pb_Reply *seen = look_up_there(clouds[i], operation);
        assert_int_equal(seen->result->code, RESULT_CODE_OK);
        pb_ListOperationVmsResponse *vms = BODY(&fx, seen, ListOperationVmsResponse);
        assert_int_equal(vms->n_vms, 1);
        assert_string_equal(vms->vms[0]->id, BODY(&fx, r, CreateVmResponse)->vm->id);
        assert_string_equal(vms->vms[0]->cloud, clouds[i]);

        pb_ListOperationsRequest *req = NEW(&fx, ListOperationsRequest);
        req->cloud = TEXT(clouds[i]);
        req->request_id = TEXT("the-request");
        seen = ask("isobar.v1.OperationService/ListOperations", req);
        pb_ListOperationsResponse *rsp = BODY(&fx, seen, ListOperationsResponse);
        assert_int_equal(rsp->n_operations, i); /* only of `far` */
        if (i == 1)
            assert_string_equal(rsp->operations[0]->id, operation);
    }
}

static char noted[64];

static bool note(struct op *op, const char *native_id)
{
    (void)op;
    snprintf(noted, sizeof(noted), "%s", native_id);
    return true;
}

static void one_token_is_one_machine(void **state)
{
    (void)state;
    char ids[2][64];
    for (int i = 0; i < 2; i++) {
        struct op op = make_op("token-once");
        pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
        op.resumed = i > 0;
        op.note_id = note;
        noted[0] = '\0';
        /* The cloud's name here is not its name there, and the waiting is done here. */
        pb_CreateVmRequest *req = fixture_create(&fx, "whatever", "once");
        req->wait = WAIT_RUNNING;
        assert_int_equal(remote_adapter.create_vm(direct, &op, req, &rsp), RESULT_CODE_CREATED);
        assert_int_equal(rsp.vm->state, i == 0 ? VM_STATE_CREATING : rsp.vm->state);
        assert_string_equal(noted, rsp.vm->id);
        assert_string_equal(req->cloud, "whatever");
        snprintf(ids[i], sizeof(ids[i]), "%s", rsp.vm->id);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_int_equal(list("box", "once")->n_vms, 1);
}

static pb_ResultCode look_up(struct adapter *a, const char *token, struct op *op,
                             pb_ListOperationVmsResponse *rsp)
{
    pb_ListOperationVmsRequest *req = NEW(&fx, ListOperationVmsRequest);
    req->operation_id = TEXT(token);
    isobar__v1__list_operation_vms_response__init(rsp);
    *op = make_op(token);
    return remote_adapter.list_operation_vms(a, op, req, rsp);
}

static void machines_are_found_by_their_token(void **state)
{
    (void)state;
    struct op op = make_op("token-lookup");
    pb_CreateVmResponse made = pb_CreateVmResponse_INIT;
    pb_ListOperationVmsResponse rsp;
    assert_int_equal(look_up(direct, "token-lookup", &op, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 0);
    op = make_op("token-lookup");
    assert_int_equal(
        remote_adapter.create_vm(direct, &op, fixture_create(&fx, "far", "looked-up"), &made),
        RESULT_CODE_CREATED);
    assert_int_equal(look_up(direct, "token-lookup", &op, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 1);
    assert_string_equal(rsp.vms[0]->id, made.vm->id);

    assert_int_equal(delete_vm("box", made.vm->id)->result->code, RESULT_CODE_DELETED);
    assert_int_equal(look_up(direct, "token-lookup", &op, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 0);
    /* What bears no mark is of no operation. */
    assert_int_equal(look_up(direct, "", &op, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 0);
}

/* The order's time ends before the cloud behind has answered: what serves it says what it has done.
 */
static void an_order_out_of_time_says_what_it_did(void **state)
{
    (void)state;
    struct adapter *slow = open_remote("slow");
    struct op op = make_op("token-slow");
    pb_CreateVmResponse made = pb_CreateVmResponse_INIT;
    pb_ListOperationVmsResponse rsp;
    op.deadline_ns = clock_mono_ns() + 300 * NS_PER_MS;
    assert_int_equal(remote_adapter.create_vm(slow, &op, fixture_create(&fx, "far", "late"), &made),
                     RESULT_CODE_DEADLINE_EXCEEDED);
    assert_int_equal(op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_true(clock_mono_ns() < op.deadline_ns);
    assert_int_equal(look_up(slow, "token-slow", &op, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 0);
    remote_adapter.close(slow);
}

/* The cloud behind has not answered an order: it is unknown here as well, and whose operation it is
 * finds it by its mark. */
static void an_order_that_is_unknown_there_is_found(void **state)
{
    (void)state;
    struct adapter *lossy = open_remote("lossy");
    struct op op = make_op("token-lost");
    pb_CreateVmResponse made = pb_CreateVmResponse_INIT;
    pb_ListOperationVmsResponse rsp;
    assert_int_equal(
        remote_adapter.create_vm(lossy, &op, fixture_create(&fx, "far", "lost"), &made),
        RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
    assert_null(made.vm);
    assert_int_equal(look_up(lossy, "token-lost", &op, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 1);
    assert_string_equal(rsp.vms[0]->name, "lost");
    remote_adapter.close(lossy);

    /* The same with an operation of the gateway's. */
    (void)create("far-lossy", "first");
    pb_Vm *vm = create("far-lossy", "found");
    assert_string_equal(vm->cloud, "far-lossy");
    assert_int_equal(list("lossy", "found")->n_vms, 1);
}

static void several_machines_are_several_operations(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "far", "many");
    req->spec->instance_count = 3;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    assert_int_equal(BODY(&fx, r, CreateVmResponse)->n_results, 3);
    assert_int_equal(list("box", "many-*")->n_vms, 3);
}

/* They bear the marks of our operations: it is for us to judge them. */
static void leftovers_are_seen_through_it(void **state)
{
    (void)state;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", fixture_create(&fx, "far", "left"));
    const char *operation = r->result->operation_id;
    pb_LeftoverVerdict all[] = {LEFTOVER_VERDICT_KNOWN, LEFTOVER_VERDICT_IN_WORK};
    size_t found = 0;
    pb_ListLeftoversRequest *req = NEW(&fx, ListLeftoversRequest);
    req->cloud = TEXT("far");
    req->verdicts = all;
    req->n_verdicts = ARRAY_LEN(all);
    pb_Reply *listed = ask("isobar.v1.OperationService/ListLeftovers", req);
    assert_int_equal(listed->result->code, RESULT_CODE_OK);
    pb_ListLeftoversResponse *rsp = BODY(&fx, listed, ListLeftoversResponse);
    for (size_t i = 0; i < rsp->n_leftovers; i++)
        if (strcmp(rsp->leftovers[i]->operation_id, operation) == 0) {
            found++;
            assert_string_equal(rsp->leftovers[i]->cloud, "far");
            assert_string_equal(rsp->leftovers[i]->id, BODY(&fx, r, CreateVmResponse)->vm->id);
        }
    assert_int_equal(found, 1);
    struct op op = make_op("token-clean");
    pb_DeleteLeftoverRequest *clean = NEW(&fx, DeleteLeftoverRequest);
    pb_DeleteLeftoverResponse cleaned = pb_DeleteLeftoverResponse_INIT;
    clean->id = TEXT("token-clean");
    assert_int_equal(remote_adapter.delete_leftover(direct, &op, clean, &cleaned),
                     RESULT_CODE_DELETED);
    assert_int_equal(cleaned.n_leftovers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_lives_and_dies_through_it),
        cmocka_unit_test(gateways_cascade),
        cmocka_unit_test(other_kinds_come_through),
        cmocka_unit_test(failures_keep_their_particulars),
        cmocka_unit_test(a_cloud_that_is_not_there_is_no_machine_that_is_gone),
        cmocka_unit_test(a_gateway_that_is_down_is_unavailable),
        cmocka_unit_test(machines_bear_our_operation),
        cmocka_unit_test(one_token_is_one_machine),
        cmocka_unit_test(machines_are_found_by_their_token),
        cmocka_unit_test(an_order_out_of_time_says_what_it_did),
        cmocka_unit_test(an_order_that_is_unknown_there_is_found),
        cmocka_unit_test(several_machines_are_several_operations),
        cmocka_unit_test(leftovers_are_seen_through_it),
    };
    return cmocka_run_group_tests(tests, start, end);
}
