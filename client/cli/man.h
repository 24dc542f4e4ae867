/* The man page, made from the same tables as the help. */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "run.h"

/* Append isobar(1) as mdoc(7) to the output. */
void man_page(struct cli *c);

#endif
