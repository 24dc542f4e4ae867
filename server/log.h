/* The log: one JSON object a line, on stderr. Written by a thread of its own, so that a slow reader
 * holds up nobody; what does not fit is counted and said.
 */
#ifndef ISOBAR_LOG_H
#define ISOBAR_LOG_H

#include "call.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

bool log_start(void) MUST_USE;
/* Writes what is left. */
void log_stop(void);
/* "debug", "info", "warn", "error"; anything else counts as info. */
void log_set_level(const char *level);

/* One event: {"time":..., "level":..., "event":EVENT, ...} with pairs of name and text value, ended
 * by NULL. Any thread; never blocks. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* The line of a call that has ended. */
void log_call(const struct call *c);

#endif
