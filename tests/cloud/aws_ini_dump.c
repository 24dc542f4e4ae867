/* aws_ini_dump: of each text on stdin, with NULs between them, a line of JSON: what the parser of
 * ~/.aws/config has found, section by section, or {"": {"mistake": ...}}. For test_aws_config.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_ini.h"
#include "isobar/json.h"

static void put(struct json_writer *w, const struct aws_ini *ini)
{
    json_begin_object(w, NULL);
    for (const struct aws_ini_section *s = ini->first; s != NULL; s = s->next) {
        json_begin_object(w, s->name);
        for (const struct aws_ini_value *v = s->first; v != NULL; v = v->next)
            json_put_string(w, v->key, v->text);
        json_end_object(w);
    }
    json_end_object(w);
}

static void show(const char *text)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct aws_ini ini;
    struct open_error error;
    struct buf out;
    buf_init(&out, 1 << 20);
    struct json_writer *w = json_writer_new(&out, false);
    if (aws_ini_parse(&arena, arena_strdup(&arena, text), strlen(text), "text", &ini, &error)) {
        put(w, &ini);
    } else {
        json_begin_object(w, NULL);
        json_begin_object(w, "");
        json_put_string(w, "mistake", error.text);
        json_end_object(w);
        json_end_object(w);
    }
    json_writer_free(w);
    printf("%s\n", buf_cstr(&out));
    buf_done(&out);
    arena_done(&arena);
}

int main(void)
{
    char *text = NULL;
    size_t room = 0;
    while (getdelim(&text, &room, '\0', stdin) >= 0)
        show(text);
    free(text);
    return 0;
}
