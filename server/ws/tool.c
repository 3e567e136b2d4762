/* tool.c - a tool's WebSocket: messages become orders for the desk, receipts become answers. */
#include "ws/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "desk/desk.h"
#include "http/problem.h"
#include "http/receipt.h"
#include "http/request.h"
#include "http/who.h"
#include "news/format.h"
#include "news/tool_message.h"
#include "ws/connection.h"
#include "ws/handshake.h"

/* An item at the desk: its callback argument. */
struct handed {
	struct handed *prev, *next; /* the tool's */
	struct tool *tool;	    /* NULL: it has gone */
	char ref[MESSAGE_REF_SIZE];
};

/* One line. Always true between two events (tool_check()):
 *   1. paused <=> whole, or why != CLOSE_NONE
 *   2. handed holds in_flight items
 *   3. why == CLOSE_NONE => it is not in all->closing
 */
struct tool {
	struct tool *prev, *next; /* all->tools */
	struct tool *next_closing;
	struct tools *all;
	struct door *door;
	struct connection c;
	const struct publisher *who; /* counted; NULL: has yet to prove itself */
	char from[64];		     /* its address */
	uint64_t since_ms;	     /* clock_mono_ms() when it came … */
	uint64_t ends_ms;	     /* … and when it is closed whatever it still waits for */
	struct buf heard;	     /* `whole`: a message that waits for its turn */
	size_t held;	 /* bytes of it, or of what has come of the next; counted in all->heard */
	struct buf owed; /* frames that are not written yet */
	struct handed *handed;
	unsigned in_flight;
	struct desk_waiter waiter;
	enum close_why why; /* it ends: nothing more is heard */
	bool whole;
	bool paused;  /* nothing is read from the socket */
	bool waits;   /* for room at the desk */
	bool busy;    /* its message is being handled */
	bool blocked; /* bytes wait for room */
	bool reaping; /* in all->closing */
	bool gone;    /* the connection is, and the desk still knows the waiter */
};

struct tools {
	struct door_stream door_stream;
	struct tool *tools, *closing;
	size_t count, strangers, heard;
	uint64_t tick_ms, ticked_ms;
	size_t sndbuf;
	struct buf json; /* scratch */
};

static void tool_check(const struct tool *t)
{
#ifndef NDEBUG
	unsigned count = 0;
	const struct handed *h;

	DL_FOREACH (t->handed, h)
		count++;
	MUST(count == t->in_flight);
	MUST(t->paused == (t->whole || t->why != CLOSE_NONE));
	MUST(t->why != CLOSE_NONE || !t->reaping);
#else
	(void)t;
#endif
}

/* --- saying ----------------------------------------------------------------------------------- */

/* One message (all->json holds it), with the next writing. */
static void say(struct tool *t)
{
	format_wrap(FORMAT_WEBSOCKET, &(struct face){0}, t->all->json.data, t->all->json.len,
		    &t->owed);
	line_want_room(&t->c.line);
}

static struct buf *begin(struct tool *t)
{
	buf_clear(&t->all->json);
	return &t->all->json;
}

static void begin_answer(struct buf *out, const char *type, const char *ref, int http)
{
	buf_addf(out, "{\"type\":\"%s\"", type);
	if (ref[0] != '\0')
		buf_addf(out, ",\"ref\":%s", ref);
	buf_addf(out, ",\"http\":%d,", http);
}

static void say_refused(struct tool *t, const char *ref, int http, const char *code,
			const char *detail)
{
	struct buf *out = begin(t);

	begin_answer(out, NEWSWIRE_TYPE_REFUSED, ref, http);
	problem_members(out, http, code, detail, NULL);
	buf_addc(out, '}');
	say(t);
}

static void say_error(struct tool *t, const char *code, const char *detail, const char *ref)
{
	message_error(begin(t), code, detail, ref[0] == '\0' ? NULL : ref);
	say(t);
}

static void say_tick(struct tool *t)
{
	message_tick(begin(t), NULL);
	say(t);
}

/* --- ending ----------------------------------------------------------------------------------- */

static void set_paused(struct tool *t)
{
	bool paused = t->whole || t->why != CLOSE_NONE;

	if (paused != t->paused)
		connection_pause(&t->c, paused);
	t->paused = paused;
}

/* The connection is closed at the end of this turn of the loop. */
static void close_now(struct tool *t)
{
	if (t->reaping)
		return;
	t->reaping = true;
	t->next_closing = t->all->closing;
	t->all->closing = t;
}

/* Everything that was handed in is answered, and written. */
static void close_if_done(struct tool *t)
{
	if (t->why != CLOSE_NONE && t->in_flight == 0 && t->owed.len == 0 && !t->blocked)
		close_now(t);
}

static void forget_heard(struct tool *t)
{
	t->all->heard -= t->held;
	t->held = 0;
	if (t->heard.data)
		explicit_bzero(t->heard.data, t->heard.len); /* it may hold a key */
	if (t->heard.cap > NEWSWIRE_MAX_ENVELOPE)
		buf_free(&t->heard);
	else
		buf_clear(&t->heard);
	t->whole = false;
}

/* Nothing more is heard; what was handed in is still answered. The first reason stands. */
static void end(struct tool *t, enum close_why why)
{
	if (t->why != CLOSE_NONE)
		return;
	t->why = why;
	t->ends_ms = clock_mono_ms() + TOOLS_END_MS;
	forget_heard(t);
	set_paused(t);
	line_want_room(&t->c.line);
	if (why != CLOSE_NORMAL && why != CLOSE_DRAIN)
		log_warn("tool_closed", LOG_S("why", close_reason(why)), LOG_S("from", t->from),
			 LOG_S("who", t->who ? t->who->name : ""));
}

/* --- who it is -------------------------------------------------------------------------------- */

static struct who *who_of(const struct tool *t)
{
	return door_setup_of(t->door)->who;
}

static void become(struct tool *t, const struct publisher *who)
{
	const struct publisher *before = t->who;

	if (before == NULL)
		t->all->strangers--;
	t->who = publisher_ref(who);
	publisher_unref(before);
}

/* Its key may have been revoked, or may do more by now. */
static bool is_still_somebody(struct tool *t)
{
	const struct publisher *now = who_again(who_of(t), t->who);

	if (now != NULL && now != t->who)
		become(t, now);
	return now != NULL;
}

static void authorize(struct tool *t, const struct tool_message *m)
{
	const struct publisher *who = who_has_key(who_of(t), m->key, t->from);

	if (who == NULL) {
		say_error(t, "unauthorized", "this is no key that is in force", m->ref);
		end(t, CLOSE_FORBIDDEN);
		return;
	}
	become(t, who);
	tool_message_authorized(begin(t), m->ref, who);
	say(t);
}

/* --- publishing ------------------------------------------------------------------------------- */

static void go_on(struct tool *t);

static void say_receipt(struct tool *t, const char *ref, const struct desk_receipt *receipt)
{
	int http = receipt_status(receipt);
	struct buf *out = begin(t);

	begin_answer(out, http < 400 ? NEWSWIRE_TYPE_ACCEPTED : NEWSWIRE_TYPE_REFUSED, ref, http);
	receipt_members(out, t->door, receipt);
	buf_addc(out, '}');
	say(t);
}

/* RFC 6455, 8.1: a text message that is not UTF-8 ends the connection. */
static bool breaks_websocket(const struct desk_receipt *receipt)
{
	return receipt->report != NULL && receipt->report->refusal == ITEM_NOT_UTF8;
}

static void decided(const struct desk_receipt *receipt, void *arg)
{
	struct handed *h = arg;
	struct tool *t = h->tool;

	if (t != NULL) {
		DL_DELETE(t->handed, h);
		t->in_flight--;
		say_receipt(t, h->ref, receipt);
		if (breaks_websocket(receipt))
			end(t, CLOSE_BAD_UTF8);
		go_on(t);
	}
	free(h);
}

static void hand_in(struct tool *t, const struct tool_message *m)
{
	struct desk_order order = {.bytes = m->item,
				   .len = m->item_len,
				   .channels = &m->channels,
				   .who = t->who,
				   .idempotency = m->idempotency[0] ? m->idempotency : NULL};
	struct handed *h = calloc(1, sizeof *h);

	if (h == NULL) {
		say_refused(t, m->ref, 500, "no_memory", "out of memory");
		return;
	}
	h->tool = t;
	memcpy(h->ref, m->ref, sizeof h->ref);
	DL_APPEND(t->handed, h);
	t->in_flight++;
	desk_take(door_setup_of(t->door)->desk, &order, decided, h);
}

static void publish(struct tool *t, const struct tool_message *m)
{
	if (t->who == NULL || !is_still_somebody(t)) {
		say_refused(t, m->ref, 401, "unauthorized",
			    "say who you are first: {\"type\":\"auth\",\"key\":\"…\"}");
		end(t, CLOSE_FORBIDDEN);
	} else if (!who_may_post(who_of(t), t->who, 1)) {
		say_refused(t, m->ref, 429, "too_many_posts",
			    "this key posts more than --publish-rate allows; post it again in a "
			    "second");
	} else {
		hand_in(t, m);
	}
}

/* --- hearing ---------------------------------------------------------------------------------- */

/* What HTTP calls it. */
static int http_of(const char *code)
{
	if (strcmp(code, "too_many_channels") == 0)
		return 422;
	return strcmp(code, "no_memory") == 0 ? 500 : 400;
}

static void complain(struct tool *t, const struct tool_message *m,
		     const struct message_fault *fault)
{
	COUNT(TOOL_BAD);
	if (m->kind == TOOL_PUBLISH)
		say_refused(t, fault->ref, http_of(fault->code), fault->code, fault->detail);
	else
		say_error(t, fault->code, fault->detail, fault->ref);
	if (fault->close != 0)
		end(t, close_of_code(fault->close));
}

static void handle(struct tool *t)
{
	struct tool_message m;
	struct message_fault fault;

	COUNT(TOOL_MESSAGES);
	if (tool_message_read(t->heard.data, t->heard.len, &m, &fault) != 0)
		complain(t, &m, &fault);
	else if (m.kind == TOOL_PUBLISH)
		publish(t, &m);
	else if (m.kind == TOOL_AUTH)
		authorize(t, &m);
	else
		say_tick(t);
	tool_message_free(&m);
}

static void on_room(void *arg)
{
	struct tool *t = arg;

	t->waits = false;
	if (t->gone)
		free(t);
	else
		go_on(t);
}

/* May the next message be handled now? If not, whoever makes room goes on. */
static bool has_turn(struct tool *t)
{
	struct desk *desk = door_setup_of(t->door)->desk;

	if (t->in_flight >= NEWSWIRE_LINE_WINDOW || t->owed.len >= TOOLS_OWED_MAX)
		return false;
	if (desk_has_room(desk))
		return true;
	if (!t->waits) {
		t->waits = true;
		desk_wait_for_room(desk, &t->waiter);
	}
	return false;
}

/* Something changed: handles the message that waits, if it may be now; reads on, or ends. */
static void go_on(struct tool *t)
{
	if (t->busy)
		return;
	t->busy = true;
	if (t->whole && has_turn(t)) {
		handle(t);
		if (t->whole)
			forget_heard(t);
	}
	t->busy = false;
	set_paused(t);
	close_if_done(t);
	tool_check(t);
}

/* --- the connection's events ------------------------------------------------------------------ */

static struct tool *tool_of(struct connection *c)
{
	return CONTAINER_OF(c, struct tool, c);
}

static size_t max_message(const struct connection *c)
{
	const struct tool *t = CONTAINER_OF(c, const struct tool, c);

	return t->who == NULL ? NEWSWIRE_MAX_STRANGER
			      : door_setup_of(t->door)->max_item + NEWSWIRE_MAX_ENVELOPE;
}

static enum close_why grows(struct connection *c, size_t more)
{
	struct tool *t = tool_of(c);

	if (t->all->heard + more > TOOLS_HEARD_MAX)
		return CLOSE_FULL;
	t->all->heard += more;
	t->held += more;
	return CLOSE_NONE;
}

static void message(struct connection *c, struct buf *text)
{
	struct tool *t = tool_of(c);

	if (t->why != CLOSE_NONE)
		return;
	MUST(!t->whole); /* or it would be paused */
	t->heard = *text;
	*text = (struct buf){0};
	t->whole = true;
	go_on(t);
}

static void wrong(struct connection *c, enum close_why why)
{
	struct tool *t = tool_of(c);

	if (t->why != CLOSE_NONE)
		return;
	COUNT(TOOL_BAD);
	end(t, why);
	close_if_done(t);
}

static void write_owed(struct tool *t)
{
	enum line_result result;

	if (t->owed.failed) { /* an answer is missing: the line cannot be trusted any more */
		buf_clear(&t->owed);
		end(t, CLOSE_INTERNAL);
		close_now(t);
		return;
	}
	if (t->owed.len == 0)
		return;
	result = line_write(&t->c.line, (const uint8_t *)t->owed.data, t->owed.len);
	if (t->owed.cap > TOOLS_OWED_MAX)
		buf_free(&t->owed);
	else
		buf_clear(&t->owed);
	t->blocked = result == LINE_PARTIAL;
	if (t->blocked)
		line_want_room(&t->c.line);
}

static void room(struct connection *c)
{
	struct tool *t = tool_of(c);

	t->blocked = false;
	write_owed(t);
	go_on(t);
}

static void leave_closing(struct tool *t)
{
	struct tool **at = &t->all->closing;

	if (!t->reaping)
		return;
	while (*at != NULL && *at != t)
		at = &(*at)->next_closing;
	if (*at == t)
		*at = t->next_closing;
}

static void closed(struct connection *c)
{
	struct tool *t = tool_of(c);
	struct handed *h, *next;

	DL_FOREACH_SAFE (t->handed, h, next)
		h->tool = NULL;
	leave_closing(t);
	forget_heard(t);
	close_count_tool(t->why == CLOSE_NONE ? CLOSE_NORMAL : t->why);
	if (t->who == NULL)
		t->all->strangers--;
	publisher_unref(t->who);
	DL_DELETE(t->all->tools, t);
	t->all->count--;
	GAUGE_SET(TOOLS, t->all->count);
	buf_free(&t->heard);
	buf_free(&t->owed);
	t->gone = true;
	if (!t->waits)
		free(t);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* A key of the handshake. */
static void take_bearer(struct tool *t, struct lws *wsi)
{
	char *key = request_bearer(wsi);
	const struct publisher *who;

	if (key == NULL)
		return;
	who = who_has_key(who_of(t), key, t->from);
	if (who != NULL) /* it was a key when the handshake began */
		become(t, who);
	explicit_bzero(key, strlen(key));
	free(key);
}

static struct tool *tool_new(struct tools *all, struct door *door, struct lws *wsi)
{
	struct tool *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->all = all;
	t->door = door;
	t->since_ms = clock_mono_ms();
	t->waiter = (struct desk_waiter){.cb = on_room, .arg = t};
	if (lws_get_peer_simple(wsi, t->from, sizeof t->from) == NULL)
		snprintf(t->from, sizeof t->from, "unknown");
	return t;
}

static void begin_line(void *owner, struct door *door, struct lws *wsi)
{
	static const struct connection_events events = {max_message, grows, message,
							wrong,	     room,  closed};
	struct tools *all = owner;
	const struct handshake_terms terms = {.sndbuf = all->sndbuf,
					      .speaks = NEWSWIRE_SUBPROTOCOL};
	struct tool *t =
		tool_new(all, door, wsi); /* while the address of the other side is known */
	enum format_coding coding;

	if (t == NULL || handshake_answer(door, wsi, &terms, &t->c, &coding) != 0 ||
	    connection_watch(&t->c) != 0) {
		free(t);
		return;
	}
	t->c.events = &events;
	DL_APPEND(all->tools, t);
	all->count++;
	all->strangers++;
	COUNT(TOOLS_OPENED);
	GAUGE_SET(TOOLS, all->count);
	take_bearer(t, wsi);
	tool_message_hello(begin(t), t->who, NEWSWIRE_LINE_WINDOW, door_setup_of(door)->max_item,
			   (unsigned)(all->tick_ms / 1000));
	say(t);
	write_owed(t);
}

/* May one more connect? The rest of the handshake was looked at. */
static bool has_room(void *owner, const struct door *door, bool proved)
{
	const struct tools *all = owner;

	(void)door;
	return all->count < TOOLS_MAX && (proved || all->strangers < TOOLS_STRANGERS_MAX);
}

/* --- all of them ------------------------------------------------------------------------------ */

struct tools *tools_new(uint64_t tick_ms, size_t sndbuf)
{
	struct tools *all = calloc(1, sizeof *all);

	if (all == NULL)
		return NULL;
	all->tick_ms = tick_ms;
	all->sndbuf = sndbuf;
	all->ticked_ms = clock_mono_ms();
	all->door_stream = (struct door_stream){all, has_room, begin_line};
	return all;
}

const struct door_stream *tools_door(struct tools *all)
{
	return &all->door_stream;
}

size_t tools_count(const struct tools *all)
{
	return all->count;
}

size_t tools_in_flight(const struct tools *all)
{
	const struct tool *t;
	size_t count = 0;

	DL_FOREACH (all->tools, t)
		count += t->in_flight;
	return count;
}

static void look_after(struct tool *t, uint64_t now, bool tick)
{
	if (t->why != CLOSE_NONE) {
		if (now >= t->ends_ms)
			close_now(t);
	} else if (t->who == NULL ? now - t->since_ms > TOOLS_PROVE_MS : !is_still_somebody(t)) {
		say_error(t, "unauthorized",
			  t->who == NULL ? "nobody said who this is" : "this key was revoked", "");
		end(t, CLOSE_FORBIDDEN);
	} else if (tick && t->owed.len == 0 && !t->blocked) {
		say_tick(t);
	}
}

void tools_second(struct tools *all)
{
	uint64_t now = clock_mono_ms();
	bool tick = now - all->ticked_ms >= all->tick_ms;
	struct tool *t;

	if (tick)
		all->ticked_ms = now;
	DL_FOREACH (all->tools, t)
		look_after(t, now, tick);
}

void tools_drain(struct tools *all, uint32_t retry_min_ms, uint32_t retry_max_ms)
{
	struct tool *t;

	DL_FOREACH (all->tools, t) {
		if (t->why != CLOSE_NONE)
			continue;
		message_bye(begin(t), "drain",
			    retry_min_ms + backoff_random(retry_max_ms - retry_min_ms + 1));
		say(t);
		end(t, CLOSE_DRAIN);
	}
}

size_t tools_reap(struct tools *all)
{
	size_t count = 0;

	for (struct tool *t; (t = all->closing) != NULL; count++) {
		all->closing = t->next_closing;
		t->reaping = false;
		connection_close(&t->c, close_code(t->why), close_reason(t->why)); /* may free t */
	}
	return count;
}

void tools_free(struct tools *all)
{
	if (all == NULL)
		return;
	MUST(all->count == 0);
	buf_free(&all->json);
	free(all);
}
