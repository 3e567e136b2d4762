/* item.c - one piece of news: what it says of itself, whether it may be news. */
#include "news/item.h"
#include "base/clock.h"
#include "news/item_channels.h"
#include "news/item_decode.h"
#include "news/json_arena.h"
#include "news/ninjs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

enum { NOTICE_MAX = 500, LANG_MAX = 35 };

static const struct place uri_place = {NULL, "uri", 0};

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_word(const char *text, const char *word)
{
	return text && strcasecmp(text, word) == 0;
}

/* --- what an item says of itself ------------------------------------------------------------- */

static enum item_status read_status(const char *status)
{
	if (is_word(status, "canceled"))
		return ITEM_CANCELED;
	return is_word(status, "withheld") ? ITEM_WITHHELD : ITEM_USABLE;
}

/* Asked before anything is checked: a kill is not held up by what else is wrong with it. */
static bool is_kill(json_t *json)
{
	for (void *i = json_object_iter(json); i; i = json_object_iter_next(json, i)) {
		const char *text = json_string_value(json_object_iter_value(i));

		if (json_object_iter_key_len(i) == strlen("pubstatus") &&
		    strcasecmp(json_object_iter_key(i), "pubstatus") == 0 &&
		    (is_word(text, "canceled") || is_word(text, "cancelled")))
			return true;
	}
	return false;
}

static int64_t time_of(const json_t *canonical, const char *key)
{
	const char *text = text_of(canonical, key);
	int64_t ms;

	return text && clock_parse(text, strlen(text), &ms) == 0 ? ms : 0;
}

/* By urgency; where there is none a profile of that name may say it. */
static enum news_class read_class(const json_t *canonical, const enum news_class *by_urgency)
{
	json_int_t urgency = json_integer_value(json_object_get(canonical, "urgency"));
	const char *profile = text_of(canonical, "profile");

	if (urgency == 0 && is_word(profile, "flash"))
		return CLASS_FLASH;
	if (urgency == 0 && is_word(profile, "bulletin"))
		return CLASS_BULLETIN;
	return urgency == 0 ? news_class_by_urgency[0] : by_urgency[urgency];
}

/* Lower case, hyphens. NULL if it is no language tag. */
static char *read_lang(struct ninjs *n, const char *language)
{
	char lang[LANG_MAX + 1];
	size_t len = 0;
	char *copy;

	for (; language && *language; language++) {
		char c = *language == '_' ? '-' : *language;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (len == LANG_MAX ||
		    !((c >= 'a' && c <= 'z') || (len > 0 && ((c >= '0' && c <= '9') || c == '-'))))
			return NULL;
		lang[len++] = c;
	}
	if (len == 0 || lang[len - 1] == '-')
		return NULL;
	if ((copy = strndup(lang, len)) == NULL)
		n->no_memory = true;
	return copy;
}

/* At most NOTICE_MAX bytes, whole characters. */
static size_t notice_length(const char *text)
{
	size_t len = strlen(text);

	if (len <= NOTICE_MAX)
		return len;
	len = NOTICE_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* The words for readers: a plain text description whose role says that it is one. The headline and
 * the body of a withdrawn item are for editors. */
static char *read_notice(struct ninjs *n, const json_t *canonical)
{
	const json_t *descriptions = json_object_get(canonical, "descriptions"), *entry;
	size_t i;

	json_array_foreach (descriptions, i, entry) {
		const char *role = text_of(entry, "role");
		const char *content_type = text_of(entry, "contentType");
		const char *value = text_of(entry, "value");
		char *copy;

		if (!is_word(role, "withdrawal") && !is_word(role, "notice"))
			continue;
		if (value == NULL || *value == '\0' ||
		    (content_type && strncasecmp(content_type, "text/plain", 10) != 0))
			continue;
		if ((copy = strndup(value, notice_length(value))) == NULL)
			n->no_memory = true;
		return copy;
	}
	return NULL;
}

static char *copy_text(struct ninjs *n, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		n->no_memory = true;
	return copy;
}

static void read_facts(struct item *item, const json_t *canonical,
		       const enum news_class *by_urgency, struct ninjs *n)
{
	const char *uri = text_of(canonical, "uri");
	const char *version = text_of(canonical, "version");
	const char *type = text_of(canonical, "type");
	const char *evolved_from = text_of(canonical, "evolvedFrom");

	item->uri = uri ? copy_text(n, uri) : NULL;
	item->version = copy_text(n, version ? version : "1");
	item->type = copy_text(n, type ? type : "text");
	item->lang = read_lang(n, text_of(canonical, "language"));
	item->created_ms = time_of(canonical, "versionCreated");
	item->expires_ms = time_of(canonical, "expires");
	item->embargo_ms = n->embargo_ms;
	item->status = read_status(text_of(canonical, "pubStatus"));
	item->class = read_class(canonical, by_urgency);
	item->evolved_from = evolved_from ? copy_text(n, evolved_from) : NULL;
	if (item->status != ITEM_USABLE)
		item->notice = read_notice(n, canonical);
}

/* --- may it be news? ------------------------------------------------------------------------- */

static bool says_advisory(const char *text)
{
	const char *last = text ? strrchr(text, '/') : NULL;

	return is_word(last ? last + 1 : text, "advisory");
}

/* By profile, or by a genre (IPTC's genre vocabulary has Advisory). */
static bool is_advisory(const json_t *canonical)
{
	const json_t *genres = json_object_get(canonical, "genres"), *genre;
	size_t i;

	if (says_advisory(text_of(canonical, "profile")))
		return true;
	json_array_foreach (genres, i, genre) {
		if (says_advisory(text_of(genre, "name")) ||
		    says_advisory(text_of(genre, "literal")) ||
		    says_advisory(text_of(genre, "uri")))
			return true;
	}
	return false;
}

static bool has_text(const json_t *texts)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (texts, i, entry) {
		if (json_string_length(json_object_get(entry, "value")) > 0)
			return true;
	}
	return false;
}

/* Events and plans have a name rather than a headline. */
static bool is_named(const json_t *canonical)
{
	const char *type = text_of(canonical, "type");

	return (is_word(type, "event") || is_word(type, "planning")) &&
	       json_string_length(json_object_get(canonical, "title")) > 0;
}

/* A headline, a description, a body, or media; the author's card is none of them. */
static bool has_content(const json_t *canonical)
{
	const json_t *associations = json_object_get(canonical, "associations"), *association;
	size_t i;

	if (has_text(json_object_get(canonical, "headlines")) ||
	    has_text(json_object_get(canonical, "descriptions")) ||
	    has_text(json_object_get(canonical, "bodies")) ||
	    json_array_size(json_object_get(canonical, "renditions")) > 0 || is_named(canonical))
		return true;
	json_array_foreach (associations, i, association) {
		if (!is_word(text_of(association, "rel"), "author"))
			return true;
	}
	return false;
}

static void judge(const struct item *item, const json_t *canonical, struct ninjs *n)
{
	if (item->status != ITEM_USABLE) {
		if (item->uri == NULL)
			ninjs_fault(n, &uri_place, ITEM_BAD_VALUE,
				    "What is withdrawn must be named by its uri.");
		return;
	}
	if (is_advisory(canonical))
		ninjs_fault(n, NULL, ITEM_ADVISORY, "This is a note for editors only.");
	else if (!has_content(canonical))
		ninjs_fault(n, NULL, ITEM_EMPTY,
			    "This has no headline, description, body or media.");
}

/* --- its text -------------------------------------------------------------------------------- */

static void hash_content(struct item *item, const struct buf *content)
{
	XXH128_hash_t hash = XXH3_128bits(content->data, content->len);
	struct buf digits = {.data = item->hash, .cap = sizeof item->hash};

	buf_add_hex(&digits, hash.high64);
	buf_add_hex(&digits, hash.low64);
	buf_addc(&digits, '\0');
}

/* A usable item's text is its content; uri and version go before it where the server gave them. */
static void write_body(struct item *item, const json_t *canonical, struct buf *content,
		       struct buf *body)
{
	bool has_uri = text_of(canonical, "uri") != NULL;
	bool has_version = text_of(canonical, "version") != NULL;

	if (item->status != ITEM_USABLE) {
		buf_adds(body, "{}");
	} else if (has_uri && has_version) {
		*body = *content;
		*content = (struct buf){0};
	} else {
		buf_reserve(body, content->len + 128);
		buf_addc(body, '{');
		if (!has_uri)
			buf_addf(body, "\"uri\":\"%s\",", item->uri);
		if (!has_version)
			buf_addf(body, "\"version\":\"%s\",", item->version);
		buf_add(body, content->data + 1, content->len - 1);
	}
}

static void make_body(struct item *item, const json_t *canonical, size_t len, struct ninjs *n)
{
	struct buf content = {0}, body = {0};

	buf_reserve(&content, len);
	ninjs_write(canonical, &content);
	if (content.failed)
		goto done;
	hash_content(item, &content);
	if (item->uri == NULL && asprintf(&item->uri, "urn:newswire:%s", item->hash) == -1)
		item->uri = NULL;
	if (item->uri == NULL)
		goto done;
	write_body(item, canonical, &content, &body);
	buf_addc(&body, '\0');
	if (!body.failed) {
		item->body = body.data;
		item->body_len = body.len - 1;
		body = (struct buf){0};
	}

done:
	n->no_memory = n->no_memory || item->body == NULL;
	buf_free(&content);
	buf_free(&body);
}

/* --- all together ---------------------------------------------------------------------------- */

/* Fills the item from JSON that is decoded. What went wrong is in n. */
static void read_item(struct item *item, json_t *json, size_t len, const struct channel_set *plain,
		      const enum news_class *by_urgency, struct ninjs *n)
{
	struct buf names = {0};
	json_t *canonical = NULL;

	n->forgiving = is_kill(json);
	item_channels_take_plain(json, plain, n, &names);
	canonical = ninjs_read(json, n);
	if (canonical == NULL && n->report->count == 0)
		n->no_memory = true;
	if (canonical == NULL || n->report->count > 0)
		goto done;
	read_facts(item, canonical, by_urgency, n);
	judge(item, canonical, n);
	if (n->no_memory || n->report->count > 0)
		goto done;
	make_body(item, canonical, len, n);
	if (n->no_memory)
		goto done;
	item_channels_derive(item, canonical, &names);
	if (names.failed || channel_set_read(&item->channels, names.data, names.len, ' ') == -1)
		n->no_memory = true;

done:
	buf_free(&names);
}

struct item *item_read(const char *bytes, size_t len, size_t max_bytes,
		       const struct channel_set *plain, struct item_report *report)
{
	return item_read_by(bytes, len, max_bytes, plain, NULL, report);
}

struct item *item_read_by(const char *bytes, size_t len, size_t max_bytes,
			  const struct channel_set *plain, const enum news_class *by_urgency,
			  struct item_report *report)
{
	struct ninjs n = {.report = report};
	struct item *item = calloc(1, sizeof *item);
	json_t *json = NULL;

	*report = (struct item_report){0};
	json_arena_open(len);
	if (item == NULL)
		n.no_memory = true;
	else if ((json = item_decode(bytes, len, max_bytes, &n)))
		read_item(item, json, len, plain, by_urgency ? by_urgency : news_class_by_urgency,
			  &n);
	json_arena_close();
	n.forgiving = false;
	if (n.no_memory && report->count == 0)
		ninjs_fault(&n, NULL, ITEM_BAD_VALUE, "The server is short of memory.");
	if (report->count == 0)
		return item;
	item_free(item);
	errno = n.no_memory ? ENOMEM : 0;
	return NULL;
}

void item_free(struct item *item)
{
	if (item == NULL)
		return;
	free(item->uri);
	free(item->version);
	free(item->evolved_from);
	free(item->lang);
	free(item->type);
	free(item->notice);
	channel_set_free(&item->channels);
	free(item->body);
	free(item);
}
