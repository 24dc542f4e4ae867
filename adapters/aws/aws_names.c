#include "aws_names.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "aws_images.h"
#include "aws_networks.h"
#include "aws_types.h"
#include "isobar/clock.h"
#include "isobar/hash.h"

/* How long something is taken for true; that it is not there; that it cannot be asked for. */
#define FRESH_NS  (300 * NS_PER_SEC)
#define ABSENT_NS (60 * NS_PER_SEC)
#define FAILED_NS (10 * NS_PER_SEC)

enum {
    ASK_MS = 2000,    /* the most that names may hold up an answer */
    ROWS_MAX = 20000, /* of one table; past it, it begins anew */
    AT_ONCE = 200,    /* values of one filter */
};

/* One thing, by its id. */
struct row {
    char *id;
    char *name; /* NULL: there is none, or it is not known */
    int64_t vcpus, memory_mib;
    int64_t until_ns; /* it is taken for true till then */
    UT_hash_handle hh;
};

enum table_kind {
    IMAGES,
    NETWORKS,
    TYPES,
    N_TABLES,
};

struct table {
    struct row *rows;
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

static void row_free(struct row *r)
{
    free(r->id);
    free(r->name);
    free(r);
}

static void table_clear(struct table *t)
{
    struct row *r, *next;

    HASH_ITER (hh, t->rows, r, next) {
        HASH_DEL(t->rows, r);
        row_free(r);
    }
}

void aws_names_free(struct aws_names *n)
{
    if (n == NULL)
        return;
    for (int i = 0; i < N_TABLES; i++)
        table_clear(&n->tables[i]);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* ---- With the lock held ---- */

static struct row *learn(struct table *t, const char *id)
{
    struct row *r;

    HASH_FIND_STR(t->rows, id, r);
    if (r != NULL)
        return r;
    if (HASH_COUNT(t->rows) >= ROWS_MAX)
        table_clear(t);
    r = calloc(1, sizeof(*r));
    char *copy = r != NULL ? strdup(id) : NULL;
    if (copy == NULL) {
        free(r);
        return NULL;
    }
    r->id = copy;
    HASH_ADD_KEYPTR(hh, t->rows, r->id, strlen(r->id), r);
    if (HASH_ADDED(hh, r))
        return r;
    row_free(r);
    return NULL;
}

static void forget(struct row *r)
{
    free(r->name);
    r->name = NULL;
    r->vcpus = r->memory_mib = 0;
}

static void learn_type(struct row *r, const void *item)
{
    const struct aws_type *t = item;

    r->vcpus = t->vcpus;
    r->memory_mib = t->memory_mib;
}

static const struct table_info {
    const struct aws_kind *kind;
    void (*learn)(struct row *r, const void *item); /* beside the name; may be NULL */
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
        struct row *r = learn(t, ids[i]);
        if (r == NULL)
            continue;
        if (code == RESULT_CODE_OK)
            forget(r);
        r->until_ns = now + (code == RESULT_CODE_OK ? ABSENT_NS : FAILED_NS);
    }
    for (size_t i = 0; code == RESULT_CODE_OK && i < list->n; i++) {
        const struct aws_thing *thing =
            (const void *)((const char *)list->items + i * info->kind->item->size);
        struct row *r = learn(t, thing->id);
        if (r == NULL)
            continue;
        forget(r);
        r->name = strdup(thing->name);
        if (info->learn != NULL)
            info->learn(r, thing);
        r->until_ns = now + FRESH_NS;
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
static const struct row *look(struct aws_names *n, enum table_kind kind, const char *id,
                              struct want *w)
{
    struct table *t = &n->tables[kind];
    struct row *r;

    if (id[0] == '\0')
        return NULL;
    HASH_FIND_STR(t->rows, id, r);
    if (w->arena == NULL || t->asking || (r != NULL && w->now < r->until_ns))
        return r;
    /* Once, however many machines have it: the row is there from now on. */
    r = learn(t, id);
    if (r != NULL && want(w, kind, id))
        r->until_ns = INT64_MAX;
    return r;
}

static char *text_of(struct arena *a, const struct row *r)
{
    return r == NULL || r->name == NULL ? NULL : arena_strdup(a, r->name);
}

static void fill(struct aws_names *n, struct arena *a, pb_Vm *vm, struct want *w)
{
    char *name = text_of(a, look(n, IMAGES, vm->image_id, w));
    const struct row *type = look(n, TYPES, vm->flavor_id, w);

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
