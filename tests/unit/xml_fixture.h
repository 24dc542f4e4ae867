/* A struct with every type of field, and documents that are read into it. */
#ifndef ISOBAR_TEST_XML_FIXTURE_H
#define ISOBAR_TEST_XML_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/xml.h"

struct disk {
    const char *id;
    int64_t size;
    bool encrypted;
};

static const struct shape_field disk_fields[] = {
    SHAPE_FIELD(struct disk, id, "volumeId", SHAPE_STRING),
    SHAPE_FIELD(struct disk, size, "size", SHAPE_INT),
    SHAPE_FIELD(struct disk, encrypted, "encrypted", SHAPE_BOOL),
};
static const struct shape disk_shape = {
    .size = sizeof(struct disk), .fields = disk_fields, .n_fields = ARRAY_LEN(disk_fields)};

struct machine {
    const char *id, *name;
    int64_t index;
    bool optimized;
    struct disk root;
    struct shape_list disks, dict;
    struct shape_strings groups;
    struct shape_map tags;
};

static const struct shape_field machine_fields[] = {
    SHAPE_FIELD(struct machine, id, "instanceId", SHAPE_STRING),
    SHAPE_FIELD(struct machine, name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct machine, index, "amiLaunchIndex", SHAPE_INT),
    SHAPE_FIELD(struct machine, optimized, "ebsOptimized", SHAPE_BOOL),
    SHAPE_NESTED(struct machine, root, "rootDevice", SHAPE_STRUCT, disk_shape),
    SHAPE_NESTED(struct machine, disks, "blockDeviceMapping", SHAPE_LIST, disk_shape),
    SHAPE_NESTED(struct machine, dict, "dict", SHAPE_DICT, disk_shape),
    SHAPE_FIELD(struct machine, groups, "groupSet", SHAPE_STRINGS),
    SHAPE_FIELD(struct machine, tags, "tagSet", SHAPE_MAP),
};
static const struct shape machine_shape = {.size = sizeof(struct machine),
                                           .fields = machine_fields,
                                           .n_fields = ARRAY_LEN(machine_fields)};

static struct arena arena;
static char why[160];

static inline int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)16 << 20);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static inline struct machine parse_bytes(const char *xml, size_t len)
{
    struct machine m = {0};

    *why = '\0';
    if (!xml_parse(&arena, xml, len, &machine_shape, &m, why))
        fail_msg("%.200s: %s", xml, why);
    return m;
}

static inline struct machine parse(const char *xml)
{
    return parse_bytes(xml, strlen(xml));
}

/* It is refused, in words that have `wanted` in them and nothing of the document. */
static inline void refused(const char *xml, size_t len, const char *wanted)
{
    struct machine m = {0};

    *why = '\0';
    if (xml_parse(&arena, xml, len, &machine_shape, &m, why))
        fail_msg("%.200s was taken", xml);
    if (!*why || !strstr(why, wanted) || strstr(why, "hush"))
        fail_msg("%.200s: %s", xml, why);
}

#endif
