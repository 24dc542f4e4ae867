/* What the files registrar_*.c share. */
#ifndef ISOBAR_REGISTRAR_PRIVATE_H
#define ISOBAR_REGISTRAR_PRIVATE_H

#include <openssl/sha.h>
#include <pthread.h>

#include "connection.h"
#include "registrar.h"
#include "secret.h"
#include "sp_client.h"

/* An adapter of this gateway, as it is registered there. */
struct offer {
    struct offer *next;
    char *name, *version;
    uint8_t digest[SHA256_DIGEST_LENGTH]; /* of the registration in force */
    bool registered, wanted, refused;
    int64_t due_ns; /* when to renew it, or to try again */
    unsigned failures;
};

/* One gateway that we register with, and the way to it; copies of what the configuration says. */
struct parent {
    struct parent *next;
    struct registrar *registrar;
    char *gateway, *token_file, *ca, *cert, *key; /* NULL where it does not say */
    struct sp_client *client;
    char token[SECRET_MAX];
    struct offer *offers;
    int heartbeat_ms;
    pthread_t thread;
    bool leaving, left; /* these under the lock */
    int64_t leave_by_ns;
};

struct registrar {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    uint64_t looks; /* how often the clouds, or who leaves, may have changed */
    struct parent *parents;
};

/* ---- registrar_token.c ---- */

/* Make the token that others are to show us, once for this process; false where there is no chance
 * to be had. */
bool registrar_make_token(void);
/* It, after that. */
char *registrar_token(void);

/* ---- registrar_call.c ---- */

/* One call at the other gateway. The code; OUTCOME_UNKNOWN where it did not answer. `ret` is filled
 * in on success, the sentence of a failure goes to `ret_why`; both live in the arena. */
pb_ResultCode registrar_ask(struct parent *p, struct arena *a, const char *method,
                            const ProtobufCMessage *req, int64_t deadline_ns, ProtobufCMessage *ret,
                            const char **ret_why);

/* ---- registrar_offer.c ---- */

/* The id of an instance there: the same with each start, so that the record is replaced then, and
 * what was set for it stays. */
char *registrar_id(struct arena *a, const char *version);
/* The registration of one adapter with all of its clouds that are offered, as of this snapshot;
 * NULL where there is none, or no memory. */
pb_RegisterAdapterRequest *registrar_describe(const struct config_register *g, struct arena *a,
                                              const struct snapshot *s,
                                              const struct adapter_kind *kind, char *call_token);
/* Whether a cloud is among those for this gateway. */
bool registrar_offers_to(const struct config_register *g, const char *cloud);

#endif
