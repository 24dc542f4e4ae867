/* For tests: certificates made on the spot, and a client that speaks TLS. */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include "sp_client.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct identity {
    EVP_PKEY *key;
    X509 *cert;
    char cert_file[96], key_file[96];
};

static inline void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* A certificate and its key, in files; signed by itself where there is no issuer. */
static inline void make_identity(const char *folder, struct identity *id, const char *file,
                                 const char *common_name, const char *alt_names,
                                 const struct identity *issuer)
{
    static long serial;
    id->key = EVP_EC_gen("P-256");
    id->cert = X509_new();
    assert_non_null(id->key);
    X509_set_version(id->cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id->cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(id->cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id->cert), 3600);
    X509_set_pubkey(id->cert, id->key);
    X509_NAME *name = X509_get_subject_name(id->cert);
    const unsigned char *org = (const unsigned char *)"Isobar's tests";
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, org, -1, -1, 0);
    if (common_name)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                   -1, -1, 0);
    X509 *by = issuer ? issuer->cert : id->cert;
    X509_set_issuer_name(id->cert, X509_get_subject_name(by));
    if (!issuer)
        extend(id->cert, by, NID_basic_constraints, "critical,CA:TRUE");
    if (alt_names)
        extend(id->cert, by, NID_subject_alt_name, alt_names);
    assert_true(X509_sign(id->cert, issuer ? issuer->key : id->key, EVP_sha256()) > 0);
    snprintf(id->cert_file, sizeof(id->cert_file), "%s/%s.crt", folder, file);
    snprintf(id->key_file, sizeof(id->key_file), "%s/%s.key", folder, file);
    FILE *f = fopen(id->cert_file, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, id->cert), 1);
    fclose(f);
    f = fopen(id->key_file, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

static inline void drop_identity(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
    unlink(id->cert_file);
    unlink(id->key_file);
}

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

/* True where the handshake is done; TLS 1.3 tells a client only later that it was refused. */
static inline bool dial_tls(struct client *c, int port, const struct identity *id,
                            const struct identity *ca, int version)
{
    c->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(c->ctx, version);
    SSL_CTX_set_max_proto_version(c->ctx, version);
    if (version < TLS1_2_VERSION) /* what OpenSSL's own client would not even ask for */
        SSL_CTX_set_cipher_list(c->ctx, "DEFAULT@SECLEVEL=0");
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_load_verify_locations(c->ctx, ca->cert_file, NULL), 1);
    if (id) {
        assert_int_equal(SSL_CTX_use_certificate(c->ctx, id->cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(c->ctx, id->key), 1);
    }
    c->ssl = SSL_new(c->ctx);
    c->fd = dial_tcp(port);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set1_host(c->ssl, "localhost");
    return SSL_connect(c->ssl) == 1;
}

static inline void hang_up(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
    ERR_clear_error();
}

static inline size_t get_tls(struct client *c, uint8_t *data, size_t len)
{
    size_t at = 0, n;
    while (at < len && SSL_read_ex(c->ssl, data + at, len - at, &n) == 1)
        at += n;
    return at;
}

static inline bool put_tls(struct client *c, const uint8_t *data, size_t len)
{
    size_t n;
    return SSL_write_ex(c->ssl, data, len, &n) == 1 && n == len;
}

#endif
