/* Lists and look-ups, alike for every kind of thing. */
#include <string.h>

#include "aws.h"
#include "kit/gather.h"

const char *aws_literal(struct arena *a, const char *text)
{
    char *out = arena_alloc(a, 2 * strlen(text) + 1), *to = out;

    if (!out)
        return "";
    for (; *text != '\0'; text++) {
        if (*text == '*' || *text == '?' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    return out;
}

const char *aws_glob(struct arena *a, const char *pattern)
{
    /* The gateway's patterns know brackets and a backslash, EC2's do not. */
    if (pattern[strspn(pattern, "*")] == '\0' || strpbrk(pattern, "[\\") != NULL)
        return NULL;
    char *out = arena_strdup(a, pattern);

    /* One letter may be several bytes to the gateway. */
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '?' ? '*' : *c;
    return out;
}

void aws_put_filters(struct aws_query *q, const struct aws_filter *filters, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        aws_putf(q, filters[i].name, "Filter.%zu.Name", i + 1);
        for (size_t v = 0; v < filters[i].n; v++)
            aws_putf(q, filters[i].values[v], "Filter.%zu.Value.%zu", i + 1, v + 1);
    }
}

void aws_complete(struct arena *a, const struct aws_kind *kind, struct shape_list *items)
{
    size_t size = kind->item->size, kept = 0;

    if (kind->unpack != NULL)
        kind->unpack(a, items);
    for (size_t i = 0; i < items->n; i++) {
        char *at = (char *)items->items + i * size;
        struct aws_thing *t = (void *)at;
        if (kind->complete != NULL)
            kind->complete(at);
        if (t->id == NULL || t->id[0] == '\0')
            continue;
        if (t->name == NULL)
            t->name = shape_map_get(&t->tags, "Name");
        if (t->name == NULL)
            t->name = "";
        if (kept < i)
            memcpy((char *)items->items + kept * size, at, size);
        kept++;
    }
    items->n = kept;
}

/* Say what EC2 answers instead of a list. */
static pb_ResultCode no_list(struct op *op, const struct aws_kind *kind)
{
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "EC2 answers %s without a list of %ss; check the endpoint's URL", kind->action,
                   kind->noun);
}

pb_ResultCode aws_each_page(struct adapter *a, struct op *op, const struct aws_kind *kind,
                            const struct aws_query *q, aws_take *take, void *ctx)
{
    const char *next = NULL;
    struct page_walk walk = {0};

    do {
        struct aws_query one = *q;
        struct aws_page page = {.items = {SIZE_MAX, NULL}}; /* as long as none is seen */
        /* What is added to the copy must not be written over what the others add. */
        one.room = one.len;
        if (kind->page_size > 0)
            aws_put_int(&one, kind->page_size, "MaxResults");
        aws_put(&one, next, "NextToken");
        pb_ResultCode code = aws_ask_page(a, op, &one, kind->page, &page);
        if (code == RESULT_CODE_OK && page.items.n == SIZE_MAX)
            code = no_list(op, kind);
        if (code == RESULT_CODE_OK) {
            aws_complete(op->arena, kind, &page.items);
            code = take(ctx, op, &page.items);
        }
        if (code != RESULT_CODE_OK)
            return code;
        next = page.next != NULL && page.next[0] != '\0' ? page.next : NULL;
        if (next == NULL)
            return RESULT_CODE_OK;
    } while (page_walk_on(&walk, next));
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "EC2's list of %ss has no end; check the endpoint's URL", kind->noun);
}

static pb_ResultCode gather_page(void *ctx, struct op *op, const struct shape_list *items)
{
    return gather(op->arena, ctx, items) ? RESULT_CODE_OK : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

static void begin(struct aws_query *q, struct op *op, const struct aws_kind *kind,
                  const struct aws_filter *filters, size_t n)
{
    aws_query_begin(q, op->arena, AWS_EC2, kind->action, SEND_READ);
    for (size_t i = 0; kind->fixed != NULL && kind->fixed[i] != NULL; i += 2)
        aws_put(q, kind->fixed[i + 1], kind->fixed[i]);
    aws_put_filters(q, filters, n);
}

pb_ResultCode aws_list(struct adapter *a, struct op *op, const struct aws_kind *kind,
                       const struct aws_filter *filters, size_t n, struct shape_list *ret)
{
    struct aws_query q;
    struct gathering g = {.size = kind->item->size};

    begin(&q, op, kind, filters, n);
    pb_ResultCode code = aws_each_page(a, op, kind, &q, gather_page, &g);
    if (code == RESULT_CODE_OK)
        *ret = g.all;
    return code;
}

/* One filter more than those given, or NULL. */
static struct aws_filter *one_more(struct arena *a, const struct aws_filter *filters, size_t n,
                                   const char *name, const char *const *value)
{
    struct aws_filter *all = arena_array(a, n + 1, sizeof(*all));

    if (all == NULL)
        return NULL;
    if (n > 0)
        memcpy(all, filters, n * sizeof(*all));
    all[n] = (struct aws_filter){name, 1, value};
    return all;
}

static pb_ResultCode list_by(struct adapter *a, struct op *op, const struct aws_kind *kind,
                             const char *filter, const char *wanted,
                             const struct aws_filter *filters, size_t n, struct shape_list *ret)
{
    const char *value = aws_literal(op->arena, wanted);
    struct aws_filter *all = one_more(op->arena, filters, n, filter, &value);

    return all != NULL ? aws_list(a, op, kind, all, n + 1, ret)
                       : op_end(op, RESULT_CODE_INTERNAL_ERROR);
}

bool aws_is_true(const char *text)
{
    return text != NULL && strcmp(text, "true") == 0;
}

/* What follows the prefix of an id, or NULL. */
static const char *id_digits(const struct aws_kind *kind, const char *wanted)
{
    size_t len = kind->id_prefix != NULL ? strlen(kind->id_prefix) : 0;

    return len > 0 && strncmp(wanted, kind->id_prefix, len) == 0 ? wanted + len : NULL;
}

/* They had 8 digits up to 2016. */
bool aws_is_id(const struct aws_kind *kind, const char *wanted)
{
    const char *digits = id_digits(kind, wanted);
    size_t len = digits != NULL ? strlen(digits) : 0;

    return (len == 8 || len == 17) && strspn(digits, "0123456789abcdef") == len;
}

pb_ResultCode aws_look(struct adapter *a, struct op *op, const struct aws_kind *kind,
                       const char *wanted, const struct aws_filter *filters, size_t n,
                       struct shape_list *ret)
{
    struct shape_list list = {0};
    pb_ResultCode code = RESULT_CODE_OK;

    /* By filters: EC2 answers a list of ids, one of which is unknown or none at all, with an error.
     * A name may begin as ids do. */
    if (kind->id_prefix == NULL || id_digits(kind, wanted) != NULL)
        code = list_by(a, op, kind, kind->id_filter, wanted, filters, n, &list);
    if (code == RESULT_CODE_OK && list.n == 0 && kind->id_prefix != NULL)
        code = list_by(a, op, kind, kind->name_filter, wanted, filters, n, &list);
    if (code == RESULT_CODE_OK)
        *ret = list;
    return code;
}

pb_ResultCode aws_pick(struct op *op, const struct aws_kind *kind, const char *field,
                       const char *wanted, const struct shape_list *list, void *ret)
{
    struct pick_item *items = pick_items_of(op->arena, list, kind->item->size);
    size_t index = 0;

    if (items == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = pick(op, kind->noun, field, wanted, items, list->n, &index);
    if (code == RESULT_CODE_OK)
        memcpy(ret, (const char *)list->items + index * kind->item->size, kind->item->size);
    return code;
}

pb_ResultCode aws_find(struct adapter *a, struct op *op, const struct aws_kind *kind,
                       const char *field, const char *wanted, const struct aws_filter *filters,
                       size_t n, void *ret)
{
    struct shape_list list = {0};

    pb_ResultCode code = aws_look(a, op, kind, wanted, filters, n, &list);
    if (code == RESULT_CODE_OK && list.n == 0 && aws_is_id(kind, wanted))
        return pick_no_id(op, kind->noun, field, wanted);
    if (code == RESULT_CODE_OK && list.n == 0) /* for the near names */
        code = aws_list(a, op, kind, filters, n, &list);
    return code == RESULT_CODE_OK ? aws_pick(op, kind, field, wanted, &list, ret) : code;
}

/* ---- Slots ---- */

struct messages {
    struct adapter *a;
    const struct aws_kind *kind;
    struct gathering all; /* of pointers */
};

static pb_ResultCode to_messages(void *ctx, struct op *op, const struct shape_list *items)
{
    struct messages *m = ctx;
    void **some = arena_array(op->arena, items->n + 1, sizeof(*some));
    struct shape_list page = {0, some};

    if (some == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    for (; page.n < items->n; page.n++)
        some[page.n] = m->kind->message(m->a, op->arena,
                                        (const char *)items->items + page.n * m->kind->item->size);
    return gather_page(&m->all, op, &page);
}

pb_ResultCode aws_list_slot(struct adapter *a, struct op *op, const struct aws_kind *kind,
                            const char *name, const struct aws_filter *filters, size_t n,
                            size_t *ret_n, void ***ret_messages)
{
    struct aws_query q;
    struct messages m = {.a = a, .kind = kind, .all = {.size = sizeof(void *)}};
    const char *glob = aws_glob(op->arena, name);

    if (glob != NULL &&
        (filters = one_more(op->arena, filters, n++, kind->name_filter, &glob)) == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    begin(&q, op, kind, filters, n);
    pb_ResultCode code = op_end(op, aws_each_page(a, op, kind, &q, to_messages, &m));
    if (code == RESULT_CODE_OK) {
        *ret_n = m.all.all.n;
        *ret_messages = m.all.all.items;
    }
    return code;
}

pb_ResultCode aws_get_slot(struct adapter *a, struct op *op, const struct aws_kind *kind,
                           const char *wanted, void **ret_message)
{
    void *thing = arena_alloc(op->arena, kind->item->size);

    if (thing == NULL)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    pb_ResultCode code = aws_find(a, op, kind, "id", wanted, NULL, 0, thing);
    if (code == RESULT_CODE_OK)
        *ret_message = kind->message(a, op->arena, thing);
    return op_end(op, code);
}
