/* wire_alone.h - what the tests of the wire's parts share: a link without a Redis, and memory that is short where the test says so.
 */
#ifndef NEWSWIRE_TESTS_WIRE_ALONE_H
#define NEWSWIRE_TESTS_WIRE_ALONE_H

#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include "failing_malloc.h"
#include "fake_link.h"

static uv_loop_t loop;
static struct link *link_;
static bool short_of_memory; /* while answers are heard */

static inline void open_link(void)
{
	static const struct link_events events = {.ready = NULL};
	struct redis_place place = {.unix_path = (char *)"/nowhere"};

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(link_ = link_open(&loop, &place, "wire", &events, NULL));
	fake_link_ready(link_);
}

static inline void close_loop(void)
{
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(fake_link_count(), 0);
}

static inline void answer(const char *text)
{
	redisReply *reply = fake_link_says(text);

	if (short_of_memory)
		fail_begin();
	assert_true(fake_link_answer(link_, reply));
	fail_end();
	freeReplyObject(reply);
}

#endif
