/* The cases of botocore's tests of the EC2 protocol: what their XML says, by tables made from the
 * model that is in the file, is what they say it should be.
 *
 * Left out is what a table cannot say: timestamps and blobs, which would come as text; lists of
 * lists and flattened lists, of which EC2's model has none. Real numbers are compared as text, and
 * so are the items of lists and maps that are no strings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "isobar/buf.h"
#include "kit/xml.h"
#include "shared_data.h"

/* A structure may hold itself; a struct cannot. */
#define DEPTH_MAX 8

struct member {
    const char *name, *shape, *location;
    bool flattened;
};

static const struct shape_field member_fields[] = {
    SHAPE_FIELD(struct member, shape, "shape", SHAPE_STRING),
    SHAPE_FIELD(struct member, location, "locationName", SHAPE_STRING),
    SHAPE_FIELD(struct member, flattened, "flattened", SHAPE_BOOL),
};
static const struct shape member_shape = {.size = sizeof(struct member),
                                          .fields = member_fields,
                                          .n_fields = ARRAY_LEN(member_fields),
                                          .key_offset = offsetof(struct member, name)};

struct model {
    const char *name, *type;
    struct shape_list members; /* of a structure */
    struct member item, value; /* of a list, of a map */
};

static const struct shape_field model_fields[] = {
    SHAPE_FIELD(struct model, type, "type", SHAPE_STRING),
    SHAPE_NESTED(struct model, members, "members", SHAPE_DICT, member_shape),
    SHAPE_NESTED(struct model, item, "member", SHAPE_STRUCT, member_shape),
    SHAPE_NESTED(struct model, value, "value", SHAPE_STRUCT, member_shape),
};
static const struct shape model_shape = {.size = sizeof(struct model),
                                         .fields = model_fields,
                                         .n_fields = ARRAY_LEN(model_fields),
                                         .key_offset = offsetof(struct model, name)};

struct given {
    struct member output;
    struct shape_list errors;
};

/* What a case should come to is in JSON, and is read by a table that is made of the same model: it
 * lies behind this. */
struct test_case {
    const char *id, *code, *message;
    struct given given;
    struct {
        const char *body;
    } response;
};

static const struct shape_field given_fields[] = {
    SHAPE_NESTED(struct given, output, "output", SHAPE_STRUCT, member_shape),
    SHAPE_NESTED(struct given, errors, "errors", SHAPE_LIST, member_shape),
};
static const struct shape given_shape = {
    .size = sizeof(struct given), .fields = given_fields, .n_fields = ARRAY_LEN(given_fields)};
static const struct shape_field response_fields[] = {{"body", SHAPE_STRING, 0, NULL}};
static const struct shape response_shape = {.fields = response_fields, .n_fields = 1};

enum { CASE_FIELDS = 5 };
static const struct shape_field case_fields[CASE_FIELDS] = {
    SHAPE_FIELD(struct test_case, id, "id", SHAPE_STRING),
    SHAPE_FIELD(struct test_case, code, "errorCode", SHAPE_STRING),
    SHAPE_FIELD(struct test_case, message, "errorMessage", SHAPE_STRING),
    SHAPE_NESTED(struct test_case, given, "given", SHAPE_STRUCT, given_shape),
    SHAPE_NESTED(struct test_case, response, "response", SHAPE_STRUCT, response_shape),
};

struct group {
    struct shape_list models, cases;
};

struct file {
    struct shape_list groups;
};

static struct arena arena;
static char why[160];

/* The file with all of its groups; the results of its cases by that table. */
static struct file read_cases(const struct shape *result, const char *result_name)
{
    struct shape_field fields[CASE_FIELDS + 1];
    struct shape case_shape = {.fields = fields, .n_fields = ARRAY_LEN(fields)};
    const struct shape_field group_fields[] = {
        SHAPE_NESTED(struct group, models, "shapes", SHAPE_DICT, model_shape),
        SHAPE_NESTED(struct group, cases, "cases", SHAPE_LIST, case_shape),
    };
    const struct shape group_shape = {sizeof(struct group), group_fields, 2, 0};
    const struct shape_field groups = {"groups", SHAPE_LIST, 0, &group_shape};
    const struct shape file_shape = {sizeof(struct file), &groups, 1, 0};
    struct file file = {0};
    struct buf json CLEANUP(buf_done);
    size_t len;
    char *text = read_shared(SHARED_DATA "/ec2-protocol/output.json", &len);

    case_shape.size = sizeof(struct test_case) + (result ? result->size : 0);
    memcpy(fields, case_fields, sizeof(case_fields));
    fields[CASE_FIELDS] =
        (struct shape_field){result_name, SHAPE_STRUCT, sizeof(struct test_case), result};
    case_shape.n_fields -= !result;
    buf_init(&json, SIZE_MAX);
    assert_true(buf_addf(&json, "{\"groups\": %s}", text));
    free(text);
    if (!shape_parse(&arena, json.data, json.len, &file_shape, &file, why))
        fail_msg("%s", why);
    return file;
}

static const struct model *find_model(const struct group *g, const char *name)
{
    const struct model *models = g->models.items;

    for (size_t i = 0; i < g->models.n; i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    fail_msg("no shape %s", name);
    return NULL;
}

static bool is_type(const struct model *m, const char *types)
{
    const char *at = strstr(types, m->type);

    return at && at[strlen(m->type)] == ' ';
}

/* The type of field for a member, or -1 where there is none. */
static int field_type(const struct group *g, const struct member *m)
{
    const struct model *model = find_model(g, m->shape);

    if (is_type(model, "string float double "))
        return SHAPE_STRING;
    if (is_type(model, "integer long "))
        return SHAPE_INT;
    if (is_type(model, "boolean "))
        return SHAPE_BOOL;
    if (is_type(model, "structure "))
        return SHAPE_STRUCT;
    if (is_type(model, "map "))
        return is_type(find_model(g, model->value.shape), "string integer ") ? SHAPE_MAP : -1;
    if (!is_type(model, "list ") || m->flattened)
        return -1;
    model = find_model(g, model->item.shape);
    if (is_type(model, "structure "))
        return SHAPE_LIST;
    return is_type(model, "string integer boolean ") ? SHAPE_STRINGS : -1;
}

/* The table of a structure, with the names of JSON or those of XML; both have one layout. */
static const struct shape *make_shape(const struct group *g, const char *name, bool xml,
                                      unsigned depth)
{
    static const size_t sizes[] = {
        [SHAPE_STRING] = sizeof(const char *),    [SHAPE_INT] = sizeof(int64_t),
        [SHAPE_BOOL] = sizeof(int64_t),           [SHAPE_STRUCT] = 0,
        [SHAPE_LIST] = sizeof(struct shape_list), [SHAPE_STRINGS] = sizeof(struct shape_strings),
        [SHAPE_MAP] = sizeof(struct shape_map),
    };
    const struct model *model = find_model(g, name);
    struct shape *shape = ARENA_NEW(&arena, struct shape);
    struct shape_field *fields = arena_array(&arena, model->members.n + 1, sizeof(*fields));

    assert_true(shape && fields);
    shape->fields = fields;
    for (size_t i = 0; i < model->members.n; i++) {
        const struct member *m = (const struct member *)model->members.items + i;
        struct shape_field *f = &fields[shape->n_fields];
        int type = field_type(g, m);
        const char *inner = m->shape;

        if (type < 0 || (type == SHAPE_STRUCT && depth == DEPTH_MAX))
            continue;
        if (type == SHAPE_LIST)
            inner = find_model(g, inner)->item.shape;
        f->name = xml && m->location ? m->location : m->name;
        f->type = (enum shape_type)type;
        f->offset = shape->size;
        if (type == SHAPE_STRUCT || type == SHAPE_LIST)
            f->shape = make_shape(g, inner, xml, depth + 1);
        shape->size += type == SHAPE_STRUCT ? f->shape->size : sizes[type];
        shape->n_fields++;
    }
    return shape;
}

static size_t same_text(const char *name, const char *wanted, const char *got)
{
    if ((wanted == NULL) != (got == NULL) || (wanted && strcmp(wanted, got) != 0))
        fail_msg("%s: %s, not %s", name, got ? got : "absent", wanted ? wanted : "absent");
    return wanted != NULL;
}

static size_t same(const struct shape *shape, const char *wanted, const char *got);

/* How many values a field of one struct has, all of which the other one has too. */
static size_t same_field(const struct shape_field *f, const void *wanted, const void *got)
{
    const struct shape_list *list = wanted, *got_list = got;
    const struct shape_strings *strings = wanted, *got_strings = got;
    const struct shape_map *map = wanted, *got_map = got;
    size_t values = 0;

    switch (f->type) {
    case SHAPE_STRING:
        return same_text(f->name, *(const char *const *)wanted, *(const char *const *)got);
    case SHAPE_INT:
    case SHAPE_BOOL:
        assert_memory_equal(wanted, got, sizeof(int64_t));
        return *(const int64_t *)wanted != 0;
    case SHAPE_STRUCT:
        return same(f->shape, wanted, got);
    case SHAPE_LIST:
        assert_int_equal(got_list->n, list->n);
        for (size_t i = 0, at = 0; i < list->n; i++, at += f->shape->size)
            values +=
                same(f->shape, (const char *)list->items + at, (const char *)got_list->items + at);
        return values;
    case SHAPE_STRINGS:
        assert_int_equal(got_strings->n, strings->n);
        for (size_t i = 0; i < strings->n; i++)
            values += same_text(f->name, strings->items[i], got_strings->items[i]);
        return values;
    default:
        assert_int_equal(got_map->n, map->n);
        for (size_t i = 0; i < map->n; i++)
            values +=
                same_text(f->name, map->items[i].value, shape_map_get(got_map, map->items[i].key));
        return values;
    }
}

static size_t same(const struct shape *shape, const char *wanted, const char *got)
{
    size_t values = 0;

    for (size_t i = 0; i < shape->n_fields; i++)
        values += same_field(&shape->fields[i], wanted + shape->fields[i].offset,
                             got + shape->fields[i].offset);
    return values;
}

static void parse(const char *xml, const struct shape *shape, void *ret)
{
    if (!xml_parse(&arena, xml, strlen(xml), shape, ret, why))
        fail_msg("%s\n%s", why, xml);
}

/* What is in an error stands two elements deeper. */
static const struct shape *wrap_error(const struct shape *error)
{
    static const char *const names[] = {"Error", "Errors"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct shape *outer = ARENA_NEW(&arena, struct shape);
        struct shape_field *field = ARENA_NEW(&arena, struct shape_field);

        assert_true(outer && field);
        *field = (struct shape_field){names[i], SHAPE_STRUCT, 0, error};
        *outer = (struct shape){.size = error->size, .fields = field, .n_fields = 1};
        error = outer;
    }
    return error;
}

static void check_error(const struct test_case *c)
{
    static const struct shape_field fields[] = {
        {"Code", SHAPE_STRING, 0, NULL},
        {"Message", SHAPE_STRING, sizeof(const char *), NULL},
    };
    static const struct shape shape = {2 * sizeof(const char *), fields, 2, 0};
    const char *got[2] = {0};

    parse(c->response.body, wrap_error(&shape), got);
    assert_string_equal(got[0], c->code);
    assert_non_null(got[1]);
    if (c->message)
        assert_string_equal(got[1], c->message);
}

/* Cases whose values no table can say, and those that have none. */
static bool has_no_values(const char *id)
{
    static const char *const marks[] = {"DateTime",   "Timestamps", "Blobs",
                                        "EmptyInput", "NoInput",    "EmptyLists"};

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strstr(id, marks[i]))
            return true;
    return false;
}

static size_t check_group(size_t index)
{
    struct file file = read_cases(NULL, NULL);
    const struct group *g = (const struct group *)file.groups.items + index;
    const struct test_case *first = g->cases.items;
    bool fails = first->code != NULL;
    const char *name = fails ? ((const struct member *)first->given.errors.items)->shape
                             : first->given.output.shape;
    const struct shape *wanted = make_shape(g, name, false, 0),
                       *shape = make_shape(g, name, true, 0);
    const char *at;
    size_t n = g->cases.n;

    file = read_cases(wanted, fails ? "error" : "result");
    at = ((const struct group *)file.groups.items + index)->cases.items;
    for (size_t i = 0; i < n; i++, at += sizeof(struct test_case) + wanted->size) {
        const struct test_case *c = (const void *)at;
        void *got = arena_alloc(&arena, shape->size);
        size_t values;

        assert_non_null(got);
        parse(c->response.body, fails ? wrap_error(shape) : shape, got);
        values = same(wanted, at + sizeof(*c), got);
        if ((values == 0) != has_no_values(c->id))
            fail_msg("%s: %zu values", c->id, values);
        if (fails)
            check_error(c);
    }
    return n;
}

static void cases_of_the_protocol_come_out_alike(void **state)
{
    size_t cases = 0, groups = read_cases(NULL, NULL).groups.n;

    (void)state;
    for (size_t i = 0; i < groups; i++)
        cases += check_group(i);
    print_message("%zu groups, %zu cases\n", groups, cases);
    assert_true(cases >= 28);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cases_of_the_protocol_come_out_alike, set_up, tear_down),
    };

    return have_shared_data(SHARED_DATA) ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
