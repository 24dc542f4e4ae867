/* Replies: from the wire, or made here where none came. All memory is the C library's. */
#ifndef ISOBAR_CLIENT_REPLY_H
#define ISOBAR_CLIENT_REPLY_H

#include "isobar.h"
#include "isobar/base.h"
#include "transport.h"

/* The descriptor of a method ("isobar.v1.VmService/GetVm"), or NULL where it is not known here. */
const ProtobufCMethodDescriptor *method_find(const char *method);

/* Decode what came: a Reply and, where the method is known, its response. Rubbish becomes
 * InternalError. */
void reply_decode(struct isobar_reply *r, const char *method,
                  const ProtobufCMethodDescriptor *known, const uint8_t *data, size_t len);
/* What an exchange without a reply comes to. */
void reply_without(struct isobar_reply *r, enum outcome outcome, const struct exchange *x);
/* A call that was not even sent. */
void reply_refuse(struct isobar_reply *r, Isobar__V1__ResultCode code, const char *fmt, ...)
    PRINTF(3, 4);

#endif
