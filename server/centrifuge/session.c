/* session.c - commands of Centrifuge's clients become a reader's subscription and place. */
#include "centrifuge/session.h"

#include <stdlib.h>
#include <string.h>
#include <newswire/protocol.h>
#include "base/backoff.h"
#include "base/clock.h"
#include "centrifuge/history.h"
#include "news/centrifuge.h"
#include "wire/presence.h"
#include "ws/connection.h"
#include "ws/handshake.h"

/* Where the channels of a reader that catches up are, each by itself: in the order of its subscription. */
struct past {
	struct wire_id lost; /* this place and those below are known to be lost; 0-0: none is */
	uint32_t count;
	struct wire_id from[];
};

enum ending { ENDS_AS_IT_IS, ENDS_STALE, ENDS_NO_PONG, ENDS_BAD_REQUEST };

/* A reader's line; the door knows the reader, and reader_line() finds this. */
struct session {
	struct connection c;
	struct past *past; /* NULL: every channel is where the reader is */
	uint32_t second;   /* monotonic seconds */
	uint32_t
		ahead_at; /* the second in which a place above the head was first named; 0: none was */
	uint16_t commands; /* in `second` */
	bool connected;	   /* it has said `connect` */
	bool asked;	   /* {} is on its way, or `connect` is waited for */
	uint8_t ending;	   /* enum ending */
};

static struct session_options options;

/* --- the line: how a reader reaches its connection -------------------------------------------- */

struct code {
	int code;
	const char *reason;
};

/* What its clients are told. Below 3000, from 3000 to 3499 and from 4000 to 4499 they come back, but for 1009. */
static struct code code_of(const struct session *s, enum close_why why)
{
	static const struct code endings[] = {[ENDS_STALE] = {3502, "stale"},
					      [ENDS_NO_PONG] = {3012, "no pong"},
					      [ENDS_BAD_REQUEST] = {3501, "bad request"}};

	if (s->ending != ENDS_AS_IT_IS)
		return endings[s->ending];
	switch (why) {
	case CLOSE_NORMAL:
		return (struct code){3000, "connection closed"};
	case CLOSE_DRAIN:
		return (struct code){3001, "shutdown"};
	case CLOSE_PROTOCOL:
		return (struct code){close_code(why), close_reason(why)};
	case CLOSE_TOO_BIG:
		return (struct code){1009, "message size limit"};
	case CLOSE_INTERNAL:
		return (struct code){3004, "internal server error"};
	case CLOSE_TOO_SLOW:
		return (struct code){3008, "slow"};
	case CLOSE_TOO_MANY:
		return (struct code){3013, "too many requests"};
	default:
		return endings[ENDS_BAD_REQUEST];
	}
}

static void line_close(void *line, enum close_why why, bool blocked)
{
	struct session *s = line;
	struct code c = code_of(s, why);

	(void)blocked; /* the connection knows */
	connection_close(&s->c, c.code, c.reason);
}

/* --- what a reader says besides posts, in other words ------------------------------------------ */

static struct session *session_of(struct reader *r)
{
	return reader_line(r);
}

static void end(struct reader *r, enum ending ending)
{
	session_of(r)->ending = (uint8_t)ending;
	reader_close(r, ending == ENDS_NO_PONG ? CLOSE_TOO_SLOW : CLOSE_POLICY);
}

/* Every tick asks for an answer to come before the next. */
static void speech_tick(struct reader *r)
{
	struct session *s = session_of(r);

	if (s->asked) {
		end(r, s->connected ? ENDS_NO_PONG : ENDS_STALE);
		return;
	}
	s->asked = true;
	if (s->connected)
		reader_answer(r, "{}", 2);
}

static bool is_any(struct wire_id id)
{
	return id.ms != 0 || id.seq != 0;
}

static void forget_past(struct session *s)
{
	free(s->past);
	s->past = NULL;
}

static void speech_gap(struct reader *r, struct wire_id lost);

static bool speech_wants(const void *line, uint32_t channel, struct wire_id id)
{
	const struct session *s = line;

	return s->past == NULL || channel >= s->past->count ||
	       wire_id_compare(id, s->past->from[channel]) > 0;
}

static const struct reader_speech speech = {speech_tick, speech_gap, speech_wants};

static const struct reader_line line_ops = {.size = sizeof(struct session),
					    READER_WRITES_TO_LINE,
					    .close = line_close,
					    .speech = &speech};

const struct reader_line *session_line(void)
{
	return &line_ops;
}

/* --- the channels of a connection, while commands change them ---------------------------------- */

struct place {
	char name[CENTRIFUGE_NAME_MAX + 1];
	struct wire_id from;
};

/* One message of a client, being answered. */
struct hearing {
	struct reader *reader;
	struct session *session;
	struct buf says; /* the replies */
	bool loaded;	 /* `place` holds the reader's channels */
	bool changed;	 /* they are not the reader's any more */
	bool resumes;	 /* it comes back with a place */
	uint32_t count;
	struct place place[CENTRIFUGE_CHANNELS_MAX]; /* sorted by name */
};

/* Whatever went out so far went out to all channels: none is behind the reader itself. */
static void load(struct hearing *h)
{
	const struct channel_set *channels = &reader_subscription(h->reader)->channels;
	const struct past *past = h->session->past;
	struct wire_id at = reader_cursor(h->reader).id;

	if (h->loaded)
		return;
	h->loaded = true;
	h->count = channels->count;
	for (uint32_t i = 0; i < h->count; i++) {
		struct place *p = &h->place[i];

		memcpy(p->name, channels->name[i], strlen(channels->name[i]) + 1);
		p->from = at;
		if (past != NULL && i < past->count && wire_id_compare(past->from[i], at) > 0)
			p->from = past->from[i];
	}
}

/* The first place whose name is not below this one. */
static uint32_t find(const struct hearing *h, const char *name)
{
	uint32_t i = 0;

	while (i < h->count && strcmp(h->place[i].name, name) < 0)
		i++;
	return i;
}

static bool is_there(const struct hearing *h, uint32_t i, const char *name)
{
	return i < h->count && strcmp(h->place[i].name, name) == 0;
}

static void insert(struct hearing *h, uint32_t i, const char *name, struct wire_id from)
{
	MUST(h->count < CENTRIFUGE_CHANNELS_MAX);
	memmove(&h->place[i + 1], &h->place[i], (h->count - i) * sizeof h->place[0]);
	h->place[i] = (struct place){.from = from};
	memcpy(h->place[i].name, name, strlen(name) + 1);
	h->count++;
	h->changed = true;
}

static void take_out(struct hearing *h, uint32_t i)
{
	h->count--;
	memmove(&h->place[i], &h->place[i + 1], (h->count - i) * sizeof h->place[0]);
	h->changed = true;
}

static struct subscription *subscription_of_hearing(const struct hearing *h)
{
	struct channel_set channels = {0};
	struct buf names = {0};
	int failed;

	for (uint32_t i = 0; i < h->count; i++) {
		buf_addc(&names, ' ');
		buf_adds(&names, h->place[i].name);
	}
	failed = names.failed ||
		 channel_set_read(&channels, names.data == NULL ? "" : names.data, names.len, ' ');
	buf_free(&names);
	return failed ? NULL : subscription_of_channels(&channels);
}

/* The lowest place of all; the head if there is none. */
static struct wire_id lowest(const struct hearing *h)
{
	struct wire_id at = wire_head(options.wire);

	for (uint32_t i = 0; i < h->count; i++)
		if (wire_id_compare(h->place[i].from, at) < 0)
			at = h->place[i].from;
	return at;
}

static bool are_apart(const struct hearing *h, struct wire_id at)
{
	for (uint32_t i = 0; i < h->count; i++)
		if (wire_id_compare(h->place[i].from, at) != 0)
			return true;
	return false;
}

/* Keeps where each channel is, if they are apart, and what is lost. 0, or -1: memory is short. */
static int keep_past(struct hearing *h, struct wire_id at, struct wire_id lost)
{
	uint32_t count = are_apart(h, at) ? h->count : 0;
	struct past *past = NULL;

	if (count > 0 || is_any(lost)) {
		if ((past = malloc(sizeof *past + count * sizeof past->from[0])) == NULL)
			return -1;
		*past = (struct past){.lost = lost, .count = count};
		for (uint32_t i = 0; i < count; i++)
			past->from[i] = h->place[i].from;
	}
	forget_past(h->session);
	h->session->past = past;
	return 0;
}

/* The reader follows what the commands came to. */
static void apply(struct hearing *h, struct wire_id lost)
{
	struct wire_id at = lowest(h);

	if (keep_past(h, at, lost) != 0)
		reader_close(h->reader, CLOSE_INTERNAL);
	else
		reader_move(h->reader, subscription_of_hearing(h), at);
}

static struct wire_id lost_of(const struct session *s)
{
	return s->past == NULL ? (struct wire_id){0} : s->past->lost;
}

static void begin_hearing(struct hearing *h, struct reader *r)
{
	h->reader = r; /* of `place`, what `count` does not count is never looked at */
	h->session = session_of(r);
	h->says = (struct buf){0};
	h->loaded = h->changed = h->resumes = false;
	h->count = 0;
}

/* The subscriptions that have not come further are over. Who subscribes again from there is told that it is lost. */
static void speech_gap(struct reader *r, struct wire_id lost)
{
	struct hearing h;

	begin_hearing(&h, r);
	load(&h);
	for (uint32_t i = 0; i < h.count;) {
		if (wire_id_compare(h.place[i].from, lost) > 0) {
			i++;
			continue;
		}
		centrifuge_say_unsubscribed(&h.says, h.place[i].name);
		take_out(&h, i);
	}
	if (lost.ms == UINT64_MAX) /* the epoch says so */
		lost = (struct wire_id){0};
	else if (wire_id_compare(lost, lost_of(h.session)) < 0)
		lost = lost_of(h.session);
	else if (!is_any(lost))
		lost.seq = 1; /* the beginning of the wire is lost */
	if (h.says.failed)
		reader_close(r, CLOSE_INTERNAL);
	else if (h.says.len > 0)
		reader_answer(r, h.says.data, h.says.len);
	if (reader_listens(r))
		apply(&h, lost);
	buf_free(&h.says);
}

/* --- commands ---------------------------------------------------------------------------------- */

/* A place that this worker's head has not reached: its news is on its way, unless Redis never had it. */
static bool may_come(struct hearing *h)
{
	uint32_t now = (uint32_t)(clock_mono_ms() / 1000) + 1;

	if (h->session->ahead_at == 0 || now - h->session->ahead_at > SESSION_AHEAD_FORGET_S)
		h->session->ahead_at = now;
	return now - h->session->ahead_at < SESSION_AHEAD_S;
}

/* From where on a wish is answered. 0, or -1: it cannot be said yet. */
static int settle(struct hearing *h, const struct centrifuge_wish *wish,
		  struct centrifuge_subscribed *out)
{
	struct cursor since = wish->since, head = {.id = wire_head(options.wire)};
	struct wire_id lost = lost_of(h->session);
	enum reader_since how;

	memcpy(head.epoch, wire_epoch(options.wire), sizeof head.epoch);
	*out = (struct centrifuge_subscribed){
		.channel = wish->channel, .from = head, .was_recovering = wish->has_since};
	if (!wish->has_since)
		return 0;
	if (wish->any_epoch)
		memcpy(since.epoch, head.epoch, sizeof since.epoch);
	how = reader_judge(h->reader, &since);
	if (how == SINCE_AHEAD)
		return may_come(h) ? -1 : 0;
	if (how == SINCE_LOST || (is_any(lost) && wire_id_compare(since.id, lost) <= 0))
		return 0;
	out->from = since;
	out->recovered = true;
	h->resumes = true;
	return 0;
}

/* 0, or the error. */
static int subscribe(struct hearing *h, const struct centrifuge_wish *wish,
		     struct centrifuge_subscribed *out)
{
	uint32_t i;

	load(h);
	if (wish->channel[0] == '\0')
		return CENTRIFUGE_UNKNOWN_CHANNEL;
	if (is_there(h, i = find(h, wish->channel), wish->channel))
		return CENTRIFUGE_ALREADY;
	if (h->count == CENTRIFUGE_CHANNELS_MAX)
		return CENTRIFUGE_LIMIT;
	if (settle(h, wish, out) != 0)
		return CENTRIFUGE_INTERNAL;
	insert(h, i, wish->channel, out->from.id);
	return 0;
}

static void answer_subscribe(struct hearing *h, const struct centrifuge_command *c)
{
	struct centrifuge_subscribed s;
	int error = c->has_channel ? subscribe(h, &c->wish, &s) : CENTRIFUGE_BAD_REQUEST;

	if (error != 0)
		centrifuge_say_error(&h->says, c->id, (enum centrifuge_error)error);
	else
		centrifuge_say_subscribed(&h->says, c->id, &s);
}

static void answer_unsubscribe(struct hearing *h, const struct centrifuge_command *c)
{
	uint32_t i;

	load(h);
	if (c->wish.channel[0] != '\0' &&
	    is_there(h, i = find(h, c->wish.channel), c->wish.channel))
		take_out(h, i);
	if (c->has_channel)
		centrifuge_say_done(&h->says, c->id, c->kind);
	else
		centrifuge_say_error(&h->says, c->id, CENTRIFUGE_BAD_REQUEST);
}

/* What it wants at once and cannot have is left out of the reply. */
static void answer_connect(struct hearing *h, const struct centrifuge_command *c)
{
	struct centrifuge_subscribed subs[CENTRIFUGE_CHANNELS_MAX];
	struct buf client = {0};
	uint32_t count = 0;

	h->session->connected = true;
	for (uint32_t i = 0; i < c->sub_count; i++)
		count += subscribe(h, &c->subs[i], &subs[count]) == 0;
	for (int i = 0; i < 2; i++)
		buf_add_hex(&client, (uint64_t)backoff_random(UINT32_MAX) << 32 |
					     backoff_random(UINT32_MAX));
	buf_addc(&client, '\0');
	if (client.failed)
		h->says.failed = true;
	else
		centrifuge_say_connected(&h->says, c->id, client.data,
					 (unsigned)(options.tick_ms / 1000), subs, count);
	buf_free(&client);
}

static void answer_history(struct hearing *h, const struct centrifuge_command *c)
{
	int error;

	h->session->commands += SESSION_HISTORY_COST - 1;
	if (!c->has_channel)
		error = CENTRIFUGE_BAD_REQUEST;
	else if (c->wish.channel[0] == '\0')
		error = CENTRIFUGE_UNKNOWN_CHANNEL;
	else if (reader_is_blocked(h->reader) || h->says.len > SESSION_HISTORY_BYTES)
		error = CENTRIFUGE_TOO_MANY; /* it has not read what it was given already */
	else
		error = history_answer(options.wire, h->reader, c, &h->says);
	if (error != 0)
		centrifuge_say_error(&h->says, c->id, (enum centrifuge_error)error);
}

static void answer_presence_stats(struct hearing *h, const struct centrifuge_command *c)
{
	const struct presence *presence = wire_presence(options.wire);
	int error = 0;

	if (!options.shows_readers)
		error = CENTRIFUGE_NOT_AVAILABLE;
	else if (!c->has_channel)
		error = CENTRIFUGE_BAD_REQUEST;
	else if (c->wish.channel[0] == '\0')
		error = CENTRIFUGE_UNKNOWN_CHANNEL;
	else if (!presence_is_current(presence))
		error = CENTRIFUGE_INTERNAL;
	if (error != 0)
		centrifuge_say_error(&h->says, c->id, (enum centrifuge_error)error);
	else
		centrifuge_say_present(&h->says, c->id, presence_total(presence, c->wish.channel));
}

static void answer(struct hearing *h, const struct centrifuge_command *c)
{
	switch (c->kind) {
	case CENTRIFUGE_CONNECT:
		answer_connect(h, c);
		return;
	case CENTRIFUGE_SUBSCRIBE:
		answer_subscribe(h, c);
		return;
	case CENTRIFUGE_UNSUBSCRIBE:
		answer_unsubscribe(h, c);
		return;
	case CENTRIFUGE_HISTORY:
		answer_history(h, c);
		return;
	case CENTRIFUGE_PING:
	case CENTRIFUGE_REFRESH: /* nothing of a reader's runs out */
	case CENTRIFUGE_SUB_REFRESH:
		centrifuge_say_done(&h->says, c->id, c->kind);
		return;
	case CENTRIFUGE_PUBLISH: /* tools publish, by other ways */
		centrifuge_say_error(&h->says, c->id, CENTRIFUGE_DENIED);
		return;
	case CENTRIFUGE_PRESENCE_STATS:
		answer_presence_stats(h, c);
		return;
	case CENTRIFUGE_PRESENCE: /* readers have no names */
		centrifuge_say_error(&h->says, c->id, CENTRIFUGE_NOT_AVAILABLE);
		return;
	default:
		centrifuge_say_error(&h->says, c->id, CENTRIFUGE_NO_METHOD);
	}
}

/* May it say this now? First comes `connect`, and once; what wants an answer has an id. */
static bool is_in_place(const struct session *s, const struct centrifuge_command *c)
{
	if ((c->kind == CENTRIFUGE_CONNECT) == s->connected)
		return false;
	return c->id != 0 || c->kind == CENTRIFUGE_SEND || c->kind == CENTRIFUGE_PONG;
}

static bool is_too_many(struct session *s)
{
	uint32_t now = (uint32_t)(clock_mono_ms() / 1000);

	if (s->second != now) {
		s->second = now;
		s->commands = 0;
	}
	return ++s->commands > SESSION_COMMANDS_MAX;
}

/* Whatever it says proves that it lives. 0, or -1: the connection is to end, and its end is asked for. */
static int hear_command(struct hearing *h, const struct centrifuge_command *c)
{
	struct session *s = h->session;

	s->asked = false;
	if (is_too_many(s)) {
		reader_close(h->reader, CLOSE_TOO_MANY);
		return -1;
	}
	if (!is_in_place(s, c)) {
		end(h->reader, ENDS_BAD_REQUEST);
		return -1;
	}
	if (c->kind == CENTRIFUGE_PONG) {
		if (reader_is_live(h->reader) && s->past != NULL && !is_any(s->past->lost))
			forget_past(s);
	} else if (c->kind != CENTRIFUGE_SEND) {
		answer(h, c);
	}
	return 0;
}

/* Reads a message to its end. 0, or -1 as above. */
static int hear_all(struct hearing *h, const char *bytes, size_t len)
{
	const char *at = bytes, *end_of_it = bytes + len;

	for (;;) {
		struct centrifuge_command c;
		enum centrifuge_read read = centrifuge_next(&at, end_of_it, &c);
		int failed = 0;

		if (read == CENTRIFUGE_READ)
			failed = hear_command(h, &c);
		else if (read == CENTRIFUGE_BROKEN)
			end(h->reader, ENDS_BAD_REQUEST);
		else if (read == CENTRIFUGE_SHORT)
			reader_close(h->reader, CLOSE_INTERNAL);
		centrifuge_command_free(&c);
		if (read == CENTRIFUGE_END)
			return 0;
		if (read != CENTRIFUGE_READ || failed != 0)
			return -1;
	}
}

/* The replies go out first, then what they promise. */
static void hear(struct reader *r, const char *bytes, size_t len)
{
	struct hearing h;

	begin_hearing(&h, r);
	if (!reader_listens(r))
		return;
	COUNT(CLIENT_MESSAGES);
	if (hear_all(&h, bytes, len) != 0)
		COUNT(CLIENT_BAD);
	else if (h.says.failed)
		reader_close(r, CLOSE_INTERNAL);
	else if (h.says.len > 0)
		reader_answer(r, h.says.data, h.says.len);
	if (h.resumes)
		COUNT(READERS_RESUMED);
	if (h.changed && reader_listens(r))
		apply(&h, lost_of(h.session));
	buf_free(&h.says);
}

/* --- the connection's events -------------------------------------------------------------------- */

static struct reader *reader_of(struct connection *c)
{
	return reader_of_line(CONTAINER_OF(c, struct session, c));
}

static size_t max_message(const struct connection *c)
{
	(void)c;
	return SESSION_MESSAGE_MAX;
}

static void message(struct connection *c, struct buf *text)
{
	hear(reader_of(c), text->data, text->len);
}

static void wrong(struct connection *c, enum close_why why)
{
	COUNT(CLIENT_BAD);
	reader_close(reader_of(c), why);
}

static void room(struct connection *c)
{
	reader_turn(reader_of(c));
}

static void closed(struct connection *c)
{
	struct reader *r = reader_of(c);

	forget_past(session_of(r));
	reader_gone(r);
}

static bool has_room(void *owner, const struct door *door, bool proved)
{
	(void)owner;
	(void)proved;
	return door_has_room(door);
}

static void begin(void *owner, struct door *door, struct lws *wsi)
{
	static const struct connection_events events = {max_message, NULL, message,
							wrong,	     room, closed};
	const struct handshake_terms terms = {.sndbuf = options.sndbuf, .waits = true};
	enum format_coding coding;
	struct session s = {0};
	struct reader *r;

	(void)owner;
	if (handshake_answer(door, wsi, &terms, &s.c, &coding) != 0)
		return;
	s.c.events = &events;
	r = reader_open_quietly(door_setup_of(door)->readers, FORMAT_CENTRIFUGE, &s);
	if (r == NULL)
		line_drop(&s.c.line);
	else if (connection_watch(reader_line(r)) != 0)
		reader_gone(r);
}

const struct door_stream *session_door(const struct session_options *given)
{
	static const struct door_stream ops = {NULL, has_room, begin};

	options = *given;
	return &ops;
}
