/* Data from public projects, read in place: programs that extra.cmake names for it know the folder
 * as SHARED_DATA. */
#ifndef ISOBAR_TEST_SHARED_DATA_H
#define ISOBAR_TEST_SHARED_DATA_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether it is there; says so where it is not: the test then returns 77. */
static inline bool have_shared_data(const char *folder)
{
    DIR *opened = opendir(folder);

    if (!opened)
        printf("skipped: there is no %s\n", folder);
    else
        closedir(opened);
    return opened != NULL;
}

/* A whole file (of 1 MB at most) with a NUL behind it, from malloc; ends the program where it
 * cannot be read. */
static inline char *read_shared(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "r");
    size_t room = 1 << 20;
    char *text = malloc(room);

    if (!f || !text || !(*ret_len = fread(text, 1, room - 1, f)) || !feof(f)) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    text[*ret_len] = '\0';
    fclose(f);
    return text;
}

#endif
