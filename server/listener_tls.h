/* TLS for the connections of listener_sp. The only file of the server that knows OpenSSL is behind
 * this header.
 *
 * TLS 1.2 and 1.3. With a CA file every client must show a certificate of that CA. Reads and writes
 * never block; they go to the socket directly, so SIGPIPE must be blocked on the thread.
 */
#ifndef ISOBAR_LISTENER_TLS_H
#define ISOBAR_LISTENER_TLS_H

#include <sys/types.h>

#include "listener.h"

struct tls_server; /* certificates; counted by its connections */
struct tls_link;   /* one connection; one thread at a time */

/* Read the certificates. NULL where that fails; `ret_why` names the file and says what. */
struct tls_server *tls_server_new(const struct listener_tls *files,
                                  char ret_why[LISTENER_CAUSE_MAX]);
void tls_server_free(struct tls_server *s);

/* A connection on a non-blocking socket, which stays the caller's. NULL where memory is short. */
struct tls_link *tls_link_new(struct tls_server *s, int fd);
/* NULL is allowed. */
void tls_link_free(struct tls_link *t);

/* Go on with the handshake: 1 done, 0 not yet, -1 failed. `ret_wants_out` is set where it waits for
 * room to write, here and below. */
int tls_link_handshake(struct tls_link *t, bool *ret_wants_out);
/* As read() and write(): -1 with errno EAGAIN where it would block, 0 where the client sends no
 * more. A write that would block is to be repeated with the same bytes at its beginning. */
ssize_t tls_link_read(struct tls_link *t, void *data, size_t len, bool *ret_wants_out);
ssize_t tls_link_write(struct tls_link *t, const void *data, size_t len);
/* Say that no more is sent. */
void tls_link_shutdown(struct tls_link *t);

/* The verified name of the client's certificate: the subject's most specific common name, else the
 * first DNS name of the alternative ones; NULL where it showed none. Lives as long as t. */
const char *tls_link_peer_name(struct tls_link *t);

#endif
