/* A program is run, and what it writes is read: how users' own tools give credentials.
 */
#ifndef ISOBAR_KIT_PROGRAM_H
#define ISOBAR_KIT_PROGRAM_H

#include "adapter.h"
#include "isobar/buf.h"

/* What it may write to its standard output, bytes: the cap to make `ret_output` with. */
#define PROGRAM_OUTPUT_MAX ((size_t)64 << 10)

/* Run argv[0] (looked up in PATH; no shell) with nothing on its standard input, and wait until it
 * ends; what it wrote is added to `ret_output`, which the caller has made and wipes. It is in a
 * process group of its own, which is killed at the op's deadline, on cancellation, and where it
 * writes more than the buffer takes. Where it cannot be started, ends in another way than with 0,
 * or is killed, the op is told so, with the beginning of what it wrote to its standard error: as
 * text, without what looks like a secret. `what` names it in sentences. Blocks; any thread. */
pb_ResultCode program_run(struct op *op, const char *what, char *const *argv,
                          struct buf *ret_output) MUST_USE;

/* What a program wrote as a clause of a sentence: one line of at most 200 bytes, control characters
 * are blanks, and long words of mixed letters and digits, as secrets are, become "...". In place:
 * `text` has room for a NUL at `len`. */
void program_tidy(char *text, size_t len);

#endif
