/* Lists that come in pages: all of them as one list, each answer read into memory of its own.
 */
#ifndef ISOBAR_KIT_GATHER_H
#define ISOBAR_KIT_GATHER_H

#include "adapter.h"
#include "kit/shape.h"

/* The pages so far; the room doubles, so that a long list is not copied with each of them. */
struct gathering {
    size_t size; /* of an element; set by the caller, all else 0 */
    size_t room;
    struct shape_list all;
};
/* The first page becomes the list itself, the others are copied behind it. False where the arena is
 * exhausted. */
bool gather(struct arena *a, struct gathering *g, const struct shape_list *page) MUST_USE;

/* Take out what came on two pages, where the list changed between them: the later one counts, in
 * the place of the first. Elements begin with their id (const char *); those whose id is NULL stay.
 * False where the arena is exhausted. */
bool gather_once(struct arena *a, struct gathering *g) MUST_USE;

/* Who always names a next page must not keep us for ever: zeroed at first. */
struct page_walk {
    int pages, again;
    const char *seen;
};
/* After each page, with what names the next one, which must stay: false where the pages are a ring,
 * or more than any cloud has. */
bool page_walk_on(struct page_walk *w, const char *next) MUST_USE;

/* An operation like `op` whose memory is `scratch`, which this begins and the caller gives back
 * with arena_done(): what is read of an answer stays by being copied, the answer goes. Nothing is
 * noted in it. False, and op->result says so, where memory is short. */
bool op_apart(struct op *op, struct arena *scratch, struct op *ret) MUST_USE;
/* Say in op->result what was said in such an operation. Returns the code. */
pb_ResultCode op_tell_apart(struct op *op, const struct op *apart, pb_ResultCode code);

#endif
