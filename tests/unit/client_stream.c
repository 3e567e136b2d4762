/* A stream comes back from where it was, whatever happens to its link. Against a scripted server on the
 * same loop: each connection is answered with the next script, and its request line is kept. */
#include "cmocka_all.h"

#include <newswire/client.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { MOST = 16, ROOM = 4096, LONG_MESSAGE = 400000, PATIENCE_MS = 20000 };

#define HELLO(resumed, tick) \
	"{\"type\":\"hello\",\"cursor\":\"e:99-0\",\"resumed\":" #resumed ",\"tick\":" #tick "}"
#define POST(id) "{\"type\":\"post\",\"cursor\":\"e:" #id "-0\",\"action\":\"publish\",\"item\":{}}"

/* What the server does with one connection. */
struct script {
	const char *refuse;    /* an HTTP answer instead of the upgrade */
	const char *frames[6]; /* texts; each becomes a frame */
	const char *raw;       /* bytes after them */
	size_t raw_len;
	int close; /* close code; 0 leaves the connection open */
};

struct peer {
	uv_tcp_t tcp;
	char request[ROOM];
	size_t len;
	bool upgraded;
};

static struct {
	uv_loop_t loop;
	uv_tcp_t listener;
	uv_timer_t patience;
	int port;
	const struct script *scripts;
	int count, accepted;
	char paths[MOST][256];
	struct peer *peers[MOST];

	struct newswire_client *client;
	struct newswire_stream *stream;
	enum newswire_message_type seen[64];
	int messages, lives, losses;
	struct newswire_link_change last;
	char reason[256], cursor[NEWSWIRE_CURSOR_SIZE];
	size_t len; /* of the last message */
	bool (*enough)(void);
	bool close_on_post;
} stage;

/* --- the server ------------------------------------------------------------------------------- */

/* Bytes on their way to the client. */
struct parcel {
	uv_write_t write;
	char bytes[];
};

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	free(write->data);
}

static void put(struct peer *peer, const void *bytes, size_t len)
{
	struct parcel *parcel = malloc(sizeof *parcel + len);
	uv_buf_t buf;

	assert_non_null(parcel);
	memcpy(parcel->bytes, bytes, len);
	parcel->write.data = parcel;
	buf = uv_buf_init(parcel->bytes, (unsigned)len);
	if (uv_write(&parcel->write, (uv_stream_t *)&peer->tcp, &buf, 1, on_written) < 0)
		free(parcel); /* the client has gone */
}

static void put_frame(struct peer *peer, int opcode, const char *bytes, size_t len)
{
	unsigned char head[10] = {(unsigned char)(0x80 | opcode)};
	size_t head_len = len < 126 ? 2 : len < 65536 ? 4 : 10;

	head[1] = len < 126 ? (unsigned char)len : len < 65536 ? 126 : 127;
	for (size_t i = 2; i < head_len; i++)
		head[i] = (unsigned char)(len >> 8 * (head_len - 1 - i));
	put(peer, head, head_len);
	put(peer, bytes, len);
}

static void upgrade(struct peer *peer)
{
	const char *key = strstr(peer->request, "Sec-WebSocket-Key: ");
	unsigned char digest[EVP_MAX_MD_SIZE], accept[64];
	char text[256];
	unsigned len = 0;

	assert_non_null(key);
	snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
	EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL);
	EVP_EncodeBlock(accept, digest, (int)len);
	snprintf(text, sizeof text,
		 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		 "Sec-WebSocket-Protocol: newswire.v1\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		 accept);
	put(peer, text, strlen(text));
}

static void play(struct peer *peer, const struct script *script)
{
	char code[2] = {(char)(script->close >> 8), (char)script->close};

	if (script->refuse) {
		put(peer, script->refuse, strlen(script->refuse));
		return;
	}
	upgrade(peer);
	for (int i = 0; script->frames[i]; i++)
		put_frame(peer, 1, script->frames[i], strlen(script->frames[i]));
	if (script->raw)
		put(peer, script->raw, script->raw_len);
	if (script->close)
		put_frame(peer, 8, code, sizeof code);
}

static void on_peer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void let_go(struct peer *peer)
{
	for (int i = 0; i < MOST; i++)
		if (stage.peers[i] == peer)
			stage.peers[i] = NULL;
	if (!uv_is_closing((uv_handle_t *)&peer->tcp))
		uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct peer *peer = handle->data;

	(void)size;
	if (peer->upgraded)
		peer->len = 0; /* what clients say is not listened to */
	*buf = uv_buf_init(peer->request + peer->len, (unsigned)(ROOM - 1 - peer->len));
}

static void on_read(uv_stream_t *tcp, ssize_t len, const uv_buf_t *buf)
{
	struct peer *peer = tcp->data;
	int n = stage.accepted;

	(void)buf;
	if (len < 0) {
		let_go(peer);
		return;
	}
	peer->len += (size_t)len;
	peer->request[peer->len] = '\0';
	if (peer->upgraded || strstr(peer->request, "\r\n\r\n") == NULL)
		return;
	peer->upgraded = true;
	assert_true(n < MOST);
	sscanf(peer->request, "GET %255s", stage.paths[n]);
	stage.accepted++;
	play(peer, &stage.scripts[n < stage.count ? n : stage.count - 1]);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct peer *peer = calloc(1, sizeof *peer);
	int i = 0;

	assert_int_equal(status, 0);
	uv_tcp_init(&stage.loop, &peer->tcp);
	peer->tcp.data = peer;
	while (stage.peers[i])
		i++;
	stage.peers[i] = peer;
	uv_accept(listener, (uv_stream_t *)&peer->tcp);
	uv_read_start((uv_stream_t *)&peer->tcp, on_room, on_read);
}

/* --- the reader --------------------------------------------------------------------------------- */

static void look(void)
{
	if (stage.enough && stage.enough())
		uv_stop(&stage.loop);
}

static void on_message(void *data, const struct newswire_message *message)
{
	(void)data;
	if (stage.messages < 64)
		stage.seen[stage.messages] = message->type;
	stage.messages++;
	stage.len = message->len;
	snprintf(stage.cursor, sizeof stage.cursor, "%s", message->cursor);
	if (stage.close_on_post && message->type == NEWSWIRE_MESSAGE_POST) {
		newswire_stream_close(stage.stream);
		stage.stream = NULL;
	}
	look();
}

static void on_link(void *data, const struct newswire_link_change *change)
{
	(void)data;
	if (stage.enough && stage.enough())
		return; /* a wait of 0 ms is over before the loop stops: the loss is what we came for */
	stage.last = *change;
	snprintf(stage.reason, sizeof stage.reason, "%s", change->reason);
	stage.lives += change->link == NEWSWIRE_LINK_LIVE;
	stage.losses += change->link == NEWSWIRE_LINK_WAITING;
	look();
}

static void on_impatience(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("waited %d ms in vain: %d messages, %d losses (%s)", PATIENCE_MS, stage.messages,
		 stage.losses, stage.reason);
}

/* Plays the scripts (the last one again and again) until enough() is true. */
static void run(const struct script *scripts, int count, const char *since, bool (*enough)(void))
{
	static const struct newswire_stream_handlers handlers = {.message = on_message,
								 .link = on_link};
	static const char *const channels[] = {"world", NULL};
	char url[64];
	const struct newswire_query query = {.url = url, .channels = channels};

	stage.scripts = scripts;
	stage.count = count;
	stage.enough = enough;
	snprintf(url, sizeof url, "ws://127.0.0.1:%d", stage.port);
	stage.stream = newswire_stream_open(stage.client, &query, since, &handlers, NULL);
	assert_non_null(stage.stream);
	uv_timer_start(&stage.patience, on_impatience, PATIENCE_MS, 0);
	uv_run(&stage.loop, UV_RUN_DEFAULT);
	uv_timer_stop(&stage.patience);
}

static int open_stage(void **state)
{
	struct sockaddr_in address;
	int len = sizeof address;

	(void)state;
	memset(&stage, 0, sizeof stage);
	uv_loop_init(&stage.loop);
	uv_timer_init(&stage.loop, &stage.patience);
	uv_tcp_init(&stage.loop, &stage.listener);
	uv_ip4_addr("127.0.0.1", 0, &address);
	uv_tcp_bind(&stage.listener, (struct sockaddr *)&address, 0);
	if (uv_listen((uv_stream_t *)&stage.listener, 16, on_connection) < 0)
		return -1;
	uv_tcp_getsockname(&stage.listener, (struct sockaddr *)&address, &len);
	stage.port = ntohs(address.sin_port);
	stage.client = newswire_client_new(&stage.loop, NULL);
	return stage.client ? 0 : -1;
}

static int close_stage(void **state)
{
	(void)state;
	newswire_client_stop(stage.client);
	for (int i = 0; i < MOST; i++)
		if (stage.peers[i])
			let_go(stage.peers[i]);
	uv_close((uv_handle_t *)&stage.listener, NULL);
	uv_close((uv_handle_t *)&stage.patience, NULL);
	uv_run(&stage.loop, UV_RUN_DEFAULT);
	newswire_client_free(stage.client);
	return uv_loop_close(&stage.loop);
}

/* --- the sentences ------------------------------------------------------------------------------ */

static bool two_links(void)
{
	return stage.lives == 2;
}

static bool one_loss(void)
{
	return stage.losses == 1;
}

static bool is_failed(void)
{
	return stage.last.link == NEWSWIRE_LINK_FAILED;
}

static bool one_message(void)
{
	return stage.messages == 1;
}

static bool two_messages(void)
{
	return stage.messages == 2;
}

static bool stream_is_closed(void)
{
	return stage.stream == NULL;
}

static void a_lost_stream_resumes_after_the_last_post(void **state)
{
	static const struct script scripts[] = {
		{.frames = {HELLO(false, 25), POST(5), POST(6),
			    "{\"type\":\"bye\",\"reason\":\"drain\",\"retry_ms\":1}"},
		 .close = 1001},
		{.frames = {HELLO(true, 25)}},
	};

	(void)state;
	run(scripts, 2, NULL, two_links);
	assert_string_equal(stage.paths[0], "/v1/stream?channels=world");
	assert_string_equal(stage.paths[1], "/v1/stream?channels=world&since=e:6-0");
	assert_int_equal(stage.losses, 1);
}

static void a_resumed_stream_does_not_jump_to_the_head_that_hello_names(void **state)
{
	static const struct script scripts[] = {
		{.frames = {HELLO(true, 25), "{\"type\":\"bye\",\"retry_ms\":1}"}, .close = 1001},
		{.frames = {HELLO(true, 25)}},
	};

	(void)state;
	run(scripts, 2, "e:3-0", two_links);
	assert_string_equal(stage.paths[0], "/v1/stream?channels=world&since=e:3-0");
	assert_string_equal(stage.paths[1], "/v1/stream?channels=world&since=e:3-0");
}

static void a_tick_moves_the_position_and_a_gap_replaces_it(void **state)
{
	static const struct script scripts[] = {
		{.frames = {HELLO(true, 25), "{\"type\":\"tick\",\"cursor\":\"e:7-0\"}",
			    "{\"type\":\"gap\",\"cursor\":\"f:1-0\"}",
			    "{\"type\":\"bye\",\"retry_ms\":1}"},
		 .close = 1001},
		{.frames = {HELLO(true, 25)}},
	};

	(void)state;
	run(scripts, 2, "e:3-0", two_links);
	assert_string_equal(stage.paths[1], "/v1/stream?channels=world&since=f:1-0");
	assert_int_equal(stage.seen[2], NEWSWIRE_MESSAGE_GAP);
}

static void the_wait_that_a_bye_names_is_kept(void **state)
{
	static const struct script scripts[] = {
		{.frames = {HELLO(false, 25),
			    "{\"type\":\"bye\",\"reason\":\"drain\",\"retry_ms\":4200}"},
		 .close = 1001},
	};

	(void)state;
	run(scripts, 1, NULL, one_loss);
	assert_int_equal(stage.last.wait_ms, 4200);
	assert_int_equal(stage.last.code, 1001);
	assert_string_equal(stage.reason, "drain");
}

static void a_link_on_which_nothing_arrives_is_dead_after_two_ticks(void **state)
{
	static const struct script scripts[] = {{.frames = {HELLO(false, 0.1)}}};
	uint64_t begin = uv_hrtime();

	(void)state;
	run(scripts, 1, NULL, one_loss);
	assert_true(uv_hrtime() - begin >= 200000000);
	assert_non_null(strstr(stage.reason, "nothing arrived"));
}

static void a_handshake_refused_for_good_is_not_tried_again(void **state)
{
	static const struct script scripts[] = {
		{.refuse = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: "
			   "close\r\n\r\n"},
	};

	(void)state;
	run(scripts, 1, NULL, is_failed);
	assert_int_equal(stage.last.code, 400);
	assert_int_equal(stage.accepted, 1);
}

static void a_server_that_cannot_serve_now_is_tried_again(void **state)
{
	static const struct script scripts[] = {
		{.refuse = "HTTP/1.1 503 Away\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"},
		{.frames = {HELLO(false, 25)}},
	};

	(void)state;
	run(scripts, 2, NULL, one_message);
	assert_int_equal(stage.accepted, 2);
	assert_int_equal(stage.last.link, NEWSWIRE_LINK_LIVE);
}

static void a_bad_subscription_is_final(void **state)
{
	static const struct script scripts[] = {{.frames = {HELLO(false, 25)}, .close = 4000}};

	(void)state;
	run(scripts, 1, NULL, is_failed);
	assert_int_equal(stage.last.code, NEWSWIRE_CLOSE_BAD_SUBSCRIPTION);
}

static void a_long_message_arrives_whole(void **state)
{
	static char message[LONG_MESSAGE];
	const struct script scripts[] = {{.frames = {HELLO(false, 25), message}}};

	(void)state;
	snprintf(message, sizeof message, "{\"type\":\"tick\"}%*s", LONG_MESSAGE - 16, "");
	run(scripts, 1, NULL, two_messages);
	assert_int_equal(stage.len, LONG_MESSAGE - 1);
	assert_int_equal(stage.seen[1], NEWSWIRE_MESSAGE_TICK);
}

static void a_message_in_fragments_arrives_whole(void **state)
{
	static const char raw[] = "\x01\x08{\"type\":\x80\x06\"gap\"}";
	static const struct script scripts[] = {
		{.frames = {HELLO(false, 25)}, .raw = raw, .raw_len = sizeof raw - 1}};

	(void)state;
	run(scripts, 1, NULL, two_messages);
	assert_int_equal(stage.seen[1], NEWSWIRE_MESSAGE_GAP);
	assert_int_equal(stage.len, 14);
}

static void a_message_beyond_the_limit_ends_the_link_and_nothing_else(void **state)
{
	static const char head[10] = {(char)0x81, 0x7f, 0, 0, 0, 0, 0x10, 0, 0, 0};
	static char raw[NEWSWIRE_MAX_MESSAGE + 100000];
	const struct script scripts[] = {
		{.frames = {HELLO(false, 25)}, .raw = raw, .raw_len = sizeof raw}};

	(void)state;
	memset(raw, 'x', sizeof raw);
	memcpy(raw, head, sizeof head);
	run(scripts, 1, NULL, one_loss);
	assert_non_null(strstr(stage.reason, "too long"));
	assert_int_equal(stage.messages, 1);
}

static void a_binary_or_broken_message_ends_the_link(void **state)
{
	static const char binary[] = "\x82\x01x";
	static const struct script scripts[] = {
		{.frames = {HELLO(false, 25)}, .raw = binary, .raw_len = sizeof binary - 1},
	};
	static const struct script broken[] = {{.frames = {HELLO(false, 25), "[1]"}}};

	run(scripts, 1, NULL, one_loss);
	assert_non_null(strstr(stage.reason, "binary"));
	close_stage(state);
	open_stage(state);
	run(broken, 1, NULL, one_loss);
	assert_non_null(strstr(stage.reason, "not a JSON object"));
}

static void a_stream_may_be_closed_from_its_own_callback(void **state)
{
	static const struct script scripts[] = {
		{.frames = {HELLO(false, 25), POST(1), POST(2), POST(3)}}};

	(void)state;
	stage.close_on_post = true;
	run(scripts, 1, NULL, stream_is_closed);
	assert_int_equal(stage.messages, 2);
	assert_string_equal(stage.cursor, "e:1-0");
}

static void what_cannot_be_asked_for_is_refused_at_once(void **state)
{
	static const struct newswire_stream_handlers handlers;
	static const char *const empty[] = {"", NULL};
	const struct newswire_query bad_url = {.url = "gopher://x"};
	const struct newswire_query bad_name = {.url = "http://a", .channels = empty};
	const struct newswire_query good = {.url = "http://a"};
	char cursor[NEWSWIRE_MAX_CURSOR + 2];

	(void)state;
	memset(cursor, 'a', sizeof cursor);
	cursor[sizeof cursor - 1] = '\0';
	assert_null(newswire_stream_open(stage.client, &bad_url, NULL, &handlers, NULL));
	assert_null(newswire_stream_open(stage.client, &bad_name, NULL, &handlers, NULL));
	assert_null(newswire_stream_open(stage.client, &good, cursor, &handlers, NULL));
}

int main(void)
{
#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)
	const struct CMUnitTest tests[] = {
		ON_STAGE(a_lost_stream_resumes_after_the_last_post),
		ON_STAGE(a_resumed_stream_does_not_jump_to_the_head_that_hello_names),
		ON_STAGE(a_tick_moves_the_position_and_a_gap_replaces_it),
		ON_STAGE(the_wait_that_a_bye_names_is_kept),
		ON_STAGE(a_link_on_which_nothing_arrives_is_dead_after_two_ticks),
		ON_STAGE(a_handshake_refused_for_good_is_not_tried_again),
		ON_STAGE(a_server_that_cannot_serve_now_is_tried_again),
		ON_STAGE(a_bad_subscription_is_final),
		ON_STAGE(a_long_message_arrives_whole),
		ON_STAGE(a_message_in_fragments_arrives_whole),
		ON_STAGE(a_message_beyond_the_limit_ends_the_link_and_nothing_else),
		ON_STAGE(a_binary_or_broken_message_ends_the_link),
		ON_STAGE(a_stream_may_be_closed_from_its_own_callback),
		ON_STAGE(what_cannot_be_asked_for_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
