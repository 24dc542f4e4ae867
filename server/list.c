#include "list.h"

#include <fnmatch.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "isobar/message.h"
#include "isobar/result.h"

/* The fields of an item that order it. */
struct keys {
    const ProtobufCFieldDescriptor *cloud, *id, *name;
};

static struct keys keys_of(const ProtobufCMessageDescriptor *item)
{
    return (struct keys){protobuf_c_message_descriptor_get_field_by_name(item, "cloud"),
                         protobuf_c_message_descriptor_get_field_by_name(item, "id"),
                         protobuf_c_message_descriptor_get_field_by_name(item, "name")};
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct keys *k = ctx;
    const ProtobufCMessage *x = *(const ProtobufCMessage *const *)a;
    const ProtobufCMessage *y = *(const ProtobufCMessage *const *)b;
    int order = strcmp(message_string(x, k->cloud), message_string(y, k->cloud));
    if (order == 0)
        order = strcmp(message_string(x, k->name), message_string(y, k->name));
    return order ? order : strcmp(message_string(x, k->id), message_string(y, k->id));
}

/* ---- filters ---- */

static bool has_tag(const pb_Vm *vm, const pb_ListVmsRequest_TagsEntry *wanted)
{
    for (size_t i = 0; i < vm->n_tags; i++)
        if (strcmp(vm->tags[i]->key, wanted->key) == 0)
            return !wanted->value[0] || strcmp(vm->tags[i]->value, wanted->value) == 0;
    return false;
}

static bool vm_wanted(const pb_ListVmsRequest *req, const pb_Vm *vm)
{
    /* Some clouds list what is gone for a while; it is shown to who asks for it. */
    bool ok = req->n_states == 0 && vm->state != VM_STATE_DELETED;
    for (size_t i = 0; i < req->n_states; i++)
        ok |= req->states[i] == vm->state;
    for (size_t i = 0; ok && i < req->n_tags; i++)
        ok = has_tag(vm, req->tags[i]);
    bool named = req->n_ids == 0;
    for (size_t i = 0; i < req->n_ids; i++)
        named |= strcmp(req->ids[i], vm->id) == 0;
    return ok && named;
}

static bool flavor_wanted(const pb_ListFlavorsRequest *req, const pb_Flavor *f)
{
    return f->vcpus >= req->min_vcpus && f->memory_mib >= req->min_memory_mib;
}

static bool wanted(const struct method *m, const ProtobufCMessage *req,
                   const ProtobufCMessage *item, const struct keys *keys)
{
    const char *glob = message_string(req, m->in.name);
    if (glob[0] && fnmatch(glob, message_string(item, keys->name), 0) != 0)
        return false;
    if (req->descriptor == &pb_ListVmsRequest_desc)
        return vm_wanted((const pb_ListVmsRequest *)(const void *)req,
                         (const pb_Vm *)(const void *)item);
    if (req->descriptor == &pb_ListFlavorsRequest_desc)
        return flavor_wanted((const pb_ListFlavorsRequest *)(const void *)req,
                             (const pb_Flavor *)(const void *)item);
    return true;
}

void list_filter(struct arena *a, const struct method *m, const ProtobufCMessage *req,
                 ProtobufCMessage *rsp, const char *cloud)
{
    size_t n, kept = 0;
    ProtobufCMessage **items = message_list(rsp, m->out_first, &n);
    struct keys keys = keys_of(m->out_first->descriptor);
    char *name = arena_strdup(a, cloud);
    for (size_t i = 0; i < n; i++) {
        message_set_string(items[i], keys.cloud, name);
        if (wanted(m, req, items[i], &keys))
            items[kept++] = items[i];
    }
    if (kept)
        qsort_r(items, kept, sizeof(ProtobufCMessage *), compare, &keys);
    message_set_list(rsp, m->out_first, items, kept);
}

bool list_merge(struct arena *a, const struct method *m, ProtobufCMessage *into,
                ProtobufCMessage *const *from, size_t n)
{
    size_t total = 0, count;
    for (size_t i = 0; i < n; i++)
        if (from[i])
            total += message_count(from[i], m->out_first);
    ProtobufCMessage **all = arena_array(a, total + 1, sizeof(ProtobufCMessage *));
    if (!all)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (!from[i])
            continue;
        ProtobufCMessage **items = message_list(from[i], m->out_first, &count);
        if (count)
            memcpy(all + at, items, count * sizeof(ProtobufCMessage *));
        at += count;
    }
    struct keys keys = keys_of(m->out_first->descriptor);
    if (total)
        qsort_r(all, total, sizeof(ProtobufCMessage *), compare, &keys);
    message_set_list(into, m->out_first, all, total);
    return true;
}

/* ---- pages ---- */

/* The token is the three keys of the last item, each with its NUL, in base64. */
static char *token_make(struct arena *a, const ProtobufCMessage *last, const struct keys *keys)
{
    const char *parts[3] = {message_string(last, keys->cloud), message_string(last, keys->name),
                            message_string(last, keys->id)};
    size_t len = strlen(parts[0]) + strlen(parts[1]) + strlen(parts[2]) + 3;
    char *raw = arena_alloc(a, len);
    char *text = arena_alloc(a, (len + 2) / 3 * 4 + 1);
    if (!raw || !text)
        return NULL;
    char *at = raw;
    for (size_t i = 0; i < 3; i++)
        at = stpcpy(at, parts[i]) + 1;
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)raw, (int)len);
    return text;
}

/* The keys as an item of the list's own type, to compare with. */
static ProtobufCMessage *token_read(struct arena *a, const char *text,
                                    const ProtobufCMessageDescriptor *type, const struct keys *keys)
{
    size_t len = strlen(text);
    unsigned char *raw = arena_alloc(a, len / 4 * 3 + 4);
    ProtobufCMessage *item = arena_message(a, type);
    if (!raw || !item || len == 0 || len % 4 != 0 || len > 65536)
        return NULL;
    int n = EVP_DecodeBlock(raw, (const unsigned char *)text, (int)len);
    if (n < 3)
        return NULL;
    const ProtobufCFieldDescriptor *order[3] = {keys->cloud, keys->name, keys->id};
    char *at = (char *)raw, *end = at + n;
    for (size_t i = 0; i < 3; i++) {
        size_t part = strnlen(at, (size_t)(end - at));
        if (at + part == end)
            return NULL;
        message_set_string(item, order[i], at);
        at += part + 1;
    }
    return item;
}

/* The first item behind the token. */
static size_t first_after(ProtobufCMessage **items, size_t n, ProtobufCMessage *after,
                          struct keys *keys)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(&items[middle], &after, keys) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many of the items fit into so many bytes; at least one. */
static size_t fitting(ProtobufCMessage **items, size_t n, size_t bytes)
{
    size_t used = 0, i = 0;
    for (; i < n; i++) {
        used += protobuf_c_message_get_packed_size(items[i]) + 6;
        if (used > bytes && i > 0)
            break;
    }
    return i;
}

pb_ResultCode list_fail_token(struct arena *a, pb_Result *result)
{
    result_add_violation(a, result, "page_token", "is not a token of an earlier page");
    return result_fail(a, result, RESULT_CODE_BAD_REQUEST_DATA,
                       "page_token is not a token of an earlier page: begin again without");
}

pb_ResultCode list_page(struct arena *a, const struct method *m, const ProtobufCMessage *req,
                        ProtobufCMessage *rsp, size_t reply_max, pb_Result *result)
{
    struct keys keys = keys_of(m->out_first->descriptor);
    size_t n, first = 0;
    ProtobufCMessage **items = message_list(rsp, m->out_first, &n);
    const char *token = message_string(req, m->in.page_token);
    if (token[0]) {
        ProtobufCMessage *after = token_read(a, token, m->out_first->descriptor, &keys);
        if (!after)
            return list_fail_token(a, result);
        first = first_after(items, n, after, &keys);
    }
    size_t most = message_uint(req, m->in.page_size);
    if (most == 0 || most > LIST_PAGE_MAX)
        most = LIST_PAGE_MAX;
    size_t left = n - first;
    size_t page = fitting(items + first, left < most ? left : most, reply_max - reply_max / 8);
    message_set_list(rsp, m->out_first, items + first, page);
    const ProtobufCFieldDescriptor *next =
        protobuf_c_message_descriptor_get_field_by_name(rsp->descriptor, "next_page_token");
    if (page < left) {
        char *text = token_make(a, items[first + page - 1], &keys);
        if (text)
            message_set_string(rsp, next, text);
    }
    return RESULT_CODE_OK;
}
