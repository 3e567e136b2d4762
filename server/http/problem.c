/* problem.c - what a refusal says: a table of titles, and its members as JSON. */
#include "http/problem.h"

#include <string.h>
#include "base/base.h"

static const struct {
	int status;
	const char *title;
} titles[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{410, "Gone"},
	{411, "Length Required"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{503, "Service Unavailable"},
};

const char *problem_title(int status)
{
	for (size_t i = 0; i < COUNT_OF(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	base_abort(__FILE__, __LINE__, "a status without a title");
}

static void add_faults(struct buf *out, const struct item_report *report)
{
	buf_adds(out, ",\"errors\":[");
	for (size_t i = 0; i < report->count; i++) {
		const struct item_fault *f = &report->fault[i];

		buf_adds(out, i == 0 ? "{\"pointer\":" : ",{\"pointer\":");
		buf_add_json(out, f->pointer, strlen(f->pointer));
		buf_adds(out, ",\"detail\":");
		buf_add_json(out, f->detail, strlen(f->detail));
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

void problem_members(struct buf *out, int status, const char *code, const char *detail,
		     const struct item_report *report)
{
	buf_addf(out, "\"title\":\"%s\",\"status\":%d,\"code\":", problem_title(status), status);
	buf_add_json(out, code, strlen(code));
	buf_adds(out, ",\"detail\":");
	buf_add_json(out, detail, strlen(detail));
	if (report != NULL && report->count > 0)
		add_faults(out, report);
}
