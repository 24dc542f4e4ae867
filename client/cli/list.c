/* `isobar NOUN list`: all pages of a list, and the clouds that failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "field.h"
#include "isobar/result.h"
#include "output.h"
#include "say.h"
#include "session.h"

/* The most that the gateway puts in one answer. */
#define PAGE_MAX 1000U

struct list {
    struct cli *c;
    const ProtobufCMessageDescriptor *type; /* of the items */
    const ProtobufCMessage **items;
    size_t n, room;
    const pb_CloudResult **failed; /* one a cloud */
    size_t n_failed;
    const pb_Result *partial; /* of a page that lacks something */
};

static bool add_item(struct list *l, const ProtobufCMessage *item)
{
    if (l->n == l->room) {
        size_t room = l->room ? l->room * 2 : 256;
        const ProtobufCMessage **items =
            realloc(l->items, room * sizeof(*items)); /* pointers into the replies */
        if (!items) {
            return false;
        }
        l->items = items;
        l->room = room;
    }
    l->items[l->n++] = item;
    return true;
}

static bool add_failed(struct list *l, const pb_CloudResult *r)
{
    for (size_t i = 0; i < l->n_failed; i++) {
        if (strcmp(l->failed[i]->cloud, r->cloud) == 0) {
            return true; /* each page says it again */
        }
    }
    const pb_CloudResult **failed = realloc(l->failed, (l->n_failed + 1) * sizeof(*failed));
    if (!failed) {
        return false;
    }
    l->failed = failed;
    l->failed[l->n_failed++] = r;
    return true;
}

static bool take_page(struct list *l, const ProtobufCMessage *page)
{
    const ProtobufCFieldDescriptor *items = value_field_of(page->descriptor, l->type, true);
    const ProtobufCFieldDescriptor *clouds =
        value_field_of(page->descriptor, &pb_CloudResult_desc, true);
    uint32_t limit = l->c->args.options.limit;
    for (size_t i = 0, n = value_count(page, items); i < n && (!limit || l->n < limit); i++) {
        if (!add_item(l, value_message_at(page, items, i))) {
            return false;
        }
    }
    for (size_t i = 0, n = clouds ? value_count(page, clouds) : 0; i < n; i++) {
        const pb_CloudResult *r =
            (const pb_CloudResult *)(const void *)value_message_at(page, clouds, i);
        if (r->result && !result_is_success(r->result->code) && !add_failed(l, r)) {
            return false;
        }
    }
    return true;
}

/* The items of the response: the repeated message that has a view. */
static const ProtobufCMessageDescriptor *items_type(const ProtobufCMessageDescriptor *out)
{
    for (unsigned i = 0; i < out->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &out->fields[i];
        if (f->label == PROTOBUF_C_LABEL_REPEATED && f->type == PROTOBUF_C_TYPE_MESSAGE &&
            view_of(f->descriptor)) {
            return f->descriptor;
        }
    }
    return NULL;
}

static bool set_page(struct cli *c, ProtobufCMessage *req, const char *token, size_t so_far)
{
    uint32_t limit = c->args.options.limit;
    size_t left = limit ? limit - so_far : PAGE_MAX;
    char size[16], why[FIELD_WHY];
    snprintf(size, sizeof(size), "%zu", left < PAGE_MAX ? left : PAGE_MAX);
    return field_set(&c->arena, req, "page_size", size, false, why) &&
           field_set(&c->arena, req, "page_token", token, false, why);
}

/* Get the pages one after the other. The exit code of the one that failed, or EXIT_OK. */
static int get_pages(struct list *l)
{
    struct cli *c = l->c;
    const char *token = "";
    const char *word = c->args.n_words ? c->args.words[0] : NULL;
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, word);
    if (!req) {
        return EXIT_USAGE;
    }
    do {
        if (!set_page(c, req, token, l->n)) {
            return say_failure(c, "there is not enough memory");
        }
        const struct isobar_reply *reply =
            session_call(c, c->args.method.name, req, SESSION_READS, NULL);
        bool partial = reply && reply->result->code == RESULT_CODE_PARTIAL;
        if (!reply || !(partial || result_is_success(reply->result->code))) {
            return ask_result(c, NULL, reply);
        }
        if (partial) {
            l->partial = reply->result;
        } else {
            ask_result(c, NULL, reply); /* its warnings */
        }
        if (reply->message && !take_page(l, reply->message)) {
            return say_failure(c, "there is not enough memory");
        }
        const char *next = reply->message ? value_string(reply->message, "next_page_token") : "";
        if (*next && strcmp(next, token) == 0) {
            return say_failure(c, "the gateway gives the same page again and again");
        }
        token = next;
    } while (*token && !(c->args.options.limit && l->n >= c->args.options.limit));
    return EXIT_OK;
}

/* What is missing, and why. */
static int say_failed(const struct list *l)
{
    for (size_t i = 0; i < l->n_failed; i++) {
        say_result(l->c, l->failed[i]->cloud, l->failed[i]->result);
    }
    if (l->partial && !l->n_failed) {
        say_result(l->c, NULL, l->partial);
    }
    return l->partial || l->n_failed ? EXIT_PARTIAL : EXIT_OK;
}

/* What the state UNKNOWN means, for people. */
static void say_unknown(const struct list *l)
{
    size_t n = 0;
    for (size_t i = 0; l->type == &pb_Operation_desc && i < l->n; i++) {
        const pb_Operation *op = (const pb_Operation *)(const void *)l->items[i];
        n += op->state == OPERATION_STATE_UNKNOWN;
    }
    if (n && l->c->format <= FORMAT_WIDE) {
        say(l->c, "UNKNOWN: the cloud's answer was lost; the gateway is resolving %s",
            n == 1 ? "it" : "them");
    }
}

int run_list(struct cli *c)
{
    struct list l = {.c = c, .type = items_type(c->args.method.method->output)};
    int code = l.type ? get_pages(&l) : say_failure(c, "this list has no items");
    if (code == EXIT_OK) {
        output_list(c, l.type, l.items, l.n);
        if (l.n == 0 && c->out_is_tty && c->format <= FORMAT_WIDE) {
            say(c, "there are none");
        }
        int written = output_flush(c); /* before what is said about it */
        say_unknown(&l);
        code = say_failed(&l);
        code = written == EXIT_OK ? code : written;
    }
    free(l.items);
    free(l.failed);
    return code;
}
