/* TLS for connections to a gateway, of clients and of gateways that call others.
 *
 * TLS 1.2 and 1.3; the gateway's certificate and its name are always checked. Sockets are
 * non-blocking, and a write never raises SIGPIPE.
 */
#ifndef ISOBAR_TLS_H
#define ISOBAR_TLS_H

#include <sys/types.h>

#include "isobar/base.h"

struct tls_client;  /* certificates and the name to expect; read only once made */
struct tls_session; /* one connection; one thread at a time */

struct tls_files {
    const char *ca;   /* PEM; NULL: the system's */
    const char *cert; /* PEM chain; NULL: none */
    const char *key;  /* PEM; NULL: in cert */
    const char *name; /* DNS name or address in the gateway's certificate */
};

/* Read the files. NULL where that fails; `ret_why` names the file and says what. */
struct tls_client *tls_client_new(const struct tls_files *files, char ret_why[256]);
void tls_client_free(struct tls_client *c);

/* On a connected socket, which stays the caller's. NULL where memory is short. */
struct tls_session *tls_session_new(struct tls_client *c, int fd);
/* Says goodbye to the gateway, if it still can. NULL is allowed. */
void tls_session_free(struct tls_session *s);

/* 1: done. 0: not yet; wait for `ret_events` of poll(). -1: failed, and tls_session_why() says why.
 * The same of reads and writes, whose 1 stands for bytes in *ret_len; a read of no bytes is the
 * end. A write that was told to wait is to be repeated with the same bytes. */
int tls_session_handshake(struct tls_session *s, short *ret_events);
int tls_session_read(struct tls_session *s, void *data, size_t len, size_t *ret_len,
                     short *ret_events);
int tls_session_write(struct tls_session *s, const void *data, size_t len, size_t *ret_len,
                      short *ret_events);
const char *tls_session_why(const struct tls_session *s);

#endif
