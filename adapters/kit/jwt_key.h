/* What a token is signed with, as the files of jwt.h see it.
 */
#ifndef KIT_JWT_KEY_H
#define KIT_JWT_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "kit/jwt.h"

struct jwt_key {
    EVP_PKEY *private_key;
    X509 *certificate;      /* whose key it is; NULL: none */
    STACK_OF(X509) * above; /* what is in the file beside it, in its order; NULL: nothing */
};

#endif
