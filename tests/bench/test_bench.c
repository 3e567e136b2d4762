/* test_bench.c - the bench's own arithmetic: marks, frames and answers are found wherever a read
 * cuts them, and the histogram's buckets are within a sixty-fourth of the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "frames.h"
#include "histogram.h"
#include "marks.h"
#include "speech.h"

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

static void a_bucket_is_no_wider_than_a_sixty_fourth_of_its_value(void **state)
{
	(void)state;
	for (int64_t us = 0; us <= 1000000; us++) {
		struct histogram h = {0};
		unsigned bucket = 0;

		histogram_add(&h, us * 1000);
		while (h.bucket[bucket] == 0)
			bucket++;
		assert_true(histogram_top(bucket) >= (uint64_t)us);
		assert_true(histogram_top(bucket) <= (uint64_t)us * 65 / 64);
		us += us / 100;
	}
}

static void no_latency_is_too_odd_to_be_counted(void **state)
{
	static struct histogram h;

	(void)state;
	histogram_add(&h, -5);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.bucket[0], 1);
	assert_int_equal(h.bucket[HISTOGRAM_BUCKETS - 1], 1);
}

/* Feeds an answer in two pieces; returns how many bytes came after it, or -1 if it was refused. */
static long after_answer(const char *protocol, const char *text, size_t n, size_t cut)
{
	const struct speech *s = speech_find(protocol);
	struct answer a = {0};
	const char *rest = speech_hear(s, &a, text, text + cut);

	if (!a.complete && !a.refused)
		rest = speech_hear(s, &a, text + cut, text + n);
	else if (a.complete && rest < text + cut)
		assert_true(cut == n);
	return a.refused || !a.complete ? -1 : (long)(text + n - rest);
}

static void an_answer_is_understood_wherever_it_is_cut_after_its_proof(void **state)
{
	static const char answer[] =
		"INFO {\"a\":\"P PO PON PONG\"} \r\nPONG\r\nMSG bench 1 2\r\nab\r\n";
	static const char acks[] = "\x20\x02\x00\x00\x90\x03\x00\x01\x00news";

	(void)state;
	for (size_t cut = 5; cut <= strlen("INFO {\"a\":\"P PO PON PONG\"} \r\nPONG\r\n"); cut++)
		assert_int_equal(after_answer("nats", answer, sizeof answer - 1, cut),
				 strlen("MSG bench 1 2\r\nab\r\n"));
	for (size_t cut = 4; cut <= 9; cut++)
		assert_int_equal(after_answer("mqtt", acks, sizeof acks - 1, cut), 4);
}

static void a_refusal_is_one_in_every_protocol(void **state)
{
	static const char *const protocol[] = {"ws", "ws-mute", "sse", "nats", "redis", "mqtt"};
	static const char no[] = "HTTP/1.1 503 Service Unavailable\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof protocol / sizeof *protocol; i++)
		assert_int_equal(after_answer(protocol[i], no, sizeof no - 1, sizeof no - 1), -1);
}

/* "Hello", plain, and as RFC 7692, 7.2.3 compresses it; and 200 bytes, whose length is longer. */
static void hear_text(void *who, const char *frame_text, size_t n)
{
	struct heard *h = who;

	assert_true(h->count < 8);
	h->number[h->count] = (uint32_t)n;
	if (n == 5)
		assert_memory_equal(frame_text, "Hello", 5);
	h->count++;
}

static void a_frame_is_read_wherever_two_reads_cut_it(void **state)
{
	static char bytes[7 + 9 + 4 + 200] = "\x81\x05Hello\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"
					     "\x81\x7e\x00\xc8";

	(void)state;
	for (size_t cut = 0; cut <= sizeof bytes; cut++) {
		struct frames f = {0};
		struct heard h = {0};

		frames_take(&f, bytes, cut, hear_text, &h);
		frames_take(&f, bytes + cut, sizeof bytes - cut, hear_text, &h);
		assert_int_equal(h.count, 3);
		assert_int_equal(h.number[0], 5);
		assert_int_equal(h.number[1], 5);
		assert_int_equal(h.number[2], 200);
		assert_null(f.part);
	}
}

/* A gzip stream: its head, "Hello" stored, "Hello" compressed, 200 bytes stored. */
static void a_piece_is_read_wherever_two_reads_cut_it(void **state)
{
	static char bytes[10 + 10 + 11 + 5 + 200] = "\x1f\x8b\x08\0\0\0\0\0\0\xff"
						    "\0\x05\0\xfa\xffHello"
						    "\xf2\x48\xcd\xc9\xc9\x07\0\0\0\xff\xff"
						    "\0\xc8\0\x37\xff";

	(void)state;
	for (size_t cut = 0; cut <= sizeof bytes; cut++) {
		struct frames f = {0};
		struct heard h = {0};

		frames_take_pieces(&f, bytes, cut, hear_text, &h);
		frames_take_pieces(&f, bytes + cut, sizeof bytes - cut, hear_text, &h);
		assert_int_equal(h.count, 3);
		assert_int_equal(h.number[0], 5);
		assert_int_equal(h.number[1], 5);
		assert_int_equal(h.number[2], 200);
		assert_null(f.part);
	}
}

static void a_name_has_its_number_in_place_of_the_braces(void **state)
{
	char name[32];
	char small[16];

	(void)state;
	assert_int_equal(speech_name(name, sizeof name, "own-{}.x", 42), 8);
	assert_string_equal(name, "own-42.x");
	assert_int_equal(speech_name(small, sizeof small, "much-too-long-{}", 42), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_is_as_long_as_its_format_says),
		cmocka_unit_test(a_mark_is_found_wherever_two_reads_cut_it),
		cmocka_unit_test(a_mark_is_found_in_reads_of_any_length),
		cmocka_unit_test(a_bucket_is_no_wider_than_a_sixty_fourth_of_its_value),
		cmocka_unit_test(no_latency_is_too_odd_to_be_counted),
		cmocka_unit_test(an_answer_is_understood_wherever_it_is_cut_after_its_proof),
		cmocka_unit_test(a_refusal_is_one_in_every_protocol),
		cmocka_unit_test(a_frame_is_read_wherever_two_reads_cut_it),
		cmocka_unit_test(a_piece_is_read_wherever_two_reads_cut_it),
		cmocka_unit_test(a_name_has_its_number_in_place_of_the_braces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
