#include "isobar/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls_client {
    SSL_CTX *ctx;
    BIO_METHOD *sockets;
    char *name; /* for SNI; NULL where it is an address */
};

struct tls_session {
    SSL *ssl;
    char why[200];
};

/* OpenSSL's own socket BIO writes with write(), which raises SIGPIPE in a process that did nothing
 * about it; a library must not. */
static int bio_write(BIO *bio, const char *data, int len)
{
    BIO_clear_retry_flags(bio);
    int fd = (int)(intptr_t)BIO_get_data(bio);
    ssize_t n = send(fd, data, (size_t)len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)n;
}

static int bio_read(BIO *bio, char *data, int len)
{
    BIO_clear_retry_flags(bio);
    int fd = (int)(intptr_t)BIO_get_data(bio);
    ssize_t n = recv(fd, data, (size_t)len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *ptr)
{
    (void)bio, (void)number, (void)ptr;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_sockets(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (!m || BIO_meth_set_write(m, bio_write) != 1 || BIO_meth_set_read(m, bio_read) != 1 ||
        BIO_meth_set_ctrl(m, bio_ctrl) != 1) {
        BIO_meth_free(m);
        return NULL;
    }
    return m;
}

/* The newest reason in OpenSSL's queue for this thread, which it empties. */
static const char *reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = ERR_GET_LIB(code) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(code))
                                                        : ERR_reason_error_string(code);
    ERR_clear_error();
    return text ? text : "no reason given";
}

static bool load_files(SSL_CTX *ctx, const struct tls_files *files, char ret_why[256])
{
    if (files->ca ? SSL_CTX_load_verify_file(ctx, files->ca) != 1
                  : SSL_CTX_set_default_verify_paths(ctx) != 1) {
        snprintf(ret_why, 256, "cannot read the certificates of %.120s: %.80s",
                 files->ca ? files->ca : "the system", reason());
        return false;
    }
    if (!files->cert)
        return true;
    if (SSL_CTX_use_certificate_chain_file(ctx, files->cert) != 1) {
        snprintf(ret_why, 256, "cannot read the certificate in %.120s: %.80s", files->cert,
                 reason());
        return false;
    }
    const char *key = files->key ? files->key : files->cert;
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        snprintf(ret_why, 256, "cannot read the key in %.120s: %.80s", key, reason());
        return false;
    }
    return true;
}

/* Which name the certificate must have: an address is compared with its addresses. */
static bool expect_name(struct tls_client *c, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(c->ctx);
    unsigned char address[16];
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    c->name = strdup(name);
    return c->name && X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

struct tls_client *tls_client_new(const struct tls_files *files, char ret_why[256])
{
    ERR_clear_error();
    struct tls_client *c = calloc(1, sizeof *c);
    if (!c || !(c->ctx = SSL_CTX_new(TLS_client_method())) || !(c->sockets = bio_sockets()) ||
        SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1) {
        snprintf(ret_why, 256, "TLS cannot start: %s", reason());
        tls_client_free(c);
        return NULL;
    }
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    /* So that a read never waits for room to write. */
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(c->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!load_files(c->ctx, files, ret_why)) {
        tls_client_free(c);
        return NULL;
    }
    if (!expect_name(c, files->name)) {
        snprintf(ret_why, 256, "%.120s cannot be the name in a certificate", files->name);
        tls_client_free(c);
        return NULL;
    }
    return c;
}

void tls_client_free(struct tls_client *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ctx);
    BIO_meth_free(c->sockets);
    free(c->name);
    free(c);
}

struct tls_session *tls_session_new(struct tls_client *c, int fd)
{
    struct tls_session *s = calloc(1, sizeof *s);
    BIO *bio = BIO_new(c->sockets);
    if (!s || !bio || !(s->ssl = SSL_new(c->ctx))) {
        BIO_free(bio);
        free(s);
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    if (c->name && SSL_set_tlsext_host_name(s->ssl, c->name) != 1) {
        tls_session_free(s);
        return NULL;
    }
    SSL_set_connect_state(s->ssl);
    return s;
}

void tls_session_free(struct tls_session *s)
{
    if (!s)
        return;
    ERR_clear_error();
    if (!s->why[0] && SSL_is_init_finished(s->ssl))
        SSL_shutdown(s->ssl);
    SSL_free(s->ssl);
    ERR_clear_error();
    free(s);
}

/* What a call of OpenSSL that returned `code` means, in the terms of tls.h. */
static int outcome(struct tls_session *s, int code, short *ret_events)
{
    int error = SSL_get_error(s->ssl, code);
    int no = errno;
    switch (error) {
    case SSL_ERROR_NONE:
        return 1;
    case SSL_ERROR_WANT_READ:
        *ret_events = POLLIN;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        *ret_events = POLLOUT;
        return 0;
    default:
        break;
    }
    long verified = SSL_get_verify_result(s->ssl);
    if (verified != X509_V_OK)
        snprintf(s->why, sizeof s->why, "its certificate is not accepted: %s",
                 X509_verify_cert_error_string(verified));
    else if (error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0)
        snprintf(s->why, sizeof s->why, "it %s",
                 no == ECONNRESET ? "reset the connection" : "closed the connection");
    else
        snprintf(s->why, sizeof s->why, "TLS failed: %s", reason());
    ERR_clear_error();
    return -1;
}

int tls_session_handshake(struct tls_session *s, short *ret_events)
{
    ERR_clear_error();
    errno = 0;
    return outcome(s, SSL_do_handshake(s->ssl), ret_events);
}

int tls_session_read(struct tls_session *s, void *data, size_t len, size_t *ret_len,
                     short *ret_events)
{
    ERR_clear_error();
    errno = 0;
    int ok = SSL_read_ex(s->ssl, data, len, ret_len);
    if (!ok && SSL_get_error(s->ssl, ok) == SSL_ERROR_ZERO_RETURN) {
        *ret_len = 0;
        return 1;
    }
    return outcome(s, ok, ret_events);
}

int tls_session_write(struct tls_session *s, const void *data, size_t len, size_t *ret_len,
                      short *ret_events)
{
    ERR_clear_error();
    errno = 0;
    return outcome(s, SSL_write_ex(s->ssl, data, len, ret_len), ret_events);
}

const char *tls_session_why(const struct tls_session *s)
{
    return s->why;
}
