#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "detail.h"
#include "doc.h"
#include "isobar/pbjson.h"
#include "say.h"
#include "symbol.h"
#include "text.h"

static unsigned terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col) {
        return size.ws_col;
    }
    return 80;
}

static bool wants_colors(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

int output_prepare(struct cli *c, const ProtobufCMessageDescriptor *type)
{
    const struct options *o = &c->args.options;
    const struct view *view = type ? view_of(type) : NULL;
    char why[VIEW_WHY];
    struct column *ignored;
    c->format = o->format < 0 ? FORMAT_TABLE : (enum option_format)o->format;
    c->style.header = !o->no_header;
    c->style.width = c->out_is_tty ? terminal_width() : 0;
    c->style.colors = c->out_is_tty && wants_colors();
    if (o->columns &&
        !(c->format == FORMAT_TABLE || c->format == FORMAT_WIDE || c->format == FORMAT_CSV)) {
        return say_usage(c, "--columns is for table, wide and csv, not for %s",
                         option_formats[c->format]);
    }
    if (o->columns && !view) {
        return say_usage(c, "this command has no columns");
    }
    if (o->columns && !view_choose(&c->arena, view, o->columns, &ignored, why)) {
        return say_usage(c, "--columns: %s", why);
    }
    if (o->sort && view &&
        !view_choose(&c->arena, view, o->sort + (*o->sort == '-'), &ignored, why)) {
        return say_usage(c, "--sort: %s", why);
    }
    return EXIT_OK;
}

struct table *output_table(struct cli *c)
{
    return table_new(&c->style);
}

void output_take_table(struct cli *c, struct table *t)
{
    if (!table_print(t, &c->out)) {
        c->out.failed = true;
    }
}

/* The user's columns where they fit the type, else those of its view. */
static size_t columns_of(struct cli *c, const ProtobufCMessageDescriptor *type, struct column **ret)
{
    const struct view *view = view_of(type);
    const char *chosen = c->args.options.columns;
    char why[VIEW_WHY];
    size_t n = view && chosen ? view_choose(&c->arena, view, chosen, ret, why) : 0;
    if (n || !view) {
        return n;
    }
    return view_columns(&c->arena, view, c->format == FORMAT_WIDE, ret);
}

struct sorter {
    struct arena *arena;
    struct value_path path;
    bool down;
};

static int compare(const void *a, const void *b, void *ctx)
{
    struct sorter *s = ctx;
    struct value x, y;
    value_get(s->arena, *(const ProtobufCMessage *const *)a, &s->path, &x);
    value_get(s->arena, *(const ProtobufCMessage *const *)b, &s->path, &y);
    int order;
    if (x.numeric && y.numeric) {
        order = (x.number > y.number) - (x.number < y.number);
    } else {
        order = strcmp(x.text, y.text);
    }
    return s->down ? -order : order;
}

static void sort_items(struct cli *c, const ProtobufCMessageDescriptor *type,
                       const ProtobufCMessage **items, size_t n)
{
    const char *by = c->args.options.sort;
    const struct view *view = view_of(type);
    char why[VIEW_WHY];
    struct column *column;
    if (!by || !view || !view_choose(&c->arena, view, by + (*by == '-'), &column, why)) {
        return;
    }
    struct sorter s = {.path = column[0].path, .down = *by == '-'};
    struct arena scratch;
    arena_init(&scratch, SIZE_MAX / 2);
    s.arena = &scratch;
    qsort_r(items, n, sizeof(*items), compare, &s);
    arena_done(&scratch);
}

static void print_table(struct cli *c, const struct column *columns, size_t n_columns,
                        const ProtobufCMessage **items, size_t n)
{
    CLEANUP(table_freep) struct table *t = output_table(c);
    for (size_t k = 0; k < n_columns; k++) {
        unsigned flags = columns[k].is_number ? TABLE_RIGHT : columns[k].may_cut ? TABLE_CUT : 0;
        char *title = arena_strdup(&c->arena, columns[k].title);
        text_upper(title);
        table_add_column(t, title, flags);
    }
    for (size_t i = 0; i < n; i++) {
        table_add_row(t);
        for (size_t k = 0; k < n_columns; k++) {
            struct value v;
            value_get(&c->arena, items[i], &columns[k].path, &v);
            table_set(t, k, v.text, view_color(&v));
        }
    }
    output_take_table(c, t);
}

/* RFC 4180. */
static void csv_field(struct cli *c, const char *text, bool first)
{
    CLEANUP(buf_done) struct buf safe;
    buf_init(&safe, SIZE_MAX / 2);
    if (c->out_is_tty) {
        text_safe(&safe, text, strlen(text));
        c->out.failed |= safe.failed;
        text = buf_cstr(&safe);
    }
    if (!first) {
        buf_addc(&c->out, ',');
    }
    if (!text[strcspn(text, ",\"\r\n")]) {
        buf_adds(&c->out, text);
        return;
    }
    buf_addc(&c->out, '"');
    for (; *text; text++) {
        if (*text == '"') {
            buf_addc(&c->out, '"');
        }
        buf_addc(&c->out, *text);
    }
    buf_addc(&c->out, '"');
}

static void print_csv(struct cli *c, const struct column *columns, size_t n_columns,
                      const ProtobufCMessage **items, size_t n)
{
    for (size_t k = 0; c->style.header && k < n_columns; k++) {
        csv_field(c, columns[k].title, k == 0);
    }
    if (c->style.header) {
        buf_adds(&c->out, "\r\n");
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_columns; k++) {
            struct value v;
            value_get(&c->arena, items[i], &columns[k].path, &v);
            csv_field(c, v.text, k == 0);
        }
        buf_adds(&c->out, "\r\n");
    }
}

const char *output_name(struct arena *a, const ProtobufCMessage *item)
{
    const ProtobufCMessage *vm =
        item->descriptor == &pb_VmResult_desc ? value_message(item, "vm") : NULL;
    if (vm && *value_string(vm, "id")) {
        item = vm;
    }
    const ProtobufCMessage *instance =
        item->descriptor == &pb_Adapter_desc ? value_message(item, "instance") : NULL;
    if (instance) {
        return arena_printf(a, "%s/%s", value_string(item, "name"), value_string(instance, "id"));
    }
    const char *name = value_string(item, "name");
    name = *name ? name : value_string(item, "id");
    bool in_cloud = *value_string(item, "cloud") &&
                    protobuf_c_message_descriptor_get_field_by_name(item->descriptor, "name");
    return in_cloud ? arena_printf(a, "%s/%s", value_string(item, "cloud"), name) : name;
}

static void print_name(struct cli *c, const ProtobufCMessage *item)
{
    const char *name = output_name(&c->arena, item);
    if (*name) {
        text_safe(&c->out, name, strlen(name));
        buf_addc(&c->out, '\n');
    }
}

void output_json(const ProtobufCMessage *m, struct buf *out)
{
    if (!pbjson_write(m, 0, out)) {
        out->failed = true;
    }
}

void output_doc(struct cli *c, const struct buf *json)
{
    bool yaml = c->format == FORMAT_YAML;
    if (json->failed || !json->data ||
        !(yaml ? doc_yaml : doc_json)(&c->out, json->data, json->len)) {
        c->out.failed = true;
    }
}

void output_list(struct cli *c, const ProtobufCMessageDescriptor *type,
                 const ProtobufCMessage **items, size_t n)
{
    struct column *columns = NULL;
    size_t n_columns = columns_of(c, type, &columns);
    sort_items(c, type, items, n);
    CLEANUP(buf_done) struct buf json;
    buf_init(&json, SIZE_MAX / 2);
    switch (c->format) {
    case FORMAT_TABLE:
    case FORMAT_WIDE:
        print_table(c, columns, n_columns, items, n);
        break;
    case FORMAT_CSV:
        print_csv(c, columns, n_columns, items, n);
        break;
    case FORMAT_NAME:
        for (size_t i = 0; i < n; i++) {
            print_name(c, items[i]);
        }
        break;
    default:
        buf_addc(&json, '[');
        for (size_t i = 0; i < n; i++) {
            if (i) {
                buf_addc(&json, ',');
            }
            output_json(items[i], &json);
        }
        buf_addc(&json, ']');
        output_doc(c, &json);
    }
}

static void print_detail(struct cli *c, const ProtobufCMessage *item)
{
    CLEANUP(table_freep) struct table *t = detail_table(c);
    struct column *columns;
    size_t n = c->args.options.columns ? columns_of(c, item->descriptor, &columns) : 0;
    for (size_t k = 0; k < n; k++) {
        struct value v;
        value_get(&c->arena, item, &columns[k].path, &v);
        detail_row(t, columns[k].title, v.text, view_color(&v));
    }
    if (!n) {
        detail_rows(c, t, item, "");
    }
    output_take_table(c, t);
}

void output_one(struct cli *c, const ProtobufCMessage *item)
{
    CLEANUP(buf_done) struct buf json;
    buf_init(&json, SIZE_MAX / 2);
    switch (c->format) {
    case FORMAT_TABLE:
    case FORMAT_WIDE:
        print_detail(c, item);
        break;
    case FORMAT_CSV:
    case FORMAT_NAME:
        output_list(c, item->descriptor, &item, 1);
        break;
    default:
        output_json(item, &json);
        output_doc(c, &json);
    }
}

int output_flush(struct cli *c)
{
    if (c->out.failed || c->arena.exhausted) {
        return say_failure(c, "there is not enough memory for the output");
    }
    for (size_t at = 0; at < c->out.len;) {
        ssize_t n = write(STDOUT_FILENO, c->out.data + at, c->out.len - at);
        if (n >= 0) {
            at += (size_t)n;
        } else if (errno == EPIPE) {
            c->reader_is_gone = true;
            break;
        } else if (errno != EINTR) {
            int error = errno;
            buf_reset(&c->out);
            return say_failure(c, "cannot write to standard output: %s", strerror(error));
        }
    }
    buf_reset(&c->out);
    return EXIT_OK;
}
