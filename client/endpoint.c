/* URLs, and which transport each is for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "isobar/envelope.h"
#include "isobar/tls.h"
#include "transport.h"

/* Sockets are not nng's. Debian's nng 1.5.2 costs a caller some 75 us a call and several
 * milliseconds a process, where a stream costs 15 us and none; it does not tell why it cannot
 * connect or hung up; and its TLS (mbed TLS 2.28) has no 1.3 and cannot check a certificate for an
 * address. */
static const struct scheme schemes[] = {
    {.name = "ipc", .ops = &transport_stream, .ipc = true},
    {.name = "tcp", .ops = &transport_stream, .inet = true},
    {.name = "tls+tcp", .ops = &transport_stream, .inet = true, .tls = true},
    {.name = "inproc", .ops = &transport_nng},
};

static const struct scheme *scheme_find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strlen(schemes[i].name) == len && memcmp(schemes[i].name, name, len) == 0)
            return &schemes[i];
    return NULL;
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT, and no path behind it but "/". */
static bool split_host(struct endpoint *e, const char *text)
{
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '/')
        len--;
    const char *host = text, *host_end, *port;
    if (text[0] == '[') {
        host = text + 1;
        host_end = strchr(host, ']');
        if (!host_end || host_end > text + len)
            return false;
        port = host_end + 1;
    } else {
        host_end = memchr(text, ':', len);
        if (!host_end)
            host_end = text + len;
        port = host_end;
    }
    size_t port_len = (size_t)(text + len - port);
    if (port_len > 0 && *port != ':')
        return false;
    if (port_len > 0) {
        port++;
        port_len--;
        if (port_len == 0 || port_len > 5 || strspn(port, "0123456789") < port_len)
            return false;
    }
    if (host_end == host || memchr(host, '/', (size_t)(host_end - host)))
        return false;
    e->host = strndup(host, (size_t)(host_end - host));
    bool given = port_len > 0;
    if (asprintf(&e->port, "%.*s", given ? (int)port_len : 0, given ? port : "") < 0)
        e->port = NULL;
    if (e->port && !given) {
        free(e->port);
        if (asprintf(&e->port, "%d", ISOBAR_PORT) < 0)
            e->port = NULL;
    }
    long number = e->port ? strtol(e->port, NULL, 10) : 0;
    return e->host && e->port && number > 0 && number < 65536;
}

static bool init(struct endpoint *e, const char *url, char ret_why[256])
{
    const char *rest = strstr(url, "://");
    e->scheme = rest ? scheme_find(url, (size_t)(rest - url)) : NULL;
    if (!e->scheme) {
        snprintf(ret_why, 256,
                 "%.120s is not the URL of a gateway; it begins with ipc://, tcp://, tls+tcp:// or "
                 "inproc://",
                 url);
        return false;
    }
    rest += 3;
    int made;
    if (e->scheme->inet) {
        if (!split_host(e, rest)) {
            snprintf(ret_why, 256, "%.120s: after %s:// comes HOST or HOST:PORT", url,
                     e->scheme->name);
            return false;
        }
        bool v6 = strchr(e->host, ':') != NULL;
        made = asprintf(&e->url, "%s://%s%s%s:%s", e->scheme->name, v6 ? "[" : "", e->host,
                        v6 ? "]" : "", e->port);
    } else {
        made = asprintf(&e->url, "%s://%s", e->scheme->name, rest);
    }
    if (made < 0) {
        e->url = NULL;
        snprintf(ret_why, 256, "out of memory");
        return false;
    }
    if (e->scheme->ipc)
        e->path = e->url + strlen("ipc://");
    size_t max = e->scheme->ipc ? sizeof((struct sockaddr_un *)0)->sun_path : 120;
    if (!e->scheme->inet && (*rest == '\0' || strlen(rest) >= max)) {
        snprintf(ret_why, 256, "%.120s: what comes after :// must have 1 to %zu bytes", url,
                 max - 1);
        return false;
    }
    return true;
}

bool endpoint_init(struct endpoint *e, const char *url, char ret_why[256])
{
    *e = (struct endpoint){0};
    if (init(e, url, ret_why))
        return true;
    endpoint_done(e);
    return false;
}

void endpoint_done(struct endpoint *e)
{
    tls_client_free(e->tls);
    free(e->url);
    free(e->host);
    free(e->port);
    *e = (struct endpoint){0};
}
