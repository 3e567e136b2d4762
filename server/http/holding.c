/* holding.c - a version under embargo as an HTTP answer, for nobody but its owner and who may change it too. */
#include "http/holding.h"

#include <string.h>
#include "wire/held.h"

#define NO_STORE "cache-control: no-store\r\n"

static void away(struct request *r)
{
	request_problem(r, 503, "redis_away", "the store cannot be reached; try again",
			NO_STORE "retry-after: 1\r\n", NULL);
}

/* Redis has answered; whoever asked may be gone. */
static void answered(enum held_answer answer, const struct buf *body, void *arg)
{
	struct request *r = ticket_use(arg);

	if (r == NULL)
		return;
	if (answer == HELD_OK)
		request_answer(r, 200, "application/json", NO_STORE, body->data, body->len);
	else if (answer == HELD_MISSING)
		request_problem(r, 404, "not_found",
				"no version of this uri is under embargo, or it is not this key's",
				NO_STORE, NULL);
	else
		away(r);
}

static void ask(struct request *r, const char *uri)
{
	bool sees_all = (r->who->rights & RIGHT_ALL) != 0;
	struct ticket *t = request_ticket(r);

	if (t == NULL) {
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	} else if (held_ask(door_setup_of(r->door)->wire, uri, sees_all ? NULL : r->who->name,
			    answered, t) != 0) {
		(void)ticket_use(t);
		away(r);
	}
}

void holding_begin(struct request *r)
{
	const char *uri = query_get(&r->query, QUERY_URI);

	if (!who_lets_in(r, 0, "", NO_STORE))
		return;
	if (uri == NULL || uri[0] == '\0' || strlen(uri) > ITEM_URI_MAX)
		request_problem(r, 400, "bad_uri", "the uri is missing or longer than 1024 bytes",
				NO_STORE, NULL);
	else
		ask(r, uri);
}
