/* Every method that the gateway has, with its policy. */
#ifndef ISOBAR_METHODS_H
#define ISOBAR_METHODS_H

#include "adapter.h"
#include "auth.h"

/* Where a method runs. */
enum method_lane {
    LANE_INLINE, /* at once on the I/O thread: memory only */
    LANE_LOCAL,  /* on the lane of what reads the store */
    LANE_CLOUD,  /* on the lane of the connection that its `cloud` names */
};

/* What the gateway does around the adapter's slot. */
enum method_kind {
    KIND_HANDLER, /* the gateway's own: `handler` */
    KIND_GET,     /* one thing of a cloud */
    KIND_LIST,    /* of one cloud, or of all of them */
    KIND_CREATE,  /* validated against the manifest */
    KIND_ACTION,  /* on one machine, an operation; may be waited for */
    KIND_TASK,    /* changes something of a cloud that is no machine: an operation */
    KIND_BATCH,   /* on many machines, each a call of its own */
};

struct call;
/* Fills in c->rsp, or says why not, and returns the code; RESULT_CODE_UNSPECIFIED where it has kept
 * the call and will end it with call_end() later. */
typedef pb_ResultCode method_handler(struct call *c);
typedef pb_ResultCode method_slot(const struct adapter_ops *ops, struct adapter *a, struct op *op,
                                  const ProtobufCMessage *req, ProtobufCMessage *rsp);

struct method_policy {
    const char *service; /* full name */
    const char *name;
    enum method_kind kind;
    enum method_lane lane;
    enum role role;
    bool mutates;        /* it becomes an operation */
    pb_VmState wait_for; /* of KIND_CREATE and KIND_ACTION: the state that it is for;
                            UNSPECIFIED: any that stays */
    method_handler *handler;
    method_slot *slot;  /* `handler`, where there is one too, goes on with what it brought */
    size_t slot_offset; /* in struct adapter_ops */
};

/* Fields that the gateway itself reads in any request, found by name once; -1: it has none. */
struct method_fields {
    const ProtobufCFieldDescriptor *cloud, *id, *ids, *name, *wait, *dry_run, *page_size,
        *page_token;
};

struct method {
    const char *full_name; /* as in Call.method */
    const struct method_policy *policy;
    const ProtobufCMessageDescriptor *input, *output;
    struct method_fields in;
    const ProtobufCFieldDescriptor *out_first; /* field 1 of the response: what it is about */
};

/* Match the policies with the services' descriptors. False, with words, where a method has no row
 * or a row no method: the program is then wrong. Once, before anything else of this file. */
bool methods_init(char ret_why[256]);
void methods_done(void);

/* NULL where there is none of this name. */
const struct method *method_find(const char *full_name);
/* All of them, by name. */
const struct method *methods_all(size_t *ret_n);
/* Whether an adapter has it. */
bool method_supported(const struct method *m, const struct adapter_ops *ops);

#endif
