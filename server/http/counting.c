/* counting.c - the channels that have readers, as an HTTP answer. */
#include "http/counting.h"

#include <string.h>
#include <newswire/protocol.h>
#include "wire/presence.h"

#define NO_STORE   "cache-control: no-store\r\n"
#define ONE_SECOND "cache-control: public, max-age=1\r\n" /* they change no more often */

static bool is_prefix(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-*";
	size_t len = strlen(text);

	return len <= PRESENCE_NAME_MAX && strspn(text, allowed) == len;
}

static void answer(struct request *r, const char *prefix, const char *after, unsigned limit)
{
	struct presence *presence = wire_presence(door_setup_of(r->door)->wire);
	struct buf body = {0};

	presence_write(presence, prefix, after, limit, &body);
	if (body.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		request_answer(r, 200, "application/json",
			       door_setup_of(r->door)->shows_readers ? ONE_SECOND : NO_STORE,
			       body.data, body.len);
	buf_free(&body);
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

void counting_begin(struct request *r)
{
	const struct door_setup *door = door_setup_of(r->door);
	const char *prefix = or_empty(query_get(&r->query, QUERY_PREFIX));
	const char *after = or_empty(query_get(&r->query, QUERY_AFTER));
	unsigned limit = query_number(&r->query, QUERY_LIMIT, NEWSWIRE_CHANNELS_LIMIT,
				      NEWSWIRE_MAX_CHANNELS_LIMIT);

	if (!door->shows_readers && !who_lets_in(r, 0, "", NO_STORE))
		return;
	if (limit == 0)
		request_problem(r, 400, "bad_limit", "`limit` is a number from 1 to 1000", NO_STORE,
				NULL);
	else if (!is_prefix(prefix))
		request_problem(r, 400, "bad_prefix",
				"`prefix` is no beginning of a channel's name", NO_STORE, NULL);
	else if (!is_prefix(after))
		request_problem(r, 400, "bad_after", "`after` is no channel's name", NO_STORE,
				NULL);
	else if (!presence_is_current(wire_presence(door->wire)))
		request_problem(r, 503, "redis_away", "the store cannot be reached; try again",
				NO_STORE "retry-after: 1\r\n", NULL);
	else
		answer(r, prefix, after, limit);
}
