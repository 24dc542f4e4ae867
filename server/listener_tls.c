#include "listener_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls_link {
    SSL *ssl;
    char *peer_name;
};

/* What OpenSSL says went wrong. */
static void explain(const char *file, char ret_why[LISTENER_CAUSE_MAX])
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    int system_errno = ERR_SYSTEM_ERROR(ERR_peek_error()) ? ERR_GET_REASON(ERR_peek_error()) : 0;
    snprintf(ret_why, LISTENER_CAUSE_MAX, "%.80s: %.56s", file,
             system_errno ? strerror(system_errno)
             : reason     ? reason
                          : "cannot be used");
    ERR_clear_error();
}

static bool load(SSL_CTX *ctx, const struct listener_tls *files, char ret_why[LISTENER_CAUSE_MAX])
{
    ERR_clear_error();
    const char *at = files->cert_file;
    bool ok = SSL_CTX_use_certificate_chain_file(ctx, at) == 1;
    if (ok)
        ok = SSL_CTX_use_PrivateKey_file(ctx, at = files->key_file, SSL_FILETYPE_PEM) == 1;
    if (ok)
        ok = SSL_CTX_check_private_key(ctx) == 1;
    if (ok && files->ca_file) {
        at = files->ca_file;
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(at);
        ok = names && SSL_CTX_load_verify_locations(ctx, at, NULL) == 1;
        if (names)
            SSL_CTX_set_client_CA_list(ctx, names);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (!ok)
        explain(at, ret_why);
    return ok;
}

struct tls_server *tls_server_new(const struct listener_tls *files,
                                  char ret_why[LISTENER_CAUSE_MAX])
{
    static const unsigned char session_context[] = "isobar";
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) {
        explain("TLS", ret_why);
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    /* Messages carry their length, so a connection that ends without TLS's own goodbye is no
     * truncation. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    /* Tickets hold the session; with client certificates they must be bound to us. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1);
    if (load(ctx, files, ret_why))
        return (struct tls_server *)ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

void tls_server_free(struct tls_server *s)
{
    SSL_CTX_free((SSL_CTX *)s);
}

struct tls_link *tls_link_new(struct tls_server *s, int fd)
{
    struct tls_link *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->ssl = SSL_new((SSL_CTX *)s);
    if (!t->ssl || SSL_set_fd(t->ssl, fd) != 1) {
        tls_link_free(t);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(t->ssl);
    return t;
}

void tls_link_free(struct tls_link *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t->peer_name);
    free(t);
}

int tls_link_handshake(struct tls_link *t, bool *ret_wants_out)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(t->ssl);
    if (rc == 1)
        return 1;
    int e = SSL_get_error(t->ssl, rc);
    *ret_wants_out = e == SSL_ERROR_WANT_WRITE;
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return 0;
    ERR_clear_error();
    return -1;
}

/* What a call that moved no bytes means. */
static ssize_t no_bytes(struct tls_link *t, bool *ret_wants_out)
{
    int e = SSL_get_error(t->ssl, 0);
    if (e == SSL_ERROR_ZERO_RETURN)
        return 0;
    *ret_wants_out = e == SSL_ERROR_WANT_WRITE;
    errno = e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    ERR_clear_error();
    return -1;
}

ssize_t tls_link_read(struct tls_link *t, void *data, size_t len, bool *ret_wants_out)
{
    size_t n;
    ERR_clear_error();
    if (SSL_read_ex(t->ssl, data, len, &n) == 1)
        return (ssize_t)n;
    return no_bytes(t, ret_wants_out);
}

ssize_t tls_link_write(struct tls_link *t, const void *data, size_t len)
{
    size_t n;
    bool wants_out;
    ERR_clear_error();
    if (SSL_write_ex(t->ssl, data, len, &n) == 1)
        return (ssize_t)n;
    ssize_t rc = no_bytes(t, &wants_out);
    if (rc == 0) /* the other side has closed */
        errno = ECONNRESET;
    return -1;
}

void tls_link_shutdown(struct tls_link *t)
{
    ERR_clear_error();
    if (!SSL_in_init(t->ssl))
        SSL_shutdown(t->ssl);
    ERR_clear_error();
}

/* A name with a NUL in it is an attempt to be taken for another. */
static char *copy_name(const ASN1_STRING *s)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, s);
    char *copy = NULL;
    if (len > 0 && strlen((char *)utf8) == (size_t)len)
        copy = strdup((char *)utf8);
    OPENSSL_free(utf8);
    return copy;
}

static char *common_name(const X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int last = -1;
    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
        last = i;
    if (last < 0)
        return NULL;
    return copy_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
}

static char *dns_name(const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    char *name = NULL;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && !name; i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        if (n->type == GEN_DNS)
            name = copy_name(n->d.dNSName);
    }
    GENERAL_NAMES_free(names);
    return name;
}

const char *tls_link_peer_name(struct tls_link *t)
{
    const X509 *cert = SSL_get0_peer_certificate(t->ssl);
    if (t->peer_name || !cert || SSL_get_verify_result(t->ssl) != X509_V_OK)
        return t->peer_name;
    t->peer_name = common_name(cert);
    if (!t->peer_name)
        t->peer_name = dns_name(cert);
    return t->peer_name;
}
