/* batch_fuzz.c - throws bytes at batch_split(): of a JSON array the pieces are its elements, and whatever it is, they lie in
 * the bytes, in order. The first byte says whether it is an array or lines.
 *
 *     clang -g -O1 -std=gnu17 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Iserver -Iinclude \
 *           tests/fuzz/batch_fuzz.c server/news/{batch,json_scan}.c server/base/base.c -ljansson -o batch_fuzz
 *     ./batch_fuzz -max_len=4096 -dict=tests/fuzz/batch.dict NEW_CORPUS tests/fuzz/corpus/batch
 */
#include <jansson.h>
#include <stdint.h>
#include <string.h>
#include "news/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_in_order(const struct batch *batch, const char *bytes, size_t len,
			     enum batch_form form)
{
	size_t end = 0;

	MUST(batch->count >= 1 && batch->count <= BATCH_ITEMS_MAX);
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_piece *piece = &batch->piece[i];

		MUST(piece->len > 0 && piece->at >= end && piece->at + piece->len <= len);
		MUST(form == BATCH_JSON || !memchr(bytes + piece->at, '\n', piece->len));
		end = piece->at + piece->len;
	}
}

/* What jansson takes for an array is cut into what jansson takes for its elements. */
static void must_be_its_elements(const struct batch *batch, enum batch_fault fault,
				 const char *bytes, const json_t *array)
{
	MUST(json_array_size(array) == 0		? fault == BATCH_EMPTY
	     : json_array_size(array) > BATCH_ITEMS_MAX ? fault == BATCH_TOO_MANY
							: fault == BATCH_GOOD);
	for (size_t i = 0; i < batch->count; i++) {
		json_t *piece = json_loadb(bytes + batch->piece[i].at, batch->piece[i].len,
					   JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		MUST(piece && json_equal(piece, json_array_get(array, i)));
		json_decref(piece);
	}
	MUST(fault != BATCH_GOOD || batch->count == json_array_size(array));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;
	enum batch_form form;
	struct batch batch = {0};
	enum batch_fault fault;
	size_t at;

	if (size == 0)
		return 0;
	size--;
	form = data[0] == 'L' ? BATCH_LINES : BATCH_JSON;
	fault = batch_split(&batch, form, bytes, size, &at);
	MUST((fault == BATCH_GOOD) == (batch.piece != NULL));
	MUST(fault != BATCH_BROKEN || at <= size);
	if (fault == BATCH_GOOD)
		must_be_in_order(&batch, bytes, size, form);
	if (form == BATCH_JSON) {
		json_t *array = json_loadb(bytes, size, JSON_ALLOW_NUL, NULL);

		if (json_is_array(array))
			must_be_its_elements(&batch, fault, bytes, array);
		json_decref(array);
	}
	batch_free(&batch);
	return 0;
}
