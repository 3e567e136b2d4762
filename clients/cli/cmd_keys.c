/* cmd_keys.c - newswire keys: gives publishers keys, lists them, takes them back. */
#include "command.h"
#include "item_file.h"
#include "key_file.h"
#include "show.h"

#include <newswire/client.h>

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { KEY_BYTES = 32, HASH_BYTES = 32, NAME_MOST = 64, SECRET_MIN = 8, SECRET_MAX = 256 };

/* --- what may be asked for ---------------------------------------------------------------------- */

static bool is_right(const char *word)
{
#define RIGHT_AS_TEST(name, text, bit, what) \
	if (strcmp(word, text) == 0) \
		return true;
	NEWSWIRE_RIGHTS(RIGHT_AS_TEST)
#undef RIGHT_AS_TEST
	return false;
}

static bool is_class(const char *word)
{
#define CLASS_AS_TEST(name, text) \
	if (strcmp(word, text) == 0) \
		return true;
	NEWSWIRE_CLASSES(CLASS_AS_TEST)
#undef CLASS_AS_TEST
	return false;
}

/* `world`, `sport.*` or `*`. */
static bool is_pattern(const char *word)
{
	char plain[NEWSWIRE_MAX_CHANNEL + 1];
	size_t len = strlen(word);

	if (strcmp(word, "*") == 0)
		return true;
	if (len > 2 && strcmp(word + len - 2, ".*") == 0)
		len -= 2;
	if (len >= sizeof plain)
		return false;
	memcpy(plain, word, len);
	plain[len] = '\0';
	return newswire_channel_is_plain(plain);
}

/* `1=flash` */
static bool is_urgency(const char *word)
{
	return word[0] >= '1' && word[0] <= '9' && word[1] == '=' && is_class(word + 2);
}

static bool are_all(const struct word_list *list, bool (*is_good)(const char *word),
		    const char *option, const char *wanted)
{
	for (size_t i = 0; i < list->count; i++) {
		if (is_good(list->words[i]))
			continue;
		command_say("keys: --%s %s: %s is wanted", option, list->words[i], wanted);
		return false;
	}
	return true;
}

static bool is_taken(const char *name)
{
	return strcmp(name, "node") == 0 || strcmp(name, "redis") == 0 ||
	       strcmp(name, "inbox") == 0;
}

static bool is_clear(const struct settings *settings)
{
	if (settings->name == NULL || settings->channels.count == 0 || settings->may.count == 0) {
		command_say("keys: add needs --name, --channels and --may");
		return false;
	}
	if (!newswire_channel_is_plain(settings->name) || is_taken(settings->name)) {
		command_say("keys: --name %s: 1 to 64 of a-z 0-9 . _ -, and not node, redis or "
			    "inbox, which the server itself is called",
			    settings->name);
		return false;
	}
	if (settings->no_key && settings->secret_file == NULL) {
		command_say("keys: --no-key without --secret would prove nobody");
		return false;
	}
	return are_all(&settings->channels, is_pattern, "channels", "`world`, `sport.*` or `*`") &&
	       are_all(&settings->may, is_right, "may",
		       "publish, correct, kill, flash, embargo, audit or all") &&
	       are_all(&settings->urgency, is_urgency, "urgency", "a number and a class, 1=flash");
}

/* --- adding ------------------------------------------------------------------------------------- */

static void write_hex(char *out, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* A new key, and its hash into the entry. */
static int make_key(json_t *entry, char key[2 * KEY_BYTES + 1])
{
	unsigned char bytes[KEY_BYTES], hash[EVP_MAX_MD_SIZE];
	char hex[2 * HASH_BYTES + 1];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -1;
	write_hex(key, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	if (EVP_Digest(key, (size_t)2 * KEY_BYTES, hash, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	write_hex(hex, hash, HASH_BYTES);
	return json_object_set_new(entry, "sha256", json_string(hex));
}

static json_t *list_of(const struct word_list *words)
{
	json_t *list = json_array();

	for (size_t i = 0; i < words->count; i++)
		json_array_append_new(list, json_string(words->words[i]));
	return list;
}

static int add_urgency(json_t *entry, const struct word_list *words)
{
	json_t *classes = json_object();

	if (words->count == 0) {
		json_decref(classes);
		return 0;
	}
	for (size_t i = 0; i < words->count; i++) {
		char number[2] = {words->words[i][0], '\0'};

		json_object_set_new(classes, number, json_string(words->words[i] + 2));
	}
	return json_object_set_new(entry, "urgency", classes);
}

/* The first line of the file. */
static enum exit_code add_secret(json_t *entry, const char *file)
{
	char secret[SECRET_MAX + 2];
	enum exit_code code = CLI_OK;

	if (file == NULL)
		return CLI_OK;
	if (item_file_first_line(file, secret, sizeof secret) < 0) {
		command_say("no secret in %s: %s", file, strerror(errno));
		return CLI_USAGE;
	}
	if (strlen(secret) < SECRET_MIN || strlen(secret) > SECRET_MAX) {
		command_say("keys: a secret has %d to %d bytes", SECRET_MIN, SECRET_MAX);
		code = CLI_USAGE;
	} else if (json_object_set_new(entry, "secret", json_string(secret)) < 0) {
		command_say("keys: a secret is a text in UTF-8");
		code = CLI_USAGE;
	}
	explicit_bzero(secret, sizeof secret);
	return code;
}

/* key: "" if none was wanted. */
static enum exit_code fill(json_t *entry, const struct settings *settings,
			   char key[2 * KEY_BYTES + 1])
{
	key[0] = '\0';
	if (json_object_set_new(entry, "name", json_string(settings->name)) < 0 ||
	    (!settings->no_key && make_key(entry, key) < 0) ||
	    json_object_set_new(entry, "channels", list_of(&settings->channels)) < 0 ||
	    json_object_set_new(entry, "may", list_of(&settings->may)) < 0 ||
	    add_urgency(entry, &settings->urgency) < 0) {
		command_say("out of memory, or of random bytes");
		return CLI_FAILED;
	}
	return add_secret(entry, settings->secret_file);
}

static enum exit_code add(struct key_file *f, const struct settings *settings)
{
	char key[2 * KEY_BYTES + 1];
	json_t *entry;
	enum exit_code code;

	if (!is_clear(settings))
		return CLI_USAGE;
	if (key_file_find(f, settings->name) < json_array_size(f->keys)) {
		command_say("%s has a key already; revoke it first", settings->name);
		return CLI_REFUSED;
	}
	if ((entry = json_object()) == NULL || json_array_append(f->keys, entry) < 0)
		code = CLI_FAILED;
	else if ((code = fill(entry, settings, key)) == CLI_OK)
		code = key_file_save(f);
	json_decref(entry);
	if (code == CLI_OK && key[0]) {
		command_say("the key of %s, shown this once; servers know it within a second:",
			    settings->name);
		puts(key);
	}
	explicit_bzero(key, sizeof key);
	return code;
}

/* --- listing and revoking ----------------------------------------------------------------------- */

static void show_words(const json_t *list, const char *lead)
{
	const json_t *word;
	size_t i;

	fputs(lead, stdout);
	json_array_foreach (list, i, word) {
		if (i > 0)
			putchar(',');
		show_text(stdout, json_is_string(word) ? json_string_value(word) : "?", NAME_MOST);
	}
}

/* What stands in the file, but for hashes and secrets: only whether there are any. */
static void list_as_json(const struct key_file *f)
{
	json_t *all = json_array();
	const json_t *key;
	size_t i;

	json_array_foreach (f->keys, i, key) {
		json_t *one = json_deep_copy(key);

		json_object_set_new(one, "key", json_boolean(json_object_get(key, "sha256")));
		json_object_set_new(one, "signs", json_boolean(json_object_get(key, "secret")));
		(void)json_object_del(one, "sha256");
		(void)json_object_del(one, "secret");
		json_array_append_new(all, one);
	}
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
}

static void list(const struct key_file *f)
{
	const char *number;
	const json_t *key;
	json_t *class;
	size_t i;

	json_array_foreach (f->keys, i, key) {
		const char *name = json_string_value(json_object_get(key, "name"));

		show_text(stdout, name ? name : "?", NAME_MOST);
		show_words(json_object_get(key, "channels"), "  channels ");
		show_words(json_object_get(key, "may"), "  may ");
		json_object_foreach (json_object_get(key, "urgency"), number, class) {
			printf("  urgency ");
			show_text(stdout, number, 1);
			putchar('=');
			show_text(stdout, json_is_string(class) ? json_string_value(class) : "?",
				  NAME_MOST);
		}
		fputs(json_object_get(key, "sha256") ? "  key" : "", stdout);
		fputs(json_object_get(key, "secret") ? "  secret" : "", stdout);
		putchar('\n');
	}
	if (json_array_size(f->keys) == 0)
		command_say("nobody but the node itself has a key");
}

/* All of them, or none. */
static enum exit_code revoke(struct key_file *f, char **names, size_t count)
{
	if (count == 0) {
		command_say("keys: revoke needs names");
		return CLI_USAGE;
	}
	for (size_t i = 0; i < count; i++) {
		size_t place = key_file_find(f, names[i]);

		if (place == json_array_size(f->keys)) {
			command_say("%s has no key; nothing was revoked", names[i]);
			return CLI_REFUSED;
		}
		json_array_remove(f->keys, place);
	}
	return key_file_save(f);
}

enum exit_code cmd_keys(const struct settings *settings)
{
	const char *verb = settings->files[0];
	char **names = settings->files + 1;
	size_t count = settings->file_count - 1;
	struct key_file f;
	enum exit_code code = key_file_open(&f, settings);

	if (code != CLI_OK) {
		key_file_close(&f);
		return code;
	}
	if (strcmp(verb, "revoke") == 0) {
		code = revoke(&f, names, count);
	} else if (count > 0 || (strcmp(verb, "add") != 0 && strcmp(verb, "list") != 0)) {
		command_say("keys: add, list, or revoke NAME…; not %s",
			    count > 0 ? names[0] : verb);
		code = CLI_USAGE;
	} else if (strcmp(verb, "add") == 0) {
		code = add(&f, settings);
	} else {
		(settings->json ? list_as_json : list)(&f);
	}
	key_file_close(&f);
	return code;
}
