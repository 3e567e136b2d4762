/* cmd_publish.c - newswire publish: sends items, one after another, and says what became of each.
 *
 * Over HTTP: durable, with a receipt. Through Redis pub/sub: heard or not; through the inbox there: queued. An item that the server could
 * not take for now is tried again within --patience; what cannot be reached then ends the run, because a
 * later version must not overtake an earlier one.
 */
#include "command.h"
#include "item_file.h"
#include "progress.h"
#include "result.h"
#include "show.h"
#include "source.h"
#include "waiting.h"

#include <errno.h>
#include <string.h>
#include <uv.h>

enum { FIRST_WAIT_MS = 100, MOST_WAIT_MS = 2000, PROBLEM_SIZE = 512 };

struct run {
	const struct settings *settings;
	const char *const *channels;
	struct progress progress;
	size_t done; /* items dealt with; the next is settings->files[done] */
	enum exit_code code;

	/* HTTP only */
	struct source_desk desk;
	uv_loop_t loop;
	uv_timer_t timer;
	struct newswire_client *client;
	struct item_file item;
	struct waiting waiting; /* for the reach of the last one */
	uint64_t deadline;	/* uv_now() from which the item is not tried again */
	uint64_t wait_ms;	/* before the next try */
};

/* --- what both ways share ----------------------------------------------------------------------- */

/* Prints the line of one item: good news on stdout, bad on stderr. */
static void report(struct run *run, const char *line, enum exit_code code)
{
	progress_clear(&run->progress);
	if (code == CLI_OK || code == CLI_NOT_OUT) {
		fwrite(line, 1, strcspn(line, "\n"), stdout); /* JSON comes with its line end */
		fputc('\n', stdout);
		fflush(stdout);
	} else {
		command_say("%s", line);
	}
	run->code = result_worse(run->code, code);
	run->done++;
	progress_draw(&run->progress, run->done);
}

static void report_file(struct run *run, const char *file, const char *problem, enum exit_code code)
{
	char line[RESULT_SIZE];

	snprintf(line, sizeof line, "%s: %s", file, problem);
	report(run, line, code);
}

/* Says how many were left, when a run ends early. */
static void finish(struct run *run)
{
	size_t left = run->settings->file_count - run->done;

	progress_clear(&run->progress);
	if (left > 0)
		command_say("%zu more not tried: a later version must not overtake an earlier one",
			    left);
}

/* --- over HTTP ---------------------------------------------------------------------------------- */

static void send_next(struct run *run);
static void send_again(struct run *run);

static void on_timer(uv_timer_t *timer)
{
	send_again(timer->data);
}

/* Tries again soon if there is time. Returns whether it will. */
static bool try_later(struct run *run, const struct newswire_receipt *receipt)
{
	if (!result_is_temporary(receipt->status) ||
	    uv_now(&run->loop) + run->wait_ms > run->deadline)
		return false;
	if (run->wait_ms == FIRST_WAIT_MS) {
		progress_clear(&run->progress);
		fputs("newswire: ", stderr);
		show_text(stderr, receipt->problem, 400);
		fputs("; trying again\n", stderr);
	}
	uv_timer_start(&run->timer, on_timer, run->wait_ms, 0);
	run->wait_ms = run->wait_ms * 2 < MOST_WAIT_MS ? run->wait_ms * 2 : MOST_WAIT_MS;
	return true;
}

static void on_waited(void *data)
{
	send_next(data);
}

static void report_receipt(struct run *run, const struct newswire_receipt *receipt)
{
	enum exit_code code = result_exit(receipt->status);
	char line[RESULT_SIZE];

	if (run->settings->json && receipt->status < NEWSWIRE_REFUSED) {
		report(run, receipt->answer->text, code);
		return;
	}
	result_line(line, run->settings->files[run->done], receipt);
	report(run, line, code);
}

static void on_receipt(void *data, const struct newswire_receipt *receipt)
{
	struct run *run = data;

	if (try_later(run, receipt))
		return;
	report_receipt(run, receipt);
	item_file_free(&run->item);
	if (result_is_temporary(receipt->status))
		uv_stop(&run->loop);
	else if (!waiting_begin(&run->waiting, receipt))
		send_next(run);
}

static void send_again(struct run *run)
{
	if (newswire_publish_http(run->client, run->desk.url,
				  run->desk.key[0] ? run->desk.key : NULL, run->channels,
				  run->item.text, run->item.len, on_receipt, run) == 0)
		return;
	if (errno == EINVAL)
		command_say("an address, a channel or a key that cannot be used");
	else
		command_say("out of memory");
	run->code = errno == EINVAL ? CLI_USAGE : CLI_FAILED;
	uv_stop(&run->loop);
}

/* Sends the next item that can be read; ends the loop after the last. */
static void send_next(struct run *run)
{
	const struct settings *settings = run->settings;

	while (run->done < settings->file_count) {
		const char *file = settings->files[run->done];

		if (item_file_read(&run->item, file) == 0) {
			uv_update_time(&run->loop);
			run->deadline = uv_now(&run->loop) + settings->patience * 1000;
			run->wait_ms = FIRST_WAIT_MS;
			send_again(run);
			return;
		}
		report_file(run, file, run->item.problem, CLI_USAGE);
		item_file_free(&run->item);
	}
	uv_stop(&run->loop);
}

static void publish_http(struct run *run)
{
	run->code = source_find_desk(&run->desk, run->settings, run->settings->to, "--to");
	if (run->code != CLI_OK)
		return;
	if (uv_loop_init(&run->loop) < 0 ||
	    (run->client = source_client(&run->loop, run->settings)) == NULL) {
		run->code = CLI_FAILED;
		return;
	}
	uv_timer_init(&run->loop, &run->timer);
	run->timer.data = run;
	run->waiting = (struct waiting){.settings = run->settings,
					.client = run->client,
					.desk = &run->desk,
					.done = on_waited,
					.data = run};
	waiting_open(&run->waiting, &run->loop);
	send_next(run);
	uv_run(&run->loop, UV_RUN_DEFAULT); /* until uv_stop() */
	finish(run);
	item_file_free(&run->item);
	uv_close((uv_handle_t *)&run->timer, NULL);
	waiting_close(&run->waiting);
	source_close(&run->loop, run->client);
}

/* --- through Redis ------------------------------------------------------------------------------ */

/* Both return -1 with `problem` if the connection is of no more use. */

static int queue(struct run *run, struct newswire_redis *redis, const struct item_file *item,
		 const char *file, char *problem)
{
	char line[RESULT_SIZE], id[NEWSWIRE_ENTRY_SIZE];

	if (newswire_queue_redis(redis, run->channels, item->text, item->len, id, problem,
				 PROBLEM_SIZE) < 0)
		return -1;
	result_line_queued(line, file, id);
	report(run, line, CLI_OK);
	return 0;
}

static int call_out(struct run *run, struct newswire_redis *redis, const struct item_file *item,
		    const char *file, char *problem)
{
	char line[RESULT_SIZE];
	long long heard = newswire_publish_redis(redis, run->channels[0], item->text, item->len,
						 problem, PROBLEM_SIZE);

	if (heard < 0)
		return -1;
	result_line_heard(line, file, run->channels[0], heard);
	report(run, line, heard > 0 ? CLI_OK : CLI_REFUSED);
	return 0;
}

/* Returns -1 if the connection is of no more use. */
static int hand_over(struct run *run, struct newswire_redis *redis, const char *file)
{
	char problem[PROBLEM_SIZE];
	struct item_file item;
	int result = 0;

	if (item_file_read(&item, file) < 0) {
		report_file(run, file, item.problem, CLI_USAGE);
	} else if (item_file_check(&item) < 0) {
		report_file(run, file, item.problem, CLI_REFUSED);
	} else {
		result = run->settings->inbox ? queue(run, redis, &item, file, problem)
					      : call_out(run, redis, &item, file, problem);
		if (result < 0)
			report_file(run, file, problem, CLI_UNREACHABLE);
	}
	item_file_free(&item);
	return result;
}

static void publish_redis(struct run *run)
{
	const struct settings *settings = run->settings;
	struct newswire_redis *redis;
	char problem[PROBLEM_SIZE];

	if (settings->wait || settings->json) {
		command_say("Redis gives no receipt: --wait and --json need --to http…");
		run->code = CLI_USAGE;
		return;
	}
	if (settings->channels.count > 1 && !settings->inbox) {
		command_say("Redis pub/sub carries an item to one channel; several need --inbox or "
			    "--to http…");
		run->code = CLI_USAGE;
		return;
	}
	redis = newswire_redis_open(settings->to, settings->prefix, problem, sizeof problem);
	if (redis == NULL) {
		run->code = errno == EINVAL ? CLI_USAGE : CLI_UNREACHABLE;
		command_say("Redis: %s", problem); /* the address may hold a password */
		return;
	}
	while (run->done < settings->file_count &&
	       hand_over(run, redis, settings->files[run->done]) == 0)
		;
	finish(run);
	newswire_redis_close(redis);
}

/* --- the command -------------------------------------------------------------------------------- */

static bool channels_are_plain(const char *const *channels)
{
	for (; *channels; channels++) {
		if (!newswire_channel_is_plain(*channels)) {
			command_say(
				"no channel to publish on: %s (a-z 0-9 . _ -, at most %d, first a "
				"letter or a digit)",
				*channels, NEWSWIRE_MAX_CHANNEL);
			return false;
		}
	}
	return true;
}

enum exit_code cmd_publish(const struct settings *settings)
{
	static const char *const usual[] = {NEWSWIRE_CHANNEL_DEFAULT, NULL};
	struct run run = {
		.settings = settings,
		.channels = settings->channels.count ? settings->channels.words : usual,
		.progress = progress_begin(settings->file_count),
	};

	if (!channels_are_plain(run.channels))
		return CLI_USAGE;
	if (settings->to && newswire_redis_is_url(settings->to)) {
		publish_redis(&run);
	} else if (settings->inbox) {
		command_say("the inbox is in Redis: --inbox needs --to redis://… or unix:PATH");
		return CLI_USAGE;
	} else {
		publish_http(&run);
	}
	return run.code;
}
