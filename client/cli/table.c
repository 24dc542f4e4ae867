#include "table.h"

#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct table {
    struct libscols_table *scols;
    struct libscols_line *row;
    struct table_style style;
    size_t n_columns, n_rows;
    size_t widths[TABLE_COLUMNS_MAX]; /* that each column needs at least, in characters */
    bool failed;
};

static const char *const colors[] = {
    [TABLE_PLAIN] = NULL, [TABLE_GOOD] = "green",     [TABLE_BUSY] = "yellow",
    [TABLE_BAD] = "red",  [TABLE_FAINT] = "darkgray",
};

struct table *table_new(const struct table_style *style)
{
    /* Widths of characters are counted as those of UTF-8, whatever the environment says. */
    static bool locale_is_set;
    if (!locale_is_set) {
        locale_is_set = setlocale(LC_CTYPE, "C.UTF-8") != NULL || setlocale(LC_CTYPE, "") != NULL;
    }
    struct table *t = calloc(1, sizeof(*t));
    if (!t) {
        return NULL;
    }
    t->style = *style;
    t->scols = scols_new_table();
    if (!t->scols) {
        free(t);
        return NULL;
    }
    scols_table_enable_noheadings(t->scols, !style->header);
    scols_table_enable_noencoding(t->scols, 1);
    scols_table_enable_colors(t->scols, style->colors);
    scols_table_set_column_separator(t->scols, "  ");
    scols_table_set_termforce(t->scols,
                              style->width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    if (style->width) {
        scols_table_set_termwidth(t->scols, style->width);
    }
    return t;
}

void table_freep(struct table **t)
{
    if (*t) {
        scols_unref_table((*t)->scols);
        free(*t);
        *t = NULL;
    }
}

static size_t count_chars(const char *s)
{
    size_t n = 0;
    for (; *s; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80;
    }
    return n;
}

void table_add_column(struct table *t, const char *title, unsigned flags)
{
    if (!t || t->n_columns == TABLE_COLUMNS_MAX) {
        return;
    }
    t->widths[t->n_columns] = count_chars(title);
    int scols = flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0;
    if (t->style.width) {
        scols |=
            (flags & TABLE_CUT ? SCOLS_FL_TRUNC : 0) | (flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0);
    }
    if (!scols_table_new_column(t->scols, title, 0, scols)) {
        t->failed = true;
    }
    t->n_columns++;
}

void table_add_row(struct table *t)
{
    if (t) {
        t->row = scols_table_new_line(t->scols, NULL);
        t->failed |= !t->row;
        t->n_rows++;
    }
}

void table_set(struct table *t, size_t column, const char *text, enum table_color color)
{
    if (!t || !t->row || !*text) {
        return;
    }
    CLEANUP(buf_done) struct buf safe;
    buf_init(&safe, SIZE_MAX / 2);
    text_safe(&safe, text, strlen(text));
    if (scols_line_set_data(t->row, column, buf_cstr(&safe)) != 0 || safe.failed) {
        t->failed = true;
        return;
    }
    struct libscols_column *c = scols_table_get_column(t->scols, column);
    size_t chars = count_chars(buf_cstr(&safe));
    if (!scols_column_is_trunc(c) && !scols_column_is_wrap(c) && chars > t->widths[column]) {
        t->widths[column] = chars;
    }
    if (t->style.colors && colors[color]) {
        scols_cell_set_color(scols_line_get_cell(t->row, column), colors[color]);
    }
}

/* Lines without the blanks that pad their last column. */
static void add_trimmed(struct buf *out, const char *s)
{
    while (*s) {
        size_t len = strcspn(s, "\n"), used = len;
        while (used && s[used - 1] == ' ') {
            used--;
        }
        buf_add(out, s, used);
        buf_addc(out, '\n');
        s += len + (s[len] == '\n');
    }
}

/* Where the table is too wide even with all that may be cut down to its title, cutting would lose
 * something and gain nothing. */
static void spare_hopeless(struct table *t)
{
    size_t least = 0;
    for (size_t i = 0; i < t->n_columns; i++) {
        least += t->widths[i] + (i ? 2 : 0);
    }
    for (size_t i = 0; i < t->n_columns && least > t->style.width; i++) {
        struct libscols_column *c = scols_table_get_column(t->scols, i);
        scols_column_set_flags(c, scols_column_get_flags(c) & ~SCOLS_FL_TRUNC);
    }
}

bool table_print(struct table *t, struct buf *out)
{
    char *text = NULL;
    if (t && t->style.width) {
        spare_hopeless(t);
    }
    if (!t || t->failed || (t->n_rows && scols_print_table_to_string(t->scols, &text) != 0)) {
        free(text);
        return false;
    }
    if (text) {
        add_trimmed(out, text);
    }
    free(text);
    return !out->failed;
}
