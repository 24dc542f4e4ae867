#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it. */
#include <cmocka.h>

#include "isobar/arena.h"
#include "isobar/pb.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#endif

static void memory_is_zeroed_aligned_and_apart(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    /* Twice: the second time the memory has been used before. */
    for (int round = 0; round < 2; round++) {
        uint8_t *before = NULL;
        for (size_t size = 0; size < 300; size++) {
            uint8_t *p = arena_alloc(&a, size);
            assert_non_null(p);
            assert_ptr_not_equal(p, before);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAB, size);
            if (before && size > 1)
                assert_int_equal(before[size - 2], 0xAB);
            before = p;
        }
        arena_reset(&a);
    }
    arena_done(&a);
}

static void total_never_exceeds_the_cap(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, 100000);
    size_t got = 0;
    while (arena_alloc(&a, 1000)) {
        got += 1000;
        assert_true(a.total <= 100000);
    }
    assert_true(a.exhausted);
    /* Heads of blocks and ends that are too short are all that is lost. */
    assert_true(got > 90000);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_array(&a, SIZE_MAX / 2, 3));
    assert_string_equal(arena_printf(&a, "%1000d", 1), "");
    assert_null(arena_message(&a, &pb_Vm_desc));
    arena_reset(&a);
    assert_false(a.exhausted);
    assert_non_null(arena_alloc(&a, 1000));
    arena_done(&a);
    assert_int_equal(a.total, 0);
}

static void steady_state_needs_no_new_block(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, 16 << 20);
    size_t total = 0;
    for (int call = 0; call < 10; call++) {
        for (int i = 0; i < 60; i++)
            assert_non_null(arena_alloc(&a, 1000));
        total = a.total;
        arena_reset(&a);
        if (call >= 2)
            assert_int_equal(a.total, total);
    }
    assert_true(total <= 64 << 10);
    /* What was big for once is given back. */
    assert_non_null(arena_alloc(&a, 4 << 20));
    arena_reset(&a);
    assert_true(a.total <= 64 << 10);
    arena_done(&a);
}

static void big_piece_does_not_waste_the_block(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, 16 << 20);
    char *small = arena_alloc(&a, 16);
    char *big = arena_alloc(&a, 2 << 20);
    char *next = arena_alloc(&a, 16);
    assert_non_null(big);
    assert_ptr_equal(next, small + 16);
    memset(big, 1, 2 << 20);
    arena_done(&a);
}

static void copies(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_string_equal(arena_strdup(&a, "abc"), "abc");
    assert_string_equal(arena_strndup(&a, "abc", 2), "ab");
    assert_string_equal(arena_strndup(&a, "abc", 9), "abc");
    assert_string_equal(arena_printf(&a, "%s-%d", "x", 7), "x-7");
    for (int width = 250; width < 260; width++) {
        char *s = arena_printf(&a, "%0*d", width, 5);
        assert_int_equal(strlen(s), width);
        assert_int_equal(s[width - 1], '5');
    }
    assert_memory_equal(arena_memdup(&a, "a\0b", 3), "a\0b", 3);
    assert_non_null(arena_memdup(&a, NULL, 0));
    arena_done(&a);
}

static void protobuf_lives_in_it(void **state UNUSED)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    pb_Vm *vm = arena_message(&a, &pb_Vm_desc);
    assert_string_equal(vm->name, "");
    vm->name = arena_strdup(&a, "web");
    vm->state = VM_STATE_RUNNING;
    size_t len = protobuf_c_message_get_packed_size(&vm->base);
    uint8_t *bytes = arena_alloc(&a, len);
    assert_int_equal(protobuf_c_message_pack(&vm->base, bytes), len);
    pb_Vm *copy =
        (pb_Vm *)(void *)protobuf_c_message_unpack(&pb_Vm_desc, arena_allocator(&a), len, bytes);
    assert_string_equal(copy->name, "web");
    assert_int_equal(copy->state, VM_STATE_RUNNING);
    /* Nothing to free; under ASan a leak would show. */
    arena_done(&a);

    /* An exhausted arena fails the message, and only it. */
    arena_init(&a, 64);
    assert_null(protobuf_c_message_unpack(&pb_Vm_desc, arena_allocator(&a), 0, NULL));
    assert_true(a.exhausted);
    arena_done(&a);
}

static void use_after_reset_is_poisoned(void **state UNUSED)
{
#ifdef HAVE_ASAN
    struct arena a;
    arena_init(&a, 1 << 20);
    char *p = arena_alloc(&a, 100);
    assert_false(__asan_address_is_poisoned(p));
    assert_false(__asan_address_is_poisoned(p + 99));
    assert_true(__asan_address_is_poisoned(p + 112));
    arena_reset(&a);
    assert_true(__asan_address_is_poisoned(p));
    arena_done(&a);
#else
    skip();
#endif
}

static void many_share_a_budget(void **state)
{
    (void)state;
    struct arena_budget b = {.max = 10000};
    struct arena one, two;
    arena_init(&one, 1 << 20);
    arena_init(&two, 1 << 20);
    one.budget = two.budget = &b;
    assert_non_null(arena_alloc(&one, 5000));
    assert_int_equal(atomic_load(&b.used), one.total);
    assert_null(arena_alloc(&two, 5000));
    assert_true(two.exhausted);
    arena_reset(&two);
    assert_non_null(arena_alloc(&two, 100));
    assert_int_equal(atomic_load(&b.used), one.total + two.total);
    arena_done(&one);
    assert_int_equal(atomic_load(&b.used), two.total);
    assert_non_null(arena_alloc(&two, 5000));
    arena_reset(&two);
    assert_int_equal(atomic_load(&b.used), two.total);
    arena_done(&two);
    assert_int_equal(atomic_load(&b.used), 0);
    /* It was not forgotten. */
    assert_null(arena_alloc(&one, 20000));
    assert_true(arena_budget_take(&b, 10000));
    assert_false(arena_budget_take(&b, 1));
    arena_budget_give(&b, 10000);
    assert_int_equal(atomic_load(&b.used), 0);
    arena_done(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(total_never_exceeds_the_cap),
        cmocka_unit_test(steady_state_needs_no_new_block),
        cmocka_unit_test(big_piece_does_not_waste_the_block),
        cmocka_unit_test(copies),
        cmocka_unit_test(protobuf_lives_in_it),
        cmocka_unit_test(use_after_reset_is_poisoned),
        cmocka_unit_test(many_share_a_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
