/* The program beside a cloud that arms faults and counts: how it is started and asked. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conformance.h"

/* It logs in to its cloud, and may wait there for machines to go. */
#define PATIENCE_S 120

/* The value of a member of a flat JSON object: behind the colon. */
static const char *member(const char *json, const char *name)
{
    char quoted[64];

    snprintf(quoted, sizeof(quoted), "\"%s\": ", name);
    const char *at = strstr(json, quoted);
    return at ? at + strlen(quoted) : NULL;
}

static bool member_text(const char *json, const char *name, char *out, size_t room)
{
    const char *at = member(json, name);

    if (!at || *at != '"')
        return false;
    size_t len = strcspn(at + 1, "\"");
    snprintf(out, room, "%.*s", (int)len, at + 1);
    return len < room;
}

const char *companion_member(const struct companion *c, const char *name)
{
    static char text[512];

    return member_text(c->line, name, text, sizeof(text)) ? text : NULL;
}

bool companion_start(struct companion *c, const char *const argv[])
{
    size_t len = 0;

    c->pid = child_start(argv, NULL, &c->fd);
    if (c->pid < 0)
        return false;
    while (len < sizeof(c->line) - 1 && read(c->fd, c->line + len, 1) == 1 && c->line[len] != '\n')
        len++;
    c->line[len] = '\0';
    const char *port = member(c->line, "control");
    c->port = port ? atoi(port) : 0;
    /* The pipe stays open: else the next that it says would end it. */
    if (c->port == 0) {
        fprintf(stderr, "%s: %s\n", argv[0], c->line);
        companion_stop(c);
    }
    return c->port != 0;
}

void companion_stop(struct companion *c)
{
    if (c->pid <= 0)
        return;
    child_end(c->pid);
    close(c->fd);
    c->pid = 0;
}

static int dial(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int companion_ask(const struct companion *c, const char *method, const char *path, char ret_id[64])
{
    char text[4096];
    size_t len = 0;
    int fd = dial(c->port);

    if (fd < 0)
        return -1;
    int n =
        snprintf(text, sizeof(text),
                 "%s %s HTTP/1.1\r\nHost: companion\r\nConnection: close\r\n\r\n", method, path);
    bool sent = write(fd, text, (size_t)n) == n;
    ssize_t got = 0;
    while (sent && len < sizeof(text) - 1 &&
           (got = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0)
        len += (size_t)got;
    close(fd);
    text[len] = '\0';
    const char *count = member(text, "count");
    if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || !count) {
        fprintf(stderr, "%s %s: %s\n", method, path, text);
        return -1;
    }
    if (ret_id && !member_text(text, "id", ret_id, 64))
        ret_id[0] = '\0';
    return atoi(count);
}
