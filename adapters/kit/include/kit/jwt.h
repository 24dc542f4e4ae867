/* JSON Web Tokens that are signed with an RSA key: how a client proves to an identity service that
 * it has the private key of a certificate (private_key_jwt).
 *
 * Source: RFC 7515, 7518 (RS256, PS256), 7523; "Microsoft identity platform application
 * authentication certificate credentials" for what Entra ID wants in the header.
 */
#ifndef ISOBAR_KIT_JWT_H
#define ISOBAR_KIT_JWT_H

#include "isobar/buf.h"

enum jwt_algorithm { JWT_RS256, JWT_PS256 };

/* What the header says of the certificate, in any combination. */
enum jwt_flags {
    JWT_X5T = 1,      /* its SHA-1 */
    JWT_X5T_S256 = 2, /* its SHA-256 */
    JWT_X5C = 4,      /* itself, and what certifies it */
};

/* A private key, its certificate and the certificates above that. Constant; any thread. */
struct jwt_key;

/* From the bytes of a file: PEM with a private key and certificates in any order, or PKCS#12. A PEM
 * file may be without certificates; then no flags may be used. `password` may be NULL; it is never
 * asked for. NULL where there is no such key, and `ret_why` says why, one clause. The bytes are
 * the caller's to wipe. */
struct jwt_key *jwt_key_new(const char *data, size_t len, const char *password,
                            char ret_why[160]) MUST_USE;
/* OpenSSL wipes the private key. NULL is allowed. */
void jwt_key_free(struct jwt_key *k);
bool jwt_key_has_certificate(const struct jwt_key *k);

/* Append header.claims.signature; `claims` is JSON. False where OpenSSL or the buffer refuses, or
 * the flags ask for a certificate that is not there. */
bool jwt_sign(const struct jwt_key *k, enum jwt_algorithm algorithm, unsigned flags,
              const char *claims, size_t len, struct buf *out) MUST_USE;
/* The last part of it alone: the signature of a text, in base64url. */
bool jwt_signature(const struct jwt_key *k, enum jwt_algorithm algorithm, const char *text,
                   size_t len, struct buf *out) MUST_USE;
/* Append in base64url without padding (RFC 7515, section 2). */
bool jwt_base64url(struct buf *out, const void *data, size_t len);

#endif
