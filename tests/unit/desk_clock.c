/* Goal: a jump of Redis' clock is found, is not followed until it has lasted, and ends when the clock comes back; slow drift and
 * slow answers are no jumps. The clocks are driven.
 */
#include "cmocka_all.h"

#include "base/clock.h"
#include "base/counters.h"
#include "desk/redis_clock.h"

enum { PATIENCE_MS = 600000, HOUR_MS = 3600000 };
static const int64_t wall = INT64_C(1800000000000);

static struct redis_clock clock_;
static uint64_t mono;
static int64_t redis_ahead; /* of the time that passes here */

static void at(uint64_t ms)
{
	mono = ms;
	clock_set_for_test(ms, wall + (int64_t)ms);
}

static int64_t redis_time(void)
{
	return wall + (int64_t)mono + redis_ahead;
}

/* A question now, its answer some ms later; Redis looked at its clock half-way. */
static bool ask(uint64_t takes)
{
	uint64_t asked = mono;
	int64_t said = redis_time() + (int64_t)takes / 2;

	at(mono + takes);
	return redis_clock_hear(&clock_, asked, said);
}

static int64_t own_is_ahead(void)
{
	return redis_clock_now_ms(&clock_) - (wall + (int64_t)mono);
}

/* Once a second for so long. Returns how many jumps came to light. */
static int seconds_pass(int seconds)
{
	int jumps = 0;

	for (int i = 0; i < seconds; i++) {
		at(mono + 1000);
		jumps += ask(2);
	}
	return jumps;
}

static int start(void **state)
{
	(void)state;
	at(1000000);
	redis_ahead = 0;
	redis_clock_init(&clock_, PATIENCE_MS);
	return 0;
}

static void before_the_first_answer_it_is_this_machines_time(void **state)
{
	(void)state;
	assert_int_equal(own_is_ahead(), 0);
	assert_int_equal(redis_clock_ahead_ms(&clock_), 0);
}

static void it_stays_with_redis_within_what_an_answer_takes(void **state)
{
	(void)state;
	redis_ahead = 40;
	assert_int_equal(seconds_pass(10), 0);
	assert_in_range(own_is_ahead(), 39, 41);
	assert_false(ask(5000)); /* Redis was busy */
	assert_in_range(own_is_ahead(), 39, 41);
	assert_false(clock_.is_doubted);
}

static void drift_is_followed_however_far_it_goes(void **state)
{
	(void)state;
	seconds_pass(1);
	for (int i = 0; i < 1000; i++) {
		redis_ahead += i < 500 ? 5 : -9;
		assert_int_equal(seconds_pass(1), 0);
		assert_in_range(own_is_ahead() - redis_ahead + 20, 18, 22);
	}
	redis_ahead += 280; /* Redis was away for ten minutes */
	at(mono + 600000);
	assert_false(ask(2));
}

static void a_jump_ahead_is_not_followed_and_others_are_told(void **state)
{
	(void)state;
	seconds_pass(5);
	redis_ahead = 2 * HOUR_MS;
	assert_int_equal(seconds_pass(60), 1);
	assert_in_range(own_is_ahead() + 10, 8, 12);
	assert_in_range(redis_clock_ahead_ms(&clock_), 2 * HOUR_MS - 5, 2 * HOUR_MS + 5);
	assert_int_equal(COUNTER_GET(CLOCK_DOUBTED), 1);
}

static void a_clock_that_comes_back_is_believed_at_once(void **state)
{
	(void)state;
	seconds_pass(5);
	redis_ahead = -HOUR_MS;
	assert_int_equal(seconds_pass(5), 1);
	assert_int_equal(redis_clock_ahead_ms(&clock_), 0); /* behind is no danger */
	redis_ahead = 0;
	assert_int_equal(seconds_pass(1), 0);
	assert_false(clock_.is_doubted);
	assert_in_range(own_is_ahead() + 10, 8, 12);
	assert_int_equal(COUNTER_GET(CLOCK_DOUBTED), 0);
}

static void what_lasts_is_believed_when_patience_is_over(void **state)
{
	(void)state;
	seconds_pass(5);
	redis_ahead = HOUR_MS;
	seconds_pass(PATIENCE_MS / 1000 - 5);
	assert_in_range(own_is_ahead() + 10, 8, 12);
	seconds_pass(10);
	assert_in_range(own_is_ahead(), HOUR_MS - 2, HOUR_MS + 2);
	assert_false(clock_.is_doubted);
	assert_int_equal(redis_clock_ahead_ms(&clock_), 0);
}

static void a_second_jump_begins_the_wait_anew(void **state)
{
	(void)state;
	seconds_pass(5);
	redis_ahead = HOUR_MS;
	seconds_pass(PATIENCE_MS / 1000 - 5);
	redis_ahead = 2 * HOUR_MS;
	assert_int_equal(seconds_pass(PATIENCE_MS / 1000 - 5), 1);
	assert_in_range(own_is_ahead() + 10, 8, 12);
}

static void who_starts_after_a_jump_has_its_own_wall_clock(void **state)
{
	(void)state;
	redis_ahead = HOUR_MS;
	assert_int_equal(seconds_pass(5), 1);
	assert_in_range(own_is_ahead() + 10, 8, 12);
	assert_int_equal(redis_clock_ahead_ms(&clock_), 0); /* it may be the one that is wrong */
}

static void a_redis_that_is_behind_at_first_is_believed(void **state)
{
	(void)state;
	redis_ahead = -HOUR_MS;
	assert_int_equal(seconds_pass(1), 0);
	assert_in_range(own_is_ahead(), -HOUR_MS - 2, -HOUR_MS + 2);
}

static void a_jump_of_this_machines_wall_clock_means_nothing(void **state)
{
	(void)state;
	seconds_pass(5);
	clock_set_for_test(mono, wall + (int64_t)mono + HOUR_MS);
	assert_in_range(own_is_ahead() + 10, 8, 12);
}

int main(void)
{
#define CLOCK(test) cmocka_unit_test_setup(test, start)
	const struct CMUnitTest tests[] = {
		CLOCK(before_the_first_answer_it_is_this_machines_time),
		CLOCK(it_stays_with_redis_within_what_an_answer_takes),
		CLOCK(drift_is_followed_however_far_it_goes),
		CLOCK(a_jump_ahead_is_not_followed_and_others_are_told),
		CLOCK(a_clock_that_comes_back_is_believed_at_once),
		CLOCK(what_lasts_is_believed_when_patience_is_over),
		CLOCK(a_second_jump_begins_the_wait_anew),
		CLOCK(who_starts_after_a_jump_has_its_own_wall_clock),
		CLOCK(a_redis_that_is_behind_at_first_is_believed),
		CLOCK(a_jump_of_this_machines_wall_clock_means_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
