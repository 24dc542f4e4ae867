/* What others show when they call us. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "registrar_private.h"

#define TOKEN_LEN 32

/* What others show when they call us: one for this process. */
static struct {
    pthread_mutex_t lock;
    bool made;
    char text[2 * TOKEN_LEN + 1];
    uint8_t digest[SHA256_DIGEST_LENGTH];
} given = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool registrar_gave(const uint8_t digest[32])
{
    pthread_mutex_lock(&given.lock);
    bool same = given.made && CRYPTO_memcmp(digest, given.digest, sizeof(given.digest)) == 0;
    pthread_mutex_unlock(&given.lock);
    return same;
}

bool registrar_make_token(void)
{
    uint8_t bytes[TOKEN_LEN];
    bool ok = true;

    pthread_mutex_lock(&given.lock);
    if (!given.made) {
        ok = getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes);
        for (size_t i = 0; ok && i < sizeof(bytes); i++)
            snprintf(given.text + 2 * i, 3, "%02x", bytes[i]);
        SHA256((const uint8_t *)given.text, strlen(given.text), given.digest);
        given.made = ok;
        OPENSSL_cleanse(bytes, sizeof(bytes));
    }
    pthread_mutex_unlock(&given.lock);
    return ok;
}

char *registrar_token(void)
{
    return given.text;
}
