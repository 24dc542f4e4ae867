/* What the files registry_*.c share. The registry's lock is never held while the store is called:
 * the store tells of lapsed leases with its own lock held.
 */
#ifndef ISOBAR_REGISTRY_PRIVATE_H
#define ISOBAR_REGISTRY_PRIVATE_H

#include <pthread.h>

#include "instances.h"
#include "isobar/hash.h"
#include "registry.h"
#include "store.h"

#define LEASE_MS     10000
#define HEARTBEAT_MS 3000
/* Between store and memory. */
#define KEY_ADAPTER    "adapter/"
#define WEIGHT_INITIAL 100
#define WEIGHT_MAX     1000000

/* Why an instance gets no calls, beside what somebody has set. */
enum presence {
    PRESENT,
    LAPSED, /* its lease has ended */
    LEFT,   /* it has deregistered */
};

struct registered {
    struct arena arena;
    char *key; /* KEY_ADAPTER "NAME/ID" */
    pb_RegisterAdapterRequest *said;
    char *owner;
    char *ca;              /* of its endpoints; "": the system's */
    int64_t registered_ns; /* wall clock */
    pb_AdapterStatus set_status;
    bool weight_set;
    uint32_t set_weight;
    int64_t lease, stored; /* the lease, and the store's revision of its record */
    enum presence presence;
    bool kept; /* silent, and renewed by the gateway itself */
    int64_t heard_ns, gone_ns;
    struct instance *instance;
    struct adapter_kind *kind;
    uint64_t revision; /* of its last change */
    UT_hash_handle hh;
};

struct way {
    struct way *next;
    char *adapter, *range, *cloud;
    struct group *group;
    struct adapter_kind *kind;
};

struct registry {
    /* One change at a time, from the look at others to the place in the table: between the two is
     * the store. Before the other lock. */
    pthread_mutex_t changing;
    pthread_mutex_t lock;
    struct store *store;
    struct store_watch *watch;
    void (*wake)(void);
    struct registered *table;
    struct way *ways;
    uint64_t revision;  /* microseconds, so that it goes on growing with the next process */
    uint64_t forgotten; /* the revision up to which what has gone is not known any more */
    bool dirty, stopping;
    struct call *waiting;  /* for the change to be in force */
    struct call *applying; /* for the snapshot that is being made */
    struct call *parked;   /* for something to happen: watches and drains */
    int64_t looked_ns;
};
extern struct registry registry;

/* ---- registry.c; with the lock held ---- */

struct registered *registry_find(const char *name, const char *id);
pb_AdapterStatus registry_status(const struct registered *r);
uint32_t registry_weight(const struct registered *r);
/* Forget those that have gone before. */
void registry_forget_gone(int64_t before_ns);
/* Note that it has changed. */
void registry_touch(struct registered *r);
/* ---- registry_show.c; with the lock held ---- */

/* As AdapterService shows it. */
pb_AdapterInstance *registry_show_instance(struct arena *a, const struct registered *r);
pb_Adapter *registry_show_one(struct arena *a, const struct registered *r);
/* Those that fit and have changed after a revision; where there are none, no memory is taken. */
size_t registry_gather(struct arena *a, const char *adapter, uint64_t after, pb_Adapter ***ret);

/* ---- registry_call.c ---- */

/* The call is answered with this code when the main thread has applied what has changed. */
pb_ResultCode registry_answer(struct call *c, pb_ResultCode code);
/* Its caller may not register as this adapter; returns the code. */
pb_ResultCode registry_forbidden(struct call *c, const char *adapter);

/* ---- registry_way.c ---- */

/* What an instance offers under this name; NULL: nothing. */
const pb_OfferedCloud *registered_offer(const struct registered *r, const char *cloud);
/* Whether the first is of a newer version; the other may be NULL. */
bool registry_is_newer(const struct adapter_kind *a, const struct adapter_kind *b);
void registry_forget_ways(void);

/* ---- registry_record.c ---- */

/* Of a record that has been read or is about to be stored; opens the instance. NULL, with words. */
struct registered *registered_new(const pb_AdapterRecord *record, char ret_why[512]);
void registered_free(struct registered *r);
/* Store it with its lease, which is granted where it has none. Blocks; with `changing` held,
 * without the lock. */
enum store_outcome registered_store(struct registered *r);

/* ---- registry_check.c ---- */

/* Whether a registration is in order; the result says what is not. Offered clouds that would lead
 * back here are taken out of it. */
pb_ResultCode registry_check(struct call *c, pb_RegisterAdapterRequest *req);

#endif
