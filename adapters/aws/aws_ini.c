#include "aws_ini.h"

#include <stdio.h>
#include <string.h>

#include "isobar/utf8.h"

/* More than anybody has; each is compared with those before it. */
enum { SECTIONS_MAX = 10000, KEYS_MAX = 1000 };

struct parser {
    struct arena *arena;
    struct aws_ini *ini;
    struct open_error *error;
    struct aws_ini_section *section;
    struct aws_ini_value *value; /* what an indented line goes on with */
    char *end;                   /* of that value's text */
    size_t blank;                /* empty lines since */
    size_t indent;               /* of the last line that was none of those */
    size_t line;
    size_t n_sections, n_keys;
};

/* What Python's str.strip() strips, of ASCII. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

static bool broken(struct parser *p, const char *why)
{
    snprintf(p->error->text, sizeof(p->error->text), "%s:%zu: %s", p->ini->file, p->line, why);
    return false;
}

static bool out_of_memory(struct parser *p)
{
    return broken(p, "out of memory");
}

static struct aws_ini_section *find(const struct aws_ini *ini, const char *name)
{
    struct aws_ini_section *s = ini->first;
    while (s != NULL && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

/* The value that has been read so far becomes a string. */
static void end_value(struct parser *p)
{
    if (p->value != NULL)
        *p->end = '\0';
    p->value = NULL;
    p->blank = 0;
}

/* The section that all others have the values of; it may come in several pieces. */
static const char defaults_name[] = "DEFAULT";

static bool begin_section(struct parser *p, char *name)
{
    end_value(p);
    struct aws_ini_section *before = find(p->ini, name);
    if (before != NULL && strcmp(name, defaults_name) == 0) {
        p->section = before;
        return true;
    }
    if (before != NULL) {
        char why[80];
        snprintf(why, sizeof(why), "this section is there already, in line %zu", before->line);
        return broken(p, why);
    }
    if (p->n_sections++ == SECTIONS_MAX)
        return broken(p, "there are too many sections");
    struct aws_ini_section *s = ARENA_NEW(p->arena, struct aws_ini_section);
    if (s == NULL)
        return out_of_memory(p);
    *s = (struct aws_ini_section){.name = name, .line = p->line};
    if (p->ini->last == NULL)
        p->ini->first = s;
    else
        p->ini->last->next = s;
    p->ini->last = s;
    p->section = s;
    p->n_keys = 0;
    return true;
}

static struct aws_ini_value *own_value(const struct aws_ini_section *s, const char *key)
{
    struct aws_ini_value *v = s->first;
    while (v != NULL && strcmp(v->key, key) != 0)
        v = v->next;
    return v;
}

static bool begin_value(struct parser *p, char *key, char *text, char *end)
{
    for (char *c = key; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    const struct aws_ini_value *before = own_value(p->section, key);
    if (before != NULL) {
        char why[80];
        snprintf(why, sizeof(why), "this key is there already, in line %zu", before->line);
        return broken(p, why);
    }
    if (p->n_keys++ == KEYS_MAX)
        return broken(p, "the section has too many keys");
    struct aws_ini_value *v = ARENA_NEW(p->arena, struct aws_ini_value);
    if (v == NULL)
        return out_of_memory(p);
    *v = (struct aws_ini_value){.key = key, .text = text, .line = p->line};
    if (p->section->last == NULL)
        p->section->first = v;
    else
        p->section->last->next = v;
    p->section->last = v;
    p->value = v;
    p->end = end;
    return true;
}

/* The line goes on with the value: it is moved up to it. There is room: each line that was empty,
 * and this one, has an end in the text too. */
static bool continue_value(struct parser *p, const char *from, size_t len)
{
    bool pairs = p->end == p->value->text || p->value->text[0] == '\n';
    if (pairs && memchr(from, '=', len) == NULL)
        return broken(p, "below a key without a value of its own, \"key = value\" is expected");
    for (p->blank++; p->blank > 0; p->blank--)
        *p->end++ = '\n';
    memmove(p->end, from, len);
    p->end += len;
    return true;
}

static bool parse_key(struct parser *p, char *from, char *end)
{
    char *delimiter = from;
    while (delimiter < end && *delimiter != '=' && *delimiter != ':')
        delimiter++;
    if (delimiter == end)
        return broken(p, "\"key = value\" is expected");
    char *text = delimiter + 1;
    while (text < end && is_space(*text))
        text++;
    while (delimiter > from && is_space(delimiter[-1]))
        delimiter--;
    if (delimiter == from)
        return broken(p, "there is no key before the \"=\"");
    *delimiter = '\0';
    return begin_value(p, from, text, end);
}

/* One line, without its end. */
static bool parse_line(struct parser *p, char *from, char *end)
{
    char *begin = from;
    while (from < end && is_space(*from))
        from++;
    while (end > from && is_space(end[-1]))
        end--;
    if (from == end)
        p->blank++;
    if (from == end || *from == '#' || *from == ';')
        return true;
    size_t indent = (size_t)(from - begin);
    if (p->value != NULL && indent > p->indent)
        return continue_value(p, from, (size_t)(end - from));
    p->indent = indent;
    char *close = *from == '[' ? memrchr(from, ']', (size_t)(end - from)) : NULL;
    if (close != NULL && close > from + 1) {
        *close = '\0';
        return begin_section(p, from + 1);
    }
    if (p->section == NULL)
        return broken(p, "there is no [section] yet that this could belong to");
    end_value(p);
    return parse_key(p, from, end);
}

/* Text, in the sense that strings of C and of messages can hold it. */
static bool check_text(struct parser *p)
{
    const char *text = p->ini->text;
    size_t good = utf8_good(text, p->ini->len);
    size_t nul = strlen(text);
    if (good == p->ini->len && nul == p->ini->len)
        return true;
    for (size_t i = 0; i < good && i < nul; i++)
        p->line += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
    return broken(p, "there is something that is no text in UTF-8");
}

bool aws_ini_parse(struct arena *a, char *text, size_t len, const char *file, struct aws_ini *ret,
                   struct open_error *ret_error)
{
    *ret = (struct aws_ini){.file = file, .text = text, .len = len};
    struct parser p = {.arena = a, .ini = ret, .error = ret_error, .line = 1};
    if (!check_text(&p))
        return false;
    for (char *at = text; at < text + len; p.line++) {
        char *end = at + strcspn(at, "\r\n");
        char *next = end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);
        if (!parse_line(&p, at, end))
            return false;
        at = next;
    }
    end_value(&p);
    return true;
}

void aws_ini_wipe(struct aws_ini *ini)
{
    if (ini->text != NULL)
        explicit_bzero(ini->text, ini->len);
    *ini = (struct aws_ini){0};
}

const struct aws_ini_section *aws_ini_find(const struct aws_ini *ini, const char *name)
{
    return find(ini, name);
}

struct aws_ini_value *aws_ini_get(const struct aws_ini *ini, const struct aws_ini_section *section,
                                  const char *key)
{
    if (section == NULL)
        return NULL;
    struct aws_ini_value *v = own_value(section, key);
    const struct aws_ini_section *defaults = v == NULL ? find(ini, defaults_name) : NULL;
    return defaults == NULL ? v : own_value(defaults, key);
}

char *aws_ini_pair(struct arena *a, const struct aws_ini_value *v, const char *key)
{
    if (v == NULL || v->text[0] != '\n')
        return NULL;
    char *found = NULL;
    for (const char *line = v->text; *line != '\0';) {
        line += *line == '\n';
        const char *end = line + strcspn(line, "\n");
        const char *equals = memchr(line, '=', (size_t)(end - line));
        const char *key_end = equals, *text = equals == NULL ? NULL : equals + 1;
        while (key_end != NULL && key_end > line && is_space(key_end[-1]))
            key_end--;
        if (key_end != NULL && (size_t)(key_end - line) == strlen(key) &&
            memcmp(line, key, strlen(key)) == 0) {
            while (text < end && is_space(*text))
                text++;
            found = arena_strndup(a, text, (size_t)(end - text));
        }
        line = end;
    }
    return found;
}
