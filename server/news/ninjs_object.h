/* ninjs_object.h - an object read by a table of its properties: one row a name.
 *
 * An object that is canonical already stays as it is. Otherwise it is built anew: first what is
 * canonical or unknown, in its order, then what old names say, where nothing canonical says it.
 */
#ifndef NEWSWIRE_NEWS_NINJS_OBJECT_H
#define NEWSWIRE_NEWS_NINJS_OBJECT_H

#include "news/ninjs.h"

struct table;

/* An object being built anew. */
struct rebuild {
	json_t *to;
	const json_t *from; /* the old one; values already read */
	bool nested;	    /* it is not the item itself */
};

struct row {
	const char *name; /* lower case: properties are found in any case. Ending in `_`: all names
			     that begin so */
	const char *canonical;
	/* Checks and converts a value (never null). Returns a new reference, also to the same;
	 * NULL: it goes away. */
	json_t *(*read)(struct ninjs *n, const struct place *at, const struct row *row,
			json_t *value);
	/* Takes an old form over. NULL: under its canonical name, if that is free. */
	void (*merge)(struct ninjs *n, struct rebuild *r, const char *key, json_t *value);
	const struct table *of; /* what its elements are */
};

/* Where the names of a table are; made when the first is asked for. */
struct table_index {
	bool made;
	uint8_t prefix_count;
	uint8_t prefix[4]; /* rows whose names end in `_` */
	uint8_t slot[128]; /* by ninjs_object.c's hash: 1 + a row, 0: none, look no further */
};

struct table {
	const struct row *rows;
	size_t count;
	struct table_index *index;
	void (*finish)(struct ninjs *n, struct rebuild *r); /* or NULL */
};

/* Reads an object. Returns a new reference, or NULL (a fault, or no memory). */
json_t *ninjs_object_read(struct ninjs *n, const struct place *at, const struct table *table,
			  json_t *value);
/* Reads an array of objects, in place. */
json_t *ninjs_object_list(struct ninjs *n, const struct place *at, const struct row *row,
			  json_t *value);
/* The same, or an object of objects by name, which becomes an array. `each` may change or refuse
 * (false) an element. */
json_t *ninjs_object_named(struct ninjs *n, const struct place *at, const struct row *row,
			   json_t *value,
			   bool (*each)(struct ninjs *n, const char *name, json_t *element));

/* Set and append a new reference; a NULL or a failure is remembered as no_memory. */
void ninjs_object_set(struct ninjs *n, json_t *object, const char *key, json_t *value);
void ninjs_object_append(struct ninjs *n, json_t *array, json_t *value);
/* A new object with two texts. NULL: no memory. */
json_t *ninjs_object_pair(struct ninjs *n, const char *first, const char *text, const char *second,
			  const char *other);
/* The array under `key`, made if there is none. NULL if there is something else, or no memory. */
json_t *ninjs_object_array(struct ninjs *n, json_t *object, const char *key);

#endif
