/* ninjs_legacy.c - turns the forms of ninjs 1.x, 2.x and Superdesk into those of 3.1. */
#include "news/ninjs_legacy.h"

#include <stdio.h>
#include <string.h>

#define MEDIATOPICS "http://cv.iptc.org/newscodes/mediatopic/"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_blank(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) == 0;
}

static void set_text(struct ninjs *n, json_t *object, const char *key, const char *text)
{
	ninjs_object_set(n, object, key, json_string_nocheck(text));
}

/* --- headline, description_*, body_* --------------------------------------------------------- */

/* The parts of a name's end that are formats; the others are a role. */
static const struct {
	const char *part, *content_type;
} formats[] = {
	{"text", "text/plain"},		  {"plain", "text/plain"},	 {"html", "text/html"},
	{"html5", "text/html"},		  {"xhtml", "text/html"},	 {"xml", "application/xml"},
	{"nitf", "application/nitf+xml"}, {"markdown", "text/markdown"},
};

static const char *find_format(const char *part, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		if (strlen(formats[i].part) == len && memcmp(formats[i].part, part, len) == 0)
			return formats[i].content_type;
	return NULL;
}

/* Splits `main_html` into a content type (the last part that names one) and a role (the rest). */
static const char *split_suffix(const char *suffix, char *role, size_t size)
{
	const char *content_type = NULL;
	size_t len = 0;

	while (*suffix) {
		size_t part = strcspn(suffix, "_");
		const char *found = find_format(suffix, part);
		if (found)
			content_type = found;
		else if (part > 0 && len + part + 2 < size)
			len += (size_t)snprintf(role + len, size - len, "%s%.*s", len ? "_" : "",
						(int)part, suffix);
		suffix += part + (suffix[part] == '_');
	}
	role[len] = '\0';
	return content_type;
}

/* Adds {role, contentType, value} to an array of texts, unless the old object had that array
 * already. */
static void add_text(struct ninjs *n, struct rebuild *r, const char *array_name, const char *role,
		     const char *content_type, json_t *value, bool first)
{
	json_t *text, *array;

	if (is_blank(value) || json_is_array(json_object_get(r->from, array_name)))
		return;
	if ((array = ninjs_object_array(n, r->to, array_name)) == NULL)
		return;
	if ((text = json_object()) == NULL) {
		n->no_memory = true;
		return;
	}
	if (*role)
		set_text(n, text, "role", role);
	if (content_type)
		set_text(n, text, "contentType", content_type);
	ninjs_object_set(n, text, "value", json_incref(value));
	if (json_array_insert_new(array, first ? 0 : json_array_size(array), text) == -1)
		n->no_memory = true;
}

/* In pictures, and in any media that an item carries, description_text is the caption and body_text
 * the alternative. */
static bool is_captioned(const struct rebuild *r)
{
	const char *type = text_of(r->to, "type");

	if (strcmp(type, "picture") == 0 || strcmp(type, "graphic") == 0)
		return true;
	return r->nested && (strcmp(type, "video") == 0 || strcmp(type, "audio") == 0);
}

NINJS_MERGE(headline)
{
	char role[64] = "main";
	const char *suffix = key + strlen("headline");
	const char *content_type = *suffix ? split_suffix(suffix, role, sizeof role) : NULL;

	add_text(n, r, "headlines", role, content_type, value, *suffix == '\0');
}

NINJS_MERGE(description)
{
	char role[64];
	const char *content_type = split_suffix(key + strlen("description_"), role, sizeof role);

	if (*role == '\0')
		snprintf(role, sizeof role, "%s", is_captioned(r) ? "caption" : "summary");
	add_text(n, r, "descriptions", role, content_type, value, false);
}

NINJS_MERGE(body)
{
	char role[64];
	const char *content_type = split_suffix(key + strlen("body_"), role, sizeof role);

	if (*role == '\0' && content_type && strcmp(content_type, "text/plain") == 0 &&
	    is_captioned(r))
		add_text(n, r, "descriptions", "alt", NULL, value, false);
	else
		add_text(n, r, "bodies", *role ? role : "main", content_type, value, false);
}

NINJS_MERGE(later)
{
	(void)n, (void)r, (void)key, (void)value;
}

/* charcount and wordcount of the item are those of its first body. */
static void finish_counts(struct ninjs *n, struct rebuild *r)
{
	static const char *const names[][2] = {{"charcount", "charCount"},
					       {"wordcount", "wordCount"}};
	json_t *body = json_array_get(json_object_get(r->to, "bodies"), 0);

	for (size_t i = 0; i < COUNT_OF(names) && body; i++) {
		json_t *count = json_object_get(r->from, names[i][0]);
		if (count == NULL)
			count = json_object_get(r->from, names[i][1]);
		if (json_is_number(count) && json_object_get(body, names[i][1]) == NULL)
			ninjs_object_set(n, body, names[i][1], json_incref(count));
	}
}

/* --- embargo and source ---------------------------------------------------------------------- */

NINJS_MERGE(embargo)
{
	const char *has = text_of(r->to, "embargoedUntil");

	(void)key;
	if (strcmp(json_string_value(value), has) > 0) /* both are canonical */
		ninjs_object_set(n, r->to, "embargoedUntil", json_incref(value));
}

NINJS_MERGE(source)
{
	json_t *source, *sources;

	if (!json_is_string(value)) { /* an unknown property of that name */
		ninjs_object_set(n, r->to, key, json_incref(value));
		return;
	}
	if (is_blank(value) || json_object_get(r->from, "infoSources"))
		return;
	if ((sources = ninjs_object_array(n, r->to, "infoSources")) == NULL)
		return;
	source = json_object();
	ninjs_object_append(n, sources, json_incref(source));
	if (source) {
		ninjs_object_set(n, source, "name", json_incref(value));
		set_text(n, source, "role", "source");
	}
	json_decref(source);
}

/* A nested picture is credited to its copyright holder; one that names only its source, to that. */
static void finish_credit(struct ninjs *n, struct rebuild *r)
{
	json_t *source = json_object_get(r->from, "source");

	if (r->nested && json_is_string(source) && !is_blank(source) &&
	    !json_object_get(r->to, "copyrightHolder") &&
	    !json_object_get(r->to, "copyrightNotice"))
		ninjs_object_set(n, r->to, "copyrightHolder", json_incref(source));
}

void ninjs_legacy_finish_item(struct ninjs *n, struct rebuild *r)
{
	finish_counts(n, r);
	finish_credit(n, r);
}

/* --- authors --------------------------------------------------------------------------------- */

static void add_author_text(struct ninjs *n, json_t *association, const char *role,
			    const char *text)
{
	json_t *array;

	if (*text == '\0' || (array = ninjs_object_array(n, association, "descriptions")) == NULL)
		return;
	ninjs_object_append(n, array, ninjs_object_pair(n, "role", role, "value", text));
}

/* A code that can stand in a urn as it is makes one. */
static void add_author_uri(struct ninjs *n, json_t *association, const char *code)
{
	char uri[128];

	if (!channel_is_value(code, strlen(code)))
		return;
	snprintf(uri, sizeof uri, "urn:newswire:author:%s", code);
	set_text(n, association, "uri", uri);
}

/* What has no place in ninjs 3.1 (twitter …) stays under its own name. */
static void add_author_rest(struct ninjs *n, json_t *association, json_t *author)
{
	static const char *const taken[] = {"code",	 "name",     "role",
					    "biography", "jobtitle", "avatar_url"};
	const char *key;
	json_t *value;

	json_object_foreach (author, key, value) {
		bool is_taken = false;
		for (size_t i = 0; i < COUNT_OF(taken) && !is_taken; i++)
			is_taken = strcmp(taken[i], key) == 0;
		if (!is_taken && json_object_get(association, key) == NULL)
			ninjs_object_set(n, association, key, json_incref(value));
	}
}

json_t *ninjs_legacy_author(struct ninjs *n, json_t *author)
{
	const json_t *title = json_object_get(author, "jobtitle");
	const char *avatar = text_of(author, "avatar_url");
	json_t *association = ninjs_object_pair(n, "name", "author", "rel", "author");

	if (association == NULL)
		return NULL;
	set_text(n, association, "type", "component");
	add_author_uri(n, association, text_of(author, "code"));
	set_text(n, association, "title", text_of(author, "name"));
	add_author_text(n, association, "jobtitle",
			json_is_string(title) ? json_string_value(title) : text_of(title, "name"));
	add_author_text(n, association, "role", text_of(author, "role"));
	add_author_text(n, association, "biography", text_of(author, "biography"));
	if (*avatar)
		ninjs_object_append(n, ninjs_object_array(n, association, "renditions"),
				    ninjs_object_pair(n, "name", "avatar", "href", avatar));
	add_author_rest(n, association, author);
	return association;
}

NINJS_MERGE(authors)
{
	json_t *author, *associations = NULL;
	size_t i;

	if (json_is_array(value))
		associations = ninjs_object_array(n, r->to, "associations");
	if (associations == NULL) { /* not Superdesk's: an unknown property of that name */
		ninjs_object_set(n, r->to, key, json_incref(value));
		return;
	}
	json_array_foreach (value, i, author) {
		ninjs_object_append(n, associations, json_incref(author));
	}
}

/* --- identifiers ----------------------------------------------------------------------------- */

json_t *ninjs_legacy_alt_ids(struct ninjs *n, json_t *ids)
{
	json_t *array = json_array(), *id;
	const char *role;

	if (array == NULL)
		n->no_memory = true;
	json_object_foreach (ids, role, id) {
		ninjs_object_append(n, array, json_pack("{s:s, s:O}", "role", role, "value", id));
	}
	return array;
}

static bool is_uri(const char *text)
{
	return strstr(text, "://") != NULL || strncmp(text, "urn:", 4) == 0;
}

/* IPTC's topics are eight digits; those above 20000000 are in no older vocabulary. */
static bool is_mediatopic(const char *code)
{
	return strlen(code) == 8 && code[0] == '2' && strspn(code, "0123456789") == 8;
}

/* scheme + code, with a slash between them if the scheme does not end in a separator. */
static json_t *join_uri(const char *scheme, const char *code)
{
	size_t len = strlen(scheme);
	bool ends = len > 0 && strchr("/:#=", scheme[len - 1]) != NULL;
	struct buf uri = {0};
	json_t *joined;

	buf_add(&uri, scheme, len);
	buf_adds(&uri, ends ? "" : "/");
	buf_adds(&uri, code);
	joined = uri.failed ? NULL : json_stringn_nocheck(uri.data, uri.len);
	buf_free(&uri);
	return joined;
}

NINJS_MERGE(code)
{
	const char *scheme = text_of(r->from, "scheme");
	const char *code = json_string_value(value);

	(void)key;
	if (*code == '\0')
		return;
	if (json_object_get(r->to, "literal") == NULL)
		ninjs_object_set(n, r->to, "literal", json_incref(value));
	if (json_object_get(r->to, "uri"))
		return;
	if (is_uri(scheme)) {
		ninjs_object_set(n, r->to, "uri", join_uri(scheme, code));
		json_object_del(r->to, "scheme");
	} else if (*scheme == '\0' && is_mediatopic(code))
		ninjs_object_set(n, r->to, "uri", join_uri(MEDIATOPICS, code));
}

NINJS_MERGE(trust_code)
{
	(void)key;
	if (json_object_get(r->to, "role"))
		return;
	ninjs_object_set(n, r->to, "role",
			 join_uri(text_of(r->from, "scheme"), json_string_value(value)));
	json_object_del(r->to, "scheme");
}
