/* follow.c - a program of somebody else's, built against the installed libnewswire: follows a channel, publishes one item
 * there once it is live, and ends when that came back and
 * its receipt is here. Prints what it saw.
 *
 *   follow URL KEY ITEM
 */
#include <newswire/client.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

struct run {
	uv_loop_t loop;
	struct newswire_client *client;
	const char *url, *key, *item;
	int owed; /* what is still to come: the post and the receipt */
};

static const char *const world[] = {"world", NULL};

/* Names of libnewswire's own rooms: a program may use them too. */
int url_parse(void);
int gather_add(void);
int url_parse(void)
{
	return 0;
}
int gather_add(void)
{
	return 0;
}

static void came(struct run *run)
{
	if (--run->owed == 0)
		uv_stop(&run->loop);
}

static void on_receipt(void *data, const struct newswire_receipt *receipt)
{
	struct run *run = data;

	printf("receipt %d %s\n", receipt->status, receipt->uri);
	if (receipt->status == NEWSWIRE_ACCEPTED)
		came(run);
	else
		uv_stop(&run->loop);
}

static void on_link(void *data, const struct newswire_link_change *change)
{
	struct run *run = data;

	if (change->link != NEWSWIRE_LINK_LIVE)
		return;
	puts("live");
	if (newswire_publish_http(run->client, run->url, run->key, world, run->item,
				  strlen(run->item), on_receipt, run) < 0)
		uv_stop(&run->loop);
}

static void on_message(void *data, const struct newswire_message *message)
{
	struct run *run = data;

	if (message->type != NEWSWIRE_MESSAGE_POST)
		return;
	printf("post %s\n",
	       json_string_value(json_object_get(json_object_get(message->json, "item"), "uri")));
	came(run);
}

int main(int argc, char **argv)
{
	static const struct newswire_stream_handlers handlers = {on_message, on_link};
	struct run run = {.owed = 2};

	if (argc != 4 || url_parse() != gather_add())
		return 2;
	run.url = argv[1];
	run.key = argv[2];
	run.item = argv[3];
	uv_loop_init(&run.loop);
	if ((run.client = newswire_client_new(&run.loop, NULL)) == NULL)
		return 2;
	if (newswire_stream_open(run.client,
				 &(struct newswire_query){.url = run.url, .channels = world}, NULL,
				 &handlers, &run) == NULL)
		return 2;
	printf("version %s\n", newswire_version());
	uv_run(&run.loop, UV_RUN_DEFAULT);
	newswire_client_stop(run.client);
	uv_run(&run.loop, UV_RUN_DEFAULT);
	newswire_client_free(run.client);
	return uv_loop_close(&run.loop) != 0 || run.owed != 0;
}
