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
/* The file's bytes as they are. */
const char *pages_text(int page, size_t *len);
/* The headers that every page and script goes with, whole lines. */
void pages_add_headers(int page, struct buf *headers);
/* Answers a GET or HEAD. */
void pages_answer(struct request *r, int page);

#endif
