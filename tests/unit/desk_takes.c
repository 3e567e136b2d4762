/* Goal: what is published is taken once, in order and whole, however many hear it and whatever happens to Redis. */
#include "cmocka_all.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk.h"
#include "desk_stage.h"

enum { PATIENCE_MS = 20000, RECEIPTS_MAX = 2048 };

static const struct desk_options options = {
	.prefix = "newswire",
	.max_item = (size_t)64 * 1024,
	.retention_ms = 86400000,
	.archive_ms = UINT64_C(2592000000),
	.max_embargo_ms = 86400000,
	.feed_max = 100,
	.raw_rights = RIGHTS_EVERYTHING,
};

static const char *const everywhere[] = {"*"}, *const sports[] = {"sport.*"};
static const struct publisher alpha = {.name = "alpha",
				       .rights = RIGHT_PUBLISH | RIGHT_CORRECT,
				       .pattern = everywhere,
				       .patterns = 1};
static const struct publisher beta = {.name = "beta",
				      .rights = RIGHTS_EVERYTHING & ~RIGHT_ALL,
				      .pattern = everywhere,
				      .patterns = 1};
static const struct publisher sporty = {
	.name = "sporty", .rights = RIGHTS_EVERYTHING, .pattern = sports, .patterns = 1};

static uv_loop_t loop;
static struct redis_place place;
static struct desk *desks[2];
static struct counters_page page;

/* What the desk said, in the order in which it did. */
static struct heard {
	enum desk_result result;
	char id[48], uri[64], code[32], pointer[128];
	int number; /* which item it was */
} heard[RECEIPTS_MAX];
static int receipts;

static void hear_receipt(const struct desk_receipt *receipt, void *arg)
{
	struct heard *h = &heard[receipts++];

	*h = (struct heard){.result = receipt->result, .number = (int)(intptr_t)arg};
	snprintf(h->id, sizeof h->id, "%s", receipt->id);
	snprintf(h->uri, sizeof h->uri, "%s", receipt->uri ? receipt->uri : "");
	snprintf(h->code, sizeof h->code, "%s", receipt->code);
	if (receipt->report)
		snprintf(h->pointer, sizeof h->pointer, "%s", receipt->report->fault[0].pointer);
}

/* Waiting ---------------------------------------------------------------------------------------- */

static void wait_until(bool (*condition)(void *arg), void *arg)
{
	redis_fixture_run_until(&loop, condition, arg, PATIENCE_MS);
}

static bool are_open(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT_OF(desks); i++)
		if (desks[i] && !desk_is_open(desks[i]))
			return false;
	return true;
}

static bool has_receipts(void *arg)
{
	return receipts >= *(int *)arg;
}

static void wait_for_receipts(int count)
{
	wait_until(has_receipts, &count);
}

static bool has_posts(void *arg)
{
	return stage_number("XLEN {newswire}:wire") >= *(int *)arg;
}

static void wait_for_posts(int count)
{
	wait_until(has_posts, &count);
}

struct counter_at {
	enum counter_id id;
	uint64_t value;
};

static bool has_counted(void *arg)
{
	const struct counter_at *c = arg;

	return page.value[c->id] >= c->value;
}

static void wait_for_count(enum counter_id id, uint64_t value)
{
	wait_until(has_counted, &(struct counter_at){id, value});
}

/* Sending ---------------------------------------------------------------------------------------- */

static struct channel_set set_of(const char *names)
{
	struct channel_set set;

	assert_int_equal(channel_set_read(&set, names, strlen(names), ' '), 0);
	return set;
}

static void take_bytes(const char *bytes, size_t len, const struct publisher *who, int number)
{
	struct channel_set world = set_of("world");
	struct desk_order order = {.bytes = bytes, .len = len, .channels = &world, .who = who};

	desk_take(desks[0], &order, hear_receipt, (void *)(intptr_t)number);
	channel_set_free(&world);
}

static void take(const char *json)
{
	take_bytes(json, strlen(json), &publisher_node, 0);
}

static const char *story(char *out, size_t size, int number)
{
	snprintf(out, size,
		 "{\"uri\":\"urn:%d\",\"version\":\"1\",\"headlines\":[{\"value\":\"Story %d\"}]}",
		 number, number);
	return out;
}

static void publish(const char *channel, const char *bytes, size_t len)
{
	stage_ask("PUBLISH newswire:in:%s %b", channel, bytes, len);
}

/* Many at once: the answers are read when all are written. */
static void publish_stories(int from, int to)
{
	char text[256];
	redisReply *reply;

	for (int i = from; i < to; i++)
		redisAppendCommand(stage.link, "PUBLISH newswire:in:world %s",
				   story(text, sizeof text, i));
	for (int i = from; i < to; i++) {
		assert_int_equal(redisGetReply(stage.link, (void **)&reply), REDIS_OK);
		freeReplyObject(reply);
	}
}

/* Stage ------------------------------------------------------------------------------------------ */

static int open_desks(void **state, size_t count)
{
	char error[128];

	stage_clear(state);
	receipts = 0;
	memset(&page, 0, sizeof page);
	counters_use(&page);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(redis_place_read(&place, stage.place, error, sizeof error), 0);
	for (size_t i = 0; i < count; i++)
		assert_non_null(desks[i] = desk_open(&loop, &place, &options));
	wait_until(are_open, NULL);
	return 0;
}

static int open_one(void **state)
{
	return open_desks(state, 1);
}

static int open_two(void **state)
{
	return open_desks(state, 2);
}

static void close_desks(void)
{
	for (size_t i = 0; i < COUNT_OF(desks); i++) {
		desk_close(desks[i]);
		desks[i] = NULL;
	}
}

static int close_all(void **state)
{
	(void)state;
	close_desks();
	redis_fixture_close_loop(&loop);
	redis_place_free(&place);
	return 0;
}

/* --- taking ------------------------------------------------------------------------------------- */

static void a_published_item_comes_to_the_wire(void **state)
{
	char sample[8192];
	FILE *file = fopen(NW_SOURCE_DIR "/tests/samples/01-story.json", "r");
	size_t len;

	(void)state;
	assert_non_null(file);
	len = fread(sample, 1, sizeof sample, file);
	fclose(file);
	publish("world", sample, len);
	wait_for_posts(1);
	wait_for_count(COUNTER_DESK_ACCEPTED, 1);
	assert_string_equal(
		stage_text("HGET {newswire}:item:urn:newsml:wire.example:20260110:harbour-ferry-41 "
			   "status"),
		"usable");
	assert_true(stage_number("EXISTS {newswire}:feed:world {newswire}:feed:feed:all "
				 "{newswire}:feed:type:text") == 3);
}

static void a_receipt_says_what_became_of_the_item(void **state)
{
	(void)state;
	take("{\"uri\":\"urn:a\",\"version\":\"2\",\"headlines\":[{\"value\":\"A\"}]}");
	take("{\"uri\":\"urn:a\",\"version\":\"2\",\"headlines\":[{\"value\":\"A\"}]}");
	take("{\"uri\":\"urn:a\",\"version\":\"1\",\"headlines\":[{\"value\":\"B\"}]}");
	take("{\"uri\":\"urn:a\",\"version\":\"3\",\"pubStatus\":\"canceled\"}");
	take("{\"uri\":\"urn:a\",\"version\":\"4\",\"headlines\":[{\"value\":\"C\"}]}");
	wait_for_receipts(5);
	assert_int_equal(heard[0].result, DESK_ACCEPTED);
	assert_string_equal(heard[0].uri, "urn:a");
	assert_true(strchr(heard[0].id, '-') != NULL);
	assert_int_equal(heard[1].result, DESK_DUPLICATE);
	assert_string_equal(heard[1].id, heard[0].id);
	assert_int_equal(heard[2].result, DESK_STALE);
	assert_int_equal(heard[3].result, DESK_ACCEPTED);
	assert_int_equal(heard[4].result, DESK_REFUSED);
	assert_string_equal(heard[4].code, "killed");
	assert_int_equal(page.value[COUNTER_DESK_ACCEPTED], 2);
	assert_int_equal(page.value[COUNTER_DESK_DUPLICATE], 1);
	assert_int_equal(page.value[COUNTER_DESK_STALE], 1);
	assert_int_equal(page.value[COUNTER_REJECT_KILLED], 1);
}

static void who_has_the_house_may_change_what_others_sent(void **state)
{
	const char *first =
		"{\"uri\":\"urn:a\",\"version\":\"1\",\"headlines\":[{\"value\":\"A\"}]}";
	const char *second =
		"{\"uri\":\"urn:a\",\"version\":\"2\",\"headlines\":[{\"value\":\"B\"}]}";

	(void)state;
	take_bytes(first, strlen(first), &alpha, 0);
	take_bytes(second, strlen(second), &beta, 0);
	take(second);
	wait_for_receipts(3);
	assert_string_equal(heard[1].code, "not_owner");
	assert_int_equal(heard[2].result, DESK_ACCEPTED);
}

static void a_channel_that_a_key_may_not_use_is_refused_and_a_kill_follows_its_story(void **state)
{
	const char *story_of_sport = "{\"uri\":\"urn:s\",\"version\":\"1\",\"headlines\":"
				     "[{\"value\":\"A\"}],\"channels\":[\"sport.golf\"]}";
	const char *kill_of_it = "{\"uri\":\"urn:s\",\"version\":\"2\",\"pubStatus\":\"canceled\"}";
	struct channel_set none = {0};
	struct desk_order order = {.bytes = story_of_sport,
				   .len = strlen(story_of_sport),
				   .channels = &none,
				   .who = &sporty};

	(void)state;
	take_bytes(story_of_sport, strlen(story_of_sport), &sporty, 0); /* to world, too */
	desk_take(desks[0], &order, hear_receipt, NULL);
	take_bytes(kill_of_it, strlen(kill_of_it), &sporty, 0);
	wait_for_receipts(3);
	assert_int_equal(heard[0].result, DESK_REFUSED);
	assert_string_equal(heard[0].code, "channel_forbidden");
	assert_int_equal(heard[1].result, DESK_ACCEPTED);
	assert_int_equal(heard[2].result, DESK_ACCEPTED);
	assert_int_equal(page.value[COUNTER_REJECT_CHANNEL_FORBIDDEN], 1);
	assert_string_equal(stage_text("HGET {newswire}:item:urn:s owner"), "sporty");
}

static void two_who_hear_the_same_take_it_once(void **state)
{
	(void)state;
	publish_stories(0, 20);
	wait_for_count(COUNTER_DESK_HEARD, 40);
	wait_for_posts(20);
	wait_for_count(COUNTER_DESK_ACCEPTED, 20);
	stage_holds_stories(20);
	assert_int_equal(page.value[COUNTER_DESK_ACCEPTED], 20);
	assert_int_equal(page.value[COUNTER_DESK_DUPLICATE], 0);
}

static void a_flood_is_taken_in_order_and_nothing_is_lost(void **state)
{
	uint64_t began;
	double per_second;

	(void)state;
	began = clock_mono_ms();
	publish_stories(0, 4000);
	wait_for_posts(4000);
	per_second = 4000.0 * 1000 / (double)(clock_mono_ms() - began + 1);
	print_message("4000 items, two desks: %.0f a second\n", per_second);
	stage_holds_stories(4000);
	assert_int_equal(page.value[COUNTER_DESK_LOST], 0);
}

/* --- bad input ---------------------------------------------------------------------------------- */

static void what_cannot_be_read_is_refused_once_with_a_reason(void **state)
{
	static char large[70 * 1024];
	redisReply *entries;
	char all[4096] = "";
	size_t used = 0;

	(void)state;
	memset(large, ' ', sizeof large);
	publish("world", "{", 1);
	publish("world", "\"\xff\"", 3);
	publish("world", large, sizeof large);
	publish("world", "{\"uri\":\"urn:a\",\"uri\":\"urn:b\"}", 29);
	publish("World!", "{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"secret words\"}]}", 54);
	publish("class:flash", "{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"secret words\"}]}",
		54);
	wait_for_count(COUNTER_DESK_REFUSED, 6);
	wait_for_count(COUNTER_DESK_HEARD, 12);
	take("{\"uri\":\"urn:ok\",\"headlines\":[{\"value\":\"A\"}]}"); /* behind all of them */
	wait_for_receipts(1);
	entries = stage_ask("XRANGE {newswire}:rejects - +");
	assert_int_equal(entries->elements, 6);
	for (size_t i = 0; i < entries->elements; i++) {
		used += (size_t)snprintf(all + used, sizeof all - used, "%s ",
					 entries->element[i]->element[1]->element[3]->str);
	}
	assert_string_equal(all,
			    "not_json not_utf8 too_large duplicate_key bad_channel bad_channel ");
	assert_int_equal(page.value[COUNTER_DESK_REFUSED], 6);
	assert_int_equal(page.value[COUNTER_REJECT_BAD_CHANNEL], 2);
	assert_int_equal(page.value[COUNTER_REJECT_TOO_LARGE], 1);
	assert_false(stage_holds("secret words", NULL));
}

static void a_refused_poster_is_told_where_and_why_each_time(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		take("{\"uri\":7,\"headlines\":[{\"value\":\"A\"}]}");
	wait_for_receipts(2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(heard[i].result, DESK_REFUSED);
		assert_string_equal(heard[i].code, "wrong_type");
		assert_string_equal(heard[i].pointer, "/uri");
	}
	assert_int_equal(stage_number("XLEN {newswire}:rejects"), 1);
}

static void a_key_in_the_way_is_no_fault_of_the_item(void **state)
{
	(void)state;
	stage_ask("SET {newswire}:wire x");
	take("{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}]}");
	wait_for_receipts(1);
	assert_int_equal(heard[0].result, DESK_AWAY);
	assert_string_equal(heard[0].code, "store");
	assert_int_equal(page.value[COUNTER_REJECT_STORE], 1);
	stage_ask("DEL {newswire}:wire");
	take("{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}]}");
	wait_for_receipts(2);
	assert_int_equal(heard[1].result, DESK_ACCEPTED);
}

/* --- bounds ------------------------------------------------------------------------------------- */

static void more_than_can_be_decided_at_once_is_told_to_come_again(void **state)
{
	char text[256];
	int busy = 0;

	(void)state;
	for (int i = 0; i < DESK_IN_FLIGHT + 10; i++) {
		story(text, sizeof text, i);
		take_bytes(text, strlen(text), &publisher_node, i);
	}
	wait_for_receipts(DESK_IN_FLIGHT + 10);
	for (int i = 0; i < receipts; i++)
		busy += heard[i].result == DESK_BUSY;
	assert_int_equal(busy, 10);
	stage_holds_stories(DESK_IN_FLIGHT);
}

struct patient {
	struct desk_waiter waiter;
	int calls;
	bool had_room;
};

static void find_room(void *arg)
{
	struct patient *p = arg;

	p->calls++;
	p->had_room = desks[0] && desk_has_room(desks[0]);
}

static bool was_called(void *arg)
{
	return ((struct patient *)arg)->calls > 0;
}

/* Who can wait leaves half of the desk to those who cannot, and is called when there is room. */
static void who_waits_for_room_is_called_once_there_is_some(void **state)
{
	struct patient p = {.waiter = {.cb = find_room, .arg = &p}};
	char text[256];

	(void)state;
	for (int i = 0; i < DESK_IN_FLIGHT / 2; i++) {
		assert_true(desk_has_room(desks[0]));
		story(text, sizeof text, i);
		take_bytes(text, strlen(text), &publisher_node, i);
	}
	assert_false(desk_has_room(desks[0]));
	desk_wait_for_room(desks[0], &p.waiter);
	assert_int_equal(p.calls, 0);
	wait_until(was_called, &p);
	assert_true(p.had_room);
	wait_for_receipts(DESK_IN_FLIGHT / 2);
	assert_int_equal(p.calls, 1);
}

static void who_waits_for_room_is_called_when_the_desk_closes(void **state)
{
	struct patient p = {.waiter = {.cb = find_room, .arg = &p}};

	(void)state;
	desk_wait_for_room(desks[0], &p.waiter);
	close_desks();
	assert_int_equal(p.calls, 1);
}

static void who_has_gone_away_is_not_called(void **state)
{
	char text[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		story(text, sizeof text, i);
		take_bytes(text, strlen(text), &publisher_node, i + 1);
	}
	desk_forget(desks[0], (void *)(intptr_t)1);
	wait_for_posts(2);
	wait_for_receipts(1);
	assert_int_equal(receipts, 1);
	assert_int_equal(heard[0].number, 2);
}

static void a_desk_that_closes_answers_those_who_wait(void **state)
{
	(void)state;
	take("{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}]}");
	close_desks();
	assert_int_equal(receipts, 1);
	assert_int_equal(heard[0].result, DESK_AWAY);
}

/* --- Redis in trouble --------------------------------------------------------------------------- */

static bool is_closed(void *arg)
{
	(void)arg;
	return !desk_is_open(desks[0]);
}

static void without_redis_nobody_is_told_that_an_item_is_in(void **state)
{
	(void)state;
	stage_kill_redis();
	wait_until(is_closed, NULL);
	take("{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}]}");
	assert_int_equal(receipts, 1);
	assert_int_equal(heard[0].result, DESK_AWAY);
	stage_start_redis();
	wait_until(are_open, NULL);
	take("{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}]}");
	wait_for_receipts(2);
	assert_int_equal(heard[1].result, DESK_ACCEPTED);
}

/* Some are decided and their answers lost, some are not: afterwards all are in, each once. */
static void items_in_flight_when_redis_dies_are_taken_once(void **state)
{
	char text[256];
	int all = 200;

	(void)state;
	for (int i = 0; i < all; i++) {
		story(text, sizeof text, i);
		take_bytes(text, strlen(text), &publisher_node, i);
	}
	uv_run(&loop, UV_RUN_ONCE); /* they are written to the socket */
	stage_kill_redis();
	assert_true(receipts < all);
	stage_start_redis();
	wait_for_receipts(all);
	stage_holds_stories(all);
	for (int i = 0; i < all; i++)
		assert_true(heard[i].result == DESK_ACCEPTED || heard[i].result == DESK_DUPLICATE);
}

static void what_was_heard_is_taken_even_if_redis_dies(void **state)
{
	(void)state;
	publish_stories(0, 100);
	wait_for_count(COUNTER_DESK_HEARD, 100);
	stage_kill_redis();
	uv_run(&loop, UV_RUN_NOWAIT);
	stage_start_redis();
	wait_for_posts(100);
	stage_holds_stories(100);
	assert_int_equal(page.value[COUNTER_DESK_LOST], 0);
}

static void what_was_heard_waits_for_a_full_redis(void **state)
{
	(void)state;
	stage_ask("CONFIG SET maxmemory 1");
	publish_stories(0, 3);
	wait_for_count(COUNTER_DESK_HEARD, 3);
	wait_until(is_closed, NULL);
	take("{\"uri\":\"urn:x\",\"headlines\":[{\"value\":\"A\"}]}");
	stage_ask("CONFIG SET maxmemory 0");
	wait_for_posts(3);
	wait_for_receipts(1);
	assert_true(heard[0].result == DESK_ACCEPTED || heard[0].result == DESK_AWAY);
	wait_for_count(COUNTER_DESK_ACCEPTED, 3);
	assert_int_equal(page.value[COUNTER_DESK_LOST], 0);
}

static void forgotten_scripts_are_sent_again(void **state)
{
	(void)state;
	take("{\"uri\":\"urn:a\",\"headlines\":[{\"value\":\"A\"}]}");
	wait_for_receipts(1);
	stage_ask("SCRIPT FLUSH");
	take("{\"uri\":\"urn:b\",\"headlines\":[{\"value\":\"B\"}]}");
	wait_for_receipts(2);
	assert_int_equal(heard[1].result, DESK_ACCEPTED);
}

/* --- the clock ---------------------------------------------------------------------------------- */

static void an_embargo_ends_on_time_on_every_desk(void **state)
{
	int64_t due = clock_wall_ms() + 4000, out;
	char time[CLOCK_TEXT_MAX], text[256];

	(void)state;
	clock_format(due, true, time);
	snprintf(text, sizeof text,
		 "{\"uri\":\"urn:a\",\"embargoedUntil\":\"%s\",\"headlines\":[{\"value\":\"A\"}]}",
		 time);
	take(text);
	wait_for_receipts(1);
	assert_int_equal(heard[0].result, DESK_HELD);
	assert_int_equal(stage_number("XLEN {newswire}:wire"), 0);
	desk_close(desks[0]); /* the other one found it by itself */
	desks[0] = NULL;
	wait_for_posts(1);
	out = strtoll(stage_text("GET {newswire}:head"), NULL, 10);
	assert_in_range(out, due, due + 5000);
	wait_for_count(COUNTER_RELEASED, 1);
}

static bool file_holds(int fd, const char *text)
{
	struct stat about;
	char *bytes;
	bool found;

	assert_int_equal(fstat(fd, &about), 0);
	if (about.st_size == 0)
		return false;
	bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	found = memmem(bytes, (size_t)about.st_size, text, strlen(text)) != NULL;
	munmap(bytes, (size_t)about.st_size);
	return found;
}

/* In none of the files of Redis' append-only log? */
static bool is_gone_from_disk(void *arg)
{
	int dir_len = (int)(strlen(stage.socket) - strlen("/redis.sock"));
	struct dirent *entry;
	bool found = false;
	char path[512];
	DIR *dir;

	snprintf(path, sizeof path, "%.*s/appendonlydir", dir_len, stage.socket);
	assert_non_null(dir = opendir(path));
	while ((entry = readdir(dir)) != NULL) {
		int fd = entry->d_name[0] == '.' ? -1 : openat(dirfd(dir), entry->d_name, O_RDONLY);
		if (fd >= 0) {
			found = file_holds(fd, arg) || found;
			close(fd);
		}
	}
	closedir(dir);
	return !found;
}

static void a_killed_text_leaves_the_disk(void **state)
{
	static char text[] = "a horror";

	(void)state;
	take("{\"uri\":\"urn:a\",\"version\":\"1\",\"headlines\":[{\"value\":\"a horror\"}]}");
	wait_for_receipts(1);
	assert_false(is_gone_from_disk(text));
	take("{\"uri\":\"urn:a\",\"version\":\"2\",\"pubStatus\":\"canceled\"}");
	wait_for_receipts(2);
	wait_until(is_gone_from_disk, text);
	assert_int_equal(stage_number("EXISTS {newswire}:body:urn:a:1"), 0);
}

int main(void)
{
#define WITH(desks, test) cmocka_unit_test_setup_teardown(test, open_##desks, close_all)
	const struct CMUnitTest tests[] = {
		WITH(one, a_published_item_comes_to_the_wire),
		WITH(one, a_receipt_says_what_became_of_the_item),
		WITH(one, who_has_the_house_may_change_what_others_sent),
		WITH(two, two_who_hear_the_same_take_it_once),
		WITH(two, a_flood_is_taken_in_order_and_nothing_is_lost),
		WITH(one, a_channel_that_a_key_may_not_use_is_refused_and_a_kill_follows_its_story),
		WITH(two, what_cannot_be_read_is_refused_once_with_a_reason),
		WITH(one, a_refused_poster_is_told_where_and_why_each_time),
		WITH(one, a_key_in_the_way_is_no_fault_of_the_item),
		WITH(one, more_than_can_be_decided_at_once_is_told_to_come_again),
		WITH(one, who_waits_for_room_is_called_once_there_is_some),
		WITH(one, who_waits_for_room_is_called_when_the_desk_closes),
		WITH(one, who_has_gone_away_is_not_called),
		WITH(one, a_desk_that_closes_answers_those_who_wait),
		WITH(one, without_redis_nobody_is_told_that_an_item_is_in),
		WITH(one, items_in_flight_when_redis_dies_are_taken_once),
		WITH(one, what_was_heard_is_taken_even_if_redis_dies),
		WITH(one, what_was_heard_waits_for_a_full_redis),
		WITH(one, forgotten_scripts_are_sent_again),
		WITH(two, an_embargo_ends_on_time_on_every_desk),
		WITH(one, a_killed_text_leaves_the_disk),
	};

	log_open(STDERR_FILENO, LOG_KEY_VALUE, LOG_ERROR);
	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
