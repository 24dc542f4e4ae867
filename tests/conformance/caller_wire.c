/* The SP wire: an isobard of the run's own, with one cloud, on a local socket. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance.h"
#include "isobar/clock.h"
#include "isobar/envelope.h"

#define START_MS  20000
#define STEP_MS   10
#define LATE_MS   15000 /* than the call's own deadline: then nothing comes any more */
#define REPLY_MAX ((size_t)64 << 20)

/* ---- the daemon ---- */

static bool write_config(struct run *t, const char *path)
{
    struct setting items[SETTINGS_MAX];
    size_t n = t->harness->settings(t->scenario->fault, items);
    FILE *f = fopen(path, "we");

    if (!f)
        return false;
    fprintf(f, "state_dir: %s/state\nlisten: [\"ipc://%s\"]\ndrain_timeout: 5s\n", t->daemon.dir,
            t->daemon.socket);
    fprintf(f, "clouds:\n  " CLOUD ":\n    adapter: %s\n", t->harness->ops->name);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "    %s: \"%s\"\n", items[i].name, items[i].value);
    return fclose(f) == 0;
}

/* -1 where nobody listens (yet). */
static int dial(const struct run *t)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = START_MS / 1000};
    uint8_t hello[SP_HANDSHAKE_LEN];

    if (fd < 0)
        return -1;
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", t->daemon.socket);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sp_handshake(hello, SP_PROTO_REQ);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        send(fd, hello, sizeof(hello), MSG_NOSIGNAL) == sizeof(hello) &&
        recv(fd, hello, sizeof(hello), MSG_WAITALL) == sizeof(hello) &&
        sp_handshake_ok(hello, SP_PROTO_REP))
        return fd;
    close(fd);
    return -1;
}

static bool wire_open(struct run *t)
{
    const char *build = getenv("ISOBAR_BUILD");

    snprintf(t->daemon.dir, sizeof(t->daemon.dir), "/tmp/isobar-conformance-XXXXXX");
    if (!mkdtemp(t->daemon.dir)) {
        t->daemon.dir[0] = '\0';
        run_fail(t, "there is no folder for the daemon: %s", strerror(errno));
        return false;
    }
    snprintf(t->daemon.socket, sizeof(t->daemon.socket), "%s/s", t->daemon.dir);
    char *config = run_text(t, "%s/isobard.yaml", t->daemon.dir);
    char *program = run_text(t, "%s/server/isobard", build ? build : ".");
    const char *const argv[] = {program, "--config", config, NULL};
    if (mkdir(run_text(t, "%s/state", t->daemon.dir), 0700) == 0 && write_config(t, config))
        t->daemon.pid = child_start(argv, run_text(t, "%s/log", t->daemon.dir), NULL);
    for (int waited = 0; t->daemon.pid > 0 && waited < START_MS; waited += STEP_MS) {
        t->daemon.fd = dial(t);
        if (t->daemon.fd >= 0)
            return true;
        if (waitpid(t->daemon.pid, NULL, WNOHANG) != 0)
            t->daemon.pid = 0;
        run_sleep(STEP_MS);
    }
    run_fail(t, "%s does not answer", program);
    return false;
}

static int drop(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

/* The last of what it said. */
static void show_log(struct run *t)
{
    char line[4096];
    FILE *f = fopen(run_text(t, "%s/log", t->daemon.dir), "re");

    if (f && fseek(f, -8192, SEEK_END) == 0)
        fgets(line, sizeof(line), f); /* a part of a line */
    while (f && fgets(line, sizeof(line), f))
        fprintf(stderr, "    isobard: %s", line);
    if (f)
        fclose(f);
}

/* In what the daemon wrote. */
static void look_for_secrets(struct run *t)
{
    const char *here = getenv("ISOBAR_CONFORMANCE");
    const char *const argv[] = {run_text(t, "%s/../canary.py", here ? here : "."), t->daemon.dir,
                                NULL};
    char said[512];
    size_t len = 0;
    ssize_t n;
    int fd = -1, status = -1;
    pid_t pid = child_start(argv, NULL, &fd);

    while (pid > 0 && len < sizeof(said) - 1 &&
           (n = read(fd, said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)n;
    said[len] = '\0';
    if (fd >= 0)
        close(fd);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        run_fail(t, "%s: %s", argv[0], said);
}

static bool wire_close(struct run *t)
{
    bool well = true;

    if (t->daemon.fd >= 0)
        close(t->daemon.fd);
    if (t->daemon.pid > 0)
        well = child_end(t->daemon.pid);
    if (t->daemon.dir[0] && well)
        look_for_secrets(t);
    if (t->daemon.dir[0] && (!well || t->failed))
        show_log(t);
    if (t->daemon.dir[0])
        nftw(t->daemon.dir, drop, 16, FTW_DEPTH | FTW_PHYS);
    t->daemon.fd = -1;
    t->daemon.pid = 0;
    t->daemon.dir[0] = '\0';
    return well;
}

/* ---- a call ---- */

static bool put(struct run *t, const pb_Call *call)
{
    size_t len = 4 + isobar__v1__call__get_packed_size(call);
    uint8_t *out = malloc(SP_IPC_LENGTH_LEN + len);

    if (!out)
        return false;
    out[0] = 1;
    sp_put64(out + 1, len);
    memcpy(out + SP_IPC_LENGTH_LEN, (const uint8_t[]){SP_REQUEST_ID_BIT, 0, 0, 7}, 4);
    isobar__v1__call__pack(call, out + SP_IPC_LENGTH_LEN + 4);
    ssize_t n = send(t->daemon.fd, out, SP_IPC_LENGTH_LEN + len, MSG_NOSIGNAL);
    free(out);
    return n == (ssize_t)(SP_IPC_LENGTH_LEN + len);
}

static pb_Reply *receive(struct run *t, int timeout_ms)
{
    uint8_t head[SP_IPC_LENGTH_LEN];
    struct timeval patience = {.tv_sec = (timeout_ms + LATE_MS) / 1000};

    setsockopt(t->daemon.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (recv(t->daemon.fd, head, sizeof(head), MSG_WAITALL) != sizeof(head))
        return NULL;
    uint64_t len = sp_get64(head + 1);
    uint8_t *data = len > 4 && len < REPLY_MAX ? arena_alloc(&t->arena, (size_t)len) : NULL;
    if (!data || recv(t->daemon.fd, data, (size_t)len, MSG_WAITALL) != (ssize_t)len)
        return NULL;
    return isobar__v1__reply__unpack(arena_allocator(&t->arena), (size_t)len - 4, data + 4);
}

static bool wire_call(struct run *t, const struct ask *q, struct answer *ret)
{
    pb_Call call = pb_Call_INIT;
    int64_t begun = clock_mono_ns();

    call.method = run_text(t, "%s", q->method);
    call.request_id = run_text(t, "%s", q->request_id ? q->request_id : "");
    call.timeout_ms = (uint32_t)(q->timeout_ms ? q->timeout_ms : CALL_MS);
    call.body.len = protobuf_c_message_get_packed_size(q->req);
    call.body.data = arena_alloc(&t->arena, call.body.len + 1);
    if (call.body.data)
        protobuf_c_message_pack(q->req, call.body.data);
    pb_Reply *reply = put(t, &call) ? receive(t, (int)call.timeout_ms) : NULL;
    if (!reply || !reply->result) {
        run_fail(t, "%s: the gateway gave no reply within its deadline", q->method);
        return false;
    }
    *ret = (struct answer){.code = reply->result->code, .result = reply->result};
    ret->took_ms = (int)((clock_mono_ns() - begun) / NS_PER_MS);
    ret->message = protobuf_c_message_unpack(q->rsp, arena_allocator(&t->arena), reply->body.len,
                                             reply->body.data);
    ret->token = reply->result->operation_id;
    if (!ret->message)
        run_fail(t, "%s: the reply's body is no %s", q->method, q->rsp->name);
    return ret->message != NULL;
}

const struct caller caller_wire = {
    .way = "wire",
    .open = wire_open,
    .call = wire_call,
    .close = wire_close,
};
