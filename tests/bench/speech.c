/* speech.c - how a reader asks for the news, and how it knows that it will get them: see speech.h. */
#include "speech.h"

#include <stdio.h>
#include <string.h>

/* The example of RFC 6455, so that every answer can be checked for the same value. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define MQTT_SUBSCRIBE 0x82

static size_t fits(int n, size_t room)
{
	return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

static size_t ask_websocket(char *out, size_t room, const char *place, unsigned reader)
{
	(void)reader;
	return fits(snprintf(out, room,
			     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
			     "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
			     "Sec-WebSocket-Version: 13\r\n\r\n",
			     place),
		    room);
}

/* The mask of every frame to the server. */
#define MASK "AAAA"

/* A handshake, and behind it at once a text frame with both commands. The place is a channel. */
static size_t ask_centrifuge(char *out, size_t room, const char *place, unsigned reader)
{
	(void)place; /* it is said in a message */
	return ask_websocket(out, room, "/connection/websocket", reader);
}

static size_t ask_to_subscribe(char *out, size_t room, const char *place, unsigned reader)
{
	char says[256];
	size_t n = 0, len = fits(snprintf(says, sizeof says,
					  "{\"id\":1,\"connect\":{}}\n"
					  "{\"id\":2,\"subscribe\":{\"channel\":\"%s\"}}",
					  place),
				 sizeof says);

	(void)reader;
	if (len == 0 || len > 125 || room < 6 + len)
		return 0;
	out[n++] = (char)0x81;
	out[n++] = (char)(0x80 | len);
	memcpy(out + n, MASK, 4);
	n += 4;
	for (size_t i = 0; i < len; i++)
		out[n++] = (char)(says[i] ^ MASK[0]);
	return n;
}

/* As a browser offers it. */
static size_t ask_compressed(char *out, size_t room, const char *place, unsigned reader)
{
	(void)reader;
	return fits(snprintf(out, room,
			     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
			     "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
			     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: "
			     "permessage-deflate; client_max_window_bits\r\n\r\n",
			     place),
		    room);
}

static size_t ask_event_stream(char *out, size_t room, const char *place, unsigned reader)
{
	(void)reader;
	return fits(snprintf(out, room,
			     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			     "Accept: text/event-stream\r\n\r\n",
			     place),
		    room);
}

/* As a browser asks for it. */
static size_t ask_compressed_events(char *out, size_t room, const char *place, unsigned reader)
{
	(void)reader;
	return fits(snprintf(out, room,
			     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			     "Accept: text/event-stream\r\nAccept-Encoding: gzip, deflate\r\n\r\n",
			     place),
		    room);
}

static size_t ask_nats(char *out, size_t room, const char *place, unsigned reader)
{
	(void)reader;
	return fits(
		snprintf(out, room,
			 "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB %s 1\r\nPING\r\n",
			 place),
		room);
}

static size_t ask_redis(char *out, size_t room, const char *place, unsigned reader)
{
	(void)reader;
	return fits(snprintf(out, room, "SUBSCRIBE %s\r\n", place), room);
}

/* CONNECT of MQTT 3.1.1: a clean session, no keep-alive; then SUBSCRIBE with QoS 0. */
static size_t ask_mqtt(char *out, size_t room, const char *place, unsigned reader)
{
	char id[16];
	size_t id_len = fits(snprintf(id, sizeof id, "reader-%u", reader), sizeof id);
	size_t topic_len = strlen(place);
	size_t n = 0;

	if (topic_len > 100 || room < 16 + id_len + 8 + topic_len)
		return 0;
	memcpy(out, "\x10\x00\x00\x04MQTT\x04\x02\x00\x00\x00", 13);
	out[1] = (char)(12 + id_len);
	out[13] = (char)id_len;
	memcpy(out + 14, id, id_len);
	n = 14 + id_len;
	out[n++] = (char)MQTT_SUBSCRIBE;
	out[n++] = (char)(5 + topic_len);
	memcpy(out + n, "\x00\x01\x00", 3);
	out[n + 3] = (char)topic_len;
	memcpy(out + n + 4, place, topic_len);
	n += 4 + topic_len;
	out[n++] = 0;
	return n;
}

#define TEXT(s) (s), sizeof(s) - 1

static const struct speech speeches[] = {
	{"ws", true, SPEECH_PLAIN, ask_websocket, NULL, TEXT("HTTP/1.1 101"), ACCEPT,
	 TEXT("\r\n\r\n"), NULL, NULL, false},
	{"centrifuge", true, SPEECH_PLAIN, ask_centrifuge, ask_to_subscribe, TEXT("HTTP/1.1 101"),
	 ACCEPT, TEXT("\r\n\r\n"), "\x81\x02{}", "\x81\x82" MASK ":<",
	 false}, /* {} there, and {} masked back */
	{"ws-deflate", true, SPEECH_FRAMES, ask_compressed, NULL, TEXT("HTTP/1.1 101"),
	 "permessage-deflate", TEXT("\r\n\r\n"), NULL, NULL, false},
	{"ws-resuming", true, SPEECH_FRAMES, ask_websocket, NULL, TEXT("HTTP/1.1 101"), ACCEPT,
	 TEXT("\r\n\r\n"), NULL, NULL, true},
	{"ws-mute", false, SPEECH_PLAIN, ask_websocket, NULL, TEXT("HTTP/1.1 101"), ACCEPT,
	 TEXT("\r\n\r\n"), NULL, NULL, false},
	{"sse", true, SPEECH_PLAIN, ask_event_stream, NULL, TEXT("HTTP/1.1 200"), NULL,
	 TEXT("\r\n\r\n"), NULL, NULL, false},
	{"sse-gzip", true, SPEECH_PIECES, ask_compressed_events, NULL, TEXT("HTTP/1.1 200"),
	 "content-encoding: gzip", TEXT("\r\n\r\n"), NULL, NULL, false},
	{"stream", false, SPEECH_PLAIN, ask_event_stream, NULL, TEXT("HTTP/1.1 200"), NULL,
	 TEXT("\r\n\r\n"), NULL, NULL, false},
	{"nats", false, SPEECH_PLAIN, ask_nats, NULL, TEXT("INFO "), NULL, TEXT("PONG\r\n"),
	 "PING\r\n", "PONG\r\n", false},
	{"redis", false, SPEECH_PLAIN, ask_redis, NULL, TEXT("*3\r\n$9\r\nsubscribe\r\n"), NULL,
	 TEXT(":1\r\n"), NULL, NULL, false},
	{"mqtt", false, SPEECH_PLAIN, ask_mqtt, NULL, TEXT("\x20\x02\x00\x00"), NULL,
	 TEXT("\x90\x03\x00\x01\x00"), NULL, NULL, false},
};

const struct speech *speech_find(const char *name)
{
	for (size_t i = 0; i < sizeof speeches / sizeof *speeches; i++)
		if (strcmp(speeches[i].name, name) == 0)
			return &speeches[i];
	return NULL;
}

/* A server sends the beginning and the proof in one piece; one that cuts them is not one to measure. */
static bool begins_well(const struct speech *s, const char *bytes, size_t n)
{
	return n >= s->begin_len && memcmp(bytes, s->begin, s->begin_len) == 0 &&
	       (s->proof == NULL || memmem(bytes, n, s->proof, strlen(s->proof)) != NULL);
}

const char *speech_hear(const struct speech *s, struct answer *a, const char *bytes,
			const char *end)
{
	if (!a->begun && !begins_well(s, bytes, (size_t)(end - bytes))) {
		a->refused = true;
		return end;
	}
	a->begun = true;
	while (bytes < end && a->matched < s->end_len) {
		a->matched = (uint8_t)(*bytes == s->end[a->matched] ? a->matched + 1
								    : *bytes == s->end[0]);
		bytes++;
	}
	a->complete = a->matched == s->end_len;
	return bytes;
}

bool speech_is_asked(const struct speech *s, const char *bytes, size_t n)
{
	return s->question != NULL && memmem(bytes, n, s->question, strlen(s->question)) != NULL;
}

size_t speech_name(char *out, size_t room, const char *name, unsigned number)
{
	size_t n = 0;

	for (; *name != '\0' && n + 12 < room; name++) {
		if (name[0] == '{' && name[1] == '}') {
			n += (size_t)snprintf(out + n, room - n, "%u", number);
			name++;
		} else {
			out[n++] = *name;
		}
	}
	out[n] = '\0';
	return *name == '\0' ? n : 0;
}
