/* All machines of a connection. Everything here runs with the connection's lock held. */
#include "sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "isobar/clock.h"

/* Of how many machines near names are looked for: reads stay a matter of microseconds. */
#define NEAR_AMONG 100

/* ---- addresses ---- */

/* The first ones of a subnet are its network, its gateway and its name server, the last one is for
 * broadcasts. */
#define RESERVED_FIRST 16

static uint64_t bit(uint32_t n)
{
    return UINT64_C(1) << (n % 64);
}

static struct sandbox_pool *pool_of(struct adapter *a, const struct sandbox_subnet *s)
{
    return &a->pools[s - sandbox_subnets];
}

/* The wanted address, or any where it is 0. */
static pb_ResultCode take_address(struct adapter *a, struct op *op, const struct sandbox_subnet *s,
                                  uint32_t wanted, uint32_t *ret)
{
    struct sandbox_pool *p = pool_of(a, s);
    uint32_t usable = s->size - 1 - RESERVED_FIRST;

    if (!p->taken)
        p->taken = calloc(s->size / 64, sizeof(*p->taken));
    if (!p->taken)
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    for (uint32_t i = 0; i < (wanted ? 1 : usable); i++) {
        uint32_t n = wanted ? wanted - s->base : RESERVED_FIRST + (p->next + i) % usable;
        if (p->taken[n / 64] & bit(n))
            continue;
        p->taken[n / 64] |= bit(n);
        if (!wanted)
            p->next = (n - RESERVED_FIRST + 1) % usable;
        *ret = s->base + n;
        return RESULT_CODE_OK;
    }
    if (wanted) {
        op_violation(op, "spec.public_ip", "is in use");
        return sandbox_refuse(op, RESULT_CODE_ALREADY_EXISTS, 409, "AddressInUse",
                              "the address is in use; take another one, or leave it to the cloud");
    }
    return sandbox_refuse(op, RESULT_CODE_QUOTA_EXCEEDED, 403, "NoMoreAddresses",
                          "subnet %s has no free address; delete machines", s->ref.name);
}

static void give_address(struct adapter *a, const struct sandbox_subnet *s, uint32_t ip)
{
    if (ip)
        pool_of(a, s)->taken[(ip - s->base) / 64] &= ~bit(ip - s->base);
}

static void address_text(uint32_t ip, char out[16])
{
    snprintf(out, 16, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

/* Both addresses, or none. */
static pb_ResultCode take_addresses(struct adapter *a, struct op *op, struct sandbox_machine *m,
                                    const struct sandbox_parts *p)
{
    pb_ResultCode code = take_address(a, op, p->subnet, 0, &m->fixed_ip);

    if (code != RESULT_CODE_OK)
        return code;
    address_text(m->fixed_ip, m->fixed_text);
    snprintf(m->mac, sizeof(m->mac), "02:5a:%02x:%02x:%02x:%02x", m->fixed_ip >> 24,
             m->fixed_ip >> 16 & 255, m->fixed_ip >> 8 & 255, m->fixed_ip & 255);
    if (!p->wants_public)
        return RESULT_CODE_OK;
    code = take_address(a, op, SANDBOX_PUBLIC, p->public_ip, &m->public_ip);
    if (code == RESULT_CODE_OK)
        address_text(m->public_ip, m->public_text);
    else
        give_address(a, p->subnet, m->fixed_ip);
    return code;
}

/* ---- names ---- */

static bool enter_name(struct adapter *a, struct sandbox_machine *m, const char *text)
{
    struct sandbox_name *name;
    size_t len = strlen(text);

    HASH_FIND(hh, a->names, text, len, name);
    if (!name) {
        name = calloc(1, sizeof(*name) + len + 1);
        if (!name)
            return false;
        memcpy(name->text, text, len);
        HASH_ADD_KEYPTR(hh, a->names, name->text, len, name);
        if (!HASH_ADDED(hh, name)) {
            free(name);
            return false;
        }
    }
    m->name = name;
    DL_APPEND2(name->machines, m, same_prev, same_next);
    return true;
}

static void leave_name(struct adapter *a, struct sandbox_machine *m)
{
    struct sandbox_name *name = m->name;

    DL_DELETE2(name->machines, m, same_prev, same_next);
    if (name->machines)
        return;
    HASH_DELETE(hh, a->names, name);
    free(name);
}

/* ---- coming and going ---- */

static void leave(struct adapter *a, struct sandbox_machine *m)
{
    HASH_DELETE(by_id, a->ids, m);
    if (*m->token)
        HASH_DELETE(by_token, a->tokens, m);
    leave_name(a, m);
}

/* Where it is found: by its name, its id and its token; or nowhere, where memory is short. */
static bool enter(struct adapter *a, struct sandbox_machine *m, const char *name)
{
    if (!enter_name(a, m, name))
        return false;
    HASH_ADD(by_id, a->ids, id, UUID_TEXT_LEN, m);
    if (!HASH_ADDED(by_id, m)) {
        leave_name(a, m);
        return false;
    }
    if (*m->token)
        HASH_ADD_KEYPTR(by_token, a->tokens, m->token, strlen(m->token), m);
    if (*m->token && !HASH_ADDED(by_token, m)) {
        HASH_DELETE(by_id, a->ids, m);
        leave_name(a, m);
        return false;
    }
    return true;
}

static void forget(struct adapter *a, struct sandbox_machine *m)
{
    leave(a, m);
    DL_DELETE(a->first, m);
    if (m->going)
        DL_DELETE2(a->going, m, going_prev, going_next);
    give_address(a, m->parts.subnet, m->fixed_ip);
    give_address(a, SANDBOX_PUBLIC, m->public_ip);
    a->n_machines--;
    a->n_cores -= m->parts.flavor->vcpus;
    sandbox_machine_free(m);
}

void sandbox_sweep(struct adapter *a, int64_t now)
{
    int64_t lag = a->set.list_lag_ms * NS_PER_MS;

    /* Whoever walks the list lets the pinned one go, and the next sweep takes it. */
    while (a->going && !a->going->pins && now >= a->going->change.until_ns + lag)
        forget(a, a->going);
}

void sandbox_clear(struct adapter *a)
{
    while (a->first)
        forget(a, a->first);
    for (size_t i = 0; i < SANDBOX_SUBNETS; i++)
        free(a->pools[i].taken);
}

void sandbox_delete(struct adapter *a, struct sandbox_machine *m, int64_t now)
{
    if (m->going)
        return;
    sandbox_change(m, now, VM_STATE_DELETING, VM_STATE_DELETED, a->set.pace_ms);
    m->change.since_ns += a->set.late_commit_ms * NS_PER_MS;
    m->change.until_ns += a->set.late_commit_ms * NS_PER_MS;
    m->going = true;
    DL_APPEND2(a->going, m, going_prev, going_next);
}

pb_ResultCode sandbox_room_cores(struct adapter *a, struct op *op, int64_t more)
{
    if (a->n_cores + more <= a->set.quota_cores)
        return RESULT_CODE_OK;
    return sandbox_refuse(op, RESULT_CODE_QUOTA_EXCEEDED, 403, "TooManyCores",
                          "%lld of %lld cores are in use, and %lld more are asked for; delete "
                          "machines, or raise quota_cores",
                          (long long)a->n_cores, (long long)a->set.quota_cores, (long long)more);
}

pb_ResultCode sandbox_room(struct adapter *a, struct op *op, const struct sandbox_flavor *flavor)
{
    if (a->n_machines >= a->set.quota_instances)
        return sandbox_refuse(op, RESULT_CODE_QUOTA_EXCEEDED, 403, "TooManyMachines",
                              "all %lld machines that there may be exist; delete some, or raise "
                              "quota_instances",
                              (long long)a->set.quota_instances);
    if (a->n_machines >= a->set.capacity)
        return sandbox_refuse(op, RESULT_CODE_OUT_OF_CAPACITY, 503, "NoRoom",
                              "the cloud has room for %lld machines and no more; try later, or "
                              "delete some",
                              (long long)a->set.capacity);
    return sandbox_room_cores(a, op, flavor->vcpus);
}

static void begin(struct adapter *a, struct sandbox_machine *m, int64_t now)
{
    m->created_ns = now;
    m->created_wall_ns = clock_wall_ns();
    m->visible_ns = now + a->set.late_commit_ms * NS_PER_MS;
    sandbox_change(m, m->visible_ns, VM_STATE_CREATING,
                   m->parts.fail_boot ? VM_STATE_ERROR : VM_STATE_RUNNING, m->parts.boot_ms);
    m->change.before = VM_STATE_CREATING;
    m->change.before_ns = now;
}

pb_ResultCode sandbox_insert(struct adapter *a, struct op *op, const char *name,
                             struct sandbox_parts *parts, int64_t now, struct sandbox_machine **ret)
{
    struct sandbox_machine *m = calloc(1, sizeof(*m));

    if (m) {
        uuid7(m->id);
        m->token = strdup(op->token);
    }
    if (!m || !m->token || !enter(a, m, name)) {
        sandbox_machine_free(m);
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR, "out of memory");
    }
    pb_ResultCode code = take_addresses(a, op, m, parts);
    if (code != RESULT_CODE_OK) {
        leave(a, m);
        sandbox_machine_free(m);
        return code;
    }
    m->parts = *parts;
    *parts = (struct sandbox_parts){0};
    begin(a, m, now);
    DL_APPEND(a->first, m);
    a->n_machines++;
    a->n_cores += m->parts.flavor->vcpus;
    *ret = m;
    return RESULT_CODE_OK;
}

/* ---- finding ---- */

struct sandbox_machine *sandbox_find_token(struct adapter *a, const char *token)
{
    struct sandbox_machine *m = NULL;

    if (*token)
        HASH_FIND(by_token, a->tokens, token, strlen(token), m);
    return m;
}

/* Let pick() say it: several have the name, or none has. */
static pb_ResultCode fail_find(struct adapter *a, struct op *op, const char *wanted,
                               const struct sandbox_name *name, int64_t now)
{
    struct pick_item items[NEAR_AMONG];
    size_t n = 0, index;
    const struct sandbox_machine *m = name ? name->machines : a->first ? a->first->prev : NULL;

    if (uuid_is(wanted))
        return op_fail(op, RESULT_CODE_NOT_FOUND, "no machine '%s'", wanted);
    for (size_t looked = 0; m && n < NEAR_AMONG && (name || looked < NEAR_AMONG); looked++) {
        if (sandbox_visible_at(m, now))
            items[n++] = (struct pick_item){m->id, m->name->text};
        /* The newest are first, where any will do; the head's `prev` is the tail. */
        m = name ? m->same_next : m == a->first ? NULL : m->prev;
    }
    return pick(op, "machine", "id", wanted, items, n, &index);
}

pb_ResultCode sandbox_find(struct adapter *a, struct op *op, const char *wanted, int64_t now,
                           struct sandbox_machine **ret)
{
    struct sandbox_machine *m = NULL, *at;
    struct sandbox_name *name = NULL;
    size_t len = strlen(wanted), n = 0;

    if (len == UUID_TEXT_LEN)
        HASH_FIND(by_id, a->ids, wanted, len, m);
    if (m && sandbox_visible_at(m, now)) {
        *ret = m;
        return RESULT_CODE_OK;
    }
    HASH_FIND(hh, a->names, wanted, len, name);
    m = NULL;
    for (at = name ? name->machines : NULL; at && n < 2; at = at->same_next) {
        if (sandbox_visible_at(at, now)) {
            m = at;
            n++;
        }
    }
    if (n != 1)
        return fail_find(a, op, wanted, n ? name : NULL, now);
    *ret = m;
    return RESULT_CODE_OK;
}

/* What is known of the machine, in the arena. */
static pb_ResultCode look_up(struct adapter *a, struct op *op, const char *wanted,
                             const char **ret_id, const char **ret_token)
{
    struct sandbox_machine *m = NULL;

    sandbox_lock(a);
    pb_ResultCode code = sandbox_find(a, op, wanted, clock_mono_ns(), &m);
    if (code == RESULT_CODE_OK) {
        *ret_id = arena_strdup(op->arena, m->id);
        *ret_token = arena_strdup(op->arena, m->token);
    }
    pthread_mutex_unlock(&a->lock);
    return code;
}

pb_ResultCode sandbox_note(struct adapter *a, struct op *op, const char *wanted, bool deletes,
                           const char **ret_id)
{
    const char *token = "";

    *ret_id = wanted;
    if (!op->note_id || (uuid_is(wanted) && !deletes))
        return RESULT_CODE_OK;
    pb_ResultCode code = look_up(a, op, wanted, ret_id, &token);
    if (code != RESULT_CODE_OK)
        return code;
    if (deletes && *token && op->note_maker)
        op->note_maker(op, token);
    if (!op->note_id(op, *ret_id))
        return op_fail(op, RESULT_CODE_UNAVAILABLE,
                       "the gateway could not record which machine is meant, so nothing was done");
    return RESULT_CODE_OK;
}
