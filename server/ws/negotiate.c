/* negotiate.c - an extension that says yes or no. */
#include "ws/negotiate.h"

#include <string.h>
#include "ws/offer.h"

/* The handshake that is going on. */
static struct {
	struct lws *wsi; /* who has agreed; NULL: nobody yet */
	unsigned asked;	 /* how often the library has come upon our name */
	struct offer_agreed agreed;
} now;

static void begins(void)
{
	memset(&now, 0, sizeof now);
}

/* The library asks at each mention, and drops a client that mentions it again after a yes. So the whole
 * header is judged, at the last. Returns 0 for yes. */
static int construct(struct lws *wsi)
{
	char header[OFFER_HEADER_MAX + 1];

	if (lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_EXTENSIONS) <= 0 ||
	    ++now.asked != offer_mentions(header) || offer_agree(header, &now.agreed) != 0)
		return 1;
	now.wsi = wsi;
	return 0;
}

static int on_event(struct lws_context *context, const struct lws_extension *ext, struct lws *wsi,
		    enum lws_extension_callback_reasons reason, void *user, void *in, size_t len)
{
	static const struct lws_ext_options none[] = {{0}};

	(void)context;
	(void)ext;
	(void)user;
	(void)len;
	if (reason != LWS_EXT_CB_CONSTRUCT)
		return 0;
	*(const struct lws_ext_options **)in = none;
	return construct(wsi);
}

/* The library has written our name and the end of the line: the parameters go in between. */
static void answers(struct lws *wsi, struct lws_process_html_args *args)
{
	size_t len = strlen(now.agreed.answer);

	if (wsi != now.wsi || (size_t)args->max_len < len + 2)
		return;
	memcpy(args->p - 2, now.agreed.answer, len);
	args->p += len;
	memcpy(args->p - 2, "\r\n", 2);
}

const struct door_extension *negotiate_deflate(void)
{
	static const struct lws_extension list[] = {{.name = OFFER_DEFLATE, .callback = on_event},
						    {0}};
	static const struct door_extension extension = {list, begins, answers};

	return &extension;
}

enum format_coding negotiate_coding(struct lws *wsi)
{
	if (wsi != now.wsi)
		return CODING_PLAIN;
	return now.agreed.alone ? CODING_ALONE : CODING_LIKE;
}
