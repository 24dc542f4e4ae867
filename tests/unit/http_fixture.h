/* A client and a server to speak with, for the tests of the HTTP client; and the names that they
 * use, so that no test depends on a name server.
 */
#ifndef ISOBAR_TESTS_HTTP_FIXTURE_H
#define ISOBAR_TESTS_HTTP_FIXTURE_H

#include <dlfcn.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_stub.h"
#include "isobar/clock.h"
#include "kit/http.h"

/* Names that end in ".test" are resolved here: here.test is loopback, slow.test takes until it is
 * told to go on, all others are not known. */
static atomic_bool slow_name_may_go_on;
static atomic_uint slow_names_waiting;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    const char *end = name ? strrchr(name, '.') : NULL;

    if (name && strcmp(name, "slow.test") == 0) {
        atomic_fetch_add(&slow_names_waiting, 1);
        while (!atomic_load(&slow_name_may_go_on))
            usleep(1000);
        atomic_fetch_sub(&slow_names_waiting, 1);
    }
    if (name && strcmp(name, "here.test") == 0)
        name = "127.0.0.1";
    else if (end && strcmp(end, ".test") == 0)
        return EAI_NONAME;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, ret);
}

struct fixture {
    struct stub stub;
    struct http_client *client;
    struct arena arena;
    struct op op;
    struct http_response rsp;
    struct http_failure failure;
};

UNUSED static int64_t in_ms(int ms)
{
    return clock_mono_ns() + ms * NS_PER_MS;
}

UNUSED static void open_fixture(struct fixture *f, const struct stub_step *steps, size_t n_steps)
{
    memset(f, 0, sizeof(*f));
    stub_start(&f->stub, steps, n_steps, NULL);
    f->client = http_client_new(&(struct http_options){0});
    assert_non_null(f->client);
    arena_init(&f->arena, (size_t)64 << 20);
    f->op = (struct op){.arena = &f->arena, .deadline_ns = in_ms(20000), .traceparent = ""};
}

UNUSED static void close_fixture(struct fixture *f)
{
    http_client_free(f->client);
    stub_stop(&f->stub);
    arena_done(&f->arena);
}

UNUSED static enum http_outcome send_one(struct fixture *f, struct http_request req)
{
    memset(&f->rsp, 0, sizeof(f->rsp));
    return http_send(f->client, &f->op, &req, &f->rsp, &f->failure);
}

UNUSED static enum http_outcome get(struct fixture *f, const char *path)
{
    return send_one(f, (struct http_request){
                           .method = "GET", .url = stub_url(&f->stub, path), .resend_ok = true});
}

UNUSED static enum http_outcome post(struct fixture *f, const char *body)
{
    return send_one(f, (struct http_request){.method = "POST",
                                             .url = stub_url(&f->stub, "/post"),
                                             .body = body,
                                             .body_len = body ? strlen(body) : 0});
}

#endif
