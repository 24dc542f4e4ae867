#include "target.h"

#include <string.h>

#include "ask.h"
#include "field.h"
#include "output.h"
#include "request.h"
#include "say.h"
#include "session.h"

/* The most machines in one call. */
#define BATCH_MAX 1000

static bool is_listed(const struct target *targets, size_t n, const struct target *t)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(targets[i].cloud, t->cloud) == 0 && strcmp(targets[i].id, t->id) == 0) {
            return true;
        }
    }
    return false;
}

size_t target_list(struct cli *c, struct target **ret)
{
    size_t n = 0;
    const char *cloud = args_value(&c->args, "cloud");
    struct target *targets = arena_array(&c->arena, c->args.n_words, sizeof(*targets));
    *ret = targets;
    for (size_t i = 0; i < c->args.n_words; i++) {
        char why[FIELD_WHY];
        ProtobufCMessage *req = arena_message(&c->arena, &pb_GetVmRequest_desc);
        if (!targets || !req || (cloud && !field_set(&c->arena, req, "cloud", cloud, false, why)) ||
            !request_set_word(&c->arena, req, "id", c->args.words[i])) {
            say_failure(c, "there is not enough memory");
            return 0;
        }
        struct target t = {
            .word = c->args.words[i],
            .cloud = value_string(req, "cloud"),
            .id = value_string(req, "id"),
        };
        if (!*t.cloud && c->context_cloud) {
            t.cloud = c->context_cloud;
        }
        if (!is_listed(targets, n, &t)) {
            targets[n++] = t;
        }
    }
    return n;
}

const pb_VmResult *target_result(struct cli *c, const struct target *target,
                                 const struct isobar_reply *reply)
{
    pb_VmResult *r = arena_message(&c->arena, &pb_VmResult_desc);
    if (r && reply) {
        const ProtobufCMessage *vm = ask_item(reply);
        r->id = arena_strdup(&c->arena, target->id);
        r->result = reply->result;
        if (vm && vm->descriptor == &pb_Vm_desc) {
            memcpy(&r->vm, &vm, sizeof(vm));
        }
    }
    return r;
}

/* One call for machines of one cloud; `members` are their places in `targets`. */
struct batch {
    struct cli *c;
    const char *method;
    ProtobufCMessage *req;
    unsigned kind;
};

static void batch_call(const struct batch *b, struct target *targets, const size_t *members,
                       size_t n)
{
    struct cli *c = b->c;
    char why[FIELD_WHY];
    ProtobufCMessage *req = b->req;
    bool good = field_set(&c->arena, req, "cloud", targets[members[0]].cloud, false, why);
    for (size_t i = 0; i < n && good; i++) {
        good = field_set(&c->arena, req, "ids", targets[members[i]].id, false, why);
    }
    const char *about =
        n == 1 ? targets[members[0]].word : arena_printf(&c->arena, "%zu machines", n);
    const struct isobar_reply *reply =
        good ? session_call(c, b->method, req, b->kind, about) : NULL;
    const ProtobufCFieldDescriptor *results =
        reply && reply->message
            ? value_field_of(reply->message->descriptor, &pb_VmResult_desc, true)
            : NULL;
    size_t got = results ? value_count(reply->message, results) : 0;
    for (size_t i = 0; i < n; i++) {
        struct target *t = &targets[members[i]];
        t->result = i < got ? (const pb_VmResult *)(const void *)value_message_at(reply->message,
                                                                                  results, i)
                            : target_result(c, t, reply);
    }
    if (got) {
        for (size_t i = 0; i < reply->result->n_warnings; i++) {
            say(c, "warning: %s", reply->result->warnings[i]);
        }
    }
}

/* A call for each cloud, and for each BATCH_MAX machines of it. `flags` of the command line go into
 * each request. */
static void batch_all(struct cli *c, struct target *targets, size_t n, const char *method,
                      const char *action, unsigned kind)
{
    struct symbol symbol;
    size_t *members = arena_array(&c->arena, n, sizeof(*members));
    bool *done = arena_array(&c->arena, n, sizeof(*done));
    if (!members || !done || !symbol_method(&c->arena, method, &symbol)) {
        return;
    }
    for (size_t first = 0; first < n; first++) {
        size_t k = 0;
        for (size_t i = first; i < n && k < BATCH_MAX; i++) {
            if (!done[i] && strcmp(targets[i].cloud, targets[first].cloud) == 0 && !done[first]) {
                members[k++] = i;
            }
        }
        for (size_t i = 0; i < k; i++) {
            done[members[i]] = true;
        }
        char why[FIELD_WHY];
        struct batch b = {.c = c, .method = method, .kind = kind};
        b.req = k ? ask_request(c, symbol.method->input, NULL) : NULL;
        if (b.req && (!action || field_set(&c->arena, b.req, "action", action, false, why))) {
            batch_call(&b, targets, members, k);
        }
    }
}

void target_get_status(struct cli *c, struct target *targets, size_t n)
{
    batch_all(c, targets, n, "VmService/BatchGetVmStatus", NULL, SESSION_READS);
}

void target_control(struct cli *c, struct target *targets, size_t n, const char *action,
                    unsigned kind)
{
    batch_all(c, targets, n, "VmService/BatchControlVms", action, kind);
}

int target_say(struct cli *c, const struct target *targets, size_t n)
{
    struct exit_count count = {0};
    for (size_t i = 0; i < n; i++) {
        const pb_VmResult *r = targets[i].result;
        enum exit_code code = EXIT_FAILED;
        if (r && r->result) {
            code = (enum exit_code)say_result(c, targets[i].word, r->result);
        } else {
            say(c, "isobar: %s: the gateway's answer lacks it", targets[i].word);
        }
        exit_count_add(&count, code);
    }
    return (int)exit_count_end(&count);
}

int target_print(struct cli *c, const struct target *targets, size_t n)
{
    const ProtobufCMessage **items = arena_array(&c->arena, n, sizeof(*items));
    size_t k = 0;
    for (size_t i = 0; items && i < n; i++) {
        if (targets[i].result) {
            items[k++] = &targets[i].result->base;
        }
    }
    if (items) {
        output_list(c, &pb_VmResult_desc, items, k);
    }
    int written = output_flush(c); /* before what is said about it */
    int code = target_say(c, targets, n);
    return written == EXIT_OK ? code : written;
}
