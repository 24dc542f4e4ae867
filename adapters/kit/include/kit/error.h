/* What clouds say when they do not do something, as a table of rows. Pure. */
#ifndef ISOBAR_KIT_ERROR_H
#define ISOBAR_KIT_ERROR_H

#include "isobar/base.h"
#include "isobar/pb.h"

struct error_row {
    /* The cloud's own code. "X": that one; "*X": all that end so; "X*": all that begin so; NULL:
     * any. */
    const char *code;
    int status; /* of HTTP; 0: any */
    /* How the message begins, where one code says different things; NULL: anyhow. */
    const char *starts;
    pb_ResultCode result;
    pb_RetryClass retry;
    pb_RetryScope scope;
    const char *advice; /* what to do */
};

/* The first row that fits is what it means; the last one has to fit everything. `code` and
 * `message` are "" where the cloud does not say. */
const struct error_row *error_find(const struct error_row *rows, size_t n, const char *code,
                                   const char *message, int status);

#endif
