/* SSH public keys, the nearest thing to a key pair: they are kept by name, and machines have copies
 * of their text. */
#include "az_shapes.h"
#include "az_things.h"

static const struct shape_field key_more_fields[] = {AZ_TEXT(az_key, public_key, "publicKey")};
AZ_SHAPE(key_more, az_key);

static const struct shape_field key_fields[] = {
    AZ_THING_FIELDS(struct az_key),
    AZ_PART("properties", key_more),
};
AZ_SHAPE(key, az_key);
AZ_PAGE(keys_page_shape, key_shape);

static const char *const mapped[] = {"id", "name", "type", "publicKey", "tags", NULL};

static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    const struct az_key *k = item;
    pb_Keypair *keypair = arena_message(arena, &pb_Keypair_desc);

    if (keypair == NULL)
        return NULL;
    keypair->cloud = field_text(a->name);
    keypair->id = field_text(k->thing.id);
    keypair->name = field_text(k->thing.name);
    keypair->type = field_text("ssh");
    keypair->public_key = field_text(k->public_key);
    struct field_pairs native = {.arena = arena, .type = &pb_Keypair_NativeEntry_desc};
    az_put_native(&native, &k->thing);
    keypair->n_native = native.n;
    keypair->native = (void *)native.items;
    return keypair;
}

const struct az_kind az_key_kind = {
    .noun = "key pair",
    .service = AZ_COMPUTE,
    .type = "Microsoft.Compute/sshPublicKeys",
    .item = &key_shape,
    .page = &keys_page_shape,
    .mapped = mapped,
    .message = message,
};

pb_ResultCode azure_list_keypairs(struct adapter *a, struct op *op,
                                  const pb_ListKeypairsRequest *req, pb_ListKeypairsResponse *ret)
{
    (void)req;
    return az_list_slot(a, op, &az_key_kind, &ret->n_keypairs, (void ***)&ret->keypairs);
}

pb_ResultCode azure_get_keypair(struct adapter *a, struct op *op, const pb_GetKeypairRequest *req,
                                pb_GetKeypairResponse *ret)
{
    return az_get_slot(a, op, &az_key_kind, req->id, (void **)&ret->keypair);
}
