#include "http_trust.h"

#include <openssl/err.h>
#include <stdlib.h>

void trust_init(struct trust *t, char *take_ca_file)
{
    *t = (struct trust){.ca_file = take_ca_file};
    pthread_mutex_init(&t->lock, NULL);
}

void trust_done(struct trust *t)
{
    X509_STORE_free(t->store);
    pthread_mutex_destroy(&t->lock);
    free(t->ca_file);
}

static X509_STORE *trust_load(const char *ca_file)
{
    X509_STORE *store = X509_STORE_new();

    /* As curl has it: an intermediate certificate in the file is trusted by itself. */
    if (store && X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
        (ca_file ? X509_STORE_load_file(store, ca_file) : X509_STORE_set_default_paths(store)) == 1)
        return store;
    X509_STORE_free(store);
    ERR_clear_error();
    return NULL;
}

bool trust_apply(struct trust *t, SSL_CTX *ctx)
{
    pthread_mutex_lock(&t->lock);
    if (!t->store)
        t->store = trust_load(t->ca_file);
    if (t->store)
        SSL_CTX_set1_cert_store(ctx, t->store);
    pthread_mutex_unlock(&t->lock);
    return t->store != NULL;
}
