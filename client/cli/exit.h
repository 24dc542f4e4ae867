/* The exit codes of `isobar`: one table, of which the help and the man page are made. */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include "isobar/base.h"
#include "isobar/pb.h"

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_NOT_ALLOWED = 4,
    EXIT_CONFLICT = 5,
    EXIT_NO_ROOM = 6,
    EXIT_UNAVAILABLE = 7,
    EXIT_DEADLINE = 8,
    EXIT_PARTIAL = 9,
    EXIT_INTERRUPTED = 130,
};

#define EXIT_RESULTS_MAX 6

struct exit_info {
    enum exit_code code;
    const char *meaning;
    pb_ResultCode results[EXIT_RESULTS_MAX]; /* that lead to it, up to the first 0; none for
                                                EXIT_FAILED, which takes all others */
};

extern const struct exit_info exit_table[];
extern const size_t exit_table_len;

/* The exit code that goes with a result code. */
enum exit_code exit_of_result(pb_ResultCode code);

/* Counts what became of several things. */
struct exit_count {
    size_t good, bad;
    enum exit_code first; /* of the bad ones */
    bool differ;          /* the bad ones have different codes */
};

void exit_count_add(struct exit_count *c, enum exit_code code);
/* 0 where all were good, their common code where all were bad, EXIT_PARTIAL for a mixture. */
enum exit_code exit_count_end(const struct exit_count *c);

#endif
