/* job.h - one item on its way through the desk.
 *
 * Ownership     Owns copies of everything that it was made of, and what was read from it.
 * Errors        job_new() returns NULL if memory is short.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_DESK_JOB_H
#define NEWSWIRE_DESK_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/base.h"
#include "desk/desk.h"
#include "desk/replicas.h"
#include "news/channel.h"
#include "news/item.h"

enum job_state {
	JOB_WAITING,	/* nothing of it is on its way: it is sent as soon as Redis can be asked */
	JOB_PROBING,	/* does Redis know these bytes already? */
	JOB_DECIDING,	/* accept.lua or reject.lua has it */
	JOB_CONFIRMING, /* it is decided, and Redis' replicas are asked whether they have it */
};

enum { JOB_NAME_MAX = 16, JOB_ENTRY_MAX = 47 };
#define JOB_BAD_CHANNEL \
	"A channel's name is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit."

/* Always true: item and report are not both there; bytes are gone once one of them is; receipt is there <=> CONFIRMING. */
struct job {
	struct job *prev, *next; /* the desk's, in order of arrival */
	struct desk *desk;
	enum job_state state;
	bool raw;     /* heard from a PUBLISH: others hear it too, and nobody waits for an answer */
	bool probed;  /* a raw one that Redis did not know */
	bool patient; /* waits for Redis however long: nobody would send it again */
	char entry[JOB_ENTRY_MAX + 1];	 /* its id in the inbox; "": it came another way */
	char consumer[JOB_NAME_MAX + 1]; /* whom the inbox gave it to */
	char *bytes;
	size_t len;
	const struct publisher *who; /* counted */
	char *sent_to; /* the channels' names joined by spaces, as the sender wrote them */
	struct channel_set channels;
	char seen[33]; /* hash of owner, channels and bytes */
	char idem[33]; /* hash of the order's idempotency key; "": there is none */
	struct item *item;
	struct item_report *report;   /* why it is refused */
	uint64_t since_ns;	      /* clock_mono_ns() when it came */
	struct desk_receipt *receipt; /* what is to be said once replicas have it */
	struct replicas_wait wait;
	desk_cb *cb; /* NULL: nobody wants to know */
	void *arg;
};

/* What is larger than max_item is refused without being copied. */
struct job *job_new(const struct desk_order *order, size_t max_item) MUST_USE;
/* Heard on a channel that nobody may send to: refused without being read. */
struct job *job_new_misdirected(const char *bytes, size_t len, const char *channel,
				size_t channel_len) MUST_USE;
/* Refused already; `sent_to` is shown of where it was to go. */
struct job *job_new_refused(const char *bytes, size_t len, const char *sent_to, size_t sent_to_len,
			    enum item_refusal refusal, const char *detail) MUST_USE;
/* It is this entry of the inbox. */
void job_came_in(struct job *job, const char *entry, const char *consumer);
void job_free(struct job *job); /* accepts NULL */

/* Fills item or report, if not done yet. -1 if memory is short. */
int job_read(struct job *job, size_t max_item) MUST_USE;

#endif
