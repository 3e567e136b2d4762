/* publisher.c - permissions and patterns, and books of publishers. */
#include "news/publisher.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "news/publisher_book.h"

/* --- rights ----------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	unsigned bit;
} words[] = {
#define RIGHT_AS_ROW(name, text, bit, what) {text, bit},
	NEWSWIRE_RIGHTS(RIGHT_AS_ROW)
#undef RIGHT_AS_ROW
};

unsigned right_read(const char *word, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0)
			return words[i].bit;
	return 0;
}

int rights_read(const char *text, unsigned *rights)
{
	unsigned bit;

	*rights = strcmp(text, "everything") == 0 ? RIGHTS_EVERYTHING : 0;
	if (*rights != 0 || strcmp(text, "none") == 0)
		return 0;
	for (;; text++) {
		size_t len = strcspn(text, ",");

		if ((bit = right_read(text, len)) == 0)
			return -1;
		*rights |= bit;
		text += len;
		if (*text == '\0')
			return 0;
	}
}

void rights_write(unsigned rights, struct buf *out)
{
	const char *separator = "";

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if ((rights & words[i].bit) == 0)
			continue;
		buf_adds(out, separator);
		buf_adds(out, words[i].word);
		separator = " ";
	}
}

/* --- patterns --------------------------------------------------------------------------------- */

bool publisher_is_pattern(const char *text, size_t len)
{
	if (len == 1 && text[0] == '*')
		return true;
	if (len > 2 && memcmp(text + len - 2, ".*", 2) == 0)
		len -= 2;
	return channel_is_plain(text, len);
}

size_t publisher_fit(const char *pattern, const char *channel)
{
	size_t len = strlen(pattern);

	if (strcmp(pattern, channel) == 0)
		return SIZE_MAX;
	if (len == 0 || pattern[len - 1] != '*')
		return 0;
	/* `sport.*` fits what begins with `sport.`, and not `sport` */
	return strncmp(pattern, channel, len - 1) == 0 ? len : 0;
}

bool publisher_may_send(const struct publisher *p, const char *channel)
{
	for (size_t i = 0; i < p->patterns; i++)
		if (publisher_fit(p->pattern[i], channel) > 0)
			return true;
	return false;
}

unsigned publisher_raw_rights(const struct publisher_book *book, const char *channel,
			      unsigned preset)
{
	size_t best = 0, fit;

	for (size_t i = 0; i < book->raw_count; i++) {
		if ((fit = publisher_fit(book->raw[i].pattern, channel)) <= best)
			continue;
		best = fit;
		preset = book->raw[i].rights;
	}
	return preset;
}

/* --- publishers ------------------------------------------------------------------------------- */

static const char *const everywhere[] = {"*"};

const struct publisher publisher_node = {
	.name = "node", .rights = RIGHTS_EVERYTHING, .pattern = everywhere, .patterns = 1};
const struct publisher publisher_redis = {.name = "redis", .pattern = everywhere, .patterns = 1};

void publisher_write(const struct publisher *p, struct buf *out)
{
	struct buf may = {0};

	buf_adds(out, "\"publisher\":");
	buf_add_json(out, p->name, strlen(p->name));
	rights_write(p->rights, &may);
	buf_adds(out, ",\"may\":[");
	for (size_t at = 0, len; at < may.len; at += len + 1) {
		const char *space = memchr(may.data + at, ' ', may.len - at);

		len = space ? (size_t)(space - may.data) - at : may.len - at;
		if (at > 0)
			buf_addc(out, ',');
		buf_add_json(out, may.data + at, len);
	}
	buf_addc(out, ']');
	out->failed = out->failed || may.failed;
	buf_free(&may);
}

const struct publisher *publisher_ref(const struct publisher *p)
{
	if (p != NULL && p->book != NULL)
		p->book->refs++;
	return p;
}

void publisher_unref(const struct publisher *p)
{
	if (p != NULL)
		publisher_book_unref(p->book);
}

/* --- books ------------------------------------------------------------------------------------ */

void *publisher_book_alloc(struct publisher_book *book, size_t size)
{
	struct publisher_mem *mem = calloc(1, sizeof *mem + size);

	if (mem == NULL)
		return NULL;
	mem->next = book->mem;
	book->mem = mem;
	return mem->bytes;
}

struct publisher_book *publisher_book_ref(struct publisher_book *book)
{
	book->refs++;
	return book;
}

/* Secrets are not left lying about. */
void publisher_book_unref(struct publisher_book *book)
{
	struct publisher_mem *mem;

	if (book == NULL || --book->refs > 0)
		return;
	for (size_t i = 0; i < book->count; i++)
		if (book->publisher[i].secret != NULL)
			explicit_bzero((char *)book->publisher[i].secret,
				       strlen(book->publisher[i].secret));
	while ((mem = book->mem) != NULL) {
		book->mem = mem->next;
		free(mem);
	}
	free(book);
}

size_t publisher_count(const struct publisher_book *book)
{
	return book->count;
}

const struct publisher *publisher_at(const struct publisher_book *book, size_t i)
{
	MUST(i < book->count);
	return &book->publisher[i];
}

size_t publisher_place(const struct publisher *p)
{
	MUST(p->book != NULL);
	return (size_t)(p - p->book->publisher);
}

const struct publisher *publisher_by_name(const struct publisher_book *book, const char *name)
{
	for (size_t i = 0; i < book->count; i++)
		if (strcmp(book->publisher[i].name, name) == 0)
			return &book->publisher[i];
	return NULL;
}
