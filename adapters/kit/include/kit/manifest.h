/* An adapter's manifest from tables of rows. */
#ifndef ISOBAR_KIT_MANIFEST_H
#define ISOBAR_KIT_MANIFEST_H

#include <stdatomic.h>

#include "isobar/base.h"
#include "isobar/pb.h"

#define MANIFEST_VALUES_MAX 4

struct manifest_attribute {
    const char *name; /* the field's name in VmSpec */
    pb_Presence presence;
    const char *initial; /* the default value; NULL: none */
    bool chosen;         /* where nothing says, the adapter takes the only candidate */
    bool nearest;        /* not present, and the nearest real thing is given */
    const char *allowed[MANIFEST_VALUES_MAX]; /* the values that there are; none: any */
    const char *description;
};

/* A parameter of a specification, or a setting of a connection. */
struct manifest_parameter {
    const char *name;
    pb_ParameterType type;
    bool required;
    const char *initial; /* the default value; NULL: none */
    const char *allowed[MANIFEST_VALUES_MAX];
    const char *description;
};

struct manifest_rows {
    const struct manifest_attribute *attributes;
    size_t n_attributes;
    const struct manifest_parameter *parameters;
    size_t n_parameters;
    const struct manifest_parameter *settings;
    size_t n_settings;
    bool open_parameters; /* further ones are taken as they are */
    /* manifest_of()'s own; zeroed at first. */
    atomic_bool built;
    pb_Manifest message;
};

/* The manifest, built when it is first asked for; it stays valid for ever. Thread-safe. */
const pb_Manifest *manifest_of(struct manifest_rows *rows);

#endif
