/* All fields of one thing, as a table of two columns. */
#ifndef CLI_DETAIL_H
#define CLI_DETAIL_H

#include "run.h"

/* An empty table of two columns. NULL where there is no memory, which the others allow. */
struct table *detail_table(struct cli *c);
void detail_row(struct table *t, const char *field, const char *text, enum table_color color);
/* A row for each field that is set, numbers and bools always; messages go on as "field.field", and
 * what is repeated has a row for each. `prefix` comes before the names. */
void detail_rows(struct cli *c, struct table *t, const ProtobufCMessage *m, const char *prefix);

#endif
