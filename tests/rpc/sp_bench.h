/* For the tests of listener_sp: a listener of one kind with its host. */
#ifndef SP_BENCH_H
#define SP_BENCH_H

#include "sp_client.h"

struct bench {
    struct host host;
    struct listener_config config;
    struct listener *listener;
    bool ipc;
    char folder[64];
    char url[128];
};

static inline void prepare(struct bench *b, bool ipc)
{
    memset(b, 0, sizeof(*b));
    b->ipc = ipc;
    make_folder(b->folder);
    snprintf(b->url, sizeof(b->url), "tcp://127.0.0.1:0");
    if (ipc)
        snprintf(b->url, sizeof(b->url), "ipc://%s/s", b->folder);
    b->config = config_for(b->url);
    host_init(&b->host);
}

static inline void start(struct bench *b)
{
    b->listener = open_or_fail(&b->config, &b->host);
}

static inline void tear_down(struct bench *b)
{
    if (b->listener)
        close_soon(b->listener);
    host_done(&b->host);
    assert_int_equal(rmdir(b->folder), 0);
}

static inline int dial(const struct bench *b)
{
    return b->ipc ? dial_local(b->url + strlen("ipc://"))
                  : dial_tcp(b->listener->ops->port(b->listener));
}

static inline int dial_and_greet(const struct bench *b)
{
    int fd = dial(b);
    greet(fd);
    return fd;
}

#endif
