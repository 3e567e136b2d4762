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
#include "sending.h"
#include "source.h"
#include "waiting.h"

#include <errno.h>
#include <string.h>
#include <uv.h>

enum { PROBLEM_SIZE = 512 };

struct run {
	const struct settings *settings;
	const char *const *channels;
	struct progress progress;
	size_t done; /* items dealt with; the next is settings->files[done] */
	enum exit_code code;

	/* HTTP only */
	struct source_desk desk;
	uv_loop_t loop;
	struct newswire_client *client;
	struct item_file item;
	struct sending sending;
	struct waiting waiting; /* for the reach of the last one */
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

	report_receipt(run, receipt);
	item_file_free(&run->item);
	if (result_is_temporary(receipt->status))
		uv_stop(&run->loop);
	else if (!waiting_begin(&run->waiting, receipt))
		send_next(run);
}

static void on_failed(void *data, enum exit_code code)
{
	struct run *run = data;

	run->code = code;
	uv_stop(&run->loop);
}

/* Before a line that is not the bar's. */
static void on_waits(void *data)
{
	progress_clear(&((struct run *)data)->progress);
}

/* Sends the next item that can be read; ends the loop after the last. */
static void send_next(struct run *run)
{
	const struct settings *settings = run->settings;

	while (run->done < settings->file_count) {
		const char *file = settings->files[run->done];

		if (item_file_read(&run->item, file) == 0) {
			sending_begin(&run->sending, run->channels, run->item.text, run->item.len);
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
	run->sending = (struct sending){.settings = run->settings,
					.client = run->client,
					.desk = &run->desk,
					.done = on_receipt,
					.failed = on_failed,
					.waits = on_waits,
					.data = run};
	sending_open(&run->sending, &run->loop);
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
	sending_close(&run->sending);
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
