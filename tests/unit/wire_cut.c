/* Goal: a script of the wire that an error stops in its middle does the rest when it is asked again. */
#include "cmocka_all.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "lua_scripts.h"
#include "redis_fixture.h"

enum { ARGS_MAX = 8 };

static struct redis_fixture *redis;
static redisContext *link_;

/* Before a script: its n-th command raises an error. */
static const char *const saboteur =
	"local redis = (function(real) local count = 0 "
	"local function step(f) return function(...) count = count + 1 "
	"if count == %d then error({err = 'ERR sabotage'}) end return f(...) end end "
	"return {call = step(real.call), pcall = step(real.pcall)} end)(redis)\n%s";

/* A wire of five old entries, each with a report, and what is asked of it. */
static const char *const before =
	"local P = '{newswire}:' "
	"for i = 1, 5 do redis.call('XADD', P .. 'wire', i .. '-0', 'v', '1', 'prev', (i - 1) .. "
	"'-0', 'meta', '{}') "
	"redis.call('HSET', P .. 'reach:' .. i .. '-0', 'other', '1 0 1 5') end "
	"redis.call('SET', P .. 'head', '5-0') redis.call('SET', P .. 'epoch', 'e1') "
	"redis.call('XADD', P .. 'wire', '9000000000000-0', 'v', '1', 'prev', '5-0', 'meta', '{}') "
	"redis.call('SET', P .. 'head', '9000000000000-0')";

static const struct deed {
	const char *name;
	const char *script;
	const char *args[ARGS_MAX];
} deeds[] = {
	{"trim", lua_trim, {"{newswire}", "me", "1000", "100", "3", NULL}},
	{"trim by length", lua_trim, {"{newswire}", "me", "99999999999999", "2", "10", NULL}},
	{"report",
	 lua_report,
	 {"{newswire}", "me", "60000", "7-0 0 0 1 -\n9000000000000-0 2 1 1 -\n", NULL}},
	{"attach after a fork", lua_attach, {"{newswire}", "e2", "e1", "5-0", "1", NULL}},
	{"attach to nothing", lua_attach, {"{other}", "e2", "", "0-0", "0", NULL}},
};

/* Every key, whether it passes, and what it holds. */
static const char *const tell_state =
	"local out, names = {}, redis.call('KEYS', '*') table.sort(names) "
	"for _, name in ipairs(names) do local kind = redis.call('TYPE', name).ok "
	"  local value = kind == 'string' and redis.call('GET', name) or kind == 'hash' and "
	"redis.call('HGETALL', name) "
	"    or redis.call('XRANGE', name, '-', '+') "
	"  out[#out + 1] = name .. (redis.call('PTTL', name) > 0 and ' passes ' or ' stays ') .. "
	"cjson.encode(value) "
	"end return table.concat(out, '\\n')";

static redisReply *ask(int argc, const char **argv)
{
	redisReply *reply = redisCommandArgv(link_, argc, argv, NULL);

	assert_non_null(reply);
	return reply;
}

static char *eval(const char *script)
{
	const char *argv[] = {"EVAL", script, "0"};
	redisReply *reply = ask(3, argv);
	char *text = strdup(reply->str ? reply->str : "");

	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
	return text;
}

/* -1 if the script said an error. fail_at: which command raises one; 0: none. */
static int run(const struct deed *deed, int fail_at)
{
	const char *argv[ARGS_MAX + 4] = {"EVAL", NULL, "1", "{newswire}:wire"};
	int argc = 4, result;
	char *script;
	redisReply *reply;

	assert_true(asprintf(&script, saboteur, fail_at, deed->script) > 0);
	argv[1] = script;
	for (size_t i = 0; deed->args[i]; i++)
		argv[argc++] = deed->args[i];
	reply = ask(argc, argv);
	result = reply->type == REDIS_REPLY_ERROR ? -1 : 0;
	freeReplyObject(reply);
	free(script);
	return result;
}

static void begin(void)
{
	redis_fixture_do(redis, "FLUSHALL");
	free(eval(before));
}

static void an_error_at_any_command_is_made_good_by_the_next_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(deeds); i++) {
		char *done, *now;
		int n = 0, failed;

		begin();
		assert_int_equal(run(&deeds[i], 0), 0);
		done = eval(tell_state);
		do {
			begin();
			if ((failed = run(&deeds[i], ++n)) == -1)
				assert_int_equal(run(&deeds[i], 0), 0);
			now = eval(tell_state);
			if (strcmp(now, done) != 0)
				fail_msg("%s, cut at %d:\n%s\n\nshould be:\n%s", deeds[i].name, n,
					 now, done);
			free(now);
		} while (failed == -1);
		free(done);
		assert_true(n > 4);
	}
}

static int open_redis(void **state)
{
	(void)state;
	redis = redis_fixture_start();
	link_ = redisConnectUnix(redis_fixture_address(redis) + strlen("unix:"));
	assert_non_null(link_);
	return link_->err;
}

static int close_redis(void **state)
{
	(void)state;
	redisFree(link_);
	redis_fixture_stop(redis);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_at_any_command_is_made_good_by_the_next_call),
	};

	return cmocka_run_group_tests(tests, open_redis, close_redis);
}
