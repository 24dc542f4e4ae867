#include "isobar/where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET "/isobar/isobar.sock"

/* Whether the socket can be below this folder. */
static bool fits(const char *folder)
{
    struct stat st;

    return folder && folder[0] == '/' && strlen(folder) + sizeof(SOCKET) <= WHERE_PATH_MAX &&
           stat(folder, &st) == 0 && S_ISDIR(st.st_mode);
}

void where_socket(char out[WHERE_PATH_MAX])
{
    /* Root's shell may have XDG_RUNTIME_DIR while its daemon has not: they must still meet. */
    const char *folder = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");

    if (fits(folder))
        snprintf(out, WHERE_PATH_MAX, "%s" SOCKET, folder);
    else
        snprintf(out, WHERE_PATH_MAX, "/tmp/isobar-%lu/isobar.sock", (unsigned long)geteuid());
}
