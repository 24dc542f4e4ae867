/* The machines that a command is about, and what became of each. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "run.h"

struct target {
    const char *cloud;         /* "" where the gateway is to know */
    const char *id;            /* name or id */
    const char *word;          /* as it was given */
    const pb_VmResult *result; /* NULL until it is known */
};

/* From the command's words; a machine that is named twice is there once. 0 where one is wrong, and
 * it has been said. */
size_t target_list(struct cli *c, struct target **ret) MUST_USE;

/* Ask for the present state of all: one call a cloud. The results are filled in. */
void target_get_status(struct cli *c, struct target *targets, size_t n);
/* Do the same thing to all, in one call a cloud; `action` is a word of VmAction, "STOP". */
void target_control(struct cli *c, struct target *targets, size_t n, const char *action,
                    unsigned kind);

/* A result made here, for a machine that a reply is about. In the arena. */
const pb_VmResult *target_result(struct cli *c, const struct target *target,
                                 const struct isobar_reply *reply);
/* Print all results, and say what failed. The exit code. */
int target_print(struct cli *c, const struct target *targets, size_t n);
/* Say what failed. The exit code: that of all, or EXIT_PARTIAL. */
int target_say(struct cli *c, const struct target *targets, size_t n);

#endif
