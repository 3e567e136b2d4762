/* asking.c - a subscription out of a URL. */
#include "http/asking.h"

#include <stdio.h>

static struct subscription *refuse(struct subscription *s, struct subscription_fault *fault,
				   const char *code, const char *detail)
{
	subscription_free(s);
	fault->code = code;
	snprintf(fault->detail, sizeof fault->detail, "%s", detail);
	return NULL;
}

struct subscription *asking_read(const struct readers *all, const struct query *q,
				 struct subscription_fault *fault)
{
	int readers = subscription_read_readers(query_get(q, QUERY_READERS));
	struct subscription *s;

	if (readers == -1)
		return refuse(NULL, fault, "bad_readers", "`readers` is 1 or 0.");
	if ((s = query_subscription(q, query_get(q, QUERY_CHANNELS), fault)) == NULL)
		return NULL;
	if (subscription_ahead(s, query_get(q, QUERY_AHEAD), fault) != 0) {
		subscription_free(s);
		return NULL;
	}
	if (readers == 1 && subscription_ask_readers(s) != 0)
		return refuse(s, fault, "no_memory", "The server is short of memory.");
	if (!reader_may_ask(all, s))
		return refuse(s, fault, READERS_HIDDEN_CODE, READERS_HIDDEN_DETAIL);
	return s;
}
