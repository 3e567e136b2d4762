/* Goal: an arena's memory is usable, bounded, and given back as a whole. */
#include "cmocka_all.h"

#include <stdint.h>
#include <string.h>
#include "base/arena.h"

static void what_is_taken_is_apart_and_aligned(void **state)
{
	struct arena arena = {.most = 1 << 20};
	char *taken[300];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		taken[i] = arena_take(&arena, i);
		assert_non_null(taken[i]);
		assert_int_equal((uintptr_t)taken[i] % ARENA_ALIGNMENT, 0);
		memset(taken[i], (int)i, i);
	}
	for (size_t i = 0; i < COUNT_OF(taken); i++)
		for (size_t at = 0; at < i; at++)
			assert_int_equal((unsigned char)taken[i][at], i % 256);
	arena_free(&arena);
	assert_int_equal(arena.taken, 0);
}

static void it_takes_no_more_than_it_may(void **state)
{
	struct arena arena = {.most = 1 << 20};
	size_t taken = 0;

	(void)state;
	while (arena_take(&arena, 1000))
		taken += 1000;
	assert_true(arena.over);
	assert_true(taken <= arena.most && taken > arena.most * 9 / 10);
	assert_true(arena.taken <= arena.most);
	arena_free(&arena);
}

static void what_is_too_large_is_refused_and_spoils_nothing(void **state)
{
	struct arena arena = {.most = 1 << 20};

	(void)state;
	assert_null(arena_take(&arena, SIZE_MAX));
	assert_null(arena_take(&arena, SIZE_MAX - 8));
	assert_null(arena_take(&arena, (1 << 20) + 1));
	assert_true(arena.over);
	assert_int_equal(arena.taken, 0);
	assert_non_null(arena_take(&arena, 1 << 20));
	arena_free(&arena);
}

static void after_a_reset_all_of_it_can_be_taken_again(void **state)
{
	struct arena arena = {.most = 1 << 20};

	(void)state;
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 8; i++)
			assert_non_null(arena_take(&arena, 100000));
		assert_non_null(arena_take(&arena, 10));
		arena_reset(&arena);
		assert_false(arena.over);
		assert_true(arena.taken <= 64 << 10); /* one chunk is kept at most */
	}
	arena_free(&arena);
}

static void it_may_take_less_from_one_use_to_the_next(void **state)
{
	struct arena arena = {.most = 1 << 20};

	(void)state;
	assert_non_null(arena_take(&arena, 10));
	arena_reset(&arena);
	arena.most = 100;
	assert_null(arena_take(&arena, 100000));
	assert_true(arena.over);
	arena_free(&arena);
}

static void what_was_taken_is_wiped_in_every_chunk(void **state)
{
	struct arena arena = {.most = 1 << 20};
	char *bytes[20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bytes); i++) {
		assert_non_null(bytes[i] = arena_take(&arena, 10000));
		memset(bytes[i], 'k', 10000);
	}
	arena_wipe(&arena);
	for (size_t i = 0; i < COUNT_OF(bytes); i++)
		for (size_t at = 0; at < 10000; at++)
			assert_int_equal(bytes[i][at], 0);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_taken_is_wiped_in_every_chunk),
		cmocka_unit_test(what_is_taken_is_apart_and_aligned),
		cmocka_unit_test(it_takes_no_more_than_it_may),
		cmocka_unit_test(what_is_too_large_is_refused_and_spoils_nothing),
		cmocka_unit_test(after_a_reset_all_of_it_can_be_taken_again),
		cmocka_unit_test(it_may_take_less_from_one_use_to_the_next),
	};

	return cmocka_run_group_tests_name("base_arena", tests, NULL, NULL);
}
