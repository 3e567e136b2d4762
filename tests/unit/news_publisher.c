/* Goal: keys.json is read strictly and says where a fault is; a key, a signature, a channel lets in exactly whom it should; a
 * file that changes is in force within a second, and a broken one changes nothing. */
#include "news_test.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/counters.h"
#include "base/log.h"
#include "news/keyring.h"
#include "news/proof.h"
#include "news/publisher.h"

/* Of no key. */
#define WORLD_HASH "79a3eb62a6bd9bbe5e5d2e66a5d96ee1b4b3e0f3bd3a2a0c1a2b40a1b9d0a001"

static char problem[320];

static struct publisher_book *book_of(const char *json)
{
	problem[0] = '\0';
	return publisher_book_read(json, strlen(json), problem, sizeof problem);
}

static struct publisher_book *good_book(const char *json)
{
	struct publisher_book *book = book_of(json);

	if (book == NULL)
		fail_msg("refused: %s", problem);
	return book;
}

/* Reading -------------------------------------------------------------------------------------- */

static void a_whole_key_is_read(void **state)
{
	struct publisher_book *book = good_book(
		"{\"keys\":[{\"name\":\"world-desk\",\"sha256\":\"" WORLD_HASH "\","
		"\"channels\":[\"world\",\"sport.*\"],\"may\":[\"publish\",\"flash\"],"
		"\"secret\":\"a secret\",\"urgency\":{\"1\":\"bulletin\",\"9\":\"flash\"}}]}");
	const struct publisher *p = publisher_at(book, 0);

	(void)state;
	assert_int_equal(publisher_count(book), 1);
	assert_string_equal(p->name, "world-desk");
	assert_int_equal(p->rights, RIGHT_PUBLISH | RIGHT_FLASH);
	assert_int_equal(p->hash[0], 0x79);
	assert_int_equal(p->hash[31], 0x01);
	assert_string_equal(p->secret, "a secret");
	assert_int_equal(p->by_urgency[1], CLASS_BULLETIN);
	assert_int_equal(p->by_urgency[2], CLASS_BULLETIN); /* as usual */
	assert_int_equal(p->by_urgency[9], CLASS_FLASH);
	assert_ptr_equal(publisher_by_name(book, "world-desk"), p);
	assert_null(publisher_by_name(book, "world"));
	publisher_book_unref(book);
}

#define A_KEY	  "{\"keys\":[{\"name\":\"a\",\"sha256\":\"" WORLD_HASH "\",\"may\":[\"publish\"]"
#define KEY(more) A_KEY more "}]}"

static void every_fault_says_where_it_is(void **state)
{
	static const struct {
		const char *json, *says;
	} rows[] = {
		{"", "the file: this is not JSON (line 1"},
		{"[]", "the file: an object"},
		{"{\"keys\":[],\"keys\":[]}", "the file: a property is there twice"},
		{"{\"kees\":[]}", "/kees: there is no such property"},
		{"{\"keys\":{}}", "/keys: a list"},
		{"{\"keys\":[7]}", "/keys/0: an object"},
		{KEY(",\"chanels\":[]"), "/keys/0/chanels: there is no such property"},
		{KEY(",\"channels\":[\"world\",\"Sport\"]"),
		 "/keys/0/channels/1: this is no channel"},
		{KEY(",\"channels\":[\"sp*\"]"), "/keys/0/channels/0: this is no channel"},
		{KEY(",\"channels\":[\"class:flash\"]"), "/keys/0/channels/0: this is no channel"},
		{KEY(",\"channels\":\"world\""), "/keys/0/channels: a list"},
		{KEY(",\"urgency\":{\"0\":\"flash\"}"), "/keys/0/urgency/0: an urgency is"},
		{KEY(",\"urgency\":{\"1\":\"hot\"}"), "/keys/0/urgency/1: this is no class"},
		{KEY(",\"secret\":\"short\""), "/keys/0/secret: a secret is"},
		{KEY(",\"secret\":\"with\\u0000zero\""), "not JSON"},
		{"{\"keys\":[{\"name\":\"a\",\"sha256\":\"12\",\"may\":[]}]}",
		 "/keys/0/sha256: the SHA-256"},
		{"{\"keys\":[{\"name\":\"a\",\"sha256\":12,\"may\":[]}]}",
		 "/keys/0/sha256: the SHA-256"},
		{"{\"keys\":[{\"name\":\"a\",\"sha256\":\"" WORLD_HASH "\"}]}",
		 "/keys/0: it does not say"},
		{"{\"keys\":[{\"name\":\"a\",\"may\":[\"publish\"]}]}", "/keys/0: it has neither"},
		{"{\"keys\":[{\"sha256\":\"" WORLD_HASH "\",\"may\":[]}]}",
		 "/keys/0: it has no name"},
		{"{\"keys\":[{\"name\":\"node\"}]}", "/keys/0/name: `node` is what"},
		{"{\"keys\":[{\"name\":\"A b\"}]}", "/keys/0/name: a name is"},
		{"{\"keys\":[{\"name\":\"a\",\"may\":[\"publsh\"]}]}",
		 "/keys/0/may/0: this is no permission"},
		{"{\"keys\":[{\"name\":\"a\",\"secret\":\"12345678\",\"may\":[]},"
		 "{\"name\":\"a\",\"secret\":\"12345678\",\"may\":[]}]}",
		 "/keys/1/name: another key"},
		{"{\"keys\":[{\"name\":\"a\",\"sha256\":\"" WORLD_HASH "\",\"may\":[]},"
		 "{\"name\":\"b\",\"sha256\":\"" WORLD_HASH "\",\"may\":[]}]}",
		 "/keys/1/sha256: another publisher"},
		{"{\"raw\":{\"World\":[]}}", "/raw/World: this is no channel"},
		{"{\"raw\":{\"world\":[\"everything\"]}}", "/raw/world/0: this is no permission"},
		{"{\"raw\":[]}", "/raw: an object"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_null(book_of(rows[i].json));
		if (strstr(problem, rows[i].says) == NULL)
			fail_msg("%s: %s, not %s", rows[i].json, problem, rows[i].says);
	}
}

static void a_fault_never_shows_a_hash_or_a_secret(void **state)
{
	(void)state;
	assert_null(book_of("{\"keys\":[{\"name\":\"a\",\"secret\":\"hush-hush\" \"may\":[]}]}"));
	assert_null(strstr(problem, "hush"));
	assert_null(book_of("{\"keys\":[{\"name\":\"a\",\"sha256\":\"hush-hush\"}]}"));
	assert_null(strstr(problem, "hush"));
}

/* As many keys as wanted; those below `secrets` have a secret. */
static bool can_be_read(int count, int secrets)
{
	struct publisher_book *book;
	struct buf json = {0};

	buf_adds(&json, "{\"keys\":[");
	for (int i = 0; i < count; i++) {
		buf_addf(&json, "%s{\"name\":\"k%d\",\"may\":[]", i ? "," : "", i);
		if (i < secrets)
			buf_adds(&json, ",\"secret\":\"12345678\"}");
		else
			buf_addf(&json, ",\"sha256\":\"%064d\"}", i);
	}
	buf_adds(&json, "]}");
	book = publisher_book_read(json.data, json.len, problem, sizeof problem);
	publisher_book_unref(book);
	buf_free(&json);
	return book != NULL;
}

static void there_are_at_most_a_thousand_keys_and_32_secrets(void **state)
{
	(void)state;
	assert_true(can_be_read(1000, 32));
	assert_false(can_be_read(1001, 0));
	assert_non_null(strstr(problem, "/keys: a list of at most 1000 keys"));
	assert_false(can_be_read(40, 33));
	assert_non_null(strstr(problem, "/keys/32/secret: at most 32 keys"));
}

/* Channels and rights -------------------------------------------------------------------------- */

static void patterns_let_through_what_they_name(void **state)
{
	struct publisher_book *book = good_book(
		"{\"keys\":["
		"{\"name\":\"a\",\"secret\":\"12345678\",\"may\":[],\"channels\":[\"world\","
		"\"sport.*\"]},"
		"{\"name\":\"b\",\"secret\":\"12345678\",\"may\":[],\"channels\":[\"*\"]},"
		"{\"name\":\"c\",\"secret\":\"12345678\",\"may\":[]}]}");
	const struct publisher *a = publisher_at(book, 0), *b = publisher_at(book, 1),
			       *c = publisher_at(book, 2);

	(void)state;
	assert_true(publisher_may_send(a, "world"));
	assert_true(publisher_may_send(a, "sport.golf"));
	assert_true(publisher_may_send(a, "sport.golf.open"));
	assert_false(publisher_may_send(a, "sport"));
	assert_false(publisher_may_send(a, "sports.golf"));
	assert_false(publisher_may_send(a, "world.asia"));
	assert_false(publisher_may_send(a, ""));
	assert_true(publisher_may_send(b, "world"));
	assert_true(publisher_may_send(b, ""));
	assert_false(publisher_may_send(c, "world"));
	publisher_book_unref(book);
}

static void the_closest_pattern_says_what_a_raw_publish_may_do(void **state)
{
	struct publisher_book *book =
		good_book("{\"raw\":{\"*\":[\"publish\"],\"sport.*\":[\"publish\",\"correct\"],"
			  "\"sport.golf\":[],\"sport.golf.*\":[\"kill\"]}}");
	struct publisher_book *silent = good_book("{}");

	(void)state;
	assert_int_equal(publisher_raw_rights(book, "world", 64), RIGHT_PUBLISH);
	assert_int_equal(publisher_raw_rights(book, "sport.tennis", 64),
			 RIGHT_PUBLISH | RIGHT_CORRECT);
	assert_int_equal(publisher_raw_rights(book, "sport.golf", 64), 0);
	assert_int_equal(publisher_raw_rights(book, "sport.golf.open", 64), RIGHT_KILL);
	assert_int_equal(publisher_raw_rights(silent, "world", 64), 64);
	publisher_book_unref(book);
	publisher_book_unref(silent);
}

static void permissions_are_words_joined_by_commas(void **state)
{
	struct buf words = {0};
	unsigned rights;

	(void)state;
	assert_int_equal(rights_read("publish,kill", &rights), 0);
	assert_int_equal(rights, RIGHT_PUBLISH | RIGHT_KILL);
	rights_write(rights, &words);
	assert_string_equal(news_test_text(&words), "publish kill");
	assert_int_equal(rights_read("none", &rights), 0);
	assert_int_equal(rights, 0);
	assert_int_equal(rights_read("everything", &rights), 0);
	assert_int_equal(rights, RIGHTS_EVERYTHING);
	assert_int_equal(rights_read("", &rights), -1);
	assert_int_equal(rights_read("publish,", &rights), -1);
	assert_int_equal(rights_read("publish,everything", &rights), -1);
	buf_free(&words);
}

static void a_publisher_may_mean_something_else_by_urgency(void **state)
{
	static const char json[] =
		"{\"uri\":\"u\",\"urgency\":1,\"headlines\":[{\"value\":\"H\"}]}";
	struct publisher_book *book =
		good_book("{\"keys\":[{\"name\":\"a\",\"secret\":\"12345678\",\"may\":[],"
			  "\"urgency\":{\"1\":\"regular\"}}]}");
	struct item_report report;
	struct item *item = item_read_by(json, strlen(json), 1000, NULL,
					 publisher_at(book, 0)->by_urgency, &report);

	(void)state;
	assert_int_equal(item->class, CLASS_REGULAR);
	assert_true(channel_set_has(&item->channels, "class:regular"));
	assert_non_null(strstr(item->body, "\"urgency\":1"));
	item_free(item);
	item = item_read(json, strlen(json), 1000, NULL, &report);
	assert_int_equal(item->class, CLASS_FLASH);
	item_free(item);
	publisher_book_unref(book);
}

/* Proofs --------------------------------------------------------------------------------------- */

static void a_key_is_known_by_its_hash(void **state)
{
	/* echo -n correct-horse-battery | sha256sum */
	struct publisher_book *book =
		good_book("{\"keys\":[{\"name\":\"a\",\"sha256\":\"" WORLD_HASH "\",\"may\":[]},"
			  "{\"name\":\"b\",\"sha256\":"
			  "\"62249369389075490555a758353aec61500c6218fa597252d52dc4bd0148f12d\","
			  "\"may\":[]}]}");
	char long_key[1000];

	(void)state;
	memset(long_key, 'x', sizeof long_key);
	long_key[sizeof long_key - 1] = '\0';
	assert_ptr_equal(proof_by_key(book, "correct-horse-battery"), publisher_at(book, 1));
	assert_null(proof_by_key(book, "correct-horse-batterx"));
	assert_null(proof_by_key(book, ""));
	assert_null(proof_by_key(
		book, "62249369389075490555a758353aec61500c6218fa597252d52dc4bd0148f12d"));
	assert_null(proof_by_key(book, long_key));
	assert_true(proof_is_key("abc", "abc"));
	assert_false(proof_is_key("abc", "abd"));
	assert_false(proof_is_key("abc", "abcd"));
	assert_false(proof_is_key("", ""));
	publisher_book_unref(book);
}

/* The vector is that of Superdesk's own tests. */
static void superdesk_is_known_by_its_signature(void **state)
{
	static const char sent[] = "test payload",
			  good[] = "sha1=8be62a607898504f87559cb52dc23f9ebee65a21";
	static const char *const wrong[] = {
		"",
		"sha1=",
		"8be62a607898504f87559cb52dc23f9ebee65a21",
		"sha1=8be62a607898504f87559cb52dc23f9ebee65a2",
		"sha1=8be62a607898504f87559cb52dc23f9ebee65a211",
		"sha1=8be62a607898504f87559cb52dc23f9ebee65a22",
		"sha1=8BE62A607898504F87559CB52DC23F9EBEE65A21",
		"sha256=8be62a607898504f87559cb52dc23f9ebee65a21",
		"sha1=zbe62a607898504f87559cb52dc23f9ebee65a21",
	};
	struct publisher_book *book =
		good_book("{\"keys\":[{\"name\":\"other\",\"secret\":\"987654321\",\"may\":[]},"
			  "{\"name\":\"superdesk\",\"secret\":\"123456789\",\"may\":[]}]}");
	struct publisher_book *without = good_book("{}");

	(void)state;
	assert_ptr_equal(proof_by_signature(book, good, sent, strlen(sent)), publisher_at(book, 1));
	assert_null(proof_by_signature(book, good, sent, strlen(sent) - 1));
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_null(proof_by_signature(book, wrong[i], sent, strlen(sent)));
	assert_null(proof_by_signature(without, good, sent, strlen(sent)));
	assert_true(proof_has_secrets(book));
	assert_false(proof_has_secrets(without));
	publisher_book_unref(book);
	publisher_book_unref(without);
}

/* The file ------------------------------------------------------------------------------------- */

static char path[128];

static int open_directory(void **state)
{
	char directory[] = "/tmp/nw-keys-XXXXXX";

	(void)state;
	log_open(-1, LOG_KEY_VALUE, LOG_ERROR);
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/keys.json", directory);
	return 0;
}

static int close_directory(void **state)
{
	(void)state;
	unlink(path);
	*strrchr(path, '/') = '\0';
	return rmdir(path);
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

/* As an editor does it that wants no half file ever. */
static void replace_file(const char *text)
{
	char draft[160];

	snprintf(draft, sizeof draft, "%s.draft", path);
	write_file(draft, text);
	assert_int_equal(rename(draft, path), 0);
}

static size_t keys_in_force(struct keyring *k)
{
	keyring_second(k);
	return publisher_count(keyring_book(k));
}

#define ONE "{\"name\":\"a\",\"secret\":\"12345678\",\"may\":[]}"
#define TWO "{\"name\":\"b\",\"secret\":\"12345678\",\"may\":[]}"

static void a_file_that_changes_is_in_force_a_second_later(void **state)
{
	struct keyring *k = keyring_open(path); /* not there yet */
	const struct publisher *kept;

	(void)state;
	assert_int_equal(keys_in_force(k), 0);
	replace_file("{\"keys\":[" ONE "]}");
	assert_int_equal(keys_in_force(k), 1);
	kept = publisher_ref(publisher_at(keyring_book(k), 0));
	replace_file("{\"keys\":[" TWO "," ONE "]}");
	assert_int_equal(keys_in_force(k), 2);
	assert_string_equal(kept->name, "a"); /* whoever is being served keeps what he had */
	publisher_unref(kept);
	write_file(path, "{\"keys\":[" TWO "]}"); /* in place, too */
	assert_int_equal(keys_in_force(k), 1);
	unlink(path);
	assert_int_equal(keys_in_force(k), 0);
	keyring_close(k);
}

static void a_broken_file_leaves_the_old_keys_in_force(void **state)
{
	struct keyring *k;
	uint64_t before = COUNTER_GET(KEYS_BROKEN);

	(void)state;
	replace_file("{\"keys\":[" ONE "]}");
	k = keyring_open(path);
	replace_file("{\"keys\":[" ONE);
	assert_int_equal(keys_in_force(k), 1);
	assert_int_equal(keys_in_force(k), 1);
	assert_int_equal(COUNTER_GET(KEYS_BROKEN), before + 1); /* told once */
	replace_file("{\"keys\":[" ONE "," TWO "]}");
	assert_int_equal(keys_in_force(k), 2);
	keyring_close(k);
}

static void a_first_file_that_is_broken_lets_nobody_in(void **state)
{
	struct keyring *k;

	(void)state;
	replace_file("{\"keys\":[" ONE);
	assert_int_equal(keyring_check(path, problem, sizeof problem), -1);
	assert_non_null(strstr(problem, "this is not JSON (line 1"));
	k = keyring_open(path);
	assert_int_equal(keys_in_force(k), 0);
	assert_int_equal(publisher_raw_rights(keyring_book(k), "world", RIGHTS_EVERYTHING), 0);
	replace_file("{\"keys\":[" ONE "]}");
	assert_int_equal(keys_in_force(k), 1);
	assert_int_equal(publisher_raw_rights(keyring_book(k), "world", RIGHT_KILL), RIGHT_KILL);
	keyring_close(k);
}

static void what_is_no_file_or_too_long_is_not_read(void **state)
{
	char *text = malloc(KEYRING_FILE_MAX + 2);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', KEYRING_FILE_MAX + 1);
	memcpy(text, "{}", 2);
	text[KEYRING_FILE_MAX] = '\0';
	replace_file(text);
	assert_int_equal(keyring_check(path, problem, sizeof problem), 0);
	text[KEYRING_FILE_MAX] = ' ';
	text[KEYRING_FILE_MAX + 1] = '\0';
	replace_file(text);
	assert_int_equal(keyring_check(path, problem, sizeof problem), -1);
	assert_non_null(strstr(problem, "more than 1 MiB"));
	free(text);
	unlink(path);
	assert_int_equal(keyring_check(path, problem, sizeof problem), 0); /* none is no fault */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(keyring_check(path, problem, sizeof problem), -1);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_key_is_read),
		cmocka_unit_test(every_fault_says_where_it_is),
		cmocka_unit_test(a_fault_never_shows_a_hash_or_a_secret),
		cmocka_unit_test(there_are_at_most_a_thousand_keys_and_32_secrets),
		cmocka_unit_test(patterns_let_through_what_they_name),
		cmocka_unit_test(the_closest_pattern_says_what_a_raw_publish_may_do),
		cmocka_unit_test(permissions_are_words_joined_by_commas),
		cmocka_unit_test(a_publisher_may_mean_something_else_by_urgency),
		cmocka_unit_test(a_key_is_known_by_its_hash),
		cmocka_unit_test(superdesk_is_known_by_its_signature),
		cmocka_unit_test(a_file_that_changes_is_in_force_a_second_later),
		cmocka_unit_test(a_broken_file_leaves_the_old_keys_in_force),
		cmocka_unit_test(a_first_file_that_is_broken_lets_nobody_in),
		cmocka_unit_test(what_is_no_file_or_too_long_is_not_read),
	};

	return cmocka_run_group_tests(tests, open_directory, close_directory);
}
