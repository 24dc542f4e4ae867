/* The names of the protocol: services, methods, messages and enums, by descriptor. */
#ifndef CLI_SYMBOL_H
#define CLI_SYMBOL_H

#include "isobar/arena.h"
#include "isobar/pb.h"

enum symbol_kind {
    SYMBOL_SERVICE,
    SYMBOL_METHOD,
    SYMBOL_MESSAGE,
    SYMBOL_ENUM,
};

struct symbol {
    enum symbol_kind kind;
    const char *name; /* "isobar.v1.Vm"; of a method "isobar.v1.VmService/GetVm" */
    const ProtobufCServiceDescriptor *service; /* of a service or method */
    const ProtobufCMethodDescriptor *method;
    const ProtobufCMessageDescriptor *message;
    const ProtobufCEnumDescriptor *enumeration;
};

/* Everything there is, in the arena: all services with their methods, then the messages and enums
 * that can be reached from them. */
const struct symbol *symbol_all(struct arena *a, size_t *ret_n);

/* The symbol of that name, which may be whole or its last parts ("VmService/GetVm", "GetVm"); a
 * method's last separator may be a dot. NULL where there is none; `ret_near` (may be NULL) is then
 * a name that is near, or NULL. `kind` -1 looks for all kinds. */
const struct symbol *symbol_find(struct arena *a, const char *name, int kind,
                                 const char **ret_near);

/* A method by "Service/Method", without its package: a quick look for the commands' own. False
 * where there is none. The name is in the arena. */
bool symbol_method(struct arena *a, const char *path, struct symbol *ret) MUST_USE;

/* Whether a field is a map: the C generator shows one as a repeated message. */
bool symbol_is_map(const ProtobufCFieldDescriptor *f);
/* What the values of an enum have in common: "VM_STATE_" has 9 bytes. */
size_t symbol_enum_prefix(const ProtobufCEnumDescriptor *e);
/* An enum's value without the prefix: "RUNNING"; NULL for an unknown number. */
const char *symbol_enum_word(const ProtobufCEnumDescriptor *e, int value);

#endif
