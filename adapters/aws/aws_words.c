#include "aws_words.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One word from *line on, to `out`; its end, or NULL where it has none. */
static char *take_word(const char **line, char *out)
{
    char quote = '\0';
    const char *c = *line;
    for (; *c != '\0' && (quote != '\0' || !is_blank(*c)); c++) {
        if (*c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (*c == '"' || *c == '\'')) {
            quote = *c;
        } else if (*c == '\\' && quote != '\'') {
            c++;
            if (*c == '\0')
                return NULL;
            if (quote == '"' && *c != '"' && *c != '\\')
                *out++ = '\\';
            *out++ = *c;
        } else {
            *out++ = *c;
        }
    }
    *line = c;
    *out++ = '\0';
    return quote == '\0' ? out : NULL;
}

char **aws_words_split(struct arena *a, const char *line, size_t *ret_n)
{
    size_t len = strlen(line), n = 0;
    /* A word and what is behind it take two bytes at least. */
    char **words = arena_array(a, len / 2 + 2, sizeof(*words));
    char *out = arena_alloc(a, len + 2);
    if (words == NULL || out == NULL)
        return NULL;
    for (;;) {
        while (is_blank(*line))
            line++;
        if (*line == '\0')
            break;
        words[n++] = out;
        out = take_word(&line, out);
        if (out == NULL)
            return NULL;
    }
    if (ret_n != NULL)
        *ret_n = n;
    return words;
}
