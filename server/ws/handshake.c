/* handshake.c - 101, and what was agreed on. */
#include "ws/handshake.h"

#include <string.h>
#include "base/buf.h"
#include "http/full.h"
#include "http/request.h"
#include "ws/offer.h"

enum { KEY_LEN = 24, SHA1_LEN = 20, ACCEPT_SIZE = 32 };

/* RFC 6455, 4.2.2, step 5.4. 0 or -1. */
static int accept_key(struct lws *wsi, char accept[ACCEPT_SIZE])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[KEY_LEN + sizeof guid];
	unsigned char digest[SHA1_LEN];

	if (lws_hdr_copy(wsi, text, KEY_LEN + 1, WSI_TOKEN_KEY) != KEY_LEN)
		return -1;
	memcpy(text + KEY_LEN, guid, sizeof guid);
	lws_SHA1((const unsigned char *)text, KEY_LEN + sizeof guid - 1, digest);
	return lws_b64_encode_string((const char *)digest, SHA1_LEN, accept, ACCEPT_SIZE) < 0 ? -1
											      : 0;
}

/* The coding that both can keep. */
static enum format_coding agree(struct lws *wsi, struct offer_agreed *agreed)
{
	char header[OFFER_HEADER_MAX + 1];

	if (lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_EXTENSIONS) <= 0 ||
	    offer_agree(header, agreed) != 0)
		return CODING_PLAIN;
	return agreed->alone ? CODING_ALONE : CODING_LIKE;
}

/* 0 or -1: it cannot be written. */
static int write_answer(struct lws *wsi, const struct handshake_terms *terms, struct buf *out,
			enum format_coding *coding)
{
	struct offer_agreed agreed;
	char accept[ACCEPT_SIZE];

	if (accept_key(wsi, accept) != 0)
		return -1;
	buf_addf(out,
		 "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
		 "connection: upgrade\r\nsec-websocket-accept: %s\r\n",
		 accept);
	if (terms->speaks != NULL && lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0)
		buf_addf(out, "sec-websocket-protocol: %s\r\n", terms->speaks);
	*coding = terms->deflates ? agree(wsi, &agreed) : CODING_PLAIN;
	if (*coding != CODING_PLAIN)
		buf_addf(out, "sec-websocket-extensions: " OFFER_DEFLATE "%s\r\n", agreed.answer);
	buf_adds(out, "\r\n");
	return out->failed ? -1 : 0;
}

static void refuse(struct lws *wsi)
{
	struct buf out = {0};

	request_write_problem(&out, false, 503, FULL_CODE, FULL_DETAIL, full_retry_reader(), NULL);
	if (!out.failed)
		(void)lws_write(wsi, (unsigned char *)out.data, out.len, LWS_WRITE_HTTP);
	buf_free(&out);
}

/* The socket is ours. 0, or -1: it is closed again. */
static int begin(struct connection *c, const struct buf *head, const struct handshake_terms *terms)
{
	line_bound(c->line.fd, terms->sndbuf);
	if (line_greet(c->line.fd, head->data, head->len, !terms->waits) == 0)
		return 0;
	line_drop(&c->line);
	return -1;
}

int handshake_answer(struct door *door, struct lws *wsi, const struct handshake_terms *terms,
		     struct connection *c, enum format_coding *coding)
{
	struct buf head = {0};
	int result = -1, fd;

	if (write_answer(wsi, terms, &head, coding) == 0) {
		if ((fd = door_take_socket(door, wsi)) < 0) {
			refuse(wsi);
		} else {
			*c = (struct connection){
				.line = {.fd = fd, .all = door_setup_of(door)->lines},
				.deflates = *coding != CODING_PLAIN};
			result = begin(c, &head, terms);
		}
	}
	buf_free(&head);
	return result;
}
