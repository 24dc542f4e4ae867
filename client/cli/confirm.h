/* Asking before something is deleted. */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "target.h"

/* Ask whether the machines are to be deleted, unless --yes was given. On a terminal they are looked
 * up first, and the targets get the ids that were shown: what is deleted is what was asked about.
 * Where there is no terminal to ask on, that is a mistake of usage. EXIT_OK to go on. */
int confirm_delete(struct cli *c, struct target *targets, size_t n) MUST_USE;

#endif
