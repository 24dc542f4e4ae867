/* A whole gateway in this process, and a bare client for it: for test programs of this folder. */
#ifndef ISOBAR_GATEWAY_FIXTURE_H
#define ISOBAR_GATEWAY_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway.h"
#include "isobar/clock.h"
#include "isobar/envelope.h"
#include "isobar/result.h"
#include "isobar/uuid.h"
#include "log.h"

struct fixture {
    char dir[64], socket[96];
    struct gateway *gateway;
    struct arena arena; /* of the last answers; reset by hand */
};

static void fixture_report(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

/* `text` is YAML from `clouds:` on. */
static inline struct config *fixture_config(const struct fixture *f, const char *text)
{
    char *all;
    int len = asprintf(&all, "state_dir: %s\nlisten: [\"ipc://%s\"]\nlog_level: error\n%s\n",
                       f->dir, f->socket, text);
    assert_true(len > 0);
    struct config *c = config_parse(all, (size_t)len, "test.yaml", fixture_report, NULL);
    free(all);
    return c;
}

static inline void fixture_start(struct fixture *f, const char *text)
{
    *f = (struct fixture){.dir = "/tmp/isobar-test-XXXXXX"};
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->socket, sizeof(f->socket), "%s/s", f->dir);
    arena_init(&f->arena, (size_t)64 << 20);
    assert_true(log_start());
    struct config *c = fixture_config(f, text);
    assert_non_null(c);
    f->gateway = gateway_start(c, fixture_report, NULL);
    assert_non_null(f->gateway);
}

/* End the gateway, and start another one with the same state. */
static inline void fixture_restart(struct fixture *f, const char *text)
{
    assert_true(gateway_drain(f->gateway));
    struct config *c = fixture_config(f, text);
    assert_non_null(c);
    f->gateway = gateway_start(c, fixture_report, NULL);
    assert_non_null(f->gateway);
}

/* A folder of files, with them. */
static inline void fixture_remove(const char *folder)
{
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
    closedir(d);
    assert_int_equal(rmdir(folder), 0);
}

static inline void fixture_end(struct fixture *f)
{
    assert_true(gateway_drain(f->gateway));
    log_stop();
    arena_done(&f->arena);
    fixture_remove(f->dir);
}

static inline int fixture_connect(const struct fixture *f)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, f->socket);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    uint8_t hello[SP_HANDSHAKE_LEN];
    sp_handshake(hello, SP_PROTO_REQ);
    assert_int_equal(write(fd, hello, sizeof(hello)), sizeof(hello));
    assert_int_equal(recv(fd, hello, sizeof(hello), MSG_WAITALL), sizeof(hello));
    assert_true(sp_handshake_ok(hello, SP_PROTO_REP));
    return fd;
}

struct asked {
    const char *method, *request_id, *token;
    uint32_t timeout_ms;
    const ProtobufCMessage *request; /* or */
    const void *body;
    size_t body_len;
};

static inline void fixture_send(int fd, const struct asked *q)
{
    pb_Call call;
    isobar__v1__call__init(&call);
    call.method = (char *)(uintptr_t)q->method;
    call.request_id = (char *)(uintptr_t)(q->request_id ? q->request_id : "");
    call.token = (char *)(uintptr_t)(q->token ? q->token : "");
    call.timeout_ms = q->timeout_ms;
    uint8_t body[65536];
    call.body.data = body;
    if (q->request)
        call.body.len = protobuf_c_message_pack(q->request, body);
    else if (q->body)
        memcpy(body, q->body, call.body.len = q->body_len);
    uint8_t out[70000];
    size_t len = 4 + isobar__v1__call__get_packed_size(&call);
    out[0] = 1;
    sp_put64(out + 1, len);
    memcpy(out + SP_IPC_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 7}, 4);
    isobar__v1__call__pack(&call, out + SP_IPC_LENGTH_LEN + 4);
    assert_int_equal(write(fd, out, len + SP_IPC_LENGTH_LEN), len + SP_IPC_LENGTH_LEN);
}

/* In the fixture's arena. */
static inline pb_Reply *fixture_receive(struct fixture *f, int fd)
{
    uint8_t head[SP_IPC_LENGTH_LEN];
    assert_int_equal(recv(fd, head, sizeof(head), MSG_WAITALL), sizeof(head));
    size_t len = (size_t)sp_get64(head + 1);
    uint8_t *data = arena_alloc(&f->arena, len);
    assert_non_null(data);
    assert_int_equal(recv(fd, data, len, MSG_WAITALL), len);
    pb_Reply *reply = isobar__v1__reply__unpack(arena_allocator(&f->arena), len - 4, data + 4);
    assert_non_null(reply);
    assert_non_null(reply->result);
    return reply;
}

static inline pb_Reply *fixture_ask(struct fixture *f, const struct asked *q)
{
    int fd = fixture_connect(f);
    fixture_send(fd, q);
    pb_Reply *reply = fixture_receive(f, fd);
    close(fd);
    return reply;
}

/* The typed body; the message type by its short name. */
#define BODY(f, reply, Type)                                                                       \
    ((pb_##Type *)(void *)protobuf_c_message_unpack(                                               \
        &pb_##Type##_desc, arena_allocator(&(f)->arena), (reply)->body.len, (reply)->body.data))

#define NEW(f, Type) ((pb_##Type *)arena_message(&(f)->arena, &pb_##Type##_desc))
#define TEXT(s)      ((char *)(uintptr_t)(s))

/* A create request that the sandbox takes. */
static inline pb_CreateVmRequest *fixture_create(struct fixture *f, const char *cloud,
                                                 const char *name)
{
    pb_CreateVmRequest *req = NEW(f, CreateVmRequest);
    req->cloud = TEXT(cloud);
    req->spec = NEW(f, VmSpec);
    req->spec->name = TEXT(name);
    req->spec->flavor_name = TEXT("m1.small");
    req->spec->image_id = TEXT("ubuntu");
    return req;
}

static inline bool has_violation(const pb_Result *r, const char *field)
{
    for (size_t i = 0; i < r->n_violations; i++)
        if (strcmp(r->violations[i]->field, field) == 0)
            return true;
    return false;
}

#endif
