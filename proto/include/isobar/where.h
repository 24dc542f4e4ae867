/* Where the gateway and its clients meet when nobody says. */
#ifndef ISOBAR_WHERE_H
#define ISOBAR_WHERE_H

#include "isobar/base.h"

/* What a local socket's path may have on Linux (sun_path), its NUL included. */
#define WHERE_PATH_MAX 108

/* The path of the local socket: for root /run/isobar/isobar.sock, for others
 * $XDG_RUNTIME_DIR/isobar/isobar.sock, or /tmp/isobar-UID/isobar.sock where there is no such
 * folder or its name is too long. Thread-safe as long as nobody changes the environment. */
void where_socket(char out[WHERE_PATH_MAX]);

#endif
