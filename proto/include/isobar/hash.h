/* uthash without its end of the process where memory is short: include this, and not <uthash.h>.
 * After each HASH_ADD..., HASH_ADDED(handle, item) tells whether the item is in the table; where it
 * is not, everything is as before. */
#ifndef ISOBAR_HASH_H
#define ISOBAR_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define HASH_ADDED(handle, item) ((item)->handle.tbl != NULL)

#endif
