/* What instances.c and group.c share. */
#ifndef ISOBAR_KIT_INSTANCES_PRIVATE_H
#define ISOBAR_KIT_INSTANCES_PRIVATE_H

#include <stdatomic.h>

#include "instances.h"

struct instance {
    atomic_uint refs;
    uint64_t number; /* never used twice in this process */
    char *token;
    size_t n;
    atomic_size_t at;                      /* which of the clients is used */
    atomic_uint in_flight, late, failures; /* in a row */
    atomic_uint_fast64_t calls, errors;
    _Atomic int64_t down_until_ns;
    struct sp_client *clients[];
};

/* It has failed a moment ago. */
bool instance_is_down(const struct instance *i, int64_t now_ns);

#endif
