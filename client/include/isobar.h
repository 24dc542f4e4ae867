/* libisobar: call the Isobar gateway from C.
 *
 *     struct isobar *c = isobar_connect(NULL, NULL, &err);
 *     ProtobufCService *vms = isobar_service(c, &isobar__v1__vm_service__descriptor);
 *     struct isobar_reply reply;
 *     isobar_call(c, "isobar.v1.VmService/GetVm", &req.base, NULL, &reply);
 *
 * A client may be used by many threads at once; each call blocks the thread that makes it. Calls of
 * several threads share one connection, which is made again by itself when it breaks. A call that
 * was under way then is sent again under its request id, at most three times and only by its
 * deadline; the gateway does what has one request id once. So a gateway that is killed and started
 * again in the midst of a call answers it all the same.
 *
 * Where no answer came, `side_effects` of the result is POSSIBLE. Then make the call again with the
 * reply's request id in the options, and the same request: what was done is not done twice, and the
 * answer is that of the first time. A call with another id, or none, is another machine.
 * OutcomeUnknown is the gateway's own word for a cloud that has not answered it: it finds out by
 * itself, and OperationService/WaitOperation with the result's operation id waits for that.
 *
 * After a fork(), a client is the parent's alone.
 */
#ifndef ISOBAR_H
#define ISOBAR_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isobar/v1/adapter.pb-c.h"
#include "isobar/v1/cloud.pb-c.h"
#include "isobar/v1/envelope.pb-c.h"
#include "isobar/v1/flavor.pb-c.h"
#include "isobar/v1/image.pb-c.h"
#include "isobar/v1/keypair.pb-c.h"
#include "isobar/v1/network.pb-c.h"
#include "isobar/v1/operation.pb-c.h"
#include "isobar/v1/region.pb-c.h"
#include "isobar/v1/result.pb-c.h"
#include "isobar/v1/security_group.pb-c.h"
#include "isobar/v1/vm.pb-c.h"

#ifdef __cplusplus
extern "C" {
#endif

struct isobar; /* a client */

struct isobar_options {
    const char *token;     /* who calls; NULL: the connection says */
    const char *ca_file;   /* tls+tcp://: PEM bundle that the gateway's certificate must be of;
                              NULL: the system's */
    const char *cert_file; /* tls+tcp://: our own certificate (mTLS), PEM; NULL: none */
    const char *key_file;  /* its key, PEM; NULL: in cert_file */
    /* tls+tcp://: the name or address in the gateway's certificate; NULL: the URL's */
    const char *server_name;
    uint32_t timeout_ms; /* of a call that says none; 0: 60,000 */
};

/* Why a client could not be had, in one sentence. */
struct isobar_error {
    char text[256];
};

/* A client for the gateway at `url` (ipc://, tcp://, tls+tcp://, inproc://); NULL:
 * isobar_default_url(). The port is 7461 where it says none. The connection is made by the first
 * call, which is where a gateway that is not there shows. `options` and `ret_error` may be NULL;
 * the options are copied. NULL where it fails. */
struct isobar *isobar_connect(const char *url, const struct isobar_options *options,
                              struct isobar_error *ret_error);
/* No call is under way any more. NULL is allowed. */
void isobar_close(struct isobar *c);

/* Where the gateway listens by default: $ISOBAR_SERVER, or the local socket. Static storage. */
const char *isobar_default_url(void);

struct isobar_call_options {
    uint32_t timeout_ms;     /* 0: the client's */
    const char *request_id;  /* NULL: one is made, and used again for every repetition */
    const char *traceparent; /* W3C Trace Context; NULL: none */
    /* The connection broke during the call, and it is sent again; `why` is a sentence without its
     * dot. On the thread that calls; it must not call this client. NULL: nobody is told. */
    void (*on_repeat)(void *data, const char *why);
    void *data; /* for it */
};

/* What came of a call; free with isobar_reply_done(). */
struct isobar_reply {
    Isobar__V1__Result *result; /* never NULL after isobar_call() returned */
    ProtobufCMessage *message;  /* the typed response; NULL where there is none */
    char request_id[64];        /* that the call had */
};

/* Call a method ("isobar.v1.VmService/CreateVm") and wait for its reply. Fills `ret` in whatever
 * comes: where the gateway cannot be reached the result is Unavailable, where the time is over
 * DeadlineExceeded, where the reply cannot be read (or is over 32 MiB) InternalError, all made
 * here; `side_effects` tells whether the call may have been done all the same. Returns whether the
 * result is a success (OK, Created, Deleted, Changed or Accepted). `options` may be NULL. */
bool isobar_call(struct isobar *c, const char *method, const ProtobufCMessage *request,
                 const struct isobar_call_options *options, struct isobar_reply *ret);
void isobar_reply_done(struct isobar_reply *r);

/* A service of the gateway for protobuf-c's own stubs, as in
 *     isobar__v1__vm_service__get_vm(service, &request, closure, data);
 * The stub blocks and calls the closure before it returns: with the response, which lives as long
 * as the closure runs, or with NULL where there is none; then isobar_last_result() says why. Owned
 * by the client, and as thread-safe as it. */
ProtobufCService *isobar_service(struct isobar *c, const ProtobufCServiceDescriptor *service);
/* The result of the last call that this thread made through a service; valid till its next. NULL
 * before the first. */
const Isobar__V1__Result *isobar_last_result(void);

/* The name of a code: "NotFound". Its title, and its HTTP status. */
const char *isobar_code_name(Isobar__V1__ResultCode code);
const char *isobar_code_title(Isobar__V1__ResultCode code);
int isobar_code_http_status(Isobar__V1__ResultCode code);

/* "0.1.0" */
const char *isobar_version(void);

#ifdef __cplusplus
}
#endif

#endif
