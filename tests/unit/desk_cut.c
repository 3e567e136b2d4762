/* Goal: whatever stops a script in its middle, nothing stays half-done. An error at any command of it: either nothing was
 * written, or the same input again brings everything to where it belongs. A machine that dies while Redis writes its file: it
 * comes back with all of it, or with nothing.
 */
#include "cmocka_all.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/base.h"
#include "base/clock.h"
#include "desk_accept.h"

/* Times that are the same in every run. */
static int64_t soon;

/* --- what happens ------------------------------------------------------------------------------- */

/* What is there before, and what then happens; act() returns -1 if the script said an error. */
struct deed {
	const char *name;
	void (*before)(void);
	int (*act)(void);
};

static int send_it(struct sent s)
{
	return strcmp(accept_item(s), "error") == 0 ? -1 : 0;
}
#define ACT(...) send_it((struct sent){__VA_ARGS__})

#define FIRST	 .version = "1", .created = 1000, .text = "first", .channels = "feed:all world"
#define HELD(at) .version = "3", .created = 3000, .text = "held", .embargo = (at)

static void nothing(void)
{
}

static void a_story(void)
{
	SEND(.uri = "urn:other", .created = 1);
	SEND(FIRST, .expires = 1);
	SEND(.version = "2", .created = 2000, .text = "second", .channels = "feed:all sport");
}

static void a_story_and_a_held_version(void)
{
	a_story();
	SEND(HELD(soon));
}

static void a_due_version(void)
{
	SEND(HELD(soon));
	time_passes("urn:a");
}

static void a_story_and_a_due_version(void)
{
	a_story_and_a_held_version();
	time_passes("urn:a");
}

static void an_overtaken_version(void)
{
	a_story_and_a_due_version();
	stage_ask("HSET {newswire}:item:urn:a version 4");
}

static void a_withheld_story(void)
{
	a_story();
	SEND(.version = "3", .created = 3000, .status = "withheld");
}

static void a_killed_story(void)
{
	a_story();
	SEND(.version = "3", .status = "canceled");
}

static void an_entry_and_a_story(void)
{
	a_story_and_a_held_version();
	stage_ask("XGROUP CREATE {newswire}:inbox desk 0 MKSTREAM");
	stage_ask("XADD {newswire}:inbox 5-1 channel world item text");
	stage_ask("XREADGROUP GROUP desk me COUNT 1 STREAMS {newswire}:inbox >");
}

static void an_entry_and_a_killed_story(void)
{
	an_entry_and_a_story();
	SEND(.version = "3", .status = "canceled");
}

static int publish(void)
{
	return ACT(FIRST, .idem = "k1");
}
static int update(void)
{
	return ACT(.uri = "urn:b", .evolved = "urn:a", .created = 5000);
}
static int correct(void)
{
	return ACT(.version = "3", .created = 3000, .channels = "feed:all world local");
}
static int replace(void)
{
	return ACT(.version = "2", .created = 2500, .text = "third", .channels = "feed:all sport");
}
static int send_also(void)
{
	return ACT(.version = "2", .created = 2000, .text = "second", .channels = "local");
}
static int send_old(void)
{
	return ACT(.version = "1", .created = 1500, .text = "old");
}
static int repeat(void)
{
	return ACT(.version = "2", .created = 2000, .text = "second", .channels = "feed:all sport",
		   .seen = "other");
}
static int kill_it(void)
{
	return ACT(.version = "3", .status = "canceled", .idem = "k1");
}
static int withhold(void)
{
	return ACT(.version = "4", .created = 4000, .status = "withheld");
}
static int hold_back(void)
{
	return ACT(HELD(soon), .idem = "k1");
}
static int move_embargo(void)
{
	return ACT(HELD(soon + 5000));
}
static int lift_embargo(void)
{
	return ACT(.version = "3", .created = 3500, .text = "lifted");
}
static int too_far(void)
{
	return ACT(.embargo = soon + INT64_C(900000000), .idem = "k1");
}
static int correct_by_entry(void)
{
	return ACT(.version = "4", .created = 4000, .entry = "5-1");
}
static int kill_by_entry(void)
{
	return ACT(.version = "4", .status = "canceled", .entry = "5-1");
}
static int reject_it_by_entry(void)
{
	return strcmp(reject_entry("s1", "5-1"), "error") == 0 ? -1 : 0;
}
static int release(void)
{
	return release_due("") < 0 ? -1 : 0;
}
static int purge(void)
{
	return strncmp(purge_item("urn:a"), "ERR", 3) == 0 ? -1 : 0;
}
static int reject(void)
{
	return strcmp(reject_item("s1", "k1"), "error") == 0 ? -1 : 0;
}

static void an_entry(void)
{
	stage_ask("XGROUP CREATE {newswire}:inbox desk 0 MKSTREAM");
	stage_ask("XADD {newswire}:inbox 1-1 channel world item x");
	stage_ask("XREADGROUP GROUP desk me STREAMS {newswire}:inbox >");
}
static void an_entry_of_the_killed(void)
{
	a_killed_story();
	an_entry();
}
static int publish_entry(void)
{
	return ACT(FIRST, .entry = "1-1");
}
static int reject_it(void)
{
	return strcmp(reject_entry("s1", "1-1"), "error") == 0 ? -1 : 0;
}

static const struct deed deeds[] = {
	{"a new story", nothing, publish},
	{"an update", a_story, update},
	{"a correction", a_story, correct},
	{"the same version, newer", a_story, replace},
	{"the same for more channels", a_story, send_also},
	{"an old version", a_story, send_old},
	{"a duplicate", a_story, repeat},
	{"a kill", a_story_and_a_held_version, kill_it},
	{"a kill of the unknown", nothing, kill_it},
	{"a late version of the killed", a_killed_story, correct},
	{"a hold", a_story_and_a_held_version, withhold},
	{"a hold of the unknown", nothing, withhold},
	{"the end of a hold", a_withheld_story, correct},
	{"an embargo", nothing, hold_back},
	{"an embargoed correction", a_story, hold_back},
	{"an embargo moved", a_story_and_a_held_version, move_embargo},
	{"an embargo lifted", a_story_and_a_held_version, lift_embargo},
	{"an embargo too far", a_story, too_far},
	{"a release", a_due_version, release},
	{"the release of a correction", a_story_and_a_due_version, release},
	{"the release of what was overtaken", an_overtaken_version, release},
	{"a purge", a_story_and_a_held_version, purge},
	{"a purge of what is held", a_due_version, purge},
	{"what cannot be read", nothing, reject},
	{"an entry of the inbox", an_entry_and_a_story, correct_by_entry},
	{"a kill through the inbox", an_entry_and_a_story, kill_by_entry},
	{"a late entry of the killed", an_entry_and_a_killed_story, correct_by_entry},
	{"an entry that cannot be read", an_entry_and_a_story, reject_it_by_entry},
	{"an entry of the inbox", an_entry, publish_entry},
	{"an entry that is refused", an_entry_of_the_killed, publish_entry},
	{"an entry that cannot be read", an_entry, reject_it},
};

/* --- errors ----------------------------------------------------------------------------------------- */

/* Everything that matters, as text: all but ids, times of day, and how often something was noted. */
static const char *const tell_state =
	"local out = {} "
	"local function say(...) out[#out + 1] = table.concat({...}, ' ') end "
	"local function fields(flat) local f = {} for i = 1, #flat, 2 do f[flat[i]] = flat[i + 1] "
	"end return f end "
	"local names = redis.call('KEYS', '*') table.sort(names) "
	"for _, name in ipairs(names) do "
	"  local kind, short = redis.call('TYPE', name).ok, name:sub(#'{newswire}:' + 1) "
	"  say(short, kind, redis.call('PTTL', name) > 0 and 'passes' or 'stays') "
	"  if kind == 'hash' and not short:find('^idem:') then "
	"    local f, list = fields(redis.call('HGETALL', name)), {} "
	"    if #(f.created or '') > 12 then f.created = 'now' end "
	"    f.first, f.last = f.first and 'id', f.last and 'id' "
	"    f.posts = f.posts and f.posts:gsub('%d+%-%d+', 'id') "
	"    for k, v in pairs(f) do list[#list + 1] = '  ' .. k .. '=' .. v end "
	"    table.sort(list) say(table.concat(list, '\\n')) "
	"  elseif short:find('^body:') then say('  ' .. redis.call('GET', name)) "
	"  elseif short == 'inbox' then say('  ' .. redis.call('XLEN', name), "
	"redis.call('XPENDING', name, 'desk')[1]) "
	"  elseif short == 'embargo' then say('  ' .. table.concat(redis.call('ZRANGE', name, 0, "
	"-1, 'WITHSCORES'), ' ')) "
	"  elseif kind == 'zset' then say('  ' .. table.concat(redis.call('ZRANGE', name, 0, -1), "
	"' ')) "
	"  elseif short == 'wire' then local last = '0-0' "
	"    for _, entry in ipairs(redis.call('XRANGE', name, '-', '+')) do local f = "
	"fields(entry[2]) "
	"      say('  ' .. f.meta, f.prev == last and 'chained' or 'LOOSE') last = entry[1] end "
	"    say(redis.call('GET', '{newswire}:head') == last and 'head' or 'NO HEAD') "
	"  elseif short == 'inbox' then "
	"    say('  waits', redis.call('XLEN', name), redis.call('XPENDING', name, 'desk')[1]) "
	"  elseif short == 'audit' or short == 'rejects' then local had = {} "
	"    for _, entry in ipairs(redis.call('XRANGE', name, '-', '+')) do local f = "
	"fields(entry[2]) "
	"      local line = table.concat({f.what or f.reason, f.uri, f.version}, ' "
	"') "
	"      if not had[line] then had[line] = true say('  ' .. line) end end "
	"  end "
	"end "
	"return table.concat(out, '\\n')";

static char *state_now(void)
{
	redisReply *reply = redisCommand(stage.link, "EVAL %s 0", tell_state);
	char *text;

	assert_non_null(reply);
	if (reply->type != REDIS_REPLY_STRING)
		fail_msg("%s", reply->str);
	text = strdup(reply->str);
	freeReplyObject(reply);
	return text;
}

static void is_the_same(const struct deed *deed, int n, const char *now, const char *then)
{
	if (strcmp(now, then) == 0)
		return;
	fprintf(stderr, "%s, cut at %d:\n%s\n\nshould be:\n%s\n", deed->name, n, now, then);
	fail();
}

/* One run of which the n-th command fails, and then one of which none does. Returns whether there is an n-th. */
static bool is_mended(const struct deed *deed, int n, const char *done, int *cuts)
{
	char *before, *after;
	bool failed;

	stage_clear(NULL);
	deed->before();
	before = state_now();
	fail_at = n;
	failed = deed->act() == -1;
	fail_at = 0;
	after = state_now();
	if (failed) {
		*cuts += strcmp(before, after) != 0;
		deed->act();
		free(after);
		after = state_now();
	}
	is_the_same(deed, n, after, done);
	free(before);
	free(after);
	return failed;
}

static void an_error_at_any_command_leaves_nothing_that_the_same_input_does_not_finish(void **state)
{
	int runs = 0, cuts = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(deeds); i++) {
		char *done;
		int n = 1;

		stage_clear(NULL);
		deeds[i].before();
		assert_int_equal(deeds[i].act(), 0);
		done = state_now();
		while (is_mended(&deeds[i], n, done, &cuts))
			n++;
		runs += n - 1;
		free(done);
	}
	print_message("%d errors, %d of them after a write\n", runs, cuts);
	assert_true(cuts > 100);
}

/* --- a machine that dies ---------------------------------------------------------------------------- */

/* Redis' append-only file. */
static struct file {
	char path[320];
	char *bytes;
	size_t len;
} file;

static void find_file(void)
{
	int dir_len = (int)(strlen(stage.socket) - strlen("/redis.sock"));
	char dir[256];
	struct dirent *entry;
	DIR *listing;

	snprintf(dir, sizeof dir, "%.*s/appendonlydir", dir_len, stage.socket);
	assert_non_null(listing = opendir(dir));
	while ((entry = readdir(listing)) != NULL)
		if (strstr(entry->d_name, ".incr.aof"))
			snprintf(file.path, sizeof file.path, "%s/%.60s", dir, entry->d_name);
	closedir(listing);
}

static size_t file_size(void)
{
	struct stat about;

	assert_int_equal(stat(file.path, &about), 0);
	return (size_t)about.st_size;
}

static void keep_file(void)
{
	FILE *in = fopen(file.path, "rb");

	assert_non_null(in);
	file.len = file_size();
	free(file.bytes);
	assert_non_null(file.bytes = malloc(file.len));
	assert_int_equal(fread(file.bytes, 1, file.len, in), file.len);
	fclose(in);
}

/* The file as it was, but only so much of it. Returns what Redis makes of that. */
static char *come_back_with(size_t len)
{
	long long noted;
	char *now, *text;
	FILE *to;

	stage_kill_redis();
	assert_non_null(to = fopen(file.path, "wb"));
	assert_int_equal(fwrite(file.bytes, 1, len, to), len);
	fclose(to);
	stage_start_redis();
	now = state_now();
	noted = stage_number("XLEN {newswire}:audit");
	assert_true(asprintf(&text, "%s\n%lld deeds, head %s", now, noted,
			     stage_text("GET {newswire}:head")) > 0);
	free(now);
	return text;
}

/* Where the command that begins here ends: `*<count>`, then as many `$<length>` and texts. */
static size_t end_of_command(size_t at)
{
	char *end;
	long count = strtol(file.bytes + at + 1, &end, 10);

	assert_int_equal(file.bytes[at], '*');
	for (end += 2; count > 0; count--) {
		long len = strtol(end + 1, &end, 10);
		end += 2 + len + 2;
	}
	return (size_t)(end - file.bytes);
}

static void comes_back_as(const struct deed *deed, size_t len, const char *then)
{
	char *now = come_back_with(len);

	is_the_same(deed, (int)len, now, then);
	free(now);
}

/* Cut behind every command, and in the middle of each. Returns how often. */
static int dies_in_the_middle_of(const struct deed *deed)
{
	char *before, *after;
	size_t start;
	int cuts = 0;

	stage_clear(NULL);
	deed->before();
	start = file_size();
	assert_int_equal(deed->act(), 0);
	keep_file();
	before = come_back_with(start);
	after = come_back_with(file.len);
	assert_string_not_equal(before, after);
	for (size_t at = start, end; at < file.len; at = end, cuts += 2) {
		end = end_of_command(at);
		comes_back_as(deed, at + (end - at) / 2, before);
		comes_back_as(deed, end, end == file.len ? after : before);
	}
	free(before);
	free(after);
	return cuts;
}

static void who_dies_while_redis_writes_comes_back_with_all_of_it_or_nothing(void **state)
{
	int cuts = 0;

	(void)state;
	find_file();
	for (size_t i = 0; i < COUNT_OF(deeds); i += 3) /* each takes some seconds */
		cuts += dies_in_the_middle_of(&deeds[i]);
	print_message("the file was cut %d times\n", cuts);
	free(file.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_dies_while_redis_writes_comes_back_with_all_of_it_or_nothing),
		cmocka_unit_test(
			an_error_at_any_command_leaves_nothing_that_the_same_input_does_not_finish),
	};

	soon = clock_wall_ms() + 60000;
	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
