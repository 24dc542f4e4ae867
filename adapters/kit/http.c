/* All of libcurl in one file, since no other may know it. */
#include "kit/http.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_answer.h"
#include "http_text.h"
#include "http_trust.h"
#include "isobar/clock.h"

/* How often a waiting exchange looks whether it has been cancelled. */
#define CANCEL_TICK_MS 40
/* Handles that nobody used for so long are given back, and their connections with them. */
#define HANDLE_IDLE_NS (120 * NS_PER_SEC)
/* Connections that one handle keeps: a cloud has about that many services. */
#define CONNECTIONS_KEPT 10L
/* And those that may be under way meanwhile: an address of each family. */
#define SOCKETS_MAX 16
/* A request that may be sent twice uses any connection that has not been idle for longer. */
#define REUSE_IDLE_S 118L
/* One that may not takes only one that the server has hardly given up: less than the keep-alive
 * time of the common servers (5 s of Apache is the shortest). */
#define REUSE_ONCE_IDLE_S 3L
/* Bytes that stay unacknowledged for so long mean a dead peer: what may be sent again then has time
 * left for that. */
#define UNACKED_MS 20000

/* What makes one exchange: an easy handle and the multi handle that drives it, which owns its
 * connections. One thread at a time. The multi interface is used instead of curl_easy_perform()
 * since that looks for a cancellation only once a second.
 */
struct handle {
    struct handle *next; /* in the client's list */
    int64_t idle_since_ns;
    CURL *easy;
    CURLM *multi;
    long max_idle_s;      /* as set in `easy` */
    int fds[SOCKETS_MAX]; /* of its connections */
    nfds_t n_fds;
    char error[CURL_ERROR_SIZE]; /* curl's words for the last failure */
    struct answer answer;        /* of the exchange under way, as are the rest */
    bool resend_ok;
    unsigned starts; /* how often the request began to be sent */
};

struct http_client {
    pthread_mutex_t lock;
    struct handle *idle; /* used last first: few handles do most, and their connections stay warm */
    CURLSH *share;
    pthread_mutex_t dns_lock;
    int ended; /* a socket whose other end is closed */
    struct trust trust;
    char *client_cert, *client_key, *no_proxy;
    bool insecure;
    long connect_timeout_ms;
};

static pthread_once_t http_once = PTHREAD_ONCE_INIT;
static bool http_ready;

static void http_global_init(void)
{
    http_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static size_t handle_on_head(char *line, size_t size, size_t n, void *ctx)
{
    struct handle *h = ctx;

    return answer_head_line(&h->answer, line, size * n) ? size * n : 0;
}

static size_t handle_on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct handle *h = ctx;
    curl_off_t announced = -1;

    if (h->answer.body_room - h->answer.body_len < size * n)
        curl_easy_getinfo(h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return answer_body(&h->answer, data, size * n, announced) ? size * n : 0;
}

/* A connection is there, and the request leaves next. When a kept-alive connection dies before the
 * first byte of an answer, curl takes another one and sends the request again, POST as well; a
 * server that took the request and died then has it twice. So the second time stops it here, unless
 * the request allows it. (There is no option for that; curl calls this for reused connections and
 * for its own repetition too.) */
static int handle_on_start(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct handle *h = ctx;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    if (h->starts > 0 && !(h->resend_ok && h->starts == 1))
        return CURL_PREREQFUNC_ABORT;
    h->starts++;
    return CURL_PREREQFUNC_OK;
}

static int handle_on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    struct handle *h = ctx;
    int ms = UNACKED_MS;

    (void)purpose;
    if (h->n_fds == SOCKETS_MAX)
        return CURL_SOCKOPT_ERROR;
    h->fds[h->n_fds++] = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
}

static int handle_on_close(void *ctx, curl_socket_t fd)
{
    struct handle *h = ctx;

    for (nfds_t i = 0; i < h->n_fds; i++)
        if (h->fds[i] == fd) {
            h->fds[i] = h->fds[--h->n_fds];
            break;
        }
    return close(fd);
}

/* An idle connection that has something to read is at its end, or has an answer that nobody asked
 * for ("408 Request Timeout" of a busy server): curl before 8.0 takes that for the answer to the
 * next request. So whatever is readable is made to look ended, which curl notices. */
static void handle_end_unfit(struct handle *h, const struct http_client *c)
{
    struct pollfd idle[SOCKETS_MAX];

    for (nfds_t i = 0; i < h->n_fds; i++)
        idle[i] = (struct pollfd){.fd = h->fds[i], .events = POLLIN};
    if (h->n_fds == 0 || poll(idle, h->n_fds, 0) <= 0)
        return;
    for (nfds_t i = 0; i < h->n_fds; i++)
        if (idle[i].revents)
            dup3(c->ended, idle[i].fd, O_CLOEXEC);
}

static CURLcode handle_on_tls(CURL *easy, void *ssl_ctx, void *ctx)
{
    (void)easy;
    return trust_apply(ctx, ssl_ctx) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static void handle_free(struct handle *h)
{
    if (h->easy)
        curl_easy_cleanup(h->easy);
    if (h->multi)
        curl_multi_cleanup(h->multi);
    free(h);
}

/* Sets an option and collects whether one of them failed. */
#define SET(name, value) failed |= curl_easy_setopt(e, CURLOPT_##name, value) != CURLE_OK

/* All that is the same for every request of the client. */
static bool handle_set_up(struct handle *h, struct http_client *c)
{
    CURL *e = h->easy;
    bool failed = false;

    SET(SHARE, c->share);
    SET(ERRORBUFFER, h->error);
    SET(NOSIGNAL, 1L);
    /* A name server that hangs must not hold up a deadline: the resolver's thread is left to end by
     * itself. */
    SET(QUICK_EXIT, 1L);
    SET(CONNECTTIMEOUT_MS, c->connect_timeout_ms);
    SET(PROTOCOLS_STR, "http,https");
    SET(FOLLOWLOCATION, 0L);
    /* "/servers/.." must not become "/": a name is not always what it should be. */
    SET(PATH_AS_IS, 1L);
    SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(NETRC, (long)CURL_NETRC_IGNORED);
    SET(NOPROXY, c->no_proxy);
    SET(USERAGENT, "isobar/" ISOBAR_VERSION);
    SET(TCP_KEEPALIVE, 1L);
    SET(TCP_NODELAY, 1L);
    SET(SOCKOPTFUNCTION, handle_on_socket);
    SET(SOCKOPTDATA, h);
    SET(CLOSESOCKETFUNCTION, handle_on_close);
    SET(CLOSESOCKETDATA, h);
    SET(SSL_VERIFYPEER, c->insecure ? 0L : 1L);
    SET(SSL_VERIFYHOST, c->insecure ? 0L : 2L);
    SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!c->insecure) {
        SET(CAINFO, NULL);
        SET(CAPATH, NULL);
        SET(SSL_CTX_FUNCTION, handle_on_tls);
        SET(SSL_CTX_DATA, &c->trust);
    }
    if (c->client_cert)
        SET(SSLCERT, c->client_cert);
    if (c->client_key)
        SET(SSLKEY, c->client_key);
    SET(HEADERFUNCTION, handle_on_head);
    SET(HEADERDATA, h);
    SET(WRITEFUNCTION, handle_on_body);
    SET(WRITEDATA, h);
    SET(PREREQFUNCTION, handle_on_start);
    SET(PREREQDATA, h);
    failed |= curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT) != CURLM_OK;
    return !failed;
}

static struct handle *handle_new(struct http_client *c)
{
    struct handle *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->easy = curl_easy_init();
    h->multi = curl_multi_init();
    if (!h->easy || !h->multi || !handle_set_up(h, c)) {
        handle_free(h);
        return NULL;
    }
    return h;
}

static struct handle *client_take(struct http_client *c)
{
    struct handle *h;

    pthread_mutex_lock(&c->lock);
    h = c->idle;
    if (h)
        c->idle = h->next;
    pthread_mutex_unlock(&c->lock);
    return h ? h : handle_new(c);
}

static void client_put(struct http_client *c, struct handle *h)
{
    struct handle *stale = NULL;

    h->idle_since_ns = clock_mono_ns();
    pthread_mutex_lock(&c->lock);
    h->next = c->idle;
    c->idle = h;
    /* The list is in order of use, so all behind the first stale one are stale. */
    for (struct handle **at = &h->next; *at; at = &(*at)->next)
        if (h->idle_since_ns - (*at)->idle_since_ns > HANDLE_IDLE_NS) {
            stale = *at;
            *at = NULL;
            break;
        }
    pthread_mutex_unlock(&c->lock);
    while (stale) {
        struct handle *next = stale->next;
        handle_free(stale);
        stale = next;
    }
}

static void dns_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *ctx)
{
    struct http_client *c = ctx;

    (void)easy, (void)data, (void)access;
    pthread_mutex_lock(&c->dns_lock);
}

static void dns_unlock(CURL *easy, curl_lock_data data, void *ctx)
{
    struct http_client *c = ctx;

    (void)easy, (void)data;
    pthread_mutex_unlock(&c->dns_lock);
}

/* A socket at its end; -1 where there is none to be had. */
static int client_ended(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    close(pair[1]);
    return pair[0];
}

/* Only DNS answers are shared. curl's own sharing of connections between threads is not safe, and
 * that of TLS sessions is a data race before 8.11 (curl #14751). */
static CURLSH *client_share(struct http_client *c)
{
    CURLSH *share = curl_share_init();

    if (share && (curl_share_setopt(share, CURLSHOPT_LOCKFUNC, dns_lock) != CURLSHE_OK ||
                  curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, dns_unlock) != CURLSHE_OK ||
                  curl_share_setopt(share, CURLSHOPT_USERDATA, c) != CURLSHE_OK ||
                  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK)) {
        curl_share_cleanup(share);
        share = NULL;
    }
    return share;
}

static bool copy_text(char **to, const char *from)
{
    return !from || (*to = strdup(from));
}

struct http_client *http_client_new(const struct http_options *o)
{
    struct http_client *c;
    char *ca_file = NULL;
    bool ok;

    pthread_once(&http_once, http_global_init);
    c = http_ready ? calloc(1, sizeof(*c)) : NULL;
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->dns_lock, NULL);
    ok = copy_text(&ca_file, o->ca_file);
    trust_init(&c->trust, ca_file);
    c->insecure = o->insecure;
    c->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : 5000;
    c->ended = client_ended();
    c->share = client_share(c);
    c->no_proxy = o->no_proxy ? strdup("*") : http_no_proxy();
    if (!ok || c->ended < 0 || !c->share || !c->no_proxy ||
        !copy_text(&c->client_cert, o->client_cert) || !copy_text(&c->client_key, o->client_key)) {
        http_client_free(c);
        return NULL;
    }
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    while (c->idle) {
        struct handle *h = c->idle;
        c->idle = h->next;
        handle_free(h);
    }
    if (c->share)
        curl_share_cleanup(c->share);
    if (c->ended >= 0)
        close(c->ended);
    trust_done(&c->trust);
    free(c->client_cert);
    free(c->client_key);
    free(c->no_proxy);
    pthread_mutex_destroy(&c->dns_lock);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* The headers as curl wants them, in the arena; NULL where it is exhausted. */
static struct curl_slist *exchange_headers(struct op *op, const struct http_request *req)
{
    /* The latter two keep curl from adding its own. */
    static char constant[][32] = {"Accept-Encoding: identity", "Expect:", "Content-Type:"};
    struct curl_slist *list =
        arena_array(op->arena, req->n_headers + ARRAY_LEN(constant) + 1, sizeof(*list));
    size_t n = 0;

    if (!list)
        return NULL;
    for (; n < ARRAY_LEN(constant); n++)
        list[n].data = constant[n];
    if (op->traceparent && *op->traceparent)
        list[n++].data = arena_printf(op->arena, "traceparent: %s", op->traceparent);
    for (size_t i = 0; i < req->n_headers; i++) {
        const struct http_header *h = &req->headers[i];
        /* A semicolon is curl's way to say that there is no value. */
        list[n++].data = *h->value ? arena_printf(op->arena, "%s: %s", h->name, h->value)
                                   : arena_printf(op->arena, "%s;", h->name);
    }
    for (size_t i = 1; i < n; i++)
        list[i - 1].next = &list[i];
    return op->arena->exhausted ? NULL : list;
}

/* All that differs from request to request. */
static bool exchange_set_up(struct handle *h, struct op *op, const struct http_request *req)
{
    CURL *e = h->easy;
    struct curl_slist *headers = exchange_headers(op, req);
    long max_idle_s = req->resend_ok ? REUSE_IDLE_S : REUSE_ONCE_IDLE_S;
    bool failed = !headers;

    if (h->max_idle_s != max_idle_s) {
        SET(MAXAGE_CONN, max_idle_s);
        h->max_idle_s = max_idle_s;
    }
    SET(URL, req->url);
    SET(HTTPHEADER, headers);
    if (strcmp(req->method, "HEAD") == 0) {
        SET(NOBODY, 1L);
        SET(CUSTOMREQUEST, NULL);
    } else if (req->body || http_wants_body(req->method)) {
        SET(POST, 1L);
        SET(POSTFIELDS, req->body ? req->body : "");
        SET(POSTFIELDSIZE_LARGE, (curl_off_t)(req->body ? req->body_len : 0));
        SET(CUSTOMREQUEST, req->method);
    } else {
        SET(HTTPGET, 1L);
        SET(CUSTOMREQUEST, req->method);
    }
    return !failed;
}

/* Run it to its end; HTTP_ANSWERED where curl came to one, which `ret_code` tells. */
static enum http_outcome exchange_run(struct handle *h, const struct op *op, CURLcode *ret_code)
{
    CURLMsg *message;
    int running = 1, left, queued;

    for (;;) {
        if (curl_multi_perform(h->multi, &running) != CURLM_OK)
            break;
        if (running == 0)
            break;
        left = clock_ms_left(op->deadline_ns);
        if (left == 0)
            return HTTP_DEADLINE;
        if (op_cancelled(op))
            return HTTP_CANCELLED;
        if (op->cancelled && left > CANCEL_TICK_MS)
            left = CANCEL_TICK_MS;
        if (curl_multi_poll(h->multi, NULL, 0, left, NULL) != CURLM_OK)
            break;
    }
    *ret_code = CURLE_FAILED_INIT;
    while ((message = curl_multi_info_read(h->multi, &queued)))
        if (message->msg == CURLMSG_DONE)
            *ret_code = message->data.result;
    return HTTP_ANSWERED;
}

/* What curl's codes mean, as what the other side did. */
static const struct explanation {
    CURLcode code;
    bool permanent;
    enum { QUOTE_NOBODY, QUOTE_CURL, QUOTE_SYSTEM } quote; /* whose words tell more */
    const char *words;
} explanations[] = {
    {CURLE_URL_MALFORMAT, true, QUOTE_CURL, "is in a URL that is none"},
    {CURLE_UNSUPPORTED_PROTOCOL, true, QUOTE_CURL, "does not speak HTTP"},
    {CURLE_COULDNT_RESOLVE_HOST, false, QUOTE_NOBODY, "has a name that does not resolve"},
    {CURLE_COULDNT_RESOLVE_PROXY, false, QUOTE_NOBODY, "has a proxy that does not resolve"},
    {CURLE_COULDNT_CONNECT, false, QUOTE_SYSTEM, "could not be connected to"},
    {CURLE_OPERATION_TIMEDOUT, false, QUOTE_NOBODY, "did not take a connection in time"},
    {CURLE_SSL_CONNECT_ERROR, false, QUOTE_CURL, "failed in the TLS handshake"},
    {CURLE_PEER_FAILED_VERIFICATION, true, QUOTE_CURL, "has a certificate that is not trusted"},
    {CURLE_SSL_CACERT_BADFILE, true, QUOTE_CURL, "cannot be verified without the CA file"},
    {CURLE_SSL_CERTPROBLEM, true, QUOTE_CURL, "cannot be shown the client certificate"},
    {CURLE_SEND_ERROR, false, QUOTE_SYSTEM, "broke the connection during the request"},
    {CURLE_RECV_ERROR, false, QUOTE_SYSTEM, "broke the connection before the answer was whole"},
    {CURLE_GOT_NOTHING, false, QUOTE_NOBODY, "closed the connection without an answer"},
    {CURLE_PARTIAL_FILE, false, QUOTE_NOBODY, "closed the connection in the middle of the answer"},
    {CURLE_OUT_OF_MEMORY, false, QUOTE_NOBODY, "sent a header that is too large"},
    {CURLE_WEIRD_SERVER_REPLY, false, QUOTE_CURL, "answered something that is not HTTP"},
    /* By handle_on_start. */
    {CURLE_ABORTED_BY_CALLBACK, false, QUOTE_NOBODY,
     "closed a kept-alive connection without an answer"},
};

static void exchange_explain(struct handle *h, const char *url, CURLcode code,
                             struct http_failure *ret)
{
    static const struct explanation other = {.quote = QUOTE_CURL, .words = "could not be asked"};
    const struct explanation *e = &other;
    const char *quote = "";
    long os_error = 0;

    for (size_t i = 0; i < ARRAY_LEN(explanations); i++)
        if (explanations[i].code == code)
            e = &explanations[i];
    ret->permanent = e->permanent && !ret->sent;
    if (e->quote == QUOTE_CURL)
        quote = *h->error ? h->error : curl_easy_strerror(code);
    else if (e->quote == QUOTE_SYSTEM &&
             curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &os_error) == CURLE_OK && os_error != 0)
        quote = strerrordesc_np((int)os_error);
    http_reason(ret, url, quote && *quote ? "%s: %s" : "%s", e->words, quote);
}

static enum http_outcome exchange_outcome(struct handle *h, CURLcode code, const char *url,
                                          struct http_response *ret, struct http_failure *failure)
{
    struct answer *a = &h->answer;
    long status = 0;

    if (a->trouble != ANSWER_FINE) {
        http_reason(failure, url, "answered with %s",
                    a->trouble == ANSWER_HEAD_TOO_LARGE ? "a header that is too large"
                                                        : "more than one call may hold");
        return HTTP_TOO_LARGE;
    }
    /* curl takes a header that ends with the connection for a whole answer. */
    if (code == CURLE_OK && !a->head_done)
        code = CURLE_PARTIAL_FILE;
    if (code != CURLE_OK) {
        exchange_explain(h, url, code, failure);
        return failure->sent ? HTTP_AMBIGUOUS : HTTP_NOT_SENT;
    }
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    *ret = (struct http_response){.status = (int)status,
                                  .headers = a->headers,
                                  .n_headers = a->n_headers,
                                  .body = a->body ? a->body : "",
                                  .body_len = a->body_len};
    return HTTP_ANSWERED;
}

static enum http_outcome exchange(struct handle *h, struct op *op, const struct http_request *req,
                                  struct http_response *ret, struct http_failure *failure)
{
    enum http_outcome outcome = HTTP_ANSWERED;
    CURLcode code = CURLE_FAILED_INIT;

    h->starts = 0;
    h->resend_ok = req->resend_ok;
    *h->error = '\0';
    answer_init(&h->answer, op->arena, req->body_max ? req->body_max : HTTP_BODY_MAX);
    if (exchange_set_up(h, op, req) && curl_multi_add_handle(h->multi, h->easy) == CURLM_OK) {
        outcome = exchange_run(h, op, &code);
        /* Where the exchange is not over this closes its connection. */
        curl_multi_remove_handle(h->multi, h->easy);
    }
    failure->sent = h->starts > 0;
    if (outcome == HTTP_ANSWERED)
        return exchange_outcome(h, code, req->url, ret, failure);
    http_reason(failure, req->url, "%s",
                outcome == HTTP_CANCELLED ? "was not waited for" : "did not answer in time");
    return outcome;
}

enum http_outcome http_send(struct http_client *c, struct op *op, const struct http_request *req,
                            struct http_response *ret, struct http_failure *ret_failure)
{
    enum http_outcome outcome;
    struct handle *h;

    *ret_failure = (struct http_failure){0};
    if (!http_request_ok(req, ret_failure))
        return HTTP_NOT_SENT;
    if (op_cancelled(op) || clock_ms_left(op->deadline_ns) == 0) {
        snprintf(ret_failure->reason, sizeof(ret_failure->reason), "it was too late to ask");
        return op_cancelled(op) ? HTTP_CANCELLED : HTTP_DEADLINE;
    }
    h = client_take(c);
    if (!h) {
        snprintf(ret_failure->reason, sizeof(ret_failure->reason), "memory is short");
        return HTTP_NOT_SENT;
    }
    handle_end_unfit(h, c);
    outcome = exchange(h, op, req, ret, ret_failure);
    client_put(c, h);
    return outcome;
}

int64_t http_date(const char *text)
{
    return curl_getdate(text, NULL);
}
