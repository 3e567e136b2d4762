/* Goal: a worker is killed for silence only if it was silent, and one that has died serves no more.
 *
 * The workers are real processes, and the clock is the test's. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "crew.h"

enum { COUNT = 2, STALL_MS = 2000, LOOK_MS = 1000, LEAVING_GRACE_MS = 1000 };

static struct crew *crew;
static int starts[2]; /* each worker writes here what it was told, before it says that it serves */
static uint64_t beats[1 + 2 * COUNT];
static uint64_t now;

static void pass(uint64_t ms)
{
	clock_set_for_test(now += ms, 0);
}

static void be_worker(void *unused, const struct crew_worker *worker)
{
	(void)unused;
	signal(SIGTERM, SIG_IGN); /* each takes its time to leave */
	signal(SIGUSR1, SIG_IGN);
	if (write(starts[1], worker, sizeof *worker) != (ssize_t)sizeof *worker ||
	    write(worker->ready_fd, "!", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void left(void *unused, unsigned page)
{
	(void)unused;
	beats[page] = 0;
}

static uint64_t beat_of(void *unused, unsigned page)
{
	(void)unused;
	return beats[page];
}

static int open_crew(unsigned count)
{
	int fds[COUNT];
	const struct crew_setup setup = {.count = count,
					 .listen_fds = fds,
					 .answers_ms = 60000,
					 .become = be_worker,
					 .left = left,
					 .beat = beat_of,
					 .stall_ms = STALL_MS};

	log_open(STDERR_FILENO, LOG_KEY_VALUE, LOG_ERROR);
	memset(beats, 0, sizeof beats);
	now = 1000000;
	pass(0);
	for (unsigned i = 0; i < count; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return pipe2(starts, O_CLOEXEC) == 0 && (crew = crew_new(&setup)) != NULL ? 0 : -1;
}

static int open_one(void **state)
{
	(void)state;
	return open_crew(1);
}

static int open_two(void **state)
{
	(void)state;
	return open_crew(2);
}

static int close_crew(void **state)
{
	(void)state;
	crew_signal(crew, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	crew_free(crew);
	close(starts[0]);
	close(starts[1]);
	clock_real_for_test();
	return 0;
}

/* Of the next that starts. */
static struct crew_worker next_start(void)
{
	struct crew_worker told;

	assert_int_equal(read(starts[0], &told, sizeof told), sizeof told);
	return told;
}

static void hear_until_ready(unsigned count)
{
	struct pollfd polled[CREW_POLLED_MAX];

	while (crew_ready(crew) < count) {
		unsigned n = crew_polled(crew, polled);

		assert_true(poll(polled, n, 10000) > 0);
		crew_hear(crew, polled);
	}
}

static void all_serve(unsigned count)
{
	crew_step(crew, true);
	for (unsigned i = 0; i < count; i++)
		(void)next_start();
	hear_until_ready(count);
}

/* Waits for its end, and tells the crew. The signal that ended it. */
static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(crew_ended(crew, pid, status));
	assert_true(WIFSIGNALED(status));
	return WTERMSIG(status);
}

/* Ends it. A SIGKILL that had come before would be what ended it. */
static bool was_alive(pid_t pid)
{
	kill(pid, SIGHUP);
	return end_of(pid) == SIGHUP;
}

static void who_beats_while_others_are_looked_at_is_not_silent(void **state)
{
	pid_t silent, alive;

	(void)state;
	all_serve(2);
	silent = crew_pid(crew, 0);
	alive = crew_pid(crew, 1);
	beats[1] = now;
	for (int looks = 0; looks < STALL_MS / LOOK_MS; looks++) {
		pass(LOOK_MS);
		beats[2] = now + 5; /* after the crew has read the time */
		crew_step(crew, true);
	}
	assert_true(was_alive(alive));
	assert_int_equal(end_of(silent), SIGKILL);
}

static void who_stood_still_with_all_of_them_is_not_silent(void **state)
{
	(void)state;
	all_serve(2);
	pass(LOOK_MS);
	beats[1] = beats[2] = now;
	crew_step(crew, true);
	pass(STALL_MS + LOOK_MS - 100); /* nobody looked, either */
	crew_step(crew, true);
	assert_true(was_alive(crew_pid(crew, 0)));
	assert_true(was_alive(crew_pid(crew, 1)));
}

static void who_beats_while_others_are_hurried_may_still_answer(void **state)
{
	pid_t silent, alive;

	(void)state;
	all_serve(2);
	silent = crew_pid(crew, 0);
	alive = crew_pid(crew, 1);
	beats[1] = now;
	crew_dismiss(crew);
	for (int looks = 0; looks < 4; looks++) {
		pass(LEAVING_GRACE_MS);
		beats[2] = now + 5;
		crew_step(crew, false);
	}
	assert_true(was_alive(alive));
	assert_int_equal(end_of(silent), SIGKILL);
}

/* The first is killed, another takes its place: does that one join the `left` that serve? */
static bool next_joins(unsigned left)
{
	kill(crew_pid(crew, 0), SIGKILL);
	assert_int_equal(end_of(crew_pid(crew, 0)), SIGKILL);
	assert_int_equal(crew_ready(crew), left);
	crew_step(crew, true);
	return next_start().joins;
}

static void one_that_has_died_serves_no_more_and_nobody_joins_it(void **state)
{
	(void)state;
	crew_step(crew, true);
	assert_false(next_start().joins);
	hear_until_ready(1);
	assert_false(next_joins(0));
	hear_until_ready(1);
}

static void who_is_started_again_joins_those_who_serve(void **state)
{
	(void)state;
	all_serve(2);
	assert_true(next_joins(1));
	hear_until_ready(2);
}

static void successors_join_those_they_replace(void **state)
{
	pid_t before;

	(void)state;
	all_serve(1);
	before = crew_pid(crew, 0);
	assert_true(crew_renew(crew));
	assert_true(next_start().joins);
	while (crew_renewal(crew) != CREW_RENEWED) {
		struct pollfd polled[CREW_POLLED_MAX];
		unsigned n = crew_polled(crew, polled);

		assert_true(poll(polled, n, 10000) > 0);
		crew_hear(crew, polled);
		crew_step(crew, true);
	}
	assert_int_not_equal(crew_pid(crew, 0), before);
	assert_int_equal(crew_ready(crew), 1);
	assert_true(was_alive(before)); /* it says goodbye */
}

int main(void)
{
#define OF_ONE(test) cmocka_unit_test_setup_teardown(test, open_one, close_crew)
#define OF_TWO(test) cmocka_unit_test_setup_teardown(test, open_two, close_crew)
	const struct CMUnitTest tests[] = {
		OF_TWO(who_beats_while_others_are_looked_at_is_not_silent),
		OF_TWO(who_stood_still_with_all_of_them_is_not_silent),
		OF_TWO(who_beats_while_others_are_hurried_may_still_answer),
		OF_ONE(one_that_has_died_serves_no_more_and_nobody_joins_it),
		OF_TWO(who_is_started_again_joins_those_who_serve),
		OF_ONE(successors_join_those_they_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
