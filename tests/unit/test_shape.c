/* JSON into structs by field tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/shape.h"

struct address {
    const char *network, *addr;
    int64_t version;
};

static const struct shape_field address_fields[] = {
    SHAPE_FIELD(struct address, addr, "addr", SHAPE_STRING),
    SHAPE_FIELD(struct address, version, "version", SHAPE_INT),
};
static const struct shape address_shape = {.size = sizeof(struct address),
                                           .fields = address_fields,
                                           .n_fields = ARRAY_LEN(address_fields),
                                           .key_offset = offsetof(struct address, network)};

struct flavor {
    const char *name;
    int64_t ram;
};

static const struct shape_field flavor_fields[] = {
    SHAPE_FIELD(struct flavor, name, "original_name", SHAPE_STRING),
    SHAPE_FIELD(struct flavor, ram, "ram", SHAPE_INT),
};
static const struct shape flavor_shape = {
    .size = sizeof(struct flavor), .fields = flavor_fields, .n_fields = ARRAY_LEN(flavor_fields)};

struct server {
    const char *id, *name, *host;
    int64_t progress;
    bool locked;
    struct flavor flavor;
    struct shape_list addresses, volumes;
    struct shape_strings tags;
    struct shape_map metadata;
};

static const struct shape_field server_fields[] = {
    SHAPE_FIELD(struct server, id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct server, name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct server, host, "OS-EXT-SRV-ATTR:host", SHAPE_STRING),
    SHAPE_FIELD(struct server, progress, "progress", SHAPE_INT),
    SHAPE_FIELD(struct server, locked, "locked", SHAPE_BOOL),
    SHAPE_NESTED(struct server, flavor, "flavor", SHAPE_STRUCT, flavor_shape),
    SHAPE_NESTED(struct server, addresses, "addresses", SHAPE_DICT, address_shape),
    SHAPE_NESTED(struct server, volumes, "volumes", SHAPE_LIST, address_shape),
    SHAPE_FIELD(struct server, tags, "tags", SHAPE_STRINGS),
    SHAPE_FIELD(struct server, metadata, "metadata", SHAPE_MAP),
};
static const struct shape server_shape = {
    .size = sizeof(struct server), .fields = server_fields, .n_fields = ARRAY_LEN(server_fields)};

struct answer {
    struct shape_list servers;
};

static const struct shape_field answer_fields[] = {
    SHAPE_NESTED(struct answer, servers, "servers", SHAPE_LIST, server_shape),
};
static const struct shape answer_shape = {
    .size = sizeof(struct answer), .fields = answer_fields, .n_fields = ARRAY_LEN(answer_fields)};

static struct arena arena;
static char why[160];

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct server parse_server(const char *json)
{
    struct server s = {0};

    *why = '\0';
    if (!shape_parse(&arena, json, strlen(json), &server_shape, &s, why))
        fail_msg("%s: %s", json, why);
    return s;
}

static void every_type_is_read(void **state)
{
    struct server s = parse_server(
        "{\"id\": \"42\", \"name\": \"w\\u00e9b\\n\", \"OS-EXT-SRV-ATTR:host\": null,"
        " \"progress\": 77, \"locked\": true,"
        " \"flavor\": {\"original_name\": \"m1\", \"ram\": 512, \"extra_specs\": {\"a\": [{}]}},"
        " \"addresses\": {\"private\": [{\"addr\": \"10.0.0.1\", \"version\": 4},"
        "                               {\"addr\": \"fd00::1\", \"version\": 6}],"
        "                 \"single\": {\"addr\": \"10.0.0.2\"}, \"none\": []},"
        " \"volumes\": [{\"addr\": \"a\"}, {\"addr\": \"b\"}, {}],"
        " \"tags\": [\"x\", \"y\", 3, true],"
        " \"metadata\": {\"k\": \"v\", \"n\": 1.50, \"t\": false}}");
    const struct address *a = s.addresses.items, *v = s.volumes.items;

    (void)state;
    assert_string_equal(s.id, "42");
    assert_string_equal(s.name, "w\xc3\xa9"
                                "b\n");
    assert_null(s.host);
    assert_int_equal(s.progress, 77);
    assert_true(s.locked);
    assert_string_equal(s.flavor.name, "m1");
    assert_int_equal(s.flavor.ram, 512);
    assert_int_equal(s.addresses.n, 3);
    assert_string_equal(a[0].network, "private");
    assert_string_equal(a[0].addr, "10.0.0.1");
    assert_int_equal(a[0].version, 4);
    assert_string_equal(a[1].network, "private");
    assert_string_equal(a[1].addr, "fd00::1");
    assert_string_equal(a[2].network, "single");
    assert_int_equal(a[2].version, 0);
    assert_int_equal(s.volumes.n, 3);
    assert_string_equal(v[1].addr, "b");
    assert_null(v[2].addr);
    assert_null(v[2].network);
    assert_int_equal(s.tags.n, 4);
    assert_string_equal(s.tags.items[0], "x");
    assert_string_equal(s.tags.items[2], "3");
    assert_string_equal(s.tags.items[3], "true");
    assert_int_equal(s.metadata.n, 3);
    assert_string_equal(shape_map_get(&s.metadata, "k"), "v");
    assert_string_equal(shape_map_get(&s.metadata, "n"), "1.50");
    assert_string_equal(shape_map_get(&s.metadata, "t"), "false");
    assert_null(shape_map_get(&s.metadata, "absent"));
}

static void what_nobody_asked_for_is_skipped(void **state)
{
    struct server s = parse_server(
        "{\"a\": {\"id\": \"no\", \"b\": [[[{\"id\": \"no\"}]]]}, \"c\": [1, \"id\", {\"id\": 2}],"
        " \"id\\u0000\": \"no\", \"id\\u0000x\": \"no\", \"id\": \"yes\", \"identity\": \"no\", "
        "\"i\": \"no\", \"\": \"no\", \"d\": null,"
        " \"flavor\": {\"id\": \"no\", \"x\": [\"ram\", 1]}, \"e\": -1.5e300}");

    (void)state;
    assert_string_equal(s.id, "yes");
    assert_null(s.flavor.name);
    assert_int_equal(s.flavor.ram, 0);
}

static void a_value_of_another_type_counts_as_absent(void **state)
{
    struct server s = parse_server(
        "{\"id\": {\"id\": \"x\"}, \"name\": [\"x\"], \"progress\": \"lots\", \"locked\": \"true\","
        " \"flavor\": \"m1\", \"addresses\": [{\"addr\": \"x\"}], \"volumes\": {\"addr\": \"x\"},"
        " \"tags\": {\"x\": \"y\"}, \"metadata\": [\"x\"]}");

    (void)state;
    assert_null(s.id);
    assert_null(s.name);
    assert_int_equal(s.progress, 0);
    assert_false(s.locked);
    assert_null(s.flavor.name);
    assert_int_equal(s.addresses.n, 0);
    assert_int_equal(s.volumes.n, 0);
    assert_int_equal(s.tags.n, 0);
    assert_int_equal(s.metadata.n, 0);

    s = parse_server("{\"flavor\": [1], \"tags\": [[\"no\"], {\"a\": 1}, null, \"yes\"],"
                     " \"metadata\": {\"a\": {\"b\": \"no\"}, \"c\": [1], \"d\": null, \"e\": 5},"
                     " \"volumes\": [1, \"x\", null, [{\"addr\": \"no\"}], {\"addr\": \"yes\"}],"
                     " \"addresses\": {\"p\": [1, [{\"addr\": \"no\"}], {\"addr\": \"yes\"}],"
                     "                 \"q\": \"no\", \"r\": null, \"s\": {\"addr\": \"too\"}},"
                     " \"progress\": null, \"locked\": 1}");
    assert_int_equal(s.tags.n, 1);
    assert_string_equal(s.tags.items[0], "yes");
    assert_int_equal(s.metadata.n, 1);
    assert_string_equal(s.metadata.items[0].key, "e");
    assert_int_equal(s.volumes.n, 1);
    assert_string_equal(((struct address *)s.volumes.items)[0].addr, "yes");
    assert_int_equal(s.addresses.n, 2);
    assert_string_equal(((struct address *)s.addresses.items)[0].network, "p");
    assert_string_equal(((struct address *)s.addresses.items)[1].network, "s");
    assert_string_equal(((struct address *)s.addresses.items)[1].addr, "too");
    assert_false(s.locked);
}

static void integers_are_read_as_far_as_they_fit(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } table[] = {
        {"0", 0},
        {"-0", 0},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", 0},
        {"-9223372036854775809", 0},
        {"99999999999999999999999999999999999999999999999999999999999999999999999999999999", 0},
        {"\"512\"", 512},
        {"\"-7\"", -7},
        {"\"\"", 0},
        {"\"-\"", 0},
        {"\"12 \"", 0},
        {"\"1.5\"", 0},
        {"1.9", 1},
        {"-1.9", -1},
        {"9007199254740993.5", 9007199254740993},
        {"2e3", 2000},
        {"25e-1", 2},
        {"1e400", 0},
        {"1e30", 0},
        {"true", 0},
    };
    char json[160];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        snprintf(json, sizeof(json), "{\"progress\": %s}", table[i].text);
        if (parse_server(json).progress != table[i].value)
            fail_msg("%s became %lld", table[i].text, (long long)parse_server(json).progress);
    }
}

static void scalars_are_text_where_text_is_wanted(void **state)
{
    struct server s = parse_server("{\"id\": 17, \"name\": true, \"OS-EXT-SRV-ATTR:host\": 1.0e2}");

    (void)state;
    assert_string_equal(s.id, "17");
    assert_string_equal(s.name, "true");
    assert_string_equal(s.host, "1.0e2");
}

static void the_last_of_two_members_counts(void **state)
{
    struct server s = parse_server("{\"id\": \"a\", \"tags\": [\"a\", \"b\"], \"id\": \"b\","
                                   " \"tags\": [\"c\"], \"volumes\": [{}, {}], \"volumes\": []}");

    (void)state;
    assert_string_equal(s.id, "b");
    assert_int_equal(s.tags.n, 1);
    assert_string_equal(s.tags.items[0], "c");
    assert_int_equal(s.volumes.n, 0);
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "[]",
        "[{\"id\": 1}]",
        "\"text\"",
        "17",
        "null",
        "{",
        "{\"id\"",
        "{\"id\": }",
        "{} {}",
        "{}x",
        "{\"id\": \"a\"",
        "{'id': 1}",
        "<html></html>",
        "{\"id\": \"\\ud800\"}x",
        "{\"id\": \"a\",}",
        "{\"id\": \"\xff\xfe\"}",
        "{\"id\" \"a\"}",
    };
    struct server s;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        memset(&s, 0, sizeof(s));
        *why = '\0';
        if (shape_parse(&arena, texts[i], strlen(texts[i]), &server_shape, &s, why))
            fail_msg("'%s' was taken", texts[i]);
        assert_true(*why != '\0');
    }
}

static void nesting_has_its_limit(void **state)
{
    static const char *const opening[] = {"[", "{\"a\":", "{\"flavor\":{\"x\":["};
    size_t room = 2 << 20;
    char *json = malloc(room), *at;
    struct server s;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(opening); i++) {
        at = json + sprintf(json, "{\"id\": \"deep\", \"x\": ");
        for (int n = 0; n < 100000; n++)
            at = stpcpy(at, opening[i]);
        memset(&s, 0, sizeof(s));
        assert_false(shape_parse(&arena, json, (size_t)(at - json), &server_shape, &s, why));
    }
    /* As deep as is allowed, in what is skipped. */
    at = json + sprintf(json, "{\"x\": ");
    for (int n = 1; n < JSON_DEPTH_MAX; n++)
        *at++ = '[';
    for (int n = 1; n < JSON_DEPTH_MAX; n++)
        *at++ = ']';
    strcpy(at, ", \"id\": \"deep\"}");
    s = parse_server(json);
    assert_string_equal(s.id, "deep");
    free(json);
}

/* A list that is long grows while its elements, which have lists of their own, are filled. */
static void long_lists_come_whole(void **state)
{
    enum { N = 10000 };
    size_t room = N * 400;
    char *json = malloc(room), *at = json, id[32];
    struct answer answer = {0};
    const struct server *s;

    (void)state;
    at += sprintf(at, "{\"servers\": [");
    for (int i = 0; i < N; i++)
        at += sprintf(at,
                      "%s{\"id\": \"id-%d\", \"x\": [1, 2, {}], \"metadata\": {\"n\": \"%d\"},"
                      " \"addresses\": {\"net-%d\": [{\"addr\": \"a%d\"}, {\"addr\": \"b\"},"
                      " {\"addr\": \"c\"}, {\"addr\": \"d\"}, {\"addr\": \"e%d\"}]}}",
                      i ? ", " : "", i, i, i, i, i);
    at += sprintf(at, "]}");
    assert_true(shape_parse(&arena, json, (size_t)(at - json), &answer_shape, &answer, why));
    assert_int_equal(answer.servers.n, N);
    s = answer.servers.items;
    for (int i = 0; i < N; i++) {
        const struct address *a = s[i].addresses.items;
        snprintf(id, sizeof(id), "id-%d", i);
        assert_string_equal(s[i].id, id);
        assert_string_equal(shape_map_get(&s[i].metadata, "n"), id + 3);
        assert_int_equal(s[i].addresses.n, 5);
        assert_string_equal(a[0].addr + 1, id + 3);
        assert_string_equal(a[4].addr + 1, id + 3);
        assert_string_equal(a[4].network + 4, id + 3);
    }
    free(json);
}

static void an_arena_that_is_full_is_a_failure(void **state)
{
    static const char *const texts[] = {
        "{\"id\": \"%s\"}",
        "{\"tags\": [\"%s\", \"%s\"]}",
        "{\"metadata\": {\"%s\": 1}}",
        "{\"volumes\": [{\"addr\": \"%s\"}]}",
    };
    size_t room = 300000;
    char *long_text = malloc(room), *json = malloc(room);
    struct server s;

    (void)state;
    memset(long_text, 'x', 100000);
    long_text[100000] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *from = texts[i], *mark;
        char *to = json;
        for (; (mark = strstr(from, "%s")); from = mark + 2) {
            memcpy(to, from, (size_t)(mark - from));
            to = stpcpy(to + (mark - from), long_text);
        }
        strcpy(to, from);
        arena_done(&arena);
        arena_init(&arena, 65536);
        memset(&s, 0, sizeof(s));
        assert_false(shape_parse(&arena, json, strlen(json), &server_shape, &s, why));
        assert_non_null(strstr(why, "does not fit"));
    }
    free(json);
    free(long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(what_nobody_asked_for_is_skipped),
        cmocka_unit_test(a_value_of_another_type_counts_as_absent),
        cmocka_unit_test(integers_are_read_as_far_as_they_fit),
        cmocka_unit_test(scalars_are_text_where_text_is_wanted),
        cmocka_unit_test(the_last_of_two_members_counts),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(nesting_has_its_limit),
        cmocka_unit_test(long_lists_come_whole),
        cmocka_unit_test(an_arena_that_is_full_is_a_failure),
    };
    struct CMUnitTest with_arena[ARRAY_LEN(tests)];

    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        with_arena[i] = tests[i];
        with_arena[i].setup_func = set_up;
        with_arena[i].teardown_func = tear_down;
    }
    return cmocka_run_group_tests(with_arena, NULL, NULL);
}
