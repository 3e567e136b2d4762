/* textbook.c - libwebsockets used as its own examples use it: what newswired's design is compared with.
 *
 * Hears messages from Redis by SUBSCRIBE, keeps the last ones in a ring, and asks for a writable callback of
 * every reader; each callback writes one frame with lws_write() and asks again while there is more. The loop
 * is libuv's, as in newswired.
 *
 *   nw-textbook --redis PATH --channel NAME
 *
 * Prints {"port":N} when it listens on 127.0.0.1:N; ends at end of stdin.
 */
#include <errno.h>
#include <getopt.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ear.h"

#define RING 1024 /* messages that a reader may be behind */

enum { WATCH_STDIN = 1, WATCH_REDIS };

/* A message with the room before it that lws_write() puts the frame's header into. */
struct message {
	unsigned char *bytes;
	size_t n;
};

/* One connection: the number of the message that it gets next. */
struct reader {
	uint64_t next;
	bool greeted;
};

static struct message ring[RING]; /* message i is in ring[i % RING] */
static uint64_t head;		  /* messages so far */
static struct lws_context *context;
static struct lws_vhost *vhost;

static void take_message(const char *channel, const char *text, size_t n)
{
	struct message *m = &ring[head % RING];
	unsigned char *bytes = malloc(LWS_PRE + n);

	(void)channel;
	if (bytes == NULL)
		exit(1);
	memcpy(bytes + LWS_PRE, text, n);
	free(m->bytes);
	*m = (struct message){.bytes = bytes, .n = n};
	head++;
}

static int greet(struct lws *wsi, struct reader *r)
{
	static const char hello[] = "{\"type\":\"hello\"}";
	unsigned char framed[LWS_PRE + sizeof hello];
	int n = (int)sizeof hello - 1;

	memcpy(framed + LWS_PRE, hello, sizeof hello);
	r->greeted = true;
	return lws_write(wsi, framed + LWS_PRE, (size_t)n, LWS_WRITE_TEXT) < n ? -1 : 0;
}

static int write_next(struct lws *wsi, struct reader *r)
{
	const struct message *m = &ring[r->next % RING];

	if (head - r->next > RING)
		return -1; /* too slow: what it needs is gone */
	r->next++;
	return lws_write(wsi, m->bytes + LWS_PRE, m->n, LWS_WRITE_TEXT) < (int)m->n ? -1 : 0;
}

static int reader_turn_to_write(struct lws *wsi, struct reader *r)
{
	int result = 0;

	if (!r->greeted)
		result = greet(wsi, r);
	else if (r->next < head)
		result = write_next(wsi, r);
	if (result == 0 && r->next < head)
		lws_callback_on_writable(wsi);
	return result;
}

static int on_reader(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		     size_t len)
{
	struct reader *r = user;

	(void)in;
	(void)len;
	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		r->next = head;
		r->greeted = false;
		lws_callback_on_writable(wsi);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return reader_turn_to_write(wsi, r);
	default:
		return 0;
	}
}

static int on_watched(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		      size_t len);

static const struct lws_protocols protocols[] = {
	{"news", on_reader, sizeof(struct reader), 128, 0, NULL, 0},
	{"watched", on_watched, 0, 0, 0, NULL, 0},
	{NULL, NULL, 0, 0, 0, NULL, 0},
};

static int on_watched(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		      size_t len)
{
	(void)user;
	(void)in;
	(void)len;
	if (reason != LWS_CALLBACK_RAW_RX_FILE && reason != LWS_CALLBACK_RAW_CLOSE_FILE)
		return 0;
	if (lws_get_opaque_user_data(wsi) == (void *)(uintptr_t)WATCH_STDIN)
		exit(0); /* the bench is done, or gone */
	ear_hear(take_message);
	lws_callback_on_writable_all_protocol(context, &protocols[0]);
	return 0;
}

static bool watch(int fd, uintptr_t what)
{
	lws_sock_file_fd_type descriptor = {.filefd = (lws_filefd_type)(long long)fd};
	struct lws *wsi = lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor,
						     "watched", NULL);

	if (wsi != NULL)
		lws_set_opaque_user_data(wsi, (void *)what);
	return wsi != NULL;
}

static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void read_options(int argc, char **argv, const char **redis_path, const char **channel)
{
	static const struct option table[] = {
		{"redis", required_argument, NULL, 'r'},
		{"channel", required_argument, NULL, 'c'},
		{0},
	};

	for (int c; (c = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		if (c == 'r')
			*redis_path = optarg;
		else if (c == 'c')
			*channel = optarg;
	}
	if (*redis_path == NULL || *channel == NULL) {
		fprintf(stderr, "usage: nw-textbook --redis PATH --channel NAME\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	const char *redis_path = NULL;
	const char *channel = NULL;
	static const lws_retry_bo_t no_validity_timers;
	struct lws_context_creation_info info = {
		.port = 0,
		.iface = "127.0.0.1",
		.protocols = protocols,
		.retry_and_idle_policy = &no_validity_timers,
		.options = LWS_SERVER_OPTION_LIBUV,
	};

	read_options(argc, argv, &redis_path, &channel);
	raise_fd_limit();
	lws_set_log_level(LLL_ERR, NULL);
	context = lws_create_context(&info);
	vhost = context != NULL ? lws_get_vhost_by_name(context, "default") : NULL;
	if (vhost == NULL || !watch(STDIN_FILENO, WATCH_STDIN) ||
	    !watch(ear_open(redis_path, channel), WATCH_REDIS)) {
		fprintf(stderr, "nw-textbook: could not start: %s\n", strerror(errno));
		return 1;
	}
	printf("{\"port\":%d}\n", lws_get_vhost_listen_port(vhost));
	fflush(stdout);
	while (lws_service(context, 0) >= 0)
		;
	return 0;
}
