/* All harnesses: a new one is a file and a line here. */
#ifndef CONFORMANCE_HARNESS_H
#define CONFORMANCE_HARNESS_H

#include <stdio.h>
#include <stdlib.h>

#include "conformance.h"
#include "isobar/clock.h"

#define HARNESSES(X)                                                                               \
    X(sandbox)                                                                                     \
    X(openstack)                                                                                   \
    X(aws)                                                                                         \
    X(azure)                                                                                       \
    X(toy)
#define HARNESS_DECLARE(name) extern const struct harness harness_##name;
HARNESSES(HARNESS_DECLARE)
#undef HARNESS_DECLARE

#endif
