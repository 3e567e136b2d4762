/* Clients that lost the same server come back spread over time, and ever more slowly. */
#include "cmocka_all.h"
#include "backoff.h"

static void the_ceiling_doubles_up_to_its_cap(void **state)
{
	(void)state;
	assert_int_equal(backoff_ceiling(0), 1000);
	assert_int_equal(backoff_ceiling(1), 2000);
	assert_int_equal(backoff_ceiling(4), 16000);
	assert_int_equal(backoff_ceiling(5), BACKOFF_CAP_MS);
	assert_int_equal(backoff_ceiling(UINT32_MAX), BACKOFF_CAP_MS);
}

static void the_wait_is_anywhere_from_nothing_to_the_ceiling(void **state)
{
	struct backoff b = {0};

	(void)state;
	assert_int_equal(backoff_next(&b, 0), 0);
	assert_int_equal(backoff_next(&b, UINT32_MAX), 2000);
	assert_in_range(backoff_next(&b, UINT32_MAX / 2), 1990, 2000);
}

static void success_starts_anew(void **state)
{
	struct backoff b = {0};

	(void)state;
	for (int i = 0; i < 10; i++)
		(void)backoff_next(&b, 1);
	assert_int_equal(backoff_next(&b, UINT32_MAX), BACKOFF_CAP_MS);
	backoff_reset(&b);
	assert_int_equal(backoff_next(&b, UINT32_MAX), 1000);
}

static void a_thousand_waits_are_spread(void **state)
{
	int tenths[11] = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct backoff b = {0};

		tenths[backoff_next(&b, backoff_draw()) / 100]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 40, 180);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ceiling_doubles_up_to_its_cap),
		cmocka_unit_test(the_wait_is_anywhere_from_nothing_to_the_ceiling),
		cmocka_unit_test(success_starts_anew),
		cmocka_unit_test(a_thousand_waits_are_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
