/* The conformance list: what must hold for every adapter, whatever its cloud does, asked in process
 * and through a gateway.
 *
 * scenario   one row of the list: a fault that it needs, and a function that is written once
 * harness    what is peculiar to an adapter: settings, a specification, how to arm a fault, how to
 *            count what there is in the cloud itself
 * caller     the way in: the adapter's slots in this process, or the SP wire to an isobard
 * run        one scenario on one adapter by one way
 *
 * All of it belongs to the main thread.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <sys/types.h>

#include "adapter.h"
#include "isobar/uuid.h"

enum fault {
    FAULT_NONE,
    FAULT_LOST_REPLY,    /* the next create happens, and nobody says so */
    FAULT_LATE_COMMIT,   /* the same, and it takes effect only a moment later */
    FAULT_RATE_LIMIT,    /* the next create is refused with 429 and a second to wait */
    FAULT_UNAUTHORIZED,  /* the next list of flavors is refused with 401 */
    FAULT_SKEW,          /* the cloud's clock is two hours behind */
    FAULT_CUT_BODY,      /* every list of flavors ends before its end */
    FAULT_HUGE_BODY,     /* ... has 100 MB */
    FAULT_DEEP_BODY,     /* ... is nested 100,000 deep */
    FAULT_SLOW_BODY,     /* ... comes a few bytes a second */
    FAULT_UNKNOWN_STATE, /* machines that run are FLABBERGASTED */
    FAULT_PAGES,         /* lists of machines have a page an item */
    FAULT_QUOTA,         /* no further machine is allowed */
    FAULT_CAPACITY,      /* there is no room for another */
    FAULT_HANG,          /* the next create gets no answer, and does not happen */
    FAULT_COUNT,
};
extern const char *const fault_names[FAULT_COUNT]; /* "lost_reply" */

#define CLOUD        "lab" /* the connection's name, both ways */
#define SETTINGS_MAX 16
#define TOKENS_MAX   8
#define CALL_MS      60000
#define ID_ROOM      320 /* of a machine in its cloud: Azure writes down where it is */

struct run;

struct harness {
    const struct adapter_ops *ops;
    /* How long after a fault a create may still take effect, with these settings; the gateway and
     * the scenarios wait so long before they believe that there is nothing. */
    int settle_ms;
    const char *cannot[FAULT_COUNT]; /* why not; NULL: it can */
    /* Get ready, once; the reason where nothing can run, else NULL. */
    const char *(*start)(void);
    /* False where something was wrong all the while, with the words printed. */
    bool (*stop)(void);
    /* The settings of a connection on which this fault will be armed; how many. */
    size_t (*settings)(enum fault f, struct setting items[SETTINGS_MAX]);
    /* From now on the fault happens, and no longer. NULL: the settings have said it already, and it
     * ends by itself. */
    bool (*arm)(enum fault f);
    void (*disarm)(void);
    /* Whether the armed fault has begun to happen; NULL: it does as soon as there is a call. */
    bool (*hit)(void);
    /* Complete a specification that has a name. */
    void (*spec)(struct arena *a, pb_VmSpec *spec);
    /* In the cloud itself, past the code under test: machines of this token, and what else bears
     * it; -1 where that fails. The id of the (last) machine goes to `ret_id`. */
    int (*machines)(struct run *t, const char *token, char ret_id[ID_ROOM]);
    int (*things)(struct run *t, const char *token);
    /* The same, deleted; false where it fails. NULL: they end with the connection. */
    bool (*drop_machines)(const char *token);
    bool (*drop_things)(const char *token);
    /* How often somebody logged in so far; NULL: the cloud has no log-in. */
    int (*logins)(void);
};
extern const struct harness *const harnesses[]; /* ended by NULL */

struct ask {
    const char *method; /* "isobar.v1.VmService/CreateVm" */
    const ProtobufCMessage *req;
    const ProtobufCMessageDescriptor *rsp;
    const char *request_id; /* a UUID; NULL: none */
    int timeout_ms;         /* 0: CALL_MS */
    int cancel_after_ms;    /* in process alone: after the fault has begun; 0: never */
    bool resumed;           /* in process alone: op->resumed, whatever was called before */
};

/* Lives in the run's arena. */
struct answer {
    pb_ResultCode code;
    const pb_Result *result;
    const void *message; /* the typed response */
    const char *token;   /* that what it made bears */
    int took_ms;         /* since the call, or its cancellation */
};

struct caller {
    const char *way;
    bool direct;
    /* A connection with the fault's settings; false with run_fail() said. */
    bool (*open)(struct run *t);
    /* False, with run_fail() said, where there was no answer at all. */
    bool (*call)(struct run *t, const struct ask *q, struct answer *ret);
    /* No process, file or socket stays. False where the other side did not end well. */
    bool (*close)(struct run *t);
};
extern const struct caller caller_direct, caller_wire;

struct scenario {
    const char *name;
    enum fault fault;
    void (*run)(struct run *t);
    const char *direct_only, *wire_only; /* why; NULL: both ways */
};
extern const struct scenario scenarios[]; /* ended by a row without a name */

struct run {
    const struct harness *harness;
    const struct caller *caller;
    const struct scenario *scenario;
    struct arena arena;
    char *failed; /* why; NULL: all was as it must be so far */
    size_t n_tokens;
    char tokens[TOKENS_MAX][UUID_TEXT_LEN + 1]; /* of the creates; they are swept at the end */
    /* The caller's own. */
    struct adapter *adapter;
    struct {
        pid_t pid;
        int fd;
        char dir[64], socket[96];
    } daemon;
};

/* ---- For scenarios: run.c ---- */

/* The first failure counts. */
void run_fail(struct run *t, const char *fmt, ...) PRINTF(2, 3);
/* Return from the scenario where it is not so. */
#define EXPECT(t, condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            run_fail(t, __VA_ARGS__);                                                              \
            return;                                                                                \
        }                                                                                          \
    } while (0)
/* Return where this has failed and said so. */
#define TRY(condition)                                                                             \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return;                                                                                \
    } while (0)
/* Whether the answer has this code; says what it is where not. */
bool run_code(struct run *t, const struct answer *r, pb_ResultCode wanted) MUST_USE;

/* A call of a method of a service, by their names. */
#define CALL(t, service_, method_, req_, ret_, ...)                                                \
    (t)->caller->call(t,                                                                           \
                      &(struct ask){.method = "isobar.v1." #service_ "/" #method_,                 \
                                    .req = &(req_)->base,                                          \
                                    .rsp = &pb_##method_##Response_desc,                           \
                                    __VA_ARGS__},                                                  \
                      ret_)
#define NEW(t, Type) ((pb_##Type *)run_message(t, &pb_##Type##_desc))
/* In the run's arena, its field `cloud` set where it has one; ends the program without memory. */
void *run_message(struct run *t, const ProtobufCMessageDescriptor *type);
char *run_text(struct run *t, const char *fmt, ...) PRINTF(2, 3);
/* A fresh request id. */
const char *run_id(struct run *t);

/* From now on the scenario's fault happens; the end of it. */
bool run_arm(struct run *t) MUST_USE;
void run_disarm(struct run *t);
/* Sleep till it has begun to happen. */
void run_await_fault(const struct run *t);
/* A request for a machine whose name is made from the request id: the same again is the same. */
pb_CreateVmRequest *run_create_request(struct run *t, const char *request_id);
/* Order it; the token is noted for the sweep. */
bool run_create(struct run *t, const char *request_id, struct answer *ret) MUST_USE;
/* The same, which must end Created: the machine, or NULL. */
const pb_Vm *run_created(struct run *t, const char *request_id, struct answer *ret) MUST_USE;
bool run_get(struct run *t, const char *id, struct answer *ret) MUST_USE;
bool run_delete(struct run *t, const char *id, const char *request_id, struct answer *ret) MUST_USE;
/* Look until it is in this state, or gone where that is DELETED; half a minute. */
bool run_wait(struct run *t, const char *id, pb_VmState state) MUST_USE;
bool run_flavors(struct run *t, int timeout_ms, struct answer *ret) MUST_USE;
/* The machines that ListOperationVms finds. */
bool run_found(struct run *t, const char *token, struct answer *ret) MUST_USE;
/* There are so many machines of this token in the cloud, and stay so many, that one's id among them
 * (may be NULL); and nothing else where there are none. */
bool run_exactly(struct run *t, const char *token, int n, const char *id) MUST_USE;
void run_sleep(int ms);

/* ---- A cloud's companion: a program that is started beside it, one a process. companion.c ---- */

/* Start it with Python, and read its first line, a JSON object that names its `control` port.
 * `script` is a file of this folder, `argument` may be NULL. Ends the program where that fails. */
void companion_start(const char *script, const char *argument);
/* The text of a member of the first line; NULL where there is none. Static storage. */
const char *companion_member(const char *name);

/* Those of struct harness, by asking it. */
bool companion_stop(void);
bool companion_arm(enum fault f);
void companion_disarm(void);
bool companion_hit(void);
int companion_machines(struct run *t, const char *token, char ret_id[ID_ROOM]);
int companion_things(struct run *t, const char *token);
bool companion_drop_machines(const char *token);
bool companion_drop_things(const char *token);
int companion_logins(void);

/* Start a program that ends with this one, its output going to a file (NULL: a pipe, whose other
 * end is returned in `ret_fd`); -1 where it fails. child.c */
pid_t child_start(const char *const argv[], const char *output, int *ret_fd);
/* End it as an init system does; whether it ended well. */
bool child_end(pid_t pid);

#endif
