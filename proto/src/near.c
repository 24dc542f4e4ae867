#include "isobar/near.h"

#include <string.h>

#define WORD_MAX 63

/* How far the words may be apart to be near. */
static unsigned limit_for(size_t len)
{
    return len < 6 ? 1 : (unsigned)(len / 3);
}

static unsigned lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A' + 'a') : (unsigned)(unsigned char)c;
}

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned near_distance(const char *a, const char *b)
{
    size_t la = strnlen(a, WORD_MAX), lb = strnlen(b, WORD_MAX);
    /* rows[i % 3][j]: the distance of the first i bytes of a and the first j of b */
    unsigned rows[3][WORD_MAX + 1];
    for (unsigned j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= la; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= lb; j++) {
            unsigned ca = lower(a[i - 1]), cb = lower(b[j - 1]);
            unsigned d = min(min(up[j], row[j - 1]) + 1, up[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == lower(b[j - 2]) && cb == lower(a[i - 2]))
                d = min(d, up2[j - 2] + 1);
            row[j] = d;
        }
    }
    return rows[la % 3][lb];
}

/* Whether one is the beginning of the other. */
static bool is_beginning(const char *a, const char *b)
{
    if (*a == '\0' || *b == '\0')
        return false;
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' || *b == '\0';
}

static bool is_near(const char *word, const char *candidate, unsigned *ret_distance)
{
    size_t lw = strnlen(word, WORD_MAX), lc = strnlen(candidate, WORD_MAX);
    unsigned limit = limit_for(lw);
    bool beginning = is_beginning(word, candidate);
    if (lw == 0 || (!beginning && (lc > lw + limit || lw > lc + limit)))
        return false;
    *ret_distance = near_distance(word, candidate);
    return beginning || *ret_distance <= limit;
}

size_t near_pick(const char *word, const char *const *candidates, size_t n, size_t *ret_index,
                 size_t max)
{
    size_t found = 0;
    for (size_t i = 0; max > 0 && i < n; i++) {
        unsigned distance, other;
        if (!candidates[i] || !is_near(word, candidates[i], &distance))
            continue;
        /* Its place among those found; where all are taken, the last falls out. */
        size_t at = found;
        while (at > 0 && is_near(word, candidates[ret_index[at - 1]], &other) && other > distance)
            at--;
        if (at == max)
            continue;
        found += found < max;
        memmove(ret_index + at + 1, ret_index + at, (found - 1 - at) * sizeof(*ret_index));
        ret_index[at] = i;
    }
    return found;
}
