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

json_t *ninjs_object_array(struct ninjs *n, json_t *object, const char *key)
{
	json_t *array = json_object_get(object, key);

	if (array == NULL) {
		ninjs_object_set(n, object, key, json_array());
		array = json_object_get(object, key);
	}
	return json_is_array(array) ? array : NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

enum { NAME_MAX_LEN = 24 }; /* no name in a table is longer */

static const struct row *find_row(const struct table *table, const char *key)
{
	char low[NAME_MAX_LEN + 1];
	size_t len = 0;

	for (; key[len] && len < NAME_MAX_LEN; len++)
		low[len] = key[len] >= 'A' && key[len] <= 'Z' ? (char)(key[len] + 'a' - 'A')
							      : key[len];
	low[len] = '\0';
	for (size_t i = 0; i < table->count; i++) {
		const struct row *row = &table->rows[i];
		size_t name_len;

		if (row->name[0] != low[0])
			continue;
		name_len = strlen(row->name);
		if (row->name[name_len - 1] == '_'
			    ? len > name_len && memcmp(row->name, low, name_len) == 0
			    : key[len] == '\0' && strcmp(row->name, low) == 0)
			return row;
	}
	return NULL;
}

static bool is_canonical(const struct row *row, const char *key)
{
	return row->merge == NULL && strcmp(row->canonical, key) == 0;
}

/* Reads every known property where it stands; what goes away is null afterwards. Is there more to
 * do? */
static bool read_properties(struct ninjs *n, const struct place *at, const struct table *table,
			    json_t *object)
{
	bool messy = false;

	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);
		json_t *old = json_object_iter_value(i), *value = NULL;
		const struct row *row = find_row(table, key);
		const struct place here = {at, key, 0};

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

static void merge_property(struct ninjs *n, struct rebuild *r, const struct row *row,
			   const char *key, json_t *value)
{
	if (row->merge)
		row->merge(n, r, key, value);
	else if (json_object_get(r->to, row->canonical) == NULL)
		ninjs_object_set(n, r->to, row->canonical, json_incref(value));
}

static json_t *rebuild(struct ninjs *n, const struct place *at, const struct table *table,
		       json_t *from)
{
	struct rebuild r = {json_object(), from, at != NULL};
	const char *key;
	json_t *value;

	if (r.to == NULL) {
		n->no_memory = true;
		return NULL;
	}
	json_object_foreach (from, key, value) {
		const struct row *row = find_row(table, key);
		if (row == NULL || (is_canonical(row, key) && !json_is_null(value)))
			ninjs_object_set(n, r.to, key, json_incref(value));
	}
	json_object_foreach (from, key, value) {
		const struct row *row = find_row(table, key);
		if (row && !is_canonical(row, key) && !json_is_null(value))
			merge_property(n, &r, row, key, value);
	}
	if (table->finish)
		table->finish(n, &r);
	return r.to;
}

json_t *ninjs_object_read(struct ninjs *n, const struct place *at, const struct table *table,
			  json_t *value)
{
	if (!json_is_object(value)) {
		ninjs_fault(n, at, ITEM_WRONG_TYPE, "This must be an object.");
		return NULL;
	}
	return read_properties(n, at, table, value) ? rebuild(n, at, table, value)
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

json_t *ninjs_object_list(struct ninjs *n, const struct place *at, const struct row *row,
			  json_t *value)
{
	if (json_is_array(value))
		return read_array(n, at, row, value, NULL);
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
