/* Key pairs. */
#include "aws_networks.h"

#define WORD(member_, name_) SHAPE_FIELD(struct aws_key, member_, name_, SHAPE_STRING)

static const struct shape_field key_fields[] = {
    WORD(thing.id, "keyPairId"),
    WORD(fingerprint, "keyFingerprint"),
    WORD(thing.name, "keyName"),
    WORD(type, "keyType"),
    SHAPE_FIELD(struct aws_key, thing.tags, "tagSet", SHAPE_MAP),
    WORD(public_key, "publicKey"),
    WORD(created, "createTime"),
};
static const struct shape key_shape = {sizeof(struct aws_key), key_fields, ARRAY_LEN(key_fields),
                                       0};
AWS_PAGE(keys_page_shape, "keySet", key_shape);

/* Clouds that speak an older EC2 have no ids for them. */
static void complete(void *item)
{
    struct aws_key *k = item;

    if (k->thing.id == NULL)
        k->thing.id = k->thing.name;
}

static void *message(struct adapter *a, struct arena *arena, const void *item)
{
    static const char *const mapped[] = {"keyPairId", "keyName",    "keyFingerprint",
                                         "publicKey", "createTime", NULL};
    const struct aws_key *k = item;
    pb_Keypair *keypair = arena_message(arena, &pb_Keypair_desc);

    if (keypair == NULL)
        return NULL;
    keypair->cloud = field_text(a->name);
    keypair->id = field_text(k->thing.id);
    keypair->name = field_text(k->thing.name);
    keypair->fingerprint = field_text(k->fingerprint);
    keypair->type = field_text("ssh"); /* EC2's type is the algorithm */
    keypair->public_key = field_text(k->public_key);
    keypair->created_at = field_time(arena, k->created);
    struct field_pairs native = {.arena = arena, .type = &pb_Keypair_NativeEntry_desc};
    aws_put_native(&native, &key_shape, k, mapped);
    keypair->n_native = native.n;
    keypair->native = (void *)native.items;
    return keypair;
}

static const char *const with_key[] = {"IncludePublicKey", "true", NULL};

const struct aws_kind aws_key_kind = {
    .noun = "key pair",
    .action = "DescribeKeyPairs",
    .id_filter = "key-pair-id",
    .id_prefix = "key-",
    .name_filter = "key-name",
    .fixed = with_key,
    .item = &key_shape,
    .page = &keys_page_shape,
    .complete = complete,
    .message = message,
};

pb_ResultCode aws_list_keypairs(struct adapter *a, struct op *op, const pb_ListKeypairsRequest *req,
                                pb_ListKeypairsResponse *ret)
{
    return aws_list_slot(a, op, &aws_key_kind, req->name, NULL, 0, &ret->n_keypairs,
                         (void ***)&ret->keypairs);
}

pb_ResultCode aws_get_keypair(struct adapter *a, struct op *op, const pb_GetKeypairRequest *req,
                              pb_GetKeypairResponse *ret)
{
    return aws_get_slot(a, op, &aws_key_kind, req->id, (void **)&ret->keypair);
}
