/* What goes to standard error: mistakes, failures, warnings. Everything is made safe for a
 * terminal.
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "run.h"

/* One line, as it is. */
void say(struct cli *c, const char *fmt, ...) PRINTF(2, 3);
/* "isobar: ...", and where to find help. Returns EXIT_USAGE. */
int say_usage(struct cli *c, const char *fmt, ...) PRINTF(2, 3);
/* "isobar: ..."; returns EXIT_FAILED. */
int say_failure(struct cli *c, const char *fmt, ...) PRINTF(2, 3);

/* A result: its warnings, and where it is no success what is wrong, who said so, and what may help.
 * `about` (may be NULL) is what it concerns, where a command concerns several things. Returns the
 * exit code of the result. */
int say_result(struct cli *c, const char *about, const pb_Result *r);

#endif
