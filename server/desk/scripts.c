/* scripts.c - the desk's Lua scripts, called: names and values in turn, as lua/common.lua reads them. */
#include "desk/scripts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/backoff.h"
#include "base/buf.h"
#include "base/sabotage.h"
#include "lua_scripts.h"

enum { ARGS_MAX = 96, NUMBERS_MAX = 256, SEEN_LONGER_MS = 3600 * 1000 };

static struct link_script accept_script = {.text = lua_accept};
static struct link_script reject_script = {.text = lua_reject};
static struct link_script release_script = {.text = lua_release};
static struct link_script purge_script = {.text = lua_purge};
static struct link_script inbox_script = {.text = lua_inbox};
static struct link_script probe_script = {.text = lua_probe};

/* One key, then names and values. Texts are borrowed, numbers are kept here. */
struct call {
	const char *argv[ARGS_MAX];
	size_t lens[ARGS_MAX];
	int argc;
	char numbers[NUMBERS_MAX];
	size_t numbers_len;
	char key[64];
	char epoch[EPOCH_MAX + 1];
};

static void add_word(struct call *call, const char *text, size_t len)
{
	MUST(call->argc < ARGS_MAX);
	call->argv[call->argc] = text;
	call->lens[call->argc++] = len;
}

static void add_bytes(struct call *call, const char *name, const char *bytes, size_t len)
{
	add_word(call, name, strlen(name));
	add_word(call, bytes, len);
}

static void add_text(struct call *call, const char *name, const char *text)
{
	add_bytes(call, name, text ? text : "", text ? strlen(text) : 0);
}

static void add_number(struct call *call, const char *name, int64_t number)
{
	char *at = call->numbers + call->numbers_len;
	int len = snprintf(at, sizeof call->numbers - call->numbers_len, "%" PRId64, number);

	MUST(call->numbers_len + (size_t)len < sizeof call->numbers);
	call->numbers_len += (size_t)len + 1;
	add_bytes(call, name, at, (size_t)len);
}

static void begin(struct call *call, const struct desk_options *options)
{
	call->argc = 0;
	call->numbers_len = 0;
	snprintf(call->key, sizeof call->key, "{%s}:wire", options->prefix);
	add_word(call, call->key, strlen(call->key));
	add_text(call, "prefix", options->prefix);
}

/* A name for a new history, should Redis have none: never the same twice. */
static void add_epoch(struct call *call)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < EPOCH_MAX; i++)
		call->epoch[i] = letters[backoff_random(sizeof letters - 1)];
	call->epoch[EPOCH_MAX] = '\0';
	add_text(call, "epoch", call->epoch);
}

static void add_keeping(struct call *call, const struct desk_options *options)
{
	add_epoch(call);
	add_number(call, "retention_ms", (int64_t)options->retention_ms);
	add_number(call, "archive_ms", (int64_t)options->archive_ms);
	add_number(call, "feed_max", options->feed_max);
}

/* By what time embargoes end: no later than this worker's own. */
static void add_clock(struct call *call, const struct redis_clock *clock)
{
	add_number(call, "clock", redis_clock_now_ms(clock));
	add_number(call, "ahead", redis_clock_ahead_ms(clock));
}

static void add_sender(struct call *call, const struct desk_options *options, const struct job *job)
{
	add_text(call, "seen", job->seen);
	add_number(call, "seen_ms", (int64_t)options->retention_ms + SEEN_LONGER_MS);
	add_number(call, "bytes", (int64_t)job->len);
	add_text(call, "channel", job->sent_to);
	add_text(call, "owner", job->who->name);
	if (job->idem[0])
		add_text(call, "idem", job->idem);
	if (job->entry[0]) {
		add_text(call, "entry", job->entry);
		add_text(call, "consumer", job->consumer);
	}
}

static void add_item(struct call *call, const struct item *item, const char *channels)
{
	static const char *const statuses[] = {"usable", "withheld", "canceled"};

	add_text(call, "uri", item->uri);
	add_text(call, "version", item->version);
	add_number(call, "created", item->created_ms);
	add_number(call, "embargo", SABOTAGE("leak", 3) ? 0 : item->embargo_ms);
	add_number(call, "expires", item->expires_ms);
	add_text(call, "status", statuses[item->status]);
	add_text(call, "class", news_class_name(item->class));
	add_text(call, "evolved", item->evolved_from);
	add_text(call, "lang", item->lang);
	add_text(call, "type", item->type);
	add_text(call, "notice", item->notice);
	add_text(call, "channels", channels);
	add_text(call, "hash", item->hash);
	add_bytes(call, "body", item->body, item->body_len);
}

static int send_call(struct link *link, struct link_script *script, const struct call *call,
		     link_reply_cb *cb, void *arg)
{
	return link_script(link, script, cb, arg, 1, call->argc, call->argv, call->lens);
}

int scripts_accept(struct link *link, const struct desk_options *options,
		   const struct redis_clock *clock, const struct job *job, unsigned rights,
		   link_reply_cb *cb, void *arg)
{
	struct buf channels = {0}, words = {0};
	struct call call;
	int result = -1;

	channel_set_write(&job->item->channels, ' ', &channels);
	buf_addc(&channels, '\0');
	rights_write(rights, &words);
	buf_addc(&words, '\0');
	if (!channels.failed && !words.failed) {
		begin(&call, options);
		add_sender(&call, options, job);
		add_text(&call, "rights", words.data);
		add_keeping(&call, options);
		add_clock(&call, clock);
		add_number(&call, "max_embargo_ms", (int64_t)options->max_embargo_ms);
		add_item(&call, job->item, channels.data);
		result = send_call(link, &accept_script, &call, cb, arg);
	}
	buf_free(&channels);
	buf_free(&words);
	return result;
}

int scripts_reject(struct link *link, const struct desk_options *options, const struct job *job,
		   link_reply_cb *cb, void *arg)
{
	struct call call;

	begin(&call, options);
	add_sender(&call, options, job);
	add_text(&call, "reason", item_refusal_name(job->report->refusal));
	add_text(&call, "detail", job->report->fault[0].detail);
	add_text(&call, "pointer", job->report->fault[0].pointer);
	return send_call(link, &reject_script, &call, cb, arg);
}

int scripts_release(struct link *link, const struct desk_options *options,
		    const struct redis_clock *clock, const char *rewritten, link_reply_cb *cb,
		    void *arg)
{
	struct call call;

	begin(&call, options);
	add_keeping(&call, options);
	add_clock(&call, clock);
	add_text(&call, "rewritten", rewritten);
	return send_call(link, &release_script, &call, cb, arg);
}

int scripts_purge(struct link *link, const struct desk_options *options, const char *uri,
		  const char *owner, link_reply_cb *cb, void *arg)
{
	struct call call;

	begin(&call, options);
	add_keeping(&call, options);
	add_text(&call, "uri", uri);
	add_text(&call, "owner", owner);
	return send_call(link, &purge_script, &call, cb, arg);
}

int scripts_inbox(struct link *link, const struct desk_options *options,
		  const struct inbox_question *question, link_reply_cb *cb, void *arg)
{
	struct call call;

	begin(&call, options);
	add_text(&call, "name", question->name);
	add_text(&call, "consumer", question->consumer);
	add_number(&call, "lease_ms", (int64_t)question->lease_ms);
	add_text(&call, "take", question->take ? "1" : "0");
	add_number(&call, "idle_ms", (int64_t)question->idle_ms);
	add_text(&call, "from", question->from);
	add_number(&call, "pause_ms", (int64_t)question->pause_ms);
	add_number(&call, "tries", question->tries);
	add_number(&call, "read", question->read);
	return send_call(link, &inbox_script, &call, cb, arg);
}

int scripts_probe(struct link *link, const struct desk_options *options, link_reply_cb *cb,
		  void *arg)
{
	struct call call;

	begin(&call, options);
	return send_call(link, &probe_script, &call, cb, arg);
}
