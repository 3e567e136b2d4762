/* redis_address.c - checks and shows the address of Redis. */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include "redis_address.h"

enum { DB_MAX = 1048576 };

static int __attribute__((format(printf, 3, 4)))
wrong(char *why, size_t size, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vsnprintf(why, size, text, args);
	va_end(args);
	return -1;
}

/* A decimal number in [min, max] that fills [from, to). */
static bool is_number(const char *from, const char *to, unsigned min, unsigned max)
{
	unsigned n = 0;

	if (from == to || to - from > 7)
		return false;
	for (; from < to; from++) {
		if (!isdigit((unsigned char)*from))
			return false;
		n = n * 10 + (unsigned)(*from - '0');
	}
	return n >= min && n <= max;
}

static int check_unix(const char *path, char *why, size_t size)
{
	const char *query = strchr(path, '?');
	size_t len = query ? (size_t)(query - path) : strlen(path);

	if (len == 0)
		return wrong(why, size, "there is no path after unix:");
	if (len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return wrong(why, size,
			     "the path is longer than the 107 bytes a Unix socket's may have");
	if (query && (strncmp(query, "?db=", 4) != 0 ||
		      !is_number(query + 4, query + strlen(query), 0, DB_MAX)))
		return wrong(why, size, "after the path only ?db=NUMBER may follow");
	return 0;
}

/* user:password@ — what stands before `end`, which is the last @ of the authority. */
static int check_login(const char *from, const char *end, char *why, size_t size)
{
	if (memchr(from, ':', (size_t)(end - from)) == NULL)
		return wrong(why, size, "before the @ belongs user:password (or :password)");
	for (; from < end; from++)
		if (*from == '%' &&
		    !(isxdigit((unsigned char)from[1]) && isxdigit((unsigned char)from[2])))
			return wrong(why, size, "a %% in user or password must be written %%25");
	return 0;
}

static int check_host(const char *from, const char *end, char *why, size_t size)
{
	const char *port = NULL, *host_end = end;

	if (*from == '[') {
		const char *close = memchr(from, ']', (size_t)(end - from));

		if (close == NULL || (close + 1 < end && close[1] != ':'))
			return wrong(why, size, "an IPv6 host is written [::1] or [::1]:6379");
		port = close + 1 < end ? close + 2 : NULL;
	} else if ((port = memchr(from, ':', (size_t)(end - from))) != NULL) {
		host_end = port++;
	}
	if (host_end == from)
		return wrong(why, size, "the host is missing");
	if (port && !is_number(port, end, 1, 65535))
		return wrong(why, size, "the port must be a number from 1 to 65535");
	return 0;
}

static int check_redis(const char *rest, char *why, size_t size)
{
	const char *slash, *at, *end;

	/* A password may hold any byte but these, which then must be percent-encoded. */
	if (strpbrk(rest, "?# "))
		return wrong(why, size,
			     "it may not contain ?, # or spaces (in a password: percent-encode)");
	slash = strchr(rest, '/');
	end = slash ? slash : rest + strlen(rest);
	at = memrchr(rest, '@', (size_t)(end - rest));
	if (at && check_login(rest, at, why, size) < 0)
		return -1;
	if (check_host(at ? at + 1 : rest, end, why, size) < 0)
		return -1;
	if (slash && slash[1] && !is_number(slash + 1, slash + strlen(slash), 0, DB_MAX))
		return wrong(why, size,
			     "after the host only /DATABASE, a number, may follow (a / in a "
			     "password is %%2F)");
	return 0;
}

int redis_address_check(const char *address, char *why, size_t size)
{
	if (strncmp(address, "unix:", 5) == 0)
		return check_unix(address + 5, why, size);
	if (strncmp(address, "redis://", 8) == 0)
		return check_redis(address + 8, why, size);
	if (strncmp(address, "rediss://", 9) == 0)
		return wrong(why, size, "TLS to Redis is not supported by this release");
	return wrong(why, size,
		     "it must be redis://[user:password@]host[:port][/db] or unix:PATH[?db=N]");
}

void redis_address_hide(const char *address, char *out, size_t size)
{
	const char *at = strrchr(address, '@'), *login = strstr(address, "://");
	const char *colon = login ? strchr(login + 3, ':') : NULL;

	if (strncmp(address, "unix:", 5) != 0 && at && colon && colon < at)
		snprintf(out, size, "%.*s:***%s", (int)(colon - address), address, at);
	else
		snprintf(out, size, "%s", address);
}
