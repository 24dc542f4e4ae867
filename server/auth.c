#include "auth.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar.h"
#include "secret.h"

static const char *const role_names[] = {"adapter", "reader", "operator", "admin"};

struct user {
    struct principal principal;
    bool has_token;
    uint8_t token_digest[SHA256_DIGEST_LENGTH];
};

struct auth {
    struct arena arena;
    size_t n;
    struct user *users;
};

static const struct principal local = {.name = "local", .role = ROLE_ADMIN};
static const struct principal anybody = {.name = "anybody", .role = ROLE_ADMIN};
/* Clean-up wants an administrator. */
static const struct principal gateway = {.name = "gateway", .role = ROLE_ADMIN, .is_gateway = true};

bool principal_may_register(const struct principal *p, const char *adapter)
{
    for (size_t i = 0; i < p->n_adapters; i++)
        if (strcmp(p->adapters[i], adapter) == 0 || strcmp(p->adapters[i], "*") == 0)
            return true;
    return false;
}

bool role_parse(const char *text, enum role *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(role_names); i++) {
        if (strcmp(text, role_names[i]) == 0) {
            *ret = (enum role)i;
            return true;
        }
    }
    return false;
}

const char *role_name(enum role role)
{
    return role_names[role];
}

/* The token in a file, as a digest. */
static bool read_token(const char *path, uint8_t digest[SHA256_DIGEST_LENGTH], char ret_why[256])
{
    char token[SECRET_MAX];
    bool ok = secret_read(path, token);
    if (ok)
        SHA256((const uint8_t *)token, strlen(token), digest);
    else
        snprintf(ret_why, 256, "cannot read a token from %s", path);
    OPENSSL_cleanse(token, sizeof(token));
    return ok;
}

static const char **copy_texts(struct arena *a, const char *const *from, size_t n)
{
    const char **copy = arena_array(a, n + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < n; i++)
        copy[i] = arena_strdup(a, from[i]);
    return copy;
}

struct auth *auth_new(const struct config *config, char ret_why[256])
{
    struct auth *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    arena_init(&a->arena, (size_t)1 << 20);
    a->n = config->n_users;
    a->users = arena_array(&a->arena, a->n + 1, sizeof(*a->users));
    for (size_t i = 0; a->users && i < a->n; i++) {
        const struct config_user *from = &config->users[i];
        struct user *u = &a->users[i];
        u->principal.name = arena_strdup(&a->arena, from->name);
        u->has_token = from->token_file != NULL;
        u->principal.ca = from->ca ? arena_strdup(&a->arena, from->ca) : NULL;
        u->principal.n_adapters = from->n_adapters;
        u->principal.adapters = copy_texts(&a->arena, from->adapters, from->n_adapters);
        if (!role_parse(from->role, &u->principal.role) ||
            (u->has_token && !read_token(from->token_file, u->token_digest, ret_why))) {
            auth_free(a);
            return NULL;
        }
    }
    if (!a->users || a->arena.exhausted) {
        snprintf(ret_why, 256, "out of memory");
        auth_free(a);
        return NULL;
    }
    return a;
}

void auth_free(struct auth *a)
{
    if (!a)
        return;
    arena_done(&a->arena);
    free(a);
}

const struct principal *auth_check(const struct auth *a, const struct peer *peer, const char *token)
{
    if (token[0]) {
        uint8_t digest[SHA256_DIGEST_LENGTH];
        SHA256((const uint8_t *)token, strlen(token), digest);
        for (size_t i = 0; i < a->n; i++)
            if (a->users[i].has_token &&
                CRYPTO_memcmp(digest, a->users[i].token_digest, sizeof(digest)) == 0)
                return &a->users[i].principal;
        if (registrar_gave(digest))
            return &gateway;
        /* A token that nobody has is a mistake, whoever shows it. */
        return a->n > 0 ? NULL : peer->local ? &local : &anybody;
    }
    if (peer->local)
        return &local;
    for (size_t i = 0; peer->tls_name && i < a->n; i++)
        if (strcmp(peer->tls_name, a->users[i].principal.name) == 0)
            return &a->users[i].principal;
    return a->n > 0 ? NULL : &anybody;
}
