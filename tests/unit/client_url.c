/* Addresses mean what people think they mean; whatever else is refused. */
#include "cmocka_all.h"
#include "url.h"

#include <string.h>

static void check(const char *text, bool tls, const char *host, int port, const char *authority,
		  const char *path)
{
	struct url url;

	assert_int_equal(url_parse(&url, text), 0);
	assert_int_equal(url.tls, tls);
	assert_string_equal(url.host, host);
	assert_int_equal(url.port, port);
	assert_string_equal(url.authority, authority);
	assert_string_equal(url.path, path);
}

static void the_four_schemes_have_their_ports(void **state)
{
	(void)state;
	check("http://a.example", false, "a.example", 80, "a.example", "");
	check("https://a.example", true, "a.example", 443, "a.example", "");
	check("ws://a.example", false, "a.example", 80, "a.example", "");
	check("WSS://a.example", true, "a.example", 443, "a.example", "");
}

static void a_port_a_prefix_and_ipv6_are_understood(void **state)
{
	(void)state;
	check("http://127.0.0.1:8080", false, "127.0.0.1", 8080, "127.0.0.1:8080", "");
	check("http://[::1]:8080/", false, "::1", 8080, "[::1]:8080", "");
	check("https://a.example/wire/", true, "a.example", 443, "a.example", "/wire");
	check("https://a.example:443", true, "a.example", 443, "a.example", "");
}

static void a_pasted_path_of_the_protocol_is_taken_off(void **state)
{
	(void)state;
	check("http://a.example/v1/items", false, "a.example", 80, "a.example", "");
	check("ws://a.example/wire/v1/stream", false, "a.example", 80, "a.example", "/wire");
	check("http://a.example/v1/feed/", false, "a.example", 80, "a.example", "");
}

static void what_would_be_lost_or_misread_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"a.example",
		"ftp://a.example",
		"http://",
		"http://:80",
		"http://a.example:",
		"http://a.example:0",
		"http://a.example:65536",
		"http://a.example:8x",
		"http://user:secret@a.example",
		"http://a.example?x=1",
		"http://a.example/#top",
		"http://a b.example",
		"http://[::1",
		"http://[::1]x",
		"http://a.example/a b",
		"http://a.example/\r\nX: y",
		"http://a.example\r\nX: y",
		"http://a.example:99999999999999999999",
	};
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (url_parse(&url, bad[i]) == 0)
			fail_msg("taken: %s", bad[i]);
}

static void a_redis_address_gives_its_parts(void **state)
{
	struct url_redis url;

	(void)state;
	assert_int_equal(url_parse_redis(&url, "redis://desk:p%40ss%3a@r.example:7000/3"), 0);
	assert_string_equal(url.host, "r.example");
	assert_int_equal(url.port, 7000);
	assert_string_equal(url.user, "desk");
	assert_string_equal(url.password, "p@ss:");
	assert_int_equal(url_parse_redis(&url, "redis://:secret@r.example"), 0);
	assert_string_equal(url.user, "");
	assert_string_equal(url.password, "secret");
	assert_int_equal(url.port, 6379);
	assert_int_equal(url_parse_redis(&url, "unix:/run/newswire/redis.sock?db=2"), 0);
	assert_string_equal(url.socket, "/run/newswire/redis.sock");
	assert_int_equal(url_parse_redis(&url, "unix:///run/redis.sock"), 0);
	assert_string_equal(url.socket, "/run/redis.sock");
}

static void a_wrong_redis_address_is_refused(void **state)
{
	static const char *const bad[] = {"redis://",
					  "rediss://r.example",
					  "unix:",
					  "redis://r.example/x",
					  "redis://a:%zz@r.example",
					  "redis://a:%00@r.example",
					  "redis://r.example:70000",
					  "http://r.example",
					  "redis+sentinel://r.example"};
	struct url_redis url;
	char long_path[200] = "unix:/";

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (url_parse_redis(&url, bad[i]) == 0)
			fail_msg("taken: %s", bad[i]);
	memset(long_path + 6, 'a', sizeof long_path - 7);
	long_path[sizeof long_path - 1] = '\0';
	assert_int_equal(url_parse_redis(&url, long_path), -1);
}

static void web_and_redis_addresses_are_told_apart(void **state)
{
	(void)state;
	assert_true(newswire_redis_is_url("redis://r"));
	assert_true(newswire_redis_is_url("unix:/x"));
	assert_true(newswire_redis_is_url("rediss://r"));
	assert_false(newswire_redis_is_url("http://r"));
	assert_false(newswire_redis_is_url("/tmp/redis.sock"));
}

static void a_query_is_escaped_and_joined(void **state)
{
	static const char *const channels[] = {"world", "topic:2 0&a", NULL};
	static const char *const classes[] = {"flash", NULL};
	const struct newswire_query query = {
		.channels = channels, .classes = classes, .view = "brief"};
	struct gather g;

	(void)state;
	gather_init(&g, NEWSWIRE_MAX_QUERY);
	gather_adds(&g, "/v1/stream");
	assert_int_equal(url_add_query(&g, &query), 0);
	assert_int_equal(url_add(&g, "since", "ab:1-0"), 0);
	assert_int_equal(url_add(&g, "before", NULL), 0);
	assert_string_equal(
		gather_text(&g),
		"/v1/stream?channels=world,topic:2%200%26a&class=flash&view=brief&since=ab:1-0");
	gather_free(&g);
}

static void a_name_that_would_become_two_is_refused(void **state)
{
	static const char *const comma[] = {"a,b", NULL};
	static const char *const empty[] = {"", NULL};
	struct gather g;

	(void)state;
	gather_init(&g, NEWSWIRE_MAX_QUERY);
	assert_int_equal(url_add_list(&g, "channels", comma), -1);
	assert_int_equal(url_add_list(&g, "channels", empty), -1);
	gather_free(&g);
}

static void only_plain_channel_names_can_be_published_on(void **state)
{
	char name[NEWSWIRE_MAX_CHANNEL + 2];

	(void)state;
	assert_true(newswire_channel_is_plain("world"));
	assert_true(newswire_channel_is_plain("9.a-b_c"));
	assert_false(newswire_channel_is_plain(""));
	assert_false(newswire_channel_is_plain("-a"));
	assert_false(newswire_channel_is_plain("World"));
	assert_false(newswire_channel_is_plain("feed:all"));
	assert_false(newswire_channel_is_plain("a b"));
	memset(name, 'a', sizeof name);
	name[NEWSWIRE_MAX_CHANNEL + 1] = '\0';
	assert_false(newswire_channel_is_plain(name));
	name[NEWSWIRE_MAX_CHANNEL] = '\0';
	assert_true(newswire_channel_is_plain(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_schemes_have_their_ports),
		cmocka_unit_test(a_port_a_prefix_and_ipv6_are_understood),
		cmocka_unit_test(a_pasted_path_of_the_protocol_is_taken_off),
		cmocka_unit_test(what_would_be_lost_or_misread_is_refused),
		cmocka_unit_test(a_redis_address_gives_its_parts),
		cmocka_unit_test(a_wrong_redis_address_is_refused),
		cmocka_unit_test(web_and_redis_addresses_are_told_apart),
		cmocka_unit_test(a_query_is_escaped_and_joined),
		cmocka_unit_test(a_name_that_would_become_two_is_refused),
		cmocka_unit_test(only_plain_channel_names_can_be_published_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
