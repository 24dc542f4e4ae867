/* Gateways behind gateways: steps as what serves a cloud sees them, chains, and circles. */
#include "cascade_fixture.h"

/* Each of c1 to c9 is the one before, as another gateway's. `self`, and `left` and `right`, are
 * each other's. */
#define REMOTE(name, cloud) "  " name ": {adapter: remote, server: \"@\", cloud: " cloud "}\n"
#define CLOUDS                                                                                     \
    "clouds:\n"                                                                                    \
    "  box: {adapter: sandbox, pace_ms: 20, boot_ms: 20}\n" REMOTE("c1", "box") REMOTE("c2", "c1") \
        REMOTE("c3", "c2") REMOTE("c4", "c3") REMOTE("c5", "c4") REMOTE("c6", "c5")                \
            REMOTE("c7", "c6") REMOTE("c8", "c7") REMOTE("c9", "c8") REMOTE("self", "self")        \
                REMOTE("left", "right") REMOTE("right", "left")

static struct sp_client *client;

static int start(void **state)
{
    struct open_error error;
    (void)state;
    cascade_start(CLOUDS);
    client = sp_client_new(gateway_url, &(struct sp_options){0}, &error);
    assert_non_null(client);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sp_client_free(client);
    fixture_end(&fx);
    return 0;
}

/* A call as another gateway makes it. */
static pb_Reply *send_step(const char *method, const void *request, pb_Step step)
{
    const ProtobufCMessage *req = request;
    pb_Call call = pb_Call_INIT;
    struct op op = {.arena = &fx.arena, .deadline_ns = clock_mono_ns() + 20 * NS_PER_SEC};
    struct sp_reply got;
    struct sp_failure failure;
    uint8_t body[4096], data[8192];

    call.method = TEXT(method);
    call.body = (ProtobufCBinaryData){protobuf_c_message_pack(req, body), body};
    call.step = &step;
    size_t len = isobar__v1__call__pack(&call, data);
    assert_int_equal(sp_send(client, &op, data, len, &got, &failure), SP_ANSWERED);
    pb_Reply *reply = isobar__v1__reply__unpack(arena_allocator(&fx.arena), got.len, got.data);
    assert_non_null(reply);
    return reply;
}

static pb_Step step_of(const char *operation_id)
{
    pb_Step step = pb_Step_INIT;
    step.operation_id = TEXT(operation_id);
    return step;
}

static pb_Step name_only(const char *operation_id)
{
    pb_Step step = step_of(operation_id);
    step.name_only = true;
    return step;
}

static size_t count_operations(const char *cloud)
{
    pb_ListOperationsRequest *req = NEW(&fx, ListOperationsRequest);
    req->cloud = TEXT(cloud);
    pb_Reply *r = ask("isobar.v1.OperationService/ListOperations", req);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    return BODY(&fx, r, ListOperationsResponse)->n_operations;
}

static pb_VmState state_of(const char *id)
{
    pb_Reply *r = get("box", id);
    return r->result->code == RESULT_CODE_OK ? BODY(&fx, r, GetVmResponse)->vm->state
                                             : VM_STATE_DELETED;
}

/* ---- steps ---- */

/* It is done at once, bears the mark that it was given, and is no operation here. */
static void a_step_keeps_no_record(void **state)
{
    const char *operation = "018f3b5c-0000-7000-8000-000000000001";
    size_t before = count_operations("box");
    char ids[2][64];
    (void)state;
    for (int i = 0; i < 2; i++) {
        pb_Step step = step_of(operation);
        step.resumed = i > 0; /* and finds what it has made */
        pb_Reply *r =
            send_step("isobar.v1.VmService/CreateVm", fixture_create(&fx, "box", "step"), step);
        assert_int_equal(r->result->code, RESULT_CODE_CREATED);
        assert_string_equal(r->result->operation_id, "");
        const pb_Vm *vm = BODY(&fx, r, CreateVmResponse)->vm;
        assert_non_null(r->noted);
        assert_string_equal(r->noted->native_id, vm->id);
        assert_string_equal(vm->cloud, "box");
        snprintf(ids[i], sizeof(ids[i]), "%s", vm->id);
    }
    assert_string_equal(ids[0], ids[1]);
    pb_Reply *r = look_up_there("box", operation);
    assert_int_equal(BODY(&fx, r, ListOperationVmsResponse)->n_vms, 1);
    assert_int_equal(count_operations("box"), before);
}

/* What is checked of a call is checked of a step. */
static void a_step_is_no_way_round_the_checks(void **state)
{
    pb_CreateVmRequest *req = fixture_create(&fx, "box", "wrong");
    pb_Step step = step_of("018f3b5c-0000-7000-8000-000000000002");
    (void)state;
    req->spec->flavor_name = TEXT("");
    pb_Reply *r = send_step("isobar.v1.VmService/CreateVm", req, step);
    assert_int_equal(r->result->code, RESULT_CODE_BAD_REQUEST_DATA);
    assert_true(has_violation(r->result, "spec.flavor_name"));
    r = send_step("isobar.v1.VmService/CreateVm", fixture_create(&fx, "none", "wrong"), step);
    assert_int_equal(r->result->code, RESULT_CODE_NOT_FOUND);
    assert_int_equal(list("box", "wrong")->n_vms, 0);
}

/* Neither a read nor a rehearsal is a step: nothing is noted. */
static void what_changes_nothing_is_no_step(void **state)
{
    pb_Step step = step_of("018f3b5c-0000-7000-8000-000000000003");
    pb_GetVmRequest *seen = NEW(&fx, GetVmRequest);
    pb_CreateVmRequest *dry = fixture_create(&fx, "box", "dry");
    (void)state;
    create("box", "seen");
    seen->cloud = TEXT("box");
    seen->id = TEXT("seen");
    pb_Reply *r = send_step("isobar.v1.VmService/GetVm", seen, step);
    assert_int_equal(r->result->code, RESULT_CODE_OK);
    assert_null(r->noted);
    dry->dry_run = true;
    r = send_step("isobar.v1.VmService/CreateVm", dry, step);
    assert_true(result_is_success(r->result->code));
    assert_null(r->noted);
    assert_int_equal(list("box", "dry")->n_vms, 0);
}

#define ACTION(Method, field, value)                                                               \
    do {                                                                                           \
        pb_##Method##Request *req = NEW(&fx, Method##Request);                                     \
        req->cloud = TEXT(cloud);                                                                  \
        req->id = TEXT(id);                                                                        \
        req->field = value;                                                                        \
        pb_Reply *r = send_step("isobar.v1.VmService/" #Method, req, name_only("the-step"));       \
        if (r->result->code != code)                                                               \
            fail_msg("%s: %s", result_name(r->result->code), r->result->detail);                   \
        assert_string_equal(r->noted->native_id, native_id);                                       \
    } while (0)

/* All of them are asked for a name. */
static void name_all(const char *cloud, const char *id, pb_ResultCode code, const char *native_id)
{
    ACTION(StartVm, wait, WAIT_UNSPECIFIED);
    ACTION(StopVm, wait, WAIT_UNSPECIFIED);
    ACTION(RebootVm, hard, true);
    ACTION(SuspendVm, wait, WAIT_UNSPECIFIED);
    ACTION(ResumeVm, wait, WAIT_UNSPECIFIED);
    ACTION(ResizeVm, flavor_name, TEXT("m1.large"));
    ACTION(DeleteVm, wait, WAIT_UNSPECIFIED);
}

/* Whatever the machine is called: by its name, or its id, and through another gateway. */
static void to_be_asked_for_a_name_changes_nothing(void **state)
{
    static const char *const clouds[] = {"box", "c1", "c2"};
    const pb_Vm *vm = create("box", "named");
    size_t before = count_operations("");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        name_all(clouds[i], "named", RESULT_CODE_OK, vm->id);
        name_all(clouds[i], vm->id, RESULT_CODE_OK, vm->id);
        name_all(clouds[i], "nobody", RESULT_CODE_NOT_FOUND, "");
    }
    usleep(50000);
    const pb_Vm *after = BODY(&fx, get("box", vm->id), GetVmResponse)->vm;
    assert_int_equal(after->state, VM_STATE_RUNNING);
    assert_string_equal(after->flavor_name, vm->flavor_name);
    assert_int_equal(count_operations(""), before);
}

static void who_made_a_machine_is_said_through_all(void **state)
{
    pb_Reply *made = ask("isobar.v1.VmService/CreateVm", fixture_create(&fx, "c3", "made"));
    const char *operation = made->result->operation_id;
    pb_DeleteVmRequest *req = NEW(&fx, DeleteVmRequest);
    static const char *const clouds[] = {"box", "c1", "c5"};
    (void)state;
    assert_int_equal(made->result->code, RESULT_CODE_CREATED);
    req->id = TEXT("made");
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        req->cloud = TEXT(clouds[i]);
        pb_Reply *r = send_step("isobar.v1.VmService/DeleteVm", req, name_only("a-delete"));
        assert_int_equal(r->result->code, RESULT_CODE_OK);
        assert_string_equal(r->noted->maker, operation);
    }
    pb_Reply *deleted = delete_vm("c2", "made");
    assert_int_equal(deleted->result->code, RESULT_CODE_DELETED);
    pb_GetOperationRequest *get_operation = NEW(&fx, GetOperationRequest);
    get_operation->id = deleted->result->operation_id;
    pb_Reply *r = ask("isobar.v1.OperationService/GetOperation", get_operation);
    assert_string_equal(BODY(&fx, r, GetOperationResponse)->operation->native_id,
                        BODY(&fx, made, CreateVmResponse)->vm->id);
}

/* ---- chains and circles ---- */

static void expect_circle(const pb_Reply *r)
{
    if (r->result->code != RESULT_CODE_FAILED_PRECONDITION)
        fail_msg("%s: %s", result_name(r->result->code), r->result->detail);
    assert_non_null(strstr(r->result->detail, "goes in circles"));
    assert_int_equal(r->result->side_effects, SIDE_EFFECTS_NONE);
}

static void hops_are_counted(void **state)
{
    pb_GetVmRequest *req = NEW(&fx, GetVmRequest);
    static const uint32_t hops[] = {0, 8, 9, UINT32_MAX};
    (void)state;
    create("box", "counted");
    req->id = TEXT("counted");
    for (size_t i = 0; i < ARRAY_LEN(hops); i++) {
        pb_Step step = pb_Step_INIT;
        step.hops = hops[i];
        req->cloud = TEXT("box");
        pb_Reply *r = send_step("isobar.v1.VmService/GetVm", req, step);
        if (hops[i] <= 8)
            assert_int_equal(r->result->code, RESULT_CODE_OK);
        else
            expect_circle(r);
        /* One more on the way. */
        req->cloud = TEXT("c1");
        r = send_step("isobar.v1.VmService/GetVm", req, step);
        if (hops[i] < 8)
            assert_int_equal(r->result->code, RESULT_CODE_OK);
        else
            expect_circle(r);
    }
}

static void eight_gateways_in_a_row_are_no_circle(void **state)
{
    pb_Vm *vm = create("c8", "deep");
    (void)state;
    assert_string_equal(vm->cloud, "c8");
    assert_int_equal(state_of(vm->id), VM_STATE_RUNNING);
    expect_circle(get("c9", "deep"));
    expect_circle(ask("isobar.v1.VmService/CreateVm", fixture_create(&fx, "c9", "too-deep")));
    assert_int_equal(list("box", "too-deep")->n_vms, 0);
    expect_circle(delete_vm("c9", "deep"));
    assert_int_equal(state_of(vm->id), VM_STATE_RUNNING);
    assert_int_equal(delete_vm("c8", "deep")->result->code, RESULT_CODE_DELETED);
    assert_int_equal(list("box", "deep")->n_vms, 0);
}

static void circles_are_refused(void **state)
{
    static const char *const clouds[] = {"self", "left", "right"};
    int64_t since = clock_mono_ns();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clouds); i++) {
        expect_circle(get(clouds[i], "web"));
        expect_circle(ask("isobar.v1.VmService/CreateVm", fixture_create(&fx, clouds[i], "web")));
        expect_circle(delete_vm(clouds[i], "web"));
        pb_CheckCloudRequest *check = NEW(&fx, CheckCloudRequest);
        check->cloud = TEXT(clouds[i]);
        expect_circle(ask("isobar.v1.CloudService/CheckCloud", check));
    }
    assert_true(clock_mono_ns() - since < 10 * NS_PER_SEC);
}

/* A circle among the clouds is a partial list of all, and no more. */
static void all_clouds_are_listed_but_for_circles(void **state)
{
    size_t seen[2] = {0};
    (void)state;
    create("box", "everywhere");
    pb_ListVmsRequest *req = NEW(&fx, ListVmsRequest);
    req->name = TEXT("everywhere");
    pb_Reply *r = ask("isobar.v1.VmService/ListVms", req);
    assert_int_equal(r->result->code, RESULT_CODE_PARTIAL);
    pb_ListVmsResponse *all = BODY(&fx, r, ListVmsResponse);
    assert_int_equal(all->n_vms, 9); /* box, and c1 to c8 */
    for (size_t i = 0; i < all->n_vms; i++) {
        seen[0] += strcmp(all->vms[i]->cloud, "box") == 0;
        seen[1] += strcmp(all->vms[i]->cloud, "c8") == 0;
    }
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_keeps_no_record),
        cmocka_unit_test(a_step_is_no_way_round_the_checks),
        cmocka_unit_test(what_changes_nothing_is_no_step),
        cmocka_unit_test(to_be_asked_for_a_name_changes_nothing),
        cmocka_unit_test(who_made_a_machine_is_said_through_all),
        cmocka_unit_test(hops_are_counted),
        cmocka_unit_test(eight_gateways_in_a_row_are_no_circle),
        cmocka_unit_test(circles_are_refused),
        cmocka_unit_test(all_clouds_are_listed_but_for_circles),
    };
    return cmocka_run_group_tests(tests, start, end);
}
