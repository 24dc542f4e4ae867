/* XML into structs by field tables: what is read, and what is skipped. */
#include "xml_fixture.h"

struct answer {
    struct shape_list machines;
    const char *next;
};

static const struct shape_field answer_fields[] = {
    SHAPE_NESTED(struct answer, machines, "instancesSet", SHAPE_LIST, machine_shape),
    SHAPE_FIELD(struct answer, next, "nextToken", SHAPE_STRING),
};
static const struct shape answer_shape = {
    .size = sizeof(struct answer), .fields = answer_fields, .n_fields = ARRAY_LEN(answer_fields)};

static void every_type_is_read(void **state)
{
    struct machine m = parse(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<R xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
        "  <instanceId>i-1</instanceId>\n  <name>R&amp;D &#x77;\xc3\xa9\n&lt;b&gt; </name>\n"
        "  <amiLaunchIndex>-77</amiLaunchIndex>\n  <ebsOptimized>true</ebsOptimized>\n"
        "  <rootDevice>\n    <volumeId>vol-0</volumeId>\n    <size>8</size>\n  </rootDevice>\n"
        "  <blockDeviceMapping>\n    <item><volumeId>vol-1</volumeId></item>\n    <item/>\n"
        "    <item><encrypted>true</encrypted><size>9</size></item>\n  </blockDeviceMapping>\n"
        "  <groupSet>\n    <item>a</item>\n    <item></item>\n    <item>c</item>\n  </groupSet>\n"
        "  <tagSet>\n    <item>\n      <key>Name</key>\n      <value>web</value>\n    </item>\n"
        "    <item><value>ops</value><key>team</key></item>\n    <item><key>e</key></item>\n"
        "    <item><value>hush</value></item>\n  </tagSet>\n</R>\n");
    const struct disk *d = m.disks.items;

    (void)state;
    assert_string_equal(m.id, "i-1");
    assert_string_equal(m.name, "R&D w\xc3\xa9\n<b> ");
    assert_int_equal(m.index, -77);
    assert_true(m.optimized);
    assert_string_equal(m.root.id, "vol-0");
    assert_int_equal(m.root.size, 8);
    assert_false(m.root.encrypted);
    assert_int_equal(m.disks.n, 3);
    assert_string_equal(d[0].id, "vol-1");
    assert_null(d[1].id);
    assert_int_equal(d[1].size, 0);
    assert_int_equal(d[2].size, 9);
    assert_true(d[2].encrypted);
    assert_int_equal(m.groups.n, 3);
    assert_string_equal(m.groups.items[0], "a");
    assert_string_equal(m.groups.items[1], "");
    assert_string_equal(m.groups.items[2], "c");
    assert_int_equal(m.tags.n, 3);
    assert_string_equal(m.tags.items[0].key, "Name");
    assert_string_equal(m.tags.items[0].value, "web");
    assert_string_equal(shape_map_get(&m.tags, "team"), "ops");
    assert_string_equal(shape_map_get(&m.tags, "e"), "");
}

static void what_is_empty_is_not_absent(void **state)
{
    struct machine m = parse("<R><instanceId/><amiLaunchIndex/><ebsOptimized/><rootDevice/>"
                             "<groupSet/><tagSet></tagSet><blockDeviceMapping/></R>");

    (void)state;
    assert_string_equal(m.id, "");
    assert_null(m.name);
    assert_int_equal(m.index, 0);
    assert_false(m.optimized);
    assert_null(m.root.id);
    assert_int_equal(m.groups.n, 0);
    assert_int_equal(m.tags.n, 0);
    assert_int_equal(m.disks.n, 0);
    m = parse("<R/>");
    assert_null(m.id);
}

static void what_nobody_asked_for_is_skipped(void **state)
{
    struct machine m =
        parse("<R instanceId=\"no\"><a><instanceId>no</instanceId><b><name>no</name></b>no</a>"
              "no<instanceIds>no</instanceIds><i>no</i><key>no</key><instanceI>no</instanceI>"
              "<instanceId a=\"no\" b='no'>yes</instanceId>no<dict><volumeId>no</volumeId></dict>"
              "<tagSet><item>no<x><key>no</key></x><key>k</key><value>v</value></item>no</tagSet>"
              "<rootDevice>no<x/><y><size>5</size></y><size>6</size></rootDevice></R>");

    (void)state;
    assert_string_equal(m.id, "yes");
    assert_null(m.name);
    assert_int_equal(m.dict.n, 0);
    assert_int_equal(m.tags.n, 1);
    assert_string_equal(shape_map_get(&m.tags, "k"), "v");
    assert_int_equal(m.root.size, 6);
    assert_null(m.root.id);
}

static void prefixes_count_for_nothing(void **state)
{
    struct machine m = parse("<e:R xmlns:e=\"http://x/\" xmlns='y'><e:instanceId>i</e:instanceId>"
                             "<undeclared:tagSet><e:item><e:key>k</e:key><f:value>v</f:value>"
                             "</e:item></undeclared:tagSet></e:R>");

    (void)state;
    assert_string_equal(m.id, "i");
    assert_string_equal(shape_map_get(&m.tags, "k"), "v");
}

static void text_comes_whole_however_it_is_written(void **state)
{
    struct machine m =
        parse("<R><instanceId>a<!-- no -->b<![CDATA[<&]]]]><![CDATA[>]]>&quot;<?p no?>"
              "&#65;&apos;\r\n</instanceId><!-- <name>no</name> -->"
              "<?x <name>no</name>?><![CDATA[<name>no</name>]]></R>");

    (void)state;
    assert_string_equal(m.id, "ab<&]]>\"A'\n");
    assert_null(m.name);
}

static void a_value_of_another_type_counts_as_absent(void **state)
{
    struct machine m = parse(
        "<R><instanceId>a<b>no</b>c</instanceId><name><x/></name><amiLaunchIndex>1.5</"
        "amiLaunchIndex>"
        "<ebsOptimized>True</ebsOptimized><rootDevice>no</rootDevice><groupSet>no<item><x>no</x></"
        "item>"
        "<item>yes</item></groupSet><tagSet>no<item>no</item><item><key>k<x/></key><value>v</value>"
        "</item><item><key>t</key><value>v<x/></value></item></tagSet>"
        "<blockDeviceMapping>no</blockDeviceMapping></R>");

    (void)state;
    assert_null(m.id);
    assert_null(m.name);
    assert_int_equal(m.index, 0);
    assert_false(m.optimized);
    assert_null(m.root.id);
    assert_int_equal(m.groups.n, 1);
    assert_string_equal(m.groups.items[0], "yes");
    assert_int_equal(m.tags.n, 1);
    assert_string_equal(shape_map_get(&m.tags, "t"), "");
    assert_int_equal(m.disks.n, 0);
}

static void the_last_of_two_fields_counts(void **state)
{
    struct machine m =
        parse("<R><instanceId>a</instanceId><groupSet><item>a</item><item>b</item>"
              "</groupSet><ebsOptimized>true</ebsOptimized><instanceId>b</instanceId>"
              "<groupSet><item>c</item></groupSet><ebsOptimized>false</ebsOptimized>"
              "<tagSet><item><key>k</key><value>v</value></item></tagSet><tagSet/></R>");

    (void)state;
    assert_string_equal(m.id, "b");
    assert_int_equal(m.groups.n, 1);
    assert_string_equal(m.groups.items[0], "c");
    assert_false(m.optimized);
    assert_int_equal(m.tags.n, 0);
}

static void encodings_become_utf8(void **state)
{
    struct machine m;

    (void)state;
    m = parse("\xef\xbb\xbf<R><instanceId>\xf0\x9f\x8c\xa7</instanceId></R>");
    assert_string_equal(m.id, "\xf0\x9f\x8c\xa7");
    m = parse("<?xml version='1.0' encoding='ISO-8859-1'?><R><instanceId>\xe9</instanceId></R>");
    assert_string_equal(m.id, "\xc3\xa9");
    m = parse("<?xml version='1.0' encoding='us-ascii'?><R><instanceId>e</instanceId></R>");
    assert_string_equal(m.id, "e");
    m = parse("<R><instanceId>&#x1F327;&#xE9;</instanceId></R>");
    assert_string_equal(m.id, "\xf0\x9f\x8c\xa7\xc3\xa9");
}

/* A list that is long grows while its elements, which have lists of their own, are filled; its text
 * is cut at any place by the pieces that Expat gets. */
static void long_lists_come_whole(void **state)
{
    enum { N = 10000 };
    char *xml = malloc(N * 300), *at = xml, id[32];
    struct answer answer = {0};
    const struct machine *m;

    (void)state;
    at += sprintf(at, "<R>\n<instancesSet>\n");
    for (int i = 0; i < N; i++)
        at +=
            sprintf(at,
                    "<item>\n <instanceId>i-%d</instanceId><x><instanceId>no</instanceId></x>\n"
                    " <tagSet><item><key>Name</key><value>R&amp;\xc3\xa9%d</value></item></tagSet>"
                    "<groupSet><a>1</a><a>2</a><a>3</a><a>4</a><a>g-%d</a></groupSet>\n</item>\n",
                    i, i, i);
    at += sprintf(at, "</instancesSet>\n<nextToken>n</nextToken>\n</R>\n");
    assert_true(xml_parse(&arena, xml, (size_t)(at - xml), &answer_shape, &answer, why));
    assert_int_equal(answer.machines.n, N);
    assert_string_equal(answer.next, "n");
    m = answer.machines.items;
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "R&\xc3\xa9%d", i);
        assert_string_equal(m[i].id + 2, id + 4);
        assert_int_equal(m[i].tags.n, 1);
        assert_string_equal(m[i].tags.items[0].value, id);
        assert_int_equal(m[i].groups.n, 5);
        assert_string_equal(m[i].groups.items[4] + 2, id + 4);
    }
    free(xml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(what_is_empty_is_not_absent),
        cmocka_unit_test(what_nobody_asked_for_is_skipped),
        cmocka_unit_test(prefixes_count_for_nothing),
        cmocka_unit_test(text_comes_whole_however_it_is_written),
        cmocka_unit_test(a_value_of_another_type_counts_as_absent),
        cmocka_unit_test(the_last_of_two_fields_counts),
        cmocka_unit_test(encodings_become_utf8),
        cmocka_unit_test(long_lists_come_whole),
    };
    struct CMUnitTest with_arena[ARRAY_LEN(tests)];

    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        with_arena[i] = tests[i];
        with_arena[i].setup_func = set_up;
        with_arena[i].teardown_func = tear_down;
    }
    return cmocka_run_group_tests(with_arena, NULL, NULL);
}
