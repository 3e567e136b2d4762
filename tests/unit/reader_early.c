/* A reader that lags and has asked for it gets a flash before its turn, once, and again in its turn; and whatever becomes
 * of what went early reaches it early too. The wire and its history are ours here: posts come when a sentence says so. */
enum { LAG_BYTES = 0, LAG_TIME_MS = 0 }; /* any */
#include "reader_pipes.h"

/* --- what arrived ----------------------------------------------------------------------------- */

static bool is_early(const char *text)
{
	return strncmp(text, "{\"type\":\"post\",\"ahead\":true,\"action\":", 37) == 0;
}

/* Index of the first message with these two from `from` on, early or not; -1: none. */
static int find(const struct heard *h, int from, bool early, const char *a, const char *b)
{
	for (int i = from; i < h->count; i++)
		if (is_early(h->text[i]) == early && strstr(h->text[i], a) != NULL &&
		    strstr(h->text[i], b) != NULL)
			return i;
	return -1;
}

static int count(const struct heard *h, bool early, const char *a)
{
	int found = 0;

	for (int i = 0; i < h->count; i++)
		found += is_early(h->text[i]) == early && strstr(h->text[i], a) != NULL;
	return found;
}

/* Whatever has a cursor came in order, each once. */
static void assert_in_order(const struct heard *h)
{
	unsigned long long last = 0, seq;

	for (int i = 0; i < h->count; i++) {
		const char *at = strstr(h->text[i], "\"cursor\":\"e1:1700000000000-");

		assert_true((at == NULL) == is_early(h->text[i]));
		if (at == NULL || strstr(h->text[i], "\"type\":\"post\"") == NULL)
			continue;
		seq = strtoull(at + 27, NULL, 10);
		assert_true(seq > last);
		last = seq;
	}
}
/* --- the sentences ---------------------------------------------------------------------------- */

static void who_lags_gets_a_flash_before_the_rest_and_again_in_its_turn(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;
	int first, again;

	(void)state;
	stop_reading(p);
	publish_stories(200);
	publish("publish", "flash", "urn:flash", 1);
	publish_stories(3);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_in_order(&h);
	first = find(&h, 0, true, "urn:flash", "xxx");
	again = find(&h, 0, false, "urn:flash", "xxx");
	assert_in_range(first, 1, 2); /* behind hello, and behind a frame that was begun */
	assert_int_equal(again, first + 200 + (first == 1));
	assert_int_equal(count(&h, true, "urn:flash"), 1);
	assert_int_equal(h.count, 1 + 200 + 1 + 3 + 1);
	assert_int_equal(COUNTER_GET(AHEAD_SENT), 1);
	assert_true(reader_is_live(p->reader));
	assert_null(p->reader->debts);
	free_heard(&h);
}

static void who_did_not_ask_gets_everything_in_order(void **state)
{
	struct pipe *p = open_reader(0, false);
	struct heard h;

	(void)state;
	stop_reading(p);
	publish_stories(200);
	publish("publish", "flash", "urn:flash", 1);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_in_order(&h);
	assert_int_equal(count(&h, true, ""), 0);
	assert_int_equal(find(&h, 0, false, "urn:flash", "xxx"), 201);
	assert_int_equal(COUNTER_GET(AHEAD_SENT), 0);
	free_heard(&h);
}

static void who_keeps_up_gets_nothing_twice(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	publish_stories(3);
	publish("publish", "flash", "urn:flash", 1);
	publish("correct", "flash", "urn:flash", 2);
	hear(p, &h);
	assert_in_order(&h);
	assert_int_equal(count(&h, true, ""), 0);
	assert_int_equal(count(&h, false, "urn:flash"), 2);
	assert_null(p->reader->debts);
	free_heard(&h);
}

/* However slowly it reads. */
static void each_version_goes_early_once(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	stop_reading(p);
	publish_stories(50);
	publish("publish", "flash", "urn:flash", 1);
	for (int i = 0; i < 30; i++)
		give_room(p, 333);
	publish("correct", "flash", "urn:flash", 2);
	for (int i = 0; i < 30; i++)
		give_room(p, 333);
	publish_stories(50);
	for (int i = 0; i < 1000; i++)
		give_room(p, 333);
	hear(p, &h);
	assert_in_order(&h);
	assert_int_equal(count(&h, true, "urn:flash"), 2);
	assert_int_equal(count(&h, true, "\"version\":\"1\""), 1);
	assert_int_equal(count(&h, true, "\"version\":\"2\""), 1);
	assert_int_equal(count(&h, false, "urn:flash"),
			 1); /* the last version, as for any laggard */
	assert_int_equal(count(&h, false, "urn:story"), 100);
	assert_true(reader_is_live(p->reader));
	free_heard(&h);
}

static void the_frame_that_was_begun_ends_first_and_no_other(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	p->room = 1500;
	for (int i = 0; i < 20; i++) {
		char uri[32];

		snprintf(uri, sizeof uri, "urn:story:%d", i);
		publish_item("publish", "regular", uri, 1, 1000);
	}
	readers_tick(all); /* one block of 20 frames */
	assert_in_range(p->len, 2000, 2999);
	publish("publish", "flash", "urn:flash", 1);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_in_order(&h);
	assert_int_equal(find(&h, 0, true, "urn:flash", ""), 3); /* hello and two stories */
	assert_int_equal(h.count, 1 + 20 + 2);
	assert_int_equal(COUNTER_GET(DELIVERIES),
			 21); /* what was taken back is not counted twice */
	free_heard(&h);
}

static void a_kill_of_what_went_early_goes_early_too(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;
	int flash, kill, last;

	(void)state;
	stop_reading(p);
	publish_stories(100);
	publish("publish", "flash", "urn:flash", 1);
	give_room(p, 10000);
	publish("kill", "regular", "urn:flash", 2);
	publish_stories(1);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_in_order(&h);
	flash = find(&h, 0, true, "urn:flash", "xxx");
	kill = find(&h, 0, true, "\"action\":\"kill\"", "urn:flash");
	last = find(&h, 0, false, "urn:story:100", "");
	assert_true(flash > 0 && flash < kill && kill < last);
	assert_int_equal(count(&h, false, "urn:flash"), 1); /* its text does not come again */
	assert_true(find(&h, 0, false, "\"action\":\"kill\"", "urn:flash") > last);
	free_heard(&h);
}

static void a_kill_of_what_did_not_go_early_waits_for_its_turn(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	stop_reading(p);
	publish_stories(100);
	publish("kill", "regular", "urn:story:50", 2);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_int_equal(count(&h, true, ""), 0);
	assert_int_equal(find(&h, 0, false, "\"action\":\"kill\"", ""), h.count - 1);
	free_heard(&h);
}

static void what_is_killed_before_there_is_room_never_goes(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	stop_reading(p);
	publish_stories(100);
	publish("publish", "flash", "urn:flash", 1);
	publish("kill", "regular", "urn:flash", 2);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_int_equal(count(&h, true, ""), 0);
	assert_int_equal(count(&h, false, "urn:flash"), 1);
	free_heard(&h);
}

static void a_correction_goes_early_whatever_its_class(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	stop_reading(p);
	publish_stories(100);
	publish("publish", "flash", "urn:flash", 1);
	give_room(p, 10000);
	publish("correct", "regular", "urn:flash", 2);
	publish("correct", "regular", "urn:story:90", 2);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_in_order(&h);
	assert_int_equal(count(&h, true, ""), 2);
	assert_true(find(&h, 0, true, "urn:flash", "\"version\":\"2\"") <
		    find(&h, 0, false, "urn:story:99", ""));
	free_heard(&h);
}

static void who_waits_for_history_gets_it_at_once(void **state)
{
	const struct cursor since = {.epoch = "e1", .id = {1600000000000, 0}};
	struct pipe *p = open_as(0, FORMAT_WEBSOCKET, true, "world", &since);
	struct heard h;

	(void)state;
	assert_non_null(wire.asked);
	publish_stories(5);
	publish("publish", "flash", "urn:flash", 1);
	hear(p, &h);
	assert_int_equal(h.count, 2); /* hello */
	assert_int_equal(count(&h, true, "urn:flash"), 1);
	free_heard(&h);
	publish("kill", "regular", "urn:flash", 2);
	hear(p, &h);
	assert_int_equal(find(&h, 0, true, "\"action\":\"kill\"", ""), 2);
	free_heard(&h);
	wire.asked(HISTORY_GONE, NULL, wire.arg);
	hear(p, &h);
	assert_non_null(strstr(h.text[3], "\"type\":\"gap\""));
	assert_true(reader_is_live(p->reader));
	free_heard(&h);
}

static void what_it_missed_goes_early_where_that_is_more_than_a_block(void **state)
{
	const struct cursor since = {.epoch = "e1", .id = {1700000000000, 0}};
	struct pipe *p;
	struct heard h;

	(void)state;
	publish_stories(200);
	publish("publish", "flash", "urn:flash", 1);
	p = open_as(0, FORMAT_WEBSOCKET, true, "world", &since);
	give_room(p, 0);
	hear(p, &h);
	assert_in_order(&h);
	assert_in_range(find(&h, 0, true, "urn:flash", ""), 50, 70);
	assert_int_equal(h.count, 1 + 200 + 2);
	free_heard(&h);
}

static void so_many_flashes_go_early_and_no_more(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;
	char uri[32];

	(void)state;
	stop_reading(p);
	publish_stories(100);
	for (int i = 0; i < READER_EARLY_MAX + 8; i++) {
		snprintf(uri, sizeof uri, "urn:flash:%d", i);
		publish("publish", "flash", uri, 1);
	}
	give_room(p, 60000);
	publish("kill", "regular", "urn:flash:0", 2);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_in_order(&h);
	assert_int_equal(count(&h, true, "urn:flash"), READER_EARLY_MAX + 1);
	assert_true(find(&h, 0, true, "\"action\":\"kill\"", "urn:flash:0\"") > 0);
	assert_int_equal(count(&h, false, "urn:flash"), READER_EARLY_MAX + 8);
	assert_int_equal(COUNTER_GET(AHEAD_LEFT_OUT), 8);
	assert_null(p->reader->debts); /* what it remembered is freed */
	free_heard(&h);
}

static void the_frame_is_made_once_for_all(void **state)
{
	struct post *post;
	size_t bytes;

	(void)state;
	for (int i = 0; i < PIPES; i++)
		stop_reading(open_reader(i, true));
	publish_stories(100);
	publish("publish", "flash", "urn:flash", 1);
	post = backlog_newest(wire.backlog, "urn:flash");
	give_room(&pipes[0], 5000);
	bytes = post->bytes;
	give_room(&pipes[1], 5000);
	give_room(&pipes[2], 5000);
	assert_int_equal(post->bytes, bytes);
	assert_int_equal(COUNTER_GET(AHEAD_SENT), 3);
}

static void an_event_before_its_turn_has_no_id(void **state)
{
	struct pipe *p = open_as(0, FORMAT_EVENT, true, "world", NULL);
	char *at;

	(void)state;
	stop_reading(p);
	publish_stories(50);
	publish("publish", "flash", "urn:flash", 1);
	give_room(p, FOR_EVER);
	assert_true(p->arrived < TEXT);
	p->text[p->arrived] = '\0';
	at = strstr(p->text, "\n\nevent: post\ndata: {\"type\":\"post\",\"ahead\":true,");
	assert_non_null(at);
	assert_null(strstr(at + 100, "\"ahead\":true"));
	assert_non_null(strstr(at, "id: e1:1700000000000-51\nevent: post\ndata: "));
}

static void after_a_gap_it_goes_on(void **state)
{
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	stop_reading(p);
	publish_stories(50);
	publish("publish", "flash", "urn:flash", 1);
	give_room(p, 3000);
	backlog_reset(wire.backlog, wire.head); /* it falls off */
	publish_stories(1);
	publish("publish", "flash", "urn:flash", 2);
	give_room(p, FOR_EVER);
	assert_non_null(wire.asked);
	wire.asked(HISTORY_GONE, NULL, wire.arg);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_int_equal(count(&h, true, "urn:flash"), 2);
	assert_int_equal(count(&h, false, "\"type\":\"gap\""), 1);
	assert_true(reader_is_live(p->reader));
	free_heard(&h);
}

static void another_subscription_leaves_it_early(void **state)
{
	static const char text[] = "{\"type\":\"subscribe\",\"channels\":[\"world\",\"sport\"]}";
	struct pipe *p = open_reader(0, true);
	struct heard h;

	(void)state;
	reader_hear(p->reader, text, sizeof text - 1);
	stop_reading(p);
	publish_stories(50);
	publish("publish", "flash", "urn:flash", 1);
	give_room(p, FOR_EVER);
	hear(p, &h);
	assert_int_equal(count(&h, true, "urn:flash"), 1);
	free_heard(&h);
}

/* Whatever is published and however it reads: everything in order, flashes early at most once a version, and what was killed is
 * never the last that it hears of a story. */
static void whatever_happens_it_is_told_what_became_of_a_story(void **state)
{
	static const char *const actions[] = {"publish", "correct", "kill"};
	static const char *const classes[] = {"flash", "regular", "urgent"};

	for (unsigned seed = 1; seed <= 200; seed++) {
		struct pipe *p = open_reader(0, true), *other = open_reader(1, false);
		struct heard h, all_of_it;
		bool killed[10] = {false};
		int version[10] = {0};

		srand(seed);
		stop_reading(p);
		for (int i = 0; i < 120; i++) {
			int story = rand() % 10;
			const char *action = actions[version[story] == 0 ? 0 : 1 + rand() % 8 / 7];
			char uri[32];

			snprintf(uri, sizeof uri, "urn:s:%d", story);
			if (!killed[story])
				publish_item(action, classes[rand() % 3], uri, ++version[story],
					     (size_t)(rand() % 3000));
			killed[story] |= strcmp(action, "kill") == 0;
			if (rand() % 3 == 0)
				readers_go_on(all);
			if (rand() % 2 == 0)
				give_room(p, (size_t)(rand() % 4000));
			p->room = rand() % 4 == 0 ? p->room : 0;
		}
		readers_tick(all);
		give_room(p, FOR_EVER);
		hear(p, &h);
		hear(other, &all_of_it);
		assert_in_order(&h);
		for (int story = 0; story < 10; story++) {
			char uri[32], last[32];
			bool dead = false;

			snprintf(uri, sizeof uri, "\"urn:s:%d\"", story);
			snprintf(last, sizeof last, "\"version\":\"%d\"", version[story]);
			if (version[story] > 0)
				assert_true(find(&h, 0, false, uri, last) >= 0);
			for (int i = 0; i < h.count; i++) {
				if (strstr(h.text[i], uri) == NULL)
					continue;
				dead |= strstr(h.text[i], "\"action\":\"kill\"") != NULL;
				assert_false(dead && strstr(h.text[i], "\"text\"") != NULL);
			}
			for (int v = 1; v <= version[story]; v++) {
				int times = 0;

				snprintf(last, sizeof last, "\"version\":\"%d\"", v);
				for (int i = 0; i < h.count; i++)
					times += is_early(h.text[i]) && strstr(h.text[i], uri) &&
						 strstr(h.text[i], last);
				assert_in_range(times, 0, 1);
			}
		}
		assert_int_equal(count(&all_of_it, true, ""), 0);
		free_heard(&h);
		free_heard(&all_of_it);
		teardown(state);
		setup(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_lags_gets_a_flash_before_the_rest_and_again_in_its_turn),
		TEST(who_did_not_ask_gets_everything_in_order),
		TEST(who_keeps_up_gets_nothing_twice),
		TEST(each_version_goes_early_once),
		TEST(the_frame_that_was_begun_ends_first_and_no_other),
		TEST(a_kill_of_what_went_early_goes_early_too),
		TEST(a_kill_of_what_did_not_go_early_waits_for_its_turn),
		TEST(what_is_killed_before_there_is_room_never_goes),
		TEST(a_correction_goes_early_whatever_its_class),
		TEST(who_waits_for_history_gets_it_at_once),
		TEST(what_it_missed_goes_early_where_that_is_more_than_a_block),
		TEST(so_many_flashes_go_early_and_no_more),
		TEST(the_frame_is_made_once_for_all),
		TEST(an_event_before_its_turn_has_no_id),
		TEST(after_a_gap_it_goes_on),
		TEST(another_subscription_leaves_it_early),
		TEST(whatever_happens_it_is_told_what_became_of_a_story),
	};

	return cmocka_run_group_tests_name("reader_early", tests, NULL, NULL);
}
