/* subscription.c - what a reader asked for: read, made canonical, matched. */
#include "news/subscription.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lists that narrow a subscription become derived channels: `class:` + value. */
struct list {
	const char *kind;
	const char *code; /* of a fault */
	bool (*accepts)(const char *value, size_t len);
	const char *expects;
};

static bool accepts_class(const char *value, size_t len)
{
	return news_class_read(value, len) != CLASS_COUNT;
}

/* BCP 47 as far as it matters: letters first, then letters and digits between hyphens. */
static bool accepts_lang(const char *value, size_t len)
{
	if (len == 0 || len > 35 || !isalpha((unsigned char)value[0]) || value[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) && !(value[i] == '-' && value[i - 1] != '-'))
			return false;
	return true;
}

static bool accepts_type(const char *value, size_t len)
{
	return item_is_type(value, len);
}

static const struct list class_list = {"class", "bad_class", accepts_class,
				       "flash, bulletin, urgent, regular or deferred"};
static const struct list lang_list = {"lang", "bad_lang", accepts_lang,
				      "a language tag such as en or pt-br"};
static const struct list type_list = {
	"type", "bad_type", accepts_type,
	"text, audio, video, picture, graphic, composite, component, event or planning"};

static int fail_memory(struct subscription_fault *fault)
{
	fault->code = "no_memory";
	snprintf(fault->detail, sizeof fault->detail, "The server is short of memory.");
	return -1;
}

/* Says what is wrong with a value, quoting only what is printable and not long. */
static int fail_value(struct subscription_fault *fault, const char *code, const char *value,
		      size_t len, const char *expects)
{
	char shown[41];
	size_t n = len < sizeof shown - 1 ? len : sizeof shown - 1;

	for (size_t i = 0; i < n; i++)
		shown[i] = value[i] > ' ' && value[i] < 0x7f ? value[i] : '?';
	shown[n] = '\0';
	fault->code = code;
	snprintf(fault->detail, sizeof fault->detail, "\"%s\" is not %s.", shown, expects);
	return -1;
}

/* The next value of a list, or NULL at its end. Empty ones are skipped. */
static const char *next_value(const char **at, size_t *len)
{
	*at += strspn(*at, ",");
	*len = strcspn(*at, ",");
	*at += *len;
	return *len ? *at - *len : NULL;
}

static int fail_many(struct subscription_fault *fault, int most, const char *of_what)
{
	fault->code = "too_many_channels";
	snprintf(fault->detail, sizeof fault->detail, "More than %d %s.", most, of_what);
	return -1;
}

/* Are these names and prefixes, and not too many? *prefixes says how many are the latter. */
static int check_channels(const char *text, size_t *prefixes, struct subscription_fault *fault)
{
	const char *value;
	size_t len, count = 0;

	*prefixes = 0;
	while ((value = next_value(&text, &len))) {
		if (channel_is_prefix(value, len))
			++*prefixes;
		else if (!channel_is_readable(value, len))
			return fail_value(fault, "bad_channel", value, len, "a channel's name");
		if (++count > CHANNEL_SET_MAX)
			return fail_many(fault, CHANNEL_SET_MAX, "channels");
	}
	if (*prefixes > SUBSCRIPTION_PREFIXES_MAX)
		return fail_many(fault, SUBSCRIPTION_PREFIXES_MAX, "prefixes");
	return 0;
}

/* Does every post have a channel that begins with it? */
static bool takes_everything(const char *prefix)
{
	static const char *const of_all[] = {"feed:all", "class:", "type:", "story:"};

	if (prefix[0] == '\0')
		return true;
	for (size_t i = 0; i < COUNT_OF(of_all); i++)
		if (strchr(prefix, ':') != NULL && channel_begins_with(of_all[i], prefix))
			return true;
	return false;
}

static bool begins_with_any(const char *name, const struct channel_set *prefixes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (channel_begins_with(name, prefixes->name[i]))
			return true;
	return false;
}

/* Drops what another prefix takes anyway. */
static void drop_covered(struct subscription *s)
{
	struct channel_set *names = &s->channels, *prefixes = &s->prefixes;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < prefixes->count; i++)
		if (!begins_with_any(prefixes->name[i], prefixes, kept))
			prefixes->name[kept++] = prefixes->name[i];
	prefixes->count = kept;
	kept = 0;
	for (uint32_t i = 0; i < names->count; i++)
		if (!begins_with_any(names->name[i], prefixes, prefixes->count))
			names->name[kept++] = names->name[i];
	names->count = kept;
}

static bool is_everything(const struct subscription *s)
{
	for (uint32_t i = 0; i < s->prefixes.count; i++)
		if (takes_everything(s->prefixes.name[i]))
			return true;
	return s->channels.count + s->prefixes.count == 0 ||
	       channel_set_has(&s->channels, "feed:all");
}

/* Names and prefixes apart; a lone `*` is feed:all at once, for a set has no empty name. */
static int split_channels(struct subscription *s, const char *text)
{
	struct buf names = {0}, prefixes = {0};
	const char *value;
	size_t len;
	int result = -1;

	while ((value = next_value(&text, &len))) {
		struct buf *to = value[len - 1] == '*' && len > 1 ? &prefixes : &names;

		buf_addc(to, ',');
		if (len == 1 && value[0] == '*')
			buf_adds(to, "feed:all");
		else
			buf_add(to, value, to == &prefixes ? len - 1 : len);
	}
	if (!names.failed && !prefixes.failed &&
	    channel_set_read(&s->channels, names.data, names.len, ',') == 0 &&
	    channel_set_read(&s->prefixes, prefixes.data, prefixes.len, ',') == 0)
		result = 0;
	buf_free(&names);
	buf_free(&prefixes);
	return result;
}

static int read_channels(struct subscription *s, const char *text, struct subscription_fault *fault)
{
	struct channel_set *set = &s->channels;
	size_t prefixes;

	if (check_channels(text, &prefixes, fault) == -1)
		return -1;
	if ((prefixes == 0 ? channel_set_read(set, text, strlen(text), ',')
			   : split_channels(s, text)) == -1)
		return fail_memory(fault);
	if (prefixes == 0 && set->count == 1)
		return 0;
	/* A union with everything is everything. */
	if (is_everything(s)) {
		channel_set_free(set);
		channel_set_free(&s->prefixes);
		return channel_set_read(set, "feed:all", strlen("feed:all"), ',') == -1
			       ? fail_memory(fault)
			       : 0;
	}
	if (prefixes > 0)
		drop_covered(s);
	return 0;
}

static int read_list(struct channel_set *set, const char *text, const struct list *list,
		     struct subscription_fault *fault)
{
	struct buf names = {0};
	const char *value;
	size_t len, count = 0;
	int result;

	while ((value = next_value(&text, &len))) {
		if (!list->accepts(value, len) || ++count > CHANNEL_SET_MAX) {
			buf_free(&names);
			return fail_value(fault, list->code, value, len, list->expects);
		}
		buf_addf(&names, ",%s:", list->kind);
		for (size_t i = 0; i < len; i++)
			buf_addc(&names, (char)tolower((unsigned char)value[i]));
	}
	result = names.failed ? -1 : channel_set_read(set, names.data, names.len, ',');
	buf_free(&names);
	return result == -1 ? fail_memory(fault) : 0;
}

static void write_key_list(struct buf *key, const struct channel_set *set, const char *kind)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (i == 0)
			buf_addf(key, "&%s=", kind);
		else
			buf_addc(key, ',');
		buf_adds(key, set->name[i] + strlen(kind) + 1);
	}
}

void subscription_write_channels(const struct subscription *s, char separator, struct buf *out)
{
	channel_set_write(&s->channels, separator, out);
	for (uint32_t i = 0; i < s->prefixes.count; i++) {
		if (i + s->channels.count > 0)
			buf_addc(out, separator);
		buf_adds(out, s->prefixes.name[i]);
		buf_addc(out, '*');
	}
}

static char *make_key(const struct subscription *s)
{
	struct buf key = {0};

	buf_adds(&key, "c=");
	subscription_write_channels(s, ',', &key);
	write_key_list(&key, &s->classes, class_list.kind);
	write_key_list(&key, &s->langs, lang_list.kind);
	write_key_list(&key, &s->types, type_list.kind);
	if (s->readers)
		buf_adds(&key, "&readers=1");
	buf_addc(&key, '\0');
	if (key.failed)
		buf_free(&key);
	return key.data;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

struct subscription *subscription_read(const char *channels, const char *classes, const char *langs,
				       const char *types, struct subscription_fault *fault)
{
	struct subscription *s = calloc(1, sizeof *s);

	if (s == NULL) {
		fail_memory(fault);
		return NULL;
	}
	if (read_channels(s, or_empty(channels), fault) == -1 ||
	    read_list(&s->classes, or_empty(classes), &class_list, fault) == -1 ||
	    read_list(&s->langs, or_empty(langs), &lang_list, fault) == -1 ||
	    read_list(&s->types, or_empty(types), &type_list, fault) == -1)
		goto fail;
	if (s->classes.count == CLASS_COUNT) /* all of them: any */
		channel_set_free(&s->classes);
	if ((s->key = make_key(s)) == NULL) {
		fail_memory(fault);
		goto fail;
	}
	return s;

fail:
	subscription_free(s);
	return NULL;
}

struct subscription *subscription_of_channels(struct channel_set *channels)
{
	struct subscription *s = calloc(1, sizeof *s);

	if (s == NULL) {
		channel_set_free(channels);
		return NULL;
	}
	s->channels = *channels;
	*channels = (struct channel_set){0};
	if ((s->key = make_key(s)) != NULL)
		return s;
	subscription_free(s);
	return NULL;
}

int subscription_view(struct subscription *s, const char *view, struct subscription_fault *fault)
{
	s->view = *or_empty(view) == '\0' ? VIEW_FULL : format_view_read(view);
	return s->view < VIEW_COUNT
		       ? 0
		       : fail_value(fault, "bad_view", view, strlen(view), "full or brief");
}

int subscription_ask_readers(struct subscription *s)
{
	char *key;

	s->readers = true;
	if ((key = make_key(s)) == NULL)
		return -1;
	free(s->key);
	s->key = key;
	return 0;
}

int subscription_read_readers(const char *text)
{
	if (text == NULL || text[0] == '\0' || strcmp(text, "0") == 0)
		return 0;
	return strcmp(text, "1") == 0 ? 1 : -1;
}

int subscription_ahead(struct subscription *s, const char *ahead, struct subscription_fault *fault)
{
	const char *text = or_empty(ahead);

	s->early = strcmp(text, "1") == 0;
	return s->early || *text == '\0' || strcmp(text, "0") == 0
		       ? 0
		       : fail_value(fault, "bad_ahead", text, strlen(text), "1 or 0");
}

void subscription_free(struct subscription *s)
{
	if (s == NULL)
		return;
	channel_set_free(&s->channels);
	channel_set_free(&s->prefixes);
	channel_set_free(&s->classes);
	channel_set_free(&s->langs);
	channel_set_free(&s->types);
	free(s->key);
	free(s);
}

static bool passes(const struct channel_set *filter, const struct channel_set *channels)
{
	return filter->count == 0 || channel_set_meet(filter, channels);
}

static bool has_prefix_of(const struct subscription *s, const struct channel_set *channels)
{
	for (uint32_t i = 0; i < s->prefixes.count; i++)
		if (channel_set_begins_with(channels, s->prefixes.name[i]))
			return true;
	return false;
}

bool subscription_wants(const struct subscription *s, const struct channel_set *channels)
{
	return (channel_set_meet(&s->channels, channels) ||
		(s->prefixes.count > 0 && has_prefix_of(s, channels))) &&
	       passes(&s->classes, channels) && passes(&s->langs, channels) &&
	       passes(&s->types, channels);
}

enum post_match subscription_match(const struct subscription *s, const struct post *post)
{
	bool wanted = subscription_wants(s, &post->channels);

	if (post->action == POST_KILL || post->action == POST_HOLD)
		return wanted || subscription_wants(s, &post->was) ? MATCH_FULL : MATCH_NOT;
	if (post->also) /* those who had it before have it already */
		return wanted && !subscription_wants(s, &post->was) ? MATCH_FULL : MATCH_NOT;
	if (wanted)
		return MATCH_FULL;
	return subscription_wants(s, &post->was) ? MATCH_REMOVE : MATCH_NOT;
}
