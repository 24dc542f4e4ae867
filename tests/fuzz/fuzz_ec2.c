/* Any bytes as an answer of EC2 to each of the questions that the adapter asks: what is taken
 * becomes messages that protobuf can pack, with an id each; what is refused has a code. */
#include <string.h>

#include "aws_errors.h"
#include "aws_images.h"
#include "aws_instances.h"
#include "aws_networks.h"
#include "aws_regions.h"
#include "aws_types.h"
#include "fuzz.h"

static struct aws_config config = {.region = "eu-test-1"};
static struct adapter adapter = {.name = (char *)(uintptr_t) "lab", .config = &config};

static const struct aws_kind *const kinds[] = {
    &aws_instance_kind, &aws_own_image_kind, &aws_image_kind, &aws_type_kind,   &aws_vpc_kind,
    &aws_subnet_kind,   &aws_group_kind,     &aws_key_kind,   &aws_region_kind, &aws_zone_kind,
};

static void look_at(struct arena *a, const struct aws_kind *kind, const void *item)
{
    const struct aws_thing *thing = item;
    ProtobufCMessage *message = kind == &aws_instance_kind
                                    ? (void *)aws_parse_instance(a, "lab", "eu-test-1", item)
                                    : kind->message(&adapter, a, item);

    MUST(thing->id != NULL && thing->id[0] != '\0' && thing->name != NULL);
    MUST(message != NULL || a->exhausted);
    if (a->exhausted)
        return;
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(len + 1);
    MUST(packed != NULL && protobuf_c_message_pack(message, packed) == len);
    free(packed);
}

static void read_as(struct arena *a, const struct aws_kind *kind, const char *xml, size_t len)
{
    struct aws_page page = {0};
    char why[160] = "";

    if (!xml_parse(a, xml, len, kind->page, &page, why)) {
        MUST(why[0] != '\0');
        return;
    }
    aws_complete(a, kind, &page.items);
    for (size_t i = 0; i < page.items.n && !a->exhausted; i++)
        look_at(a, kind, (const char *)page.items.items + i * kind->item->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        arena_init(&a, (size_t)16 << 20);
        read_as(&a, kinds[i], (const char *)data, len);
        arena_done(&a);
    }
    arena_init(&a, (size_t)16 << 20);
    struct http_response rsp = {.status = 400, .body = (const char *)data, .body_len = len};
    struct op op = {.arena = &a, .token = "", .result = result_new(&a)};
    MUST(aws_map_error(&op, "EC2", "lab", NULL, &rsp) != RESULT_CODE_OK);
    arena_done(&a);
    return 0;
}
