/* A client: its settings, its transport, and the call. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "isobar/tls.h"
#include "isobar/uuid.h"
#include "reply.h"
#include "transport.h"

#define DEFAULT_TIMEOUT_MS 60000

struct isobar {
    struct endpoint to;
    struct transport *transport;
    char *token;
    uint32_t timeout_ms;
    struct service_list services;
};

static bool init_tls(struct isobar *c, const struct isobar_options *o, char ret_why[256])
{
    if (!c->to.scheme->tls)
        return true;
    struct tls_files files = {
        .ca = o->ca_file,
        .cert = o->cert_file,
        .key = o->key_file,
        .name = o->server_name ? o->server_name : c->to.host,
    };
    c->to.tls = tls_client_new(&files, ret_why);
    return c->to.tls != NULL;
}

static bool init(struct isobar *c, const char *url, const struct isobar_options *o,
                 char ret_why[256])
{
    service_list_init(&c->services);
    c->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : DEFAULT_TIMEOUT_MS;
    if (!endpoint_init(&c->to, url, ret_why) || !init_tls(c, o, ret_why))
        return false;
    if (o->token && !(c->token = strdup(o->token))) {
        snprintf(ret_why, 256, "out of memory");
        return false;
    }
    c->transport = c->to.scheme->ops->open(&c->to, ret_why);
    return c->transport != NULL;
}

struct isobar *isobar_connect(const char *url, const struct isobar_options *options,
                              struct isobar_error *ret_error)
{
    static const struct isobar_options none;
    struct isobar_error unwanted;
    if (!ret_error)
        ret_error = &unwanted;
    struct isobar *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(ret_error->text, sizeof ret_error->text, "out of memory");
        return NULL;
    }
    if (init(c, url ? url : isobar_default_url(), options ? options : &none, ret_error->text))
        return c;
    isobar_close(c);
    return NULL;
}

void isobar_close(struct isobar *c)
{
    if (!c)
        return;
    if (c->transport)
        c->transport->ops->close(c->transport);
    endpoint_done(&c->to);
    service_list_done(&c->services);
    if (c->token)
        explicit_bzero(c->token, strlen(c->token));
    free(c->token);
    free(c);
}

struct service_list *client_services(struct isobar *c)
{
    return &c->services;
}

/* The text of a message is never written to. */
static char *text(const char *s)
{
    return (char *)(uintptr_t)(s ? s : protobuf_c_empty_string);
}

/* The packed Call, with room before it; NULL where memory is short. */
static uint8_t *pack(const struct isobar *c, const char *method, const ProtobufCMessage *request,
                     const struct isobar_call_options *o, const char *request_id, size_t *ret_len)
{
    size_t body_len = request ? protobuf_c_message_get_packed_size(request) : 0;
    uint8_t *body = malloc(body_len > 0 ? body_len : 1);
    if (!body)
        return NULL;
    if (request)
        protobuf_c_message_pack(request, body);
    pb_Call call;
    isobar__v1__call__init(&call);
    call.method = text(method);
    call.request_id = text(request_id);
    call.timeout_ms = o->timeout_ms;
    call.token = text(c->token);
    call.traceparent = text(o->traceparent);
    call.body = (ProtobufCBinaryData){.len = body_len, .data = body};
    *ret_len = protobuf_c_message_get_packed_size(&call.base);
    uint8_t *buffer = malloc(EXCHANGE_ROOM + *ret_len + EXCHANGE_TAIL);
    if (buffer)
        protobuf_c_message_pack(&call.base, buffer + EXCHANGE_ROOM);
    explicit_bzero(body, body_len);
    free(body);
    return buffer;
}

/* Of a field that is there twice the last one counts, for every reader of protobuf. */
void exchange_renew(struct exchange *x)
{
    enum { TAG_TIMEOUT_MS = 3 << 3 | PROTOBUF_C_WIRE_TYPE_VARINT };
    unsigned left = (unsigned)clock_ms_left(x->deadline_ns);
    uint8_t *at = x->data + x->call_len;
    *at++ = TAG_TIMEOUT_MS;
    for (left = left > 0 ? left : 1; left > 0x7F; left >>= 7)
        *at++ = (uint8_t)(left | 0x80);
    *at++ = (uint8_t)left;
    x->len = (size_t)(at - x->data);
}

static void exchange(struct isobar *c, const char *method, const ProtobufCMessage *request,
                     const struct isobar_call_options *o, struct isobar_reply *ret)
{
    const ProtobufCMethodDescriptor *known = method_find(method);
    if (known && request && strcmp(known->input->name, request->descriptor->name) != 0) {
        reply_refuse(ret, RESULT_CODE_INVALID_REQUEST, "%.120s takes a %.120s, not a %.120s",
                     method, known->input->name, request->descriptor->name);
        return;
    }
    struct exchange x = {
        .deadline_ns = clock_mono_ns() + o->timeout_ms * NS_PER_MS,
        .on_repeat = o->on_repeat,
        .repeat_data = o->data,
    };
    uint8_t *buffer = pack(c, method, request, o, ret->request_id, &x.len);
    if (!buffer) {
        reply_refuse(ret, RESULT_CODE_INTERNAL_ERROR, "out of memory");
        return;
    }
    x.data = buffer + EXCHANGE_ROOM;
    x.call_len = x.len;
    enum outcome outcome = c->transport->ops->exchange(c->transport, &x);
    /* It has the token, and what the request may hold of secrets. */
    explicit_bzero(x.data, x.len);
    free(buffer);
    if (outcome == OUTCOME_REPLY)
        reply_decode(ret, method, known, x.reply, x.reply_len);
    else
        reply_without(ret, outcome, &x);
    free(x.reply);
}

bool isobar_call(struct isobar *c, const char *method, const ProtobufCMessage *request,
                 const struct isobar_call_options *options, struct isobar_reply *ret)
{
    struct isobar_call_options o = {0};
    if (options)
        o = *options;
    if (o.timeout_ms == 0)
        o.timeout_ms = c->timeout_ms;
    *ret = (struct isobar_reply){0};
    const char *id = o.request_id ? o.request_id : "";
    size_t id_len = strnlen(id, sizeof ret->request_id);
    if (id_len == sizeof ret->request_id) {
        reply_refuse(ret, RESULT_CODE_INVALID_REQUEST, "the request id has more than %zu bytes",
                     sizeof ret->request_id - 1);
        return false;
    }
    if (id_len > 0)
        memcpy(ret->request_id, id, id_len);
    else
        uuid7(ret->request_id);
    exchange(c, method, request, &o, ret);
    return result_is_success(ret->result->code);
}
