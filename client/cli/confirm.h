/* Asking before something is deleted. */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "isobar/buf.h"
#include "target.h"

/* Whether a deletion may go on: --yes was given, or there is a terminal to ask on. EXIT_OK, or
 * EXIT_USAGE, and it has been said. */
int confirm_can(struct cli *c) MUST_USE;
/* Put the question to the terminal. EXIT_OK to go on, with the time counted from now; anything but
 * a yes is EXIT_FAILED, and it has been said that nothing was deleted. */
int confirm_ask(struct cli *c, const struct buf *question) MUST_USE;

/* Ask whether the machines are to be deleted, unless --yes was given. On a terminal they are looked
 * up first, and the targets get the ids that were shown: what is deleted is what was asked about.
 * Where there is no terminal to ask on, that is a mistake of usage. EXIT_OK to go on. */
int confirm_delete(struct cli *c, struct target *targets, size_t n) MUST_USE;

#endif
