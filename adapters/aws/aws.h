/* What the files of this adapter share: the connection, one exchange with EC2, and lists and
 * look-ups that work alike for every kind of thing.
 *
 * A slot reads as three thoughts: build_x (pure: request in, query out), aws_send, parse_x (pure:
 * answer in, message out).
 */
#ifndef AWS_H
#define AWS_H

#include "adapter.h"
#include "aws_config.h"
#include "aws_credentials.h"
#include "aws_names.h"
#include "aws_query.h"
#include "kit/fields.h"
#include "kit/pick.h"
#include "kit/send.h"
#include "kit/xml.h"

struct adapter {
    char *name;    /* of the connection */
    int settle_ms; /* see adapter_ops */
    struct aws_config *config;
    struct http_client *http;
    struct breakers *breakers;
    struct sender *sender;
    struct aws_credentials *credentials;
    struct sigv4_signer *signer;
    struct aws_names *names;
};

/* ---- One exchange: aws_send.c ---- */

extern const struct sender_ops aws_sender_ops;

/* Sign and send, and the answer's XML into a struct, which the caller has zeroed. RESULT_CODE_OK
 * for any 2xx. */
pb_ResultCode aws_ask(struct adapter *a, struct op *op, const struct aws_query *q,
                      const struct shape *shape, void *ret) MUST_USE;
/* The same with the answer in memory of its own, taken back at once: a page of a thousand machines
 * has 5 MB, which a list of many pages must not add up. */
pb_ResultCode aws_ask_page(struct adapter *a, struct op *op, const struct aws_query *q,
                           const struct shape *shape, void *ret) MUST_USE;
/* The same where nothing of the answer is of interest but that it is a success. */
pb_ResultCode aws_order(struct adapter *a, struct op *op, const struct aws_query *q) MUST_USE;

/* Whether EC2's code of the failure at hand is this one: "InvalidInstanceID.NotFound". */
bool aws_said(const struct op *op, const char *code);

/* ---- Lists and look-ups: aws_find.c ---- */

/* How the struct of each kind begins. What EC2 lists without an id is left out, so there always is
 * one. */
struct aws_thing {
    const char *id;
    const char *name; /* its own, or its tag Name; "" where it has none, never NULL */
    struct shape_map tags;
};

/* A page of a list, whatever it lists. */
struct aws_page {
    struct shape_list items;
    const char *next; /* "" or NULL: it was the last */
};

#define AWS_PAGE(name_, set_, item_shape_)                                                         \
    static const struct shape_field name_##_fields[] = {                                           \
        SHAPE_NESTED(struct aws_page, items, set_, SHAPE_LIST, item_shape_),                       \
        SHAPE_FIELD(struct aws_page, next, "nextToken", SHAPE_STRING),                             \
    };                                                                                             \
    static const struct shape name_ = {sizeof(struct aws_page), name_##_fields,                    \
                                       ARRAY_LEN(name_##_fields), 0}

/* A kind of thing that a cloud has. Its struct begins with a struct aws_thing. */
struct aws_kind {
    const char *noun;        /* "subnet" */
    const char *action;      /* "DescribeSubnets" */
    const char *id_filter;   /* the filter by id: "subnet-id" */
    const char *id_prefix;   /* how an id begins: "subnet-"; NULL: the name is the id */
    const char *name_filter; /* the filter by name: "tag:Name", "group-name" */
    int page_size;           /* MaxResults; 0: the action has no pages */
    /* Parameters of every list, name and value in turns, ended by NULL: "Owner.1", "self"; may be
     * NULL. */
    const char *const *fixed;
    const struct shape *item; /* of the kind's struct */
    const struct shape *page; /* of struct aws_page */
    /* Where what a page lists is not the things but what has them: make it a list of the things;
     * may be NULL. */
    void (*unpack)(struct arena *a, struct shape_list *items);
    /* Make struct aws_thing whole after parsing: the name, where it is not the tag Name; may be
     * NULL. */
    void (*complete)(void *item);
    /* Into its message, NULL where memory is short; pure. */
    void *(*message)(struct adapter *a, struct arena *arena, const void *item);
};

/* A filter of a list: what has one of the values. In a value * and ? are wildcards: see
 * aws_literal(). */
struct aws_filter {
    const char *name;
    size_t n;
    const char *const *values;
};

/* The text as a filter's value that fits nothing else. */
const char *aws_literal(struct arena *a, const char *text);
/* A pattern of ours, as a filter's value that fits all that it fits, and perhaps more; NULL where
 * there is none: it may fit what has no name. */
const char *aws_glob(struct arena *a, const char *pattern);
/* Add filters to a query. */
void aws_put_filters(struct aws_query *q, const struct aws_filter *filters, size_t n);

/* What a page lists, as things that are whole; those without an id are left out. Pure. */
void aws_complete(struct arena *a, const struct aws_kind *kind, struct shape_list *items);
/* All pages of a query, which is not ended: MaxResults and NextToken are added to it. The answer of
 * each is read into memory of its own and taken back, what was parsed stays in op->arena. `take`
 * gets the items of a page, and returns RESULT_CODE_OK to go on. */
typedef pb_ResultCode aws_take(void *ctx, struct op *op, const struct shape_list *items);
pb_ResultCode aws_each_page(struct adapter *a, struct op *op, const struct aws_kind *kind,
                            const struct aws_query *q, aws_take *take, void *ctx) MUST_USE;
/* All pages into one list. */
pb_ResultCode aws_list(struct adapter *a, struct op *op, const struct aws_kind *kind,
                       const struct aws_filter *filters, size_t n, struct shape_list *ret) MUST_USE;
/* All that an id or name may refer to: what has that id, else what has that name. */
pb_ResultCode aws_look(struct adapter *a, struct op *op, const struct aws_kind *kind,
                       const char *wanted, const struct aws_filter *filters, size_t n,
                       struct shape_list *ret) MUST_USE;
/* The one that a name or id refers to, into `ret`, a zeroed struct of the kind. `field` is the
 * request's field. `filters` narrow the search; may be none. */
pb_ResultCode aws_find(struct adapter *a, struct op *op, const struct aws_kind *kind,
                       const char *field, const char *wanted, const struct aws_filter *filters,
                       size_t n, void *ret) MUST_USE;
/* The two slots that each kind has: all of it that fits the request's pattern for names, and one by
 * name or id, as messages. */
pb_ResultCode aws_list_slot(struct adapter *a, struct op *op, const struct aws_kind *kind,
                            const char *name, const struct aws_filter *filters, size_t n,
                            size_t *ret_n, void ***ret_messages);
pb_ResultCode aws_get_slot(struct adapter *a, struct op *op, const struct aws_kind *kind,
                           const char *wanted, void **ret_message);
/* One of a list by name or id, as aws_find(). */
pb_ResultCode aws_pick(struct op *op, const struct aws_kind *kind, const char *field,
                       const char *wanted, const struct shape_list *list, void *ret) MUST_USE;
/* Whether this has the form of an id: "i-0123456789abcdef0", "vpc-61dcd30e". */
bool aws_is_id(const struct aws_kind *kind, const char *wanted);
/* Whether EC2 says "true". */
bool aws_is_true(const char *text);

/* ---- What a message has no field for: aws_native.c ---- */

/* Each text that the tables of `shape` have read into `item`, which begins with a struct aws_thing,
 * under EC2's own names: "state", "stateReason.code", "networkInterfaceSet.1.status" (the first of
 * a list), "tag:Env". But for those that `mapped` names, ended by NULL, without the numbers:
 * "networkInterfaceSet.macAddress"; a name there stands for all that is in it too. */
void aws_put_native(struct field_pairs *to, const struct shape *shape, const void *item,
                    const char *const *mapped);

/* ---- Our marks ---- */

/* A machine's, address's and network interface's tag: the token of the operation that made it. */
#define AWS_TOKEN_KEY "isobar-token"

#endif
