/* A reader that has come to the head waits for its row, and misses nothing by that. */
enum { LAG_BYTES = 40000, LAG_TIME_MS = 64000 };
#include "reader_pipes.h"

/* In order; and no message says that it has what comes later. */
static void assert_has_all_once(const struct pipe *p, int posts)
{
	static const char place[] = "\"cursor\":\"e1:1700000000000-";
	struct heard h;
	int last = 0;

	hear(p, &h);
	for (int i = 0; i < h.count; i++) {
		const char *at = strstr(h.text[i], place);

		if (at == NULL)
			continue;
		if (strstr(h.text[i], "{\"type\":\"post\"") == h.text[i])
			last++;
		assert_true(strstr(h.text[i], "hello") != NULL ||
			    atoi(at + sizeof place - 1) == last);
	}
	free_heard(&h);
	assert_int_equal(last, posts);
}

/* Of other news: that of the others can wait for it. */
static void seat_somebody_in_front(void)
{
	struct audience_member *member =
		&open_as(2, FORMAT_WEBSOCKET, false, "sport", NULL)->reader->member;

	audience_leave(member);
	audience_took(member, AUDIENCE_PROVEN);
	assert_int_equal(audience_join(member), 0);
}

/* Its connection is full, one post is behind it, and one is on its way to those who sit where it sat. */
static struct pipe *come_to_the_head_too_early(bool early)
{
	struct pipe *p = open_reader(0, early);

	seat_somebody_in_front();
	stop_reading(p);
	publish_stories(1);
	assert_false(reader_is_live(p->reader));
	publish_item("publish", "regular", "urn:a", 1, 1000);
	give_room(p, FOR_EVER);
	return p;
}

static void who_is_at_the_head_waits_for_his_row(void **state)
{
	struct pipe *other = open_reader(1, false), *p = come_to_the_head_too_early(false);

	(void)state;
	assert_int_equal(count_heard(p, "\"type\":\"post\""), 2);
	assert_int_equal(count_heard(other, "\"type\":\"post\""), 1);
	assert_false(reader_is_live(p->reader));
	assert_int_equal(all->lagging, 1);
	publish_item("publish", "regular", "urn:b", 1, 1000);
	assert_int_equal(count_heard(p, "urn:b"), 0);
	readers_tick(all);
	assert_true(reader_is_live(p->reader));
	assert_int_equal(all->lagging, 0);
	publish_stories(1);
	assert_has_all_once(p, 4);
	assert_has_all_once(other, 4);
}

static void who_waits_for_his_row_is_told_that_the_line_lives(void **state)
{
	struct pipe *p;

	(void)state;
	open_reader(1, false);
	p = come_to_the_head_too_early(false);
	assert_false(reader_is_live(p->reader));
	readers_second(all); /* also in between: ticks do not wait for a fan-out */
	assert_int_equal(count_heard(p, "\"type\":\"tick\",\"cursor\":\"e1:1700000000000-2\""), 1);
}

static void a_flash_overtakes_him_who_waits_for_his_row(void **state)
{
	struct pipe *p;

	(void)state;
	open_reader(1, true);
	p = come_to_the_head_too_early(true);
	assert_false(reader_is_live(p->reader));
	publish_item("publish", "flash", "urn:flash", 1, 100);
	readers_tick(all);
	assert_int_equal(count_heard(p, "urn:flash"), 2); /* before its turn, and in it */
	assert_true(reader_is_live(p->reader));
}

static void who_goes_while_he_waits_leaves_nothing_behind(void **state)
{
	struct pipe *p;

	(void)state;
	open_reader(1, false);
	p = come_to_the_head_too_early(false);
	reader_close(p->reader, CLOSE_NORMAL);
	readers_reap(all);
	assert_true(p->gone);
	assert_null(all->waiting);
	assert_int_equal(all->lagging, 0);
	readers_tick(all);
}

static void who_waits_is_not_late_for_that(void **state)
{
	struct pipe *other = open_reader(1, false), *p = come_to_the_head_too_early(false);
	char uri[32];

	(void)state;
	for (int i = 3; i <= 62; i++) { /* more than LAG_BYTES */
		snprintf(uri, sizeof uri, "urn:%d", i);
		publish_item("publish", "regular", uri, 1, 1000);
	}
	readers_tick(all);
	give_room(p, 1);
	assert_has_all_once(p, 62);
	assert_has_all_once(other, 62);
	assert_int_equal(count_heard(p, "\"type\":\"gap\""), 0);
}

static void whoever_waits_for_a_busy_row_comes_forward_every_second(void **state)
{
	struct pipe *p;

	(void)state;
	open_reader(1, false);
	p = come_to_the_head_too_early(false);
	publish_item("publish", "regular", "urn:b", 1, 1000);
	readers_second(all);
	assert_false(reader_is_live(p->reader)); /* the row is still not done */
	assert_int_equal(count_heard(p, "urn:b"), 1);
	readers_tick(all);
	assert_true(reader_is_live(p->reader));
	assert_has_all_once(p, 3);
}

static void who_comes_in_the_middle_of_a_fan_out_disturbs_nobody(void **state)
{
	struct pipe *other = open_reader(1, false), *p;

	(void)state;
	seat_somebody_in_front();
	publish_item("publish", "regular", "urn:a", 1, 1000);
	p = open_reader(0, false);
	assert_int_equal(count_heard(other, "urn:a"), 0);
	assert_int_equal(count_heard(p, "\"type\":\"hello\",\"cursor\":\"e1:1700000000000-1\""), 1);
	publish_item("publish", "regular", "urn:b", 1, 1000);
	readers_tick(all);
	assert_int_equal(count_heard(p, "urn:a"), 0);
	assert_int_equal(count_heard(p, "urn:b"), 1);
	assert_true(reader_is_live(p->reader));
	assert_has_all_once(other, 2);
}

static void who_asks_in_the_middle_of_a_fan_out_is_where_the_answer_says(void **state)
{
	static const char ping[] = "{\"type\":\"ping\"}";
	struct pipe *other = open_as(1, FORMAT_EVENT, false, "world", NULL),
		    *p = open_reader(0, false);

	(void)state;
	publish_item("publish", "regular", "urn:a", 1, 1000);
	reader_hear(p->reader, ping, sizeof ping - 1);
	assert_int_equal(count_heard(p, "\"type\":\"tick\",\"cursor\":\"e1:1700000000000-1\""), 1);
	assert_int_equal(count_heard(p, "urn:a"), 1);
	assert_null(memmem(other->text, other->len, "urn:a", 5)); /* another row: it has time */
	readers_tick(all);
	assert_non_null(memmem(other->text, other->len, "urn:a", 5));
}

static void who_is_slow_is_judged_though_he_had_to_wait(void **state)
{
	struct pipe *p;
	char uri[32];

	(void)state;
	open_reader(1, false);
	p = come_to_the_head_too_early(false);
	readers_tick(all);
	for (int i = 0; i < 600; i++) {
		p->room = 300; /* of a kilobyte */
		snprintf(uri, sizeof uri, "urn:%d", i);
		publish_item("publish", "regular", uri, 1, 1000);
		give_room(p, 0);
		readers_tick(all);
	}
	assert_true(count_heard(p, "\"type\":\"gap\"") > 0);
	assert_in_range(wire.head.seq - p->reader->cursor.seq, 0, 2 * LAG_BYTES / 1000);
}

/* Another worker knew more than this one. */
static struct pipe *open_ahead(int i)
{
	struct cursor since = {.epoch = "e1", .id = {wire.head.ms, wire.head.seq + 1}};
	struct pipe *p = open_as(i, FORMAT_WEBSOCKET, false, "world", &since);

	assert_int_equal(p->reader->state, READER_AHEAD);
	return p;
}

static void who_was_ahead_does_not_wait_for_a_fan_out_that_is_never_done(void **state)
{
	struct pipe *p;

	(void)state;
	open_reader(1, false);
	p = open_ahead(0);
	publish_item("publish", "regular", "urn:a", 1, 1000);
	publish_item("publish", "regular", "urn:b", 1, 1000);
	readers_second(all);
	assert_int_equal(count_heard(p, "urn:a"), 0);
	assert_int_equal(count_heard(p, "urn:b"), 1);
}

static void who_was_ahead_and_is_older_than_the_backlog_reads_from_redis(void **state)
{
	struct pipe *p;

	(void)state;
	backlog_free(wire.backlog);
	wire.backlog = backlog_new(20 << 10);
	backlog_reset(wire.backlog, wire.head);
	p = open_ahead(0);
	for (int i = 0; i < 100; i++)
		publish_item("publish", "regular", "urn:a", i, 1000);
	readers_tick(all);
	assert_int_equal(count_heard(p, "\"type\":\"gap\""), 0);
	assert_int_equal(p->reader->state, READER_WAITING);
	assert_non_null(wire.asked);
}

static void who_comes_to_the_head_is_not_behind_for_what_others_wait_for(void **state)
{
	struct pipe *p = open_reader(0, false);

	(void)state;
	open_reader(1, false);
	publish_stories(300);
	stop_reading(p);
	publish_stories(1);
	assert_int_equal(told.behind, 1);
	publish_item("publish", "regular", "urn:a", 1, 1000);
	give_room(p, FOR_EVER);
	assert_true(reader_is_live(p->reader));
	assert_int_equal(told.seq, 302);
	assert_int_equal(told.behind, 0);
}

/* --- another protocol ------------------------------------------------------------------------- */

static int ticks[PIPES];

static void speak_tick(struct reader *r)
{
	ticks[pipe_of(reader_line(r)) - pipes]++;
	reader_answer(r, "{}", 2);
}

static void speak_gap(struct reader *r, struct wire_id lost)
{
	(void)r;
	(void)lost;
	fail_msg("%s", "nothing is lost here");
}

static bool wants(const void *line, uint32_t channel, struct wire_id id)
{
	(void)line;
	(void)channel;
	(void)id;
	return true;
}

static int begin_speech(void **state)
{
	static const struct reader_speech speech = {speak_tick, speak_gap, wants};
	static struct reader_line other_door;

	other_door = door;
	other_door.speech = &speech;
	memset(ticks, 0, sizeof ticks);
	if (setup(state) != 0)
		return -1;
	all->options.lines[FORMAT_CENTRIFUGE] = &other_door;
	return 0;
}

static struct pipe *open_speaking(int i)
{
	struct pipe *p = &pipes[i];
	struct channel_set channels;

	p->room = FOR_EVER;
	p->reader = reader_open_quietly(all, FORMAT_CENTRIFUGE, &p);
	assert_non_null(p->reader);
	assert_int_equal(channel_set_read(&channels, "world", 5, ' '), 0);
	reader_move(p->reader, subscription_of_channels(&channels), wire.head);
	assert_true(reader_is_live(p->reader));
	return p;
}

/* Its tick does not wait for posts. What the kernel takes no more of stands behind what its row owed. */
static void a_tick_overtakes_no_post(void **state)
{
	struct pipe *p = open_speaking(0);

	(void)state;
	publish_item("publish", "regular", "urn:a", 1, 1000);
	stop_reading(p);
	readers_second(all);
	assert_false(reader_is_live(p->reader));
	readers_tick(all);
	give_room(p, FOR_EVER);
	assert_true(reader_is_live(p->reader));
	assert_non_null(memmem(p->text, p->arrived, "urn:a", 5));
}

static void nobody_is_ticked_twice_when_another_is_found_to_be_gone(void **state)
{
	(void)state;
	for (int dead = 0; dead < PIPES; dead++) {
		for (int i = 0; i < PIPES; i++)
			open_speaking(i);
		publish_item("publish", "regular", "urn:a", 1, 1000);
		pipes[dead].dead = true;
		memset(ticks, 0, sizeof ticks);
		readers_second(all);
		for (int i = 0; i < PIPES; i++)
			assert_int_equal(ticks[i], i != dead);
		for (int i = 0; i < PIPES; i++) {
			reader_gone(pipes[i].reader);
			pipes[i].reader = NULL;
			pipes[i].dead = false;
			pipes[i].len = pipes[i].arrived = 0;
		}
	}
}

/* --- at random -------------------------------------------------------------------------------- */

static void something_happens(void)
{
	static const char ping[] = "{\"type\":\"ping\"}";
	struct pipe *p = &pipes[rand() % PIPES];
	char uri[32];

	switch (rand() % 8) {
	case 0:
	case 1:
	case 2:
		snprintf(uri, sizeof uri, "urn:%llu", (unsigned long long)wire.head.seq + 1);
		publish_item("publish", "regular", uri, 1, 3000);
		break;
	case 3:
		stop_reading(p);
		break;
	case 4:
		give_room(p, (size_t)rand() % 20000);
		break;
	case 5:
		reader_hear(p->reader, ping, sizeof ping - 1);
		break;
	case 6:
		readers_second(all);
		break;
	default:
		readers_go_on(all);
	}
}

/* Sometimes in front and sometimes not, live, behind and waiting for its row. */
static void whatever_happens_everybody_gets_everything_once(void **state)
{
	for (unsigned seed = 1; seed <= 60; seed++) {
		srand(seed);
		all->options.lag_bytes = 0; /* nobody is too late */
		all->past.timed = false;
		for (int i = 0; i < PIPES; i++)
			open_reader(i, i == 0);
		while (wire.head.seq < 200)
			something_happens();
		readers_tick(all);
		for (int i = 0; i < PIPES; i++)
			give_room(&pipes[i], FOR_EVER / 2);
		for (int i = 0; i < PIPES; i++) {
			assert_true(reader_is_live(pipes[i].reader));
			assert_has_all_once(&pipes[i], 200);
		}
		teardown(state);
		setup(state);
	}
}

/* Those in front are paid at once. */
static void who_has_shown_that_he_reads_does_not_wait(void **state)
{
	struct pipe *other = open_reader(1, false), *p = open_reader(0, false);

	(void)state;
	publish_stories(300);
	stop_reading(p);
	publish_stories(1);
	publish_item("publish", "regular", "urn:a", 1, 1000);
	give_room(p, FOR_EVER);
	assert_true(reader_is_live(p->reader));
	assert_int_equal(count_heard(other, "urn:a"), 1);
	publish_stories(1);
	assert_has_all_once(p, 303);
	assert_has_all_once(other, 303);
}

/* As after a reload, when all come back and none has been written much. */
static void nobody_waits_where_nobody_sits_in_front(void **state)
{
	struct cursor since = {.epoch = "e1", .id = wire.head};
	struct pipe *other = open_reader(1, false), *p;

	(void)state;
	publish_item("publish", "regular", "urn:a", 1, 1000);
	p = open_as(0, FORMAT_WEBSOCKET, false, "world", &since);
	assert_true(reader_is_live(p->reader));
	assert_int_equal(count_heard(other, "urn:a"), 1);
	publish_item("publish", "regular", "urn:b", 1, 1000);
	readers_go_on(all);
	assert_has_all_once(p, 2);
	assert_has_all_once(other, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(who_is_at_the_head_waits_for_his_row),
		TEST(who_waits_for_his_row_is_told_that_the_line_lives),
		TEST(a_flash_overtakes_him_who_waits_for_his_row),
		TEST(who_goes_while_he_waits_leaves_nothing_behind),
		TEST(who_has_shown_that_he_reads_does_not_wait),
		TEST(nobody_waits_where_nobody_sits_in_front),
		TEST(who_waits_is_not_late_for_that),
		TEST(whoever_waits_for_a_busy_row_comes_forward_every_second),
		TEST(who_comes_in_the_middle_of_a_fan_out_disturbs_nobody),
		TEST(who_asks_in_the_middle_of_a_fan_out_is_where_the_answer_says),
		TEST(who_is_slow_is_judged_though_he_had_to_wait),
		TEST(who_was_ahead_does_not_wait_for_a_fan_out_that_is_never_done),
		TEST(who_was_ahead_and_is_older_than_the_backlog_reads_from_redis),
		TEST(who_comes_to_the_head_is_not_behind_for_what_others_wait_for),
		cmocka_unit_test_setup_teardown(a_tick_overtakes_no_post, begin_speech, teardown),
		cmocka_unit_test_setup_teardown(
			nobody_is_ticked_twice_when_another_is_found_to_be_gone, begin_speech,
			teardown),
		TEST(whatever_happens_everybody_gets_everything_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
