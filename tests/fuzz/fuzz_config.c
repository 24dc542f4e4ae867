/* The configuration file: whatever it is, either it is read or mistakes are told, each in one line
 * of text that begins with the file's name.
 */
#include <string.h>

#include "config.h"
#include "fuzz.h"
#include "isobar/utf8.h"

static void on_mistake(void *ctx, const char *line)
{
    size_t *told = ctx;

    ++*told;
    MUST(strncmp(line, "fuzz.yaml:", 10) == 0 || strncmp(line, "and ", 4) == 0);
    MUST(utf8_is(line, strlen(line)));
    for (const char *p = line; *p; p++)
        MUST((unsigned char)*p >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t told = 0;
    struct config *c = config_parse((const char *)data, len, "fuzz.yaml", on_mistake, &told);

    MUST(!c == (told > 0));
    MUST(!c || (c->n_clouds > 0 && c->n_listen > 0 && c->state_dir));
    for (size_t i = 0; c && i < c->n_clouds; i++)
        MUST(c->clouds[i].ops && c->clouds[i].name && c->clouds[i].max_in_flight > 0);
    for (size_t i = 0; c && i < c->n_listen; i++)
        MUST(c->listen[i].url);
    config_free(c);
    return 0;
}
