/* The registry of adapters: processes that serve as adapters, with leases in the store.
 *
 * A registration is a record in the store with a lease of 10 s; who does not renew it is out of
 * service when the lease ends. Where many fall silent at once the gateway suspects itself, renews
 * for them, and keeps the last known set (Eureka's self-preservation), each for ten minutes at
 * most. What has ended stays known for an hour, with what somebody has set for it, and is taken up
 * where it registers again; so long the clouds of one that has lapsed are no other adapter's.
 *
 * Handlers change the table and wake the main thread, which gives the groups their members, makes a
 * new snapshot where clouds or adapters have changed, and then answers: when a registration is
 * answered, its clouds are there.
 */
#ifndef ISOBAR_REGISTRY_H
#define ISOBAR_REGISTRY_H

#include "call.h"
#include "kind.h"

struct group;
struct store;

/* Take what the store has. False, with words, where it cannot be read. `wake` is called when there
 * is something for registry_apply(); any thread, it does not block. */
bool registry_start(struct store *s, void (*wake)(void), char ret_why[512]) MUST_USE;
/* Nobody calls any more: answer who waits. */
void registry_stop(void);
/* Forget everything; nobody has a way any more. */
void registry_done(void);

/* ---- main thread ---- */

/* The groups get their members. True where a new snapshot is needed. */
bool registry_apply(void);
/* The snapshot is in force, or could not be made: answer those whose change is in it. */
void registry_applied(bool ok);
/* Look after leases and calls that wait; returns when to call it again, in milliseconds: -1 when
 * it wakes. */
int registry_tick(void);

/* The way to a cloud that processes serve: which of them (a range of versions), and its name there.
 */
struct registry_way {
    struct adapter_kind *kind; /* of the newest of them; held */
    struct group *group;       /* held; NULL where the adapter is built in */
};
/* False where memory is short. */
bool registry_way(const char *adapter, const char *range, const char *cloud,
                  struct registry_way *ret) MUST_USE;

/* The clouds that are offered, by name, in the arena. */
struct registry_cloud {
    const char *name, *adapter;
    bool lapsed; /* nobody serves it now */
};
size_t registry_clouds(struct arena *a, struct registry_cloud **ret);

/* ---- any thread ---- */

/* The gateways that a call to an offered cloud passes, in the arena, with their number: those of
 * the instance that has the longest way. 0 where it is not offered. */
size_t registry_path(struct arena *a, const char *adapter, const char *cloud, const char ***ret);
/* All instances of an adapter ("": of all) as AdapterService shows them, by name and id. */
size_t registry_show(struct arena *a, const char *adapter, pb_Adapter ***ret);
/* The newest registered kind of an adapter, or the one of a version, of those that are there; else
 * of those that are known. Held. NULL: there is none. */
struct adapter_kind *registry_kind(const char *adapter, const char *version);
/* This gateway in paths. */
void registry_own_id(char ret[9]);

/* Handlers of AdapterService. */
pb_ResultCode registry_register(struct call *c);
pb_ResultCode registry_renew(struct call *c);
pb_ResultCode registry_deregister(struct call *c);
pb_ResultCode registry_drain(struct call *c);
pb_ResultCode registry_set_status(struct call *c);
pb_ResultCode registry_watch(struct call *c);

#endif
