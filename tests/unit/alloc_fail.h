/* Memory that runs out when a test says so: malloc() and its kin, as called by the project's own
 * code and by the test, fail on request, and so does pthread_create(), which counts as one of them.
 * What libc, OpenSSL, SQLite, ... allocate for themselves is
 * not touched. A program gets this by a line in extra.cmake: alloc_fail_wrap(NAME).
 *
 *     alloc_fail_spare(true);        the test's own thread
 *     for (n = 1, failed = 1; failed; n++) {
 *         alloc_fail_at(n);
 *         ...                        what must survive it
 *         failed = alloc_fail_stop();
 *     }
 *
 * From any thread; one is armed at a time, for all threads that are not spared.
 */
#ifndef ISOBAR_TESTS_ALLOC_FAIL_H
#define ISOBAR_TESTS_ALLOC_FAIL_H

#include <stdbool.h>

/* The n-th allocation from now on fails, and no other; n counts from 1. */
void alloc_fail_at(unsigned n);
/* The n-th allocation from now on fails, and all that follow. */
void alloc_fail_from(unsigned n);
/* No more failures. Returns how many there were since they were armed. */
unsigned alloc_fail_stop(void);
/* The allocations since failures were armed, those that failed included. */
unsigned alloc_fail_count(void);
/* This thread's allocations are neither counted nor failed; false: they are again. */
void alloc_fail_spare(bool spare);
/* All other threads are spared: what is tested runs on this one. */
void alloc_fail_spare_others(void);

#endif
