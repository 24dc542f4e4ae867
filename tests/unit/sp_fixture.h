/* A client of the SP wire and a gateway to speak with, for its tests. */
#ifndef ISOBAR_TESTS_SP_FIXTURE_H
#define ISOBAR_TESTS_SP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "isobar/clock.h"
#include "sp_client.h"
#include "sp_stub.h"

#define STEPS(...) ((const enum stub_deed[]){__VA_ARGS__})
#define N(...)     (sizeof(STEPS(__VA_ARGS__)) / sizeof(enum stub_deed))
/* A gateway that does this to one message after the other. */
#define OPEN(f, ipc, ...) open_fixture(f, ipc, STUB_POLITE, STEPS(__VA_ARGS__), N(__VA_ARGS__))

struct fixture {
    struct stub stub;
    struct sp_client *client;
    struct arena arena;
    struct op op;
    struct sp_reply reply;
    struct sp_failure failure;
};

UNUSED static int64_t in_ms(int ms)
{
    return clock_mono_ns() + ms * NS_PER_MS;
}

UNUSED static struct sp_client *client_to(const char *url, struct sp_options o)
{
    struct open_error error;
    struct sp_client *c = sp_client_new(url, &o, &error);
    assert_non_null(c);
    return c;
}

UNUSED static void open_fixture(struct fixture *f, bool ipc, enum stub_greeting greeting,
                                const enum stub_deed *steps, size_t n_steps)
{
    memset(f, 0, sizeof(*f));
    stub_start(&f->stub, ipc, greeting, steps, n_steps);
    f->client = client_to(f->stub.url, (struct sp_options){0});
    arena_init(&f->arena, (size_t)64 << 20);
    f->op = (struct op){.arena = &f->arena, .deadline_ns = in_ms(20000)};
}

UNUSED static void close_fixture(struct fixture *f)
{
    sp_client_free(f->client);
    stub_stop(&f->stub);
    arena_done(&f->arena);
}

UNUSED static enum sp_outcome say(struct fixture *f, const char *text)
{
    return sp_send(f->client, &f->op, text, strlen(text), &f->reply, &f->failure);
}

UNUSED static void expect_echo(struct fixture *f, const char *text)
{
    assert_int_equal(say(f, text), SP_ANSWERED);
    assert_int_equal(f->reply.len, strlen(text));
    assert_memory_equal(f->reply.data, text, strlen(text));
}

#endif
