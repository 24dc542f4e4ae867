/* The remote adapter's instances: what is learned of their cloud, and which of them is asked. */
#include "remote_fixture.h"

/* ---- traits ---- */

static void answer_cloud(struct fixture *f, uint32_t settle_ms, bool dedupes)
{
    pb_CloudTraits traits = pb_CloudTraits_INIT;
    pb_Cloud cloud = pb_Cloud_INIT;
    pb_GetCloudResponse rsp = pb_GetCloudResponse_INIT;
    traits.settle_ms = settle_ms;
    traits.dedupes = dedupes;
    cloud.traits = &traits;
    rsp.cloud = &cloud;
    answer_code(f, RESULT_CODE_OK, &rsp.base);
}

static void forget_traits(struct fixture *f)
{
    group_set_traits(f->adapter->group, (struct group_traits){0});
}

static void the_cloud_is_learned_before_the_first_order(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    pb_GetVmResponse seen;
    (void)state;
    OPEN(&f, STUB_ECHO);
    forget_traits(&f);
    /* Till then, the worst is taken for true. */
    assert_true(remote_adapter.settle_ms(f.adapter) >= 60000);
    assert_false(remote_adapter.dedupes(f.adapter));
    answer_machine(&f, RESULT_CODE_OK);
    answer_cloud(&f, 1200, true);
    answer_machine(&f, RESULT_CODE_CREATED);
    assert_int_equal(get(&f, &seen), RESULT_CODE_OK); /* it does not matter to a read */
    assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
    assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
    assert_int_equal(atomic_load(&f.stub.messages), 4);
    pb_Call *call = call_of(&f, 1);
    assert_string_equal(call->method, "isobar.v1.CloudService/GetCloud");
    assert_string_equal(call->step->operation_id, "");
    assert_string_equal(call->token, "secret");
    pb_GetCloudRequest *req = isobar__v1__get_cloud_request__unpack(
        arena_allocator(&f.arena), call->body.len, call->body.data);
    assert_string_equal(req->cloud, "there");
    assert_string_equal(call_of(&f, 2)->method, "isobar.v1.VmService/CreateVm");
    /* An order that was cut off may go on there for a moment. */
    assert_in_range(remote_adapter.settle_ms(f.adapter), 1200, 2200);
    assert_true(remote_adapter.dedupes(f.adapter));
    close_fixture(&f);
}

/* What became of an order could not be found out: none is sent. */
static void where_the_cloud_cannot_be_learned_nothing_is_ordered(void **state)
{
    static const pb_ResultCode codes[] = {RESULT_CODE_UNAVAILABLE, RESULT_CODE_FORBIDDEN,
                                          RESULT_CODE_DEADLINE_EXCEEDED,
                                          RESULT_CODE_INTERNAL_ERROR};
    struct fixture f;
    pb_CreateVmResponse rsp;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        OPEN(&f, STUB_ECHO);
        forget_traits(&f);
        answer_code(&f, codes[i], NULL);
        assert_int_equal(create(&f, &rsp), codes[i]);
        assert_int_equal(atomic_load(&f.stub.messages), 1);
        assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
        close_fixture(&f);
    }
    OPEN(&f, STUB_CLOSE);
    forget_traits(&f);
    assert_int_equal(create(&f, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_int_equal(f.op.result->side_effects, SIDE_EFFECTS_NONE);
    assert_int_equal(atomic_load(&f.stub.messages), 3);
    assert_string_equal(call_of(&f, 2)->method, "isobar.v1.CloudService/GetCloud");
    close_fixture(&f);
}

/* A gateway that does not say how its cloud is, and what is no gateway and cannot be asked. */
static void what_nobody_says_stays_unknown(void **state)
{
    struct fixture f;
    pb_CreateVmResponse rsp;
    pb_Cloud cloud = pb_Cloud_INIT;
    pb_GetCloudResponse said = pb_GetCloudResponse_INIT;
    (void)state;
    static const pb_ResultCode codes[] = {RESULT_CODE_OK, RESULT_CODE_OK, RESULT_CODE_NOT_SUPPORTED,
                                          RESULT_CODE_METHOD_NOT_ALLOWED};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        OPEN(&f, STUB_ECHO);
        forget_traits(&f);
        said.cloud = i ? &cloud : NULL;
        answer_code(&f, codes[i], &said.base);
        answer_machine(&f, RESULT_CODE_CREATED);
        assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
        assert_string_equal(f.op.result->detail, "");
        assert_true(remote_adapter.settle_ms(f.adapter) >= 60000);
        close_fixture(&f);
    }
}

static void a_cloud_that_never_settles_is_no_fast_one(void **state)
{
    static const uint32_t said[] = {INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX, 3600000};
    struct fixture f;
    pb_CreateVmResponse rsp;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        OPEN(&f, STUB_ECHO);
        forget_traits(&f);
        answer_cloud(&f, said[i], false);
        answer_machine(&f, RESULT_CODE_CREATED);
        assert_int_equal(create(&f, &rsp), RESULT_CODE_CREATED);
        assert_true(remote_adapter.settle_ms(f.adapter) >= 60000);
        close_fixture(&f);
    }
}

/* ---- several instances ---- */

/* Two that have registered: what the first does, and the second. */
struct pair {
    struct fixture f; /* with the first one's stub; the adapter is opened on both */
    struct stub second;
    struct group *group;
    struct instance *instances[2];
};

static void open_pair(struct pair *p, const enum stub_deed *steps, size_t n_steps)
{
    static const enum stub_deed echo[] = {STUB_ECHO};
    struct open_error error;
    const char *urls[2];
    open_fixture(&p->f, steps, n_steps);
    remote_adapter.close(p->f.adapter);
    stub_start(&p->second, false, STUB_POLITE, echo, 1);
    p->second.answers = p->f.answers;
    p->group = group_new("lab");
    urls[0] = p->f.stub.url;
    urls[1] = p->second.url;
    for (int i = 0; i < 2; i++) {
        p->instances[i] = instance_new(
            &(struct instance_config){
                .urls = &urls[i], .n_urls = 1, .call_token = i ? "second" : "first"},
            &error);
        assert_non_null(p->instances[i]);
    }
    /* An operation that has begun at the first. */
    assert_true(group_set(p->group, &(struct group_member){p->instances[0], 1}, 1));
    struct instance *taken = group_take(p->group, p->f.op.token, NULL, 0);
    instance_give(taken, instance_client(taken), INSTANCE_ANSWERED);
    struct group_member members[] = {{p->instances[0], 1}, {p->instances[1], 1}};
    assert_true(group_set(p->group, members, 2));
    struct settings s = {.cloud = "far", .group = p->group};
    p->f.adapter = remote_adapter.open(&s, &error);
    assert_non_null(p->f.adapter);
}

static void answer_pair(struct pair *p, pb_ResultCode code)
{
    answer_machine(&p->f, code);
    p->second.n_answers = p->f.stub.n_answers;
}

static void close_pair(struct pair *p)
{
    close_fixture(&p->f);
    stub_stop(&p->second);
    for (int i = 0; i < 2; i++)
        instance_put(p->instances[i]);
    group_put(p->group);
}

#define OPEN_PAIR(p, ...) open_pair(p, STEPS(__VA_ARGS__), N(__VA_ARGS__))

static void an_operation_stays_with_its_instance(void **state)
{
    struct pair p;
    pb_CreateVmResponse rsp;
    (void)state;
    OPEN_PAIR(&p, STUB_ECHO);
    answer_pair(&p, RESULT_CODE_CREATED);
    for (int i = 0; i < 6; i++)
        assert_int_equal(create(&p.f, &rsp), RESULT_CODE_CREATED);
    assert_int_equal(atomic_load(&p.f.stub.messages), 6);
    pb_Call *call = call_of(&p.f, 0); /* they have said how they are: nobody is asked */
    assert_string_equal(call->method, "isobar.v1.VmService/CreateVm");
    assert_string_equal(call->token, "first");
    pb_CreateVmRequest *req = isobar__v1__create_vm_request__unpack(
        arena_allocator(&p.f.arena), call->body.len, call->body.data);
    assert_string_equal(req->cloud, "lab");
    close_pair(&p);
}

/* Nothing was sent: the next one has it at once, and whatever it is. */
static void the_next_takes_what_was_not_sent(void **state)
{
    struct pair p;
    pb_CreateVmResponse rsp;
    struct instance_stats stats;
    (void)state;
    OPEN_PAIR(&p, STUB_ECHO);
    answer_pair(&p, RESULT_CODE_CREATED);
    p.f.stub.greeting = STUB_GONE;
    int64_t since = clock_mono_ns();
    assert_int_equal(create(&p.f, &rsp), RESULT_CODE_CREATED);
    assert_true(clock_mono_ns() - since < NS_PER_SEC);
    assert_int_equal(atomic_load(&p.second.messages), 1);
    instance_stats(p.instances[0], &stats);
    assert_true(stats.down);
    assert_int_equal(stats.errors, 1);
    /* And from then on, all. */
    for (int i = 0; i < 5; i++)
        assert_int_equal(create(&p.f, &rsp), RESULT_CODE_CREATED);
    assert_int_equal(atomic_load(&p.f.stub.connections), 1);
    close_pair(&p);
}

static void the_next_does_not_repeat_an_order(void **state)
{
    struct pair p;
    pb_CreateVmResponse rsp;
    (void)state;
    OPEN_PAIR(&p, STUB_CLOSE);
    answer_pair(&p, RESULT_CODE_CREATED);
    assert_int_equal(create(&p.f, &rsp), RESULT_CODE_OUTCOME_UNKNOWN);
    expect_unknown(&p.f);
    assert_int_equal(atomic_load(&p.f.stub.messages), 1);
    assert_int_equal(atomic_load(&p.second.messages), 0);
    close_pair(&p);
}

/* Also where the first answers nonsense. */
static void the_next_is_asked_what_one_does_not_answer(void **state)
{
    static const enum stub_deed deeds[] = {STUB_CLOSE, STUB_CUT, STUB_ECHO};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
        struct pair p;
        pb_GetVmResponse rsp;
        struct instance_stats stats;
        OPEN_PAIR(&p, deeds[i]);
        answer_pair(&p, RESULT_CODE_OK);
        if (deeds[i] == STUB_ECHO) {
            static const struct stub_answer nonsense = {"\xff\xff", 2};
            p.f.stub.answers = &nonsense;
        }
        assert_int_equal(get(&p.f, &rsp), RESULT_CODE_OK);
        assert_string_equal(rsp.vm->id, "the-machine");
        assert_int_equal(atomic_load(&p.f.stub.messages), 1);
        assert_int_equal(atomic_load(&p.second.messages), 1);
        instance_stats(p.instances[0], &stats);
        assert_true(stats.down);
        instance_stats(p.instances[1], &stats);
        assert_int_equal(stats.calls, 1);
        assert_int_equal(stats.errors + stats.in_flight, 0);
        close_pair(&p);
    }
}

/* Who answers "no" has answered. */
static void a_failure_of_the_cloud_is_nobodys_failure(void **state)
{
    struct pair p;
    pb_GetVmResponse rsp;
    struct instance_stats stats;
    (void)state;
    OPEN_PAIR(&p, STUB_ECHO);
    answer_code(&p.f, RESULT_CODE_UNAVAILABLE, NULL);
    p.second.n_answers = p.f.stub.n_answers;
    assert_int_equal(get(&p.f, &rsp), RESULT_CODE_UNAVAILABLE);
    assert_non_null(strstr(p.f.op.result->detail, "adapter ipc://"));
    assert_int_equal(atomic_load(&p.second.messages), 0);
    instance_stats(p.instances[0], &stats);
    assert_false(stats.down);
    close_pair(&p);
}

static void nobody_in_service_is_said(void **state)
{
    struct pair p;
    pb_CreateVmResponse made;
    pb_GetVmResponse seen;
    (void)state;
    /* Nobody is there; and all of them only end what they have begun. */
    for (int i = 0; i < 2; i++) {
        OPEN_PAIR(&p, STUB_ECHO);
        struct group_member idle[] = {{p.instances[1], 0}};
        assert_true(group_set(p.group, idle, (size_t)i));
        assert_int_equal(create(&p.f, &made), RESULT_CODE_UNAVAILABLE);
        assert_int_equal(p.f.op.result->side_effects, SIDE_EFFECTS_NONE);
        assert_non_null(strstr(p.f.op.result->detail, "no process that serves cloud \"lab\""));
        p.f.op.result = result_new(&p.f.arena);
        assert_int_equal(get(&p.f, &seen), RESULT_CODE_UNAVAILABLE);
        assert_non_null(strstr(p.f.op.result->detail, "no process that serves cloud \"lab\""));
        close_pair(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cloud_is_learned_before_the_first_order),
        cmocka_unit_test(where_the_cloud_cannot_be_learned_nothing_is_ordered),
        cmocka_unit_test(what_nobody_says_stays_unknown),
        cmocka_unit_test(a_cloud_that_never_settles_is_no_fast_one),
        cmocka_unit_test(an_operation_stays_with_its_instance),
        cmocka_unit_test(the_next_takes_what_was_not_sent),
        cmocka_unit_test(the_next_does_not_repeat_an_order),
        cmocka_unit_test(the_next_is_asked_what_one_does_not_answer),
        cmocka_unit_test(a_failure_of_the_cloud_is_nobodys_failure),
        cmocka_unit_test(nobody_in_service_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
