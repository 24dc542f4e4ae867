#include "isobar/arena.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What malloc promises too, so that the payload of a block is aligned as its head is. */
#define ALIGN ((size_t)16)
/* The first block; each further one is twice as big as the one before, up to BLOCK_MAX. */
#define BLOCK_FIRST ((size_t)4 << 10)
#define BLOCK_MAX   ((size_t)1 << 20)
/* A block up to this size survives a reset. */
#define BLOCK_KEEP ((size_t)64 << 10)

/* The head of a block; its payload follows. */
struct arena_block {
    _Alignas(16) struct arena_block *older;
    size_t size; /* with the head */
};

/* What a failed copy of a string returns: it has no room, so nobody has a reason to write to it. */
static char nothing[1];

static void *alloc_raw(struct arena *a, size_t size);

static void *allocator_alloc(void *data, size_t size)
{
    return alloc_raw(data, size);
}

static void allocator_free(void *data UNUSED, void *ptr UNUSED)
{
}

bool arena_budget_take(struct arena_budget *b, size_t size)
{
    size_t max = atomic_load_explicit(&b->max, memory_order_relaxed);
    size_t used = atomic_load_explicit(&b->used, memory_order_relaxed);
    do {
        if (used > max || size > max - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&b->used, &used, used + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

void arena_budget_give(struct arena_budget *b, size_t size)
{
    atomic_fetch_sub_explicit(&b->used, size, memory_order_relaxed);
}

static void free_block(struct arena *a, struct arena_block *b)
{
    if (b && a->budget)
        arena_budget_give(a->budget, b->size);
    free(b);
}

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap};
    a->allocator = (ProtobufCAllocator){allocator_alloc, allocator_free, a};
}

void arena_move(struct arena *to, struct arena *from)
{
    *to = *from;
    to->allocator.allocator_data = to;
    *from = (struct arena){0};
}

void arena_done(struct arena *a)
{
    for (struct arena_block *b = a->blocks, *older; b; b = older) {
        older = b->older;
        free_block(a, b);
    }
    struct arena_budget *budget = a->budget;
    arena_init(a, a->cap);
    a->budget = budget;
}

/* Take the next bytes from the block at the head of the list. */
static void use_first(struct arena *a)
{
    a->next = a->blocks ? (char *)(a->blocks + 1) : NULL;
    a->end = a->blocks ? (char *)a->blocks + a->blocks->size : NULL;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = NULL;
    for (struct arena_block *b = a->blocks, *older; b; b = older) {
        older = b->older;
        struct arena_block *drop = b;
        if (b->size <= BLOCK_KEEP && (!keep || b->size > keep->size)) {
            drop = keep;
            keep = b;
        }
        free_block(a, drop);
    }
    if (keep) {
        keep->older = NULL;
        ASAN_POISON_MEMORY_REGION(keep + 1, keep->size - sizeof(*keep));
    }
    a->blocks = keep;
    a->total = keep ? keep->size : 0;
    a->exhausted = false;
    use_first(a);
}

/* A block with room for at least `room` bytes, not yet in the list; NULL past the cap. */
static struct arena_block *new_block(struct arena *a, size_t room)
{
    size_t need = room + sizeof(struct arena_block);
    size_t left = a->cap - a->total;
    if (need < room || need > left)
        return NULL;
    size_t size = a->blocks ? 2 * a->blocks->size : BLOCK_FIRST;
    size = size > BLOCK_MAX ? BLOCK_MAX : size;
    size = size > left ? left : size;
    size = size < need ? need : size;
    if (a->budget && !arena_budget_take(a->budget, size)) {
        size = need;
        if (!arena_budget_take(a->budget, size))
            return NULL;
    }
    struct arena_block *b = malloc(size);
    if (!b) {
        if (a->budget)
            arena_budget_give(a->budget, size);
        return NULL;
    }
    b->older = NULL;
    b->size = size;
    a->total += size;
    ASAN_POISON_MEMORY_REGION(b + 1, size - sizeof(*b));
    return b;
}

/* From a new block. It becomes the first one only where it has more left than the present one: a
 * big piece must not waste the rest of a block. */
static void *alloc_grow(struct arena *a, size_t step)
{
    struct arena_block *b = new_block(a, step);
    if (!b)
        return NULL;
    size_t rest = b->size - sizeof(*b) - step;
    if (a->blocks && rest <= (size_t)(a->end - a->next)) {
        b->older = a->blocks->older;
        a->blocks->older = b;
        return b + 1;
    }
    b->older = a->blocks;
    a->blocks = b;
    use_first(a);
    a->next += step;
    return b + 1;
}

static void *alloc_raw(struct arena *a, size_t size)
{
    size_t step = size ? (size + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
    size_t room = a->next ? (size_t)(a->end - a->next) : 0;
    void *p = NULL;
    if (step < size) {
        /* overflow */
    } else if (step <= room) {
        p = a->next;
        a->next += step;
    } else {
        p = alloc_grow(a, step);
    }
    if (p)
        ASAN_UNPOISON_MEMORY_REGION(p, size);
    else
        a->exhausted = true;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *p = alloc_raw(a, size);
    return p ? memset(p, 0, size) : NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        a->exhausted = true;
        return NULL;
    }
    return arena_alloc(a, bytes);
}

void *arena_memdup(struct arena *a, const void *data, size_t len)
{
    void *p = alloc_raw(a, len);
    if (p && len > 0)
        memcpy(p, data, len);
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    len = strnlen(s, len);
    char *p = len + 1 > len ? alloc_raw(a, len + 1) : NULL;
    if (!p)
        return nothing;
    memcpy(p, s, len);
    p[len] = '\0';
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof(small), fmt, args);
    char *p = nothing;
    if (len >= 0 && (size_t)len < sizeof(small)) {
        p = arena_strndup(a, small, (size_t)len);
    } else if (len >= 0) {
        char *big = alloc_raw(a, (size_t)len + 1);
        if (big) {
            vsnprintf(big, (size_t)len + 1, fmt, again);
            p = big;
        }
    } else {
        a->exhausted = true;
    }
    va_end(again);
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *p = arena_vprintf(a, fmt, args);
    va_end(args);
    return p;
}

ProtobufCAllocator *arena_allocator(struct arena *a)
{
    return &a->allocator;
}

void *arena_message(struct arena *a, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = alloc_raw(a, type->sizeof_message);
    if (m)
        protobuf_c_message_init(type, m);
    return m;
}
