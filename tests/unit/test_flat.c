/* JSON as flat maps, and pages as one list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/flat.h"
#include "kit/gather.h"

struct thing {
    const char *other;
    struct shape_map all;
};

static struct arena arena;
static struct thing things[4];

/* "a=1 b=2" */
static const char *text_of(const struct thing *t)
{
    const char *text = "";

    for (size_t i = 0; i < t->all.n; i++)
        text = arena_printf(&arena, "%s%s%s=%s", text, i > 0 ? " " : "", t->all.items[i].key,
                            t->all.items[i].value);
    return text;
}

static bool parse(const char *json, const char *path, size_t n, const char *const *skipped)
{
    const struct flat flat = {
        path, "properties", skipped, things, n, sizeof(*things), offsetof(struct thing, all)};

    memset(things, 0, sizeof(things));
    return flat_parse(&arena, json, strlen(json), &flat);
}

static void test_one(void **state)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"{}", ""},
        {"{\"a\":1,\"b\":\"x\",\"c\":true,\"d\":false,\"e\":null,\"f\":\"\"}",
         "a=1 b=x c=true d=false"},
        {"{\"a\":{\"b\":{\"c\":1}},\"d\":2}", "a.b.c=1 d=2"},
        {"{\"a\":{\"b\":1},\"c\":{},\"d\":[],\"e\":{\"f\":[]}}", "a.b=1"},
        {"{\"properties\":{\"a\":{\"properties\":{\"b\":1}}}}", "a.b=1"},
        {"{\"a\":[{\"b\":1},{\"b\":2,\"c\":[{\"d\":3}]}],\"e\":4}",
         "a.1.b=1 a.2.b=2 a.2.c.1.d=3 e=4"},
        {"{\"a\":[\"x\",1,null,true],\"b\":[\"y\"]}", "a=x, 1, true b=y"},
        {"{\"a\":[[\"x\",\"y\"],[{\"b\":1}]],\"c\":2}", "a.1=x, y a.2.1.b=1 c=2"},
        {"{\"a\":[{\"b\":1},\"x\"]}", "a.1.b=1 a=x"},
        {"{\"a\":1,\"a\":2}", "a=1 a=2"},
        {"{\"\":1,\"b\":{\"\":{\"c\":1}},\"d\":2}", "d=2"},
        {"{\"skip\":1,\"a\":{\"skip\":{\"b\":[1,{}]},\"c\":1},\"x\":[{\"y\":1,\"z\":2}]}",
         "a.c=1 x.1.z=2"},
        {"[{\"a\":1}]", ""},
    };
    static const char *const skipped[] = {"skip", "a.skip", "x.y", NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(parse(rows[i].json, "", 1, skipped));
        if (rows[i].json[0] == '[') /* its elements are not in a list of the text */
            continue;
        assert_string_equal(text_of(&things[0]), rows[i].text);
    }
}

static void test_several(void **state)
{
    static const char json[] =
        "{\"a\":0,\"value\":[{\"a\":1},7,[{\"a\":8}],null,{\"value\":[{\"a\":9}]},"
        "{\"properties\":{\"in\":[{\"b\":1},{\"b\":2}]},\"c\":3}],\"next\":\"x\",\"other\":{"
        "\"value\":"
        "[{\"a\":10}]}}";
    static const char *const none[] = {NULL};

    (void)state;
    assert_true(parse(json, "value", 4, none));
    assert_string_equal(text_of(&things[0]), "a=1");
    assert_string_equal(text_of(&things[1]), "value.1.a=9");
    assert_string_equal(text_of(&things[2]), "in.1.b=1 in.2.b=2 c=3");
    assert_int_equal(things[3].all.n, 0);
    /* No more than there are structs for. */
    assert_true(parse(json, "value", 1, none));
    assert_int_equal(things[1].all.n, 0);
    assert_true(parse(json, "value.in", 4, none));
    assert_string_equal(text_of(&things[0]), "b=1");
    assert_string_equal(text_of(&things[1]), "b=2");
    assert_int_equal(things[2].all.n, 0);
    assert_true(parse(json, "nothing", 4, NULL));
    assert_int_equal(things[0].all.n, 0);
}

static void test_hostile(void **state)
{
    size_t len = 1 << 20;
    char *json = malloc(len + 1);

    (void)state;
    assert_false(parse("{\"a\":", "", 1, NULL));
    assert_false(parse("", "", 1, NULL));
    memset(json, '[', len);
    json[len] = '\0';
    assert_false(parse(json, "", 1, NULL));
    /* As deep as JSON may be. */
    strcpy(json, "{\"a\":");
    memset(json + 5, '[', 63);
    strcpy(json + 5 + 63, "7");
    memset(json + 5 + 64, ']', 63);
    strcpy(json + 5 + 64 + 63, "}");
    assert_true(parse(json, "", 1, NULL));
    /* Names of any length; what has too long a path is left out. */
    strcpy(json, "{\"");
    memset(json + 2, 'n', 600);
    strcpy(json + 602, "\":{\"b\":1},\"c\":2}");
    assert_true(parse(json, "", 1, NULL));
    assert_string_equal(text_of(&things[0]), "c=2");
    json[200] = '"';
    memcpy(json + 201, ":{\"", 3);
    memcpy(json + 400, "\":{\"", 4);
    strcpy(json + 602, "\":{\"b\":1}}},\"c\":2}");
    assert_true(parse(json, "", 1, NULL));
    assert_string_equal(text_of(&things[0]), "c=2");
    /* A long list of texts takes memory for its length alone. */
    size_t at = (size_t)sprintf(json, "{\"a\":[");
    while (at < len - 10)
        at += (size_t)sprintf(json + at, "%s\"x\"", json[at - 1] == '[' ? "" : ",");
    strcpy(json + at, "]}");
    size_t before = arena.total;
    assert_true(parse(json, "", 1, NULL));
    assert_true(arena.total - before < 40 * len);
    assert_true(strlen(things[0].all.items[0].value) > len / 2);
    free(json);
}

static void test_no_memory(void **state)
{
    struct arena small;
    const struct flat flat = {
        "", NULL, NULL, things, 1, sizeof(*things), offsetof(struct thing, all)};
    char json[4096];
    size_t at = (size_t)sprintf(json, "{\"a\":0");

    (void)state;
    while (at < sizeof(json) - 20)
        at += (size_t)sprintf(json + at, ",\"b%zu\":1", at);
    strcpy(json + at, "}");
    memset(things, 0, sizeof(things));
    arena_init(&small, 2048);
    assert_false(flat_parse(&small, json, strlen(json), &flat));
    arena_done(&small);
}

/* ---- Pages ---- */

static void test_gather(void **state)
{
    int numbers[] = {1, 2, 3, 4, 5, 6, 7};
    struct gathering g = {.size = sizeof(int)};

    (void)state;
    assert_true(gather(&arena, &g, &(struct shape_list){0, NULL}));
    assert_true(gather(&arena, &g, &(struct shape_list){2, numbers}));
    assert_ptr_equal(g.all.items, numbers); /* one page is not copied */
    assert_true(gather(&arena, &g, &(struct shape_list){0, NULL}));
    for (size_t i = 2; i < ARRAY_LEN(numbers); i++)
        assert_true(gather(&arena, &g, &(struct shape_list){1, &numbers[i]}));
    assert_int_equal(g.all.n, ARRAY_LEN(numbers));
    assert_memory_equal(g.all.items, numbers, sizeof(numbers));
    struct arena small;
    arena_init(&small, 64);
    struct gathering full = {.size = 4096};
    char pages[2][4096] = {{0}};
    assert_true(gather(&small, &full, &(struct shape_list){1, pages[0]}));
    assert_false(gather(&small, &full, &(struct shape_list){1, pages[1]}));
    arena_done(&small);
}

static void test_gather_once(void **state)
{
    static const struct named {
        const char *id;
        int number;
    } rows[] = {{"a", 1}, {NULL, 2}, {"b", 3}, {"a", 4}, {NULL, 5},
                {"c", 6}, {"b", 7},  {"", 8},  {"a", 9}, {"", 10}},
      wanted[] = {{"a", 9}, {NULL, 2}, {"b", 7}, {NULL, 5}, {"c", 6}, {"", 10}};
    struct gathering g = {.size = sizeof(struct named)};

    (void)state;
    assert_true(gather_once(&arena, &g));
    assert_int_equal(g.all.n, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct named *page = arena_array(&arena, 1, sizeof(*page));
        *page = rows[i];
        assert_true(gather(&arena, &g, &(struct shape_list){1, page}));
    }
    assert_true(gather_once(&arena, &g));
    assert_int_equal(g.all.n, ARRAY_LEN(wanted));
    const struct named *is = g.all.items;
    for (size_t i = 0; i < g.all.n; i++) {
        assert_int_equal(is[i].number, wanted[i].number);
        assert_ptr_equal(is[i].id == NULL, wanted[i].id == NULL);
    }
    /* Many, each twice. */
    enum { MANY = 5000 };
    g = (struct gathering){.size = sizeof(struct named)};
    for (int i = 0; i < 2 * MANY; i++) {
        struct named *page = arena_array(&arena, 1, sizeof(*page));
        *page = (struct named){arena_printf(&arena, "%d", i % MANY), i};
        assert_true(gather(&arena, &g, &(struct shape_list){1, page}));
    }
    assert_true(gather_once(&arena, &g));
    assert_int_equal(g.all.n, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(((const struct named *)g.all.items)[i].number, MANY + i);
    struct arena small;
    arena_init(&small, 64);
    assert_false(gather_once(&small, &g));
    arena_done(&small);
}

/* However long the ring is, and whatever leads into it. */
static void test_rings(void **state)
{
    (void)state;
    for (int before = 0; before < 20; before++) {
        for (int ring = 1; ring < 20; ring++) {
            struct page_walk w = {0};
            char names[40][16];
            int at = 0, steps = 0;
            for (int i = 0; i < before + ring; i++)
                snprintf(names[i], sizeof(names[i]), "p%d", i);
            while (page_walk_on(&w, names[at])) {
                at = at + 1 < before + ring ? at + 1 : before;
                assert_true(++steps < 200);
            }
        }
    }
    /* A page that comes again once or twice is none. */
    static const char *const back[] = {"a", "b", "a", "b", "c", "d", "c", "e"};
    struct page_walk w = {0};
    for (size_t i = 0; i < ARRAY_LEN(back); i++)
        assert_true(page_walk_on(&w, back[i]));
    w = (struct page_walk){0};
    char name[16];
    const char *last = NULL;
    int steps = 0;
    do {
        snprintf(name, sizeof(name), "%d", ++steps);
        last = arena_strdup(&arena, name);
    } while (page_walk_on(&w, last));
    assert_int_equal(steps, 10000);
}

static void test_apart(void **state)
{
    struct op op = {.arena = &arena, .token = "t", .result = result_new(&arena)}, apart;
    struct arena scratch;

    (void)state;
    assert_true(op_apart(&op, &scratch, &apart));
    assert_ptr_equal(apart.arena, &scratch);
    assert_int_equal(scratch.cap, arena.cap);
    op_warn(&op, "stays");
    op_native(&apart, 404, "Code", "words", "id");
    op_fail(&apart, RESULT_CODE_NOT_FOUND, "no %s", "thing");
    assert_int_equal(op_tell_apart(&op, &apart, RESULT_CODE_OK), RESULT_CODE_OK);
    assert_string_equal(op.result->detail, "");
    assert_int_equal(op_tell_apart(&op, &apart, RESULT_CODE_NOT_FOUND), RESULT_CODE_NOT_FOUND);
    arena_done(&scratch);
    assert_string_equal(op.result->detail, "no thing");
    assert_string_equal(op.result->native->code, "Code");
    assert_int_equal(op.result->n_warnings, 1);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)256 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),     cmocka_unit_test(test_several),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_gather),  cmocka_unit_test(test_gather_once),
        cmocka_unit_test(test_rings),   cmocka_unit_test(test_apart),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
