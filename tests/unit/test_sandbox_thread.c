/* Many threads on one connection of the sandbox. */
#include "test_sandbox.h"

#define THREADS  4
#define MACHINES 300

struct worker {
    pthread_t thread;
    struct rig r;
    unsigned number;
    unsigned failed; /* of the thread's own checks: cmocka's are for the main thread */
};

static void expect(struct worker *w, bool ok)
{
    w->failed += !ok;
}

static pb_ResultCode create_one(struct rig *r, const char *name, char id[UUID_TEXT_LEN + 1])
{
    pb_CreateVmRequest req;
    pb_CreateVmResponse rsp;

    rig_op(r);
    protobuf_c_message_init(&pb_CreateVmRequest_desc, &req);
    protobuf_c_message_init(&pb_CreateVmResponse_desc, &rsp);
    pb_VmSpec *spec = arena_message(&r->arena, &pb_VmSpec_desc);
    if (!spec)
        return RESULT_CODE_INTERNAL_ERROR;
    spec->name = arena_strdup(&r->arena, name);
    spec->flavor_name = arena_strdup(&r->arena, "m1.small");
    spec->image_id = arena_strdup(&r->arena, "ubuntu");
    req.spec = spec;
    r->op.token = name;
    pb_ResultCode code = sandbox_create_vm(r->a, &r->op, &req, &rsp);
    if (code == RESULT_CODE_CREATED)
        memcpy(id, rsp.vm->id, UUID_TEXT_LEN + 1);
    return code;
}

/* Make machines, look at each and all, and delete every other one. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct rig *r = &w->r;

    for (unsigned i = 0; i < MACHINES; i++) {
        char name[32], id[UUID_TEXT_LEN + 1];
        pb_GetVmRequest get;
        pb_GetVmResponse got;
        pb_DeleteVmRequest del;
        pb_DeleteVmResponse deleted;
        pb_ListVmsRequest list;
        pb_ListVmsResponse listed;
        snprintf(name, sizeof(name), "m-%u-%u", w->number, i);
        expect(w, create_one(r, name, id) == RESULT_CODE_CREATED);
        rig_op(r);
        protobuf_c_message_init(&pb_GetVmRequest_desc, &get);
        protobuf_c_message_init(&pb_GetVmResponse_desc, &got);
        get.id = i % 3 ? id : name;
        expect(w, sandbox_get_vm(r->a, &r->op, &get, &got) == RESULT_CODE_OK);
        expect(w, got.vm && strcmp(got.vm->name, name) == 0 && strcmp(got.vm->id, id) == 0);
        rig_op(r);
        protobuf_c_message_init(&pb_ListVmsRequest_desc, &list);
        protobuf_c_message_init(&pb_ListVmsResponse_desc, &listed);
        expect(w, sandbox_list_vms(r->a, &r->op, &list, &listed) == RESULT_CODE_OK);
        expect(w, listed.n_vms > 0);
        for (size_t k = 0; k < listed.n_vms; k++)
            expect(w, strlen(listed.vms[k]->id) == UUID_TEXT_LEN);
        if (i % 2)
            continue;
        rig_op(r);
        protobuf_c_message_init(&pb_DeleteVmRequest_desc, &del);
        protobuf_c_message_init(&pb_DeleteVmResponse_desc, &deleted);
        del.id = id;
        expect(w, sandbox_delete_vm(r->a, &r->op, &del, &deleted) == RESULT_CODE_DELETED);
    }
    return NULL;
}

static void threads_share_a_connection(void **state)
{
    struct rig r;
    struct worker w[THREADS];
    pb_ListVmsResponse list;

    (void)state;
    rig_open(&r, "boot_ms=0 pace_ms=0");
    for (unsigned i = 0; i < THREADS; i++) {
        w[i].number = i;
        w[i].failed = 0;
        w[i].r.a = r.a;
        w[i].r.cancelled = (struct cancel){0};
        arena_init(&w[i].r.arena, (size_t)64 << 20);
        assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(w[i].thread, NULL);
        arena_done(&w[i].r.arena);
        assert_int_equal(w[i].failed, 0);
    }
    assert_int_equal(rig_list(&r, &list), RESULT_CODE_OK);
    assert_int_equal(list.n_vms, THREADS * MACHINES / 2);
    for (size_t i = 0; i < list.n_vms; i++)
        for (size_t k = i + 1; k < list.n_vms; k++)
            assert_string_not_equal(list.vms[i]->addresses[0]->ip, list.vms[k]->addresses[0]->ip);
    assert_int_equal(r.a->n_machines, THREADS * MACHINES / 2);
    assert_int_equal(r.a->n_cores, THREADS * MACHINES / 2);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
