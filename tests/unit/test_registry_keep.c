/* Self-preservation has an end: who has been silent for long is renewed for no more. The silence is
 * put into the table, since nobody waits for ten minutes; the store, its leases and the look at
 * them are the gateway's own.
 */
#include "isobar/message.h"
#include "registry_private.h"
#include "store_rig.h"

#define SECONDS(n) ((n)*NS_PER_SEC)

static void wake(void)
{
}

/* Registered, and silent for so long. */
static void enter(const char *id, int64_t silent_ns)
{
    pb_RegisterAdapterRequest said = pb_RegisterAdapterRequest_INIT;
    pb_AdapterRecord record = pb_AdapterRecord_INIT;
    pb_Manifest manifest = pb_Manifest_INIT;
    char *endpoint = (char *)(uintptr_t) "ipc:///nonexistent", why[512];

    said.name = (char *)(uintptr_t) "toy";
    said.id = (char *)(uintptr_t)id;
    said.version = (char *)(uintptr_t) "1.0.0";
    said.manifest = &manifest;
    said.endpoints = &endpoint;
    said.n_endpoints = 1;
    record.registration = &said;
    struct registered *r = registered_new(&record, why);
    if (!r)
        fail_msg("%s", why);
    assert_int_equal(registered_store(r), STORE_DONE);
    r->heard_ns = clock_mono_ns() - silent_ns;
    pthread_mutex_lock(&registry.lock);
    HASH_ADD_KEYPTR(hh, registry.table, r->key, strlen(r->key), r);
    bool added = HASH_ADDED(hh, r);
    pthread_mutex_unlock(&registry.lock);
    assert_true(added);
}

/* Look at the leases now, and not in a second. */
static void look(void)
{
    registry.looked_ns = 0;
    (void)registry_tick();
}

static bool is_kept(const char *id)
{
    pthread_mutex_lock(&registry.lock);
    bool kept = registry_find("toy", id)->kept;
    pthread_mutex_unlock(&registry.lock);
    return kept;
}

static enum presence presence_of(const char *id)
{
    pthread_mutex_lock(&registry.lock);
    enum presence presence = registry_find("toy", id)->presence;
    pthread_mutex_unlock(&registry.lock);
    return presence;
}

static void who_is_silent_for_long_lapses(void **state)
{
    struct rig *rig = *state;
    char why[512];

    assert_true(registry_start(rig->s, wake, why));
    enter("heard", 0);
    enter("silent-1", SECONDS(11));
    enter("silent-2", SECONDS(300));
    enter("silent-3", SECONDS(595));
    enter("gone-1", SECONDS(601));
    enter("gone-2", SECONDS(3600));
    look();
    assert_false(is_kept("heard"));
    assert_true(is_kept("silent-1"));
    assert_true(is_kept("silent-2"));
    assert_true(is_kept("silent-3"));
    assert_false(is_kept("gone-1"));
    assert_false(is_kept("gone-2"));
    /* While they are silent the others stay, and these go with their leases. */
    int64_t until_ns = clock_mono_ns() + SECONDS(60);
    while ((presence_of("gone-1") == PRESENT || presence_of("gone-2") == PRESENT) &&
           clock_mono_ns() < until_ns) {
        usleep(200000);
        look();
    }
    assert_int_equal(presence_of("gone-1"), LAPSED);
    assert_int_equal(presence_of("gone-2"), LAPSED);
    assert_int_equal(presence_of("silent-1"), PRESENT);
    assert_int_equal(presence_of("silent-2"), PRESENT);
    registry_stop();
    registry_done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_silent_for_long_lapses, rig_begin, rig_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
