/* edit.c - the next version of a story. */
#include "edit.h"

#include <errno.h>
#include <newswire/client.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void edit_now(char out[EDIT_TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc) == NULL ||
	    strftime(out, EDIT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		out[0] = '\0';
}

/* -1: not a whole number. */
static long long number_of(const char *version)
{
	char *end;
	long long number;

	if (version == NULL || *version < '0' || *version > '9')
		return -1;
	errno = 0;
	number = strtoll(version, &end, 10);
	return *end == '\0' && errno == 0 ? number : -1;
}

void edit_next_version(const char *version, char out[EDIT_VERSION_SIZE])
{
	long long number = number_of(version);

	if (number >= 0)
		snprintf(out, EDIT_VERSION_SIZE, "%lld", number + 1);
	else
		snprintf(out, EDIT_VERSION_SIZE, "%s", version);
}

static const char *member(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* A post that withdraws has no item, but a version. */
static const char *version_of(const json_t *post)
{
	const json_t *item = json_object_get(post, "item");

	return member(item ? item : post, "version");
}

static int set(json_t *object, const char *name, const char *value)
{
	return json_object_set_new(object, name, json_string(value));
}

/* The part of this role in a list of an item, or of no role where that is the main one; made if there is none. Borrowed. */
static json_t *part_of(json_t *item, const char *list_name, const char *role)
{
	json_t *list = json_object_get(item, list_name), *part;
	size_t i;

	json_array_foreach (list, i, part) {
		const char *has = member(part, "role");

		if (strcmp(has ? has : "main", role) == 0)
			return part;
	}
	if (!json_is_array(list)) {
		if (json_object_set_new(item, list_name, json_array()) < 0)
			return NULL;
		list = json_object_get(item, list_name);
	}
	if ((part = json_object()) == NULL || set(part, "role", role) < 0) {
		json_decref(part);
		return NULL;
	}
	return json_array_append_new(list, part) < 0 ? NULL : part;
}

/* Counts and the like were those of another text. */
static int set_part(json_t *item, const char *list, const char *role, const char *type,
		    const char *value)
{
	json_t *part = part_of(item, list, role);

	if (part == NULL || set(part, "value", value) < 0)
		return -1;
	(void)json_object_del(part, "charCount");
	(void)json_object_del(part, "wordCount");
	if (type)
		return set(part, "contentType", type);
	(void)json_object_del(part, "contentType");
	return 0;
}

/* The summary is whatever the story has for one. */
static const char *summary_role(const json_t *item)
{
	const json_t *part;
	size_t i;

	json_array_foreach (json_object_get(item, "descriptions"), i, part) {
		const char *role = member(part, "role");

		if (role == NULL || strcmp(role, "main") == 0)
			return "main";
	}
	return "summary";
}

/* ninjs 1.x says all in names of their own. */
static int set_note(json_t *item, const char *note)
{
	if (note == NULL)
		return 0;
	if (json_object_get(item, "guid") || json_is_string(json_object_get(item, "headline")))
		return set(item, "description_correction", note);
	return set_part(item, "descriptions", "correction", NULL, note);
}

int edit_follow(json_t *item, const json_t *post, const char *note, const char *now)
{
	bool is_old = json_object_get(item, "versioncreated") || json_object_get(item, "guid");
	const char *is = version_of(post), *version = member(item, "version");
	char next[EDIT_VERSION_SIZE];

	if (set_note(item, note) < 0)
		return -1;
	if (is == NULL || number_of(version) > number_of(is))
		return 0;
	edit_next_version(is, next);
	return set(item, "version", next) < 0 ||
			       set(item, is_old ? "versioncreated" : "versionCreated", now) < 0
		       ? -1
		       : 0;
}

static int change(json_t *item, const struct edit_changes *changes)
{
	const char *body = changes->body;
	const char *type =
		body && body[strspn(body, " \t\r\n")] == '<' ? "text/html" : "text/plain";

	if (changes->headline && set_part(item, "headlines", "main", NULL, changes->headline) < 0)
		return -1;
	if (changes->summary &&
	    set_part(item, "descriptions", summary_role(item), NULL, changes->summary) < 0)
		return -1;
	return body ? set_part(item, "bodies", "main", type, body) : 0;
}

json_t *edit_correct(const json_t *post, const struct edit_changes *changes, const char *now)
{
	json_t *item = json_deep_copy(json_object_get(post, "item"));

	if (item == NULL)
		return NULL;
	(void)json_object_del(item, "version"); /* the next one follows the post's */
	if (change(item, changes) == 0 && edit_follow(item, post, changes->note, now) == 0)
		return item;
	json_decref(item);
	return NULL;
}

json_t *edit_kill(const char *uri, const json_t *post, const char *reason, const char *now)
{
	const char *is = version_of(post);
	char version[EDIT_VERSION_SIZE] = "1";

	if (is)
		edit_next_version(is, version);
	if (reason == NULL)
		return json_pack("{s:s,s:s,s:s,s:s}", "uri", uri, "version", version,
				 "versionCreated", now, "pubStatus", "canceled");
	return json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:s}]}", "uri", uri, "version", version,
			 "versionCreated", now, "pubStatus", "canceled", "descriptions", "role",
			 "withdrawal", "value", reason);
}

void edit_channels(const json_t *post, struct word_list *channels)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(post, "channels"), i, name) {
		const char *text = json_string_value(name);

		if (text && newswire_channel_is_plain(text) &&
		    channels->count < NEWSWIRE_MAX_CHANNELS)
			channels->words[channels->count++] = text;
	}
	channels->words[channels->count] = NULL;
}
