/* redis_place.c - reads the text that says where Redis is. */
#include "wire/link.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

enum { PORT = 6379, SENTINEL_PORT = 26379, DB_MAX = 1 << 20 };

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
static int read_host(char **to, int *to_port, char *at, char *error, size_t size)
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
	if (port && (read_number(port, 65535, to_port) == -1 || *to_port == 0))
		return wrong(error, size, "the port is a number from 1 to 65535");
	if ((*to = strdup(host)) == NULL)
		return wrong(error, size, "out of memory");
	return 0;
}

/* What stands before the @, if there is one before `until`; *url moves behind it. */
static int read_url_login(struct redis_place *place, const char **url, const char *until,
			  char *error, size_t size)
{
	const char *begin = *url, *end = NULL;

	for (const char *at = begin; at < until;
	     at++) /* a password may hold a slash, a host may not */
		if (*at == '@')
			end = at;
	if (end == NULL)
		return 0;
	*url = end + 1;
	return read_login(place, begin, (size_t)(end - begin), error, size);
}

static int read_url(struct redis_place *place, const char *url, char *error, size_t size)
{
	const char *slash;
	char *host;
	int result;

	if (read_url_login(place, &url, url + strlen(url), error, size) == -1)
		return -1;
	slash = strchrnul(url, '/');
	if (slash[0] && slash[1] && read_number(slash + 1, DB_MAX, &place->db) == -1)
		return wrong(error, size, "after the host only /NUMBER (the database) may follow");
	if ((host = strndup(url, (size_t)(slash - url))) == NULL)
		return wrong(error, size, "out of memory");
	result = read_host(&place->host, &place->port, host, error, size);
	free(host);
	return result;
}

/* --- Sentinels ------------------------------------------------------------------------------ */

/* `host:port[,host:port…]`. Cuts `list` up. */
static int read_sentinels(struct redis_place *place, char *list, char *error, size_t size)
{
	char *one;

	while ((one = strsep(&list, ",")) != NULL) {
		struct sentinel_place *sentinel = &place->sentinels[place->sentinel_count];

		if (place->sentinel_count == REDIS_SENTINELS_MAX)
			return wrong(error, size, "at most 8 Sentinels can be named");
		sentinel->port = SENTINEL_PORT;
		if (read_host(&sentinel->host, &sentinel->port, one, error, size) == -1)
			return -1;
		place->sentinel_count++;
	}
	return 0;
}

/* `sentinel_user=…&sentinel_password=…`. Cuts `query` up. */
static int read_sentinel_login(struct redis_place *place, char *query, char *error, size_t size)
{
	char *one;

	while ((one = strsep(&query, "&")) != NULL) {
		char *value = strchr(one, '=');
		size_t len = value ? (size_t)(value++ - one) : 0;
		char **to = strncmp(one, "sentinel_user", len) == 0 && len == 13
				    ? &place->sentinel_user
			    : strncmp(one, "sentinel_password", len) == 0 && len == 17
				    ? &place->sentinel_password
				    : NULL;

		if (to == NULL || *to != NULL)
			return wrong(error, size,
				     "after the ? only sentinel_user=… and sentinel_password=… "
				     "may follow");
		if ((*to = decode(value, strlen(value))) == NULL)
			return wrong(error, size,
				     "what follows the ? is not percent-encoded as it should be");
	}
	if (place->sentinel_user && place->sentinel_password == NULL)
		return wrong(error, size, "sentinel_user needs sentinel_password");
	return 0;
}

/* `sentinels/master[/db][?login]`. Cuts `at` up. */
static int read_group(struct redis_place *place, char *at, char *error, size_t size)
{
	char *query = strchr(at, '?'), *master, *db;

	if (query)
		*query++ = '\0';
	if ((master = strchr(at, '/')) == NULL || master[1] == '\0' || master[1] == '/')
		return wrong(error, size,
			     "behind the Sentinels belongs /NAME: what they call the master");
	*master++ = '\0';
	if ((db = strchr(master, '/')) != NULL)
		*db++ = '\0';
	if (db && *db && read_number(db, DB_MAX, &place->db) == -1)
		return wrong(error, size,
			     "after the master's name only /NUMBER (the database) may follow");
	if ((place->master = decode(master, strlen(master))) == NULL)
		return wrong(error, size,
			     "the master's name is not percent-encoded as it should be");
	if (read_sentinels(place, at, error, size) == -1)
		return -1;
	return query ? read_sentinel_login(place, query, error, size) : 0;
}

static int read_sentinel_url(struct redis_place *place, const char *url, char *error, size_t size)
{
	char *rest;
	int result;

	if (read_url_login(place, &url, strchrnul(url, '?'), error, size) == -1)
		return -1;
	if ((rest = strdup(url)) == NULL)
		return wrong(error, size, "out of memory");
	result = read_group(place, rest, error, size);
	explicit_bzero(rest, strlen(rest));
	free(rest);
	return result;
}

/* --- the whole ------------------------------------------------------------------------------ */

int redis_place_read(struct redis_place *place, const char *text, char *error, size_t error_size)
{
	int result;

	*place = (struct redis_place){.port = PORT};
	if (strncmp(text, "unix:", 5) == 0)
		result = read_unix(place, text + 5, error, error_size);
	else if (strncmp(text, "redis://", 8) == 0)
		result = read_url(place, text + 8, error, error_size);
	else if (strncmp(text, "redis+sentinel://", 17) == 0)
		result = read_sentinel_url(place, text + 17, error, error_size);
	else
		result = wrong(error, error_size,
			       "Redis' address begins with redis://, redis+sentinel:// or unix:");
	if (result == -1)
		redis_place_free(place);
	return result;
}

static int copy_text(char **to, const char *from)
{
	return from && (*to = strdup(from)) == NULL ? -1 : 0;
}

static int copy_sentinels(struct redis_place *to, const struct redis_place *from)
{
	if (copy_text(&to->master, from->master) == -1 ||
	    copy_text(&to->sentinel_user, from->sentinel_user) == -1 ||
	    copy_text(&to->sentinel_password, from->sentinel_password) == -1)
		return -1;
	for (; to->sentinel_count < from->sentinel_count; to->sentinel_count++) {
		const struct sentinel_place *one = &from->sentinels[to->sentinel_count];

		to->sentinels[to->sentinel_count].port = one->port;
		if (copy_text(&to->sentinels[to->sentinel_count].host, one->host) == -1)
			return -1;
	}
	return 0;
}

int redis_place_copy(struct redis_place *to, const struct redis_place *from)
{
	*to = (struct redis_place){.port = from->port, .db = from->db};
	if (copy_text(&to->unix_path, from->unix_path) == -1 ||
	    copy_text(&to->host, from->host) == -1 || copy_text(&to->user, from->user) == -1 ||
	    copy_text(&to->password, from->password) == -1 || copy_sentinels(to, from) == -1) {
		redis_place_free(to);
		return -1;
	}
	return 0;
}

static void free_secret(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void redis_place_free(struct redis_place *place)
{
	for (unsigned i = 0; i < REDIS_SENTINELS_MAX; i++)
		free(place->sentinels[i].host);
	free(place->master);
	free(place->sentinel_user);
	free_secret(place->sentinel_password);
	free(place->unix_path);
	free(place->host);
	free(place->user);
	free_secret(place->password);
	*place = (struct redis_place){0};
}
