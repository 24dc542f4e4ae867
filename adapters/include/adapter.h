/* The interface between the gateway and what speaks to one kind of cloud.
 *
 * An adapter is a table of functions. The gateway opens it once for each connection of the
 * configuration; the handle is used by up to max_in_flight worker threads at once, so everything
 * behind it that changes has a lock of its own. A slot that is NULL is answered NotSupported.
 *
 * A slot gets a request that has been validated against the manifest, with defaults filled in, and
 * fills in a response. Everything that it returns lives in op->arena. It writes the response on
 * success only (a list or a batch may be Partial). It returns the code, and on failure has said the
 * rest with op_fail() and its like. It never blocks past op->deadline_ns by more than 50 ms, and
 * gives up early where op_cancelled().
 */
#ifndef ISOBAR_ADAPTER_H
#define ISOBAR_ADAPTER_H

#include "isobar/arena.h"
#include "isobar/cancel.h"
#include "isobar/pb.h"
#include "isobar/result.h"

/* One operation on one cloud. Belongs to the thread that runs it. */
struct op {
    struct arena *arena;
    int64_t deadline_ns;      /* CLOCK_MONOTONIC */
    const char *token;        /* names this operation at the cloud; "" where it changes nothing */
    bool resumed;             /* an earlier try under this token may have got somewhere */
    const char *request_id;   /* of the call, for the cloud's log where it takes one */
    const char *traceparent;  /* to hand on, or "" */
    unsigned hops;            /* gateways that the call has passed before this one */
    struct cancel *cancelled; /* nobody waits any more; may be NULL */
    pb_Result *result;        /* what is said about the outcome */
    /* May be NULL. A create calls it as soon as the cloud's id of what it makes is known. An action
     * on a machine calls it when the name that it was given has turned out to be this machine,
     * before the order leaves, and sends nothing where it returns false: the gateway has recorded
     * then which machine is meant, so that no other one of that name is met after a restart. It may
     * block. */
    bool (*note_id)(struct op *op, const char *native_id);
    /* May be NULL. A delete calls it before note_id(), which it then calls in any case: the
     * operation that made the machine, as its mark says. What that one made beside the machine is
     * looked for again when all has settled, whoever dies meanwhile. */
    void (*note_maker)(struct op *op, const char *token);
    /* Set by a create that fails, made something beside a machine, and has taken it back: what
     * lists have not shown yet is looked for again when all has settled. */
    bool touched;
    void *owner; /* the gateway's */
};

/* Say why it failed: one sentence, what is wrong and what to do. Returns the code. */
pb_ResultCode op_fail(struct op *op, pb_ResultCode code, const char *fmt, ...) PRINTF(3, 4);
/* Name a field of the request that is wrong, in protobuf's names: "spec.flavor_name". */
void op_violation(struct op *op, const char *field, const char *fmt, ...) PRINTF(3, 4);
void op_warn(struct op *op, const char *fmt, ...) PRINTF(2, 3);
/* What the cloud itself said; the strings are copied, NULL counts as "". Sets blame to the cloud.
 */
void op_native(struct op *op, int http_status, const char *code, const char *message,
               const char *request_id);
/* Whether a retry helps, where it does not follow from the code. */
void op_retry(struct op *op, pb_RetryClass class, uint32_t after_ms, pb_RetryScope scope);
bool op_cancelled(const struct op *op);
/* Sleep, but not past the deadline nor a cancellation; false where one of them ended it. */
bool op_sleep_ms(const struct op *op, int ms);
/* RESULT_CODE_INTERNAL_ERROR with words where the arena is exhausted, else `code`. Slots end with
 * it: on success it clears what earlier failures that were survived have left in the result, but
 * for warnings. */
pb_ResultCode op_end(struct op *op, pb_ResultCode code);

/* An operation like `op` whose outcome is nobody's but the caller's: what fails in it is not said
 * in op->result. `within_ms`, where above 0, is the most time that it may take. */
struct op op_aside(struct op *op, int within_ms);
/* Say in op->result what was said in an aside, but for warnings. Returns the code. */
pb_ResultCode op_tell(struct op *op, const struct op *aside, pb_ResultCode code);
/* note_id() has returned false: the gateway could not record which machine is meant, so nothing is
 * sent. Returns the code. */
pb_ResultCode op_not_noted(struct op *op);

/* A connection's settings, as the configuration gives them: flat names and text values. */
struct group;
struct settings {
    const char *cloud;     /* the connection's name */
    const char *state_dir; /* for what must outlive the process; may be NULL */
    struct group *group;   /* the processes that serve the cloud, which have registered; borrowed
                            * until close; NULL where the settings say all */
    size_t n;
    const struct setting {
        const char *name, *value;
    } * items;
};

/* Where a connection cannot be opened: what to tell the operator, one sentence. */
struct open_error {
    char text[512];
};

/* The value, or NULL. */
const char *settings_get(const struct settings *s, const char *name);
/* A whole number from 0 to `max`, or `initial` where there is none; false with the words in
 * `ret_error` where it is no such number. */
bool settings_number(const struct settings *s, const char *name, int initial, int max, int *ret,
                     struct open_error *ret_error) MUST_USE;

struct adapter;

/* The methods that go to a cloud, each with its slot: X(Service, Method, slot). This is the one
 * list of them: the slots below and the server's rows are made from it. */
#define ADAPTER_METHODS(X)                                                                         \
    X(VmService, CreateVm, create_vm)                                                              \
    X(VmService, GetVm, get_vm)                                                                    \
    X(VmService, ListVms, list_vms)                                                                \
    X(VmService, StartVm, start_vm)                                                                \
    X(VmService, StopVm, stop_vm)                                                                  \
    X(VmService, RebootVm, reboot_vm)                                                              \
    X(VmService, SuspendVm, suspend_vm)                                                            \
    X(VmService, ResumeVm, resume_vm)                                                              \
    X(VmService, ResizeVm, resize_vm)                                                              \
    X(VmService, DeleteVm, delete_vm)                                                              \
    X(ImageService, ListImages, list_images)                                                       \
    X(ImageService, GetImage, get_image)                                                           \
    X(FlavorService, ListFlavors, list_flavors)                                                    \
    X(FlavorService, GetFlavor, get_flavor)                                                        \
    X(NetworkService, ListNetworks, list_networks)                                                 \
    X(NetworkService, GetNetwork, get_network)                                                     \
    X(NetworkService, ListSubnets, list_subnets)                                                   \
    X(NetworkService, GetSubnet, get_subnet)                                                       \
    X(SecurityGroupService, ListSecurityGroups, list_security_groups)                              \
    X(SecurityGroupService, GetSecurityGroup, get_security_group)                                  \
    X(KeypairService, ListKeypairs, list_keypairs)                                                 \
    X(KeypairService, GetKeypair, get_keypair)                                                     \
    X(RegionService, ListRegions, list_regions)                                                    \
    X(RegionService, GetRegion, get_region)                                                        \
    X(RegionService, ListZones, list_zones)                                                        \
    X(RegionService, GetZone, get_zone)                                                            \
    X(CloudService, CheckCloud, check_cloud)                                                       \
    X(OperationService, ListOperationVms, list_operation_vms)                                      \
    X(OperationService, ListLeftovers, list_leftovers)                                             \
    X(OperationService, DeleteLeftover, delete_leftover)

struct adapter_ops {
    const char *name;        /* "openstack", as the configuration names it */
    const char *description; /* one sentence */
    const char *version;     /* semantic version */

    /* Constant; built once by the adapter, valid for ever. `methods` is filled in by the gateway
     * from the slots. */
    const pb_Manifest *(*manifest)(void);

    /* Open a connection: parse and check the settings, read credentials; no network. NULL where
     * that fails. Called from the main thread. */
    struct adapter *(*open)(const struct settings *s, struct open_error *ret_error);
    /* No call is under way any more. */
    void (*close)(struct adapter *a);

    /* Whether the slots of this handle only use memory, never wait, and take microseconds (lists
     * somewhat more): then a get may run on an I/O thread, and there are no more workers than
     * cores. NULL: they do not. */
    bool (*is_instant)(const struct adapter *a);
    /* How long to wait between two looks at a machine that changes its state; milliseconds. */
    int poll_interval_ms;
    /* How long after its sender is dead an order may still take effect, or its effect be missing in
     * lists of this connection's cloud; milliseconds. 0, or NULL: neither happens. */
    int (*settle_ms)(const struct adapter *a);
    /* Whether the cloud itself makes nothing a second time under one token: a create may be sent
     * again at once, whatever lists show. NULL: it does not. */
    bool (*dedupes)(const struct adapter *a);
    /* Whether that is known of the cloud yet. NULL: always. */
    bool (*knows_traits)(const struct adapter *a);
    /* The slots of actions take dry_run: the cloud itself says what it would do. Else the gateway
     * looks at the machine instead of calling them. */
    bool rehearses;

    /* The slots. create_vm makes one machine: several are several operations, whatever the manifest
     * says of instance_count. A list gathers all pages of the cloud; it may apply the request's
     * filters or leave them to the gateway, which applies all of them again, sorts and cuts pages.
     * start_vm and the other actions answer when the cloud has taken the order; the gateway does
     * the waiting.
     *
     * Recovery: create_vm with op->resumed uses what an earlier try under the same op->token has
     * made, and must not make a second machine: it is called when list_operation_vms has found
     * none twice, settle_ms apart, or once where the cloud dedupes. What it made and a failure
     * leaves behind, it takes back itself; where it cannot, or has died, delete_leftover does. One
     * that is resumed and fails before it could order anything takes nothing back: lists may not
     * show yet what an earlier try has made.
     * list_operation_vms: every machine that bears the token req->operation_id, in whatever state,
     * but for those that are gone. A filter that the cloud may ignore is checked again on each.
     * list_leftovers: everything that bears the mark of any gateway: kind, id, name, operation_id,
     * in_use, created_at; the gateway adds the verdict.
     * delete_leftover: deletes what bears the token req->id, is no machine, and no machine uses;
     * with dry_run only says what. Deleted where nothing (more) is there, or a machine of the
     * operation has it; FailedPrecondition where something is in use though that machine is gone.
     */
#define ADAPTER_SLOT(service, method, slot)                                                        \
    pb_ResultCode (*slot)(struct adapter * a, struct op * op, const pb_##method##Request *req,     \
                          pb_##method##Response *ret);
    ADAPTER_METHODS(ADAPTER_SLOT)
#undef ADAPTER_SLOT
};

/* All adapters that are built in, ended by NULL. */
extern const struct adapter_ops *const adapters_builtin[];

#endif
