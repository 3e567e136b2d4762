/* door.c - the libwebsockets context: one protocol, one mount, one thin callback. */
#include "http/door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <newswire/protocol.h>
#include "base/counters.h"
#include "base/log.h"
#include "http/listener.h"
#include "http/passing_memory.h"
#include "http/request.h"
#include "http/routes.h"

struct door {
	struct door_setup setup;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct listener *listener;
	size_t max_readers;
	size_t requests; /* being answered */
};

/* What libwebsockets keeps for each connection. */
struct seat {
	struct request *request;       /* being answered, or NULL */
	void *stream;		       /* it became a WebSocket, or NULL */
	const struct door_stream *ops; /* … and whose it is */
};

/* What a connection's opaque pointer says: it was adopted from our listener, and whether it has
 * asked for anything yet. It lives longer than the seat, which libwebsockets makes with the
 * first request. */
static char has_spoken[] = "spoke", is_silent[] = "silent";

const struct door_setup *door_setup_of(const struct door *door)
{
	return &door->setup;
}

bool door_has_room(const struct door *door)
{
	return readers_count(door->setup.readers) < door->max_readers;
}

void door_nudge(struct door *door)
{
	lws_cancel_service(door->context);
}

/* --- the callback ----------------------------------------------------------------------------- */

static int upgrade(struct door *door, struct lws *wsi, const char *to)
{
	struct buf refusal = {0};
	int ok = routes_upgrade(door, wsi, to, &refusal);

	lws_set_opaque_user_data(wsi, has_spoken);
	if (ok != 0 && !refusal.failed)
		(void)lws_write(wsi, (unsigned char *)refusal.data, refusal.len, LWS_WRITE_HTTP);
	buf_free(&refusal);
	return ok;
}

static void request_ends(struct door *door, struct seat *seat)
{
	if (seat == NULL || seat->request == NULL)
		return;
	request_free(seat->request);
	seat->request = NULL;
	door->requests--;
}

static int begin(struct door *door, struct lws *wsi, struct seat *seat)
{
	lws_set_opaque_user_data(wsi, has_spoken);
	request_ends(door, seat);
	if ((seat->request = request_begin(door, wsi)) == NULL)
		return -1;
	door->requests++;
	return request_goes_on(seat->request);
}

static int established(struct door *door, struct lws *wsi, struct seat *seat)
{
	seat->ops = routes_stream(door, wsi);
	if (seat->ops != NULL)
		seat->stream = seat->ops->established(seat->ops->owner, door, wsi);
	return seat->stream == NULL ? -1 : 0;
}

static void connection_ends(struct door *door, const void *mark)
{
	if (mark == NULL)
		return;
	if (mark == is_silent)
		COUNT(HTTP_SILENT);
	listener_freed(door->listener);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len)
{
	struct lws_context *context = lws_get_context(wsi);
	struct door *door = context == NULL ? NULL : lws_context_user(context);
	struct seat *seat = user;

	if (door == NULL)
		return 0; /* the context is being made: nobody has connected yet */
	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return upgrade(door, wsi, in);
	case LWS_CALLBACK_HTTP:
		return begin(door, wsi, seat);
	case LWS_CALLBACK_HTTP_BODY:
		return seat->request == NULL ? -1 : request_body(seat->request, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return seat->request == NULL ? -1 : request_body_ends(seat->request);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return seat->request == NULL ? -1 : request_write(seat->request);
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		request_ends(door, seat);
		return 0;
	case LWS_CALLBACK_ESTABLISHED:
		return established(door, wsi, seat);
	case LWS_CALLBACK_RECEIVE:
		return seat->ops->receive(seat->stream, wsi, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		if (seat->stream != NULL)
			seat->ops->writeable(seat->stream, wsi);
		return 0;
	case LWS_CALLBACK_CLOSED:
		if (seat != NULL && seat->stream != NULL)
			seat->ops->closed(seat->stream);
		if (seat != NULL)
			seat->stream = NULL;
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		connection_ends(door, lws_get_opaque_user_data(wsi));
		return 0;
	default:
		return 0;
	}
}

/* --- the context ------------------------------------------------------------------------------ */

/* tx_packet_size: as large as the largest block, or one write becomes many sends. rx_buffer_size
 * is memory of every reader; readers say little. A ping of 125 bytes must fit, or it is never answered. */
static const struct lws_protocols protocols[] = {
	{.name = NEWSWIRE_SUBPROTOCOL,
	 .callback = on_event,
	 .per_session_data_size = sizeof(struct seat),
	 .rx_buffer_size = 128,
	 .tx_packet_size = 1 << 20},
	{0},
};

/* Without a mount a GET that waits for its answer spins when the client leaves. */
static const struct lws_http_mount mount = {
	.mountpoint = "/",
	.mountpoint_len = 1,
	.origin = NEWSWIRE_SUBPROTOCOL,
	.origin_protocol = LWSMPRO_CALLBACK,
};

/* Zeroed: no timer for each WebSocket, whose sorted list makes connecting O(n). Dead peers are
 * found by TCP_USER_TIMEOUT. */
static const lws_retry_bo_t no_timers = {0};

static void log_library(int level, const char *line)
{
	size_t len = strcspn(line, "\n");

	if (level & LLL_ERR)
		log_error("libwebsockets", LOG_SN("says", line, len));
	else
		log_warn("libwebsockets", LOG_SN("says", line, len));
}

enum { HEADER_BYTES = 8192 };

static int open_context(struct door *door)
{
	void *loops[1] = {door->setup.loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.mounts = &mount,
		.foreign_loops = loops,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.user = door,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.max_http_header_data = HEADER_BYTES,
		.timeout_secs = 10,
		.retry_and_idle_policy = &no_timers,
		.vhost_name = "newswire",
		.alpn = "http/1.1",
	};

	lws_set_log_level(LLL_ERR | LLL_WARN, log_library);
	passing_memory_use(HEADER_BYTES);
	if ((door->context = lws_create_context(&info)) == NULL)
		return -1;
	return (door->vhost = lws_create_vhost(door->context, &info)) == NULL ? -1 : 0;
}

static int adopt(int fd, void *arg)
{
	struct door *door = arg;
	struct lws *wsi = lws_adopt_socket_vhost(door->vhost, fd);

	if (wsi == NULL)
		return -1;
	lws_set_opaque_user_data(wsi, is_silent);
	return 0;
}

struct door *door_open(const struct door_setup *setup)
{
	struct door *door = calloc(1, sizeof *door);

	if (door == NULL)
		return NULL;
	door->setup = *setup;
	if (open_context(door) != 0)
		goto fail;
	door->listener =
		listener_open(setup->loop, setup->listen_fd, setup->user_timeout_ms, adopt, door);
	if (door->listener == NULL)
		goto fail;
	/* Some places stay free for requests, so that a full worker can still say that it is full. */
	door->max_readers = listener_limit(door->listener) - LISTENER_RESERVE / 2;
	if (setup->max_readers > 0 && setup->max_readers < door->max_readers)
		door->max_readers = setup->max_readers;
	return door;

fail:
	log_error("door_failed", LOG_S("why", "libwebsockets could not be started"));
	door_close(door);
	uv_run(setup->loop, UV_RUN_NOWAIT);
	door_free(door);
	return NULL;
}

void door_stop_listening(struct door *door)
{
	struct listener *l = door->listener;

	door->listener = NULL;
	listener_close(l);
}

void door_close(struct door *door)
{
	if (door == NULL)
		return;
	door_stop_listening(door);
	if (door->context != NULL)
		lws_context_destroy(door->context);
	door->context = NULL;
}

void door_free(struct door *door)
{
	free(door);
}

void door_second(struct door *door)
{
	listener_retry(door->listener);
	passing_memory_second();
}

size_t door_requests(const struct door *door)
{
	return door->requests;
}
