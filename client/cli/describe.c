/* `isobar describe [NAME]`: the protocol, as the program has it, in the words of a .proto file. */
#include <stdio.h>
#include <string.h>

#include "run.h"
#include "say.h"

/* Names of types as they are written inside their own package. */
static const char *local(const char *name, const char *package)
{
    size_t len = strlen(package);
    return strncmp(name, package, len) == 0 && name[len] == '.' ? name + len + 1 : name;
}

static const char *type_name(const ProtobufCFieldDescriptor *f, const char *package)
{
    static const char *const names[] = {
        [PROTOBUF_C_TYPE_INT32] = "int32",       [PROTOBUF_C_TYPE_SINT32] = "sint32",
        [PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
        [PROTOBUF_C_TYPE_SINT64] = "sint64",     [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
        [PROTOBUF_C_TYPE_UINT32] = "uint32",     [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
        [PROTOBUF_C_TYPE_UINT64] = "uint64",     [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
        [PROTOBUF_C_TYPE_FLOAT] = "float",       [PROTOBUF_C_TYPE_DOUBLE] = "double",
        [PROTOBUF_C_TYPE_BOOL] = "bool",         [PROTOBUF_C_TYPE_STRING] = "string",
        [PROTOBUF_C_TYPE_BYTES] = "bytes",
    };
    if (f->type == PROTOBUF_C_TYPE_ENUM) {
        return local(((const ProtobufCEnumDescriptor *)f->descriptor)->name, package);
    }
    if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
        return local(((const ProtobufCMessageDescriptor *)f->descriptor)->name, package);
    }
    return names[f->type];
}

static void describe_field(struct buf *out, const ProtobufCFieldDescriptor *f, const char *package)
{
    buf_adds(out, "  ");
    if (symbol_is_map(f)) {
        const ProtobufCMessageDescriptor *entry = f->descriptor;
        buf_addf(out, "map<%s, %s>", type_name(&entry->fields[0], package),
                 type_name(&entry->fields[1], package));
    } else {
        /* A choice of one is what `optional` means. */
        buf_addf(out, "%s%s",
                 f->label == PROTOBUF_C_LABEL_REPEATED    ? "repeated "
                 : f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? "optional "
                                                          : "",
                 type_name(f, package));
    }
    buf_addf(out, " %s = %u;\n", f->name, f->id);
}

static void describe_message(struct buf *out, const ProtobufCMessageDescriptor *m)
{
    buf_addf(out, "message %s {\n", m->name);
    for (unsigned i = 0; i < m->n_fields; i++) {
        describe_field(out, &m->fields[i], m->package_name);
    }
    buf_adds(out, "}\n");
}

static void describe_enum(struct buf *out, const ProtobufCEnumDescriptor *e)
{
    buf_addf(out, "enum %s {\n", e->name);
    for (unsigned i = 0; i < e->n_values; i++) {
        buf_addf(out, "  %s = %d;\n", e->values[i].name, e->values[i].value);
    }
    buf_adds(out, "}\n");
}

static void describe_method(struct buf *out, const ProtobufCMethodDescriptor *m,
                            const char *package)
{
    buf_addf(out, "  rpc %s(%s) returns (%s);\n", m->name, local(m->input->name, package),
             local(m->output->name, package));
}

static void describe_symbol(struct buf *out, const struct symbol *s)
{
    switch (s->kind) {
    case SYMBOL_SERVICE:
    case SYMBOL_METHOD:
        buf_addf(out, "service %s {\n", s->service->name);
        for (unsigned i = 0; i < s->service->n_methods; i++) {
            if (!s->method || s->method == &s->service->methods[i]) {
                describe_method(out, &s->service->methods[i], s->service->package);
            }
        }
        buf_adds(out, "}\n");
        if (s->method) {
            buf_addc(out, '\n');
            describe_message(out, s->method->input);
            buf_addc(out, '\n');
            describe_message(out, s->method->output);
        }
        break;
    case SYMBOL_MESSAGE:
        describe_message(out, s->message);
        break;
    case SYMBOL_ENUM:
        describe_enum(out, s->enumeration);
        break;
    }
}

int run_describe(struct cli *c)
{
    if (c->args.n_words) {
        const char *name = c->args.words[0], *near;
        const struct symbol *s = symbol_find(&c->arena, name, -1, &near);
        if (!s) {
            return say_usage(c, "there is no \"%s\"%s%s%s", name, near ? "; did you mean " : "",
                             near ? near : "", near ? "?" : "");
        }
        describe_symbol(&c->out, s);
        return EXIT_OK;
    }
    size_t n;
    const struct symbol *all = symbol_all(&c->arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (all[i].kind == SYMBOL_METHOD) {
            buf_addf(&c->out, "%s\n", all[i].name);
        }
    }
    return EXIT_OK;
}
