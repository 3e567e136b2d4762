/* sweep.c - posts go around the members: match once, join once, offer to everybody, a slice at a time. */
#include <string.h>
#include "audience/audience_own.h"
#include "base/clock.h"
#include "base/counters.h"

enum { PENDING_KEPT = 256 };

/* --- posts ------------------------------------------------------------------------------------ */

/* Memory is short: of this post nothing is remembered in the row, by none of its channels. */
static __attribute__((noinline)) void forget_post(struct row *row, struct post *post)
{
	struct pendings *tick = &row->tick;

	row->torn = true;
	while (tick->count > row->sweep.upto && tick->at[tick->count - 1].post == post) {
		tick->count--;
		post->owed--;
		post_drop(post);
	}
}

static void remember_match(struct row *row, struct post *post, enum post_match match, uint32_t at,
			   bool is_last)
{
	struct audiences *set = row->audience->set;

	if (!row->is_dirty) {
		row->is_dirty = true;
		row->offered = set->heard;
		TAILQ_INSERT_TAIL(&set->dirty[row->is_back], row, turn);
	}
	if (audience_grow((void **)&row->tick.at, row->tick.count, &row->tick.cap,
			  sizeof(struct pending)) != 0) {
		forget_post(row, post);
	} else if (!row->torn) {
		row->tick.at[row->tick.count++] = (struct pending){
			.post = post, .at = at, .match = (uint8_t)match, .is_last = is_last};
		post_hold(post)->owed++;
	}
}

/* By the front row, the back row or both. */
static void remember_in_rows(struct audience *a, struct post *post, enum post_match match,
			     uint32_t at)
{
	bool back = a->rows[ROW_BACK].live_count > 0;

	if (!back || a->rows[ROW_FRONT].live_count > 0)
		remember_match(&a->rows[ROW_FRONT], post, match, at, !back);
	if (back)
		remember_match(&a->rows[ROW_BACK], post, match, at, true);
}

/* Apart, so that the usual way stays short. */
static __attribute__((noinline)) void remember_each(struct audience *a, struct post *post)
{
	const struct channel_set *channels = &a->subscription->channels;
	uint32_t at;

	for (uint32_t i = 0; i < channels->count; i++) {
		enum post_match match = post_in_channel(post, channels->name[i], &at);

		if (match != MATCH_NOT)
			remember_in_rows(a, post, match, at);
	}
}

static void remember(struct audience *a, struct post *post)
{
	enum post_match match;

	if (a->looked == a->set->serial ||
	    a->rows[ROW_FRONT].live_count + a->rows[ROW_BACK].live_count + a->lagging == 0)
		return;
	a->looked = a->set->serial;
	if (a->by_channel)
		remember_each(a, post);
	else if ((match = subscription_match(a->subscription, post)) != MATCH_NOT)
		remember_in_rows(a, post, match, 0);
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
	if (done < count)
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

/* What was blanked takes no place any more; that comes with a post. */
static void add_up(struct owed *o, uint64_t serial)
{
	if (o->added_up == serial)
		return;
	o->added_up = serial;
	o->bytes = 0;
	for (uint32_t i = o->from; i < o->count; i++)
		o->bytes += o->at[i]->body_len;
}

/* Drops those that everybody was offered. */
static void forget_paid(struct audiences *set)
{
	struct owed *o = &set->owed;

	add_up(o, set->serial);
	for (; o->from < o->count && o->at[o->from]->owed == 0; o->from++) {
		o->bytes -= o->at[o->from]->body_len;
		post_drop(o->at[o->from]);
	}
	if (close_up(o->at, o->from, o->count, sizeof(struct post *))) {
		o->count -= o->from;
		o->from = 0;
	}
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
	if (!post->canary) /* nobody is told how far a canary came by what is owed */
		owe(&set->owed, post);
}

void audiences_blanked(struct audiences *set)
{
	set->joined.count = 0;
	set->owed.added_up = 0; /* of no post: they are numbered from 1 */
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
static bool goes_on(const struct row *row, uint32_t i)
{
	return i > row->sweep.first && row->tick.at[i - 1].post == row->tick.at[i].post;
}

static inline void add_frame(struct stretch *s, const struct frame *f)
{
	s->only = s->frames == 0 ? f : NULL;
	s->frames++;
	s->bytes += f->len;
}

/* Memory is short: it ends before the post that it ends in. All frames up to there are made. */
static __attribute__((noinline)) void end_before_post(struct row *row, struct stretch *s)
{
	uint32_t upto = s->upto;

	row->torn = true;
	while (goes_on(row, upto))
		upto--;
	*s = (struct stretch){.from = s->from, .upto = upto};
	for (uint32_t i = s->from; i < upto; i++) {
		const struct frame *f = frame_of(row->audience, &row->tick.at[i]);

		if (f != NULL)
			add_frame(s, f);
	}
}

/* Stops before a post of which a frame cannot be made, because memory is short. */
static struct stretch stretch_from(struct row *row, uint32_t from)
{
	struct stretch s = {.from = from, .upto = from};

	for (; s.upto < row->tick.count; s.upto++) {
		struct pending *p = &row->tick.at[s.upto];
		const struct frame *f = frame_of(row->audience, p);

		if (f == NULL && !p->post->blanked) {
			end_before_post(row, &s);
			break;
		}
		if (f == NULL)
			continue;
		if (s.frames > 0 && s.bytes + f->len > AUDIENCE_BLOCK_MAX && !goes_on(row, s.upto))
			break;
		add_frame(&s, f);
		p->len = (uint32_t)f->len;
	}
	return s;
}

/* Is `block` already this stretch, from the audience before? */
static bool is_joined(const struct audiences *set, const struct row *row, const struct stretch *s)
{
	const struct pending *mine = row->tick.at + s->from, *joined = set->joined.at;

	if (set->joined.count != s->upto - s->from || set->joined_format != row->audience->format)
		return false;
	for (uint32_t i = 0; i < set->joined.count; i++)
		if (mine[i].post != joined[i].post || mine[i].match != joined[i].match ||
		    mine[i].at != joined[i].at)
			return false;
	return true;
}

/* Puts the stretch into `block`. 0, or -1 out of memory: only where one post has many large frames, since there is room
 * for AUDIENCE_BLOCK_MAX. */
static int join(struct audiences *set, struct row *row, const struct stretch *s)
{
	uint32_t count = s->upto - s->from;

	if (is_joined(set, row, s))
		return 0;
	set->joined.count = 0;
	buf_clear(&set->block);
	for (uint32_t i = s->from; i < s->upto; i++) {
		const struct frame *f = frame_of(row->audience, &row->tick.at[i]);

		if (f != NULL)
			buf_add(&set->block, f->data, f->len);
	}
	if (set->block.failed)
		return -1;
	while (set->joined.cap < count)
		if (audience_grow((void **)&set->joined.at, set->joined.cap, &set->joined.cap,
				  sizeof(struct pending)) != 0)
			return 0; /* the block is fine; it is only not remembered */
	memcpy(set->joined.at, row->tick.at + s->from, count * sizeof(struct pending));
	set->joined.count = count;
	set->joined_format = row->audience->format;
	return 0;
}

/* --- a sweep ---------------------------------------------------------------------------------- */

static void begin(struct row *row)
{
	struct sweep *w = &row->sweep; /* which rested: the others are 0 */

	w->slots = w->at = w->turn_ends = row->live_count;
	w->on = true;
}

/* The oldest post in the block is done with. */
static void drop_first(struct row *row)
{
	struct post *post = row->tick.at[row->sweep.first++].post;

	post->owed--;
	post_drop(post);
}

/* From time to time: has some of the back row been written enough by now? */
static void look_who_reads(struct row *row)
{
	if (row->told - row->looked < AUDIENCE_PROVEN / 4 || !row->is_back ||
	    row->audience->rows[ROW_FRONT].is_dirty)
		return;
	row->looked = row->told;
	row_move_up(row);
}

/* What a turn with very many posts took is given back. */
static void free_pendings(struct pendings *p)
{
	free(p->at);
	*p = (struct pendings){0};
}

/* Nothing is left to offer, or nobody to offer it to: the holes are closed. */
void row_rest(struct row *row)
{
	TAILQ_REMOVE(&row->audience->set->dirty[row->is_back], row, turn);
	row->is_dirty = row->torn = false;
	while (row->sweep.first < row->tick.count)
		drop_first(row);
	row->tick.count = 0;
	if (row->tick.cap > PENDING_KEPT)
		free_pendings(&row->tick);
	for (uint32_t i = 0; row->sweep.holes > 0 && i < row->live_count;) {
		if (row->live[i] != NULL) {
			i++;
			continue;
		}
		if ((row->live[i] = row->live[--row->live_count]) != NULL)
			row->live[i]->index = i;
	}
	row->sweep = (struct sweep){0};
	look_who_reads(row);
}

/* Takes in what came meanwhile, as far as the block has room for it. Returns what is in the block. */
static struct stretch take_in(struct row *row)
{
	struct sweep *w = &row->sweep;
	struct stretch s = stretch_from(row, w->first);

	for (; w->upto < s.upto; w->upto++)
		row->tick.at[w->upto].due = w->visits + w->slots;
	return s;
}

/* Visits the next so many slots, as many at a time as are expected together. Returns how many offers that were. */
static uint32_t visit(struct row *row, uint32_t slots, const struct audience_block *block)
{
	const struct audience_ops *ops = row->audience->set->ops;
	void (*const offer)(struct audience_member *, const struct audience_block *) =
		row->audience->offer;
	struct audience_member **live = row->live;
	uint32_t holes = 0, at = row->sweep.at, left = slots, few;

	for (; left > 0; left -= few) {
		if (at == 0)
			at = row->sweep.slots;
		few = at < AUDIENCE_EXPECTED ? at : AUDIENCE_EXPECTED;
		few = few < left ? few : left;
		for (uint32_t k = at - few; k < at; k++)
			if (live[k] != NULL)
				ops->expect(live[k]);
		for (uint32_t end = at - few; at > end;) {
			struct audience_member *member = live[--at];

			if (member != NULL)
				offer(member, block);
			else
				holes++;
		}
	}
	row->sweep.at = at;
	row->sweep.visits += slots;
	row->audience->set->since += slots - holes;
	return slots - holes;
}

/* As visit(), without anything to offer. */
static void pass_by(struct sweep *w, uint32_t slots)
{
	w->visits += slots;
	w->at = (w->at + w->slots - slots % w->slots) % w->slots;
}

/* Does the whole post count here? By several channels it went to the same readers. */
static bool is_counted(const struct row *row, uint32_t i)
{
	const struct pending *p = &row->tick.at[i];

	if (p->match != MATCH_FULL || p->post->blanked)
		return false;
	if (!row->audience->by_channel)
		return true;
	for (; goes_on(row, i); i--)
		if (row->tick.at[i - 1].match == MATCH_FULL)
			return false;
	return true;
}

/* Who waits at the head for his row has all that it owed when he came there. */
static uint32_t audience_behind(const struct audience *a)
{
	return a->lagging - a->arriving;
}

/* Those who are live now have the posts up to this one. A clock that is some offers old will do: there may be as
 * many audiences as readers. */
static void tell_reach(struct row *row, uint32_t upto)
{
	struct audiences *set = row->audience->set;

	if (set->since >= AUDIENCE_EXPECTED) {
		set->since = 0;
		set->now_ms = clock_mono_ms();
	}
	for (uint32_t i = row->sweep.first; i < upto; i++)
		if (is_counted(row, i))
			set->ops->reached(set->ops->arg, row->tick.at[i].post, row_live(row),
					  row->tick.at[i].is_last ? audience_behind(row->audience)
								  : 0,
					  set->now_ms);
	while (row->sweep.first < upto) {
		const struct pending *p = &row->tick.at[row->sweep.first];

		row->told += p->len;
		row->offered = p->post->id;
		drop_first(row);
	}
}

/* What has been around leaves the block. */
static void let_go(struct row *row)
{
	struct sweep *w = &row->sweep;
	uint32_t upto = w->first;

	while (upto < w->upto && row->tick.at[upto].due == w->visits)
		upto++;
	tell_reach(row, upto);
	if (w->first < row->tick.count &&
	    close_up(row->tick.at, w->first, row->tick.count, sizeof(struct pending))) {
		row->tick.count -= w->first;
		w->upto -= w->first;
		w->first = 0;
	}
}

/* Memory is short: everybody catches up, from the last post that went by. Once around, who was visited longest ago comes first. */
static void give_up(struct row *row)
{
	struct sweep *w = &row->sweep;
	struct wire_id has = row->offered;
	uint32_t all_around = w->visits + w->slots;

	for (uint32_t i = w->first; i < w->upto; i++) {
		const struct pending *p = &row->tick.at[i];

		visit(row, p->due - w->visits, &(struct audience_block){.from = has, .upto = has});
		has = p->post->id;
	}
	visit(row, all_around - w->visits, &(struct audience_block){.from = has, .upto = has});
	w->upto = row->tick.count;
	tell_reach(row, row->tick.count);
	row->torn = false;
}

/* What the coding of these frames was worth. */
static __attribute__((noinline)) void count_spared(const struct row *row, const struct stretch *s,
						   uint32_t offers)
{
	for (uint32_t i = s->from; i < s->upto; i++) {
		const struct frame *f = frame_of(row->audience, &row->tick.at[i]);

		if (f != NULL)
			COUNT_ADD(DEFLATE_SPARED, (uint64_t)f->spared * offers);
	}
}

/* Offers the stretch to the next so many slots. Returns how many offers that were. */
static uint32_t offer_to(struct row *row, const struct stretch *s, uint32_t slots)
{
	struct audiences *set = row->audience->set;
	struct audience_block block = {.from = row->offered,
				       .upto = row->tick.at[s->upto - 1].post->id};
	uint32_t offers;

	block.bytes = s->frames == 1 ? s->only->data : (uint8_t *)set->block.data;
	block.len = s->frames == 1 ? s->only->len : set->block.len;
	offers = visit(row, slots, &block);
	if (!row->audience->uncounted)
		COUNT_ADD(DELIVERIES, (uint64_t)s->frames * offers);
	if (row->audience->is_coded)
		count_spared(row, s, offers);
	return offers;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What an offer of so many bytes takes of a slice. While there is somebody in front, few offers to the back take all of it: those in
 * front do not wait long for the loop to hear more news, which takes some turns of it. */
static uint32_t price_of(const struct row *row, size_t bytes)
{
	if (!row_can_wait(row))
		return 1;
	return AUDIENCE_BACK_PRICE + (uint32_t)(bytes / AUDIENCE_BACK_BYTES);
}

/* Nobody is left to offer anything to. */
static __attribute__((noinline)) void pass_all(struct row *row)
{
	tell_reach(row, row->tick.count);
	row->sweep.upto = row->sweep.first;
}

/* One stretch of the way: to where something has been around, or as far as the slice goes. Returns what it took of that. */
static uint32_t step(struct row *row, uint32_t slice)
{
	struct sweep *w = &row->sweep;
	struct stretch s = take_in(row);
	uint32_t price, offers = 0, slots;

	if (w->first == w->upto)
		return 0;
	slots = row->tick.at[w->first].due - w->visits;
	if (s.frames > 1 && slots > 0 && join(row->audience->set, row, &s) != 0) {
		give_up(row);
		return w->slots;
	}
	price = price_of(row, s.bytes);
	if (s.frames == 0 && slots > 0)
		pass_by(w, slots);
	else if (slots > 0)
		offers = offer_to(row, &s, least(slots, price == 1 ? slice : slice / price + 1));
	let_go(row);
	return offers * price;
}

/* The others of its kind have a turn before it. */
static void go_last(struct row *row)
{
	struct row_queue *queue = &row->audience->set->dirty[row->is_back];

	TAILQ_REMOVE(queue, row, turn);
	TAILQ_INSERT_TAIL(queue, row, turn);
}

/* Makes offers to one row for about a slice; then others of its kind have theirs, if it has been the whole way around or sits in the
 * back. Returns what it took of the slice. */
static uint32_t take_turn(struct row *row, uint32_t slice)
{
	struct sweep *w = &row->sweep;
	uint32_t spent = 0;

	if (!w->on)
		begin(row);
	while (spent < slice && (w->first < w->upto || (w->first < row->tick.count && !row->torn)))
		if (w->holes > 0 && row_live(row) == 0)
			pass_all(row);
		else
			spent += step(row, slice - spent);
	if (w->first == w->upto && (row->torn || w->first == row->tick.count)) {
		if (row->torn)
			give_up(row);
		row_rest(row);
	} else if ((int32_t)(w->visits - w->turn_ends) >= 0 || row_can_wait(row)) {
		w->turn_ends = w->visits + w->slots;
		go_last(row);
	}
	return spent;
}

void row_pay(struct row *row)
{
	struct audiences *set = row->audience->set;

	if (!row->is_dirty)
		return;
	set->since = AUDIENCE_EXPECTED;
	while (row->is_dirty)
		take_turn(row, AUDIENCE_ALL);
	forget_paid(set);
}

/* Whose turn it is: those in front, unless the back has waited for long enough. NULL: nothing is left to offer. */
static struct row *next_row(const struct audiences *set)
{
	struct row *front = TAILQ_FIRST(&set->dirty[ROW_FRONT]);
	struct row *back = TAILQ_FIRST(&set->dirty[ROW_BACK]);

	return back != NULL && (front == NULL || set->ahead >= AUDIENCE_AHEAD) ? back : front;
}

/* One turn. Returns what it took of the slice. */
static uint32_t serve(struct audiences *set, struct row *row, uint32_t slice)
{
	uint32_t spent = take_turn(row, slice);

	if (row->is_back)
		set->ahead -= least(spent / 2, set->ahead);
	else
		set->ahead = TAILQ_EMPTY(&set->dirty[ROW_BACK]) ? 0 : set->ahead + spent;
	return spent;
}

bool audiences_go_on(struct audiences *set, uint32_t slice)
{
	struct row *row;

	set->since = AUDIENCE_EXPECTED;
	if (set->owed.bytes > AUDIENCE_OWED_MAX)
		slice = AUDIENCE_ALL; /* nothing more comes in before this has gone out */
	while (slice > 0 && (row = next_row(set)) != NULL) {
		uint32_t spent = serve(set, row, slice);

		if (slice != AUDIENCE_ALL)
			slice -= least(spent, slice);
	}
	forget_paid(set);
	if (next_row(set) != NULL)
		return true;
	set->ahead = 0;
	set->joined.count = 0; /* its posts are about to be dropped: an address may come again */
	return false;
}

bool audiences_can_wait(const struct audiences *set)
{
	return set->in_front > 0 && TAILQ_EMPTY(&set->dirty[ROW_FRONT]);
}

void audiences_forget(struct audiences *set, struct wire_id head)
{
	struct row *row;

	while ((row = next_row(set)) != NULL)
		row_rest(row);
	forget_paid(set);
	set->joined.count = 0;
	set->heard = head;
}
