/* What the tests of the sandbox share: a connection, and calls to it. */
#ifndef TEST_SANDBOX_H
#define TEST_SANDBOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "sandbox.h"

extern const struct adapter_ops sandbox_adapter;

/* A call: an arena and an op that is worth one second. */
struct rig {
    struct adapter *a;
    struct arena arena;
    struct op op;
    struct cancel cancelled;
};

/* Begin the next call; what the last one returned is gone. */
static inline struct op *rig_op(struct rig *r)
{
    arena_reset(&r->arena);
    r->op = (struct op){.arena = &r->arena,
                        .deadline_ns = clock_mono_ns() + NS_PER_SEC,
                        .token = "",
                        .request_id = "",
                        .traceparent = "",
                        .cancelled = &r->cancelled,
                        .result = result_new(&r->arena)};
    return &r->op;
}

/* Settings as "name=value name=value"; at most 8. NULL where opening fails. */
static inline struct adapter *open_with(const char *text, struct open_error *ret_error)
{
    char copy[256], *save = NULL;
    struct setting items[8];
    struct settings s = {.cloud = "box", .items = items};

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char *value = strchr(w, '=');
        *value++ = '\0';
        items[s.n++] = (struct setting){w, value};
    }
    return sandbox_adapter.open(&s, ret_error);
}

static inline void rig_open(struct rig *r, const char *settings)
{
    struct open_error error;

    memset(r, 0, sizeof(*r));
    r->cancelled = (struct cancel){0};
    arena_init(&r->arena, (size_t)64 << 20);
    r->a = open_with(settings, &error);
    assert_non_null(r->a);
    rig_op(r);
}

static inline void rig_close(struct rig *r)
{
    sandbox_adapter.close(r->a);
    arena_done(&r->arena);
}

/* A specification that works: ubuntu on m1.small. */
static inline pb_VmSpec *rig_spec(struct rig *r, const char *name)
{
    pb_VmSpec *spec = arena_message(&r->arena, &pb_VmSpec_desc);

    assert_non_null(spec);
    spec->name = arena_strdup(&r->arena, name);
    spec->flavor_name = arena_strdup(&r->arena, "m1.small");
    spec->image_id = arena_strdup(&r->arena, "ubuntu");
    return spec;
}

static inline pb_ResultCode rig_create_spec(struct rig *r, pb_VmSpec *spec, const char *token,
                                            pb_Vm **ret)
{
    pb_CreateVmRequest req;
    pb_CreateVmResponse rsp;

    protobuf_c_message_init(&pb_CreateVmRequest_desc, &req);
    protobuf_c_message_init(&pb_CreateVmResponse_desc, &rsp);
    req.spec = spec;
    r->op.token = token;
    pb_ResultCode code = sandbox_create_vm(r->a, &r->op, &req, &rsp);
    r->op.token = "";
    assert_true(!rsp.vm || code == RESULT_CODE_CREATED);
    if (ret)
        *ret = rsp.vm;
    return code;
}

/* Create with nothing special; the id goes to `ret_id`. */
static inline void rig_create(struct rig *r, const char *name, char ret_id[UUID_TEXT_LEN + 1])
{
    pb_Vm *vm;

    rig_op(r);
    assert_int_equal(rig_create_spec(r, rig_spec(r, name), "", &vm), RESULT_CODE_CREATED);
    memcpy(ret_id, vm->id, UUID_TEXT_LEN + 1);
}

static inline pb_ResultCode rig_get(struct rig *r, const char *id, pb_Vm **ret)
{
    pb_GetVmRequest req;
    pb_GetVmResponse rsp;

    rig_op(r);
    protobuf_c_message_init(&pb_GetVmRequest_desc, &req);
    protobuf_c_message_init(&pb_GetVmResponse_desc, &rsp);
    req.id = arena_strdup(&r->arena, id);
    pb_ResultCode code = sandbox_get_vm(r->a, &r->op, &req, &rsp);
    assert_true(!rsp.vm == (code != RESULT_CODE_OK));
    *ret = rsp.vm;
    return code;
}

static inline pb_ResultCode rig_list(struct rig *r, pb_ListVmsResponse *ret)
{
    pb_ListVmsRequest req;

    rig_op(r);
    protobuf_c_message_init(&pb_ListVmsRequest_desc, &req);
    protobuf_c_message_init(&pb_ListVmsResponse_desc, ret);
    return sandbox_list_vms(r->a, &r->op, &req, ret);
}

/* An action by its method's name: "Stop"; all their requests begin alike. */
#define RIG_ACTION(r, id_, Method, slot, state_)                                                   \
    __extension__({                                                                                \
        pb_##Method##VmRequest req_;                                                               \
        pb_##Method##VmResponse rsp_;                                                              \
        rig_op(r);                                                                                 \
        protobuf_c_message_init(&pb_##Method##VmRequest_desc, &req_);                              \
        protobuf_c_message_init(&pb_##Method##VmResponse_desc, &rsp_);                             \
        req_.id = arena_strdup(&(r)->arena, id_);                                                  \
        pb_ResultCode code_ = sandbox_##slot##_vm((r)->a, &(r)->op, &req_, &rsp_);                 \
        *(state_) = rsp_.vm ? rsp_.vm->state : VM_STATE_UNSPECIFIED;                               \
        code_;                                                                                     \
    })

static inline pb_ResultCode rig_delete(struct rig *r, const char *id)
{
    pb_VmState state;

    return RIG_ACTION(r, id, Delete, delete, &state);
}

/* Whether the result names the field. */
static inline bool rig_blames(const struct rig *r, const char *field)
{
    for (size_t i = 0; i < r->op.result->n_violations; i++)
        if (strcmp(r->op.result->violations[i]->field, field) == 0)
            return true;
    return false;
}

/* Create with one attribute changed. */
static inline pb_ResultCode rig_create_with(struct rig *r, const char *field, const char *value)
{
    rig_op(r);
    pb_VmSpec *spec = rig_spec(r, "web");
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(&pb_VmSpec_desc, field);
    assert_non_null(f);
    assert_int_equal(f->type, PROTOBUF_C_TYPE_STRING);
    *(char **)(void *)((char *)spec + f->offset) = arena_strdup(&r->arena, value);
    return rig_create_spec(r, spec, "", NULL);
}

#endif
