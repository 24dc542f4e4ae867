/* For the tests of the listeners: a client that speaks SP byte by byte, and what the process uses.
 */
#ifndef SP_CLIENT_H
#define SP_CLIENT_H

#include "listener_kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static inline void set_patience(int fd)
{
    struct timeval tv = {.tv_sec = PATIENCE_MS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* From 127.0.0.N, so that many connections do not run out of ports. */
static inline int dial_tcp_from(int port, unsigned n)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 + n)};
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
        fail_msg("connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    set_patience(fd);
    return fd;
}

static inline int dial_tcp(int port)
{
    return dial_tcp_from(port, 1);
}

static inline int dial_local(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
        fail_msg("connect: %s", strerror(errno));
    set_patience(fd);
    return fd;
}

/* False where the other side has closed. */
static inline bool put(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, (const uint8_t *)data + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* How many bytes came before the end or an error. */
static inline size_t get(int fd, void *data, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ssize_t n = recv(fd, (uint8_t *)data + at, len - at, 0);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    return at;
}

/* Whether the other side closes without another byte. */
static inline bool is_closed(int fd)
{
    uint8_t byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static inline void close_with_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static const uint8_t HELLO[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
static const uint8_t HELLO_BACK[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

static inline void greet(int fd)
{
    uint8_t back[8];
    assert_true(put(fd, HELLO, sizeof(HELLO)));
    assert_int_equal(get(fd, back, sizeof(back)), sizeof(back));
    assert_memory_equal(back, HELLO_BACK, sizeof(back));
}

/* A frame with a one-word backtrace; returns its length. */
static inline size_t frame(uint8_t *out, bool ipc, uint32_t id, const void *data, size_t len)
{
    uint8_t *at = out;
    if (ipc)
        *at++ = 1;
    for (int i = 7; i >= 0; i--)
        *at++ = (uint8_t)((uint64_t)(len + 4) >> (8 * i));
    uint32_t word = htonl(id | 0x80000000u);
    memcpy(at, &word, 4);
    memcpy(at + 4, data, len);
    return (size_t)(at - out) + 4 + len;
}

static inline void ask(int fd, bool ipc, uint32_t id, const void *data, size_t len)
{
    uint8_t *out = malloc(len + 13);
    assert_non_null(out);
    assert_true(put(fd, out, frame(out, ipc, id, data, len)));
    free(out);
}

/* Reads one reply whole and checks its frame; returns the data (to be freed) and its id. */
static inline uint8_t *answer(int fd, bool ipc, uint32_t *ret_id, size_t *ret_len)
{
    uint8_t head[13];
    size_t head_len = ipc ? 13 : 12;
    assert_int_equal(get(fd, head, head_len), head_len);
    if (ipc)
        assert_int_equal(head[0], 1);
    const uint8_t *at = head + (ipc ? 1 : 0);
    uint64_t len = 0;
    for (int i = 0; i < 8; i++)
        len = len << 8 | at[i];
    assert_true(len >= 4 && len < (64 << 20));
    uint32_t word;
    memcpy(&word, at + 8, 4);
    *ret_id = ntohl(word) & 0x7fffffff;
    *ret_len = (size_t)len - 4;
    uint8_t *data = malloc(*ret_len + 1);
    assert_non_null(data);
    assert_int_equal(get(fd, data, *ret_len), *ret_len);
    return data;
}

static inline void expect(int fd, bool ipc, uint32_t id, const void *data, size_t len)
{
    uint32_t got_id;
    size_t got_len;
    uint8_t *got = answer(fd, ipc, &got_id, &got_len);
    assert_int_equal(got_id, id);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, data, len);
    free(got);
}

static inline void round_trip(int fd, bool ipc, uint32_t id, const char *text)
{
    ask(fd, ipc, id, text, strlen(text));
    expect(fd, ipc, id, text, strlen(text));
}

/* --- What the process uses --- */

static inline unsigned count_fds(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static inline long rss_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

#endif
