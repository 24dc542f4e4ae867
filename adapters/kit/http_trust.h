/* The certificates that a client trusts, read once for all of its connections. curl reads them for
 * each handle anew: with Debian's list that is 25 ms and 1 MB for each thread.
 */
#ifndef ISOBAR_KIT_HTTP_TRUST_H
#define ISOBAR_KIT_HTTP_TRUST_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "isobar/base.h"

struct trust {
    char *ca_file; /* PEM bundle, owned; NULL: what OpenSSL has for the system */
    pthread_mutex_t lock;
    X509_STORE *store; /* NULL until the first connection needs it */
};

void trust_init(struct trust *t, char *take_ca_file);
void trust_done(struct trust *t);
/* Have connections of the context verified by it; false where the file cannot be read. Any thread.
 */
bool trust_apply(struct trust *t, SSL_CTX *ctx) MUST_USE;

#endif
