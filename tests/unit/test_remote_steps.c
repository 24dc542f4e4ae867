/* What the remote adapter sends of an operation: what is learned and noted before anything changes,
 * and which of several instances it goes to. */
#include "remote_fixture.h"

static char noted[64], maker[64];
static bool may_note;

static bool note_id(struct op *op, const char *native_id)
{
    (void)op;
    snprintf(noted, sizeof(noted), "%s", native_id);
    return may_note;
}

static void note_maker(struct op *op, const char *token)
{
    (void)op;
    assert_string_equal(noted, ""); /* first the maker, then the machine */
    snprintf(maker, sizeof(maker), "%s", token);
}

/* As an operation of the gateway's does. */
static void take_notes(struct fixture *f)
{
    noted[0] = maker[0] = '\0';
    may_note = true;
    f->op.note_id = note_id;
    f->op.note_maker = note_maker;
}

static pb_ResultCode delete_vm(struct fixture *f, const char *id, pb_DeleteVmResponse *ret)
{
    pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
    isobar__v1__delete_vm_response__init(ret);
    req.cloud = TEXT("far");
    req.id = TEXT(id);
    req.wait = WAIT_RUNNING;
    return remote_adapter.delete_vm(f->adapter, &f->op, &req, ret);
}

/* The answer to a question for a name: it may show the machine too. */
static void answer_noted(struct fixture *f, const char *native_id, const char *by)
{
    pb_Noted n = pb_Noted_INIT;
    pb_Result result = pb_Result_INIT;
    pb_Vm vm = pb_Vm_INIT;
    pb_DeleteVmResponse seen = pb_DeleteVmResponse_INIT;
    vm.id = TEXT("as-it-was");
    seen.vm = &vm;
    result.code = RESULT_CODE_OK;
    n.native_id = TEXT(native_id);
    n.maker = TEXT(by);
    answer(f, &result, &seen.base, &n);
}

static pb_DeleteVmRequest *deletion_of(struct fixture *f, const pb_Call *call)
{
    pb_DeleteVmRequest *req = isobar__v1__delete_vm_request__unpack(
        arena_allocator(&f->arena), call->body.len, call->body.data);
    assert_non_null(req);
    return req;
}

/* ---- the envelope ---- */

static void an_order_is_a_step(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        OPEN(&f, STUB_ECHO);
        answer_machine(&f, RESULT_CODE_CREATED);
        take_notes(&f);
        f.op.resumed = i == 1;
        f.op.hops = 3 * i;
        assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
        assert_string_equal(noted, "the-machine");
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        pb_Call *call = call_of(&f, 0);
        assert_string_equal(call->request_id, "the-request");
        assert_string_equal(call->step->operation_id, "the-token");
        assert_int_equal(call->step->resumed, i == 1);
        assert_false(call->step->name_only);
        assert_int_equal(call->step->hops, 3 * i + 1);
        pb_CreateVmRequest *req = isobar__v1__create_vm_request__unpack(
            arena_allocator(&f.arena), call->body.len, call->body.data);
        assert_int_equal(req->wait, WAIT_UNSPECIFIED); /* that is done here */
        assert_string_equal(req->cloud, "there");
        close_fixture(&f);
    }
}

/* Nor is what is only tried, or what no operation does. */
static void a_read_is_no_step(void **state)
{
    struct fixture f;
    pb_GetVmResponse seen;
    pb_DeleteVmRequest dry = pb_DeleteVmRequest_INIT;
    pb_DeleteVmResponse deleted = pb_DeleteVmResponse_INIT;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_OK);
    f.op.hops = 7;
    f.op.resumed = true;
    take_notes(&f);
    assert_int_equal(get(&f, &seen), RESULT_CODE_OK);
    dry.id = TEXT("web");
    dry.dry_run = true;
    assert_int_equal(remote_adapter.delete_vm(f.adapter, &f.op, &dry, &deleted), RESULT_CODE_OK);
    for (unsigned i = 0; i < 2; i++) {
        const pb_Step *step = call_of(&f, i)->step;
        assert_string_equal(step->operation_id, "");
        assert_false(step->resumed);
        assert_false(step->name_only);
        assert_int_equal(step->hops, 8);
    }
    assert_string_equal(noted, "");
    close_fixture(&f);
}

static void a_create_says_that_it_took_something_back(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    pb_Result result = pb_Result_INIT;
    (void)state;
    for (int touched = 0; touched < 2; touched++) {
        pb_Noted n = pb_Noted_INIT;
        OPEN(&f, STUB_ECHO);
        n.touched = touched;
        result.code = RESULT_CODE_OUT_OF_CAPACITY;
        answer(&f, &result, NULL, &n);
        assert_int_equal(create(&f, &rsp), RESULT_CODE_OUT_OF_CAPACITY);
        assert_int_equal(f.op.touched, touched);
        close_fixture(&f);
    }
}

/* ---- which machine ---- */

static void a_machine_is_noted_before_it_is_changed(void **state)
{
    struct fixture f;
    pb_DeleteVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_noted(&f, "i-1", "the-maker");
    answer_machine(&f, RESULT_CODE_DELETED);
    take_notes(&f);
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_DELETED);
    assert_string_equal(rsp.vm->id, "the-machine");
    assert_string_equal(noted, "i-1");
    assert_string_equal(maker, "the-maker");
    assert_int_equal(atomic_load(&f.stub.messages), 2);
    pb_Call *asked = call_of(&f, 0), *ordered = call_of(&f, 1);
    assert_true(asked->step->name_only);
    assert_string_equal(asked->step->operation_id, "the-token");
    assert_string_equal(deletion_of(&f, asked)->id, "web");
    assert_false(ordered->step->name_only);
    assert_string_equal(ordered->step->operation_id, "the-token");
    assert_string_equal(deletion_of(&f, ordered)->id, "i-1");
    assert_int_equal(deletion_of(&f, ordered)->wait, WAIT_UNSPECIFIED);
    close_fixture(&f);

    /* Where nobody wants to know, it is ordered at once. */
    OPEN(&f, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_DELETED);
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_DELETED);
    assert_int_equal(atomic_load(&f.stub.messages), 1);
    assert_false(call_of(&f, 0)->step->name_only);
    close_fixture(&f);
}

static void what_is_not_noted_is_not_sent(void **state)
{
    struct fixture f;
    pb_DeleteVmResponse rsp;
    (void)state;
    /* It cannot be recorded. */
    OPEN(&f, STUB_ECHO);
    answer_noted(&f, "i-1", "");
    take_notes(&f);
    may_note = false;
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(atomic_load(&f.stub.messages), 1);
    assert_null(rsp.vm);
    close_fixture(&f);
    /* The other side has not said it. */
    for (int i = 0; i < 2; i++) {
        OPEN(&f, STUB_ECHO);
        if (i == 0)
            answer_machine(&f, RESULT_CODE_OK);
        else
            answer_noted(&f, "", "the-maker");
        take_notes(&f);
        assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_INTERNAL_ERROR);
        assert_non_null(strstr(f.op.result->detail, "does not say which machine"));
        assert_string_equal(noted, "");
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        close_fixture(&f);
    }
}

/* A question for a name changes nothing: it is repeated as any read, and where it fails, nothing
 * has happened. */
static void a_question_for_a_name_is_a_read(void **state)
{
    struct fixture f;
    pb_DeleteVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_CLOSE, STUB_CUT, STUB_ECHO);
    answer_noted(&f, "i-1", "");
    answer_noted(&f, "i-1", "");
    answer_noted(&f, "i-1", "");
    answer_machine(&f, RESULT_CODE_DELETED);
    take_notes(&f);
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_DELETED);
    assert_int_equal(atomic_load(&f.stub.messages), 4);
    close_fixture(&f);

    OPEN(&f, STUB_CLOSE);
    take_notes(&f);
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(atomic_load(&f.stub.messages), 3);
    close_fixture(&f);

    OPEN(&f, STUB_HANG);
    take_notes(&f);
    f.op.deadline_ns = clock_mono_ns() + 100 * NS_PER_MS;
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_DEADLINE_EXCEEDED);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    close_fixture(&f);

    static const pb_ResultCode codes[] = {RESULT_CODE_NOT_FOUND, RESULT_CODE_UNAVAILABLE,
                                          RESULT_CODE_DEADLINE_EXCEEDED, RESULT_CODE_OVERLOADED};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        OPEN(&f, STUB_ECHO);
        answer_code(&f, codes[i], NULL);
        take_notes(&f);
        assert_int_equal(delete_vm(&f, "web", &rsp), codes[i]);
        assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        close_fixture(&f);
    }
}

/* The order is sent once, however often its machine was asked for. */
static void the_order_behind_it_is_sent_once(void **state)
{
    struct fixture f;
    pb_DeleteVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO, STUB_CLOSE, STUB_ECHO);
    answer_noted(&f, "i-1", "");
    answer_machine(&f, RESULT_CODE_DELETED);
    take_notes(&f);
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_OUTCOME_UNKNOWN);
    expect_unknown(&f);
    assert_null(rsp.vm); /* how it was before the order is no answer to it */
    assert_string_equal(noted, "i-1");
    assert_int_equal(atomic_load(&f.stub.messages), 2);
    close_fixture(&f);
}

/* What is to be deleted is gone: there is nothing to note, and nothing to order. */
static void what_is_gone_is_not_ordered(void **state)
{
    struct fixture f;
    pb_DeleteVmResponse rsp;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_machine(&f, RESULT_CODE_DELETED);
    take_notes(&f);
    assert_int_equal(delete_vm(&f, "web", &rsp), RESULT_CODE_DELETED);
    assert_string_equal(rsp.vm->id, "the-machine");
    assert_string_equal(noted, "");
    assert_int_equal(atomic_load(&f.stub.messages), 1);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_a_step),
        cmocka_unit_test(a_read_is_no_step),
        cmocka_unit_test(a_create_says_that_it_took_something_back),
        cmocka_unit_test(a_machine_is_noted_before_it_is_changed),
        cmocka_unit_test(what_is_not_noted_is_not_sent),
        cmocka_unit_test(a_question_for_a_name_is_a_read),
        cmocka_unit_test(the_order_behind_it_is_sent_once),
        cmocka_unit_test(what_is_gone_is_not_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
