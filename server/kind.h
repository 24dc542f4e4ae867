/* What the gateway knows of an adapter: one that is built in, or what instances have registered. */
#ifndef ISOBAR_KIND_H
#define ISOBAR_KIND_H

#include "adapter.h"
#include "methods.h"
#include "semver.h"

struct adapter_kind {
    const char *name, *description, *version;
    const pb_Manifest *manifest; /* `methods` is empty where it is built in: the slots say it */
    const struct adapter_ops *ops;

    /* Of one that has registered. */
    atomic_uint refs;
    struct semver semver;
    bool *methods; /* by place in methods_all() */
    struct arena arena;
};

/* The kind of an adapter that is built in; lives for ever. Any thread. */
struct adapter_kind *kind_builtin(const struct adapter_ops *ops);
/* Of a registration, which has been checked: all is copied. NULL where memory is short. */
struct adapter_kind *kind_new(const pb_RegisterAdapterRequest *r) MUST_USE;
/* Of an adapter that nobody has registered yet: it may be given everything, and can nothing. */
struct adapter_kind *kind_absent(const char *name) MUST_USE;
struct adapter_kind *kind_hold(struct adapter_kind *k);
/* NULL is allowed. */
void kind_put(struct adapter_kind *k);
/* Whether two registrations say the same of the adapter. */
bool kind_same(const struct adapter_kind *a, const struct adapter_kind *b);

/* Whether it has a method. */
bool kind_supports(const struct adapter_kind *k, const struct method *m);

/* With its manifest, where `whole`, whose methods are those that it supports. */
pb_Adapter *kind_show(struct arena *a, const struct adapter_kind *k, bool whole);

#endif
