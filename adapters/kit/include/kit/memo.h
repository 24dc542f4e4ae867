/* What an adapter remembers of a cloud's things, by a key, so as not to ask again. Not thread-safe:
 * the caller has a lock, and says how long a row is taken for true. */
#ifndef ISOBAR_KIT_MEMO_H
#define ISOBAR_KIT_MEMO_H

#include "isobar/base.h"
#include "isobar/hash.h"

#define MEMO_MAX 20000 /* rows */

struct memo_row {
    char *key;
    char *id, *name; /* set with memo_set(); NULL: there is none, or it is not known */
    int64_t vcpus, memory_mib, disk_gib;
    int64_t at_ns; /* the caller's: when it was learnt, or until when it is true */
    UT_hash_handle hh;
};

/* All zero at first; memo_clear() at the end. */
struct memo {
    struct memo_row *rows;
};

/* NULL where there is none. */
struct memo_row *memo_find(const struct memo *m, const char *key);
/* The one that is there, or a new one. A memo that is full begins anew: what was found in it before
 * is gone. NULL where memory is short. */
struct memo_row *memo_learn(struct memo *m, const char *key);
bool memo_is_full(const struct memo *m);
void memo_clear(struct memo *m);
/* A copy of the text, or NULL, in place of what was there. */
void memo_set(char **at, const char *text);

#endif
