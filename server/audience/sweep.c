/* sweep.c - posts go around the members: match once, join once, offer to everybody, a slice at a time. */
#include <string.h>
#include "audience/audience_own.h"
#include "base/clock.h"
#include "base/counters.h"

/* --- posts ------------------------------------------------------------------------------------ */

static void remember_match(struct audience *a, struct post *post, enum post_match match,
			   uint32_t at)
{
	if (!a->is_dirty) {
		a->is_dirty = true;
		TAILQ_INSERT_TAIL(&a->set->dirty, a, turn);
	}
	if (audience_grow((void **)&a->tick.at, a->tick.count, &a->tick.cap,
			  sizeof(struct pending)) != 0) {
		a->torn = true;
	} else if (!a->torn) {
		a->tick.at[a->tick.count++] = (struct pending){post_hold(post), match, at, 0};
		post->owed++;
	}
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
/* An array whose first `done` are not needed any more: closes up once that is half of it. Returns whether it did. */
static bool close_up(void *at, uint32_t done, uint32_t count, size_t size)
{
	if (done == 0 || done < count - done)
		return false;
	memmove(at, (char *)at + done * size, (count - done) * size);
	return true;
}

static void owe(struct owed *o, struct post *post)
{
	if (post->owed == 0 ||
	    audience_grow((void **)&o->at, o->count, &o->cap, sizeof(struct post *)) != 0)
		return;
	o->at[o->count++] = post_hold(post);
	o->bytes += post->body_len;
}

/* Drops those that everybody was offered. What was blanked meanwhile takes no place any more. */
static void forget_paid(struct owed *o)
{
	while (o->from < o->count && o->at[o->from]->owed == 0)
		post_drop(o->at[o->from++]);
	if (close_up(o->at, o->from, o->count, sizeof(struct post *))) {
		o->count -= o->from;
		o->from = 0;
	}
	o->bytes = 0;
	for (uint32_t i = o->from; i < o->count; i++)
		o->bytes += o->at[i]->body_len;
	GAUGE_SET(OWED_BYTES, o->bytes);
}

void owed_free(struct owed *o)
{
	for (uint32_t i = o->from; i < o->count; i++)
		post_drop(o->at[i]);
	free(o->at);
}

const struct post *audiences_owed(const struct audiences *set)
{
	return set->owed.from < set->owed.count ? set->owed.at[set->owed.from] : NULL;
}

void audiences_post(struct audiences *set, struct post *post)
{
	set->serial++;
	set->joined.count = 0; /* it may have blanked one that is in the block */
	remember_by(set, &post->channels, post);
	remember_by(set, &post->was, post);
	if (set->index.by_prefix != NULL) {
		remember_by_prefix(set, &post->channels, post);
		remember_by_prefix(set, &post->was, post);
	}
	set->heard = post->id;
	owe(&set->owed, post);
}

/* --- a block ---------------------------------------------------------------------------------- */

/* What fits into one block. */
struct stretch {
	uint32_t from, upto; /* posts of the tick */
	uint32_t frames;     /* blanked posts have none */
	size_t bytes;
	const struct frame *only; /* it is a single frame, which is sent as it is */
};

static const struct frame *frame_of(const struct audience *a, const struct pending *p)
{
	return a->by_channel ? post_channel_frame(p->post, a->format, p->at)
			     : post_frame(p->post, a->format, p->match);
}

/* Is it the same post as the one before? A block ends between two posts: its `upto` is one's id. */
static bool goes_on(const struct audience *a, uint32_t i)
{
	return i > a->sweep.first && a->tick.at[i - 1].post == a->tick.at[i].post;
}

/* Stops before a frame that cannot be made, because memory is short. */
static struct stretch stretch_from(struct audience *a, uint32_t from)
{
	struct stretch s = {.from = from, .upto = from};

	for (; s.upto < a->tick.count; s.upto++) {
		const struct pending *p = &a->tick.at[s.upto];
		const struct frame *f = frame_of(a, p);

		if (f == NULL && !p->post->blanked) {
			a->torn = true;
			break;
		}
		if (f == NULL)
			continue;
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
	const struct pending *mine = a->tick.at + s->from, *joined = set->joined.at;

	if (set->joined.count != s->upto - s->from || set->joined_format != a->format)
		return false;
	for (uint32_t i = 0; i < set->joined.count; i++)
		if (mine[i].post != joined[i].post || mine[i].match != joined[i].match ||
		    mine[i].at != joined[i].at)
			return false;
	return true;
}

/* Puts the stretch into `block`. 0, or -1 out of memory: only where one post has many large frames, since there is room
 * for AUDIENCE_BLOCK_MAX. */
static int join(struct audiences *set, struct audience *a, const struct stretch *s)
{
	uint32_t count = s->upto - s->from;

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
	while (set->joined.cap < count)
		if (audience_grow((void **)&set->joined.at, set->joined.cap, &set->joined.cap,
				  sizeof(struct pending)) != 0)
			return 0; /* the block is fine; it is only not remembered */
	memcpy(set->joined.at, a->tick.at + s->from, count * sizeof(struct pending));
	set->joined.count = count;
	set->joined_format = a->format;
	return 0;
}

/* --- a sweep ---------------------------------------------------------------------------------- */

static void begin(struct audience *a)
{
	if (a->pass != a->set->pass)
		a->offered = a->set->flushed;
	a->pass = a->set->pass;
	a->sweep = (struct sweep){.slots = a->live_count,
				  .at = a->live_count,
				  .turn_ends = a->live_count,
				  .on = true};
}

/* The oldest post in the block is done with. */
static void drop_first(struct audience *a)
{
	struct post *post = a->tick.at[a->sweep.first++].post;

	post->owed--;
	post_drop(post);
}

/* Nothing is left to offer, or nobody to offer it to: the holes are closed. */
void audience_rest(struct audience *a)
{
	TAILQ_REMOVE(&a->set->dirty, a, turn);
	a->is_dirty = a->torn = false;
	while (a->sweep.first < a->tick.count)
		drop_first(a);
	a->tick.count = 0;
	for (uint32_t i = 0; a->sweep.holes > 0 && i < a->live_count;) {
		if (a->live[i] != NULL) {
			i++;
			continue;
		}
		if ((a->live[i] = a->live[--a->live_count]) != NULL)
			a->live[i]->index = i;
	}
	a->sweep = (struct sweep){0};
}

/* Takes in what came meanwhile, as far as the block has room for it. Returns what is in the block. */
static struct stretch take_in(struct audience *a)
{
	struct sweep *w = &a->sweep;
	struct stretch s = stretch_from(a, w->first);

	for (; w->upto < s.upto; w->upto++)
		a->tick.at[w->upto].due = w->visits + w->slots;
	return s;
}

/* Visits the next so many slots, as many at a time as are expected together. Returns how many offers that were. */
static uint32_t visit(struct audience *a, uint32_t slots, const struct audience_block *block)
{
	const struct audience_ops *ops = a->set->ops;
	struct audience_member **live = a->live;
	uint32_t holes = 0, at = a->sweep.at, left = slots, few;

	for (; left > 0; left -= few) {
		if (at == 0)
			at = a->sweep.slots;
		few = at < AUDIENCE_EXPECTED ? at : AUDIENCE_EXPECTED;
		few = few < left ? few : left;
		for (uint32_t k = at - few; k < at; k++)
			if (live[k] != NULL)
				ops->expect(live[k]);
		for (uint32_t end = at - few; at > end;) {
			struct audience_member *member = live[--at];

			if (member != NULL)
				a->offer(member, block);
			else
				holes++;
		}
	}
	a->sweep.at = at;
	a->sweep.visits += slots;
	a->set->since += slots - holes;
	return slots - holes;
}

/* As visit(), without anything to offer. */
static void pass_by(struct sweep *w, uint32_t slots)
{
	w->visits += slots;
	w->at = (w->at + w->slots - slots % w->slots) % w->slots;
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

/* Those who are live now have the posts up to this one. A clock that is some offers old will do: there may be as
 * many audiences as readers. */
static void tell_reach(struct audience *a, uint32_t upto)
{
	struct audiences *set = a->set;

	if (set->since >= AUDIENCE_EXPECTED) {
		set->since = 0;
		set->now_ms = clock_mono_ms();
	}
	for (uint32_t i = a->sweep.first; i < upto; i++)
		if (is_counted(a, i))
			set->ops->reached(set->ops->arg, a->tick.at[i].post,
					  (uint32_t)audience_live(a), a->lagging, set->now_ms);
	while (a->sweep.first < upto) {
		a->offered = a->tick.at[a->sweep.first].post->id;
		drop_first(a);
	}
}

/* What has been around leaves the block. */
static void let_go(struct audience *a)
{
	struct sweep *w = &a->sweep;
	uint32_t upto = w->first;

	while (upto < w->upto && a->tick.at[upto].due == w->visits)
		upto++;
	tell_reach(a, upto);
	if (close_up(a->tick.at, w->first, a->tick.count, sizeof(struct pending))) {
		a->tick.count -= w->first;
		w->upto -= w->first;
		w->first = 0;
	}
}

/* Memory is short: everybody catches up from what has been around. */
static void give_up(struct audience *a)
{
	struct sweep *w = &a->sweep;

	visit(a, w->slots, &(struct audience_block){.from = a->offered, .upto = a->offered});
	w->upto = a->tick.count;
	tell_reach(a, a->tick.count);
	a->torn = false;
}

/* What the coding of these frames was worth. */
static __attribute__((noinline)) void count_spared(const struct audience *a,
						   const struct stretch *s, uint32_t offers)
{
	for (uint32_t i = s->from; i < s->upto; i++) {
		const struct frame *f = frame_of(a, &a->tick.at[i]);

		if (f != NULL)
			COUNT_ADD(DEFLATE_SPARED, (uint64_t)f->spared * offers);
	}
}

/* Offers the stretch to the next so many slots. Returns how many offers that were. */
static uint32_t offer(struct audience *a, const struct stretch *s, uint32_t slots)
{
	struct audiences *set = a->set;
	struct audience_block block = {.from = a->offered,
				       .upto = a->tick.at[s->upto - 1].post->id};
	uint32_t offers;

	block.bytes = s->frames == 1 ? s->only->data : (uint8_t *)set->block.data;
	block.len = s->frames == 1 ? s->only->len : set->block.len;
	offers = visit(a, slots, &block);
	COUNT_ADD(DELIVERIES, (uint64_t)s->frames * offers);
	if (a->is_coded)
		count_spared(a, s, offers);
	return offers;
}

/* One stretch of the way: to where something has been around, `most` at most. Returns how many offers that were. */
static uint32_t step(struct audience *a, uint32_t most)
{
	struct sweep *w = &a->sweep;
	struct stretch s = take_in(a);
	uint32_t offers = 0, slots;

	if (w->first == w->upto)
		return 0;
	slots = a->tick.at[w->first].due - w->visits;
	if (s.frames > 1 && slots > 0 && join(a->set, a, &s) != 0) {
		give_up(a);
		return w->slots;
	}
	if (s.frames == 0 && slots > 0)
		pass_by(w, slots);
	else if (slots > 0)
		offers = offer(a, &s, slots < most ? slots : most);
	let_go(a);
	return offers;
}

/* Makes about `slice` offers to one audience, the whole way around at most if others wait. Returns how many it were. */
static uint32_t take_turn(struct audience *a, uint32_t slice)
{
	struct sweep *w = &a->sweep;
	uint32_t offers = 0;

	if (!w->on)
		begin(a);
	while (offers < slice && (w->first < w->upto || (w->first < a->tick.count && !a->torn)))
		offers += step(a, slice - offers);
	if (w->first == w->upto && (a->torn || w->first == a->tick.count)) {
		if (a->torn)
			give_up(a);
		audience_rest(a);
	} else if ((int32_t)(w->visits - w->turn_ends) >= 0) {
		w->turn_ends = w->visits + w->slots;
		TAILQ_REMOVE(&a->set->dirty, a, turn);
		TAILQ_INSERT_TAIL(&a->set->dirty, a, turn);
	}
	return offers;
}

/* Nothing is left to offer. */
static void pass_ends(struct audiences *set, struct wire_id head)
{
	set->joined.count = 0; /* its posts are about to be dropped: an address may come again */
	set->flushed = set->heard = head;
	set->pass++;
}

bool audiences_go_on(struct audiences *set, uint32_t slice)
{
	set->since = AUDIENCE_EXPECTED;
	if (set->owed.bytes > AUDIENCE_OWED_MAX)
		slice = AUDIENCE_ALL; /* nothing more comes in before this has gone out */
	while (!TAILQ_EMPTY(&set->dirty) && slice > 0) {
		uint32_t offers = take_turn(TAILQ_FIRST(&set->dirty), slice);

		slice -= offers < slice ? offers : slice;
	}
	forget_paid(&set->owed);
	if (!TAILQ_EMPTY(&set->dirty))
		return true;
	pass_ends(set, set->heard);
	return false;
}

void audiences_forget(struct audiences *set, struct wire_id head)
{
	while (!TAILQ_EMPTY(&set->dirty))
		audience_rest(TAILQ_FIRST(&set->dirty));
	forget_paid(&set->owed);
	pass_ends(set, head);
}
