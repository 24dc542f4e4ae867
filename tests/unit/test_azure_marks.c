/* What is ours in Azure and what is not; what an action has to do in which state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "az_actions.h"
#include "az_cleanup.h"

#define TOKEN "01890a5d-ac96-774b-bcce-b302099a8057"
#define OTHER "01890a5d-ac96-774b-bcce-b302099a8058"

static struct arena arena;

static void test_what_is_ours(void **state)
{
    static const struct {
        const char *name, *key, *value;
        bool ours, anyones;
    } cases[] = {
        {"isobar-" TOKEN "-nic", "isobar-token", TOKEN, true, true},
        {"ISOBAR-" TOKEN "-NIC", "Isobar-Token", TOKEN, true, true},
        {"isobar-" OTHER "-nic", "isobar-token", OTHER, false, true},
        /* A copied tag, a name like ours, one that is only longer. */
        {"nic", "isobar-token", TOKEN, false, false},
        {"web-" TOKEN "-d0", "isobar-token", TOKEN, false, false},
        {"isobar-" TOKEN "-nic", "role", TOKEN, false, false},
        {"isobar-" TOKEN "-nic", "isobar-token", OTHER, false, false},
        {"isobar-" TOKEN "x-nic", "isobar-token", TOKEN, false, false},
        {"isobar-" TOKEN, "isobar-token", TOKEN, false, false},
        {"isobar--nic", "isobar-token", "", false, false},
        {NULL, "isobar-token", TOKEN, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct shape_pair tag = {cases[i].key, cases[i].value};
        const struct az_thing thing = {.name = cases[i].name, .tags = {1, &tag}};
        assert_int_equal(az_thing_is_ours(&thing, TOKEN), cases[i].ours);
        assert_int_equal(az_thing_is_ours(&thing, NULL), cases[i].anyones);
    }
}

/* A machine's tag may be a copy; its system disk and interface are its own. */
static void test_whose_machine(void **state)
{
    static const struct {
        const char *tag, *disk, *nic;
        bool ours;
    } cases[] = {
        {TOKEN, "isobar-" TOKEN "-os", "isobar-" TOKEN "-nic", true},
        {TOKEN, "restored", "isobar-" TOKEN "-nic", true},
        {TOKEN, "isobar-" TOKEN "-os", "other", true},
        {TOKEN, "copy_OsDisk_1", "copy-nic", false},
        {TOKEN, NULL, NULL, false},
        {OTHER, "isobar-" TOKEN "-os", "isobar-" TOKEN "-nic", false},
        {"", "isobar-" TOKEN "-os", "isobar-" TOKEN "-nic", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct shape_pair tag = {"isobar-token", cases[i].tag};
        struct az_reference nic = {
            .id = cases[i].nic == NULL ? NULL
                                       : arena_printf(&arena,
                                                      "/subscriptions/s/resourceGroups/g/providers/"
                                                      "Microsoft.Network/networkInterfaces/%s",
                                                      cases[i].nic)};
        const struct az_vm vm = {.thing = {.id = "/x", .name = "web", .tags = {1, &tag}},
                                 .os_disk = {.name = cases[i].disk},
                                 .nics = {1, &nic}};
        assert_int_equal(az_vm_is_ours(&arena, &vm, TOKEN), cases[i].ours);
        assert_int_equal(az_vm_has_tag(&vm, TOKEN), strcmp(cases[i].tag, TOKEN) == 0);
    }
}

static void test_what_is_free(void **state)
{
    struct az_remain r[] = {
        {.thing = {.id = "/nics/a"}},
        {.thing = {.id = "/ips/a"}, .user = "/NICS/A/ipConfigurations/one"},
        {.thing = {.id = "/ips/b"}, .user = "/nics/ab/ipConfigurations/one"},
        {.thing = {.id = "/disks/a"}, .user = ""},
    };

    (void)state;
    assert_true(az_remain_is_free(&r[0], r, 4));
    assert_true(az_remain_is_free(&r[1], r, 4));
    assert_false(az_remain_is_free(&r[2], r, 4));
    assert_true(az_remain_is_free(&r[3], r, 4));
    r[0].user = "/vms/a";
    assert_false(az_remain_is_free(&r[0], r, 4));
    assert_false(az_remain_is_free(&r[1], r, 4));
}

static void test_disks(void **state)
{
    static const struct {
        const char *state, *user;
        bool used;
    } cases[] = {{"Unattached", NULL, false}, {"Unattached", "", false},
                 {"Attached", "/vm", true},   {"Reserved", "/vm", true},
                 {"ActiveSAS", NULL, true},   {"ActiveUpload", "", true},
                 {NULL, NULL, true},          {"Unattached", "/vm", true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct az_disk disk = {.state = cases[i].state, .used_by = cases[i].user};
        const struct az_remain_kind *kind = az_remain_kind_of("microsoft.compute/DISKS");
        const struct az_remain r = kind->of(&disk);
        assert_int_equal(r.user != NULL, cases[i].used);
    }
    assert_null(az_remain_kind_of("Microsoft.Compute/virtualMachines"));
    assert_null(az_remain_kind_of(NULL));
}

#define GO   RESULT_CODE_OK
#define DONE RESULT_CODE_CHANGED
#define NO   RESULT_CODE_FAILED_PRECONDITION
static void test_actions(void **state)
{
    static const struct {
        const char *power, *provisioning;
        bool hibernated;
        pb_ResultCode start, stop, reboot, suspend, resume;
    } cases[] = {
        {"running", "Succeeded", false, DONE, GO, GO, GO, DONE},
        {"running", "Failed", false, GO, GO, GO, GO, GO},
        {"starting", "Updating", false, DONE, GO, GO, GO, DONE},
        {"stopped", "Succeeded", false, GO, GO, NO, NO, NO},
        {"deallocated", "Succeeded", false, GO, DONE, NO, NO, NO},
        {"deallocating", "Updating", false, GO, DONE, GO, NO, NO},
        {"deallocated", "Succeeded", true, GO, NO, NO, DONE, GO},
        {"running", "Deleting", false, NO, NO, NO, NO, NO},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct op op = {.arena = &arena, .result = result_new(&arena)};
        struct az_status statuses[2] = {{0}};
        struct az_vm vm = {.thing = {.id = "/x", .name = "web"},
                           .provisioning = cases[i].provisioning,
                           .statuses = {1, statuses}};
        statuses[0].code = arena_printf(&arena, "PowerState/%s", cases[i].power);
        if (cases[i].hibernated)
            statuses[vm.statuses.n++].code = "HibernationState/Hibernated";
        const struct {
            const struct az_action *action;
            pb_ResultCode wanted;
        } each[] = {{&az_start, cases[i].start},
                    {&az_stop, cases[i].stop},
                    {&az_reboot, cases[i].reboot},
                    {&az_suspend, cases[i].suspend},
                    {&az_resume, cases[i].resume}};
        for (size_t k = 0; k < ARRAY_LEN(each); k++) {
            pb_ResultCode got = az_action_judge(&op, each[k].action, &vm);
            if (got != each[k].wanted)
                fail_msg("%s, %s: %s is %d, not %d", cases[i].power, cases[i].provisioning,
                         each[k].action->name, got, each[k].wanted);
            if (got == NO)
                assert_non_null(strstr(op.result->detail, "web"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_ours), cmocka_unit_test(test_whose_machine),
        cmocka_unit_test(test_what_is_free), cmocka_unit_test(test_disks),
        cmocka_unit_test(test_actions),
    };

    arena_init(&arena, (size_t)16 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed;
}
