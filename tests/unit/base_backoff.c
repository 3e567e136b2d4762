/* Goal: waits double up to the cap, are spread evenly, and two processes never draw the same ones.
 */
#include "cmocka_all.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/backoff.h"

static void waits_stay_within_a_window_that_doubles_up_to_the_cap(void **state)
{
	(void)state;
	for (int round = 0; round < 1000; round++) {
		struct backoff b = {.base_ms = 100, .cap_ms = 1500};

		assert_in_range(backoff_next(&b), 0, 100);
		assert_in_range(backoff_next(&b), 0, 200);
		assert_in_range(backoff_next(&b), 0, 400);
		assert_in_range(backoff_next(&b), 0, 800);
		assert_in_range(backoff_next(&b), 0, 1500);
		assert_in_range(backoff_next(&b), 0, 1500);
		backoff_reset(&b);
		assert_in_range(backoff_next(&b), 0, 100);
	}
}

static void the_whole_window_is_used(void **state)
{
	unsigned seen[4] = {0};

	(void)state;
	for (int i = 0; i < 4000; i++) {
		struct backoff b = {.base_ms = 3, .cap_ms = 3};

		seen[backoff_next(&b)]++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 800, 1200); /* 1000, plus or minus seven sigma */
}

static void years_of_failures_overflow_nothing(void **state)
{
	struct backoff b = {.base_ms = 1000, .cap_ms = UINT32_MAX, .tries = UINT32_MAX};
	struct backoff small = {.base_ms = 0, .cap_ms = 60000, .tries = 50};

	(void)state;
	backoff_next(&b);
	assert_int_equal(b.tries, UINT32_MAX);
	assert_int_equal(backoff_next(&small), 0);
}

static void nothing_below_nothing(void **state)
{
	(void)state;
	assert_int_equal(backoff_random(0), 0);
	assert_int_equal(backoff_random(1), 0);
}

static void a_child_does_not_draw_what_its_parent_draws(void **state)
{
	uint32_t mine[4], its[4];
	int ends[2];
	pid_t child;

	(void)state;
	backoff_random(UINT32_MAX); /* words are in the pool now */
	assert_int_equal(pipe(ends), 0);
	if ((child = fork()) == 0) {
		for (int i = 0; i < 4; i++)
			its[i] = backoff_random(UINT32_MAX);
		_exit(write(ends[1], its, sizeof its) == sizeof its ? 0 : 1);
	}
	for (int i = 0; i < 4; i++)
		mine[i] = backoff_random(UINT32_MAX);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(read(ends[0], its, sizeof its), sizeof its);
	assert_memory_not_equal(mine, its, sizeof mine);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_stay_within_a_window_that_doubles_up_to_the_cap),
		cmocka_unit_test(the_whole_window_is_used),
		cmocka_unit_test(years_of_failures_overflow_nothing),
		cmocka_unit_test(nothing_below_nothing),
		cmocka_unit_test(a_child_does_not_draw_what_its_parent_draws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
