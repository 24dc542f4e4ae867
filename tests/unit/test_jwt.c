/* Tokens that are signed with the key of a certificate: held against RFC 7515 and OpenSSL. */
#include "alloc_fail.h"
#include "jwt_fixture.h"

static struct identity mine, other;

static int make_identities(void **state)
{
    (void)state;
    mine = make_identity("mine");
    other = make_identity("other");
    return 0;
}

static int end_identities(void **state)
{
    (void)state;
    end_identity(&mine);
    end_identity(&other);
    return 0;
}

static struct jwt_key *open_key(const struct buf *file, const char *password)
{
    char why[160] = "";
    struct jwt_key *k = jwt_key_new(file->data ? file->data : "", file->len, password, why);
    if (!k)
        fail_msg("%s", why);
    return k;
}

static void assert_refused(const struct buf *file, const char *password, const char *words)
{
    char why[160] = "";
    assert_null(jwt_key_new(file->data ? file->data : "", file->len, password, why));
    assert_string_equal(why, words);
}

static BIGNUM *number(const char *text)
{
    size_t len = 0;
    char *bytes = decode_part(text, strlen(text), &len);
    BIGNUM *n = BN_bin2bn((unsigned char *)bytes, (int)len, NULL);
    free(bytes);
    return n;
}

/* The key of appendix A.2: what is not written here follows from the rest. */
static EVP_PKEY *key_of_the_rfc(void)
{
    BIGNUM *n = number("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPC"
                       "JrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soM"
                       "Zo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2C"
                       "apHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NA"
                       "co9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ");
    BIGNUM *p = number("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3K"
                       "hooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJ"
                       "TBgIPgtldC-KDV5z-y2XDwGUc");
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *e = number("AQAB"), *q = BN_new(), *rest = BN_new(), *p1 = BN_dup(p), *q1,
           *phi = BN_new();
    assert_true(BN_div(q, rest, n, p, ctx) && BN_is_zero(rest));
    q1 = BN_dup(q);
    BN_sub_word(p1, 1);
    BN_sub_word(q1, 1);
    BN_mul(phi, p1, q1, ctx);
    BIGNUM *d = BN_mod_inverse(NULL, e, phi, ctx), *dp = BN_new(), *dq = BN_new();
    BN_mod(dp, d, p1, ctx);
    BN_mod(dq, d, q1, ctx);
    BIGNUM *qi = BN_mod_inverse(NULL, q, p, ctx);
    const struct {
        const char *name;
        BIGNUM *value;
    } rows[] = {{OSSL_PKEY_PARAM_RSA_N, n},          {OSSL_PKEY_PARAM_RSA_E, e},
                {OSSL_PKEY_PARAM_RSA_D, d},          {OSSL_PKEY_PARAM_RSA_FACTOR1, p},
                {OSSL_PKEY_PARAM_RSA_FACTOR2, q},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, dp},
                {OSSL_PKEY_PARAM_RSA_EXPONENT2, dq}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qi}};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        OSSL_PARAM_BLD_push_BN(build, rows[i].name, rows[i].value);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *pkey = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_fromdata_init(pkey), 1);
    assert_int_equal(EVP_PKEY_fromdata(pkey, &key, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_CTX_free(pkey);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        BN_free(rows[i].value);
    BN_free(rest);
    BN_free(p1);
    BN_free(q1);
    BN_free(phi);
    BN_CTX_free(ctx);
    return key;
}

static void the_rfcs_own_example(void **state)
{
    static const char claims[] = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                                 "\"http://example.com/is_root\":true}";
    EVP_PKEY *key = key_of_the_rfc();
    struct buf file CLEANUP(buf_wipe), text CLEANUP(buf_done), out CLEANUP(buf_done);

    (void)state;
    buf_init(&file, 1 << 16);
    buf_init(&text, 1 << 16);
    buf_init(&out, 1 << 16);
    put_key(&file, key, NULL);
    struct jwt_key *k = open_key(&file, NULL);
    assert_false(jwt_key_has_certificate(k));
    assert_true(jwt_base64url(&text, "{\"alg\":\"RS256\"}", 15));
    assert_true(buf_addc(&text, '.'));
    assert_true(jwt_base64url(&text, claims, strlen(claims)));
    assert_string_equal(buf_cstr(&text),
                        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0"
                        "dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
    assert_true(jwt_signature(k, JWT_RS256, text.data, text.len, &out));
    assert_string_equal(
        buf_cstr(&out),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F"
        "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
        "MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY"
        "I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
    /* Without a certificate there is nothing to say of it. */
    assert_false(jwt_sign(k, JWT_RS256, JWT_X5T, claims, strlen(claims), &out));
    jwt_key_free(k);
    EVP_PKEY_free(key);
}

/* Sign "{}" and return the token in `out`, its header in the result. */
static char *sign(const struct jwt_key *k, enum jwt_algorithm a, unsigned flags, struct buf *out)
{
    size_t len;
    buf_reset(out);
    assert_true(jwt_sign(k, a, flags, "{\"iss\":\"me\"}", 12, out));
    const char *jwt = buf_cstr(out);
    const char *dot = strchr(jwt, '.');
    assert_int_equal(strncmp(dot + 1, "eyJpc3MiOiJtZSJ9.", 17), 0);
    return decode_part(jwt, (size_t)(dot - jwt), &len);
}

static void put_whole_file(struct buf *file)
{
    put_certificate(file, other.certificate);
    put_certificate(file, mine.certificate);
    put_key(file, mine.key, NULL);
}

static void both_algorithms_verify(void **state)
{
    struct buf file CLEANUP(buf_wipe), out CLEANUP(buf_done);

    (void)state;
    buf_init(&file, 1 << 16);
    buf_init(&out, 1 << 16);
    put_whole_file(&file);
    struct jwt_key *k = open_key(&file, NULL);
    assert_true(jwt_key_has_certificate(k));
    char *header = sign(k, JWT_RS256, 0, &out);
    assert_string_equal(header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
    assert_true(is_signed(buf_cstr(&out), mine.key, false));
    assert_false(is_signed(buf_cstr(&out), mine.key, true));
    assert_false(is_signed(buf_cstr(&out), other.key, false));
    free(header);
    header = sign(k, JWT_PS256, 0, &out);
    assert_string_equal(header, "{\"alg\":\"PS256\",\"typ\":\"JWT\"}");
    assert_true(is_signed(buf_cstr(&out), mine.key, true));
    assert_false(is_signed(buf_cstr(&out), mine.key, false));
    free(header);
    jwt_key_free(k);
}

/* "name":"BASE64URL(hash)" */
static char *hash_field(const char *name, const EVP_MD *md)
{
    static char field[128];
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 256);
    X509_digest(mine.certificate, md, hash, &len);
    assert_true(jwt_base64url(&text, hash, len));
    snprintf(field, sizeof(field), "\"%s\":\"%s\"", name, buf_cstr(&text));
    return field;
}

static void der_in_base64(struct buf *out, X509 *c)
{
    unsigned char *der = NULL;
    int len = i2d_X509(c, &der);
    assert_true(base64_add(out, der, (size_t)len));
    OPENSSL_free(der);
}

static void the_header_names_the_certificate(void **state)
{
    struct buf file CLEANUP(buf_wipe), out CLEANUP(buf_done), chain CLEANUP(buf_done);

    (void)state;
    buf_init(&file, 1 << 16);
    buf_init(&out, 1 << 16);
    buf_init(&chain, 1 << 16);
    put_whole_file(&file);
    struct jwt_key *k = open_key(&file, NULL);
    char *header = sign(k, JWT_PS256, JWT_X5T | JWT_X5T_S256 | JWT_X5C, &out);
    assert_non_null(strstr(header, hash_field("x5t", EVP_sha1())));
    assert_non_null(strstr(header, hash_field("x5t#S256", EVP_sha256())));
    /* Ours comes first, wherever it is in the file; as it is, not in base64url. */
    buf_adds(&chain, "\"x5c\":[\"");
    der_in_base64(&chain, mine.certificate);
    buf_adds(&chain, "\",\"");
    der_in_base64(&chain, other.certificate);
    buf_adds(&chain, "\"]");
    char *plain = strstr(header, "\"x5c\"");
    assert_non_null(plain);
    /* The writer may escape slashes. */
    char *to = plain;
    for (const char *c = plain; *c; c++)
        if (*c != '\\')
            *to++ = *c;
    *to = '\0';
    assert_non_null(strstr(plain, buf_cstr(&chain)));
    free(header);
    jwt_key_free(k);
}

static void pem_files(void **state)
{
    struct buf f CLEANUP(buf_wipe);

    (void)state;
    buf_init(&f, 1 << 16);
    buf_adds(&f, "Bag Attributes\n    friendlyName: x\n");
    put_key(&f, mine.key, "pass word");
    put_certificate(&f, mine.certificate);
    jwt_key_free(open_key(&f, "pass word"));
    assert_refused(&f, NULL, "its private key is encrypted, and there is no password");
    assert_refused(&f, "", "its private key is encrypted, and there is no password");
    assert_refused(&f, "wrong", "its private key is encrypted, with another password");

    buf_reset(&f);
    put_certificate(&f, mine.certificate);
    assert_refused(&f, NULL, "there is no private key in it");
    put_key(&f, other.key, NULL);
    assert_refused(&f, NULL, "none of its certificates belongs to its private key");

    buf_reset(&f);
    put_key(&f, mine.key, NULL);
    f.data[100] = '!';
    assert_refused(&f, NULL, "its private key is broken");
    buf_reset(&f);
    put_key(&f, mine.key, NULL);
    put_certificate(&f, mine.certificate);
    f.data[f.len - 100] = '!';
    assert_refused(&f, NULL, "a certificate in it is broken");

    EVP_PKEY *ec = EVP_EC_gen("P-256");
    buf_reset(&f);
    put_key(&f, ec, NULL);
    assert_refused(&f, NULL, "its private key is not RSA");
    EVP_PKEY_free(ec);
}

static void pkcs12_files(void **state)
{
    struct buf f CLEANUP(buf_wipe), out CLEANUP(buf_done);

    (void)state;
    buf_init(&f, 1 << 16);
    buf_init(&out, 1 << 16);
    put_pkcs12(&f, mine.key, mine.certificate, other.certificate, "geheim");
    struct jwt_key *k = open_key(&f, "geheim");
    char *header = sign(k, JWT_RS256, JWT_X5T | JWT_X5C, &out);
    assert_non_null(strstr(header, hash_field("x5t", EVP_sha1())));
    /* The other one is in it too. */
    assert_non_null(strstr(header, "\",\""));
    assert_true(is_signed(buf_cstr(&out), mine.key, false));
    free(header);
    jwt_key_free(k);
    assert_refused(&f, "wrong", "it is encrypted, with another password");
    assert_refused(&f, NULL, "it is encrypted, and there is no password");

    buf_reset(&f);
    put_pkcs12(&f, mine.key, mine.certificate, NULL, "");
    jwt_key_free(open_key(&f, ""));
    jwt_key_free(open_key(&f, NULL));
    buf_reset(&f);
    put_pkcs12(&f, NULL, mine.certificate, NULL, "x");
    assert_refused(&f, "x", "there is no private key in it");

    buf_reset(&f);
    assert_refused(&f, NULL, "it is neither PEM nor PKCS#12");
    buf_adds(&f, "0\x82\xff\xff nothing");
    assert_refused(&f, NULL, "it is neither PEM nor PKCS#12");
}

/* Whatever is cut off or broken is refused, or is a key all the same; nothing else happens. */
static void broken_files(void **state)
{
    struct buf pem CLEANUP(buf_wipe), p12 CLEANUP(buf_wipe);
    char why[160];

    (void)state;
    buf_init(&pem, 1 << 16);
    buf_init(&p12, 1 << 16);
    put_whole_file(&pem);
    put_pkcs12(&p12, mine.key, mine.certificate, other.certificate, NULL);
    for (size_t i = 0; i < 64; i++) {
        assert_null(jwt_key_new(p12.data, p12.len * i / 64, NULL, why));
        p12.data[p12.len * i / 64] ^= 0x20;
        jwt_key_free(jwt_key_new(p12.data, p12.len, NULL, why));
        p12.data[p12.len * i / 64] ^= 0x20;
        jwt_key_free(jwt_key_new(pem.data, pem.len * i / 64, NULL, why));
        pem.data[pem.len * i / 64] ^= 0x20;
        jwt_key_free(jwt_key_new(pem.data, pem.len, NULL, why));
        pem.data[pem.len * i / 64] ^= 0x20;
    }
    jwt_key_free(open_key(&pem, NULL));
    jwt_key_free(open_key(&p12, NULL));
}

static void memory_that_is_short(void **state)
{
    struct buf file CLEANUP(buf_wipe);
    unsigned failed = 1, n;

    (void)state;
    buf_init(&file, 1 << 16);
    put_whole_file(&file);
    for (n = 1; failed; n++) {
        char why[160] = "";
        struct buf out CLEANUP(buf_done);
        buf_init(&out, 1 << 16);
        alloc_fail_at(n);
        struct jwt_key *k = jwt_key_new(file.data, file.len, NULL, why);
        bool ok = k && jwt_sign(k, JWT_PS256, JWT_X5T_S256 | JWT_X5C, "{}", 2, &out);
        failed = alloc_fail_stop();
        assert_true(ok == !failed);
        jwt_key_free(k);
    }
    assert_true(n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_own_example),
        cmocka_unit_test(both_algorithms_verify),
        cmocka_unit_test(the_header_names_the_certificate),
        cmocka_unit_test(pem_files),
        cmocka_unit_test(pkcs12_files),
        cmocka_unit_test(broken_files),
        cmocka_unit_test(memory_that_is_short),
    };

    return cmocka_run_group_tests(tests, make_identities, end_identities);
}
