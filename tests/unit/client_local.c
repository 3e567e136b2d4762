/* The newswired of this machine is found by its state directory. */
#include "cmocka_all.h"

#include <newswire/client.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

static void put(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/nw-local-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof path, "%s/%s", dir, NEWSWIRE_STATE_FILE);
	unlink(path);
	snprintf(path, sizeof path, "%s/%s", dir, NEWSWIRE_KEY_FILE);
	unlink(path);
	return rmdir(dir);
}

static void its_address_redis_and_key_are_read(void **state)
{
	struct newswire_local local;
	char problem[256];

	(void)state;
	put(NEWSWIRE_STATE_FILE, "{\"pid\":1,\"port\":8080,\"url\":\"http://"
				 "127.0.0.1:8080\",\"redis\":\"unix:/r.sock\"}");
	put(NEWSWIRE_KEY_FILE, "secret\nnot this\n");
	assert_int_equal(newswire_local_find(dir, &local, problem, sizeof problem), 0);
	assert_string_equal(local.url, "http://127.0.0.1:8080");
	assert_string_equal(local.redis, "unix:/r.sock");
	assert_string_equal(local.key, "secret");
}

static void the_environment_names_the_directory(void **state)
{
	struct newswire_local local;
	char problem[256];

	(void)state;
	put(NEWSWIRE_STATE_FILE, "{\"url\":\"http://a\",\"redis\":\"unix:/r\"}");
	setenv("NEWSWIRE_STATE_DIR", dir, 1);
	assert_int_equal(newswire_local_find(NULL, &local, problem, sizeof problem), 0);
	assert_string_equal(local.key, "");
	unsetenv("NEWSWIRE_STATE_DIR");
}

static void none_running_is_said_with_the_place_that_was_looked_at(void **state)
{
	struct newswire_local local;
	char problem[256];

	(void)state;
	assert_int_equal(newswire_local_find(dir, &local, problem, sizeof problem), -1);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(problem, dir));
}

static void a_broken_file_is_refused(void **state)
{
	static const char *const broken[] = {"", "{", "[]", "{\"url\":1,\"redis\":\"x\"}",
					     "{\"url\":\"x\"}"};
	struct newswire_local local;
	char problem[256];

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		put(NEWSWIRE_STATE_FILE, broken[i]);
		assert_int_equal(newswire_local_find(dir, &local, problem, sizeof problem), -1);
		assert_int_equal(errno, EINVAL);
	}
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		WITH_DIR(its_address_redis_and_key_are_read),
		WITH_DIR(the_environment_names_the_directory),
		WITH_DIR(none_running_is_said_with_the_place_that_was_looked_at),
		WITH_DIR(a_broken_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
