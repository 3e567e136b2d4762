/* auditing.c - the audit trail as an HTTP answer. Nothing of it may be kept by caches. */
#include "http/auditing.h"

#include <string.h>
#include "wire/audit.h"

#define NO_STORE "cache-control: no-store\r\n"

static void away(struct request *r)
{
	request_problem(r, 503, "redis_away", "the store cannot be reached; try again",
			NO_STORE "retry-after: 1\r\n", NULL);
}

/* Redis has answered; whoever asked may be gone. */
static void answered(enum audit_answer answer, const struct buf *body, void *arg)
{
	struct request *r = ticket_use(arg);

	if (r == NULL)
		return;
	if (answer == AUDIT_OK)
		request_answer(r, 200, "application/json", NO_STORE, body->data, body->len);
	else
		away(r);
}

static void ask(struct request *r, const struct audit_filter *filter, unsigned limit,
		const struct wire_id *before)
{
	struct ticket *t = request_ticket(r);

	if (t == NULL) {
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	} else if (audit_ask(door_setup_of(r->door)->wire, filter, limit, before, answered, t) !=
		   0) {
		(void)ticket_use(t);
		away(r);
	}
}

/* Takes what both questions have: how much, and from where on. */
static void begin(struct request *r, const struct audit_filter *filter)
{
	const char *before = query_get(&r->query, QUERY_BEFORE);
	unsigned limit = query_limit(&r->query);
	struct wire_id id = {0};

	if (limit == 0)
		request_problem(r, 400, "bad_limit", "`limit` is a number from 1 to 100", NO_STORE,
				NULL);
	else if (before != NULL && wire_id_parse(before, strlen(before), &id) != 0)
		request_problem(r, 400, "bad_before", "`before` is not from an answer of the trail",
				NO_STORE, NULL);
	else
		ask(r, filter, limit, before == NULL ? NULL : &id);
}

void auditing_begin(struct request *r)
{
	const struct audit_filter filter = {.uri = query_get(&r->query, QUERY_URI),
					    .who = query_get(&r->query, QUERY_WHO),
					    .what = query_get(&r->query, QUERY_WHAT)};

	if (who_lets_in(r, RIGHT_AUDIT, "may_not_audit", NO_STORE))
		begin(r, &filter);
}

void auditing_refused(struct request *r)
{
	const struct audit_filter filter = {.uri = query_get(&r->query, QUERY_URI),
					    .who = query_get(&r->query, QUERY_WHO),
					    .what = query_get(&r->query, QUERY_REASON),
					    .refused = true};

	if (who_lets_in(r, RIGHT_AUDIT, "may_not_audit", NO_STORE))
		begin(r, &filter);
}

void auditing_sent(struct request *r)
{
	const char *who = query_get(&r->query, QUERY_WHO);
	bool everybody = who != NULL && strcmp(who, "*") == 0;
	struct audit_filter filter = {.uri = query_get(&r->query, QUERY_URI),
				      .only_own = !everybody};

	if (!who_lets_in(r, everybody ? RIGHT_AUDIT : 0, "may_not_audit", NO_STORE))
		return;
	filter.reader = r->who->name;
	filter.sees_all = (r->who->rights & (RIGHT_AUDIT | RIGHT_ALL)) != 0;
	if (who != NULL && !everybody)
		request_problem(r, 400, "bad_who", "`who` is `*`, or absent: your own stories",
				NO_STORE, NULL);
	else
		begin(r, &filter);
}
