/* XML into structs by the tables of kit/shape.h, streaming. The only file of the project that knows
 * Expat is behind this header.
 *
 * The content of the root element goes into the struct. A field is the child element of its name
 * (prefixes of name spaces and attributes count for nothing); SHAPE_STRING is its text as it is.
 * Lists are as AWS writes them: SHAPE_LIST and SHAPE_STRINGS are an element whose children, all of
 * one name ("item", "member"), are the items; SHAPE_MAP is such a list of pairs, each with a "key"
 * and a "value". SHAPE_DICT does not occur. An element without content is an empty text or list.
 *
 * A document type is refused, and with it every entity but the five of XML itself; so are elements
 * nested deeper than XML_DEPTH_MAX and whatever is not UTF-8, US-ASCII or ISO 8859-1.
 */
#ifndef ISOBAR_KIT_XML_H
#define ISOBAR_KIT_XML_H

#include "kit/shape.h"

#define XML_DEPTH_MAX 64

/* Parse a whole document into `ret`, which the caller has zeroed. On failure `ret_why` says what is
 * wrong; `ret` may be filled in part. */
bool xml_parse(struct arena *a, const char *xml, size_t len, const struct shape *shape, void *ret,
               char ret_why[160]) MUST_USE;

#endif
