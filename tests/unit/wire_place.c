/* Goal: the address of Redis is read exactly, and a wrong one is refused with a sentence. */
#include "cmocka_all.h"

#include "wire/link.h"

static struct redis_place place;
static char error[200];

static void read_it(const char *text)
{
	if (redis_place_read(&place, text, error, sizeof error) == -1)
		fail_msg("%s: %s", text, error);
}

static void a_unix_socket_may_name_a_database(void **state)
{
	(void)state;
	read_it("unix:/run/redis.sock");
	assert_string_equal(place.unix_path, "/run/redis.sock");
	assert_null(place.host);
	assert_int_equal(place.db, 0);
	redis_place_free(&place);
	read_it("unix:/run/redis.sock?db=3");
	assert_string_equal(place.unix_path, "/run/redis.sock");
	assert_int_equal(place.db, 3);
	redis_place_free(&place);
}

static void host_port_and_database_have_defaults(void **state)
{
	(void)state;
	read_it("redis://example.org");
	assert_string_equal(place.host, "example.org");
	assert_int_equal(place.port, 6379);
	assert_int_equal(place.db, 0);
	assert_null(place.password);
	redis_place_free(&place);
	read_it("redis://127.0.0.1:7000/5");
	assert_string_equal(place.host, "127.0.0.1");
	assert_int_equal(place.port, 7000);
	assert_int_equal(place.db, 5);
	redis_place_free(&place);
	read_it("redis://[::1]:7000/");
	assert_string_equal(place.host, "::1");
	assert_int_equal(place.port, 7000);
	redis_place_free(&place);
}

static void user_and_password_are_percent_decoded(void **state)
{
	(void)state;
	read_it("redis://desk:p%40ss%3aw/rd@host:1/2");
	assert_string_equal(place.user, "desk");
	assert_string_equal(place.password, "p@ss:w/rd");
	assert_string_equal(place.host, "host");
	assert_int_equal(place.db, 2);
	redis_place_free(&place);
	read_it("redis://:secret@host");
	assert_null(place.user);
	assert_string_equal(place.password, "secret");
	redis_place_free(&place);
}

static void sentinels_are_named_with_the_master_they_watch(void **state)
{
	(void)state;
	read_it("redis+sentinel://desk:p%40ss@one:1,two,[::1]:3/news/"
		"4?sentinel_user=s&sentinel_password="
		"a%26b@c");
	assert_null(place.host);
	assert_null(place.unix_path);
	assert_string_equal(place.master, "news");
	assert_int_equal(place.db, 4);
	assert_int_equal(place.sentinel_count, 3);
	assert_string_equal(place.sentinels[0].host, "one");
	assert_int_equal(place.sentinels[0].port, 1);
	assert_string_equal(place.sentinels[1].host, "two");
	assert_int_equal(place.sentinels[1].port, 26379);
	assert_string_equal(place.sentinels[2].host, "::1");
	assert_int_equal(place.sentinels[2].port, 3);
	assert_string_equal(place.user, "desk");
	assert_string_equal(place.password, "p@ss");
	assert_string_equal(place.sentinel_user, "s");
	assert_string_equal(place.sentinel_password, "a&b@c");
	redis_place_free(&place);
	read_it("redis+sentinel://one/my%2fmaster");
	assert_string_equal(place.master, "my/master");
	assert_int_equal(place.db, 0);
	assert_null(place.sentinel_password);
	redis_place_free(&place);
}

static void a_copy_has_the_sentinels_too(void **state)
{
	struct redis_place copy;

	(void)state;
	read_it("redis+sentinel://one:1,two:2/news?sentinel_password=p");
	assert_int_equal(redis_place_copy(&copy, &place), 0);
	redis_place_free(&place);
	assert_string_equal(copy.master, "news");
	assert_int_equal(copy.sentinel_count, 2);
	assert_string_equal(copy.sentinels[1].host, "two");
	assert_int_equal(copy.sentinels[1].port, 2);
	assert_string_equal(copy.sentinel_password, "p");
	redis_place_free(&copy);
}

static void a_copy_stands_alone(void **state)
{
	struct redis_place copy;

	(void)state;
	read_it("redis://u:p@host:1/2");
	assert_int_equal(redis_place_copy(&copy, &place), 0);
	redis_place_free(&place);
	assert_string_equal(copy.user, "u");
	assert_string_equal(copy.password, "p");
	assert_string_equal(copy.host, "host");
	assert_int_equal(copy.port, 1);
	assert_int_equal(copy.db, 2);
	redis_place_free(&copy);
}

static void what_makes_no_sense_is_refused_with_a_sentence(void **state)
{
	const char *const wrong[] = {
		"",
		"http://host",
		"unix:",
		"unix:/a?x=1",
		"unix:/a?db=x",
		"redis://",
		"redis://:1",
		"redis://host:0",
		"redis://host:99999",
		"redis://host:1x",
		"redis://host/x",
		"redis://user@host",
		"redis://:p%4@host",
		"redis://:p%00@host",
		"redis://[::1",
		"redis://[::1]x",
		"redis+sentinel://",
		"redis+sentinel://host",
		"redis+sentinel://host/",
		"redis+sentinel:///news",
		"redis+sentinel://host,/news",
		"redis+sentinel://host:0/news",
		"redis+sentinel://host/news/x",
		"redis+sentinel://host/news?x=1",
		"redis+sentinel://host/news?sentinel_user=u",
		"redis+sentinel://host/news?sentinel_password=%4",
		"redis+sentinel://host/news?sentinel_password",
		"redis+sentinel://host/news?sentinel_password=a&sentinel_password=b",
		"redis+sentinel://user@host/news",
		"redis+sentinel://a,b,c,d,e,f,g,h,i/news"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		error[0] = '\0';
		assert_int_equal(redis_place_read(&place, wrong[i], error, sizeof error), -1);
		assert_int_not_equal(error[0], '\0');
		assert_null(place.host);
		assert_null(place.unix_path);
		assert_null(place.password);
		assert_null(place.master);
		assert_null(place.sentinel_password);
		assert_null(place.sentinels[0].host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unix_socket_may_name_a_database),
		cmocka_unit_test(host_port_and_database_have_defaults),
		cmocka_unit_test(user_and_password_are_percent_decoded),
		cmocka_unit_test(sentinels_are_named_with_the_master_they_watch),
		cmocka_unit_test(a_copy_stands_alone),
		cmocka_unit_test(a_copy_has_the_sentinels_too),
		cmocka_unit_test(what_makes_no_sense_is_refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
