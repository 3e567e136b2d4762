/* ninjs.c - the tables: every property of ninjs, of any generation, and what it becomes in 3.1. */
#include "news/ninjs.h"
#include "news/ninjs_html.h"
#include "news/ninjs_legacy.h"
#include "news/ninjs_object.h"
#include "news/ninjs_value.h"

#include <string.h>

#define TABLE(rows_, ...) \
	{ \
		.rows = rows_, .count = COUNT_OF(rows_), .index = &(struct table_index){0}, \
		__VA_ARGS__ \
	}

#define ANY	ninjs_value_any
#define STRING	ninjs_value_string
#define NUMBER	ninjs_value_number
#define URI	ninjs_value_uri
#define CODE	ninjs_value_code
#define TIME	ninjs_value_time
#define EMBARGO ninjs_value_embargo

/* edNote, contactInfo and annotations have no row: ninjs_write() keeps them from readers wherever
 * they stand. */

/* --- parts of an item ------------------------------------------------------------------------ */

static const struct row text_rows[] = {
	{"role", "role", STRING, NULL, NULL},
	{"contenttype", "contentType", STRING, NULL, NULL},
	{"mimetype", "contentType", STRING, NULL, NULL},
	{"charcount", "charCount", NUMBER, NULL, NULL},
	{"wordcount", "wordCount", NUMBER, NULL, NULL},
	{"value", "value", STRING, NULL, NULL},
};
static const struct table text_table = TABLE(text_rows);

/* Subjects, places, people, organisations, events, objects, genres, infoSources. */
static const struct row concept_rows[] = {
	{"name", "name", STRING, NULL, NULL},
	{"rel", "rel", STRING, NULL, NULL},
	{"role", "role", STRING, NULL, NULL},
	{"uri", "uri", STRING, NULL, NULL},
	{"literal", "literal", STRING, NULL, NULL},
	{"code", "literal", CODE, ninjs_legacy_code, NULL},
	{"qcode", "literal", CODE, ninjs_legacy_code, NULL},
	{"scheme", "scheme", STRING, NULL, NULL},
};
static const struct table concept_table = TABLE(concept_rows);

static const struct row rendition_rows[] = {
	{"name", "name", STRING, NULL, NULL},
	{"href", "href", STRING, NULL, NULL},
	{"contenttype", "contentType", STRING, NULL, NULL},
	{"mimetype", "contentType", STRING, NULL, NULL},
	{"title", "title", STRING, NULL, NULL},
	{"width", "width", NUMBER, NULL, NULL},
	{"height", "height", NUMBER, NULL, NULL},
	{"sizeinbytes", "sizeInBytes", NUMBER, NULL, NULL},
	{"duration", "duration", NUMBER, NULL, NULL},
	{"format", "format", STRING, NULL, NULL},
	{"aspectratio", "aspectRatio", STRING, NULL, NULL},
	{"videocodec", "videoCodec", STRING, NULL, NULL},
	{"framerate", "frameRate", NUMBER, NULL, NULL},
	{"transportprotocol", "transportProtocol", STRING, NULL, NULL},
	{"scantype", "scanType", STRING, NULL, NULL},
};
static const struct table rendition_table = TABLE(rendition_rows);

static const struct row alt_id_rows[] = {
	{"role", "role", STRING, NULL, NULL},
	{"name", "role", STRING, NULL, NULL},
};
static const struct table alt_id_table = TABLE(alt_id_rows);

static const struct row trust_rows[] = {
	{"role", "role", STRING, NULL, NULL},
	{"title", "title", STRING, NULL, NULL},
	{"href", "href", STRING, NULL, NULL},
	{"code", "role", CODE, ninjs_legacy_trust_code, NULL},
	{"scheme", "scheme", STRING, NULL, NULL},
};
static const struct table trust_table = TABLE(trust_rows);

static const struct row rights_rows[] = {
	{"langid", "langId", STRING, NULL, NULL},
	{"linkedrights", "linkedRights", STRING, NULL, NULL},
	{"encodedrights", "encodedRights", STRING, NULL, NULL},
};
static const struct table rights_table = TABLE(rights_rows);

/* --- readers of parts ------------------------------------------------------------------------ */

static json_t *read_list(struct ninjs *n, const struct place *at, const struct row *row,
			 json_t *value)
{
	return ninjs_object_list(n, at, row, value);
}

static json_t *read_object(struct ninjs *n, const struct place *at, const struct row *row,
			   json_t *value)
{
	return ninjs_object_read(n, at, row->of, value);
}

static json_t *read_renditions(struct ninjs *n, const struct place *at, const struct row *row,
			       json_t *value)
{
	return ninjs_object_named(n, at, row, value, NULL);
}

/* 1.x: an object by kind of id. */
static json_t *read_alt_ids(struct ninjs *n, const struct place *at, const struct row *row,
			    json_t *value)
{
	return json_is_object(value) ? ninjs_legacy_alt_ids(n, value)
				     : ninjs_object_list(n, at, row, value);
}

/* What is withdrawn or withheld does not travel inside another item. Superdesk's featuremedia is
 * the lead picture. */
static bool accept_association(struct ninjs *n, const char *name, json_t *item)
{
	const char *status = json_string_value(json_object_get(item, "pubStatus"));

	if (status && strcmp(status, "usable") != 0)
		return false;
	if (name && strcmp(name, "featuremedia") == 0 && json_object_get(item, "rel") == NULL)
		ninjs_object_set(n, item, "rel", json_string_nocheck("featured"));
	return true;
}

static json_t *read_associations(struct ninjs *n, const struct place *at, const struct row *row,
				 json_t *value)
{
	return ninjs_object_named(n, at, row, value, accept_association);
}

static const struct table item_table;

/* Superdesk's authors become associations: items like others. Who has no name is left out. */
static json_t *read_authors(struct ninjs *n, const struct place *at, const struct row *row,
			    json_t *value)
{
	json_t *authors, *author;
	size_t i;

	(void)row;
	if (!json_is_array(value))
		return json_incref(value);
	if ((authors = json_array()) == NULL)
		n->no_memory = true;
	json_array_foreach (value, i, author) {
		const struct place here = {at, NULL, i};
		json_t *made, *item;

		if (json_string_length(json_object_get(author, "name")) == 0)
			continue;
		made = ninjs_legacy_author(n, author);
		item = made ? ninjs_object_read(n, &here, &item_table, made) : NULL;
		json_decref(made);
		if (item)
			ninjs_object_append(n, authors, item);
	}
	return authors;
}

/* What it was before is of no interest to readers: only what it now is stays. */
static json_t *read_standard(struct ninjs *n, const struct place *at, const struct row *row,
			     json_t *value)
{
	const char *name = json_string_value(json_object_get(value, "name"));
	const char *version = json_string_value(json_object_get(value, "version"));

	(void)n, (void)at, (void)row;
	if (name && version && strcmp(name, "ninjs") == 0 && strcmp(version, "3.1") == 0)
		return json_incref(value);
	return NULL;
}

/* --- the item -------------------------------------------------------------------------------- */

#define TEXTS(name) \
	{ \
		name, name, read_list, NULL, &text_table \
	}
#define CONCEPTS(name, canonical) \
	{ \
		name, canonical, read_list, NULL, &concept_table \
	}

static const struct row item_rows[] = {
	{"uri", "uri", URI, NULL, NULL},
	{"guid", "uri", URI, NULL, NULL},
	{"type", "type", ninjs_value_type, NULL, NULL},
	{"contenttype", "contentType", STRING, NULL, NULL},
	{"mimetype", "contentType", STRING, NULL, NULL},
	{"representationtype", "representationType", ninjs_value_representation, NULL, NULL},
	{"profile", "profile", STRING, NULL, NULL},
	{"version", "version", ninjs_value_version, NULL, NULL},
	{"firstcreated", "firstCreated", TIME, NULL, NULL},
	{"versioncreated", "versionCreated", TIME, NULL, NULL},
	{"contentcreated", "contentCreated", TIME, NULL, NULL},
	{"embargoeduntil", "embargoedUntil", EMBARGO, NULL, NULL},
	{"embargoed", "embargoedUntil", EMBARGO, ninjs_legacy_embargo, NULL},
	{"publish_schedule", "embargoedUntil", EMBARGO, ninjs_legacy_embargo, NULL}, /* Superdesk */
	{"expires", "expires", ninjs_value_expiry, NULL, NULL},
	{"pubstatus", "pubStatus", ninjs_value_status, NULL, NULL},
	{"urgency", "urgency", ninjs_value_urgency, NULL, NULL},
	{"copyrightholder", "copyrightHolder", STRING, NULL, NULL},
	{"copyrightnotice", "copyrightNotice", STRING, NULL, NULL},
	{"usageterms", "usageTerms", STRING, NULL, NULL},
	{"language", "language", STRING, NULL, NULL},
	TEXTS("headlines"),
	TEXTS("descriptions"),
	TEXTS("bodies"),
	{"headline", "headlines", STRING, ninjs_legacy_headline, NULL},
	{"headline_", "headlines", STRING, ninjs_legacy_headline, NULL},
	{"description_", "descriptions", STRING, ninjs_legacy_description, NULL},
	{"body_", "bodies", STRING, ninjs_legacy_body, NULL},
	{"charcount", "charCount", NUMBER, ninjs_legacy_later, NULL},
	{"wordcount", "wordCount", NUMBER, ninjs_legacy_later, NULL},
	CONCEPTS("people", "people"),
	CONCEPTS("person", "people"),
	CONCEPTS("organisations", "organisations"),
	CONCEPTS("organisation", "organisations"),
	CONCEPTS("places", "places"),
	CONCEPTS("place", "places"),
	CONCEPTS("subjects", "subjects"),
	CONCEPTS("subject", "subjects"),
	CONCEPTS("events", "events"),
	CONCEPTS("event", "events"),
	CONCEPTS("objects", "objects"),
	CONCEPTS("object", "objects"),
	CONCEPTS("genres", "genres"),
	CONCEPTS("genre", "genres"),
	CONCEPTS("infosources", "infoSources"),
	CONCEPTS("infosource", "infoSources"),
	{"title", "title", STRING, NULL, NULL},
	{"by", "by", STRING, NULL, NULL},
	{"byline", "by", STRING, NULL, NULL},
	{"slugline", "slugline", STRING, NULL, NULL},
	{"located", "located", STRING, NULL, NULL},
	{"renditions", "renditions", read_renditions, NULL, &rendition_table},
	{"associations", "associations", read_associations, NULL, &item_table},
	{"altids", "altIds", read_alt_ids, NULL, &alt_id_table},
	{"trustindicators", "trustIndicators", read_list, NULL, &trust_table},
	{"trustindicator", "trustIndicators", read_list, NULL, &trust_table},
	{"rightsinfo", "rightsInfo", read_object, NULL, &rights_table},
	{"evolvedfrom", "evolvedFrom", URI, NULL, NULL},
	{"rel", "rel", STRING, NULL, NULL},				  /* of associations */
	{"authors", "authors", read_authors, ninjs_legacy_authors, NULL}, /* Superdesk */
	{"source", "source", ANY, ninjs_legacy_source, NULL},		  /* Superdesk */
	{"standard", "standard", read_standard, NULL, NULL},
	{"$standard", "standard", read_standard, NULL, NULL},
};

static const struct table item_table = TABLE(item_rows, .finish = ninjs_legacy_finish_item);

json_t *ninjs_read(json_t *item, struct ninjs *n)
{
	json_t *canonical = ninjs_object_read(n, NULL, &item_table, item);

	if (canonical && json_object_get(canonical, "standard") == NULL)
		ninjs_object_set(n, canonical, "standard",
				 ninjs_object_pair(n, "name", "ninjs", "version", "3.1"));
	if (canonical && !n->forgiving && n->report->count == 0)
		ninjs_html_clean(n, NULL, canonical);
	if (n->no_memory) {
		json_decref(canonical);
		return NULL;
	}
	return canonical;
}
