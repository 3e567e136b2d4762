/* reaching.c - reach as an HTTP answer, for those with a key. */
#include "http/reaching.h"

#include <string.h>
#include <newswire/protocol.h>
#include "wire/reach.h"

#define NO_STORE "cache-control: no-store\r\n"

size_t reaching_uri_len(const char *path)
{
	static const char end[] = NEWSWIRE_REACH_END;
	size_t len = strlen(path), end_len = sizeof end - 1;

	return len > end_len && strcmp(path + len - end_len, end) == 0 ? len - end_len : 0;
}

static void away(struct request *r)
{
	request_problem(r, 503, "redis_away", "the store cannot be reached; try again",
			NO_STORE "retry-after: 1\r\n", NULL);
}

/* Redis has answered; whoever asked may be gone. */
static void answered(enum reach_answer answer, const struct buf *body, void *arg)
{
	struct request *r = ticket_use(arg);

	if (r == NULL)
		return;
	switch (answer) {
	case REACH_OK:
		request_answer(r, 200, "application/json", NO_STORE, body->data, body->len);
		return;
	case REACH_MISSING:
		request_problem(r, 404, "not_found", "nothing is known of this uri", NO_STORE,
				NULL);
		return;
	case REACH_PURGED:
		request_problem(r, 410, "purged", "this story was taken away for good", NO_STORE,
				NULL);
		return;
	case REACH_AWAY:
		away(r);
		return;
	}
}

static void ask(struct request *r, const char *uri)
{
	bool sees_all = (r->who->rights & (RIGHT_AUDIT | RIGHT_ALL)) != 0;
	struct ticket *t = request_ticket(r);

	if (t == NULL) {
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	} else if (reach_ask(door_setup_of(r->door)->wire, uri, sees_all ? NULL : r->who->name,
			     answered, t) != 0) {
		(void)ticket_use(t);
		away(r);
	}
}

void reaching_begin(struct request *r, const char *uri)
{
	if (!who_lets_in(r, 0, "", NO_STORE))
		return;
	if (uri[0] == '\0' || strlen(uri) > ITEM_URI_MAX)
		request_problem(r, 400, "bad_uri", "the uri is missing or longer than 1024 bytes",
				NO_STORE, NULL);
	else
		ask(r, uri);
}
