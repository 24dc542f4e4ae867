/* Certificates for tests, made while they run: an authority, and what it signs. */
#ifndef TEST_CERTIFICATES_H
#define TEST_CERTIFICATES_H

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

static inline bool cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(cert, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

/* A certificate for a key; signed by itself where there is no authority. `san` as OpenSSL's
 * configuration writes it ("DNS:localhost"), NULL for an authority. */
static inline X509 *cert_new(EVP_PKEY *key, const char *name, const char *san,
                             const struct authority *by)
{
    static long serial = 1;
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 24L * 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(by ? by->cert : cert));
    bool ok = san ? cert_extend(cert, by->cert, NID_subject_alt_name, san)
                  : cert_extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    if (ok && X509_sign(cert, by ? by->key : key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

/* Write certificate and key into one file. */
static inline bool cert_write(const char *path, X509 *cert, EVP_PKEY *key)
{
    FILE *file = fopen(path, "w");
    bool ok = file && cert && PEM_write_X509(file, cert) == 1 &&
              PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
    return file && fclose(file) == 0 && ok;
}

/* An authority, whose certificate goes to a file. */
static inline bool authority_init(struct authority *a, const char *path)
{
    a->key = EVP_EC_gen("P-256");
    a->cert = cert_new(a->key, "test authority", NULL, NULL);
    return cert_write(path, a->cert, a->key);
}

static inline void authority_done(struct authority *a)
{
    X509_free(a->cert);
    EVP_PKEY_free(a->key);
}

/* A file with a certificate and its key. */
static inline bool authority_sign(const struct authority *a, const char *path, const char *name,
                                  const char *san)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = cert_new(key, name, san, a);
    bool ok = cert_write(path, cert, key);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

#endif
