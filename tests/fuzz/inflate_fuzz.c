/* inflate_fuzz.c - throws bytes at what says that a client takes or offers compression, and at its compressed messages. */
#include <stdlib.h>
#include <string.h>
#include <newswire/protocol.h>
#include "http/encoding.h"
#include "ws/inflate.h"
#include "ws/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_offer(const char *header)
{
	struct offer_agreed agreed;

	if (offer_agree(header, &agreed) != 0)
		return;
	MUST(strstr(header, OFFER_DEFLATE) != NULL && offer_mentions(header) > 0);
	MUST(strstr(agreed.answer, "; client_no_context_takeover") != NULL);
	MUST(!agreed.alone || strstr(header, "server_no_context_takeover") != NULL);
}

static void read_encodings(const char *header)
{
	if (encoding_takes_gzip(header))
		MUST(strcasestr(header, "gzip") != NULL || strchr(header, '*') != NULL);
}

/* The same bytes come to the same end, whatever was inflated before. */
static void read_message(const uint8_t *bytes, size_t len)
{
	static struct buf out, again;
	enum inflate_result result;

	if (len > NEWSWIRE_MAX_CLIENT_MESSAGE + 32)
		return;
	result = inflate_message(bytes, len, NEWSWIRE_MAX_CLIENT_MESSAGE, &out);
	(void)inflate_message(bytes, len / 2, NEWSWIRE_MAX_CLIENT_MESSAGE, &again);
	MUST(inflate_message(bytes, len, NEWSWIRE_MAX_CLIENT_MESSAGE, &again) == result);
	MUST(result != INFLATE_NO_MEMORY);
	if (result != INFLATE_DONE)
		return;
	MUST(out.len <= NEWSWIRE_MAX_CLIENT_MESSAGE && again.len == out.len);
	MUST(memcmp(out.data, again.data, out.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	read_offer(text);
	read_encodings(text);
	read_message(data, size);
	free(text);
	return 0;
}
