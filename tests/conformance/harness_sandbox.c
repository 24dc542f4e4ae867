/* The sandbox: its faults are settings, and it has no wire of its own to break. */
#include "harness.h"

#include <string.h>

#include "sandbox.h"

extern const struct adapter_ops sandbox_adapter;

static const char *sandbox_start(void)
{
    return NULL;
}

static bool sandbox_stop(void)
{
    return true;
}

static size_t sandbox_settings_of(enum fault f, struct setting items[SETTINGS_MAX])
{
    size_t n = 0;

    items[n++] = (struct setting){"boot_ms", "50"};
    items[n++] = (struct setting){"pace_ms", "50"};
    if (f == FAULT_LOST_REPLY || f == FAULT_LATE_COMMIT)
        items[n++] = (struct setting){"script", "lost_reply"};
    if (f == FAULT_LATE_COMMIT)
        items[n++] = (struct setting){"late_commit_ms", "700"};
    if (f == FAULT_RATE_LIMIT)
        items[n++] = (struct setting){"script", "429"};
    if (f == FAULT_HANG)
        items[n++] = (struct setting){"script", "hang"};
    if (f == FAULT_QUOTA)
        items[n++] = (struct setting){"quota_instances", "0"};
    if (f == FAULT_CAPACITY)
        items[n++] = (struct setting){"capacity", "0"};
    return n;
}

static void sandbox_spec(struct arena *a, pb_VmSpec *spec)
{
    spec->flavor_name = arena_strdup(a, "m1.tiny");
    spec->image_id = arena_strdup(a, "alpine");
    spec->network_id = arena_strdup(a, "private");
}

/* In process: the table of all machines itself. */
static int count_in_memory(struct adapter *a, const char *token, char ret_id[ID_ROOM])
{
    int n = 0;
    int64_t now = clock_mono_ns();

    sandbox_lock(a);
    for (const struct sandbox_machine *m = a->first; m; m = m->next) {
        if (strcmp(m->token, token) != 0 || !sandbox_visible_at(m, now) ||
            sandbox_state_at(m, now) == VM_STATE_DELETED)
            continue;
        snprintf(ret_id, ID_ROOM, "%s", m->id);
        n++;
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

static const char *native(const pb_Vm *vm, const char *key)
{
    for (size_t i = 0; i < vm->n_native; i++)
        if (strcmp(vm->native[i]->key, key) == 0)
            return vm->native[i]->value;
    return "";
}

/* In another process, there is no way to this cloud but its list. */
static int count_listed(struct run *t, const char *token, char ret_id[ID_ROOM])
{
    struct answer r;
    pb_ListVmsRequest *req = NEW(t, ListVmsRequest);
    int n = 0;

    if (!CALL(t, VmService, ListVms, req, &r) || !run_code(t, &r, RESULT_CODE_OK))
        return -1;
    const pb_ListVmsResponse *list = r.message;
    for (size_t i = 0; i < list->n_vms; i++) {
        if (strcmp(native(list->vms[i], "client_token"), token) != 0)
            continue;
        snprintf(ret_id, ID_ROOM, "%s", list->vms[i]->id);
        n++;
    }
    return n;
}

static int sandbox_machines(struct run *t, const char *token, char ret_id[ID_ROOM])
{
    return t->caller->direct ? count_in_memory(t->adapter, token, ret_id)
                             : count_listed(t, token, ret_id);
}

/* A machine is all that it makes. */
static int sandbox_things(struct run *t, const char *token)
{
    (void)t, (void)token;
    return 0;
}

#define NO_BYTES "the sandbox is in memory: there are no bytes to be wrong"

const struct harness harness_sandbox = {
    .ops = &sandbox_adapter,
    .cannot =
        {
            [FAULT_UNAUTHORIZED] = "the sandbox has no credentials",
            [FAULT_SKEW] = "the sandbox has our clock",
            [FAULT_CUT_BODY] = NO_BYTES,
            [FAULT_HUGE_BODY] = NO_BYTES,
            [FAULT_DEEP_BODY] = NO_BYTES,
            [FAULT_SLOW_BODY] = NO_BYTES,
            [FAULT_UNKNOWN_STATE] = "the sandbox has our words",
        },
    .start = sandbox_start,
    .stop = sandbox_stop,
    .settings = sandbox_settings_of,
    .spec = sandbox_spec,
    .machines = sandbox_machines,
    .things = sandbox_things,
};
