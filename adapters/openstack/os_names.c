#include "os_names.h"

#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "kit/memo.h"
#include "os.h"
#include "os_flavors.h"
#include "os_images.h"
#include "os_networks.h"

/* How long something is taken for true; how long it is taken for true that it is not there. */
#define FRESH_NS  (60 * NS_PER_SEC)
#define ABSENT_NS (10 * NS_PER_SEC)

enum {
    ASK_MS = 2000,     /* the most that names may hold up an answer */
    IMAGES_SINGLE = 3, /* so many images are asked for one by one, more by their list */
};

enum table_kind {
    FLAVORS,  /* by name */
    NETWORKS, /* by name */
    IMAGES,   /* by id */
    N_TABLES,
};

struct table {
    struct memo rows; /* no id and no name: the cloud does not have it, or has several */
    int64_t asked_ns; /* when its list was last asked for, whatever came of it; 0: never */
    bool asking;
};

struct os_names {
    pthread_mutex_t lock;
    struct table tables[N_TABLES];
};

struct os_names *os_names_new(void)
{
    struct os_names *n = calloc(1, sizeof(*n));
    if (n != NULL)
        pthread_mutex_init(&n->lock, NULL);
    return n;
}

void os_names_free(struct os_names *n)
{
    if (n == NULL)
        return;
    for (int i = 0; i < N_TABLES; i++)
        memo_clear(&n->tables[i].rows);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* ---- With the lock held ---- */

static struct memo_row *learn(struct table *t, const char *key, int64_t now)
{
    struct memo_row *r = memo_learn(&t->rows, key);

    if (r != NULL)
        r->at_ns = now;
    return r;
}

static void learn_flavors(struct table *t, const struct shape_list *list, int64_t now)
{
    const struct os_flavor *f = list->items;
    for (size_t i = 0; i < list->n; i++) {
        /* By the id as well: before 2.47, that is what a machine has. */
        const char *keys[] = {f[i].thing.name, f[i].thing.id};
        for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
            struct memo_row *r = keys[k] == NULL ? NULL : learn(t, keys[k], now);
            if (r == NULL)
                continue;
            memo_set(&r->id, f[i].thing.id);
            memo_set(&r->name, f[i].thing.name);
            r->vcpus = f[i].vcpus;
            r->memory_mib = f[i].ram;
            r->disk_gib = f[i].disk;
        }
    }
}

static void learn_networks(struct table *t, const struct shape_list *list, int64_t now)
{
    const struct os_network *w = list->items;
    for (size_t i = 0; i < list->n; i++) {
        if (w[i].thing.name == NULL)
            continue;
        struct memo_row *r = memo_find(&t->rows, w[i].thing.name);
        bool twice = r != NULL && r->at_ns == now;
        r = learn(t, w[i].thing.name, now);
        if (r != NULL)
            memo_set(&r->id, twice ? NULL : w[i].thing.id);
    }
}

static void learn_images(struct table *t, const struct shape_list *list, int64_t now)
{
    const struct os_thing *image = list->items;
    for (size_t i = 0; i < list->n; i++) {
        image = (const void *)((const char *)list->items + i * sizeof(struct os_image));
        struct memo_row *r = image->id == NULL ? NULL : learn(t, image->id, now);
        if (r != NULL)
            memo_set(&r->name, image->name);
    }
}

static bool is_fresh(const struct memo_row *r, int64_t now)
{
    bool absent = r->id == NULL && r->name == NULL;
    return now - r->at_ns < (absent ? ABSENT_NS : FRESH_NS);
}

/* What has to be asked for: tables, and images one by one. */
struct want {
    bool table[N_TABLES];
    size_t n_images;
    const char *images[IMAGES_SINGLE];
};

static struct memo_row *look(struct os_names *n, enum table_kind kind, const char *key, int64_t now,
                             struct want *want)
{
    struct table *t = &n->tables[kind];
    struct memo_row *r = memo_find(&t->rows, key);
    if (r != NULL && is_fresh(r, now))
        return r;
    if (kind == IMAGES) {
        for (size_t i = 0; i < want->n_images; i++) {
            if (strcmp(want->images[i], key) == 0)
                return r;
        }
        if (want->n_images < IMAGES_SINGLE)
            want->images[want->n_images++] = key;
        else
            want->table[kind] = true;
    } else if (t->asked_ns == 0 || now - t->asked_ns >= (r == NULL ? ABSENT_NS : FRESH_NS)) {
        want->table[kind] = true;
    }
    return r;
}

static char *keep(struct arena *a, char *old, const char *text)
{
    return old[0] != '\0' || text == NULL ? old : arena_strdup(a, text);
}

static void fill_flavor(struct os_names *n, struct arena *a, pb_Vm *vm, int64_t now,
                        struct want *want)
{
    bool by_name = vm->flavor_name[0] != '\0';
    const char *key = by_name ? vm->flavor_name : vm->flavor_id;
    struct memo_row *r = key[0] == '\0' ? NULL : look(n, FLAVORS, key, now, want);
    if (r == NULL || r->id == NULL)
        return;
    if (!by_name) {
        vm->vcpus = field_u32(r->vcpus);
        vm->memory_mib = field_u64(r->memory_mib);
        vm->disk_gib = field_u64(r->disk_gib);
        vm->flavor_name = keep(a, vm->flavor_name, r->name);
    }
    /* A machine keeps the sizes of its flavor; a new flavor may have got the name since. */
    if (field_u32(r->vcpus) == vm->vcpus && field_u64(r->memory_mib) == vm->memory_mib &&
        field_u64(r->disk_gib) == vm->disk_gib)
        vm->flavor_id = keep(a, vm->flavor_id, r->id);
}

static void fill(struct os_names *n, struct arena *a, pb_Vm *vm, int64_t now, struct want *want)
{
    fill_flavor(n, a, vm, now, want);
    if (vm->image_id[0] != '\0') {
        struct memo_row *r = look(n, IMAGES, vm->image_id, now, want);
        if (r != NULL)
            vm->image_name = keep(a, vm->image_name, r->name);
    }
    for (size_t i = 0; i < vm->n_addresses; i++) {
        pb_VmAddress *address = vm->addresses[i];
        struct memo_row *r = look(n, NETWORKS, address->network_name, now, want);
        if (r != NULL)
            address->network_id = keep(a, address->network_id, r->id);
    }
}

/* Fill in what is known. Returns whether something has to be asked for. */
static bool fill_all(struct os_names *n, struct arena *a, pb_Vm **vms, size_t count,
                     struct want *want)
{
    int64_t now = clock_mono_ns();
    *want = (struct want){0};
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < count; i++)
        fill(n, a, vms[i], now, want);
    bool any = want->n_images > 0;
    for (int i = 0; i < N_TABLES; i++) {
        /* One thread asks; for the images one by one, that is decided by this flag too. */
        bool wanted = want->table[i] || (i == IMAGES && want->n_images > 0);
        if (wanted && n->tables[i].asking) {
            want->table[i] = false;
            want->n_images = i == IMAGES ? 0 : want->n_images;
            wanted = false;
        }
        n->tables[i].asking = n->tables[i].asking || wanted;
        any = any || wanted;
    }
    pthread_mutex_unlock(&n->lock);
    return any;
}

/* ---- Without it ---- */

static const struct table_info {
    const struct os_kind *kind;
    void (*learn)(struct table *t, const struct shape_list *list, int64_t now);
} tables[N_TABLES] = {
    [FLAVORS] = {&os_flavor_kind, learn_flavors},
    [NETWORKS] = {&os_network_kind, learn_networks},
    [IMAGES] = {&os_image_kind, learn_images},
};

static void ask_table(struct adapter *a, struct op *aside, enum table_kind kind)
{
    struct shape_list list = {0};
    pb_ResultCode code = os_list(a, aside, tables[kind].kind, NULL, &list);
    int64_t now = clock_mono_ns();
    struct table *t = &a->names->tables[kind];
    pthread_mutex_lock(&a->names->lock);
    if (code == RESULT_CODE_OK)
        tables[kind].learn(t, &list, now);
    t->asked_ns = now;
    pthread_mutex_unlock(&a->names->lock);
}

static void ask_image(struct adapter *a, struct op *aside, const char *id)
{
    struct os_image image = {0};
    struct os_request req =
        os_get(OS_IMAGE, arena_printf(aside->arena, "%s/%s", os_image_kind.path, id));
    pb_ResultCode code = os_ask(a, aside, &req, os_image_kind.one, &image);
    pthread_mutex_lock(&a->names->lock);
    struct memo_row *r = learn(&a->names->tables[IMAGES], id, clock_mono_ns());
    if (r != NULL && (code == RESULT_CODE_OK || code == RESULT_CODE_NOT_FOUND))
        memo_set(&r->name, image.thing.name);
    pthread_mutex_unlock(&a->names->lock);
}

void os_names_fill(struct adapter *a, struct op *op, pb_Vm **vms, size_t n)
{
    struct want want;
    if (n == 0 || !fill_all(a->names, op->arena, vms, n, &want))
        return;
    struct op aside = op_aside(op, ASK_MS); /* for all of it together */
    bool images = want.n_images > 0 || want.table[IMAGES];
    for (size_t i = 0; i < want.n_images && !want.table[IMAGES]; i++)
        ask_image(a, &aside, want.images[i]);
    for (int i = 0; i < N_TABLES; i++) {
        if (want.table[i])
            ask_table(a, &aside, (enum table_kind)i);
    }
    pthread_mutex_lock(&a->names->lock);
    for (int i = 0; i < N_TABLES; i++) {
        if (want.table[i] || (i == IMAGES && images))
            a->names->tables[i].asking = false;
    }
    struct want unasked = {0};
    for (size_t i = 0; i < n; i++)
        fill(a->names, op->arena, vms[i], clock_mono_ns(), &unasked);
    pthread_mutex_unlock(&a->names->lock);
}
