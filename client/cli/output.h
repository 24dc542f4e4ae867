/* Printing things in the format that the user chose. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "run.h"

/* Look at the terminal and at -o, --columns and --sort, before any call is made. `type` is of what
 * will be printed; NULL where it has no columns. EXIT_OK, or EXIT_USAGE, and it has been said. */
int output_prepare(struct cli *c, const ProtobufCMessageDescriptor *type) MUST_USE;

/* Append several things of one type; in their order, unless --sort says another. */
void output_list(struct cli *c, const ProtobufCMessageDescriptor *type,
                 const ProtobufCMessage **items, size_t n);
/* Append one thing: all its fields, in a table of two columns. */
void output_one(struct cli *c, const ProtobufCMessage *item);

/* "CLOUD/NAME", "CLOUD/ID", "ADAPTER/INSTANCE", the name or the id: what the next command takes for
 * it. */
const char *output_name(struct arena *a, const ProtobufCMessage *item);
/* The message as compact JSON. */
void output_json(const ProtobufCMessage *m, struct buf *out);
/* Append compact JSON as -o says: YAML or JSON. */
void output_doc(struct cli *c, const struct buf *json);

/* A table in the style of the invocation. */
struct table *output_table(struct cli *c);
/* Append it to the output. */
void output_take_table(struct cli *c, struct table *t);

/* Write what there is to standard output. EXIT_OK, or EXIT_FAILED, and it has been said. A reader
 * that has gone away is no failure, and noted. */
int output_flush(struct cli *c) MUST_USE;

#endif
