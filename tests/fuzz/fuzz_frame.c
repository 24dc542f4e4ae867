/* Any bytes on a connection of listener_sp whose host echoes, in pieces of any size: what comes
 * back must be what a plain reading of the protocol says.
 *
 * Byte 0 says how: bit 0 a local socket, else TCP; bit 1 the handshake is part of the data, else it
 * goes before; bit 2 full close at the end, else half. Byte 1 is the size of the pieces; 0: one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "isobar/clock.h"
#include "listener.h"

#define MESSAGE_MAX 3000
#define INPUT_MAX   (12 << 10)

enum { LOCAL = 1, RAW_HANDSHAKE = 2, FULL_CLOSE = 4 };

static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
static const uint8_t hello_back[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

static struct listener *tcp, *local;
static char folder[] = "/tmp/isobar-fuzz-XXXXXX";
static struct sockaddr_un local_address = {.sun_family = AF_UNIX};
static struct sockaddr_in tcp_address = {.sin_family = AF_INET};

static void echo(void *ctx, struct call *c)
{
    (void)ctx;
    uint8_t *room = arena_alloc(&c->arena, CALL_REPLY_ROOM + c->message_len + 1);
    if (!room)
        abort();
    c->reply_data = room + CALL_REPLY_ROOM;
    c->reply_len = c->message_len;
    memcpy(c->reply_data, c->message, c->message_len);
    c->reply(c);
}

static void finish(void)
{
    tcp->ops->close(tcp, clock_mono_ns());
    local->ops->close(local, clock_mono_ns());
    call_pool_drain();
    rmdir(folder);
}

static struct listener *open_one(const char *url)
{
    struct listener_config config = {.url = url,
                                     .limits = {.message_max = MESSAGE_MAX,
                                                .reply_max = MESSAGE_MAX,
                                                .connections_max = 100,
                                                .pipeline_max = 3,
                                                .unsent_max = 1000,
                                                .handshake_ms = 10000,
                                                .frame_ms = 10000},
                                     .io_threads = 1};
    static const struct listener_host host = {.receive = echo};
    char why[256];
    struct listener *l = listener_sp.open(&config, &host, why);
    if (!l) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return l;
}

static void start(void)
{
    char url[128];
    if (!mkdtemp(folder))
        abort();
    snprintf(local_address.sun_path, sizeof(local_address.sun_path), "%s/s", folder);
    snprintf(url, sizeof(url), "ipc://%s", local_address.sun_path);
    local = open_one(url);
    tcp = open_one("tcp://127.0.0.1:0");
    tcp_address.sin_port = htons((uint16_t)tcp->ops->port(tcp));
    tcp_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    atexit(finish);
}

/* How many bytes of the data the host gets to echo; `ret_bad` where the connection is then to be
 * closed at once. */
static size_t expected(const uint8_t *data, size_t len, bool ipc, bool *ret_bad)
{
    size_t at = 0, head = ipc ? 9 : 8;
    *ret_bad = false;
    while (at < len) {
        const uint8_t *p = data + at;
        uint64_t size = 0;
        if (ipc && p[0] != 1) {
            *ret_bad = true;
            return at;
        }
        if (len - at < head)
            return at;
        for (size_t i = head - 8; i < head; i++)
            size = size << 8 | p[i];
        if (size == 0 || size > MESSAGE_MAX) {
            *ret_bad = true;
            return at;
        }
        if (len - at < head + size)
            return at;
        bool has_id = false;
        for (size_t i = 0; i + 4 <= size && i < 64 && !has_id; i += 4)
            has_id = p[head + i] & 0x80;
        if (!has_id) {
            *ret_bad = true;
            return at;
        }
        at += head + size;
    }
    return at;
}

static int dial(bool ipc)
{
    int fd = socket(ipc ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = ipc ? connect(fd, (struct sockaddr *)&local_address, sizeof(local_address))
                 : connect(fd, (struct sockaddr *)&tcp_address, sizeof(tcp_address));
    if (rc < 0)
        abort();
    struct timeval tv = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    return fd;
}

static size_t get_all(int fd, uint8_t *out, size_t room)
{
    size_t len = 0;
    ssize_t n;
    while (len < room && (n = recv(fd, out + len, room - len, 0)) > 0)
        len += (size_t)n;
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sent[INPUT_MAX + 8], back[INPUT_MAX + 64];
    if (size < 2 || size > INPUT_MAX)
        return 0;
    if (!tcp)
        start();
    uint8_t how = data[0];
    size_t piece = data[1], len = 0;
    if (!(how & RAW_HANDSHAKE)) {
        memcpy(sent, hello, sizeof(hello));
        len = sizeof(hello);
    }
    memcpy(sent + len, data + 2, size - 2);
    len += size - 2;

    int fd = dial(how & LOCAL);
    for (size_t at = 0; at < len;) {
        size_t n = piece > 0 && piece < len - at ? piece : len - at;
        if (send(fd, sent + at, n, MSG_NOSIGNAL) != (ssize_t)n)
            break;
        at += n;
    }
    if (how & FULL_CLOSE) {
        close(fd);
        return 0;
    }
    shutdown(fd, SHUT_WR);
    size_t got = get_all(fd, back, sizeof(back));
    close(fd);

    bool greeted = len >= 8 && memcmp(sent, hello, 8) == 0, bad = !greeted;
    size_t want = 0;
    if (greeted)
        want = expected(sent + 8, len - 8, how & LOCAL, &bad);
    /* A connection that is closed at once may take replies with it. */
    if (got > 8 + want || (!bad && got != 8 + want))
        abort();
    if (memcmp(back, hello_back, got < 8 ? got : 8) != 0)
        abort();
    if (got > 8 && memcmp(back + 8, sent + 8, got - 8) != 0)
        abort();
    return 0;
}
