/* JSON, as events and as messages. */
#include <string.h>

#include "fuzz.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "isobar/json.h"
#include "isobar/pb.h"
#include "isobar/pbjson.h"
#include "isobar/utf8.h"

#define CAP ((size_t)16 << 20)
#define WHY 160

struct watch {
    int depth;
    bool key; /* the event before was one */
};

/* Events make sense by themselves, whatever the text was. */
static bool on_event(void *ctx, const struct json_event *ev)
{
    struct watch *w = ctx;
    bool ends = ev->kind == JSON_OBJECT_END || ev->kind == JSON_ARRAY_END;
    MUST(!w->key || !ends);
    MUST(!w->key || ev->kind != JSON_KEY);
    w->key = ev->kind == JSON_KEY;
    w->depth += ev->kind == JSON_OBJECT_BEGIN || ev->kind == JSON_ARRAY_BEGIN;
    w->depth -= ends;
    MUST(w->depth >= 0 && w->depth <= JSON_DEPTH_MAX);
    if (ev->kind == JSON_STRING || ev->kind == JSON_KEY)
        MUST(utf8_is(ev->text, ev->len));
    return true;
}

static void check_why(const char *why)
{
    size_t len = strnlen(why, WHY);
    MUST(len > 0 && len < WHY && utf8_is(why, len));
}

/* Read what has been written, and write it once more: the same text. */
static void check_again(const ProtobufCMessageDescriptor *type, const struct buf *text,
                        const char *want)
{
    struct arena a;
    arena_init(&a, 4 * CAP);
    struct buf again;
    buf_init(&again, CAP);
    char why[WHY];
    ProtobufCMessage *m = pbjson_read(&a, type, text->data, text->len, why);
    if (!m)
        fprintf(stderr, "%s\n", why);
    MUST(m);
    MUST(pbjson_write(m, 0, &again));
    MUST(strcmp(buf_cstr(&again), want) == 0);
    buf_done(&again);
    arena_done(&a);
}

static void check_message(const ProtobufCMessageDescriptor *type, const char *json, size_t len)
{
    struct arena a;
    arena_init(&a, CAP);
    char why[WHY];
    ProtobufCMessage *m = pbjson_read(&a, type, json, len, why);
    if (m) {
        struct buf plain, other;
        buf_init(&plain, CAP);
        buf_init(&other, CAP);
        MUST(pbjson_write(m, 0, &plain));
        const char *want = buf_cstr(&plain);
        check_again(type, &plain, want);
        MUST(pbjson_write(m, PBJSON_PRETTY | PBJSON_DEFAULTS, &other));
        check_again(type, &other, want);
        buf_done(&other);
        buf_done(&plain);
    } else {
        check_why(why);
    }
    arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *json = (const char *)data;
    struct watch w = {0};
    char why[WHY];
    bool whole = json_parse(json, len, on_event, &w, why);
    if (!whole)
        check_why(why);
    MUST(!whole || w.depth == 0);
    check_message(&pb_CreateVmRequest_desc, json, len);
    check_message(&pb_Operation_desc, json, len);
    /* Of proto2, that refers to itself, and with floating point. */
    check_message(&google__protobuf__file_descriptor_proto__descriptor, json, len);
    return 0;
}
