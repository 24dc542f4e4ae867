/* Answers of EC2 and its like that libcloud has recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/xml.h"
#include "shared_data.h"

static struct arena arena;
static char why[160];

static void parse(const char *xml, const struct shape *shape, void *ret)
{
    if (!xml_parse(&arena, xml, strlen(xml), shape, ret, why))
        fail_msg("%s\n%s", why, xml);
}

/* The text of the element of that name that begins behind `*at`, which moves on; NULL where there
 * is no more. */
static const char *next_text(const char **at, const char *name)
{
    const char *from, *to;
    char *tag = arena_printf(&arena, "<%s>", name);

    if (!(from = strstr(*at, tag)))
        return NULL;
    from += strlen(tag);
    to = strchr(from, '<');
    *at = to;
    return arena_strndup(&arena, from, (size_t)(to - from));
}

/* Whether there is a text; both are the same or absent. */
static bool same_as(const char *wanted, const char *got)
{
    if ((wanted == NULL) != (got == NULL) || (wanted && strcmp(wanted, got) != 0))
        fail_msg("%s, not %s", got ? got : "absent", wanted ? wanted : "absent");
    return wanted != NULL;
}

static void recorded_answers_are_taken(void **state)
{
    static const struct shape_field fields[] = {{"requestId", SHAPE_STRING, 0, NULL}};
    static const struct shape shape = {sizeof(const char *), fields, 1, 0};
    DIR *folder = opendir(SHARED_DATA "/recorded/ec2");
    const struct dirent *entry;
    size_t files = 0, len, with_id = 0;

    (void)state;
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        char *path = arena_printf(&arena, SHARED_DATA "/recorded/ec2/%s", entry->d_name), *text;
        const char *id = NULL, *at;

        if (!strstr(entry->d_name, ".xml"))
            continue;
        at = text = read_shared(path, &len);
        parse(text, &shape, &id);
        with_id += same_as(next_text(&at, "requestId"), id);
        free(text);
        files++;
    }
    closedir(folder);
    print_message("%zu files, %zu with a request id\n", files, with_id);
    assert_true(files > 50 && with_id > files / 2);
}

static void machines_of_a_recorded_answer_are_all_there(void **state)
{
    static const struct shape_field machine[] = {{"instanceId", SHAPE_STRING, 0, NULL}};
    static const struct shape machine_shape = {sizeof(const char *), machine, 1, 0};
    static const struct shape_field reservation[] = {
        {"instancesSet", SHAPE_LIST, 0, &machine_shape}};
    static const struct shape reservation_shape = {sizeof(struct shape_list), reservation, 1, 0};
    static const struct shape_field answer[] = {
        {"reservationSet", SHAPE_LIST, 0, &reservation_shape}};
    static const struct shape answer_shape = {sizeof(struct shape_list), answer, 1, 0};
    size_t len;
    char *text = read_shared(SHARED_DATA "/recorded/ec2/describe_instances.xml", &len);
    const char *at = text;
    struct shape_list reservations = {0};

    (void)state;
    parse(text, &answer_shape, &reservations);
    assert_true(reservations.n > 1);
    for (size_t r = 0; r < reservations.n; r++) {
        const struct shape_list *machines = (const struct shape_list *)reservations.items + r;

        for (size_t i = 0; i < machines->n; i++)
            assert_true(
                same_as(next_text(&at, "instanceId"), ((const char *const *)machines->items)[i]));
    }
    assert_null(next_text(&at, "instanceId"));
    free(text);
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
        cmocka_unit_test_setup_teardown(recorded_answers_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(machines_of_a_recorded_answer_are_all_there, set_up,
                                        tear_down),
    };

    return have_shared_data(SHARED_DATA) ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
