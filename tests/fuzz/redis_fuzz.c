/* redis_fuzz.c - a Redis that answers anything: whatever comes, wire and desk go on, everybody who asked is answered once, and
 * posts are told in order.
 *
 * The first byte says who asks. The rest is what Redis says, as it stands in its protocol: each reply answers the oldest question; one
 * that begins with a push byte `>` before it is a message of a subscription.
 */
#include <hiredis/hiredis.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "base/log.h"
#include "desk/desk.h"
#include "fake_link.h"
#include "wire/audit.h"
#include "wire/canary_note.h"
#include "wire/held.h"
#include "wire/history.h"
#include "wire/presence.h"
#include "wire/reach.h"
#include "wire/shelf.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uv_loop_t loop;
static struct wire_id last;
static unsigned asked, answered;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	return uv_loop_init(&loop);
}

/* What the wire tells ----------------------------------------------------------------------------- */

static void on_post(void *arg, struct post *post)
{
	(void)arg;
	MUST(wire_id_compare(post->id, last) > 0);
	last = post->id;
}

static void on_epoch(void *arg)
{
	(void)arg;
	last = (struct wire_id){0};
}

static void on_tick(void *arg)
{
	(void)arg;
}

static void on_confirmed(void *arg, struct wire_id head)
{
	(void)arg;
	(void)head;
}

static void on_canary(void *arg, struct post *post)
{
	(void)arg;
	(void)canary_note_number(post->body, post->body_len);
}

/* Who asks --------------------------------------------------------------------------------------- */

static void on_feed(enum shelf_answer answer, const struct feed *feed, void *arg)
{
	struct buf out = {0};
	char etag[FEED_ETAG_SIZE];

	(void)arg;
	answered++;
	MUST((answer == SHELF_OK) == (feed != NULL));
	if (feed)
		feed_write(feed, VIEW_FULL, &out, etag);
	buf_free(&out);
}

static void on_item(enum shelf_answer answer, const struct buf *body, const char *etag, void *arg)
{
	(void)arg;
	answered++;
	MUST(answer != SHELF_OK || (body->len > 0 && etag != NULL));
}

static void on_audit(enum audit_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	answered++;
	MUST(answer != AUDIT_OK || body->len > 0);
}

static void on_reach(enum reach_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	answered++;
	MUST(answer != REACH_OK || body->len > 0);
}

static void on_held(enum held_answer answer, const struct buf *body, void *arg)
{
	(void)arg;
	answered++;
	MUST(answer != HELD_OK || body->len > 0);
}

static void on_history(enum history_answer answer, struct history_page *page, void *arg)
{
	struct wire_id before;

	(void)arg;
	answered++;
	MUST((answer == HISTORY_PAGE) == (page != NULL));
	if (page == NULL)
		return;
	before = page->from;
	for (size_t i = 0; i < page->count; i++) {
		MUST(wire_id_compare(before, page->posts[i]->id) < 0);
		before = page->posts[i]->id;
	}
	MUST(wire_id_compare(before, page->to) <= 0);
}

static void ask(struct wire *wire, struct history *history, char who)
{
	const struct audit_filter filter = {.uri = "u", .reader = who == 'a' ? "desk" : NULL};
	const struct audit_filter refused = {.refused = true};
	struct subscription_fault fault;
	struct subscription *all = subscription_read("world", NULL, NULL, NULL, &fault);

	MUST(all != NULL);
	if (who == 'f')
		asked += shelf_feed(wire, all, 20, 1 << 20, NULL, on_feed, NULL) == 0;
	else if (who == 'i')
		asked += shelf_item(wire, "u", on_item, NULL) == 0;
	else if (who == 'a' || who == 'A')
		asked += audit_ask(wire, &filter, 10, NULL, on_audit, NULL) == 0;
	else if (who == 'r')
		asked += audit_ask(wire, &refused, 10, NULL, on_audit, NULL) == 0;
	else if (who == 'R')
		asked += reach_ask(wire, "u", NULL, on_reach, NULL) == 0;
	else if (who == 'h')
		asked += held_ask(wire, "u", NULL, on_held, NULL) == 0;
	else if (who == 'H')
		asked += history_ask(history, (struct wire_id){1, 0}, on_history, NULL) == 0;
	else if (who == 'p')
		presence_set(wire_presence(wire), "world", 3);
	subscription_free(all);
}

/* What Redis says --------------------------------------------------------------------------------- */

static redisReply *next_reply(redisReader *reader, const char **at, const char *end)
{
	void *reply = NULL;
	const char *line;

	/* A line at a time, so that it is known where a reply ends. */
	while (reply == NULL && *at < end) {
		line = memchr(*at, '\n', (size_t)(end - *at));
		line = line == NULL ? end : line + 1;
		if (redisReaderFeed(reader, *at, (size_t)(line - *at)) != REDIS_OK ||
		    redisReaderGetReply(reader, &reply) != REDIS_OK)
			return NULL;
		*at = line;
	}
	return reply;
}

/* The reader keeps what follows a reply in the same line for the next one. */
static void say_all(struct link *const *link, size_t links, const char *at, const char *end)
{
	redisReader *reader = redisReaderCreate();
	redisReply *reply;
	bool push;

	MUST(reader != NULL);
	reader->maxbuf = 0;
	for (;;) {
		push = at < end && *at == '>';
		at += push;
		if ((reply = next_reply(reader, &at, end)) == NULL)
			break;
		for (size_t i = 0; i < links; i++)
			if (push ? fake_link_message(link[i], reply)
				 : fake_link_answer(link[i], reply))
				break;
		freeReplyObject(reply);
	}
	redisReaderFree(reader);
	for (size_t i = 0; i < links; i++)
		fake_link_batch(link[i]);
}

/* Does Redis announce more than it says? Then hiredis allocates for it: not ours to judge. */
static bool announces_too_much(const char *at, const char *end)
{
	char number[8];
	size_t len;

	for (; at < end; at++) {
		if (*at != '*' && *at != '$')
			continue;
		len = (size_t)(end - at) - 1;
		len = len < sizeof number - 1 ? len : sizeof number - 1;
		memcpy(number, at + 1, len);
		number[len] = '\0';
		if (strtol(number, NULL, 10) > 4096)
			return true;
	}
	return false;
}

static void on_withdrawn(void *arg, const struct post *withdrawal)
{
	(void)arg;
	MUST(post_is_withdrawal(withdrawal));
}

static void be_a_wire(char who, const char *at, const char *end)
{
	static const struct wire_events events = {on_post,	on_epoch,  on_tick,
						  on_confirmed, on_canary, on_withdrawn};
	const struct wire_options options = {.prefix = "newswire",
					     .backlog_bytes = 1 << 16,
					     .retention_ms = 1000,
					     .max_entries = 1000,
					     .vacate_ms = 1000};
	struct redis_place place = {.unix_path = (char *)"/nowhere"};
	struct wire *wire = wire_open(&loop, &place, &options, &events, NULL);
	struct history *history = history_new(wire);
	struct link *links[] = {fake_link("wire"), fake_link("out")};

	MUST(wire != NULL && history != NULL);
	fake_link_ready(links[1]);
	if (who != 'w')
		ask(wire, history, who); /* not READY: refused, or later */
	fake_link_ready(links[0]);
	ask(wire, history, who);
	if (who == 'p')
		presence_second(wire_presence(wire));
	say_all(links, COUNT_OF(links), at, end);
	wire_settle(wire, NULL);
	wire_turn_ends(wire);
	history_free(history);
	wire_close(wire);
}

/* The desk ---------------------------------------------------------------------------------------- */

static void on_receipt(const struct desk_receipt *receipt, void *arg)
{
	(void)arg;
	MUST(receipt->code && receipt->detail && receipt->action && receipt->channels);
	answered++;
}

static void on_purged(const struct desk_purged *purged, void *arg)
{
	(void)arg;
	MUST(purged->id && purged->code && purged->detail);
	answered++;
}

static void take(struct desk *desk)
{
	static const char item[] = "{\"uri\":\"u\",\"headlines\":[{\"value\":\"H\"}]}";
	struct channel_set world;
	struct desk_order order = {
		.bytes = item, .len = sizeof item - 1, .channels = &world, .who = &publisher_node};

	MUST(channel_set_read(&world, "world", 5, ' ') == 0);
	asked++;
	desk_take(desk, &order, on_receipt, NULL);
	channel_set_free(&world);
}

static void be_a_desk(char who, const char *at, const char *end)
{
	const struct desk_options options = {.prefix = "newswire",
					     .max_item = 4096,
					     .retention_ms = 1000,
					     .archive_ms = 1000,
					     .max_embargo_ms = 1000,
					     .feed_max = 10,
					     .raw_rights = RIGHTS_EVERYTHING};
	struct redis_place place = {.unix_path = (char *)"/nowhere"};
	struct desk *desk = desk_open(&loop, &place, &options);
	struct link *commands = fake_link("desk"), *ear = fake_link("desk-ear"),
		    *inbox = fake_link("desk-inbox");
	struct link *links[] = {commands, ear, inbox};

	MUST(desk != NULL && commands && ear && inbox);
	fake_link_ready(ear);
	fake_link_ready(inbox);
	if (who != 'D') /* embargo and inbox ask first */
		fake_link_ready(commands);
	else
		take(desk);
	if (who == 'd')
		take(desk);
	if (who == 'P') {
		asked++;
		desk_purge(desk, "u", "desk", on_purged, NULL);
	}
	if (who == 'D')
		fake_link_ready(commands);
	say_all(links, COUNT_OF(links), at, end);
	fake_link_lost(commands);
	desk_close(desk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	if (size == 0 || announces_too_much(at, end))
		return 0;
	last = (struct wire_id){0};
	asked = answered = 0;
	if (strchr("dDPx", *at) && *at)
		be_a_desk(*at, at + 1, end);
	else
		be_a_wire(*at, at + 1, end);
	MUST(uv_run(&loop, UV_RUN_NOWAIT) == 0); /* nothing of theirs is left */
	MUST(answered == asked && fake_link_count() == 0);
	return 0;
}
