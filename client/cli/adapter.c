/* `isobar adapter describe NAME`: a manifest as tables. */
#include <string.h>

#include "ask.h"
#include "field.h"
#include "output.h"
#include "say.h"
#include "session.h"

/* Where a value comes from when none is given. */
static const char *default_of(const pb_ManifestAttribute *a)
{
    return *a->default_value ? a->default_value : a->chosen ? "the only one" : "";
}

static const char *presence_word(pb_Presence p)
{
    switch (p) {
    case PRESENCE_MANDATORY:
        return "M";
    case PRESENCE_OPTIONAL:
        return "O";
    case PRESENCE_NOT_PRESENT:
        return "NP";
    default:
        return "?";
    }
}

/* "string", "int", ... as the common specification has it. */
static const char *attribute_type(const char *name)
{
    const ProtobufCFieldDescriptor *f = field_at(&pb_VmSpec_desc, name);
    switch (f ? f->type : PROTOBUF_C_TYPE_MESSAGE) {
    case PROTOBUF_C_TYPE_STRING:
        return f->label == PROTOBUF_C_LABEL_REPEATED ? "strings" : "string";
    case PROTOBUF_C_TYPE_BOOL:
        return "bool";
    case PROTOBUF_C_TYPE_BYTES:
        return "bytes";
    case PROTOBUF_C_TYPE_MESSAGE:
        return !f ? "?" : symbol_is_map(f) ? "map" : "list";
    default:
        return "int";
    }
}

static const char *with_allowed(struct cli *c, const char *description, char **allowed, size_t n)
{
    const char *text = description;
    for (size_t i = 0; i < n; i++) {
        const char *before = i ? "," : *text ? " One of" : "One of";
        text = arena_printf(&c->arena, "%s%s %s", text, before, allowed[i]);
    }
    return n ? arena_printf(&c->arena, "%s.", text) : text;
}

static void put_row(struct table *t, const char *const *cells, size_t n)
{
    table_add_row(t);
    for (size_t i = 0; i < n; i++) {
        table_set(t, i, cells[i], TABLE_PLAIN);
    }
}

static struct table *new_table(struct cli *c, const char *const *titles, size_t n)
{
    struct table *t = output_table(c);
    for (size_t i = 0; i < n; i++) {
        table_add_column(t, titles[i], i + 1 == n ? TABLE_WRAP : 0);
    }
    return t;
}

static void print_attributes(struct cli *c, const pb_Manifest *m)
{
    static const char *const titles[] = {"ATTRIBUTE", "TYPE", "PRESENCE", "DEFAULT", "DESCRIPTION"};
    CLEANUP(table_freep) struct table *t = new_table(c, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < m->n_attributes; i++) {
        const pb_ManifestAttribute *a = m->attributes[i];
        const char *cells[] = {
            a->name,
            attribute_type(a->name),
            presence_word(a->presence),
            default_of(a),
            with_allowed(c, a->description, a->allowed_values, a->n_allowed_values),
        };
        put_row(t, cells, ARRAY_LEN(cells));
    }
    output_take_table(c, t);
}

static void print_parameters(struct cli *c, const char *what, pb_ManifestParameter **items,
                             size_t n)
{
    static const char *const types[] = {
        [PARAMETER_TYPE_UNSPECIFIED] = "?",
        [PARAMETER_TYPE_STRING] = "string",
        [PARAMETER_TYPE_INTEGER] = "int",
        [PARAMETER_TYPE_BOOLEAN] = "bool",
    };
    const char *const titles[] = {what, "TYPE", "PRESENCE", "DEFAULT", "DESCRIPTION"};
    if (!n) {
        return;
    }
    CLEANUP(table_freep) struct table *t = new_table(c, titles, ARRAY_LEN(titles));
    for (size_t i = 0; i < n; i++) {
        const pb_ManifestParameter *p = items[i];
        const char *cells[] = {
            p->name,
            (size_t)p->type < ARRAY_LEN(types) ? types[p->type] : "?",
            p->required ? "M" : "O",
            p->default_value,
            with_allowed(c, p->description, p->allowed_values, p->n_allowed_values),
        };
        put_row(t, cells, ARRAY_LEN(cells));
    }
    buf_addc(&c->out, '\n');
    output_take_table(c, t);
}

static void print_manifest(struct cli *c, const pb_Adapter *a)
{
    const pb_Manifest *m = a->manifest;
    buf_addf(&c->out, "%s %s: %s\n", a->name, a->version, a->description);
    if (!m) {
        return;
    }
    buf_addc(&c->out, '\n');
    print_attributes(c, m);
    print_parameters(c, "PARAMETER", m->parameters, m->n_parameters);
    print_parameters(c, "SETTING", m->settings, m->n_settings);
    if (c->format == FORMAT_WIDE && m->n_methods) {
        buf_adds(&c->out, "\nMETHOD\n");
        for (size_t i = 0; i < m->n_methods; i++) {
            buf_addf(&c->out, "%s\n", m->methods[i]);
        }
    } else {
        buf_adds(&c->out, "\nM: mandatory, O: optional, NP: not present in this cloud's API\n");
    }
}

int run_adapter_describe(struct cli *c)
{
    ProtobufCMessage *req = ask_request(c, c->args.method.method->input, c->args.words[0]);
    if (!req) {
        return EXIT_USAGE;
    }
    const struct isobar_reply *reply =
        session_call(c, c->args.method.name, req, SESSION_READS, NULL);
    const ProtobufCMessage *item = ask_item(reply);
    int code = ask_result(c, NULL, reply);
    if (code == EXIT_OK && item && c->format <= FORMAT_WIDE && !c->args.options.columns) {
        print_manifest(c, (const pb_Adapter *)(const void *)item);
    } else if (code == EXIT_OK && item) {
        output_one(c, item);
    }
    return code;
}
