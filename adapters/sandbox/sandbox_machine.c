/* One machine: its states over time, and how it is shown. */
#include "sandbox.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"

static const char *const words[] = {
    [VM_STATE_UNSPECIFIED] = "",          [VM_STATE_CREATING] = "building",
    [VM_STATE_STARTING] = "powering-up",  [VM_STATE_RUNNING] = "on",
    [VM_STATE_REBOOTING] = "cycling",     [VM_STATE_STOPPING] = "powering-down",
    [VM_STATE_STOPPED] = "off",           [VM_STATE_SUSPENDING] = "freezing",
    [VM_STATE_SUSPENDED] = "frozen",      [VM_STATE_UPDATING] = "reshaping",
    [VM_STATE_DELETING] = "tearing-down", [VM_STATE_DELETED] = "gone",
    [VM_STATE_ERROR] = "broken",
};

const char *sandbox_state_word(pb_VmState state)
{
    return (size_t)state < ARRAY_LEN(words) ? words[state] : "";
}

pb_VmState sandbox_state_at(const struct sandbox_machine *m, int64_t t)
{
    const struct sandbox_change *c = &m->change;

    return t < c->since_ns ? c->before : t < c->until_ns ? c->during : c->after;
}

bool sandbox_visible_at(const struct sandbox_machine *m, int64_t t)
{
    return t >= m->visible_ns && sandbox_state_at(m, t) != VM_STATE_DELETED;
}

/* Since when it is in the state that it is in at a time. */
static int64_t state_since(const struct sandbox_change *c, int64_t t)
{
    return t < c->since_ns ? c->before_ns : t < c->until_ns ? c->since_ns : c->until_ns;
}

void sandbox_change(struct sandbox_machine *m, int64_t now, pb_VmState during, pb_VmState after,
                    int64_t ms)
{
    m->change = (struct sandbox_change){
        .before = sandbox_state_at(m, now),
        .before_ns = state_since(&m->change, now),
        .during = during,
        .after = after,
        .since_ns = now,
        .until_ns = now + ms * NS_PER_MS,
        .flavor_before = m->parts.flavor,
    };
}

void sandbox_parts_done(struct sandbox_parts *p)
{
    for (size_t i = 0; i < p->n_tags; i++) {
        free(p->tags[i].key);
        free(p->tags[i].value);
    }
    free(p->tags);
    free(p->volumes);
    free(p->groups);
    *p = (struct sandbox_parts){0};
}

void sandbox_machine_free(struct sandbox_machine *m)
{
    if (!m)
        return;
    sandbox_parts_done(&m->parts);
    free(m->token);
    free(m);
}

/* ---- showing ---- */

#define TOKEN_KEY     "client_token"
#define USER_DATA_KEY "user_data_bytes"

/* What every shown machine has, in one piece: showing one is the hottest path of the sandbox. */
struct shown {
    pb_Vm vm;
    pb_Timestamp created, updated;
    pb_VmAddress address[2];
    pb_VmAddress *addresses[2];
    pb_Vm_NativeEntry native[2];
    pb_Vm_NativeEntry *natives[2];
    char id[UUID_TEXT_LEN + 1], mac[18];
    char ip[2][16];
};

/* Messages are not const and point to what is: nobody writes through them. */
static char *fixed(const char *s)
{
    return (char *)(uintptr_t)s;
}

static void show_time(pb_Timestamp *t, int64_t wall_ns)
{
    protobuf_c_message_init(&pb_Timestamp_desc, t);
    t->seconds = wall_ns / NS_PER_SEC;
    t->nanos = (int32_t)(wall_ns % NS_PER_SEC);
}

static void show_address(struct shown *s, const struct sandbox_subnet *subnet, const char *ip,
                         const char *mac)
{
    size_t i = s->vm.n_addresses++;
    pb_VmAddress *to = &s->address[i];

    protobuf_c_message_init(&pb_VmAddress_desc, to);
    memcpy(s->ip[i], ip, sizeof(s->ip[i]));
    to->ip = s->ip[i];
    to->ip_version = 4;
    to->network_id = fixed(subnet->network->ref.id);
    to->network_name = fixed(subnet->network->ref.name);
    to->kind = subnet->network->external ? ADDRESS_KIND_PUBLIC : ADDRESS_KIND_FIXED;
    if (mac)
        to->mac = memcpy(s->mac, mac, sizeof(s->mac));
    s->addresses[i] = to;
}

static void show_native(struct shown *s, const char *key, char *value)
{
    size_t i = s->vm.n_native++;

    protobuf_c_message_init(&pb_Vm_NativeEntry_desc, &s->native[i]);
    s->native[i].key = fixed(key);
    s->native[i].value = value;
    s->natives[i] = &s->native[i];
}

static void show_groups(struct arena *a, pb_Vm *vm, const struct sandbox_parts *p)
{
    vm->security_group_names = arena_array(a, p->n_groups, sizeof(*vm->security_group_names));
    for (size_t i = 0; vm->security_group_names && i < p->n_groups; i++)
        vm->security_group_names[vm->n_security_group_names++] = fixed(p->groups[i]->ref.name);
}

static void show_volumes(struct arena *a, pb_Vm *vm, const struct sandbox_parts *p)
{
    vm->volumes = arena_array(a, p->n_volumes, sizeof(*vm->volumes));
    for (size_t i = 0; vm->volumes && i < p->n_volumes; i++) {
        pb_VmVolume *v = arena_message(a, &pb_VmVolume_desc);
        if (!v)
            return;
        v->id = arena_strdup(a, p->volumes[i].id);
        v->delete_on_termination = !p->volumes[i].keep;
        vm->volumes[vm->n_volumes++] = v;
    }
}

static void show_tags(struct arena *a, pb_Vm *vm, const struct sandbox_parts *p)
{
    vm->tags = arena_array(a, p->n_tags, sizeof(*vm->tags));
    for (size_t i = 0; vm->tags && i < p->n_tags; i++) {
        pb_Vm_TagsEntry *tag = arena_message(a, &pb_Vm_TagsEntry_desc);
        if (!tag)
            return;
        tag->key = arena_strdup(a, p->tags[i].key);
        tag->value = arena_strdup(a, p->tags[i].value);
        vm->tags[vm->n_tags++] = tag;
    }
}

static void show_parts(struct arena *a, struct shown *s, const struct sandbox_machine *m,
                       const struct sandbox_flavor *flavor)
{
    const struct sandbox_parts *p = &m->parts;
    pb_Vm *vm = &s->vm;

    vm->flavor_id = fixed(flavor->ref.id);
    vm->flavor_name = fixed(flavor->ref.name);
    vm->vcpus = flavor->vcpus;
    vm->memory_mib = flavor->memory_mib;
    vm->disk_gib = flavor->disk_gib;
    if (!p->volume_boot) {
        vm->image_id = fixed(p->image->ref.id);
        vm->image_name = fixed(p->image->ref.name);
    }
    vm->region = fixed(p->region->ref.name);
    vm->zone = fixed(p->zone->ref.id);
    if (p->key)
        vm->keypair = fixed(p->key->ref.name);
    show_address(s, p->subnet, m->fixed_text, m->mac);
    if (m->public_ip)
        show_address(s, SANDBOX_PUBLIC, m->public_text, NULL);
    vm->addresses = s->addresses;
    show_groups(a, vm, p);
    if (p->n_volumes)
        show_volumes(a, vm, p);
    if (p->n_tags)
        show_tags(a, vm, p);
    if (*m->token)
        show_native(s, TOKEN_KEY, arena_strdup(a, m->token));
    if (p->user_data_len)
        show_native(s, USER_DATA_KEY, arena_printf(a, "%zu", p->user_data_len));
    vm->native = s->natives;
}

pb_Vm *sandbox_show(struct arena *a, const struct sandbox_machine *m, int64_t t)
{
    struct shown *s = ARENA_NEW(a, struct shown);
    const struct sandbox_change *c = &m->change;

    if (!s)
        return NULL;
    protobuf_c_message_init(&pb_Vm_desc, &s->vm);
    s->vm.id = memcpy(s->id, m->id, sizeof(s->id));
    s->vm.name = arena_strdup(a, m->name->text);
    s->vm.state = sandbox_state_at(m, t);
    s->vm.native_state = fixed(sandbox_state_word(s->vm.state));
    if (s->vm.state == VM_STATE_ERROR)
        s->vm.fault = fixed("the guest did not come up, as the parameter fail_boot says");
    show_parts(a, s, m, t < c->until_ns ? c->flavor_before : m->parts.flavor);
    int64_t to_wall = m->created_wall_ns - m->created_ns;
    show_time(&s->created, m->created_wall_ns);
    show_time(&s->updated, state_since(c, t) + to_wall);
    s->vm.created_at = &s->created;
    s->vm.updated_at = &s->updated;
    return &s->vm;
}
