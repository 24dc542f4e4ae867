/* An arena for all tests of a program. */
#ifndef ISOBAR_TEST_ARENA_FIXTURE_H
#define ISOBAR_TEST_ARENA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "isobar/arena.h"

static struct arena arena;

static inline int arena_set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static inline int arena_tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

#endif
