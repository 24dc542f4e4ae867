/* Memory that lives as long as one call: allocation is a pointer bump, release is all at once.
 *
 * An arena belongs to one thread at a time and has no lock. It keeps its largest block of at most
 * 64 KiB over arena_reset(), so that a call in steady state does not call malloc. It has a cap:
 * past it, allocation fails and the call with it, not the process. Under AddressSanitizer, memory
 * that is not handed out is poisoned: use after a reset is found.
 */
#ifndef ISOBAR_ARENA_H
#define ISOBAR_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "isobar/base.h"

struct arena_block;

/* What many arenas may hold together, whatever threads they are on. */
struct arena_budget {
    atomic_size_t used; /* bytes of all their blocks */
    atomic_size_t max;  /* an allocation past it fails, as one past an arena's own cap */
};

struct arena {
    struct arena_block *blocks;  /* the first is where the next bytes come from */
    char *next, *end;            /* the free part of it */
    size_t total;                /* bytes of all blocks */
    size_t cap;                  /* `total` never exceeds it */
    bool exhausted;              /* an allocation failed since the last reset */
    struct arena_budget *budget; /* NULL: none. Set while the arena is empty */
    ProtobufCAllocator allocator;
};

/* Take from a budget, or give back; false, and nothing is taken, where it has not that much. */
bool arena_budget_take(struct arena_budget *b, size_t size) MUST_USE;
void arena_budget_give(struct arena_budget *b, size_t size);

/* An empty arena that will never hold more than `cap` bytes; nothing is allocated yet. */
void arena_init(struct arena *a, size_t cap);
/* Give everything back; cap and budget stay. */
void arena_done(struct arena *a);
/* Put all that an arena has into another one, which is empty; the first is no arena any more. */
void arena_move(struct arena *to, struct arena *from);
/* Forget everything that was allocated; one block stays. */
void arena_reset(struct arena *a);

/* `size` zeroed bytes, aligned for any type; NULL where the cap or the memory is exhausted. */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;
/* An array of n zeroed elements; NULL on overflow too. */
void *arena_array(struct arena *a, size_t n, size_t size) MUST_USE;
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* Copies. On failure they return "" (strings) or NULL (memory) and `exhausted` is set: callers may
 * build a whole answer without a check a line, and look at a->exhausted once, at its end. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
void *arena_memdup(struct arena *a, const void *data, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list args) PRINTF(2, 0);

/* The arena as protobuf-c's allocator (free does nothing); valid as long as the arena. */
ProtobufCAllocator *arena_allocator(struct arena *a);
/* A protobuf message of the given type, initialised to its defaults; NULL as arena_alloc. */
void *arena_message(struct arena *a, const ProtobufCMessageDescriptor *type) MUST_USE;

#endif
