/* JSON text laid out for people, and as YAML. */
#ifndef CLI_DOC_H
#define CLI_DOC_H

#include "isobar/buf.h"

/* Append the JSON text indented, with a line end behind it. Characters that a terminal would act on
 * are escaped. False where it is no JSON, or there is no memory. */
bool doc_json(struct buf *out, const char *json, size_t len) MUST_USE;
/* The same data as YAML in block style; a string that YAML could take for something else is in
 * double quotes. */
bool doc_yaml(struct buf *out, const char *json, size_t len) MUST_USE;

/* A string as a YAML scalar, quoted where it has to be. */
void doc_yaml_string(struct buf *out, const char *s, size_t len);

#endif
