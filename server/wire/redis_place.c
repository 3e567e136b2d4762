/* redis_place.c - reads the text that says where Redis is. */
#include "wire/link.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { PORT = 6379, DB_MAX = 1 << 20 };

static int wrong(char *error, size_t size, const char *sentence)
{
	snprintf(error, size, "%s", sentence);
	return -1;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy with %41 decoded. NULL: out of memory, a stray %, or %00. */
static char *decode(const char *from, size_t len)
{
	char *text = strndup(from, len), *to = text;

	for (const char *at = text; at && *at; at++) {
		if (*at != '%') {
			*to++ = *at;
			continue;
		}
		if (hex(at[1]) < 0 || hex(at[2]) < 0 || (hex(at[1]) == 0 && hex(at[2]) == 0)) {
			free(text);
			return NULL;
		}
		*to++ = (char)(hex(at[1]) * 16 + hex(at[2]));
		at += 2;
	}
	if (text)
		*to = '\0';
	return text;
}

/* The whole of text as a number up to max. */
static int read_number(const char *text, int max, int *out)
{
	long n = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || (n = n * 10 + (*text - '0')) > max)
			return -1;
	}
	*out = (int)n;
	return 0;
}

static int read_unix(struct redis_place *place, const char *path, char *error, size_t size)
{
	const char *query = strchr(path, '?');
	size_t len = query ? (size_t)(query - path) : strlen(path);

	if (len == 0 || len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return wrong(error, size, "a Unix socket's path has 1 to 107 bytes");
	if (query &&
	    (strncmp(query, "?db=", 4) != 0 || read_number(query + 4, DB_MAX, &place->db) == -1))
		return wrong(error, size, "after the path only ?db=NUMBER may follow");
	if ((place->unix_path = strndup(path, len)) == NULL)
		return wrong(error, size, "out of memory");
	return 0;
}

/* `user:password`, `:password`; both percent-encoded. */
static int read_login(struct redis_place *place, const char *from, size_t len, char *error,
		      size_t size)
{
	const char *colon = memchr(from, ':', len);
	size_t user_len;

	if (colon == NULL)
		return wrong(error, size, "before the @ belongs user:password (or :password)");
	user_len = (size_t)(colon - from);
	if (user_len && (place->user = decode(from, user_len)) == NULL)
		return wrong(error, size, "the user is not percent-encoded as it should be");
	if ((place->password = decode(colon + 1, len - user_len - 1)) == NULL)
		return wrong(error, size, "the password is not percent-encoded as it should be");
	return 0;
}

/* `host`, `host:port`, `[::1]:port`. Cuts `at` up. */
static int read_host(struct redis_place *place, char *at, char *error, size_t size)
{
	char *port, *host = at;

	if (*at == '[') {
		char *close = strchr(at, ']');

		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return wrong(error, size, "an IPv6 host is written [::1] or [::1]:6379");
		port = close[1] ? close + 2 : NULL;
		*close = '\0';
		host++;
	} else if ((port = strchr(at, ':')) != NULL) {
		*port++ = '\0';
	}
	if (*host == '\0')
		return wrong(error, size, "the host is missing");
	if (port && (read_number(port, 65535, &place->port) == -1 || place->port == 0))
		return wrong(error, size, "the port is a number from 1 to 65535");
	if ((place->host = strdup(host)) == NULL)
		return wrong(error, size, "out of memory");
	return 0;
}

static int read_url(struct redis_place *place, const char *url, char *error, size_t size)
{
	const char *slash, *login_end = NULL;
	char *host;
	int result;

	for (const char *at = url; *at; at++) /* a password may hold a slash, a host may not */
		if (*at == '@')
			login_end = at;
	if (login_end) {
		if (read_login(place, url, (size_t)(login_end - url), error, size) == -1)
			return -1;
		url = login_end + 1;
	}
	slash = strchrnul(url, '/');
	if (slash[0] && slash[1] && read_number(slash + 1, DB_MAX, &place->db) == -1)
		return wrong(error, size, "after the host only /NUMBER (the database) may follow");
	if ((host = strndup(url, (size_t)(slash - url))) == NULL)
		return wrong(error, size, "out of memory");
	result = read_host(place, host, error, size);
	free(host);
	return result;
}

int redis_place_read(struct redis_place *place, const char *text, char *error, size_t error_size)
{
	int result;

	*place = (struct redis_place){.port = PORT};
	if (strncmp(text, "unix:", 5) == 0)
		result = read_unix(place, text + 5, error, error_size);
	else if (strncmp(text, "redis://", 8) == 0)
		result = read_url(place, text + 8, error, error_size);
	else
		result = wrong(error, error_size, "Redis' address begins with redis:// or unix:");
	if (result == -1)
		redis_place_free(place);
	return result;
}

static int copy_text(char **to, const char *from)
{
	return from && (*to = strdup(from)) == NULL ? -1 : 0;
}

int redis_place_copy(struct redis_place *to, const struct redis_place *from)
{
	*to = (struct redis_place){.port = from->port, .db = from->db};
	if (copy_text(&to->unix_path, from->unix_path) == -1 ||
	    copy_text(&to->host, from->host) == -1 || copy_text(&to->user, from->user) == -1 ||
	    copy_text(&to->password, from->password) == -1) {
		redis_place_free(to);
		return -1;
	}
	return 0;
}

void redis_place_free(struct redis_place *place)
{
	if (place->password)
		explicit_bzero(place->password, strlen(place->password));
	free(place->unix_path);
	free(place->host);
	free(place->user);
	free(place->password);
	*place = (struct redis_place){0};
}
