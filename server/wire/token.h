/* token.h - where the next page of a feed goes on, as readers carry it: `<score>.<uri in base64url>`.
 *
 * A score and a uri name one place in a sorted set, whatever was added or taken away since, and however many items are of the
 * same moment.
 */
#ifndef NEWSWIRE_WIRE_TOKEN_H
#define NEWSWIRE_WIRE_TOKEN_H

#include <stddef.h>
#include "base/base.h"
#include "base/buf.h"

enum { TOKEN_SCORE_MAX = 20, TOKEN_URI_MAX = 1024 };

struct token {
	char score[TOKEN_SCORE_MAX + 1];
	char uri[TOKEN_URI_MAX + 1];
};

/* 0, or -1: it is none. */
int token_read(struct token *token, const char *text) MUST_USE;
void token_write(const char *score, const char *uri, struct buf *out);

#endif
