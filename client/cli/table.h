/* Tables for people. The only file of the project that knows libsmartcols is behind this header. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "isobar/buf.h"

enum table_flags {
    TABLE_RIGHT = 1, /* numbers */
    TABLE_CUT = 2,   /* may be cut short where the terminal is too narrow */
    TABLE_WRAP = 4,  /* may go on in the next line there */
};

enum table_color { TABLE_PLAIN, TABLE_GOOD, TABLE_BUSY, TABLE_BAD, TABLE_FAINT };

/* How wide it may be, and whether with colours. */
struct table_style {
    unsigned width; /* of the terminal; 0: no limit, nothing is cut or wrapped */
    bool colors;
    bool header;
};

struct table;

#define TABLE_COLUMNS_MAX 64

/* NULL where there is no memory; the other functions allow that. */
struct table *table_new(const struct table_style *style);
void table_freep(struct table **t); /* for CLEANUP() */
void table_add_column(struct table *t, const char *title, unsigned flags);
void table_add_row(struct table *t);
/* A cell of the last row; the text is made safe for a terminal. */
void table_set(struct table *t, size_t column, const char *text, enum table_color color);
/* Append the table; false where there is no memory. */
bool table_print(struct table *t, struct buf *out) MUST_USE;

#endif
