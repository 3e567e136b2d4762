/* desk_alone.c - a desk without a Redis. */
#include "cmocka_all.h"
#include "desk_alone.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "failing_malloc.h"
#include "fake_link.h"

enum { QUESTIONS_MAX = 100 }; /* a desk at rest asks no more */

struct alone alone;
struct desk_options alone_options = {.prefix = "newswire",
				     .max_item = 65536,
				     .retention_ms = 1000,
				     .archive_ms = 1000,
				     .max_embargo_ms = 1000,
				     .feed_max = 10,
				     .raw_rights = RIGHTS_EVERYTHING};

void alone_open(void)
{
	struct redis_place place = {.unix_path = (char *)"/nowhere"};

	assert_int_equal(fake_link_count(), 0); /* else a test before this one failed */
	alone = (struct alone){.says = NULL};
	assert_int_equal(uv_loop_init(&alone.loop), 0);
	alone.desk = desk_open(&alone.loop, &place, &alone_options);
}

static void hear(const char *text, bool short_of_memory)
{
	redisReply *reply = fake_link_says(text);

	if (short_of_memory)
		fail_begin();
	fake_link_message(fake_link("desk-ear"), reply);
	fail_end();
	freeReplyObject(reply);
}

void alone_open_ready(void)
{
	alone_open();
	assert_non_null(alone.desk);
	fake_link_ready(fake_link("desk-ear"));
	hear("[psubscribe newswire:in:* :1]", false);
	fake_link_ready(fake_link("desk"));
	alone_answer();
}

void alone_close(void)
{
	desk_close(alone.desk);
	while (uv_run(&alone.loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&alone.loop), 0);
	assert_int_equal(fake_link_count(), 0);
}

/* Redis does what it is asked, and knows nothing. */
static const char *usual_answer(const char *question)
{
	if (strstr(question, "accept.lua - "))
		return "[accepted 1-0 publish world '' '' 0 0]";
	if (strstr(question, "reject.lua - "))
		return "[refused '' '' '' bad_value no '' 0]";
	if (strstr(question, "inbox.lua - "))
		return "[mine 0 0 none '' [] - [] 5-0]";
	return strncmp(question, "WAIT", 4) == 0 ? ":1" : "~";
}

static void write_down_consumer(const char *name)
{
	if (alone.looked++ == 0)
		snprintf(alone.first_consumer, sizeof alone.first_consumer, "%s", name);
	snprintf(alone.consumer, sizeof alone.consumer, "%s", name);
}

static void write_down(const struct link *link, const char *question)
{
	if (strstr(question, "reject.lua - "))
		snprintf(alone.reason, sizeof alone.reason, "%s", fake_link_value(link, "reason"));
	if (strstr(question, "release.lua - "))
		snprintf(alone.rewritten, sizeof alone.rewritten, "%s",
			 fake_link_value(link, "rewritten"));
	alone.rewriting += strcmp(question, "BGREWRITEAOF") == 0;
	if (strstr(question, "inbox.lua - "))
		write_down_consumer(fake_link_value(link, "consumer"));
	alone.accepted += strstr(question, "accept.lua - ") != NULL;
	alone.refused += strstr(question, "reject.lua - ") != NULL;
	alone.put_off += strncmp(question, "XCLAIM ", 7) == 0;
	alone.put_off_anew += strstr(question, "RETRYCOUNT 1 ") != NULL;
}

void alone_answer(void)
{
	struct link *link = fake_link("desk");
	const char *question;

	for (unsigned n = 0; (question = fake_link_question(link)) != NULL; n++) {
		bool is_expected = alone.says && strstr(question, alone.about);
		redisReply *reply =
			fake_link_says(is_expected ? alone.says : usual_answer(question));

		assert_in_range(n, 0, QUESTIONS_MAX);
		write_down(link, question);
		if (is_expected) {
			alone.says = NULL;
			fail_begin();
		}
		fake_link_answer(link, reply);
		fail_end();
		freeReplyObject(reply);
	}
}

void alone_wait(void)
{
	for (int i = 0; i < 3; i++) {
		fake_link_time(&alone.loop);
		alone_answer();
	}
}

void alone_hear(const char *channel, const char *item)
{
	struct buf text = {0};

	buf_addf(&text, "[pmessage newswire:in:* 'newswire:in:%s' '%s']", channel, item);
	buf_addc(&text, '\0');
	hear(text.data, true);
	buf_free(&text);
}
