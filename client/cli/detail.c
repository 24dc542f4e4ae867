#include "detail.h"

#include <string.h>

#include "output.h"
#include "symbol.h"

struct table *detail_table(struct cli *c)
{
    struct table *t = output_table(c);
    table_add_column(t, "FIELD", 0);
    table_add_column(t, "VALUE", TABLE_WRAP);
    return t;
}

void detail_row(struct table *t, const char *field, const char *text, enum table_color color)
{
    table_add_row(t);
    table_set(t, 0, field, TABLE_PLAIN);
    table_set(t, 1, text, color);
}

/* A message that is shown field by field: not a map's entry, not a time, not an item of a list. */
static bool is_group(const ProtobufCFieldDescriptor *f)
{
    const ProtobufCMessageDescriptor *type =
        f->type == PROTOBUF_C_TYPE_MESSAGE ? f->descriptor : NULL;
    return type && f->label != PROTOBUF_C_LABEL_REPEATED &&
           type != &google__protobuf__timestamp__descriptor;
}

void detail_rows(struct cli *c, struct table *t, const ProtobufCMessage *m, const char *prefix)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        const char *name = arena_printf(&c->arena, "%s%s", prefix, f->name);
        size_t n = value_count(m, f);
        if (n && is_group(f)) {
            detail_rows(c, t, value_message_at(m, f, 0), arena_printf(&c->arena, "%s.", name));
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            CLEANUP(buf_done) struct buf text;
            buf_init(&text, SIZE_MAX / 2);
            value_text(&text, m, f, k);
            c->out.failed |= text.failed;
            struct value v = {0};
            struct value_path path = {.n = 1, .fields = {f}};
            if (f->type == PROTOBUF_C_TYPE_ENUM) {
                value_get(&c->arena, m, &path, &v);
            }
            detail_row(t, name, buf_cstr(&text), view_color(&v));
        }
    }
}
