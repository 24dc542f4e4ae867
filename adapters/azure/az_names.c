#include "az_names.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "az_things.h"
#include "isobar/clock.h"
#include "isobar/hash.h"
#include "kit/memo.h"

/* How long sizes are taken for true; that one is not there; that they cannot be asked for. */
#define FRESH_NS  (300 * NS_PER_SEC)
#define ABSENT_NS (60 * NS_PER_SEC)
#define FAILED_NS (10 * NS_PER_SEC)

enum {
    ASK_MS = 2000,       /* the most that sizes may hold up an answer */
    LOCATIONS_MAX = 200, /* more are not taken */
    KEY_MAX = 128,
};

/* The sizes of a location, as they were last heard. */
struct place {
    char *name;
    struct memo sizes; /* by name, in small letters; what it has no room for is not taken */
    int64_t asked_ns;  /* when */
    int64_t until_ns;  /* they are taken for true till then */
    bool asking;
    UT_hash_handle hh;
};

struct az_names {
    pthread_mutex_t lock;
    struct place *places;
};

struct az_names *az_names_new(void)
{
    struct az_names *n = calloc(1, sizeof(*n));

    if (n != NULL)
        pthread_mutex_init(&n->lock, NULL);
    return n;
}

static void places_free(struct az_names *n)
{
    struct place *p, *next;

    HASH_ITER (hh, n->places, p, next) {
        HASH_DEL(n->places, p);
        memo_clear(&p->sizes);
        free(p->name);
        free(p);
    }
}

void az_names_free(struct az_names *n)
{
    if (n == NULL)
        return;
    places_free(n);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

/* In small letters and without blanks: Azure writes both in several ways. False where it is too
 * long to be one. */
static bool key_of(const char *text, char ret[KEY_MAX])
{
    size_t n = 0;

    for (; *text != '\0' && n < KEY_MAX - 1; text++)
        if (*text != ' ')
            ret[n++] = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
    ret[n] = '\0';
    return n > 0 && *text == '\0';
}

/* ---- With the lock held ---- */

static struct place *place_of(struct az_names *n, const char *key)
{
    struct place *p;

    HASH_FIND_STR(n->places, key, p);
    if (p != NULL)
        return p;
    if (HASH_COUNT(n->places) >= LOCATIONS_MAX)
        return NULL;
    p = calloc(1, sizeof(*p));
    if (p == NULL || (p->name = strdup(key)) == NULL) {
        free(p);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, n->places, p->name, strlen(p->name), p);
    if (HASH_ADDED(hh, p))
        return p;
    free(p->name);
    free(p);
    return NULL;
}

static void add_size(struct place *p, const struct az_size *from)
{
    char key[KEY_MAX];

    if (!key_of(from->thing.name, key) || memo_find(&p->sizes, key) != NULL ||
        memo_is_full(&p->sizes))
        return;
    struct memo_row *r = memo_learn(&p->sizes, key);
    if (r != NULL) {
        r->vcpus = from->vcpus;
        r->memory_mib = from->memory_mib;
    }
}

static void learn(struct place *p, pb_ResultCode code, const struct shape_list *list)
{
    const struct az_size *sizes = list->items;

    p->asking = false;
    p->asked_ns = clock_mono_ns();
    p->until_ns = p->asked_ns + (code == RESULT_CODE_OK ? FRESH_NS : FAILED_NS);
    if (code != RESULT_CODE_OK)
        return;
    memo_clear(&p->sizes);
    for (size_t i = 0; i < list->n; i++)
        add_size(p, &sizes[i]);
}

/* Fill in what is known; the location, where its sizes have to be asked for, else NULL. */
static struct place *fill(struct az_names *n, pb_Vm *vm, int64_t now)
{
    char place[KEY_MAX], name[KEY_MAX];

    if (!key_of(vm->region, place) || !key_of(vm->flavor_id, name))
        return NULL;
    struct place *p = place_of(n, place);
    if (p == NULL)
        return NULL;
    const struct memo_row *s = memo_find(&p->sizes, name);
    if (s != NULL) {
        vm->vcpus = field_u32(s->vcpus);
        vm->memory_mib = field_u64(s->memory_mib);
    }
    bool old = now >= p->until_ns || (s == NULL && now - p->asked_ns >= ABSENT_NS);
    return old && !p->asking ? p : NULL;
}

/* ---- Without it ---- */

static void ask(struct adapter *a, struct op *aside, struct place *p)
{
    struct shape_list list = {0};
    pb_ResultCode code = az_sizes(a, aside, p->name, &list);

    pthread_mutex_lock(&a->names->lock);
    learn(p, code, &list);
    pthread_mutex_unlock(&a->names->lock);
}

void az_names_fill(struct adapter *a, struct op *op, pb_Vm **vms, size_t n)
{
    struct op aside = op_aside(op, ASK_MS); /* for all of it together */
    int64_t now = clock_mono_ns();

    for (size_t i = 0; i < n; i++) {
        pthread_mutex_lock(&a->names->lock);
        struct place *p = fill(a->names, vms[i], now);
        if (p != NULL)
            p->asking = true; /* it stays as long as the connection */
        pthread_mutex_unlock(&a->names->lock);
        if (p == NULL)
            continue;
        ask(a, &aside, p);
        pthread_mutex_lock(&a->names->lock);
        fill(a->names, vms[i], clock_mono_ns());
        pthread_mutex_unlock(&a->names->lock);
    }
}
