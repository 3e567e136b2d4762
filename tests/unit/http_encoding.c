/* Goal: gzip goes only to who takes it, and prefers it to nothing done at all (RFC 9110, 12.5.3). */
#include "cmocka_all.h"

#include "base/base.h"
#include "http/encoding.h"

static void check(const char *const *headers, size_t count, bool takes)
{
	for (size_t i = 0; i < count; i++) {
		print_message("%s\n", headers[i]);
		assert_int_equal(encoding_takes_gzip(headers[i]), takes);
	}
}

static void who_names_it_takes_it(void **state)
{
	static const char *const headers[] = {
		"gzip, deflate", /* browsers, and fetch() of Node */
		"gzip, deflate, br, zstd",
		"deflate, gzip, br", /* curl */
		"gzip",
		"GZip",
		"x-gzip",
		"br;q=1.0, gzip;q=0.8, *;q=0.1",
		"gzip;q=1",
		"gzip;q=1.000",
		"gzip;q=0.001",
		"gzip; Q=0.5",
		" gzip\t;\tq=0.5 , br",
		",, gzip",
		"*",
		"deflate, *;q=0.5",
		"identity, gzip",
		"identity;q=0.5, gzip;q=0.5",
		"identity;q=0, *",
	};

	(void)state;
	check(headers, COUNT_OF(headers), true);
}

static void who_refuses_it_or_prefers_nothing_does_not(void **state)
{
	static const char *const headers[] = {
		"",
		"identity",
		"br",
		"deflate",
		"gzip;q=0",
		"gzip;q=0.000",
		"gzip;q=0, *",
		"x-gzip;q=0, deflate",
		"*;q=0",
		"identity;q=1, gzip;q=0.5",
		"identity, *;q=0.1",
		"gzipped",
		"zip",
		"my-gzip",
	};

	(void)state;
	check(headers, COUNT_OF(headers), false);
}

static void what_cannot_be_read_counts_for_nothing(void **state)
{
	static const char *const headers[] = {
		"gzip;q=2",    "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=",	"gzip;q",
		"gzip;",       "gzip;q=0.5x",  "gzip;q=.5",	"gzip;level=9", "gzip q=1",
		"gzip;q=1 br", "gzip;q=1;q=1", "gzip;q=-1",	";q=1",		";",
		"\"gzip\"",
	};

	(void)state;
	check(headers, COUNT_OF(headers), false);
	assert_true(encoding_takes_gzip("br;q=nonsense, gzip"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_names_it_takes_it),
		cmocka_unit_test(who_refuses_it_or_prefers_nothing_does_not),
		cmocka_unit_test(what_cannot_be_read_counts_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
