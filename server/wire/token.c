/* token.c - writes and reads the places in a feed. */
#include "wire/token.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void token_write(const char *score, const char *uri, struct buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	buf_adds(out, score);
	buf_addc(out, '.');
	for (; *uri; uri++) {
		bits = bits << 8 | (unsigned char)*uri;
		for (have += 8; have >= 6; have -= 6)
			buf_addc(out, alphabet[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		buf_addc(out, alphabet[bits << (6 - have) & 63]);
}

static int read_score(struct token *token, const char *text, size_t len)
{
	if (len == 0 || len > TOKEN_SCORE_MAX || strspn(text, "0123456789") != len)
		return -1;
	memcpy(token->score, text, len);
	token->score[len] = '\0';
	return 0;
}

static int read_uri(struct token *token, const char *text)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (; *text; text++) {
		const char *digit = strchr(alphabet, *text);

		if (digit == NULL || len == TOKEN_URI_MAX)
			return -1;
		bits = bits << 6 | (uint32_t)(digit - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			token->uri[len++] = (char)(bits >> have);
		}
	}
	token->uri[len] = '\0';
	return len > 0 && strlen(token->uri) == len ? 0 : -1;
}

int token_read(struct token *token, const char *text)
{
	const char *dot = strchr(text, '.');

	if (dot == NULL || read_score(token, text, (size_t)(dot - text)) == -1)
		return -1;
	return read_uri(token, dot + 1);
}
