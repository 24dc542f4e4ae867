/* What the tests of Signature Version 4 sign with. */
#ifndef ISOBAR_TESTS_SIGV4_FIXTURE_H
#define ISOBAR_TESTS_SIGV4_FIXTURE_H

#include "kit/sigv4.h"

/* 2015-08-30T12:36:00Z */
#define THEN INT64_C(1440938160)

static const struct sigv4_key example = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                         NULL};
static const struct sigv4_scope ec2 = {.region = "eu-west-1", .service = "ec2", .time_s = THEN};

static struct arena arena;
static struct sigv4_signer *signer;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)16 << 20);
    signer = sigv4_signer_new();
    return signer ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sigv4_signer_free(signer);
    arena_done(&arena);
    return 0;
}

#define SIGV4_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
