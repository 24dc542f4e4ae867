/* A private key with its certificate from PEM or PKCS#12: the first half of jwt.h. */
#include "jwt_key.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(char why[160], const char *words)
{
    snprintf(why, 160, "%s", words);
    return false;
}

/* Whether an error of the queue, which has one or several, has this reason. */
static bool has_failed_by(int lib, int reason)
{
    unsigned long e;
    bool found = false;
    while ((e = ERR_get_error()) != 0)
        found = found || ((lib == 0 || ERR_GET_LIB(e) == lib) && ERR_GET_REASON(e) == reason);
    return found;
}

/* ---- PEM ---- */

/* OpenSSL would ask the terminal otherwise. */
struct pem_password {
    const char *text; /* NULL: there is none */
    bool wanted;
};

static int give_password(char *to, int size, int writing, void *ctx)
{
    (void)writing;
    struct pem_password *p = ctx;
    size_t len = p->text == NULL ? 0 : strlen(p->text);
    p->wanted = true;
    if (len == 0 || len > (size_t)size)
        return -1;
    memcpy(to, p->text, len);
    return (int)len;
}

static bool read_pem_key(struct jwt_key *k, BIO *in, bool has_private_key, const char *password,
                         char why[160])
{
    struct pem_password p = {.text = password};
    k->private_key = PEM_read_bio_PrivateKey(in, NULL, give_password, &p);
    if (k->private_key != NULL)
        return true;
    if (p.wanted)
        return fail(why, password == NULL || password[0] == '\0'
                             ? "its private key is encrypted, and there is no password"
                             : "its private key is encrypted, with another password");
    return fail(why,
                has_private_key ? "its private key is broken" : "there is no private key in it");
}

/* All certificates; the one that has our key is taken out. */
static bool read_pem_certificates(struct jwt_key *k, BIO *in, char why[160])
{
    k->above = sk_X509_new_null();
    X509 *c;
    while (k->above != NULL && (c = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        if (k->certificate == NULL && X509_check_private_key(c, k->private_key) == 1) {
            k->certificate = c;
        } else if (sk_X509_push(k->above, c) == 0) {
            X509_free(c);
            return fail(why, "memory is short");
        }
    }
    if (k->above == NULL)
        return fail(why, "memory is short");
    if (!has_failed_by(ERR_LIB_PEM, PEM_R_NO_START_LINE))
        return fail(why, "a certificate in it is broken");
    if (k->certificate == NULL && sk_X509_num(k->above) > 0)
        return fail(why, "none of its certificates belongs to its private key");
    return true;
}

static bool read_pem(struct jwt_key *k, const char *data, int len, const char *password,
                     char why[160])
{
    static const char words[] = "PRIVATE KEY-----";
    bool has_private_key = memmem(data, (size_t)len, words, strlen(words)) != NULL;
    BIO *keys = BIO_new_mem_buf(data, len), *certificates = BIO_new_mem_buf(data, len);
    bool ok = keys != NULL && certificates != NULL
                  ? read_pem_key(k, keys, has_private_key, password, why)
                  : fail(why, "memory is short");
    ERR_clear_error();
    ok = ok && read_pem_certificates(k, certificates, why);
    BIO_free(keys);
    BIO_free(certificates);
    return ok;
}

/* ---- PKCS#12 ---- */

static bool read_pkcs12(struct jwt_key *k, const char *data, int len, const char *password,
                        char why[160])
{
    BIO *in = BIO_new_mem_buf(data, len);
    PKCS12 *file = in == NULL ? NULL : d2i_PKCS12_bio(in, NULL);
    BIO_free(in);
    if (file == NULL)
        return fail(why, "it is neither PEM nor PKCS#12");
    bool ok = PKCS12_parse(file, password, &k->private_key, &k->certificate, &k->above) == 1;
    bool is_open = ok || PKCS12_verify_mac(file, password, -1) == 1 ||
                   (password == NULL && PKCS12_verify_mac(file, "", 0) == 1);
    PKCS12_free(file);
    if (ok && k->private_key == NULL)
        return fail(why, "there is no private key in it");
    if (ok && k->certificate == NULL)
        return fail(why, "there is no certificate of its private key in it");
    if (ok)
        return true;
    if (!is_open)
        return fail(why, password == NULL || password[0] == '\0'
                             ? "it is encrypted, and there is no password"
                             : "it is encrypted, with another password");
    return fail(why, has_failed_by(0, ERR_R_UNSUPPORTED)
                         ? "it is encrypted with a cipher that OpenSSL no longer takes: write it "
                           "anew with \"openssl pkcs12 -legacy\", or take PEM"
                         : "it is broken");
}

struct jwt_key *jwt_key_new(const char *data, size_t len, const char *password, char ret_why[160])
{
    struct jwt_key *k = calloc(1, sizeof(*k));
    static const char begin[] = "-----BEGIN";
    ERR_clear_error();
    bool ok = k != NULL && len <= INT_MAX
                  ? (memmem(data, len, begin, strlen(begin)) != NULL ? read_pem : read_pkcs12)(
                        k, data, (int)len, password, ret_why)
                  : fail(ret_why, "memory is short");
    if (ok && EVP_PKEY_get_base_id(k->private_key) != EVP_PKEY_RSA)
        ok = fail(ret_why, "its private key is not RSA");
    ERR_clear_error();
    if (ok)
        return k;
    jwt_key_free(k);
    return NULL;
}

void jwt_key_free(struct jwt_key *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->private_key);
    X509_free(k->certificate);
    sk_X509_pop_free(k->above, X509_free);
    free(k);
}

bool jwt_key_has_certificate(const struct jwt_key *k)
{
    return k->certificate != NULL;
}
