/* html.c - reads HTML in bounded memory, until what is written of it no longer changes. */
#include "news/html.h"
#include "base/arena.h"
#include "news/html_simple.h"
#include "news/html_write.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* --- the parser's memory --------------------------------------------------------------------- */

/* Each element and each attribute costs a few allocations. Some of what the parser does grows with
 * their square, so their number is bounded, not only their bytes. */
enum { ALLOCATIONS_MAX = 64 << 10, ATTRIBUTES_MAX = 8 << 10, BYTES_MAX = 16 << 20 };

/* All that one reading takes, given back at once. */
struct memory {
	struct arena arena;
	size_t count;	   /* allocations */
	size_t attributes; /* those of the size of one: each is compared to all before it in its tag */
	enum html_result why;
	jmp_buf full; /* the parser knows no failure: we leave it here */
};

static void *refuse(struct memory *memory, enum html_result why)
{
	memory->why = why;
	longjmp(memory->full, 1);
}

/* Zeroed: of a fragment, which has no doctype, the parser asks whether the document is in quirks mode without ever having
 * set it, and what a table does to a paragraph hangs on it. 0 is no quirks. */
static void *take(void *userdata, size_t size)
{
	struct memory *memory = userdata;
	void *bytes;

	if (++memory->count > ALLOCATIONS_MAX)
		return refuse(memory, HTML_TOO_LARGE);
	if (size == sizeof(GumboAttribute) && ++memory->attributes > ATTRIBUTES_MAX)
		return refuse(memory, HTML_TOO_LARGE);
	if ((bytes = arena_take(&memory->arena, size)) == NULL)
		return refuse(memory, memory->arena.over ? HTML_TOO_LARGE : HTML_NO_MEMORY);
	return memset(bytes, 0, size);
}

static void keep(void *userdata, void *bytes)
{
	(void)userdata, (void)bytes; /* arena_free() has it */
}

/* --- reading --------------------------------------------------------------------------------- */

static enum html_result parse_and_write(struct memory *memory, const char *html, size_t len,
					struct buf *out)
{
	GumboOptions options = kGumboDefaultOptions;
	const GumboOutput *parsed;

	options.allocator = take;
	options.deallocator = keep;
	options.userdata = memory;
	options.max_errors = 0;
	options.fragment_context = GUMBO_TAG_BODY;
	if (setjmp(memory->full) != 0)
		return memory->why;
	parsed = gumbo_parse_with_options(&options, html, len);
	return html_write(parsed->root, out);
}

static enum html_result clean_once(const char *html, size_t len, struct buf *out)
{
	struct memory memory = {.arena.most = BYTES_MAX};
	enum html_result result = parse_and_write(&memory, html, len, out);

	arena_free(&memory.arena);
	return out->failed ? HTML_NO_MEMORY : result;
}

static const char *text_of(const struct buf *b)
{
	return b->data ? b->data : "";
}

static bool is_same(const char *html, size_t len, const struct buf *b)
{
	return b->len == len && memcmp(html, text_of(b), len) == 0;
}

/* Elements that overlap are repeated in each paragraph, with their addresses. */
static bool is_too_long(size_t sent, const struct buf *clean)
{
	return clean->len > 2 * sent + HTML_ROOM;
}

enum html_result html_clean(const char *html, size_t len, struct buf *out)
{
	enum html_result result;
	bool stable;

	if (html_is_simple(html, len)) {
		buf_add(out, html, len);
		return out->failed ? HTML_NO_MEMORY : HTML_CLEAN;
	}
	result = clean_once(html, len, out);
	stable = is_same(html, len, out);
	for (int round = 1; result == HTML_CLEAN && !stable; round++) {
		struct buf next = {0};
		if (is_too_long(len, out))
			return HTML_TOO_LARGE;
		if (round == HTML_ROUNDS_MAX)
			return HTML_UNSTABLE;
		result = clean_once(text_of(out), out->len, &next);
		stable = is_same(text_of(out), out->len, &next);
		buf_free(out);
		*out = next;
	}
	return result;
}
