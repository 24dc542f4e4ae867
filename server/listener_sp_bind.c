/* Where listener_sp listens: TCP addresses and local sockets. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener_sp.h"

static void freep(char **p)
{
    free(*p);
}

static void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static bool fail(char ret_why[LISTENER_CAUSE_MAX], const char *what, int err)
{
    snprintf(ret_why, LISTENER_CAUSE_MAX, "%s: %s", what, strerror(err));
    return false;
}

/* Replies are sent at once; a client that vanished without a word is found out, though its
 * connection is idle. Accepted sockets have the options of the one that listens. */
static void set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},    {IPPROTO_TCP, TCP_KEEPIDLE, 60},
        {IPPROTO_TCP, TCP_KEEPINTVL, 15}, {IPPROTO_TCP, TCP_KEEPCNT, 4},
        {IPPROTO_TCP, TCP_NODELAY, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
}

static int listen_at(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Every family for itself: tcp://[::]:7461 and tcp://0.0.0.0:7461 go together. */
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    set_options(fd);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int err = errno;
    close(fd);
    errno = err;
    return -1;
}

/* "host:port", "[::1]:port", ":port", "*:port"; without a port it is the gateway's own. */
static bool split_address(const char *address, char **ret_host, char port[8])
{
    const char *host = address, *rest;
    size_t len;
    if (*host == '[') {
        host++;
        rest = strchr(host, ']');
        if (!rest)
            return false;
        len = (size_t)(rest++ - host);
    } else {
        rest = strchrnul(host, ':');
        len = (size_t)(rest - host);
    }
    if (*rest == '\0') {
        snprintf(port, 8, "%d", ISOBAR_PORT);
    } else {
        char *end;
        long n = strtol(rest + 1, &end, 10);
        if (*rest != ':' || end == rest + 1 || *end || n < 0 || n > 65535)
            return false;
        snprintf(port, 8, "%ld", n);
    }
    *ret_host = strndup(host, len);
    return *ret_host != NULL;
}

static bool open_tcp(const char *address, struct sp_place *ret, char ret_why[LISTENER_CAUSE_MAX])
{
    CLEANUP(freep) char *host = NULL;
    char port[8];
    if (!split_address(address, &host, port)) {
        snprintf(ret_why, LISTENER_CAUSE_MAX, "expected tcp://HOST:PORT");
        return false;
    }
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    bool any = *host == '\0' || strcmp(host, "*") == 0;
    int rc = getaddrinfo(any ? NULL : host, port, &hints, &all);
    if (rc != 0) {
        snprintf(ret_why, LISTENER_CAUSE_MAX, "%s: %s", host, gai_strerror(rc));
        return false;
    }
    int fd = -1;
    for (const struct addrinfo *ai = all; ai && fd < 0; ai = ai->ai_next)
        fd = listen_at(ai);
    int err = errno;
    freeaddrinfo(all);
    if (fd < 0)
        return fail(ret_why, "cannot listen", err);
    struct sockaddr_storage got;
    socklen_t len = sizeof(got);
    if (getsockname(fd, (struct sockaddr *)&got, &len) == 0) {
        /* The port is at the same place in both families. */
        struct sockaddr_in in;
        memcpy(&in, &got, sizeof(in));
        ret->port = ntohs(in.sin_port);
    }
    ret->fd = fd;
    return true;
}

/* Make the folders above the socket that are missing; theirs is what we make alone. */
static bool make_parents(const char *path, char ret_why[LISTENER_CAUSE_MAX])
{
    CLEANUP(freep) char *copy = strdup(path);
    if (!copy)
        return fail(ret_why, path, ENOMEM);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST && errno != EROFS)
            return fail(ret_why, copy, errno);
        *slash = '/';
    }
    return true;
}

/* One daemon at a time looks whether the socket is alive and makes its own: the folder is locked
 * until the descriptor is closed. A folder that others may use is not ours to lock. */
static int lock_parent(const char *path)
{
    CLEANUP(freep) char *copy = strdup(path);
    if (!copy)
        return -1;
    char *slash = strrchr(copy, '/');
    if (slash)
        slash[slash == copy] = '\0';
    int fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 0022) == 0)
        flock(fd, LOCK_EX);
    return fd;
}

/* Remove the socket of a daemon that is dead; one that lives keeps its own. */
static bool clear_path(const struct sockaddr_un *un, char ret_why[LISTENER_CAUSE_MAX])
{
    struct stat st;
    if (lstat(un->sun_path, &st) < 0)
        return errno == ENOENT || fail(ret_why, "cannot look at it", errno);
    if (!S_ISSOCK(st.st_mode)) {
        snprintf(ret_why, LISTENER_CAUSE_MAX,
                 "there is a file that is no socket; remove it or choose another");
        return false;
    }
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(ret_why, "cannot make a socket", errno);
    if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0 || errno == EAGAIN) {
        struct ucred who = {.pid = 0};
        socklen_t len = sizeof(who);
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
        snprintf(ret_why, LISTENER_CAUSE_MAX, "another process listens there already (pid %d)",
                 (int)who.pid);
        return false;
    }
    if (errno != ECONNREFUSED)
        return fail(ret_why, "cannot tell whether another process listens there", errno);
    return unlink(un->sun_path) == 0 || errno == ENOENT ||
           fail(ret_why, "cannot remove the socket of a process that is dead", errno);
}

static int bind_local(const struct sockaddr_un *un, struct stat *ret_st)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    /* On Linux the file gets the mode that the socket has when it is bound. */
    if (fchmod(fd, 0600) == 0 && bind(fd, (const struct sockaddr *)un, sizeof(*un)) == 0) {
        if (lstat(un->sun_path, ret_st) == 0 && (ret_st->st_mode & 0177) == 0 &&
            listen(fd, SOMAXCONN) == 0)
            return fd;
        int err = errno;
        unlink(un->sun_path);
        errno = err;
    }
    int err = errno;
    close(fd);
    errno = err;
    return -1;
}

static bool open_ipc(const char *path, struct sp_place *ret, char ret_why[LISTENER_CAUSE_MAX])
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (*path == '\0' || strlen(path) >= sizeof(un.sun_path)) {
        snprintf(ret_why, LISTENER_CAUSE_MAX, "a path has 1 to %zu bytes", sizeof(un.sun_path) - 1);
        return false;
    }
    strcpy(un.sun_path, path);
    if (!make_parents(path, ret_why))
        return false;
    CLEANUP(closep) int lock UNUSED = lock_parent(path);
    if (!clear_path(&un, ret_why))
        return false;
    ret->path = strdup(path);
    if (!ret->path)
        return fail(ret_why, path, ENOMEM);
    struct stat st = {0};
    ret->fd = bind_local(&un, &st);
    if (ret->fd < 0) {
        fail(ret_why, "cannot listen", errno);
        free(ret->path);
        return false;
    }
    ret->device = st.st_dev;
    ret->inode = st.st_ino;
    return true;
}

bool sp_place_open(const char *url, struct sp_place *ret, char ret_why[LISTENER_CAUSE_MAX])
{
    *ret = (struct sp_place){.fd = -1};
    const char *rest = strstr(url, "://");
    if (!rest) {
        snprintf(ret_why, LISTENER_CAUSE_MAX, "this is no URL");
        return false;
    }
    ret->ipc = strncmp(url, "ipc:", 4) == 0;
    return ret->ipc ? open_ipc(rest + 3, ret, ret_why) : open_tcp(rest + 3, ret, ret_why);
}

void sp_place_close(struct sp_place *p)
{
    struct stat st;
    if (p->path && lstat(p->path, &st) == 0 && st.st_dev == p->device && st.st_ino == p->inode)
        unlink(p->path);
    free(p->path);
    p->path = NULL;
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}
