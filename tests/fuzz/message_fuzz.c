/* message_fuzz.c - throws bytes at everything small that the outside world may send: client messages, subscriptions, cursors,
 * channel names, and posts of `newswire:out`.
 *
 *     clang -g -O1 -std=gnu17 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Iserver -Iinclude \
 *           tests/fuzz/message_fuzz.c server/news/[a-z]*.c server/base/{arena,base,buf,clock,counters,log}.c -ljansson -lgumbo -lxxhash -lcrypto -o message_fuzz
 *     ./message_fuzz -max_len=2048 -dict=tests/fuzz/message.dict NEW_CORPUS tests/fuzz/corpus/message
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "news/message.h"
#include "news/post.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_message(const char *bytes, size_t len)
{
	struct client_message message;
	struct message_fault fault;
	struct cursor at = {"e1", {1, 2}};
	struct buf out = {0};
	json_t *json;

	if (message_read(bytes, len, &message, &fault) == 0) {
		MUST((message.kind == CLIENT_SUBSCRIBE) == (message.subscription != NULL));
		message_subscribed(&out, message.ref, &at);
		subscription_free(message.subscription);
	} else {
		MUST(fault.code && *fault.detail && message.subscription == NULL);
		message_error(&out, fault.code, fault.detail, fault.ref);
	}
	json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	MUST(json_is_object(json)); /* whatever was sent, the answer is JSON */
	json_decref(json);
	buf_free(&out);
}

static void read_subscription(const char *text)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read(text, NULL, NULL, NULL, &fault), *again;

	if (s) { /* the key's list is canonical: it reads as itself */
		again = subscription_read(s->key + strlen("c="), NULL, NULL, NULL, &fault);
		MUST(again && strcmp(again->key, s->key) == 0);
		subscription_free(again);
	}
	subscription_free(s);
	subscription_free(subscription_read(NULL, text, NULL, NULL, &fault));
	subscription_free(subscription_read(NULL, NULL, text, NULL, &fault));
	subscription_free(subscription_read(NULL, NULL, NULL, text, &fault));
}

static void read_cursor(const char *bytes, size_t len)
{
	char text[CURSOR_TEXT_MAX];
	struct cursor cursor, again;

	if (cursor_parse(bytes, len, &cursor) == 0) {
		len = cursor_format(&cursor, text);
		MUST(len < CURSOR_TEXT_MAX && cursor_parse(text, len, &again) == 0);
		MUST(wire_id_compare(cursor.id, again.id) == 0 &&
		     strcmp(cursor.epoch, again.epoch) == 0);
	}
}

static void read_post(const char *bytes, size_t len)
{
	struct subscription_fault fault;
	struct subscription *s = subscription_read("world", "flash", NULL, NULL, &fault);
	struct post *post = post_read(bytes, len);
	const struct frame *frame;
	struct buf out = {0};
	size_t freed;

	if (post) {
		(void)subscription_match(s, post);
		frame = post_frame(post, FORMAT_WEBSOCKET, MATCH_FULL);
		MUST((frame == NULL) == post->blanked);
		MUST(post_frame(post, FORMAT_WEBSOCKET, MATCH_REMOVE) != NULL);
		post_write_json(post, VIEW_FULL, &out);
		freed = post_blank(post);
		MUST(freed <= post->bytes + freed && post->body == NULL);
	}
	buf_free(&out);
	post_drop(post);
	subscription_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	read_message((const char *)data, size);
	read_subscription(text);
	read_cursor((const char *)data, size);
	read_post((const char *)data, size);
	(void)channel_is_readable((const char *)data, size);
	free(text);
	return 0;
}
