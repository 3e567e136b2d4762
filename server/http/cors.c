/* cors.c - headers for pages of other origins. */
#include "http/cors.h"

#include <string.h>
#include <strings.h>

#define EXPOSED "access-control-expose-headers: etag, location, retry-after\r\n"

/* Is the page's origin one of --cors-origin? `*` there lists all. */
static bool is_listed(const struct request *r)
{
	const char *at = door_setup_of(r->door)->cors_origin;

	if (r->origin == NULL)
		return false;
	while (*at != '\0') {
		size_t len = strcspn(at, ",");

		if (strcmp(at, "*") == 0 ||
		    (len == strlen(r->origin) && strncasecmp(at, r->origin, len) == 0))
			return true;
		at += len + (at[len] == ',');
	}
	return false;
}

/* Caches must not give one page's answer to another. */
static void add_origin(const struct request *r, bool shared, struct buf *out)
{
	if (shared || strcmp(door_setup_of(r->door)->cors_origin, "*") == 0)
		buf_adds(out, "access-control-allow-origin: *\r\n");
	else
		buf_addf(out, "access-control-allow-origin: %s\r\nvary: origin\r\n", r->origin);
}

void cors_begin(struct request *r, unsigned shared)
{
	bool for_all = (r->method & shared) != 0;

	if (!for_all && !is_listed(r))
		return;
	add_origin(r, for_all, &r->cors);
	buf_adds(&r->cors, EXPOSED);
	buf_addc(&r->cors, '\0');
}

void cors_add_methods(struct buf *out, unsigned methods)
{
	static const struct {
		enum method method;
		const char *name;
	} rows[] = {{METHOD_GET, "GET"},
		    {METHOD_HEAD, "HEAD"},
		    {METHOD_POST, "POST"},
		    {METHOD_DELETE, "DELETE"},
		    {METHOD_OPTIONS, "OPTIONS"}};
	const char *separator = "";

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if ((methods & rows[i].method) == 0)
			continue;
		buf_addf(out, "%s%s", separator, rows[i].name);
		separator = ", ";
	}
}

void cors_answer_preflight(struct request *r, unsigned methods, unsigned shared)
{
	bool listed = is_listed(r);
	struct buf headers = {0};

	buf_adds(&headers, "allow: ");
	cors_add_methods(&headers, methods | METHOD_OPTIONS);
	buf_adds(&headers, "\r\n");
	if (listed || (r->origin != NULL && shared != 0)) {
		add_origin(r, !listed, &headers);
		buf_adds(&headers, "access-control-allow-methods: ");
		cors_add_methods(&headers, listed ? methods : shared);
		buf_adds(&headers, "\r\naccess-control-allow-headers: ");
		buf_adds(&headers, listed ? "authorization, content-type, idempotency-key, " : "");
		buf_adds(&headers, "if-none-match\r\naccess-control-max-age: 7200\r\n");
	}
	buf_addc(&headers, '\0');
	if (headers.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else
		request_answer(r, 204, NULL, headers.data, NULL, 0);
	buf_free(&headers);
}
