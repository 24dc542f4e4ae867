#include "az_cleanup.h"

#include <string.h>
#include <strings.h>

#include "az_errors.h"
#include "isobar/point.h"

/* What was just let go may count as in use for a moment. */
static const int pauses_ms[] = {200, 400, 800, 1600};

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static struct az_remain of_nic(const void *thing)
{
    const struct az_nic *nic = thing;

    return (struct az_remain){.thing = nic->thing, .user = nic->vm_id};
}

static struct az_remain of_ip(const void *thing)
{
    const struct az_ip *ip = thing;

    return (struct az_remain){.thing = ip->thing, .user = ip->used_by};
}

/* A disk that is reserved for a machine which is deallocated has that machine, too. */
static struct az_remain of_disk(const void *thing)
{
    const struct az_disk *disk = thing;
    bool loose = disk->state != NULL && strcasecmp(disk->state, "Unattached") == 0;

    return (struct az_remain){
        .thing = disk->thing,
        .user = is_set(disk->used_by) ? disk->used_by
                : loose               ? NULL
                                      : "something",
        .created = disk->created,
    };
}

const struct az_remain_kind az_remain_kinds[AZ_REMAIN_KINDS] = {
    {&az_nic_kind, "nic", of_nic},
    {&az_ip_kind, "public_ip", of_ip},
    {&az_disk_kind, "disk", of_disk},
};

const struct az_remain_kind *az_remain_kind_of(const char *type)
{
    for (size_t i = 0; i < AZ_REMAIN_KINDS; i++)
        if (az_id_is(type, az_remain_kinds[i].kind->type))
            return &az_remain_kinds[i];
    return NULL;
}

bool az_remain_look(struct adapter *a, struct op *op, const struct az_remain_kind *kind,
                    const char *id, const char *token, struct az_remain *ret,
                    pb_ResultCode *ret_code)
{
    struct op aside = op_aside(op, 0);
    struct az_thing *thing = arena_alloc(op->arena, kind->kind->item->size);

    *ret_code = RESULT_CODE_OK;
    if (thing == NULL) {
        *ret_code = op_end(op, RESULT_CODE_INTERNAL_ERROR);
        return false;
    }
    pb_ResultCode code = az_find_by_id(a, &aside, kind->kind, id, thing);
    if (code == RESULT_CODE_NOT_FOUND)
        return false;
    if (code != RESULT_CODE_OK) {
        *ret_code = op_tell(op, &aside, code);
        return false;
    }
    if (!az_thing_is_ours(thing, token))
        return false;
    *ret = kind->of(thing);
    ret->kind = kind->kind;
    ret->word = kind->word;
    return true;
}

bool az_remain_is_free(const struct az_remain *r, const struct az_remain *others, size_t n)
{
    if (!is_set(r->user))
        return true;
    /* ".../networkInterfaces/NAME/ipConfigurations/.." */
    for (size_t i = 0; i < n; i++) {
        const char *id = others[i].thing.id;
        size_t len = strlen(id);
        if (&others[i] != r && !is_set(others[i].user) && strncasecmp(r->user, id, len) == 0 &&
            r->user[len] == '/')
            return true;
    }
    return false;
}

/* Whether it may be gone a little later: something lets go of it, or works on it. */
static bool is_busy(const struct op *op, pb_ResultCode code)
{
    return (code == RESULT_CODE_FAILED_PRECONDITION && !az_said(op, "ScopeLocked")) ||
           (code != RESULT_CODE_OK && az_said_not_yet(op));
}

static pb_ResultCode drop(struct adapter *a, struct op *op, const struct az_remain *r)
{
    const char *path = az_id_path(op->arena, r->thing.id);
    if (r->kind->version != NULL)
        path = arena_printf(op->arena, "%s?api-version=%s", path, r->kind->version);
    const struct az_request req = {
        .service = r->kind->service, .method = "DELETE", .path = path, .flags = SEND_IDEMPOTENT};
    const char *what = arena_printf(op->arena, "deleting %s %s", r->kind->noun, r->thing.name);

    for (size_t i = 0;; i++) {
        struct op aside = op_aside(op, 0);
        struct az_lro lro = {0};
        point("clean-up");
        pb_ResultCode code = az_begin(a, &aside, &req, NULL, NULL, &lro);
        if (code == RESULT_CODE_OK)
            code = az_wait(a, &aside, r->kind->service, what, &lro);
        if (code == RESULT_CODE_NOT_FOUND)
            return RESULT_CODE_OK;
        if (!is_busy(&aside, code) || i == ARRAY_LEN(pauses_ms) || !op_sleep_ms(op, pauses_ms[i]))
            return op_tell(op, &aside, code);
    }
}

bool az_remains_delete(struct adapter *a, struct op *op, const struct az_remain *remains, size_t n)
{
    bool all = true;

    for (size_t k = 0; k < AZ_REMAIN_KINDS; k++)
        for (size_t i = 0; i < n; i++) {
            const struct az_remain *r = &remains[i];
            struct op aside = op_aside(op, 0);
            if (r->kind != az_remain_kinds[k].kind)
                continue;
            bool unused = az_remain_is_free(r, remains, n);
            if (unused && drop(a, &aside, r) == RESULT_CODE_OK)
                continue;
            op_warn(op, "%s %s, which was made for the machine, could not be deleted: %s",
                    r->kind->noun, r->thing.name,
                    unused ? aside.result->detail : arena_printf(op->arena, "%s has it", r->user));
            all = false;
        }
    return all;
}
