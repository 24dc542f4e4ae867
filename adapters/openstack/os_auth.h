/* Keystone v3: credentials into a token and the catalogue that goes with it. */
#ifndef OS_AUTH_H
#define OS_AUTH_H

#include "os.h"

/* The body of POST /v3/auth/tokens, with the secret in it: to be wiped. False where memory is
 * short. Pure. */
bool os_build_login(const struct os_config *c, struct buf *out) MUST_USE;

/* What Keystone answers, besides the token itself, which is in a header. */
struct os_login {
    struct {
        const char *issued_at, *expires_at;
        struct {
            const char *id, *name;
        } project;
        struct shape_list catalog; /* struct os_catalog_service */
    } token;
};
extern const struct shape os_login_shape;

/* Seconds that the token lives, by the cloud's own clock; 0 where it does not say. Pure. */
int64_t os_login_lifetime(const struct os_login *l);
/* What goes with the token; NULL where memory is short. Pure. */
struct os_session *os_session_new(const struct os_config *c, const struct os_login *l);
void os_session_free(void *session);

extern const struct token_cache_ops os_token_ops; /* ctx: the adapter */
extern const struct sender_ops os_login_ops;      /* ctx: the adapter */
extern const struct sender_ops os_sender_ops;     /* ctx: the adapter; in os_send.c */

#endif
