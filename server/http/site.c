/* site.c - our own address, as a browser would write it. */
#include "http/site.h"

#include <ctype.h>
#include <string.h>

/* A name, an IPv4 address or an IPv6 one in brackets, and perhaps a port. What a client sends goes
 * into documents: anything else is as good as nothing. */
static bool is_host(const char *text)
{
	const char *at = text;

	if (*at == '[')
		at += 1 + strspn(at + 1, "0123456789abcdefABCDEF:.");
	else
		while (isalnum((unsigned char)*at) || (*at != '\0' && strchr("-._", *at)))
			at++;
	if (*text == '[' && *at++ != ']')
		return false;
	if (at == text)
		return false;
	if (*at == ':')
		at += 1 + strspn(at + 1, "0123456789");
	return *at == '\0';
}

void site_add(const struct request *r, struct buf *out)
{
	const char *given = door_setup_of(r->door)->public_url;
	size_t len = strlen(given);

	if (len > 0) {
		buf_add(out, given, len);
		if (given[len - 1] != '/')
			buf_addc(out, '/');
	} else if (r->host != NULL && is_host(r->host)) {
		buf_addf(out, "http%s://%s/", lws_is_ssl(r->wsi) ? "s" : "", r->host);
	}
}
