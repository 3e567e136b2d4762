/* client_fuzz.c - a hostile server, and addresses from anywhere, for libnewswire: a stream keeps its place and its bounds whatever
 * it hears.
 *
 *   u…  an address     what is taken apart can be asked
 *   q…  a text         what is escaped has only characters that a URL may have
 *   m…  messages       lines of a stream, each one message; `\t` before one: only a piece of it, `\x01`: binary, `\x02`: a close frame
 */
#include <errno.h>
#include <newswire/protocol.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"
#include "client.h"
#include "gather.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In libwebsockets' place ------------------------------------------------------------------------ */

static struct newswire_stream *stream;
static bool binary, last_piece;

void *lws_get_opaque_user_data(const struct lws *wsi)
{
	(void)wsi;
	return stream;
}

int lws_frame_is_binary(struct lws *wsi)
{
	(void)wsi;
	return binary;
}

int lws_is_final_fragment(struct lws *wsi)
{
	(void)wsi;
	return last_piece;
}

size_t lws_remaining_packet_payload(struct lws *wsi)
{
	(void)wsi;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ */

static void on_message(void *arg, const struct newswire_message *message)
{
	(void)arg;
	MUST(strlen(message->cursor) <= NEWSWIRE_MAX_CURSOR && message->json != NULL);
	MUST(message->type <= NEWSWIRE_MESSAGE_OTHER);
}

static void on_link(void *arg, const struct newswire_link_change *change)
{
	(void)arg;
	MUST(change->reason != NULL && strlen(change->cursor) <= NEWSWIRE_MAX_CURSOR);
}

static void hear(char *at, char *end)
{
	static struct lws *const some = NULL;
	char *stop;

	for (; at < end; at = stop + 1) {
		enum lws_callback_reasons reason = LWS_CALLBACK_CLIENT_RECEIVE;

		if ((stop = memchr(at, '\n', (size_t)(end - at))) == NULL)
			stop = end;
		last_piece = *at != '\t';
		binary = *at == '\x01';
		if (*at == '\x02')
			reason = LWS_CALLBACK_WS_PEER_INITIATED_CLOSE;
		at += at < stop && (!last_piece || binary || *at == '\x02');
		(void)stream_door(some, reason, NULL, at, (size_t)(stop - at));
	}
	(void)stream_door(some, LWS_CALLBACK_CLIENT_CLOSED, NULL, NULL, 0);
}

static void follow(char *at, char *end)
{
	static const struct newswire_stream_handlers handlers = {.message = on_message,
								 .link = on_link};
	const struct newswire_query query = {.url = "http://127.0.0.1:9"};
	struct newswire_client client = {0};
	uv_loop_t loop;

	MUST(uv_loop_init(&loop) == 0);
	client.loop = &loop;
	LIST_INIT(&client.streams);
	stream = newswire_stream_open(&client, &query, NULL, &handlers, NULL);
	MUST(stream != NULL);
	hear(at, end);
	newswire_stream_close(stream);
	MUST(uv_run(&loop, UV_RUN_NOWAIT) == 0 && uv_loop_close(&loop) == 0);
}

static void take_apart(const char *text)
{
	struct url url;
	struct url_redis redis;

	if (url_parse(&url, text) == 0) {
		size_t len = strlen(url.path);

		MUST(url.port >= 1 && url.port <= 65535 && url.host[0] && url.authority[0]);
		MUST(len == 0 || (url.path[0] == '/' && url.path[len - 1] != '/'));
		MUST(strpbrk(url.authority, "\r\n") == NULL && strpbrk(url.path, " \r\n") == NULL);
	}
	if (url_parse_redis(&redis, text) == 0)
		MUST((redis.socket[0] != '\0') != (redis.host[0] != '\0'));
}

static void escape(const char *text)
{
	struct gather g;

	gather_init(&g, 4096);
	if (url_escape(&g, text) == 0)
		MUST(gather_text(&g)[strspn(
			     gather_text(&g),
			     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			     "-._~:,%")] == '\0');
	MUST(g.len <= g.limit);
	gather_free(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0 || (text = malloc(size)) == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'u')
		take_apart(text);
	else if (data[0] == 'q')
		escape(text);
	else
		follow(text, text + size - 1);
	free(text);
	return 0;
}
