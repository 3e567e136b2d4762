/* html.c - reads HTML in bounded memory, until what is written of it no longer changes. */
#include "news/html.h"
#include "news/html_write.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* --- the parser's memory --------------------------------------------------------------------- */

/* Each element and each attribute costs a few allocations. Some of what the parser does grows with
 * their square, so their number is bounded, not only their bytes. */
enum {
	ALLOCATIONS_MAX = 64 << 10,
	ATTRIBUTES_MAX = 8 << 10,
	ARENA_MAX = 16 << 20,
	CHUNK_SIZE = 64 << 10,
	ALIGNMENT = 16
};

struct chunk {
	struct chunk *next;
	_Alignas(ALIGNMENT) char bytes[];
};

/* All that one reading takes, given back at once. */
struct arena {
	struct chunk *chunks;
	char *at;
	size_t left;	   /* behind `at` */
	size_t taken;	   /* in all */
	size_t count;	   /* allocations */
	size_t attributes; /* those of the size of one: each is compared to all before it in its tag */
	enum html_result why;
	jmp_buf full; /* the parser knows no failure: we leave it here */
};

static void *refuse(struct arena *arena, enum html_result why)
{
	arena->why = why;
	longjmp(arena->full, 1);
}

static void *take(void *userdata, size_t size)
{
	struct arena *arena = userdata;
	char *bytes;

	if (size > ARENA_MAX || ++arena->count > ALLOCATIONS_MAX)
		return refuse(arena, HTML_TOO_LARGE);
	if (size == sizeof(GumboAttribute) && ++arena->attributes > ATTRIBUTES_MAX)
		return refuse(arena, HTML_TOO_LARGE);
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (size > arena->left) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		struct chunk *chunk;
		if (arena->taken + room > ARENA_MAX)
			return refuse(arena, HTML_TOO_LARGE);
		if ((chunk = malloc(sizeof *chunk + room)) == NULL)
			return refuse(arena, HTML_NO_MEMORY);
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->at = chunk->bytes;
		arena->left = room;
		arena->taken += room;
	}
	bytes = arena->at;
	arena->at += size;
	arena->left -= size;
	return bytes;
}

static void keep(void *userdata, void *bytes)
{
	(void)userdata, (void)bytes; /* arena_free() has it */
}

static void arena_free(struct arena *arena)
{
	struct chunk *next;

	for (struct chunk *chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
}

/* --- reading --------------------------------------------------------------------------------- */

static enum html_result parse_and_write(struct arena *arena, const char *html, size_t len,
					struct buf *out)
{
	GumboOptions options = kGumboDefaultOptions;
	const GumboOutput *parsed;

	options.allocator = take;
	options.deallocator = keep;
	options.userdata = arena;
	options.max_errors = 0;
	options.fragment_context = GUMBO_TAG_BODY;
	if (setjmp(arena->full) != 0)
		return arena->why;
	parsed = gumbo_parse_with_options(&options, html, len);
	return html_write(parsed->root, out);
}

static enum html_result clean_once(const char *html, size_t len, struct buf *out)
{
	struct arena arena = {0};
	enum html_result result = parse_and_write(&arena, html, len, out);

	arena_free(&arena);
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
	enum html_result result = clean_once(html, len, out);
	bool stable = is_same(html, len, out);

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
