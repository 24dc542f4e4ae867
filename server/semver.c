#include "semver.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDENTIFIER "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"

/* A number without a leading zero; false where there is none. */
static bool take_number(const char **at, unsigned *ret)
{
    size_t n = strspn(*at, "0123456789");

    if (n == 0 || n > 9 || (n > 1 && **at == '0'))
        return false;
    *ret = (unsigned)strtoul(*at, NULL, 10);
    *at += n;
    return true;
}

/* Identifiers separated by dots; `strict`: numbers have no leading zero. */
static bool take_identifiers(const char **at, bool strict)
{
    for (;; (*at)++) {
        size_t n = strspn(*at, IDENTIFIER), digits = strspn(*at, "0123456789");
        if (n == 0 || (strict && digits == n && n > 1 && **at == '0'))
            return false;
        *at += n;
        if (**at != '.')
            return true;
    }
}

/* At least `least` of the three numbers; those that are missing are 0. */
static bool parse(const char *text, int least, struct semver *ret, int *ret_n)
{
    const char *at = text;
    int n = 0;

    *ret = (struct semver){0};
    if (strlen(text) >= SEMVER_LEN_MAX)
        return false;
    do {
        at += n > 0;
        if (!take_number(&at, &ret->numbers[n]))
            return false;
    } while (++n < 3 && *at == '.');
    *ret_n = n;
    if (n < least || (n < 3 && *at))
        return false;
    if (*at == '-') {
        const char *begin = ++at;
        if (!take_identifiers(&at, true))
            return false;
        memcpy(ret->before, begin, (size_t)(at - begin));
    }
    if (*at == '+') {
        at++;
        if (!take_identifiers(&at, false))
            return false;
    }
    return *at == '\0';
}

bool semver_parse(const char *text, struct semver *ret)
{
    int n;
    return parse(text, 3, ret, &n);
}

static int compare_identifiers(const char *a, size_t n_a, const char *b, size_t n_b)
{
    bool number_a = strspn(a, "0123456789") >= n_a, number_b = strspn(b, "0123456789") >= n_b;

    if (number_a != number_b)
        return number_a ? -1 : 1;
    if (number_a && n_a != n_b)
        return n_a < n_b ? -1 : 1;
    int c = memcmp(a, b, n_a < n_b ? n_a : n_b);
    return c != 0 ? c : (n_a > n_b) - (n_a < n_b);
}

static int compare_before(const char *a, const char *b)
{
    if (!*a || !*b)
        return (*a == '\0') - (*b == '\0');
    while (*a && *b) {
        size_t n_a = strcspn(a, "."), n_b = strcspn(b, ".");
        int c = compare_identifiers(a, n_a, b, n_b);
        if (c != 0)
            return c;
        a += n_a + (a[n_a] == '.');
        b += n_b + (b[n_b] == '.');
    }
    return (*a != '\0') - (*b != '\0');
}

static int compare_numbers(const struct semver *a, const struct semver *b)
{
    for (int i = 0; i < 3; i++)
        if (a->numbers[i] != b->numbers[i])
            return a->numbers[i] < b->numbers[i] ? -1 : 1;
    return 0;
}

int semver_compare(const struct semver *a, const struct semver *b)
{
    int c = compare_numbers(a, b);
    return c != 0 ? c : compare_before(a->before, b->before);
}

/* ---- ranges ---- */

struct comparator {
    char op[3]; /* ">=", "<", "=", ...; "": any that begins so */
    struct semver than;
    int n; /* numbers that are given */
};

/* The next of a range; false at its end, or with *ret_bad where it is none. */
static bool next_comparator(const char **at, struct comparator *ret, bool *ret_bad)
{
    char word[SEMVER_LEN_MAX] = "";

    *at += strspn(*at, " ");
    size_t op = strspn(*at, "<>="), len = strcspn(*at + op, " ");
    if (!**at)
        return false;
    *ret = (struct comparator){0};
    *ret_bad = op > 2 || len >= sizeof(word) || len == 0;
    if (*ret_bad)
        return false;
    memcpy(ret->op, *at, op);
    memcpy(word, *at + op, len);
    *at += op + len;
    if (op == 0 && strcmp(word, "*") == 0)
        return true;
    static const char *const known[] = {"", "=", "<", "<=", ">", ">="};
    *ret_bad = !parse(word, 1, &ret->than, &ret->n);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i], ret->op) == 0)
            return !*ret_bad;
    *ret_bad = true;
    return false;
}

/* "1.4" is every 1.4.x. */
static bool begins_so(const struct semver *v, const struct comparator *c)
{
    for (int i = 0; i < c->n; i++)
        if (v->numbers[i] != c->than.numbers[i])
            return false;
    return c->n < 3 || strcmp(v->before, c->than.before) == 0;
}

static bool holds(const struct semver *v, const struct comparator *c)
{
    bool equal = begins_so(v, c);
    int order = equal ? 0 : semver_compare(v, &c->than);
    bool before_it = !c->than.before[0] && v->before[0] && compare_numbers(v, &c->than) == 0;

    switch (c->op[0]) {
    case '<':
        return (order < 0 && !before_it) || (equal && c->op[1] == '=');
    case '>':
        return order > 0 || (equal && c->op[1] == '=');
    default:
        return equal;
    }
}

bool semver_range_ok(const char *range)
{
    struct comparator c;
    bool bad = false;
    size_t n = 0;

    while (next_comparator(&range, &c, &bad))
        n++;
    return !bad && n > 0;
}

bool semver_in(const struct semver *v, const char *range)
{
    struct comparator c;
    bool bad = false, ok = semver_range_ok(range);

    while (ok && next_comparator(&range, &c, &bad))
        ok = holds(v, &c);
    return ok;
}
