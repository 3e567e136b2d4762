/* door.c - the libwebsockets context: one protocol, one mount, one thin callback. */
#include "http/door.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <newswire/protocol.h>
#include "base/counters.h"
#include "base/log.h"
#include "http/answers.h"
#include "http/fronting.h"
#include "http/listener.h"
#include "http/passing_memory.h"
#include "http/request.h"
#include "http/routes.h"
#include "line/tls.h"

struct door {
	struct door_setup setup;
	struct lws_context *context;
	struct lws_vhost
		*plain; /* for the server's own connection, and for all without --tls-cert */
	struct lws_vhost *public; /* for those that are accepted */
	struct listener *listener;
	struct answers *answers;
	size_t max_readers;
	size_t requests;       /* being answered */
	size_t silent;	       /* connections that have asked for nothing yet */
	const struct lws *own; /* the server's own, while libwebsockets has it; or NULL */
};

/* What a connection is by now. Its opaque pointer says so in its lowest bits, and in the others who answers it. */
enum seat {
	SEAT_NOBODY,  /* not adopted from our listener */
	SEAT_SILENT,  /* has asked for nothing yet */
	SEAT_SPOKE,   /* has asked, and nobody answers now */
	SEAT_REQUEST, /* a struct request answers */
	SEAT_BITS = 3
};

static void sit(struct lws *wsi, enum seat seat, void *who)
{
	MUST(((uintptr_t)who & SEAT_BITS) == 0);
	lws_set_opaque_user_data(wsi, (char *)who + seat);
}

static enum seat seat_of(struct lws *wsi)
{
	return (enum seat)((uintptr_t)lws_get_opaque_user_data(wsi) & SEAT_BITS);
}

static void *sitter_of(struct lws *wsi)
{
	return (char *)lws_get_opaque_user_data(wsi) - seat_of(wsi);
}

const struct door_setup *door_setup_of(const struct door *door)
{
	return &door->setup;
}

struct answers *door_answers(const struct door *door)
{
	return door->answers;
}

bool door_has_room(const struct door *door)
{
	return readers_count(door->setup.readers) < door->max_readers;
}

/* A socket that is connected to nothing, for all of this worker. -1: descriptors are short. */
static int dead_socket(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd;
}

/* libwebsockets shuts a socket down before it closes it, which would end it for us too. So its descriptor becomes one of a
 * socket that is dead already; the loop must not look at what it was, which lives on. */
int door_take_socket(struct door *door, struct lws *wsi)
{
	int theirs = lws_get_socket_fd(wsi), dead = dead_socket();
	int ours = dead < 0 ? -1 : listener_keep(door->listener, theirs);

	if (ours < 0)
		return -1;
	if (lws_is_ssl(wsi) && tls_take(lws_get_ssl(wsi), theirs, ours) != 0) {
		close(ours);
		listener_freed(door->listener);
		return -1;
	}
	(void)epoll_ctl(uv_backend_fd(door->setup.loop), EPOLL_CTL_DEL, theirs, NULL);
	if (dup3(dead, theirs, O_CLOEXEC) < 0)
		(void)shutdown(ours, SHUT_RDWR); /* whoever gets it sees that it ended */
	return ours;
}

void door_socket_freed(struct door *door)
{
	listener_freed(door->listener);
}

static void on_answer_freed(void *arg)
{
	door_socket_freed(arg);
}

/* --- the callback ----------------------------------------------------------------------------- */

/* It has asked for something. */
static void speak(struct door *door, struct lws *wsi)
{
	door->silent -= seat_of(wsi) == SEAT_SILENT;
	sit(wsi, SEAT_SPOKE, NULL);
}

/* Does it speak plainly where TLS is wanted? Then it is answered so, and nothing that it asked for is looked at. */
static bool is_unsealed(const struct door *door, struct lws *wsi)
{
	struct buf answer = {0};

	if (lws_is_ssl(wsi) || wsi == door->own || door->setup.certificate == NULL)
		return false;
	request_write_problem(&answer, false, 400, "tls_wanted",
			      "This port speaks TLS: addresses begin with https:// or wss:// here.",
			      "", NULL);
	if (!answer.failed)
		(void)lws_write(wsi, (unsigned char *)answer.data, answer.len, LWS_WRITE_HTTP);
	buf_free(&answer);
	return true;
}

/* Who answers the handshake takes the socket with him; for libwebsockets the connection ends here, either way. */
static int handshake(struct door *door, struct lws *wsi)
{
	struct buf refusal = {0};
	const struct door_stream *ops;

	speak(door, wsi);
	if (is_unsealed(door, wsi))
		return -1;
	ops = routes_handshake(door, wsi, &refusal);
	if (ops != NULL)
		ops->begin(ops->owner, door, wsi);
	else if (!refusal.failed)
		(void)lws_write(wsi, (unsigned char *)refusal.data, refusal.len, LWS_WRITE_HTTP);
	buf_free(&refusal);
	return -1;
}

/* Who would rather speak HTTP/2 (h2c: curl --http2, Java's client) is answered in HTTP/1.1 (RFC 9110, 7.8): libwebsockets
 * looks at the header's value, which `to` is, once more. Any other upgrade it refuses itself. */
static int upgrade(struct door *door, struct lws *wsi, char *to)
{
	if (strcasecmp(to, "websocket") == 0)
		return handshake(door, wsi);
	if (strcasecmp(to, "h2c") != 0)
		return -1;
	*to = '\0';
	return 0;
}

/* The request that is being answered, or NULL. */
static struct request *request_of(struct lws *wsi)
{
	return seat_of(wsi) == SEAT_REQUEST ? sitter_of(wsi) : NULL;
}

static void request_ends(struct door *door, struct lws *wsi)
{
	struct request *r = request_of(wsi);

	if (r == NULL)
		return;
	sit(wsi, SEAT_SPOKE, NULL);
	request_free(r);
	door->requests--;
}

static int begin(struct door *door, struct lws *wsi)
{
	struct request *r;

	request_ends(door, wsi);
	speak(door, wsi);
	if (is_unsealed(door, wsi) || (r = request_begin(door, wsi)) == NULL)
		return -1;
	sit(wsi, SEAT_REQUEST, r);
	door->requests++;
	return request_goes_on(r);
}

static void connection_ends(struct door *door, enum seat seat)
{
	if (seat == SEAT_NOBODY)
		return;
	if (seat == SEAT_SILENT) {
		door->silent--;
		COUNT(HTTP_SILENT);
	}
	listener_freed(door->listener);
}

/* The library has no certificate yet: it gets ours, and its key. It would offer the one curve P-256: whoever begins with another, as all
 * browsers do, has to begin again. And OpenSSL would read on as long as what comes is no data, without an end if a client sends
 * new keys as fast as they are worked out (18 Mbit/s). 0 or -1. */
static int set_up_tls(const struct door *door, SSL_CTX *tls)
{
	SSL_CTX *ours = door->setup.certificate;
	STACK_OF(X509) *chain = NULL;
	bool done = SSL_CTX_get0_chain_certs(ours, &chain) == 1 &&
		    SSL_CTX_use_cert_and_key(tls, SSL_CTX_get0_certificate(ours),
					     SSL_CTX_get0_privatekey(ours), chain, 1) == 1 &&
		    tls_share_tickets(ours, tls) == 0 &&
		    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
		    SSL_CTX_set1_groups_list(tls, "X25519:P-256:P-384") == 1;

	(void)SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);
	(void)SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
	return done ? 0 : -1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len)
{
	struct lws_context *context = lws_get_context(wsi);
	struct door *door = context == NULL ? NULL : lws_context_user(context);

	if (door == NULL)
		return 0; /* the context is being made: nobody has connected yet */
	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return upgrade(door, wsi, in);
	case LWS_CALLBACK_HTTP:
		return begin(door, wsi);
	case LWS_CALLBACK_HTTP_BODY:
		return request_of(wsi) == NULL ? -1 : request_body(request_of(wsi), in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return request_of(wsi) == NULL ? -1 : request_body_ends(request_of(wsi));
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return request_of(wsi) == NULL ? -1 : request_write(request_of(wsi));
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		request_ends(door, wsi);
		return 0;
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		return set_up_tls(door, user);
	case LWS_CALLBACK_WSI_DESTROY:
		if (wsi == door->own)
			door->own = NULL;
		connection_ends(door, seat_of(wsi));
		return 0;
	default:
		return 0;
	}
}

/* --- the context ------------------------------------------------------------------------------ */

/* tx_packet_size: or the write of a long answer becomes many sends. */
static const struct lws_protocols protocols[] = {
	{.name = NEWSWIRE_SUBPROTOCOL, .callback = on_event, .tx_packet_size = 1 << 20},
	{0},
};

/* Without a mount a GET that waits for its answer spins when the client leaves. */
static const struct lws_http_mount mount = {
	.mountpoint = "/",
	.mountpoint_len = 1,
	.origin = NEWSWIRE_SUBPROTOCOL,
	.origin_protocol = LWSMPRO_CALLBACK,
};

static void log_library(int level, const char *line)
{
	size_t len = strcspn(line, "\n");

	if (level & LLL_ERR)
		log_error("libwebsockets", LOG_SN("says", line, len));
	else
		log_warn("libwebsockets", LOG_SN("says", line, len));
}

enum { HEADER_BYTES = 8192 };

/* A part of a URL that is longer than it may be is cut there and seen to be too long (query_read), however long it is: it
 * has an answer then. Without, the library closes the connection as soon as the head is full. */
static const struct lws_token_limits token_limits = {
	.token_limit = {
		[WSI_TOKEN_GET_URI] = NEWSWIRE_MAX_QUERY + 1,
		[WSI_TOKEN_HEAD_URI] = NEWSWIRE_MAX_QUERY + 1,
		[WSI_TOKEN_POST_URI] = NEWSWIRE_MAX_QUERY + 1,
		[WSI_TOKEN_DELETE_URI] = NEWSWIRE_MAX_QUERY + 1,
		[WSI_TOKEN_OPTIONS_URI] = NEWSWIRE_MAX_QUERY + 1,
	}};

/* Its table of connections is as long as the limit of open files is now. */
static struct lws_context *create_short(const struct lws_context_creation_info *info)
{
	struct lws_context *context;
	struct rlimit real, low;

	if (getrlimit(RLIMIT_NOFILE, &real) != 0)
		return NULL;
	low = real;
	if (low.rlim_cur > LISTENER_TABLE)
		low.rlim_cur = LISTENER_TABLE;
	(void)setrlimit(RLIMIT_NOFILE, &low);
	context = lws_create_context(info);
	(void)setrlimit(RLIMIT_NOFILE, &real);
	return context;
}

/* Of a record that it does not read whole, it does not notice the rest before the next one comes, if one does. */
enum { WHOLE_RECORD = TLS_RECORD + 4096 };

static struct lws_vhost *open_tls(struct door *door, struct lws_context_creation_info info)
{
	info.vhost_name = "newswire-tls";
	info.options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
			LWS_SERVER_OPTION_ALLOW_NON_SSL_ON_SSL_PORT |
			LWS_SERVER_OPTION_ALLOW_HTTP_ON_HTTPS_LISTENER; /* to be told so */
	return lws_create_vhost(door->context, &info);
}

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
		.token_limits = &token_limits,
		.timeout_secs = 10,
		.vhost_name = "newswire",
		.alpn = "http/1.1",
	};

	lws_set_log_level(LLL_ERR | LLL_WARN, log_library);
	passing_memory_use(HEADER_BYTES);
	if (door->setup.certificate != NULL) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.pt_serv_buf_size = WHOLE_RECORD;
	}
	if ((door->context = create_short(&info)) == NULL ||
	    (door->plain = lws_create_vhost(door->context, &info)) == NULL)
		return -1;
	door->public = door->setup.certificate != NULL ? open_tls(door, info) : door->plain;
	return door->public == NULL ? -1 : 0;
}

/* NULL: the socket is closed. */
static struct lws *seat_socket(struct door *door, struct lws_vhost *vhost, int fd)
{
	struct lws *wsi = lws_adopt_socket_vhost(vhost, fd);

	if (wsi == NULL)
		return NULL;
	sit(wsi, SEAT_SILENT, NULL);
	door->silent++;
	return wsi;
}

static int adopt(int fd, void *arg)
{
	struct door *door = arg;

	return seat_socket(door, door->public, fd) == NULL ? -1 : 0;
}

int door_enter(struct door *door, int fd)
{
	if (listener_count(door->listener, fd) != 0) {
		close(fd);
		return -1;
	}
	if ((door->own = seat_socket(door, door->plain, fd)) != NULL)
		return 0;
	listener_freed(door->listener);
	return -1;
}

bool door_is_own(const struct door *door, const struct lws *wsi)
{
	return wsi == door->own;
}

/* Some places stay free for requests: a worker that is full of readers still takes in news, shows feeds, and says to the next
 * reader that it is full. */
static size_t places_for_readers(size_t limit)
{
	size_t eighth = limit / 8;

	return limit - (eighth < DOOR_PLACES ? eighth : DOOR_PLACES);
}

struct door *door_open(const struct door_setup *setup)
{
	struct door *door = calloc(1, sizeof *door);

	if (door == NULL)
		return NULL;
	door->setup = *setup;
	door->answers = answers_new(setup->loop, setup->answers_bytes, ANSWERS_TIME_MS,
				    on_answer_freed, door);
	if (door->answers == NULL || open_context(door) != 0)
		goto fail;
	door->listener =
		listener_open(setup->loop, setup->listen_fd, setup->user_timeout_ms, adopt, door);
	if (door->listener == NULL)
		goto fail;
	door->max_readers = places_for_readers(listener_limit(door->listener));
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

void door_listen(struct door *door)
{
	listener_start(door->listener);
}

void door_stop_listening(struct door *door)
{
	listener_stop(door->listener);
}

void door_close(struct door *door)
{
	if (door == NULL)
		return;
	if (door->answers != NULL)
		answers_close(door->answers);
	listener_close(door->listener);
	door->listener = NULL;
	if (door->context != NULL)
		lws_context_destroy(door->context);
	door->context = NULL;
	answers_free(door->answers);
	door->answers = NULL;
}

void door_free(struct door *door)
{
	fronting_forget();
	free(door);
}

void door_second(struct door *door)
{
	listener_retry(door->listener);
	answers_second(door->answers);
	passing_memory_second();
}

size_t door_requests(const struct door *door)
{
	return door->requests + answers_count(door->answers);
}

size_t door_silent(const struct door *door)
{
	return door->silent;
}
