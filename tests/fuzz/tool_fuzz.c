/* tool_fuzz.c - throws bytes at tool_message_read(): what jansson takes for an object has the item that jansson sees, to the
 * letter; whatever it is, the answer to it is JSON.
 *
 *     ./dev fuzz builds and runs it; tests/fuzz/tool.dict has its words.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "news/tool_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_its_item(const struct tool_message *m, const json_t *whole)
{
	json_t *item =
		json_loadb(m->item, m->item_len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	MUST(item && json_equal(item, json_object_get(whole, "item")));
	json_decref(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	json_t *whole = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL), *answer;
	struct tool_message m;
	struct message_fault fault;
	struct buf out = {0};

	if (tool_message_read(bytes, size, &m, &fault) == 0) {
		MUST(m.kind != TOOL_PUBLISH ||
		     (m.item >= bytes && m.item_len > 0 && m.item + m.item_len <= bytes + size));
		if (json_is_object(whole) && m.kind == TOOL_PUBLISH)
			must_be_its_item(&m, whole);
		tool_message_authorized(&out, m.ref, &publisher_node);
	} else {
		MUST(fault.code && *fault.detail);
		message_error(&out, fault.code, fault.detail, fault.ref);
	}
	answer = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	MUST(json_is_object(answer));
	json_decref(answer);
	json_decref(whole);
	tool_message_free(&m);
	buf_free(&out);
	return 0;
}
