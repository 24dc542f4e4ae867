/* What the files of this adapter share: the connection, one exchange with Resource Manager, long
 * running operations, and lists and look-ups that work alike for every kind of thing.
 *
 * A slot reads as three thoughts: build_x (pure: request in, HTTP request out), az_send, parse_x
 * (pure: answer in, message out).
 */
#ifndef AZ_H
#define AZ_H

#include "adapter.h"
#include "az_config.h"
#include "az_credentials.h"
#include "kit/body.h"
#include "kit/fields.h"
#include "kit/pick.h"
#include "kit/send.h"
#include "kit/shape.h"

struct az_names;

struct adapter {
    char *name;    /* of the connection */
    int settle_ms; /* see adapter_ops */
    struct az_config *config;
    struct http_client *http;
    struct breakers *breakers;
    struct sender *sender;
    struct az_credentials *credentials;
    struct az_names *names; /* sizes of machines, for a while: az_names.h */
};

/* ---- One exchange: az_send.c ---- */

extern const struct sender_ops az_sender_ops;

struct az_request {
    enum az_service service;
    const char *method;
    /* "/subscriptions/S/..", with the query but for api-version; or a whole URL that Resource
     * Manager gave (nextLink, Location), which is only followed where it leads back to it: the
     * token goes nowhere else. */
    const char *path;
    const char *body; /* JSON, or NULL */
    size_t body_len;
    unsigned flags;     /* of send_request() */
    bool if_none_match; /* only where there is nothing of that name yet */
};

/* Send with token and api-version; RESULT_CODE_OK for any 2xx. */
pb_ResultCode az_send(struct adapter *a, struct op *op, const struct az_request *req,
                      struct http_response *ret) MUST_USE;
/* The answer's JSON into a struct, which the caller has zeroed. */
pb_ResultCode az_parse(struct op *op, const struct az_request *req, const struct http_response *rsp,
                       const struct shape *shape, void *ret) MUST_USE;
/* az_send() and az_parse(). */
pb_ResultCode az_ask(struct adapter *a, struct op *op, const struct az_request *req,
                     const struct shape *shape, void *ret) MUST_USE;
/* "/subscriptions/S" of the connection, and a path below it. */
const char *az_path(struct adapter *a, struct arena *arena, const char *fmt, ...) PRINTF(3, 4);
/* A GET. */
struct az_request az_get(enum az_service service, const char *path);

/* Whether the cloud's code of the failure at hand is this one: "ResourceNotFound". */
bool az_said(const struct op *op, const char *code);

/* ---- Long-running operations: az_lro.c ----
 *
 * A PUT, POST or DELETE that goes on after its answer is followed by Azure-AsyncOperation, or else
 * by Location, no more often than Retry-After allows. Source: "Track asynchronous Azure
 * operations". */

struct az_lro {
    const char *url; /* NULL: it is over */
    bool by_location;
    int retry_ms;
};

/* Send, and what goes on after it; `shape` and `ret` may be NULL. */
pb_ResultCode az_begin(struct adapter *a, struct op *op, const struct az_request *req,
                       const struct shape *shape, void *ret, struct az_lro *ret_lro) MUST_USE;
/* Wait until it is over: RESULT_CODE_OK, what it failed with, or DeadlineExceeded and Cancelled
 * with side effects possible. `what` names it in sentences: "creating public IP address x". */
pb_ResultCode az_wait(struct adapter *a, struct op *op, enum az_service service, const char *what,
                      const struct az_lro *lro) MUST_USE;

/* ---- A request's body ---- */

/* As body_begin(). */
struct json_writer *az_body_begin(struct request_body *b);

/* ---- Ids: az_id.c ---- */

/* "/subscriptions/S/resourceGroups/G/providers/P/T/N[/T/N]", in pieces; all in the arena. Azure
 * compares ids without regard to case, and writes them in several. */
struct az_id {
    const char *subscription, *group, *type; /* "Microsoft.Network/virtualNetworks/subnets" */
    const char *name;                        /* the last one */
    const char *parent;                      /* the id of what it is in; NULL: nothing */
};
/* False where it is none. */
bool az_id_parse(struct arena *a, const char *text, struct az_id *ret) MUST_USE;
bool az_id_is(const char *one, const char *other);
/* The id as a path of a URL. */
const char *az_id_path(struct arena *a, const char *id);
/* "" where the id is none. */
const char *az_id_group(struct arena *a, const char *id);
const char *az_id_name(struct arena *a, const char *id);

/* ---- Lists and look-ups: az_find.c ---- */

/* How the struct of each kind begins. */
struct az_thing {
    const char *id, *name, *location;
    struct shape_map tags;
    struct shape_map all; /* what people see beside the common, where the kind is shown */
};
#define AZ_THING_FIELDS(struct_)                                                                   \
    SHAPE_FIELD(struct_, thing.id, "id", SHAPE_STRING),                                            \
        SHAPE_FIELD(struct_, thing.name, "name", SHAPE_STRING),                                    \
        SHAPE_FIELD(struct_, thing.location, "location", SHAPE_STRING),                            \
        SHAPE_FIELD(struct_, thing.tags, "tags", SHAPE_MAP)

/* A page of a list, whatever it lists. */
struct az_page {
    struct shape_list items;
    const char *next; /* "" or NULL: it was the last */
};
#define AZ_PAGE(name_, item_shape_)                                                                \
    static const struct shape_field name_##_fields[] = {                                           \
        SHAPE_NESTED(struct az_page, items, "value", SHAPE_LIST, item_shape_),                     \
        SHAPE_FIELD(struct az_page, next, "nextLink", SHAPE_STRING),                               \
    };                                                                                             \
    static const struct shape name_ = {sizeof(struct az_page), name_##_fields,                     \
                                       ARRAY_LEN(name_##_fields), 0}

/* A kind of thing that a cloud has. Its struct begins with a struct az_thing. */
struct az_kind {
    const char *noun; /* "virtual network" */
    enum az_service service;
    const char *version;      /* of an API of its own; NULL: the service's */
    const char *list;         /* where all are, below the subscription; NULL: by the type */
    const char *type;         /* "Microsoft.Network/virtualNetworks" */
    const char *expand;       /* of a GET of one: "instanceView"; NULL: none */
    const struct shape *item; /* of the kind's struct */
    const struct shape *page; /* of struct az_page */
    /* Paths of what has a field of its own in the message or belongs to another thing, as flat.h
     * has them, without "properties"; ended by NULL. NULL: the kind is shown to nobody. */
    const char *const *mapped;
    void (*complete)(void *item); /* what follows from the rest; may be NULL */
    /* Things in each thing, a shape_list at an offset, whose natives are at this path; or NULL. */
    const struct az_kind *inner;
    const char *inner_path;
    size_t inner_offset;
    /* Into its message, NULL where memory is short; pure. */
    void *(*message)(struct adapter *a, struct arena *arena, const void *item);
};

/* All pages of a list at `path`, below the subscription. Each answer is read into memory of its own
 * and taken back, what was parsed stays in op->arena. `take` gets the items of a page, and returns
 * RESULT_CODE_OK to go on. */
typedef pb_ResultCode az_take(void *ctx, struct op *op, const struct shape_list *items);
pb_ResultCode az_each_page(struct adapter *a, struct op *op, const struct az_kind *kind,
                           const char *path, az_take *take, void *ctx) MUST_USE;
/* All things of a kind into one list: of the connection's resource group, or of the subscription.
 */
pb_ResultCode az_list(struct adapter *a, struct op *op, const struct az_kind *kind,
                      struct shape_list *ret) MUST_USE;
/* The same of a list at `path`, below the subscription: "/subscriptions/S/locations". */
pb_ResultCode az_list_at(struct adapter *a, struct op *op, const struct az_kind *kind,
                         const char *path, struct shape_list *ret) MUST_USE;
/* After the answer has been parsed: fill `all` of each, take ids and names from where they are, and
 * out of the list what has none. `at` is where the things are in the answer: "value", or "" */
void az_complete(struct arena *a, const struct az_kind *kind, const struct http_response *rsp,
                 const char *at, struct shape_list *items);
/* What is in no field of a message, under Azure's own names; az_put_native() with the tags. */
void az_put_all(struct field_pairs *to, const struct az_thing *thing);
void az_put_native(struct field_pairs *to, const struct az_thing *thing);
/* The one at this path, into `ret`, a zeroed struct of the kind. */
pb_ResultCode az_get_at(struct adapter *a, struct op *op, const struct az_kind *kind,
                        const char *path, void *ret) MUST_USE;
/* The same of an id. */
pb_ResultCode az_find_by_id(struct adapter *a, struct op *op, const struct az_kind *kind,
                            const char *id, void *ret) MUST_USE;
/* The one that NAME, GROUP/NAME or an id refers to. `group`, where not NULL, is the resource group
 * that a name is looked for in. `field` is the request's field. */
pb_ResultCode az_find(struct adapter *a, struct op *op, const struct az_kind *kind,
                      const char *field, const char *wanted, const char *group, void *ret) MUST_USE;
/* The two slots that each kind has: all of it, and one by name or id, as messages. */
pb_ResultCode az_list_slot(struct adapter *a, struct op *op, const struct az_kind *kind,
                           size_t *ret_n, void ***ret_messages);
pb_ResultCode az_get_slot(struct adapter *a, struct op *op, const struct az_kind *kind,
                          const char *wanted, void **ret_message);
/* The same for kinds that are no resources of a group: found in a list by name alone. */
pb_ResultCode az_pick_slot(struct adapter *a, struct op *op, const struct az_kind *kind,
                           const char *wanted, const struct shape_list *list, void **ret_message);
/* All of a list as messages. */
pb_ResultCode az_messages(struct adapter *a, struct op *op, const struct az_kind *kind,
                          const struct shape_list *list, size_t *ret_n, void ***ret_messages);
/* The index of the one of a list that is meant; names and ids are without case in Azure. */
pb_ResultCode az_pick(struct op *op, const struct az_kind *kind, const char *field,
                      const char *wanted, const struct shape_list *list, size_t *ret) MUST_USE;

/* ---- The slots ---- */

#define AZ_SLOT(service, method, slot)                                                             \
    pb_ResultCode azure_##slot(struct adapter *a, struct op *op, const pb_##method##Request *req,  \
                               pb_##method##Response *ret);
ADAPTER_METHODS(AZ_SLOT)
#undef AZ_SLOT

/* ---- Our marks ---- */

/* The tag of all that we make: the token of the operation. Names of what is made beside a machine
 * begin with AZ_MARK_PREFIX and the token. */
#define AZ_TOKEN_KEY   "isobar-token"
#define AZ_MARK_PREFIX "isobar-"

#endif
