/* Goal: what libwebsockets takes for a moment comes from slots apart from the heap, keeps what is written to it, and is never
 * refused for want of a slot. */
#include "cmocka_all.h"

#include <libwebsockets.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "http/passing_memory.h"

enum { HEADER = 8192 };

typedef void *allocator(void *at, size_t size, const char *reason);
static allocator *allocate;

/* In the library's place: the allocator that it is given is ours to ask. */
void lws_set_allocator(allocator *given)
{
	allocate = given;
}

static int use(void **state)
{
	(void)state;
	passing_memory_use(HEADER);
	return 0;
}

static uintptr_t distance(const void *a, const void *b)
{
	return a > b ? (uintptr_t)a - (uintptr_t)b : (uintptr_t)b - (uintptr_t)a;
}

static void the_same_slot_serves_one_after_the_other(void **state)
{
	void *first = allocate(NULL, HEADER, "t"), *small = allocate(NULL, 64, "t");

	(void)state;
	assert_true(distance(first, small) > HEADER);
	assert_null(allocate(first, 0, "t"));
	assert_ptr_equal(allocate(NULL, HEADER, "t"), first);
	assert_null(allocate(first, 0, "t"));
	assert_null(allocate(small, 0, "t"));
	assert_null(allocate(NULL, 0, "t"));
}

static void every_slot_is_its_own_and_beyond_them_there_is_the_heap(void **state)
{
	static void *at[PASSING_SLOTS + 40];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(at); i++) {
		assert_non_null(at[i] = allocate(NULL, HEADER, "t"));
		memset(at[i], (int)(i & 255), HEADER);
	}
	for (size_t i = 0; i < COUNT_OF(at); i++) {
		assert_int_equal(((unsigned char *)at[i])[0], i & 255);
		assert_int_equal(((unsigned char *)at[i])[HEADER - 1], i & 255);
		assert_null(allocate(at[i], 0, "t"));
	}
}

static void what_outgrows_its_slot_moves_with_its_content(void **state)
{
	char *at = allocate(NULL, 1000, "t"), *same, *more;

	(void)state;
	memset(at, 'x', 1000);
	assert_ptr_equal(same = allocate(at, 1010, "t"), at);
	more = allocate(same, 3 * HEADER, "t");
	assert_ptr_not_equal(more, at);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(more[i], 'x');
	more = allocate(more, 4 * HEADER, "t");
	assert_int_equal(more[999], 'x');
	assert_null(allocate(more, 0, "t"));
}

static void a_calm_second_takes_nothing_from_those_who_hold_a_slot(void **state)
{
	char *held = allocate(NULL, HEADER, "t");

	(void)state;
	memset(held, 'h', HEADER);
	passing_memory_second();
	passing_memory_second();
	assert_int_equal(held[HEADER - 1], 'h');
	assert_null(allocate(held, 0, "t"));
	passing_memory_second();
	passing_memory_second();
	assert_ptr_equal(allocate(NULL, HEADER, "t"), held);
	assert_int_equal(held[HEADER - 1], 0); /* it went back to the system meanwhile */
	assert_null(allocate(held, 0, "t"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_slot_serves_one_after_the_other),
		cmocka_unit_test(every_slot_is_its_own_and_beyond_them_there_is_the_heap),
		cmocka_unit_test(what_outgrows_its_slot_moves_with_its_content),
		cmocka_unit_test(a_calm_second_takes_nothing_from_those_who_hold_a_slot),
	};

	return cmocka_run_group_tests(tests, use, NULL);
}
