/* frames_fuzz.c - throws bytes at what reads a WebSocket's frames, whole and cut anywhere: the outcome must be the same. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "base/base.h"
#include "ws/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 1000 };

/* What was read, as one number. */
struct outcome {
	XXH64_hash_t hash;
	size_t count;
};

static void add(struct outcome *o, const void *bytes, size_t len)
{
	o->hash = XXH64(bytes, len, o->hash);
}

/* false: it has ended. */
static bool read_on(struct frames *f, struct frames_input *in, bool deflates, struct outcome *o)
{
	const struct frames_rules rules = {.max = MAX, .deflates = deflates};
	struct frames_piece piece;
	enum frames_what what;

	while ((what = frames_read(f, in, &rules, &piece)) != FRAMES_MORE) {
		o->count += what != FRAMES_PIECE || piece.last;
		if (what == FRAMES_PIECE) {
			MUST(f->message_len <= MAX + 32);
			for (size_t i = 0; i < piece.len; i++)
				add(o, piece.bytes + i, 1);
		} else if (what == FRAMES_WRONG) {
			MUST(f->why != CLOSE_NONE);
			add(o, &f->why, sizeof f->why);
			return false;
		} else {
			MUST(f->control_len <= FRAMES_CONTROL_MAX);
			add(o, f->control, f->control_len);
			if (what == FRAMES_CLOSE)
				return false;
		}
	}
	MUST(in->len == 0);
	return true;
}

static struct outcome read_all(const uint8_t *data, size_t size, size_t step, bool deflates)
{
	struct outcome o = {0};
	struct frames f = {0};
	char *copy = malloc(size + 1);

	MUST(copy != NULL);
	memcpy(copy, data, size);
	for (size_t at = 0; at < size; at += step) {
		struct frames_input in = {copy + at, size - at < step ? size - at : step};

		if (!read_on(&f, &in, deflates, &o))
			break;
	}
	free(copy);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int deflates = 0; deflates < 2; deflates++) {
		struct outcome whole = read_all(data, size, size + 1, deflates);
		struct outcome single = read_all(data, size, 1, deflates);
		struct outcome some = read_all(data, size, 1 + size / 3, deflates);

		MUST(single.hash == whole.hash && single.count == whole.count);
		MUST(some.hash == whole.hash && some.count == whole.count);
	}
	return 0;
}
