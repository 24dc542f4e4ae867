/* The conformance list.
 *
 *     conformance ADAPTER [SCENARIO...]
 *
 * Prints a line for each scenario and way: `ok`, `FAIL` or `skip`, the name, (adapter, way), and
 * why. Ends with 1 where one failed, with 77 where none could run. ISOBAR_BUILD is the build
 * folder, where the gateway is.
 */
#include "conformance.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"

#define ARENA_MAX ((size_t)512 << 20)

const char *const fault_names[FAULT_COUNT] = {
    [FAULT_NONE] = "none",
    [FAULT_LOST_REPLY] = "lost_reply",
    [FAULT_LATE_COMMIT] = "late_commit",
    [FAULT_RATE_LIMIT] = "rate_limit",
    [FAULT_UNAUTHORIZED] = "unauthorized",
    [FAULT_SKEW] = "skew",
    [FAULT_CUT_BODY] = "cut_body",
    [FAULT_HUGE_BODY] = "huge_body",
    [FAULT_DEEP_BODY] = "deep_body",
    [FAULT_SLOW_BODY] = "slow_body",
    [FAULT_UNKNOWN_STATE] = "unknown_state",
    [FAULT_PAGES] = "pages",
    [FAULT_QUOTA] = "quota",
    [FAULT_CAPACITY] = "capacity",
    [FAULT_HANG] = "hang",
};

#define ALONE  "the gateway alone says that a try was made before"
#define LOOKS  "the gateway deletes no leftover of an operation that it knows"
#define BY_OP  "the gateway is told by CancelOperation"
#define BY_HIM "in process the caller's flag says it"

const struct scenario scenarios[] = {
    {"create_twice", FAULT_NONE, create_twice, NULL, NULL},
    {"create_resumed", FAULT_NONE, create_resumed, ALONE, NULL},
    {"create_resumed_after_nothing", FAULT_NONE, create_resumed_after_nothing, ALONE, NULL},
    {"lost_reply", FAULT_LOST_REPLY, lost_reply, NULL, NULL},
    {"late_commit", FAULT_LATE_COMMIT, lost_reply, NULL, NULL},
    {"rate_limited", FAULT_RATE_LIMIT, rate_limited, NULL, NULL},
    {"unauthorized", FAULT_UNAUTHORIZED, unauthorized, NULL, NULL},
    {"expired_clock", FAULT_SKEW, expired_clock, NULL, NULL},
    {"cut_body", FAULT_CUT_BODY, bad_answer, NULL, NULL},
    {"huge_body", FAULT_HUGE_BODY, bad_answer, NULL, NULL},
    {"deep_body", FAULT_DEEP_BODY, bad_answer, NULL, NULL},
    {"slow_body", FAULT_SLOW_BODY, slow_answer, NULL, NULL},
    {"unknown_state", FAULT_UNKNOWN_STATE, unknown_state, NULL, NULL},
    {"paging", FAULT_PAGES, paging, NULL, NULL},
    {"get_missing", FAULT_NONE, get_missing, NULL, NULL},
    {"delete_twice", FAULT_NONE, delete_twice, NULL, NULL},
    {"quota", FAULT_QUOTA, refused, NULL, NULL},
    {"capacity", FAULT_CAPACITY, refused, NULL, NULL},
    {"cancel", FAULT_HANG, cancelled_in_process, BY_OP, NULL},
    {"cancel_operation", FAULT_HANG, cancelled_through_gateway, NULL, BY_HIM},
    {"operation_vms", FAULT_NONE, operation_vms, NULL, NULL},
    {"leftovers", FAULT_NONE, leftovers, LOOKS, NULL},
    {.name = NULL},
};

static const char *why_skipped(const struct harness *h, const struct caller *c,
                               const struct scenario *s)
{
    if (h->cannot[s->fault])
        return h->cannot[s->fault];
    return c->direct ? s->wire_only : s->direct_only;
}

static void sweep(struct run *t)
{
    const struct harness *h = t->harness;

    for (size_t i = 0; i < t->n_tokens; i++) {
        if (h->drop_machines && !h->drop_machines(t->tokens[i]))
            run_fail(t, "the machines of %s could not be swept", t->tokens[i]);
        if (h->drop_things && !h->drop_things(t->tokens[i]))
            run_fail(t, "what bears %s could not be swept", t->tokens[i]);
    }
}

/* True where it failed. */
static bool run_one(const struct harness *h, const struct caller *c, const struct scenario *s)
{
    struct run t = {.harness = h, .caller = c, .scenario = s, .daemon.fd = -1};

    arena_init(&t.arena, ARENA_MAX);
    if (c->open(&t))
        s->run(&t);
    run_disarm(&t);
    if (!c->close(&t))
        run_fail(&t, "the gateway did not end well");
    sweep(&t);
    printf("%s %s (%s, %s)%s%s\n", t.failed ? "FAIL" : "ok", s->name, h->ops->name, c->way,
           t.failed ? ": " : "", t.failed ? t.failed : "");
    fflush(stdout);
    bool failed = t.failed != NULL;
    free(t.failed);
    arena_done(&t.arena);
    return failed;
}

static bool is_named(const char *name, char *const *names)
{
    if (!*names)
        return true;
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static int run_all(const struct harness *h, char *const *names)
{
    static const struct caller *const callers[] = {&caller_direct, &caller_wire};
    int ran = 0, failed = 0;

    for (const struct scenario *s = scenarios; s->name; s++) {
        for (size_t i = 0; i < ARRAY_LEN(callers) && is_named(s->name, names); i++) {
            const char *why = why_skipped(h, callers[i], s);
            if (why) {
                printf("skip %s (%s, %s): %s\n", s->name, h->ops->name, callers[i]->way, why);
                continue;
            }
            ran++;
            failed += run_one(h, callers[i], s);
        }
    }
    printf("%d ran, %d failed\n", ran, failed);
    return failed ? 1 : ran ? 0 : 77;
}

int main(int argc, char **argv)
{
    const struct harness *const *h = harnesses;

    while (*h && (argc < 2 || strcmp((*h)->ops->name, argv[1]) != 0))
        h++;
    if (!*h) {
        fprintf(stderr, "usage: conformance ADAPTER [SCENARIO...]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    const char *why = (*h)->start();
    if (why) {
        printf("skipped: %s\n", why);
        return 77;
    }
    int code = run_all(*h, argv + 2);
    return (*h)->stop() ? code : 1;
}
