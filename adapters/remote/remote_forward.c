/* Handing on any method by its descriptor. */
#include <string.h>

#include "isobar/message.h"
#include "isobar/result.h"
#include "remote.h"

/* Pages of a list; a gateway that has more has no end. */
#define PAGES_MAX 1000
/* A cloud that takes longer than a day is not waited for. */
#define SETTLE_MS_MAX (24 * 3600 * 1000)

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *m, const char *name,
                                                ProtobufCType type)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);

    return f && f->type == type ? f : NULL;
}

/* The request with the cloud's name there; all that it refers to is shared. NULL where memory is
 * short. */
static ProtobufCMessage *readdress(struct adapter *a, struct op *op, const ProtobufCMessage *req)
{
    ProtobufCMessage *own = arena_memdup(op->arena, req, req->descriptor->sizeof_message);
    const ProtobufCFieldDescriptor *cloud = field_of(req, "cloud", PROTOBUF_C_TYPE_STRING);

    if (own && cloud)
        message_set_string(own, cloud, (char *)(uintptr_t)group_cloud(a->group));
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
    struct remote_answer answer = {"", NULL};

    for (int i = 0; i < PAGES_MAX; i++) {
        struct page *page = ARENA_NEW(op->arena, struct page);
        ProtobufCMessage *rsp = arena_message(op->arena, ret->descriptor);
        if (!page || !rsp)
            return RESULT_CODE_INTERNAL_ERROR;
        message_set_string(req, page_token, token);
        pb_ResultCode code = remote_ask(
            a, op, &(struct remote_question){.method = method, .req = req}, rsp, &answer);
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
    return op_fail(op, RESULT_CODE_UNAVAILABLE, "the list of %s does not end: narrow it down",
                   answer.who);
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

/* How the cloud behind is, before anything is made there: what became of an order that is not
 * answered can only be found out by who knows. Whoever has registered has said it. */
static pb_ResultCode learn_traits(struct adapter *a, struct op *op)
{
    pb_GetCloudRequest req = pb_GetCloudRequest_INIT;
    pb_GetCloudResponse rsp = pb_GetCloudResponse_INIT;
    struct remote_answer answer;

    if (group_traits(a->group).known || !a->own)
        return RESULT_CODE_OK;
    req.cloud = (char *)(uintptr_t)group_cloud(a->group);
    pb_ResultCode code = remote_ask(a, op,
                                    &(struct remote_question){
                                        .method = "isobar.v1.CloudService/GetCloud",
                                        .req = &req.base,
                                    },
                                    &rsp.base, &answer);
    /* One that cannot say it is taken for the worst. */
    if (code == RESULT_CODE_NOT_SUPPORTED)
        return RESULT_CODE_OK;
    if (code != RESULT_CODE_OK)
        return code;
    const pb_CloudTraits *t = rsp.cloud ? rsp.cloud->traits : NULL;
    if (t)
        group_set_traits(a->group, (struct group_traits){.known = true,
                                                         .settle_ms = t->settle_ms < SETTLE_MS_MAX
                                                                          ? (int)t->settle_ms
                                                                          : SETTLE_MS_MAX,
                                                         .dedupes = t->dedupes});
    return RESULT_CODE_OK;
}

/* Which machine an action is on is noted before the order leaves, as adapter.h wants it: the other
 * side says it first, and the order then names the machine by its id. Deleted where there is
 * nothing to order any more. */
static pb_ResultCode note_machine(struct adapter *a, struct op *op, const char *method,
                                  ProtobufCMessage *own, ProtobufCMessage *ret)
{
    const ProtobufCFieldDescriptor *id = field_of(own, "id", PROTOBUF_C_TYPE_STRING);
    ProtobufCMessage *said = arena_message(op->arena, ret->descriptor);
    struct remote_answer answer;

    if (!said)
        return RESULT_CODE_INTERNAL_ERROR;
    pb_ResultCode code = remote_ask(
        a, op,
        &(struct remote_question){.method = method, .req = own, .changes = true, .name_only = true},
        said, &answer);
    if (code == RESULT_CODE_DELETED)
        memcpy(ret, said, ret->descriptor->sizeof_message);
    if (!result_is_success(code) || code == RESULT_CODE_DELETED)
        return code;
    if (!answer.noted || !answer.noted->native_id[0])
        return op_fail(op, RESULT_CODE_INTERNAL_ERROR,
                       "%s does not say which machine \"%s\" is: it must, before it changes any",
                       answer.who, message_string(own, id));
    if (answer.noted->maker[0] && op->note_maker)
        op->note_maker(op, answer.noted->maker);
    if (!op->note_id(op, answer.noted->native_id))
        return op_not_noted(op);
    message_set_string(own, id, answer.noted->native_id);
    return RESULT_CODE_OK;
}

static pb_ResultCode forward_step(struct adapter *a, struct op *op, const char *method,
                                  ProtobufCMessage *own, ProtobufCMessage *ret)
{
    const ProtobufCFieldDescriptor *wait = field_of(own, "wait", PROTOBUF_C_TYPE_ENUM);
    bool on_machine = wait && field_of(own, "id", PROTOBUF_C_TYPE_STRING);
    struct remote_answer answer = {"", NULL};
    pb_ResultCode code = learn_traits(a, op);

    if (result_is_success(code) && on_machine && op->note_id)
        code = note_machine(a, op, method, own, ret);
    if (!result_is_success(code) || code == RESULT_CODE_DELETED)
        return code;
    /* The waiting is done here: by looking, which outlives this exchange and either side. */
    if (wait)
        memset((char *)own + wait->offset, 0, sizeof(int));
    code =
        remote_ask(a, op, &(struct remote_question){.method = method, .req = own, .changes = true},
                   ret, &answer);
    op->touched |= answer.noted && answer.noted->touched;
    if (result_is_success(code) && op->note_id && !on_machine && machine_of(ret)[0])
        op->note_id(op, machine_of(ret));
    return code;
}

pb_ResultCode remote_forward(struct adapter *a, struct op *op, const char *method,
                             const ProtobufCMessage *req, ProtobufCMessage *ret)
{
    ProtobufCMessage *own = readdress(a, op, req);
    const ProtobufCFieldDescriptor *size = field_of(req, "page_size", PROTOBUF_C_TYPE_UINT32);
    const ProtobufCFieldDescriptor *dry = field_of(req, "dry_run", PROTOBUF_C_TYPE_BOOL);
    struct remote_answer answer;

    if (!own)
        return op_end(op, RESULT_CODE_INTERNAL_ERROR);
    if (size) {
        message_set_text(op->arena, own, size, "1000");
        return op_end(op, forward_list(a, op, method, own, ret));
    }
    /* What changes something has this field, and is a step of an operation where it is not set. */
    if (dry && !message_has(req, dry) && op->token[0])
        return op_end(op, forward_step(a, op, method, own, ret));
    return op_end(op, remote_ask(a, op, &(struct remote_question){.method = method, .req = own},
                                 ret, &answer));
}
