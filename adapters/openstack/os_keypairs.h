/* Nova's key pairs. Their name is their id. */
#ifndef OS_KEYPAIRS_H
#define OS_KEYPAIRS_H

#include "os.h"

struct os_keypair {
    struct os_thing thing;
    const char *fingerprint, *type, *public_key, *created_at;
};

extern const struct os_kind os_keypair_kind;

/* Pure. */
void *os_parse_keypair(struct arena *a, const char *cloud, const struct os_thing *thing);

pb_ResultCode openstack_list_keypairs(struct adapter *a, struct op *op,
                                      const pb_ListKeypairsRequest *req,
                                      pb_ListKeypairsResponse *ret);
pb_ResultCode openstack_get_keypair(struct adapter *a, struct op *op,
                                    const pb_GetKeypairRequest *req, pb_GetKeypairResponse *ret);

#endif
