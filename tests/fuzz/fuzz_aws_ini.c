/* ~/.aws/config: whatever it is, either it is read, and all that was read is text within the file's
 * own memory, or a mistake is told in one line with its number. Nothing is left of it afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "aws_ini.h"
#include "fuzz.h"
#include "isobar/utf8.h"

static void check_text(const struct aws_ini *ini, const char *text)
{
    MUST(text >= ini->text && text + strlen(text) <= ini->text + ini->len);
    MUST(utf8_is(text, strlen(text)));
}

static void check(struct arena *a, const struct aws_ini *ini)
{
    size_t line = 0;

    for (const struct aws_ini_section *s = ini->first; s; s = s->next) {
        check_text(ini, s->name);
        MUST(s->name[0] != '\0' && s->line > line);
        line = s->line;
        MUST(aws_ini_find(ini, s->name) == s);
        for (const struct aws_ini_value *v = s->first; v; v = v->next) {
            check_text(ini, v->key);
            check_text(ini, v->text);
            MUST(v->key[0] != '\0' && !strpbrk(v->key, "ABCXYZ\n\r=:"));
            MUST(aws_ini_get(ini, s, v->key) == v);
            const char *pair = aws_ini_pair(a, v, "k");
            MUST(!pair || (v->text[0] == '\n' && !strchr(pair, '\n')));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct aws_ini ini;
    struct open_error error = {""};
    char *text = malloc(len + 1);

    arena_init(&a, (size_t)64 << 20);
    MUST(text);
    memcpy(text, data, len);
    text[len] = '\0';
    if (aws_ini_parse(&a, text, len, "fuzz", &ini, &error)) {
        check(&a, &ini);
    } else {
        MUST(strncmp(error.text, "fuzz:", 5) == 0 && error.text[5] >= '1' && error.text[5] <= '9');
        MUST(!strchr(error.text, '\n'));
    }
    aws_ini_wipe(&ini);
    for (size_t i = 0; i < len; i++)
        MUST(text[i] == '\0');
    free(text);
    arena_done(&a);
    return 0;
}
