/* waiting.c - asks again and again, and prints the last answer. */
#include "waiting.h"

#include "result.h"

#include <jansson.h>
#include <string.h>

static void ask(struct waiting *w);

static void on_timer(uv_timer_t *timer)
{
	ask(timer->data);
}

/* The post that was waited for, in an answer; NULL: it is not in it. */
static const json_t *post_of(const struct waiting *w, const json_t *answer)
{
	const json_t *posts = json_object_get(answer, "posts");

	for (size_t i = 0; i < json_array_size(posts); i++) {
		const json_t *post = json_array_get(posts, i);
		const char *id = json_string_value(json_object_get(post, "id"));

		if (id && strcmp(id, w->id) == 0)
			return post;
	}
	return NULL;
}

static void print(const struct waiting *w, const struct newswire_answer *answer, const json_t *post)
{
	char line[RESULT_SIZE];

	if (w->settings->json) {
		fwrite(answer->text, 1, answer->len, stdout);
	} else if (post == NULL) {
		command_say("nothing is known of its reach (any more)");
	} else {
		result_reach(line, post);
		puts(line);
	}
	fflush(stdout);
}

static void on_answer(void *data, const struct newswire_answer *answer)
{
	struct waiting *w = data;
	const json_t *post = post_of(w, answer->json);

	if (answer->problem) {
		command_say("its reach: %s", answer->problem);
	} else if (post && !json_is_true(json_object_get(post, "complete")) &&
		   uv_now(w->timer.loop) + WAITING_EACH_MS <= w->deadline) {
		uv_timer_start(&w->timer, on_timer, WAITING_EACH_MS, 0);
		return;
	} else {
		print(w, answer, post);
	}
	w->done(w->data);
}

static void ask(struct waiting *w)
{
	const char *key = w->desk->key[0] ? w->desk->key : NULL;

	if (newswire_reach(w->client, w->desk->url, key, w->uri, on_answer, w) == 0)
		return;
	command_say("its reach cannot be asked for: out of memory, or a uri that is too long");
	w->done(w->data);
}

bool waiting_begin(struct waiting *w, const struct newswire_receipt *receipt)
{
	if (w->settings->wait == 0 || receipt->status > NEWSWIRE_DUPLICATE ||
	    receipt->id[0] == '\0' || strlen(receipt->id) >= sizeof w->id ||
	    strlen(receipt->uri) >= sizeof w->uri)
		return false;
	snprintf(w->id, sizeof w->id, "%s", receipt->id);
	snprintf(w->uri, sizeof w->uri, "%s", receipt->uri);
	uv_update_time(w->timer.loop);
	w->deadline = uv_now(w->timer.loop) + w->settings->wait * 1000;
	uv_timer_start(&w->timer, on_timer, 0, 0);
	return true;
}

void waiting_open(struct waiting *w, uv_loop_t *loop)
{
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
}

void waiting_close(struct waiting *w)
{
	uv_close((uv_handle_t *)&w->timer, NULL);
}
