/* Small files with secrets, and texts that are wiped.
 */
#ifndef ISOBAR_KIT_SECRET_H
#define ISOBAR_KIT_SECRET_H

#include "adapter.h"
#include "isobar/buf.h"

/* What such a file may hold, bytes. */
#define SECRET_FILE_MAX ((size_t)64 << 10)

/* Wipe a text that somebody else's parser has made; NULL is allowed. */
void secret_wipe(const char *text);

/* Add the file's content to `ret`, which the caller has made and wipes. A device or a pipe is no
 * file, and nothing is waited for. Where it cannot be read, the op is told Unauthorized; `what`
 * names it in sentences. Any thread. */
pb_ResultCode secret_file_read(struct op *op, const char *path, const char *what,
                               struct buf *ret) MUST_USE;
/* A token that is all of a file but for white space around it: one line of printable ASCII. From
 * malloc, to be wiped and freed. NULL where there is none, and the op is told. */
char *secret_file_token(struct op *op, const char *path, const char *what) MUST_USE;

#endif
