/* audit.c - reads the audit trail, step by step. */
#include "wire/audit.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "lua_scripts.h"
#include "wire/page.h"
#include "wire/reach.h"

static struct link_script audit_script = {.text = lua_audit};
static struct link_script rejects_script = {.text = lua_rejects};

/* One question. `before` is where the next step goes on, "" at first. */
struct ask {
	struct wire *wire;
	audit_cb *cb;
	void *arg;
	char *uri, *who, *what; /* "" for anything */
	char *reader;		/* "": stories are not told of */
	bool only_own, sees_all, refused;
	char before[WIRE_ID_TEXT_MAX];
	unsigned left;	/* entries still wanted */
	unsigned steps; /* that were taken */
	struct buf body;
};

static void free_ask(struct ask *ask)
{
	buf_free(&ask->body);
	free(ask->uri);
	free(ask->who);
	free(ask->what);
	free(ask->reader);
	free(ask);
}

static void answer(struct ask *ask, enum audit_answer what)
{
	ask->cb(ask->body.failed ? AUDIT_AWAY : what, &ask->body, ask->arg);
	free_ask(ask);
}

/* --- one entry -------------------------------------------------------------------------------- */

/* What a row of audit.lua holds, where stories are told of too; then come those of the reach. */
enum column {
	ID,
	TIME,
	WHO,
	WHAT,
	URI,
	VERSION,
	BEFORE,
	CHANNELS,
	WIRE,
	STATUS,
	LATEST,
	OWNER,
	HELD,
	UNTIL,
	COLUMNS
};

static void add_text(struct buf *out, const char *name, const char *text)
{
	if (*text == '\0')
		return;
	buf_addf(out, ",\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

static void add_time(struct buf *out, const char *name, const char *ms)
{
	char text[CLOCK_TEXT_MAX], *end;
	long long time = strtoll(ms, &end, 10);

	if (*ms == '\0' || *end != '\0' || time < 0 || time >= 1LL << 52)
		return;
	clock_format(time, true, text);
	add_text(out, name, text);
}

static void add_channels(struct buf *out, const char *names)
{
	const char *separator = "";

	buf_adds(out, ",\"channels\":[");
	while (*names != '\0') {
		size_t len = strcspn(names, " ");

		buf_adds(out, separator);
		buf_add_json(out, names, len);
		names += len + (names[len] == ' ');
		separator = ",";
	}
	buf_addc(out, ']');
}

static void add_story(struct buf *out, const redisReply *row)
{
	const char *status = page_text(row, STATUS);

	buf_adds(out, ",\"story\":{\"status\":");
	buf_add_json(out, status, strlen(status));
	add_text(out, "version", page_text(row, LATEST));
	add_text(out, "owner", page_text(row, OWNER));
	add_text(out, "held", page_text(row, HELD));
	add_time(out, "embargo", page_text(row, UNTIL));
	buf_addc(out, '}');
}

static void add_entry(struct buf *out, const redisReply *row, bool has_story)
{
	const char *id = page_text(row, ID);
	size_t reach = has_story ? COLUMNS : STATUS;

	buf_adds(out, out->data[out->len - 1] == '[' ? "{\"id\":" : ",{\"id\":");
	buf_add_json(out, id, strlen(id));
	add_time(out, "time", page_text(row, TIME));
	add_text(out, "who", page_text(row, WHO));
	add_text(out, "what", page_text(row, WHAT));
	add_text(out, "uri", page_text(row, URI));
	add_text(out, "version", page_text(row, VERSION));
	add_text(out, "before", page_text(row, BEFORE));
	add_channels(out, page_text(row, CHANNELS));
	add_text(out, "wire", page_text(row, WIRE));
	if (has_story)
		add_story(out, row);
	if (row->elements == reach + REACH_COLUMNS) {
		buf_adds(out, ",\"reach\":{");
		reach_write(out, row, reach);
		buf_addc(out, '}');
	}
	buf_addc(out, '}');
}

/* What a row of rejects.lua holds. */
enum refused_column {
	REFUSED_OWNER = 1,
	REFUSED_REASON,
	REFUSED_DETAIL,
	REFUSED_POINTER,
	REFUSED_URI,
	REFUSED_VERSION,
	REFUSED_CHANNEL,
	REFUSED_BYTES
};

/* An id of a stream begins with its time. */
static void add_time_of(struct buf *out, const char *id)
{
	char ms[WIRE_ID_TEXT_MAX];

	snprintf(ms, sizeof ms, "%.*s", (int)strcspn(id, "-"), id);
	add_time(out, "time", ms);
}

static void add_number(struct buf *out, const char *name, const char *number)
{
	if (*number != '\0' && number[strspn(number, "0123456789")] == '\0' && strlen(number) < 16)
		buf_addf(out, ",\"%s\":%lld", name, strtoll(number, NULL, 10));
}

static void add_refused(struct buf *out, const redisReply *row)
{
	const char *id = page_text(row, ID);

	buf_adds(out, out->data[out->len - 1] == '[' ? "{\"id\":" : ",{\"id\":");
	buf_add_json(out, id, strlen(id));
	add_time_of(out, id);
	add_text(out, "who", page_text(row, REFUSED_OWNER));
	add_text(out, "reason", page_text(row, REFUSED_REASON));
	add_text(out, "detail", page_text(row, REFUSED_DETAIL));
	add_text(out, "pointer", page_text(row, REFUSED_POINTER));
	add_text(out, "uri", page_text(row, REFUSED_URI));
	add_text(out, "version", page_text(row, REFUSED_VERSION));
	add_text(out, "channel", page_text(row, REFUSED_CHANNEL));
	add_number(out, "bytes", page_text(row, REFUSED_BYTES));
	buf_addc(out, '}');
}

/* --- steps ------------------------------------------------------------------------------------ */

static void on_step(redisReply *reply, void *arg);

static int take_step(struct ask *ask)
{
	char most[12], looks[12];
	const char *argv[] = {ask->before,
			      most,
			      looks,
			      ask->uri,
			      ask->who,
			      ask->what,
			      ask->reader,
			      ask->only_own ? "1" : "",
			      ask->sees_all ? "1" : ""};

	snprintf(most, sizeof most, "%u", ask->left);
	snprintf(looks, sizeof looks, "%d", AUDIT_LOOKS);
	ask->steps++;
	return page_script(wire_link(ask->wire), ask->refused ? &rejects_script : &audit_script,
			   wire_prefix(ask->wire), on_step, ask, COUNT_OF(argv), argv);
}

/* Has this answer cost enough? Whoever wants more asks again. */
static bool is_enough(const struct ask *ask)
{
	return ask->left == 0 ||
	       ask->steps == (ask->only_own ? (unsigned)AUDIT_OWN_STEPS : (unsigned)AUDIT_STEPS);
}

static void finish(struct ask *ask)
{
	buf_addc(&ask->body, ']');
	add_text(&ask->body, "before", ask->before);
	buf_adds(&ask->body, "}\n");
	answer(ask, AUDIT_OK);
}

static void on_step(redisReply *reply, void *arg)
{
	struct ask *ask = arg;
	struct page_place at;
	const redisReply *rows;

	if (reply == NULL || page_read_place(reply, 4, &at) == -1 || ask->body.failed) {
		answer(ask, AUDIT_AWAY);
		return;
	}
	rows = reply->element[3];
	snprintf(ask->before, sizeof ask->before, "%s", page_text(reply, 2));
	for (size_t i = 0; i < rows->elements && !ask->body.failed; i++, ask->left--)
		if (ask->refused)
			add_refused(&ask->body, rows->element[i]);
		else
			add_entry(&ask->body, rows->element[i], ask->reader[0] != '\0');
	if (ask->before[0] == '\0' || is_enough(ask))
		finish(ask);
	else if (take_step(ask) == -1)
		answer(ask, AUDIT_AWAY);
}

int audit_ask(struct wire *wire, const struct audit_filter *filter, unsigned limit,
	      const struct wire_id *before, audit_cb *cb, void *arg)
{
	struct ask *ask = calloc(1, sizeof *ask);

	if (ask == NULL)
		return -1;
	*ask = (struct ask){.wire = wire,
			    .cb = cb,
			    .arg = arg,
			    .left = limit,
			    .only_own = filter->only_own,
			    .sees_all = filter->sees_all,
			    .refused = filter->refused};
	ask->uri = strdup(filter->uri ? filter->uri : "");
	ask->who = strdup(filter->who ? filter->who : "");
	ask->what = strdup(filter->what ? filter->what : "");
	ask->reader = strdup(filter->reader ? filter->reader : "");
	if (before != NULL)
		wire_id_format(*before, ask->before);
	buf_adds(&ask->body, filter->refused ? "{\"rejects\":[" : "{\"entries\":[");
	if (ask->uri && ask->who && ask->what && ask->reader && !ask->body.failed &&
	    take_step(ask) == 0)
		return 0;
	free_ask(ask);
	return -1;
}
