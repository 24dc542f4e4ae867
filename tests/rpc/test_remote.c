/* A gateway whose cloud `far` is another gateway's cloud `box`: here its own, over its own socket,
 * so that both ends of every call can be seen. */
#include "gateway_fixture.h"
#include "remote.h"

static struct fixture fx;
static struct adapter *direct; /* the adapter by itself, to the same cloud */

#define CLOUDS                                                                                     \
    "clouds:\n"                                                                                    \
    "  box: {adapter: sandbox, pace_ms: 20, boot_ms: 50, quota_instances: 40}\n"                   \
    "  slow: {adapter: sandbox, latency_ms: 700}\n"                                                \
    "  far: {adapter: remote, server: \"ipc://%1$s\", cloud: box, defaults: {parameters: "         \
    "{boot_ms: 60}}}\n"                                                                            \
    "  far-slow: {adapter: remote, server: \"ipc://%1$s\", cloud: slow}\n"                         \
    "  farther: {adapter: remote, server: \"ipc://%1$s\", cloud: far}\n"                           \
    "  nowhere: {adapter: remote, server: \"ipc://%1$s\", cloud: none}\n"                          \
    "  down: {adapter: remote, server: \"ipc://%1$s.not\", cloud: box}\n"

extern const struct adapter_ops remote_adapter;

static struct adapter *open_remote(const char *server, const char *cloud)
{
    struct setting items[] = {{"server", server}, {"cloud", cloud}};
    struct settings s = {.cloud = "far", .n = ARRAY_LEN(items), .items = items};
    struct open_error error = {""};
    struct adapter *a = remote_adapter.open(&s, &error);
    if (!a)
        fail_msg("%s", error.text);
    return a;
}

/* fixture_start() with the socket's path in the configuration. */
static int start(void **state)
{
    (void)state;
    char text[2048], url[128];
    fx = (struct fixture){.dir = "/tmp/isobar-test-XXXXXX"};
    assert_non_null(mkdtemp(fx.dir));
    snprintf(fx.socket, sizeof(fx.socket), "%s/s", fx.dir);
    snprintf(text, sizeof(text), CLOUDS, fx.socket);
    arena_init(&fx.arena, (size_t)64 << 20);
    assert_true(log_start());
    struct config *c = fixture_config(&fx, text);
    assert_non_null(c);
    fx.gateway = gateway_start(c, fixture_report, NULL);
    assert_non_null(fx.gateway);
    snprintf(url, sizeof(url), "ipc://%s", fx.socket);
    direct = open_remote(url, "box");
    return 0;
}

static int end(void **state)
{
    (void)state;
    remote_adapter.close(direct);
    fixture_end(&fx);
    return 0;
}

static pb_Reply *ask(const char *method, const void *request)
{
    return fixture_ask(&fx, &(struct asked){.method = method, .request = request});
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

static pb_Vm *create(const char *cloud, const char *name)
{
    pb_CreateVmRequest *req = fixture_create(&fx, cloud, name);
    req->wait = WAIT_RUNNING;
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    if (r->result->code != RESULT_CODE_CREATED)
        fail_msg("%s: %s", result_name(r->result->code), r->result->detail);
    return BODY(&fx, r, CreateVmResponse)->vm;
}

static pb_Reply *get(const char *cloud, const char *id)
{
    pb_GetVmRequest *req = NEW(&fx, GetVmRequest);
    req->cloud = TEXT(cloud);
    req->id = TEXT(id);
    return ask("isobar.v1.VmService/GetVm", req);
}

static pb_ListVmsResponse *list(const char *cloud, const char *name)
{
    pb_ListVmsRequest *req = NEW(&fx, ListVmsRequest);
    req->cloud = TEXT(cloud);
    req->name = TEXT(name);
    pb_Reply *r = ask("isobar.v1.VmService/ListVms", req);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    return BODY(&fx, r, ListVmsResponse);
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
    pb_DeleteVmRequest *delete = NEW(&fx, DeleteVmRequest);
    delete->cloud = TEXT("far");
    delete->id = vm->id;
    delete->wait = WAIT_RUNNING;
    r = ask("isobar.v1.VmService/DeleteVm", delete);
    assert_int_equal(r->result->code, RESULT_CODE_DELETED);
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
    pb_DeleteVmRequest *delete = NEW(&fx, DeleteVmRequest);
    delete->cloud = TEXT("nowhere");
    delete->id = TEXT("web");
    r = ask("isobar.v1.VmService/DeleteVm", delete);
    assert_int_equal(r->result->code, RESULT_CODE_UNAVAILABLE);
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

static pb_Operation *operation_of(const char *request_id)
{
    pb_ListOperationsRequest *req = NEW(&fx, ListOperationsRequest);
    req->cloud = TEXT("box");
    req->request_id = TEXT(request_id);
    pb_Reply *r = ask("isobar.v1.OperationService/ListOperations", req);
    pb_ListOperationsResponse *rsp = BODY(&fx, r, ListOperationsResponse);
    assert_true(rsp->n_operations <= 1);
    return rsp->n_operations ? rsp->operations[0] : NULL;
}

static void the_token_is_the_request_id_there(void **state)
{
    (void)state;
    pb_CreateVmRequest *req = fixture_create(&fx, "far", "marked");
    pb_Reply *r = ask("isobar.v1.VmService/CreateVm", req);
    assert_int_equal(r->result->code, RESULT_CODE_CREATED);
    pb_Operation *o = operation_of(r->result->operation_id);
    assert_non_null(o);
    assert_string_equal(o->native_id, BODY(&fx, r, CreateVmResponse)->vm->id);
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

    pb_DeleteVmRequest *delete = NEW(&fx, DeleteVmRequest);
    delete->cloud = TEXT("box");
    delete->id = made.vm->id;
    delete->wait = WAIT_RUNNING;
    assert_int_equal(ask("isobar.v1.VmService/DeleteVm", delete)->result->code,
                     RESULT_CODE_DELETED);
    assert_int_equal(look_up(direct, "token-lookup", &op, &rsp), RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 0);
    assert_int_equal(look_up(direct, "", &op, &rsp), RESULT_CODE_BAD_REQUEST_DATA);
}

/* The order's time ends before the cloud behind has answered: it goes on there, and is found. */
static void an_order_that_goes_on_is_unknown_until_it_is_found(void **state)
{
    (void)state;
    char url[128];
    snprintf(url, sizeof(url), "ipc://%s", fx.socket);
    struct adapter *slow = open_remote(url, "slow");
    struct op op = make_op("token-slow");
    pb_CreateVmResponse made = pb_CreateVmResponse_INIT;
    pb_ListOperationVmsResponse rsp;
    op.deadline_ns = clock_mono_ns() + 300 * NS_PER_MS;
    assert_int_equal(remote_adapter.create_vm(slow, &op, fixture_create(&fx, "far", "late"), &made),
                     RESULT_CODE_OUTCOME_UNKNOWN);
    assert_int_equal(op.result->retry->class_, RETRY_CLASS_AFTER_LOOKUP);
    assert_int_equal(op.result->side_effects, SIDE_EFFECTS_POSSIBLE);
    assert_null(made.vm);
    pb_ResultCode code = look_up(slow, "token-slow", &op, &rsp);
    for (int i = 0; i < 100 && code == RESULT_CODE_OUTCOME_UNKNOWN; i++) {
        assert_int_equal(rsp.n_vms, 0);
        usleep(100000);
        code = look_up(slow, "token-slow", &op, &rsp);
    }
    assert_int_equal(code, RESULT_CODE_OK);
    assert_int_equal(rsp.n_vms, 1);
    assert_string_equal(rsp.vms[0]->name, "late");
    remote_adapter.close(slow);
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

static void leftovers_are_the_other_gateways(void **state)
{
    (void)state;
    pb_ListLeftoversRequest *req = NEW(&fx, ListLeftoversRequest);
    req->cloud = TEXT("far");
    pb_Reply *r = ask("isobar.v1.OperationService/ListLeftovers", req);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_SUPPORTED);
    assert_non_null(strstr(r->result->detail, "ask that gateway itself"));
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
        cmocka_unit_test(the_token_is_the_request_id_there),
        cmocka_unit_test(one_token_is_one_machine),
        cmocka_unit_test(machines_are_found_by_their_token),
        cmocka_unit_test(an_order_that_goes_on_is_unknown_until_it_is_found),
        cmocka_unit_test(several_machines_are_several_operations),
        cmocka_unit_test(leftovers_are_the_other_gateways),
    };
    return cmocka_run_group_tests(tests, start, end);
}
