/* item_fuzz.c - throws bytes at item_read(), and holds what it accepts to its promises.
 *
 *     clang -g -O1 -std=gnu17 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Iserver -Iinclude \
 *           tests/fuzz/item_fuzz.c server/news/[a-z]*.c server/base/{arena,base,buf,clock,counters,log}.c -ljansson -lgumbo -lxxhash -lcrypto -o item_fuzz
 *     ./item_fuzz -max_len=4096 -dict=tests/fuzz/item.dict NEW_CORPUS tests/fuzz/corpus/item tests/samples
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "news/item.h"
#include "news/ninjs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_hold_nothing_private(const json_t *value)
{
	const char *key;
	json_t *child;
	size_t i;

	json_object_foreach ((json_t *)value, key, child) {
		MUST(!ninjs_write_hides(key, strlen(key)));
		must_hold_nothing_private(child);
	}
	json_array_foreach (value, i, child) {
		must_hold_nothing_private(child);
	}
}

static void must_be_readable(const struct channel_set *channels)
{
	for (uint32_t i = 0; i < channels->count; i++) {
		MUST(channel_is_readable(channels->name[i], strlen(channels->name[i])));
		MUST(i == 0 || strcmp(channels->name[i - 1], channels->name[i]) < 0);
	}
	MUST(channel_set_has(channels, "feed:all"));
}

/* What is canonical stays as it is when it is read again. */
static void must_be_canonical(const struct item *item)
{
	struct item_report report;
	struct item *again = item_read(item->body, item->body_len, SIZE_MAX, NULL, &report);
	json_t *one, *two;

	if (again == NULL) { /* arrays made of objects may nest one deeper */
		MUST(report.refusal == ITEM_TOO_DEEP);
		return;
	}
	one = json_loadb(item->body, item->body_len, 0, NULL);
	two = json_loadb(again->body, again->body_len, 0, NULL);
	MUST(json_equal(one, two));
	json_decref(one);
	json_decref(two);
	MUST(strcmp(again->uri, item->uri) == 0 && again->embargo_ms <= item->embargo_ms);
	item_free(again);
}

static void must_keep_its_promises(const struct item *item)
{
	json_t *body = json_loadb(item->body, item->body_len, JSON_REJECT_DUPLICATES, NULL);

	MUST(json_is_object(body) && strlen(item->body) == item->body_len);
	must_hold_nothing_private(body);
	json_decref(body);
	must_be_readable(&item->channels);
	MUST(*item->uri && strlen(item->uri) <= ITEM_URI_MAX && *item->version &&
	     strlen(item->hash) == 32);
	MUST(item->notice == NULL || (item->status != ITEM_USABLE && strlen(item->notice) <= 500));
	if (item->status == ITEM_USABLE)
		must_be_canonical(item);
	else
		MUST(strcmp(item->body, "{}") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct item_report report;
	struct item *item = item_read((const char *)data, size, 65536, NULL, &report);

	MUST((item == NULL) == (report.count > 0));
	MUST((report.refusal == ITEM_OK) == (item != NULL));
	if (item)
		must_keep_its_promises(item);
	item_free(item);
	return 0;
}
