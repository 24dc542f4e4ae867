/* The configuration file: whatever it is, either it is read or mistakes are told, each in one line
 * that begins with the file.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, const char *line)
{
    size_t *told = ctx;

    ++*told;
    if (strncmp(line, "fuzz.yaml:", 10) != 0 && strncmp(line, "and ", 4) != 0)
        abort();
    for (const char *p = line; *p; p++)
        if ((unsigned char)*p < ' ')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t told = 0;
    struct config *c = config_parse((const char *)data, size, "fuzz.yaml", check, &told);

    if (!c != (told > 0))
        abort();
    if (c && (c->n_clouds == 0 || c->n_listen == 0 || !c->state_dir))
        abort();
    config_free(c);
    return 0;
}
