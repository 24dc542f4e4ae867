/* The connections to clouds, and all else that a reload of the configuration exchanges as a whole.
 *
 * A snapshot is what calls see: the connections, the users and the limits of one configuration. A
 * call holds the snapshot that it began with; a reload makes a new one beside it, which takes over
 * the connections whose configuration is the same.
 */
#ifndef ISOBAR_CONNECTION_H
#define ISOBAR_CONNECTION_H

#include "auth.h"
#include "config.h"

struct shared_config; /* a configuration, counted by those who point into it */

struct connection {
    const char *name;
    const struct adapter_ops *ops;
    struct adapter *adapter;
    struct lane *lane;
    bool instant; /* gets only read memory: they run on the I/O thread */
    const struct config_cloud *config;
    atomic_uint_fast64_t calls, failures;

    /* Main thread only. */
    struct shared_config *owner; /* keeps `config` alive */
    unsigned snapshots;          /* how many have it */
};

struct snapshot {
    atomic_uint refs;
    struct shared_config *owner;
    const struct config *config;
    struct auth *auth;
    size_t n;
    struct connection **connections; /* in the order of the configuration */
    struct snapshot *next;           /* among those that are no longer current */
};

/* Open what the configuration names, beside what `old` (may be NULL) has; takes the configuration.
 * NULL where something cannot be opened: `report` gets a line each, nothing has changed. Main
 * thread only, as the next two. */
struct snapshot *snapshot_take_config(struct config *config, struct snapshot *old,
                                      void (*report)(void *ctx, const char *line), void *ctx);
/* Free one that was never published. */
void snapshot_discard(struct snapshot *s);
/* Make it the one that new calls get; NULL at the end. */
void snapshot_publish(struct snapshot *s);
/* Free those that no call holds any more. How many are left, the current one not counted. */
unsigned snapshots_collect(void);

/* The current one, counted; NULL at the end of the process. Any thread. */
struct snapshot *snapshot_get(void);
void snapshot_put(struct snapshot *s);

/* The connection of a name, or NULL. */
struct connection *snapshot_find(const struct snapshot *s, const char *name);

#endif
