/* log.c - one line per event. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/base.h"
#include "base/clock.h"

enum {
	LINE_CAP = 4096,  /* a pipe takes this much at once, so lines of two processes never mix */
	VALUE_CAP = 1024, /* of one value, escaped; the rest of it is cut off */
	TAIL_CAP = 32,	  /* kept free for what ends a line */
};

static const char *const level_name[] = {"debug", "info", "warn", "error"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out_fd = STDERR_FILENO;
static enum log_format out_format = LOG_KEY_VALUE;
static enum log_level least_level = LOG_INFO;
static char process[32];

void log_open(int fd, enum log_format format, enum log_level least)
{
	out_fd = fd;
	out_format = format;
	least_level = least;
}

void log_name_process(const char *name)
{
	snprintf(process, sizeof process, "%s", name);
}

bool log_wants(enum log_level level)
{
	return level >= least_level;
}

/* A line being written. `full` once something did not fit; what is there is whole. */
struct line {
	char text[LINE_CAP];
	size_t len;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *format, ...)
{
	size_t room = sizeof l->text - TAIL_CAP - l->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(l->text + l->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		l->full = true;
	else
		l->len += (size_t)len;
}

/* The length of the character of valid UTF-8 that text begins with, or 0. */
static size_t utf8_length(const unsigned char *text, size_t len)
{
	size_t need = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

	if ((text[0] >= 0x80 && text[0] < 0xc2) || text[0] > 0xf4 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return need;
}

/* Writes the next character of a value as it may stand between quotes. Returns how many bytes of it
 * were used. */
static size_t add_character(struct line *l, const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = utf8_length(at, len);

	if (length == 0) {
		add(l, "\\ufffd");
		return 1;
	}
	if (*at == '"' || *at == '\\')
		add(l, "\\%c", *at);
	else if (*at == '\n')
		add(l, "\\n");
	else if (*at < 0x20 || *at == 0x7f)
		add(l, "\\u%04x", *at);
	else if (*at == 0xc2 && at[1] < 0xa0) /* controls again, for terminals that know C1 */
		add(l, "\\u%04x", at[1]);
	else
		add(l, "%.*s", (int)length, text);
	return length;
}

static void add_quoted(struct line *l, const char *text, size_t len)
{
	size_t start = l->len;

	add(l, "\"");
	for (size_t i = 0; i < len;) {
		if (l->len - start > VALUE_CAP) {
			add(l, "…");
			break;
		}
		i += add_character(l, text + i, len - i);
	}
	add(l, "\"");
}

/* May a value stand without quotes? */
static bool is_bare(const char *text, size_t len)
{
	if (len == 0 || len > VALUE_CAP)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr("\"\\=", text[i]) != NULL)
			return false;
	return true;
}

/* One field, or nothing of it if it does not fit. */
static void add_field(struct line *l, const struct log_field *f)
{
	bool json = out_format == LOG_JSON;
	const char *text = f->text ? f->text : "";
	size_t start = l->len;
	size_t len = f->text == NULL ? 0 : f->len == SIZE_MAX ? strlen(text) : f->len;

	add(l, json ? ",\"%s\":" : " %s=", f->key);
	if (f->kind == LOG_FIELD_INT)
		add(l, "%" PRId64, f->number);
	else if (f->kind == LOG_FIELD_REAL && isfinite(f->real))
		add(l, "%.6g", f->real);
	else if (f->kind == LOG_FIELD_REAL)
		add(l, "null");
	else if (!json && is_bare(text, len))
		add(l, "%.*s", (int)len, text);
	else
		add_quoted(l, text, len);
	if (l->full)
		l->len = start;
}

static void write_line(enum log_level level, const char *event, const struct log_field *fields,
		       size_t count)
{
	struct line l = {.len = 0};
	struct log_field name = LOG_S("process", process), what = LOG_S("event", event);
	char now[CLOCK_TEXT_MAX];
	ssize_t done;

	clock_format(clock_wall_ms(), true, now);
	if (out_format == LOG_JSON)
		add(&l, "{\"time\":\"%s\",\"level\":\"%s\"", now, level_name[level]);
	else
		add(&l, "%s %s", now, level_name[level]);
	if (process[0] != '\0')
		add_field(&l, &name);
	add_field(&l, &what);
	for (size_t i = 0; i < count && !l.full; i++)
		add_field(&l, &fields[i]);

	/* TAIL_CAP is room for this. */
	l.len += (size_t)sprintf(l.text + l.len, "%s%s\n",
				 !l.full		  ? ""
				 : out_format == LOG_JSON ? ",\"cut\":1"
							  : " cut=1",
				 out_format == LOG_JSON ? "}" : "");
	do
		done = write(out_fd, l.text, l.len);
	while (done < 0 && errno == EINTR);
}

/* How often an event was written in its present second. Event names are literals, few, and told
 * apart by content. */
struct pace {
	const char *event;
	uint64_t began_ms;
	uint64_t suppressed;
	unsigned written;
	enum log_level level;
};

static struct pace paces[128];
static unsigned paces_suppressing; /* how many have something to tell */

static void tell_suppressed(struct pace *p)
{
	const struct log_field fields[] = {LOG_S("of", p->event), LOG_I("count", p->suppressed)};

	if (p->suppressed == 0)
		return;
	p->suppressed = 0;
	paces_suppressing--;
	write_line(p->level, "log_suppressed", fields, COUNT_OF(fields));
}

static void tell_ended(uint64_t now_ms)
{
	for (size_t i = 0; i < COUNT_OF(paces) && paces_suppressing > 0; i++)
		if (now_ms - paces[i].began_ms >= 1000)
			tell_suppressed(&paces[i]);
}

/* The pace of an event; a new event takes a free place, or the one that was quiet for longest. */
static struct pace *pace_of(const char *event, uint64_t now_ms)
{
	struct pace *oldest = &paces[0];

	for (size_t i = 0; i < COUNT_OF(paces); i++) {
		struct pace *p = &paces[i];

		if (p->event == NULL) {
			oldest = p;
			break;
		}
		if (p->event == event || strcmp(p->event, event) == 0)
			return p;
		if (p->began_ms < oldest->began_ms)
			oldest = p;
	}
	tell_suppressed(oldest);
	*oldest = (struct pace){.event = event, .began_ms = now_ms};
	return oldest;
}

/* Counts one more of this event. Returns whether it may still be written in this second. */
static bool allowed(enum log_level level, const char *event)
{
	uint64_t now_ms = clock_mono_ms();
	struct pace *p;

	tell_ended(now_ms);
	p = pace_of(event, now_ms);
	if (now_ms - p->began_ms >= 1000) {
		p->began_ms = now_ms;
		p->written = 0;
	}
	if (p->written < LOG_BURST) {
		p->written++;
		return true;
	}
	if (p->suppressed++ == 0)
		paces_suppressing++;
	p->level = level;
	return false;
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count)
{
	pthread_mutex_lock(&lock);
	if (allowed(level, event))
		write_line(level, event, fields, count);
	pthread_mutex_unlock(&lock);
}

void log_tick(void)
{
	pthread_mutex_lock(&lock);
	tell_ended(clock_mono_ms());
	pthread_mutex_unlock(&lock);
}
