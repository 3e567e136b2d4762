/* wire.c - follows the one ordered log of accepted posts.
 *
 * Events only note facts: we hear, we are attached, Redis has more than we have. Then go_on() asks Redis the next question that
 * these facts call for, one at a time, until none is left and the wire is FOLLOWING. What `out` brings meanwhile waits in a
 * bounded queue; should that run over, it is forgotten, for reading brings it as well.
 */
#include "wire/wire.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/sabotage.h"
#include "lua_scripts.h"
#include "wire/backlog.h"
#include "wire/canary_note.h"
#include "wire/durability.h"
#include "wire/page.h"
#include "wire/presence.h"
#include "wire/queue.h"
#include "wire/redis_words.h"
#include "wire/tally.h"
#include "wire/trimmer.h"
#include "wire/withdrawals.h"

enum {
	PAGE_POSTS = 500,
	PAGE_BYTES = 1 << 20,
	RECENT_ENTRIES = 50000, /* at most so many are looked at for a new worker's backlog */
	POST_OVERHEAD = 1024,	/* about what a post takes besides its texts */
	GRACE_MS = 20,		/* Redis' answer may overtake the message on the other link */
	NAME_LEN = 12,
};

enum wire_state { WIRE_AWAY, WIRE_ATTACHING, WIRE_LOADING, WIRE_FILLING, WIRE_FOLLOWING };

/* Always true: has_epoch => epoch is one, and the backlog holds everything after its start up to
 * `place`. asking <=> a reply to attach, recent or read is owed. */
struct wire {
	struct wire_options options;
	struct wire_events events;
	void *arg;
	struct link *out, *command;
	uv_timer_t second, grace;
	unsigned open_timers;

	enum wire_state state;
	bool hearing;	/* `out` is subscribed */
	bool deaf;	/* memory was short when it was to be: once more in a second */
	bool attached;	/* the epoch was confirmed since both links are up */
	bool missed;	/* `out` was lost since that was asked: posts may have gone by unheard */
	bool placed;	/* a new worker knows where its backlog begins */
	bool has_epoch; /* … and has loaded it */
	bool forked;	/* the chain broke: attach.lua must hear it */
	bool asking;
	bool resting; /* Redis answered nonsense: not again before the next second */
	bool closing;

	char epoch[EPOCH_MAX + 1];
	struct wire_id place;  /* up to here the chain is told */
	struct wire_id from;   /* a fill's pages: up to here the stream is read */
	struct wire_id target; /* Redis has posts up to here */
	struct wire_id asked_at;
	uint64_t asked_ns; /* clock_mono_ns() */
	bool checking;
	struct backlog *backlog;
	struct queue queue;
	size_t filled; /* posts that this fill brought */
	bool told;     /* events.post was called in this tick */

	struct durability durability;
	unsigned seconds;		/* while attached */
	struct withdrawals withdrawals; /* that were told */
	struct withdrawals ahead;	/* … and that `out` brought, perhaps before their turn */
	struct trimmer trimmer;
	struct tallies *tallies;
	struct presence *presence;
	char prefix[64];
};

static struct link_script attach_script = {.text = lua_attach};
static struct link_script recent_script = {.text = lua_recent};

static void go_on(struct wire *w);

static void later(struct wire_id *id, struct wire_id other)
{
	if (wire_id_compare(other, *id) > 0)
		*id = other;
}

static void set_state(struct wire *w, enum wire_state to)
{
	static const char *const names[] = {"away", "attaching", "loading", "filling", "following"};
	char place[WIRE_ID_TEXT_MAX];

	GAUGE_SET(REDIS_READY, wire_is_following(w));
	if (w->state == to)
		return;
	wire_id_format(w->place, place);
	log_info("wire", LOG_S("from", names[w->state]), LOG_S("to", names[to]),
		 LOG_S("epoch", w->epoch), LOG_S("head", place), LOG_I("filled", w->filled));
	w->state = to;
	w->filled = 0;
}

static void random_name(char *out)
{
	for (int i = 0; i < NAME_LEN; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[backoff_random(36)];
	out[NAME_LEN] = '\0';
}

/* --- telling -------------------------------------------------------------------------------- */

static void count_action(enum post_action action)
{
	static const enum counter_id counters[] = {
		[POST_PUBLISH] = COUNTER_POSTS_PUBLISH, [POST_UPDATE] = COUNTER_POSTS_UPDATE,
		[POST_CORRECT] = COUNTER_POSTS_CORRECT, [POST_RELEASE] = COUNTER_POSTS_RELEASE,
		[POST_KILL] = COUNTER_POSTS_KILL,	[POST_HOLD] = COUNTER_POSTS_HOLD,
	};

	counters_mine->value[counters[action]]++;
}

/* The next post of the chain. Without memory for the backlog, readers who are behind read it from
 * Redis. */
static void append(struct wire *w, struct post *post)
{
	if (withdrawals_knows(&w->ahead, post->uri, post->id))
		post_blank(post);
	w->place = post->id;
	if (backlog_append(w->backlog, post) == -1) {
		log_error("no_memory", LOG_S("for", "backlog"));
		backlog_reset(w->backlog, post->id);
	}
	withdrawals_hear(&w->withdrawals, post);
	if (!w->has_epoch)
		return; /* a new worker's backlog: no news */
	count_action(post->action);
	w->told = true;
	tallies_begin(w->tallies, post);
	if (SABOTAGE("drop", 20))
		return;
	w->events.post(w->arg, post);
	if (SABOTAGE("double", 20))
		w->events.post(w->arg, post);
}

static void end_tick(void *arg)
{
	struct wire *w = arg;

	if (!w->told)
		return;
	w->told = false;
	w->events.tick(w->arg);
}

void wire_turn_ends(struct wire *wire)
{
	backlog_settle(wire->backlog);
}

void wire_settle(struct wire *wire, const struct post *owed)
{
	tallies_told(wire->tallies, owed);
}

/* Readers start anew at `head`: whatever they had is not continued. */
static void start_anew(struct wire *w, struct wire_id head)
{
	end_tick(w);
	w->place = w->target = head;
	backlog_reset(w->backlog, head);
	queue_keep(&w->queue, w->epoch);
	w->events.epoch(w->arg);
}

static void find_fork(struct wire *w, struct wire_id id, struct wire_id prev)
{
	char here[WIRE_ID_TEXT_MAX], id_text[WIRE_ID_TEXT_MAX], prev_text[WIRE_ID_TEXT_MAX];

	wire_id_format(w->place, here);
	wire_id_format(id, id_text);
	wire_id_format(prev, prev_text);
	log_warn("wire_forked", LOG_S("head", here), LOG_S("id", id_text),
		 LOG_S("prev", prev_text));
	w->forked = true;
	w->attached = false;
}

/* --- hearing `out` -------------------------------------------------------------------------- */

/* Redis counted this worker among those that hear the post: it has to report, though reading was quicker. */
static void hear_again(struct wire *w, struct wire_id id)
{
	struct post *here = backlog_find(w->backlog, id);

	COUNT(WIRE_DROPPED);
	if (here == NULL)
		return;
	tallies_hear(w->tallies, here);
	w->told = true;
}

/* false: this post cannot be told yet, and nothing after it. */
static bool take(struct wire *w, struct post *post)
{
	int gap = wire_id_compare(post->prev, w->place);

	if (strcmp(post->epoch, w->epoch) != 0) {
		w->attached =
			false; /* ours is over; or this one is from before, then attach.lua says so */
		COUNT(WIRE_DROPPED);
		return true;
	}
	if (wire_id_compare(post->id, w->place) <= 0) {
		hear_again(w, post->id);
		return true;
	}
	if (gap > 0) {
		later(&w->target, post->prev);
		return false;
	}
	if (gap < 0) {
		find_fork(w, post->id, post->prev);
		return false;
	}
	append(w, post);
	later(&w->target, w->place);
	return true;
}

static void take_queue(struct wire *w)
{
	while (w->queue.count > 0 && !w->forked && take(w, queue_first(&w->queue)))
		post_drop(queue_take(&w->queue));
}

/* It passes by the queue: it is no link of the chain, and nothing follows it. */
static void hear_canary(struct wire *w, const char *message, size_t len)
{
	struct post *post;

	if (!wire_is_following(w) || (post = canary_note_read(message, len, wire_name(w))) == NULL)
		return;
	if (strcmp(post->epoch, w->epoch) == 0) {
		post->canary = true;
		post->id = post->prev = wire_head(w);
		w->told = true;
		w->events.canary(w->arg, post);
	}
	post_drop(post);
}

/* What it withdraws goes no further from now on, also where posts before it are still on their way from Redis. */
static void hear_withdrawal(struct wire *w, const struct post *post)
{
	if (!w->has_epoch || !post_is_withdrawal(post) || strcmp(post->epoch, w->epoch) != 0 ||
	    wire_id_compare(post->id, w->place) <= 0)
		return;
	withdrawals_hear(&w->ahead, post);
	backlog_withdraw(w->backlog, post);
	w->events.withdrawn(w->arg, post);
}

/* Those that came before there was an epoch to hold them against. */
static void hear_queued_withdrawals(struct wire *w)
{
	for (size_t i = 0; i < w->queue.count; i++)
		hear_withdrawal(w, queue_at(&w->queue, i));
}

static void on_out(redisReply *reply, void *arg)
{
	struct wire *w = arg;
	struct wire_id id;
	struct post *post;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
		return; /* on_out_lost() is next */
	if (strcmp(page_text(reply, 0), "subscribe") == 0) {
		w->hearing = true;
		go_on(w);
		return;
	}
	if (reply->element[2]->type != REDIS_REPLY_STRING)
		return;
	if (canary_note_is(reply->element[2]->str, reply->element[2]->len)) {
		hear_canary(w, reply->element[2]->str, reply->element[2]->len);
		return;
	}
	post = post_read(reply->element[2]->str, reply->element[2]->len);
	if (post == NULL && errno == ENOMEM) { /* reading will bring it, within a second */
		log_error("no_memory", LOG_S("for", "post"));
		return;
	}
	if (post == NULL) {
		COUNT(WIRE_BAD);
		log_warn("wire_message_unreadable", LOG_I("bytes", reply->element[2]->len));
		return;
	}
	id = post->id;
	hear_withdrawal(w, post);
	if (queue_add(&w->queue, post) == -1)
		later(&w->target, id); /* reading will bring it */
	go_on(w);
}

static void on_out_ready(void *arg)
{
	struct wire *w = arg;

	w->deaf = link_commandf(w->out, on_out, w, "SUBSCRIBE %s:out", w->prefix) == -1;
	if (w->deaf)
		log_error("no_memory", LOG_S("for", "subscribing"));
}

static void on_out_lost(void *arg)
{
	struct wire *w = arg;

	w->hearing = w->attached = false;
	w->missed = true;
	go_on(w);
}

/* --- questions: attach, recent, read -------------------------------------------------------- */

static void ask(struct wire *w, enum wire_state state, int sent)
{
	set_state(w, state);
	w->asking = sent == 0;
	w->resting = sent != 0;
}

/* Not now: Redis answered an error, which page_read_place() has logged. */
static void rest(struct wire *w)
{
	w->attached = false;
	w->resting = true;
	set_state(w, WIRE_AWAY);
}

static void on_attached(redisReply *reply, void *arg)
{
	struct wire *w = arg;
	struct page_place at;

	w->asking = false;
	if (reply == NULL)
		return;
	if (page_read_place(reply, 3, &at) == -1 || at.epoch[0] == '\0') {
		rest(w);
		return;
	}
	w->attached = !w->missed;
	w->forked = false;
	w->target = at.head;
	if (!w->has_epoch) {
		w->placed = false;
		memcpy(w->epoch, at.epoch, sizeof w->epoch);
	} else if (strcmp(at.epoch, w->epoch) != 0) {
		log_warn("wire_epoch", LOG_S("was", w->epoch), LOG_S("is", at.epoch));
		COUNT(WIRE_FORKS);
		memcpy(w->epoch, at.epoch, sizeof w->epoch);
		w->ahead.count = 0; /* ids of another history */
		start_anew(w, at.head);
		hear_queued_withdrawals(w);
	}
	go_on(w);
}

static void attach(struct wire *w)
{
	char proposed[NAME_LEN + 1], head[WIRE_ID_TEXT_MAX];
	const struct post *last = backlog_find(w->backlog, w->place);
	const char *argv[] = {proposed,
			      w->epoch,
			      head,
			      w->forked ? "1" : "0",
			      last ? last->uri : "",
			      last ? last->version : ""};

	random_name(proposed);
	wire_id_format(w->place, head);
	w->missed = false;
	ask(w, WIRE_ATTACHING,
	    page_script(w->command, &attach_script, w->prefix, on_attached, w, COUNT_OF(argv),
			argv));
}

static void on_recent(redisReply *reply, void *arg)
{
	struct wire *w = arg;
	struct page_place at;

	w->asking = false;
	if (reply == NULL)
		return;
	if (page_read_place(reply, 4, &at) == -1 || page_read_id(reply, 3, &w->place) == -1) {
		rest(w);
		return;
	}
	w->placed = true;
	w->from = w->place; /* it may have read on from here before, and not to the end */
	w->target = at.head;
	backlog_reset(w->backlog, w->place);
	if (strcmp(at.epoch, w->epoch) != 0)
		w->attached = false;
	go_on(w);
}

static void find_recent(struct wire *w)
{
	char bytes[24], entries[12], each[12];
	const char *argv[] = {bytes, entries, each};

	snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)w->options.backlog_bytes);
	snprintf(entries, sizeof entries, "%d", RECENT_ENTRIES);
	snprintf(each, sizeof each, "%d", POST_OVERHEAD);
	ask(w, WIRE_LOADING,
	    page_script(w->command, &recent_script, w->prefix, on_recent, w, COUNT_OF(argv), argv));
}

/* -1: the chain is broken here, or memory is short. */
static int take_entry(struct wire *w, const struct page *page, size_t i)
{
	struct page_entry entry = page_entry(page, i);

	if (entry.no_memory) { /* from here on again, in the next second */
		rest(w);
		return -1;
	}
	w->from = entry.id;
	if (entry.is_foreign || wire_id_compare(entry.id, w->place) <= 0) {
		post_drop(entry.post);
		return 0;
	}
	if (wire_id_compare(entry.prev, w->place) != 0) {
		find_fork(w, entry.id, entry.prev);
		post_drop(entry.post);
		return -1;
	}
	if (entry.post == NULL) {
		w->place = entry.id; /* nobody can read it; the chain goes on behind it */
		return 0;
	}
	if (w->has_epoch)
		COUNT(WIRE_FILLED);
	w->filled++;
	append(w, entry.post);
	post_drop(entry.post);
	return 0;
}

/* Our place is not in the stream. Below the floor, it was trimmed while we were away: only our
 * readers have a gap. Else Redis has lost it. */
static void lose_place(struct wire *w, const struct page *page)
{
	if (wire_id_compare(w->place, page->floor) >= 0) {
		find_fork(w, page->place.head, page->floor);
		return;
	}
	log_warn("wire_place_trimmed", LOG_S("epoch", w->epoch));
	if (w->has_epoch)
		start_anew(w, page->place.head);
	else
		w->placed = false;
}

static void take_page(struct wire *w, const struct page *page)
{
	if (strcmp(page->place.epoch, w->epoch) != 0) {
		w->attached = false;
		return;
	}
	w->target = page->place.head;
	if (!page->known) {
		lose_place(w, page);
		return;
	}
	for (size_t i = 0; i < page->count; i++)
		if (take_entry(w, page, i) == -1)
			return;
	/* `head` promises an entry that the stream has not. */
	if (page->count == 0 && wire_id_compare(w->target, w->place) > 0)
		find_fork(w, w->target, w->place);
	if (wire_id_compare(w->target, w->place) < 0)
		w->attached = false;
}

static void on_page(redisReply *reply, void *arg)
{
	struct wire *w = arg;
	struct page page;

	w->asking = false;
	if (reply == NULL)
		return;
	if (page_read(reply, &page) == -1) {
		rest(w);
		return;
	}
	take_page(w, &page);
	go_on(w);
}

static void read_on(struct wire *w)
{
	later(&w->from, w->place);
	ask(w, w->has_epoch ? WIRE_FILLING : WIRE_LOADING,
	    page_ask(w->command, w->prefix, w->from, PAGE_POSTS, PAGE_BYTES, on_page, w));
}

/* Nothing is missing. */
static void follow(struct wire *w)
{
	bool is_first = !w->has_epoch;

	w->from = (struct wire_id){0};
	w->has_epoch = true;
	set_state(w, WIRE_FOLLOWING);
	if (!is_first)
		return;
	backlog_settle(w->backlog);
	w->events.epoch(w->arg);
	hear_queued_withdrawals(w);
	go_on(w); /* the queue */
}

static void go_on(struct wire *w)
{
	if (w->asking || w->closing)
		return;
	if (w->has_epoch)
		take_queue(w);
	if (w->resting)
		return;
	if (!w->hearing || link_state(w->command) != LINK_READY)
		set_state(w, WIRE_AWAY);
	else if (!w->attached)
		attach(w);
	else if (!w->placed)
		find_recent(w);
	else if (wire_id_compare(w->target, w->place) > 0)
		read_on(w);
	else
		follow(w);
}

/* --- every second --------------------------------------------------------------------------- */

static void on_grace(uv_timer_t *timer)
{
	struct wire *w = timer->data;

	go_on(w);
	end_tick(w);
}

/* What Redis has, against what we had when we asked. */
static void compare_heads(struct wire *w, const char *epoch, struct wire_id head)
{
	if (strcmp(epoch, w->epoch) != 0 || wire_id_compare(head, w->asked_at) < 0) {
		w->attached = false;
		go_on(w);
		return;
	}
	if (wire_id_compare(head, w->place) > 0) {
		/* A lost last message, or one that is just coming. */
		later(&w->target, head);
		uv_timer_start(&w->grace, on_grace, GRACE_MS, 0);
	}
	later(&head, w->place);
	if (wire_is_following(w))
		w->events.confirmed(w->arg, head);
}

static void on_checked(redisReply *reply, void *arg)
{
	struct wire *w = arg;
	struct wire_id head = {0};

	w->checking = false;
	if (reply != NULL)
		OBSERVE_US(REDIS_LATENCY, (clock_mono_ns() - w->asked_ns) / 1000);
	if (reply == NULL || !w->attached)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		redis_words_tell(redis_words(reply->str), reply->str);
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
		w->attached = false; /* no Redis answers that */
		return;
	}
	if (reply->element[1]->type == REDIS_REPLY_STRING && page_read_id(reply, 1, &head) == -1)
		w->attached = false;
	compare_heads(w, page_text(reply, 0), head);
}

static void check(struct wire *w)
{
	if (!w->attached || !w->has_epoch || w->checking)
		return;
	w->asked_at = w->place;
	w->asked_ns = clock_mono_ns();
	w->checking = link_commandf(w->command, on_checked, w, "MGET {%s}:epoch {%s}:head",
				    w->prefix, w->prefix) == 0;
}

static void on_second(uv_timer_t *timer)
{
	struct wire *w = timer->data;

	w->resting = false;
	if (w->deaf && link_state(w->out) == LINK_READY)
		on_out_ready(w);
	go_on(w);
	check(w);
	if (w->has_epoch)
		backlog_second(w->backlog);
	if (w->attached && ++w->seconds % DURABILITY_AGAIN_S == 0)
		durability_ask_again(&w->durability);
	if (w->attached) {
		trimmer_second(&w->trimmer);
		presence_second(w->presence);
	}
	end_tick(w);
}

/* --- opening and closing -------------------------------------------------------------------- */

static void on_command_ready(void *arg)
{
	struct wire *w = arg;

	durability_ask(&w->durability, w->command);
	go_on(w);
}

static void on_command_lost(void *arg)
{
	struct wire *w = arg;

	w->attached = false;
	presence_lost(w->presence);
	go_on(w);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct wire *w = handle->data;

	if (--w->open_timers > 0)
		return;
	backlog_free(w->backlog);
	free(w);
}

static void open_timer(struct wire *w, uv_loop_t *loop, uv_timer_t *timer)
{
	uv_timer_init(loop, timer);
	timer->data = w;
	w->open_timers++;
}

struct wire *wire_open(uv_loop_t *loop, const struct redis_place *place,
		       const struct wire_options *options, const struct wire_events *events,
		       void *arg)
{
	static const struct link_events out_events = {on_out_ready, on_out_lost, end_tick};
	static const struct link_events command_events = {on_command_ready, on_command_lost,
							  end_tick};
	struct wire *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	MUST(strlen(options->prefix) < sizeof w->prefix);
	snprintf(w->prefix, sizeof w->prefix, "%s", options->prefix);
	w->options = *options;
	w->options.prefix = w->prefix;
	w->events = *events;
	w->arg = arg;
	w->durability =
		(struct durability){.level = "unknown", .has_replicas = place->master != NULL};
	open_timer(w, loop, &w->second);
	open_timer(w, loop, &w->grace);
	uv_timer_start(&w->second, on_second, 1000, 1000);
	if ((w->backlog = backlog_new(options->backlog_bytes)) == NULL ||
	    (w->out = link_open(loop, place, "out", &out_events, w)) == NULL ||
	    (w->command = link_open(loop, place, "wire", &command_events, w)) == NULL ||
	    (w->tallies = tallies_open(loop, w->command, w->prefix, w->options.retention_ms)) ==
		    NULL ||
	    (w->presence = presence_open(w->command, w->prefix, w->options.vacate_ms)) == NULL) {
		wire_close(w);
		return NULL;
	}
	w->trimmer = (struct trimmer){.link = w->command,
				      .prefix = w->prefix,
				      .retention_ms = options->retention_ms,
				      .max_entries = options->max_entries};
	random_name(w->trimmer.name);
	return w;
}

void wire_close(struct wire *w)
{
	if (w == NULL)
		return;
	w->closing = true;
	link_close_answering(w->command);
	link_close(w->out);
	tallies_close(w->tallies);
	presence_close(w->presence);
	queue_keep(&w->queue, NULL);
	uv_close((uv_handle_t *)&w->second, on_timer_closed);
	uv_close((uv_handle_t *)&w->grace, on_timer_closed);
}

/* --- questions ------------------------------------------------------------------------------ */

bool wire_is_following(const struct wire *w)
{
	return w->has_epoch && w->hearing && w->attached;
}

bool wire_has_epoch(const struct wire *w)
{
	return w->has_epoch;
}

const char *wire_epoch(const struct wire *w)
{
	return w->epoch;
}

struct wire_id wire_head(const struct wire *w)
{
	return backlog_head(w->backlog);
}

const struct backlog *wire_backlog(const struct wire *w)
{
	return w->backlog;
}

const char *wire_name(const struct wire *w)
{
	return w->trimmer.name;
}

struct tallies *wire_tallies(const struct wire *w)
{
	return w->tallies;
}

struct presence *wire_presence(const struct wire *w)
{
	return w->presence;
}

uv_loop_t *wire_loop(const struct wire *w)
{
	return w->second.loop;
}

struct link *wire_link(struct wire *w)
{
	return w->command;
}

const char *wire_prefix(const struct wire *w)
{
	return w->prefix;
}

const char *wire_durability(const struct wire *w, bool replicated)
{
	return durability_level(&w->durability, replicated);
}

bool wire_is_withdrawn(const struct wire *w, const char *uri, struct wire_id than)
{
	return withdrawals_has(&w->withdrawals, uri, than) ||
	       withdrawals_knows(&w->ahead, uri, than);
}

bool wire_may_vanish(const struct wire *w)
{
	return w->durability.evicts;
}

const struct redis_words *wire_trouble(const struct wire *w)
{
	return link_trouble(link_state(w->command) != LINK_READY ? w->command : w->out);
}
