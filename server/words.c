#include "words.h"

#include "isobar/near.h"

/* So many names are told. */
#define WORDS_MAX 5

const char *near_words(struct arena *a, const char *word, const char *const *names, size_t n)
{
    size_t found[WORDS_MAX];
    size_t n_near = near_pick(word, names, n, found, WORDS_MAX);
    const char *text = "";
    for (size_t i = 0; i < n_near; i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "; near: ", names[found[i]]);
    for (size_t i = 0; n_near == 0 && n <= WORDS_MAX && i < n; i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "; there is: ", names[i]);
    return text;
}
