/* encoding.c - the header is a list of names, each perhaps with a weight. */
#include "http/encoding.h"

#include <string.h>
#include <strings.h>
#include "base/base.h"

#define SPACE " \t"

/* Weights in thousandths, as many digits as they may have. */
enum { WEIGHT_NONE = -1, WEIGHT_ZERO = 0, WEIGHT_FULL = 1000 };

/* What the header says of the names that matter here. */
struct weights {
	int gzip, identity, any; /* WEIGHT_NONE: it is not named */
};

static bool is_name(const char *at, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(at, name, len) == 0;
}

/* RFC 9110, 12.4.2: 0 or 1, and up to three digits, none of which makes it more than 1. WEIGHT_NONE: it is none. */
static int read_number(const char *at, size_t len)
{
	int weight = 0, unit = WEIGHT_FULL / 10;

	if (len == 0 || len > 5 || (at[0] != '0' && at[0] != '1') || (len > 1 && at[1] != '.'))
		return WEIGHT_NONE;
	weight = (at[0] - '0') * WEIGHT_FULL;
	for (size_t i = 2; i < len; i++, unit /= 10) {
		if (at[i] < '0' || at[i] > '9')
			return WEIGHT_NONE;
		weight += (at[i] - '0') * unit;
	}
	return weight <= WEIGHT_FULL ? weight : WEIGHT_NONE;
}

/* What stands behind the name: nothing, or `;q=` and a number. */
static int read_weight(const char *at, const char *end)
{
	size_t len;

	at += strspn(at, SPACE);
	if (at >= end)
		return WEIGHT_FULL;
	if (*at != ';')
		return WEIGHT_NONE;
	at++;
	at += strspn(at, SPACE);
	if (end - at < 2 || strncasecmp(at, "q=", 2) != 0)
		return WEIGHT_NONE;
	at += 2;
	len = strcspn(at, SPACE ",");
	return at + len + strspn(at + len, SPACE) == end ? read_number(at, len) : WEIGHT_NONE;
}

static void read_part(const char *at, const char *end, struct weights *out)
{
	size_t len = strcspn(at, SPACE ";,");
	int weight = read_weight(at + len, end);

	if (is_name(at, len, "gzip") || is_name(at, len, "x-gzip"))
		out->gzip = weight;
	else if (is_name(at, len, "identity"))
		out->identity = weight;
	else if (is_name(at, len, "*"))
		out->any = weight;
}

bool encoding_takes_gzip(const char *header)
{
	struct weights w = {WEIGHT_NONE, WEIGHT_NONE, WEIGHT_NONE};
	int gzip;

	for (const char *at = header, *end; *at != '\0'; at = *end == ',' ? end + 1 : end) {
		at += strspn(at, SPACE);
		end = at + strcspn(at, ",");
		read_part(at, end, &w);
	}
	gzip = w.gzip == WEIGHT_NONE ? w.any : w.gzip;
	return gzip > WEIGHT_ZERO && gzip >= w.identity;
}
