/* audience_crowd.h - what the tests of audience.h share: a crowd of members who write down what they are offered, and posts for them.
 *
 * Each test has a crowd and a set of its own (setup, teardown); what is theirs stands in the variables here.
 */
#ifndef NEWSWIRE_TESTS_AUDIENCE_CROWD_H
#define NEWSWIRE_TESTS_AUDIENCE_CROWD_H

#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "audience/audience.h"
#include "base/clock.h"

enum { MEMBERS = 8, TEXT = 256 << 10 };

struct listener {
	struct audience_member member;
	char text[TEXT];
	size_t len;
	unsigned offers, torn, expected;
	size_t largest;
	struct wire_id upto;
	bool leaves; /* at its next offer */
	bool lags;   /* … which it takes only in part */
	bool deaf;   /* keeps nothing of what it hears */
};

static struct listener *crowd;
static struct audiences *set;
static uint64_t next_seq, began_ms;

static inline void offer(struct audience_member *member, const struct audience_block *block)
{
	struct listener *l = CONTAINER_OF(member, struct listener, member);

	assert_int_equal(l->expected, l->offers + l->torn + 1);
	assert_true(wire_id_compare(block->from, l->upto) >= 0);
	l->upto = block->upto;
	l->torn += block->bytes == NULL;
	l->offers += block->bytes != NULL;
	if (l->deaf)
		return;
	assert_true(l->len + block->len < TEXT);
	if (block->bytes != NULL)
		memcpy(l->text + l->len, block->bytes, block->len);
	l->len += block->len;
	l->largest = block->len > l->largest ? block->len : l->largest;
	if (l->leaves || l->lags)
		audience_leave(member);
	if (l->lags)
		audience_lag(member->audience, 1);
}

/* What was told of posts by their seq, summed over audiences. */
static struct {
	unsigned told, readers, behind;
} reach[256];

static inline void reached(void *arg, struct post *post, uint32_t readers, uint32_t behind,
			   uint64_t when_ms)
{
	assert_ptr_equal(arg, &reach);
	assert_in_range(when_ms, began_ms, clock_mono_ms());
	assert_true(post->id.seq < COUNT_OF(reach));
	reach[post->id.seq].told++;
	reach[post->id.seq].readers += readers;
	reach[post->id.seq].behind += behind;
}

static inline void assert_reach(unsigned seq, unsigned readers, unsigned behind)
{
	assert_int_equal(reach[seq].readers, readers);
	assert_int_equal(reach[seq].behind, behind);
}

static inline void expect(struct audience_member *member)
{
	struct listener *l = CONTAINER_OF(member, struct listener, member);

	l->expected++;
}

static unsigned early_offers;

static inline void offer_early(struct audience_member *member, const struct audience_block *block)
{
	early_offers++;
	offer(member, block);
}

static const struct audience_ops ops = {offer, offer_early, expect, reached, &reach};

static inline void flush(void)
{
	assert_false(audiences_go_on(set, AUDIENCE_ALL));
	assert_null(audiences_owed(set));
}

static inline int setup(void **state)
{
	(void)state;
	crowd = calloc(MEMBERS, sizeof *crowd);
	next_seq = 0;
	early_offers = 0;
	began_ms = clock_mono_ms();
	memset(reach, 0, sizeof reach);
	set = audiences_new(&ops);
	return set == NULL || crowd == NULL;
}

static inline int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS; i++) {
		audience_leave(&crowd[i].member);
		if (crowd[i].lags && crowd[i].offers > 0)
			audience_lag(crowd[i].member.audience, -1);
		audience_put(crowd[i].member.audience);
	}
	audiences_free(set);
	free(crowd);
	return 0;
}

static inline struct listener *listen_as(int i, const char *channels, bool early)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(channels, NULL, NULL, NULL, &fault);

	assert_non_null(s);
	s->early = early;
	crowd[i].member.audience = audience_get(set, s, "", FORMAT_WEBSOCKET);
	crowd[i].member.index = AUDIENCE_NOT_LIVE;
	assert_non_null(crowd[i].member.audience);
	assert_int_equal(audience_join(&crowd[i].member), 0);
	return &crowd[i];
}

static inline struct listener *listen(int i, const char *channels)
{
	return listen_as(i, channels, false);
}

static inline struct listener *listen_early(int i, const char *channels)
{
	return listen_as(i, channels, true);
}

static inline struct listener *listen_by_channel(int i, const char *names)
{
	struct channel_set channels;
	struct subscription *s;

	assert_int_equal(channel_set_read(&channels, names, strlen(names), ' '), 0);
	s = subscription_of_channels(&channels);
	assert_non_null(s);
	crowd[i].member.audience = audience_get(set, s, "", FORMAT_CENTRIFUGE);
	crowd[i].member.index = AUDIENCE_NOT_LIVE;
	assert_non_null(crowd[i].member.audience);
	assert_int_equal(audience_join(&crowd[i].member), 0);
	return &crowd[i];
}

static inline struct post *make(const char *action, const char *channels, const char *was,
				const char *body)
{
	struct buf b = {0};
	struct post *post;

	buf_addf(&b,
		 "1 e1 1700000000000-%llu "
		 "0-0\n{\"action\":\"%s\",\"uri\":\"urn:x:%llu\",\"version\":\"1\","
		 "\"class\":\"regular\",\"channels\":\"%s\",\"was\":\"%s\"}\n%s",
		 (unsigned long long)next_seq + 1, action, (unsigned long long)next_seq, channels,
		 was, body);
	next_seq++;
	post = post_read(b.data, b.len);
	assert_non_null(post);
	buf_free(&b);
	return post;
}

static inline void send(const char *action, const char *channels, const char *was, const char *body)
{
	struct post *post = make(action, channels, was, body);

	audiences_post(set, post);
	post_drop(post);
}

static inline bool heard(const struct listener *l, const char *text)
{
	return memmem(l->text, l->len, text, strlen(text)) != NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
