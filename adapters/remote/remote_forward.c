/* Handing on any method by its descriptor. */
#include <string.h>

#include "isobar/message.h"
#include "isobar/result.h"
#include "remote.h"

/* Pages of a list; a gateway that has more has no end. */
#define PAGES_MAX 1000

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *m, const char *name,
                                                ProtobufCType type)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);

    return f && f->type == type ? f : NULL;
}

static bool is_set(const ProtobufCMessage *m, const char *name)
{
    const ProtobufCFieldDescriptor *f = field_of(m, name, PROTOBUF_C_TYPE_BOOL);

    return f && message_has(m, f);
}

/* The request with the cloud's name there; all that it refers to is shared. NULL where memory is
 * short. */
static ProtobufCMessage *readdress(struct adapter *a, struct op *op, const ProtobufCMessage *req)
{
    ProtobufCMessage *own = arena_memdup(op->arena, req, req->descriptor->sizeof_message);
    const ProtobufCFieldDescriptor *cloud = field_of(req, "cloud", PROTOBUF_C_TYPE_STRING);

    if (own && cloud)
        message_set_string(own, cloud, a->cloud);
    return own;
}

/* ---- lists ---- */

struct page {
    struct page *next;
    ProtobufCMessage **items;
    size_t n;
};

static pb_ResultCode merge_pages(struct op *op, const struct page *first, ProtobufCMessage *ret)
{
    size_t total = 0, at = 0;

    for (const struct page *p = first; p; p = p->next)
        total += p->n;
    ProtobufCMessage **all = arena_array(op->arena, total + 1, sizeof(ProtobufCMessage *));
    if (!all)
        return RESULT_CODE_INTERNAL_ERROR;
    for (const struct page *p = first; p; at += p->n, p = p->next)
        if (p->n)
            memcpy(all + at, p->items, p->n * sizeof(ProtobufCMessage *));
    message_set_list(ret, protobuf_c_message_descriptor_get_field(ret->descriptor, 1), all, total);
    return RESULT_CODE_OK;
}

static pb_ResultCode forward_list(struct adapter *a, struct op *op, const char *method,
                                  ProtobufCMessage *req, ProtobufCMessage *ret)
{
    const ProtobufCFieldDescriptor *page_token =
        field_of(req, "page_token", PROTOBUF_C_TYPE_STRING);
    const ProtobufCFieldDescriptor *next_token =
        field_of(ret, "next_page_token", PROTOBUF_C_TYPE_STRING);
    const ProtobufCFieldDescriptor *items =
        protobuf_c_message_descriptor_get_field(ret->descriptor, 1);
    struct page *first = NULL, **last = &first;
    char *token = arena_strdup(op->arena, "");

    for (int i = 0; i < PAGES_MAX; i++) {
        struct page *page = ARENA_NEW(op->arena, struct page);
        ProtobufCMessage *rsp = arena_message(op->arena, ret->descriptor);
        if (!page || !rsp)
            return RESULT_CODE_INTERNAL_ERROR;
        message_set_string(req, page_token, token);
        pb_ResultCode code =
            remote_ask(a, op, &(struct remote_question){.method = method, .req = req}, rsp);
        if (code != RESULT_CODE_OK)
            return code;
        page->items = message_list(rsp, items, &page->n);
        *last = page;
        last = &page->next;
        const char *next = message_string(rsp, next_token);
        if (!next[0])
            return merge_pages(op, first, ret);
        if (strcmp(next, token) == 0)
            break;
        token = arena_strdup(op->arena, next);
    }
    op->result->blame = BLAME_CLOUD;
    op_retry(op, RETRY_CLASS_NEVER, 0, RETRY_SCOPE_CLOUD);
    return op_fail(op, RESULT_CODE_UNAVAILABLE,
                   "the list of gateway %s does not end: narrow it down", sp_client_url(a->client));
}

/* ---- anything ---- */

/* The id of the machine that an answer is about, where it is about one. */
static const char *machine_of(const ProtobufCMessage *rsp)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(rsp->descriptor, 1);

    if (!f || f->descriptor != &pb_Vm_desc || f->label == PROTOBUF_C_LABEL_REPEATED)
        return "";
    const pb_Vm *vm = (const pb_Vm *)(const void *)message_sub(rsp, f);
    return vm ? vm->id : "";
}

pb_ResultCode remote_forward(struct adapter *a, struct op *op, const char *method,
                             const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    ProtobufCMessage *own = readdress(a, op, req);
    const ProtobufCFieldDescriptor *wait = field_of(req, "wait", PROTOBUF_C_TYPE_ENUM);
    const ProtobufCFieldDescriptor *size = field_of(req, "page_size", PROTOBUF_C_TYPE_UINT32);
    /* What may be waited for is an operation there too, and has the token of ours. */
    bool changes = wait && !is_set(req, "dry_run") && op->token[0];
    pb_ResultCode code;

    if (!own)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    if (size) {
        message_set_text(op->arena, own, size, "1000");
        return op_end(op, forward_list(a, op, method, own, ret));
    }
    /* The waiting is done here: by looking, which outlives this exchange and either gateway. */
    if (wait)
        memset((char *)own + wait->offset, 0, sizeof(int));
    code = remote_ask(
        a, op, &(struct remote_question){.method = method, .req = own, .changes = changes}, ret);
    if (changes && result_is_success(code) && op->note_id && machine_of(ret)[0])
        op->note_id(op, machine_of(ret));
    return op_end(op, code);
}
