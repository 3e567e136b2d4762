/* Goal: jansson's memory is an arena's for as long as it is lent one, and its own before and after. */
#include "news_test.h"
#include "base/arena.h"
#include "news/item.h"
#include "news/json_arena.h"

static size_t mallocs, frees;

static void *counting_malloc(size_t size)
{
	mallocs++;
	return malloc(size);
}

static void counting_free(void *bytes)
{
	frees += bytes != NULL;
	free(bytes);
}

static void start_counting(void)
{
	mallocs = frees = 0;
	json_set_alloc_funcs(counting_malloc, counting_free);
}

static json_t *decode(void)
{
	static const char text[] = "{\"a\":[1,2.5,\"text\",{\"b\":null}]}";
	json_t *tree = json_loadb(text, strlen(text), 0, NULL);

	assert_non_null(tree);
	return tree;
}

static void trees_of_a_reading_cost_no_allocation_each(void **state)
{
	json_error_t error;

	(void)state;
	start_counting();
	json_arena_open(2);
	assert_non_null(json_arena_read("[]", 2, 0, &error));
	decode();
	json_arena_close();
	assert_int_equal(mallocs, 0);
}

static void what_was_there_before_stays_and_is_freed_as_usual(void **state)
{
	json_t *before, *after;

	(void)state;
	start_counting();
	before = decode();
	json_arena_open(2);
	decode();
	json_arena_close();
	after = decode();
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	assert_true(mallocs > 0);
	assert_int_equal(mallocs, frees);
}

static void a_document_that_is_refused_gives_all_back(void **state)
{
	struct item_report report;
	json_t *after;

	(void)state;
	start_counting();
	for (int i = 0; i < 1000; i++)
		assert_null(item_read("{\"a\":[[[1,2,{", 14, 1000, NULL, &report));
	after = decode();
	json_decref(after);
	assert_int_equal(mallocs, frees);
}

/* A tree takes many times the bytes of its text. */
static void the_smallest_objects_fit(void **state)
{
	enum { COUNT = 80000, ROOM = 3 * COUNT + 100 };
	static char text[ROOM];
	size_t len = (size_t)sprintf(text, "{\"headline\":\"H\",\"x\":[");
	struct item_report report;
	struct item *item;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		len += (size_t)sprintf(text + len, "{},");
	len += (size_t)sprintf(text + len - 1, "]}") - 1;
	item = item_read(text, len, len, NULL, &report);
	assert_non_null(item);
	item_free(item);
}

static void an_arena_that_is_full_is_no_memory(void **state)
{
	size_t made = 0;

	(void)state;
	json_arena_open(0);
	while (made < 100000 && json_object() != NULL)
		made++;
	assert_in_range(made, 1000, 99999);
	json_arena_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_arena_that_is_full_is_no_memory),
		cmocka_unit_test(trees_of_a_reading_cost_no_allocation_each),
		cmocka_unit_test(what_was_there_before_stays_and_is_freed_as_usual),
		cmocka_unit_test(a_document_that_is_refused_gives_all_back),
		cmocka_unit_test(the_smallest_objects_fit),
	};

	return cmocka_run_group_tests_name("news_json_arena", tests, NULL, NULL);
}
