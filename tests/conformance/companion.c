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
#define PYTHON     "/usr/bin/python3"

static pid_t process;
static int control, output; /* the port; what it prints */
static char line[1024];     /* the first of that */

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

const char *companion_member(const char *name)
{
    static char text[512];

    return member_text(line, name, text, sizeof(text)) ? text : NULL;
}

void companion_start(const char *script, const char *argument)
{
    const char *folder = getenv("ISOBAR_CONFORMANCE");
    char path[512];
    const char *const argv[] = {PYTHON, path, argument, NULL};
    size_t len = 0;

    snprintf(path, sizeof(path), "%s/%s", folder ? folder : ".", script);
    process = child_start(argv, NULL, &output);
    while (process > 0 && len < sizeof(line) - 1 && read(output, line + len, 1) == 1 &&
           line[len] != '\n')
        len++;
    line[len] = '\0';
    const char *at = member(line, "control");
    control = at ? atoi(at) : 0;
    /* The pipe stays open: else the next that it says would end it. */
    if (control != 0)
        return;
    fprintf(stderr, "%s: %s\n", script, line);
    companion_stop();
    exit(1);
}

bool companion_stop(void)
{
    char said[4096];
    ssize_t n;

    if (process <= 0)
        return true;
    bool well = child_end(process);
    if (!well && (n = read(output, said, sizeof(said) - 1)) > 0) {
        said[n] = '\0';
        printf("FAIL the program beside the cloud: %s\n", said);
    }
    close(output);
    process = 0;
    return well;
}

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)control),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The `count` of the answer, -1 where that fails. `ret_id` (may be NULL) gets its `id`. */
static int ask(const char *method, const char *path, char ret_id[ID_ROOM])
{
    char text[4096];
    size_t len = 0;
    int fd = dial();

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
    if (ret_id && !member_text(text, "id", ret_id, ID_ROOM))
        ret_id[0] = '\0';
    return atoi(count);
}

static int ask_about(const char *method, const char *what, const char *key, const char *value,
                     char ret_id[ID_ROOM])
{
    char path[256];

    snprintf(path, sizeof(path), "/%s?%s=%s", what, key, value);
    return ask(method, path, ret_id);
}

bool companion_arm(enum fault f)
{
    return ask_about("POST", "arm", "fault", fault_names[f], NULL) > 0;
}

void companion_disarm(void)
{
    ask("DELETE", "/rules", NULL);
}

bool companion_hit(void)
{
    return ask("GET", "/hits", NULL) > 0;
}

int companion_machines(struct run *t, const char *token, char ret_id[ID_ROOM])
{
    (void)t;
    return ask_about("GET", "machines", "token", token, ret_id);
}

int companion_things(struct run *t, const char *token)
{
    (void)t;
    return ask_about("GET", "things", "token", token, NULL);
}

bool companion_drop_machines(const char *token)
{
    return ask_about("DELETE", "machines", "token", token, NULL) == 0;
}

bool companion_drop_things(const char *token)
{
    return ask_about("DELETE", "things", "token", token, NULL) == 0;
}

int companion_logins(void)
{
    return ask("GET", "/logins", NULL);
}
