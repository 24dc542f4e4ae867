#include "kit/gather.h"

#include <string.h>

#include "text_hash.h"

/* More pages than any account has, and more often than a page comes again where the list changes
 * under way: Nova leads back by the machines that are scheduled meanwhile. */
enum { PAGES_MAX = 10000, AGAIN_MAX = 3 };

bool gather(struct arena *a, struct gathering *g, const struct shape_list *page)
{
    size_t n = g->all.n + page->n;

    if (g->all.n == 0) { /* most lists are one page */
        g->all = *page;
        g->room = page->n;
        return true;
    }
    if (n > g->room) {
        void *grown = arena_array(a, 2 * n, g->size);
        if (grown == NULL)
            return false;
        memcpy(grown, g->all.items, g->all.n * g->size);
        g->all.items = grown;
        g->room = 2 * n;
    }
    if (page->n > 0)
        memcpy((char *)g->all.items + g->all.n * g->size, page->items, page->n * g->size);
    g->all.n = n;
    return true;
}

static void *element(const struct gathering *g, size_t i)
{
    return (char *)g->all.items + i * g->size;
}

static const char *id_of(const struct gathering *g, size_t i)
{
    return *(const char *const *)element(g, i);
}

/* Where it is noted at which place of the list an id is, counted from 1; or is to be noted, 0 yet.
 */
static size_t *note_of(const struct gathering *g, size_t *notes, size_t room, const char *id)
{
    size_t at = text_hash(id) & (room - 1);

    while (notes[at] != 0 && strcmp(id_of(g, notes[at] - 1), id) != 0)
        at = (at + 1) & (room - 1);
    return &notes[at];
}

bool gather_once(struct arena *a, struct gathering *g)
{
    size_t room = 16, n = 0;

    while (room < 2 * g->all.n)
        room *= 2;
    size_t *notes = arena_array(a, room, sizeof(*notes));
    if (notes == NULL)
        return false;
    memset(notes, 0, room * sizeof(*notes));
    for (size_t i = 0; i < g->all.n; i++) {
        size_t *note = id_of(g, i) != NULL ? note_of(g, notes, room, id_of(g, i)) : NULL;
        size_t to = note != NULL && *note != 0 ? *note - 1 : n++;
        if (note != NULL)
            *note = to + 1;
        if (to != i)
            memcpy(element(g, to), element(g, i), g->size);
    }
    g->all.n = n;
    return true;
}

/* A page that comes again and again: the pages are a ring (Brent's way to find one). */
bool page_walk_on(struct page_walk *w, const char *next)
{
    if (++w->pages >= PAGES_MAX ||
        (w->seen != NULL && strcmp(next, w->seen) == 0 && ++w->again == AGAIN_MAX))
        return false;
    if ((w->pages & (w->pages - 1)) == 0)
        w->seen = next;
    return true;
}

bool op_apart(struct op *op, struct arena *scratch, struct op *ret)
{
    arena_init(scratch, op->arena->cap);
    scratch->budget = op->arena->budget;
    *ret = *op;
    ret->arena = scratch;
    ret->result = result_new(scratch);
    ret->note_id = NULL;
    ret->note_maker = NULL;
    if (ret->result != NULL)
        return true;
    op->arena->exhausted = true;
    op_end(op, RESULT_CODE_INTERNAL_ERROR);
    return false;
}

pb_ResultCode op_tell_apart(struct op *op, const struct op *apart, pb_ResultCode code)
{
    struct op copy = *apart;

    if (code == RESULT_CODE_OK)
        return code;
    copy.result = result_copy(op->arena, apart->result);
    return copy.result != NULL ? op_tell(op, &copy, code) : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}
