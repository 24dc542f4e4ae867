/* Processes that serve one cloud over the gateways' own wire, and which of them a call goes to.
 *
 * An instance is one process: its connections, and how it does. A group is all that serve one cloud
 * for one connection of the configuration, each with its share of the calls. Whoever knows of the
 * processes (the registry, or the configuration) fills groups; the adapter `remote` takes instances
 * from them. Both are counted and may be used by any thread.
 */
#ifndef ISOBAR_INSTANCES_H
#define ISOBAR_INSTANCES_H

#include "sp_client.h"

struct instance;

struct instance_config {
    const char *const *urls; /* of the same process: the first that works is used */
    size_t n_urls;
    const char *call_token;      /* what it wants to be shown as Call.token, or "" */
    const char *ca, *cert, *key; /* as in struct sp_options */
};

/* Of one process. All is copied, the token is wiped at the end. NULL, with words, where a URL is
 * none, a file cannot be read, or memory is short. */
struct instance *instance_new(const struct instance_config *config,
                              struct open_error *ret_error) MUST_USE;
struct instance *instance_hold(struct instance *i);
/* NULL is allowed. */
void instance_put(struct instance *i);
/* Where it is called now. */
struct sp_client *instance_client(struct instance *i);
const char *instance_token(const struct instance *i);

struct instance_stats {
    unsigned in_flight;
    uint64_t calls, errors; /* since its beginning; errors: it did not answer */
    bool down;              /* it has failed and is not asked for a moment */
};
void instance_stats(const struct instance *i, struct instance_stats *ret);

/* ---- groups ---- */

struct group;

/* What has to be known of the cloud behind; known: somebody has said so. */
struct group_traits {
    bool known;
    int settle_ms; /* as in struct adapter_ops */
    bool dedupes;
};

struct group_member {
    struct instance *instance;
    uint32_t weight; /* 0: it gets nothing */
};

/* Without members. `cloud`: its name there. NULL where memory is short. */
struct group *group_new(const char *cloud) MUST_USE;
struct group *group_hold(struct group *g);
void group_put(struct group *g);
const char *group_cloud(const struct group *g);
/* Exchange the members; it holds them. False where memory is short: all is as before. */
bool group_set(struct group *g, const struct group_member *members, size_t n) MUST_USE;
void group_set_traits(struct group *g, struct group_traits t);
struct group_traits group_traits(struct group *g);
size_t group_size(struct group *g);

/* Whom to ask: of two that are drawn by weight the one that is less busy for its weight, in time
 * that does not depend on how many there are. What failed a moment ago is left out while there is
 * another; what `tried` names is always. Calls of one operation (`token`; "" for none) go to the
 * same instance for as long as it serves. Held, and counted as busy, until instance_give(). NULL
 * where there is none. */
struct instance *group_take(struct group *g, const char *token, struct instance *const *tried,
                            size_t n_tried) MUST_USE;

enum instance_end {
    INSTANCE_ANSWERED,
    INSTANCE_FAILED,  /* the transport: it is left out for a while */
    INSTANCE_LATE,    /* its answer did not come in time, or is too large: some in a row are a
                       * failure */
    INSTANCE_UNHEARD, /* nothing is known of it: the caller went away, or a kept connection was old
                       */
};
/* `client`: what was used of it. */
void instance_give(struct instance *i, const struct sp_client *client, enum instance_end end);

#endif
