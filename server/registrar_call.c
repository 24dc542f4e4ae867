/* A call of this gateway at one that it registers with. */
#include <openssl/crypto.h>
#include <string.h>

#include "isobar/clock.h"
#include "isobar/result.h"
#include "log.h"
#include "registrar_private.h"

#define SERVICE "isobar.v1.AdapterService/"

pb_ResultCode registrar_ask(struct parent *p, struct arena *a, const char *method,
                            const ProtobufCMessage *req, int64_t deadline_ns, ProtobufCMessage *ret,
                            const char **ret_why)
{
    pb_Call call = pb_Call_INIT;
    struct op op = {.arena = a, .deadline_ns = deadline_ns, .token = "", .request_id = ""};
    struct sp_reply reply;
    struct sp_failure failure;
    int left_ms = clock_ms_left(deadline_ns);

    *ret_why = "there is no memory";
    call.method = arena_printf(a, SERVICE "%s", method);
    call.token = p->token;
    call.timeout_ms = left_ms > 0 ? (uint32_t)left_ms : 1;
    call.body.len = protobuf_c_message_get_packed_size(req);
    call.body.data = arena_alloc(a, call.body.len + 1);
    if (!call.body.data)
        return RESULT_CODE_OUTCOME_UNKNOWN;
    protobuf_c_message_pack(req, call.body.data);
    enum sp_outcome outcome = sp_call(p->client, &op, &call, &reply, &failure);
    OPENSSL_cleanse(call.body.data, call.body.len);
    *ret_why =
        outcome == SP_ANSWERED ? "it answered what is no reply" : arena_strdup(a, failure.reason);
    pb_Reply *r = outcome == SP_ANSWERED
                      ? isobar__v1__reply__unpack(arena_allocator(a), reply.len, reply.data)
                      : NULL;
    if (!r || !r->result)
        return RESULT_CODE_OUTCOME_UNKNOWN;
    *ret_why = r->result->detail;
    if (!result_is_success(r->result->code))
        return r->result->code;
    for (size_t i = 0; i < r->result->n_warnings; i++)
        log_event(LOG_WARN, "registration", "gateway", sp_client_url(p->client), "detail",
                  r->result->warnings[i], NULL);
    ProtobufCMessage *body =
        protobuf_c_message_unpack(ret->descriptor, arena_allocator(a), r->body.len, r->body.data);
    if (!body)
        return RESULT_CODE_OUTCOME_UNKNOWN;
    memcpy(ret, body, ret->descriptor->sizeof_message);
    return r->result->code;
}
