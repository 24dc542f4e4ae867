/* What is printed of each kind of thing, and the columns that a user asks for. */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "table.h"
#include "value.h"

struct view {
    const ProtobufCMessageDescriptor *type;
    /* "name state ip=addresses.ip": columns, each a path or TITLE=path. */
    const char *columns;
    const char *wide; /* those that -o wide adds; "" for none */
};

/* The view of messages of a type; NULL where they have none. */
const struct view *view_of(const ProtobufCMessageDescriptor *type);

struct column {
    const char *title; /* "state" */
    struct value_path path;
    bool is_number;
    bool may_cut; /* where the terminal is narrow: lists and prose, nothing that is a name */
};

#define VIEW_WHY 200
enum { VIEW_COLUMNS_MAX = TABLE_COLUMNS_MAX };

/* The columns of the view, with `wide` the further ones too. In the arena. Returns how many. */
size_t view_columns(struct arena *a, const struct view *v, bool wide, struct column **ret);
/* The columns that the text names, "id,state,addresses.ip": titles of the view, or any path that
 * the type has. 0 where one is unknown, and `why` says which, with a near name. */
size_t view_choose(struct arena *a, const struct view *v, const char *text, struct column **ret,
                   char why[VIEW_WHY]) MUST_USE;

/* The colour of a value: states and result codes have one. */
enum table_color view_color(const struct value *v);

#endif
