/* What the tests of the configuration share: adapters to name, and mistakes as they are told. */
#ifndef TEST_CONFIG_H
#define TEST_CONFIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "config_parse.h"
#include "isobar/where.h"

/* ---- adapters of this test: the sandbox, and one whose manifest is picky ---- */

extern const struct adapter_ops sandbox_adapter;

static char endpoint[] = "endpoint", secret[] = "secret", mode[] = "mode", fast[] = "fast",
            slow[] = "slow", tries[] = "tries", debug[] = "debug", none[] = "", name[] = "name",
            region[] = "region", text[] = "where it is", size[] = "size";
static char *modes[] = {fast, slow};

#define PARAMETER(...)                                                                             \
    {                                                                                              \
        PROTOBUF_C_MESSAGE_INIT(&pb_ManifestParameter_desc), .default_value = none,                \
                                                             .description = text, __VA_ARGS__      \
    }
static pb_ManifestParameter parameters[] = {
    PARAMETER(.name = endpoint, .type = PARAMETER_TYPE_STRING, .required = true),
    PARAMETER(.name = secret, .type = PARAMETER_TYPE_INTEGER, .secret = true),
    PARAMETER(.name = mode, .type = PARAMETER_TYPE_STRING, .allowed_values = modes,
              .n_allowed_values = 2),
    PARAMETER(.name = tries, .type = PARAMETER_TYPE_INTEGER),
    PARAMETER(.name = debug, .type = PARAMETER_TYPE_BOOLEAN),
};
static pb_ManifestParameter *settings[] = {&parameters[0], &parameters[1], &parameters[2],
                                           &parameters[3], &parameters[4]};
static pb_ManifestParameter size_parameter =
    PARAMETER(.name = size, .type = PARAMETER_TYPE_INTEGER);
static pb_ManifestParameter *picky_parameters[] = {&size_parameter};

static pb_ManifestAttribute name_attribute = {PROTOBUF_C_MESSAGE_INIT(&pb_ManifestAttribute_desc),
                                              .name = name, .presence = PRESENCE_MANDATORY};
static pb_ManifestAttribute region_attribute = {PROTOBUF_C_MESSAGE_INIT(&pb_ManifestAttribute_desc),
                                                .name = region, .presence = PRESENCE_NOT_PRESENT};
static pb_ManifestAttribute *attributes[] = {&name_attribute, &region_attribute};

static inline const pb_Manifest *picky_manifest(void)
{
    static pb_Manifest m = pb_Manifest_INIT;
    m.settings = settings;
    m.n_settings = ARRAY_LEN(settings);
    m.parameters = picky_parameters;
    m.n_parameters = 1;
    m.attributes = attributes;
    m.n_attributes = ARRAY_LEN(attributes);
    return &m;
}

static const struct adapter_ops picky = {.name = "picky", .manifest = picky_manifest};
const struct adapter_ops *const adapters_builtin[] = {&sandbox_adapter, &picky, NULL};

/* ---- help ---- */

struct said {
    size_t n;
    char lines[64][1300];
};

static inline void note(void *ctx, const char *line)
{
    struct said *s = ctx;
    if (s->n < ARRAY_LEN(s->lines))
        snprintf(s->lines[s->n++], sizeof(s->lines[0]), "%s", line);
}

static inline bool was_said(const struct said *s, const char *where, const char *what)
{
    char begin[64];
    snprintf(begin, sizeof(begin), "conf.yaml:%s: ", where);
    for (size_t i = 0; i < s->n; i++)
        if (strncmp(s->lines[i], begin, strlen(begin)) == 0 && strstr(s->lines[i], what))
            return true;
    return false;
}

static inline struct config *parse(const char *yaml, struct said *s)
{
    s->n = 0;
    return config_parse(yaml, strlen(yaml), "conf.yaml", note, s);
}

static struct said said;

static inline struct config *good(const char *yaml)
{
    struct config *c = parse(yaml, &said);
    for (size_t i = 0; i < said.n; i++)
        print_error("%s\n", said.lines[i]);
    assert_non_null(c);
    assert_int_equal(said.n, 0);
    return c;
}

/* One mistake, at this place, with these words. */
static inline void bad(const char *yaml, const char *where, const char *what)
{
    struct config *c = parse(yaml, &said);
    if (c || said.n != 1 || !was_said(&said, where, what)) {
        print_error("%s\nexpected %s: ...%s...\n", yaml, where, what);
        for (size_t i = 0; i < said.n; i++)
            print_error("got      %s\n", said.lines[i]);
    }
    assert_null(c);
    assert_int_equal(said.n, 1);
    assert_true(was_said(&said, where, what));
}

static inline const char *setting(const struct config_cloud *c, const char *wanted)
{
    for (size_t i = 0; i < c->n_settings; i++)
        if (strcmp(c->settings[i].name, wanted) == 0)
            return c->settings[i].value;
    return NULL;
}

static inline const char *default_of(const struct config_cloud *c, const char *wanted)
{
    for (size_t i = 0; i < c->n_defaults; i++)
        if (strcmp(c->defaults[i].name, wanted) == 0)
            return c->defaults[i].value;
    return NULL;
}

#define BOX "clouds: {box: {adapter: sandbox}}\n"

#endif
