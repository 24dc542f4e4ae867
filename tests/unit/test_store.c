/* The store on SQLite, held to the list of cases that every implementation is held to. */
#include "store_cases.h"
#include "store_cases_live.h"

#define CASE(name) cmocka_unit_test_setup_teardown(case_##name, rig_begin, rig_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(put_and_get),
        CASE(any_bytes),
        CASE(arena_exhausted),
        CASE(compare),
        CASE(all_or_nothing),
        CASE(refused_alone),
        CASE(close_waits),
        CASE(too_much),
        CASE(list),
        CASE(revisions_survive),
        CASE(threads),
        CASE(lease_ends),
        CASE(lease_is_needed),
        CASE(lease_renewed),
        CASE(lease_after_start),
        CASE(watch),
        CASE(watch_from_the_past),
        CASE(watch_too_late),
        CASE(watch_sees_leases_end),
        CASE(list_then_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
