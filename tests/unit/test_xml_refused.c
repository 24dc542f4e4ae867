/* XML that is wrong or hostile, and XML that is large. */
#include "isobar/utf8.h"
#include "xml_fixture.h"

/* A document of some bytes that are given with their length. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void what_is_no_xml_is_refused(void **state)
{
    static const struct {
        const char *xml;
        size_t len;
    } table[] = {
        BYTES(""),
        BYTES(" \n"),
        BYTES("hush"),
        BYTES("{\"instanceId\": \"hush\"}"),
        BYTES("<"),
        BYTES("<R"),
        BYTES("<R>"),
        BYTES("<R><instanceId>hush"),
        BYTES("<R><instanceId>hush</instanceId>"),
        BYTES("<R><instanceId>hush</R>"),
        BYTES("<R><hush></hash></R>"),
        BYTES("<R></R>hush"),
        BYTES("<R></R><R></R>"),
        BYTES("<R/>\0"),
        BYTES("<R>\0</R>"),
        BYTES("<R><instanceId>hu\0sh</instanceId></R>"),
        BYTES("<R><instance\0Id>hush</instanceId></R>"),
        BYTES("<R><instanceId>\xff\xfe</instanceId></R>"),
        BYTES("<R><instanceId>\xc0\xaf</instanceId></R>"),
        BYTES("<R><instanceId>\xed\xa0\x80</instanceId></R>"),
        BYTES("<R><instanceId>\xc3</instanceId></R>"),
        BYTES("<R><instanceId>\x01</instanceId></R>"),
        BYTES("<R><instanceId>&#0;</instanceId></R>"),
        BYTES("<R><instanceId>&#x1;</instanceId></R>"),
        BYTES("<R><instanceId>&#xD800;</instanceId></R>"),
        BYTES("<R><instanceId>&#xFFFE;</instanceId></R>"),
        BYTES("<R><instanceId>&#x110000;</instanceId></R>"),
        BYTES("<R><instanceId>&#99999999999999999999;</instanceId></R>"),
        BYTES("<R><instanceId>&hush;</instanceId></R>"),
        BYTES("<R a=\"&hush;\"/>"),
        BYTES("<R a=\"1\" a=\"2\"/>"),
        BYTES("<R a=hush/>"),
        BYTES("<R><![CDATA[hush</R>"),
        BYTES("<R><!-- hush</R>"),
        BYTES("<R><!-- hu -- sh --></R>"),
        BYTES("<R><?xml version='1.0'?></R>"),
        BYTES("<?xml version='1.0' encoding='UTF-16'?><R/>"),
        BYTES("<?xml version='1.0' encoding='windows-1252'?><R>hush</R>"),
        BYTES("<?xml version='1.0' encoding='us-ascii'?><R>\xe9</R>"),
        BYTES("<?xml version='1.0' encoding='hush'?><R/>"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        refused(table[i].xml, table[i].len, " at byte ");
}

static void utf16_is_refused(void **state)
{
    static const char text[] = "<R><instanceId>i</instanceId></R>";
    char wide[2 * sizeof(text) + 2];

    (void)state;
    for (int big = 0; big < 2; big++) {
        memcpy(wide, big ? "\xfe\xff" : "\xff\xfe", 2);
        for (size_t i = 0; i < sizeof(text) - 1; i++) {
            wide[2 + 2 * i] = big ? '\0' : text[i];
            wide[3 + 2 * i] = big ? text[i] : '\0';
        }
        refused(wide, 2 * sizeof(text), "UTF-8");
        refused(wide + 2, 2 * sizeof(text) - 2, "UTF-8");
    }
}

static void a_document_type_is_refused(void **state)
{
    static const char *const texts[] = {
        "<!DOCTYPE R><R/>",
        "<!DOCTYPE R SYSTEM \"file:///etc/hush\"><R/>",
        "<!DOCTYPE R PUBLIC \"-//W3C//DTD\" \"http://127.0.0.1/hush\"><R/>",
        ("<!DOCTYPE R [<!ENTITY a \"hush\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
         "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><R><instanceId>&c;</instanceId></R>"),
        "<!DOCTYPE R [<!ENTITY a SYSTEM \"file:///etc/hush\">]><R><instanceId>&a;</instanceId></R>",
        "<!DOCTYPE R [<!ENTITY % p SYSTEM \"http://127.0.0.1/hush\"> %p;]><R/>",
        "<!DOCTYPE R [<!ATTLIST R a CDATA \"hush\">]><R/>",
        "<?xml version=\"1.0\"?>\n<!-- x --><!DOCTYPE html><html><body><br></body></html>",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        refused(texts[i], strlen(texts[i]), "document type");
    refused("<R/><!DOCTYPE R>", 16, "");
    refused("<html><head/><body>hush</body></html>", 37, "page for people");
    refused("<x:HTML/>", 9, "page for people");
}

static void nesting_has_its_limit(void **state)
{
    static const char *const opening[] = {"<a>",          "<instanceId>", "<groupSet>",
                                          "<rootDevice>", "<tagSet>",     "<blockDeviceMapping>"};
    size_t room = 4 << 20;
    char *xml = malloc(room), *at;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(opening); i++) {
        at = stpcpy(xml, "<R>");
        for (int n = 0; n < 100000; n++)
            at = stpcpy(at, opening[i]);
        refused(xml, (size_t)(at - xml), "nested too deeply");
    }
    for (int depth = XML_DEPTH_MAX; depth <= XML_DEPTH_MAX + 1; depth++) {
        at = stpcpy(xml, "<R>");
        for (int n = 1; n < depth - 1; n++)
            at = stpcpy(at, "<a>");
        at = stpcpy(at, "<a/>");
        for (int n = 1; n < depth - 1; n++)
            at = stpcpy(at, "</a>");
        at = stpcpy(at, "<instanceId>i</instanceId></R>");
        if (depth == XML_DEPTH_MAX)
            assert_string_equal(parse(xml).id, "i");
        else
            refused(xml, strlen(xml), "nested too deeply");
    }
    free(xml);
}

/* `head`, then `unit` again and again up to so many bytes, then `tail`; from malloc. */
static char *repeated(const char *head, const char *unit, size_t size, const char *tail,
                      size_t *ret_len)
{
    char *xml = malloc(size + strlen(head) + strlen(unit) + strlen(tail) + 1), *at;

    assert_non_null(xml);
    at = stpcpy(xml, head);
    while ((size_t)(at - xml) < size)
        at = stpcpy(at, unit);
    *ret_len = (size_t)(stpcpy(at, tail) - xml);
    return xml;
}

static void huge_texts_are_taken_as_far_as_the_arena_goes(void **state)
{
    size_t len, huge = (size_t)64 << 20;
    char *xml = repeated("<R><instanceId>", "\xc3\xa9g", huge, "</instanceId></R>", &len);
    struct machine m;

    (void)state;
    refused(xml, len, "it does not fit into the memory that one call may use");
    free(xml);
    xml = repeated("<R><other>", "x\n", huge, "</other><instanceId>i</instanceId></R>", &len);
    assert_string_equal(parse_bytes(xml, len).id, "i");
    free(xml);
    xml = repeated("<R><instanceId>", "\xc3\xa9g", 1 << 20, "</instanceId></R>", &len);
    m = parse_bytes(xml, len);
    assert_true(strlen(m.id) >= (1 << 20) - 32 && utf8_is(m.id, strlen(m.id)));
    assert_memory_equal(m.id, xml + strlen("<R><instanceId>"), strlen(m.id));
    free(xml);
}

static void endless_tags_are_refused(void **state)
{
    size_t len = 0, huge = (size_t)16 << 20;
    char *xml = malloc(huge + 64), *at = stpcpy(xml, "<R");

    (void)state;
    for (int i = 0; i < 1000000; i++)
        at += sprintf(at, " a%d=''", i);
    at = stpcpy(at, "/>");
    refused(xml, (size_t)(at - xml), "too long");
    free(xml);
    xml = repeated("<R a='", "x", huge, "'/>", &len);
    refused(xml, len, "too long");
    free(xml);
    xml = repeated("<R><!--", "x", huge, "--></R>", &len);
    refused(xml, len, "too long");
    free(xml);
    xml = repeated("<R><?p ", "x", huge, "?></R>", &len);
    refused(xml, len, "too long");
    free(xml);
    xml = repeated("<R><", "x", huge, "/></R>", &len);
    refused(xml, len, "too long");
    free(xml);
    xml = repeated("<R><!--", "x", XML_TAG_MAX - 64, "--><instanceId>i</instanceId></R>", &len);
    assert_string_equal(parse_bytes(xml, len).id, "i");
    free(xml);
    xml = repeated("<R>", "<a b='c'/>", huge, "<instanceId>i</instanceId></R>", &len);
    assert_string_equal(parse_bytes(xml, len).id, "i");
    free(xml);
}

/* Expat keeps each name for as long as it lives. */
static void endless_names_are_refused(void **state)
{
    char *xml = malloc((size_t)64 << 20), *at = stpcpy(xml, "<R>");

    (void)state;
    for (int i = 0; i < 1000000; i++)
        at += sprintf(at, "<a%d b%d=''/>", i, i);
    at = stpcpy(at, "</R>");
    refused(xml, (size_t)(at - xml), "it does not fit into the memory that one call may use");
    free(xml);
}

/* Wherever it is cut it is refused, and whatever of it was read is there. */
static void a_cut_document_is_refused(void **state)
{
    static const char text[] =
        "<?xml version='1.0'?><R><instanceId>i</instanceId><tagSet><item><key>k"
        "</key><value>v</value></item></tagSet><groupSet><a>&lt;</a></groupSet></R>";

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        /* In memory of its own, so that a read past its end is seen. */
        char *cut = malloc(len ? len : 1);

        memcpy(cut, text, len);
        refused(cut, len, " at byte ");
        free(cut);
    }
    assert_string_equal(parse(text).id, "i");
}

static void an_arena_that_is_full_is_a_failure(void **state)
{
    static const char *const units[] = {
        "<groupSet><item>some text that is too long</item></groupSet>",
        "<tagSet><item><key>some text that is too long</key></item></tagSet>",
        "<instanceId>some text that is too long</instanceId>",
        "<blockDeviceMapping><a/><a/><a/><a/><a/></blockDeviceMapping>",
    };
    static const char *const lists[][3] = {
        {"<R><groupSet>", "<a/>", "</groupSet></R>"},
        {"<R><tagSet>", "<a><key/></a>", "</tagSet></R>"},
        {"<R><blockDeviceMapping>", "<a/>", "</blockDeviceMapping></R>"},
    };
    size_t len;
    char *xml;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(units) + ARRAY_LEN(lists); i++) {
        if (i < ARRAY_LEN(units))
            xml = repeated("<R>", units[i], 1 << 20, "</R>", &len);
        else
            xml = repeated(lists[i - ARRAY_LEN(units)][0], lists[i - ARRAY_LEN(units)][1], 1 << 20,
                           lists[i - ARRAY_LEN(units)][2], &len);
        arena_done(&arena);
        arena_init(&arena, 65536);
        refused(xml, len, "it does not fit into the memory that one call may use");
        free(xml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_xml_is_refused),
        cmocka_unit_test(utf16_is_refused),
        cmocka_unit_test(a_document_type_is_refused),
        cmocka_unit_test(nesting_has_its_limit),
        cmocka_unit_test(huge_texts_are_taken_as_far_as_the_arena_goes),
        cmocka_unit_test(endless_tags_are_refused),
        cmocka_unit_test(endless_names_are_refused),
        cmocka_unit_test(a_cut_document_is_refused),
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
