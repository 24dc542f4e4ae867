#include "kit/gather.h"

#include <string.h>

/* More pages than any account has. */
enum { PAGES_MAX = 10000 };

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

/* A page that comes again: the pages are a ring (Brent's way to find one). */
bool page_walk_on(struct page_walk *w, const char *next)
{
    if (++w->pages >= PAGES_MAX || (w->seen != NULL && strcmp(next, w->seen) == 0))
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
