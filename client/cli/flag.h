/* The flags that fill in requests: one table, a row a field.
 *
 * A row is for every command whose request message has the row's field. So a new field of a request
 * is one row here; the parser, the help, the man page and the completion follow.
 */
#ifndef CLI_FLAG_H
#define CLI_FLAG_H

#include "isobar/arena.h"
#include "isobar/pb.h"

enum flag_kind {
    FLAG_TEXT,      /* the value is set as field_set() reads it */
    FLAG_KEYS,      /* the same; a map's key may stand without a value */
    FLAG_FILE,      /* the value is a file, whose content is set; "-" is standard input */
    FLAG_JSON_FILE, /* the same; the content is the message as ProtoJSON */
};

struct flag {
    const char *name; /* "security-group" */
    /* Only in requests of this type, or as a key of such a part (volume); NULL: wherever the path
     * leads to a field. */
    const ProtobufCMessageDescriptor *in;
    const char *with;  /* only in requests that have this field too; NULL: in all */
    const char *path;  /* "spec.security_group_name" */
    const char *rest;  /* where the second value and all further go; NULL: to the path again */
    const char *fixed; /* the flag has no value and sets this */
    enum flag_kind kind;
    const char *arg; /* what help calls the value; NULL where there is none */
    const char *doc;
};

/* The flag of that name in requests of the type; NULL where there is none. */
const struct flag *flag_find(const ProtobufCMessageDescriptor *type, const char *name);
/* The i-th flag of requests of the type; NULL past the last. Those that set one of the words of the
 * command line are not left out. */
const struct flag *flag_at(const ProtobufCMessageDescriptor *type, size_t i);
/* The flag that sets the field at this path, which may lead on into it ("spec.volumes[0].name"). */
const struct flag *flag_of_path(const ProtobufCMessageDescriptor *type, const char *path);

/* The field it sets, and whether it takes a value, may take one (a bool), or may be repeated. */
const ProtobufCFieldDescriptor *flag_field(const ProtobufCMessageDescriptor *type,
                                           const struct flag *f);
bool flag_is_bool(const ProtobufCMessageDescriptor *type, const struct flag *f);
bool flag_repeats(const ProtobufCMessageDescriptor *type, const struct flag *f);
/* The message type whose flags are the keys of its value ("size=10,keep"); NULL where it has none.
 */
const ProtobufCMessageDescriptor *flag_parts(const ProtobufCMessageDescriptor *type,
                                             const struct flag *f);

#endif
