#include "kit/error.h"

#include <string.h>

static bool code_fits(const char *pattern, const char *code)
{
    size_t len = strlen(pattern), have = strlen(code);

    if (pattern[0] == '*')
        return have >= len - 1 && strcmp(code + have - (len - 1), pattern + 1) == 0;
    if (pattern[len - 1] == '*')
        return strncmp(code, pattern, len - 1) == 0;
    return strcmp(code, pattern) == 0;
}

static bool row_fits(const struct error_row *row, const char *code, const char *message, int status)
{
    return (row->status == 0 || row->status == status) &&
           (row->code == NULL || code_fits(row->code, code)) &&
           (row->starts == NULL || strncmp(message, row->starts, strlen(row->starts)) == 0);
}

const struct error_row *error_find(const struct error_row *rows, size_t n, const char *code,
                                   const char *message, int status)
{
    size_t i = 0;

    while (i < n - 1 && !row_fits(&rows[i], code, message, status))
        i++;
    return &rows[i];
}
