/* That a call takes time: a line on the terminal, and what an interruption says. One call at a
 * time. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "isobar/base.h"

/* Once, at the start: SIGINT ends the program with 130, a closed pipe is an error and not a signal.
 */
void progress_init(void);

/* A call begins. `about` (NULL: no line) is shown with the seconds that go by, from the second one
 * on. Where there is a request id (NULL: none) an interruption says that the operation goes on, and
 * how to find it. */
void progress_begin(const char *about, const char *request_id);
void progress_end(void);
/* Wipe the line, before something else is written; it comes again with the next second. */
void progress_clear(void);

#endif
