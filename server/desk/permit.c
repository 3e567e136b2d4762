/* permit.c - channels and permissions of the one who sent an item. */
#include "desk/permit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_derived(const char *channel)
{
	return strchr(channel, ':') != NULL;
}

/* channel: which, or NULL: it named none. */
static int refuse_channel(struct job *job, const char *channel)
{
	struct item_report *report = calloc(1, sizeof *report);

	if (report == NULL)
		return -1;
	report->refusal = ITEM_CHANNEL_FORBIDDEN;
	report->count = 1;
	if (channel == NULL)
		snprintf(report->fault[0].detail, sizeof report->fault[0].detail,
			 "Name a channel: this key may not send to all readers.");
	else
		snprintf(report->fault[0].detail, sizeof report->fault[0].detail,
			 "This key may not send to %s.", channel);
	item_free(job->item);
	job->item = NULL;
	job->report = report;
	return 0;
}

/* A kill or hold follows the routes of what was sent, whatever channels it names itself. Without
 * any channel an item still reaches all who read everything. */
int permit_channels(struct job *job)
{
	const struct item *item = job->item;
	bool has_plain = false;

	if (item == NULL || item->status != ITEM_USABLE)
		return 0;
	for (uint32_t i = 0; i < item->channels.count; i++) {
		const char *channel = item->channels.name[i];

		if (is_derived(channel))
			continue;
		has_plain = true;
		if (!publisher_may_send(job->who, channel))
			return refuse_channel(job, channel);
	}
	if (!has_plain && !publisher_may_send(job->who, ""))
		return refuse_channel(job, NULL);
	return 0;
}

unsigned permit_rights(const struct desk_options *options, const struct job *job)
{
	unsigned rights = RIGHTS_EVERYTHING;
	const struct publisher_book *book;

	if (job->who != &publisher_redis)
		return job->who->rights;
	if (options->keyring == NULL)
		return options->raw_rights;
	book = keyring_book(options->keyring);
	for (uint32_t i = 0; i < job->item->channels.count; i++)
		if (!is_derived(job->item->channels.name[i]))
			rights &= publisher_raw_rights(book, job->item->channels.name[i],
						       options->raw_rights);
	return rights;
}
