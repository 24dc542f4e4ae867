#include "kit/pick.h"

#include <string.h>

#include "isobar/buf.h"
#include "isobar/near.h"

#define NEAR_MAX   5
#define LISTED_MAX 10

static bool has_name(const struct pick_item *item)
{
    return item->name && *item->name;
}

static void add_item(struct buf *out, const struct pick_item *item)
{
    if (has_name(item))
        buf_addf(out, "%s (%s)", item->name, item->id);
    else
        buf_adds(out, item->id);
}

/* Those of the items that `indices` names, or the first `n`; ", and 3 more" where there are more
 * than are listed. */
static void add_items(struct buf *out, const struct pick_item *items, const size_t *indices,
                      size_t n)
{
    size_t listed = n < LISTED_MAX ? n : LISTED_MAX;

    for (size_t i = 0; i < listed; i++) {
        buf_adds(out, i ? ", " : "");
        add_item(out, &items[indices ? indices[i] : i]);
    }
    if (n > listed)
        buf_addf(out, ", and %zu more", n - listed);
}

static void violation(struct op *op, const char *field, struct buf *why)
{
    if (field && *field)
        op_violation(op, field, "%s", buf_cstr(why));
}

static pb_ResultCode pick_none(struct op *op, const char *what, const char *field,
                               const char *wanted, const struct pick_item *items, size_t n)
{
    struct buf why CLEANUP(buf_done);
    const char **names = arena_array(op->arena, n, sizeof(*names));
    size_t near[NEAR_MAX], n_near = 0;

    buf_init(&why, 4096);
    if (names) {
        for (size_t i = 0; i < n; i++)
            names[i] = has_name(&items[i]) ? items[i].name : items[i].id;
        n_near = near_pick(wanted, names, n, near, NEAR_MAX);
    }
    if (n_near > 0) {
        buf_adds(&why, "did you mean ");
        add_items(&why, items, near, n_near);
        buf_adds(&why, "?");
    } else if (n == 0) {
        buf_adds(&why, "there is none at all");
    } else if (n <= LISTED_MAX) {
        buf_adds(&why, "there is ");
        add_items(&why, items, NULL, n);
    } else {
        buf_addf(&why, "none of %zu has that name or id", n);
    }
    violation(op, field, &why);
    return op_fail(op, RESULT_CODE_NOT_FOUND, "no %s '%s'; %s", what, wanted, buf_cstr(&why));
}

static pb_ResultCode pick_several(struct op *op, const char *what, const char *field,
                                  const char *wanted, const struct pick_item *items, size_t n)
{
    struct buf why CLEANUP(buf_done);
    size_t found = 0;

    buf_init(&why, 4096);
    for (size_t i = 0; i < n; i++) {
        if (!items[i].name || strcmp(items[i].name, wanted) != 0)
            continue;
        if (found < LISTED_MAX)
            buf_addf(&why, "%s%s", found ? ", " : "", items[i].id);
        found++;
    }
    if (found > LISTED_MAX)
        buf_addf(&why, ", and %zu more", found - LISTED_MAX);
    violation(op, field, &why);
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA,
                   "%s '%s' is ambiguous: %zu have that name; give the id of one: %s", what, wanted,
                   found, buf_cstr(&why));
}

pb_ResultCode pick(struct op *op, const char *what, const char *field, const char *wanted,
                   const struct pick_item *items, size_t n, size_t *ret_index)
{
    size_t named = 0, index = 0;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(items[i].id, wanted) == 0) {
            *ret_index = i;
            return RESULT_CODE_OK;
        }
        if (items[i].name && strcmp(items[i].name, wanted) == 0 && named++ == 0)
            index = i;
    }
    if (named == 0)
        return pick_none(op, what, field, wanted, items, n);
    if (named > 1)
        return pick_several(op, what, field, wanted, items, n);
    *ret_index = index;
    return RESULT_CODE_OK;
}

pb_ResultCode pick_only(struct op *op, const char *what, const char *field,
                        const struct pick_item *items, size_t n, size_t *ret_index)
{
    if (n == 1) {
        *ret_index = 0;
        return RESULT_CODE_OK;
    }

    struct buf why CLEANUP(buf_done);
    buf_init(&why, 4096);
    if (n == 0) {
        buf_addf(&why, "the cloud has no %s that could be taken", what);
    } else {
        buf_addf(&why, "one of these must be named: ");
        add_items(&why, items, NULL, n);
    }
    violation(op, field, &why);
    return op_fail(op, RESULT_CODE_BAD_REQUEST_DATA, "%s is not given; %s", field, buf_cstr(&why));
}

pb_ResultCode pick_no_id(struct op *op, const char *what, const char *field, const char *wanted)
{
    op_violation(op, field, "there is none with this id");
    return op_fail(op, RESULT_CODE_NOT_FOUND, "no %s '%s'", what, wanted);
}

struct pick_item *pick_items_of(struct arena *a, const struct shape_list *list, size_t size)
{
    struct pick_item *items = arena_array(a, list->n + 1, sizeof(*items));

    for (size_t i = 0; items && i < list->n; i++) {
        struct pick_item thing;
        memcpy(&thing, (const char *)list->items + i * size, sizeof(thing));
        items[i].name = thing.name && thing.id ? thing.name : "";
        items[i].id = thing.id ? thing.id : thing.name ? thing.name : "";
    }
    return items;
}
