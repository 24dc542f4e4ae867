/* The sandbox: a cloud in memory. What its files share.
 *
 * content    what the cloud has from the start; constant
 * settings   the settings of a connection, and the manifest
 * fault      what the settings make go wrong
 * machine    one machine: its states over time, and how it is shown
 * store      all machines of a connection, under one lock
 * order      a specification against the content
 * actions    start, stop and the like
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <pthread.h>

#include "adapter.h"
#include "isobar/hash.h"
#include "isobar/uuid.h"
#include "kit/pick.h"

/* ---- content ---- */

/* Every row of the content begins with its id and name. */
struct sandbox_flavor {
    struct pick_item ref;
    uint32_t vcpus, gpus;
    uint64_t memory_mib, disk_gib;
};

struct sandbox_image {
    struct pick_item ref;
    uint64_t size_bytes, min_disk_gib, min_memory_mib;
};

struct sandbox_network {
    struct pick_item ref;
    bool external;
};

struct sandbox_subnet {
    struct pick_item ref;
    const struct sandbox_network *network;
    const char *cidr, *gateway;
    uint32_t base, size; /* of the addresses, host byte order */
};

struct sandbox_group {
    struct pick_item ref;
    const char *description;
    const pb_SecurityGroupRule *rules;
    size_t n_rules;
};

struct sandbox_place { /* a region or a zone */
    struct pick_item ref;
};

struct sandbox_key {
    struct pick_item ref;
    const char *fingerprint, *text;
};

#define SANDBOX_SUBNETS 2
extern const struct sandbox_subnet sandbox_subnets[SANDBOX_SUBNETS];
/* Public addresses come from this one. */
#define SANDBOX_PUBLIC (&sandbox_subnets[1])

/* A kind of thing that the cloud has: rows of `stride` bytes, how one is shown, and the network
 * that it is of, where it is of one. */
struct sandbox_noun {
    const char *what;
    const void *rows;
    size_t stride, n;
    ProtobufCMessage *(*show)(struct arena *a, const void *row);
    const struct sandbox_network *(*network_of)(const void *row);
};

extern const struct sandbox_noun sandbox_flavor_noun, sandbox_image_noun, sandbox_network_noun,
    sandbox_subnet_noun, sandbox_security_group_noun, sandbox_keypair_noun, sandbox_region_noun,
    sandbox_zone_noun;

/* The row that a name or id refers to, as pick() finds it. */
pb_ResultCode sandbox_pick(struct op *op, const struct sandbox_noun *noun, const char *field,
                           const char *wanted, const void **ret_row) MUST_USE;

/* The slots list_* and get_* of the content. */
#define SANDBOX_CONTENT(X)                                                                         \
    X(Image, images, image)                                                                        \
    X(Flavor, flavors, flavor)                                                                     \
    X(Network, networks, network)                                                                  \
    X(Subnet, subnets, subnet)                                                                     \
    X(SecurityGroup, security_groups, security_group)                                              \
    X(Keypair, keypairs, keypair)                                                                  \
    X(Region, regions, region)                                                                     \
    X(Zone, zones, zone)
#define SANDBOX_CONTENT_SLOTS(Type, many, one)                                                     \
    pb_ResultCode sandbox_list_##many(struct adapter *a, struct op *op,                            \
                                      const pb_List##Type##sRequest *req,                          \
                                      pb_List##Type##sResponse *ret);                              \
    pb_ResultCode sandbox_get_##one(struct adapter *a, struct op *op,                              \
                                    const pb_Get##Type##Request *req,                              \
                                    pb_Get##Type##Response *ret);
SANDBOX_CONTENT(SANDBOX_CONTENT_SLOTS)

/* ---- settings ---- */

/* However large `capacity` is, a connection never has more machines. */
#define SANDBOX_MACHINES_MAX 100000

/* What becomes of one call that changes something. */
enum sandbox_fault {
    SANDBOX_OK,
    SANDBOX_LOST_REPLY, /* waits for a create: that happens, and is not answered */
    SANDBOX_RATE_LIMIT,
    SANDBOX_ERROR,
    SANDBOX_HANG,
};

#define SANDBOX_SCRIPT_MAX 32

/* What becomes of the next of them, one after the other; then all are OK. */
struct sandbox_script {
    size_t n;
    uint8_t faults[SANDBOX_SCRIPT_MAX];
};

struct sandbox_settings {
    int64_t boot_ms, pace_ms;
    int64_t quota_instances, quota_cores, capacity;
    int64_t latency_ms, late_commit_ms, list_lag_ms;
    double error_rate, rate_limit_rate, lost_reply_rate, hang_rate; /* 0 to 1 */
    int64_t seed;
    struct sandbox_script script;
};

const pb_Manifest *sandbox_manifest(void);
/* The settings with their defaults; false where one is wrong. */
bool sandbox_settings_read(const struct settings *s, struct sandbox_settings *ret,
                           struct open_error *ret_error) MUST_USE;

/* ---- machines ---- */

struct sandbox_name;

struct sandbox_tag {
    char *key, *value;
};

struct sandbox_volume {
    char id[UUID_TEXT_LEN + 1];
    bool keep;
};

/* What a machine is made of; filled in by the order, then constant but for the flavor. The strings
 * and arrays are the machine's own, the rows are the content's. */
struct sandbox_parts {
    const struct sandbox_flavor *flavor;
    const struct sandbox_image *image;
    const struct sandbox_subnet *subnet;
    const struct sandbox_place *region, *zone;
    const struct sandbox_key *key; /* NULL: none */
    const struct sandbox_group **groups;
    size_t n_groups;
    struct sandbox_tag *tags;
    size_t n_tags;
    struct sandbox_volume *volumes;
    size_t n_volumes;
    bool volume_boot; /* from the first of the volumes */
    bool wants_public;
    uint32_t public_ip; /* the one that is wanted; 0: any */
    size_t user_data_len;
    int64_t boot_ms;
    bool fail_boot;
};

/* A change of state: `before`, which it got into at before_ns, till since_ns; `during` till
 * until_ns; then `after`. What has become of it is computed when somebody looks: there is no timer.
 * All times are CLOCK_MONOTONIC. */
struct sandbox_change {
    pb_VmState before, during, after;
    int64_t before_ns, since_ns, until_ns;
    const struct sandbox_flavor *flavor_before;
};

struct sandbox_machine {
    char id[UUID_TEXT_LEN + 1];
    char *token; /* of the create; "" where it had none */
    struct sandbox_parts parts;
    struct sandbox_change change;
    uint32_t fixed_ip, public_ip; /* public_ip 0: none */
    char fixed_text[16], public_text[16];
    char mac[18];
    int64_t created_ns, created_wall_ns; /* the same moment on two clocks */
    int64_t visible_ns;                  /* from then on it can be seen */
    bool going;                          /* its deletion is ordered */
    unsigned pins;                       /* while above 0 it stays in the lists */

    struct sandbox_name *name;
    struct sandbox_machine *prev, *next;             /* all, oldest first */
    struct sandbox_machine *same_prev, *same_next;   /* of one name */
    struct sandbox_machine *going_prev, *going_next; /* in the order in which they vanish */
    UT_hash_handle by_id, by_token;
};

/* A name, and the machines that have it. */
struct sandbox_name {
    struct sandbox_machine *machines;
    UT_hash_handle hh;
    char text[];
};

/* The cloud's own word for a state. */
const char *sandbox_state_word(pb_VmState state);
pb_VmState sandbox_state_at(const struct sandbox_machine *m, int64_t t);
bool sandbox_visible_at(const struct sandbox_machine *m, int64_t t);
/* The machine as it is at a time, in the arena; NULL where that is exhausted. */
pb_Vm *sandbox_show(struct arena *a, const struct sandbox_machine *m, int64_t t);
/* Begin a change now. */
void sandbox_change(struct sandbox_machine *m, int64_t now, pb_VmState during, pb_VmState after,
                    int64_t ms);
/* Free it, and what its parts have. */
void sandbox_machine_free(struct sandbox_machine *m);
void sandbox_parts_done(struct sandbox_parts *p);

/* ---- a connection ---- */

/* Addresses of one subnet. */
struct sandbox_pool {
    uint64_t *taken; /* a bit an address */
    uint32_t next;   /* where to look for a free one first */
};

struct adapter {
    struct sandbox_settings set; /* constant */
    atomic_uint_fast64_t random;
    atomic_uint turn;   /* of the zones */
    atomic_size_t step; /* of the script */

    pthread_mutex_t lock; /* of all below, and of all machines */
    struct sandbox_machine *ids, *tokens, *first, *going;
    struct sandbox_name *names;
    struct sandbox_pool pools[SANDBOX_SUBNETS];
    int64_t n_machines, n_cores;
};

void sandbox_lock(struct adapter *a);
/* For CLEANUP(). */
void sandbox_unlock(struct adapter **a);

/* With the lock held, all of these. */

/* The machine of a name or id that can be seen now. */
pb_ResultCode sandbox_find(struct adapter *a, struct op *op, const char *wanted, int64_t now,
                           struct sandbox_machine **ret) MUST_USE;
/* The id of what a name refers to, which the gateway records before the machine is changed. Without
 * the lock: recording may block. An id is taken as it is. */
pb_ResultCode sandbox_note(struct adapter *a, struct op *op, const char *wanted, bool deletes,
                           const char **ret_id) MUST_USE;
struct sandbox_machine *sandbox_find_token(struct adapter *a, const char *token);
/* Whether there is room for one more machine of the flavor. */
pb_ResultCode sandbox_room(struct adapter *a, struct op *op,
                           const struct sandbox_flavor *flavor) MUST_USE;
/* Whether so many more cores fit into the quota. */
pb_ResultCode sandbox_room_cores(struct adapter *a, struct op *op, int64_t more) MUST_USE;
/* A new machine; takes what `parts` has on success. */
pb_ResultCode sandbox_insert(struct adapter *a, struct op *op, const char *name,
                             struct sandbox_parts *parts, int64_t now,
                             struct sandbox_machine **ret) MUST_USE;
/* Order the deletion. */
void sandbox_delete(struct adapter *a, struct sandbox_machine *m, int64_t now);
/* Forget the machines that are gone. */
void sandbox_sweep(struct adapter *a, int64_t now);
/* Free everything. */
void sandbox_clear(struct adapter *a);

/* ---- the slots of machines ---- */

/* A specification turned into parts; names are resolved. Frees nothing on failure: the caller calls
 * sandbox_parts_done() in any case. */
pb_ResultCode sandbox_order(struct adapter *a, struct op *op, const pb_VmSpec *spec,
                            struct sandbox_parts *ret) MUST_USE;

pb_ResultCode sandbox_create_vm(struct adapter *a, struct op *op, const pb_CreateVmRequest *req,
                                pb_CreateVmResponse *ret);
pb_ResultCode sandbox_get_vm(struct adapter *a, struct op *op, const pb_GetVmRequest *req,
                             pb_GetVmResponse *ret);
pb_ResultCode sandbox_list_vms(struct adapter *a, struct op *op, const pb_ListVmsRequest *req,
                               pb_ListVmsResponse *ret);
pb_ResultCode sandbox_start_vm(struct adapter *a, struct op *op, const pb_StartVmRequest *req,
                               pb_StartVmResponse *ret);
pb_ResultCode sandbox_stop_vm(struct adapter *a, struct op *op, const pb_StopVmRequest *req,
                              pb_StopVmResponse *ret);
pb_ResultCode sandbox_reboot_vm(struct adapter *a, struct op *op, const pb_RebootVmRequest *req,
                                pb_RebootVmResponse *ret);
pb_ResultCode sandbox_suspend_vm(struct adapter *a, struct op *op, const pb_SuspendVmRequest *req,
                                 pb_SuspendVmResponse *ret);
pb_ResultCode sandbox_resume_vm(struct adapter *a, struct op *op, const pb_ResumeVmRequest *req,
                                pb_ResumeVmResponse *ret);
pb_ResultCode sandbox_resize_vm(struct adapter *a, struct op *op, const pb_ResizeVmRequest *req,
                                pb_ResizeVmResponse *ret);
pb_ResultCode sandbox_delete_vm(struct adapter *a, struct op *op, const pb_DeleteVmRequest *req,
                                pb_DeleteVmResponse *ret);

pb_ResultCode sandbox_list_operation_vms(struct adapter *a, struct op *op,
                                         const pb_ListOperationVmsRequest *req,
                                         pb_ListOperationVmsResponse *ret);
pb_ResultCode sandbox_list_leftovers(struct adapter *a, struct op *op,
                                     const pb_ListLeftoversRequest *req,
                                     pb_ListLeftoversResponse *ret);
pb_ResultCode sandbox_delete_leftover(struct adapter *a, struct op *op,
                                      const pb_DeleteLeftoverRequest *req,
                                      pb_DeleteLeftoverResponse *ret);

/* ---- faults ---- */

/* What every slot begins with: wait as the settings say, and fail as they say. */
pb_ResultCode sandbox_enter(struct adapter *a, struct op *op, bool mutates) MUST_USE;
/* What a create ends with: `code`, or its reply is lost. */
pb_ResultCode sandbox_leave_create(struct adapter *a, struct op *op, pb_ResultCode code) MUST_USE;
/* Say what this cloud's interface would: an HTTP status and an error word of its own. */
pb_ResultCode sandbox_refuse(struct op *op, pb_ResultCode code, int http_status, const char *word,
                             const char *fmt, ...) PRINTF(5, 6);

#endif
