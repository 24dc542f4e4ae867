#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "isobar/uuid.h"
#include "openstack_live.h"
#include "os.h"
#include "os_ports.h"
#include "os_volumes.h"

struct live live;

int live_setup(void **state)
{
    (void)state;
    const char *file = getenv("ISOBAR_TEST_OPENSTACK");
    struct open_error error = {""};
    if (file == NULL || file[0] == '\0') {
        printf("skipped: ISOBAR_TEST_OPENSTACK names no clouds.yaml of a test OpenStack\n");
        exit(77);
    }
    arena_init(&live.arena, (size_t)256 << 20);
    live.adapter = live_open(file, "demo", &error);
    if (live.adapter == NULL)
        print_message("%s\n", error.text);
    return live.adapter == NULL;
}

int live_teardown(void **state)
{
    (void)state;
    openstack_adapter.close(live.adapter);
    arena_done(&live.arena);
    return 0;
}

int live_test_begin(void **state)
{
    (void)state;
    live_op(&live);
    return 0;
}

void live_made(struct live *l, const struct os_kind *kind, const char *id)
{
    assert_true(l->n_made < ARRAY_LEN(l->made));
    l->made[l->n_made].kind = kind;
    snprintf(l->made[l->n_made++].id, sizeof(l->made[0].id), "%s", id);
}

/* True where it is gone. */
static bool drop(struct live *l, const struct os_kind *kind, char *id)
{
    struct op *op = live_op(l);
    if (kind == NULL) {
        pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
        pb_DeleteVmResponse rsp = pb_DeleteVmResponse_INIT;
        req.id = id;
        return openstack_adapter.delete_vm(l->adapter, op, &req, &rsp) == RESULT_CODE_DELETED &&
               rsp.vm->state == VM_STATE_DELETED;
    }
    struct os_request req = os_delete(op->arena, kind->service, kind->path, id);
    struct http_response rsp;
    return os_send(l->adapter, op, &req, &rsp) == RESULT_CODE_NOT_FOUND;
}

int live_test_end(void **state)
{
    (void)state;
    for (; live.n_made > 0; live.n_made--) {
        for (int i = 0; i < 40; i++) {
            if (drop(&live, live.made[live.n_made - 1].kind, live.made[live.n_made - 1].id))
                break;
            op_sleep_ms(&live.op, 500);
        }
    }
    return live_left(&live) > 0;
}

const char *live_value(void *const *entries, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        const pb_Vm_TagsEntry *e = entries[i]; /* all maps of texts are alike */
        if (strcmp(e->key, key) == 0)
            return e->value;
    }
    return NULL;
}

struct adapter *live_open(const char *file, const char *cloud, struct open_error *ret_error)
{
    struct setting items[] = {{"clouds_file", file}, {"cloud", cloud}};
    struct settings settings = {.cloud = "lab", .n = 2, .items = items};
    return openstack_adapter.open(&settings, ret_error);
}

struct op *live_more(struct live *l)
{
    char id[UUID_TEXT_LEN + 1];
    uuid7(id);
    snprintf(l->token, sizeof(l->token), "%s", id);
    if (l->n_tokens < ARRAY_LEN(l->tokens))
        memcpy(l->tokens[l->n_tokens++], l->token, sizeof(l->token));
    l->op = (struct op){
        .arena = &l->arena,
        .deadline_ns = clock_mono_ns() + 60 * NS_PER_SEC,
        .token = l->token,
        .request_id = l->token,
        .traceparent = "",
        .result = result_new(&l->arena),
    };
    return &l->op;
}

struct op *live_op(struct live *l)
{
    arena_reset(&l->arena);
    return live_more(l);
}

void live_code_at(struct live *l, pb_ResultCode code, pb_ResultCode wanted, const char *file,
                  int line)
{
    if (code == wanted)
        return;
    print_message("%s:%d: %s, not %s: %s\n", file, line, result_name(code), result_name(wanted),
                  l->op.result->detail);
    _fail(file, line);
}

char *live_name(struct live *l, const char *name)
{
    return arena_printf(&l->arena, "%s-%d", name, (int)getpid());
}

pb_VmSpec *live_spec(struct live *l, const char *name)
{
    pb_VmSpec *spec = arena_message(&l->arena, &pb_VmSpec_desc);
    spec->name = live_name(l, name);
    spec->flavor_name = arena_strdup(&l->arena, "m1.tiny");
    spec->image_id = arena_strdup(&l->arena, "test-image");
    spec->network_id = arena_strdup(&l->arena, "private");
    return spec;
}

void live_parameter(struct live *l, pb_VmSpec *spec, const char *key, const char *value)
{
    struct field_pairs p = {.arena = &l->arena,
                            .type = &pb_VmSpec_ParametersEntry_desc,
                            .n = spec->n_parameters,
                            .room = spec->n_parameters,
                            .items = (void **)spec->parameters};
    field_pairs_add(&p, arena_strdup(&l->arena, key), arena_strdup(&l->arena, value));
    spec->n_parameters = p.n;
    spec->parameters = (void *)p.items;
}

void live_tag(struct live *l, pb_VmSpec *spec, const char *key, const char *value)
{
    struct field_pairs p = {.arena = &l->arena,
                            .type = &pb_VmSpec_TagsEntry_desc,
                            .n = spec->n_tags,
                            .room = spec->n_tags,
                            .items = (void **)spec->tags};
    field_pairs_add(&p, arena_strdup(&l->arena, key), arena_strdup(&l->arena, value));
    spec->n_tags = p.n;
    spec->tags = (void *)p.items;
}

pb_Vm *live_wait(struct live *l, const char *id, pb_VmState state)
{
    char copy[64];
    snprintf(copy, sizeof(copy), "%s", id);
    for (int i = 0; i < 120; i++) {
        struct op *op = live_op(l);
        pb_GetVmRequest req = pb_GetVmRequest_INIT;
        pb_GetVmResponse rsp = pb_GetVmResponse_INIT;
        req.id = copy;
        pb_ResultCode code = openstack_adapter.get_vm(l->adapter, op, &req, &rsp);
        if (code == RESULT_CODE_NOT_FOUND && state == VM_STATE_DELETED)
            return NULL;
        live_code(l, code, RESULT_CODE_OK);
        if (rsp.vm->state == state)
            return rsp.vm;
        if (rsp.vm->state == VM_STATE_ERROR)
            fail_msg("machine %s is in ERROR: %s", copy, rsp.vm->fault);
        op_sleep_ms(op, 500);
    }
    fail_msg("machine %s did not come into state %d", copy, (int)state);
    return NULL;
}

pb_Vm *live_create(struct live *l, pb_VmSpec *spec, char ret_id[64])
{
    pb_CreateVmRequest req = pb_CreateVmRequest_INIT;
    pb_CreateVmResponse rsp = pb_CreateVmResponse_INIT;
    req.spec = spec;
    live_code(l, openstack_adapter.create_vm(l->adapter, &l->op, &req, &rsp), RESULT_CODE_CREATED);
    assert_string_equal(l->op.result->detail, "");
    assert_true(uuid_is(rsp.vm->id));
    snprintf(ret_id, 64, "%s", rsp.vm->id);
    live_made(l, NULL, ret_id);
    return live_wait(l, ret_id, VM_STATE_RUNNING);
}

void live_delete(struct live *l, const char *id)
{
    char copy[64];
    snprintf(copy, sizeof(copy), "%s", id);
    pb_DeleteVmRequest req = pb_DeleteVmRequest_INIT;
    pb_DeleteVmResponse rsp = pb_DeleteVmResponse_INIT;
    req.id = copy;
    struct op *op = live_op(l);
    live_code(l, openstack_adapter.delete_vm(l->adapter, op, &req, &rsp), RESULT_CODE_DELETED);
    for (size_t i = 0; i < op->result->n_warnings; i++)
        fail_msg("delete warns: %s", op->result->warnings[i]);
    assert_string_equal(rsp.vm->id, copy);
    live_wait(l, copy, VM_STATE_DELETED);
}

/* Whether an operation of ours bears this token, behind `prefix`. */
static bool is_ours(const struct live *l, const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; text != NULL && strncmp(text, prefix, len) == 0 && i < l->n_tokens; i++) {
        if (strcmp(text + len, l->tokens[i]) == 0)
            return true;
    }
    return false;
}

static struct shape_list list_all(struct live *l, const struct os_kind *kind)
{
    struct shape_list list = {0};
    live_code(l, os_list(l->adapter, live_op(l), kind, NULL, &list), RESULT_CODE_OK);
    return list;
}

static size_t left(bool ours, const struct os_kind *kind, const struct os_thing *thing)
{
    if (ours)
        print_message("left behind: %s %s\n", kind->noun, thing->id);
    return ours;
}

static size_t count_left(struct live *l)
{
    size_t n = 0;
    struct shape_list list = list_all(l, &os_port_kind);
    const struct os_port *ports = list.items;
    for (size_t i = 0; i < list.n; i++)
        n += left(is_ours(l, ports[i].thing.name, OS_MARK_PREFIX), &os_port_kind, &ports[i].thing);
    list = list_all(l, &os_fip_kind);
    const struct os_fip *fips = list.items;
    for (size_t i = 0; i < list.n; i++)
        n += left(is_ours(l, fips[i].description, OS_MARK_PREFIX), &os_fip_kind, &fips[i].thing);
    list = list_all(l, &os_volume_kind);
    const struct os_volume *volumes = list.items;
    for (size_t i = 0; i < list.n; i++)
        n += left(is_ours(l, shape_map_get(&volumes[i].metadata, OS_TOKEN_KEY), ""),
                  &os_volume_kind, &volumes[i].thing);
    return n;
}

size_t live_left(struct live *l)
{
    size_t n = SIZE_MAX;
    for (int i = 0; i < 20 && n > 0; i++) { /* volumes take their time to go */
        n = count_left(l);
        if (n > 0)
            op_sleep_ms(&l->op, 500);
    }
    l->n_tokens = 0;
    return n;
}
