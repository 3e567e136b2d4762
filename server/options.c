/* options.c - reads every option from flag, environment, file and default, in this order of rank.
 *
 * Each source is applied in turn from the weakest to the strongest, and notes itself as the field's
 * origin.
 */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "news/publisher.h"
#include "option_value.h"
#include "options.h"

enum { WORKERS_MAX = 64, CONFIG_FILE_MAX = 1 << 20 };

static const struct option_row rows[OPTION_COUNT] = {
#define GROUP(id, title)
#define OPTION(group_, field_, name_, type_, preset_, min_, max_, when_, metavar_, help_) \
	[OPTION_##field_] = {.name = name_, \
			     .preset = preset_, \
			     .metavar = metavar_, \
			     .help = help_, \
			     .min = min_, \
			     .max = max_, \
			     .offset = offsetof(struct options, field_), \
			     .group = OPTION_GROUP_##group_, \
			     .type = OPTION_##type_, \
			     .when = OPTION_##when_},
#include "options.def"
};

static const char *const group_titles[OPTION_GROUP_COUNT] = {
#define GROUP(id, title) [OPTION_GROUP_##id] = title,
#define OPTION(...)
#include "options.def"
};

/* What is being read, and where a complaint goes. */
struct reading {
	struct options *o;
	char *error;
	size_t size;
};

const struct option_row *options_row(enum option_id id)
{
	MUST(id < OPTION_COUNT);
	return &rows[id];
}

const char *options_group_title(enum option_group group)
{
	MUST(group < OPTION_GROUP_COUNT);
	return group_titles[group];
}

void options_env_name(const char *name, char *out)
{
	char *to = stpcpy(out, "NEWSWIRE_");

	for (; *name; name++)
		*to++ = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
	*to = '\0';
}

static int __attribute__((format(printf, 2, 3))) fail(struct reading *r, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vsnprintf(r->error, r->size, text, args);
	va_end(args);
	return -1;
}

/* --- names ------------------------------------------------------------------------------------ */

/* The option whose name is the first `len` bytes of `name`; OPTION_COUNT if there is none. */
static enum option_id find(const char *name, size_t len)
{
	enum option_id id = 0;

	while (id < OPTION_COUNT &&
	       (strlen(rows[id].name) != len || memcmp(rows[id].name, name, len) != 0))
		id++;
	return id;
}

/* How many letters must be changed, added or dropped to make b of a (Levenshtein). */
static size_t distance(const char *a, size_t a_len, const char *b)
{
	size_t b_len = strlen(b), row[32];

	MUST(b_len < COUNT_OF(row));
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (best > row[j] + 1)
				best = row[j] + 1;
			if (best > row[j - 1] + 1)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

/* The option that was probably meant; OPTION_COUNT if nothing is near. */
static enum option_id nearest(const char *name, size_t len)
{
	enum option_id best = OPTION_COUNT;
	size_t least = len < 4 ? 2 : 3; /* fewer wrong letters than this */

	for (enum option_id id = 0; id < OPTION_COUNT && len < 32; id++) {
		size_t d = distance(name, len, rows[id].name);

		if (d < least) {
			least = d;
			best = id;
		}
	}
	return best;
}

/* --- defaults --------------------------------------------------------------------------------- */

static void set_defaults(struct options *o)
{
	char why[256];

	memset(o, 0, sizeof *o);
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		if (rows[id].type != OPTION_FLAG)
			MUST(option_value_read(id, rows[id].preset, o, why, sizeof why) == 0);
}

/* --- the command line ------------------------------------------------------------------------- */

static int no_such_flag(struct reading *r, const char *name, size_t len)
{
	enum option_id near = nearest(name, len);
	char shown[48];

	snprintf(shown, sizeof shown, "%.*s", (int)len, name);
	if (near == OPTION_COUNT)
		return fail(r, "--%s: there is no such option; newswired --help shows all", shown);
	return fail(r, "--%s: there is no such option; did you mean --%s?", shown, rows[near].name);
}

static int read_flag(struct reading *r, enum option_id id, const char *value)
{
	char why[256];

	if (option_value_read(id, value, r->o, why, sizeof why) < 0)
		return fail(r, "--%s: %s", rows[id].name, why);
	r->o->origin[id] = (struct option_origin){OPTION_FROM_FLAG, 0};
	return 0;
}

/* `argument` is `name` or `name=value`, `next` what follows it. Returns how many arguments were
 * used, or -1. */
static int read_argument(struct reading *r, const char *argument, const char *next)
{
	size_t len = strcspn(argument, "=");
	enum option_id id = find(argument, len);
	const char *value = argument[len] == '=' ? argument + len + 1 : NULL;

	if (id == OPTION_COUNT)
		return no_such_flag(r, argument, len);
	if (rows[id].type == OPTION_FLAG)
		return read_flag(r, id, value ? value : "true") < 0 ? -1 : 1;
	if (value)
		return read_flag(r, id, value) < 0 ? -1 : 1;
	if (next == NULL)
		return fail(r, "--%s: its value is missing (%s)", rows[id].name, rows[id].metavar);
	return read_flag(r, id, next) < 0 ? -1 : 2;
}

static int read_command_line(struct reading *r, int argc, const char *const *argv)
{
	for (int i = 1, used; i < argc; i += used) {
		const char *argument = strcmp(argv[i], "-h") == 0 ? "--help" : argv[i];

		if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0')
			return fail(r,
				    "%.40s: newswired takes options only, each beginning with --; "
				    "newswired --help shows all",
				    argument);
		used = read_argument(r, argument + 2, i + 1 < argc ? argv[i + 1] : NULL);
		if (used < 0)
			return -1;
	}
	return 0;
}

/* --- the environment -------------------------------------------------------------------------- */

static const char *env_value(const char *const *envp, enum option_id id)
{
	char name[64];
	size_t len;

	options_env_name(rows[id].name, name);
	len = strlen(name);
	for (; envp && *envp; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return (*envp)[len + 1] ? *envp + len + 1 : NULL;
	return NULL;
}

static int read_environment_one(struct reading *r, const char *const *envp, enum option_id id)
{
	const char *value = env_value(envp, id);
	char why[256], name[64];

	if (value == NULL || rows[id].when == OPTION_ASK)
		return 0;
	options_env_name(rows[id].name, name);
	if (option_value_read(id, value, r->o, why, sizeof why) == 0) {
		r->o->origin[id] = (struct option_origin){OPTION_FROM_ENV, 0};
		return 0;
	}
	/* A Service of that name makes Kubernetes set this one. */
	if (id == OPTION_port && strncmp(value, "tcp://", 6) == 0)
		return fail(
			r,
			"%s (environment): %s. Kubernetes sets it for a service named newswire: "
			"set enableServiceLinks: false, or give --port",
			name, why);
	return fail(r, "%s (environment): %s", name, why);
}

/* NEWSWIRE_ names that are no option may belong to others (the program newswire, a container's
 * platform) and are no error; one that is a letter off a name of ours is told. */
static void doubt_environment(struct options *o, const char *const *envp)
{
	for (; envp && *envp; envp++) {
		const char *end = strchr(*envp, '=');
		char name[32], meant[64];
		size_t len = 0;

		if (strncmp(*envp, "NEWSWIRE_", 9) != 0 || end == NULL || end - *envp > 40)
			continue;
		for (const char *c = *envp + 9; c < end; c++)
			name[len++] = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
		for (enum option_id id = 0; id < OPTION_COUNT; id++) {
			if (rows[id].when == OPTION_ASK || distance(name, len, rows[id].name) != 1)
				continue;
			options_env_name(rows[id].name, meant);
			snprintf(o->doubt, sizeof o->doubt, "%.*s is no option; %s is",
				 (int)(end - *envp), *envp, meant);
		}
	}
}

static int read_environment(struct reading *r, const char *const *envp)
{
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		if (read_environment_one(r, envp, id) < 0)
			return -1;
	doubt_environment(r->o, envp);
	return 0;
}

/* --- the config file -------------------------------------------------------------------------- */

/* The whole file as text, or NULL with errno. */
static char *read_whole(const char *path)
{
	char *text = calloc(1, CONFIG_FILE_MAX + 1);
	FILE *file = fopen(path, "re");
	size_t len;
	int bad = ENOMEM;

	if (file && text) {
		len = fread(text, 1, CONFIG_FILE_MAX + 1, file);
		bad = ferror(file) ? errno : len > CONFIG_FILE_MAX ? EFBIG : 0;
		text[bad ? 0 : len] = '\0';
	} else if (text) {
		bad = errno;
	}
	if (file)
		fclose(file);
	if (bad == 0)
		return text;
	free(text);
	errno = bad;
	return NULL;
}

/* The line on which `"key":` stands. The file is one flat object, and within a JSON string a quote
 * is escaped, so the first such place is the key. 0 if it is written with escapes. */
static int line_of(const char *text, const char *key)
{
	const char *at = text;
	char quoted[64];
	int line = 1;

	snprintf(quoted, sizeof quoted, "\"%s\"", key);
	while ((at = strstr(at, quoted)) != NULL) {
		at += strlen(quoted);
		if (at[strspn(at, " \t\r\n")] == ':')
			break;
	}
	for (const char *c = text; at && c < at; c++)
		line += *c == '\n';
	return at ? line : 0;
}

/* The value as text, whichever of JSON's ways it is written in; NULL if it can be no option's. */
static const char *value_as_text(const json_t *value, char out[32])
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return strlen(json_string_value(value)) == json_string_length(value)
			       ? json_string_value(value)
			       : NULL;
	case JSON_INTEGER:
		snprintf(out, 32, "%lld", (long long)json_integer_value(value));
		return out;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return NULL;
	}
}

static int read_file_key(struct reading *r, const char *key, const json_t *value, const char *text)
{
	enum option_id id = find(key, strlen(key)), near;
	const char *path = r->o->config, *as_text;
	int line = line_of(text, key);
	char why[256], number[32];

	if (id == OPTION_COUNT) {
		near = nearest(key, strlen(key));
		return fail(r, "%s line %d: \"%.40s\": there is no such option%s%s%s", path, line,
			    key, near < OPTION_COUNT ? "; did you mean \"" : "",
			    near < OPTION_COUNT ? rows[near].name : "",
			    near < OPTION_COUNT ? "\"?" : "");
	}
	if (id == OPTION_config || rows[id].when == OPTION_ASK)
		return fail(r, "%s line %d: \"%s\" cannot be given in a file", path, line, key);
	as_text = value_as_text(value, number);
	if (as_text == NULL)
		return fail(r, "%s line %d: \"%s\": a text, a whole number or true/false is wanted",
			    path, line, key);
	if (option_value_read(id, as_text, r->o, why, sizeof why) < 0)
		return fail(r, "%s line %d: \"%s\": %s", path, line, key, why);
	r->o->origin[id] = (struct option_origin){OPTION_FROM_FILE, line};
	return 0;
}

static int read_file_text(struct reading *r, const char *text)
{
	json_error_t bad;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &bad), *value;
	const char *key;
	int result = 0;

	if (root == NULL)
		return fail(r, "%s line %d: %s", r->o->config, bad.line, bad.text);
	if (!json_is_object(root))
		result = fail(r, "%s: an object {\"option\": value, ...} is wanted", r->o->config);
	json_object_foreach (root, key, value)
		if (result == 0)
			result = read_file_key(r, key, value, text);
	json_decref(root);
	return result;
}

static int read_file(struct reading *r)
{
	char *text = read_whole(r->o->config);
	int result;

	if (text == NULL)
		return fail(r, "--config: %.400s: %s", r->o->config, strerror(errno));
	result = read_file_text(r, text);
	free(text);
	return result;
}

/* --- all together ----------------------------------------------------------------------------- */

/* What no single option can know. */
static int check_together(struct reading *r)
{
	unsigned rights;
	char keep[OPTION_VALUE_MAX], archive[OPTION_VALUE_MAX];

	if (*r->o->raw_publish && rights_read(r->o->raw_publish, &rights) < 0)
		return fail(r,
			    "--raw-publish: \"%.40s\" is not what is wanted: everything, none, or "
			    "some of publish,correct,kill,flash,embargo,audit,all",
			    r->o->raw_publish);
	if ((*r->o->tls_cert == '\0') != (*r->o->tls_key == '\0'))
		return fail(r,
			    "--%s is given and --%s is not: a certificate and its key go together",
			    *r->o->tls_cert ? "tls-cert" : "tls-key",
			    *r->o->tls_cert ? "tls-key" : "tls-cert");
	if (r->o->archive_ms >= r->o->retention_ms)
		return 0;
	option_value_number(OPTION_DURATION, r->o->retention_ms, keep);
	option_value_number(OPTION_DURATION, r->o->archive_ms, archive);
	return fail(
		r,
		"--archive: %s is shorter than --retention (%s): items must be kept at least as "
		"long as the history that names them",
		archive, keep);
}

int options_read(struct options *o, int argc, const char *const *argv, const char *const *envp,
		 char *error, size_t error_size)
{
	struct reading r = {o, error, error_size};
	const char *config;

	set_defaults(o);
	/* The command line comes first, to know --config and to answer --help whatever else is
	 * wrong; and again last, because it outranks what the others say. */
	if (read_command_line(&r, argc, argv) < 0)
		return -1;
	if (o->help || o->version)
		return 0;
	config = env_value(envp, OPTION_config);
	if (*o->config == '\0' && config && read_environment_one(&r, envp, OPTION_config) < 0)
		return -1;
	if (*o->config && read_file(&r) < 0)
		return -1;
	if (read_environment(&r, envp) < 0 || read_command_line(&r, argc, argv) < 0)
		return -1;
	return check_together(&r);
}

void options_free(struct options *o)
{
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		option_value_free(id, o);
}

static bool is_same(const struct option_row *row, const struct options *a, const struct options *b)
{
	const char *at = (const char *)a + row->offset, *bt = (const char *)b + row->offset;

	switch (row->type) {
	case OPTION_TEXT:
		return strcmp(*(const option_TEXT *)at, *(const option_TEXT *)bt) == 0;
	case OPTION_FLAG:
		return *(const option_FLAG *)at == *(const option_FLAG *)bt;
	case OPTION_CHOICE:
		return *(const option_CHOICE *)at == *(const option_CHOICE *)bt;
	default:
		return *(const uint64_t *)at == *(const uint64_t *)bt;
	}
}

const struct option_row *options_changed(const struct options *a, const struct options *b,
					 enum option_when when)
{
	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		const struct option_row *row = options_row(id);

		if (row->when == when && !is_same(row, a, b))
			return row;
	}
	return NULL;
}

unsigned options_worker_count(const struct options *o)
{
	cpu_set_t cores;
	unsigned n = (unsigned)o->workers;

	if (n == 0 && sched_getaffinity(0, sizeof cores, &cores) == 0)
		n = (unsigned)CPU_COUNT(&cores);
	return n == 0 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : n;
}
