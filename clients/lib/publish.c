/* publish.c - posts an item over HTTP and reads the receipt. */
#include "publish.h"

#include "exchange.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct posting {
	newswire_receipt_cb *done;
	void *data;
};

static const struct {
	const char *text;
	int http_status;
	enum newswire_status status;
} statuses[] = {
#define AS_ROW(name, text, http_status) {text, http_status, NEWSWIRE_##name},
	NEWSWIRE_RECEIPTS(AS_ROW)
#undef AS_ROW
};

bool newswire_channel_is_plain(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NEWSWIRE_MAX_CHANNEL || strchr("._-", name[0]))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static const char *member(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

/* Both must say it: the status alone may come from anything that answers on that port. */
static enum newswire_status read_status(const struct newswire_answer *answer)
{
	const char *text = json_string_value(json_object_get(answer->json, "status"));

	for (size_t i = 0; text && i < sizeof statuses / sizeof *statuses; i++)
		if (answer->status == statuses[i].http_status &&
		    strcmp(text, statuses[i].text) == 0)
			return statuses[i].status;
	return NEWSWIRE_REFUSED;
}

enum newswire_status publish_judge(const struct newswire_answer *answer)
{
	int status = answer->status;

	if (status == 0)
		return answer->sent ? NEWSWIRE_UNKNOWN : NEWSWIRE_UNAVAILABLE;
	if (status == 408 || status == 429 || status >= 500)
		return NEWSWIRE_UNAVAILABLE;
	return status >= 200 && status < 300 ? read_status(answer) : NEWSWIRE_REFUSED;
}

static void on_answer(void *data, const struct newswire_answer *answer)
{
	struct posting *posting = data;
	struct newswire_receipt receipt = {
		.status = publish_judge(answer),
		.http_status = answer->status,
		.id = member(answer->json, "id"),
		.uri = member(answer->json, "uri"),
		.action = member(answer->json, "action"),
		.durability = member(answer->json, "durability"),
		.version = member(answer->json, "version"),
		.answer = answer,
	};

	if (receipt.status >= NEWSWIRE_REFUSED)
		receipt.problem = answer->problem ? answer->problem
						  : "what answered is not newswired: no receipt";
	posting->done(posting->data, &receipt);
}

int newswire_publish_http(struct newswire_client *client, const char *url, const char *key,
			  const char *const *channels, const char *item, size_t len,
			  newswire_receipt_cb *done, void *data)
{
	struct exchange_request request = {.key = key, .body = item, .len = len};
	struct posting *posting;
	struct gather path;

	errno = EINVAL;
	for (size_t i = 0; channels && channels[i]; i++)
		if (!newswire_channel_is_plain(channels[i]))
			return -1;
	if ((posting = malloc(sizeof *posting)) == NULL)
		return -1;
	*posting = (struct posting){.done = done, .data = data};
	request.owned = posting;
	gather_init(&path, NEWSWIRE_MAX_QUERY);
	gather_adds(&path, NEWSWIRE_PATH_ITEMS);
	url_add_list(&path, "channels", channels);
	return exchange_ask(client, url, &request, &path, on_answer, posting);
}
