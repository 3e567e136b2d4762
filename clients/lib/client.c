/* client.c - one client: a libwebsockets context on the caller's loop, and the way to connect. */
#include "client.h"

#include "exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NEWSWIRE_VERSION
#error "the build says -DNEWSWIRE_VERSION"
#endif

enum {
	RX_BYTES = 65536,      /* read at once from a WebSocket */
	HEADER_BYTES = 16384,  /* of an answer, and of our own path */
	SERVICE_BYTES = 32768, /* libwebsockets' work space: a request's head must fit */
	TX_BYTES =
		1024 * 1024, /* written at once (lws.md: 0 would mean hundreds of small writes) */
};

/* No timer of libwebsockets' on a connection: the ticks of the server prove life, and our own timers
 * watch. */
static const lws_retry_bo_t no_idle_policy;

static const struct lws_protocols doors[] = {
	{.name = CLIENT_HTTP_PROTOCOL,
	 .callback = exchange_door,
	 .rx_buffer_size = RX_BYTES,
	 .tx_packet_size = TX_BYTES},
	{.name = NEWSWIRE_SUBPROTOCOL,
	 .callback = stream_door,
	 .rx_buffer_size = RX_BYTES,
	 .tx_packet_size = TX_BYTES},
	{.name = NULL},
};

const char *newswire_version(void)
{
	return NEWSWIRE_VERSION;
}

struct newswire_client *newswire_client_new(struct uv_loop_s *loop,
					    const struct newswire_client_options *options)
{
	static const struct newswire_client_options defaults;
	struct newswire_client *client;
	void *loops[1] = {loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = doors,
		.foreign_loops = loops,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.max_http_header_data2 = HEADER_BYTES,
		.pt_serv_buf_size = SERVICE_BYTES,
		.retry_and_idle_policy = &no_idle_policy,
		.vhost_name = "newswire",
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};

	if (options == NULL)
		options = &defaults;
	if (options->ca_file && access(options->ca_file, R_OK) < 0)
		return NULL;
	if ((client = calloc(1, sizeof *client)) == NULL)
		return NULL;
	client->loop = loop;
	info.pcontext = &client->lws; /* becomes NULL when the context is gone */
	LIST_INIT(&client->streams);
	LIST_INIT(&client->exchanges);
	snprintf(client->user_agent, sizeof client->user_agent, "%s",
		 options->user_agent ? options->user_agent : "libnewswire/" NEWSWIRE_VERSION);
	info.client_ssl_ca_filepath = options->ca_file;
	lws_set_log_level(options->verbose ? LLL_ERR | LLL_WARN | LLL_NOTICE : 0, NULL);
	if ((client->lws = lws_create_context(&info)) != NULL)
		return client;
	free(client);
	return NULL;
}

void newswire_client_stop(struct newswire_client *client)
{
	struct newswire_stream *stream;
	struct exchange *exchange;

	if (client == NULL)
		return;
	while ((stream = LIST_FIRST(&client->streams)) != NULL)
		stream_end(stream);
	while ((exchange = LIST_FIRST(&client->exchanges)) != NULL)
		exchange_cancel(exchange);
	if (client->lws)
		lws_context_destroy(client->lws);
}

/* On a loop that is not its own, libwebsockets destroys a context in two calls: the first closes its
 * handles, and the second frees it. Between them the loop must have closed the handles; the second call
 * any sooner frees memory that libuv still uses. */
void newswire_client_free(struct newswire_client *client)
{
	if (client == NULL)
		return;
	if (client->lws)
		lws_context_destroy(client->lws);
	free(client);
}

int client_connect(struct newswire_client *client, const struct url *url, const char *path,
		   const char *method, void *owner, struct lws **wsi)
{
	struct lws_client_connect_info info = {
		.context = client->lws,
		.address = url->host,
		.port = url->port,
		.path = path,
		.host = url->authority,
		.ssl_connection = url->tls ? LCCSCF_USE_SSL : 0,
		.method = method,
		.protocol = method ? NULL : NEWSWIRE_SUBPROTOCOL,
		.local_protocol_name = method ? CLIENT_HTTP_PROTOCOL : NEWSWIRE_SUBPROTOCOL,
		.alpn = "http/1.1", /* WebSocket over HTTP/2 is refused by newswired */
		.ietf_version_or_minus_one = -1,
		.retry_and_idle_policy = &no_idle_policy,
		.opaque_user_data = owner,
		.pwsi = wsi,
	};

	if (lws_client_connect_via_info(&info) == NULL) {
		*wsi = NULL;
		return -1;
	}
	lws_cancel_service(client->lws); /* re-arms its timers (lws.md) */
	return 0;
}

void client_drop(struct lws **wsi, int code)
{
	struct lws *gone = *wsi;

	*wsi = NULL;
	if (gone == NULL)
		return;
	lws_set_opaque_user_data(gone, NULL);
	if (code && !lws_partial_buffered(gone))
		lws_close_reason(gone, (enum lws_close_status)code, NULL, 0);
	lws_set_timeout(gone, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

/* What goes wrong with TLS it tells by numbers of OpenSSL's. */
const char *client_explain(const char *why, size_t *len)
{
	static const char of_tls[] =
		"its certificate cannot be trusted or is not for this name, or "
		"it does not speak TLS";
	static const char numbers[] = "connect SSL err";

	if (why == NULL || *len < sizeof numbers - 1 ||
	    memcmp(why, numbers, sizeof numbers - 1) != 0)
		return why;
	*len = sizeof of_tls - 1;
	return of_tls;
}

int client_turn_away(enum lws_callback_reasons reason)
{
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
	case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
	case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
	case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
	case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
		return -1;
	default:
		/* Among them libwebsockets' own beginnings and ends, where -1 breaks it, and RECEIVE:
		 * after a -1 in the middle of a frame it would write what follows beyond its buffer. */
		return 0;
	}
}

int client_add_header(struct lws *wsi, char **at, char *end, const char *name, const char *value)
{
	unsigned char **p = (unsigned char **)at;

	return lws_add_http_header_by_name(wsi, (const unsigned char *)name,
					   (const unsigned char *)value, (int)strlen(value), p,
					   (unsigned char *)end);
}
