/* desk_accept.c - the desk's scripts, asked directly, and what Redis holds afterwards. */
#include "cmocka_all.h"
#include "desk_accept.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "lua_scripts.h"

struct decision got;
struct release freed;
struct purge gone;
int fail_at;

static const char *or_else(const char *text, const char *preset)
{
	return text ? text : preset;
}

/* Before a script: its n-th redis.call() raises an error. */
static const char *const saboteur =
	"local redis = (function(real) local count = 0 "
	"local function call(...) count = count + 1 "
	"if count == %d then error({err = 'ERR sabotage'}) end return real.call(...) end "
	"return {call = call, pcall = real.pcall, error_reply = real.error_reply, "
	"sha1hex = real.sha1hex} end)(redis)\n%s";

/* Runs a script with names and values; the reply lives until the next question to the stage. */
static redisReply *run(const char *script, const char *const *args, size_t count)
{
	const char *argv[80] = {"EVAL", script, "1", "{newswire}:wire"};
	char *sabotaged = NULL;

	assert_true(count + 4 <= COUNT_OF(argv));
	memcpy(argv + 4, args, count * sizeof *args);
	if (fail_at) {
		assert_true(asprintf(&sabotaged, saboteur, fail_at, script) > 0);
		argv[1] = sabotaged;
	}
	redisReply *reply = redisCommandArgv(stage.link, (int)count + 4, argv, NULL);
	assert_non_null(reply);
	free(sabotaged);
	return reply;
}

static void keep(char *to, size_t size, const redisReply *from)
{
	snprintf(to, size, "%s", from->str);
}

/* FNV-1a: what is hashed cannot be found in Redis. */
static void hash_text(char *out, size_t size, const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	snprintf(out, size, "%016" PRIx64, hash);
}

static const char *hear(redisReply *reply)
{
	memset(&got, 0, sizeof got);
	if (reply->type == REDIS_REPLY_ERROR) {
		keep(got.error, sizeof got.error, reply);
		strcpy(got.result, "error");
	} else {
		assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
		assert_int_equal(reply->elements, 8);
		keep(got.result, sizeof got.result, reply->element[0]);
		keep(got.id, sizeof got.id, reply->element[1]);
		keep(got.action, sizeof got.action, reply->element[2]);
		keep(got.channels, sizeof got.channels, reply->element[3]);
		keep(got.code, sizeof got.code, reply->element[4]);
		keep(got.detail, sizeof got.detail, reply->element[5]);
		got.due = strtoll(reply->element[6]->str, NULL, 10);
		got.replayed = strcmp(reply->element[7]->str, "1") == 0;
	}
	freeReplyObject(reply);
	return got.result;
}

/* What is only there at times comes last. */
static const char *run_with(const char *script, const char *const *args, size_t count,
			    const char *idem, const char *entry)
{
	const char *all[72];

	assert_true(count + 6 <= COUNT_OF(all));
	memcpy(all, args, count * sizeof *args);
	if (idem) {
		all[count++] = "idem";
		all[count++] = idem;
	}
	if (entry) {
		all[count++] = "entry";
		all[count++] = entry;
		all[count++] = "consumer";
		all[count++] = "me";
	}
	return hear(run(script, all, count));
}

const char *accept_item(struct sent s)
{
	char rights[80], clock[24], created[24], embargo[24], expires[24], body[512], hash[20],
		seen[20], all[1024];
	const char *uri = or_else(s.uri, "urn:a"), *version = or_else(s.version, "1"),
		   *text = or_else(s.text, "words");
	const char *channels = or_else(s.channels, "feed:all world"),
		   *owner = or_else(s.owner, "redis");
	const char *status = or_else(s.status, "usable");

	snprintf(rights, sizeof rights, "%s%s",
		 or_else(s.rights, "publish correct kill flash embargo"), s.override ? " all" : "");
	snprintf(clock, sizeof clock, "%" PRId64, s.clock ? s.clock : INT64_MAX / 2);
	snprintf(created, sizeof created, "%" PRId64, s.created);
	snprintf(embargo, sizeof embargo, "%" PRId64, s.embargo);
	snprintf(expires, sizeof expires, "%" PRId64, s.expires);
	snprintf(body, sizeof body, "{\"uri\":\"%s\",\"body\":\"%s\"}", uri, text);
	snprintf(all, sizeof all, "%s/%s/%s", version, text, status);
	hash_text(hash, sizeof hash, all);
	snprintf(all, sizeof all, "%s/%s/%.512s/%s/%s/%s/%s", uri, hash, channels, owner, created,
		 embargo, expires);
	hash_text(seen, sizeof seen, all);
	const char *args[] = {"prefix",
			      "newswire",
			      "seen",
			      or_else(s.seen, seen),
			      "seen_ms",
			      "90000000",
			      "bytes",
			      "99",
			      "channel",
			      "world",
			      "owner",
			      owner,
			      "rights",
			      rights,
			      "epoch",
			      "e1",
			      "retention_ms",
			      "86400000",
			      "archive_ms",
			      "2592000000",
			      "max_embargo_ms",
			      "100000000",
			      "clock",
			      clock,
			      "feed_max",
			      or_else(s.feed_max, "1000"),
			      "uri",
			      uri,
			      "version",
			      version,
			      "created",
			      created,
			      "embargo",
			      embargo,
			      "expires",
			      expires,
			      "status",
			      status,
			      "class",
			      or_else(s.class, "regular"),
			      "evolved",
			      or_else(s.evolved, ""),
			      "lang",
			      or_else(s.lang, "en"),
			      "type",
			      "text",
			      "notice",
			      or_else(s.notice, ""),
			      "channels",
			      channels,
			      "hash",
			      or_else(s.hash, hash),
			      "body",
			      body};

	return run_with(lua_accept, args, COUNT_OF(args), s.idem, s.entry);
}

int release_due(const char *rewritten)
{
	return release_at(rewritten, INT64_MAX / 2, 0);
}

int release_at(const char *rewritten, int64_t time, int64_t ahead_ms)
{
	char clock[24], ahead[24];
	const char *args[] = {"prefix",	      "newswire", "epoch",	"e1",
			      "retention_ms", "86400000", "archive_ms", "2592000000",
			      "feed_max",     "1000",	  "rewritten",	rewritten,
			      "clock",	      clock,	  "ahead",	ahead};

	snprintf(clock, sizeof clock, "%" PRId64, time);
	snprintf(ahead, sizeof ahead, "%" PRId64, ahead_ms);
	redisReply *reply = run(lua_release, args, COUNT_OF(args));

	if (reply->type == REDIS_REPLY_ERROR) {
		if (!fail_at)
			fail_msg("%s", reply->str);
		freeReplyObject(reply);
		return -1;
	}
	assert_int_equal(reply->elements, 5);
	freed.count = (int)strtol(reply->element[0]->str, NULL, 10);
	keep(freed.due, sizeof freed.due, reply->element[1]);
	keep(freed.rewrite, sizeof freed.rewrite, reply->element[2]);
	keep(freed.problem, sizeof freed.problem, reply->element[3]);
	freeReplyObject(reply);
	return freed.count;
}

int64_t redis_now(void)
{
	redisReply *time = stage_ask("TIME");

	return strtoll(time->element[0]->str, NULL, 10) * 1000 +
	       strtoll(time->element[1]->str, NULL, 10) / 1000;
}

void time_passes(const char *uri)
{
	stage_ask("HSET {newswire}:held:%s until %s", uri, "1000");
	stage_ask("ZADD {newswire}:embargo 1000 %s", uri);
}

int on_the_wire(void)
{
	return (int)stage_number("XLEN {newswire}:wire");
}

const char *newest(void)
{
	redisReply *reply = stage_ask("XREVRANGE {newswire}:wire + - COUNT 1");

	return reply->elements ? reply->element[0]->element[1]->element[5]->str : "";
}

void newest_says(const char *what)
{
	if (strstr(newest(), what) == NULL)
		fail_msg("the newest post is %s, without %s", newest(), what);
}

const char *item_field(const char *uri, const char *field)
{
	return stage_text("HGET {newswire}:item:%s %s", uri, field);
}

bool in_feed(const char *channel, const char *uri)
{
	return *stage_text("ZSCORE {newswire}:feed:%s %s", channel, uri) != '\0';
}

int refusals(void)
{
	return (int)stage_number("XLEN {newswire}:rejects");
}

static const char *reject(const char *seen, const char *idem, const char *entry)
{
	const char *args[] = {"prefix",	  "newswire", "seen",	  seen,	    "seen_ms",
			      "90000000", "reason",   "not_json", "detail", "It is no JSON.",
			      "pointer",  "",	      "channel",  "world",  "owner",
			      "redis",	  "bytes",    "12"};

	return run_with(lua_reject, args, COUNT_OF(args), idem, entry);
}

const char *reject_item(const char *seen, const char *idem)
{
	return reject(seen, idem, NULL);
}

const char *reject_entry(const char *seen, const char *entry)
{
	return reject(seen, NULL, entry);
}

const char *purge_item(const char *uri)
{
	const char *args[] = {"prefix", "newswire", "uri", uri,		 "owner",
			      "node",	"epoch",    "e1",  "archive_ms", "2592000000"};
	redisReply *reply = run(lua_purge, args, COUNT_OF(args));

	memset(&gone, 0, sizeof gone);
	if (reply->type == REDIS_REPLY_ERROR) {
		keep(gone.result, sizeof gone.result, reply);
	} else {
		assert_int_equal(reply->elements, 5);
		keep(gone.result, sizeof gone.result, reply->element[0]);
		keep(gone.id, sizeof gone.id, reply->element[1]);
		keep(gone.versions, sizeof gone.versions, reply->element[2]);
		keep(gone.feeds, sizeof gone.feeds, reply->element[3]);
		keep(gone.held, sizeof gone.held, reply->element[4]);
	}
	freeReplyObject(reply);
	return gone.result;
}
