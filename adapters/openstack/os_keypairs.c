#include "os_keypairs.h"

/* The name stands for the id too: the "id" that Nova shows is a number of its database. */
static const struct shape_field inner_fields[] = {
    SHAPE_FIELD(struct os_keypair, thing.name, "name", SHAPE_STRING),
    SHAPE_FIELD(struct os_keypair, fingerprint, "fingerprint", SHAPE_STRING),
    SHAPE_FIELD(struct os_keypair, type, "type", SHAPE_STRING),
    SHAPE_FIELD(struct os_keypair, public_key, "public_key", SHAPE_STRING),
    SHAPE_FIELD(struct os_keypair, created_at, "created_at", SHAPE_STRING),
};
static const struct shape inner_shape = {sizeof(struct os_keypair), inner_fields,
                                         ARRAY_LEN(inner_fields), 0};
/* In a list each is wrapped as it is when alone. */
OS_ONE(keypair_one_shape, "keypair", struct os_keypair, inner_shape);
OS_PAGE(keypairs_page_shape, "keypairs", "keypairs_links", keypair_one_shape);

const struct os_kind os_keypair_kind = {
    .noun = "key pair",
    .service = OS_COMPUTE,
    .path = "/os-keypairs",
    .item = &keypair_one_shape,
    .page = &keypairs_page_shape,
    .one = &keypair_one_shape,
    .list_depth = 4,
    .one_depth = 2,
    .id_is_name = true,
    .message = os_parse_keypair,
};

void *os_parse_keypair(struct arena *a, const char *cloud, const struct os_thing *thing)
{
    static const char *const mapped[] = {"id",         "name",       "fingerprint", "type",
                                         "public_key", "created_at", NULL};
    const struct os_keypair *k = (const void *)thing;
    pb_Keypair *keypair = arena_message(a, &pb_Keypair_desc);
    if (keypair == NULL)
        return NULL;
    keypair->cloud = field_text(cloud);
    keypair->id = field_text(k->thing.name);
    keypair->name = field_text(k->thing.name);
    keypair->fingerprint = field_text(k->fingerprint);
    keypair->type =
        field_text(k->type == NULL ? "ssh" : k->type); /* before 2.2 there is no other */
    keypair->public_key = field_text(k->public_key);
    keypair->created_at = field_time(a, k->created_at);
    struct field_pairs native = {.arena = a, .type = &pb_Keypair_NativeEntry_desc};
    field_pairs_rest(&native, &k->thing.all, mapped);
    keypair->n_native = native.n;
    keypair->native = (void *)native.items;
    return keypair;
}

pb_ResultCode openstack_list_keypairs(struct adapter *a, struct op *op,
                                      const pb_ListKeypairsRequest *req,
                                      pb_ListKeypairsResponse *ret)
{
    (void)req;
    return os_list_slot(a, op, &os_keypair_kind, NULL, &ret->n_keypairs, (void ***)&ret->keypairs);
}

pb_ResultCode openstack_get_keypair(struct adapter *a, struct op *op,
                                    const pb_GetKeypairRequest *req, pb_GetKeypairResponse *ret)
{
    return os_get_slot(a, op, &os_keypair_kind, req->id, (void **)&ret->keypair);
}
