/* format.c - the table of the ways bytes go out. */
#include "news/format.h"

#include <newswire/protocol.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/counters.h"
#include "news/centrifuge.h"
#include "news/deflate.h"
#include "news/gzip.h"

/* What stands before the JSON and after it; an event's lines hold a type and a cursor. */
enum { OPEN_MAX = 160, CLOSE_MAX = 40, TYPE_MAX = 32 };
/* Shorter messages are not worth the time; no post is longer. */
enum { CODED_MIN = 128, CODED_MAX = 64 << 20 };
enum { WEBSOCKET_OPEN_MAX = 10, WEBSOCKET_RSV1 = 0x40 };

struct family {
	size_t (*open)(const struct face *face, size_t len, uint8_t *out);
	size_t (*close)(const struct face *face, uint8_t *out);
	bool (*has_json)(const struct face *face); /* NULL: always */
	bool one_line; /* no line may end within the JSON: its line ends become spaces */
};

/* --- WebSocket -------------------------------------------------------------------------------- */

/* RFC 6455, 5.2: FIN and opcode text; the length in 7, 16 or 64 bits; no mask from a server. */
static size_t websocket_open(const struct face *face, size_t len, uint8_t *out)
{
	size_t n = 0;

	(void)face;
	out[n++] = 0x81;
	if (len < 126) {
		out[n++] = (uint8_t)len;
	} else if (len <= UINT16_MAX) {
		out[n++] = 126;
		out[n++] = (uint8_t)(len >> 8);
		out[n++] = (uint8_t)len;
	} else {
		out[n++] = 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			out[n++] = (uint8_t)((uint64_t)len >> shift);
	}
	return n;
}

static size_t websocket_close(const struct face *face, uint8_t *out)
{
	(void)face;
	(void)out;
	return 0;
}

/* --- Server-Sent Events ----------------------------------------------------------------------- */

static size_t put(uint8_t *out, const char *text, size_t len)
{
	memcpy(out, text, len);
	return len;
}

#define PUT(out, text) put(out, text, sizeof(text) - 1)

/* An event without data fires none, and still moves the client's last event id: what a tick is for. */
static bool event_has_json(const struct face *face)
{
	return strcmp(face->type, NEWSWIRE_TYPE_TICK) != 0;
}

static size_t event_open(const struct face *face, size_t len, uint8_t *out)
{
	size_t n = 0, type_len = strlen(face->type);
	char cursor[CURSOR_TEXT_MAX], number[BUF_NUMBER_MAX];

	(void)len;
	if (face->at != NULL) {
		n += PUT(out + n, "id: ");
		n += put(out + n, cursor, cursor_format(face->at, cursor));
		n += PUT(out + n, "\n");
	}
	if (face->retry_ms > 0) {
		n += PUT(out + n, "retry: ");
		n += put(out + n, number, buf_write_number(face->retry_ms, number));
		n += PUT(out + n, "\n");
	}
	if (!event_has_json(face))
		return n;
	MUST(type_len <= TYPE_MAX);
	n += PUT(out + n, "event: ");
	n += put(out + n, face->type, type_len);
	return n + PUT(out + n, "\ndata: ");
}

/* The end of the line of `data`, and the empty line that ends every event. */
static size_t event_close(const struct face *face, uint8_t *out)
{
	return event_has_json(face) ? PUT(out, "\n\n") : PUT(out, "\n");
}

/* --- Centrifuge -------------------------------------------------------------------------------- */

/* A channel's name has nothing that JSON would escape. */
static size_t centrifuge_close(const struct face *face, uint8_t *out)
{
	char number[BUF_NUMBER_MAX];
	size_t n = 0;

	if (face->channel == NULL)
		return 0;
	MUST(face->at != NULL);
	n += PUT(out + n, ",\"offset\":");
	n += put(out + n, number, buf_write_number(centrifuge_offset(face->at->id), number));
	return n + PUT(out + n, "}}}");
}

static size_t centrifuge_open(const struct face *face, size_t len, uint8_t *out)
{
	size_t n = 0, name_len = face->channel == NULL ? 0 : strlen(face->channel);
	uint8_t push[OPEN_MAX], after[CLOSE_MAX];

	if (face->channel != NULL) {
		MUST(name_len <= CENTRIFUGE_NAME_MAX);
		n += PUT(push + n, "{\"push\":{\"channel\":\"");
		n += put(push + n, face->channel, name_len);
		n += PUT(push + n, "\",\"pub\":{\"data\":");
	}
	len = websocket_open(face, n + len + centrifuge_close(face, after), out);
	memcpy(out + len, push, n);
	return len + n;
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct family families[] = {
	[FAMILY_WEBSOCKET] = {websocket_open, websocket_close, NULL, false},
	[FAMILY_EVENT] = {event_open, event_close, event_has_json, true},
	[FAMILY_CENTRIFUGE] = {centrifuge_open, centrifuge_close, NULL, false},
};

static const struct row {
	const char *name;
	enum format_family family;
	enum format_view view;
	enum format_coding coding;
} rows[FORMAT_COUNT] = {
	[FORMAT_WEBSOCKET] = {"websocket", FAMILY_WEBSOCKET, VIEW_FULL, CODING_PLAIN},
	[FORMAT_WEBSOCKET_ALONE] = {"websocket alone", FAMILY_WEBSOCKET, VIEW_FULL, CODING_ALONE},
	[FORMAT_WEBSOCKET_LIKE] = {"websocket like", FAMILY_WEBSOCKET, VIEW_FULL, CODING_LIKE},
	[FORMAT_EVENT] = {"event", FAMILY_EVENT, VIEW_FULL, CODING_PLAIN},
	[FORMAT_EVENT_GZIP] = {"event gzip", FAMILY_EVENT, VIEW_FULL, CODING_GZIP},
	[FORMAT_CENTRIFUGE] = {"centrifuge", FAMILY_CENTRIFUGE, VIEW_FULL, CODING_PLAIN},
	[FORMAT_WEBSOCKET_BRIEF] = {"websocket brief", FAMILY_WEBSOCKET, VIEW_BRIEF, CODING_PLAIN},
	[FORMAT_WEBSOCKET_ALONE_BRIEF] = {"websocket alone brief", FAMILY_WEBSOCKET, VIEW_BRIEF,
					  CODING_ALONE},
	[FORMAT_WEBSOCKET_LIKE_BRIEF] = {"websocket like brief", FAMILY_WEBSOCKET, VIEW_BRIEF,
					 CODING_LIKE},
	[FORMAT_EVENT_BRIEF] = {"event brief", FAMILY_EVENT, VIEW_BRIEF, CODING_PLAIN},
	[FORMAT_EVENT_GZIP_BRIEF] = {"event gzip brief", FAMILY_EVENT, VIEW_BRIEF, CODING_GZIP},
};

const char *format_name(enum format f)
{
	MUST(f < FORMAT_COUNT);
	return rows[f].name;
}

bool format_names_channel(enum format f)
{
	MUST(f < FORMAT_COUNT);
	return rows[f].family == FAMILY_CENTRIFUGE;
}

enum format_family format_family(enum format f)
{
	return rows[f].family;
}

enum format format_find(enum format_family family, enum format_view view, enum format_coding coding)
{
	enum format f = 0;

	while (f < FORMAT_COUNT &&
	       (rows[f].family != family || rows[f].view != view || rows[f].coding != coding))
		f++;
	return f;
}

bool format_is_coded(enum format f)
{
	return rows[f].coding != CODING_PLAIN;
}

enum format format_plain(enum format f)
{
	MUST(f < FORMAT_COUNT);
	return format_find(rows[f].family, rows[f].view, CODING_PLAIN);
}

enum format_view format_view(enum format f)
{
	MUST(f < FORMAT_COUNT);
	return rows[f].view;
}

enum format format_viewed(enum format f, enum format_view view)
{
	enum format other;

	MUST(f < FORMAT_COUNT);
	other = format_find(rows[f].family, view, rows[f].coding);
	return other == FORMAT_COUNT ? f : other;
}

enum format_view format_view_read(const char *text)
{
	if (strcmp(text, "full") == 0)
		return VIEW_FULL;
	return strcmp(text, "brief") == 0 ? VIEW_BRIEF : VIEW_COUNT;
}

/* --- wrapping --------------------------------------------------------------------------------- */

/* What a message becomes: all but its JSON is written already. */
struct wrapping {
	const struct family *family;
	size_t open_len, json_len, close_len, len;
	uint8_t open[OPEN_MAX], close[CLOSE_MAX];
};

static void begin(struct wrapping *w, enum format f, const struct format_message *m)
{
	const struct family *family;

	MUST(f < FORMAT_COUNT);
	w->family = family = &families[rows[f].family];
	w->json_len = family->has_json != NULL && !family->has_json(&m->face)
			      ? 0
			      : m->json[0].len + m->json[1].len + m->json[2].len;
	w->open_len = family->open(&m->face, w->json_len, w->open);
	w->close_len = family->close(&m->face, w->close);
	w->len = w->open_len + w->json_len + w->close_len;
}

/* Line ends stand only between the words of JSON, where a space says the same. */
static void join_lines(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] == '\n' || at[i] == '\r')
			at[i] = ' ';
}

/* `at` has room for w->len bytes. */
static void finish(const struct wrapping *w, const struct format_message *m, uint8_t *at)
{
	uint8_t *json = at + w->open_len, *end = json;

	memcpy(at, w->open, w->open_len);
	for (size_t i = 0; i < COUNT_OF(m->json) && w->json_len > 0; i++) {
		if (m->json[i].len == 0)
			continue;
		memcpy(end, m->json[i].bytes, m->json[i].len);
		end += m->json[i].len;
	}
	if (w->family->one_line)
		join_lines(json, w->json_len);
	memcpy(end, w->close, w->close_len);
}

static int plain_frame(const struct wrapping *w, const struct format_message *m, struct frame *out)
{
	if (w->len > UINT32_MAX || (out->data = malloc(w->len)) == NULL)
		return -1;
	out->len = (uint32_t)w->len;
	finish(w, m, out->data);
	return 0;
}

/* --- compressed WebSocket frames -------------------------------------------------------------- */

/* The JSON, compressed, into `out`. Returns its length; 0: there was no room. */
static size_t code(enum deflate_way way, const struct format_message *m, uint8_t *out, size_t room)
{
	size_t last = m->json[2].len > 0 ? 2 : m->json[1].len > 0 ? 1 : 0;

	deflate_begin(way, out, room);
	for (size_t i = 0; i <= last; i++) {
		bool ends = i == last && way == DEFLATE_LIKE; /* the brace is written for it */

		deflate_add(m->json[i].bytes, m->json[i].len - ends);
	}
	return deflate_end();
}

/* The frame, or `as_plain` where it would not be an eighth shorter. */
static void coded_frame(const struct wrapping *w, enum deflate_way way,
			const struct format_message *m, struct frame *out)
{
	size_t room = w->json_len - w->json_len / 8, open_len, len;
	uint8_t *at = NULL, open[OPEN_MAX], *fitting;

	out->as_plain = true;
	if (w->json_len < CODED_MIN || w->json_len > CODED_MAX ||
	    (at = malloc(WEBSOCKET_OPEN_MAX + room)) == NULL)
		return;
	if ((len = code(way, m, at + WEBSOCKET_OPEN_MAX, room)) == 0) {
		free(at);
		return;
	}
	open_len = websocket_open(&m->face, len, open);
	open[0] |= WEBSOCKET_RSV1;
	memmove(at + open_len, at + WEBSOCKET_OPEN_MAX, len);
	memcpy(at, open, open_len);
	fitting = realloc(at, open_len + len);
	*out = (struct frame){.data = fitting == NULL ? at : fitting,
			      .len = (uint32_t)(open_len + len),
			      .spared = (uint32_t)(w->len - open_len - len)};
	COUNT(DEFLATED);
}

/* What WebSocket's readers must have inflated before they get a frame that refers to it. */
static void add_first(struct buf *out)
{
	uint8_t open[OPEN_MAX];
	size_t len, open_len;
	const uint8_t *first = deflate_first(&len);

	if (first == NULL) {
		out->failed = true;
		return;
	}
	open_len = websocket_open(NULL, len, open);
	open[0] |= WEBSOCKET_RSV1;
	buf_add(out, open, open_len);
	buf_add(out, first, len);
}

/* --- pieces of a gzip stream ------------------------------------------------------------------ */

/* The message as it is, in stored blocks. `at` has room for gzip_stored_len(w->len). */
static void store(const struct wrapping *w, const struct format_message *m, uint8_t *at)
{
	uint8_t *text = at + gzip_stored_len(w->len) - w->len;

	finish(w, m, text);
	gzip_store(text, w->len, at);
}

/* A piece that is an eighth shorter than the message; without data: there is none. */
static struct frame squeezed(const struct wrapping *w, const struct format_message *m)
{
	size_t room = w->len - w->len / 8;
	uint8_t *text = NULL, *at = NULL, *fitting;
	struct frame out = {0};

	if (w->len < CODED_MIN || w->len > CODED_MAX || (text = malloc(w->len)) == NULL ||
	    (at = malloc(room)) == NULL)
		goto none;
	finish(w, m, text);
	if ((out.len = (uint32_t)gzip_squeeze(text, w->len, at, room)) == 0)
		goto none;
	free(text);
	fitting = realloc(at, out.len);
	out.data = fitting == NULL ? at : fitting;
	out.spared = (uint32_t)(w->len - out.len);
	return out;

none:
	free(text);
	free(at);
	return out;
}

static int gzip_frame(const struct wrapping *w, const struct format_message *m, struct frame *out)
{
	size_t len = gzip_stored_len(w->len);

	*out = squeezed(w, m);
	if (out->data != NULL) {
		COUNT(DEFLATED);
		return 0;
	}
	if (len > UINT32_MAX || (out->data = malloc(len)) == NULL)
		return -1;
	out->len = (uint32_t)len;
	store(w, m, out->data);
	return 0;
}

/* --- messages --------------------------------------------------------------------------------- */

int format_frame(enum format f, const struct format_message *m, struct frame *out)
{
	struct wrapping w;

	begin(&w, f, m);
	*out = (struct frame){0};
	if (rows[f].coding == CODING_PLAIN)
		return plain_frame(&w, m, out);
	if (rows[f].coding == CODING_GZIP)
		return gzip_frame(&w, m, out);
	coded_frame(&w, rows[f].coding == CODING_LIKE ? DEFLATE_LIKE : DEFLATE_ALONE, m, out);
	return 0;
}

void format_begin(enum format f, struct buf *out)
{
	if (rows[f].coding == CODING_GZIP)
		gzip_begin(out);
}

void format_wrap(enum format f, const struct face *face, const char *json, size_t len,
		 struct buf *out)
{
	const struct format_message m = {.face = *face, .json = {{json, len}}};
	bool is_stored = rows[f].coding == CODING_GZIP;
	struct wrapping w;
	size_t wrapped;

	begin(&w, f, &m);
	wrapped = is_stored ? gzip_stored_len(w.len) : w.len;
	if (buf_reserve(out, wrapped) != 0)
		return;
	(is_stored ? store : finish)(&w, &m, (uint8_t *)out->data + out->len);
	out->len += wrapped;
	if (rows[f].coding == CODING_LIKE && strcmp(face->type, NEWSWIRE_TYPE_HELLO) == 0)
		add_first(out);
}
