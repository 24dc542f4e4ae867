/* Any bytes as the answer of a cloud, into flat maps: the objects of a list, and the whole. Every
 * value stands under a path, and nothing that is left out is there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "kit/flat.h"

struct thing {
    struct shape_map all;
};

static void look(const struct thing *things, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < things[i].all.n; k++) {
            const struct shape_pair *pair = &things[i].all.items[k];
            MUST(pair->value[0] != '\0');
            MUST(strlen(pair->key) < 512);
            MUST(strcmp(pair->key, "skip") != 0 && strncmp(pair->key, "skip.", 5) != 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const skipped[] = {"skip", "a.skip", NULL};
    static const char *const paths[] = {"", "value", "value.a", "value.a.b"};

    for (size_t p = 0; p < ARRAY_LEN(paths); p++) {
        struct thing things[3] = {0};
        const struct flat flat = {paths[p], "properties", skipped, things, 3, sizeof(*things), 0};
        struct arena arena;
        arena_init(&arena, 1 << 20);
        if (flat_parse(&arena, (const char *)data, size, &flat))
            look(things, 3);
        arena_done(&arena);
    }
    return 0;
}
