/* Tokens in files. */
#ifndef ISOBAR_SECRET_H
#define ISOBAR_SECRET_H

#include "isobar/base.h"

#define SECRET_MAX 1024

/* The first line of a file without blanks around it; false where there is none. The caller wipes
 * it. Any thread. */
bool secret_read(const char *path, char ret[SECRET_MAX]) MUST_USE;

#endif
