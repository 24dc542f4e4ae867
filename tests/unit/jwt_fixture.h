/* Keys, certificates and their files, made by OpenSSL, for tests of who signs with them. */
#ifndef ISOBAR_TESTS_JWT_FIXTURE_H
#define ISOBAR_TESTS_JWT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "isobar/base64.h"
#include "kit/jwt.h"

/* A key and a certificate that it has signed itself. */
struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
    X509 *c = X509_new();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    X509_set_pubkey(c, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    assert_true(X509_sign(c, key, EVP_sha256()) > 0);
    return c;
}

static struct identity make_identity(const char *name)
{
    struct identity i = {.key = EVP_RSA_gen(2048)};
    assert_non_null(i.key);
    i.certificate = make_certificate(i.key, name);
    return i;
}

static void end_identity(struct identity *i)
{
    EVP_PKEY_free(i->key);
    X509_free(i->certificate);
}

static void bio_into(struct buf *out, BIO *b)
{
    char *data = NULL;
    long len = BIO_get_mem_data(b, &data);
    assert_true(len > 0);
    assert_true(buf_add(out, data, (size_t)len));
    BIO_free(b);
}

/* Append a key; a NULL password: not encrypted. */
static void put_key(struct buf *out, EVP_PKEY *key, const char *password)
{
    BIO *b = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(b, key, password ? EVP_aes_256_cbc() : NULL,
                                                   password, password ? (int)strlen(password) : 0,
                                                   NULL, NULL),
                     1);
    bio_into(out, b);
}

static void put_certificate(struct buf *out, X509 *c)
{
    BIO *b = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(b, c), 1);
    bio_into(out, b);
}

/* Append PKCS#12; `above` may be NULL. */
UNUSED static void put_pkcs12(struct buf *out, EVP_PKEY *key, X509 *c, X509 *above,
                              const char *password)
{
    STACK_OF(X509) *more = sk_X509_new_null();
    if (above)
        sk_X509_push(more, above);
    PKCS12 *p = PKCS12_create(password, "name", key, c, more, 0, 0, 0, 0, 0);
    assert_non_null(p);
    BIO *b = BIO_new(BIO_s_mem());
    assert_int_equal(i2d_PKCS12_bio(b, p), 1);
    bio_into(out, b);
    PKCS12_free(p);
    sk_X509_free(more);
}

/* A part of a token, decoded, with a NUL behind it. */
static char *decode_part(const char *text, size_t len, size_t *ret_len)
{
    char *out = malloc(BASE64_ROOM(len) + 1);
    assert_true(base64_decode(text, len, (uint8_t *)out, ret_len));
    out[*ret_len] = '\0';
    return out;
}

/* Whether the last part of a token is a signature of what is before it. */
static bool is_signed(const char *jwt, EVP_PKEY *key, bool pss)
{
    const char *dot = strrchr(jwt, '.');
    size_t len = 0;
    char *signature = decode_part(dot + 1, strlen(dot + 1), &len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    assert_int_equal(EVP_DigestVerifyInit(ctx, &pkey, EVP_sha256(), NULL, key), 1);
    if (pss) {
        EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, 32);
        EVP_PKEY_CTX_set_rsa_mgf1_md(pkey, EVP_sha256());
    }
    bool ok = EVP_DigestVerify(ctx, (unsigned char *)signature, len, (const unsigned char *)jwt,
                               (size_t)(dot - jwt)) == 1;
    EVP_MD_CTX_free(ctx);
    free(signature);
    return ok;
}

#endif
