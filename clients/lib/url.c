/* url.c - the addresses that a client is given, and the ones that it asks for. */
#include "url.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *text;
	bool tls;
	int port;
} schemes[] = {
	{"http://", false, 80},
	{"https://", true, 443},
	{"ws://", false, 80},
	{"wss://", true, 443},
};

/* The rest of text after a prefix (schemes know no case), or NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* Copies the part [from, to) and a zero. */
static int copy_part(char *out, size_t size, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (len >= size)
		return -1;
	memcpy(out, from, len);
	out[len] = '\0';
	return 0;
}

static int parse_port(const char *from, const char *to, int *port)
{
	long number = 0;

	if (from == to)
		return -1;
	for (; from < to; from++) {
		if (!isdigit((unsigned char)*from))
			return -1;
		if ((number = number * 10 + (*from - '0')) > 65535)
			return -1;
	}
	*port = (int)number;
	return number > 0 ? 0 : -1;
}

static bool host_is_sane(const char *host, bool bracketed)
{
	const char *allowed = bracketed ? ".:%" : ".-_";

	if (*host == '\0')
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && strchr(allowed, *host) == NULL)
			return false;
	return true;
}

/* host[:port] or [v6][:port] in [from, to). *port stays when none is given. */
static int parse_host(const char *from, const char *to, char *host, size_t size, int *port)
{
	bool bracketed = from < to && *from == '[';
	const char *end = bracketed ? memchr(from, ']', (size_t)(to - from)) : NULL;
	const char *rest;

	if (bracketed) {
		if (end == NULL || copy_part(host, size, from + 1, end) < 0)
			return -1;
		rest = end + 1;
	} else {
		end = memchr(from, ':', (size_t)(to - from));
		rest = end ? end : to;
		if (copy_part(host, size, from, rest) < 0)
			return -1;
	}
	if (!host_is_sane(host, bracketed))
		return -1;
	if (rest == to)
		return 0;
	return *rest == ':' ? parse_port(rest + 1, to, port) : -1;
}

static void trim_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		path[--len] = '\0';
}

/* Takes final slashes and the protocol's own paths off: people paste what they see. */
static void trim_path(char *path)
{
	static const char *const own[] = {NEWSWIRE_PATH_STREAM, NEWSWIRE_PATH_FEED,
					  NEWSWIRE_PATH_ITEMS};
	size_t len;

	trim_slashes(path);
	len = strlen(path);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		size_t n = strlen(own[i]);

		if (len >= n && strcmp(path + len - n, own[i]) == 0) {
			path[len - n] = '\0';
			trim_slashes(path);
			return;
		}
	}
}

static bool path_is_sane(const char *path)
{
	for (; *path; path++)
		if (*path <= ' ' || *path == 0x7f || strchr("?#\"<>\\^`{|}", *path))
			return false;
	return true;
}

int url_parse(struct url *url, const char *text)
{
	const char *rest = NULL, *path;
	int usual = 0;

	memset(url, 0, sizeof *url);
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes && rest == NULL; i++)
		if ((rest = after(text, schemes[i].text)) != NULL) {
			url->tls = schemes[i].tls;
			usual = schemes[i].port;
		}
	if (rest == NULL)
		return -1;
	url->port = usual;
	path = rest + strcspn(rest, "/?#");
	if (parse_host(rest, path, url->host, sizeof url->host, &url->port) < 0)
		return -1;
	if (!path_is_sane(path) ||
	    copy_part(url->path, sizeof url->path, path, path + strlen(path)))
		return -1;
	trim_path(url->path);
	snprintf(url->authority, sizeof url->authority, strchr(url->host, ':') ? "[%s]" : "%s",
		 url->host);
	if (url->port != usual) {
		size_t len = strlen(url->authority);

		snprintf(url->authority + len, sizeof url->authority - len, ":%d", url->port);
	}
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* [from, to) with %XX undone; a zero byte or a broken escape is refused. */
static int unescape(char *out, size_t size, const char *from, const char *to)
{
	size_t len = 0;

	for (; from < to; from++) {
		char c = *from;

		if (c == '%') {
			if (to - from < 3 || hex_digit(from[1]) < 0 || hex_digit(from[2]) < 0)
				return -1;
			c = (char)(hex_digit(from[1]) * 16 + hex_digit(from[2]));
			from += 2;
		}
		if (c == '\0' || len + 1 >= size)
			return -1;
		out[len++] = c;
	}
	out[len] = '\0';
	return 0;
}

/* [user][:password] before the '@'. One name alone is the user. */
static int parse_login(struct url_redis *url, const char *from, const char *to)
{
	const char *colon = memchr(from, ':', (size_t)(to - from));

	if (unescape(url->user, sizeof url->user, from, colon ? colon : to) < 0)
		return -1;
	if (colon == NULL)
		return 0;
	return unescape(url->password, sizeof url->password, colon + 1, to);
}

int url_parse_redis(struct url_redis *url, const char *text)
{
	const char *rest, *end, *at;

	memset(url, 0, sizeof *url);
	url->port = 6379;
	if ((rest = after(text, "unix:")) != NULL) {
		if (strncmp(rest, "//", 2) == 0)
			rest += 2;
		end = rest + strcspn(rest, "?"); /* "?db=N" means nothing here either */
		return end > rest ? copy_part(url->socket, sizeof url->socket, rest, end) : -1;
	}
	if ((rest = after(text, "redis://")) == NULL)
		return -1;
	end = rest + strcspn(rest, "/?#");
	if (end[strspn(end, "/0123456789")] != '\0')
		return -1; /* pub/sub knows no databases: the number is allowed and means nothing */
	if ((at = memrchr(rest, '@', (size_t)(end - rest))) != NULL) {
		if (parse_login(url, rest, at) < 0)
			return -1;
		rest = at + 1;
	}
	return parse_host(rest, end, url->host, sizeof url->host, &url->port);
}

bool newswire_redis_is_url(const char *text)
{
	return after(text, "redis://") || after(text, "rediss://") || after(text, "unix:") ||
	       after(text, "redis+sentinel://");
}

int url_escape(struct gather *g, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < 0x80 && isalnum(c)) || strchr("-._~:,", c)) {
			gather_addc(g, (char)c);
		} else {
			gather_addc(g, '%');
			gather_addc(g, hex[c >> 4]);
			gather_addc(g, hex[c & 15]);
		}
	}
	return g->problem == GATHER_OK ? 0 : -1;
}

int url_add(struct gather *g, const char *name, const char *value)
{
	if (value == NULL)
		return 0;
	gather_addc(g, strchr(gather_text(g), '?') ? '&' : '?');
	gather_adds(g, name);
	gather_addc(g, '=');
	return url_escape(g, value);
}

int url_add_number(struct gather *g, const char *name, unsigned number)
{
	char text[16];

	snprintf(text, sizeof text, "%u", number);
	return url_add(g, name, number ? text : NULL);
}

int url_add_list(struct gather *g, const char *name, const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++) {
		if (list[i][0] == '\0' || strchr(list[i], ',')) {
			g->problem = GATHER_UNFIT;
			return -1;
		}
		if (i == 0)
			url_add(g, name, "");
		else
			gather_addc(g, ',');
		url_escape(g, list[i]);
	}
	return g->problem == GATHER_OK ? 0 : -1;
}

int url_add_query(struct gather *g, const struct newswire_query *query)
{
	if (url_add_list(g, "channels", query->channels) < 0 ||
	    url_add_list(g, "class", query->classes) < 0 ||
	    url_add_list(g, "lang", query->languages) < 0 ||
	    url_add_list(g, "type", query->types) < 0)
		return -1;
	return url_add(g, "view", query->view) < 0 ? -1 : 0;
}
