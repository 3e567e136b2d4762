/* test_bench.c - the bench's own arithmetic: marks are found wherever a read cuts them, and the
 * histogram's quantiles are within a sixty-fourth of the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "histogram.h"
#include "marks.h"

struct heard {
	unsigned count;
	uint32_t number[8];
	int64_t sent_ns[8];
};

static void hear(void *who, int64_t sent_ns, uint32_t number)
{
	struct heard *h = who;

	assert_true(h->count < 8);
	h->number[h->count] = number;
	h->sent_ns[h->count++] = sent_ns;
}

static const char stream[] = "{\"a\":\"@@0000000000000000042,0000001@@ pad a@b.c @@ @\"}"
			     "@@0000000000000000043,0000002@@"
			     "@@@0000000000000000044,0000003@@@@0000000000000000045,0000004@@";

static void expect_all_four(const struct heard *h)
{
	static const uint32_t number[] = {1, 2, 3, 4};
	static const int64_t sent_ns[] = {42, 43, 44, 45};

	assert_int_equal(h->count, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(h->number[i], number[i]);
		assert_int_equal(h->sent_ns[i], sent_ns[i]);
	}
}

static void a_mark_is_found_wherever_two_reads_cut_it(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= sizeof stream - 1; cut++) {
		struct marks m = {0};
		struct heard h = {0};

		marks_scan(&m, stream, cut, hear, &h);
		marks_scan(&m, stream + cut, sizeof stream - 1 - cut, hear, &h);
		expect_all_four(&h);
	}
}

static void a_mark_is_found_in_reads_of_any_length(void **state)
{
	(void)state;
	for (size_t length = 1; length < sizeof stream; length++) {
		struct marks m = {0};
		struct heard h = {0};

		for (size_t at = 0; at < sizeof stream - 1; at += length) {
			size_t rest = sizeof stream - 1 - at;

			marks_scan(&m, stream + at, rest < length ? rest : length, hear, &h);
		}
		expect_all_four(&h);
	}
}

static void a_mark_is_as_long_as_its_format_says(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(snprintf(text, sizeof text, MARK_FORMAT, 12LL, 34U), MARK_BYTES);
}

static void an_empty_histogram_has_no_quantiles(void **state)
{
	static struct histogram h;

	(void)state;
	assert_int_equal(histogram_quantile(&h, 0.99), 0);
	assert_true(histogram_mean(&h) < 0.001);
}

static void quantiles_are_within_a_sixty_fourth(void **state)
{
	static const double part[] = {0.001, 0.01, 0.5, 0.9, 0.99, 0.999};
	static struct histogram h;

	(void)state;
	for (int64_t us = 1; us <= 1000000; us++)
		histogram_add(&h, us * 1000);
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		double truth = part[i] * 1000000;
		double said = (double)histogram_quantile(&h, part[i]);

		assert_true(said >= truth && said <= truth * 65 / 64);
	}
	assert_int_equal(histogram_quantile(&h, 1), 1000000);
}

static void no_latency_is_too_odd_to_be_counted(void **state)
{
	static struct histogram h;

	(void)state;
	histogram_add(&h, -5);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.count, 2);
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	assert_true(histogram_quantile(&h, 1) > 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_is_as_long_as_its_format_says),
		cmocka_unit_test(a_mark_is_found_wherever_two_reads_cut_it),
		cmocka_unit_test(a_mark_is_found_in_reads_of_any_length),
		cmocka_unit_test(an_empty_histogram_has_no_quantiles),
		cmocka_unit_test(quantiles_are_within_a_sixty_fourth),
		cmocka_unit_test(no_latency_is_too_odd_to_be_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
