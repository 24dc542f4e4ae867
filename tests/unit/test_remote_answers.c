/* The remote adapter where the answer can be read, and is not to be believed all the same: text
 * that is none, and successes that cannot be what has come of an order. */
#include "remote_fixture.h"

#include "isobar/message.h"

#define BAD "\xff\xfeNN"

/* ---- text ---- */

static void a_machine_whose_name_is_no_text_is_no_answer(void **state)
{
    struct fixture f;
    pb_GetVmResponse seen;
    pb_Vm vm = pb_Vm_INIT;
    pb_VmAddress address = pb_VmAddress_INIT, *addresses[] = {&address};
    pb_Vm_NativeEntry entry = pb_Vm_NativeEntry_INIT, *entries[] = {&entry};
    pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
    (void)state;
    rsp.vm = &vm;
    for (int i = 0; i < 4; i++) {
        vm.name = TEXT(i == 0 ? BAD : "gr\xc3\xbcn");
        vm.addresses = addresses;
        vm.n_addresses = 1;
        address.ip = TEXT(i == 1 ? BAD : "198.18.0.1");
        vm.native = entries;
        vm.n_native = 1;
        entry.key = TEXT("k");
        entry.value = TEXT(i == 2 ? BAD : "v");
        OPEN(&f, STUB_ECHO);
        answer_code(&f, RESULT_CODE_OK, &rsp.base);
        if (i == 3) {
            assert_int_equal(get(&f, &seen), RESULT_CODE_OK);
            assert_string_equal(seen.vm->name, "gr\xc3\xbcn");
        } else {
            assert_int_equal(get(&f, &seen), RESULT_CODE_UNAVAILABLE);
            assert_non_null(strstr(f.op.result->detail, "no reply"));
            assert_null(seen.vm);
        }
        close_fixture(&f);
    }
}

/* As with a list in which only one is so. */
static void nor_is_a_list_with_one_such(void **state)
{
    struct fixture f;
    pb_ListVmsRequest req = pb_ListVmsRequest_INIT;
    pb_ListVmsResponse page = pb_ListVmsResponse_INIT, rsp = pb_ListVmsResponse_INIT;
    pb_Vm good = pb_Vm_INIT, bad = pb_Vm_INIT, *vms[] = {&good, &bad};
    (void)state;
    bad.name = TEXT(BAD);
    page.vms = vms;
    page.n_vms = 2;
    OPEN(&f, STUB_ECHO);
    answer_code(&f, RESULT_CODE_OK, &page.base);
    assert_int_equal(remote_adapter.list_vms(f.adapter, &f.op, &req, &rsp),
                     RESULT_CODE_UNAVAILABLE);
    assert_int_equal(rsp.n_vms, 0);
    close_fixture(&f);
}

/* It may have been made, and what is there is found. */
static void an_order_that_is_answered_so_is_unknown(void **state)
{
    struct fixture f;
    pb_CreateVmResponse made, said = pb_CreateVmResponse_INIT;
    pb_Vm vm = pb_Vm_INIT;
    (void)state;
    for (int i = 0; i < 2; i++) {
        pb_Noted n = pb_Noted_INIT;
        pb_Result result = pb_Result_INIT;
        OPEN(&f, STUB_ECHO);
        result.code = RESULT_CODE_CREATED;
        vm.id = TEXT(i == 0 ? BAD : "the-machine");
        said.vm = &vm;
        n.native_id = TEXT(i == 1 ? BAD : "the-machine");
        answer(&f, &result, &said.base, &n);
        assert_int_equal(create(&f, &made), RESULT_CODE_OUTCOME_UNKNOWN);
        expect_unknown(&f);
        assert_null(made.vm);
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        close_fixture(&f);
    }
}

/* The words of a result are words only: its code counts, and they are made text. */
static void words_that_are_no_text_are_mended(void **state)
{
    struct fixture f;
    pb_GetVmResponse rsp;
    pb_Result result = pb_Result_INIT;
    pb_NativeError native = pb_NativeError_INIT;
    pb_Violation violation = pb_Violation_INIT, *violations[] = {&violation};
    char *warnings[] = {TEXT(BAD)};
    (void)state;
    result.code = RESULT_CODE_OUT_OF_CAPACITY;
    result.detail = TEXT("no " BAD);
    result.operation_id = TEXT(BAD);
    result.warnings = warnings;
    result.n_warnings = 1;
    native.code = native.message = native.request_id = TEXT(BAD);
    result.native = &native;
    violation.field = violation.description = TEXT(BAD);
    result.violations = violations;
    result.n_violations = 1;
    OPEN(&f, STUB_ECHO);
    answer(&f, &result, NULL, NULL);
    assert_int_equal(get(&f, &rsp), RESULT_CODE_OUT_OF_CAPACITY);
    const pb_Result *r = f.op.result;
    assert_true(message_is_utf8(&r->base));
    assert_non_null(strstr(r->detail, "no ??NN"));
    assert_string_equal(r->native->code, "??NN");
    assert_string_equal(r->native->message, "??NN");
    assert_string_equal(r->warnings[0], "??NN");
    assert_string_equal(r->violations[0]->field, "??NN");
    assert_string_equal(r->violations[0]->description, "??NN");
    close_fixture(&f);
}

/* ---- successes ---- */

static void a_create_without_a_machine_is_unknown(void **state)
{
    static const struct {
        pb_ResultCode code;
        const char *id; /* NULL: no machine */
        bool believed;
    } table[] = {
        {RESULT_CODE_CREATED, "i-1", true},  {RESULT_CODE_OK, "i-1", true},
        {RESULT_CODE_CREATED, NULL, false},  {RESULT_CODE_CREATED, "", false},
        {RESULT_CODE_OK, NULL, false},       {RESULT_CODE_DELETED, "i-1", false},
        {RESULT_CODE_CHANGED, "i-1", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct fixture f;
        pb_CreateVmResponse made, said = pb_CreateVmResponse_INIT;
        pb_Vm vm = pb_Vm_INIT;
        OPEN(&f, STUB_ECHO);
        vm.id = TEXT(table[i].id);
        vm.name = TEXT("web");
        said.vm = table[i].id ? &vm : NULL;
        answer_code(&f, table[i].code, &said.base);
        pb_ResultCode code = create(&f, &made);
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        if (table[i].believed) {
            assert_int_equal(code, table[i].code);
            assert_string_equal(made.vm->id, "i-1");
        } else {
            assert_int_equal(code, RESULT_CODE_OUTCOME_UNKNOWN);
            expect_unknown(&f);
            assert_null(made.vm);
        }
        close_fixture(&f);
    }
}

/* What is only tried makes no machine. */
static void a_rehearsal_needs_none(void **state)
{
    struct fixture f;
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    pb_VmSpec spec = pb_VmSpec_INIT;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_code(&f, RESULT_CODE_OK, NULL);
    req.spec = &spec;
    req.dry_run = true;
    assert_int_equal(remote_adapter.create_vm(f.adapter, &f.op, &req, &rsp), RESULT_CODE_OK);
    close_fixture(&f);
}

static pb_ResultCode delete_vm(struct fixture *f)
{
    pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
    pb_DeleteVmResponse rsp = pb_DeleteVmResponse_INIT;
    req.id = TEXT("web");
    return remote_adapter.delete_vm(f->adapter, &f->op, &req, &rsp);
}

static pb_ResultCode delete_leftover(struct fixture *f)
{
    pb_DeleteLeftoverRequest req = pb_DeleteLeftoverRequest_INIT;
    pb_DeleteLeftoverResponse rsp = pb_DeleteLeftoverResponse_INIT;
    req.id = TEXT("the-operation");
    return remote_adapter.delete_leftover(f->adapter, &f->op, &req, &rsp);
}

static pb_ResultCode stop(struct fixture *f)
{
    pb_StopVmRequest req = pb_StopVmRequest_INIT;
    pb_StopVmResponse rsp = pb_StopVmResponse_INIT;
    req.id = TEXT("web");
    return remote_adapter.stop_vm(f->adapter, &f->op, &req, &rsp);
}

static void a_success_of_another_kind_is_unknown(void **state)
{
    static const struct {
        pb_ResultCode (*order)(struct fixture *f);
        pb_ResultCode code;
        bool believed;
    } table[] = {
        {delete_vm, RESULT_CODE_DELETED, true},
        {delete_vm, RESULT_CODE_OK, true},
        {delete_vm, RESULT_CODE_CREATED, false},
        {delete_vm, RESULT_CODE_CHANGED, false},
        {delete_leftover, RESULT_CODE_DELETED, true},
        {delete_leftover, RESULT_CODE_CREATED, false},
        {stop, RESULT_CODE_CHANGED, true},
        {stop, RESULT_CODE_OK, true},
        {stop, RESULT_CODE_CREATED, false},
        {stop, RESULT_CODE_DELETED, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct fixture f;
        OPEN(&f, STUB_ECHO);
        answer_code(&f, table[i].code, NULL);
        pb_ResultCode code = table[i].order(&f);
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        if (table[i].believed) {
            assert_int_equal(code, table[i].code);
        } else {
            assert_int_equal(code, RESULT_CODE_OUTCOME_UNKNOWN);
            expect_unknown(&f);
        }
        close_fixture(&f);
    }
}

static bool note_id(struct op *op, const char *native_id)
{
    (void)op;
    (void)native_id;
    return true;
}

/* Asked which machine is meant, only of a delete it may say that there is nothing to do. */
static void a_stop_does_not_end_with_deleted(void **state)
{
    struct fixture f;
    (void)state;
    OPEN(&f, STUB_ECHO);
    answer_code(&f, RESULT_CODE_DELETED, NULL);
    f.op.note_id = note_id;
    assert_int_equal(stop(&f), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    close_fixture(&f);
    OPEN(&f, STUB_ECHO);
    answer_code(&f, RESULT_CODE_DELETED, NULL);
    f.op.note_id = note_id;
    assert_int_equal(delete_vm(&f), RESULT_CODE_DELETED);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_whose_name_is_no_text_is_no_answer),
        cmocka_unit_test(nor_is_a_list_with_one_such),
        cmocka_unit_test(an_order_that_is_answered_so_is_unknown),
        cmocka_unit_test(words_that_are_no_text_are_mended),
        cmocka_unit_test(a_create_without_a_machine_is_unknown),
        cmocka_unit_test(a_rehearsal_needs_none),
        cmocka_unit_test(a_success_of_another_kind_is_unknown),
        cmocka_unit_test(a_stop_does_not_end_with_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
