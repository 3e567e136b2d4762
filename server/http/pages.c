/* pages.c - finds a file, and says how a browser may use it. */
#include "http/pages.h"

#include <newswire/protocol.h>
#include <openssl/evp.h>
#include <string.h>
#include "web_files.h"

#define STYLE	  "<style>"
#define STYLE_END "</style>"

enum { DIGEST_BASE64_SIZE = 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1, ETAG_SIZE = 64 };

int pages_find(const char *path)
{
	for (size_t i = 0; i < COUNT_OF(web_files); i++)
		if (strcmp(web_files[i].path, path) == 0)
			return (int)i;
	return -1;
}

bool pages_is_newsroom(int page)
{
	const char *path = web_files[page].path;
	size_t len = strlen(NEWSWIRE_PATH_NEWSROOM);

	return strncmp(path, NEWSWIRE_PATH_NEWSROOM, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

const char *pages_text(int page, size_t *len)
{
	*len = web_files[page].len;
	return (const char *)web_files[page].bytes;
}

/* ` 'sha256-…'` of what stands between a page's style tags (CSP3, 8.4); nothing if it has none. */
static void add_style_hash(int page, struct buf *out)
{
	const char *text = (const char *)web_files[page].bytes;
	const char *end = text + web_files[page].len, *style, *after;
	unsigned char digest[EVP_MAX_MD_SIZE];
	char base64[DIGEST_BASE64_SIZE];
	unsigned len = 0;

	style = memmem(text, web_files[page].len, STYLE, strlen(STYLE));
	if (style == NULL)
		return;
	style += strlen(STYLE);
	after = memmem(style, (size_t)(end - style), STYLE_END, strlen(STYLE_END));
	if (after == NULL ||
	    EVP_Digest(style, (size_t)(after - style), digest, &len, EVP_sha256(), NULL) != 1)
		return;
	EVP_EncodeBlock((unsigned char *)base64, digest, (int)len);
	buf_addf(out, " 'sha256-%s'", base64);
}

static void add_headers(int page, struct buf *headers)
{
	buf_adds(
		headers,
		"cache-control: no-cache\r\nvary: accept-encoding\r\nreferrer-policy: "
		"no-referrer\r\n"
		"content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'");
	add_style_hash(page, headers);
	buf_adds(headers, "; img-src 'self' https: http: data:; media-src https: http:; "
			  "base-uri 'none'; form-action 'none'; ");
	/* A key is typed there: it speaks to nobody but us, and nobody may frame or find it. */
	buf_adds(headers, pages_is_newsroom(page)
				  ? "connect-src 'self'; frame-ancestors 'none'\r\n"
				    "cross-origin-opener-policy: same-origin\r\n"
				    "x-robots-tag: noindex, nofollow\r\n"
				  : "connect-src 'self' ws: wss:; frame-ancestors 'self'\r\n");
}

void pages_send(struct request *r, int page, const struct pages_body *body)
{
	bool gzip = r->takes_gzip && body->gzip_len > 0 && body->gzip_len < body->len;
	struct buf headers = {0};
	char etag[ETAG_SIZE];

	/* Two encodings are two representations (RFC 9110, 8.8.1). */
	snprintf(etag, sizeof etag, "%.*s%s\"", (int)strlen(body->etag) - 1, body->etag,
		 gzip ? "-gzip" : "");
	add_headers(page, &headers);
	buf_addf(&headers, "etag: %s\r\n%s", etag, gzip ? "content-encoding: gzip\r\n" : "");
	buf_addc(&headers, '\0');
	if (headers.failed)
		request_problem(r, 500, "no_memory", "out of memory", "", NULL);
	else if (request_knows(r, etag))
		request_answer(r, 304, NULL, headers.data, NULL, 0);
	else
		request_answer(r, 200, web_files[page].type, headers.data,
			       gzip ? body->gzip : body->bytes, gzip ? body->gzip_len : body->len);
	buf_free(&headers);
}

void pages_answer(struct request *r, int page)
{
	const struct pages_body body = {web_files[page].etag, web_files[page].bytes,
					web_files[page].len, web_files[page].gzip,
					web_files[page].gzip_len};

	pages_send(r, page, &body);
}
