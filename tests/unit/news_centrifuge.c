/* Centrifuge's clients are understood line by line, and what they are told is its protocol to the letter. */
#include <jansson.h>
#include "news/centrifuge.h"
#include "news_test.h"

static struct centrifuge_command command;

/* Reads the first command of a message. */
static enum centrifuge_read read_first(const char *text)
{
	const char *at = text;

	centrifuge_command_free(&command);
	return centrifuge_next(&at, text + strlen(text), &command);
}

static int forget(void **state)
{
	(void)state;
	centrifuge_command_free(&command);
	return 0;
}

static void commands_stand_in_lines_and_empty_lines_are_none(void **state)
{
	const char *text = "\n {\"id\":1,\"connect\":{}}\n\r\n{}\n{\"id\":2,\"ping\":{}}\n \t";
	const char *at = text, *end = text + strlen(text);
	static const enum centrifuge_kind kinds[] = {CENTRIFUGE_CONNECT, CENTRIFUGE_PONG,
						     CENTRIFUGE_PING};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		assert_int_equal(centrifuge_next(&at, end, &command), CENTRIFUGE_READ);
		assert_int_equal(command.kind, kinds[i]);
		centrifuge_command_free(&command);
	}
	assert_int_equal(command.id, 0);
	assert_int_equal(centrifuge_next(&at, end, &command), CENTRIFUGE_END);
}

static void a_subscription_names_its_channel_and_its_place(void **state)
{
	(void)state;
	assert_int_equal(
		read_first("{\"id\":3,\"subscribe\":{\"channel\":\"class:flash\",\"recover\":true,"
			   "\"epoch\":\"e1\",\"offset\":3481600000000007,\"flag\":1}}"),
		CENTRIFUGE_READ);
	assert_int_equal(command.kind, CENTRIFUGE_SUBSCRIBE);
	assert_int_equal(command.id, 3);
	assert_string_equal(command.wish.channel, "class:flash");
	assert_true(command.has_channel && command.wish.has_since && !command.wish.any_epoch);
	assert_string_equal(command.wish.since.epoch, "e1");
	assert_int_equal(command.wish.since.id.ms, 1700000000000);
	assert_int_equal(command.wish.since.id.seq, 7);
	assert_int_equal(
		read_first("{\"id\":4,\"subscribe\":{\"channel\":\"world\",\"offset\":5}}"),
		CENTRIFUGE_READ);
	assert_false(command.wish.has_since); /* only `recover` asks for it */
}

static void an_epoch_that_is_none_of_ours_is_one_that_never_was(void **state)
{
	(void)state;
	assert_int_equal(
		read_first("{\"id\":3,\"subscribe\":{\"channel\":\"world\",\"recover\":true,"
			   "\"epoch\":\"_\"}}"),
		CENTRIFUGE_READ);
	assert_false(command.wish.any_epoch);
	assert_string_equal(command.wish.since.epoch, "");
	assert_int_equal(
		read_first("{\"id\":3,\"subscribe\":{\"channel\":\"world\",\"recover\":true}}"),
		CENTRIFUGE_READ);
	assert_true(command.wish.any_epoch);
}

static void a_name_that_no_channel_has_is_kept_apart_from_none_at_all(void **state)
{
	static const char *const names[] = {"\"A\"",	  "\"x y\"",	 "\"$private\"",
					    "\"class:\"", "\"\\u00e9\"", "\"*\""};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char text[128];

		snprintf(text, sizeof text, "{\"id\":1,\"subscribe\":{\"channel\":%s}}", names[i]);
		assert_int_equal(read_first(text), CENTRIFUGE_READ);
		assert_true(command.has_channel);
		assert_string_equal(command.wish.channel, "");
	}
	assert_int_equal(read_first("{\"id\":1,\"subscribe\":{\"channel\":7}}"), CENTRIFUGE_READ);
	assert_false(command.has_channel);
}

static void connect_may_bring_subscriptions(void **state)
{
	(void)state;
	assert_int_equal(read_first("{\"id\":1,\"connect\":{\"token\":\"t\",\"subs\":{\"world\":{"
				    "\"recover\":true,"
				    "\"offset\":2048},\"sport\":{}}}}"),
			 CENTRIFUGE_READ);
	assert_int_equal(command.sub_count, 2);
	assert_string_equal(command.subs[0].channel, "world");
	assert_int_equal(command.subs[0].since.id.ms, 1);
	assert_true(command.subs[0].has_since);
	assert_false(command.subs[1].has_since);
}

static void history_has_a_limit_a_place_and_a_direction(void **state)
{
	(void)state;
	assert_int_equal(read_first("{\"id\":1,\"history\":{\"channel\":\"world\",\"limit\":5000,"
				    "\"reverse\":true,"
				    "\"since\":{\"offset\":1,\"epoch\":\"e1\"}}}"),
			 CENTRIFUGE_READ);
	assert_int_equal(command.limit, CENTRIFUGE_HISTORY_MAX);
	assert_true(command.reverse && command.wish.has_since);
	assert_int_equal(read_first("{\"id\":1,\"history\":{\"channel\":\"world\"}}"),
			 CENTRIFUGE_READ);
	assert_int_equal(command.limit, 0);
	assert_int_equal(read_first("{\"id\":1,\"history\":{\"channel\":\"world\",\"limit\":-7}}"),
			 CENTRIFUGE_READ);
	assert_int_equal(command.limit, -1);
}

static void a_command_that_we_do_not_know_is_still_one(void **state)
{
	(void)state;
	assert_int_equal(read_first("{\"id\":9,\"dance\":{}}"), CENTRIFUGE_READ);
	assert_int_equal(command.kind, CENTRIFUGE_UNKNOWN);
	assert_int_equal(command.id, 9);
	assert_int_equal(read_first("{\"dance\":{}}"), CENTRIFUGE_READ);
	assert_int_equal(command.kind, CENTRIFUGE_UNKNOWN);
	assert_int_equal(read_first("{\"id\":9,\"connect\":null}"), CENTRIFUGE_READ);
	assert_int_equal(command.kind, CENTRIFUGE_UNKNOWN);
}

static void what_is_no_command_breaks_the_protocol(void **state)
{
	static const char *const texts[] = {
		"{",
		"[]",
		"7",
		"null",
		"\"x\"",
		"{} {}",
		"{\"id\":-1}",
		"{\"id\":4294967296}",
		"{\"id\":\"1\",\"ping\":{}}",
		"{\"id\":1.5,\"ping\":{}}",
		"{\"id\":1,\"ping\":[]}",
		"{\"id\":1,\"id\":2,\"ping\":{}}",
		"{\"id\":1,\"connect\":{\"subs\":{\"world\":1}}}",
		"{\"id\":1,\"subscribe\":{\"channel\":\"w\",\"recover\":true,\"offset\":-1}}",
		"{\"id\":1,\"subscribe\":{\"channel\":\"w\",\"recover\":true,\"offset\":\"1\"}}",
		"{\"id\":1,\"subscribe\":{\"recover\":true,\"offset\":99999999999999999999}}",
		"{\"id\":1,\"subscribe\":{\"channel\":\"w\",\"recover\":true,\"epoch\":1}}",
		"{\"id\":1,\"history\":{\"channel\":\"w\",\"limit\":\"1\"}}",
		"{\"id\":1,\"history\":{\"channel\":\"w\",\"since\":1}}",
		"{\"id\":1,\"ping\":{\"x\":\"\xff\"}}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (read_first(texts[i]) != CENTRIFUGE_BROKEN)
			fail_msg("%s", texts[i]);
}

static void offsets_grow_and_turn_back_into_places(void **state)
{
	static const struct wire_id ids[] = {{0, 0},
					     {0, 1},
					     {1, 0},
					     {1700000000000, 0},
					     {1700000000000, 2047},
					     {1700000000001, 0},
					     {4398046511103, 2047}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		uint64_t offset = centrifuge_offset(ids[i]);

		assert_int_equal(wire_id_compare(centrifuge_place(offset), ids[i]), 0);
		assert_true(i == 0 || offset > centrifuge_offset(ids[i - 1]));
		assert_true(offset < (uint64_t)1 << 53); /* exact in JavaScript until 2109 */
	}
}

static void who_goes_on_from_a_crowded_millisecond_misses_none(void **state)
{
	struct wire_id crowded = {1700000000000, 5000};
	struct wire_id place = centrifuge_place(centrifuge_offset(crowded));

	(void)state;
	assert_true(wire_id_compare(place, crowded) < 0);
	assert_int_equal(place.ms, crowded.ms);
	assert_true(centrifuge_offset(crowded) <
		    centrifuge_offset((struct wire_id){1700000000001, 0}));
	assert_int_equal(centrifuge_offset((struct wire_id){UINT64_MAX, 0}), UINT64_MAX);
}

static void the_server_says_exactly_what_the_protocol_says(void **state)
{
	static const struct cursor at = {"e1", {1, 7}};
	static const struct centrifuge_subscribed subs[] = {
		{"world", {"e1", {1, 7}}, true, true}, {"sport", {"e1", {1, 7}}, false, false}};
	struct buf b = {0}, pubs = {0};

	(void)state;
	centrifuge_say_connected(&b, 1, "c", 25, NULL, 0);
	centrifuge_say_connected(&b, 1, "c", 25, subs, 2);
	centrifuge_say_subscribed(&b, 2, &subs[0]);
	centrifuge_say_done(&b, 3, CENTRIFUGE_UNSUBSCRIBE);
	centrifuge_say_error(&b, 4, CENTRIFUGE_UNKNOWN_CHANNEL);
	centrifuge_say_error(&b, 5, CENTRIFUGE_INTERNAL);
	centrifuge_say_present(&b, 6, 12);
	centrifuge_say_history(&b, 7, &at, &pubs);
	centrifuge_say_unsubscribed(&b, "world");
	assert_string_equal(
		news_test_text(&b),
		"{\"id\":1,\"connect\":{\"client\":\"c\",\"version\":\"newswired/" NEWSWIRE_VERSION
		"\",\"ping\":25,\"pong\":true}}\n"
		"{\"id\":1,\"connect\":{\"client\":\"c\",\"version\":\"newswired/" NEWSWIRE_VERSION
		"\",\"ping\":25,\"pong\":true,\"subs\":{"
		"\"world\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e1\",\"offset\":"
		"2055,\"was_recovering\":true,"
		"\"recovered\":true},"
		"\"sport\":{\"recoverable\":true,\"positioned\":true,\"epoch\":\"e1\",\"offset\":"
		"2055}}}}\n"
		"{\"id\":2,\"subscribe\":{\"recoverable\":true,\"positioned\":true,\"epoch\":"
		"\"e1\",\"offset\":2055,"
		"\"was_recovering\":true,\"recovered\":true}}\n"
		"{\"id\":3,\"unsubscribe\":{}}\n"
		"{\"id\":4,\"error\":{\"code\":102,\"message\":\"unknown channel\"}}\n"
		"{\"id\":5,\"error\":{\"code\":100,\"message\":\"internal server "
		"error\",\"temporary\":true}}\n"
		"{\"id\":6,\"presence_stats\":{\"num_clients\":12,\"num_users\":12}}\n"
		"{\"id\":7,\"history\":{\"publications\":[],\"epoch\":\"e1\",\"offset\":2055}}\n"
		"{\"push\":{\"channel\":\"world\",\"unsubscribe\":{\"code\":2500,\"reason\":"
		"\"insufficient state\"}}}");
	buf_free(&b);
}

/* The one text frame that a post is for a channel. */
static json_t *frame_json(struct post *post, const char *channel, enum post_match expected)
{
	uint32_t at;
	const struct frame *f;
	json_t *json;
	size_t head;

	assert_int_equal(post_in_channel(post, channel, &at), expected);
	f = post_channel_frame(post, FORMAT_CENTRIFUGE, at);
	assert_non_null(f);
	assert_int_equal(f->data[0], 0x81);
	head = f->data[1] == 126 ? 4 : 2;
	assert_int_equal(head == 4 ? f->data[2] << 8 | f->data[3] : f->data[1], f->len - head);
	json = json_loadb((const char *)f->data + head, f->len - head, JSON_REJECT_DUPLICATES,
			  NULL);
	assert_non_null(json);
	assert_ptr_equal(post_channel_frame(post, FORMAT_CENTRIFUGE, at), f); /* made once */
	return json;
}

static void a_post_is_a_publication_of_each_channel_that_it_is_in(void **state)
{
	static const char *const channels[] = {"feed:all", "world"};
	struct post *post = news_test_post("correct", "regular", "feed:all world", "sport world",
					   "", "{\"uri\":\"urn:x:1\"}");
	size_t before = post->bytes;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(channels); i++) {
		json_t *json = frame_json(post, channels[i], MATCH_FULL),
		       *push = json_object_get(json, "push");
		json_t *pub = json_object_get(push, "pub"), *data = json_object_get(pub, "data");

		assert_string_equal(json_string_value(json_object_get(push, "channel")),
				    channels[i]);
		assert_int_equal(json_integer_value(json_object_get(pub, "offset")),
				 1700000000000 * 2048 + 1);
		assert_string_equal(json_string_value(json_object_get(data, "cursor")),
				    "e1:1700000000000-1");
		assert_non_null(json_object_get(data, "item"));
		json_decref(json);
	}
	json_t *json = frame_json(post, "sport", MATCH_REMOVE);
	json_t *data =
		json_object_get(json_object_get(json_object_get(json, "push"), "pub"), "data");
	assert_string_equal(json_string_value(json_object_get(data, "action")), "remove");
	assert_null(json_object_get(data, "item"));
	json_decref(json);
	assert_true(post->bytes > before);
	post_drop(post);
}

static void a_killed_text_leaves_the_frames_of_every_channel(void **state)
{
	struct post *post = news_test_post("publish", "regular", "sport world", "old", "",
					   "{\"a\":\"secret\"}");
	size_t bytes = post->bytes;
	uint32_t at;

	(void)state;
	json_decref(frame_json(post, "world", MATCH_FULL));
	json_decref(frame_json(post, "old", MATCH_REMOVE));
	post_blank(post);
	assert_int_equal(post_in_channel(post, "world", &at), MATCH_FULL);
	assert_null(post_channel_frame(post, FORMAT_CENTRIFUGE, at));
	assert_null(post->by_channel[at].data);
	json_decref(frame_json(post, "old", MATCH_REMOVE));
	assert_true(post->bytes < bytes + 1024);
	post_drop(post);
}

static void a_channel_is_matched_as_if_nothing_else_were_followed(void **state)
{
	struct post *kill = news_test_post("kill", "regular", "world", "sport", "", "");
	struct post *also = news_test_post("publish", "regular", "sport world", "world",
					   ",\"also\":\"1\"", "{}");
	uint32_t at;

	(void)state;
	assert_int_equal(post_in_channel(kill, "world", &at), MATCH_FULL);
	assert_int_equal(post_in_channel(kill, "sport", &at), MATCH_FULL);
	assert_non_null(post_channel_frame(kill, FORMAT_CENTRIFUGE, at));
	assert_int_equal(post_in_channel(kill, "feed:all", &at), MATCH_NOT);
	assert_int_equal(post_in_channel(also, "sport", &at), MATCH_FULL);
	assert_int_equal(post_in_channel(also, "world", &at), MATCH_NOT);
	post_drop(kill);
	post_drop(also);
}

static void channels_stay_apart_also_from_everything(void **state)
{
	struct channel_set set = {0};
	struct subscription *s;

	(void)state;
	assert_int_equal(channel_set_read(&set, "world feed:all", strlen("world feed:all"), ' '),
			 0);
	s = subscription_of_channels(&set);
	assert_non_null(s);
	assert_string_equal(s->key, "c=feed:all,world");
	subscription_free(s);
	s = subscription_of_channels(&set); /* it was taken over: none is left */
	assert_non_null(s);
	assert_int_equal(s->channels.count, 0);
	subscription_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_stand_in_lines_and_empty_lines_are_none),
		cmocka_unit_test(a_subscription_names_its_channel_and_its_place),
		cmocka_unit_test(an_epoch_that_is_none_of_ours_is_one_that_never_was),
		cmocka_unit_test(a_name_that_no_channel_has_is_kept_apart_from_none_at_all),
		cmocka_unit_test(connect_may_bring_subscriptions),
		cmocka_unit_test(history_has_a_limit_a_place_and_a_direction),
		cmocka_unit_test(a_command_that_we_do_not_know_is_still_one),
		cmocka_unit_test(what_is_no_command_breaks_the_protocol),
		cmocka_unit_test(offsets_grow_and_turn_back_into_places),
		cmocka_unit_test(who_goes_on_from_a_crowded_millisecond_misses_none),
		cmocka_unit_test(the_server_says_exactly_what_the_protocol_says),
		cmocka_unit_test(a_post_is_a_publication_of_each_channel_that_it_is_in),
		cmocka_unit_test(a_killed_text_leaves_the_frames_of_every_channel),
		cmocka_unit_test(a_channel_is_matched_as_if_nothing_else_were_followed),
		cmocka_unit_test(channels_stay_apart_also_from_everything),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
