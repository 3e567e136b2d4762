/* pages.h - the files of clients/web, served from memory.
 *
 * What it does  Answers with a file as embed.cmake has made it, in gzip for those who take it. A page brings its style
 *               inside and may run nothing but our scripts: its Content-Security-Policy names the one style by its hash.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_PAGES_H
#define NEWSWIRE_HTTP_PAGES_H

#include "http/request.h"

/* Which file stands at this path? -1: none. */
int pages_find(const char *path);
/* Is it the composer, or a file of it? */
bool pages_is_newsroom(int page);
/* The file's bytes as they are. */
const char *pages_text(int page, size_t *len);
/* Answers a GET or HEAD. */
void pages_answer(struct request *r, int page);

/* What is sent in the place of a file. */
struct pages_body {
	const char *etag; /* of the content, with its quotes */
	const void *bytes;
	size_t len;
	const void *gzip; /* the same, smaller */
	size_t gzip_len;  /* 0: it is sent as it is */
};

/* The same with another body, under the rules of the file. */
void pages_send(struct request *r, int page, const struct pages_body *body);

#endif
