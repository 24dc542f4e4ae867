#include "aws_names.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "aws_images.h"
#include "aws_networks.h"
#include "aws_types.h"
#include "isobar/clock.h"
#include "kit/memo.h"

/* How long something is taken for true; that it is not there; that it cannot be asked for. */
#define FRESH_NS  (300 * NS_PER_SEC)
#define ABSENT_NS (60 * NS_PER_SEC)
#define FAILED_NS (10 * NS_PER_SEC)

enum {
    ASK_MS = 2000, /* the most that names may hold up an answer */
    AT_ONCE = 200, /* values of one filter */
};

enum table_kind {
    IMAGES,
    NETWORKS,
    TYPES,
    N_TABLES,
};

struct table {
    struct memo rows; /* by id; till at_ns they are taken for true */
    bool asking;
};

struct aws_names {
    pthread_mutex_t lock;
    struct table tables[N_TABLES];
};

struct aws_names *aws_names_new(void)
{
    struct aws_names *n = calloc(1, sizeof(*n));

    if (n != NULL)
        pthread_mutex_init(&n->lock, NULL);
    return n;
}

void aws_names_free(struct aws_names *n)
{
    if (n == NULL)
        return;
    for (int i = 0; i < N_TABLES; i++)
        memo_clear(&n->tables[i].rows);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* ---- With the lock held ---- */

static void forget(struct memo_row *r)
{
    memo_set(&r->name, NULL);
    r->vcpus = r->memory_mib = 0;
}

static void learn_type(struct memo_row *r, const void *item)
{
    const struct aws_type *t = item;

    r->vcpus = t->vcpus;
    r->memory_mib = t->memory_mib;
}

static const struct table_info {
    const struct aws_kind *kind;
    void (*learn)(struct memo_row *r, const void *item); /* beside the name; may be NULL */
} tables[N_TABLES] = {
    [IMAGES] = {&aws_image_kind, NULL},
    [NETWORKS] = {&aws_vpc_kind, NULL},
    [TYPES] = {&aws_type_kind, learn_type},
};

/* What has come of asking for these ids. */
static void learn_all(struct table *t, const struct table_info *info, pb_ResultCode code,
                      const char *const *ids, size_t n_ids, const struct shape_list *list)
{
    int64_t now = clock_mono_ns();

    for (size_t i = 0; i < n_ids; i++) {
        struct memo_row *r = memo_learn(&t->rows, ids[i]);
        if (r == NULL)
            continue;
        if (code == RESULT_CODE_OK)
            forget(r);
        r->at_ns = now + (code == RESULT_CODE_OK ? ABSENT_NS : FAILED_NS);
    }
    for (size_t i = 0; code == RESULT_CODE_OK && i < list->n; i++) {
        const struct aws_thing *thing =
            (const void *)((const char *)list->items + i * info->kind->item->size);
        struct memo_row *r = memo_learn(&t->rows, thing->id);
        if (r == NULL)
            continue;
        forget(r);
        memo_set(&r->name, thing->name);
        if (info->learn != NULL)
            info->learn(r, thing);
        r->at_ns = now + FRESH_NS;
    }
}

/* The ids that have to be asked for. */
struct want {
    struct arena *arena; /* NULL: nothing is */
    int64_t now;
    struct {
        size_t n, room;
        const char **ids;
    } tables[N_TABLES];
};

static bool want(struct want *w, enum table_kind kind, const char *id)
{
    size_t n = w->tables[kind].n;

    if (n == w->tables[kind].room) {
        size_t room = 2 * n + 16;
        const char **grown = arena_array(w->arena, room, sizeof(*grown));
        if (grown == NULL)
            return false;
        if (n > 0)
            memcpy(grown, w->tables[kind].ids, n * sizeof(*grown));
        w->tables[kind].ids = grown;
        w->tables[kind].room = room;
    }
    w->tables[kind].ids[w->tables[kind].n++] = id;
    return true;
}

/* What is known of it, or NULL. */
static const struct memo_row *look(struct aws_names *n, enum table_kind kind, const char *id,
                                   struct want *w)
{
    struct table *t = &n->tables[kind];

    if (id[0] == '\0')
        return NULL;
    struct memo_row *r = memo_find(&t->rows, id);
    if (w->arena == NULL || t->asking || (r != NULL && w->now < r->at_ns))
        return r;
    /* Once, however many machines have it: the row is there from now on. */
    r = memo_learn(&t->rows, id);
    if (r != NULL && want(w, kind, id))
        r->at_ns = INT64_MAX;
    return r;
}

static char *text_of(struct arena *a, const struct memo_row *r)
{
    return r == NULL || r->name == NULL ? NULL : arena_strdup(a, r->name);
}

static void fill(struct aws_names *n, struct arena *a, pb_Vm *vm, struct want *w)
{
    char *name = text_of(a, look(n, IMAGES, vm->image_id, w));
    const struct memo_row *type = look(n, TYPES, vm->flavor_id, w);

    if (name != NULL)
        vm->image_name = name;
    if (type != NULL) {
        vm->vcpus = vm->vcpus != 0 ? vm->vcpus : field_u32(type->vcpus);
        vm->memory_mib = field_u64(type->memory_mib);
    }
    for (size_t i = 0; i < vm->n_addresses; i++) {
        name = text_of(a, look(n, NETWORKS, vm->addresses[i]->network_id, w));
        if (name != NULL)
            vm->addresses[i]->network_name = name;
    }
}

static void fill_all(struct aws_names *n, struct op *op, pb_Vm **vms, size_t count, struct want *w)
{
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < count; i++)
        fill(n, op->arena, vms[i], w);
    for (int i = 0; i < N_TABLES; i++)
        n->tables[i].asking = n->tables[i].asking || w->tables[i].n > 0;
    pthread_mutex_unlock(&n->lock);
}

/* ---- Without it ---- */

static void ask(struct adapter *a, struct op *aside, enum table_kind kind, const char *const *ids,
                size_t n)
{
    const struct table_info *info = &tables[kind];

    for (size_t i = 0; i < n; i += AT_ONCE) {
        size_t some = n - i < AT_ONCE ? n - i : AT_ONCE;
        const struct aws_filter by_id = {info->kind->id_filter, some, ids + i};
        struct shape_list list = {0};
        pb_ResultCode code = aws_list(a, aside, info->kind, &by_id, 1, &list);
        pthread_mutex_lock(&a->names->lock);
        learn_all(&a->names->tables[kind], info, code, ids + i, some, &list);
        a->names->tables[kind].asking = i + some < n;
        pthread_mutex_unlock(&a->names->lock);
    }
}

void aws_names_fill(struct adapter *a, struct op *op, pb_Vm **vms, size_t n)
{
    struct want w = {.arena = op->arena, .now = clock_mono_ns()};
    struct want nothing = {0};

    fill_all(a->names, op, vms, n, &w);
    if (w.tables[IMAGES].n + w.tables[NETWORKS].n + w.tables[TYPES].n == 0)
        return;
    struct op aside = op_aside(op, ASK_MS); /* for all of it together */
    for (int i = 0; i < N_TABLES; i++)
        ask(a, &aside, (enum table_kind)i, w.tables[i].ids, w.tables[i].n);
    fill_all(a->names, op, vms, n, &nothing);
}
