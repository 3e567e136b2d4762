/* trimmer.c - has the start of the stream taken away, step by step. */
#include "wire/trimmer.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include "base/log.h"
#include "lua_scripts.h"
#include "wire/page.h"
#include "wire/redis_words.h"

static struct link_script trim_script = {.text = lua_trim};

static void trim(struct trimmer *t);

static void on_trimmed(redisReply *reply, void *arg)
{
	struct trimmer *t = arg;

	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR && redis_words_passes(reply->str))
		redis_words_tell(redis_words(reply->str), reply->str);
	else if (reply->type == REDIS_REPLY_ERROR)
		log_error("redis_error", LOG_S("error", reply->str));
	else if (reply->type == REDIS_REPLY_INTEGER && reply->integer == TRIMMER_STEP)
		trim(t); /* there may be more */
}

static void trim(struct trimmer *t)
{
	char retention[24], entries[24], step[12];
	const char *argv[] = {t->name, retention, entries, step};

	snprintf(retention, sizeof retention, "%llu", (unsigned long long)t->retention_ms);
	snprintf(entries, sizeof entries, "%llu", (unsigned long long)t->max_entries);
	snprintf(step, sizeof step, "%d", TRIMMER_STEP);
	/* A failure means that the link was lost, or memory is short: the next time will do. */
	(void)!page_script(t->link, &trim_script, t->prefix, on_trimmed, t, COUNT_OF(argv), argv);
}

void trimmer_second(struct trimmer *t)
{
	if (t->seconds++ % TRIMMER_SECONDS == 0)
		trim(t);
}
