/* Short forms for tables of fields. */
#ifndef AZ_SHAPES_H
#define AZ_SHAPES_H

#include "kit/shape.h"

#define AZ_TEXT(struct_, member_, name_)   SHAPE_FIELD(struct struct_, member_, name_, SHAPE_STRING)
#define AZ_NUMBER(struct_, member_, name_) SHAPE_FIELD(struct struct_, member_, name_, SHAPE_INT)
#define AZ_BOOL(struct_, member_, name_)   SHAPE_FIELD(struct struct_, member_, name_, SHAPE_BOOL)
#define AZ_TEXTS(struct_, member_, name_)  SHAPE_FIELD(struct struct_, member_, name_, SHAPE_STRINGS)
#define AZ_LIST(struct_, member_, name_, shape_)                                                   \
    SHAPE_NESTED(struct struct_, member_, name_, SHAPE_LIST, shape_##_shape)
/* An object whose members are members of the struct that it is in. */
#define AZ_PART(name_, shape_)                                                                     \
    {                                                                                              \
        name_, SHAPE_STRUCT, 0, &shape_##_shape                                                    \
    }
/* NAME_shape of NAME_fields. */
#define AZ_SHAPE(name_, struct_)                                                                   \
    static const struct shape name_##_shape = {sizeof(struct struct_), name_##_fields,             \
                                               ARRAY_LEN(name_##_fields), 0}

#endif
