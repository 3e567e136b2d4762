/* ninjs_object.c - reads objects by tables, and keeps account of what is wrong where. */
#include "news/ninjs_object.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- faults ---------------------------------------------------------------------------------- */

/* Appends text with RFC 6901's escapes, as much as fits. */
static size_t add_escaped(char *out, size_t len, size_t size, const char *key)
{
	for (; *key; key++) {
		const char *part = *key == '~' ? "~0" : *key == '/' ? "~1" : NULL;
		size_t need = part ? 2 : 1;
		if (len + need >= size)
			break;
		memcpy(out + len, part ? part : key, need);
		len += need;
	}
	return len;
}

/* Cuts back to the end of a whole UTF-8 character. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t start = len;

	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return 0;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	return len - (start - 1) == needs ? len : start - 1;
}

static size_t write_pointer(const struct place *at, char *out, size_t size)
{
	char index[24];
	size_t len;

	if (at == NULL)
		return 0;
	len = write_pointer(at->up, out, size);
	if (len + 1 < size)
		out[len++] = '/';
	if (at->key)
		return add_escaped(out, len, size, at->key);
	snprintf(index, sizeof index, "%zu", at->index);
	return add_escaped(out, len, size, index);
}

/* A kill goes through whatever else is wrong with it. */
static bool is_forgiven(const struct ninjs *n, const struct place *at)
{
	static const char *const vital[] = {"uri", "guid", "version", "pubstatus"};

	if (!n->forgiving || at == NULL)
		return false;
	while (at->up)
		at = at->up;
	for (size_t i = 0; at->key && i < COUNT_OF(vital); i++)
		if (strcasecmp(at->key, vital[i]) == 0)
			return false;
	return true;
}

void ninjs_fault(struct ninjs *n, const struct place *at, enum item_refusal refusal,
		 const char *detail)
{
	struct item_report *report = n->report;
	struct item_fault *fault;
	size_t len;

	if (is_forgiven(n, at))
		return;
	if (report->count == 0)
		report->refusal = refusal;
	if (report->count == ITEM_FAULTS_MAX)
		return;
	fault = &report->fault[report->count++];
	len = write_pointer(at, fault->pointer, sizeof fault->pointer);
	fault->pointer[whole_characters(fault->pointer, len)] = '\0';
	snprintf(fault->detail, sizeof fault->detail, "%s", detail);
}

/* --- building -------------------------------------------------------------------------------- */

void ninjs_object_set(struct ninjs *n, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) == -1)
		n->no_memory = true;
}

void ninjs_object_append(struct ninjs *n, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == -1)
		n->no_memory = true;
}

json_t *ninjs_object_pair(struct ninjs *n, const char *first, const char *text, const char *second,
			  const char *other)
{
	json_t *pair = json_object();

	ninjs_object_set(n, pair, first, json_string_nocheck(text));
	ninjs_object_set(n, pair, second, json_string_nocheck(other));
	return pair;
}

json_t *ninjs_object_array(struct ninjs *n, json_t *object, const char *key)
{
	json_t *array = json_object_get(object, key);

	if (array == NULL) {
		array = json_array();
		if (json_object_set_new_nocheck(object, key, array) == -1) {
			n->no_memory = true;
			return NULL;
		}
	}
	return json_is_array(array) ? array : NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

/* In any case. */
static unsigned hash_name(const char *name, size_t len)
{
	return (unsigned)len * 5 + (name[0] | 0x20u) * 3 + (name[len / 2] | 0x20u) * 31 +
	       (name[len - 1] | 0x20u) * 7;
}

static void make_index(const struct table *table)
{
	struct table_index *index = table->index;

	MUST(table->count < COUNT_OF(index->slot));
	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->rows[i].name;
		size_t len = strlen(name);
		unsigned at = hash_name(name, len);

		if (name[len - 1] == '_') {
			MUST(index->prefix_count < COUNT_OF(index->prefix));
			index->prefix[index->prefix_count++] = (uint8_t)i;
			continue;
		}
		while (index->slot[at % COUNT_OF(index->slot)])
			at++;
		index->slot[at % COUNT_OF(index->slot)] = (uint8_t)(i + 1);
	}
	index->made = true;
}

/* Is `name` (lower case) the first bytes of `key` in some case? Returns its length, or 0. */
static size_t match_name(const char *name, const char *key)
{
	size_t i = 0;

	for (; name[i]; i++) {
		char c = key[i] >= 'A' && key[i] <= 'Z' ? (char)(key[i] + 'a' - 'A') : key[i];
		if (name[i] != c)
			return 0;
	}
	return i;
}

static const struct row *find_prefix(const struct table *table, const char *key, size_t len)
{
	for (size_t i = 0; i < table->index->prefix_count; i++) {
		const struct row *row = &table->rows[table->index->prefix[i]];
		size_t name_len = match_name(row->name, key);
		if (name_len > 0 && name_len < len)
			return row;
	}
	return NULL;
}

static const struct row *find_row(const struct table *table, const char *key, size_t len)
{
	const struct table_index *index = table->index;
	unsigned at, slot;

	if (len == 0)
		return NULL;
	if (!index->made)
		make_index(table);
	for (at = hash_name(key, len); (slot = index->slot[at % COUNT_OF(index->slot)]); at++)
		if (match_name(table->rows[slot - 1].name, key) == len)
			return &table->rows[slot - 1];
	return find_prefix(table, key, len);
}

static bool is_canonical(const struct row *row, const char *key)
{
	return row->merge == NULL && strcmp(row->canonical, key) == 0;
}

/* The rows of an object's first properties, as they were found. */
struct known {
	const struct row *row[48];
};

static const struct row *row_of(const struct table *table, const struct known *known, size_t nth,
				void *property)
{
	if (nth < COUNT_OF(known->row))
		return known->row[nth];
	return find_row(table, json_object_iter_key(property), json_object_iter_key_len(property));
}

/* Reads every known property where it stands; what goes away is null afterwards. Is there more to
 * do? */
static bool read_properties(struct ninjs *n, const struct place *at, const struct table *table,
			    json_t *object, struct known *known)
{
	bool messy = false;
	size_t nth = 0;

	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i), nth++) {
		const char *key = json_object_iter_key(i);
		json_t *old = json_object_iter_value(i), *value = NULL;
		const struct row *row = find_row(table, key, json_object_iter_key_len(i));
		const struct place here = {at, key, 0};

		if (nth < COUNT_OF(known->row))
			known->row[nth] = row;
		if (row == NULL)
			continue;
		if (!json_is_null(old))
			value = row->read(n, &here, row, old);
		messy = messy || value == NULL || !is_canonical(row, key);
		if (value == old)
			json_decref(value);
		else if (json_object_iter_set_new(object, i, value ? value : json_null()) == -1)
			n->no_memory = true;
	}
	return messy;
}

/* What is canonical or unknown. */
static void keep_property(struct ninjs *n, struct rebuild *r, const struct row *row, void *property)
{
	const char *key = json_object_iter_key(property);
	json_t *value = json_object_iter_value(property);

	if (row && (json_is_null(value) || !is_canonical(row, key)))
		return;
	if (json_object_setn_new_nocheck(r->to, key, json_object_iter_key_len(property),
					 json_incref(value)) == -1)
		n->no_memory = true;
}

/* What has an old name. */
static void merge_property(struct ninjs *n, struct rebuild *r, const struct row *row,
			   void *property)
{
	const char *key = json_object_iter_key(property);
	json_t *value = json_object_iter_value(property);

	if (row == NULL || is_canonical(row, key) || json_is_null(value))
		return;
	if (row->merge)
		row->merge(n, r, key, value);
	else if (json_object_get(r->to, row->canonical) == NULL)
		ninjs_object_set(n, r->to, row->canonical, json_incref(value));
}

static json_t *rebuild(struct ninjs *n, const struct place *at, const struct table *table,
		       json_t *from, const struct known *known)
{
	struct rebuild r = {json_object(), from, at != NULL};
	size_t nth = 0;

	if (r.to == NULL) {
		n->no_memory = true;
		return NULL;
	}
	for (void *i = json_object_iter(from); i; i = json_object_iter_next(from, i), nth++)
		keep_property(n, &r, row_of(table, known, nth, i), i);
	nth = 0;
	for (void *i = json_object_iter(from); i; i = json_object_iter_next(from, i), nth++)
		merge_property(n, &r, row_of(table, known, nth, i), i);
	if (table->finish)
		table->finish(n, &r);
	return r.to;
}

json_t *ninjs_object_read(struct ninjs *n, const struct place *at, const struct table *table,
			  json_t *value)
{
	struct known known;

	if (!json_is_object(value)) {
		ninjs_fault(n, at, ITEM_WRONG_TYPE, "This must be an object.");
		return NULL;
	}
	return read_properties(n, at, table, value, &known) ? rebuild(n, at, table, value, &known)
							    : json_incref(value);
}

static bool accept(struct ninjs *n, bool (*each)(struct ninjs *, const char *, json_t *),
		   const char *name, json_t *element)
{
	return element && (each == NULL || each(n, name, element));
}

static json_t *read_array(struct ninjs *n, const struct place *at, const struct row *row,
			  json_t *array, bool (*each)(struct ninjs *, const char *, json_t *))
{
	for (size_t i = 0; i < json_array_size(array);) {
		const struct place here = {at, NULL, i};
		json_t *old = json_array_get(array, i);
		json_t *element =
			json_is_null(old) ? NULL : ninjs_object_read(n, &here, row->of, old);

		if (!accept(n, each, NULL, element)) {
			json_decref(element);
			json_array_remove(array, i);
		} else if (json_array_set_new(array, i++, element) == -1) {
			n->no_memory = true;
		}
	}
	return json_incref(array);
}

static json_t *read_named(struct ninjs *n, const struct place *at, const struct row *row,
			  json_t *object, bool (*each)(struct ninjs *, const char *, json_t *))
{
	json_t *array = json_array(), *old;
	const char *name;

	if (array == NULL)
		n->no_memory = true;
	json_object_foreach (object, name, old) {
		const struct place here = {at, name, 0};
		json_t *element =
			json_is_null(old) ? NULL : ninjs_object_read(n, &here, row->of, old);

		if (element && json_object_get(element, "name") == NULL)
			ninjs_object_set(n, element, "name", json_string_nocheck(name));
		if (accept(n, each, name, element))
			ninjs_object_append(n, array, element);
		else
			json_decref(element);
	}
	return array;
}

/* One object where a list of them is meant, as some feeds (and an example of IPTC's) have it. */
static json_t *read_single(struct ninjs *n, const struct place *at, const struct row *row,
			   json_t *object)
{
	json_t *array = json_array();

	if (array == NULL)
		n->no_memory = true;
	ninjs_object_append(n, array, ninjs_object_read(n, at, row->of, object));
	return array;
}

json_t *ninjs_object_list(struct ninjs *n, const struct place *at, const struct row *row,
			  json_t *value)
{
	if (json_is_array(value))
		return read_array(n, at, row, value, NULL);
	if (json_is_object(value))
		return read_single(n, at, row, value);
	ninjs_fault(n, at, ITEM_WRONG_TYPE, "This must be an array of objects.");
	return NULL;
}

json_t *ninjs_object_named(struct ninjs *n, const struct place *at, const struct row *row,
			   json_t *value,
			   bool (*each)(struct ninjs *n, const char *name, json_t *element))
{
	if (json_is_array(value))
		return read_array(n, at, row, value, each);
	if (json_is_object(value))
		return read_named(n, at, row, value, each);
	ninjs_fault(n, at, ITEM_WRONG_TYPE,
		    "This must be an array of objects, or an object of objects by name.");
	return NULL;
}
