/* The numbers that top and bench show are those that were measured, in words that people read. */
#include "cmocka_all.h"
#include "figures.h"
#include "latency.h"
#include "screen.h"

#include <stdlib.h>
#include <string.h>

static void metrics_are_read_and_a_stranger_is_known(void **state)
{
	struct figures f;

	(void)state;
	assert_int_equal(
		figures_read(&f,
			     "# HELP newswire_readers x\nnewswire_readers 18412\n"
			     "newswire_posts_total{action=\"kill\"} 3\nnewswire_readers_lagging 2"),
		0);
	assert_true(f.value[FIGURE_READERS] == 18412 && f.value[FIGURE_KILL] == 3);
	assert_true(f.value[FIGURE_LAGGING] == 2 && f.value[FIGURE_BYTES] == 0);
	assert_int_equal(figures_read(&f, "<html> <p>newswire_readers"), -1);
	assert_int_equal(figures_read(&f, ""), -1);
	assert_int_equal(figures_read(&f, "newswire_readers_lagging 7\n\n \nx"), -1);
}

static void counters_are_shown_for_each_second_and_posts_once_for_all_workers(void **state)
{
	struct figures before = {{0}}, now = {{0}}, rate, sum = {{0}};

	(void)state;
	now.value[FIGURE_WORKERS] = 4;
	now.value[FIGURE_READERS] = 10;
	before.value[FIGURE_BYTES] = 1000;
	now.value[FIGURE_BYTES] = 3000;
	now.value[FIGURE_PUBLISH] = 16;
	before.value[FIGURE_WRITES] = 5; /* began anew */
	figures_rate(&rate, &before, &now, 2);
	assert_true(rate.value[FIGURE_BYTES] == 1000 && rate.value[FIGURE_READERS] == 10);
	assert_true(rate.value[FIGURE_PUBLISH] == 2 && rate.value[FIGURE_WRITES] == 0);
	figures_add(&sum, &rate);
	figures_add(&sum, &rate);
	assert_true(sum.value[FIGURE_READERS] == 20 && sum.value[FIGURE_PUBLISH] == 2);
}

static void numbers_are_for_people(void **state)
{
	char out[FIGURES_TEXT];

	(void)state;
	assert_string_equal(figures_text(out, 18412), "18,412");
	assert_string_equal(figures_text(out, 0), "0");
	assert_string_equal(figures_text(out, 3.44), "3.4");
	assert_string_equal(figures_text(out, 999.6), "1,000");
	assert_string_equal(figures_text(out, -1), "0");
	assert_string_equal(figures_bytes(out, 0), "0 B");
	assert_string_equal(figures_bytes(out, 15638528), "15.6 MB");
	assert_string_equal(figures_bytes(out, 350000), "350 kB");
}

static void quantiles_are_no_wider_than_a_sixteenth(void **state)
{
	static struct latency l;

	(void)state;
	assert_int_equal(latency_quantile(&l, 0.5), 0);
	for (uint64_t us = 1; us <= 100000; us++)
		latency_add(&l, us);
	assert_in_range(latency_quantile(&l, 0.5), 50000, 50000 * 17 / 16);
	assert_in_range(latency_quantile(&l, 0.99), 99000, 100000);
	assert_int_equal(latency_quantile(&l, 1), 100000);
	assert_int_equal(latency_quantile(&l, 0.00001), 1);
	latency_add(&l, UINT64_MAX);
	assert_true(l.max_us == UINT64_MAX);
}

static void the_histogram_has_a_bar_for_each_doubling(void **state)
{
	static struct latency l;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (int i = 0; i < 10; i++)
		latency_add(&l, 1500);
	for (int i = 0; i < 5; i++)
		latency_add(&l, 7000);
	latency_draw(&l, out, 10);
	fclose(out);
	assert_string_equal(text,
			    "      2.0 ms  ########## 10\n      4.1 ms  \n      8.2 ms  ##### 5\n");
	free(text);
}

static void times_are_for_people(void **state)
{
	char out[LATENCY_TEXT];

	(void)state;
	assert_string_equal(latency_text(out, 850), "850 µs");
	assert_string_equal(latency_text(out, 2345), "2.3 ms");
	assert_string_equal(latency_text(out, 1200000), "1.20 s");
}

static void a_line_is_cut_by_characters_and_colours_stay(void **state)
{
	char out[64];

	(void)state;
	screen_cut(out, "Ліхтарі", strlen("Ліхтарі"), 3);
	assert_string_equal(out, "Ліх");
	screen_cut(out, "ab\033[1mcd\033[0mef", 14, 3);
	assert_string_equal(out, "ab\033[1mc\033[0m");
	screen_cut(out, "short", 5, 80);
	assert_string_equal(out, "short");
	screen_cut(out, "x", 1, 0);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_read_and_a_stranger_is_known),
		cmocka_unit_test(counters_are_shown_for_each_second_and_posts_once_for_all_workers),
		cmocka_unit_test(numbers_are_for_people),
		cmocka_unit_test(quantiles_are_no_wider_than_a_sixteenth),
		cmocka_unit_test(the_histogram_has_a_bar_for_each_doubling),
		cmocka_unit_test(times_are_for_people),
		cmocka_unit_test(a_line_is_cut_by_characters_and_colours_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
