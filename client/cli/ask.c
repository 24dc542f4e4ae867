#include "ask.h"

#include <string.h>

#include "field.h"
#include "request.h"
#include "say.h"

ProtobufCMessage *ask_request(struct cli *c, const ProtobufCMessageDescriptor *type,
                              const char *word)
{
    char why[REQUEST_WHY] = "no memory";
    ProtobufCMessage *m = request_new(&c->arena, type, c->args.flags, c->args.n_flags, why);
    if (!m) {
        say_usage(c, "%s", why);
        return NULL;
    }
    const char *field = c->args.command->field;
    if (word && !request_set_word(&c->arena, m, field, word)) {
        say_usage(c, "\"%s\" is not %s", word, c->args.command->word);
        return NULL;
    }
    bool is_list = field_at(type, "page_size") != NULL;
    char what[FIELD_WHY];
    if (c->context_cloud && !is_list && field_at(type, "cloud") && !*value_string(m, "cloud") &&
        !field_set(&c->arena, m, "cloud", c->context_cloud, false, what)) {
        say_usage(c, "cloud: %s", what);
        return NULL;
    }
    return m;
}

int ask_result(struct cli *c, const char *about, const struct isobar_reply *reply)
{
    if (!reply) {
        return EXIT_FAILED;
    }
    const pb_Result *r = reply->result;
    int code = say_result(c, about, r);
    /* Not known whether it was done; where the gateway has an operation, say_result() names it. */
    bool is_lost = r->retry && r->retry->class_ == RETRY_CLASS_AFTER_LOOKUP && !*r->operation_id;
    bool is_change =
        c->request_id && strncmp(reply->request_id, c->request_id, strlen(c->request_id)) == 0;
    if (is_lost && is_change) {
        say(c, "  to find it: isobar operation list --request-id %s", reply->request_id);
        say(c, "  the same command with --request-id %s is not done twice", c->request_id);
    }
    return code;
}

const ProtobufCMessage *ask_item(const struct isobar_reply *reply)
{
    const ProtobufCMessage *m = reply ? reply->message : NULL;
    for (unsigned i = 0; m && i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        if (f->type == PROTOBUF_C_TYPE_MESSAGE && f->label != PROTOBUF_C_LABEL_REPEATED) {
            return value_message_at(m, f, 0);
        }
    }
    return NULL;
}
