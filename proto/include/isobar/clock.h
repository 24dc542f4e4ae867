/* Time. Deadlines are CLOCK_MONOTONIC nanoseconds; what people see is wall-clock time. */
#ifndef ISOBAR_CLOCK_H
#define ISOBAR_CLOCK_H

#include "isobar/base.h"

#define NS_PER_SEC INT64_C(1000000000)
#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_US  INT64_C(1000)

/* Nanoseconds since some start; never goes back. */
int64_t clock_mono_ns(void);
/* Nanoseconds since 1970, UTC. */
int64_t clock_wall_ns(void);
/* Milliseconds from now to a deadline, rounded up; 0 where it has passed; at most INT_MAX. */
int clock_ms_left(int64_t deadline_ns);
/* "2026-11-22T20:01:02.003Z" and the offsets and fractions that RFC 3339 and ISO 8601 allow
 * (a time without an offset is UTC; digits past nanoseconds are cut off; a leap second counts as
 * the first of the next minute) to seconds and nanoseconds since 1970, the nanoseconds never
 * negative; false if it is none, or not within the years 1 to 9999. */
bool clock_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos) MUST_USE;
/* The first and the last second of the years 1 to 9999. */
#define CLOCK_SECONDS_MIN INT64_C(-62135596800)
#define CLOCK_SECONDS_MAX INT64_C(253402300799)
/* The other way, as protobuf's JSON writes it (0, 3, 6 or 9 digits of fraction); `out` holds at
 * least CLOCK_TEXT_MAX bytes. What is out of range is written as the nearest that is not. */
#define CLOCK_TEXT_MAX 40
void clock_format(int64_t seconds, int32_t nanos, char *out);

#endif
