/* ninjs_write.c - JSON as text, as readers get it: compact, UTF-8, nothing private at any depth. */
#include "news/ninjs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME(text) \
	{ \
		text, sizeof(text) - 1 \
	}

static const struct {
	const char *name;
	size_t len;
} private_names[] = {NAME("ednote"), NAME("ed_note"), NAME("contactinfo"), NAME("contact_info"),
		     NAME("annotations")};

bool ninjs_write_hides(const char *key, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(private_names); i++)
		if (private_names[i].len == len && strcasecmp(private_names[i].name, key) == 0)
			return true;
	return false;
}

static void write_integer(json_int_t value, struct buf *out)
{
	char digits[24];
	size_t at = sizeof digits;
	unsigned long long rest =
		value < 0 ? -(unsigned long long)value : (unsigned long long)value;

	do
		digits[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		digits[--at] = '-';
	buf_add(out, digits + at, sizeof digits - at);
}

/* The shortest that reads back as the same number: 0.1, not 0.10000000000000001. */
static void write_real(double value, struct buf *out)
{
	char text[32];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_adds(out, text);
	if (strpbrk(text, ".e") == NULL) /* it was written as a real, so it stays one */
		buf_adds(out, ".0");
}

static void write_array(const json_t *array, struct buf *out)
{
	size_t count = json_array_size(array);

	buf_addc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_addc(out, ',');
		ninjs_write(json_array_get(array, i), out);
	}
	buf_addc(out, ']');
}

static void write_object(json_t *object, struct buf *out)
{
	char between = '{';

	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);
		size_t len = json_object_iter_key_len(i);

		if (ninjs_write_hides(key, len))
			continue;
		buf_addc(out, between);
		between = ',';
		buf_add_json(out, key, len);
		buf_addc(out, ':');
		ninjs_write(json_object_iter_value(i), out);
	}
	if (between == '{')
		buf_addc(out, '{');
	buf_addc(out, '}');
}

void ninjs_write(const json_t *value, struct buf *out)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object((json_t *)value, out); /* jansson's iterators are not const */
		break;
	case JSON_ARRAY:
		write_array(value, out);
		break;
	case JSON_STRING:
		buf_add_json(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		write_integer(json_integer_value(value), out);
		break;
	case JSON_REAL:
		write_real(json_real_value(value), out);
		break;
	case JSON_TRUE:
		buf_adds(out, "true");
		break;
	case JSON_FALSE:
		buf_adds(out, "false");
		break;
	case JSON_NULL:
		buf_adds(out, "null");
		break;
	}
}
