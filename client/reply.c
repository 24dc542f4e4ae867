#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/result.h"
#include "isobar/services.h"

static const struct service_row {
    const char *name;
    const ProtobufCServiceDescriptor *descriptor;
} services[] = {
#define ROW(full_name, descriptor) {full_name, &descriptor},
    ISOBAR_SERVICES(ROW)
#undef ROW
};

/* For who has no memory left even for the words. */
static char no_memory_words[] = "out of memory";
static pb_Result no_memory = {
    .base = PROTOBUF_C_MESSAGE_INIT(&pb_Result_desc),
    .code = RESULT_CODE_INTERNAL_ERROR,
    .detail = no_memory_words,
    .operation_id = (char *)(uintptr_t)protobuf_c_empty_string,
};

const ProtobufCMethodDescriptor *method_find(const char *method)
{
    const char *slash = strchr(method, '/');
    if (!slash)
        return NULL;
    size_t len = (size_t)(slash - method);
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (strncmp(services[i].name, method, len) == 0 && services[i].name[len] == '\0')
            return protobuf_c_service_descriptor_get_method_by_name(services[i].descriptor,
                                                                    slash + 1);
    return NULL;
}

/* By way of the wire from the arena to the C library's memory. */
static void take_result(struct isobar_reply *r, const pb_Result *from)
{
    size_t len = protobuf_c_message_get_packed_size(&from->base);
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    if (bytes) {
        protobuf_c_message_pack(&from->base, bytes);
        r->result = isobar__v1__result__unpack(NULL, len, bytes);
    }
    free(bytes);
}

static void make(struct isobar_reply *r, pb_ResultCode code, pb_SideEffects effects,
                 pb_RetryClass retry, const char *words)
{
    struct arena a;
    arena_init(&a, 64 << 10);
    pb_Result *result = result_new(&a);
    if (result) {
        result->blame = code == RESULT_CODE_INVALID_REQUEST ? BLAME_CALLER : BLAME_GATEWAY;
        result->side_effects = effects;
        result->retry = arena_message(&a, &pb_Retry_desc);
        if (result->retry)
            result->retry->class_ = retry;
        result_fail(&a, result, code, "%s", words);
        take_result(r, result);
    }
    arena_done(&a);
    if (!r->result)
        r->result = &no_memory;
}

void reply_refuse(struct isobar_reply *r, pb_ResultCode code, const char *fmt, ...)
{
    char words[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    make(r, code, SIDE_EFFECTS_NONE, RETRY_CLASS_NEVER, words);
}

/* The gateway has done, or is doing, what nobody here knows. */
static void make_unknown(struct isobar_reply *r, pb_ResultCode code, const char *words)
{
    make(r, code, SIDE_EFFECTS_POSSIBLE, RETRY_CLASS_AFTER_LOOKUP, words);
}

void reply_without(struct isobar_reply *r, enum outcome outcome, const struct exchange *x)
{
    switch (outcome) {
    case OUTCOME_TIMEOUT:
        if (x->sent)
            make_unknown(r, RESULT_CODE_DEADLINE_EXCEEDED, x->why);
        else
            make(r, RESULT_CODE_DEADLINE_EXCEEDED, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF,
                 x->why);
        return;
    case OUTCOME_UNREACHABLE:
        make(r, RESULT_CODE_UNAVAILABLE, SIDE_EFFECTS_NONE, RETRY_CLASS_AFTER_BACKOFF, x->why);
        return;
    case OUTCOME_LOST:
        make_unknown(r, RESULT_CODE_UNAVAILABLE, x->why);
        return;
    case OUTCOME_TOO_BIG:
    case OUTCOME_NO_MEMORY:
    case OUTCOME_REPLY:
        break;
    }
    make_unknown(r, RESULT_CODE_INTERNAL_ERROR, x->why);
}

void reply_decode(struct isobar_reply *r, const char *method,
                  const ProtobufCMethodDescriptor *known, const uint8_t *data, size_t len)
{
    char words[400];
    pb_Reply *reply = isobar__v1__reply__unpack(NULL, len, data);
    if (!reply || !reply->result) {
        snprintf(words, sizeof words,
                 "the gateway answered %.120s with %zu bytes that are not a Reply%s", method, len,
                 reply ? " with a result" : "");
        make_unknown(r, RESULT_CODE_INTERNAL_ERROR, words);
    } else {
        r->result = reply->result;
        reply->result = NULL;
        bool wanted = reply->body.len > 0 || result_is_success(r->result->code);
        if (known && wanted)
            r->message =
                protobuf_c_message_unpack(known->output, NULL, reply->body.len, reply->body.data);
        if (known && wanted && !r->message) {
            isobar__v1__result__free_unpacked(r->result, NULL);
            r->result = NULL;
            snprintf(words, sizeof words,
                     "the gateway answered %.120s with %zu bytes that are not a %.120s", method,
                     reply->body.len, known->output->name);
            make_unknown(r, RESULT_CODE_INTERNAL_ERROR, words);
        }
    }
    if (reply)
        isobar__v1__reply__free_unpacked(reply, NULL);
}

void isobar_reply_done(struct isobar_reply *r)
{
    if (r->result != &no_memory)
        isobar__v1__result__free_unpacked(r->result, NULL);
    if (r->message)
        protobuf_c_message_free_unpacked(r->message, NULL);
    *r = (struct isobar_reply){0};
}
