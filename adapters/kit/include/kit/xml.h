/* XML into structs by the tables of kit/shape.h, streaming. The only file of the project that knows
 * Expat is behind this header.
 *
 * The content of the root element goes into the struct, whatever the root's name; only that of an
 * HTML page is refused. A field is the child element of its name (prefixes of name spaces and
 * attributes count for nothing); SHAPE_STRING is its text as it is, white space too. An integer is
 * digits with or without a sign, a bool "true" or "false". What is of another type counts as if it
 * were absent, so does a scalar that has child elements. Of two fields of one name the last counts.
 *
 * Lists are as AWS writes them: SHAPE_LIST and SHAPE_STRINGS are an element whose children, all of
 * one name ("item", "member"), are the items; SHAPE_MAP is such a list of pairs, each with a "key"
 * and a "value" (which is "" where absent). SHAPE_DICT does not occur. An element without content
 * is an empty text or list.
 *
 * Refused are: a document type, and with it every entity but the five of XML itself; elements
 * nested deeper than XML_DEPTH_MAX; a tag, comment or instruction much longer than XML_TAG_MAX;
 * whatever is not UTF-8, US-ASCII or ISO 8859-1.
 *
 * Beside the arena Expat takes some 100 KB (XML_MEMORY_MAX where no two names are alike), and a
 * text is held twice until it is whole; that is wiped before it is given back.
 */
#ifndef ISOBAR_KIT_XML_H
#define ISOBAR_KIT_XML_H

#include "kit/shape.h"

#define XML_DEPTH_MAX  64
#define XML_TAG_MAX    (256 << 10) /* bytes */
#define XML_MEMORY_MAX (16 << 20)  /* bytes */

/* Parse a whole document into `ret`, which the caller has zeroed. On failure `ret_why` says what is
 * wrong, and nothing of the document is in it; `ret` may be filled in part. Any thread. */
bool xml_parse(struct arena *a, const char *xml, size_t len, const struct shape *shape, void *ret,
               char ret_why[160]) MUST_USE;

#endif
