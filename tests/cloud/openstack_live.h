/* The OpenStack adapter against a real OpenStack: what the test programs share.
 *
 * ISOBAR_TEST_OPENSTACK names a clouds.yaml with a cloud "demo", as openstack-up.sh beside writes
 * it. Without it the programs skip.
 */
#ifndef OPENSTACK_LIVE_H
#define OPENSTACK_LIVE_H

#include "os.h"

extern const struct adapter_ops openstack_adapter;

struct live {
    struct adapter *adapter;
    struct arena arena;
    struct op op;
    char token[64];
    size_t n_tokens; /* since live_left() */
    char tokens[512][64];
    size_t n_made; /* to be deleted at the test's end, whatever becomes of it; the last one first */
    struct {
        const struct os_kind *kind; /* NULL: a machine */
        char id[64];
    } made[16];
};

/* The program's own. */
extern struct live live;
/* For cmocka: of the group (exits with 77 where there is no OpenStack), and of each test, which
 * fails where it leaves something behind. */
int live_setup(void **state);
int live_teardown(void **state);
int live_test_begin(void **state);
int live_test_end(void **state);
#define LIVE_TEST(f) cmocka_unit_test_setup_teardown(f, live_test_begin, live_test_end)
/* A fresh operation with 60 s to its deadline and a token of its own; what the one before returned
 * is gone. */
struct op *live_op(struct live *l);
/* The same, and what the one before returned stays. */
struct op *live_more(struct live *l);
/* A connection with another clouds.yaml or cloud; NULL as adapter_ops.open. */
struct adapter *live_open(const char *file, const char *cloud, struct open_error *ret_error);

/* Fail the test where the code is not the wanted one, with what the result says. */
#define live_code(l, code, wanted) live_code_at(l, code, wanted, __FILE__, __LINE__)
void live_code_at(struct live *l, pb_ResultCode code, pb_ResultCode wanted, const char *file,
                  int line);

/* The specification that the tests begin with: m1.tiny, test-image, all else chosen. */
pb_VmSpec *live_spec(struct live *l, const char *name);
void live_parameter(struct live *l, pb_VmSpec *spec, const char *key, const char *value);
void live_tag(struct live *l, pb_VmSpec *spec, const char *key, const char *value);
/* Make it, and wait until it runs; its id is copied into `ret_id`. */
pb_Vm *live_create(struct live *l, pb_VmSpec *spec, char ret_id[64]);
/* Note something that is to be deleted at the test's end, should it still be there then. */
void live_made(struct live *l, const struct os_kind *kind, const char *id);
/* A name that no test running beside this one uses. */
char *live_name(struct live *l, const char *name);
/* Look every half second until it is in the state, or gone where that is DELETED. */
pb_Vm *live_wait(struct live *l, const char *id, pb_VmState state);
/* Delete it and wait until it is gone. */
void live_delete(struct live *l, const char *id);
/* The value of a key of a map field, or NULL. */
const char *live_value(void *const *entries, size_t n, const char *key);
#define LIVE_VALUE(vm, map, key) live_value((void *const *)(vm)->map, (vm)->n_##map, key)
/* How much is there that the operations since the call before made, machines aside; each is named.
 */
size_t live_left(struct live *l);

#endif
