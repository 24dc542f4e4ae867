/* What the files of this adapter share: the connection, one exchange with a service, and lists and
 * look-ups that work alike for every kind of thing.
 *
 * A slot reads as three thoughts: build_x (pure: request in, HTTP request out), os_send, parse_x
 * (pure: answer in, message out).
 */
#ifndef OS_H
#define OS_H

#include <pthread.h>

#include "adapter.h"
#include "kit/body.h"
#include "kit/fields.h"
#include "kit/http.h"
#include "kit/pick.h"
#include "kit/send.h"
#include "kit/shape.h"
#include "kit/token.h"
#include "os_config.h"
#include "os_names.h"

struct adapter {
    char *name;    /* of the connection */
    int settle_ms; /* see adapter_ops */
    struct os_config *config;
    struct http_client *http;
    struct breakers *breakers; /* of both senders */
    struct sender *sender;     /* with a token */
    struct sender *login;      /* for the token */
    struct token_cache *tokens;
    atomic_int compute_minor; /* of the microversion that is spoken, "2.93"; 0: not yet known */
    struct os_names *names;
};

/* What goes with a token: who we are there, and where the services are. Constant. */
struct os_session {
    struct arena arena; /* everything here lives in it */
    const char *project_id;
    const char *bases[OS_N_SERVICES]; /* "http://host:8774/v2.1", no slash behind; NULL: none */
    const char *offered;              /* the services in the catalogue, for people */
    size_t n_regions;
    const char **regions; /* that the catalogue names, each once */
};

/* ---- One exchange: os_send.c ---- */

struct os_request {
    enum os_service service;
    const char *method;
    const char *path; /* below the service's base, with the query */
    const char *body; /* JSON, or NULL */
    size_t body_len;
    unsigned flags;       /* of send_request() */
    const char *if_match; /* a header for Neutron: change it only if it is still this revision */
};

/* Send with token, version and names of the request; RESULT_CODE_OK for any 2xx. */
pb_ResultCode os_send(struct adapter *a, struct op *op, const struct os_request *req,
                      struct http_response *ret) MUST_USE;
/* The answer's JSON into a struct, which the caller has zeroed. */
pb_ResultCode os_parse(struct op *op, const struct os_request *req, const struct http_response *rsp,
                       const struct shape *shape, void *ret) MUST_USE;
/* The answer is not what was asked for; `why` says what is wrong with it. Returns the code. */
pb_ResultCode os_unreadable(struct op *op, const struct os_request *req,
                            const struct http_response *rsp, const char *why);
/* os_send() and os_parse(). */
pb_ResultCode os_ask(struct adapter *a, struct op *op, const struct os_request *req,
                     const struct shape *shape, void *ret) MUST_USE;
/* A GET. */
struct os_request os_get(enum os_service service, const char *path);
/* A DELETE of path/id. */
struct os_request os_delete(struct arena *a, enum os_service service, const char *path,
                            const char *id);

/* Ask for the token and what goes with it. To be released. */
pb_ResultCode os_session_get(struct adapter *a, struct op *op, struct token_ref *ret) MUST_USE;
/* Whether the cloud has such a service, by its catalogue; true where that cannot be had: the next
 * request says why. */
bool os_has_service(struct adapter *a, struct op *op, enum os_service service);
/* The minor number of the compute microversion that is spoken; asks the cloud once. */
pb_ResultCode os_compute_minor(struct adapter *a, struct op *op, const struct os_session *session,
                               int *ret) MUST_USE;

/* ---- A request's body ---- */

/* As body_begin(). */
struct json_writer *os_body_begin(struct request_body *b);

/* ---- Lists and look-ups: os_find.c ---- */

struct os_link {
    const char *rel, *href;
};
extern const struct shape os_link_shape;

/* A page of a list, whatever it lists. */
struct os_page {
    struct shape_list items;
    struct shape_list links; /* struct os_link: Nova's, Neutron's and Cinder's next page */
    const char *next;        /* Glance's */
};

#define OS_PAGE(name_, items_, links_, item_shape_)                                                \
    static const struct shape_field name_##_fields[] = {                                           \
        SHAPE_NESTED(struct os_page, items, items_, SHAPE_LIST, item_shape_),                      \
        SHAPE_NESTED(struct os_page, links, links_, SHAPE_LIST, os_link_shape),                    \
        SHAPE_FIELD(struct os_page, next, "next", SHAPE_STRING),                                   \
    };                                                                                             \
    static const struct shape name_ = {sizeof(struct os_page), name_##_fields,                     \
                                       ARRAY_LEN(name_##_fields), 0}

/* {"key": {...}}: one thing in its wrapping; the struct is that of the thing. */
#define OS_ONE(name_, key_, type_, item_shape_)                                                    \
    static const struct shape_field name_##_fields[] = {                                           \
        {key_, SHAPE_STRUCT, 0, &(item_shape_)},                                                   \
    };                                                                                             \
    static const struct shape name_ = {sizeof(type_), name_##_fields, 1, 0}

/* How the struct of each kind begins. */
struct os_thing {
    const char *id, *name;
    struct shape_map all; /* all that the cloud says of it, as text; os_members.c */
};

/* A kind of thing that a cloud has. Its struct begins with a struct os_thing, or where list_depth
 * is 0 with id and name alone. */
struct os_kind {
    const char *noun; /* "image" */
    enum os_service service;
    const char *path;         /* "/images" */
    const char *list_path;    /* where its list is, if elsewhere: "/flavors/detail" */
    const char *list_query;   /* of every list, or NULL: "limit=1000" */
    const char *name_filter;  /* the query that finds by exact name, or NULL: "name" */
    const struct shape *item; /* of one */
    const struct shape *page; /* of struct os_page */
    const struct shape *one;  /* of the answer to GET path/id; NULL: there is no such request */
    unsigned list_depth;      /* how deep its objects are in a list, the whole being 1 */
    unsigned one_depth;       /* the same where it is alone */
    bool id_is_name;          /* GET path/NAME is how to find it */
    /* Into its message, NULL where memory is short; pure. */
    void *(*message)(struct arena *a, const char *cloud, const struct os_thing *thing);
};

/* All pages. `query` is added to the kind's own; may be NULL. */
pb_ResultCode os_list(struct adapter *a, struct op *op, const struct os_kind *kind,
                      const char *query, struct shape_list *ret) MUST_USE;
/* The one that a name or id refers to, into `ret`, a zeroed struct of the kind. `field` is the
 * request's field. `query` narrows the search by name; may be NULL. */
pb_ResultCode os_find(struct adapter *a, struct op *op, const struct os_kind *kind,
                      const char *field, const char *wanted, const char *query, void *ret) MUST_USE;
/* The one with this id, of a kind that has `one`. */
pb_ResultCode os_find_by_id(struct adapter *a, struct op *op, const struct os_kind *kind,
                            const char *wanted, void *ret) MUST_USE;
/* The two slots that each kind has: all of it, and one by name or id, as messages. */
pb_ResultCode os_list_slot(struct adapter *a, struct op *op, const struct os_kind *kind,
                           const char *query, size_t *ret_n, void ***ret_messages);
pb_ResultCode os_get_slot(struct adapter *a, struct op *op, const struct os_kind *kind,
                          const char *wanted, void **ret_message);

/* Read all members of the things in an answer: those objects that are `depth` deep, in their order,
 * into the `all` of n structs of this size. Scalars as text, lists of scalars with commas between,
 * all else left out. What does not fit is left out too: the answer has been parsed before.
 * os_members.c */
void os_members(struct arena *a, const struct http_response *rsp, unsigned depth, void *things,
                size_t n, size_t size);

/* ---- What other files need of each other ---- */

/* Our mark: in a machine's metadata, and as beginning of the names of what was made for it. */
#define OS_TOKEN_KEY   "isobar_token"
#define OS_KEEP_KEY    "isobar_keep" /* in a volume's metadata: it outlives its machine */
#define OS_MARK_PREFIX "isobar-"
#define OS_DESCRIPTION "Made by Isobar together with its machine"

#endif
