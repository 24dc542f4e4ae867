/* One invocation of `isobar`, and the functions behind the commands. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "args.h"
#include "exit.h"
#include "isobar.h"
#include "table.h"
#include "view.h"

struct held_reply;

struct cli {
    struct arena arena; /* what lives as long as the invocation */
    struct args args;
    struct buf out; /* for standard output; written when all is done */

    /* Of session.c. */
    struct isobar *client;      /* NULL until the first call */
    const char *context_cloud;  /* the context's cloud, or NULL */
    int64_t deadline_ns;        /* of all calls together; 0: each has its own */
    const char *request_id;     /* of the command: the user's, or one that was made */
    unsigned n_changes;         /* calls so far that change something */
    struct held_reply *replies; /* that are still in use */

    /* Of output.c. */
    enum option_format format;
    struct table_style style;
    bool out_is_tty, err_is_tty;
    bool reader_is_gone; /* nobody reads standard output any more */
};

/* Each does one row of command_table, or several. */
int run_list(struct cli *c);
int run_show(struct cli *c);
int run_vm_create(struct cli *c);
int run_vm_control(struct cli *c);
int run_vm_status(struct cli *c);
int run_cloud_check(struct cli *c);
int run_adapter_describe(struct cli *c);
int run_adapter_watch(struct cli *c);
int run_adapter_status(struct cli *c);
int run_adapter_drain(struct cli *c);
int run_adapter_deregister(struct cli *c);
int run_operation_show(struct cli *c);
int run_operation_wait(struct cli *c);
int run_operation_cancel(struct cli *c);
int run_leftover_delete(struct cli *c);
int run_context_list(struct cli *c);
int run_context_show(struct cli *c);
int run_context_use(struct cli *c);
int run_call(struct cli *c);
int run_describe(struct cli *c);
int run_health(struct cli *c);
int run_completion(struct cli *c);
int run_version(struct cli *c);
int run_help(struct cli *c);

/* The whole program: the exit code. */
int run_main(int argc, char **argv);

#endif
