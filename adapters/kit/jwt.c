#include "kit/jwt.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/base64.h"
#include "isobar/json.h"
#include "jwt_key.h"

static const struct {
    const char *name;
    int padding;
} algorithms[] = {
    [JWT_RS256] = {"RS256", RSA_PKCS1_PADDING},
    [JWT_PS256] = {"PS256", RSA_PKCS1_PSS_PADDING},
};

bool jwt_base64url(struct buf *out, const void *data, size_t len)
{
    size_t from = out->len;
    if (!base64_add(out, data, len))
        return false;
    while (out->len > from && out->data[out->len - 1] == '=')
        out->len--;
    for (size_t i = from; i < out->len; i++) {
        if (out->data[i] == '+')
            out->data[i] = '-';
        else if (out->data[i] == '/')
            out->data[i] = '_';
    }
    return true;
}

/* ---- The header ---- */

static void put_hash(struct json_writer *w, const char *name, const X509 *certificate,
                     const EVP_MD *md, struct buf *out)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 2 * sizeof(hash));
    if (X509_digest(certificate, md, hash, &len) == 1 && jwt_base64url(&text, hash, len))
        json_put_string(w, name, buf_cstr(&text));
    else
        out->failed = true;
}

/* Unlike all else in plain base64 (RFC 7515, section 4.1.6). */
static void put_certificate(struct json_writer *w, const X509 *certificate, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, SIZE_MAX);
    if (len > 0 && base64_add(&text, der, (size_t)len))
        json_put_stringn(w, NULL, text.data, text.len);
    else
        out->failed = true;
    OPENSSL_free(der);
}

static bool put_header(const struct jwt_key *k, enum jwt_algorithm algorithm, unsigned flags,
                       struct buf *out)
{
    struct json_writer *w CLEANUP(json_writer_freep) = json_writer_new(out, false);
    if (w == NULL)
        return false;
    json_begin_object(w, NULL);
    json_put_string(w, "alg", algorithms[algorithm].name);
    json_put_string(w, "typ", "JWT");
    if ((flags & JWT_X5T) != 0)
        put_hash(w, "x5t", k->certificate, EVP_sha1(), out);
    if ((flags & JWT_X5T_S256) != 0)
        put_hash(w, "x5t#S256", k->certificate, EVP_sha256(), out);
    if ((flags & JWT_X5C) != 0) {
        json_begin_array(w, "x5c");
        put_certificate(w, k->certificate, out);
        for (int i = 0; i < sk_X509_num(k->above); i++)
            put_certificate(w, sk_X509_value(k->above, i), out);
        json_end_array(w);
    }
    json_end_object(w);
    return !out->failed;
}

/* ---- The signature ---- */

static bool sign(EVP_MD_CTX *ctx, const struct jwt_key *k, int padding, const char *text,
                 size_t len, struct buf *out)
{
    EVP_PKEY_CTX *pkey = NULL; /* the context's */
    if (EVP_DigestSignInit(ctx, &pkey, EVP_sha256(), NULL, k->private_key) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(pkey, padding) != 1)
        return false;
    /* RFC 7518, section 3.5: the salt is as long as the hash. */
    if (padding == RSA_PKCS1_PSS_PADDING &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) != 1)
        return false;
    unsigned char signature[2048];
    size_t n = sizeof(signature);
    return EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text, len) == 1 &&
           jwt_base64url(out, signature, n);
}

bool jwt_signature(const struct jwt_key *k, enum jwt_algorithm algorithm, const char *text,
                   size_t len, struct buf *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && sign(ctx, k, algorithms[algorithm].padding, text, len, out);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool jwt_sign(const struct jwt_key *k, enum jwt_algorithm algorithm, unsigned flags,
              const char *claims, size_t len, struct buf *out)
{
    struct buf header CLEANUP(buf_done);
    buf_init(&header, SIZE_MAX);
    if ((flags != 0 && k->certificate == NULL) || !put_header(k, algorithm, flags, &header))
        return false;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, SIZE_MAX);
    if (!jwt_base64url(&text, header.data, header.len) || !buf_addc(&text, '.') ||
        !jwt_base64url(&text, claims, len))
        return false;
    return buf_add(out, text.data, text.len) && buf_addc(out, '.') &&
           jwt_signature(k, algorithm, text.data, text.len, out);
}
