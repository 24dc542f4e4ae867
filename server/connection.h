/* The connections to clouds, and all else that a reload of the configuration exchanges as a whole.
 *
 * A snapshot is what calls see: the connections, the users and the limits of one configuration. A
 * call holds the snapshot that it began with; a reload makes a new one beside it, which takes over
 * the connections whose configuration is the same. So does a change of what is registered.
 */
#ifndef ISOBAR_CONNECTION_H
#define ISOBAR_CONNECTION_H

#include "auth.h"
#include "config.h"
#include "kind.h"

struct shared_config; /* a configuration, counted by those who point into it */

struct connection {
    const char *name;
    struct adapter_kind *kind; /* held */
    struct group *group;       /* of those who have registered and serve it; else NULL; held */
    const struct adapter_ops *ops;
    struct adapter *adapter;
    struct lane *lane;
    bool instant; /* gets only read memory: they run on the I/O thread */
    const struct config_cloud *config;
    atomic_uint_fast64_t calls, failures;

    /* Main thread only. */
    struct shared_config *owner; /* keeps `config` alive */
    struct config_cloud offered; /* where the configuration does not name it, `config` is this */
    unsigned snapshots;          /* how many have it */
};

struct snapshot {
    atomic_uint refs;
    struct shared_config *owner;
    const struct config *config;
    const struct auth *auth;
    size_t n;
    struct connection **connections; /* in the order of the configuration, then what is offered */
    struct connection **by_name;
    struct snapshot *next; /* among those that are no longer current */
};

/* Open what the configuration names, beside what `old` (may be NULL) has; takes the configuration.
 * NULL where something cannot be opened: `report` gets a line each, nothing has changed. Main
 * thread only, as the next three. */
struct snapshot *snapshot_take_config(struct config *config, struct snapshot *old,
                                      void (*report)(void *ctx, const char *line), void *ctx);
/* The same configuration with what is registered now. NULL where memory is short. */
struct snapshot *snapshot_refresh(struct snapshot *old, void (*report)(void *ctx, const char *line),
                                  void *ctx);
/* Free one that was never published. */
void snapshot_discard(struct snapshot *s);
/* Make it the one that new calls get; NULL at the end. */
void snapshot_publish(struct snapshot *s);
/* Free those that no call holds any more. How many are left, the current one not counted. */
unsigned snapshots_collect(void);

/* The current one, counted; NULL at the end of the process. Any thread. */
struct snapshot *snapshot_get(void);
void snapshot_put(struct snapshot *s);

/* What is known of its cloud, for who has it through this gateway; NULL where that is nothing, or
 * memory is short. */
pb_CloudTraits *connection_traits(struct arena *a, const struct connection *c);

/* The connection of a name, or NULL. */
struct connection *snapshot_find(const struct snapshot *s, const char *name);

#endif
