/* clock.c - the time: read, shown and parsed. */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

enum { DAY = 86400 };

static bool driven; /* by a test */
static uint64_t driven_mono_ms;
static int64_t driven_wall_ms;

uint64_t clock_mono_ns(void)
{
	struct timespec now;

	if (driven)
		return driven_mono_ms * 1000000;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

uint64_t clock_boot_ms(void)
{
	struct timespec now;

	if (driven)
		return driven_mono_ms;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	struct timespec now;

	if (driven)
		return driven_wall_ms;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_set_for_test(uint64_t mono_ms, int64_t wall_ms)
{
	driven = true;
	driven_mono_ms = mono_ms;
	driven_wall_ms = wall_ms;
}

void clock_real_for_test(void)
{
	driven = false;
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to the first of January of a year from 0 on. */
static int64_t days_before_year(int64_t year)
{
	int64_t past = year - 1 + 400; /* whole years since -400, so that division rounds down */

	return 365 * year + past / 4 - past / 100 + past / 400 - 97 - 719527;
}

/* `value` in `count` digits, and what follows them. Returns where that ends. */
static char *put(char *out, int value, int count, const char *then)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		out[i] = (char)('0' + value % 10);
	for (out += count; *then; then++)
		*out++ = *then;
	return out;
}

size_t clock_format(int64_t wall_ms, bool with_ms, char *out)
{
	static const int64_t first = -62167219200000, last = 253402300799999; /* years 0 to 9999 */
	int64_t days, year;
	int month = 1, ms, second;
	char *at = out;

	if (wall_ms < first)
		wall_ms = first;
	if (wall_ms > last)
		wall_ms = last;
	days = (wall_ms - first) / (DAY * 1000LL); /* since the year 0 */
	ms = (int)((wall_ms - first) % (DAY * 1000LL));
	second = ms / 1000;
	days += days_before_year(0);
	for (year = (days - days_before_year(0)) / 366; days_before_year(year + 1) <= days; year++)
		;
	days -= days_before_year(year);
	for (; days >= days_in_month(year, month); month++)
		days -= days_in_month(year, month);

	at = put(at, (int)year, 4, "-");
	at = put(at, month, 2, "-");
	at = put(at, (int)days + 1, 2, "T");
	at = put(at, second / 3600, 2, ":");
	at = put(at, second / 60 % 60, 2, ":");
	at = put(at, second % 60, 2, with_ms ? "." : "Z");
	if (with_ms)
		at = put(at, ms % 1000, 3, "Z");
	*at = '\0';
	return (size_t)(at - out);
}

/* What is still unread of a time. */
struct scan {
	const char *at, *end;
};

static bool skip(struct scan *s, const char *one_of)
{
	if (s->at == s->end)
		return false;
	for (; *one_of; one_of++)
		if (*s->at == *one_of) {
			s->at++;
			return true;
		}
	return false;
}

static bool at_digit(const struct scan *s)
{
	return s->at < s->end && isdigit((unsigned char)*s->at);
}

/* Exactly `digits` digits whose value is in [least, most]. */
static bool number(struct scan *s, int digits, int least, int most, int *out)
{
	int value = 0;

	for (; digits > 0; digits--) {
		if (!at_digit(s))
			return false;
		value = value * 10 + (*s->at++ - '0');
	}
	*out = value;
	return value >= least && value <= most;
}

/* `.123456`: whole milliseconds of a fraction of any length. */
static bool fraction(struct scan *s, int *ms)
{
	int weight = 100;

	if (!at_digit(s))
		return false;
	for (*ms = 0; at_digit(s); s->at++, weight /= 10)
		*ms += (*s->at - '0') * weight;
	return true;
}

/* `Z`, `+02`, `+0200`, `+02:00`, or nothing: minutes east of Greenwich. */
static bool zone(struct scan *s, int *east)
{
	int sign, hours, minutes = 0;

	*east = 0;
	if (s->at == s->end || skip(s, "Zz"))
		return true;
	sign = *s->at == '-' ? -1 : 1;
	if (!skip(s, "+-") || !number(s, 2, 0, 23, &hours))
		return false;
	if ((skip(s, ":") || s->at < s->end) && !number(s, 2, 0, 59, &minutes))
		return false;
	*east = sign * (hours * 60 + minutes);
	return true;
}

int clock_parse(const char *text, size_t len, int64_t *wall_ms)
{
	struct scan s = {text, text + len};
	int year, month, day, hour, minute, second = 0, ms = 0, east;
	int64_t days;

	if (!number(&s, 4, 0, 9999, &year) || !skip(&s, "-") || !number(&s, 2, 1, 12, &month) ||
	    !skip(&s, "-") || !number(&s, 2, 1, days_in_month(year, month), &day) ||
	    !skip(&s, "Tt ") || !number(&s, 2, 0, 23, &hour) || !skip(&s, ":") ||
	    !number(&s, 2, 0, 59, &minute))
		return -1;
	if (skip(&s, ":")) {
		if (!number(&s, 2, 0, 60, &second)) /* 60: a leap second */
			return -1;
		if (skip(&s, ".,") && !fraction(&s, &ms))
			return -1;
	}
	if (!zone(&s, &east) || s.at != s.end)
		return -1;

	days = days_before_year(year) + day - 1;
	while (--month > 0)
		days += days_in_month(year, month);
	*wall_ms = (days * DAY + hour * 3600 + (minute - east) * 60 + second) * INT64_C(1000) + ms;
	return 0;
}
