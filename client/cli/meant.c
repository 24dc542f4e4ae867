#include "meant.h"

#include <stdio.h>

#include "isobar/buf.h"
#include "isobar/near.h"

void meant(char *why, size_t size, const char *kind, const char *word, const char *const *words,
           size_t n, bool all)
{
    CLEANUP(buf_done) struct buf text;
    size_t near = 0;
    buf_init(&text, SIZE_MAX / 2);
    buf_addf(&text, "there is no %s%s\"%.60s\"", kind, *kind ? " " : "", word);
    if (near_pick(word, words, n, &near, 1)) {
        buf_addf(&text, "; did you mean %s?", words[near]);
    } else if (all) {
        for (size_t i = 0; i < n; i++) {
            buf_addf(&text, "%s %s", i ? "," : "; it is one of", words[i]);
        }
    }
    snprintf(why, size, "%s", buf_cstr(&text));
}
