/* Semantic versions, and ranges of them. Source: semver.org 2.0.0; ranges as npm's comparators. */
#ifndef ISOBAR_SEMVER_H
#define ISOBAR_SEMVER_H

#include "isobar/base.h"

#define SEMVER_LEN_MAX 64

struct semver {
    unsigned numbers[3];
    char before[SEMVER_LEN_MAX]; /* "rc.1" of 2.0.0-rc.1; "" of a release */
};

/* "2.1.0", "2.1.0-rc.1", "2.1.0+build". False where it is none. */
bool semver_parse(const char *text, struct semver *ret) MUST_USE;
/* Below 0, 0 or above, as strcmp(). What stands behind + does not count. */
int semver_compare(const struct semver *a, const struct semver *b);

/* Comparators that all have to hold, separated by blanks: ">=2 <3", "1.4" (any 1.4.x), "=1.4.2",
 * "*" (any). */
bool semver_range_ok(const char *range) MUST_USE;
/* Whether a version is in it; false for what is no range. An upper limit leaves out what comes
 * before it: 3.0.0-rc.1 is not in "<3". */
bool semver_in(const struct semver *v, const char *range);

#endif
