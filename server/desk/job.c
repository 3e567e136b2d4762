/* job.c - one item on its way through the desk. */
#include "desk/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "base/buf.h"
#include "base/clock.h"

static void write_hash(char out[33], XXH128_hash_t hash)
{
	snprintf(out, 33, "%016llx%016llx", (unsigned long long)hash.high64,
		 (unsigned long long)hash.low64);
}

static void hash_job(struct job *job, const char *bytes)
{
	XXH3_state_t *state = XXH3_createState();

	if (state == NULL)
		return;
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, job->who->name, strlen(job->who->name) + 1);
	XXH3_128bits_update(state, job->sent_to, strlen(job->sent_to) + 1);
	XXH3_128bits_update(state, bytes, job->len);
	write_hash(job->seen, XXH3_128bits_digest(state));
	XXH3_freeState(state);
}

/* Takes sent_to in every case. */
static struct job *make_job(const char *bytes, size_t len, char *sent_to,
			    const struct publisher *who)
{
	struct job *job = calloc(1, sizeof *job);

	if (job == NULL || sent_to == NULL) {
		free(job);
		free(sent_to);
		return NULL;
	}
	job->sent_to = sent_to;
	job->len = len;
	job->since_ns = clock_mono_ns();
	job->who = publisher_ref(who);
	hash_job(job, bytes);
	if (job->seen[0] == '\0') {
		job_free(job);
		return NULL;
	}
	return job;
}

static char *join_names(const struct channel_set *channels)
{
	struct buf names = {0};

	channel_set_write(channels, ' ', &names);
	buf_addc(&names, '\0');
	if (names.failed)
		buf_free(&names);
	return names.data;
}

/* Fills item or report. -1: memory was short, which is no fault of the item, however its reader calls it. */
static int read_bytes(struct job *job, const char *bytes, size_t max_item)
{
	struct item_report *report = calloc(1, sizeof *report);

	if (report == NULL)
		return -1;
	errno = 0;
	job->item = item_read_by(bytes, job->len, max_item, &job->channels, job->who->by_urgency,
				 report);
	if (job->item == NULL && errno != ENOMEM) {
		job->report = report;
		return 0;
	}
	free(report);
	return job->item ? 0 : -1;
}

static int keep_bytes(struct job *job, const char *bytes)
{
	if ((job->bytes = malloc(job->len + 1)) == NULL)
		return -1;
	memcpy(job->bytes, bytes, job->len);
	job->bytes[job->len] = '\0';
	return 0;
}

struct job *job_new(const struct desk_order *order, size_t max_item)
{
	struct job *job =
		make_job(order->bytes, order->len, join_names(order->channels), order->who);
	bool fits = order->len <= max_item;

	if (job == NULL)
		return NULL;
	if (order->idempotency)
		write_hash(job->idem, XXH3_128bits(order->idempotency, strlen(order->idempotency)));
	if (channel_set_copy(&job->channels, order->channels) == -1)
		goto fail;
	if ((fits ? keep_bytes(job, order->bytes) : read_bytes(job, order->bytes, max_item)) == -1)
		goto fail;
	return job;

fail:
	job_free(job);
	return NULL;
}

struct job *job_new_refused(const char *bytes, size_t len, const char *sent_to, size_t sent_to_len,
			    enum item_refusal refusal, const char *detail)
{
	size_t shown = sent_to_len < CHANNEL_NAME_MAX ? sent_to_len : CHANNEL_NAME_MAX;
	struct job *job = make_job(bytes, len, strndup(sent_to, shown), &publisher_redis);

	if (job == NULL)
		return NULL;
	if ((job->report = calloc(1, sizeof *job->report)) == NULL) {
		job_free(job);
		return NULL;
	}
	job->report->refusal = refusal;
	job->report->count = 1;
	snprintf(job->report->fault[0].detail, sizeof job->report->fault[0].detail, "%s", detail);
	return job;
}

struct job *job_new_misdirected(const char *bytes, size_t len, const char *channel,
				size_t channel_len)
{
	return job_new_refused(bytes, len, channel, channel_len, ITEM_BAD_CHANNEL, JOB_BAD_CHANNEL);
}

/* An entry that is refused unread is written down each time: its bytes say little about it. */
void job_came_in(struct job *job, const char *entry, const char *consumer)
{
	char both[sizeof job->seen + sizeof job->entry];

	job->patient = true;
	snprintf(job->entry, sizeof job->entry, "%s", entry);
	snprintf(job->consumer, sizeof job->consumer, "%s", consumer);
	if (job->report == NULL || job->bytes != NULL)
		return;
	snprintf(both, sizeof both, "%s%s", job->seen, job->entry);
	write_hash(job->seen, XXH3_128bits(both, strlen(both)));
}

int job_read(struct job *job, size_t max_item)
{
	if (job->item || job->report)
		return 0;
	if (read_bytes(job, job->bytes, max_item) == -1)
		return -1;
	free(job->bytes);
	job->bytes = NULL;
	return 0;
}

void job_free(struct job *job)
{
	if (job == NULL)
		return;
	item_free(job->item);
	free(job->report);
	channel_set_free(&job->channels);
	free(job->sent_to);
	free(job->receipt);
	publisher_unref(job->who);
	free(job->bytes);
	free(job);
}
