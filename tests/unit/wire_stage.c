/* wire_stage.c - a small theatre for the wire. */
#include "cmocka_all.h"
#include "wire_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ARGV: how many, first version, action, uri ("": u<version>), bytes of text, 1: publish. */
static const char *const post_script =
	"local P = '{newswire}:'\n"
	"for version = tonumber(ARGV[2]), ARGV[2] + ARGV[1] - 1 do\n"
	"  local action, uri = ARGV[3], ARGV[4]\n"
	"  if uri == '' then uri = 'u' .. version end\n"
	"  local prev = redis.call('GET', P .. 'head') or '0-0'\n"
	"  local ms, seq = prev:match('(%d+)-(%d+)')\n"
	"  local time = redis.call('TIME')\n"
	"  local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	"  local id\n"
	"  if now > tonumber(ms) then id = string.format('%.0f-0', now)\n"
	"  else id = string.format('%s-%.0f', ms, seq + 1) end\n"
	"  local body = ''\n"
	"  if action ~= 'kill' and action ~= 'hold' then\n"
	"    body = '{\"uri\":\"' .. uri .. '\",\"version\":\"' .. version .. '\",\"title\":\"' "
	"..\n"
	"      string.rep('x', tonumber(ARGV[5])) .. '\"}'\n"
	"    redis.call('SET', P .. 'body:' .. uri .. ':' .. version, body)\n"
	"  end\n"
	"  local meta = '{\"action\":\"' .. action .. '\",\"uri\":\"' .. uri .. "
	"'\",\"version\":\"' .. version ..\n"
	"    '\",\"class\":\"regular\",\"channels\":\"class:regular feed:all world\"}'\n"
	"  local heard = ARGV[6] == '1' and redis.call('PUBSUB', 'NUMSUB', 'newswire:out')[2] or "
	"0\n"
	"  redis.call('XADD', P .. 'wire', id, 'v', '1', 'prev', prev, 'meta', meta, 'heard', "
	"heard)\n"
	"  redis.call('SET', P .. 'head', id)\n"
	"  if ARGV[6] == '1' then\n"
	"    redis.call('PUBLISH', 'newswire:out', '1 ' .. (redis.call('GET', P .. 'epoch') or "
	"'none') .. ' ' ..\n"
	"      id .. ' ' .. prev .. '\\n' .. meta .. '\\n' .. body)\n"
	"  end\n"
	"end\n";

static void write_down(struct follower *f, const char *text)
{
	size_t len = strlen(text);

	f->told = realloc(f->told, f->told_len + len + 1);
	assert_non_null(f->told);
	memcpy(f->told + f->told_len, text, len + 1);
	f->told_len += len;
}

static void on_post(void *arg, struct post *post)
{
	struct follower *f = arg;

	assert_int_equal(wire_id_compare(post->id, wire_head(f->wire)), 0);
	f->posts++;
	write_down(f, post->version);
	write_down(f, post->blanked ? "- " : " ");
}

static void on_epoch(void *arg)
{
	struct follower *f = arg;

	f->epochs++;
	write_down(f, "E");
}

static void on_tick(void *arg)
{
	struct follower *f = arg;

	f->ticks++;
	wire_settle(f->wire, NULL);
	wire_turn_ends(f->wire);
	write_down(f, "|");
}

static void on_confirmed(void *arg, struct wire_id head)
{
	struct follower *f = arg;

	f->confirms++;
	f->confirmed = head;
}

static void on_canary(void *arg, struct post *post)
{
	struct follower *f = arg;

	f->canaries++;
	f->canary = canary_note_number(post->body, post->body_len);
	f->canary_at = post->id;
}

static void on_withdrawn(void *arg, const struct post *withdrawal)
{
	struct follower *f = arg;
	const struct post *older = backlog_newest(wire_backlog(f->wire), withdrawal->uri);

	assert_true(older == NULL || older->blanked || older->body == NULL);
	write_down(f, "W");
}

int stage_set_up(void **state)
{
	struct stage *s = calloc(1, sizeof *s);

	assert_non_null(s);
	uv_loop_init(&s->loop);
	s->redis = redis_fixture_start();
	s->backlog_bytes = 1 << 20;
	s->max_entries = 100000;
	*state = s;
	return 0;
}

void stage_leave(struct stage *s, unsigned i)
{
	struct follower *f = &s->follower[i];

	wire_close(f->wire);
	free(f->told);
	*f = (struct follower){0};
}

int stage_tear_down(void **state)
{
	struct stage *s = *state;

	for (unsigned i = 0; i < STAGE_FOLLOWERS; i++)
		stage_leave(s, i);
	redis_fixture_close_loop(&s->loop);
	redis_fixture_stop(s->redis);
	free(s);
	return 0;
}

struct follower *stage_open_wire(struct stage *s, unsigned i)
{
	static const struct wire_events events = {on_post,	on_epoch,  on_tick,
						  on_confirmed, on_canary, on_withdrawn};
	struct wire_options options = {.prefix = "newswire",
				       .backlog_bytes = s->backlog_bytes,
				       .retention_ms = 3600000,
				       .max_entries = s->max_entries};
	struct follower *f = &s->follower[i];
	struct redis_place place;
	char error[200];

	assert_int_equal(
		redis_place_read(&place, redis_fixture_address(s->redis), error, sizeof error), 0);
	write_down(f, "");
	f->wire = wire_open(&s->loop, &place, &options, &events, f);
	assert_non_null(f->wire);
	redis_place_free(&place);
	return f;
}

static bool is_following(void *arg)
{
	return wire_is_following(((struct follower *)arg)->wire);
}

void stage_until(struct stage *s, bool (*condition)(void *), void *arg)
{
	redis_fixture_run_until(&s->loop, condition, arg, STAGE_SOON);
}

void stage_until_following(struct stage *s, struct follower *f)
{
	stage_until(s, is_following, f);
}

struct follower *stage_follow(struct stage *s, unsigned i)
{
	struct follower *f = stage_open_wire(s, i);

	stage_until_following(s, f);
	return f;
}

static void run_post(struct stage *s, unsigned count, unsigned version, const char *action,
		     const char *uri, size_t bytes, bool publish)
{
	char count_text[12], version_text[12], bytes_text[24];
	const char *argv[] = {count_text, version_text, action,
			      uri,	  bytes_text,	publish ? "1" : "0"};

	snprintf(count_text, sizeof count_text, "%u", count);
	snprintf(version_text, sizeof version_text, "%u", version);
	snprintf(bytes_text, sizeof bytes_text, "%zu", bytes);
	redis_fixture_eval(s->redis, post_script, COUNT_OF(argv), argv);
}

void stage_post(struct stage *s, const char *uri, const char *action, unsigned version)
{
	run_post(s, 1, version, action, uri, 10, true);
}

void stage_post_large(struct stage *s, const char *uri, unsigned version, size_t bytes)
{
	run_post(s, 1, version, "publish", uri, bytes, true);
}

void stage_post_unheard(struct stage *s, const char *uri, unsigned version)
{
	run_post(s, 1, version, "publish", uri, 10, false);
}

void stage_post_many(struct stage *s, unsigned first_version, unsigned count)
{
	run_post(s, count, first_version, "publish", "", 10, true);
}

struct wish {
	struct follower *f;
	unsigned count;
};

static bool has_posts(void *arg)
{
	const struct wish *wish = arg;

	return wish->f->posts >= wish->count;
}

void stage_until_posts(struct stage *s, struct follower *f, unsigned posts)
{
	stage_until(s, has_posts, &(struct wish){f, posts});
}

static bool has_epochs(void *arg)
{
	const struct wish *wish = arg;

	return wish->f->epochs >= wish->count;
}

void stage_until_epochs(struct stage *s, struct follower *f, unsigned epochs)
{
	stage_until(s, has_epochs, &(struct wish){f, epochs});
}

const char *stage_told(struct follower *f)
{
	char *to = f->told;

	for (const char *from = f->told; *from; from++)
		if (*from != '|')
			*to++ = *from;
	*to = '\0';
	f->told_len = (size_t)(to - f->told);
	return f->told;
}
