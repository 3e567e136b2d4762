/* item_channels.c - plain channels checked, derived ones derived. */
#include "news/item_channels.h"

#include <ctype.h>
#include <string.h>
#include <xxhash.h>

/* --- plain ones ------------------------------------------------------------------------------ */

static void add_plain(struct ninjs *n, const struct place *at, const char *name, struct buf *names)
{
	if (!channel_is_plain(name, strlen(name))) {
		ninjs_fault(n, at, ITEM_BAD_CHANNEL,
			    "This is not a channel's name ([a-z0-9][a-z0-9._-]{0,63}).");
		return;
	}
	buf_adds(names, name);
	buf_addc(names, ' ');
}

static void add_property(struct ninjs *n, const json_t *channels, struct buf *names)
{
	const struct place at = {NULL, "channels", 0};
	const json_t *name;
	size_t i;

	if (!json_is_array(channels)) {
		ninjs_fault(n, &at, ITEM_WRONG_TYPE, "This must be an array of strings.");
		return;
	}
	if (json_array_size(channels) > ITEM_PLAIN_MAX) {
		ninjs_fault(n, &at, ITEM_BAD_CHANNEL, "These are more than 64 channels.");
		return;
	}
	json_array_foreach (channels, i, name) {
		const struct place here = {&at, NULL, i};
		if (json_is_string(name))
			add_plain(n, &here, json_string_value(name), names);
		else
			ninjs_fault(n, &here, ITEM_WRONG_TYPE, "This must be a string.");
	}
}

/* Of the names so far, each with a space behind it: how many are there, and how many are for drills? */
static size_t count_drills(const struct buf *names, size_t *all)
{
	size_t drills = 0;

	*all = 0;
	for (size_t at = 0, len; at < names->len && !names->failed; at += len + 1, ++*all) {
		const char *space = memchr(names->data + at, ' ', names->len - at);

		len = (size_t)(space - names->data) - at;
		drills += channel_is_exercise(names->data + at, len);
	}
	return drills;
}

static void judge_drill(struct ninjs *n, const struct buf *names)
{
	const struct place at = {NULL, "channels", 0};
	size_t all, drills = count_drills(names, &all);

	if (drills > 0 && drills < all)
		ninjs_fault(n, &at, ITEM_BAD_CHANNEL,
			    "An exercise goes to no other channels than `exercise` and those "
			    "below it.");
}

void item_channels_take_plain(json_t *json, const struct channel_set *plain, struct ninjs *n,
			      struct buf *names)
{
	const json_t *channels = json_object_get(json, "channels");

	if (plain && plain->count > ITEM_PLAIN_MAX)
		ninjs_fault(n, NULL, ITEM_BAD_CHANNEL,
			    "The item was sent to more than 64 channels.");
	for (uint32_t i = 0; plain && i < plain->count && i < ITEM_PLAIN_MAX; i++)
		add_plain(n, NULL, plain->name[i], names);
	if (channels && !json_is_null(channels))
		add_property(n, channels, names);
	json_object_del(json, "channels");
	judge_drill(n, names);
}

/* --- derived ones ---------------------------------------------------------------------------- */

static bool add_derived(struct buf *names, const char *kind, const char *value, size_t len)
{
	if (!channel_is_value(value, len))
		return false;
	buf_adds(names, kind);
	buf_addc(names, ':');
	buf_add(names, value, len);
	buf_addc(names, ' ');
	return true;
}

static void add_language(struct buf *names, const char *lang)
{
	size_t primary = strcspn(lang, "-");

	add_derived(names, "lang", lang, strlen(lang));
	if (lang[primary] == '-')
		add_derived(names, "lang", lang, primary);
}

static bool is_topic(const char *code, size_t len)
{
	return len == 8 && strspn(code, "0123456789") >= 8;
}

/* The code behind `mediatopic/` or `medtop:`, or a bare code of eight digits. */
static const char *find_topic(const json_t *subject, size_t *len)
{
	static const char *const marks[] = {"/mediatopic/", "medtop:"};
	const char *uri = json_string_value(json_object_get(subject, "uri"));
	const char *literal = json_string_value(json_object_get(subject, "literal"));

	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		const char *texts[] = {uri, literal};
		for (size_t t = 0; t < COUNT_OF(texts); t++) {
			const char *at = texts[t] ? strstr(texts[t], marks[i]) : NULL;
			if (at == NULL)
				continue;
			at += strlen(marks[i]);
			*len = strlen(at);
			return at;
		}
	}
	*len = literal ? strlen(literal) : 0;
	return literal && is_topic(literal, *len) ? literal : NULL;
}

static void add_topics(struct buf *names, const json_t *subjects)
{
	const json_t *subject;
	size_t i, len, count = 0;

	json_array_foreach (subjects, i, subject) {
		const char *topic = find_topic(subject, &len);
		if (topic && count < ITEM_TOPICS_MAX)
			count += add_derived(names, "topic", topic, len);
	}
}

/* Two letters of ISO 3166, in any of the ways that feeds write them. NULL if the place has none. */
static const char *find_country(const json_t *place)
{
	static const char *const schemes[] = {"iso3166-1a2/", "iso3166-1a2:", "/country/"};
	const char *uri = json_string_value(json_object_get(place, "uri"));
	const char *texts[] = {
		json_string_value(json_object_get(place, "country_code")),
		json_string_value(json_object_get(place, "countryCode")),
		json_string_value(json_object_get(place, "literal")),
		NULL,
	};

	for (size_t i = 0; uri && i < COUNT_OF(schemes) && texts[3] == NULL; i++) {
		const char *at = strstr(uri, schemes[i]);
		if (at)
			texts[3] = at + strlen(schemes[i]);
	}
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (texts[i] && strlen(texts[i]) == 2 && isupper((unsigned char)texts[i][0]) &&
		    isupper((unsigned char)texts[i][1]))
			return texts[i];
	return NULL;
}

static void add_regions(struct buf *names, const json_t *places)
{
	const json_t *place;
	size_t i, count = 0;

	json_array_foreach (places, i, place) {
		const char *country = find_country(place);
		if (country == NULL || count++ >= ITEM_REGIONS_MAX)
			continue;
		buf_addf(names, "region:%c%c ", tolower((unsigned char)country[0]),
			 tolower((unsigned char)country[1]));
	}
}

/* `World News` becomes `world-news`. False if that is no plain name (or leaves nothing). */
static bool add_desk(struct buf *names, const char *text)
{
	char slug[CHANNEL_NAME_MAX + 1];
	size_t len = 0;

	for (; text && *text; text++) {
		char c = (char)tolower((unsigned char)*text);
		if ((unsigned char)c >= 0x80 || len == CHANNEL_NAME_MAX)
			return false;
		if (isalnum((unsigned char)c) || (len > 0 && strchr("._-", c)))
			slug[len++] = c;
		else if (len > 0 && slug[len - 1] != '-')
			slug[len++] = '-';
	}
	while (len > 0 && slug[len - 1] == '-')
		len--;
	return len > 0 && add_derived(names, "desk", slug, len);
}

/* Superdesk's `service`: {code, name}. */
static void add_desks(struct buf *names, const json_t *canonical)
{
	const json_t *services = json_object_get(canonical, "service"), *service;
	size_t i, count = 0;

	add_desk(names, json_string_value(json_object_get(canonical, "desk")));
	json_array_foreach (services, i, service) {
		if (count++ >= ITEM_DESKS_MAX)
			return;
		if (!add_desk(names, json_string_value(json_object_get(service, "name"))))
			add_desk(names, json_string_value(json_object_get(service, "code")));
	}
}

/* An update belongs to the story that it evolved from. accept.lua finds the first of a longer chain. */
static void add_story(struct buf *names, const struct item *item)
{
	const char *first = item->evolved_from ? item->evolved_from : item->uri;

	buf_adds(names, "story:");
	buf_add_hex(names, XXH3_64bits(first, strlen(first)));
	buf_addc(names, ' ');
}

void item_channels_derive(const struct item *item, const json_t *canonical, struct buf *names)
{
	const char *class = news_class_name(item->class);
	size_t all;

	if (count_drills(names, &all) > 0)
		return;
	buf_adds(names, "feed:all ");
	add_derived(names, "class", class, strlen(class));
	add_derived(names, "type", item->type, strlen(item->type));
	if (item->lang)
		add_language(names, item->lang);
	add_topics(names, json_object_get(canonical, "subjects"));
	add_regions(names, json_object_get(canonical, "places"));
	add_desks(names, canonical);
	add_story(names, item);
}
