/* audience.c - match once, join once, offer to every member. */
#include "audience/audience.h"

#include <stdlib.h>
#include <string.h>
#include "audience/listeners.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/counters.h"

/* A post of this tick and how it matched. */
struct pending {
	struct post *post;
	enum post_match match;
	uint32_t at; /* which of its channels; 0 where the format names none */
};

struct pendings {
	struct pending *at;
	uint32_t count, cap;
};

/* Always true: live[i]->index == i for i < live_count; refs >= live_count + lagging. */
struct audience {
	struct audiences *set;
	char *key;
	struct subscription *subscription;
	struct listeners_place *places; /* in the index */
	enum format format;
	unsigned refs;
	struct audience_member **live;
	uint32_t live_count, live_cap;
	uint32_t lagging;     /* readers of it that are behind */
	struct pendings tick; /* each holds a reference on its post */
	uint64_t looked; /* set->serial of the last post: one with several channels is matched once
			  */
	struct audience *next_dirty; /* set->dirty: those with posts in this tick */
	bool is_dirty;
	bool by_channel; /* the format names the channel: a post is pending once for each that it matches */
	bool is_coded; /* its frames may be compressed */
	bool torn;     /* memory was short in this tick: its members are told to catch up */
	UT_hash_handle hh;
};

struct audiences {
	const struct audience_ops *ops;
	struct audience *by_key;
	struct listeners_index index;
	struct audience *dirty;
	struct wire_id flushed; /* the wire's head when the last tick was over */
	uint64_t serial;	/* counts posts, for audience->looked */
	struct wire_id heard;	/* the last post of this tick */
	struct buf block;	/* the joined frames being offered */
	struct pendings joined; /* what `block` is made of, to use it again for the next audience */
	enum format joined_format;
	uint32_t joined_from, joined_upto; /* the stretch of `joined` in `block` */
	uint32_t breath;		   /* offers since the last `breathe` */
	uint64_t now_ms;		   /* the clock, as it was … */
	uint64_t since;			   /* … so many offers ago */
};

struct audiences *audiences_new(const struct audience_ops *ops)
{
	struct audiences *set = calloc(1, sizeof *set);

	if (set != NULL)
		set->ops = ops;
	return set;
}

void audiences_free(struct audiences *set)
{
	if (set == NULL)
		return;
	MUST(set->by_key == NULL);
	free(set->joined.at);
	buf_free(&set->block);
	free(set);
}

size_t audiences_count(const struct audiences *set)
{
	return HASH_COUNT(set->by_key);
}

size_t audience_live(const struct audience *audience)
{
	return audience->live_count;
}

const struct subscription *audience_subscription(const struct audience *audience)
{
	return audience->subscription;
}

enum format audience_format(const struct audience *audience)
{
	return audience->format;
}

/* Room for one more in a growing array. 0, or -1 out of memory. */
static int grow(void **at, uint32_t count, uint32_t *cap, size_t size)
{
	uint32_t more = *cap == 0 ? 4 : *cap * 2;
	void *moved;

	if (count < *cap)
		return 0;
	if ((moved = realloc(*at, more * size)) == NULL)
		return -1;
	*at = moved;
	*cap = more;
	return 0;
}

/* --- an audience's life ----------------------------------------------------------------------- */

static void pendings_clear(struct pendings *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		post_drop(p->at[i].post);
	p->count = 0;
}

static void audience_free(struct audience *a)
{
	struct audience **at;

	if (a == NULL)
		return;
	MUST(a->live_count == 0 && a->lagging == 0);
	for (at = &a->set->dirty; *at != NULL; at = &(*at)->next_dirty) {
		if (*at != a)
			continue;
		*at = a->next_dirty;
		break;
	}
	pendings_clear(&a->tick);
	free(a->tick.at);
	free(a->live);
	subscription_free(a->subscription);
	free(a->key);
	free(a);
}

/* `<format> <entitlement> <subscription>`; none of the three holds a control character. */
static char *key_of(const struct subscription *s, const char *entitlement, enum format format)
{
	struct buf b = {0};

	buf_adds(&b, format_name(format));
	buf_addc(&b, '\x1f');
	buf_adds(&b, entitlement);
	buf_addc(&b, '\x1f');
	buf_adds(&b, s->key);
	buf_addc(&b, '\0');
	if (b.failed)
		buf_free(&b);
	return b.data;
}

static struct audience *audience_new(struct audiences *set, struct subscription *s, char *key,
				     enum format format)
{
	struct audience *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	*a = (struct audience){.set = set,
			       .key = key,
			       .subscription = s,
			       .format = format,
			       .refs = 1,
			       .by_channel = format_names_channel(format),
			       .is_coded = format_is_coded(format)};
	if ((a->places = listeners_enter(&set->index, a, s)) == NULL) {
		free(a);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, set->by_key, a->key, strlen(a->key), a);
	return a;
}

struct audience *audience_get(struct audiences *set, struct subscription *subscription,
			      const char *entitlement, enum format format)
{
	struct audience *a = NULL;
	char *key = key_of(subscription, entitlement, format);

	if (key == NULL)
		goto fail;
	HASH_FIND_STR(set->by_key, key, a);
	if (a != NULL) {
		subscription_free(subscription);
		free(key);
		return audience_hold(a);
	}
	if ((a = audience_new(set, subscription, key, format)) != NULL)
		return a;
fail:
	free(key);
	subscription_free(subscription);
	return NULL;
}

struct audience *audience_hold(struct audience *audience)
{
	audience->refs++;
	return audience;
}

void audience_put(struct audience *audience)
{
	if (audience == NULL || --audience->refs > 0)
		return;
	listeners_leave(&audience->set->index, audience->places, audience->subscription);
	HASH_DEL(audience->set->by_key, audience);
	audience_free(audience);
}

int audience_join(struct audience_member *member)
{
	struct audience *a = member->audience;

	MUST(member->index == AUDIENCE_NOT_LIVE);
	if (grow((void **)&a->live, a->live_count, &a->live_cap,
		 sizeof(struct audience_member *)) != 0)
		return -1;
	member->index = a->live_count;
	a->live[a->live_count++] = member;
	return 0;
}

void audience_leave(struct audience_member *member)
{
	struct audience *a = member->audience;

	if (a == NULL || member->index == AUDIENCE_NOT_LIVE)
		return;
	MUST(a->live[member->index] == member);
	a->live[member->index] = a->live[--a->live_count];
	a->live[member->index]->index = member->index;
	member->index = AUDIENCE_NOT_LIVE;
}

void audience_lag(struct audience *audience, int more)
{
	MUST(more >= 0 || audience->lagging >= (uint32_t)-more);
	audience->lagging += (uint32_t)more;
}

/* --- a tick ----------------------------------------------------------------------------------- */

static void remember_match(struct audience *a, struct post *post, enum post_match match,
			   uint32_t at)
{
	if (!a->is_dirty) {
		a->is_dirty = true;
		a->next_dirty = a->set->dirty;
		a->set->dirty = a;
	}
	if (grow((void **)&a->tick.at, a->tick.count, &a->tick.cap, sizeof(struct pending)) != 0)
		a->torn = true;
	else
		a->tick.at[a->tick.count++] = (struct pending){post_hold(post), match, at};
}

/* Apart, so that the usual way stays short. */
static __attribute__((noinline)) void remember_each(struct audience *a, struct post *post)
{
	const struct channel_set *channels = &a->subscription->channels;
	uint32_t at;

	for (uint32_t i = 0; i < channels->count; i++) {
		enum post_match match = post_in_channel(post, channels->name[i], &at);

		if (match != MATCH_NOT)
			remember_match(a, post, match, at);
	}
}

static void remember(struct audience *a, struct post *post)
{
	enum post_match match;

	if (a->looked == a->set->serial || a->live_count + a->lagging == 0)
		return;
	a->looked = a->set->serial;
	if (a->by_channel)
		remember_each(a, post);
	else if ((match = subscription_match(a->subscription, post)) != MATCH_NOT)
		remember_match(a, post, match, 0);
}

static void remember_by(struct audiences *set, const struct channel_set *channels,
			struct post *post)
{
	const struct listeners *l;

	for (uint32_t i = 0; i < channels->count; i++) {
		l = listeners_of(&set->index, channels->name[i]);
		for (uint32_t k = 0; l != NULL && k < l->count; k++)
			remember(l->at[k].audience, post);
	}
}

static void remember_by_prefix(struct audiences *set, const struct channel_set *channels,
			       struct post *post)
{
	const struct listeners *l;

	for (uint32_t i = 0; i < channels->count; i++)
		for (size_t len = 0;
		     (l = listeners_next(&set->index, channels->name[i], &len)) != NULL;)
			for (uint32_t k = 0; k < l->count; k++)
				remember(l->at[k].audience, post);
}

void audiences_post(struct audiences *set, struct post *post)
{
	set->serial++;
	remember_by(set, &post->channels, post);
	remember_by(set, &post->was, post);
	if (set->index.by_prefix != NULL) {
		remember_by_prefix(set, &post->channels, post);
		remember_by_prefix(set, &post->was, post);
	}
	set->heard = post->id;
}

/* What fits into one block. */
struct stretch {
	uint32_t from, upto; /* posts of the tick */
	uint32_t frames;     /* blanked posts have none */
	size_t bytes;
	uint64_t spared;	  /* by their coding */
	const struct frame *only; /* it is a single frame, which is sent as it is */
	bool torn;		  /* a frame could not be made: memory is short */
};

static const struct frame *frame_of(const struct audience *a, const struct pending *p)
{
	return a->by_channel ? post_channel_frame(p->post, a->format, p->at)
			     : post_frame(p->post, a->format, p->match);
}

/* A block ends between two posts: its `upto` is one's id. */
static bool goes_on(const struct audience *a, uint32_t i)
{
	return i > 0 && a->tick.at[i - 1].post == a->tick.at[i].post;
}

static struct stretch stretch_from(const struct audience *a, uint32_t from)
{
	struct stretch s = {.from = from, .upto = from};

	for (; s.upto < a->tick.count; s.upto++) {
		const struct pending *p = &a->tick.at[s.upto];
		const struct frame *f = frame_of(a, p);

		if (f == NULL) {
			s.torn |= !p->post->blanked;
			continue;
		}
		if (s.frames > 0 && s.bytes + f->len > AUDIENCE_BLOCK_MAX && !goes_on(a, s.upto))
			break;
		s.only = s.frames == 0 ? f : NULL;
		s.frames++;
		s.bytes += f->len;
	}
	return s;
}

/* Is `block` already this stretch, from the audience before? */
static bool is_joined(const struct audiences *set, const struct audience *a,
		      const struct stretch *s)
{
	return set->joined.count == a->tick.count && set->joined_format == a->format &&
	       set->joined_from == s->from && set->joined_upto == s->upto &&
	       memcmp(set->joined.at, a->tick.at, a->tick.count * sizeof(struct pending)) == 0;
}

/* Puts the stretch into `block`. 0, or -1 out of memory. */
static int join(struct audiences *set, struct audience *a, const struct stretch *s)
{
	if (is_joined(set, a, s))
		return 0;
	set->joined.count = 0;
	buf_clear(&set->block);
	for (uint32_t i = s->from; i < s->upto; i++) {
		const struct frame *f = frame_of(a, &a->tick.at[i]);

		if (f != NULL)
			buf_add(&set->block, f->data, f->len);
	}
	if (set->block.failed)
		return -1;
	while (set->joined.cap < a->tick.count)
		if (grow((void **)&set->joined.at, set->joined.cap, &set->joined.cap,
			 sizeof(struct pending)) != 0)
			return 0; /* the block is fine; it is only not remembered */
	memcpy(set->joined.at, a->tick.at, a->tick.count * sizeof(struct pending));
	set->joined.count = a->tick.count;
	set->joined_format = a->format;
	set->joined_from = s->from;
	set->joined_upto = s->upto;
	return 0;
}

/* A long fan-out must not keep everything else waiting. */
static void take_breath(struct audiences *set, uint32_t offers)
{
	if ((set->breath += offers) < AUDIENCE_BREATH)
		return;
	set->breath = 0;
	set->ops->breathe(set->ops->arg);
}

/* From the last member to the first: a member that leaves when it was offered the block is replaced
 * by one that had it. */
static void offer_to_all(struct audience *a, const struct audience_block *block)
{
	const struct audience_ops *ops = a->set->ops;

	a->set->since += a->live_count;
	for (uint32_t i = a->live_count; i > 0;) {
		uint32_t few = i < AUDIENCE_EXPECTED ? i : AUDIENCE_EXPECTED;

		for (uint32_t k = i - few; k < i; k++)
			ops->expect(a->live[k]);
		take_breath(a->set, few);
		for (; few > 0; few--)
			ops->offer(a->live[--i], block);
	}
}

/* Does the whole post count here? By several channels it went to the same readers. */
static bool is_counted(const struct audience *a, uint32_t i)
{
	const struct pending *p = &a->tick.at[i];

	if (p->match != MATCH_FULL || p->post->blanked)
		return false;
	if (!a->by_channel)
		return true;
	for (; goes_on(a, i); i--)
		if (a->tick.at[i - 1].match == MATCH_FULL)
			return false;
	return true;
}

/* Those who are live now have all of these posts. A clock that is some offers old will do: there may
 * be as many audiences as readers. */
static void tell_reach(struct audience *a, uint32_t from, uint32_t upto)
{
	struct audiences *set = a->set;

	if (set->since >= AUDIENCE_EXPECTED) {
		set->since = 0;
		set->now_ms = clock_mono_ms();
	}
	for (uint32_t i = from; i < upto; i++)
		if (is_counted(a, i))
			set->ops->reached(set->ops->arg, a->tick.at[i].post, a->live_count,
					  a->lagging, set->now_ms);
}

/* What the coding of these frames was worth. */
static __attribute__((noinline)) void count_spared(const struct audience *a, uint32_t from,
						   uint32_t upto)
{
	for (; from < upto; from++) {
		const struct frame *f = frame_of(a, &a->tick.at[from]);

		if (f != NULL)
			COUNT_ADD(DEFLATE_SPARED, (uint64_t)f->spared * a->live_count);
	}
}

/* Offers one stretch after `from`. 0, or -1: memory is short. */
static int offer_stretch(struct audience *a, const struct stretch *s, struct wire_id from)
{
	struct audiences *set = a->set;
	struct audience_block block = {.from = from, .upto = a->tick.at[s->upto - 1].post->id};

	if (s->torn || (s->frames > 1 && join(set, a, s) != 0))
		return -1;
	if (s->frames == 0)
		return 0;
	COUNT_ADD(DELIVERIES, (uint64_t)s->frames * a->live_count);
	block.bytes = s->frames == 1 ? s->only->data : (uint8_t *)set->block.data;
	block.len = s->frames == 1 ? s->only->len : set->block.len;
	if (a->is_coded)
		count_spared(a, s->from, s->upto);
	offer_to_all(a, &block);
	return 0;
}

static void flush(struct audience *a)
{
	struct wire_id before = a->set->flushed;
	uint32_t from = 0;

	while (from < a->tick.count && a->live_count > 0 && !a->torn) {
		struct stretch s = stretch_from(a, from);

		if (offer_stretch(a, &s, before) != 0) {
			a->torn = true;
			break;
		}
		tell_reach(a, from, s.upto);
		before = a->tick.at[s.upto - 1].post->id;
		from = s.upto;
	}
	if (a->torn)
		offer_to_all(a, &(struct audience_block){.from = before, .upto = before});
	tell_reach(a, from, a->tick.count);
}

void audiences_flush(struct audiences *set)
{
	set->since = AUDIENCE_EXPECTED;
	for (struct audience *a = set->dirty; a != NULL; a = a->next_dirty)
		flush(a);
	audiences_forget(set, set->heard);
}

void audiences_forget(struct audiences *set, struct wire_id head)
{
	set->joined.count = 0; /* its posts are about to be dropped: an address may come again */
	set->flushed = set->heard = head;
	while (set->dirty != NULL) {
		struct audience *a = set->dirty;

		set->dirty = a->next_dirty;
		a->is_dirty = a->torn = false;
		pendings_clear(&a->tick);
	}
}
