/* A gateway whose memory runs out when a test says so, and a client of it that takes a closed
 * connection for an answer, and a hang for none. */
#ifndef ISOBAR_ALLOC_FAIL_GATEWAY_H
#define ISOBAR_ALLOC_FAIL_GATEWAY_H

#include "gateway_fixture.h"

#include <poll.h>

#include "../unit/alloc_fail.h"

/* What has not been answered by then hangs. */
#define HANGS_MS 20000
/* Of a call. An operation that finds no memory tries again until there is some: where there is none
 * for a while, its caller waits so long, and is told that it goes on. */
#define LONG_MS  1000
#define SHORT_MS 100
static uint32_t timeout_ms = HANGS_MS;
/* More than any piece of work here allocates; a pass that gets there does not end. */
#define ROUNDS_MAX 3000

#define CLOUDS                                                                                     \
    "drain_timeout: 20s\n"                                                                         \
    "clouds:\n"                                                                                    \
    "  box: {adapter: sandbox, boot_ms: 2, pace_ms: 1}\n"                                          \
    "  other: {adapter: sandbox}\n"

static struct fixture fx;

/* alloc_fail_at() or alloc_fail_from() */
typedef void arm_function(unsigned n);

enum answer { ANSWERED, CLOSED, HUNG };

static int64_t due_ns;

/* Wait until something can be read. */
static inline bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, clock_ms_left(due_ns)) == 1;
}

/* Whole, or CLOSED, or HUNG. */
static inline enum answer read_all(int fd, void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        if (!readable(fd))
            return HUNG;
        ssize_t n = recv(fd, (char *)data + at, len - at, 0);
        if (n <= 0)
            return CLOSED;
        at += (size_t)n;
    }
    return ANSWERED;
}

static inline enum answer greet(int fd)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, fx.socket);
    uint8_t hello[SP_HANDSHAKE_LEN];
    sp_handshake(hello, SP_PROTO_REQ);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        send(fd, hello, sizeof(hello), MSG_NOSIGNAL) != sizeof(hello))
        return CLOSED;
    return read_all(fd, hello, sizeof(hello));
}

/* The reply, whatever it says; it has a result. */
static inline enum answer receive(int fd, pb_Reply **ret)
{
    uint8_t head[SP_IPC_LENGTH_LEN];
    enum answer got = read_all(fd, head, sizeof(head));
    if (got != ANSWERED)
        return got;
    size_t len = (size_t)sp_get64(head + 1);
    uint8_t *data = arena_alloc(&fx.arena, len);
    assert_non_null(data);
    got = read_all(fd, data, len);
    if (got != ANSWERED)
        return got;
    *ret = isobar__v1__reply__unpack(arena_allocator(&fx.arena), len - 4, data + 4);
    assert_non_null(*ret);
    assert_non_null((*ret)->result);
    assert_int_not_equal((*ret)->result->code, RESULT_CODE_UNSPECIFIED);
    return ANSWERED;
}

/* False where the other end has closed. What is written is small, and fits into the socket. */
static inline bool send_call(int fd, const char *method, const ProtobufCMessage *request)
{
    pb_Call call;
    isobar__v1__call__init(&call);
    call.method = TEXT(method);
    call.timeout_ms = timeout_ms;
    uint8_t body[4096], out[8192];
    assert_true(protobuf_c_message_get_packed_size(request) < sizeof(body));
    call.body.len = protobuf_c_message_pack(request, body);
    call.body.data = body;
    size_t len = SP_IPC_LENGTH_LEN + 4 + isobar__v1__call__pack(&call, out + SP_IPC_LENGTH_LEN + 4);
    out[0] = 1;
    sp_put64(out + 1, len - SP_IPC_LENGTH_LEN);
    memcpy(out + SP_IPC_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 7}, 4);
    return send(fd, out, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A call on a connection of its own, which may fail at any point. */
static inline enum answer try_call(const char *method, const void *request, pb_Reply **ret)
{
    due_ns = clock_mono_ns() + HANGS_MS * NS_PER_MS;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    enum answer got = greet(fd);
    if (got == ANSWERED)
        got = send_call(fd, method, request) ? receive(fd, ret) : CLOSED;
    close(fd);
    return got;
}

/* ---- With memory as it should be ---- */

static inline pb_Reply *call(const char *method, const void *request)
{
    pb_Reply *reply = NULL;
    assert_int_equal(try_call(method, request, &reply), ANSWERED);
    return reply;
}

static inline size_t list(pb_Vm ***ret)
{
    pb_ListVmsRequest *req = NEW(&fx, ListVmsRequest);
    req->cloud = TEXT("box");
    pb_Reply *r = call("isobar.v1.VmService/ListVms", req);
    assert_string_equal(result_name(r->result->code), "OK");
    pb_ListVmsResponse *rsp = BODY(&fx, r, ListVmsResponse);
    *ret = rsp->vms;
    return rsp->n_vms;
}

#endif
