/* The file format of ~/.aws/config and ~/.aws/credentials, read the way Python's configparser reads
 * it, since that is what the AWS CLI reads it with.
 *
 * A section is a line "[name]"; below it are "key = value" or "key: value", keys in any case. A
 * line that is indented further than its key goes on with the value; where the key's own line has
 * none, such lines are pairs themselves ("s3 =" with "addressing_style = path" below). Lines that
 * begin with # or ; are comments. A section or key that comes twice is an error. Sections have
 * whatever is in [DEFAULT].
 *
 * Source: Python's documentation of configparser.RawConfigParser, and botocore/configloader.py.
 */
#ifndef AWS_INI_H
#define AWS_INI_H

#include "adapter.h"

struct aws_ini_value {
    const char *key; /* in small letters */
    char *text;      /* its lines with '\n' between; begins with one where it has pairs */
    size_t line;     /* of the key, from 1 */
    struct aws_ini_value *next;
};

struct aws_ini_section {
    const char *name;
    size_t line;
    struct aws_ini_value *first, *last;
    struct aws_ini_section *next;
};

struct aws_ini {
    const char *file; /* its path, for people */
    char *text;       /* what all names and values point into */
    size_t len;
    struct aws_ini_section *first, *last;
};

/* Parse `text`, which is changed, and has to live as long as what is parsed; its byte behind the
 * last one is a NUL. False where it is none of that format, and the error says in which line,
 * without quoting what may be a secret. */
bool aws_ini_parse(struct arena *a, char *text, size_t len, const char *file, struct aws_ini *ret,
                   struct open_error *ret_error) MUST_USE;
/* Wipe all of the text. */
void aws_ini_wipe(struct aws_ini *ini);

/* NULL where there is none. */
const struct aws_ini_section *aws_ini_find(const struct aws_ini *ini, const char *name);
/* The section's own value, or that of [DEFAULT]; NULL where there is none, or no section. */
struct aws_ini_value *aws_ini_get(const struct aws_ini *ini, const struct aws_ini_section *section,
                                  const char *key);
/* A value among the pairs of a value, copied; NULL where there is none. */
char *aws_ini_pair(struct arena *a, const struct aws_ini_value *v, const char *key);

#endif
