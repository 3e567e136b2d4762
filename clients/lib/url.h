/* url.h - the addresses that a client is given, and the ones that it asks for.
 *
 * What it does  Takes apart http(s), ws(s), redis and unix addresses (RFC 3986, the parts that make
 *               sense here), and builds paths with queries.
 * Errors        0, or -1: not such an address, or a part too long. Nothing is printed.
 */
#ifndef NEWSWIRE_LIB_URL_H
#define NEWSWIRE_LIB_URL_H

#include "gather.h"

#include <newswire/client.h>

#include <stdbool.h>

enum { URL_HOST_SIZE = 256, URL_PATH_SIZE = 512, URL_SECRET_SIZE = 256 };

/* Of http://, https://, ws:// or wss://. */
struct url {
	bool tls;
	int port;		  /* 1-65535 */
	char host[URL_HOST_SIZE]; /* to connect to: no brackets around IPv6 */
	char authority[URL_HOST_SIZE +
		       10];	  /* for the Host header: with them, and the port if unusual */
	char path[URL_PATH_SIZE]; /* what goes before "/v1/…": "" or "/prefix", no final slash */
};

/* Of redis:// or unix:. */
struct url_redis {
	char host[URL_HOST_SIZE]; /* "" for a socket */
	int port;
	char socket[108]; /* a path; "" for TCP */
	char user[URL_SECRET_SIZE];
	char password[URL_SECRET_SIZE]; /* unescaped; "" for none */
};

/* `text` may end in a path; one that ends in a path of the protocol (`/v1/items` …) loses it. User
 * names, queries and fragments are refused: they would be lost silently. */
int url_parse(struct url *url, const char *text);
int url_parse_redis(struct url_redis *url, const char *text);

/* Appends `text`, escaping all but RFC 3986's unreserved characters and ":" and ",". */
int url_escape(struct gather *g, const char *text);

/* Appends name=value to a query, after '?' or '&' as it needs, escaped; nothing if value is NULL. */
int url_add(struct gather *g, const char *name, const char *value);

/* The same with a number; nothing if it is 0. */
int url_add_number(struct gather *g, const char *name, unsigned number);

/* The same with a list, joined by commas. A NULL or empty list appends nothing. Returns -1 also when a
 * member is empty or holds a comma. */
int url_add_list(struct gather *g, const char *name, const char *const *list);

/* Appends the filters of a query: channels, class, lang, type, view. */
int url_add_query(struct gather *g, const struct newswire_query *query);

#endif
