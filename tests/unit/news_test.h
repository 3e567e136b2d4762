/* news_test.h - what the tests of the news floor share: cmocka's headers in their order, and short
 * ways to make things. */
#ifndef NEWSWIRE_TESTS_NEWS_TEST_H
#define NEWSWIRE_TESTS_NEWS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "news/post.h"
#include "news/subscription.h"

/* The bytes of buf as text; the test owns nothing, buf must live. */
static inline const char *news_test_text(struct buf *b)
{
	buf_addc(b, '\0');
	assert_false(b->failed);
	b->len--;
	return b->data;
}

/* A post as the accepting script would publish it. */
static inline struct post *news_test_post(const char *action, const char *class,
					  const char *channels, const char *was, const char *more,
					  const char *body)
{
	char message[2048];
	int len = snprintf(
		message, sizeof message,
		"1 e1 1700000000000-1 0-0\n"
		"{\"action\":\"%s\",\"uri\":\"urn:x:1\",\"version\":\"2\",\"class\":\"%s\","
		"\"channels\":\"%s\",\"was\":\"%s\"%s}\n%s",
		action, class, channels, was, more, body);

	assert_in_range(len, 1, sizeof message - 1);
	return post_read(message, (size_t)len);
}

#endif
